package server_test

import (
	"encoding/json"
	"slices"
	"testing"

	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/graphsim"
)

var nobodySubscribed = json.RawMessage(`{"data": []}`)

func TestASubscriptionThatMetaDoesNotListIsNotBelieved(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		c := b.as(org1)
		lie := b.meta.AddFault(graphsim.Fault{Method: "GET", Path: "/*/subscribed_apps", Body: nobodySubscribed, Times: -1})
		shared := b.meta.SignUp(graphsim.SignUp{})
		id := b.post(c, &onboardingv1.ClaimWabaRequest{Code: shared.Code})
		o := b.await(c, id, "the proof waits", func(o *onboardingv1.Onboarding) bool {
			return step(o, "prove").GetState() == onboardingv1.Step_WAITING
		})
		if o.GetReason() != "WEBHOOK_SUBSCRIPTION_FAILED" || o.GetNextAction() == "" || o.GetConnection().GetState() != onboardingv1.Connection_CLAIMING {
			t.Errorf("the onboarding is %v", o)
		}
		b.pass(claimDeadline)
		failed := b.awaitState(c, o.GetOnboardingId(), onboardingv1.Onboarding_FAILED)
		held := failed.GetConnection()
		if failed.GetReason() != "WEBHOOK_SUBSCRIPTION_FAILED" || step(failed, "bind").GetState() != onboardingv1.Step_PENDING ||
			held.GetState() != onboardingv1.Connection_DISCONNECTED || !slices.Equal(reasonsOf(held), []string{"WEBHOOK_SUBSCRIPTION_FAILED"}) {
			t.Errorf("the onboarding is %v", failed)
		}

		b.forget(lie)
		healed := b.claim(c, &onboardingv1.ClaimWabaRequest{Code: shared.Code})
		wantState(t, healed, onboardingv1.Onboarding_CONNECTED)
		if healed.GetConnection().GetConnectionId() != held.GetConnectionId() || healed.GetOnboardingId() != o.GetOnboardingId() {
			t.Errorf("healed as another: %v", healed)
		}
		if n := b.meta.Count("POST", "/oauth/access_token"); n != 1 {
			t.Errorf("the code was spent %d times", n)
		}
	})
}

func TestASubscriptionThatMetaListsLateIsProvenThen(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	b.meta.AddFault(graphsim.Fault{Method: "GET", Path: "/*/subscribed_apps", Body: nobodySubscribed, Times: 2})
	connected := b.claim(b.as(org1), &onboardingv1.ClaimWabaRequest{Code: b.meta.SignUp(graphsim.SignUp{}).Code})
	wantState(t, connected, onboardingv1.Onboarding_CONNECTED)
	if n := b.meta.Count("POST", "/*/subscribed_apps"); n != 2 || step(connected, "prove").GetAttempts() != 3 {
		t.Errorf("subscribed %d times, proven with %v", n, step(connected, "prove"))
	}
}

func TestALostAnswerToTheSubscriptionIsUnknownUntilMetaIsAsked(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	b.meta.AddFault(graphsim.Fault{Method: "POST", Path: "/*/subscribed_apps", Drop: graphsim.After})
	deaf := b.meta.AddFault(graphsim.Fault{Method: "GET", Path: "/*/subscribed_apps", Hold: graphsim.Before, Times: -1})
	id := b.post(c, &onboardingv1.ClaimWabaRequest{Code: b.meta.SignUp(graphsim.SignUp{}).Code})
	b.await(c, id, "the subscription is unknown", func(o *onboardingv1.Onboarding) bool {
		s := step(o, "subscribe")
		return s.GetState() == onboardingv1.Step_UNKNOWN && s.GetReason() == "META_UNAVAILABLE" || s.GetAttempts() == 2
	})
	b.meta.Release(deaf)
	connected := b.awaitState(c, id, onboardingv1.Onboarding_CONNECTED)
	if n := b.meta.Count("POST", "/*/subscribed_apps"); n != 1 || step(connected, "subscribe").GetAttempts() != 2 {
		t.Errorf("subscribed %d times in %v", n, step(connected, "subscribe"))
	}
}

func TestWhatMetaSaysAgainstASubscriptionEndsTheClaim(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	for want, code := range map[string]int{"WEBHOOK_SUBSCRIPTION_FAILED": 100, "PERMISSION_MISSING": 200, "TOKEN_INVALID": 190} {
		b.meta.AddFault(graphsim.Fault{Method: "POST", Path: "/*/subscribed_apps", Error: &graphsim.FaultError{Code: code}})
		o := b.claim(c, &onboardingv1.ClaimWabaRequest{Code: b.meta.SignUp(graphsim.SignUp{}).Code})
		wantState(t, o, onboardingv1.Onboarding_FAILED)
		if o.GetReason() != want || step(o, "subscribe").GetReason() != want || step(o, "subscribe").GetState() != onboardingv1.Step_FAILED {
			t.Errorf("code %d: %v", code, o)
		}
	}
}
