package rpc_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/internal/identity"
	"github.com/whatrack/connect/services/internal/rpc"
)

// front is a REST API whose ClaimWaba a test tells what to do.
type front struct {
	*onboarding
	server   *httptest.Server
	log      *logs
	metadata metadata.MD
	deadline time.Time
	claimed  *onboardingv1.ClaimWabaRequest
	answer   *onboardingv1.Onboarding
	err      error
}

func newFront(t *testing.T) *front {
	t.Helper()
	f := &front{onboarding: &onboarding{}}
	f.claim = func(ctx context.Context, req *onboardingv1.ClaimWabaRequest) (*onboardingv1.Onboarding, error) {
		f.metadata, _ = metadata.FromIncomingContext(ctx)
		f.deadline, _ = ctx.Deadline()
		f.claimed = req
		return f.answer, f.err
	}
	f.wait = func(context.Context, *onboardingv1.WaitOnboardingRequest) error { return f.err }
	list := callers(t, identity.Options{Organizations: true},
		identity.Entry{Name: "web", SHA256: hash("web"), Role: "editor", Organizations: []string{"*"}},
		identity.Entry{Name: "viewer", SHA256: hash("viewer"), Organizations: []string{"org-1"}})
	srv, out := serve(t, rpc.Config{Callers: list, Policy: rpc.ByRole()}, f.service(), connections())
	gateway, err := rpc.NewGateway(rpc.GatewayConfig{
		Server: srv,
		Register: []func(context.Context, *runtime.ServeMux, *grpc.ClientConn) error{
			onboardingv1.RegisterOnboardingServiceHandler, onboardingv1.RegisterConnectionServiceHandler,
		},
		Status: func(msg proto.Message) int {
			if m, ok := msg.(interface {
				GetOnboarding() *onboardingv1.Onboarding
			}); ok &&
				m.GetOnboarding().GetState() == onboardingv1.Onboarding_CLAIMING {
				return http.StatusAccepted
			}
			return 0
		},
		Log: slog.New(slog.NewJSONHandler(out, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	f.log, f.server = out, httptest.NewServer(gateway)
	t.Cleanup(func() {
		f.server.Close()
		_ = gateway.Close()
	})
	return f
}

// answer is what a REST caller sees.
type answer struct {
	code   int
	header http.Header
	body   map[string]any
	raw    string
}

func (a answer) reason() string {
	for _, detail := range a.details("google.rpc.ErrorInfo") {
		reason, _ := detail["reason"].(string)
		return reason
	}
	return ""
}

func (a answer) details(kind string) []map[string]any {
	var out []map[string]any
	list, _ := a.body["details"].([]any)
	for _, item := range list {
		if detail, ok := item.(map[string]any); ok && detail["@type"] == "type.googleapis.com/"+kind {
			out = append(out, detail)
		}
	}
	return out
}

func (a answer) fields() []string {
	var out []string
	for _, detail := range a.details("google.rpc.BadRequest") {
		violations, _ := detail["fieldViolations"].([]any)
		for _, v := range violations {
			violation, _ := v.(map[string]any)
			field, _ := violation["field"].(string)
			out = append(out, field)
		}
	}
	return out
}

// do sends a request as the caller "web"; headers are pairs, and an empty value takes one away.
func (f *front) do(t *testing.T, method, path, body string, headers ...string) answer {
	t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, f.server.URL+path, reader)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer web")
	req.Header.Set("X-Organization-Id", "org-1")
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Del(headers[i])
		if headers[i+1] != "" {
			req.Header.Add(headers[i], headers[i+1])
		}
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{code: resp.StatusCode, header: resp.Header, raw: string(raw)}
	if err := json.Unmarshal(raw, &a.body); err != nil {
		t.Errorf("%s %s answers %d %q, which is no JSON object", method, path, a.code, raw)
	}
	return a
}
