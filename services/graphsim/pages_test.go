package graphsim

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
)

func TestPagesAreFenced(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	for path, kind := range map[string]string{
		"/": "text/html", "/_sim/phone": "text/html", "/_sim/reference": "text/plain", "/sdk.js": "javascript",
		"/pt_BR/sdk.js": "javascript", "/_sim/pages/sim.css": "text/css", "/_sim/pages/dialog.js": "javascript",
		"/_sim/pages/phone.js": "javascript", "/dialog/oauth?" + popupQuery().Encode(): "text/html",
		"/v25.0/dialog/oauth": "text/html",
	} {
		a := b.get(t, path, "")
		if !strings.Contains(a.header.Get("Content-Type"), kind) || a.text == "" {
			t.Errorf("%s answers %d %s", path, a.status, a.header.Get("Content-Type"))
		}
		policy := a.header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "frame-ancestors 'none'") || !strings.HasPrefix(policy, "default-src 'none'") || a.header.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s has the policy %q", path, policy)
		}
		if a.header.Get("Referrer-Policy") != "no-referrer" || a.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s has the headers %v", path, a.header)
		}
		// Either would cut the popup from the page that opened it.
		if a.header.Get("Cross-Origin-Opener-Policy") != "" || strings.Contains(policy, "sandbox") {
			t.Errorf("%s cuts window.opener", path)
		}
		if strings.Contains(a.text, "<script>") || strings.Contains(a.text, "<style") || strings.Contains(a.text, " onclick=") {
			t.Errorf("%s has something inline, which its policy forbids", path)
		}
	}
	if a := b.get(t, "/en_US/sdk.js", ""); a.header.Get("Cross-Origin-Resource-Policy") != "cross-origin" || a.header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("no other origin may load the SDK: %v", a.header)
	}
}

func TestPathsThatAreNoPageAreGraphs(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	for _, path := range []string{"/v25.0/sdk.js", "/en/sdk.js", "/x/dialog/oauth", "/v25.0/dialog/oauth/x", "/v25.0/"} {
		wantError(t, b.get(t, path, ""), 400, 2500, 0)
	}
	wantError(t, b.send(t, http.MethodPost, "/", "", ""), 400, 2500, 0)
}

func TestTheReferenceIsThePackageComment(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	a := b.get(t, "/_sim/reference", "")
	if !strings.HasPrefix(a.text, "Package graphsim simulates") || strings.Contains(a.text, "package graphsim") {
		t.Errorf("the reference is %s", a.text)
	}
}

func TestBothLanguagesSayEverything(t *testing.T) {
	t.Parallel()
	en, pt := reflect.ValueOf(*english()), reflect.ValueOf(*portuguese())
	for i := range en.NumField() {
		name, a, b := en.Type().Field(i).Name, en.Field(i).String(), pt.Field(i).String()
		if a == "" || b == "" {
			t.Errorf("%s is missing in one language: %q, %q", name, a, b)
		}
		if strings.Count(a, "%s") != strings.Count(b, "%s") {
			t.Errorf("%s has other places for names: %q, %q", name, a, b)
		}
	}
}
