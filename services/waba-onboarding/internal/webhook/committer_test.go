package webhook_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/whatrack/connect/services/waba-onboarding/internal/webhook"
)

// commits is a database that remembers its commits, and waits in each until it is let go.
type commits struct {
	mu      sync.Mutex
	batches [][][]byte
	entered chan struct{}
	release chan struct{}
}

var errPoison = errors.New("poison")

func (c *commits) insert(_ context.Context, bodies [][]byte) error {
	c.entered <- struct{}{}
	<-c.release
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, body := range bodies {
		if bytes.Equal(body, []byte("poison")) {
			return errPoison
		}
	}
	c.batches = append(c.batches, bodies)
	return nil
}

func run(t *testing.T, c *commits) *webhook.Committer {
	t.Helper()
	committer := webhook.NewCommitter(c.insert)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = committer.Run(context.Background())
	}()
	t.Cleanup(func() {
		committer.Close()
		<-ended
	})
	return committer
}

func TestWhatQueuedDuringACommitSharesTheNext(t *testing.T) {
	t.Parallel()
	c := &commits{entered: make(chan struct{}, 100), release: make(chan struct{}, 100)}
	committer := run(t, c)
	var group sync.WaitGroup
	keep := func(body string) {
		group.Go(func() {
			if err := committer.Keep(t.Context(), []byte(body)); err != nil {
				t.Errorf("%s: %v", body, err)
			}
		})
	}
	keep("first")
	<-c.entered // one committer holds the first
	keep("second")
	<-c.entered // the other holds the second
	for range 50 {
		keep("crowd")
	}
	for committer.Waiting() < 50 {
		time.Sleep(time.Millisecond)
	}
	close(c.release)
	group.Wait()
	if len(c.batches) > 4 {
		t.Errorf("52 bodies took %d commits", len(c.batches))
	}
}

func TestOneBadBodyDoesNotFailItsNeighbours(t *testing.T) {
	t.Parallel()
	c := &commits{entered: make(chan struct{}, 100), release: make(chan struct{}, 100)}
	committer := run(t, c)
	var group sync.WaitGroup
	group.Go(func() { _ = committer.Keep(t.Context(), []byte("a")) })
	<-c.entered // so that the second is not gathered with the first
	group.Go(func() { _ = committer.Keep(t.Context(), []byte("b")) })
	<-c.entered
	errs := make([]error, 3)
	for i, body := range []string{"good", "poison", "good"} {
		group.Go(func() { errs[i] = committer.Keep(t.Context(), []byte(body)) })
	}
	for committer.Waiting() < 3 {
		time.Sleep(time.Millisecond)
	}
	close(c.release)
	group.Wait()
	if errs[0] != nil || !errors.Is(errs[1], errPoison) || errs[2] != nil {
		t.Errorf("errors = %v", errs)
	}
}

func TestAFullQueueAndAClosedOneRefuse(t *testing.T) {
	t.Parallel()
	committer := webhook.NewCommitter(func(context.Context, [][]byte) error { return nil })
	committer.Close()
	if err := committer.Keep(t.Context(), nil); !errors.Is(err, webhook.ErrBusy) {
		t.Errorf("err = %v", err)
	}
}
