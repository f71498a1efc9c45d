package rpc

import (
	"context"
	"strings"

	"google.golang.org/grpc/credentials"
	healthgrpc "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	reflectiongrpc "google.golang.org/grpc/reflection/grpc_reflection_v1"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/identity"
	"github.com/whatrack/connect/services/internal/secret"
)

const (
	authorizationKey = "authorization"
	organizationKey  = "x-organization-id"
)

// gate lets in whom the policy allows, and nobody else.
type gate struct {
	callers  *identity.Callers
	clients  *identity.Clients // nil: there are none
	policy   Policy
	methods  methods
	insecure bool
}

func (g *gate) step(ctx context.Context, full string, next func(context.Context) error) error {
	m, ok := g.methods[full]
	if !ok {
		return fault.New(errorsv1.ErrorReason_UNIMPLEMENTED)
	}
	if g.isOpen(full) {
		return next(ctx)
	}
	caller, err := g.identify(ctx)
	if err != nil {
		return err
	}
	c, _ := ctx.Value(callKey{}).(*call)
	c.caller = caller.Name
	if !g.policy.allows(&caller, full, m) {
		return fault.New(errorsv1.ErrorReason_PERMISSION_DENIED)
	}
	requested := ""
	if g.policy.kind == byRole {
		if requested, err = identity.Requested(metadata.ValueFromIncomingContext(ctx, organizationKey)); err != nil {
			return err
		}
		if err := g.choose(c, &caller, requested); err != nil {
			return err
		}
	}
	return next(identity.WithCaller(ctx, caller, requested))
}

// choose refuses a foreign organization before the handler runs, whether or not it asks for one. That none was named is
// the handler's to judge: some RPCs need none.
func (g *gate) choose(c *call, caller *identity.Caller, requested string) error {
	organization, err := caller.Scope(requested)
	if err != nil && requested != "" {
		return err
	}
	c.organization = organization
	return nil
}

// isOpen tells what needs no caller: the health check, since a probe has no credential; and the description of the
// services where the operator gave up on secrecy as a whole.
func (g *gate) isOpen(full string) bool {
	return full == healthgrpc.Health_Check_FullMethodName ||
		(g.insecure && serviceOf(full) == reflectiongrpc.ServerReflection_ServiceDesc.ServiceName)
}

// identify believes a bearer token or a verified certificate. A call that carries a wrong token is refused even over a
// known connection: its sender meant to be somebody else. Two tokens are none.
func (g *gate) identify(ctx context.Context) (identity.Caller, error) {
	var caller identity.Caller
	known := false
	switch values := metadata.ValueFromIncomingContext(ctx, authorizationKey); len(values) {
	case 0:
		caller, known = g.byCertificate(ctx)
	case 1:
		scheme, given, _ := strings.Cut(values[0], " ")
		token := secret.New(given)
		if !strings.EqualFold(scheme, "bearer") {
			break
		}
		if g.clients != nil && identity.IsClientToken(token) {
			return g.clients.Find(token)
		}
		caller, known = g.callers.FindBearer(token)
	}
	if !known {
		return identity.Caller{}, fault.New(errorsv1.ErrorReason_UNAUTHENTICATED)
	}
	return caller, nil
}

// byCertificate asks only for certificates that the handshake verified. In-process connections have none.
func (g *gate) byCertificate(ctx context.Context) (identity.Caller, bool) {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return identity.Caller{}, false
	}
	info, ok := p.AuthInfo.(credentials.TLSInfo)
	if !ok || len(info.State.VerifiedChains) == 0 {
		return identity.Caller{}, false
	}
	return g.callers.FindCertificate(info.State.VerifiedChains[0][0])
}
