package destination

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/internal/egress"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// recordTime is how long an outcome may take to be written down, when nothing waits for it any more.
const recordTime = 5 * time.Second

// deliver sends a parcel, and until an end what follows in its lane; false when something was not received.
func (s *Service) deliver(ctx context.Context, p *store.Parcel, end time.Time) bool {
	for p != nil {
		attempt, err := s.try(ctx, p)
		if err != nil {
			s.Log.WarnContext(ctx, "an event could not be sent and is tried again", "destination", p.Destination.ID, "event", p.Event.ID, "error", err)
			return false
		}
		goOn := ctx.Err() == nil && time.Now().Before(end)
		if p, err = s.record(ctx, *p, attempt, goOn); err != nil || !attempt.Received() {
			return false
		}
	}
	return true
}

// try sends a parcel once. It is let finish when the process ends. An error says that we are to blame.
func (s *Service) try(ctx context.Context, p *store.Parcel) (store.DestinationAttempt, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), egress.Timeout+recordTime)
	defer cancel()
	body, err := s.write(ctx, p.Destination.Kind, p.Event)
	if err != nil {
		return store.DestinationAttempt{}, err
	}
	attempt, err := s.post(ctx, p.Destination, p.Event.ID, body)
	if err != nil { // the owner can mend it: by a new secret
		s.Log.ErrorContext(ctx, "the secret of a destination does not open", "destination", p.Destination.ID, "error", err)
		attempt.Error = "our copy of the secret does not open"
	}
	return attempt, nil
}

// post signs and sends a body, and says what came of it.
func (s *Service) post(ctx context.Context, d store.Destination, event uuid.UUID, body []byte) (store.DestinationAttempt, error) {
	now := s.Now()
	attempt := store.DestinationAttempt{Time: now.UTC().Truncate(time.Microsecond)}
	headers, err := s.sign(d, event.String(), now, body)
	if err != nil {
		return attempt, err
	}
	began := time.Now()
	answer, err := s.Egress.Post(ctx, d.URL, headers, body)
	attempt.DurationMS = time.Since(began).Milliseconds()
	attempt.HTTPStatus, attempt.RetryAfter = answer.Status, answer.RetryAfter
	switch status := answer.Status; {
	case err != nil:
		attempt.Error = err.Error()
	case status >= 300 && status < 400:
		attempt.Error = fmt.Sprintf("HTTP %d: redirects are not followed", status)
	case status < 200 || status > 299:
		attempt.Error = fmt.Sprintf("HTTP %d", status)
	}
	return attempt, nil
}

func (s *Service) record(ctx context.Context, p store.Parcel, attempt store.DestinationAttempt, goOn bool) (*store.Parcel, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	next, err := s.Store.EndParcel(ctx, p, attempt, goOn)
	if err != nil && !errors.Is(err, store.ErrNotFound) { // else it was deleted meanwhile
		s.Log.WarnContext(ctx, "what came of an event could not be written down, it will be sent again",
			"destination", p.Destination.ID, "event", p.Event.ID, "error", err)
	}
	return next, err
}

// TestDestination implements WebhookService.
func (s *Service) TestDestination(ctx context.Context, req *onboardingv1.TestDestinationRequest) (*onboardingv1.TestDestinationResponse, error) {
	d, err := s.find(ctx, req.GetDestinationId())
	if err != nil {
		return nil, err
	}
	body, err := writeTest(d, s.Now())
	if err != nil {
		return nil, err
	}
	event := uuid.Must(uuid.NewV7())
	attempt, err := s.post(ctx, d, event, body)
	switch {
	case err != nil:
		return nil, fault.New(errorsv1.ErrorReason_DATA_INTEGRITY).Cause(err)
	case attempt.Error == egress.NotAllowed.Error():
		return nil, fault.New(errorsv1.ErrorReason_DESTINATION_NOT_ALLOWED)
	}
	attempt.DestinationID, attempt.EventID, attempt.EventType, attempt.Attempt = d.ID, event, testType, 1
	attempt, err = s.Store.RecordAttempt(ctx, attempt)
	return &onboardingv1.TestDestinationResponse{Attempt: describeAttempt(attempt)}, err
}
