package rpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/run"
)

// checkTimeout is how long a readiness check may take; probes wait little longer.
const checkTimeout = 2 * time.Second

// Check is one thing that the service needs.
type Check struct {
	Name string
	Ask  func(context.Context) error
	// Aside is for what only a part of the service needs: its line tells, and readiness does not hang on it.
	Aside bool
}

// Admin answers probes: /livez as long as the process lives, /readyz by the checks, one line each. The lines name no
// host and quote no error, since probes are open to all; the log says more, once per change.
func Admin(log *slog.Logger, checks ...Check) http.Handler {
	a := &admin{log: log, checks: checks, failing: make([]bool, len(checks))}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { writeLines(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", a.ready)
	return mux
}

type admin struct {
	log     *slog.Logger
	checks  []Check
	mu      sync.Mutex
	failing []bool
}

func (a *admin) ready(w http.ResponseWriter, r *http.Request) {
	lines, errs := a.ask(r.Context())
	code := http.StatusOK
	for i, err := range errs {
		if err != nil && !a.checks[i].Aside {
			code = http.StatusServiceUnavailable
		}
		a.note(r.Context(), i, err)
	}
	writeLines(w, code, lines...)
}

// ask runs the checks side by side: the slowest decides how long a probe waits.
func (a *admin) ask(ctx context.Context) ([]string, []error) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	lines, errs := make([]string, len(a.checks)), make([]error, len(a.checks))
	var group sync.WaitGroup
	for i, check := range a.checks {
		group.Go(func() {
			errs[i] = run.Protect(func() error { return check.Ask(ctx) })
			lines[i] = check.Name + ": " + verdict(errs[i])
		})
	}
	group.Wait()
	return lines, errs
}

func verdict(err error) string {
	if err == nil {
		return "ok"
	}
	if f, ok := fault.As(err); ok {
		return f.Reason().String()
	}
	if errors.Is(err, errStopping) {
		return errStopping.Error()
	}
	return "failing"
}

func (a *admin) note(ctx context.Context, i int, err error) {
	a.mu.Lock()
	changed := a.failing[i] != (err != nil)
	a.failing[i] = err != nil
	a.mu.Unlock()
	switch {
	case changed && err != nil:
		a.log.WarnContext(ctx, "readiness check fails", "check", a.checks[i].Name, "error", err)
	case changed:
		a.log.InfoContext(ctx, "readiness check passes again", "check", a.checks[i].Name)
	}
}

func writeLines(w http.ResponseWriter, code int, lines ...string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_, _ = fmt.Fprintln(w, strings.Join(lines, "\n")) // a probe that went away is no error of ours
}
