package processtest

import (
	"net/http"
	"testing"
	"time"
)

func TestAfterTheSignalItServesOnUntilLoadBalancersHaveHeard(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{env: []string{"DRAIN_DELAY=10s"}})
	probe := &http.Client{Timeout: 3 * time.Second}
	w.onboarding.stop()
	waitFor(t, 8*time.Second, "it is ready still", func() bool {
		resp, err := probe.Get("http://" + w.onboarding.admin + "/readyz")
		if err != nil {
			return true
		}
		_ = resp.Body.Close()
		return resp.StatusCode != http.StatusOK
	})
	if a := w.call(t.Context(), w.onboarding, http.MethodGet, "onboardings", "org-1", nil); a.err != nil || a.status != http.StatusOK {
		t.Errorf("a call while load balancers hear of it: %d %s %v", a.status, a.body, a.err)
	}
	w.onboarding.wantStopped()
}
