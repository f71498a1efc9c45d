package webhook

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/whatrack/connect/services/internal/run"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

const (
	// sweepInterval is how often it is looked for what nobody split; leftAlone is how old it must be, so that each is not
	// split by everybody. While more is left than the queue takes, it is looked for more often.
	sweepInterval   = 5 * time.Second
	backlogInterval = time.Second
	leftAlone       = 5 * time.Second
	sweepPage       = 500
)

// sweepAll looks for what was left, at once and then regularly.
func (s *Splitter) sweepAll(ctx context.Context) error {
	for age := time.Duration(0); ctx.Err() == nil; age = leftAlone {
		full, live := s.takeUp(ctx, s.live, age)
		more, bulk := s.takeUp(ctx, s.bulk, age)
		_, deliveries := eachLeft(ctx, age, s.Store.Unsplit, s.splitAgain)
		if err := errors.Join(live, bulk, deliveries); err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "deliveries that were left could not be looked for", "error", err)
		}
		if full || more {
			run.Pause(ctx, backlogInterval)
		} else {
			run.Pause(ctx, sweepInterval)
		}
	}
	return ctx.Err()
}

// eachLeft does something to each that is at least so old, page by page, until it is enough.
func eachLeft(ctx context.Context, age time.Duration, list lister, do action) (enough bool, err error) {
	for after := uuid.Nil; ; {
		ids, err := list(ctx, age, after, sweepPage)
		if err != nil {
			return false, err
		}
		for _, id := range ids {
			if enough, err := do(ctx, id); enough || err != nil {
				return enough, err
			}
		}
		if len(ids) < sweepPage {
			return false, nil
		}
		after = ids[len(ids)-1]
	}
}

type (
	lister = func(ctx context.Context, age time.Duration, after uuid.UUID, limit int) ([]uuid.UUID, error)
	action = func(ctx context.Context, id uuid.UUID) (enough bool, err error)
)

// takeUp queues the batches of a line that somebody left. With a full queue there is no use in looking at more.
func (s *Splitter) takeUp(ctx context.Context, l *line, age time.Duration) (full bool, err error) {
	list := func(ctx context.Context, age time.Duration, after uuid.UUID, limit int) ([]uuid.UUID, error) {
		return s.Store.Batches(ctx, l.bulk, age, after, limit)
	}
	return eachLeft(ctx, age, list, func(_ context.Context, id uuid.UUID) (enough bool, err error) {
		return s.queue(l, batch{Batch: store.Batch{ID: id}}), nil
	})
}

// splitAgain tries what could not be split, unless it waits already or there is no room for it now.
func (s *Splitter) splitAgain(ctx context.Context, id uuid.UUID) (enough bool, err error) {
	d, err := s.Store.FindDelivery(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	l := s.live
	if isBulk(d.Body) {
		l = s.bulk
	}
	release, ok := l.open.try(int64(d.SizeBytes) + weight)
	if !ok {
		return false, nil
	}
	if _, known := s.queued.LoadOrStore(id, nil); known {
		release()
		return false, nil
	}
	l.turns.add(unsplit{d, func(error) { s.queued.Delete(id); release() }})
	return false, nil
}
