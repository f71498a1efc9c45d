package server_test

import (
	"fmt"
	"strings"
	"testing"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/graphsim"
)

// report says over REST what happened in the popup.
func (b *bundle) report(id, token, body string, headers ...string) answer {
	b.t.Helper()
	return b.send("POST", "onboardings/"+id+":report", token, body, headers...)
}

func TestWhatHappensInThePopupIsReported(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		started := b.begin(b.as(org1))
		id, token := started.GetOnboardingId(), started.GetClientToken()
		agent := "Mozilla/5.0 <script> " + strings.Repeat("x", 400)
		opened := b.report(id, token, `{"event": "OPENED"}`, "User-Agent: "+agent)
		if opened.at("state") != "STARTED" || opened.at("signup.event") != "OPENED" || opened.at("signup.userAgent") != agent[:256] {
			t.Errorf("%d %s", opened.status, opened.raw)
		}
		left := b.report(id, token, `{"event": "CANCELLED", "step": "PHONE_NUMBER_VERIFICATION"}`)
		if left.status != 200 || left.at("state") != "CANCELLED" || left.at("signup.step") != "PHONE_NUMBER_VERIFICATION" {
			t.Errorf("%d %s", left.status, left.raw)
		}
		if back := b.report(id, token, `{"event": "OPENED"}`); back.at("state") != "STARTED" || back.at("signup.step") != "" {
			t.Errorf("%d %s", back.status, back.raw)
		}
		failed := b.report(id, token, `{"event": "FAILED", "errorCode": "3441041", "errorMessage": "no\u001b[31m\u202e\r\nnumber", "sessionId": "s-1"}`)
		if failed.at("state") != "STARTED" || failed.at("signup.errorCode") != "3441041" || failed.at("signup.sessionId") != "s-1" ||
			failed.at("signup.errorMessage") != "no [31m   number" {
			t.Errorf("%d %s", failed.status, failed.raw)
		}
		b.report(id, token, `{"event": "CANCELLED"}`)
		listed := b.list(b.as(viewer1))
		if len(listed) != 1 || listed[0].GetSignup().GetEvent() != onboardingv1.SignupReport_CANCELLED {
			t.Errorf("listed %v", listed)
		}

		o := b.claim(b.as(token), &onboardingv1.ClaimWabaRequest{Code: b.meta.SignUp(graphsim.SignUp{}).Code})
		wantState(t, o, onboardingv1.Onboarding_CONNECTED)
		if late := b.report(id, token, `{"event": "CANCELLED"}`); late.at("state") != "CONNECTED" {
			t.Errorf("a late report: %d %s", late.status, late.raw)
		}
		timeline := b.activities(b.as(org1), o.GetConnection().GetConnectionId())
		for _, want := range []string{"SIGNUP_CANCELLED customer", "SIGNUP_FAILED customer"} {
			if !strings.Contains(timeline, want) {
				t.Errorf("the timeline lacks %s: %s", want, timeline)
			}
		}
	})
}

func TestAReportIsOfAnOnboardingOfOnesOwn(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	started := b.begin(b.as(org1))
	for name, ask := range map[string]struct {
		token, body string
		status      int
	}{
		"a viewer":             {viewer1, `{"event": "OPENED"}`, 403},
		"another organization": {org2, `{"event": "OPENED"}`, 404},
		"no event":             {org1, `{}`, 400},
		"an unknown event":     {org1, `{"event": "HAPPY"}`, 400},
		"a long message":       {org1, fmt.Sprintf(`{"event": "FAILED", "errorMessage": %q}`, strings.Repeat("é", 513)), 400},
		"a step with a space":  {org1, `{"event": "CANCELLED", "step": "a b"}`, 400},
		"a WABA that is no id": {org1, `{"event": "FINISHED", "wabaId": "../me"}`, 400},
	} {
		if got := b.report(started.GetOnboardingId(), ask.token, ask.body); got.status != ask.status {
			t.Errorf("%s: %d %s", name, got.status, got.raw)
		}
	}
	if o := b.get(b.as(org1), started.GetOnboardingId()); o.GetSignup() != nil {
		t.Errorf("something was recorded: %v", o.GetSignup())
	}
}

func TestReportsOfOneOnboardingAreBounded(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	started := b.begin(b.as(org1))
	browser := b.as(started.GetClientToken())
	req := &onboardingv1.ReportOnboardingStepRequest{OnboardingId: started.GetOnboardingId(), Event: onboardingv1.SignupReport_OPENED}
	for i := range 300 {
		if _, err := browser.ReportOnboardingStep(t.Context(), req); err != nil {
			t.Fatalf("report %d: %v", i+1, err)
		}
	}
	_, err := browser.ReportOnboardingStep(t.Context(), req)
	wantFault(t, err, errorsv1.ErrorReason_LIMIT_REACHED)
}

func TestTheReportedWabaIsTriedFirstAndProvesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		stranger := b.meta.SignUp(graphsim.SignUp{})
		two := func() graphsim.SignUp { return graphsim.SignUp{WABAs: make(graphsim.List[graphsim.WABA], 2)} }
		for name, c := range map[string]struct {
			report func(graphsim.SignedUp) string
			want   onboardingv1.Onboarding_State
			waba   int
		}{
			"its WABA":           {func(s graphsim.SignedUp) string { return `"wabaId": "` + s.WABAIDs[1] + `"` }, onboardingv1.Onboarding_CONNECTED, 1},
			"its phone number":   {func(s graphsim.SignedUp) string { return `"phoneNumberId": "` + s.PhoneNumberIDs[1] + `"` }, onboardingv1.Onboarding_CONNECTED, 1},
			"a stranger's":       {func(graphsim.SignedUp) string { return `"wabaId": "` + stranger.WABAIDs[0] + `"` }, onboardingv1.Onboarding_CHOOSING_WABA, 0},
			"a number of nobody": {func(graphsim.SignedUp) string { return `"phoneNumberId": "1"` }, onboardingv1.Onboarding_CHOOSING_WABA, 0},
		} {
			started := b.begin(b.as(org1))
			shared := b.meta.SignUp(two())
			b.report(started.GetOnboardingId(), started.GetClientToken(), `{"event": "FINISHED", `+c.report(shared)+`}`)
			b.report(started.GetOnboardingId(), started.GetClientToken(), `{"event": "FINISHED"}`)
			o := b.claim(b.as(started.GetClientToken()), &onboardingv1.ClaimWabaRequest{Code: shared.Code})
			if o.GetState() != c.want || (c.want == onboardingv1.Onboarding_CONNECTED && o.GetConnection().GetWabaId() != shared.WABAIDs[c.waba]) {
				t.Errorf("%s: %v", name, o)
			}
		}
	})
}

func TestAReportMayComeWhileTheClaimIsUnderWay(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	started := b.begin(b.as(org1))
	browser := b.as(started.GetClientToken())
	shared := b.meta.SignUp(graphsim.SignUp{WABAs: make(graphsim.List[graphsim.WABA], 2)})
	held := b.meta.AddFault(graphsim.Fault{Method: "POST", Path: "/oauth/access_token", Hold: graphsim.After})
	done := make(chan *onboardingv1.Onboarding, 1)
	go func() {
		resp, _ := browser.ClaimWaba(t.Context(), &onboardingv1.ClaimWabaRequest{Code: shared.Code})
		done <- resp.GetOnboarding()
	}()
	eventually(t, "the code is being spent", func() bool { return b.meta.Count("POST", "/oauth/access_token") == 1 })
	report := b.report(started.GetOnboardingId(), started.GetClientToken(), `{"event": "FINISHED", "wabaId": "`+shared.WABAIDs[1]+`"}`)
	if report.status != 202 || report.at("state") != "EXCHANGING" {
		t.Errorf("%d %s", report.status, report.raw)
	}
	b.meta.Release(held)
	o := b.settled(browser, <-done)
	wantState(t, o, onboardingv1.Onboarding_CONNECTED)
	if o.GetConnection().GetWabaId() != shared.WABAIDs[1] {
		t.Errorf("connected %s, want %s", o.GetConnection().GetWabaId(), shared.WABAIDs[1])
	}
}
