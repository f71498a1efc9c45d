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

	"github.com/whatrack/connect/services/internal/run"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

const (
	// splitters is how many deliveries are split at a time: each is a commit, and intake needs the database too.
	splitters = 4
	// failurePause is how long a splitter rests after a failure, which is seldom the last while a database is away.
	failurePause = time.Second
)

// Splitter makes of deliveries what they say. The rows are the queue: the batches that this process keeps it splits at
// once, and what it did not get to, or another one left behind, is found by a sweep. A job for each would cost more than
// the delivery itself.
type Splitter struct {
	Store      *store.Store
	Log        *slog.Logger
	batches    chan uuid.UUID
	queued     sync.Map // of the ids in batches, and of those that are being split: none is queued twice
	deliveries chan unsplit
	done       chan uuid.UUID
}

// unsplit is a delivery for whichever splitter is free.
type unsplit struct {
	store.Delivery
	settled func(error)
}

// NewSplitter makes a splitter. Its Run must run beside the server.
func NewSplitter(rows *store.Store, log *slog.Logger) *Splitter {
	return &Splitter{
		Store: rows, Log: log,
		batches: make(chan uuid.UUID, queueLength), deliveries: make(chan unsplit), done: make(chan uuid.UUID, queueLength),
	}
}

// Keep makes bodies durable, and has them split.
func (s *Splitter) Keep(ctx context.Context, bodies [][]byte) error {
	id, err := s.Store.KeepBatch(ctx, bodies)
	if err == nil {
		s.queue(id)
	}
	return err
}

// queue takes a batch unless there are too many: a later sweep finds it.
func (s *Splitter) queue(id uuid.UUID) {
	if _, known := s.queued.LoadOrStore(id, nil); known {
		return
	}
	select {
	case s.batches <- id:
	default:
		s.queued.Delete(id)
	}
}

// Run splits until ctx ends. What is left then is found by the next to run.
func (s *Splitter) Run(ctx context.Context) error {
	tasks := []run.Task{s.sweepAll, s.open, s.forget}
	for range splitters {
		tasks = append(tasks, s.work)
	}
	return run.All(ctx, tasks...)
}

// open hands out the deliveries of one batch after the other.
func (s *Splitter) open(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case id := <-s.batches:
			if err := s.handOut(ctx, id); err != nil && ctx.Err() == nil {
				s.queued.Delete(id)
				s.Log.WarnContext(ctx, "a batch of deliveries could not be read and is tried again", "batchId", id, "error", err)
				pause(ctx, failurePause)
			}
		}
	}
}

func (s *Splitter) handOut(ctx context.Context, id uuid.UUID) error {
	batch, err := s.Store.FindBatch(ctx, id)
	if errors.Is(err, store.ErrNotFound) { // somebody else was quicker
		s.queued.Delete(id)
		return nil
	}
	if err != nil {
		return err
	}
	var left atomic.Int64
	var failed atomic.Bool
	left.Store(int64(len(batch.Bodies)))
	settled := func(err error) {
		if err != nil {
			failed.Store(true)
		}
		switch {
		case left.Add(-1) > 0:
		case failed.Load():
			s.queued.Delete(id)
		default:
			s.done <- id
		}
	}
	for place := range batch.Bodies {
		if err := s.hand(ctx, unsplit{batch.Delivery(place), settled}); err != nil {
			return err
		}
	}
	return nil
}

func (s *Splitter) hand(ctx context.Context, d unsplit) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case s.deliveries <- d:
		return nil
	}
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
		}
	}
}

func (s *Splitter) work(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case d := <-s.deliveries:
			d.settled(s.settle(ctx, d.Delivery))
		}
	}
}

// settle splits a delivery, or keeps it as one that could not be: a poison one must not hold its batch.
func (s *Splitter) settle(ctx context.Context, d store.Delivery) error {
	err := s.split(ctx, d)
	if err == nil || ctx.Err() != nil {
		return err
	}
	s.Log.WarnContext(ctx, "a delivery could not be split and is tried again", "deliveryId", d.ID, "error", err)
	if err := s.Store.KeepDelivery(ctx, d); err != nil {
		pause(ctx, failurePause)
		return err
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// split cuts one delivery, in one commit. What is split already is left alone, so that it may run twice. A panic is an
// error like any other: no body may end the process.
func (s *Splitter) split(ctx context.Context, d store.Delivery) error {
	return run.All(ctx, func(ctx context.Context) error {
		state := store.DeliverySplit
		changes, ok := cut(d.Body, d.ReceiveTime)
		if !ok {
			state = store.DeliveryUnparsed
		}
		if err := s.Store.SplitDelivery(ctx, d, changes, state); err != nil {
			return fmt.Errorf("write what it holds: %w", err)
		}
		return nil
	})
}
