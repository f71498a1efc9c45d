// Package run owns the goroutines of a process: it starts tasks together and ends them together.
//
// It promises that All returns only when every task has returned, that the first failure ends the others, and that a
// panic in a task is a failure like any other and not the end of the process. It refuses to end a task by force: a task
// must return when its context ends.
package run

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// Task is work that goes on until its context ends.
type Task = func(ctx context.Context) error

// All runs the tasks and waits for all of them. When ctx ends, or as soon as one task fails, the context of all ends.
//
// A task that returns the error of its ended context has done what it was told, and All answers nil for it. A task that
// returns nil early ends nothing either: it had nothing left to do (a watcher without a file to watch, a migration), and
// its neighbours go on. Failures are joined in the order in which they came, the one that ended the rest first.
func All(ctx context.Context, tasks ...Task) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := failures{}
	var group sync.WaitGroup
	for _, task := range tasks {
		group.Go(func() {
			err := Protect(func() error { return task(ctx) })
			ended := ctx.Err()
			if err == nil || (ended != nil && errors.Is(err, ended)) {
				return
			}
			failed.add(err)
			cancel()
		})
	}
	group.Wait()
	return errors.Join(failed.errs...)
}

// Beside runs task, and other until task has ended: a probe outlives what it tells of. When other fails, task ends too.
func Beside(ctx context.Context, task, other Task) error {
	until, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	return All(ctx,
		func(ctx context.Context) error {
			defer end()
			return task(ctx)
		},
		func(context.Context) error {
			if err := other(until); until.Err() == nil || !errors.Is(err, until.Err()) {
				return err
			}
			return nil
		})
}

type failures struct {
	mu   sync.Mutex
	errs []error
}

func (f *failures) add(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.errs = append(f.errs, err)
}

// Protect runs f, of which a panic is an error that says where it came from. Such a text is for logs alone.
func Protect(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return f()
}

// Protected is f under Protect, for whoever runs it elsewhere: River catches the panics of a job, but not those of the
// goroutines that it starts.
func Protected(f func() error) func() error {
	return func() error { return Protect(f) }
}

// Pause waits, and is false when ctx ended first.
func Pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
