// Package bell hastens those who wait for a row to change.
//
// Who waits re-reads its row every so often, which is right on every database and with any number of replicas; a ring in
// the same process, after the commit, only makes it look at once.
package bell

import (
	"context"
	"sync"
	"time"
)

// every is how often a waiting caller looks without having heard anything.
const every = 250 * time.Millisecond

// Bell is rung by key. The zero value is ready.
type Bell struct {
	mu      sync.Mutex
	waiting map[string]*listeners
}

// listeners are those who wait for one key.
type listeners struct {
	heard chan struct{}
	count int
}

// Ring wakes all who wait for a key.
func (b *Bell) Ring(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l, ok := b.waiting[key]; ok {
		close(l.heard)
		delete(b.waiting, key)
	}
}

// Until calls look now, and again whenever the key rings or some time passed, until it says done, fails, or ctx ends.
// The error of an ended ctx is the caller's to judge: what was seen last is often a good answer.
func (b *Bell) Until(ctx context.Context, key string, look func(context.Context) (done bool, err error)) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		l := b.listen(key) // before looking, so that no ring is missed
		done, err := look(ctx)
		if done || err != nil {
			b.leave(key, l)
			return err
		}
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case <-l.heard:
		case <-ticker.C:
		}
		b.leave(key, l)
		if err != nil {
			return err
		}
	}
}

func (b *Bell) listen(key string) *listeners {
	b.mu.Lock()
	defer b.mu.Unlock()
	l, ok := b.waiting[key]
	if !ok {
		l = &listeners{heard: make(chan struct{})}
		if b.waiting == nil {
			b.waiting = map[string]*listeners{}
		}
		b.waiting[key] = l
	}
	l.count++
	return l
}

// leave forgets a key for which nobody waits any more: most keys are never rung in this process.
func (b *Bell) leave(key string, l *listeners) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l.count--
	if l.count == 0 && b.waiting[key] == l {
		delete(b.waiting, key)
	}
}
