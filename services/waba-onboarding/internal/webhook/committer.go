package webhook

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/whatrack/connect/services/internal/database"
	"github.com/whatrack/connect/services/internal/run"
)

const (
	maxBatch      = 256
	maxBatchBytes = 8 << 20
	queueLength   = 4096
	commitTimeout = 8 * time.Second
	committers    = 2
)

// Committer makes many bodies durable with one commit. It never waits by a clock for company: a batch is whatever queued
// while the commits before it ran, so that a lone sender pays for one commit and a crowd shares it. Two commits may run
// at a time, so that one gathers while the other waits for the disk; the second begins when most of the crowd is there,
// since a commit costs much the same whatever it keeps.
type Committer struct {
	insert func(context.Context, [][]byte) error

	mu      sync.Mutex
	queue   []*waiting
	running int // commits
	inside  int // bodies that they keep
	crowd   int // how many bodies there were at a time, lately
}

type waiting struct {
	body []byte
	done chan error
}

// NewCommitter makes a committer.
func NewCommitter(insert func(context.Context, [][]byte) error) *Committer {
	return &Committer{insert: insert}
}

// Keep implements Keeper: it returns when the body is durable, or is not. It does not end with its caller: Meta hangs up
// and comes again, and what is committed meanwhile is recognised.
func (c *Committer) Keep(body []byte) error {
	w := &waiting{body: body, done: make(chan error, 1)}
	begins, ok := c.join(w)
	if !ok {
		return ErrBusy
	}
	if begins && c.commit() {
		go c.drain() // whoever committed has an answer to give
	}
	return <-w.done
}

// join queues a body, and tells whether its sender is to commit.
func (c *Committer) join(w *waiting) (begins, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) >= queueLength {
		return false, false
	}
	c.queue = append(c.queue, w)
	return c.begins(), true
}

// begins tells whether a commit is to begin, and counts it. Callers hold mu.
func (c *Committer) begins() bool {
	queued := len(c.queue)
	few := c.running > 0 && queued < c.crowd*2/3
	if queued == 0 || few || c.running == committers {
		return false
	}
	c.running++
	return true
}

func (c *Committer) drain() {
	for c.commit() {
	}
}

// commit keeps a batch, and tells whether to go on.
func (c *Committer) commit() bool {
	batch := c.gather()
	c.keep(batch)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running, c.inside = c.running-1, c.inside-len(batch)
	return c.begins()
}

// keep answers each of a batch. When the database refuses what is in it, each is kept alone: one bad body must not fail
// its neighbours. When it is away or hangs, all fail at once, since alone each would only wait as long again; Meta comes
// again.
func (c *Committer) keep(batch []*waiting) {
	err := c.insertAll(batch)
	alone := err != nil && len(batch) > 1
	for _, w := range batch {
		if alone && !database.Passing(err) {
			err = c.insertAll([]*waiting{w})
		}
		w.done <- err
	}
}

// gather takes what one commit keeps. Requests that are about to queue do so first: a lone sender, beside whom nothing
// else is to run, waits for nobody.
func (c *Committer) gather() []*waiting {
	for before, now := 0, c.Waiting(); before < now && now < maxBatch; before, now = now, c.Waiting() {
		runtime.Gosched()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.crowd = max(len(c.queue)+c.inside, c.crowd-c.crowd/8-1)
	batch := slices.Clone(c.queue[:c.fits()])
	c.queue = slices.Delete(c.queue, 0, len(batch))
	c.inside += len(batch)
	return batch
}

// fits is how much of the queue one commit keeps.
func (c *Committer) fits() (count int) {
	for size := 0; count < min(len(c.queue), maxBatch) && size < maxBatchBytes; count++ {
		size += len(c.queue[count].body)
	}
	return count
}

// insertAll does not panic: others wait for its answer.
func (c *Committer) insertAll(batch []*waiting) error {
	if len(batch) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()
	bodies := make([][]byte, 0, len(batch))
	for _, w := range batch {
		bodies = append(bodies, w.body)
	}
	return run.Protect(func() error { return c.insert(ctx, bodies) })
}

// Waiting is how many bodies are queued.
func (c *Committer) Waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.queue)
}
