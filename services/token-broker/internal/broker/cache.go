package broker

import (
	"context"
	"sync"
	"time"
)

// cacheLife is a hard time to live, counted from before the row was read: a revoked or replaced token stops being
// served after it on every replica, whatever was missed. Past it, without a database, nothing is served.
const cacheLife = 2 * time.Second

// cacheLimit bounds the memory that callers asking for many tokens can take.
const cacheLimit = 10_000

// key is what a caller asks for: an organization's WABA or token.
type key struct{ organization, waba, token string }

// cache holds opened tokens for two seconds. Callers that ask for the same one at the same time share one read.
type cache struct {
	load    func(context.Context, key) (access, error)
	share   share
	now     func() time.Time
	mu      sync.Mutex
	entries map[key]*cacheEntry
}

type cacheEntry struct {
	since  time.Time     // before the row was read
	loaded chan struct{} // closed when what follows stands
	access access
	err    error
}

func newCache(load func(context.Context, key) (access, error), beside share, now func() time.Time) *cache {
	return &cache{load: load, share: beside, now: now, entries: map[key]*cacheEntry{}}
}

// get answers from memory, from a read under way, or by a read of its own; never with what is past its life. Errors are
// shared by those who waited for them, and not kept.
func (c *cache) get(ctx context.Context, k key) (*cacheEntry, error) {
	for {
		entry, mine := c.entry(k)
		if mine {
			c.fill(ctx, k, entry)
		}
		if err := heard(ctx, entry.loaded); err != nil {
			return nil, err
		}
		if entry.err != nil {
			return nil, entry.err
		}
		if c.fresh(entry) {
			return entry, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
}

// heard waits until a channel is closed. It looks first whether it is, as it is for almost every call: waiting for two
// things costs more.
func heard(ctx context.Context, closed <-chan struct{}) error {
	select {
	case <-closed:
		return nil
	default:
	}
	select {
	case <-closed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *cache) fresh(e *cacheEntry) bool { return c.now().Sub(e.since) < cacheLife }

// entry finds a living entry, or makes one that the caller must fill.
func (c *cache) entry(k key) (entry *cacheEntry, mine bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if entry, ok := c.entries[k]; ok && c.fresh(entry) {
		return entry, false
	}
	if len(c.entries) >= cacheLimit {
		c.sweep()
	}
	entry = &cacheEntry{since: c.now(), loaded: make(chan struct{})}
	c.entries[k] = entry
	return entry, true
}

func (c *cache) fill(ctx context.Context, k key, entry *cacheEntry) {
	c.share(ctx, func(ctx context.Context) (err error) {
		entry.access, err = c.load(ctx, k)
		return err
	}, func(err error) {
		if entry.err = err; err != nil {
			c.drop(k, entry)
		}
		close(entry.loaded)
	})
}

// sweep makes room: what is past its life first, everything if that is not enough.
func (c *cache) sweep() {
	for k, entry := range c.entries {
		if !c.fresh(entry) {
			delete(c.entries, k)
		}
	}
	if len(c.entries) >= cacheLimit {
		clear(c.entries)
	}
}

func (c *cache) drop(k key, entry *cacheEntry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries[k] == entry {
		delete(c.entries, k)
	}
}

// forget drops everything, reads under way too: something changed in this process, so that the two seconds need not be
// waited out.
func (c *cache) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.entries)
}
