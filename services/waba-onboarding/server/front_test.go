package server_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
)

func TestOnlyListedOriginsMayCallTheAPI(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	const path = "/api/v1/whatsapp/onboardings"
	preflight := []string{"Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization,content-type"}

	asked := b.visit("OPTIONS", path, append(preflight, "Origin: "+appOrigin)...)
	if asked.status != 204 || asked.header.Get("Access-Control-Allow-Origin") != appOrigin || asked.header.Get("Access-Control-Max-Age") == "" {
		t.Errorf("a preflight: %d %v", asked.status, asked.header)
	}
	for name, list := range map[string][]string{
		"Access-Control-Allow-Methods": {"GET", "POST", "PATCH", "DELETE"},
		"Access-Control-Allow-Headers": {"Authorization", "Content-Type", "X-Organization-Id", "Accept-Language"},
	} {
		if got := strings.Split(asked.header.Get(name), ", "); !slices.Equal(got, list) {
			t.Errorf("%s is %v", name, got)
		}
	}
	read := b.visit("GET", path, "Origin: "+appOrigin, "Authorization: Bearer "+viewer1)
	if read.status != 200 || read.header.Get("Access-Control-Allow-Origin") != appOrigin {
		t.Errorf("a call: %d %v", read.status, read.header)
	}
	refused := b.visit("GET", path, "Origin: "+appOrigin)
	if refused.status != 401 || refused.header.Get("Access-Control-Allow-Origin") != appOrigin {
		t.Errorf("an error: %d %v", refused.status, refused.header)
	}

	for _, origin := range []string{
		"https://evil.example.com", "null", "*", "https://app.example.com.evil.io", "http://app.example.com", "https://APP.example.com",
		"https://app.example.com:443", "https://app.example.com/", "", publicURL,
	} {
		for _, a := range []answer{
			b.visit("OPTIONS", path, append(preflight, "Origin: "+origin)...),
			b.visit("GET", path, "Origin: "+origin, "Authorization: Bearer "+viewer1),
			b.visit("GET", path, "Origin: "+origin, "Origin: "+appOrigin, "Authorization: Bearer "+viewer1),
		} {
			for name := range a.header {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("%q is answered %s", origin, name)
				}
			}
			if !slices.Contains(a.header.Values("Vary"), "Origin") {
				t.Errorf("%q: Vary is %v", origin, a.header.Values("Vary"))
			}
		}
	}
	for _, elsewhere := range []string{"/", "/connect", "/openapi.json", "/onboarding/callback", "/api/v1/whatsapp/webhook"} {
		if a := b.visit("GET", elsewhere, "Origin: "+appOrigin); a.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s may be read by others", elsewhere)
		}
	}
}

func TestEveryAnswerIsGuarded(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	for path, status := range map[string]int{
		"/api/v1/whatsapp/connections": 401, "/api/v1/whatsapp/nothing": 404, "/api": 404, "/api/": 404, "/openapi.json": 200,
		"/assets/nothing.js": 404, "/onboarding/callback": 400, "/api/v1/whatsapp/webhook": 403,
	} {
		a := b.visit("GET", path)
		if a.status != status {
			t.Errorf("%s: %d %s", path, a.status, a.raw)
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Strict-Transport-Security": "max-age=31536000",
		} {
			if a.header.Get(name) != want {
				t.Errorf("%s: %s is %q", path, name, a.header.Get(name))
			}
		}
		if policy := a.header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") {
			t.Errorf("%s: %q", path, policy)
		}
		if path != "/api/v1/whatsapp/webhook" && a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: cached %q", path, a.header.Get("Cache-Control"))
		}
		if strings.HasPrefix(path, "/api") && status == 404 && !json.Valid(a.raw) {
			t.Errorf("%s: %s", path, a.raw)
		}
	}
}

func TestAFormOfAnotherSiteIsNoRequest(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	for _, kind := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"} {
		a := b.send("POST", "claim-waba", org1, `{"code": "AQ"}`, "Content-Type: "+kind, "Origin: https://evil.example.com")
		if a.status != 415 || a.info()["reason"] != "UNSUPPORTED_MEDIA_TYPE" || a.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %d %s", kind, a.status, a.raw)
		}
	}
}

func TestWithoutAConfigurationNoSignupIsStarted(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	b.config = ""
	conn := b.conn(b.start(), org1)
	_, err := onboardingv1.NewOnboardingServiceClient(conn).StartOnboarding(t.Context(), &onboardingv1.StartOnboardingRequest{})
	if why := wantFault(t, err, errorsv1.ErrorReason_SIGNUP_NOT_CONFIGURED); why.Metadata()["setting"] != "META_CONFIG_ID" {
		t.Errorf("metadata %v", why.Metadata())
	}
	if list := b.list(b.as(org1)); len(list) != 0 {
		t.Errorf("something was recorded: %v", list)
	}
}

func TestAProbeOfTheWrongPortIsNotWell(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	for _, path := range []string{"/livez", "/readyz", "/healthz", "/metrics"} {
		if a := b.visit("GET", path); a.status != 404 {
			t.Errorf("%s is answered %d", path, a.status)
		}
	}
}
