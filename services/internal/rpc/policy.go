package rpc

import (
	healthgrpc "google.golang.org/grpc/health/grpc_health_v1"
	reflectiongrpc "google.golang.org/grpc/reflection/grpc_reflection_v1"

	"github.com/whatrack/connect/services/internal/identity"
)

// Policy says who may call what. The zero value refuses everybody.
type Policy struct {
	kind  policyKind
	admin map[string]bool
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

func (p Policy) adminMethods() []string {
	names := make([]string, 0, len(p.admin))
	for full := range p.admin {
		names = append(names, full)
	}
	return names
}

// allows decides about one call of one caller.
func (p Policy) allows(caller *identity.Caller, full string, m method) bool {
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
