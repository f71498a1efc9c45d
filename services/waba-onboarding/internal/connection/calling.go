package connection

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc/codes"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/graph"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// NotFound is the answer for what is not there, or is another organization's.
func NotFound() error { return fault.New(errorsv1.ErrorReason_NOT_FOUND) }

// AsFault turns the store's sentinels into what a caller sees.
func AsFault(err error) error {
	switch {
	case errors.Is(err, store.ErrNotFound):
		return NotFound()
	case errors.Is(err, store.ErrStateMismatch):
		return fault.New(errorsv1.ErrorReason_STATE_MISMATCH)
	case errors.Is(err, store.ErrExpired):
		return fault.New(errorsv1.ErrorReason_ONBOARDING_EXPIRED)
	case errors.Is(err, store.ErrNotOffered):
		return fault.New(errorsv1.ErrorReason_WABA_NOT_SHARED)
	case errors.Is(err, store.ErrHeldElsewhere):
		return fault.New(errorsv1.ErrorReason_WABA_CLAIMED_ELSEWHERE)
	case errors.Is(err, store.ErrDisconnecting):
		return fault.New(errorsv1.ErrorReason_DISCONNECTING)
	case errors.Is(err, store.ErrChosen):
		return fault.New(errorsv1.ErrorReason_WABA_MISMATCH)
	case errors.Is(err, store.ErrManyReports), errors.Is(err, store.ErrTooMany):
		return fault.New(errorsv1.ErrorReason_LIMIT_REACHED)
	case errors.Is(err, store.ErrCursorExpired):
		return fault.New(errorsv1.ErrorReason_CURSOR_EXPIRED)
	case errors.Is(err, store.ErrRequestReused):
		return fault.New(errorsv1.ErrorReason_REQUEST_ID_REUSED)
	}
	return err
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

// ExplainWABA is Explain for a call about a WABA: one that does not exist for a token is not shared.
func ExplainWABA(err error) *fault.Error {
	var said *graph.Error
	if errors.As(err, &said) && said.ObjectMissing() {
		return metaFault(errorsv1.ErrorReason_WABA_NOT_SHARED, said)
	}
	return Explain(err)
}

// codeBlocked is 368: blocked for breaking Meta's rules, for a long while (WhatsApp > Support > Error codes).
const codeBlocked = 368

// ExplainSubscription is ExplainWABA for a subscription that Meta refused, unless it has a better name.
func ExplainSubscription(err error) *fault.Error {
	why := ExplainWABA(err)
	if why.Reason() != errorsv1.ErrorReason_META_REJECTED {
		return why
	}
	reason := errorsv1.ErrorReason_WEBHOOK_SUBSCRIPTION_FAILED
	var said *graph.Error
	if errors.As(err, &said) && said.Code == codeBlocked {
		reason = errorsv1.ErrorReason_ACCOUNT_RESTRICTED
	}
	return fault.New(reason).Cause(err).WithAll(why.Metadata())
}

// metaFault has what Meta said in its metadata, where it said it.
func metaFault(reason fault.Reason, said *graph.Error) *fault.Error {
	return fault.New(reason).Cause(said).WithAll(said.Metadata())
}

// RecordDead notes, as a check would, that a fault says of a connection's token that it is dead.
func RecordDead(ctx context.Context, st *store.Store, c store.Connection, why *fault.Error) error {
	reason := why.Reason()
	switch reason {
	case errorsv1.ErrorReason_TOKEN_NOT_FOUND:
		reason = errorsv1.ErrorReason_TOKEN_INVALID
	case errorsv1.ErrorReason_TOKEN_INVALID, errorsv1.ErrorReason_TOKEN_EXPIRED:
	default:
		return nil
	}
	text := reason.String()
	if c.State == store.ConnectionClaiming || c.AccessReason == text {
		return nil
	}
	return st.RecordFindings(ctx, c, store.Findings{AccessReason: &text})
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
