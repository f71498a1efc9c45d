package bell_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/whatrack/connect/services/internal/bell"
)

func TestARingMakesTheWaitingLookAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b bell.Bell
		var ready atomic.Bool
		start := time.Now()
		go func() {
			time.Sleep(10 * time.Millisecond)
			ready.Store(true)
			b.Ring("row")
		}()
		err := b.Until(t.Context(), "row", func(context.Context) (bool, error) { return ready.Load(), nil })
		if err != nil || time.Since(start) != 10*time.Millisecond {
			t.Errorf("heard after %v: %v", time.Since(start), err)
		}
	})
}

func TestWhoHearsNothingLooksAnyway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b bell.Bell
		looks := 0
		err := b.Until(t.Context(), "row", func(context.Context) (bool, error) {
			looks++
			return looks == 3, nil
		})
		if err != nil || looks != 3 {
			t.Errorf("%d looks, %v", looks, err)
		}
	})
}

func TestWaitingEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b bell.Bell
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := b.Until(ctx, "row", func(context.Context) (bool, error) { return false, nil })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("err = %v", err)
		}
	})
}

func TestNobodyIsRememberedWhoNoLongerWaits(t *testing.T) {
	t.Parallel()
	var b bell.Bell
	for range 100 {
		_ = b.Until(t.Context(), t.Name(), func(context.Context) (bool, error) { return true, nil })
	}
	if got := b.Waiting(); got != 0 {
		t.Errorf("%d keys are remembered", got)
	}
}
