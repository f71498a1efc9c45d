package rpc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthgrpc "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"
	reflectiongrpc "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/test/bufconn"

	"github.com/whatrack/connect/services/internal/identity"
	"github.com/whatrack/connect/services/internal/run"
	"github.com/whatrack/connect/services/internal/sparse"
)

// Config is what a Server needs. Fields without a default are required.
type Config struct {
	// Listen is the TCP address (GRPC_LISTEN). Empty: calls come from inside the process only.
	Listen string
	// TLS needs Cert and Key; CA is who signs client certificates.
	TLS TLSFiles
	// Insecure is plaintext, instead of TLS.
	Insecure bool
	Callers  *identity.Callers
	// Clients knows the tokens of customers in a browser; nil: there are none.
	Clients *identity.Clients
	Policy  Policy
	// Timeouts are the deadlines by full method, 10 s where there is none. Streams have one only if it stands here.
	Timeouts map[string]time.Duration
	// Quiet are the full methods whose successes are logged at debug level.
	Quiet []string
	// MaxMessage bounds a request; default 256 KiB.
	MaxMessage int
	// DrainDelay is how long we go on serving after readiness is off, so that load balancers hear of it first.
	DrainDelay time.Duration
	// Grace is how long calls in progress may still take; default 30 s, above the longest deadline.
	Grace time.Duration
	// Ready tells whether the service can do its work; default: always.
	Ready func(context.Context) error
	Log   *slog.Logger
}

// Server serves gRPC, over TCP and in-process.
type Server struct {
	cfg      Config
	grpc     *grpc.Server
	health   *health.Server
	services []string
	tcp      net.Listener // nil: in-process only
	buffer   *bufconn.Listener
	fronts   []run.Task
	stopping atomic.Bool
	// draining ends when no more time is given to streams, which have no end of their own.
	draining context.Context //nolint:containedctx // the server's own life
	drain    context.CancelFunc
}

// NewServer builds a server and takes its address. Serve must follow, or Close.
func NewServer(cfg Config, services ...Service) (*Server, error) {
	cfg.MaxMessage = cmp.Or(cfg.MaxMessage, 256<<10)
	cfg.Grace = cmp.Or(cfg.Grace, 30*time.Second)
	if cfg.Ready == nil {
		cfg.Ready = func(context.Context) error { return nil }
	}
	s := &Server{cfg: cfg, health: health.NewServer(), buffer: bufconn.Listen(256 << 10)}
	s.draining, s.drain = context.WithCancel(context.Background())
	c, err := s.newChain(services)
	if err != nil {
		return nil, err
	}
	creds, err := cfg.credentials()
	if err != nil {
		return nil, err
	}
	s.grpc = grpc.NewServer(append(cfg.limits(), grpc.Creds(creds),
		grpc.StreamInterceptor(c.aroundStream), grpc.UnknownServiceHandler(unknown), grpc.WaitForHandlers(true))...)
	for _, service := range services {
		s.grpc.RegisterService(c.guard(service.Desc), service.Impl)
		s.services = append(s.services, service.Desc.ServiceName)
	}
	s.grpc.RegisterService(c.guard(&healthgrpc.Health_ServiceDesc), healthService{s.health})
	reflectiongrpc.RegisterServerReflectionServer(s.grpc, reflection.NewServerV1(reflection.ServerOptions{Services: s.grpc}))
	s.setHealth(healthgrpc.HealthCheckResponse_NOT_SERVING)
	if cfg.Listen == "" {
		return s, nil
	}
	if s.tcp, err = listen("GRPC_LISTEN", cfg.Listen); err != nil {
		return nil, err
	}
	return s, nil
}

// newChain refuses names of methods that do not exist: each guards or bounds something.
func (s *Server) newChain(services []Service) (*chain, error) {
	descs := []*grpc.ServiceDesc{&healthgrpc.Health_ServiceDesc, &reflectiongrpc.ServerReflection_ServiceDesc}
	for _, service := range services {
		descs = append(descs, service.Desc)
	}
	ms, err := methodsOf(descs...)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(
		ms.require("policy", s.cfg.Policy.names()...),
		ms.require("timeouts", slices.Sorted(maps.Keys(s.cfg.Timeouts))...),
		ms.require("quiet", s.cfg.Quiet...)); err != nil {
		return nil, err
	}
	rules, err := newValidator(ms)
	if err != nil {
		return nil, err
	}
	quiet := map[string]bool{healthgrpc.Health_Check_FullMethodName: true, healthgrpc.Health_Watch_FullMethodName: true}
	for _, full := range s.cfg.Quiet {
		quiet[full] = true
	}
	observe := (&observer{log: s.cfg.Log, quiet: quiet}).step
	admit := (&gate{s.cfg.Callers, s.cfg.Clients, s.cfg.Policy, ms, s.cfg.Insecure}).step
	ends := deadlines(s.cfg.Timeouts)
	return &chain{
		unary:  around(recoverStep(s.cfg.Log), observe, ends.step, admit),
		stream: around(recoverStep(s.cfg.Log), observe, untilDrained(s.draining), ends.streamStep, admit),
		rules:  rules, policy: s.cfg.Policy,
	}, nil
}

// credentials fails closed: without TLS files there is no plaintext unless it was asked for by name.
func (c Config) credentials() (credentials.TransportCredentials, error) {
	switch {
	case c.Insecure && !c.TLS.isEmpty():
		return nil, errors.New("TLS files and INSECURE exclude each other")
	case c.Insecure:
		c.Log.WarnContext(context.Background(), "INSECURE: gRPC is plaintext; whoever can listen on the network reads "+
			"bearer tokens and access tokens, client certificates mean nothing, and the services describe themselves to anybody")
		return insecure.NewCredentials(), nil
	case c.Listen == "":
		return insecure.NewCredentials(), nil
	case c.TLS.Cert == "":
		return nil, errors.New("gRPC needs TLS_CERT_FILE and TLS_KEY_FILE, or INSECURE")
	}
	k, err := newKeeper(c.TLS, c.Log)
	if err != nil {
		return nil, err
	}
	return &transport{k, sparse.New(c.Log, time.Minute)}, nil
}

// streamWorkers are goroutines that serve one call after the other. A goroutine for each call begins with a small stack,
// which our interceptors outgrow every time. Whatever comes while all are busy gets one of its own.
const streamWorkers = 32

// limits bound what one connection may cost. Connections end after a while, so that renewed certificates and new
// replicas are met; calls in progress are not cut by that.
func (c Config) limits() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.MaxRecvMsgSize(c.MaxMessage),
		grpc.MaxHeaderListSize(16 << 10),
		grpc.MaxConcurrentStreams(1000),
		grpc.NumStreamWorkers(streamWorkers),
		grpc.ConnectionTimeout(10 * time.Second),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			Time: 30 * time.Second, Timeout: 10 * time.Second,
			MaxConnectionAge: 15 * time.Minute, MaxConnectionAgeGrace: time.Minute,
		}),
	}
}

// Addr is the TCP address that was taken; empty when there is none.
func (s *Server) Addr() string {
	if s.tcp == nil {
		return ""
	}
	return s.tcp.Addr().String()
}

// Front adds a server that calls this one in-process: the HTTP of the gateway. Serve runs it, and at the end stops it
// and waits for it before gRPC stops, so that no request that was let in meets a closed door inside. Before Serve only.
func (s *Server) Front(task run.Task) { s.fronts = append(s.fronts, task) }

var errStopping = errors.New("stopping")

// Accepting is a readiness check: an error from the moment that the server is told to stop.
func (s *Server) Accepting(context.Context) error {
	if s.stopping.Load() {
		return errStopping
	}
	return nil
}

// Close ends a server at once, served or not.
func (s *Server) Close() error {
	s.drain()
	s.grpc.Stop()
	err := s.buffer.Close()
	if s.tcp != nil {
		if closeErr := s.tcp.Close(); closeErr != nil && !errors.Is(closeErr, net.ErrClosed) {
			err = errors.Join(err, fmt.Errorf("close listener: %w", closeErr))
		}
	}
	return err
}
