// Command bench measures what is asked of whatrack-connect and prints each figure beside a bare baseline of the same run,
// so that a slow machine is not mistaken for a slow program. docs/performance.md says how to read it.
//
// Everything runs in this process but the devstack and the senders of webhooks: the two services as production wires them, with mTLS between them
// and to the measuring client, and the simulated Meta. SQLite is always measured, PostgreSQL where TEST_DATABASE_URL is
// set; `make bench` sets it.
package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := realMain(ctx, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func realMain(ctx context.Context, stdout, stderr io.Writer) int {
	var err error
	if len(os.Args) > 1 && os.Args[1] == sendCommand {
		err = send(ctx, os.Args[2:], stdout)
	} else {
		err = measureAll(ctx, stdout)
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	return 0
}

func measureAll(ctx context.Context, stdout io.Writer) error {
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	return measure(ctx, dir, stdout)
}

// measure prints a line as soon as it is known.
func measure(ctx context.Context, dir string, stdout io.Writer) error {
	out := &table{tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)}
	fmt.Fprintf(stdout, "%s, %s, %d cores, load %s%s\n\n", commit(ctx), runtime.Version(), runtime.NumCPU(), load(), serverSays(ctx))
	out.line("figure", "ours", "baseline", "ratio")
	for _, storage := range storages() {
		if err := onStorage(ctx, filepath.Join(dir, storage), storage, out); err != nil {
			return fmt.Errorf("on %s: %w", storage, err)
		}
	}
	return measureDevstack(ctx, dir, out)
}

const (
	sqlite   = "sqlite"
	postgres = "postgres"
)

func storages() []string {
	if os.Getenv("TEST_DATABASE_URL") == "" {
		return []string{sqlite}
	}
	return []string{sqlite, postgres}
}

func onStorage(ctx context.Context, dir, storage string, out *table) (err error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	p, err := newPair(ctx, dir, storage)
	if err != nil {
		return err
	}
	defer p.close()
	if err := p.measureClaims(ctx, storage, out); err != nil {
		return err
	}
	if err := p.measureArrival(ctx, storage, out); err != nil {
		return err
	}
	if storage == sqlite {
		return nil // what follows does not touch the database, or is compared with PostgreSQL
	}
	if err := p.measureIntake(ctx, out); err != nil {
		return err
	}
	if err := p.measureWarm(ctx, out); err != nil {
		return err
	}
	return p.measureCold(ctx, out)
}

// table aligns what is printed.
type table struct{ w *tabwriter.Writer }

func (t *table) line(cells ...string) {
	_, _ = fmt.Fprintln(t.w, strings.Join(cells, "\t"))
	_ = t.w.Flush() // what is known is shown
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}

// commit names what is measured.
func commit(ctx context.Context) string {
	hash, err := output(ctx, "git", "rev-parse", "--short", "HEAD")
	if err != nil {
		return "no commit"
	}
	if changed, err := output(ctx, "git", "status", "--porcelain", "--untracked-files=no"); err != nil || changed != "" {
		hash += " with changes"
	}
	return hash
}

// serverSays tells which PostgreSQL it is, and what a commit is worth there.
func serverSays(ctx context.Context) string {
	db, err := sql.Open("pgx", os.Getenv("TEST_DATABASE_URL"))
	if err != nil {
		return ""
	}
	defer func() { _ = db.Close() }()
	said := ""
	for _, setting := range []string{"server_version", "fsync", "synchronous_commit", "default_toast_compression"} {
		var value string
		if db.QueryRowContext(ctx, "select current_setting($1)", setting).Scan(&value) == nil {
			said += fmt.Sprintf(", %s %s", setting, value)
		}
	}
	return said
}

// load tells how busy the machine is with other things.
func load() string {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(data), " ")
	return first
}
