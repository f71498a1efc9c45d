package server

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/health/grpc_health_v1"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	"github.com/whatrack/connect/services/internal/cli"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/identity"
	"github.com/whatrack/connect/services/internal/rpc"
	"github.com/whatrack/connect/services/internal/tlstest"
)

// emptyBroker has no tokens.
type emptyBroker struct {
	tokenbrokerv1.UnimplementedTokenBrokerServiceServer
}

func (emptyBroker) GetToken(context.Context, *tokenbrokerv1.GetTokenRequest) (*tokenbrokerv1.GetTokenResponse, error) {
	return nil, fault.New(errorsv1.ErrorReason_TOKEN_NOT_FOUND)
}

func issue(t *testing.T, authority *tlstest.Authority, name string) rpc.TLSFiles {
	t.Helper()
	files, err := authority.Issue(t.TempDir(), name)
	if err != nil {
		t.Fatal(err)
	}
	return rpc.TLSFiles(files)
}

func newAuthority(t *testing.T) *tlstest.Authority {
	t.Helper()
	authority, err := tlstest.New()
	if err != nil {
		t.Fatal(err)
	}
	return authority
}

// TestABrokerThatDoesNotTakeUsIsNamedAsSuch: it answers the health check of anybody.
func TestABrokerThatDoesNotTakeUsIsNamedAsSuch(t *testing.T) {
	t.Parallel()
	ours, foreign := newAuthority(t), newAuthority(t)
	listed := identity.Entry{Name: "waba-onboarding", SAN: "waba-onboarding", RPCs: []string{"ExchangeCode", "BindWaba", "GetAccessToken", "GetToken"}}
	narrow := identity.Entry{Name: "waba-onboarding", SAN: "waba-onboarding", RPCs: []string{"ExchangeCode"}}
	brokerFiles, files, other := issue(t, ours, "token-broker"), issue(t, ours, "waba-onboarding"), issue(t, foreign, "waba-onboarding")
	other.CA = files.CA
	blind := brokerFiles
	blind.CA = ""
	for _, c := range []struct {
		name         string
		broker, we   rpc.TLSFiles
		entry        identity.Entry
		ready, check string
	}{
		{"all is well", brokerFiles, files, listed, "", ""},
		{"a name that is not listed", brokerFiles, issue(t, ours, "another"), listed, "UNAUTHENTICATED", "as san"},
		{"an authority that it does not know", brokerFiles, other, listed, "BROKER_UNAVAILABLE", "its log says which certificate"},
		{"a broker that verifies nobody", blind, files, listed, "UNAUTHENTICATED", "its TLS_CA_FILE"},
		{"too few RPCs", brokerFiles, files, narrow, "", "must list ExchangeCode, BindWaba, GetAccessToken and GetToken"},
		{"a broker of another authority", issue(t, foreign, "token-broker"), files, listed, "BROKER_UNAVAILABLE", "certificate"},
	} {
		callers, err := identity.New(identity.Options{RPCs: true}, c.entry)
		if err != nil {
			t.Fatal(err)
		}
		addr, logs := serveBroker(t, rpc.Config{TLS: c.broker, Callers: callers})
		s := &Settings{BrokerAddr: addr, Common: cli.Common{TLSCertFile: c.we.Cert, TLSKeyFile: c.we.Key, TLSCAFile: c.we.CA}}
		conn, err := rpc.Dial(s.BrokerClient(slog.New(slog.DiscardHandler)))
		if err != nil {
			t.Fatal(err)
		}
		var ready string
		if err := askBroker(t.Context(), conn); err != nil {
			f, _ := fault.As(err)
			ready = f.Reason().String()
		} else if strings.Contains(logs.String(), "msg=rpc") {
			t.Errorf("%s: a probe stands in the broker's log: %s", c.name, logs.String())
		}
		_ = conn.Close()
		checked := s.checkBroker(t.Context(), slog.New(slog.DiscardHandler))
		if ready != c.ready || (checked == nil) != (c.check == "") || checked != nil && !strings.Contains(checked.Error(), c.check) {
			t.Errorf("%s: readiness says %q, the check %v", c.name, ready, checked)
		}
	}
}

// serveBroker serves until the test ends, and answers once its health says so.
func serveBroker(t *testing.T, cfg rpc.Config) (string, *lockedBuffer) {
	t.Helper()
	logs := &lockedBuffer{}
	cfg.Listen, cfg.Policy, cfg.Log = "127.0.0.1:0", rpc.ByRPCList(), slog.New(slog.NewTextHandler(logs, nil))
	srv, err := rpc.NewServer(cfg, rpc.Service{Desc: &tokenbrokerv1.TokenBrokerService_ServiceDesc, Impl: emptyBroker{}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("Serve = %v", err)
		}
	})
	conn, err := rpc.Dial(rpc.ClientConfig{Server: srv})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	health := grpc_health_v1.NewHealthClient(conn)
	for {
		resp, err := health.Check(t.Context(), &grpc_health_v1.HealthCheckRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if resp.GetStatus() == grpc_health_v1.HealthCheckResponse_SERVING {
			return srv.Addr(), logs
		}
		time.Sleep(time.Millisecond)
	}
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
