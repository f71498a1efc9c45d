package rpc

import (
	"context"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	"github.com/whatrack/connect/services/internal/fault"
)

// step is one thing that happens around every call, written once for unary calls and for streams.
type step func(ctx context.Context, full string, next func(context.Context) error) error

// around nests steps, the first outermost.
func around(steps ...step) step {
	return func(ctx context.Context, full string, next func(context.Context) error) error {
		for _, s := range slices.Backward(steps) {
			inner := next
			next = func(ctx context.Context) error { return s(ctx, full, inner) }
		}
		return next(ctx)
	}
}

// chain is what every call passes.
type chain struct {
	unary, stream step
	rules         *validator
	policy        Policy
}

// check is what a request passes once it is read: the rules of the contract, and what a customer in a browser may name.
func (c *chain) check(ctx context.Context, full string, req any) error {
	if err := c.rules.validate(req); err != nil {
		return err
	}
	c.policy.tellOrganization(ctx, req)
	return c.policy.confine(ctx, full, req)
}

// guard wraps each method of a service. Interceptors of gRPC would come too late for this: they run after the request
// was parsed, so that strangers would have their bytes parsed for them, and what does not parse would leave no trace.
func (c *chain) guard(desc *grpc.ServiceDesc) *grpc.ServiceDesc {
	guarded := *desc
	guarded.Methods = slices.Clone(desc.Methods)
	for i := range guarded.Methods {
		inner, full := guarded.Methods[i].Handler, "/"+desc.ServiceName+"/"+guarded.Methods[i].MethodName
		guarded.Methods[i].Handler = func(srv any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			var resp any
			err := c.unary(ctx, full, func(ctx context.Context) (err error) {
				resp, err = inner(srv, ctx, readable(decode), c.checked)
				return err
			})
			if err != nil {
				return nil, err
			}
			return resp, nil
		}
	}
	return &guarded
}

// checked is a grpc.UnaryServerInterceptor.
func (c *chain) checked(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if err := c.check(ctx, info.FullMethod, req); err != nil {
		return nil, err
	}
	return next(ctx, req)
}

// readable says whose fault it is when a message can not be read: the caller's. Only the log hears of it; gRPC has sent
// words of its own by then, which tell nothing about us.
func readable(decode func(any) error) func(any) error {
	return func(msg any) error {
		err := decode(msg)
		switch status.Code(err) {
		case codes.ResourceExhausted:
			return fault.New(errorsv1.ErrorReason_BODY_TOO_LARGE).Cause(err)
		case codes.Internal:
			return fault.Field("body", "is not a message of this method").Cause(err)
		}
		return err
	}
}

func (c *chain) aroundStream(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	return c.stream(stream.Context(), info.FullMethod, func(ctx context.Context) error {
		return handler(srv, &checkedStream{stream, ctx, c, info.FullMethod})
	})
}

// unknown serves what no service has. The gate answers before it; this is for the day that it does not.
func unknown(any, grpc.ServerStream) error { return fault.New(errorsv1.ErrorReason_UNIMPLEMENTED) }

type checkedStream struct {
	grpc.ServerStream
	ctx   context.Context
	chain *chain
	full  string
}

// Context implements grpc.ServerStream.
func (s *checkedStream) Context() context.Context { return s.ctx }

// RecvMsg implements grpc.ServerStream.
func (s *checkedStream) RecvMsg(req any) error {
	if err := s.ServerStream.RecvMsg(req); err != nil {
		return err
	}
	return s.chain.check(s.ctx, s.full, req)
}
