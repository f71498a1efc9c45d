package connection

import (
	"context"
	"errors"
	"time"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/graph"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// silencePause is how long a registration rests after so many calls of which Meta's silence says nothing. Silence is no
// verdict, and each call counts: maxRegisters of them take two and a half days.
func silencePause(calls int) time.Duration {
	pauses := [...]time.Duration{10 * time.Second, 5 * time.Minute, time.Hour, 12 * time.Hour}
	return pauses[min(max(calls, 1), len(pauses))-1]
}

// untried records why a number could not even be tried.
func (s *Service) untried(ctx context.Context, c store.Connection, n store.PhoneNumber, why *fault.Error, pause time.Duration) (time.Duration, error) {
	n.Said = why.Metadata()
	if !Temporary(why) {
		return s.unregistered(ctx, c, n, why)
	}
	return s.endRegistration(ctx, n, n.Registration, why.Reason(), max(pause, why.Delay()))
}

// endRegistration records what came of an attempt, and answers the delay until the next one; 0: there is none.
func (s *Service) endRegistration(ctx context.Context, n store.PhoneNumber, outcome store.Registration, reason fault.Reason, delay time.Duration) (time.Duration, error) {
	return delay, s.Store.EndRegistration(ctx, n, outcome, reason.String(), delay)
}

// refused records what came of a call that was not answered well.
func (s *Service) refused(ctx context.Context, c store.Connection, n store.PhoneNumber, err error) (time.Duration, error) {
	ctx, cancel := Lasting(ctx)
	defer cancel()
	said := s.logRefused(ctx, n, err)
	why := explainRegistration(said, err)
	n.Said = why.Metadata()
	switch {
	case said != nil && said.Code == codeInvalid && said.Subcode == subcodeNameCheck:
		return s.endRegistration(ctx, n, store.WaitingForMeta, errorsv1.ErrorReason_DISPLAY_NAME_IN_REVIEW, reviewPause)
	case said != nil && said.Code == codePINMismatch:
		return s.endRegistration(ctx, n, store.PINRequired, errorsv1.ErrorReason_PIN_REQUIRED, 0)
	case !Temporary(why):
		return s.unregistered(ctx, c, n, why)
	case n.Registration == store.WaitingForMeta:
		return s.endRegistration(ctx, n, n.Registration, why.Reason(), reviewPause)
	case n.Attempts < maxRegisters:
		return s.endRegistration(ctx, n, n.Registration, why.Reason(), max(silencePause(n.Attempts), why.Delay()))
	}
	return s.unregistered(ctx, c, n, why)
}

// haste is how long a number rests that Meta says was registered too fast, or too soon after it was deleted.
const haste = 5 * time.Minute

// explainRegistration is Explain for the registration of a number.
func explainRegistration(said *graph.Error, err error) *fault.Error {
	switch {
	case said == nil:
	case said.Code == codeTooFast, said.Code == codeDeletedLate:
		return metaFault(errorsv1.ErrorReason_META_RATE_LIMITED, said).RetryAfter(max(haste, said.RetryAfter))
	case said.Code == codeUnverified:
		return metaFault(errorsv1.ErrorReason_PHONE_NUMBER_NOT_VERIFIED, said)
	}
	return Explain(err)
}

// unregistered is the end of a registration. Where it says that the token is dead, the connection learns it first.
func (s *Service) unregistered(ctx context.Context, c store.Connection, n store.PhoneNumber, why *fault.Error) (time.Duration, error) {
	if err := RecordDead(ctx, s.Store, c, why); err != nil {
		return 0, err
	}
	return s.endRegistration(ctx, n, store.RegistrationFailed, why.Reason(), 0)
}

// logRefused writes down what came of a call, and answers what Meta said; nil for nothing. Whoever asks Meta's support
// needs its code and its trace.
func (s *Service) logRefused(ctx context.Context, n store.PhoneNumber, err error) *graph.Error {
	attrs := []any{"connectionId", n.ConnectionID, "phoneNumberId", n.PhoneNumberID, "attempts", n.Attempts, "error", err}
	var said *graph.Error
	if errors.As(err, &said) {
		attrs = append(attrs, "metaCode", said.Code, "metaSubcode", said.Subcode, "fbtraceId", said.TraceID)
	}
	s.Log.WarnContext(ctx, "Meta did not register a number", attrs...)
	return said
}
