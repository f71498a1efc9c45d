package rpc

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	"github.com/whatrack/connect/services/internal/fault"
)

// recoverStep is the outermost: it answers even when observe itself breaks.
func recoverStep(log *slog.Logger) step {
	return func(ctx context.Context, full string, next func(context.Context) error) (err error) {
		defer func() {
			if p := recover(); p != nil {
				log.ErrorContext(ctx, "rpc panicked outside of its handler", "method", full, "panic", fmt.Sprint(p),
					"stack", string(debug.Stack()))
				err = fault.New(errorsv1.ErrorReason_INTERNAL).Status(fault.English).Err()
			}
		}()
		return next(ctx)
	}
}
