package graphsim

import (
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func TestWalkingThePopupGivesACodeThatWorks(t *testing.T) {
	t.Parallel()
	rc := newReceiver(t)
	b := setup(t, Config{CallbackURL: rc.url})
	k := b.open(t, popupQuery())
	for _, want := range []string{"login", "business", "waba", "profile", "number"} {
		if k.step() != want {
			t.Fatalf("at %q, want %q: %s", k.step(), want, k.shown.text)
		}
		switch want {
		case "business":
			k.press("next", "business", "new", "business_name", "Padaria <b>")
		case "profile":
			k.press("next", "waba_name", "Conta", "display_name", "Pão & Cia")
		case "number":
			k.press("next", "number", "new", "phone_number", "55 11 91234-5678")
		default:
			k.press("next")
		}
	}
	k.press("next", "code", k.sentCode())
	if k.step() != "permissions" || !strings.Contains(k.shown.text, "Padaria &lt;b&gt;") || !strings.Contains(html.UnescapeString(k.shown.text), "<li>+55 11 91234-5678</li>") {
		t.Fatalf("at %s: %s", k.step(), k.shown.text)
	}
	k.press("next")

	h := k.heard()
	if k.step() != "done" || h.event() != "FINISH" || h.session.Type != "WA_EMBEDDED_SIGNUP" || h.answer.Get("cb") != "f1" || h.posts.AfterMs == 0 {
		t.Fatalf("at %s, heard %+v", k.step(), h)
	}
	exchanged := b.oauth(t, url.Values{"code": {h.answer.Get("code")}})
	wantStatus(t, exchanged, http.StatusOK)
	token := exchanged.str("access_token")
	number := b.get(t, "/v25.0/"+h.data("phone_number_id"), token)
	if number.str("display_phone_number") != "+55 11 91234-5678" || number.str("verified_name") != "Pão & Cia" {
		t.Errorf("the number is %s", number.text)
	}
	if a := b.get(t, "/v25.0/"+h.data("waba_id"), token); a.str("name") != "Conta" {
		t.Errorf("the WABA is %s", a.text)
	}
	if a := b.get(t, "/v25.0/"+h.data("business_id"), token); a.str("name") != "Padaria <b>" {
		t.Errorf("the business is %s", a.text)
	}
	value := []any{"entry", 0, "changes", 0, "value"}
	if hook := rc.wait(t, 1)[0]; hook.at(t, append(value, "event")...) != eventAdded || hook.at(t, append(value, "waba_info", "waba_id")...) != h.data("waba_id") {
		t.Errorf("the app heard %s", hook.body)
	}
}

func TestEachStepCanBeCancelled(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	for _, s := range steps() {
		k := b.open(t, popupQuery()).to(s.name).press("cancel")
		h := k.heard()
		if h.data("current_step") != s.current || h.answer.Has("code") || h.answer.Get("error") != "access_denied" {
			t.Errorf("cancelled at %s: heard %+v, %v", s.name, h.session, h.answer)
		}
		if (h.session == nil) != (s.current == "") || h.session != nil && (h.event() != "CANCEL" || h.session.Version != 3) {
			t.Errorf("cancelled at %s: heard %+v", s.name, h.session)
		}
		if h.posts.AfterMs != 0 {
			t.Errorf("cancelled at %s: waits %d ms", s.name, h.posts.AfterMs)
		}
	}
	if got := len(b.sim.world.Businesses); got != 0 {
		t.Errorf("cancelling made %d businesses", got)
	}
}

func TestGoingBackKeepsWhatWasFilledIn(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	k := b.open(t, popupQuery()).to("profile").press("next", "waba_name", "Conta A")
	k.press("back").press("back").press("back").press("back", "business_name", "Outra")
	if k.step() != "login" {
		t.Fatalf("at %s", k.step())
	}
	k.press("next")
	if got := k.form().Get("business_name"); got != "Outra" {
		t.Errorf("the business is %q", got)
	}
	if got := k.press("next").press("next").form().Get("waba_name"); got != "Conta A" {
		t.Errorf("the account is %q", got)
	}
}

func TestReconnectingSharesWhatExists(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{OwnAccessToken: "own-token", OwnWABAs: []OwnWABA{{ID: "100", Name: "Own"}}})
	old := b.sim.SignUp(SignUp{WABAs: make(List[WABA], 2), BusinessName: "Antiga"})
	k := b.open(t, popupQuery()).to("business")
	if strings.Contains(k.shown.text, "Own Business") {
		t.Error("the operator's own business can be chosen")
	}
	k.press("next", "business", old.BusinessID)
	k.press("next", "waba", old.WABAIDs[1], "waba", old.WABAIDs[0])
	if k.step() != "number" {
		t.Fatalf("at %s", k.step())
	}
	k.press("next", "number", old.PhoneNumberIDs[0])
	if k.step() != "permissions" {
		t.Fatalf("at %s: an existing number is verified again", k.step())
	}
	h := k.press("next").heard()
	if h.data("waba_id") != old.WABAIDs[0] || h.data("phone_number_id") != old.PhoneNumberIDs[0] || h.data("business_id") != old.BusinessID {
		t.Errorf("heard %+v", h.session)
	}
	if shared, _ := h.session.Data["waba_ids"].([]any); len(shared) != 2 {
		t.Errorf("heard %+v", h.session)
	}
	token := b.oauth(t, url.Values{"code": {h.answer.Get("code")}}).str("access_token")
	for _, id := range old.WABAIDs {
		wantStatus(t, b.get(t, "/v25.0/"+id+"/phone_numbers", token), http.StatusOK)
	}
}

func TestAnExistingAccountIsGivenANewNumber(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	old := b.sim.SignUp(SignUp{WABAs: List[WABA]{{Name: "Loja"}}})
	k := b.open(t, popupQuery()).to("business").press("next", "business", old.BusinessID).press("next")
	h := k.press("next", "number", "new").to("done").heard()
	token := b.oauth(t, url.Values{"code": {h.answer.Get("code")}}).str("access_token")
	if h.data("waba_id") != old.WABAIDs[0] || h.data("phone_number_id") == old.PhoneNumberIDs[0] {
		t.Errorf("heard %+v", h.session)
	}
	if a := b.get(t, "/v25.0/"+h.data("phone_number_id"), token); a.str("verified_name") != "Loja" {
		t.Errorf("the number is %s", a.text)
	}
}

func TestCoexistenceIsOfferedToWhoAsksForIt(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	plain := b.open(t, popupQuery()).to("number")
	if strings.Contains(plain.shown.text, `value="app"`) {
		t.Error("the Business app is offered to a page that did not ask for it")
	}
	if plain.press("next", "number", "app"); plain.step() != "number" || !strings.Contains(plain.shown.text, "complaint") {
		t.Errorf("at %s: %s", plain.step(), plain.shown.text)
	}

	k := b.open(t, with(popupQuery(), "extras", `{"featureType":"whatsapp_business_app_onboarding"}`)).to("scan")
	h := k.press("next").press("next").heard()
	if h.event() != "FINISH_WHATSAPP_BUSINESS_APP_ONBOARDING" || len(h.session.Data) != 1 || h.session.Version != 3 {
		t.Fatalf("heard %+v", h.session)
	}
	token := b.oauth(t, url.Values{"code": {h.answer.Get("code")}}).str("access_token")
	a := b.get(t, "/v25.0/"+h.data("waba_id")+"/phone_numbers?fields=is_on_biz_app,platform_type", token)
	if !strings.Contains(a.text, `"is_on_biz_app":true`) || !strings.Contains(a.text, `"platform_type":"CLOUD_API"`) {
		t.Errorf("numbers are %s", a.text)
	}
}

func TestAnAccountCanBeSharedWithoutANumber(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	h := b.open(t, popupQuery()).to("number").press("next", "number", "later").press("next").heard()
	if _, has := h.session.Data["phone_number_id"]; h.event() != "FINISH_ONLY_WABA" || has || h.data("waba_id") == "" {
		t.Errorf("heard %+v", h.session)
	}
	token := b.oauth(t, url.Values{"code": {h.answer.Get("code")}}).str("access_token")
	if a := b.get(t, "/v25.0/"+h.data("waba_id")+"/phone_numbers", token); a.text != `{"data":[]}` {
		t.Errorf("numbers are %s", a.text)
	}
}

func TestScreensRefuseWhatIsNotFilledIn(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	taken := b.sim.SignUp(SignUp{Phones: List[Phone]{{DisplayPhoneNumber: "+55 11 97777-0000"}}})
	other := b.sim.SignUp(SignUp{})
	for _, wrong := range [][]string{
		{"login", "person", " "},
		{"business", "business_name", ""},
		{"business", "business", "999"},
		{"business", "business", defaultBusinessID},
		{"waba", "waba", ""},
		{"waba", "waba", other.WABAIDs[0]}, // of a business that was not chosen
		{"profile", "display_name", ""},
		{"number", "phone_number", "123"},
		{"number", "phone_number", "call me"},
		{"number", "phone_number", "5511977770000"},
		{"number", "number", taken.PhoneNumberIDs[0]},
		{"number", "fail", "1"},
		{"verify", "code", "x"},
	} {
		k := b.open(t, popupQuery()).to(wrong[0]).press("next", wrong[1:]...)
		if k.step() != wrong[0] || !strings.Contains(k.shown.text, `role="alert"`) {
			t.Errorf("%q: at %s: %s", wrong, k.step(), k.shown.text)
		}
	}
}

func TestFormsThatSkipScreensLeadBackToThem(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	k := b.open(t, popupQuery()).to("permissions")
	form := k.form()
	form.Set("do", "next")
	form.Set("code", "000000")
	if k.send(form); k.step() != "verify" {
		t.Errorf("a wrong code leads to %s", k.step())
	}
	form.Del("person")
	if k.send(form); k.step() != "login" {
		t.Errorf("nobody leads to %s", k.step())
	}
	for _, broken := range []url.Values{
		{},
		{"step": {"login"}},
		{"step": {"nowhere"}, "do": {"next"}},
		{"step": {"login"}, "do": {"next"}, "person": {"a", "b"}},
		{"step": {"login"}, "do": {"next"}, "person": {strings.Repeat("a", 101)}},
		{"step": {"login"}, "do": {"next"}, "person": {"a\x00"}},
		{"step": {"login"}, "do": {"report"}},
		{"step": {"number"}, "do": {"report"}, "fail": {"3441041"}, "session": {"<b>"}},
		{"step": {"login"}, "do": {"next"}, "person": {strings.Repeat("a", maxForm)}},
	} {
		if k.send(broken); k.shown.status != http.StatusBadRequest || k.step() != "refused" {
			t.Errorf("a form of %d fields answers %d %s", len(broken), k.shown.status, k.step())
		}
	}
}

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

func TestTheDialogRefusesWrongUse(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	strict := setup(t, Config{RedirectURIs: []string{"https://shop.example/cb"}})
	popup, page := popupQuery(), pageQuery("http://localhost/cb")
	for _, wrong := range []struct {
		b     *bundle
		query url.Values
		want  string
	}{
		{b, with(popup, "client_id", ""), "The parameter app_id is required"},
		{b, with(popup, "client_id", "1"), "Invalid App ID"},
		{b, with(popup, "config_id", ""), "config_id is required"},
		{b, with(popup, "config_id", "1"), "Invalid Configuration"},
		{b, with(popup, "scope", "email"), "scope must not be given"},
		{b, with(popup, "response_type", ""), "Invalid Response Type"},
		{b, with(popup, "response_type", "token,signed_request,graph_domain"), "Invalid Response Type"},
		{b, with(page, "response_type", "token"), "Invalid Response Type"},
		{b, with(popup, "cb", "<b>"), "cb names no callback"},
		{b, with(popup, "origin", "https://evil.example"), "JSSDK Unknown Host domain"},
		{b, with(popup, "origin", "http://localhost.evil.example"), "JSSDK Unknown Host domain"},
		{b, with(popup, "origin", testOrigin+"/"), "JSSDK Unknown Host domain"},
		{b, with(popup, "origin", "null"), "JSSDK Unknown Host domain"},
		{b, with(popup, "origin", ""), "JSSDK Unknown Host domain"},
		{b, with(popup, "redirect_uri", "http://localhost/cb"), "takes no redirect_uri"},
		{b, with(page, "redirect_uri", ""), "The parameter redirect_uri is required"},
		{b, with(page, "redirect_uri", "https://evil.example/cb"), "URL Blocked"},
		{b, with(page, "redirect_uri", "javascript:alert(1)//localhost"), "URL Blocked"},
		{b, with(page, "redirect_uri", "http://evil@localhost/cb"), "URL Blocked"},
		{b, with(page, "redirect_uri", "http://localhost/cb#x"), "URL Blocked"},
		{strict, page, "URL Blocked"},
		{strict, with(page, "redirect_uri", "https://shop.example/cb2"), "URL Blocked"},
		{strict, popup, "JSSDK Unknown Host domain"},
		{b, with(popup, "extras", `{`), "extras"},
		{b, with(popup, "extras", `{"featuretype2":""}`), "extras"},
		{b, with(popup, "extras", `{"version":"v3"}`), "version"},
		{b, with(popup, "extras", `{"sessionInfoVersion":3}`), "extras"},
		{b, with(popup, "extras", `{"featureType":"only_waba_sharing"}`), "featureType"},
		{b, with(popup, "extras", `{"features":[{"name":"app_only_install"}]}`), "features"},
		{b, with(popup, "extras", `{"setup":{"business":1}}`), "setup"},
	} {
		k := wrong.b.open(t, wrong.query)
		if k.shown.status != http.StatusBadRequest || k.step() != "refused" || !strings.Contains(k.shown.text, wrong.want) {
			t.Errorf("%v: %d at %s, want %q: %s", wrong.query, k.shown.status, k.step(), wrong.want, k.shown.text)
		}
		if k.shown.header.Get("Location") != "" || strings.Contains(k.shown.text, "<form") {
			t.Errorf("%v leads on", wrong.query)
		}
	}
	for _, fine := range []struct {
		b     *bundle
		query url.Values
	}{
		{b, with(popup, "extras", "")},
		{b, with(popup, "extras", `{"setup":null,"features":[],"version":"v4-public-preview"}`)},
		{b, with(page, "response_type", "")},
		{b, with(page, "redirect_uri", "https://[::1]:8443/cb")},
		{strict, with(page, "redirect_uri", "https://shop.example/cb")},
		{strict, with(popup, "origin", "https://shop.example")},
	} {
		if k := fine.b.open(t, fine.query); k.step() != "login" {
			t.Errorf("%v: %s", fine.query, k.shown.text)
		}
	}
	twice := popupQuery()
	twice.Add("client_id", defaultAppID)
	if k := b.open(t, twice); !strings.Contains(k.shown.text, "more than once") {
		t.Errorf("answer is %s", k.shown.text)
	}
	if a := b.send(t, http.MethodPut, "/dialog/oauth?"+popup.Encode(), "", ""); a.status != http.StatusMethodNotAllowed {
		t.Errorf("PUT answers %d", a.status)
	}
}

func TestNamesStayText(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	const name = `"><script>alert(1)</script>`
	b.sim.SignUp(SignUp{BusinessName: name, WABAs: List[WABA]{{Name: name, Phones: List[Phone]{{DisplayPhoneNumber: name, VerifiedName: name}}}}})
	k := b.open(t, with(popupQuery(), "extras", `{"setup":{"business":{"name":"\"><script>alert(1)</script>"},"phone":{"displayName":"<script>"}}}`))
	k.press("next", "person", name)
	business := attributeOf(k.shown.text, "value")
	for i := range 4 {
		if strings.Contains(k.shown.text, "<script") {
			t.Errorf("screen %s has a script: %s", k.step(), k.shown.text)
		}
		if k.step() == "business" && i == 0 {
			k.press("next", "business", business)
			continue
		}
		k.press("next")
	}
	if k.step() != "done" { // an existing WABA with its number needs no more
		t.Errorf("at %s", k.step())
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

func TestStepsAreMetas(t *testing.T) {
	t.Parallel()
	got := []string{}
	for _, s := range steps()[1:] {
		got = append(got, s.current)
	}
	want := []string{
		"BUSINESS_ACCOUNT_SELECTION", "WABA_PHONE_PROFILE_PICKER", "WHATSAPP_BUSINESS_PROFILE_SETUP", "PHONE_NUMBER_SETUP",
		"PHONE_NUMBER_VERIFICATION", "PERMISSIONS",
	}
	if !slices.Equal(got, want) {
		t.Errorf("steps are %q", got)
	}
}
