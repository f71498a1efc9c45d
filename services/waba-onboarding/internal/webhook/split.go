package webhook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/whatrack/connect/services/internal/run"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

const (
	// splitters is how many deliveries are split at a time: each is a commit, and intake needs the database too.
	splitters = 4
	// sweepInterval is how often deliveries are looked for that nobody split; leftAlone is how old they must be, so that
	// each is not split by everybody.
	sweepInterval = 5 * time.Second
	leftAlone     = 5 * time.Second
	sweepPage     = 500
	// failurePause is how long a splitter rests after a failure, which is seldom the last while a database is away.
	failurePause = time.Second
)

// Splitter makes of deliveries what they say. The rows are the queue: what this process keeps it splits at once, and
// what it did not get to, or another one left behind, is found by their state. A job for each would cost more than the
// delivery itself.
type Splitter struct {
	Store *store.Store
	Log   *slog.Logger
	kept  chan uuid.UUID
}

// NewSplitter makes a splitter. Its Run must run beside the server.
func NewSplitter(rows *store.Store, log *slog.Logger) *Splitter {
	return &Splitter{Store: rows, Log: log, kept: make(chan uuid.UUID, queueLength)}
}

// Insert makes bodies durable, and has them split.
func (s *Splitter) Insert(ctx context.Context, bodies [][]byte) error {
	ids, err := s.Store.InsertDeliveries(ctx, bodies)
	if err != nil {
		return err
	}
	for _, id := range ids {
		select {
		case s.kept <- id:
		default: // too many: the sweep finds the rest
			return nil
		}
	}
	return nil
}

// Run splits until ctx ends. What is left then is found by the next to run.
func (s *Splitter) Run(ctx context.Context) error {
	tasks := []run.Task{s.sweepAll}
	for range splitters {
		tasks = append(tasks, s.work)
	}
	return run.All(ctx, tasks...)
}

func (s *Splitter) work(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case id := <-s.kept:
			if err := s.split(ctx, id); err != nil && ctx.Err() == nil {
				s.Log.WarnContext(ctx, "a delivery could not be split and is tried again", "deliveryId", id, "error", err)
				pause(ctx, failurePause)
			}
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// sweepAll looks for what was left, at once and then regularly.
func (s *Splitter) sweepAll(ctx context.Context) error {
	for age := time.Duration(0); ctx.Err() == nil; age = leftAlone {
		if err := s.sweep(ctx, age); err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "deliveries that were left could not be looked for", "error", err)
		}
		pause(ctx, sweepInterval)
	}
	return ctx.Err()
}

// sweep hands over every delivery that is at least so old and not split.
func (s *Splitter) sweep(ctx context.Context, age time.Duration) error {
	for after := uuid.Nil; ; {
		ids, err := s.Store.Unsplit(ctx, age, after, sweepPage)
		if err != nil {
			return err
		}
		for _, id := range ids {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case s.kept <- id:
			}
		}
		if len(ids) < sweepPage {
			return nil
		}
		after = ids[len(ids)-1]
	}
}

// split cuts one delivery, in one commit. What is split already is left alone, so that it may run twice. A panic is an
// error like any other: no body may end the process.
func (s *Splitter) split(ctx context.Context, id uuid.UUID) error {
	return run.All(ctx, func(ctx context.Context) error {
		delivery, err := s.Store.FindDelivery(ctx, id)
		if errors.Is(err, store.ErrNotFound) || (err == nil && delivery.State != store.DeliveryReceived) {
			return nil // somebody else was quicker
		}
		if err != nil {
			return fmt.Errorf("read it: %w", err)
		}
		state := store.DeliverySplit
		changes, ok := cut(delivery.Body, delivery.ReceiveTime)
		if !ok {
			state = store.DeliveryUnparsed
		}
		if err := s.Store.SplitDelivery(ctx, id, changes, state); err != nil {
			return fmt.Errorf("write what it holds: %w", err)
		}
		return nil
	})
}
