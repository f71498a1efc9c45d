package broker

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/whatrack/connect/services/token-broker/internal/store"
)

// flushEvery is how often counts that are only in memory are written: what a crash can cost of a lower bound.
const flushEvery = 5 * time.Second

// reveals counts who was shown which token. That it happened at all is written before the first answer of each minute;
// how often, a little later.
type reveals struct {
	store *store.Store
	now   func() time.Time
	share share
	mu    sync.Mutex
	seen  map[revealKey]*revealCount
}

type revealKey struct {
	caller, token string
	minute        int64 // Unix minutes
}

type revealCount struct {
	written chan struct{} // closed when the first reveal is on record, or could not be put there (err)
	err     error
	unsaved int64
}

func newReveals(s *store.Store, now func() time.Time, beside share) *reveals {
	return &reveals{store: s, now: now, share: beside, seen: map[revealKey]*revealCount{}}
}

// note counts one reveal. It fails when the first of the minute can not be written: no audit, no act.
func (r *reveals) note(ctx context.Context, caller, token string) error {
	k := revealKey{caller, token, r.now().Unix() / 60}
	r.mu.Lock()
	count, ok := r.seen[k]
	if ok {
		count.unsaved++
	} else {
		count = &revealCount{written: make(chan struct{})}
		r.seen[k] = count
	}
	r.mu.Unlock()
	if !ok {
		r.writeFirst(ctx, k, count)
	}
	if err := heard(ctx, count.written); err != nil {
		return err
	}
	return count.err
}

func (r *reveals) writeFirst(ctx context.Context, k revealKey, count *revealCount) {
	r.share(ctx, func(ctx context.Context) error {
		return r.store.CountReveals(ctx, []store.Reveal{k.row(1)})
	}, func(err error) {
		if count.err = err; err != nil {
			r.forget(k) // the next caller tries again
		}
		close(count.written)
	})
}

func (r *reveals) forget(k revealKey) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.seen, k)
}

func (k revealKey) row(count int64) store.Reveal {
	return store.Reveal{Caller: k.caller, TokenID: k.token, Minute: time.Unix(k.minute*60, 0).UTC(), Count: count}
}

// flushUntil writes counts regularly, and once more at the end. The end does not cancel a write under way: nobody could
// tell then whether it counts.
func (r *reveals) flushUntil(ctx context.Context, log *slog.Logger) {
	ticker := time.NewTicker(flushEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			r.flush(context.WithoutCancel(ctx), log)
			return
		case <-ticker.C:
			r.flush(context.WithoutCancel(ctx), log)
		}
	}
}

// flush writes what is unsaved and forgets minutes that are over. Counts that could not be written are put back.
func (r *reveals) flush(ctx context.Context, log *slog.Logger) {
	rows, keys := r.takeUnsaved()
	if len(rows) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, flushEvery)
	defer cancel()
	if err := r.store.CountReveals(ctx, rows); err != nil {
		log.WarnContext(ctx, "reveals could not be counted yet", "error", err)
		r.putBack(keys, rows)
	}
}

// takeUnsaved leaves out those whose first reveal is not on record yet: they may never be answered. The rows are in
// order, so that two brokers that write the same ones do not wait for each other.
func (r *reveals) takeUnsaved() (rows []store.Reveal, keys []revealKey) {
	minute := r.now().Unix() / 60
	r.mu.Lock()
	defer r.mu.Unlock()
	for k, count := range r.seen {
		switch {
		case !count.onRecord():
		case count.unsaved > 0:
			keys = append(keys, k)
		case k.minute < minute:
			delete(r.seen, k)
		}
	}
	slices.SortFunc(keys, revealKey.compare)
	for _, k := range keys {
		rows = append(rows, k.row(r.seen[k].unsaved))
		r.seen[k].unsaved = 0
	}
	return rows, keys
}

func (c *revealCount) onRecord() bool {
	select {
	case <-c.written:
		return c.err == nil
	default:
		return false
	}
}

func (k revealKey) compare(other revealKey) int {
	return cmp.Or(cmp.Compare(k.caller, other.caller), cmp.Compare(k.token, other.token), cmp.Compare(k.minute, other.minute))
}

func (r *reveals) putBack(keys []revealKey, rows []store.Reveal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, k := range keys {
		if count, ok := r.seen[k]; ok {
			count.unsaved += rows[i].Count
		}
	}
}
