package rpc_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/rpc"
	"github.com/whatrack/connect/services/internal/secret"
)

// brokerOf starts a broker in-process and answers a raw connection to it and its log.
func brokerOf(t *testing.T, b *broker, cfg rpc.Config) (*grpc.ClientConn, *logs) {
	t.Helper()
	cfg.Callers, cfg.Policy = everything(t), rpc.ByRPCList()
	srv, out := serve(t, cfg, b.service())
	return dial(t, rpc.ClientConfig{Server: srv, Token: secret.New("all")}), out
}

func TestErrorsLeaveByOneDoor(t *testing.T) {
	t.Parallel()
	var answer error
	var panics bool
	b := &broker{exchange: func(context.Context, *tokenbrokerv1.ExchangeCodeRequest) error {
		if panics {
			panic("dsn=postgres://secret@db/" + canary)
		}
		return answer
	}}
	conn, out := brokerOf(t, b, rpc.Config{})
	client := tokenbrokerv1.NewTokenBrokerServiceClient(conn)
	expired := fault.New(errorsv1.ErrorReason_CODE_EXPIRED)
	const internal = errorsv1.ErrorReason_INTERNAL
	tests := []struct {
		name string
		err  error
		want errorsv1.ErrorReason
		log  string
	}{
		{"a fault", expired, errorsv1.ErrorReason_CODE_EXPIRED, `"level":"WARN"`},
		{"a wrapped fault", fmt.Errorf("exchange at pg-7: %w", expired), errorsv1.ErrorReason_CODE_EXPIRED, "exchange at pg-7: CODE_EXPIRED"},
		{"a fault with a cause", expired.Cause(errors.New("host graph-7")), errorsv1.ErrorReason_CODE_EXPIRED, "host graph-7"},
		{"storage", fault.New(errorsv1.ErrorReason_STORAGE_UNAVAILABLE), errorsv1.ErrorReason_STORAGE_UNAVAILABLE, `"level":"ERROR"`},
		{"a status that is not ours", status.Error(codes.NotFound, "row 7 of pg-7"), internal, "row 7 of pg-7"},
		{"anything else", errors.New("pq: relation at pg-7"), internal, "pq: relation at pg-7"},
		{"an inner deadline", fmt.Errorf("pg-7: %w", context.DeadlineExceeded), errorsv1.ErrorReason_DEADLINE_EXCEEDED, "pg-7"},
		{"an inner cancellation", context.Canceled, errorsv1.ErrorReason_CANCELLED, `"level":"INFO"`},
		{"a panic", nil, internal, "server_test.go"},
	}
	for _, tt := range tests {
		answer, panics = tt.err, tt.name == "a panic"
		before := len(out.String())
		_, err := client.ExchangeCode(t.Context(), exchangeRequest())
		wantReason(t, err, tt.want)
		f, _ := fault.As(err)
		if text := fmt.Sprintf("%+v", status.Convert(f.Unwrap()).Proto()); strings.Contains(text, "pg-7") || strings.Contains(text, "graph-7") || strings.Contains(text, canary) {
			t.Errorf("%s: the caller saw %s", tt.name, text)
		}
		line := out.String()[before:]
		if tt.want == internal && (f.Metadata()["requestId"] == "" || !strings.Contains(line, f.Metadata()["requestId"])) {
			t.Errorf("%s: the request id %v is not in the log", tt.name, f.Metadata())
		}
		if !strings.Contains(line, tt.log) || strings.Count(line, "\n") != 1 {
			t.Errorf("%s: the log says %s", tt.name, line)
		}
	}
}

func TestMessagesAreNeverLogged(t *testing.T) {
	t.Parallel()
	b := &broker{exchange: func(context.Context, *tokenbrokerv1.ExchangeCodeRequest) error { return nil }}
	conn, out := brokerOf(t, b, rpc.Config{})
	client := tokenbrokerv1.NewTokenBrokerServiceClient(conn)
	if _, err := client.ExchangeCode(t.Context(), exchangeRequest()); err != nil {
		t.Fatal(err)
	}
	bad := exchangeRequest()
	bad.Code = canary + " with a space"
	bad.OrganizationId = canary + "!"
	_, err := client.ExchangeCode(t.Context(), bad)
	wantReason(t, err, errorsv1.ErrorReason_INVALID_FIELD)
	if _, err := client.GetAccessToken(t.Context(), tokenRequest()); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), canary) || strings.Contains(err.Error(), canary) {
		t.Errorf("a message was shown: %v\n%s", err, out.String())
	}
}

func TestACallHasOneLogLineAndQuietOnesNone(t *testing.T) {
	t.Parallel()
	conn, out := brokerOf(t, &broker{exchange: func(context.Context, *tokenbrokerv1.ExchangeCodeRequest) error { return nil }},
		rpc.Config{Quiet: []string{tokenbrokerv1.TokenBrokerService_GetAccessToken_FullMethodName}})
	client := tokenbrokerv1.NewTokenBrokerServiceClient(conn)
	var header metadata.MD
	ctx := metadata.AppendToOutgoingContext(t.Context(), "x-request-id", "req-1")
	if _, err := client.ExchangeCode(ctx, exchangeRequest(), grpc.Header(&header)); err != nil {
		t.Fatal(err)
	}
	if _, err := client.GetAccessToken(ctx, tokenRequest()); err != nil {
		t.Fatal(err)
	}
	var lines []map[string]any
	for line := range strings.SplitSeq(strings.TrimSpace(out.String()), "\n") {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatal(err)
		}
		if fields["duration"] == nil || fields["time"] == nil {
			t.Errorf("no time in %s", line)
		}
		delete(fields, "duration")
		delete(fields, "time")
		lines = append(lines, fields)
	}
	want := []map[string]any{
		{"level": "INFO", "msg": "rpc", "method": "/whatrack.tokenbroker.v1.TokenBrokerService/ExchangeCode", "caller": "all", "organization": "org-1", "code": "OK", "requestId": "req-1"},
		{"level": "DEBUG", "msg": "rpc", "method": "/whatrack.tokenbroker.v1.TokenBrokerService/GetAccessToken", "caller": "all", "organization": "org-1", "code": "OK", "requestId": "req-1"},
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
	if got := header.Get("x-request-id"); len(got) != 1 || got[0] != "req-1" {
		t.Errorf("the answer carries %v", got)
	}
}

func TestAQuietCallTellsItsRequestIDWhenItFails(t *testing.T) {
	t.Parallel()
	conn, _ := brokerOf(t, &broker{}, rpc.Config{Quiet: []string{tokenbrokerv1.TokenBrokerService_GetAccessToken_FullMethodName}})
	ctx := metadata.AppendToOutgoingContext(t.Context(), "x-request-id", "req-1")
	for _, request := range []*tokenbrokerv1.GetAccessTokenRequest{tokenRequest(), {}} {
		var header metadata.MD
		_, err := tokenbrokerv1.NewTokenBrokerServiceClient(conn).GetAccessToken(ctx, request, grpc.Header(&header))
		if got := header.Get("x-request-id"); (len(got) == 1 && got[0] == "req-1") != (err != nil) {
			t.Errorf("the answer %v carries %v", err, got)
		}
	}
}

func TestARequestIDThatCouldForgeALogIsReplaced(t *testing.T) {
	t.Parallel()
	conn, out := brokerOf(t, &broker{}, rpc.Config{})
	for _, id := range []string{"a b", strings.Repeat("x", 65), `x","caller":"root`} {
		var header metadata.MD
		ctx := metadata.AppendToOutgoingContext(t.Context(), "x-request-id", id)
		if _, err := tokenbrokerv1.NewTokenBrokerServiceClient(conn).GetAccessToken(ctx, tokenRequest(), grpc.Header(&header)); err != nil {
			t.Fatal(err)
		}
		if got := header.Get("x-request-id"); len(got) != 1 || got[0] == id || got[0] == "" {
			t.Errorf("%q was answered with %v", id, got)
		}
	}
	if strings.Contains(out.String(), "root") {
		t.Errorf("the log says %s", out.String())
	}
}

func TestTheAnswerSpeaksTheCallersLanguage(t *testing.T) {
	t.Parallel()
	conn, _ := brokerOf(t, &broker{get: func(context.Context) error { return fault.New(errorsv1.ErrorReason_TOKEN_EXPIRED) }}, rpc.Config{})
	for header, want := range map[string]string{"": "en", "de, pt;q=0.9": "pt-BR", "en-US,pt": "en"} {
		ctx := metadata.AppendToOutgoingContext(t.Context(), "accept-language", header)
		_, err := tokenbrokerv1.NewTokenBrokerServiceClient(conn).GetAccessToken(ctx, tokenRequest())
		f, _ := fault.As(err)
		var got string
		for _, detail := range status.Convert(f.Unwrap()).Details() {
			if message, ok := detail.(*errdetails.LocalizedMessage); ok {
				got = message.GetLocale()
			}
		}
		if got != want {
			t.Errorf("%q is answered in %q, want %q", header, got, want)
		}
	}
}

func TestFieldsAreNamedByTheirJSONPath(t *testing.T) {
	t.Parallel()
	conn, _ := brokerOf(t, &broker{}, rpc.Config{})
	client := tokenbrokerv1.NewTokenBrokerServiceClient(conn)
	_, err := client.BindWaba(t.Context(), &tokenbrokerv1.BindWabaRequest{OrganizationId: "a b", TokenId: "x", WabaId: "12ab"})
	wantFields(t, err, "organizationId", "tokenId", "wabaId")
	_, err = client.GetAccessToken(t.Context(), &tokenbrokerv1.GetAccessTokenRequest{OrganizationId: "org-1"})
	wantFields(t, err, "wabaId", "tokenId")
}

func wantFields(t *testing.T, err error, want ...string) {
	t.Helper()
	wantReason(t, err, errorsv1.ErrorReason_INVALID_FIELD)
	f, _ := fault.As(err)
	var got []string
	for _, detail := range status.Convert(f.Unwrap()).Details() {
		if bad, ok := detail.(*errdetails.BadRequest); ok {
			for _, v := range bad.GetFieldViolations() {
				got = append(got, v.GetField())
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%v: %s", err, diff)
	}
}

func TestBytesOfStrangersAreNotParsed(t *testing.T) {
	t.Parallel()
	srv, out := serve(t, rpc.Config{Callers: everything(t), Policy: rpc.ByRPCList(), MaxMessage: 1024}, (&broker{}).service())
	const full = tokenbrokerv1.TokenBrokerService_GetAccessToken_FullMethodName
	invalid := &wrapperspb.BytesValue{Value: []byte{0xff, 0xfe}} // field 1 of the request is a string: not UTF-8
	large := &wrapperspb.BytesValue{Value: make([]byte, 2048)}
	stranger, known := dial(t, rpc.ClientConfig{Server: srv}), dial(t, rpc.ClientConfig{Server: srv, Token: secret.New("all")})
	for _, msg := range []*wrapperspb.BytesValue{invalid, large} {
		wantReason(t, stranger.Invoke(t.Context(), full, msg, &emptypb.Empty{}), unauthenticated)
		if err := known.Invoke(t.Context(), full, msg, &emptypb.Empty{}); err == nil || strings.Contains(err.Error(), "127.0.0.1") {
			t.Errorf("%v", err)
		}
	}
	warnings := func() int { return strings.Count(out.String(), `"level":"WARN"`) }
	// What gRPC itself refuses is answered before it is logged.
	eventually(t, "each call has a warning", func() bool { return warnings() >= 4 })
	if lines := warnings(); lines != 4 || !strings.Contains(out.String(), "INVALID_FIELD (body: ") || !strings.Contains(out.String(), `"BODY_TOO_LARGE"`) {
		t.Errorf("%d warnings for 4 calls:\n%s", lines, out.String())
	}
}

func TestMethodsThatDoNotExistAreUnimplemented(t *testing.T) {
	t.Parallel()
	conn, _ := brokerOf(t, &broker{}, rpc.Config{})
	const service = "whatrack.tokenbroker.v1.TokenBrokerService"
	for _, full := range []string{
		"/" + service + "/Get", "/" + service + "/getaccesstoken", "/" + service + "/GetAccessToken/", "//" + service + "/GetAccessToken",
		"/" + strings.ToLower(service) + "/GetAccessToken", "/" + service + "/Get%41ccessToken", "/x.Y/Z", "/", "/x",
	} {
		err := conn.Invoke(t.Context(), full, tokenRequest(), &emptypb.Empty{})
		if code := status.Code(err); code != codes.Unimplemented {
			t.Errorf("%s: %v", full, err)
		}
	}
}

func TestEveryCallHasADeadline(t *testing.T) {
	t.Parallel()
	left := make(chan time.Duration, 1)
	note := func(ctx context.Context) error {
		end, ok := ctx.Deadline()
		if !ok {
			return errors.New("no deadline")
		}
		left <- time.Until(end)
		return nil
	}
	const exchange = tokenbrokerv1.TokenBrokerService_ExchangeCode_FullMethodName
	conn, out := brokerOf(t, &broker{
		get:      note,
		exchange: func(ctx context.Context, _ *tokenbrokerv1.ExchangeCodeRequest) error { return note(ctx) },
	}, rpc.Config{Timeouts: map[string]time.Duration{exchange: 22 * time.Second}})
	client := tokenbrokerv1.NewTokenBrokerServiceClient(conn)
	expect := func(what string, err error, want time.Duration) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if got := <-left; got > want || got < want-2*time.Second {
			t.Errorf("%s: %v left, want about %v", what, got, want)
		}
	}
	_, err := client.GetAccessToken(t.Context(), tokenRequest())
	expect("the default", err, 10*time.Second)
	long, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	_, err = client.ExchangeCode(long, exchangeRequest())
	expect("the method's own", err, 22*time.Second)
	short, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, err = client.ExchangeCode(short, exchangeRequest())
	expect("the caller's", err, 5*time.Second-20*time.Millisecond)

	refused := func() bool { return strings.Contains(out.String(), `"reason":"DEADLINE_EXCEEDED"`) }
	for try := 0; try < 20 && !refused(); try++ { // a call may end here before the server has seen it
		tooShort, cancel := context.WithTimeout(t.Context(), 90*time.Millisecond)
		_, err = client.ExchangeCode(tooShort, exchangeRequest())
		cancel()
		wantReason(t, err, errorsv1.ErrorReason_DEADLINE_EXCEEDED)
		time.Sleep(time.Duration(try) * 10 * time.Millisecond) // and be logged after its answer
	}
	if len(left) > 0 || !refused() {
		t.Errorf("the handler ran, or nothing was logged: %s", out.String())
	}
}

func TestOurAnswerArrivesBeforeTheCallersClockEnds(t *testing.T) {
	t.Parallel()
	conn, _ := brokerOf(t, &broker{get: func(ctx context.Context) error {
		<-ctx.Done()
		return errors.New("canceling statement due to user request")
	}}, rpc.Config{})
	for range 20 { // 20 ms are enough, but not on every machine that runs tests
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		_, err := tokenbrokerv1.NewTokenBrokerServiceClient(conn).GetAccessToken(ctx, tokenRequest())
		cancel()
		f, ok := fault.As(err)
		if !ok || f.Reason() != errorsv1.ErrorReason_DEADLINE_EXCEEDED {
			t.Fatalf("%v, want DEADLINE_EXCEEDED", err)
		}
		if len(status.Convert(f.Unwrap()).Details()) > 0 {
			return
		}
	}
	t.Error("only the client's own clock ended the calls, never the server's answer")
}
