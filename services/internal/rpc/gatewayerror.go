package rpc

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	"github.com/whatrack/connect/services/internal/fault"
)

// handleError answers every error that the mux meets once it knows the method.
//
//nolint:revive // argument-limit: the signature is the library's
func (g *Gateway) handleError(ctx context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, _ *http.Request, err error) {
	x := exchangeOf(ctx)
	st := g.statusOf(ctx, x, err)
	writeStatus(w, st, runtime.HTTPStatusFromCode(st.Code()))
}

// handleRoutingError answers for paths and methods that the API does not have.
//
//nolint:revive // argument-limit: the signature is the library's
func (g *Gateway) handleRoutingError(ctx context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, code int) {
	if code == http.StatusMethodNotAllowed { // RFC 9110, 15.5.6; the API knows GET and POST only
		switch r.Method {
		case http.MethodPost:
			w.Header().Set("Allow", http.MethodGet)
		case http.MethodGet:
			w.Header().Set("Allow", http.MethodPost)
		default:
			w.Header().Set("Allow", "GET, POST")
		}
	}
	x, f := exchangeOf(ctx), fault.New(errorsv1.ErrorReason_UNIMPLEMENTED)
	g.note(ctx, x, f)
	writeStatus(w, f.Status(x.language), code)
}

// note is the log line of a request that comes to no call, which has one of its own. Names and values of its fields stay
// out of it: a code may stand there by mistake.
func (g *Gateway) note(ctx context.Context, x *exchange, f *fault.Error) {
	attrs := []slog.Attr{slog.String("code", f.Code().String()), slog.String("reason", f.Reason().String()), slog.String("requestId", x.requestID)}
	if r := x.request; r != nil {
		attrs = append(attrs, slog.String("method", r.Method), slog.String("path", cut(r.URL.Path, maxMethodName)), slog.String("peer", r.RemoteAddr))
	}
	g.log.LogAttrs(ctx, slog.LevelWarn, "a request is refused", attrs...)
}

// statusOf is the server's own status, which is in the caller's language and in the log already, or that of a fault which
// the gateway found by itself. Texts of libraries stay here.
func (g *Gateway) statusOf(ctx context.Context, x *exchange, err error) *status.Status {
	f := faultBefore(ctx, x, err)
	switch st := status.Convert(err); {
	case f != nil:
		g.note(ctx, x, f)
	case hasReason(st):
		return st
	case ctx.Err() != nil:
		f = endFault(ctx.Err())
	default:
		g.log.ErrorContext(ctx, "gateway failed", "requestId", x.requestID, "error", err)
		f = fault.New(errorsv1.ErrorReason_INTERNAL).With("requestId", x.requestID)
	}
	return f.Status(x.language)
}

// faultBefore is what the gateway finds wrong with a request before there is a call; nil when that is nothing.
func faultBefore(ctx context.Context, x *exchange, err error) *fault.Error {
	var own *fault.Error
	var malformed *runtime.HTTPStatusError
	switch st := status.Convert(err); {
	case x.body != nil:
		return x.body
	case errors.As(err, &own):
		return own
	case hasReason(st), ctx.Err() != nil:
		return nil
	case st.Code() == codes.InvalidArgument:
		return queryFault(ctx, x)
	case errors.As(err, &malformed):
		return fault.Field("path", "is not percent-encoded as it should be")
	}
	return nil
}

// statusOfStream is statusOf for a stream that has begun: only the server's own words pass.
func statusOfStream(ctx context.Context, err error) *status.Status {
	if st := status.Convert(err); hasReason(st) {
		return st
	}
	x := exchangeOf(ctx)
	return fault.New(errorsv1.ErrorReason_INTERNAL).With("requestId", x.requestID).Status(x.language)
}

// hasReason tells a status that our own server made from what the transport made.
func hasReason(st *status.Status) bool {
	for _, detail := range st.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetDomain() == fault.Domain {
			return true
		}
	}
	return false
}

// writeStatus writes an error: the google.rpc.Status as JSON, and what HTTP has headers for.
func writeStatus(w http.ResponseWriter, st *status.Status, code int) {
	body, err := protojson.Marshal(st.Proto())
	if err != nil { // can not happen: our details are all known types
		body = []byte(`{"code":13,"message":"internal"}`)
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	if st.Code() == codes.Unauthenticated {
		header.Set("WWW-Authenticate", "Bearer")
	}
	if delay := retryDelay(st); delay > 0 {
		header.Set("Retry-After", strconv.Itoa(int(math.Ceil(delay.Seconds()))))
	}
	w.WriteHeader(code)
	_, _ = w.Write(body) //nolint:gosec // G705: JSON, by its content type and nosniff. A caller that went away is no error
}

func retryDelay(st *status.Status) time.Duration {
	for _, detail := range st.Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			return info.GetRetryDelay().AsDuration()
		}
	}
	return 0
}
