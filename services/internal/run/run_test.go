package run_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/whatrack/connect/services/internal/run"
)

func untilEnd(ctx context.Context) error {
	<-ctx.Done()
	return fmt.Errorf("loop: %w", ctx.Err())
}

func TestTheFirstFailureEndsAllAndIsAnswered(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	err := run.All(t.Context(), untilEnd, func(context.Context) error { return broken }, untilEnd)
	if !errors.Is(err, broken) || errors.Is(err, context.Canceled) {
		t.Errorf("All = %v, want only the failure itself", err)
	}
}

func TestTheEndOfTheContextIsNoFailure(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := run.All(ctx, untilEnd, func(context.Context) error { return nil }); err != nil {
		t.Errorf("All = %v, want nil", err)
	}
	timed, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := run.All(timed, untilEnd); err != nil {
		t.Errorf("All = %v after a deadline, want nil", err)
	}
}

func TestATaskThatIsDoneEarlyEndsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		start := time.Now()
		if err := run.All(ctx, untilEnd, func(context.Context) error { return nil }); err != nil {
			t.Errorf("All = %v, want nil", err)
		}
		if lasted := time.Since(start); lasted != time.Hour {
			t.Errorf("All lasted %v, want the whole hour", lasted)
		}
	})
}

func TestAPanicIsAFailure(t *testing.T) {
	t.Parallel()
	err := run.All(t.Context(), untilEnd, func(context.Context) error { panic("oh no") })
	if err == nil || !strings.Contains(err.Error(), "oh no") || !strings.Contains(err.Error(), "run_test.go") {
		t.Errorf("All = %v, want the panic and where it came from", err)
	}
}

func TestAllWaitsForEveryTaskAndJoinsItsFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		first, late := errors.New("first"), errors.New("close: late")
		ended := false
		err := run.All(t.Context(),
			func(context.Context) error { return first },
			func(ctx context.Context) error {
				<-ctx.Done()
				time.Sleep(time.Minute)
				ended = true
				return late
			})
		if !ended {
			t.Error("All returned before its last task")
		}
		if err == nil || err.Error() != "first\nclose: late" {
			t.Errorf("All = %v, want both failures, the first first", err)
		}
	})
}

func TestWhatRunsBesideATaskOutlivesIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		var order []string
		time.AfterFunc(time.Second, stop)
		err := run.Beside(ctx, func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(time.Minute)
			order = append(order, "task")
			return nil
		}, func(ctx context.Context) error {
			err := untilEnd(ctx)
			order = append(order, "other")
			return err
		})
		if err != nil || strings.Join(order, " ") != "task other" {
			t.Errorf("Beside = %v, and they ended in the order %v", err, order)
		}
	})
	broken := errors.New("broken")
	if err := run.Beside(t.Context(), untilEnd, func(context.Context) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("the other failed, and Beside = %v", err)
	}
	if err := run.Beside(t.Context(), func(context.Context) error { return broken }, untilEnd); !errors.Is(err, broken) {
		t.Errorf("the task failed, and Beside = %v", err)
	}
}

func TestNoTaskIsNoWork(t *testing.T) {
	t.Parallel()
	if err := run.All(t.Context()); err != nil {
		t.Errorf("All = %v", err)
	}
}

func TestAPauseEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if start := time.Now(); !run.Pause(ctx, time.Second) || time.Since(start) != time.Second {
			t.Errorf("a pause of a second ended after %v", time.Since(start))
		}
		if run.Pause(ctx, time.Hour) || ctx.Err() == nil {
			t.Error("a pause went on beyond its context")
		}
	})
}
