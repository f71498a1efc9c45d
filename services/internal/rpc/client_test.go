package rpc_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/identity"
	"github.com/whatrack/connect/services/internal/rpc"
	"github.com/whatrack/connect/services/internal/secret"
)

const unavailable = errorsv1.ErrorReason_BROKER_UNAVAILABLE

func TestAServerThatCanNotBeReachedIsANamedFault(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	cfg := rpc.ClientConfig{Addr: address, Insecure: true, Token: secret.New("all"), Unavailable: unavailable}
	err = get(t.Context(), t, cfg)
	f, ok := fault.As(err)
	if !ok || f.Reason() != unavailable || status.Code(f.Unwrap()) != codes.Unavailable {
		t.Errorf("%v, want BROKER_UNAVAILABLE with its cause", err)
	}
	if text := f.Status(fault.English).String(); strings.Contains(text, address) {
		t.Errorf("the caller would see %s", text)
	}
	cfg.Unavailable = 0
	if err := get(t.Context(), t, cfg); status.Code(err) != codes.Unavailable {
		t.Errorf("%v, want the transport's own error", err)
	}
}

func TestARefusalOfOurselvesIsNotPassedOn(t *testing.T) {
	t.Parallel()
	srv, _ := serve(t, rpc.Config{Callers: everything(t), Policy: rpc.ByRPCList()}, (&broker{}).service())
	for token, own := range map[string]errorsv1.ErrorReason{"wrong": unauthenticated, "reader": denied} {
		err := get(t.Context(), t, rpc.ClientConfig{Server: srv, Token: secret.New(token), Unavailable: unavailable})
		wantReason(t, err, unavailable)
		if !errors.Is(errors.Unwrap(err), fault.New(own)) {
			t.Errorf("%v has lost %v", err, own)
		}
		wantReason(t, get(t.Context(), t, rpc.ClientConfig{Server: srv, Token: secret.New(token)}), own)
	}
}

func TestTheServersFaultsComeBackAsFaults(t *testing.T) {
	t.Parallel()
	sent := fault.New(errorsv1.ErrorReason_META_RATE_LIMITED).With("code", "4").RetryAfter(7 * time.Second)
	srv, _ := serve(t, rpc.Config{Callers: everything(t), Policy: rpc.ByRPCList()},
		(&broker{get: func(context.Context) error { return sent }}).service())
	err := get(t.Context(), t, rpc.ClientConfig{Server: srv, Token: secret.New("all"), Unavailable: unavailable})
	f, ok := fault.As(err)
	if !ok || f.Reason() != sent.Reason() || f.Delay() != 7*time.Second || f.Metadata()["code"] != "4" {
		t.Errorf("%v", err)
	}
}

func TestEveryCallOfAClientEnds(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0") // accepts, and never says a word
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	const full = tokenbrokerv1.TokenBrokerService_GetAccessToken_FullMethodName
	cfg := rpc.ClientConfig{
		Addr: listener.Addr().String(), Insecure: true, Unavailable: unavailable,
		Timeouts: map[string]time.Duration{full: -1900 * time.Millisecond},
	}
	wantReason(t, get(context.Background(), t, cfg), unavailable)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	wantReason(t, get(ctx, t, cfg), errorsv1.ErrorReason_DEADLINE_EXCEEDED)
	gone, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	wantReason(t, get(gone, t, cfg), errorsv1.ErrorReason_CANCELLED)
}

func TestNothingIsSentTwice(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	srv, _ := serve(t, rpc.Config{Callers: everything(t), Policy: rpc.ByRPCList()}, (&broker{get: func(context.Context) error {
		calls.Add(1)
		return fault.New(errorsv1.ErrorReason_META_UNAVAILABLE)
	}}).service())
	wantReason(t, get(t.Context(), t, rpc.ClientConfig{Server: srv, Token: secret.New("all")}), errorsv1.ErrorReason_META_UNAVAILABLE)
	if calls.Load() != 1 {
		t.Errorf("the server was called %d times", calls.Load())
	}
}

func TestARequestKeepsItsIDAcrossServices(t *testing.T) {
	t.Parallel()
	brokerServer, brokerLog := serve(t, rpc.Config{Callers: everything(t), Policy: rpc.ByRPCList()}, (&broker{}).service())
	client := tokenbrokerv1.NewTokenBrokerServiceClient(dial(t, rpc.ClientConfig{Server: brokerServer, Token: secret.New("all")}))
	list := callers(t, identity.Options{Organizations: true},
		identity.Entry{Name: "web", SHA256: hash("web"), Role: "editor", Organizations: []string{"org-1"}})
	front, _ := serve(t, rpc.Config{Callers: list, Policy: rpc.ByRole()}, (&onboarding{
		claim: func(ctx context.Context, _ *onboardingv1.ClaimWabaRequest) (*onboardingv1.Onboarding, error) {
			if rpc.RequestID(ctx) != "req-7" {
				t.Errorf("RequestID = %q", rpc.RequestID(ctx))
			}
			_, err := client.GetAccessToken(ctx, tokenRequest())
			return &onboardingv1.Onboarding{}, err
		},
	}).service())
	ctx := metadata.AppendToOutgoingContext(t.Context(), "x-request-id", "req-7")
	conn := dial(t, rpc.ClientConfig{Server: front, Token: secret.New("web")})
	if _, err := onboardingv1.NewOnboardingServiceClient(conn).ClaimWaba(ctx, &onboardingv1.ClaimWabaRequest{Code: "x"}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(brokerLog.String(), `"requestId":"req-7"`) {
		t.Errorf("the broker logged %s", brokerLog.String())
	}
}
