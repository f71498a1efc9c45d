package webhook

import (
	"context"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

const (
	// PruneEvery is how often it is looked for what is older than it must be kept.
	PruneEvery = time.Hour
	// resolveBatch is how many waiting changes are looked at in one go.
	resolveBatch = 200
)

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

// resolve gives what waited to the connection that was just proven, or knows another number.
func (w *Worker) resolve(ctx context.Context, connection uuid.UUID) error {
	var last uuid.UUID
	for {
		waiting, err := w.Store.WaitingChanges(ctx, connection, last, resolveBatch)
		if err != nil {
			return err
		}
		for _, change := range waiting {
			last = change.ID
			if err := w.Store.ResolveChange(ctx, change, w.Reader.Read(change)); err != nil {
				return err
			}
		}
		if len(waiting) < resolveBatch {
			if err := w.Store.IgnoreStale(ctx, connection); err != nil {
				return err
			}
			return w.Store.SeekUnknown(ctx, connection) // what waits yet
		}
	}
}
