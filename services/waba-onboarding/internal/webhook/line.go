package webhook

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/whatrack/connect/services/internal/run"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

const (
	// liveSplitters is how many commits split at a time: intake needs the database too. Bulk takes long, and whoever waits
	// for it waits for Meta anyway.
	liveSplitters, bulkSplitters = 4, 1
	// weight is what a delivery that waits holds beside its bytes, at most.
	weight = 256
)

// line is a way from batches to what they say. What fills one holds up nothing in another.
type line struct {
	bulk      bool
	splitters int
	batches   chan batch
	turns     *turns
	// open bounds the bytes of batches that are read and not split yet, atHand those of batches that were kept just now and
	// need no reading. Each has a bound of its own: what waits behind must not take the place of what is before it.
	open, atHand bound
}

func newLive() *line {
	return &line{
		splitters: liveSplitters, batches: make(chan batch, queueLength), turns: newTurns(liveSplitters),
		open: newBound(32 << 20), atHand: newBound(16 << 20),
	}
}

func newBulk() *line {
	return &line{
		bulk: true, splitters: bulkSplitters, batches: make(chan batch, queueLength), turns: newTurns(bulkSplitters),
		open: newBound(16 << 20), atHand: newBound(8 << 20),
	}
}

// bound is a number of bytes of which deliveries hold some while they wait. One that is larger than all of it holds all.
type bound struct {
	limit int64
	bytes *semaphore.Weighted
}

func newBound(limit int64) bound { return bound{limit, semaphore.NewWeighted(limit)} }

func (b bound) try(size int64) (release func(), ok bool) {
	size = min(size, b.limit)
	return func() { b.bytes.Release(size) }, b.bytes.TryAcquire(size)
}

func (b bound) acquire(ctx context.Context, size int64) (release func(), err error) {
	size = min(size, b.limit)
	return func() { b.bytes.Release(size) }, b.bytes.Acquire(ctx, size)
}

// batch is one that is to be split. Without bodies it is to be read; with them, it holds memory until its release.
type batch struct {
	store.Batch
	since   time.Time // when it was kept
	release func()
}

func (b batch) size() int64 { return b.Size() + weight*int64(len(b.Bodies)) }

// keep makes bodies durable, and has them split.
func (s *Splitter) keep(ctx context.Context, l *line, bodies [][]byte) error {
	kept, err := s.Store.KeepBatch(ctx, bodies, l.bulk)
	s.kept.add(len(bodies))
	if err != nil {
		return err
	}
	b := batch{Batch: kept, since: time.Now()}
	if release, ok := l.atHand.try(b.size()); ok {
		b.release = release
	} else {
		b.Bodies = nil // it is read again
	}
	s.queue(l, b)
	return nil
}

// queue takes a batch unless there are too many, of which it tells: a later sweep finds it.
func (s *Splitter) queue(l *line, b batch) (full bool) {
	if _, known := s.queued.LoadOrStore(b.ID, nil); !known {
		select {
		case l.batches <- b:
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

// openAll hands out the deliveries of one batch after the other.
func (s *Splitter) openAll(ctx context.Context, l *line) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case b := <-l.batches:
			err := s.read(ctx, l, &b)
			switch {
			case err == nil:
				s.handOut(l, b)
			case ctx.Err() != nil:
			case errors.Is(err, store.ErrNotFound): // somebody else was quicker
				s.queued.Delete(b.ID)
			case errors.Is(err, store.ErrDamaged): // it stays, known, so that nobody tries it every few seconds
				s.Log.ErrorContext(ctx, "a batch of deliveries is damaged and stays as it is", "batchId", b.ID, "error", err)
			default:
				s.queued.Delete(b.ID)
				s.Log.WarnContext(ctx, "a batch of deliveries could not be read and is tried again", "batchId", b.ID, "error", err)
				run.Pause(ctx, failurePause)
			}
		}
	}
}

// read reads the bodies of a batch that has none, once there is room for them. One that waited for so long that another
// process may have swept it up is read too.
func (s *Splitter) read(ctx context.Context, l *line, b *batch) error {
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
	b.Batch = found
	b.release, err = l.open.acquire(ctx, b.size())
	return err
}

func (s *Splitter) handOut(l *line, b batch) {
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
		l.turns.add(unsplit{b.Delivery(place), settled})
	}
}
