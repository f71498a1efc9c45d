package server_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/graphsim"
)

// begin starts an onboarding.
func (b *bundle) begin(c client) *onboardingv1.StartOnboardingResponse {
	b.t.Helper()
	started, err := c.StartOnboarding(b.t.Context(), &onboardingv1.StartOnboardingRequest{})
	if err != nil {
		b.t.Fatalf("start: %v", err)
	}
	return started
}

func TestACustomersBrowserClaimsWithTheClientToken(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		started, other := b.begin(b.as(org1)), b.begin(b.as(org1))
		browser := b.as(started.GetClientToken())

		_, err := browser.ClaimWaba(t.Context(), &onboardingv1.ClaimWabaRequest{Code: "AQfirst", State: other.GetState()})
		wantFault(t, err, errorsv1.ErrorReason_STATE_MISMATCH)
		_, err = browser.ClaimWaba(t.Context(), &onboardingv1.ClaimWabaRequest{Code: "AQfirst", OnboardingId: other.GetOnboardingId()})
		wantFault(t, err, errorsv1.ErrorReason_NOT_FOUND)

		shared := b.meta.SignUp(graphsim.SignUp{})
		o := b.claim(browser, &onboardingv1.ClaimWabaRequest{Code: shared.Code})
		wantState(t, o, onboardingv1.Onboarding_CONNECTED)
		if o.GetOnboardingId() != started.GetOnboardingId() || o.GetOrganizationId() != "org-1" {
			t.Errorf("claimed %s of %s", o.GetOnboardingId(), o.GetOrganizationId())
		}
		again := b.claim(browser, &onboardingv1.ClaimWabaRequest{
			Code: shared.Code, OnboardingId: strings.ToUpper(started.GetOnboardingId()), State: started.GetState(),
		})
		wantState(t, again, onboardingv1.Onboarding_CONNECTED)

		for name, req := range map[string]*onboardingv1.ClaimWabaRequest{
			"another code":                    {Code: "AQsecond"},
			"another onboarding's known code": {Code: b.claimed(b.as(org1))},
		} {
			if _, err := browser.ClaimWaba(t.Context(), req); wantFault(t, err, errorsv1.ErrorReason_STATE_MISMATCH) == nil {
				t.Error(name)
			}
		}
		if n := b.meta.Count("POST", "/oauth/access_token"); n != 2 {
			t.Errorf("%d codes were spent, want 2", n)
		}
		if _, err := browser.WaitOnboarding(t.Context(), &onboardingv1.WaitOnboardingRequest{OnboardingId: o.GetOnboardingId()}); err != nil {
			t.Errorf("after the end: %v", err)
		}
		activity := b.activities(b.as(org1), o.GetConnection().GetConnectionId())
		if !strings.Contains(activity, "CODE_POSTED customer") {
			t.Errorf("the timeline says %s", activity)
		}
	})
}

// claimed claims a code by another onboarding, and answers it.
func (b *bundle) claimed(c client) string {
	b.t.Helper()
	shared := b.meta.SignUp(graphsim.SignUp{})
	b.claim(c, &onboardingv1.ClaimWabaRequest{Code: shared.Code})
	return shared.Code
}

// activities is a timeline, "type actor" a line.
func (b *bundle) activities(c client, connection string) string {
	b.t.Helper()
	resp, err := c.ListActivities(b.t.Context(), &onboardingv1.ListActivitiesRequest{ConnectionId: connection})
	if err != nil {
		b.t.Fatal(err)
	}
	var text strings.Builder
	for _, a := range resp.GetActivities() {
		fmt.Fprintf(&text, "%s %s\n", a.GetType(), a.GetActor())
	}
	return text.String()
}

// TestAClientTokenIsGoodForItsOnboardingAlone walks every RPC of the service.
func TestAClientTokenIsGoodForItsOnboardingAlone(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	started, other := b.begin(b.as(org1)), b.begin(b.as(org1))
	foreign := b.begin(b.as(org2))
	conn := b.conn(b.replica, started.GetClientToken())
	may := map[string]bool{"StartOnboarding": true, "ClaimWaba": true, "SelectWaba": true, "GetOnboarding": true, "WaitOnboarding": true, "ReportOnboardingStep": true}
	walked := 0
	for _, desc := range []grpc.ServiceDesc{
		onboardingv1.OnboardingService_ServiceDesc, onboardingv1.ConnectionService_ServiceDesc,
		onboardingv1.WebhookService_ServiceDesc, onboardingv1.MessageService_ServiceDesc,
	} {
		for _, m := range desc.Methods {
			err := conn.Invoke(t.Context(), "/"+desc.ServiceName+"/"+m.MethodName, &emptypb.Empty{}, &emptypb.Empty{})
			want := errorsv1.ErrorReason_PERMISSION_DENIED
			if m.MethodName == "StartOnboarding" { // of its own onboarding: it names none
				want = errorsv1.ErrorReason_ERROR_REASON_UNSPECIFIED
			} else if may[m.MethodName] {
				want = errorsv1.ErrorReason_INVALID_FIELD
			}
			if err != nil || want != errorsv1.ErrorReason_ERROR_REASON_UNSPECIFIED {
				wantFault(t, err, want)
			}
			walked++
		}
	}
	if walked < 20 {
		t.Errorf("%d RPCs were walked", walked)
	}

	random := "0193d3d0-0000-7000-8000-000000000000"
	unknown := b.send("GET", "onboardings/"+random, started.GetClientToken(), "", "X-Request-Id: r")
	for name, ask := range map[string]struct{ method, path, body string }{
		"read another":       {"GET", "onboardings/" + other.GetOnboardingId(), ""},
		"read a foreign one": {"GET", "onboardings/" + foreign.GetOnboardingId(), ""},
		"wait for another":   {"GET", "onboardings/" + other.GetOnboardingId() + ":wait", ""},
		"choose for another": {"POST", "onboardings/" + other.GetOnboardingId() + ":selectWaba", `{"wabaId": "1"}`},
		"report of another":  {"POST", "onboardings/" + other.GetOnboardingId() + ":report", `{"event": "OPENED"}`},
		"claim another":      {"POST", "claim-waba", fmt.Sprintf(`{"code": "AQ", "onboardingId": %q}`, other.GetOnboardingId())},
	} {
		got := b.send(ask.method, ask.path, started.GetClientToken(), ask.body, "X-Request-Id: r")
		if got.status != 404 || !bytes.Equal(got.raw, unknown.raw) {
			t.Errorf("%s: %d %s, a random id answers %s", name, got.status, got.raw, unknown.raw)
		}
	}
	for name, ask := range map[string]struct{ body, header, reason string }{
		"another organization":   {`{"code": "AQ"}`, "X-Organization-Id: org-2", "PERMISSION_DENIED"},
		"a WABA of the operator": {`{"wabaId": "` + ownWABA + `"}`, "", "PERMISSION_DENIED"},
		"nothing":                {`{}`, "", "INVALID_FIELD"},
	} {
		headers := []string{}
		if ask.header != "" {
			headers = append(headers, ask.header)
		}
		if got := b.send("POST", "claim-waba", started.GetClientToken(), ask.body, headers...); got.info()["reason"] != ask.reason {
			t.Errorf("%s: %d %s", name, got.status, got.raw)
		}
	}
	if n := b.meta.Count("", "*"); n != 0 {
		t.Errorf("Meta was called %d times", n)
	}
}

func TestAClientTokenExpiresWithItsOnboarding(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	started := b.begin(b.as(org1))
	path := "onboardings/" + started.GetOnboardingId()
	b.clock.advance(b.ttl - time.Minute)
	if got := b.send("GET", path, started.GetClientToken(), ""); got.status != 202 {
		t.Errorf("in time: %d %s", got.status, got.raw)
	}
	b.clock.advance(time.Minute)
	got := b.send("GET", path, started.GetClientToken(), "")
	if got.status != 401 || got.info()["reason"] != "CREDENTIAL_EXPIRED" || got.header.Get("WWW-Authenticate") != "Bearer" {
		t.Errorf("late: %d %s", got.status, got.raw)
	}
	if forged := b.send("GET", path, started.GetClientToken()+"A", ""); forged.info()["reason"] != "UNAUTHENTICATED" {
		t.Errorf("forged: %d %s", forged.status, forged.raw)
	}
}

func TestAnOwnBusinessClientTokenClaimsNoWabaOfTheOperator(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	started := b.begin(b.as(own))
	_, err := b.as(started.GetClientToken()).ClaimWaba(t.Context(), &onboardingv1.ClaimWabaRequest{WabaId: ownWABA})
	wantFault(t, err, errorsv1.ErrorReason_PERMISSION_DENIED)
}
