package rpc

import (
	"context"
	"maps"
	"slices"
	"strings"

	healthgrpc "google.golang.org/grpc/health/grpc_health_v1"
	reflectiongrpc "google.golang.org/grpc/reflection/grpc_reflection_v1"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/identity"
)

// Policy says who may call what. The zero value refuses everybody.
type Policy struct {
	kind   policyKind
	admin  map[string]bool
	client map[string]bool
	own    map[string]bool // of client: those whose requests name no onboarding
}

type policyKind int

const (
	refuseAll policyKind = iota
	byRPCList
	byRole
)

// ByRPCList lets a caller call what its own list of RPCs holds. Organizations are not looked at: there they are fields
// of the requests.
func ByRPCList() Policy { return Policy{kind: byRPCList} }

// ByRole lets viewers read (`idempotency_level = NO_SIDE_EFFECTS`), editors do everything else, and admins alone call
// the given methods, by their full names. A caller that has a list of RPCs is held to it too. The organization that the
// call names must be one of the caller's.
func ByRole(adminMethods ...string) Policy {
	p := Policy{kind: byRole, admin: map[string]bool{}}
	for _, full := range adminMethods {
		p.admin[full] = true
	}
	return p
}

// WithClients lets a customer in a browser call these methods, by their full names, and no other. Each is about the
// onboarding that its request names: see confine.
func (p Policy) WithClients(methods ...string) Policy {
	p.client, p.own = map[string]bool{}, map[string]bool{}
	for _, full := range methods {
		p.client[full] = true
	}
	return p
}

// WithOwn adds methods for a customer in a browser whose requests have no place to name an onboarding: the handler takes
// that of his token.
func (p Policy) WithOwn(methods ...string) Policy {
	for _, full := range methods {
		p.client[full], p.own[full] = true, true
	}
	return p
}

// names are the methods that the policy lists.
func (p Policy) names() []string {
	return slices.Concat(slices.Collect(maps.Keys(p.admin)), slices.Collect(maps.Keys(p.client)))
}

// confine holds a customer in a browser to his own onboarding. Another's is not there, and a request that names none in
// its message is the handler's to understand; one whose message has no place for it is not for him, unless the policy
// says so.
func (p Policy) confine(ctx context.Context, full string, req any) error {
	client := identity.ClientOf(ctx)
	if client == nil || p.own[full] {
		return nil
	}
	named, ok := req.(interface{ GetOnboardingId() string })
	if !ok {
		return fault.New(errorsv1.ErrorReason_PERMISSION_DENIED)
	}
	if id := named.GetOnboardingId(); id != "" && !strings.EqualFold(id, client.Onboarding) {
		return fault.New(errorsv1.ErrorReason_NOT_FOUND)
	}
	return nil
}

// tellOrganization gives the log line the organization of a request that names it in a field.
func (p Policy) tellOrganization(ctx context.Context, req any) {
	named, ok := req.(interface{ GetOrganizationId() string })
	if c, known := ctx.Value(callKey{}).(*call); ok && known && p.kind == byRPCList {
		c.organization = named.GetOrganizationId()
	}
}

// allows decides about one call of one caller.
func (p Policy) allows(caller *identity.Caller, full string, m method) bool {
	if caller.Client != nil {
		return p.client[full]
	}
	switch serviceOf(full) {
	case healthgrpc.Health_ServiceDesc.ServiceName:
		return true
	case reflectiongrpc.ServerReflection_ServiceDesc.ServiceName:
		return caller.Role >= identity.Admin
	}
	switch p.kind {
	case byRPCList:
		return caller.MayCall(m.name)
	case byRole:
		return caller.Role >= p.role(full, m) && (len(caller.RPCs) == 0 || caller.MayCall(m.name))
	case refuseAll:
	}
	return false
}

func (p Policy) role(full string, m method) identity.Role {
	switch {
	case p.admin[full]:
		return identity.Admin
	case m.readOnly:
		return identity.Viewer
	}
	return identity.Editor
}
