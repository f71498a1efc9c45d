package rpc_test

import (
	"strings"
	"testing"

	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
)

func TestEveryAnswerHasItsIDInTheLog(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	f.answer = &onboardingv1.Onboarding{}
	const list = "/api/v1/whatsapp/onboardings"
	for name, c := range map[string]struct{ method, path, body, mediaType string }{
		"ok": {"GET", list, "", ""}, "filter": {"GET", list + "?canary=1", "", ""}, "number": {"GET", list + "?pageSize=canary", "", ""},
		"path": {"GET", "/api/v1/unheard-of", "", ""}, "verb": {"GET", claimPath, "", ""}, "field": {"POST", claimPath, `{"x":"canary"}`, "application/json"},
		"type": {"POST", claimPath, `{"code":"canary"}`, "text/plain"}, "size": {"POST", claimPath, `{"code":"` + strings.Repeat("canary", 1<<16) + `"}`, "application/json"},
	} {
		a := f.do(t, c.method, c.path, c.body, "X-Request-Id", name+"-1", "Content-Type", c.mediaType)
		if a.header.Get("X-Request-Id") != name+"-1" || (a.code == 200) != (name == "ok") {
			t.Errorf("%s: %d with the id %q", name, a.code, a.header.Get("X-Request-Id"))
		}
		if got := strings.Count(f.log.String(), `"requestId":"`+name+`-1"`); got != 1 {
			t.Errorf("%s has %d lines in the log, want 1: %s", name, got, f.log.String())
		}
	}
	if strings.Contains(f.log.String(), "canary") {
		t.Errorf("what the requests held is in the log: %s", f.log.String())
	}
}
