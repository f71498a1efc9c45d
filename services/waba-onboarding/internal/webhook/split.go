package webhook

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/whatrack/connect/services/internal/run"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// failurePause is how long a splitter rests after a failure, which is seldom the last while a database is away.
const failurePause = time.Second

// Splitter makes of deliveries what they say. The rows are the queue: the batches that this process keeps it splits at
// once, and what it did not get to, or another one left behind, is found by a sweep. A job for each would cost more than
// the delivery itself.
type Splitter struct {
	Store  *store.Store
	Reader Reader
	Log    *slog.Logger
	live   *line
	bulk   *line
	queued sync.Map // of the ids of batches and deliveries that wait or are being split: none is queued twice
	done   chan uuid.UUID
	kept   intakeMeter
}

// NewSplitter makes a splitter. Its Run must run beside the server.
func NewSplitter(rows *store.Store, reader Reader, log *slog.Logger) *Splitter {
	return &Splitter{
		Store: rows, Reader: reader, Log: log, live: newLive(), bulk: newBulk(), done: make(chan uuid.UUID, queueLength),
	}
}

// Run splits until ctx ends. What is left then is found by the next to run.
func (s *Splitter) Run(ctx context.Context) error {
	tasks := []run.Task{s.sweepAll, s.forget}
	for _, l := range []*line{s.live, s.bulk} {
		tasks = append(tasks, func(ctx context.Context) error { return s.openAll(ctx, l) })
		for range l.splitters {
			tasks = append(tasks, func(ctx context.Context) error { return s.work(ctx, l.turns) })
		}
	}
	return run.All(ctx, tasks...)
}

// forget removes the batches that are done. Those that end while some are removed are removed together.
func (s *Splitter) forget(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case id := <-s.done:
			ids := []uuid.UUID{id}
			for range len(s.done) {
				ids = append(ids, <-s.done)
			}
			err := s.Store.ForgetBatches(ctx, ids)
			for _, id := range ids {
				s.queued.Delete(id)
			}
			if err != nil && ctx.Err() == nil { // they are found again, and nothing is done twice
				s.Log.WarnContext(ctx, "batches that are split could not be removed", "error", err)
				run.Pause(ctx, failurePause)
			}
			run.Pause(ctx, shortRest)
		}
	}
}

// work splits what waits for its turn: what may share a commit together.
func (s *Splitter) work(ctx context.Context, t *turns) error {
	for {
		together, wabas := t.take()
		if len(together) == 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-t.wake:
			}
			continue
		}
		s.settle(ctx, together)
		left, waits := t.done(wabas)
		if waits {
			s.kept.rest(ctx)
		}
		t.again(left)
	}
}

// settle splits deliveries together, or each alone: a poison one must not hold its neighbours.
func (s *Splitter) settle(ctx context.Context, together []unsplit) {
	if len(together) > 1 && s.split(ctx, together) == nil {
		for _, d := range together {
			d.settled(nil)
		}
		return
	}
	for _, d := range together {
		d.settled(s.settleAlone(ctx, d))
	}
}

// settleAlone splits a delivery, or keeps it as one that could not be.
func (s *Splitter) settleAlone(ctx context.Context, d unsplit) error {
	err := s.split(ctx, []unsplit{d})
	if err != nil && ctx.Err() == nil {
		err = s.splitPiecemeal(ctx, d.Delivery, err)
	}
	if err == nil || ctx.Err() != nil {
		return err
	}
	s.Log.WarnContext(ctx, "a delivery could not be split and is tried again", "deliveryId", d.ID, "error", err)
	if err := s.Store.KeepDelivery(ctx, d.Delivery); err != nil {
		run.Pause(ctx, failurePause)
		return err
	}
	return nil
}

// splitPiecemeal keeps what is good of a delivery of which something can not be written.
func (s *Splitter) splitPiecemeal(ctx context.Context, d store.Delivery, why error) error {
	return run.Protect(func() error {
		changes, ok := s.Reader.Cut(d.Body, d.ReceiveTime)
		spoiled, err := s.Store.SplitPiecemeal(ctx, store.Split{Delivery: d, Changes: changes, Unparsed: !ok})
		if err == nil && spoiled > 0 {
			s.Log.ErrorContext(ctx, "changes could not be applied and are kept as UNPARSED", "deliveryId", d.ID, "count", spoiled, "error", why)
		}
		return err
	})
}

// split cuts deliveries, in one commit. What is split already is left alone, so that it may run twice. A panic is an
// error like any other: no body may end the process.
func (s *Splitter) split(ctx context.Context, together []unsplit) error {
	return run.Protect(func() error {
		parts := make([]store.Split, 0, len(together))
		for _, d := range together {
			changes, ok := s.Reader.Cut(d.Body, d.ReceiveTime)
			if err := s.Store.KeepAhead(ctx, changes); err != nil {
				return fmt.Errorf("write ahead what they hold: %w", err)
			}
			parts = append(parts, store.Split{Delivery: d.Delivery, Changes: changes, Unparsed: !ok})
		}
		if err := s.Store.SplitDeliveries(ctx, parts); err != nil {
			return fmt.Errorf("write what they hold: %w", err)
		}
		return nil
	})
}
