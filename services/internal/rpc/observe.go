package rpc

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"regexp"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/run"
)

const (
	requestIDKey  = "x-request-id"
	languageKey   = "accept-language"
	forwardedKey  = "x-forwarded-for"
	maxLogged     = 4096
	maxName       = 64
	maxMethodName = 128
)

var requestIDPattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// call is what is known of a call in progress; the steps inside fill it, observe writes it down.
type call struct {
	requestID    string
	caller       string
	organization string
}

// tell gives the caller the request id. It fails only when headers are out already.
func (c *call) tell(ctx context.Context) {
	_ = grpc.SetHeader(ctx, metadata.Pairs(requestIDKey, c.requestID))
}

type callKey struct{}

// Identified gives a request that is no call an id as calls have one: in its answer, in the calls that it leads to, and
// for its log lines by RequestID.
func Identified(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &call{requestID: newRequestID(r.Header.Get(requestIDKey))}
		w.Header().Set("X-Request-Id", c.requestID)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callKey{}, c)))
	})
}

// RequestID is the id under which logs of all services show this call or request; empty outside of one.
func RequestID(ctx context.Context) string {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c.requestID
	}
	return ""
}

func newRequestID(given string) string {
	if requestIDPattern.MatchString(given) {
		return given
	}
	return uuid.NewString()
}

// observer gives a call its request id and its log line, and is the only way out for errors. A quiet method has neither
// while all is well: an id that stands in no log is of no use, and a header that differs each time is not cheap. (At
// level debug it has the line.)
type observer struct {
	log   *slog.Logger
	quiet map[string]bool
}

func (o *observer) step(ctx context.Context, full string, next func(context.Context) error) error {
	start := time.Now()
	c := &call{requestID: newRequestID(first(ctx, requestIDKey))}
	ctx = context.WithValue(ctx, callKey{}, c)
	if !o.quiet[full] {
		c.tell(ctx)
	}
	err := run.Protect(func() error { return next(ctx) })
	out := faultOf(err, c.requestID)
	o.write(ctx, full, c, out, time.Since(start))
	if out == nil {
		return nil
	}
	if o.quiet[full] {
		c.tell(ctx)
	}
	return out.Status(fault.ParseLanguage(first(ctx, languageKey))).Err()
}

// faultOf is what the caller may know of an error.
func faultOf(err error, requestID string) *fault.Error {
	if err == nil {
		return nil
	}
	f, ok := fault.As(err)
	switch {
	case ok && f.Reason() == errorsv1.ErrorReason_INTERNAL:
		return f.Cause(err).With("requestId", requestID)
	case ok:
		return f.Cause(err)
	case errors.Is(err, context.DeadlineExceeded):
		return fault.New(errorsv1.ErrorReason_DEADLINE_EXCEEDED).Cause(err)
	case errors.Is(err, context.Canceled):
		return fault.New(errorsv1.ErrorReason_CANCELLED).Cause(err)
	}
	return fault.New(errorsv1.ErrorReason_INTERNAL).Cause(err).With("requestId", requestID)
}

func (o *observer) write(ctx context.Context, full string, c *call, f *fault.Error, took time.Duration) {
	level := o.level(full, f)
	if !o.log.Enabled(ctx, level) {
		return
	}
	code := codes.OK
	if f != nil {
		code = f.Code()
	}
	attrs := []slog.Attr{
		slog.String("method", cut(full, maxMethodName)), slog.String("caller", c.caller),
		slog.String("organization", c.organization), slog.String("code", code.String()),
		slog.Duration("duration", took), slog.String("requestId", c.requestID),
	}
	if f != nil {
		attrs = append(attrs, slog.String("reason", f.Reason().String()),
			slog.String("error", cut(f.Unwrap().Error(), maxLogged)))
	}
	if c.caller == "" {
		attrs = append(attrs, slog.String("peer", peerOf(ctx)))
	}
	o.log.LogAttrs(ctx, level, "rpc", attrs...)
}

// level is error for what we or our settings must mend, warn for what the caller or Meta did.
func (o *observer) level(full string, f *fault.Error) slog.Level {
	if f == nil {
		if o.quiet[full] {
			return slog.LevelDebug
		}
		return slog.LevelInfo
	}
	if o.quiet[full] && f.Reason() == errorsv1.ErrorReason_CANCELLED { // a stream that its caller had enough of
		return slog.LevelDebug
	}
	switch f.Reason() { //nolint:exhaustive // all others are warnings
	case errorsv1.ErrorReason_INTERNAL, errorsv1.ErrorReason_DATA_INTEGRITY, errorsv1.ErrorReason_STORAGE_UNAVAILABLE,
		errorsv1.ErrorReason_BROKER_UNAVAILABLE, errorsv1.ErrorReason_APP_CREDENTIALS_REJECTED:
		return slog.LevelError
	case errorsv1.ErrorReason_CANCELLED:
		return slog.LevelInfo
	}
	return slog.LevelWarn
}

// peerOf is where an unknown caller came from: the connection's address, or what our own gateway saw.
func peerOf(ctx context.Context) string {
	p, ok := peer.FromContext(ctx)
	if !ok || p.Addr == nil {
		return ""
	}
	if p.Addr.Network() == inProcess {
		return first(ctx, forwardedKey)
	}
	return p.Addr.String()
}

// first is the first value of a key of the incoming metadata.
func first(ctx context.Context, key string) string {
	if values := metadata.ValueFromIncomingContext(ctx, key); len(values) > 0 {
		return values[0]
	}
	return ""
}

func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return s[:limit] + "…"
}
