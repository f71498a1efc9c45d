package webhook

import (
	"context"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"github.com/whatrack/connect/services/internal/jobs"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// PruneEvery is how often it is looked for what is older than it must be kept.
const PruneEvery = time.Hour

// Worker gives changes to connections that were proven after they came, and removes what is old.
type Worker struct {
	Store  *store.Store
	Reader Reader
	// Keep is how long what Meta sent is kept.
	Keep time.Duration
	Log  *slog.Logger
}

// AddWorkers adds the jobs of this package.
func (w *Worker) AddWorkers(workers *river.Workers) {
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[store.ResolveArgs]) error {
		return w.resolve(ctx, job.Args.ConnectionID)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[store.PruneArgs]) error {
		return w.prune(ctx)
	}))
}

func (w *Worker) prune(ctx context.Context) error {
	removed, err := w.Store.Prune(ctx, w.Keep)
	if removed.Changes+removed.Deliveries+removed.Events > 0 {
		w.Log.InfoContext(ctx, "what is older than EVENT_RETENTION was removed", "changes", removed.Changes,
			"never claimed", removed.Waiting, "deliveries", removed.Deliveries, "events", removed.Events)
	}
	for destination, count := range removed.Missed {
		w.Log.WarnContext(ctx, "events were removed that a destination had not received: it refuses, or is off, for too long",
			"destination", destination, "events", count)
	}
	return err
}

// resolve gives what waited to the connection that was just proven, or knows another number: batch by batch, as much as
// one run has time for. What is given waits no more, so that whoever comes after goes on from there.
func (w *Worker) resolve(ctx context.Context, connection uuid.UUID) error {
	var last store.Change
	for start := time.Now(); time.Since(start) < jobs.Timeout/2; {
		waiting, err := w.Store.WaitingChanges(ctx, connection, last, maxTogether, maxTogetherBytes)
		if err != nil {
			return err
		}
		if len(waiting) == 0 {
			if err := w.Store.IgnoreStale(ctx, connection); err != nil {
				return err
			}
			return w.Store.SeekUnknown(ctx, connection) // what waits yet
		}
		list := make([]store.NewChange, 0, len(waiting))
		for _, change := range waiting {
			list = append(list, store.NewChange{Change: change, Effect: w.Reader.Read(change)})
		}
		spoiled, err := w.Store.ResolveChanges(ctx, list)
		if err != nil {
			return err
		}
		if spoiled > 0 {
			w.Log.ErrorContext(ctx, "changes could not be applied and are kept as UNPARSED", "connectionId", connection, "count", spoiled)
		}
		last = waiting[len(waiting)-1]
	}
	return river.JobSnooze(0)
}
