package webhook

import (
	"context"
	"sync"
	"time"
)

const (
	maxBatch      = 256
	maxBatchBytes = 8 << 20
	queueLength   = 4096
	commitTimeout = 8 * time.Second
	committers    = 2
)

// Committer makes many bodies durable with one commit. It never waits for company: a batch is whatever queued while the
// commit before it ran, so that a lone sender pays for one commit and a crowd shares it. Two take turns, so that one
// gathers while the other waits for the disk.
type Committer struct {
	insert func(context.Context, [][]byte) error
	queue  chan *waiting
	mu     sync.RWMutex // guards closed, so that nothing is sent on a closed queue
	closed bool
}

type waiting struct {
	body []byte
	done chan error
}

// NewCommitter makes a committer. Its Run must run beside the server.
func NewCommitter(insert func(context.Context, [][]byte) error) *Committer {
	return &Committer{insert: insert, queue: make(chan *waiting, queueLength)}
}

// Keep implements Keeper: it returns when the body is durable, or is not. It does not end with its context: Meta hangs up
// and comes again, and what is committed meanwhile is recognised.
func (c *Committer) Keep(_ context.Context, body []byte) error {
	w := &waiting{body: body, done: make(chan error, 1)}
	if !c.enqueue(w) {
		return ErrBusy
	}
	return <-w.done
}

func (c *Committer) enqueue(w *waiting) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.closed {
		return false
	}
	select {
	case c.queue <- w:
		return true
	default:
		return false
	}
}

// Close takes no more, and ends Run once the queue is empty.
func (c *Committer) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.closed = true
		close(c.queue)
	}
}

// lastWait is how long after its context's end Run waits for Close.
const lastWait = time.Minute

// Run commits until Close. It does not end with its context, since requests that were let in are still to be answered;
// only if nobody closes does it end by itself.
func (c *Committer) Run(ctx context.Context) error {
	forgotten := context.AfterFunc(ctx, func() { time.AfterFunc(lastWait, c.Close) })
	defer forgotten()
	var group sync.WaitGroup
	for range committers {
		group.Go(c.work)
	}
	group.Wait()
	return nil
}

func (c *Committer) work() {
	for first := range c.queue {
		c.commit(c.gather(first))
	}
}

// gather takes what is there, up to a batch.
func (c *Committer) gather(first *waiting) []*waiting {
	batch, size := []*waiting{first}, len(first.body)
	for len(batch) < maxBatch && size < maxBatchBytes {
		select {
		case w, ok := <-c.queue:
			if !ok {
				return batch
			}
			batch, size = append(batch, w), size+len(w.body)
		default:
			return batch
		}
	}
	return batch
}

// commit keeps a batch, or each of it alone: one bad body must not fail its neighbours.
func (c *Committer) commit(batch []*waiting) {
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

func (c *Committer) insertAll(batch []*waiting) error {
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()
	bodies := make([][]byte, 0, len(batch))
	for _, w := range batch {
		bodies = append(bodies, w.body)
	}
	return c.insert(ctx, bodies)
}

// Waiting is how many bodies are queued.
func (c *Committer) Waiting() int { return len(c.queue) }
