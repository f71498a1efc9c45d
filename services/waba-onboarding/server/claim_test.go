package server_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/graphsim"
)

func TestACodeAloneBecomesAConnection(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		c := b.as(org1)
		shared := b.meta.SignUp(graphsim.SignUp{})
		o := b.claim(c, &onboardingv1.ClaimWabaRequest{Code: shared.Code})
		wantState(t, o, onboardingv1.Onboarding_CONNECTED)

		names := []string{}
		for _, s := range o.GetSteps() {
			names = append(names, s.GetName())
			if s.GetState() != onboardingv1.Step_DONE || s.GetAttempts() != 1 || s.GetEndTime() == nil {
				t.Errorf("step %v", s)
			}
		}
		want := []string{"exchange", "find", "hold", "read", "subscribe", "prove", "bind"}
		if diff := cmp.Diff(want, names); diff != "" {
			t.Errorf("steps (-want +got):\n%s", diff)
		}
		held := o.GetConnection()
		if held.GetState() != onboardingv1.Connection_CONNECTED || len(reasonsOf(held)) != 0 || !held.GetSubscription().GetProven() ||
			held.GetWabaId() != shared.WABAIDs[0] || held.GetBusinessId() != shared.BusinessID || held.GetToken().GetState() != "ACTIVE" {
			t.Errorf("the connection is %v", held)
		}
		for call, n := range map[[2]string]int{{"POST", "/oauth/access_token"}: 1, {"POST", "/*/subscribed_apps"}: 1, {"GET", "/*/subscribed_apps"}: 1} {
			if got := b.meta.Count(call[0], call[1]); got != n {
				t.Errorf("%v was called %d times, want %d", call, got, n)
			}
		}
	})
}

func TestTheSameCodeIsTheSameClaimWhateverElseIsPosted(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	first, err := c.StartOnboarding(t.Context(), &onboardingv1.StartOnboardingRequest{})
	if err != nil {
		t.Fatal(err)
	}
	second, err := c.StartOnboarding(t.Context(), &onboardingv1.StartOnboardingRequest{})
	if err != nil {
		t.Fatal(err)
	}
	shared := b.meta.SignUp(graphsim.SignUp{})
	post := &onboardingv1.ClaimWabaRequest{Code: shared.Code, OnboardingId: first.GetOnboardingId(), State: first.GetState()}
	if id := b.claim(c, post).GetOnboardingId(); id != first.GetOnboardingId() {
		t.Errorf("the onboarding is %s, want %s", id, first.GetOnboardingId())
	}
	for _, again := range []*onboardingv1.ClaimWabaRequest{
		post,
		{Code: shared.Code},
		{Code: shared.Code, WabaId: "1", PhoneNumberId: "2", RedirectUri: "https://example.com/"},
		{Code: shared.Code, OnboardingId: second.GetOnboardingId()},
	} {
		o := b.claim(c, again)
		wantState(t, o, onboardingv1.Onboarding_CONNECTED)
		if o.GetOnboardingId() != first.GetOnboardingId() {
			t.Errorf("%v answers %s, want %s", again, o.GetOnboardingId(), first.GetOnboardingId())
		}
	}
	for _, state := range []string{second.GetState(), "nobodys"} {
		_, err = c.ClaimWaba(t.Context(), &onboardingv1.ClaimWabaRequest{Code: shared.Code, State: state})
		wantFault(t, err, errorsv1.ErrorReason_STATE_MISMATCH)
	}
	if n := b.meta.Count("POST", "/oauth/access_token"); n != 1 {
		t.Errorf("the code was spent %d times", n)
	}
	if state := b.get(c, second.GetOnboardingId()).GetState(); state != onboardingv1.Onboarding_STARTED {
		t.Errorf("the other onboarding is %s", state)
	}
}

func TestFiftyPostsOfOneCodeAreOneClaim(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		c := b.as(org1)
		started, err := c.StartOnboarding(t.Context(), &onboardingv1.StartOnboardingRequest{})
		if err != nil {
			t.Fatal(err)
		}
		for _, round := range []struct {
			posts int
			post  *onboardingv1.ClaimWabaRequest
		}{
			{50, &onboardingv1.ClaimWabaRequest{}},
			{10, &onboardingv1.ClaimWabaRequest{OnboardingId: started.GetOnboardingId(), State: started.GetState()}},
			{10, &onboardingv1.ClaimWabaRequest{Code: "AQgarbage"}},
		} {
			post := round.post
			if post.GetCode() == "" {
				post.Code = b.meta.SignUp(graphsim.SignUp{}).Code // it lives 30 s
			}
			before := b.meta.Count("POST", "/oauth/access_token")
			if ids := postInParallel(b, c, post, round.posts); len(ids) != 1 {
				t.Errorf("%v: %d onboardings: %v", post, len(ids), ids)
			}
			if n := b.meta.Count("POST", "/oauth/access_token") - before; n != 1 {
				t.Errorf("the code was spent %d times", n)
			}
		}
		if n := b.meta.Count("POST", "/*/subscribed_apps"); n != 2 {
			t.Errorf("subscribed %d times, want once for each of the two WABAs", n)
		}
	})
}

// postInParallel posts a code many times at once and answers the different onboardings.
func postInParallel(b *bundle, c client, post *onboardingv1.ClaimWabaRequest, times int) []string {
	t := b.t
	t.Helper()
	ids := make([]string, times)
	var posts sync.WaitGroup
	for i := range ids {
		posts.Go(func() {
			resp, err := c.ClaimWaba(t.Context(), post)
			ids[i] = resp.GetOnboarding().GetOnboardingId()
			if post.GetCode() == "AQgarbage" {
				ids[i] = wantFault(t, err, errorsv1.ErrorReason_CODE_INVALID).Metadata()["onboardingId"]
			} else if err != nil || b.settled(c, resp.GetOnboarding()).GetState() != onboardingv1.Onboarding_CONNECTED {
				t.Errorf("post %d: %v %v", i, resp.GetOnboarding().GetState(), err)
			}
		})
	}
	posts.Wait()
	slices.Sort(ids)
	return slices.Compact(ids)
}

func TestACodeOfOneOrganizationIsNotAnothers(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	_, shared := b.connect(b.as(org1), graphsim.SignUp{})
	_, err := b.as(org2).ClaimWaba(t.Context(), &onboardingv1.ClaimWabaRequest{Code: shared.Code})
	why := wantFault(t, err, errorsv1.ErrorReason_CODE_ALREADY_USED)
	failed := b.get(b.as(org2), why.Metadata()["onboardingId"])
	wantState(t, failed, onboardingv1.Onboarding_FAILED)
	if failed.GetReason() != "CODE_ALREADY_USED" || failed.GetConnection() != nil {
		t.Errorf("the other organization learned %v", failed)
	}
	if n := b.meta.Count("POST", "/oauth/access_token"); n != 1 {
		t.Errorf("the code was spent %d times", n)
	}
}

func TestACodeIsTakenOnlyByItsOwnOnboarding(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c, other := b.as(org1), b.as(org2)
	start := func(c client) *onboardingv1.StartOnboardingResponse {
		started, err := c.StartOnboarding(t.Context(), &onboardingv1.StartOnboardingRequest{})
		if err != nil {
			t.Fatal(err)
		}
		return started
	}
	mine, twin, foreign, consumed, late := start(c), start(c), start(other), start(c), start(c)
	b.claim(c, &onboardingv1.ClaimWabaRequest{Code: b.meta.SignUp(graphsim.SignUp{}).Code, OnboardingId: consumed.GetOnboardingId()})
	spent := b.meta.Count("POST", "/oauth/access_token")

	mismatch, expired, missing := errorsv1.ErrorReason_STATE_MISMATCH, errorsv1.ErrorReason_ONBOARDING_EXPIRED, errorsv1.ErrorReason_NOT_FOUND
	refused := func(name string, req *onboardingv1.ClaimWabaRequest, want errorsv1.ErrorReason) {
		t.Helper()
		req.Code = "AQ" + uuid.NewString()
		_, err := c.ClaimWaba(t.Context(), req)
		t.Log(name)
		wantFault(t, err, want)
	}
	refused("the state of its twin", &onboardingv1.ClaimWabaRequest{OnboardingId: mine.GetOnboardingId(), State: twin.GetState()}, mismatch)
	refused("a state of nobody", &onboardingv1.ClaimWabaRequest{State: "made-up"}, mismatch)
	refused("another organization's state", &onboardingv1.ClaimWabaRequest{State: foreign.GetState()}, mismatch)
	refused("consumed, with its state", &onboardingv1.ClaimWabaRequest{State: consumed.GetState()}, mismatch)
	refused("consumed, by its id", &onboardingv1.ClaimWabaRequest{OnboardingId: consumed.GetOnboardingId()}, mismatch)
	refused("an onboarding of nobody", &onboardingv1.ClaimWabaRequest{OnboardingId: uuid.NewString()}, missing)
	refused("another organization's", &onboardingv1.ClaimWabaRequest{OnboardingId: foreign.GetOnboardingId(), State: foreign.GetState()}, missing)
	b.clock.advance(b.ttl + 1)
	refused("too late, before it was looked over", &onboardingv1.ClaimWabaRequest{OnboardingId: late.GetOnboardingId()}, expired)
	b.sweep()
	refused("too late", &onboardingv1.ClaimWabaRequest{OnboardingId: late.GetOnboardingId(), State: late.GetState()}, expired)
	wantState(t, b.get(c, late.GetOnboardingId()), onboardingv1.Onboarding_EXPIRED)
	if n := b.meta.Count("POST", "/oauth/access_token"); n != spent {
		t.Errorf("%d refused codes were spent", n-spent)
	}
}

func TestAForeignIDIsByteForByteLikeARandomOne(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	held, _ := b.connect(b.as(org1), graphsim.SignUp{})
	for _, path := range []string{
		"GET onboardings/%s", "GET onboardings/%s:wait", `POST onboardings/%s:selectWaba {"wabaId": "1"}`,
		`POST claim-waba {"code": "AQx", "onboardingId": "%s"}`,
	} {
		wantSame(t, b, path, held.GetOnboardingId())
	}
	for _, path := range []string{
		"GET connections/%s", "POST connections/%s:check {}", "POST connections/%s:subscribe {}", "GET connections/%s/activities",
		"GET connections/%s/messages", "GET changes?connectionId=%s", "GET changes:watch?connectionId=%s",
		`POST connections/%s:registerPhoneNumber {"phoneNumberId": "1"}`,
	} {
		wantSame(t, b, path, held.GetConnectionId())
	}
}

func wantSame(t *testing.T, b *bundle, request, foreign string) {
	t.Helper()
	ask := func(id string) answer {
		var method, path, body string
		_, _ = fmt.Sscanf(fmt.Sprintf(request, id), "%s %s", &method, &path)
		body = fmt.Sprintf(request, id)[len(method)+1+len(path):]
		return b.send(method, path, org2, body, "X-Request-Id: same")
	}
	theirs, random := ask(foreign), ask(uuid.Must(uuid.NewV7()).String())
	if theirs.status != 404 || string(theirs.raw) != string(random.raw) {
		t.Errorf("%s: a foreign id answers %d %s, a random one %d %s", request, theirs.status, theirs.raw, random.status, random.raw)
	}
}
