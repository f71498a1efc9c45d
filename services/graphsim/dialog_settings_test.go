package graphsim

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestAnErrorOfTheSignupIsReported(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	k := b.open(t, popupQuery()).to("number").press("next", "fail", "3441041")
	if k.step() != "failed" || !strings.Contains(k.shown.text, "3441041") {
		t.Fatalf("at %s: %s", k.step(), k.shown.text)
	}
	session := k.form().Get("session")
	h := k.press("report").heard()
	if h.event() != "CANCEL" || h.data("error_code") != "3441041" || h.data("error_message") == "" || h.data("session_id") != session || h.data("timestamp") == "" {
		t.Errorf("heard %+v", h.session)
	}
	if h.answer.Get("error") != "access_denied" {
		t.Errorf("answered %v", h.answer)
	}

	k = b.open(t, popupQuery()).to("number").press("next", "fail", "3441041").press("again").press("next", "fail", "")
	if k.step() != "verify" {
		t.Errorf("trying otherwise leads to %s", k.step())
	}

	k = b.open(t, popupQuery()).to("permissions").press("next", "fail", "3441041")
	if k.step() != "failed" {
		t.Errorf("a form that skips the error leads to %s", k.step())
	}

	b.sim.SetDialog(Dialog{Error: &DialogError{Code: "77", Message: "Not <today>", Event: "ERROR"}})
	k = b.open(t, popupQuery()).to("failed")
	if !strings.Contains(k.shown.text, "Not &lt;today&gt;") {
		t.Errorf("shown is %s", k.shown.text)
	}
	if h := k.press("report").heard(); h.event() != "ERROR" || h.data("error_code") != "77" || h.data("error_message") != "Not <today>" {
		t.Errorf("heard %+v", h.session)
	}
}

func TestTheFullPageEndsWithARedirect(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	const target = "http://localhost:8080/onboarding/callback?a=1"
	k := b.open(t, pageQuery(target)).to("permissions")
	if policy := k.shown.header.Get("Content-Security-Policy"); !strings.HasSuffix(policy, "form-action 'self' *") {
		t.Errorf("the policy is %s, and would not let the form end there", policy)
	}
	k.press("next")
	location, err := url.Parse(k.shown.header.Get("Location"))
	if err != nil || k.shown.status != http.StatusSeeOther || !strings.HasPrefix(location.String(), target+"&") {
		t.Fatalf("answer is %d to %v, %v", k.shown.status, location, err)
	}
	code := location.Query().Get("code")
	if location.Query().Get("state") != "s+1" || code == "" {
		t.Errorf("redirected to %v", location)
	}
	wantError(t, b.oauth(t, url.Values{"code": {code}}), 400, 100, 36008)
	wantError(t, b.oauth(t, url.Values{"code": {code}, "redirect_uri": {"http://localhost:8080/onboarding/callback"}}), 400, 100, 36008)
	wantStatus(t, b.oauth(t, url.Values{"code": {code}, "redirect_uri": {target}}), http.StatusOK)

	k = b.open(t, pageQuery("http://127.0.0.1/cb")).to("waba").press("cancel")
	want := "http://127.0.0.1/cb?error=access_denied&error_code=200&error_description=Permissions+error&error_reason=user_denied&state=s%2B1"
	if got := k.shown.header.Get("Location"); got != want {
		t.Errorf("cancelling leads to %s", got)
	}
}

func TestThePopupSpeaksInTheOrderThatIsSet(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	for order, want := range map[string]string{
		"": "session code", OrderSessionFirst: "session code", OrderCodeFirst: "code session", OrderSessionNever: "code",
		OrderCodeNever: "session",
	} {
		b.sim.SetDialog(Dialog{Order: order, DelayMs: 70})
		h := b.open(t, popupQuery()).to("done").heard()
		said := []string{}
		for _, p := range h.posts.Posts {
			said = append(said, map[string]string{"*": "session", testOrigin: "code"}[p.To])
		}
		if got := strings.Join(said, " "); got != want || h.posts.DelayMs != 70 {
			t.Errorf("%q says %s after %d ms", order, got, h.posts.DelayMs)
		}
	}
}

func TestTheDialogIsSetOverHTTPAndForgottenByReset(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	wantStatus(t, b.post(t, "/_sim/dialog", `{"order":"code_first","asObject":true,"token":{"expiresIn":5184000},"granular":"absent"}`), http.StatusOK)
	if a := b.get(t, "/_sim/dialog", ""); a.str("order") != "code_first" || a.at("asObject") != true {
		t.Errorf("the dialog is %s", a.text)
	}
	h := b.open(t, popupQuery()).to("done").heard()
	if _, isObject := h.posts.Posts[1].Data.(map[string]any); !isObject {
		t.Errorf("posted %+v", h.posts.Posts)
	}
	if a := b.oauth(t, url.Values{"code": {h.answer.Get("code")}}); a.at("expires_in") != 5184000.0 {
		t.Errorf("exchange answers %s", a.text)
	}
	for _, body := range []string{
		`{"order":"never"}`, `{"delayMs":-1}`, `{"error":{}}`, `{"error":{"code":"x"}}`, `{"error":{"code":"1","event":"FINISH"}}`,
		`{"granular":"other"}`, `{"partnerAdded":"soon"}`, `{"token":{"kind":"PAGE"}}`, `{"delay":1}`,
	} {
		wantStatus(t, b.post(t, "/_sim/dialog", body), http.StatusBadRequest)
	}
	wantStatus(t, b.post(t, "/_sim/reset", ""), http.StatusOK)
	if a := b.get(t, "/_sim/dialog", ""); strings.TrimSpace(a.text) != `{}` {
		t.Errorf("after a reset the dialog is %s", a.text)
	}
}

func TestTheDialogSpeaksTheBrowsersLanguage(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	for accepted, want := range map[string]string{
		"": "en", "pt-BR,pt;q=0.9,en;q=0.8": "pt-BR", "fr,en;q=0.5,pt;q=0.9": "pt-BR", "de": "en", "en-US,pt;q=0.9": "en", "pt;q=x": "en",
	} {
		req := b.request(t, http.MethodGet, "/dialog/oauth?"+popupQuery().Encode(), "", "")
		req.Header.Set("Accept-Language", accepted)
		a, err := b.do(req)
		if err != nil || !strings.Contains(a.text, `<html lang="`+want+`">`) {
			t.Errorf("%q: %s, %v", accepted, a.text, err)
		}
	}
	if k := b.open(t, with(popupQuery(), "locale", "pt_BR")); !strings.Contains(k.shown.text, "Entrar como") {
		t.Errorf("locale is not heard: %s", k.shown.text)
	}
}
