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
func (s *Service) untried(ctx context.Context, n store.PhoneNumber, why *fault.Error, pause time.Duration) (time.Duration, error) {
	if !Temporary(why) {
		return s.endRegistration(ctx, n, store.RegistrationFailed, why.Reason(), 0)
	}
	return s.endRegistration(ctx, n, n.Registration, why.Reason(), max(pause, why.Delay()))
}

// endRegistration records what came of an attempt, and answers the delay until the next one; 0: there is none.
func (s *Service) endRegistration(ctx context.Context, n store.PhoneNumber, outcome store.Registration, reason fault.Reason, delay time.Duration) (time.Duration, error) {
	return delay, s.Store.EndRegistration(ctx, n, outcome, reason.String(), delay)
}

// refused records what came of a call that was not answered well.
func (s *Service) refused(ctx context.Context, n store.PhoneNumber, err error) (time.Duration, error) {
	ctx, cancel := Lasting(ctx)
	defer cancel()
	said := s.logRefused(ctx, n, err)
	why := Explain(err)
	n.Said = why.Metadata()
	switch {
	case said != nil && said.Code == codeInvalid && said.Subcode == subcodeNameCheck:
		return s.endRegistration(ctx, n, store.WaitingForMeta, errorsv1.ErrorReason_DISPLAY_NAME_IN_REVIEW, reviewPause)
	case said != nil && said.Code == codePINMismatch:
		return s.endRegistration(ctx, n, store.PINRequired, errorsv1.ErrorReason_PIN_REQUIRED, 0)
	case !Temporary(why):
		return s.endRegistration(ctx, n, store.RegistrationFailed, why.Reason(), 0)
	case n.Registration == store.WaitingForMeta:
		return s.endRegistration(ctx, n, n.Registration, why.Reason(), reviewPause)
	case n.Attempts < maxRegisters:
		return s.endRegistration(ctx, n, n.Registration, why.Reason(), max(silencePause(n.Attempts), why.Delay()))
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
