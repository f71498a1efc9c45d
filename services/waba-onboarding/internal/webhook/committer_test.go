package webhook_test

import (
	"bytes"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	"github.com/whatrack/connect/services/internal/fault"
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

// eventually waits until something is so.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not so after a while: %s", what)
		}
	}
}

func TestWhatQueuedDuringACommitSharesTheNext(t *testing.T) {
	t.Parallel()
	c := &commits{entered: make(chan struct{}, 100), release: make(chan struct{}, 100)}
	committer := webhook.NewCommitter(c.insert)
	var group sync.WaitGroup
	keep := func(body string) {
		group.Go(func() {
			if err := committer.Keep([]byte(body)); err != nil {
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
	eventually(t, "fifty wait", func() bool { return committer.Waiting() == 50 })
	close(c.release)
	group.Wait()
	if len(c.batches) > 4 {
		t.Errorf("52 bodies took %d commits", len(c.batches))
	}
}

func TestASecondCommitWaitsForMostOfTheCrowdAndForNobodyOnceItIsGone(t *testing.T) {
	t.Parallel()
	c := &commits{entered: make(chan struct{}, 100), release: make(chan struct{}, 100)}
	committer := webhook.NewCommitter(c.insert)
	var group sync.WaitGroup
	keep := func() { group.Go(func() { _ = committer.Keep([]byte("body")) }) }
	await := func(waiting int) {
		t.Helper()
		eventually(t, fmt.Sprintf("%d wait", waiting), func() bool { return committer.Waiting() == waiting })
	}
	commit := func() { c.release <- struct{}{} }
	keep()
	<-c.entered
	keep()
	<-c.entered // beside one body, one may begin
	for range 10 {
		keep()
	}
	await(10)
	commit()
	<-c.entered // ten, which are the crowd now
	keep()
	await(1) // few beside a crowd
	commit()
	commit()
	<-c.entered
	commit()
	group.Wait()
	for range 20 { // alone for a while
		keep()
		<-c.entered
		commit()
		group.Wait()
	}
	keep()
	<-c.entered
	keep()
	<-c.entered
	commit()
	commit()
	group.Wait()
}

func TestOneBadBodyDoesNotFailItsNeighbours(t *testing.T) {
	t.Parallel()
	c := &commits{entered: make(chan struct{}, 100), release: make(chan struct{}, 100)}
	committer := webhook.NewCommitter(c.insert)
	var group sync.WaitGroup
	group.Go(func() { _ = committer.Keep([]byte("a")) })
	<-c.entered // so that the second is not gathered with the first
	group.Go(func() { _ = committer.Keep([]byte("b")) })
	<-c.entered
	errs := make([]error, 3)
	for i, body := range []string{"good", "poison", "good"} {
		group.Go(func() { errs[i] = committer.Keep([]byte(body)) })
	}
	eventually(t, "three wait", func() bool { return committer.Waiting() == 3 })
	close(c.release)
	group.Wait()
	if errs[0] != nil || !errors.Is(errs[1], errPoison) || errs[2] != nil {
		t.Errorf("errors = %v", errs)
	}
}

func TestABatchFailsAtOnceWhenTheDatabaseIsAwayOrHangs(t *testing.T) {
	t.Parallel()
	for name, away := range map[string]error{
		"away":  fmt.Errorf("keep: %w", fault.New(errorsv1.ErrorReason_STORAGE_UNAVAILABLE).Cause(driver.ErrBadConn)),
		"hangs": errors.Join(context.DeadlineExceeded, errors.New("canceling statement due to user request")),
	} {
		c := &commits{entered: make(chan struct{}, 100), release: make(chan struct{}, 100)}
		var tries atomic.Int64
		committer := webhook.NewCommitter(func(ctx context.Context, bodies [][]byte) error {
			_ = c.insert(ctx, bodies)
			tries.Add(1)
			return away
		})
		var group sync.WaitGroup
		keep := func() {
			group.Go(func() {
				if err := committer.Keep([]byte("body")); !errors.Is(err, away) {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
		for range 2 {
			keep()
			<-c.entered // so that it is alone in its batch
		}
		for range 5 {
			keep()
		}
		eventually(t, "five wait", func() bool { return committer.Waiting() == 5 })
		close(c.release)
		group.Wait()
		if n := tries.Load(); n > 4 { // the two, and the others in one batch or two
			t.Errorf("%s: %d tries", name, n)
		}
	}
}

func TestAFullQueueRefusesAndIsKeptAllTheSame(t *testing.T) {
	t.Parallel()
	c := &commits{entered: make(chan struct{}, 100), release: make(chan struct{})}
	committer := webhook.NewCommitter(c.insert)
	var group sync.WaitGroup
	var kept, refused atomic.Int64
	keep := func() {
		switch err := committer.Keep([]byte("body")); {
		case err == nil:
			kept.Add(1)
		case errors.Is(err, webhook.ErrBusy):
			refused.Add(1)
		default:
			t.Error(err)
		}
	}
	for range 2 {
		group.Go(keep)
		<-c.entered // so that it is alone in its batch
	}
	const more = 5000
	for range more {
		group.Go(keep)
	}
	eventually(t, "each waits or is refused", func() bool { return refused.Load()+int64(committer.Waiting()) >= more })
	if refused.Load() == 0 {
		t.Error("none was refused")
	}
	close(c.release)
	group.Wait()
	if kept.Load()+refused.Load() != more+2 {
		t.Errorf("%d were kept and %d refused", kept.Load(), refused.Load())
	}
}

func TestAPanicIsAnErrorAndHoldsNobody(t *testing.T) {
	t.Parallel()
	panics := true
	committer := webhook.NewCommitter(func(context.Context, [][]byte) error {
		if panics {
			panic("canary")
		}
		return nil
	})
	if err := committer.Keep([]byte("a")); err == nil {
		t.Error("no error")
	}
	panics = false
	for range 3 {
		if err := committer.Keep([]byte("b")); err != nil {
			t.Error(err)
		}
	}
}
