package webhook

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// resolveBatch is how many waiting changes are looked at in one go.
const resolveBatch = 200

// Worker makes of deliveries what they say.
type Worker struct{ Store *store.Store }

// AddWorkers adds the jobs of this package.
func (w *Worker) AddWorkers(workers *river.Workers) {
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[store.SplitArgs]) error {
		return w.split(ctx, job.Args.BatchID)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[store.ResolveArgs]) error {
		return w.resolve(ctx, job.Args.ConnectionID)
	}))
}

// split cuts each delivery of a batch, one commit each. What is cut already is left out, so that it may run twice.
func (w *Worker) split(ctx context.Context, batch uuid.UUID) error {
	ids, err := w.Store.Unsplit(ctx, batch)
	if err != nil {
		return err
	}
	for _, id := range ids {
		delivery, err := w.Store.FindDelivery(ctx, id)
		if err != nil {
			return fmt.Errorf("read delivery %s: %w", id, err)
		}
		state := store.DeliverySplit
		changes, ok := cut(delivery.Body, delivery.ReceiveTime)
		if !ok {
			state = store.DeliveryUnparsed
		}
		if err := w.Store.SplitDelivery(ctx, id, changes, state); err != nil {
			return fmt.Errorf("split delivery %s: %w", id, err)
		}
	}
	return nil
}

// resolve gives what waited to the connection that was just proven.
func (w *Worker) resolve(ctx context.Context, connection uuid.UUID) error {
	for {
		waiting, err := w.Store.WaitingChanges(ctx, connection, resolveBatch)
		if err != nil || len(waiting) == 0 {
			return err
		}
		for _, change := range waiting {
			if err := w.Store.ResolveChange(ctx, change, Read(change)); err != nil {
				return err
			}
		}
		if len(waiting) < resolveBatch {
			return nil
		}
	}
}
