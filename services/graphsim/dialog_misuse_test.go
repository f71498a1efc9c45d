package graphsim

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

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
