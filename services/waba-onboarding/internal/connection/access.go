package connection

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc/codes"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/graph"
	"github.com/whatrack/connect/services/internal/secret"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// tokenOf asks the broker for the access token that serves a connection.
func (s *Service) tokenOf(ctx context.Context, c store.Connection) (graph.Credential, error) {
	req := &tokenbrokerv1.GetAccessTokenRequest{
		OrganizationId: c.OrganizationID, Of: &tokenbrokerv1.GetAccessTokenRequest_WabaId{WabaId: c.WabaID},
	}
	resp, err := s.Broker.GetAccessToken(ctx, req)
	if err != nil {
		return graph.Credential{}, err
	}
	return CredentialOf(resp), nil
}

// CredentialOf is what the broker revealed.
func CredentialOf(resp *tokenbrokerv1.GetAccessTokenResponse) graph.Credential {
	return graph.Credential{Token: secret.New(resp.GetAccessToken()), Proof: resp.GetAppsecretProof()}
}

type tokenFacts struct{ store.TokenFacts }

func (t *tokenFacts) same(c store.Connection) bool {
	sameExpiry := (t.ExpireTime == nil) == (c.TokenExpireTime == nil) &&
		(t.ExpireTime == nil || t.ExpireTime.Equal(*c.TokenExpireTime))
	return t.State == c.TokenState && sameExpiry
}

// tokenFacts asks the broker what it knows of the token; nil for a connection that has none of its own.
func (s *Service) tokenFacts(ctx context.Context, c store.Connection) (*tokenFacts, error) {
	if c.TokenID == "" || c.State == store.ConnectionDisconnected {
		return nil, nil //nolint:nilnil // nothing to know is no error
	}
	resp, err := s.Broker.GetToken(ctx, &tokenbrokerv1.GetTokenRequest{
		OrganizationId: c.OrganizationID, Of: &tokenbrokerv1.GetTokenRequest_TokenId{TokenId: c.TokenID},
	})
	if err != nil {
		return nil, err
	}
	return &tokenFacts{FactsOf(resp.GetToken())}, nil
}

// FactsOf is what the broker says of a token.
func FactsOf(token *tokenbrokerv1.Token) store.TokenFacts {
	facts := store.TokenFacts{State: token.GetState().String()}
	if expire := token.GetExpireTime(); expire != nil {
		at := expire.AsTime()
		facts.ExpireTime = &at
	}
	return facts
}

// Explain turns an error of Meta, the broker or the store into the fault that says what it means to a customer's
// connection. ObjectMissing is the caller's to judge: for a WABA it means that it is not shared.
func Explain(err error) *fault.Error {
	if known, ok := fault.As(err); ok {
		return known
	}
	var said *graph.Error
	switch {
	case errors.As(err, &said) && said.RateLimited():
		return metaFault(errorsv1.ErrorReason_META_RATE_LIMITED, said).RetryAfter(said.RetryAfter)
	case graph.IsSilence(err):
		return fault.New(errorsv1.ErrorReason_META_UNAVAILABLE).Cause(err)
	case said == nil:
		return fault.New(errorsv1.ErrorReason_INTERNAL).Cause(err)
	case said.TokenExpired():
		return metaFault(errorsv1.ErrorReason_TOKEN_EXPIRED, said)
	case said.TokenDead():
		return metaFault(errorsv1.ErrorReason_TOKEN_INVALID, said).With("state", "INVALID")
	case said.PermissionMissing():
		return metaFault(errorsv1.ErrorReason_PERMISSION_MISSING, said)
	}
	return metaFault(errorsv1.ErrorReason_META_REJECTED, said)
}

func metaFault(reason fault.Reason, said *graph.Error) *fault.Error {
	return fault.New(reason).Cause(said).WithAll(said.Metadata())
}

// Temporary tells whether a fault is no verdict: to be tried again, changing nothing.
func Temporary(f *fault.Error) bool {
	switch f.Code() {
	case codes.Unavailable, codes.ResourceExhausted, codes.DeadlineExceeded, codes.Canceled, codes.Internal,
		codes.Unauthenticated, codes.PermissionDenied: // the last two: the broker does not know us, which an operator mends
		return true
	}
	return false
}

// Lasting is ctx, or where that ended already, a short while in which what is known can still be written down.
func Lasting(ctx context.Context) (context.Context, context.CancelFunc) {
	if ctx.Err() == nil {
		return ctx, func() {}
	}
	return context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
}

// UntilAnswer is ctx for as long as given, but a second less than the caller has: it must hear the answer.
func UntilAnswer(ctx context.Context, longest time.Duration) (context.Context, context.CancelFunc) {
	if deadline, ok := ctx.Deadline(); ok {
		longest = min(longest, time.Until(deadline)-time.Second)
	}
	return context.WithTimeout(ctx, max(longest, 0))
}

// Missing tells whether Meta said that the object does not exist for this token.
func Missing(err error) bool {
	var said *graph.Error
	return errors.As(err, &said) && said.ObjectMissing()
}
