package server_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/graphsim"
)

var unsuccessful = json.RawMessage(`{"success": false}`)

// activity is the newest of a type on a connection's timeline; nil where there is none.
func (b *bundle) activity(c client, id, kind string) *onboardingv1.Activity {
	b.t.Helper()
	resp, err := c.ListActivities(b.t.Context(), &onboardingv1.ListActivitiesRequest{ConnectionId: id})
	if err != nil {
		b.t.Fatal(err)
	}
	all := resp.GetActivities()
	if i := slices.IndexFunc(all, func(a *onboardingv1.Activity) bool { return a.GetType() == kind }); i >= 0 {
		return all[i]
	}
	return nil
}

func TestADisconnectionEndsWhatAClaimIsSubscribing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		c := b.as(admin1)
		held := b.meta.AddFault(graphsim.Fault{Method: "POST", Path: "/*/subscribed_apps", Hold: graphsim.Before})
		shared := b.meta.SignUp(graphsim.SignUp{Phones: onCloudAPI(1)})
		claim := b.post(c, &onboardingv1.ClaimWabaRequest{Code: shared.Code})
		eventually(t, "Meta is told to subscribe us", func() bool { return b.meta.Count("POST", "/*/subscribed_apps") == 1 })
		id := b.get(c, claim).GetConnection().GetConnectionId()
		go func() { _, _ = b.disconnect(c, id) }()
		b.awaitState(c, claim, onboardingv1.Onboarding_FAILED)
		released := time.Now()
		b.meta.Release(held)
		b.awaitDisconnected(c, id)

		deletes := slices.DeleteFunc(b.meta.Journal(), func(r graphsim.Request) bool { return r.Method != "DELETE" })
		if len(deletes) != 1 || deletes[0].Status != http.StatusOK || deletes[0].Time.Before(released) {
			t.Errorf("Meta still has us subscribed: released at %s, told %v", released, deletes)
		}
		if a := b.activity(c, id, "UNSUBSCRIBE_FAILED"); a != nil {
			t.Errorf("the timeline says %v", a)
		}
	})
}

func TestWhyAWABAWasNotUnsubscribedIsSaid(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(admin1)
	for want, fault := range map[string]graphsim.Fault{
		"PERMISSION_MISSING": {Error: &graphsim.FaultError{Code: 200}},
		"TOKEN_INVALID":      {Error: &graphsim.FaultError{Code: 190}},
		"WABA_NOT_SHARED":    {Error: &graphsim.FaultError{Code: 100, Subcode: 33}},
		"META_REJECTED":      {Body: unsuccessful},
	} {
		connected, _ := b.connect(c, graphsim.SignUp{Phones: onCloudAPI(1)})
		id := connected.GetConnectionId()
		fault.Method, fault.Path, fault.Times = "DELETE", "/*/subscribed_apps", 1
		b.meta.AddFault(fault)
		if _, err := b.disconnect(c, id); err != nil {
			t.Fatal(err)
		}
		b.awaitDisconnected(c, id)
		said := b.activity(c, id, "UNSUBSCRIBE_FAILED")
		if said.GetReason() != want || said.GetMessage() == "" || said.GetMetadata()["metaMessage"] == "" ||
			(fault.Error != nil) != (said.GetMetadata()["metaCode"] != "") {
			t.Errorf("%s: the timeline says %v", want, said)
		}
	}
}

func TestWhatMetaSaysAgainstASubscriptionIsSaidAlike(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	for want, fault := range map[errorsv1.ErrorReason]graphsim.Fault{
		errorsv1.ErrorReason_WEBHOOK_SUBSCRIPTION_FAILED: {Body: unsuccessful},
		errorsv1.ErrorReason_ACCOUNT_RESTRICTED:          {Error: &graphsim.FaultError{Code: 368}},
		errorsv1.ErrorReason_WABA_NOT_SHARED:             {Error: &graphsim.FaultError{Code: 100, Subcode: 33}},
	} {
		fault.Method, fault.Path, fault.Times = "POST", "/*/subscribed_apps", 1
		b.meta.AddFault(fault)
		before := b.meta.Count("POST", "/*/subscribed_apps")
		shared := b.meta.SignUp(graphsim.SignUp{Phones: onCloudAPI(1)})
		o := b.claim(c, &onboardingv1.ClaimWabaRequest{Code: shared.Code})
		wantState(t, o, onboardingv1.Onboarding_FAILED)
		if n := b.meta.Count("POST", "/*/subscribed_apps") - before; o.GetReason() != want.String() || n != 1 {
			t.Errorf("%s: the claim ended %s after %d calls", want, o.GetReason(), n)
		}

		healed := b.claim(c, &onboardingv1.ClaimWabaRequest{Code: shared.Code})
		wantState(t, healed, onboardingv1.Onboarding_CONNECTED)
		id := healed.GetConnection().GetConnectionId()
		b.meta.AddFault(fault)
		_, err := b.subscribe(c, id)
		wantFault(t, err, want)
		if a := b.activity(c, id, "SUBSCRIPTION_FAILED"); a.GetReason() != want.String() {
			t.Errorf("%s: the timeline says %v", want, a)
		}
	}
}
