package rpc_test

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	healthgrpc "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	reflectiongrpc "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/protobuf/types/known/emptypb"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/internal/identity"
	"github.com/whatrack/connect/services/internal/rpc"
	"github.com/whatrack/connect/services/internal/secret"
)

const (
	denied          = errorsv1.ErrorReason_PERMISSION_DENIED
	unauthenticated = errorsv1.ErrorReason_UNAUTHENTICATED
)

func methodNames(descs ...grpc.ServiceDesc) []string {
	var names []string
	for _, desc := range descs {
		for _, m := range desc.Methods {
			names = append(names, "/"+desc.ServiceName+"/"+m.MethodName)
		}
	}
	return names
}

func TestEveryRPCOfOnboardingIsAuthorizedByRole(t *testing.T) {
	t.Parallel()
	opts := identity.Options{Organizations: true}
	list := callers(t, opts,
		identity.Entry{Name: "viewer", SHA256: hash("viewer"), Organizations: []string{"org-1"}},
		identity.Entry{Name: "editor", SHA256: hash("editor"), Role: "editor", Organizations: []string{"org-1"}},
		identity.Entry{Name: "admin", SHA256: hash("admin"), Role: "admin", Organizations: []string{"org-1"}},
		identity.Entry{Name: "narrow", SHA256: hash("narrow"), Role: "admin", Organizations: []string{"org-1"}, RPCs: []string{"GetConnection"}})
	srv, _ := serve(t, rpc.Config{
		Callers: list,
		Policy:  rpc.ByRole(onboardingv1.ConnectionService_DisconnectConnection_FullMethodName),
	}, (&onboarding{
		claim: func(context.Context, *onboardingv1.ClaimWabaRequest) (*onboardingv1.Onboarding, error) {
			return nil, nil
		},
	}).service(), connections())

	reads := []string{"ListConnections", "GetConnection", "ListActivities", "GetOnboarding", "WaitOnboarding", "ListOnboardings"}
	walked := 0
	for _, full := range methodNames(onboardingv1.ConnectionService_ServiceDesc, onboardingv1.OnboardingService_ServiceDesc) {
		name := full[strings.LastIndex(full, "/")+1:]
		read, admin := slices.Contains(reads, name), name == "DisconnectConnection"
		may := map[string]bool{"viewer": read, "editor": !admin, "admin": true, "narrow": name == "GetConnection"}
		for caller, allowed := range may {
			conn := dial(t, rpc.ClientConfig{Server: srv, Token: secret.New(caller)})
			err := conn.Invoke(t.Context(), full, &emptypb.Empty{}, &emptypb.Empty{})
			if got := reasonOf(err); (got == denied) == allowed || got == unauthenticated {
				t.Errorf("%s by %s: %v, allowed should be %v", name, caller, err, allowed)
			}
			walked++
		}
		if err := dial(t, rpc.ClientConfig{Server: srv}).Invoke(t.Context(), full, &emptypb.Empty{}, &emptypb.Empty{}); reasonOf(err) != unauthenticated {
			t.Errorf("%s by nobody: %v", name, err)
		}
	}
	if walked < 13*4 {
		t.Errorf("only %d calls were walked", walked)
	}
}

func TestEveryRPCOfTheBrokerIsAuthorizedByTheCallersList(t *testing.T) {
	t.Parallel()
	all := methodNames(tokenbrokerv1.TokenBrokerService_ServiceDesc)
	for _, listed := range all {
		name := listed[strings.LastIndex(listed, "/")+1:]
		list := callers(t, identity.Options{RPCs: true}, identity.Entry{Name: "one", SHA256: hash("one"), Role: "admin", RPCs: []string{name}})
		srv, _ := serve(t, rpc.Config{Callers: list, Policy: rpc.ByRPCList()}, (&broker{}).service())
		conn := dial(t, rpc.ClientConfig{Server: srv, Token: secret.New("one")})
		for _, full := range all {
			err := conn.Invoke(t.Context(), full, &emptypb.Empty{}, &emptypb.Empty{})
			if got := reasonOf(err); (got == denied) == (full == listed) || got == unauthenticated {
				t.Errorf("%s by a caller of %s: %v", full, name, err)
			}
		}
	}
}

func TestWithoutAPolicyNobodyMayCallAnything(t *testing.T) {
	t.Parallel()
	srv, _ := serve(t, rpc.Config{Callers: everything(t)}, (&broker{}).service())
	client := tokenbrokerv1.NewTokenBrokerServiceClient(dial(t, rpc.ClientConfig{Server: srv, Token: secret.New("all")}))
	_, err := client.GetAccessToken(t.Context(), tokenRequest())
	wantReason(t, err, denied)
}

func TestOnlyOneKnownBearerTokenIsBelieved(t *testing.T) {
	t.Parallel()
	srv, out := serve(t, rpc.Config{Callers: everything(t), Policy: rpc.ByRPCList()}, (&broker{}).service())
	client := tokenbrokerv1.NewTokenBrokerServiceClient(dial(t, rpc.ClientConfig{Server: srv}))
	tests := map[string]struct {
		pairs []string
		want  errorsv1.ErrorReason
	}{
		"known":           {[]string{"authorization", "Bearer all"}, 0},
		"any case":        {[]string{"authorization", "bearer all"}, 0},
		"unknown":         {[]string{"authorization", "Bearer " + canary}, unauthenticated},
		"the hash itself": {[]string{"authorization", "Bearer " + hash("all")}, unauthenticated},
		"empty":           {[]string{"authorization", "Bearer "}, unauthenticated},
		"basic":           {[]string{"authorization", "Basic YWxsOmFsbA=="}, unauthenticated},
		"no scheme":       {[]string{"authorization", "all"}, unauthenticated},
		"two":             {[]string{"authorization", "Bearer all", "authorization", "Bearer all"}, unauthenticated},
		"none":            {nil, unauthenticated},
		"not on the list": {[]string{"authorization", "Bearer reader"}, denied},
	}
	for name, tt := range tests {
		ctx := metadata.AppendToOutgoingContext(t.Context(), tt.pairs...)
		if _, err := client.GetAccessToken(ctx, tokenRequest()); reasonOf(err) != tt.want || (err == nil) != (tt.want == 0) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
	if strings.Contains(out.String(), canary) {
		t.Errorf("a token was logged: %s", out.String())
	}
}

func TestTheOrganizationOfTheHeaderIsOneOfTheCallers(t *testing.T) {
	t.Parallel()
	var organization string
	var organizationErr error
	list := callers(t, identity.Options{Organizations: true},
		identity.Entry{Name: "one", SHA256: hash("one"), Role: "editor", Organizations: []string{"org-1"}},
		identity.Entry{Name: "two", SHA256: hash("two"), Role: "editor", Organizations: []string{"org-1", "org-2"}},
		identity.Entry{Name: "platform", SHA256: hash("platform"), Role: "editor", Organizations: []string{"*"}})
	srv, out := serve(t, rpc.Config{Callers: list, Policy: rpc.ByRole()}, (&onboarding{
		claim: func(ctx context.Context, _ *onboardingv1.ClaimWabaRequest) (*onboardingv1.Onboarding, error) {
			organization, organizationErr = identity.Organization(ctx)
			return &onboardingv1.Onboarding{}, organizationErr
		},
	}).service())
	const required = errorsv1.ErrorReason_ORGANIZATION_REQUIRED
	const invalid = errorsv1.ErrorReason_INVALID_FIELD
	tests := []struct {
		caller string
		header []string
		want   string
		fault  errorsv1.ErrorReason
	}{
		{"one", nil, "org-1", 0},
		{"one", []string{"org-1"}, "org-1", 0},
		{"one", []string{"org-2"}, "", denied},
		{"one", []string{""}, "", invalid},
		{"two", nil, "", required},
		{"two", []string{"org-2"}, "org-2", 0},
		{"two", []string{"org-3"}, "", denied},
		{"platform", nil, "", required},
		{"platform", []string{"org-9"}, "org-9", 0},
		{"platform", []string{"org 9"}, "", invalid},
		{"platform", []string{""}, "", invalid},
		{"platform", []string{"org-9", "org-8"}, "", invalid},
	}
	for _, tt := range tests {
		organization = ""
		ctx := t.Context()
		for _, value := range tt.header {
			ctx = metadata.AppendToOutgoingContext(ctx, "x-organization-id", value)
		}
		client := onboardingv1.NewOnboardingServiceClient(dial(t, rpc.ClientConfig{Server: srv, Token: secret.New(tt.caller)}))
		_, err := client.ClaimWaba(ctx, &onboardingv1.ClaimWabaRequest{Code: "x"})
		if reasonOf(err) != tt.fault || organization != tt.want {
			t.Errorf("%s names %q: %q, %v, want %q, %v", tt.caller, tt.header, organization, err, tt.want, tt.fault)
		}
	}
	if !strings.Contains(out.String(), `"caller":"platform","organization":"org-9"`) {
		t.Errorf("the log does not say for whom: %s", out.String())
	}
}

func TestTheHealthCheckIsOpenAndReflectionIsTheAdmins(t *testing.T) {
	t.Parallel()
	for _, insecure := range []bool{false, true} {
		srv, _ := serve(t, rpc.Config{Callers: everything(t), Policy: rpc.ByRPCList(), Insecure: insecure}, (&broker{}).service())
		for token, mayReflect := range map[string]bool{"": insecure, "reader": insecure, "all": true} {
			conn := dial(t, rpc.ClientConfig{Server: srv, Token: secret.New(token)})
			waitServing(t, conn)
			stream, err := reflectiongrpc.NewServerReflectionClient(conn).ServerReflectionInfo(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			_ = stream.Send(&reflectiongrpc.ServerReflectionRequest{
				MessageRequest: &reflectiongrpc.ServerReflectionRequest_ListServices{},
			})
			if _, err := stream.Recv(); (err == nil) != mayReflect {
				t.Errorf("insecure %v, reflection by %q: %v", insecure, token, err)
			}
			watch, err := healthgrpc.NewHealthClient(conn).Watch(t.Context(), &healthgrpc.HealthCheckRequest{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := watch.Recv(); (err == nil) != (token != "") {
				t.Errorf("watching health by %q: %v", token, err)
			}
		}
	}
}

// waitServing waits until the first Ready was asked.
func waitServing(t *testing.T, conn *grpc.ClientConn) {
	t.Helper()
	eventually(t, "it serves", func() bool {
		resp, err := healthgrpc.NewHealthClient(conn).Check(t.Context(), &healthgrpc.HealthCheckRequest{})
		if err != nil {
			t.Fatal(err)
		}
		return resp.GetStatus() == healthgrpc.HealthCheckResponse_SERVING
	})
}

func TestAServerRefusesNamesOfMethodsThatDoNotExist(t *testing.T) {
	t.Parallel()
	base := rpc.Config{Callers: everything(t), Log: slog.New(slog.DiscardHandler)}
	for name, change := range map[string]func(*rpc.Config){
		"policy":   func(c *rpc.Config) { c.Policy = rpc.ByRole("/whatrack.tokenbroker.v1.TokenBrokerService/RevokeTokens") },
		"timeouts": func(c *rpc.Config) { c.Timeouts = map[string]time.Duration{"ExchangeCode": time.Second} },
		"quiet":    func(c *rpc.Config) { c.Quiet = []string{"GetAccessToken"} },
	} {
		cfg := base
		change(&cfg)
		if _, err := rpc.NewServer(cfg, (&broker{}).service()); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
