package rpc

import (
	"context"
	"errors"
	"time"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	"github.com/whatrack/connect/services/internal/fault"
)

const (
	// leastTime is what a call needs to be worth beginning.
	leastTime = 100 * time.Millisecond
	// answerTime is kept back, so that our own answer, which says what happened, arrives before the caller's clock ends
	// the call with none.
	answerTime = 20 * time.Millisecond
)

// deadlines gives every call an end, whatever its caller asked for.
type deadlines map[string]time.Duration

func (d deadlines) step(ctx context.Context, full string, next func(context.Context) error) error {
	timeout, ok := d[full]
	if !ok {
		timeout = defaultTimeout
	}
	return d.within(ctx, timeout, next)
}

// streamStep bounds only streams that have a time of their own: watching a health status has no natural end.
func (d deadlines) streamStep(ctx context.Context, full string, next func(context.Context) error) error {
	return d.within(ctx, d[full], next)
}

func (d deadlines) within(ctx context.Context, timeout time.Duration, next func(context.Context) error) error {
	if end, ok := ctx.Deadline(); ok {
		left := time.Until(end)
		if left < leastTime {
			return fault.New(errorsv1.ErrorReason_DEADLINE_EXCEEDED).With("left", max(left, 0).Round(time.Millisecond).String())
		}
		if left -= answerTime; timeout == 0 || left < timeout {
			timeout = left
		}
	}
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	return orEnd(ctx, next(ctx))
}

// orEnd names the true reason of an error that only came because the call had ended: a database says many things about a
// cancelled query, and none of them is an outage.
func orEnd(ctx context.Context, err error) error {
	ended := ctx.Err()
	if err == nil || ended == nil {
		return err
	}
	if _, ok := fault.As(err); ok && !errors.Is(err, ended) {
		return err
	}
	return endFault(ended).Cause(err)
}

// endFault is the fault of a context that ended.
func endFault(ended error) *fault.Error {
	if errors.Is(ended, context.DeadlineExceeded) {
		return fault.New(errorsv1.ErrorReason_DEADLINE_EXCEEDED)
	}
	return fault.New(errorsv1.ErrorReason_CANCELLED)
}

// untilDrained ends a stream when the server stops. For its client that is a stream that ended well, to be begun again
// elsewhere.
func untilDrained(draining context.Context) step {
	return func(ctx context.Context, _ string, next func(context.Context) error) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(draining, cancel)()
		err := next(ctx)
		if draining.Err() != nil && errors.Is(err, context.Canceled) {
			return nil
		}
		return err
	}
}
