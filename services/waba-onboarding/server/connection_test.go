package server_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/graphsim"
)

func (b *bundle) check(c client, id string) (*onboardingv1.Connection, error) {
	resp, err := c.CheckConnection(b.t.Context(), &onboardingv1.CheckConnectionRequest{ConnectionId: id})
	return resp.GetConnection(), err
}

func (b *bundle) subscribe(c client, id string) (*onboardingv1.Connection, error) {
	resp, err := c.SubscribeWebhooks(b.t.Context(), &onboardingv1.SubscribeWebhooksRequest{ConnectionId: id})
	return resp.GetConnection(), err
}

func wantConnection(t *testing.T, c *onboardingv1.Connection, state onboardingv1.Connection_State, reasons ...string) {
	t.Helper()
	if c.GetState() != state || !slices.Equal(reasonsOf(c), reasons) {
		t.Fatalf("the connection is %s %v, want %s %v", c.GetState(), reasonsOf(c), state, reasons)
	}
	for _, r := range c.GetReasons() {
		if r.GetMessage() == "" || r.GetNextAction() == "" {
			t.Errorf("%s says nothing", r.GetReason())
		}
	}
}

func TestACheckFindsOutWhatMetaSaysAndChangesNothingThere(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		c := b.as(org1)
		connected, shared := b.connect(c, graphsim.SignUp{Phones: onCloudAPI(1)})
		id, waba := connected.GetConnectionId(), shared.WABAIDs[0]
		written := b.meta.Count("POST", "*")
		checked, err := b.check(c, id)
		if err != nil {
			t.Fatal(err)
		}
		wantConnection(t, checked, onboardingv1.Connection_CONNECTED)

		b.meta.Unsubscribe(waba)
		if checked, err = b.check(c, id); err != nil {
			t.Fatal(err)
		}
		wantConnection(t, checked, onboardingv1.Connection_ATTENTION, "WEBHOOK_SUBSCRIPTION_FAILED")
		if n := b.meta.Count("POST", "*"); n != written {
			t.Errorf("a check wrote to Meta %d times", n-written)
		}

		subscribed, err := b.subscribe(c, id)
		if err != nil {
			t.Fatal(err)
		}
		wantConnection(t, subscribed, onboardingv1.Connection_CONNECTED)

		silent := b.meta.AddFault(graphsim.Fault{Path: "/" + waba, Drop: graphsim.Before, Times: -1})
		_, err = b.check(c, id)
		b.forget(silent)
		wantFault(t, err, errorsv1.ErrorReason_META_UNAVAILABLE)
		if diff := cmp.Diff(subscribed, b.connection(c, id), protocmp.Transform()); diff != "" {
			t.Errorf("silence changed the connection (-want +got):\n%s", diff)
		}

		b.meta.Invalidate(waba, 460)
		if checked, err = b.check(c, id); err != nil {
			t.Fatal(err)
		}
		wantConnection(t, checked, onboardingv1.Connection_RECONNECT_REQUIRED, "TOKEN_INVALID")
		if len(checked.GetReasons()) != 1 || checked.GetToken().GetState() != "INVALID" {
			t.Errorf("a dead connection is %v", checked)
		}

		again := b.claim(c, &onboardingv1.ClaimWabaRequest{Code: b.meta.SignUp(graphsim.SignUp{WABAIDs: shared.WABAIDs}).Code})
		wantState(t, again, onboardingv1.Onboarding_CONNECTED)
		wantConnection(t, again.GetConnection(), onboardingv1.Connection_CONNECTED)
	})
}

func TestASubscriptionThatFailsIsRecordedBeforeItIsAnswered(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	connected, shared := b.connect(c, graphsim.SignUp{Phones: onCloudAPI(1)})
	id := connected.GetConnectionId()
	b.meta.AddFault(graphsim.Fault{Method: "GET", Path: "/*/subscribed_apps", Body: nobodySubscribed})
	_, err := b.subscribe(c, id)
	wantFault(t, err, errorsv1.ErrorReason_WEBHOOK_SUBSCRIPTION_FAILED)
	wantConnection(t, b.connection(c, id), onboardingv1.Connection_ATTENTION, "WEBHOOK_SUBSCRIPTION_FAILED")

	b.meta.AddFault(graphsim.Fault{Method: "POST", Path: "/*/subscribed_apps", HTML: "<html>502</html>"})
	_, err = b.subscribe(c, id)
	wantFault(t, err, errorsv1.ErrorReason_META_UNAVAILABLE)
	wantConnection(t, b.connection(c, id), onboardingv1.Connection_ATTENTION, "WEBHOOK_SUBSCRIPTION_FAILED")

	if _, err = b.subscribe(c, id); err != nil {
		t.Fatal(err)
	}
	b.meta.Invalidate(shared.WABAIDs[0], 458)
	_, err = b.subscribe(c, id)
	wantFault(t, err, errorsv1.ErrorReason_TOKEN_INVALID)
	wantConnection(t, b.connection(c, id), onboardingv1.Connection_RECONNECT_REQUIRED, "TOKEN_INVALID")
}

func TestWhatTheBrokerKnowsOfATokenIsSeenAtOnce(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	connected, _ := b.connect(c, graphsim.SignUp{Phones: onCloudAPI(1)})
	_, err := b.broker.RevokeToken(t.Context(), &tokenbrokerv1.RevokeTokenRequest{
		OrganizationId: "org-1", TokenId: connected.GetToken().GetTokenId(),
	})
	if err != nil {
		t.Fatal(err)
	}
	b.link.goAway(true)
	wantConnection(t, b.connection(c, connected.GetConnectionId()), onboardingv1.Connection_CONNECTED) // what it said last
	b.link.goAway(false)
	wantConnection(t, b.connection(c, connected.GetConnectionId()), onboardingv1.Connection_RECONNECT_REQUIRED, "TOKEN_INVALID")
}

func (b *bundle) disconnect(c client, id string) (*onboardingv1.Connection, error) {
	resp, err := c.DisconnectConnection(b.t.Context(), &onboardingv1.DisconnectConnectionRequest{ConnectionId: id})
	return resp.GetConnection(), err
}

func (b *bundle) awaitDisconnected(c client, id string) *onboardingv1.Connection {
	b.t.Helper()
	var found *onboardingv1.Connection
	eventually(b.t, "it is disconnected", func() bool {
		found = b.connection(c, id)
		return found.GetState() == onboardingv1.Connection_DISCONNECTED
	})
	return found
}

func TestADisconnectionEndsSubscriptionTokenAndHold(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		c := b.as(admin1)
		connected, shared := b.connect(c, graphsim.SignUp{Phones: onCloudAPI(1)})
		id := connected.GetConnectionId()
		for _, token := range []string{viewer1, org1} {
			_, err := b.disconnect(b.as(token), id)
			wantFault(t, err, errorsv1.ErrorReason_PERMISSION_DENIED)
		}
		for range 2 {
			if _, err := b.disconnect(c, id); err != nil {
				t.Fatal(err)
			}
			b.awaitDisconnected(c, id)
		}
		if n := b.meta.Count("DELETE", "/*/subscribed_apps"); n != 1 {
			t.Errorf("Meta was told %d times", n)
		}
		_, err := b.broker.GetAccessToken(t.Context(), &tokenbrokerv1.GetAccessTokenRequest{
			OrganizationId: "org-1", Of: &tokenbrokerv1.GetAccessTokenRequest_WabaId{WabaId: shared.WABAIDs[0]},
		})
		if err == nil {
			t.Error("the broker still serves the token")
		}
		calls := b.meta.Count("", "*")
		_, err = b.check(c, id)
		wantFault(t, err, errorsv1.ErrorReason_DISCONNECTING)
		_, err = b.subscribe(c, id)
		wantFault(t, err, errorsv1.ErrorReason_DISCONNECTING)
		err = b.register(c, id, shared.PhoneNumberIDs[0], "")
		wantFault(t, err, errorsv1.ErrorReason_DISCONNECTING)
		if n := b.meta.Count("", "*"); n != calls {
			t.Errorf("a connection that was given up called Meta %d times", n-calls)
		}
	})
}

func TestARefusalByMetaDoesNotStopADisconnection(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(admin1)
	connected, _ := b.connect(c, graphsim.SignUp{Phones: onCloudAPI(1)})
	b.meta.AddFault(graphsim.Fault{Method: "DELETE", Error: &graphsim.FaultError{Code: 190}, Times: -1})
	if _, err := b.disconnect(c, connected.GetConnectionId()); err != nil {
		t.Fatal(err)
	}
	b.awaitDisconnected(c, connected.GetConnectionId())
}

func TestSilenceHoldsADisconnectionUpUntilItsDeadline(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(admin1)
	connected, _ := b.connect(c, graphsim.SignUp{Phones: onCloudAPI(1)})
	id := connected.GetConnectionId()
	b.meta.AddFault(graphsim.Fault{Method: "DELETE", Drop: graphsim.Before, Times: -1})
	go func() { _, _ = b.disconnect(c, id) }()
	eventually(t, "Meta is told", func() bool { return b.meta.Count("DELETE", "/*/subscribed_apps") > 0 })
	wantConnection(t, b.connection(c, id), onboardingv1.Connection_ATTENTION, "DISCONNECTING")
	b.pass(claimDeadline + 1)
	ended := b.awaitDisconnected(c, id)
	wantConnection(t, ended, onboardingv1.Connection_DISCONNECTED)
}

func TestADisconnectionEndsAClaimThatHasNotBegunToBind(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(admin1)
	held := b.meta.AddFault(graphsim.Fault{Method: "GET", Path: "/*/subscribed_apps", Hold: graphsim.Before})
	shared := b.meta.SignUp(graphsim.SignUp{Phones: onCloudAPI(1)})
	claim := b.post(c, &onboardingv1.ClaimWabaRequest{Code: shared.Code})
	eventually(t, "the proof is asked for", func() bool { return b.meta.Count("GET", "/*/subscribed_apps") == 1 })
	id := b.get(c, claim).GetConnection().GetConnectionId()
	if _, err := b.disconnect(c, id); err != nil {
		t.Fatal(err)
	}
	b.awaitDisconnected(c, id)
	failed := b.get(c, claim)
	wantState(t, failed, onboardingv1.Onboarding_FAILED)
	if failed.GetReason() != "DISCONNECTING" {
		t.Errorf("the claim's reason is %s", failed.GetReason())
	}
	b.meta.Release(held)

	again := b.claim(c, &onboardingv1.ClaimWabaRequest{Code: shared.Code}) // its token was never bound, so it is there
	wantState(t, again, onboardingv1.Onboarding_CONNECTED)
	if again.GetConnection().GetConnectionId() != id {
		t.Errorf("claimed again as %s, want %s", again.GetConnection().GetConnectionId(), id)
	}
}

func TestAClaimWaitsForADisconnectionThatIsUnderWay(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(admin1)
	connected, shared := b.connect(c, graphsim.SignUp{Phones: onCloudAPI(1)})
	id := connected.GetConnectionId()
	held := b.meta.AddFault(graphsim.Fault{Method: "DELETE", Hold: graphsim.Before})
	go func() { _, _ = b.disconnect(c, id) }()
	eventually(t, "Meta is told", func() bool { return b.meta.Count("DELETE", "/*/subscribed_apps") == 1 })
	claim := b.post(c, &onboardingv1.ClaimWabaRequest{Code: b.meta.SignUp(graphsim.SignUp{WABAIDs: shared.WABAIDs}).Code})
	b.await(c, claim, "the claim waits", func(o *onboardingv1.Onboarding) bool {
		return step(o, "hold").GetState() == onboardingv1.Step_WAITING && o.GetReason() == "DISCONNECTING"
	})
	b.meta.Release(held)
	after := b.awaitState(c, claim, onboardingv1.Onboarding_CONNECTED).GetConnection()
	if after.GetConnectionId() != id {
		t.Errorf("claimed again as %s, want %s", after.GetConnectionId(), id)
	}
}

func TestTheTimelineTellsWhatHappenedAndWhoDidIt(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(admin1)
	connected, _ := b.connect(c, graphsim.SignUp{Phones: onCloudAPI(1)})
	id := connected.GetConnectionId()
	if _, err := b.check(c, id); err != nil {
		t.Fatal(err)
	}
	if _, err := b.disconnect(c, id); err != nil {
		t.Fatal(err)
	}
	b.awaitDisconnected(c, id)
	told := []string{}
	for token := ""; ; {
		page, err := b.as(viewer1).ListActivities(t.Context(), &onboardingv1.ListActivitiesRequest{
			ConnectionId: id, PageSize: 3, PageToken: token,
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range page.GetActivities() {
			told = append(told, a.GetType()+" "+a.GetActor())
		}
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	slices.Reverse(told)
	want := []string{
		"CODE_POSTED " + admin1, "CODE_EXCHANGED " + admin1, "WABA_HELD waba-onboarding", "CONNECTED " + admin1,
		"CHECKED " + admin1, "DISCONNECT_REQUESTED " + admin1, "STATE_ATTENTION waba-onboarding", "DISCONNECTED " + admin1,
	}
	if diff := cmp.Diff(strings.Join(want, "\n"), strings.Join(told, "\n")); diff != "" {
		t.Errorf("the timeline (-want +got):\n%s", diff)
	}
}
