package jobs_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/riverqueue/river"
	"gorm.io/gorm"

	"github.com/whatrack/connect/services/internal/database"
	"github.com/whatrack/connect/services/internal/databasetest"
	"github.com/whatrack/connect/services/internal/jobs"
)

type pingArgs struct {
	Name string `json:"name"`
}

func (pingArgs) Kind() string { return "ping" }

func migrations() database.Migrations {
	nothing := &fstest.MapFile{Data: []byte("-- +goose Up\nselect 1;\n")}
	return database.Migrations{FS: fstest.MapFS{"postgres/0001_nothing.sql": nothing, "sqlite/0001_nothing.sql": nothing}}
}

// start runs jobs until the test ends and answers what ran.
func start(t *testing.T, db *database.DB, work func(attempt int) error, every ...jobs.Every) (*jobs.Queue, <-chan string) {
	t.Helper()
	queue, err := jobs.NewQueue(db, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ran := make(chan string, 100)
	workers := river.NewWorkers()
	attempt := 0
	river.AddWorker(workers, river.WorkFunc(func(_ context.Context, job *river.Job[pingArgs]) error {
		attempt++
		ran <- job.Args.Name
		return work(attempt)
	}))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- jobs.Run(ctx, db, workers, slog.New(slog.DiscardHandler), every...) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	return queue, ran
}

func next(t *testing.T, ran <-chan string) string {
	t.Helper()
	select {
	case name := <-ran:
		return name
	case <-time.After(20 * time.Second):
		t.Fatal("no job ran")
		return ""
	}
}

func TestAJobRunsWhenItsTransactionCommitsAndOnlyThen(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, migrations(), func(t *testing.T, db *database.DB) {
		t.Parallel()
		queue, ran := start(t, db, func(int) error { return nil })
		rolledBack := errors.New("rolled back")
		_ = db.InTx(t.Context(), func(tx *gorm.DB) error {
			return errors.Join(queue.Add(t.Context(), tx, pingArgs{"never"}), rolledBack)
		})
		if err := db.InTx(t.Context(), func(tx *gorm.DB) error { return queue.Add(t.Context(), tx, pingArgs{"once"}) }); err != nil {
			t.Fatal(err)
		}
		if got := next(t, ran); got != "once" {
			t.Errorf("ran %q", got)
		}
	})
}

func TestASnoozedJobComesAgain(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, migrations(), func(t *testing.T, db *database.DB) {
		t.Parallel()
		queue, ran := start(t, db, func(attempt int) error {
			if attempt == 1 {
				return river.JobSnooze(time.Second)
			}
			return nil
		})
		if err := db.InTx(t.Context(), func(tx *gorm.DB) error { return queue.Add(t.Context(), tx, pingArgs{"again"}) }); err != nil {
			t.Fatal(err)
		}
		next(t, ran)
		next(t, ran)
	})
}

func TestARegularJobRunsAtStart(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, migrations(), func(t *testing.T, db *database.DB) {
		t.Parallel()
		_, ran := start(t, db, func(int) error { return nil }, jobs.Every{Interval: time.Hour, Args: pingArgs{"regular"}})
		if got := next(t, ran); got != "regular" {
			t.Errorf("ran %q", got)
		}
	})
}

func TestADatabaseThatIsAwayIsALineAndNotAHundred(t *testing.T) {
	t.Parallel()
	db := databasetest.Open(t, databasetest.SQLiteURL(t, migrations()))
	rename := func(from, to string) {
		t.Helper()
		if _, err := db.SQL().ExecContext(t.Context(), "alter table "+from+" rename to "+to); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(func(context.Context, *river.Job[pingArgs]) error { return nil }))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- jobs.Run(ctx, db, workers, slog.New(slog.NewTextHandler(&out, nil))) }()
	rename("river_job", "away") // a fetch each 20 ms fails now
	time.Sleep(2 * time.Second)
	rename("away", "river_job")
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for line := range strings.Lines(out.String()) {
		_, message, _ := strings.Cut(line, " msg=")
		message, _, _ = strings.Cut(message, " error=")
		kinds[message]++
	}
	if len(kinds) == 0 {
		t.Error("nothing was said")
	}
	for message, count := range kinds {
		if count > 1 {
			t.Errorf("%s: %d times", message, count)
		}
	}
}

func TestDelaysGrowAndStayBounded(t *testing.T) {
	t.Parallel()
	if jobs.After(0) != time.Second || jobs.After(3) != 5*time.Second || jobs.After(99) != 30*time.Second {
		t.Errorf("delays: %v %v %v", jobs.After(0), jobs.After(3), jobs.After(99))
	}
}
