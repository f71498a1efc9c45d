package processtest

import (
	"net/http"
	"testing"

	"github.com/whatrack/connect/services/graphsim"
)

func TestACodeBecomesAConnection(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]setup{"postgres": {}, "sqlite": {sqlite: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, s)
			customer := w.meta.SignUp(graphsim.SignUp{})

			first := w.claim(t.Context(), w.onboarding, "org-1", customer.Code)
			if first.status != http.StatusOK || first.State != "CONNECTED" || first.Connection.WabaID != customer.WABAIDs[0] {
				t.Fatalf("%d %s %v", first.status, first.body, first.err)
			}
			w.wantEnd("the claim", "org-1", "CONNECTED")
			again := w.claim(t.Context(), w.onboarding, "org-1", customer.Code)
			if again.status != http.StatusOK || again.OnboardingID != first.OnboardingID {
				t.Errorf("the same code again: %d %s", again.status, again.body)
			}
			other := w.claim(t.Context(), w.onboarding, "org-2", customer.Code)
			if other.status != http.StatusBadRequest || other.reason != "CODE_ALREADY_USED" {
				t.Errorf("the code of another: %d %s", other.status, other.body)
			}

			w.stop(w.processes()...)
			w.start(w.processes()...)
			again = w.claim(t.Context(), w.onboarding, "org-1", customer.Code)
			if again.status != http.StatusOK || again.OnboardingID != first.OnboardingID {
				t.Errorf("the same code after a restart: %d %s", again.status, again.body)
			}
			w.wantFewWrites("the claim", customer)
			if n := len(w.meta.calls(http.MethodPost, "/"+customer.WABAIDs[0]+"/subscribed_apps")); n != 1 {
				t.Errorf("subscribed %d times, want once", n)
			}
		})
	}
}
