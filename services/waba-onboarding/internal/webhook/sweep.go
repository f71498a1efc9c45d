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
		if err := errors.Join(s.sweepBatches(ctx, age), s.sweepDeliveries(ctx, age)); err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "deliveries that were left could not be looked for", "error", err)
		}
		pause(ctx, sweepInterval)
	}
	return ctx.Err()
}

// sweepBatches queues every batch that is at least so old.
func (s *Splitter) sweepBatches(ctx context.Context, age time.Duration) error {
	for after := uuid.Nil; ; {
		ids, err := s.Store.Batches(ctx, age, after, sweepPage)
		if err != nil {
			return err
		}
		for _, id := range ids {
			s.queue(id)
		}
		if len(ids) < sweepPage {
			return nil
		}
		after = ids[len(ids)-1]
	}
}

// sweepDeliveries tries again what could not be split.
func (s *Splitter) sweepDeliveries(ctx context.Context, age time.Duration) error {
	for after := uuid.Nil; ; {
		ids, err := s.Store.Unsplit(ctx, age, after, sweepPage)
		if err != nil {
			return err
		}
		for _, id := range ids {
			d, err := s.Store.FindDelivery(ctx, id)
			if err == nil {
				err = s.hand(ctx, unsplit{d, func(error) {}})
			}
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
		}
		if len(ids) < sweepPage {
			return nil
		}
		after = ids[len(ids)-1]
	}
}
