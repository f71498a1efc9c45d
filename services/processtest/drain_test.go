package processtest

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestAfterTheSignalItServesOnUntilLoadBalancersHaveHeard(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{env: []string{"DRAIN_DELAY=10s"}})
	probe := &http.Client{Timeout: 3 * time.Second}
	ask := func(path string) (status int, body string) {
		resp, err := probe.Get("http://" + w.onboarding.admin + path)
		if err != nil {
			t.Errorf("nothing answers on the admin port while it serves: %v", err)
			return 0, ""
		}
		defer func() { _ = resp.Body.Close() }()
		answer, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(answer)
	}
	w.onboarding.stop()
	waitFor(t, 8*time.Second, "it is ready still", func() bool {
		status, body := ask("/readyz")
		return status == http.StatusServiceUnavailable && strings.Contains(body, "serving: stopping\n")
	})
	if status, body := ask("/livez"); status != http.StatusOK {
		t.Errorf("it lives, and /livez answers %d %s", status, body)
	}
	if a := w.call(t.Context(), w.onboarding, http.MethodGet, "onboardings", "org-1", nil); a.err != nil || a.status != http.StatusOK {
		t.Errorf("a call while load balancers hear of it: %d %s %v", a.status, a.body, a.err)
	}
	w.onboarding.wantStopped()
}
