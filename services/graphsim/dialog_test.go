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
