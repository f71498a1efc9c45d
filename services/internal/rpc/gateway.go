package rpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/textproto"
	"runtime/debug"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/identity"
)

// maxBody bounds the JSON of a request.
const maxBody = 256 << 10

// maxAnswer bounds what the gateway takes from the server: well above a page of long messages, or what Meta sends at most.
const maxAnswer = 64 << 20

// GatewayConfig is what a Gateway needs.
type GatewayConfig struct {
	Server *Server
	// Register are the generated Register…Handler functions.
	Register []func(context.Context, *runtime.ServeMux, *grpc.ClientConn) error
	// Status may choose another HTTP status than 200 for an answer; it sees the RPC's whole response message, and answers
	// 0 to leave it.
	Status func(proto.Message) int
	Log    *slog.Logger
}

// Gateway answers REST by calling the server in-process, so that REST and gRPC callers meet the same steps. It believes
// of the outside only five headers, and says every error in the same JSON.
type Gateway struct {
	mux  *runtime.ServeMux
	conn *grpc.ClientConn
	log  *slog.Logger
}

// NewGateway builds a Gateway. Close it when it is served no more.
func NewGateway(cfg GatewayConfig) (*Gateway, error) {
	conn, err := grpc.NewClient("passthrough:///"+inProcess, cfg.Server.dialer(), grpc.WithDisableRetry(),
		grpc.WithDisableServiceConfig(), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswer)),
		grpc.WithChainUnaryInterceptor(beginCall), grpc.WithChainStreamInterceptor(beginStream))
	if err != nil {
		return nil, err
	}
	g := &Gateway{conn: conn, log: cfg.Log}
	g.mux = runtime.NewServeMux(g.options(cfg.Status)...)
	for _, register := range cfg.Register {
		if err := register(context.Background(), g.mux, conn); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	return g, nil
}

// Close ends the gateway's connection.
func (g *Gateway) Close() error { return g.conn.Close() }

func (g *Gateway) options(status func(proto.Message) int) []runtime.ServeMuxOption {
	json := strictJSON{&runtime.JSONPb{MarshalOptions: protojson.MarshalOptions{EmitDefaultValues: true}}}
	options := []runtime.ServeMuxOption{
		runtime.WithMarshalerOption(runtime.MIMEWildcard, json),
		runtime.WithIncomingHeaderMatcher(incomingHeader),
		runtime.WithOutgoingHeaderMatcher(noHeader),
		runtime.WithOutgoingTrailerMatcher(noHeader),
		runtime.WithDisableHTTPMethodOverride(),
		runtime.WithDisablePathLengthFallback(),
		runtime.WithErrorHandler(g.handleError),
		runtime.WithRoutingErrorHandler(g.handleRoutingError),
		runtime.WithStreamErrorHandler(statusOfStream),
	}
	if status == nil {
		return options
	}
	return append(options, runtime.WithForwardResponseOption(
		func(_ context.Context, w http.ResponseWriter, msg proto.Message) error {
			if code := status(msg); code != 0 && code != http.StatusOK {
				w.WriteHeader(code)
			}
			return nil
		}))
}

// incomingHeader is the list of what passes from a request into a call. `Authorization` passes by itself. What the mux
// would pass on its own is gone by then (see outside).
func incomingHeader(key string) (string, bool) {
	switch textproto.CanonicalMIMEHeaderKey(key) {
	case "X-Organization-Id":
		return organizationKey, true
	case "X-Request-Id":
		return requestIDKey, true
	case "Accept-Language":
		return languageKey, true
	case "User-Agent":
		return runtime.MetadataPrefix + "user-agent", true
	}
	return "", false
}

func noHeader(string) (string, bool) { return "", false }

// outside takes away the headers with which a stranger could speak as the gateway: a deadline and metadata of his own
// (Grpc-*), and the address that he comes from. The mux writes the address of the connection instead.
func outside(h http.Header) http.Header {
	h = h.Clone()
	for key := range h {
		canonical := textproto.CanonicalMIMEHeaderKey(key)
		if strings.HasPrefix(canonical, "Grpc-") || strings.HasPrefix(canonical, "X-Forwarded-") {
			delete(h, key)
		}
	}
	return h
}

type exchangeKey struct{}

// exchange is what the gateway knows of one request on its way through the mux, which forgets what kind of error it met.
type exchange struct {
	requestID string
	request   *http.Request // as it came
	language  fault.Language
	query     map[string][]string
	hasBody   bool // the method of the request may have one
	// body is what is wrong with the body, found by the decoder.
	body *fault.Error
}

func exchangeOf(ctx context.Context) *exchange {
	if x, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		return x
	}
	return &exchange{}
}

// ServeHTTP implements http.Handler.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{
		requestID: newRequestID(r.Header.Get(requestIDKey)),
		request:   r,
		language:  fault.ParseLanguage(r.Header.Get(languageKey)),
		query:     r.URL.Query(),
		hasBody:   mayHaveBody(r),
	}
	w.Header().Set("X-Request-Id", x.requestID)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Add("Vary", "Accept-Language") // sentences for people are in theirs
	w.Header().Set("X-Content-Type-Options", "nosniff")
	defer g.recover(w, r, x)

	body, status, f := readBody(w, r)
	if f == nil {
		status, f = http.StatusBadRequest, unpassable(r, x)
	}
	if f != nil {
		g.note(r.Context(), x, f)
		writeStatus(w, f.Status(x.language), status)
		return
	}
	inner := r.Clone(context.WithValue(r.Context(), exchangeKey{}, x))
	inner.Header = outside(r.Header)
	inner.Header.Set("X-Request-Id", x.requestID)
	inner.Header.Del("TE") // trailers carry nothing of ours
	inner.Body = &jsonBody{Reader: body, exchange: x}
	g.mux.ServeHTTP(&lineWriter{w, http.NewResponseController(w)}, inner)
}

// unpassable is what is wrong with a request that the mux would not pass on as it came: it leaves out header values that
// are no metadata, and to leave out the organization would be to ask for all.
func unpassable(r *http.Request, x *exchange) *fault.Error {
	var f *fault.Error
	if _, err := identity.Requested(r.Header.Values(identity.Header)); errors.As(err, &f) {
		return f
	}
	if !utf8.ValidString(r.URL.Path) {
		return fault.Field("path", "must be UTF-8")
	}
	for name, values := range x.query {
		if !utf8.ValidString(name) || slices.ContainsFunc(values, func(v string) bool { return !utf8.ValidString(v) }) {
			return fault.Field("query", "must be UTF-8")
		}
	}
	return nil
}

// lineWriter gives each line of a stream, which the mux flushes, the time that a whole answer has.
type lineWriter struct {
	http.ResponseWriter
	control *http.ResponseController
}

// Flush implements http.Flusher.
func (w *lineWriter) Flush() {
	_ = w.control.Flush() // a client that is gone shows at the next line
	_ = w.control.SetWriteDeadline(time.Now().Add(writeTimeout))
}

// Unwrap is for http.ResponseController.
func (w *lineWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (g *Gateway) recover(w http.ResponseWriter, r *http.Request, x *exchange) {
	p := recover()
	if p == nil {
		return
	}
	if p == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
		panic(p)
	}
	g.log.ErrorContext(r.Context(), "gateway panicked", "requestId", x.requestID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	internal := fault.New(errorsv1.ErrorReason_INTERNAL).With("requestId", x.requestID)
	writeStatus(w, internal.Status(x.language), http.StatusInternalServerError)
}
