package server_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/graphsim"
)

const redirectURI = publicURL + "/onboarding/callback"

// visit is a browser that opens a path, and follows nothing.
func (b *bundle) visit(method, path string, headers ...string) answer {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.rest+path, http.NoBody)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		req.Header.Add(name, value)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{status: resp.StatusCode, header: resp.Header, raw: raw}
}

// comeBack is Meta's dialog leading the browser back.
func (b *bundle) comeBack(query ...string) answer {
	b.t.Helper()
	values := url.Values{}
	for i := 0; i < len(query); i += 2 {
		values.Add(query[i], query[i+1])
	}
	return b.visit("GET", "/onboarding/callback?"+values.Encode())
}

// wantSentTo wants a redirect to a page with the onboarding in its fragment, and answers the client token that is there too.
func wantSentTo(t *testing.T, a answer, page, onboarding string) string {
	t.Helper()
	fragment, ok := strings.CutPrefix(a.header.Get("Location"), page+"#whatrack-connect=")
	token, named, _ := strings.Cut(fragment, "&onboarding=")
	if a.status != 303 || !ok || len(a.raw) != 0 || named != onboarding {
		t.Fatalf("%d %q to %q, want %s and %s", a.status, a.raw, a.header.Get("Location"), page, onboarding)
	}
	for name, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"} {
		if a.header.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, a.header.Get(name), want)
		}
	}
	return token
}

func TestTheFullPageDialogIsClaimedOnTheServer(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		for page, req := range map[string]*onboardingv1.StartOnboardingRequest{
			publicURL + "/connect": {},
			returnURL:              {ReturnUrl: returnURL},
		} {
			started, err := b.as(org1).StartOnboarding(t.Context(), req)
			if err != nil || started.GetRedirectUri() != redirectURI {
				t.Fatalf("%v %v", started, err)
			}
			shared := b.meta.SignUp(graphsim.SignUp{RedirectURI: redirectURI})
			spent := b.meta.Count("POST", "/oauth/access_token")
			id := started.GetOnboardingId()
			back := b.comeBack("code", shared.Code, "state", started.GetState(), "granted_scopes", "x")
			token := wantSentTo(t, back, page, id)
			for _, secret := range []string{shared.Code, started.GetState(), started.GetClientToken()} {
				if strings.Contains(back.header.Get("Location"), secret) {
					t.Errorf("sent on to %s", back.header.Get("Location"))
				}
			}
			o := b.awaitState(b.as(token), id, onboardingv1.Onboarding_CONNECTED)
			if o.GetConnection().GetWabaId() != shared.WABAIDs[0] {
				t.Errorf("connected %s", o.GetConnection().GetWabaId())
			}
			// Reloaded, and gone back to.
			wantSentTo(t, b.comeBack("code", shared.Code, "state", started.GetState()), page, id)
			if n := b.meta.Count("POST", "/oauth/access_token") - spent; n != 1 {
				t.Errorf("%d exchanges, want 1", n)
			}
			if other := b.comeBack("code", "AQother", "state", started.GetState()); other.status != 400 {
				t.Errorf("another code: %d %s", other.status, other.raw)
			}
		}
	})
}

func TestWhatTheDialogBringsBackHasAnIDInTheLog(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	for _, method := range []string{"GET", "HEAD"} {
		a := b.visit(method, "/onboarding/callback?state=unheard-of&code=foreigncanary", "X-Request-Id: quoted-"+method)
		if a.status < 400 || a.header.Get("X-Request-Id") != "quoted-"+method || strings.Count(b.logs.String(), "quoted-"+method) != 1 {
			t.Errorf("%s: %d with the id %q", method, a.status, a.header.Get("X-Request-Id"))
		}
	}
}

func TestALeftDialogIsReportedAndLeadsToThePage(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	c := b.as(org1)
	started := b.begin(c)
	token := wantSentTo(t, b.comeBack("error", "access_denied", "error_code", "200", "error_reason", "user_denied",
		"error_description", "Permissions error\x1b[31m", "state", started.GetState()), publicURL+"/connect", started.GetOnboardingId())
	o := b.get(b.as(token), started.GetOnboardingId())
	wantState(t, o, onboardingv1.Onboarding_CANCELLED)
	if r := o.GetSignup(); r.GetEvent() != onboardingv1.SignupReport_CANCELLED || r.GetErrorCode() != "200" || r.GetErrorMessage() != "Permissions error [31m" {
		t.Errorf("recorded %v", r)
	}

	failed := b.begin(c)
	wantSentTo(t, b.comeBack("error", "server_error", "error_description", strings.Repeat("é", 2000), "state", failed.GetState()), publicURL+"/connect", failed.GetOnboardingId())
	o = b.get(c, failed.GetOnboardingId())
	if r := o.GetSignup(); o.GetState() != onboardingv1.Onboarding_STARTED || r.GetEvent() != onboardingv1.SignupReport_FAILED ||
		r.GetErrorCode() != "server_error" || r.GetErrorMessage() != strings.Repeat("é", 512) {
		t.Errorf("recorded %v", o)
	}
}

func TestACodeThatMetaRefusesIsShownByThePage(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	started := b.begin(b.as(org1))
	shared := b.meta.SignUp(graphsim.SignUp{RedirectURI: "https://elsewhere.example.com/"})
	token := wantSentTo(t, b.comeBack("code", shared.Code, "state", started.GetState()), publicURL+"/connect", started.GetOnboardingId())
	o := b.get(b.as(token), started.GetOnboardingId())
	if o.GetState() != onboardingv1.Onboarding_FAILED || o.GetReason() != "REDIRECT_URI_MISMATCH" {
		t.Errorf("the onboarding is %v", o)
	}
}

func TestTheBrowserDoesNotWaitForASlowExchange(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	started := b.begin(b.as(org1))
	shared := b.meta.SignUp(graphsim.SignUp{RedirectURI: redirectURI})
	held := b.meta.AddFault(graphsim.Fault{Method: "POST", Path: "/oauth/access_token", Hold: graphsim.After})
	token := wantSentTo(t, b.comeBack("code", shared.Code, "state", started.GetState()), publicURL+"/connect", started.GetOnboardingId())
	wantState(t, b.get(b.as(token), started.GetOnboardingId()), onboardingv1.Onboarding_EXCHANGING)
	b.meta.Release(held)
	b.awaitState(b.as(token), started.GetOnboardingId(), onboardingv1.Onboarding_CONNECTED)
}

func TestABrowserThatGoesAwayLosesNoCode(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	started := b.begin(b.as(org1))
	shared := b.meta.SignUp(graphsim.SignUp{RedirectURI: redirectURI})
	held := b.meta.AddFault(graphsim.Fault{Method: "POST", Path: "/oauth/access_token", Hold: graphsim.Before})
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan struct{})
	query := url.Values{"code": {shared.Code}, "state": {started.GetState()}}
	go func() {
		defer close(left)
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.rest+"/onboarding/callback?"+query.Encode(), http.NoBody)
		if err != nil {
			return
		}
		if resp, err := http.DefaultTransport.RoundTrip(req); err == nil {
			resp.Body.Close()
		}
	}()
	eventually(t, "the code is being spent", func() bool { return b.meta.Count("POST", "/oauth/access_token") == 1 })
	leave()
	<-left
	b.meta.Release(held)
	b.awaitState(b.as(started.GetClientToken()), started.GetOnboardingId(), onboardingv1.Onboarding_CONNECTED)
}

func TestACallbackOfNobodyShowsWhatToDo(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	const canary = "AQcanary<script>"
	state := b.begin(b.as(org1)).GetState()
	unknown := strings.Repeat("A", 43)
	for name, query := range map[string][]string{
		"nothing":                  {},
		"no state":                 {"code", canary},
		"an unknown state":         {"code", canary, "state", unknown},
		"an unknown state, left":   {"error", "access_denied", "state", unknown},
		"a state of another form":  {"code", canary, "state", "<script>"},
		"two states":               {"code", canary, "state", state, "state", state},
		"two codes":                {"code", canary, "code", canary, "state", state},
		"code and error":           {"code", canary, "error", "access_denied", "state", state},
		"neither":                  {"state", state},
		"an empty code":            {"code", "", "state", state},
		"a code with a line break": {"code", "AQ\n", "state", state},
		"a code that is too long":  {"code", strings.Repeat("A", 4097), "state", state},
		"a long description":       {"error", "x", "error_description", strings.Repeat("A", 4097), "state", state},
		"a long query":             {"x", strings.Repeat("A", 13<<10), "code", canary, "state", state},
	} {
		a := b.comeBack(query...)
		if a.status != 400 || !strings.Contains(string(a.raw), "press Connect WhatsApp again") || strings.Contains(string(a.raw), "canary") ||
			a.header.Get("Content-Type") != "text/html; charset=utf-8" || a.header.Get("Cache-Control") != "no-store" ||
			!strings.Contains(a.header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: %d %v %s", name, a.status, a.header, a.raw)
		}
	}
	if a := b.visit("GET", "/onboarding/callback?code=%zz&state="+state, "Accept-Language: pt-BR,en;q=0.5"); a.status != 400 || !strings.Contains(string(a.raw), "pressione Conectar WhatsApp") {
		t.Errorf("%d %s", a.status, a.raw)
	}
	for _, method := range []string{"HEAD", "POST", "PUT"} {
		if a := b.visit(method, "/onboarding/callback?code=AQ&state="+state); a.status != 405 {
			t.Errorf("%s: %d", method, a.status)
		}
	}
	b.clock.advance(b.ttl + time.Second)
	for _, query := range [][]string{{"code", canary, "state", state}, {"error", "access_denied", "state", state}} {
		if a := b.comeBack(query...); a.status != 400 {
			t.Errorf("an expired onboarding: %d %s", a.status, a.raw)
		}
	}
	if n := b.meta.Count("", "*"); n != 0 {
		t.Errorf("Meta was called %d times", n)
	}
	if log := b.logs.String(); strings.Contains(log, "canary") || strings.Contains(log, state) {
		t.Errorf("the log shows what came: %s", log)
	}
}

func TestWithoutADatabaseACallbackSaysToReload(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	state := b.begin(b.as(org1)).GetState()
	if err := b.db.Close(); err != nil {
		t.Fatal(err)
	}
	if a := b.comeBack("code", "AQ", "state", state); a.status != 503 || !strings.Contains(string(a.raw), "Reload this page") {
		t.Errorf("%d %s", a.status, a.raw)
	}
}

func TestOnlyAListedPageIsReturnedTo(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	for _, page := range []string{
		"https://evil.example.com/", returnURL + "#x", returnURL + "&x", "https://app.example.com/whatsapp", strings.ToUpper(returnURL),
		"javascript:alert(1)", "//app.example.com/whatsapp?from=signup", publicURL + "/", publicURL + "/connect/",
	} {
		if a := b.send("POST", "onboardings", org1, `{"returnUrl": "`+page+`"}`); a.status != 400 || a.info()["reason"] != "INVALID_FIELD" {
			t.Errorf("%s: %d %s", page, a.status, a.raw)
		}
	}
	if a := b.send("POST", "onboardings", org1, `{"returnUrl": "`+publicURL+`/connect"}`); a.status != 200 {
		t.Errorf("our own page: %d %s", a.status, a.raw)
	}
}
