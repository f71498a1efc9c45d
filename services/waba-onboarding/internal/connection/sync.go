package connection

import (
	"context"
	"errors"
	"time"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	"github.com/whatrack/connect/services/internal/graph"
	"github.com/whatrack/connect/services/internal/jobs"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// A part for which Meta could not be asked is tried so often with the usual pauses, then with a longer one.
const (
	quickTries = 6
	syncPause  = 10 * time.Minute
)

// sync is the job: one part of one number, asked for once, then the next.
func (s *Service) sync(ctx context.Context, args store.SyncArgs) error {
	c, err := s.load(ctx, args.ConnectionID)
	if err != nil {
		return err
	}
	part, err := s.Store.DueSync(ctx, c.ID, args.PhoneNumberID)
	if err != nil || !c.Live() || c.State == store.ConnectionClaiming {
		return unlessGone(err)
	}
	return Again(s.syncPart(ctx, c, part))
}

// syncPart asks for a part, unless somebody did, and records the outcome, with the delay until the next try where Meta
// was not asked.
func (s *Service) syncPart(ctx context.Context, c store.Connection, p store.SyncPart) (time.Duration, error) {
	switch {
	case s.Store.Asking(p):
		return 0, nil
	case p.RequestTime != nil: // whoever asked is dead
		return s.endSync(ctx, p, lostSync())
	case s.Now().Sub(p.OnboardTime) >= store.SyncWindow:
		return s.endSync(ctx, p, failedSync(errorsv1.ErrorReason_SYNC_EXPIRED))
	}
	token, err := TokenOf(ctx, s.Broker, c)
	if err != nil {
		return s.endSync(ctx, p, unasked(p, err))
	}
	begun, err := s.Store.BeginSync(ctx, p)
	if err != nil {
		return 0, err
	}
	kind := graph.SyncContacts
	if p.Part == store.SyncHistory {
		kind = graph.SyncHistory
	}
	requestID, err := s.Meta.RequestSync(ctx, p.PhoneNumberID, kind, token)
	if err != nil {
		return s.endSync(ctx, begun, syncOutcome(begun, err))
	}
	return s.endSync(ctx, begun, store.SyncOutcome{State: store.SyncRequested, RequestID: requestID})
}

func (s *Service) endSync(ctx context.Context, p store.SyncPart, outcome store.SyncOutcome) (time.Duration, error) {
	ctx, cancel := Lasting(ctx)
	defer cancel()
	return outcome.Delay, s.Store.EndSync(ctx, p, outcome)
}

// syncOutcome is what an error of Meta's call means. In doubt Meta did what it was asked.
func syncOutcome(p store.SyncPart, err error) store.SyncOutcome {
	var said *graph.Error
	switch {
	case graph.SyncNotDone(err):
		return unasked(p, err)
	case graph.IsSilence(err):
		return lostSync()
	case errors.As(err, &said) && said.Code == graph.CodeSyncLate:
		return failedSync(errorsv1.ErrorReason_SYNC_EXPIRED)
	}
	return failedSync(Explain(err).Reason())
}

// unasked leaves a part to a later try: in seconds at first, then in minutes, until its time is over.
func unasked(p store.SyncPart, err error) store.SyncOutcome {
	why := Explain(err)
	pause := jobs.After(p.Attempts + 1)
	if p.Attempts >= quickTries {
		pause = syncPause
	}
	return store.SyncOutcome{State: store.SyncPending, Reason: why.Reason().String(), Delay: max(pause, why.Delay())}
}

func lostSync() store.SyncOutcome {
	return store.SyncOutcome{State: store.SyncUnknown, Reason: errorsv1.ErrorReason_META_UNAVAILABLE.String()}
}

func failedSync(reason errorsv1.ErrorReason) store.SyncOutcome {
	return store.SyncOutcome{State: store.SyncFailed, Reason: reason.String()}
}
