package rpc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthgrpc "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/run"
)

const (
	// readyInterval is how often Ready is asked, readyTimeout how long it may take.
	readyInterval = 2 * time.Second
	readyTimeout  = time.Second
)

// Serve serves until ctx ends, then stops in order: readiness off, DrainDelay, streams, fronts, calls in progress
// for at most Grace, the rest by force. Every clock of the stop starts with the stop.
func (s *Server) Serve(ctx context.Context) error {
	fronts, endFronts := context.WithCancel(context.WithoutCancel(ctx))
	defer endFronts()
	frontsEnded := make(chan struct{})
	tasks := []run.Task{
		s.serve(s.buffer),
		s.watchReady,
		func(context.Context) error {
			defer close(frontsEnded)
			return run.All(fronts, s.fronts...)
		},
		func(ctx context.Context) error {
			<-ctx.Done()
			s.stop(endFronts, frontsEnded)
			return nil
		},
	}
	if s.tcp != nil {
		s.cfg.Log.InfoContext(ctx, "gRPC listens", "address", s.Addr())
		tasks = append(tasks, s.serve(s.tcp))
	}
	return run.All(ctx, tasks...)
}

func (s *Server) serve(listener net.Listener) run.Task {
	return func(context.Context) error {
		if err := s.grpc.Serve(listener); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			return fmt.Errorf("gRPC on %s: %w", listener.Addr(), err)
		}
		return nil
	}
}

func (s *Server) stop(endFronts func(), frontsEnded <-chan struct{}) {
	s.stopping.Store(true)
	s.health.Shutdown()
	time.Sleep(s.cfg.DrainDelay)
	deadline := time.NewTimer(s.cfg.Grace)
	defer deadline.Stop()
	s.drain()
	endFronts()
	select {
	case <-frontsEnded:
	case <-deadline.C:
		s.grpc.Stop()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.grpc.GracefulStop()
	}()
	select {
	case <-done:
	case <-deadline.C:
		s.grpc.Stop()
		<-done
	}
}

// watchReady keeps the health service in step with Ready.
func (s *Server) watchReady(ctx context.Context) error {
	ticker := time.NewTicker(readyInterval)
	defer ticker.Stop()
	ready := true
	for {
		ready = s.askReady(ctx, ready)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// askReady sets the health, and says once that it is lost.
func (s *Server) askReady(ctx context.Context, before bool) bool {
	asked, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	err := s.cfg.Ready(asked)
	switch {
	case ctx.Err() != nil:
		return before
	case err == nil:
		s.setHealth(healthgrpc.HealthCheckResponse_SERVING)
		return true
	}
	s.setHealth(healthgrpc.HealthCheckResponse_NOT_SERVING)
	if before {
		s.cfg.Log.WarnContext(ctx, "not ready", "error", err)
	}
	return false
}

// healthService answers for an unknown service as the protocol says, and not as if we had failed.
type healthService struct{ *health.Server }

// Check implements healthgrpc.HealthServer.
func (h healthService) Check(ctx context.Context, req *healthgrpc.HealthCheckRequest) (*healthgrpc.HealthCheckResponse, error) {
	resp, err := h.Server.Check(ctx, req)
	if status.Code(err) == codes.NotFound {
		return nil, fault.New(errorsv1.ErrorReason_NOT_FOUND).Cause(err)
	}
	return resp, err
}

// setHealth speaks for the server as a whole and for each service. After a stop the health server ignores it.
func (s *Server) setHealth(status healthgrpc.HealthCheckResponse_ServingStatus) {
	s.health.SetServingStatus("", status)
	for _, name := range s.services {
		s.health.SetServingStatus(name, status)
	}
}
