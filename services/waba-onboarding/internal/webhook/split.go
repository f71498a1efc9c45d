package webhook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/semaphore"

	"github.com/whatrack/connect/services/internal/run"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

const (
	// failurePause is how long a splitter rests after a failure, which is seldom the last while a database is away.
	failurePause = time.Second
	// maxOpen bounds the bytes of batches that are read and not split yet, maxAtHand those of batches that were kept just
	// now and need no reading. Each has a bound of its own: what waits behind must not take the place of what is before it.
	maxOpen   = 32 << 20
	maxAtHand = 16 << 20
)

// Splitter makes of deliveries what they say. The rows are the queue: the batches that this process keeps it splits at
// once, and what it did not get to, or another one left behind, is found by a sweep. A job for each would cost more than
// the delivery itself.
type Splitter struct {
	Store   *store.Store
	Reader  Reader
	Log     *slog.Logger
	batches chan batch
	queued  sync.Map // of the ids in batches, and of those that are being split: none is queued twice
	lanes   lanes
	open    *semaphore.Weighted // of maxOpen
	atHand  *semaphore.Weighted // of maxAtHand
	done    chan uuid.UUID
	kept    intakeMeter
}

// NewSplitter makes a splitter. Its Run must run beside the server.
func NewSplitter(rows *store.Store, reader Reader, log *slog.Logger) *Splitter {
	return &Splitter{
		Store: rows, Reader: reader, Log: log,
		batches: make(chan batch, queueLength), lanes: newLanes(),
		open: semaphore.NewWeighted(maxOpen), atHand: semaphore.NewWeighted(maxAtHand),
		done: make(chan uuid.UUID, queueLength),
	}
}

// Keep makes bodies durable, and has them split.
func (s *Splitter) Keep(ctx context.Context, bodies [][]byte) error {
	kept, err := s.Store.KeepBatch(ctx, bodies)
	s.kept.add(len(bodies))
	if err != nil {
		return err
	}
	b := batch{Batch: kept, since: time.Now()}
	if size := min(kept.Size(), maxAtHand); s.atHand.TryAcquire(size) {
		b.release = func() { s.atHand.Release(size) }
	} else {
		b.Bodies = nil // it is read again
	}
	s.queue(b)
	return nil
}

// batch is one that is to be split. Without bodies it is to be read; with them, it holds memory until its release.
type batch struct {
	store.Batch
	since   time.Time // when it was kept
	release func()
}

// queue takes a batch unless there are too many, of which it tells: a later sweep finds it.
func (s *Splitter) queue(b batch) (full bool) {
	if _, known := s.queued.LoadOrStore(b.ID, nil); !known {
		select {
		case s.batches <- b:
			return false
		default:
			s.queued.Delete(b.ID)
			full = true
		}
	}
	if b.release != nil {
		b.release()
	}
	return full
}

// Run splits until ctx ends. What is left then is found by the next to run.
func (s *Splitter) Run(ctx context.Context) error {
	tasks := []run.Task{s.sweepAll, s.openAll, s.forget}
	for _, l := range s.lanes {
		tasks = append(tasks, func(ctx context.Context) error { return s.work(ctx, l) })
	}
	return run.All(ctx, tasks...)
}

// openAll hands out the deliveries of one batch after the other.
func (s *Splitter) openAll(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case b := <-s.batches:
			err := s.read(ctx, &b)
			if err == nil {
				err = s.handOut(ctx, b)
			}
			switch {
			case err == nil || ctx.Err() != nil:
			case errors.Is(err, store.ErrNotFound): // somebody else was quicker
				s.queued.Delete(b.ID)
			case errors.Is(err, store.ErrDamaged): // it stays, known, so that nobody tries it every few seconds
				s.Log.ErrorContext(ctx, "a batch of deliveries is damaged and stays as it is", "batchId", b.ID, "error", err)
			default:
				s.queued.Delete(b.ID)
				s.Log.WarnContext(ctx, "a batch of deliveries could not be read and is tried again", "batchId", b.ID, "error", err)
				pause(ctx, failurePause)
			}
		}
	}
}

// read reads the bodies of a batch that has none, once there is room for them. One that waited for so long that another
// process may have swept it up is read too.
func (s *Splitter) read(ctx context.Context, b *batch) error {
	if b.Bodies != nil {
		if time.Since(b.since) < leftAlone {
			return nil
		}
		b.release()
	}
	found, err := s.Store.FindBatch(ctx, b.ID)
	if err != nil {
		return err
	}
	size := min(found.Size(), maxOpen)
	b.Batch, b.release = found, func() { s.open.Release(size) }
	return s.open.Acquire(ctx, size)
}

func (s *Splitter) handOut(ctx context.Context, b batch) error {
	var left atomic.Int64
	var failed atomic.Bool
	left.Store(int64(len(b.Bodies)))
	settled := func(err error) {
		if err != nil {
			failed.Store(true)
		}
		if left.Add(-1) > 0 {
			return
		}
		b.release()
		if failed.Load() {
			s.queued.Delete(b.ID)
		} else {
			s.done <- b.ID
		}
	}
	for place := range b.Bodies {
		if err := s.lanes.hand(ctx, unsplit{b.Delivery(place), settled}); err != nil {
			return err
		}
	}
	return nil
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
				pause(ctx, failurePause)
			}
			pause(ctx, shortRest)
		}
	}
}

// work splits the deliveries of a lane: those that queued meanwhile together, in one commit.
func (s *Splitter) work(ctx context.Context, l lane) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case first := <-l:
			s.settle(ctx, l.gather(first))
			if len(l) > 0 {
				s.kept.rest(ctx)
			}
		}
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
		pause(ctx, failurePause)
		return err
	}
	return nil
}

// splitPiecemeal keeps what is good of a delivery of which something can not be written.
func (s *Splitter) splitPiecemeal(ctx context.Context, d store.Delivery, why error) error {
	return run.Protect(func() error {
		changes, ok := s.Reader.cut(d.Body, d.ReceiveTime)
		spoiled, err := s.Store.SplitPiecemeal(ctx, store.Split{Delivery: d, Changes: changes, Unparsed: !ok})
		if err == nil && spoiled > 0 {
			s.Log.ErrorContext(ctx, "changes could not be applied and are kept as UNPARSED", "deliveryId", d.ID, "count", spoiled, "error", why)
		}
		return err
	})
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// split cuts deliveries, in one commit. What is split already is left alone, so that it may run twice. A panic is an
// error like any other: no body may end the process.
func (s *Splitter) split(ctx context.Context, together []unsplit) error {
	return run.Protect(func() error {
		parts := make([]store.Split, 0, len(together))
		for _, d := range together {
			changes, ok := s.Reader.cut(d.Body, d.ReceiveTime)
			parts = append(parts, store.Split{Delivery: d.Delivery, Changes: changes, Unparsed: !ok})
		}
		if err := s.Store.SplitDeliveries(ctx, parts); err != nil {
			return fmt.Errorf("write what they hold: %w", err)
		}
		return nil
	})
}
