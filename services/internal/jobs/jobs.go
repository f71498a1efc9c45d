// Package jobs runs background work with River, set up once for both services and both databases.
//
// A job is enqueued in the transaction that makes it necessary and carries ids only. What a job does is one idempotent
// step over the domain's own rows: River may run it twice (a paused worker is rescued), and a superfluous job finds
// nothing to do. A killed worker's job runs again within about a minute.
package jobs

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivertype"
	"gorm.io/gorm"

	"github.com/whatrack/connect/services/internal/database"
	"github.com/whatrack/connect/services/internal/run"
	"github.com/whatrack/connect/services/internal/sparse"
)

// Timeout bounds one run of a job. A Graph call has 10 s, so one fits with room for what stands around it.
const Timeout = 20 * time.Second

// rescueAfter is when a job counts as left by a dead worker.
const rescueAfter = 25 * time.Second

// concurrency is how many jobs a process runs at a time. Jobs wait for Meta more than they work.
const concurrency = 32

// maxAttempts is days of trying: a job ends when its rows say so, not because a database was away for a quarter of an
// hour.
const maxAttempts = 10_000

// Queue enqueues. It is safe for concurrent use.
type Queue struct{ client *river.Client[*sql.Tx] }

// NewQueue makes a queue that only enqueues: see Run.
func NewQueue(db *database.DB, log *slog.Logger) (*Queue, error) {
	client, err := river.NewClient(driver(db), &river.Config{Logger: quiet(log)})
	if err != nil {
		return nil, fmt.Errorf("open the job queue: %w", err)
	}
	return &Queue{client}, nil
}

// Add enqueues a job that is seen when tx commits, to run at once or at the given time.
func (q *Queue) Add(ctx context.Context, tx *gorm.DB, args river.JobArgs, at ...time.Time) error {
	inner, err := database.Tx(tx)
	if err != nil {
		return err
	}
	opts := &river.InsertOpts{MaxAttempts: maxAttempts}
	if len(at) > 0 {
		opts.ScheduledAt = at[0]
	}
	if _, err := q.client.InsertTx(ctx, inner, args, opts); err != nil {
		return fmt.Errorf("enqueue %s: %w", args.Kind(), err)
	}
	return nil
}

// Every is a job that one of the replicas runs at once and then regularly.
type Every struct {
	Interval time.Duration
	Args     river.JobArgs
}

// Run works jobs until ctx ends, then lets those that run finish.
func Run(ctx context.Context, db *database.DB, workers *river.Workers, log *slog.Logger, every ...Every) error {
	cfg := &river.Config{
		Queues:               map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: concurrency}},
		Workers:              workers,
		JobTimeout:           Timeout,
		RescueStuckJobsAfter: rescueAfter,
		RetryPolicy:          retries{},
		ErrorHandler:         failures{log},
		Logger:               quiet(log),
	}
	for _, e := range every {
		cfg.PeriodicJobs = append(cfg.PeriodicJobs, river.NewPeriodicJob(river.PeriodicInterval(e.Interval),
			func() (river.JobArgs, *river.InsertOpts) { return e.Args, nil }, &river.PeriodicJobOpts{RunOnStart: true}))
	}
	if db.Dialect() == database.SQLite { // it has no notify
		cfg.PollOnly = true
		cfg.FetchPollInterval, cfg.FetchCooldown = 20*time.Millisecond, 20*time.Millisecond
	}
	client, err := start(ctx, db, cfg, log)
	if err != nil {
		return err
	}
	<-ctx.Done()
	return stop(client)
}

const (
	startBudget = 30 * time.Second
	startPause  = 500 * time.Millisecond
)

// start starts a client, again for a while if need be: a connection that is cut while it starts must not end the
// process.
func start(ctx context.Context, db *database.DB, cfg *river.Config, log *slog.Logger) (*river.Client[*sql.Tx], error) {
	for deadline := time.Now().Add(startBudget); ; {
		client, err := river.NewClient(driver(db), cfg)
		if err != nil {
			return nil, fmt.Errorf("open the job runner: %w", err)
		}
		if err = client.Start(context.WithoutCancel(ctx)); err == nil {
			return client, nil
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("start the job runner: %w", err)
		}
		log.WarnContext(ctx, "the job runner could not start and is tried again", "error", err)
		if !run.Pause(ctx, startPause) {
			return nil, ctx.Err()
		}
	}
}

// stop lets running jobs finish; what is still running after the job timeout is cancelled and will be rescued.
func stop(client *river.Client[*sql.Tx]) error {
	soft, cancel := context.WithTimeout(context.Background(), Timeout)
	defer cancel()
	if err := client.Stop(soft); err == nil {
		return nil
	}
	hard, cancelHard := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancelHard()
	if err := client.StopAndCancel(hard); err != nil {
		return fmt.Errorf("stop the job runner: %w", err)
	}
	return nil
}

// retries is River's own policy for a job that failed instead of saying when to come again.
type retries struct{}

func (retries) NextRetry(job *rivertype.JobRow) time.Time { return time.Now().Add(After(job.Attempt)) }

// After is the pause after so many attempts.
func After(attempts int) time.Duration {
	delays := [...]time.Duration{1, 2, 5, 10, 20, 30}
	return delays[min(max(attempts, 1), len(delays))-1] * time.Second
}

func driver(db *database.DB) riverdriver.Driver[*sql.Tx] {
	if db.Dialect() == database.SQLite {
		return riversqlite.New(db.SQL())
	}
	return riverdatabasesql.NewWithPgxListener(db.SQL(), db.Listener())
}

// failures logs jobs that failed, which River itself only mentions: nobody else hears of them.
type failures struct{ log *slog.Logger }

// HandleError implements river.ErrorHandler.
func (f failures) HandleError(ctx context.Context, job *rivertype.JobRow, err error) *river.ErrorHandlerResult {
	f.log.WarnContext(ctx, "a job failed and is tried again", "kind", job.Kind, "jobId", job.ID, "attempt", job.Attempt, "error", err)
	return nil
}

// HandlePanic implements river.ErrorHandler.
func (f failures) HandlePanic(ctx context.Context, job *rivertype.JobRow, panicked any, trace string) *river.ErrorHandlerResult {
	f.log.ErrorContext(ctx, "a job panicked and is tried again", "kind", job.Kind, "jobId", job.ID, "attempt", job.Attempt,
		"panic", fmt.Sprint(panicked), "stack", trace)
	return nil
}

// quiet keeps River's notes about its own housekeeping out of our log, and most of what it says while the database is
// away, since it tries many times a second.
func quiet(log *slog.Logger) *slog.Logger {
	return sparse.New(slog.New(levelHandler{log.With("component", "jobs").Handler(), slog.LevelWarn}), 10*time.Second)
}

type levelHandler struct {
	slog.Handler
	min slog.Level
}

func (h levelHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= h.min && h.Handler.Enabled(ctx, level)
}

func (h levelHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return levelHandler{h.Handler.WithAttrs(attrs), h.min}
}

func (h levelHandler) WithGroup(name string) slog.Handler {
	return levelHandler{h.Handler.WithGroup(name), h.min}
}
