package store

import (
	"sync"
	"testing"
	"time"
)

func TestClaimsOfAConnectionBindOneAfterTheOther(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		bound := Progress{Bound: &TokenFacts{State: "ACTIVE"}}
		waits := func(o *Onboarding, reason string) {
			t.Helper()
			now := b.onboarding(o.ID)
			if step := now.Steps.Current(); step.Name != StepBind || step.State != StepPending || step.Reason != reason || now.RunTime == nil {
				t.Errorf("the claim is at %v", step)
			}
		}
		first, second := b.at(b.claiming("org-1"), "7", StepProve), b.at(b.claiming("org-1"), "7", StepProve)
		b.must(b.FinishStep(ctx, &first, Progress{}, true))
		b.must(b.FinishStep(ctx, &second, Progress{}, true))
		waits(&second, "")
		b.must(b.PostponeStep(ctx, &first, StepWaiting, "BROKER_UNAVAILABLE", time.Second))
		b.must(b.BeginStep(ctx, &second))
		waits(&second, "BROKER_UNAVAILABLE")

		b.must(b.BeginStep(ctx, &first)) // it began before, and waits for nobody
		b.must(b.FinishStep(ctx, &first, bound, true))
		b.must(b.BeginStep(ctx, &second))
		b.must(b.FinishStep(ctx, &second, bound, true))
		if c := b.connection(*first.ConnectionID); c.TokenID != second.TokenID || c.OnboardingID != second.ID {
			t.Errorf("the connection has token %s of %s, want %s", c.TokenID, c.OnboardingID, second.TokenID)
		}
	})
}

func TestOfClaimsThatBeginToBindAtOnceOneDoes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		claims := make([]Onboarding, 5)
		for i := range claims {
			claims[i] = b.at(b.claiming("org-1"), "7", StepProve)
		}
		var all sync.WaitGroup
		for i := range claims {
			all.Go(func() {
				if err := b.FinishStep(t.Context(), &claims[i], Progress{}, true); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		binding := 0
		for _, o := range claims {
			if o.Steps.Current().State == StepRunning {
				binding++
			}
		}
		if binding != 1 {
			t.Errorf("%d claims bind at once", binding)
		}
	})
}
