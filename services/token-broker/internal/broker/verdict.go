package broker

import (
	"errors"
	"maps"
	"time"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/graph"
	"github.com/whatrack/connect/services/token-broker/internal/store"
)

// retryAfter is the variable under which an exchange keeps how long Meta asked to wait.
const retryAfter = "retryAfter"

// exchangeReason is what an error of the exchange means to a caller.
func exchangeReason(err error) fault.Reason {
	switch graph.VerdictOf(err) {
	case graph.NotSent:
		return errorsv1.ErrorReason_META_UNAVAILABLE
	case graph.CodeExpired:
		return errorsv1.ErrorReason_CODE_EXPIRED
	case graph.CodeUsed:
		return errorsv1.ErrorReason_CODE_ALREADY_USED
	case graph.CodeInvalid:
		return errorsv1.ErrorReason_CODE_INVALID
	case graph.RedirectMismatch:
		return errorsv1.ErrorReason_REDIRECT_URI_MISMATCH
	case graph.AppRejected:
		return errorsv1.ErrorReason_APP_CREDENTIALS_REJECTED
	case graph.RateLimited:
		return errorsv1.ErrorReason_META_RATE_LIMITED
	case graph.Rejected:
		return errorsv1.ErrorReason_META_REJECTED
	case graph.OutcomeUnknown:
		return errorsv1.ErrorReason_CODE_OUTCOME_UNKNOWN
	}
	return errorsv1.ErrorReason_CODE_OUTCOME_UNKNOWN
}

// graphMetadata is what of Meta's own word is kept with an exchange.
func graphMetadata(err error) map[string]string {
	var said *graph.Error
	if !errors.As(err, &said) {
		return map[string]string{}
	}
	metadata := said.Metadata()
	if said.RetryAfter > 0 {
		metadata[retryAfter] = said.RetryAfter.String()
	}
	return metadata
}

// recordedFault is the fault of an exchange that Meta refused, the same each time it is asked for.
func recordedFault(exchange store.Exchange) error {
	metadata := maps.Clone(exchange.Metadata)
	wait, _ := time.ParseDuration(metadata[retryAfter]) // 0 where Meta did not say it
	delete(metadata, retryAfter)
	return fault.New(fault.Reason(errorsv1.ErrorReason_value[exchange.Reason])).WithAll(metadata).RetryAfter(wait)
}

func inProgress() error {
	return fault.New(errorsv1.ErrorReason_EXCHANGE_IN_PROGRESS).RetryAfter(time.Second)
}
