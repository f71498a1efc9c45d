package processtest

import (
	"context"
	"net/http"
	"sync"
	"testing"

	"github.com/whatrack/connect/services/graphsim"
)

func TestOneCodeIsExchangedOnceByTwoReplicasOfBoth(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{replicas: 2})
	customer := w.meta.SignUp(graphsim.SignUp{})
	answers := make([]answer, 50)
	var posts sync.WaitGroup
	for i := range answers {
		posts.Go(func() { answers[i] = w.claim(t.Context(), w.onboardings[i%2], "org-1", customer.Code) })
	}
	posts.Wait()
	for i, a := range answers {
		if a.err != nil || a.status != http.StatusOK || a.State != "CONNECTED" || a.OnboardingID != answers[0].OnboardingID {
			t.Errorf("post %d: %d %s %v", i, a.status, a.body, a.err)
		}
	}
	w.wantEnd("the claim", "org-1", "CONNECTED")
	w.wantFewWrites("the claim", customer)
	if n := w.meta.exchanges(customer.Code); n != 1 {
		t.Errorf("the code was spent %d times, want once", n)
	}
}

func TestAnExchangeWhoseAnswerIsLostIsNeverRepeated(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	customer := w.meta.SignUp(graphsim.SignUp{})
	w.meta.AddFault(graphsim.Fault{
		Method: http.MethodPost, Path: "/oauth/access_token", Params: map[string]string{"code": customer.Code}, Drop: graphsim.After,
	})
	for range 2 {
		a := w.claim(t.Context(), w.onboarding, "org-1", customer.Code)
		if a.status != http.StatusBadRequest || a.reason != "CODE_OUTCOME_UNKNOWN" {
			t.Errorf("%d %s %v", a.status, a.body, a.err)
		}
	}
	w.wantEnd("the claim", "org-1", "FAILED CODE_OUTCOME_UNKNOWN")
	if n := w.meta.exchanges(customer.Code); n != 1 {
		t.Errorf("the code was spent %d times, want once", n)
	}

	next := w.meta.SignUp(graphsim.SignUp{WABAIDs: customer.WABAIDs})
	if a := w.claim(t.Context(), w.onboarding, "org-1", next.Code); a.State != "CONNECTED" {
		t.Errorf("the popup once more: %d %s %v", a.status, a.body, a.err)
	}
}

func TestACallerWhoHangsUpLosesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	var ends sync.WaitGroup
	for _, m := range moments() {
		if m.alone {
			continue
		}
		c := w.holdAt(m, graphsim.Before)
		ctx, hangUp := context.WithCancel(t.Context())
		posted := make(chan answer, 1)
		go func() { posted <- w.claim(ctx, w.onboarding, c.organization, c.customer.Code) }()
		w.meta.held(t, c.name, c.fault)
		hangUp()
		<-posted
		w.meta.Release(c.fault)
		ends.Go(func() { w.wantEnd(c.name, c.organization, "CONNECTED") })
	}
	ends.Wait()
}
