// Package identity says who calls and for which organization.
//
// Callers are listed in a file by the operator. A caller is known by a bearer token, of which only the SHA-256 is kept, or
// by a name in a verified client certificate. The organization of a call is one of the caller's own list: a header may
// choose among them and never adds to them. Who is not listed, or lists nothing, gets nothing.
//
// Beside them there is the customer in a browser, who is nobody's user: a client token says which onboarding is his.
package identity

import (
	"context"
	"regexp"
	"slices"

	"github.com/google/uuid"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	"github.com/whatrack/connect/services/internal/fault"
)

// All stands for every organization, or every RPC, in a caller's list.
const All = "*"

// Header is where a caller of several organizations names one; as gRPC metadata in lower case.
const Header = "X-Organization-Id"

var organizationID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// Caller is who calls.
type Caller struct {
	Name          string
	Role          Role
	Organizations []string
	RPCs          []string
	// Client is there for a customer in a browser, and says which onboarding is his.
	Client *Client
}

// IsPlatform tells whether the caller is the operator's own and stands above organizations.
func (c *Caller) IsPlatform() bool { return slices.Contains(c.Organizations, All) }

// MayCall tells whether the caller's list of RPCs holds the name, such as `GetAccessToken`.
func (c *Caller) MayCall(rpc string) bool {
	return slices.Contains(c.RPCs, All) || slices.Contains(c.RPCs, rpc)
}

// Scope is the organization whose rows the call may see; empty is every organization, and only ever for a platform
// caller that named none.
func (c *Caller) Scope(requested string) (string, error) {
	switch {
	case c.IsPlatform():
		return requested, nil
	case requested != "":
		if !slices.Contains(c.Organizations, requested) {
			return "", fault.New(errorsv1.ErrorReason_PERMISSION_DENIED)
		}
		return requested, nil
	case len(c.Organizations) == 1:
		return c.Organizations[0], nil
	case len(c.Organizations) == 0:
		return "", fault.New(errorsv1.ErrorReason_PERMISSION_DENIED)
	}
	return "", fault.New(errorsv1.ErrorReason_ORGANIZATION_REQUIRED)
}

// Organization is the one organization of the call: for what creates, which can not be created for all.
func (c *Caller) Organization(requested string) (string, error) {
	organization, err := c.Scope(requested)
	if err == nil && organization == "" {
		return "", fault.New(errorsv1.ErrorReason_ORGANIZATION_REQUIRED)
	}
	return organization, err
}

type key struct{}

type call struct {
	caller    Caller
	requested string
}

// WithCaller puts the caller, and the organization that it named, into the context of a call.
func WithCaller(ctx context.Context, caller Caller, requested string) context.Context {
	return context.WithValue(ctx, key{}, call{caller, requested})
}

// FromContext answers the caller.
func FromContext(ctx context.Context) (Caller, bool) {
	c, ok := ctx.Value(key{}).(call)
	return c.caller, ok
}

// Name is the caller's name for the audit; empty outside of a call.
func Name(ctx context.Context) string {
	caller, _ := FromContext(ctx)
	return caller.Name
}

// ClientOf is the client whose token the call carries; nil for every other caller.
func ClientOf(ctx context.Context) *Client {
	caller, _ := FromContext(ctx)
	return caller.Client
}

// Requested is the organization that a call names by the values of its Header; empty where it has no such header. One
// that is there and names no organization does not stand for all of them: it is refused.
func Requested(header []string) (string, error) {
	switch {
	case len(header) == 0:
		return "", nil
	case len(header) > 1:
		return "", fault.Field(Header, "stands there twice")
	case !organizationID.MatchString(header[0]):
		return "", fault.Field(Header, "must be 1 to 64 letters, digits, dots, underscores or hyphens")
	}
	return header[0], nil
}

// Organization is the one organization of the call, or a fault for the caller.
func Organization(ctx context.Context) (string, error) {
	c, ok := ctx.Value(key{}).(call)
	if !ok {
		return "", fault.New(errorsv1.ErrorReason_UNAUTHENTICATED)
	}
	return c.caller.Organization(c.requested)
}

// Scope is the organization whose rows the call may see, or a fault for the caller. Empty: all of them.
func Scope(ctx context.Context) (string, error) {
	c, ok := ctx.Value(key{}).(call)
	if !ok {
		return "", fault.New(errorsv1.ErrorReason_UNAUTHENTICATED)
	}
	return c.caller.Scope(c.requested)
}

// ScopeOf is Scope, and the id that the call names. What is no id is the id of nothing: NOT_FOUND.
func ScopeOf(ctx context.Context, named string) (scope string, id uuid.UUID, err error) {
	if scope, err = Scope(ctx); err != nil {
		return "", uuid.Nil, err
	}
	if id, err = uuid.Parse(named); err != nil {
		return "", uuid.Nil, fault.New(errorsv1.ErrorReason_NOT_FOUND)
	}
	return scope, id, nil
}
