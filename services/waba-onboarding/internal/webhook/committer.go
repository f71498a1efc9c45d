package webhook

import (
	"context"
	"time"

	"github.com/whatrack/connect/services/internal/run"
)

const (
	maxBatch      = 256
	maxBatchBytes = 8 << 20
	queueLength   = 4096
	commitTimeout = 8 * time.Second
	committers    = 2
)

// Committer makes many bodies durable with one commit. It never waits for company: a batch is whatever queued while the
// commits before it ran, so that a lone sender pays for one commit and a crowd shares it. Two commits may run at a time,
// so that one gathers while the other waits for the disk.
type Committer struct {
	insert func(context.Context, [][]byte) error
	queue  chan *waiting
	slots  chan struct{} // one for each commit that runs
}

type waiting struct {
	body []byte
	done chan error
}

// NewCommitter makes a committer.
func NewCommitter(insert func(context.Context, [][]byte) error) *Committer {
	return &Committer{insert: insert, queue: make(chan *waiting, queueLength), slots: make(chan struct{}, committers)}
}

// Keep implements Keeper: it returns when the body is durable, or is not. It does not end with its context: Meta hangs up
// and comes again, and what is committed meanwhile is recognised.
func (c *Committer) Keep(_ context.Context, body []byte) error {
	w := &waiting{body: body, done: make(chan error, 1)}
	select {
	case c.queue <- w:
	default:
		return ErrBusy
	}
	if c.acquire() {
		c.commit(c.gather())
		c.release()
	}
	return <-w.done
}

func (c *Committer) acquire() bool {
	select {
	case c.slots <- struct{}{}:
		return true
	default:
		return false
	}
}

// release gives a slot back. What queued meanwhile found none: it is committed by a goroutine of its own, since whoever
// had the slot has an answer to give.
func (c *Committer) release() {
	<-c.slots
	if len(c.queue) > 0 && c.acquire() {
		go c.drain()
	}
}

// drain commits until nothing is queued.
func (c *Committer) drain() {
	for len(c.queue) > 0 {
		c.commit(c.gather())
	}
	c.release()
}

// gather takes what is there, up to a batch.
func (c *Committer) gather() (batch []*waiting) {
	for size := 0; len(batch) < maxBatch && size < maxBatchBytes; {
		select {
		case w := <-c.queue:
			batch, size = append(batch, w), size+len(w.body)
		default:
			return batch
		}
	}
	return batch
}

// commit keeps a batch, or each of it alone: one bad body must not fail its neighbours.
func (c *Committer) commit(batch []*waiting) {
	if len(batch) == 0 { // others were quicker
		return
	}
	err := c.insertAll(batch)
	if err != nil && len(batch) > 1 {
		for _, w := range batch {
			w.done <- c.insertAll([]*waiting{w})
		}
		return
	}
	for _, w := range batch {
		w.done <- err
	}
}

// insertAll does not panic: others wait for its answer.
func (c *Committer) insertAll(batch []*waiting) error {
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()
	bodies := make([][]byte, 0, len(batch))
	for _, w := range batch {
		bodies = append(bodies, w.body)
	}
	return run.Protect(ctx, func(ctx context.Context) error { return c.insert(ctx, bodies) })
}

// Waiting is how many bodies are queued.
func (c *Committer) Waiting() int { return len(c.queue) }
