package rpc

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	"github.com/whatrack/connect/services/internal/fault"
)

// clientMargin is what a client gives the server beyond the server's own deadline.
const clientMargin = 2 * time.Second

// caller is the client's side of a call: it bounds it, passes its request id on, and makes faults of its errors.
type caller struct{ cfg ClientConfig }

// unary is a grpc.UnaryClientInterceptor.
//
//nolint:revive // argument-limit: the signature is the library's
func (c *caller) unary(ctx context.Context, full string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	bounded, cancel := c.bound(ctx, full)
	defer cancel()
	if id := RequestID(ctx); id != "" {
		bounded = metadata.AppendToOutgoingContext(bounded, requestIDKey, id)
	}
	err := invoke(bounded, full, req, reply, conn, opts...)
	if err == nil {
		return nil
	}
	return c.faultOf(ctx, err)
}

// bound gives the call an end where ctx has none.
func (c *caller) bound(ctx context.Context, full string) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	timeout, ok := c.cfg.Timeouts[full]
	if !ok {
		timeout = defaultTimeout
	}
	return context.WithTimeout(ctx, timeout+clientMargin)
}

func (c *caller) faultOf(ctx context.Context, err error) error {
	if f, ok := fault.As(fault.FromStatus(err)); ok {
		switch f.Reason() { //nolint:exhaustive // the rest is the server's answer, as it is
		case errorsv1.ErrorReason_UNAUTHENTICATED, errorsv1.ErrorReason_PERMISSION_DENIED, errorsv1.ErrorReason_UNIMPLEMENTED:
			return c.unavailable(f)
		}
		return f
	}
	if ended := ctx.Err(); ended != nil {
		return endFault(ended).Cause(err)
	}
	switch status.Code(err) {
	case codes.Unavailable, codes.DeadlineExceeded:
		return c.unavailable(err)
	}
	return err
}

func (c *caller) unavailable(err error) error {
	if c.cfg.Unavailable == errorsv1.ErrorReason_ERROR_REASON_UNSPECIFIED {
		return err
	}
	return fault.New(c.cfg.Unavailable).Cause(err)
}
