package server_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"gorm.io/gorm"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/graphsim"
)

func TestOneWABAIsOneOrganizations(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		first, second := b.as(org1), b.as(org2)
		shared := b.meta.SignUp(graphsim.SignUp{})
		again := b.meta.SignUp(graphsim.SignUp{WABAIDs: shared.WABAIDs})
		var claims sync.WaitGroup
		var one, two *onboardingv1.Onboarding
		claims.Go(func() { one = b.claim(first, &onboardingv1.ClaimWabaRequest{Code: shared.Code}) })
		claims.Go(func() { two = b.claim(second, &onboardingv1.ClaimWabaRequest{Code: again.Code}) })
		claims.Wait()

		loser, as := two, org2
		if one.GetState() == onboardingv1.Onboarding_FAILED {
			loser, as, one = one, org1, two
		}
		wantState(t, one, onboardingv1.Onboarding_CONNECTED)
		wantState(t, loser, onboardingv1.Onboarding_FAILED)
		if loser.GetReason() != "WABA_CLAIMED_ELSEWHERE" || loser.GetConnection() != nil || step(loser, "hold").GetState() != onboardingv1.Step_FAILED {
			t.Errorf("the loser is %v", loser)
		}
		raw := string(b.send("GET", "onboardings/"+loser.GetOnboardingId(), as, "").raw)
		if strings.Contains(raw, one.GetOrganizationId()) || strings.Contains(raw, one.GetConnection().GetConnectionId()) {
			t.Errorf("the holder is named: %s", raw)
		}
		if n := b.meta.Count("POST", "/*/subscribed_apps"); n != 1 {
			t.Errorf("subscribed %d times", n)
		}
	})
}

func TestTwoClaimsOfOneOrganizationShareAConnection(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	shared := b.meta.SignUp(graphsim.SignUp{Phones: onCloudAPI(1)})
	codes := []string{shared.Code}
	for range 4 {
		codes = append(codes, b.meta.SignUp(graphsim.SignUp{WABAIDs: shared.WABAIDs}).Code)
	}
	ids := make([]string, len(codes))
	var claims sync.WaitGroup
	for i, code := range codes {
		claims.Go(func() {
			o := b.claim(c, &onboardingv1.ClaimWabaRequest{Code: code})
			if o.GetState() != onboardingv1.Onboarding_CONNECTED {
				t.Errorf("claim %d is %s (%s)", i, o.GetState(), o.GetReason())
			}
			ids[i] = o.GetConnection().GetConnectionId()
		})
	}
	claims.Wait()
	slices.Sort(ids)
	if different := slices.Compact(ids); len(different) != 1 {
		t.Errorf("%d connections: %v", len(different), different)
	}
}

func TestAReconnectionKeepsIDAndOldTokenUntilItIsBound(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		c := b.as(org1)
		before, shared := b.connect(c, graphsim.SignUp{Phones: onCloudAPI(1)})
		serves := func() string {
			resp, err := b.broker.GetAccessToken(t.Context(), &tokenbrokerv1.GetAccessTokenRequest{
				OrganizationId: "org-1", Of: &tokenbrokerv1.GetAccessTokenRequest_WabaId{WabaId: shared.WABAIDs[0]},
			})
			if err != nil {
				t.Error(err)
			}
			return resp.GetTokenId()
		}
		held := b.meta.AddFault(graphsim.Fault{Method: "GET", Path: "/*/subscribed_apps", Hold: graphsim.Before})
		again := b.meta.SignUp(graphsim.SignUp{WABAIDs: shared.WABAIDs})
		next := b.post(c, &onboardingv1.ClaimWabaRequest{Code: again.Code})
		eventually(t, "the proof is asked for", func() bool { return b.meta.Count("GET", "/*/subscribed_apps") == 2 })
		if id := serves(); id != before.GetToken().GetTokenId() {
			t.Errorf("before bind, %s serves instead of %s", id, before.GetToken().GetTokenId())
		}
		if diff := cmp.Diff(before, b.connection(c, before.GetConnectionId()), protocmp.Transform()); diff != "" {
			t.Errorf("the connection changed before bind (-want +got):\n%s", diff)
		}
		b.meta.Release(held)
		after := b.awaitState(c, next, onboardingv1.Onboarding_CONNECTED).GetConnection()
		if after.GetConnectionId() != before.GetConnectionId() || after.GetOnboardingId() != next {
			t.Errorf("the connection is %v", after)
		}
		if id := serves(); id == before.GetToken().GetTokenId() || id != after.GetToken().GetTokenId() {
			t.Errorf("after bind, %s serves instead of %s", id, after.GetToken().GetTokenId())
		}
	})
}

func TestAFailedReconnectionLeavesEverythingAsItWas(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	connected, shared := b.connect(c, graphsim.SignUp{})
	before := b.awaitNumber(c, connected.GetConnectionId(), onboardingv1.PhoneNumber_REGISTERED)
	b.meta.AddFault(graphsim.Fault{Method: "POST", Path: "/*/subscribed_apps", Error: &graphsim.FaultError{Code: 200}})
	again := b.meta.SignUp(graphsim.SignUp{WABAIDs: shared.WABAIDs})
	failed := b.claim(c, &onboardingv1.ClaimWabaRequest{Code: again.Code})
	wantState(t, failed, onboardingv1.Onboarding_FAILED)
	if diff := cmp.Diff(before, b.connection(c, before.GetConnectionId()), protocmp.Transform()); diff != "" {
		t.Errorf("the connection (-want +got):\n%s", diff)
	}
}

func TestAClaimAfterADisconnectionTakesUpTheSameConnection(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(admin1)
	before, shared := b.connect(c, graphsim.SignUp{Phones: onCloudAPI(1)})
	if _, err := c.DisconnectConnection(t.Context(), &onboardingv1.DisconnectConnectionRequest{ConnectionId: before.GetConnectionId()}); err != nil {
		t.Fatal(err)
	}
	again := b.meta.SignUp(graphsim.SignUp{WABAIDs: shared.WABAIDs})
	o := b.claim(c, &onboardingv1.ClaimWabaRequest{Code: again.Code})
	wantState(t, o, onboardingv1.Onboarding_CONNECTED)
	after := o.GetConnection()
	if after.GetConnectionId() != before.GetConnectionId() || after.GetState() != onboardingv1.Connection_CONNECTED || len(reasonsOf(after)) != 0 {
		t.Errorf("the connection is %v", after)
	}
	third := b.meta.SignUp(graphsim.SignUp{WABAIDs: shared.WABAIDs})
	stolen := b.claim(b.as(org2), &onboardingv1.ClaimWabaRequest{Code: third.Code})
	if stolen.GetReason() != "WABA_CLAIMED_ELSEWHERE" {
		t.Errorf("another organization got %v", stolen)
	}
}

func TestAWABAThatWasGivenUpIsFreeForAnotherOrganization(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(admin1)
	before, shared := b.connect(c, graphsim.SignUp{Phones: onCloudAPI(1)})
	if _, err := c.DisconnectConnection(t.Context(), &onboardingv1.DisconnectConnectionRequest{ConnectionId: before.GetConnectionId()}); err != nil {
		t.Fatal(err)
	}
	taken := b.claim(b.as(org2), &onboardingv1.ClaimWabaRequest{Code: b.meta.SignUp(graphsim.SignUp{WABAIDs: shared.WABAIDs}).Code})
	wantState(t, taken, onboardingv1.Onboarding_CONNECTED)
	back := b.claim(c, &onboardingv1.ClaimWabaRequest{Code: b.meta.SignUp(graphsim.SignUp{WABAIDs: shared.WABAIDs}).Code})
	if back.GetReason() != "WABA_CLAIMED_ELSEWHERE" {
		t.Errorf("the first organization got %v", back)
	}
}

func TestWithoutACodeOnlyTheOwnBusinessClaimsItsOwn(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	client, _ := b.connect(b.as(org2), graphsim.SignUp{Phones: onCloudAPI(1)})
	calls := b.meta.Count("", "*")
	for _, refused := range []struct{ as, waba string }{
		{org1, ownWABA}, {org1, client.GetWabaId()}, {own, client.GetWabaId()}, {org2, client.GetWabaId()}, {own, "1"},
	} {
		_, err := b.as(refused.as).ClaimWaba(t.Context(), &onboardingv1.ClaimWabaRequest{WabaId: refused.waba})
		wantFault(t, err, errorsv1.ErrorReason_PERMISSION_DENIED)
	}
	if n := b.meta.Count("", "*"); n != calls {
		t.Errorf("Meta was called %d times", n-calls)
	}
	o := b.claim(b.as(own), &onboardingv1.ClaimWabaRequest{WabaId: ownWABA})
	wantState(t, o, onboardingv1.Onboarding_CONNECTED)
	held := o.GetConnection()
	if !held.GetToken().GetOwnBusiness() || held.GetToken().GetTokenId() != "" || !held.GetSubscription().GetProven() ||
		step(o, "exchange").GetState() != onboardingv1.Step_SKIPPED {
		t.Errorf("the onboarding is %v", o)
	}
	checked, err := b.as(own).CheckConnection(t.Context(), &onboardingv1.CheckConnectionRequest{ConnectionId: held.GetConnectionId()})
	if err != nil || checked.GetConnection().GetState() != onboardingv1.Connection_CONNECTED {
		t.Errorf("checked: %v %v", checked, err)
	}
}

// A connection that remembers a token that was replaced asks which one serves its WABA.
func TestAConnectionTakesUpTheTokenThatServesIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		c := b.as(org1)
		before, shared := b.connect(c, graphsim.SignUp{Phones: onCloudAPI(1)})
		again := b.meta.SignUp(graphsim.SignUp{WABAIDs: shared.WABAIDs})
		wantState(t, b.claim(c, &onboardingv1.ClaimWabaRequest{Code: again.Code}), onboardingv1.Onboarding_CONNECTED)
		id := before.GetConnectionId()
		serving := b.connection(c, id).GetToken().GetTokenId()
		for name, ask := range map[string]func() (*onboardingv1.Connection, error){
			"read": func() (*onboardingv1.Connection, error) {
				resp, err := c.GetConnection(t.Context(), &onboardingv1.GetConnectionRequest{ConnectionId: id})
				return resp.GetConnection(), err
			},
			"check": func() (*onboardingv1.Connection, error) {
				resp, err := c.CheckConnection(t.Context(), &onboardingv1.CheckConnectionRequest{ConnectionId: id})
				return resp.GetConnection(), err
			},
			"subscribe": func() (*onboardingv1.Connection, error) {
				resp, err := c.SubscribeWebhooks(t.Context(), &onboardingv1.SubscribeWebhooksRequest{ConnectionId: id})
				return resp.GetConnection(), err
			},
		} {
			err := b.db.InTx(t.Context(), func(tx *gorm.DB) error {
				stale := map[string]any{"token_id": before.GetToken().GetTokenId(), "token_state": "SUPERSEDED", "state": "RECONNECT_REQUIRED"}
				return tx.Table("connections").Where("id = ?", id).Updates(stale).Error
			})
			if err != nil {
				t.Fatal(err)
			}
			now, err := ask()
			if err != nil || now.GetState() != onboardingv1.Connection_CONNECTED || now.GetToken().GetTokenId() != serving || now.GetToken().GetState() != "ACTIVE" {
				t.Errorf("%s: %v %v", name, now, err)
			}
		}
	})
}
