package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"google.golang.org/grpc"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/graphsim"
	"github.com/whatrack/connect/services/internal/fault"
)

type watch = grpc.ServerStreamingClient[onboardingv1.WatchChangesResponse]

func (b *bundle) watch(ctx context.Context, token string, req *onboardingv1.WatchChangesRequest) watch {
	b.t.Helper()
	stream, err := onboardingv1.NewWebhookServiceClient(b.conn(b.replica, token)).WatchChanges(ctx, req)
	if err != nil {
		b.t.Fatal(err)
	}
	return stream
}

// next is the next answer of a stream.
func next(t *testing.T, stream watch) *onboardingv1.WatchChangesResponse {
	t.Helper()
	resp, err := stream.Recv()
	if err != nil {
		t.Fatalf("the stream ended: %v", err)
	}
	return resp
}

func TestAFollowerGoesOnFromItsCursor(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.hook()
		mine, signed := b.connect(b.as(org1), graphsim.SignUp{})
		_, other := b.connect(b.as(org2), graphsim.SignUp{})
		ctx, leave := context.WithCancel(t.Context())
		first := b.watch(ctx, org1, &onboardingv1.WatchChangesRequest{Fields: []string{"messages"}})
		if begin := next(t, first); begin.GetChange() != nil || begin.GetCursor() == "" {
			t.Errorf("the stream begins with %v", begin)
		}
		b.say(other.PhoneNumberIDs[0], 1)
		b.say(signed.PhoneNumberIDs[0], 1)
		one := next(t, first)
		if c := one.GetChange(); c.GetConnectionId() != mine.GetConnectionId() || c.GetField() != "messages" || !json.Valid([]byte(c.GetValueJson())) {
			t.Errorf("the first change is %v", c)
		}
		leave()
		b.say(signed.PhoneNumberIDs[0], 1)
		again := b.watch(t.Context(), org1, &onboardingv1.WatchChangesRequest{Cursor: one.GetCursor(), ConnectionId: mine.GetConnectionId(), Fields: []string{"messages"}})
		next(t, again)
		two := next(t, again).GetChange()
		if two.GetChangeId() == one.GetChange().GetChangeId() {
			t.Error("the same change came twice")
		}
		replayed, err := onboardingv1.NewWebhookServiceClient(b.conn(b.replica, org1)).
			ReplayChange(t.Context(), &onboardingv1.ReplayChangeRequest{ChangeId: one.GetChange().GetChangeId()})
		if err != nil || replayed.GetChange().GetState() != onboardingv1.Change_RESOLVED {
			t.Fatalf("replay: %v, %v", replayed, err)
		}
		if got := next(t, again).GetChange().GetChangeId(); got != one.GetChange().GetChangeId() {
			t.Errorf("the replayed change is %s", got)
		}
		if n := len(b.messages(org1, mine.GetConnectionId())); n != 2 {
			t.Errorf("%d messages after the replay, want two", n)
		}
		refused := func(req *onboardingv1.WatchChangesRequest, token string, want errorsv1.ErrorReason) {
			_, err := b.watch(t.Context(), token, req).Recv()
			wantFault(t, fault.FromStatus(err), want)
		}
		refused(&onboardingv1.WatchChangesRequest{Cursor: one.GetCursor()}, org2, errorsv1.ErrorReason_INVALID_FIELD)
		refused(&onboardingv1.WatchChangesRequest{ConnectionId: mine.GetConnectionId()}, org2, errorsv1.ErrorReason_NOT_FOUND)
		b.pass(30 * 24 * time.Hour)
		if _, err := b.rows.Prune(t.Context(), time.Hour); err != nil {
			t.Fatal(err)
		}
		refused(&onboardingv1.WatchChangesRequest{Cursor: one.GetCursor()}, org1, errorsv1.ErrorReason_CURSOR_EXPIRED)
	})
}

func TestAFollowerOverRESTReadsALineForEachChange(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	b.hook()
	_, signed := b.connect(b.as(org1), graphsim.SignUp{})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.rest+"/api/v1/whatsapp/changes:watch?fields=messages", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+org1)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	lines := bufio.NewReader(resp.Body)
	read := func() (line struct {
		Result struct {
			Change *struct{ Field string }
			Cursor string
		}
	},
	) {
		raw, err := lines.ReadBytes('\n')
		if err == nil {
			err = json.Unmarshal(raw, &line)
		}
		if err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		return line
	}
	if begin := read(); begin.Result.Change != nil || begin.Result.Cursor == "" {
		t.Errorf("it begins with %+v", begin)
	}
	b.say(signed.PhoneNumberIDs[0], 1)
	if line := read(); line.Result.Change == nil || line.Result.Change.Field != "messages" {
		t.Errorf("the change is %+v", line)
	}
}

func TestAStreamThatDoesNotBeginIsAnErrorLikeAnyOther(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	for name, tt := range map[string]struct {
		token, query string
		status       int
		reason       string
	}{
		"a parameter that there is not": {org1, "foo=1", 400, "INVALID_FIELD"},
		"a misspelt one":                {org1, "curser=x", 400, "INVALID_FIELD"},
		"one of another type":           {org1, "fromNow=soon", 400, "INVALID_FIELD"},
		"no cursor":                     {org1, "cursor=x", 400, "INVALID_FIELD"},
		"no caller":                     {"nobody", "", 401, "UNAUTHENTICATED"},
		"no connection":                 {org1, "connectionId=0193aaaa-0000-7000-8000-000000000000", 404, "NOT_FOUND"},
	} {
		a := b.send("GET", "changes:watch?"+tt.query, tt.token, "")
		if a.status != tt.status || a.info()["reason"] != tt.reason {
			t.Errorf("%s: %d %s, want %d %s", name, a.status, a.raw, tt.status, tt.reason)
		}
	}
}

// A rolling update takes streams along: for the client that is an end like any other.
func TestAStreamEndsWellWhenItsReplicaStops(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	r := b.start()
	stream, err := onboardingv1.NewWebhookServiceClient(b.conn(r, org1)).WatchChanges(t.Context(), &onboardingv1.WatchChangesRequest{})
	if err != nil {
		t.Fatal(err)
	}
	next(t, stream)
	r.stop()
	if _, err := stream.Recv(); err != io.EOF { //nolint:errorlint // gRPC promises this very value
		t.Errorf("the stream ended with %v", err)
	}
}
