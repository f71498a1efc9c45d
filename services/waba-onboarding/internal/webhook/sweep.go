package webhook

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

const (
	// sweepInterval is how often it is looked for what nobody split; leftAlone is how old it must be, so that each is not
	// split by everybody.
	sweepInterval = 5 * time.Second
	leftAlone     = 5 * time.Second
	sweepPage     = 500
)

// sweepAll looks for what was left, at once and then regularly.
func (s *Splitter) sweepAll(ctx context.Context) error {
	for age := time.Duration(0); ctx.Err() == nil; age = leftAlone {
		batches := eachLeft(ctx, age, s.Store.Batches, func(_ context.Context, id uuid.UUID) error { s.queue(id); return nil })
		deliveries := eachLeft(ctx, age, s.Store.Unsplit, s.splitAgain)
		if err := errors.Join(batches, deliveries); err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "deliveries that were left could not be looked for", "error", err)
		}
		pause(ctx, sweepInterval)
	}
	return ctx.Err()
}

// eachLeft does something to each that is at least so old, page by page.
func eachLeft(ctx context.Context, age time.Duration, list lister, do func(context.Context, uuid.UUID) error) error {
	for after := uuid.Nil; ; {
		ids, err := list(ctx, age, after, sweepPage)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := do(ctx, id); err != nil {
				return err
			}
		}
		if len(ids) < sweepPage {
			return nil
		}
		after = ids[len(ids)-1]
	}
}

type lister func(ctx context.Context, age time.Duration, after uuid.UUID, limit int) ([]uuid.UUID, error)

// splitAgain tries what could not be split.
func (s *Splitter) splitAgain(ctx context.Context, id uuid.UUID) error {
	d, err := s.Store.FindDelivery(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.lanes.hand(ctx, unsplit{d, func(error) {}})
}
