package server_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/graphsim"
	"github.com/whatrack/connect/services/internal/secret"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

func TestARefusedCodeIsAnErrorAndAFailedOnboarding(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	said := func(code, subcode int, message string) graphsim.Fault {
		return graphsim.Fault{Error: &graphsim.FaultError{Code: code, Subcode: subcode, Message: message}}
	}
	for code, refusal := range map[string]struct {
		fault graphsim.Fault
		want  errorsv1.ErrorReason
	}{
		"AQexpired":  {said(100, 36007, ""), errorsv1.ErrorReason_CODE_EXPIRED},
		"AQused":     {said(100, 36009, ""), errorsv1.ErrorReason_CODE_ALREADY_USED},
		"AQredirect": {said(100, 36008, ""), errorsv1.ErrorReason_REDIRECT_URI_MISMATCH},
		"AQgarbage":  {said(100, 0, "Invalid verification code format."), errorsv1.ErrorReason_CODE_INVALID},
		"AQsecret":   {said(1, 0, "Error validating client secret."), errorsv1.ErrorReason_APP_CREDENTIALS_REJECTED},
		"AQlimit":    {said(4, 0, ""), errorsv1.ErrorReason_META_RATE_LIMITED},
		"AQother":    {said(368, 0, ""), errorsv1.ErrorReason_META_REJECTED},
		"AQhtml":     {graphsim.Fault{HTML: "<html>502</html>"}, errorsv1.ErrorReason_CODE_OUTCOME_UNKNOWN},
		"AQnotoken":  {graphsim.Fault{Body: json.RawMessage(`{"access_token": 7}`)}, errorsv1.ErrorReason_CODE_OUTCOME_UNKNOWN},
		"AQdropped":  {graphsim.Fault{Drop: graphsim.After}, errorsv1.ErrorReason_CODE_OUTCOME_UNKNOWN},
	} {
		refusal.fault.Path, refusal.fault.Params = "/oauth/access_token", map[string]string{"code": code}
		b.meta.AddFault(refusal.fault)
		before := b.meta.Count("POST", "/oauth/access_token")
		_, err := c.ClaimWaba(t.Context(), &onboardingv1.ClaimWabaRequest{Code: code})
		id := wantFault(t, err, refusal.want).Metadata()["onboardingId"]
		failed := b.get(c, id)
		wantState(t, failed, onboardingv1.Onboarding_FAILED)
		exchange := step(failed, "exchange")
		if failed.GetReason() != refusal.want.String() || failed.GetMessage() == "" || failed.GetNextAction() == "" ||
			exchange.GetState() != onboardingv1.Step_FAILED || exchange.GetReason() != failed.GetReason() {
			t.Errorf("%s: the onboarding is %v", code, failed)
		}
		_, err = c.ClaimWaba(t.Context(), &onboardingv1.ClaimWabaRequest{Code: code})
		if again := wantFault(t, err, refusal.want).Metadata()["onboardingId"]; again != id {
			t.Errorf("%s: posted again it is onboarding %s, want %s", code, again, id)
		}
		if n := b.meta.Count("POST", "/oauth/access_token") - before; n != 1 {
			t.Errorf("%s was spent %d times", code, n)
		}
	}
}

func TestACodeWaitsForABrokerThatIsAway(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		c := b.as(org1)
		b.link.goAway(true)
		shared := b.meta.SignUp(graphsim.SignUp{})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		resp, err := c.ClaimWaba(ctx, &onboardingv1.ClaimWabaRequest{Code: shared.Code})
		if err != nil {
			t.Fatal(err)
		}
		waiting := resp.GetOnboarding()
		wantState(t, waiting, onboardingv1.Onboarding_EXCHANGING)
		if waiting.GetReason() != "BROKER_UNAVAILABLE" || waiting.GetNextAction() == "" ||
			step(waiting, "exchange").GetState() != onboardingv1.Step_WAITING {
			t.Errorf("the onboarding is %v", waiting)
		}
		if a := b.send("GET", "onboardings/"+waiting.GetOnboardingId(), org1, ""); a.status != 202 {
			t.Errorf("HTTP %d, want 202", a.status)
		}
		b.link.goAway(false)
		connected := b.awaitState(c, waiting.GetOnboardingId(), onboardingv1.Onboarding_CONNECTED)
		if connected.GetReason() != "" || step(connected, "exchange").GetReason() != "" {
			t.Errorf("the reason stayed: %v", connected)
		}
	})
}

func TestALostAnswerOfTheBrokerCostsNothing(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	exchange, get, bind := tokenbrokerv1.TokenBrokerService_ExchangeCode_FullMethodName,
		tokenbrokerv1.TokenBrokerService_GetToken_FullMethodName, tokenbrokerv1.TokenBrokerService_BindWaba_FullMethodName
	for _, method := range []string{exchange, get, bind} {
		b.link.lose(method, true)
	}
	shared := b.meta.SignUp(graphsim.SignUp{})
	id := b.post(c, &onboardingv1.ClaimWabaRequest{Code: shared.Code, WabaId: shared.WABAIDs[0]})
	b.await(c, id, "the exchange waits", func(o *onboardingv1.Onboarding) bool { return o.GetReason() == "BROKER_UNAVAILABLE" })
	b.link.lose(exchange, false)

	b.await(c, id, "bind waits", func(o *onboardingv1.Onboarding) bool { return step(o, "bind").GetReason() == "BROKER_UNAVAILABLE" })
	b.pass(2 * claimDeadline) // bind has begun: it only goes forward
	if state := b.get(c, id).GetState(); state != onboardingv1.Onboarding_CLAIMING {
		t.Errorf("past its deadline, with bind begun, the claim is %s", state)
	}
	b.link.lose(get, false)
	b.awaitState(c, id, onboardingv1.Onboarding_CONNECTED)
	if codes, binds := b.meta.Count("POST", "/oauth/access_token"), b.link.count(bind); codes != 1 || binds != 1 {
		t.Errorf("the code was spent %d times, the token bound %d times", codes, binds)
	}
}

// orphan is an onboarding whose process died right after the code was on record.
func orphan(t *testing.T, b *bundle, code string) store.Onboarding {
	t.Helper()
	o, err := b.rows.RecordCode(t.Context(), store.PostedCode{
		Organization: "org-1", Fingerprint: secret.New(code).Fingerprint(), Actor: "test", TTL: b.ttl,
	})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestAnExchangeThatNobodyHeardOfIsFoundAgain(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	shared := b.meta.SignUp(graphsim.SignUp{})
	o := orphan(t, b, shared.Code)
	_, err := b.broker.ExchangeCode(t.Context(), &tokenbrokerv1.ExchangeCodeRequest{
		OrganizationId: "org-1", Code: shared.Code, OnboardingId: o.ID.String(),
	})
	if err != nil {
		t.Fatal(err)
	}
	b.pass(6 * time.Second)
	b.awaitState(b.as(org1), o.ID.String(), onboardingv1.Onboarding_CONNECTED)
}

func TestARefusalThatNobodyHeardOfIsFoundAgain(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	o := orphan(t, b, "AQgarbage")
	_, err := b.broker.ExchangeCode(t.Context(), &tokenbrokerv1.ExchangeCodeRequest{
		OrganizationId: "org-1", Code: "AQgarbage", OnboardingId: o.ID.String(),
	})
	wantFault(t, err, errorsv1.ErrorReason_CODE_INVALID)
	b.pass(6 * time.Second)
	failed := b.awaitState(b.as(org1), o.ID.String(), onboardingv1.Onboarding_FAILED)
	if failed.GetReason() != "CODE_INVALID" {
		t.Errorf("the reason is %s", failed.GetReason())
	}
}

func TestACodeThatTheBrokerNeverHeardOfIsLost(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	o := orphan(t, b, "AQnever")
	b.pass(46 * time.Second)
	lost := b.awaitState(c, o.ID.String(), onboardingv1.Onboarding_FAILED)
	if lost.GetReason() != "CODE_OUTCOME_UNKNOWN" {
		t.Errorf("the reason is %s", lost.GetReason())
	}
}

func TestACodeThatWaitsPastItsDeadlineIsHealedByPostingItAgain(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	shared := b.meta.SignUp(graphsim.SignUp{})
	b.link.goAway(true)
	o := orphan(t, b, shared.Code)
	b.pass(6 * time.Second)
	b.await(c, o.ID.String(), "a reason", func(o *onboardingv1.Onboarding) bool { return o.GetReason() == "BROKER_UNAVAILABLE" })
	b.pass(claimDeadline)
	failed := b.awaitState(c, o.ID.String(), onboardingv1.Onboarding_FAILED)
	if failed.GetReason() != "BROKER_UNAVAILABLE" {
		t.Errorf("the reason is %s", failed.GetReason())
	}
	b.link.goAway(false)
	healed := b.claim(c, &onboardingv1.ClaimWabaRequest{Code: shared.Code})
	wantState(t, healed, onboardingv1.Onboarding_CONNECTED)
	if healed.GetOnboardingId() != o.ID.String() {
		t.Errorf("healed as %s, want %s", healed.GetOnboardingId(), o.ID)
	}
}

func TestACallerThatLeavesStopsNothing(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	shared := b.meta.SignUp(graphsim.SignUp{})
	held := b.meta.AddFault(graphsim.Fault{Path: "/oauth/access_token", Hold: graphsim.Before})
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() {
		_, err := c.ClaimWaba(ctx, &onboardingv1.ClaimWabaRequest{Code: shared.Code})
		left <- err
	}()
	eventually(t, "the code is on its way", func() bool { return b.meta.Count("POST", "/oauth/access_token") == 1 })
	leave()
	if err := <-left; err == nil {
		t.Error("the caller who left got an answer")
	}
	b.meta.Release(held)
	list, err := c.ListOnboardings(t.Context(), &onboardingv1.ListOnboardingsRequest{})
	if err != nil || len(list.GetOnboardings()) != 1 {
		t.Fatalf("%v %v", list, err)
	}
	b.awaitState(c, list.GetOnboardings()[0].GetOnboardingId(), onboardingv1.Onboarding_CONNECTED)
}

func TestAPanicEndsNothingButItsClaim(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	o := orphan(t, b, "AQpanic")
	b.link.set(func(l *link) { l.panic = true })
	_, err := c.ClaimWaba(t.Context(), &onboardingv1.ClaimWabaRequest{Code: b.meta.SignUp(graphsim.SignUp{}).Code})
	wantFault(t, err, errorsv1.ErrorReason_INTERNAL)
	b.pass(6 * time.Second)
	b.pass(claimDeadline)
	failed := b.awaitState(c, o.ID.String(), onboardingv1.Onboarding_FAILED)
	if failed.GetReason() != "CLAIM_STUCK" {
		t.Errorf("the reason is %s", failed.GetReason())
	}
	b.link.set(func(l *link) { l.panic = false })
	b.connect(c, graphsim.SignUp{})
}

func TestATokenThatMetaCallsExpiredEndsItsClaim(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	b.meta.AddFault(graphsim.Fault{Path: "/debug_token", Body: []byte(
		`{"data": {"error": {"code": 190, "subcode": 463, "message": "Session has expired"}, "is_valid": false, "scopes": []}}`)})
	_, err := c.ClaimWaba(t.Context(), &onboardingv1.ClaimWabaRequest{Code: b.meta.SignUp(graphsim.SignUp{}).Code})
	id := wantFault(t, err, errorsv1.ErrorReason_TOKEN_EXPIRED).Metadata()["onboardingId"]
	if failed := b.get(c, id); failed.GetState() != onboardingv1.Onboarding_FAILED || failed.GetReason() != "TOKEN_EXPIRED" {
		t.Errorf("the onboarding is %s (%s)", failed.GetState(), failed.GetReason())
	}
}
