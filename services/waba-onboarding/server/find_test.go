package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/graphsim"
)

// onCloudAPI are so many numbers that need no registration.
func onCloudAPI(n int) graphsim.List[graphsim.Phone] {
	phones := make(graphsim.List[graphsim.Phone], n)
	for i := range phones {
		phones[i] = graphsim.Phone{PlatformType: "CLOUD_API", Status: "CONNECTED"}
	}
	return phones
}

func TestTargetsOfATokenAreCandidatesAndAccessIsTheProof(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	for _, granular := range []string{
		graphsim.GranularTargets, graphsim.GranularRenamed, graphsim.GranularDuplicated, graphsim.GranularBusinessIDs, graphsim.GranularNumeric,
	} {
		connected, shared := b.connect(c, graphsim.SignUp{Granular: granular, Phones: onCloudAPI(1)})
		if connected.GetWabaId() != shared.WABAIDs[0] {
			t.Errorf("%s: connected %s, want %s", granular, connected.GetWabaId(), shared.WABAIDs[0])
		}
	}
	shared := b.meta.SignUp(graphsim.SignUp{Granular: graphsim.GranularAbsent, Phones: onCloudAPI(1)})
	wantState(t, b.claim(c, &onboardingv1.ClaimWabaRequest{Code: shared.Code, WabaId: shared.WABAIDs[0]}), onboardingv1.Onboarding_CONNECTED)
}

func TestAWABAThatTheTokenDoesNotReadIsNotClaimed(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	victim := b.meta.SignUp(graphsim.SignUp{})
	thief := b.meta.SignUp(graphsim.SignUp{})
	id := b.post(c, &onboardingv1.ClaimWabaRequest{Code: thief.Code, WabaId: victim.WABAIDs[0]})
	b.await(c, id, "a reason", func(o *onboardingv1.Onboarding) bool {
		return o.GetReason() == "WABA_NOT_SHARED" && step(o, "find").GetState() == onboardingv1.Step_WAITING
	})
	b.pass(35 * time.Second) // the window has closed, and the next try is due
	failed := b.awaitState(c, id, onboardingv1.Onboarding_FAILED)
	if failed.GetReason() != "WABA_NOT_SHARED" || failed.GetConnection() != nil {
		t.Errorf("the onboarding is %v", failed)
	}
	if n := b.meta.Count("POST", "/*/subscribed_apps"); n != 0 {
		t.Errorf("subscribed %d times", n)
	}
}

func TestAPersonChoosesAmongSeveralWABAs(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		c := b.as(org1)
		shared := b.meta.SignUp(graphsim.SignUp{WABAs: make(graphsim.List[graphsim.WABA], 3), Phones: onCloudAPI(1)})
		gone, first, second := shared.WABAIDs[0], shared.WABAIDs[1], shared.WABAIDs[2]
		b.meta.AddFault(graphsim.Fault{Path: "/" + gone + "/phone_numbers", Error: &graphsim.FaultError{Code: 100, Subcode: 33}, Times: -1})
		o := b.claim(c, &onboardingv1.ClaimWabaRequest{Code: shared.Code})
		wantState(t, o, onboardingv1.Onboarding_CHOOSING_WABA)
		offered := []string{}
		for _, choice := range o.GetChoices() {
			offered = append(offered, choice.GetWabaId())
			if choice.GetName() == "" || len(choice.GetDisplayPhoneNumbers()) != 1 {
				t.Errorf("the choice is %v", choice)
			}
		}
		slices.Sort(offered)
		if diff := cmp.Diff([]string{min(first, second), max(first, second)}, offered); diff != "" {
			t.Errorf("offered (-want +got):\n%s", diff)
		}
		if again := b.claim(c, &onboardingv1.ClaimWabaRequest{Code: shared.Code}); again.GetState() != onboardingv1.Onboarding_CHOOSING_WABA {
			t.Errorf("the code again answers %s", again.GetState())
		}

		choose := func(waba string) (*onboardingv1.Onboarding, error) {
			resp, err := c.SelectWaba(t.Context(), &onboardingv1.SelectWabaRequest{OnboardingId: o.GetOnboardingId(), WabaId: waba})
			return resp.GetOnboarding(), err
		}
		_, err := choose(gone)
		wantFault(t, err, errorsv1.ErrorReason_WABA_NOT_SHARED)
		for range 2 {
			chosen, err := choose(second)
			if err != nil {
				t.Fatal(err)
			}
			chosen = b.settled(c, chosen)
			wantState(t, chosen, onboardingv1.Onboarding_CONNECTED)
			if chosen.GetConnection().GetWabaId() != second {
				t.Errorf("connected %s, chose %s", chosen.GetConnection().GetWabaId(), second)
			}
		}
		_, err = choose(first)
		wantFault(t, err, errorsv1.ErrorReason_WABA_MISMATCH)
		if n := b.meta.Count("POST", "/oauth/access_token"); n != 1 {
			t.Errorf("the code was spent %d times", n)
		}
	})
}

func TestAChoiceIsOpenForADay(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	shared := b.meta.SignUp(graphsim.SignUp{WABAs: make(graphsim.List[graphsim.WABA], 2)})
	o := b.claim(c, &onboardingv1.ClaimWabaRequest{Code: shared.Code})
	wantState(t, o, onboardingv1.Onboarding_CHOOSING_WABA)
	b.pass(23 * time.Hour)
	wantState(t, b.get(c, o.GetOnboardingId()), onboardingv1.Onboarding_CHOOSING_WABA)
	b.pass(2 * time.Hour)
	wantState(t, b.get(c, o.GetOnboardingId()), onboardingv1.Onboarding_EXPIRED)
	_, err := c.SelectWaba(t.Context(), &onboardingv1.SelectWabaRequest{OnboardingId: o.GetOnboardingId(), WabaId: shared.WABAIDs[0]})
	wantFault(t, err, errorsv1.ErrorReason_ONBOARDING_EXPIRED)
}

func TestAllPagesOfNumbersAreReadAndNoLinkIsFollowed(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	var followed atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed.Add(1) }))
	defer elsewhere.Close()

	many, shared := b.connect(c, graphsim.SignUp{Phones: onCloudAPI(250)})
	listed := []string{}
	for _, n := range many.GetPhoneNumbers() {
		listed = append(listed, n.GetPhoneNumberId())
	}
	if diff := cmp.Diff(shared.PhoneNumberIDs, listed); diff != "" {
		t.Errorf("numbers (-want +got):\n%s", diff)
	}
	if n := b.meta.Count("GET", "/*/phone_numbers"); n != 6 {
		t.Errorf("%d pages were read, want three to find and three to read", n)
	}

	page := func(id, after string) json.RawMessage {
		next := ""
		if after != "" {
			next = fmt.Sprintf(`, "next": "%s/%s"`, elsewhere.URL, id)
		}
		return json.RawMessage(fmt.Sprintf(`{"data": [{"id": %q}], "paging": {"cursors": {"after": %q}%s}}`, id, after, next))
	}
	b.meta.AddFault(graphsim.Fault{Path: "/*/phone_numbers", Params: map[string]string{"after": ""}, Body: page("11", "QVFIU"), Times: -1})
	b.meta.AddFault(graphsim.Fault{Path: "/*/phone_numbers", Params: map[string]string{"after": "QVFIU"}, Body: page("12", ""), Times: -1})
	two, _ := b.connect(c, graphsim.SignUp{})
	if n := two.GetPhoneNumbers(); len(n) != 2 || n[1].GetPhoneNumberId() != "12" || followed.Load() != 0 {
		t.Errorf("read %v, and followed the link %d times", n, followed.Load())
	}
}

func TestWhatIsNoAnswerIsAskedAgain(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	b.meta.AddFault(graphsim.Fault{Method: "GET", Path: "/*/phone_numbers", HTML: "<html>502</html>"})
	b.meta.AddFault(graphsim.Fault{Method: "GET", Path: "/*/subscribed_apps", Drop: graphsim.Before})
	b.meta.AddFault(graphsim.Fault{Method: "POST", Path: "/*/subscribed_apps", Error: &graphsim.FaultError{Code: 2}})
	shared := b.meta.SignUp(graphsim.SignUp{})
	connected := b.claim(c, &onboardingv1.ClaimWabaRequest{Code: shared.Code})
	wantState(t, connected, onboardingv1.Onboarding_CONNECTED)
	for _, name := range []string{"find", "subscribe"} {
		if s := step(connected, name); s.GetAttempts() != 2 || s.GetReason() != "" {
			t.Errorf("%s: %v", name, s)
		}
	}
}

func TestAPhoneNumberMustBeOneOfTheWABAs(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	other, shared := b.meta.SignUp(graphsim.SignUp{}), b.meta.SignUp(graphsim.SignUp{})
	o := b.claim(c, &onboardingv1.ClaimWabaRequest{Code: shared.Code, PhoneNumberId: other.PhoneNumberIDs[0]})
	wantState(t, o, onboardingv1.Onboarding_FAILED)
	if o.GetReason() != "PHONE_NUMBER_NOT_FOUND" || o.GetConnection().GetState() != onboardingv1.Connection_DISCONNECTED ||
		!slices.Equal(reasonsOf(o.GetConnection()), []string{"PHONE_NUMBER_NOT_FOUND"}) {
		t.Errorf("the onboarding is %v", o)
	}
	mine := b.meta.SignUp(graphsim.SignUp{})
	o = b.claim(c, &onboardingv1.ClaimWabaRequest{Code: mine.Code, WabaId: mine.WABAIDs[0], PhoneNumberId: mine.PhoneNumberIDs[0]})
	wantState(t, o, onboardingv1.Onboarding_CONNECTED)
}

func TestAWABAWithoutNumbersIsConnectedAndSaysSo(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	connected, _ := b.connect(b.as(org1), graphsim.SignUp{Phones: graphsim.List[graphsim.Phone]{}})
	if connected.GetState() != onboardingv1.Connection_ATTENTION || !slices.Equal(reasonsOf(connected), []string{"NO_PHONE_NUMBER"}) {
		t.Errorf("the connection is %v", connected)
	}
}
