package store

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
)

func TestATwinIsFenced(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		o := b.claiming("org-1")
		twin, err := b.LoadClaim(ctx, o.ID)
		b.must(err)
		b.must(b.BeginStep(ctx, &o))
		b.fenced(b.BeginStep(ctx, &twin))
		before := twin
		b.fenced(b.FinishStep(ctx, &twin, Progress{WabaID: "1"}, true))
		b.fenced(b.PostponeStep(ctx, &twin, StepWaiting, "META_UNAVAILABLE", time.Second))
		b.fenced(b.OfferChoices(ctx, &twin, []Choice{{WabaID: "1"}}))
		b.fenced(b.FailClaim(ctx, &twin, "TOKEN_INVALID", nil))
		if twin.Epoch != before.Epoch || twin.Steps.Current().State != before.Steps.Current().State {
			t.Errorf("what the twin holds changed: %v", twin)
		}
		b.must(b.FinishStep(ctx, &o, Progress{WabaID: "1"}, true))
		if now := b.onboarding(o.ID); now.Steps.Current().Name != StepHold || now.State != Claiming {
			t.Errorf("the claim is %s at %v", now.State, now.Steps.Current())
		}
	})
}

func TestALivingWorkerIsKnownByItsStep(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		o := b.claiming("org-1")
		worked := func(want bool) {
			t.Helper()
			if now := b.onboarding(o.ID); b.Worked(&now) != want {
				t.Errorf("worked = %t at %v", !want, now.Steps.Current())
			}
		}
		worked(false) // nobody came yet
		b.must(b.BeginStep(ctx, &o))
		worked(true)
		b.must(b.PostponeStep(ctx, &o, StepWaiting, "META_UNAVAILABLE", time.Minute))
		worked(false)
		b.must(b.BeginStep(ctx, &o))
		b.must(b.FinishStep(ctx, &o, Progress{WabaID: "1"}, false))
		worked(false) // another job is to go on
		b.must(b.BeginStep(ctx, &o))
		b.pass(jobLife + 1)
		worked(false) // he must be dead
	})
}

func TestAFailedClaimLeavesItsConnectionToAnotherThatIsUnderWay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		first := b.at(b.claiming("org-1"), "7", StepRead)
		second := b.at(b.claiming("org-1"), "7", StepRead)
		if *first.ConnectionID != *second.ConnectionID {
			t.Fatal("two claims of a WABA have two connections")
		}
		b.must(b.FailClaim(ctx, &second, "PHONE_NUMBER_NOT_FOUND", nil))
		if c := b.connection(*first.ConnectionID); c.State != ConnectionClaiming || c.OnboardingID != first.ID {
			t.Errorf("the connection is %s, held by %s", c.State, c.OnboardingID)
		}
		third := b.at(b.claiming("org-1"), "7", StepRead)
		b.must(b.FailClaim(ctx, &first, "TOKEN_INVALID", nil))
		b.must(b.FailClaim(ctx, &third, "WABA_NOT_SHARED", nil))
		c := b.connection(*first.ConnectionID)
		if c.State != ConnectionDisconnected || len(c.Reasons) != 1 || c.Reasons[0] != "WABA_NOT_SHARED" {
			t.Errorf("the connection is %s %v", c.State, c.Reasons)
		}
	})
}

func TestClaimsOfOneOrganizationThatHoldAtOnceShareAConnection(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		claims := holdAtOnce(t, b, "org-1", "org-1", "org-1", "org-1", "org-1", "org-1")
		for _, o := range claims {
			if o.ConnectionID == nil || *o.ConnectionID != *claims[0].ConnectionID {
				t.Errorf("connection %v, want %v", o.ConnectionID, claims[0].ConnectionID)
			}
		}
	})
}

func TestOfOrganizationsThatHoldAtOnceOneWins(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		winners := 0
		for _, o := range holdAtOnce(t, b, "org-1", "org-2", "org-3", "org-4", "org-5") {
			if o.ConnectionID != nil {
				winners++
			}
		}
		if winners != 1 {
			t.Errorf("%d organizations hold the WABA", winners)
		}
	})
}

// holdAtOnce has claims of one WABA finish hold in parallel. Those that are refused have no connection.
func holdAtOnce(t *testing.T, b *bundle, organizations ...string) []Onboarding {
	t.Helper()
	claims := make([]Onboarding, len(organizations))
	for i, organization := range organizations {
		claims[i] = b.at(b.claiming(organization), "7", StepHold)
	}
	var all sync.WaitGroup
	for i := range claims {
		all.Go(func() {
			err := b.FinishStep(t.Context(), &claims[i], Progress{Hold: true}, true)
			if err != nil && !errors.Is(err, ErrHeldElsewhere) {
				t.Errorf("hold: %v", err)
			}
		})
	}
	all.Wait()
	return claims
}

func TestOneCodeThatIsPostedAtOnceIsOneOnboarding(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		started, err := b.StartOnboarding(t.Context(), Start{Organization: "org-1", StateHash: "state", Actor: "test", ExpireTime: b.now().Add(time.Hour)})
		b.must(err)
		bare := PostedCode{Organization: "org-1", Fingerprint: "a", TTL: time.Hour}
		bound := PostedCode{Organization: "org-1", Fingerprint: "b", OnboardingID: started.ID, StateHash: "state", TTL: time.Hour}
		failed := b.claiming("org-1")
		b.must(b.FailClaim(t.Context(), &failed, "TOKEN_INVALID", nil))
		again := PostedCode{Organization: "org-1", Fingerprint: *failed.Fingerprint, TTL: time.Hour}
		for _, post := range []PostedCode{bare, bound, again} {
			ids := make([]uuid.UUID, 12)
			var posts sync.WaitGroup
			for i := range ids {
				posts.Go(func() {
					o, err := b.RecordCode(t.Context(), post)
					if err != nil {
						t.Errorf("%s: %v", post.Fingerprint, err)
					}
					ids[i] = o.ID
				})
			}
			posts.Wait()
			for _, id := range ids {
				if id != ids[0] {
					t.Errorf("%s: onboardings %v", post.Fingerprint, ids)
				}
			}
		}
		if n := b.jobs("claim_waba"); n != 2 { // of the claim, and of its restart
			t.Errorf("%d jobs", n)
		}
	})
}

func TestWhatIsLateIsEnqueuedOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		b.claiming("org-1")
		_, c := b.connected("org-1", "7")
		b.must(b.RequestDisconnect(ctx, "org-1", c.ID, "test"))
		count := func() [3]int64 {
			return [3]int64{b.jobs("claim_waba"), b.jobs("register_phone_number"), b.jobs("disconnect_connection")}
		}
		before := count()
		b.must(b.Sweep(ctx))
		if now := count(); now != before {
			t.Errorf("nothing was late, and %v became %v", before, now)
		}
		b.pass(slack + time.Second)
		var sweeps sync.WaitGroup
		for range 4 {
			sweeps.Go(func() {
				if err := b.Sweep(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		sweeps.Wait()
		for i, n := range count() {
			if n != before[i]+1 {
				t.Errorf("%v became %v, want one more of each", before, count())
			}
		}
	})
}

func TestADeadlineEndsAClaimUnlessItBinds(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		waiting := b.at(b.claiming("org-1"), "7", StepProve)
		b.must(b.PostponeStep(ctx, &waiting, StepWaiting, "WEBHOOK_SUBSCRIPTION_FAILED", time.Minute))
		stuck := b.claiming("org-1")
		binding := b.at(b.claiming("org-1"), "8", StepBind)
		b.pass(111 * time.Second)
		b.must(b.Sweep(ctx))
		for id, want := range map[uuid.UUID]string{
			waiting.ID: "FAILED WEBHOOK_SUBSCRIPTION_FAILED", stuck.ID: "FAILED CLAIM_STUCK", binding.ID: "CLAIMING ",
		} {
			if o := b.onboarding(id); string(o.State)+" "+o.Reason != want {
				t.Errorf("%s %s, want %s", o.State, o.Reason, want)
			}
		}
		b.must(b.FinishStep(ctx, &binding, Progress{Bound: &TokenFacts{State: "ACTIVE"}}, true))
	})
}

func TestAWABAThatIsNamedLaterIsTakenOutOfTheHandsOfWhoeverLooksWithoutIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		looking := b.claiming("org-1")
		post := PostedCode{Organization: "org-1", Fingerprint: *looking.Fingerprint, WabaID: "7", Actor: "test", TTL: time.Hour}
		b.must(b.BeginStep(ctx, &looking))
		if o, err := b.RecordCode(ctx, post); err != nil || o.WabaID != "" {
			t.Errorf("the first look is disturbed: %q %v", o.WabaID, err)
		}
		b.must(b.PostponeStep(ctx, &looking, StepWaiting, "WABA_ID_REQUIRED", time.Second))
		b.must(b.BeginStep(ctx, &looking))
		o, err := b.RecordCode(ctx, post)
		if err != nil || o.WabaID != "7" || b.Worked(&o) {
			t.Errorf("the WABA is %q, at %v, %v", o.WabaID, o.Steps.Current(), err)
		}
		if err := b.PostponeStep(ctx, &looking, StepWaiting, "WABA_ID_REQUIRED", time.Second); !errors.Is(err, ErrFenced) {
			t.Errorf("who looked without it goes on: %v", err)
		}
		b.must(b.BeginStep(ctx, &o))
	})
}
