package server_test

import (
	"fmt"
	"slices"
	"testing"

	"google.golang.org/grpc/metadata"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/graphsim"
)

func TestListsAreFilteredAndPaged(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		c := b.as(org1)
		made := []string{}
		for range 3 {
			connected, _ := b.connect(c, graphsim.SignUp{Phones: onCloudAPI(1)})
			made = append(made, connected.GetConnectionId())
		}
		b.connect(c, graphsim.SignUp{Phones: graphsim.List[graphsim.Phone]{}}) // ATTENTION
		b.connect(b.as(org2), graphsim.SignUp{Phones: onCloudAPI(1)})
		slices.Reverse(made)

		connected := []onboardingv1.Connection_State{onboardingv1.Connection_CONNECTED}
		listed, token := []string{}, ""
		for pages := 0; pages == 0 || token != ""; pages++ {
			page, err := c.ListConnections(t.Context(), &onboardingv1.ListConnectionsRequest{States: connected, PageSize: 2, PageToken: token})
			if err != nil || len(page.GetConnections()) > 2 {
				t.Fatalf("%v %v", page, err)
			}
			for _, found := range page.GetConnections() {
				listed = append(listed, found.GetConnectionId())
			}
			token = page.GetNextPageToken()
		}
		if !slices.Equal(listed, made) {
			t.Errorf("listed %v, want %v", listed, made)
		}
		failed, err := c.ListOnboardings(t.Context(), &onboardingv1.ListOnboardingsRequest{States: []onboardingv1.Onboarding_State{onboardingv1.Onboarding_FAILED}})
		if err != nil || len(failed.GetOnboardings()) != 0 {
			t.Errorf("%v %v", failed, err)
		}
		if all := b.list(c); len(all) != 4 || all[0].GetConnection() == nil {
			t.Errorf("listed %v", all)
		}
	})
}

func TestAPageTokenIsGoodForItsOwnListOnly(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	for _, token := range []string{org1, org2} {
		for range 2 {
			b.connect(b.as(token), graphsim.SignUp{Phones: onCloudAPI(1)})
		}
	}
	first := b.send("GET", "connections?pageSize=1", org1, "")
	token, _ := first.json["nextPageToken"].(string)
	id, _ := first.json["connections"].([]any)[0].(map[string]any)["connectionId"].(string)
	if good := b.send("GET", "connections?pageSize=1&pageToken="+token, org1, ""); good.status != 200 {
		t.Fatalf("%d %s", good.status, good.raw)
	}
	forged := "A" + token[1:]
	if forged == token {
		forged = "B" + token[1:]
	}
	for name, ask := range map[string]struct{ as, path string }{
		"another organization": {org2, "connections?pageSize=1&pageToken=" + token},
		"the operator":         {platform, "connections?pageSize=1&pageToken=" + token},
		"another filter":       {org1, "connections?pageSize=1&states=CONNECTED&pageToken=" + token},
		"another list":         {org1, "onboardings?pageSize=1&pageToken=" + token},
		"a timeline":           {org1, "connections/" + id + "/activities?pageToken=" + token},
		"forged":               {org1, "connections?pageSize=1&pageToken=" + forged},
		"cut":                  {org1, "connections?pageSize=1&pageToken=" + token[:20]},
		"an id":                {org1, "connections?pageSize=1&pageToken=" + id},
	} {
		refused := b.send("GET", ask.path, ask.as, "")
		if refused.status != 400 || refused.info()["reason"] != "INVALID_FIELD" {
			t.Errorf("%s: %d %s", name, refused.status, refused.raw)
		}
	}
}

func TestTheOperatorSeesAllOrganizationsAndActsInARowsOwn(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	all := b.as(platform)
	_, err := all.ClaimWaba(t.Context(), &onboardingv1.ClaimWabaRequest{Code: "AQx"})
	wantFault(t, err, errorsv1.ErrorReason_ORGANIZATION_REQUIRED)
	_, err = all.StartOnboarding(t.Context(), &onboardingv1.StartOnboardingRequest{})
	wantFault(t, err, errorsv1.ErrorReason_ORGANIZATION_REQUIRED)

	b.connect(b.as(org1), graphsim.SignUp{Phones: onCloudAPI(1)})
	code := b.meta.SignUp(graphsim.SignUp{Phones: onCloudAPI(1)}).Code
	as := b.send("POST", "claim-waba", platform, fmt.Sprintf(`{"code": %q}`, code), "X-Organization-Id: org-9")
	if as.json["organizationId"] != "org-9" {
		t.Fatalf("%d %s", as.status, as.raw)
	}
	id, _ := as.json["onboardingId"].(string)
	o := b.awaitState(all, id, onboardingv1.Onboarding_CONNECTED)
	list, err := all.ListConnections(t.Context(), &onboardingv1.ListConnectionsRequest{})
	if err != nil || len(list.GetConnections()) != 2 || list.GetConnections()[0].GetOrganizationId() != "org-9" {
		t.Errorf("%v %v", list, err)
	}
	one, err := all.ListConnections(metadata.AppendToOutgoingContext(t.Context(), "x-organization-id", "org-1"), &onboardingv1.ListConnectionsRequest{})
	if err != nil || len(one.GetConnections()) != 1 || one.GetConnections()[0].GetOrganizationId() != "org-1" {
		t.Errorf("%v %v", one, err)
	}
	checked, err := b.check(all, o.GetConnection().GetConnectionId())
	if err != nil {
		t.Fatal(err)
	}
	wantConnection(t, checked, onboardingv1.Connection_CONNECTED)

	foreign := b.send("GET", "connections", org1, "", "X-Organization-Id: org-9")
	if foreign.status != 403 {
		t.Errorf("naming a foreign organization answers %d %s", foreign.status, foreign.raw)
	}
}
