package rpc_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	healthgrpc "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/rpc"
	"github.com/whatrack/connect/services/internal/secret"
)

func TestHealthFollowsReady(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	srv, out := serve(t, rpc.Config{Callers: everything(t), Policy: rpc.ByRPCList(), Ready: func(context.Context) error {
		if broken.Load() {
			return errors.New("database: silent")
		}
		return nil
	}}, (&broker{}).service())
	conn := dial(t, rpc.ClientConfig{Server: srv})
	waitServing(t, conn)
	broken.Store(true)
	for _, service := range []string{"", tokenbrokerv1.TokenBrokerService_ServiceDesc.ServiceName} {
		eventually(t, "it does not serve "+service, func() bool {
			resp, err := healthgrpc.NewHealthClient(conn).Check(t.Context(), &healthgrpc.HealthCheckRequest{Service: service})
			if err != nil {
				t.Fatal(err)
			}
			return resp.GetStatus() == healthgrpc.HealthCheckResponse_NOT_SERVING
		})
	}
	if strings.Count(out.String(), "database: silent") != 1 {
		t.Errorf("the log says %s", out.String())
	}
}

func TestTheHealthOfAnUnknownServiceIsNoFailureOfOurs(t *testing.T) {
	t.Parallel()
	srv, out := serve(t, rpc.Config{Callers: everything(t), Policy: rpc.ByRPCList()}, (&broker{}).service())
	_, err := healthgrpc.NewHealthClient(dial(t, rpc.ClientConfig{Server: srv})).Check(t.Context(), &healthgrpc.HealthCheckRequest{Service: "unheard.of"})
	if status.Code(err) != codes.NotFound || strings.Contains(out.String(), `"ERROR"`) {
		t.Errorf("%v, and in the log %s", err, out.String())
	}
}

// stoppable is a server with one call in progress, on its way down.
type stoppable struct {
	srv     *rpc.Server
	release chan struct{}
	stop    context.CancelFunc
	served  chan error
	call    chan error
}

func startStoppable(t *testing.T, cfg rpc.Config, prepare func(*rpc.Server)) *stoppable {
	t.Helper()
	s := &stoppable{release: make(chan struct{}), served: make(chan error, 1), call: make(chan error, 1)}
	inside := make(chan struct{})
	cfg.Callers, cfg.Policy, cfg.Log = everything(t), rpc.ByRPCList(), discard()
	srv, err := rpc.NewServer(cfg, (&broker{get: func(ctx context.Context) error {
		close(inside)
		select {
		case <-s.release:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}}).service())
	if err != nil {
		t.Fatal(err)
	}
	prepare(srv)
	ctx, cancel := context.WithCancel(context.Background())
	s.srv, s.stop = srv, cancel
	go func() { s.served <- srv.Serve(ctx) }()
	client := tokenbrokerv1.NewTokenBrokerServiceClient(dial(t, rpc.ClientConfig{Server: srv, Token: secret.New("all")}))
	go func() {
		_, err := client.GetAccessToken(context.Background(), tokenRequest())
		s.call <- err
	}()
	<-inside
	return s
}

func TestAStopLetsCallsInProgressFinishAndFrontsGoFirst(t *testing.T) {
	t.Parallel()
	frontEnded := make(chan struct{})
	var accepting error
	s := startStoppable(t, rpc.Config{DrainDelay: 50 * time.Millisecond, Grace: 20 * time.Second}, func(srv *rpc.Server) {
		srv.Front(func(ctx context.Context) error {
			<-ctx.Done()
			accepting = srv.Accepting(ctx)
			close(frontEnded)
			return ctx.Err()
		})
	})
	if err := s.srv.Accepting(t.Context()); err != nil {
		t.Errorf("before: %v", err)
	}
	begin := time.Now()
	s.stop()
	<-frontEnded
	if accepting == nil || time.Since(begin) < 50*time.Millisecond {
		t.Errorf("the front ended after %v, readiness was %v", time.Since(begin), accepting)
	}
	eventually(t, "no more calls are taken", func() bool {
		_, err := healthgrpc.NewHealthClient(dial(t, rpc.ClientConfig{Server: s.srv})).Check(t.Context(), &healthgrpc.HealthCheckRequest{})
		return err != nil
	})
	select {
	case err := <-s.served:
		t.Fatalf("Serve returned with a call in progress: %v", err)
	case err := <-s.call:
		t.Fatalf("the call was cut: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	close(s.release)
	if err := <-s.call; err != nil {
		t.Errorf("the call: %v", err)
	}
	if err := <-s.served; err != nil {
		t.Errorf("Serve = %v", err)
	}
}

func TestAStopIsBounded(t *testing.T) {
	t.Parallel()
	s := startStoppable(t, rpc.Config{Grace: 100 * time.Millisecond}, func(*rpc.Server) {})
	begin := time.Now()
	s.stop()
	if err := <-s.served; err != nil {
		t.Errorf("Serve = %v", err)
	}
	if err := <-s.call; err == nil {
		t.Error("the call had all the time in the world")
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("the stop took %v", took)
	}
}

func TestAFrontThatFailsEndsTheServer(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	srv, err := rpc.NewServer(rpc.Config{Callers: everything(t), Log: discard()})
	if err != nil {
		t.Fatal(err)
	}
	srv.Front(func(context.Context) error { return broken })
	if err := srv.Serve(t.Context()); !errors.Is(err, broken) {
		t.Errorf("Serve = %v", err)
	}
}

func TestAServerThatNeverServedGivesItsAddressBack(t *testing.T) {
	t.Parallel()
	cfg := rpc.Config{Listen: "127.0.0.1:0", Insecure: true, Callers: everything(t), Log: discard()}
	srv, err := rpc.NewServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Close(); err != nil {
		t.Fatal(err)
	}
	cfg.Listen = srv.Addr()
	again, err := rpc.NewServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	_ = again.Close()
}

func TestHTTPFinishesRequestsInProgress(t *testing.T) {
	t.Parallel()
	inside, release := make(chan struct{}), make(chan struct{})
	server, err := rpc.NewHTTP(rpc.HTTPConfig{
		Setting: "HTTP_LISTEN", Listen: "127.0.0.1:0", Log: discard(),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			close(inside)
			<-release
			_, _ = io.WriteString(w, "done")
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served, got := make(chan error, 1), make(chan string, 1)
	go func() { served <- server.Serve(ctx) }()
	go func() {
		resp, err := http.Get("http://" + server.Addr())
		if err != nil {
			got <- err.Error()
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		got <- string(body)
	}()
	<-inside
	stop()
	eventually(t, "no more connections are taken", func() bool {
		conn, err := net.Dial("tcp", server.Addr())
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	})
	select {
	case err := <-served:
		t.Fatalf("Serve returned with a request in progress: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	close(release)
	if text := <-got; text != "done" {
		t.Errorf("the request got %q", text)
	}
	if err := <-served; err != nil {
		t.Errorf("Serve = %v", err)
	}
}

func TestProbesSayWhatFailsAndNotWhy(t *testing.T) {
	t.Parallel()
	var failing atomic.Bool
	var out logs
	ask := func(err error) func(context.Context) error {
		return func(context.Context) error {
			if failing.Load() {
				return err
			}
			return nil
		}
	}
	handler := rpc.Admin(slog.New(slog.NewTextHandler(&out, nil)),
		rpc.Check{Name: "database", Ask: ask(errors.New("dial tcp 10.0.0.7: refused"))},
		rpc.Check{Name: "broker", Ask: ask(fault.New(errorsv1.ErrorReason_BROKER_UNAVAILABLE).Cause(errors.New("10.0.0.8")))},
		rpc.Check{Name: "keys", Ask: func(context.Context) error {
			if failing.Load() {
				panic("10.0.0.9")
			}
			return nil
		}})
	aside := rpc.Admin(discard(), rpc.Check{Name: "database", Ask: ask(nil)}, rpc.Check{Name: "broker", Aside: true, Ask: ask(errors.New("refused"))})
	get := func(path string) (int, string) {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, http.NoBody))
		return w.Code, w.Body.String()
	}
	expect := func(path string, code int, body string) {
		t.Helper()
		gotCode, gotBody := get(path)
		if diff := cmp.Diff(body, gotBody); diff != "" || gotCode != code {
			t.Errorf("%s: %d, want %d: %s", path, gotCode, code, diff)
		}
	}
	expect("/livez", 200, "ok\n")
	expect("/readyz", 200, "database: ok\nbroker: ok\nkeys: ok\n")
	failing.Store(true)
	for range 3 {
		expect("/readyz", 503, "database: failing\nbroker: BROKER_UNAVAILABLE\nkeys: failing\n")
	}
	expect("/livez", 200, "ok\n")
	partly := httptest.NewRecorder()
	aside.ServeHTTP(partly, httptest.NewRequest(http.MethodGet, "/readyz", http.NoBody))
	if got := partly.Body.String(); partly.Code != 200 || got != "database: ok\nbroker: failing\n" {
		t.Errorf("without what a part of it needs: %d %s", partly.Code, got)
	}
	if got := strings.Count(out.String(), "readiness check fails"); got != 3 {
		t.Errorf("%d warnings for 3 checks:\n%s", got, out.String())
	}
	failing.Store(false)
	expect("/readyz", 200, "database: ok\nbroker: ok\nkeys: ok\n")
	if code, _ := get("/debug/pprof/"); code != 404 {
		t.Errorf("pprof: %d", code)
	}
}
