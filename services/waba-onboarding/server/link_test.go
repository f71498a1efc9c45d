package server_test

import (
	"testing"
	"time"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/graphsim"
)

func TestALinkOpensItsOnboardingAsOftenAsItTakes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		made, err := b.as(org1).StartOnboarding(t.Context(), &onboardingv1.StartOnboardingRequest{ReturnUrl: returnURL})
		if err != nil {
			t.Fatal(err)
		}
		link := b.as(made.GetClientToken())
		b.clock.advance(time.Minute)
		for range 2 {
			opened := b.begin(link)
			if opened.GetOnboardingId() != made.GetOnboardingId() || opened.GetState() != made.GetState() ||
				!opened.GetExpireTime().AsTime().Equal(made.GetExpireTime().AsTime()) {
				t.Fatalf("opened %v, made %v", opened, made)
			}
			// Left at Meta, and gone on with by the token that came back.
			token := wantSentTo(t, b.comeBack("error", "access_denied", "state", opened.GetState()), returnURL, made.GetOnboardingId())
			link = b.as(token)
		}
		shared := b.meta.SignUp(graphsim.SignUp{RedirectURI: redirectURI})
		wantSentTo(t, b.comeBack("code", shared.Code, "state", b.begin(link).GetState()), returnURL, made.GetOnboardingId())
		b.awaitState(b.as(made.GetClientToken()), made.GetOnboardingId(), onboardingv1.Onboarding_CONNECTED)

		used := b.send("POST", "onboardings", made.GetClientToken(), `{}`)
		about, _ := used.info()["metadata"].(map[string]any)
		if used.status != 400 || used.info()["reason"] != "STATE_MISMATCH" || about["onboardingId"] != made.GetOnboardingId() {
			t.Errorf("a used link: %d %s", used.status, used.raw)
		}
	})
}

func TestALinkWhoseSignupFailedBeginsAnotherThatEndsWithIt(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	made := b.begin(b.as(org1))
	link := b.as(made.GetClientToken())
	b.clock.advance(time.Minute)
	_, err := link.ClaimWaba(t.Context(), &onboardingv1.ClaimWabaRequest{Code: "AQunknown"})
	wantFault(t, err, errorsv1.ErrorReason_CODE_INVALID)

	next := b.begin(link)
	if next.GetOnboardingId() == made.GetOnboardingId() || next.GetState() == made.GetState() ||
		!next.GetExpireTime().AsTime().Equal(made.GetExpireTime().AsTime()) {
		t.Fatalf("the next is %v, after %v", next, made)
	}
	shared := b.meta.SignUp(graphsim.SignUp{})
	o := b.claim(b.as(next.GetClientToken()), &onboardingv1.ClaimWabaRequest{Code: shared.Code})
	wantState(t, o, onboardingv1.Onboarding_CONNECTED)
	if o.GetOrganizationId() != "org-1" {
		t.Errorf("connected for %s", o.GetOrganizationId())
	}
}

func TestALinkLeadsNowhereElseAndNoLongerThanItLives(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	made := b.begin(b.as(org1))
	link := b.as(made.GetClientToken())
	_, err := link.StartOnboarding(t.Context(), &onboardingv1.StartOnboardingRequest{ReturnUrl: returnURL})
	wantFault(t, err, errorsv1.ErrorReason_INVALID_FIELD)
	if a := b.send("POST", "onboardings", made.GetClientToken(), `{}`, "X-Organization-Id: org-2"); a.info()["reason"] != "PERMISSION_DENIED" {
		t.Errorf("in another organization: %d %s", a.status, a.raw)
	}
	// A dialog that was left just in time gives a token that outlives the link, to follow what goes on.
	b.clock.advance(b.ttl - time.Second)
	later := wantSentTo(t, b.comeBack("error", "access_denied", "state", made.GetState()), publicURL+"/connect", made.GetOnboardingId())
	b.clock.advance(time.Second)
	_, err = link.StartOnboarding(t.Context(), &onboardingv1.StartOnboardingRequest{})
	wantFault(t, err, errorsv1.ErrorReason_CREDENTIAL_EXPIRED)
	_, err = b.as(later).StartOnboarding(t.Context(), &onboardingv1.StartOnboardingRequest{})
	wantFault(t, err, errorsv1.ErrorReason_ONBOARDING_EXPIRED)
}
