// Package sparse thins a log out: of lines that strangers or an outage can cause by the thousand, one of a kind in a
// while gets through, at once, and the next one says how many there were since.
package sparse

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Cause is the attribute that tells lines of one message apart. Like messages, causes are few and fixed: each is
// remembered for good.
const Cause = "cause"

// New is log with one line of a kind, which is a message with its Cause, in each interval. A line that stands for more
// than itself has their number as count.
func New(log *slog.Logger, every time.Duration) *slog.Logger {
	return slog.New(handler{log.Handler(), &kinds{every: every, seen: map[kind]*tally{}}})
}

type kind struct{ message, cause string }

type tally struct {
	last  time.Time
	count int // since last
}

type kinds struct {
	every time.Duration
	mu    sync.Mutex
	seen  map[kind]*tally
}

// pass tells whether the line of a kind gets through, and for how many it stands.
func (k *kinds) pass(of kind, now time.Time) (count int, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	t := k.seen[of]
	if t == nil {
		t = &tally{}
		k.seen[of] = t
	}
	t.count++
	if now.Sub(t.last) < k.every {
		return 0, false
	}
	count, t.count, t.last = t.count, 0, now
	return count, true
}

type handler struct {
	slog.Handler
	kinds *kinds
}

// Handle implements slog.Handler.
func (h handler) Handle(ctx context.Context, r slog.Record) error {
	of := kind{message: r.Message}
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == Cause {
			of.cause = a.Value.String()
		}
		return true
	})
	count, ok := h.kinds.pass(of, r.Time)
	if !ok {
		return nil
	}
	if count > 1 {
		r = r.Clone()
		r.AddAttrs(slog.Int("count", count))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attrs), h.kinds}
}

// WithGroup implements slog.Handler.
func (h handler) WithGroup(name string) slog.Handler {
	return handler{h.Handler.WithGroup(name), h.kinds}
}
