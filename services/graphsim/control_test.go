package graphsim

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func (b *bundle) post(t *testing.T, path, body string) answer {
	t.Helper()
	return b.send(t, http.MethodPost, path, "", body)
}

func TestEmptySignupIsOneWABAWithOneNumber(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	for _, body := range []string{``, `{}`} {
		a := b.post(t, "/_sim/signups", body)
		wantStatus(t, a, http.StatusOK)
		wabas, _ := a.at("wabaIds").([]any)
		phones, _ := a.at("phoneNumberIds").([]any)
		if len(wabas) != 1 || len(phones) != 1 || a.str("code") == "" || a.str("businessId") == "" {
			t.Errorf("answer is %s", a.text)
		}
	}
}

func TestSignupTakesNumbersAndObjects(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	a := b.post(t, "/_sim/signups", `{"wabas":2,"phones":60}`)
	wabas, _ := a.at("wabaIds").([]any)
	phones, _ := a.at("phoneNumberIds").([]any)
	if len(wabas) != 2 || len(phones) != 120 {
		t.Errorf("%d WABAs and %d numbers, want 2 and 120", len(wabas), len(phones))
	}

	if a := b.post(t, "/_sim/signups", `{"wabas":0}`); !strings.Contains(a.text, `"wabaIds":[]`) {
		t.Errorf("no WABA: %s", a.text)
	}

	a = b.post(t, "/_sim/signups", `{"flow":"coexistence","token":{"kind":"USER","expiresIn":3600},"granular":"absent",
		"wabas":[{"id":"100","name":"A"},{"name":"B","phones":[]}],
		"phones":[{"id":"200","display_phone_number":"+1 555","verified_name":"<b>","code_verification_status":"EXPIRED","pin":"123456"}]}`)
	wantStatus(t, a, http.StatusOK)
	token := b.oauth(t, url.Values{"code": {a.str("code")}}).str("access_token")
	phone := b.get(t, "/v25.0/200", token)
	if phone.str("display_phone_number") != "+1 555" || phone.str("verified_name") != "<b>" || phone.str("code_verification_status") != "EXPIRED" {
		t.Errorf("phone is %s", phone.text)
	}
}

func TestSignupRefusesWhatItDoesNotUnderstand(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	b.post(t, "/_sim/signups", `{"wabas":[{"id":"100"}]}`)
	bodies := map[string]string{
		`{"wabaz":1}`:                          "wabaz",
		`{"wabas":[{"label":"x"}]}`:            "label",
		`{"phones":[{"pin":"12"}]}`:            "pin",
		`{"phones":"many"}`:                    "list",
		`{"wabas":-1}`:                         "-1",
		`{"flow":"other"}`:                     "flow",
		`{"granular":"other"}`:                 "granular",
		`{"token":{"kind":"PAGE"}}`:            "token.kind",
		`{"token":{"expiresIn":-1}}`:           "expiresIn",
		`{"wabaIds":["1"]}`:                    "wabaIds",
		`{"wabas":[{"id":"100"}]}`:             "taken",
		`{"wabas":2,"phones":[{"id":"300"}]}`:  "taken",
		`{"addedPhones":1}`:                    "addedPhones",
		`{"businessId":"1"}`:                   "businessId",
		`{"businessName":"X","wabaIds":["1"]}`: "businessName",
		`{} {}`:                                "after",
		`[]`:                                   "cannot unmarshal",
	}
	for body, want := range bodies {
		a := b.post(t, "/_sim/signups", body)
		if a.status != http.StatusBadRequest || !strings.Contains(a.str("error"), want) {
			t.Errorf("%s answers %d %s, want 400 with %q", body, a.status, a.text, want)
		}
	}
}

func TestReconnectionGivesANewTokenForTheSameWABA(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	old, done := b.token(t, SignUp{})
	b.sim.Invalidate(done.WABAIDs[0], 460)

	a := b.post(t, "/_sim/signups", `{"wabaIds":["`+done.WABAIDs[0]+`"]}`)
	wantStatus(t, a, http.StatusOK)
	if a.str("businessId") != done.BusinessID {
		t.Errorf("answer is %s, want the same business", a.text)
	}
	fresh := b.oauth(t, url.Values{"code": {a.str("code")}}).str("access_token")
	wantStatus(t, b.get(t, "/v25.0/"+done.WABAIDs[0], fresh), http.StatusOK)
	wantError(t, b.get(t, "/v25.0/"+done.WABAIDs[0], old), 401, 190, 460)
}

func TestABusinessThatExistsMakesAnotherWABAAndAddsANumber(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	first := b.sim.SignUp(SignUp{BusinessName: "Padaria"})
	token, again := b.token(t, SignUp{
		BusinessID: first.BusinessID, WABAIDs: first.WABAIDs, WABAs: make(List[WABA], 1), Phones: List[Phone]{},
		AddedPhones: List[Phone]{{ID: "300"}},
	})
	if again.BusinessID != first.BusinessID || len(again.WABAIDs) != 2 || len(again.PhoneNumberIDs) != 2 {
		t.Errorf("signed up %+v after %+v", again, first)
	}
	if a := b.get(t, "/v25.0/"+first.BusinessID, token); a.str("name") != "Padaria" {
		t.Errorf("the business is %s", a.text)
	}
	if a := b.get(t, "/v25.0/"+first.WABAIDs[0]+"/phone_numbers", token); !strings.Contains(a.text, `"id":"300"`) {
		t.Errorf("numbers are %s", a.text)
	}
}

func TestACustomerAddsANumberWithoutASignup(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	token, done := b.token(t, SignUp{})
	path := "/_sim/wabas/" + done.WABAIDs[0] + ":addPhone"
	a := b.post(t, path, `{"id":"300","platform_type":"CLOUD_API"}`)
	if wantStatus(t, a, http.StatusOK); a.str("phoneNumberId") != "300" {
		t.Errorf("answer is %s", a.text)
	}
	list := b.get(t, "/v25.0/"+done.WABAIDs[0]+"/phone_numbers?fields=id,platform_type", token)
	if !strings.Contains(list.text, `{"id":"300","platform_type":"CLOUD_API"}`) {
		t.Errorf("numbers are %s", list.text)
	}
	wantStatus(t, b.post(t, path, `{"id":"300"}`), http.StatusBadRequest)
	wantStatus(t, b.post(t, path, `{"pin":"1"}`), http.StatusBadRequest)
	wantStatus(t, b.post(t, "/_sim/wabas/9:addPhone", ``), http.StatusNotFound)
}

func TestControlPlaneInvalidatesUnsubscribesAndMovesTheClock(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	token, done := b.token(t, SignUp{})
	id := done.WABAIDs[0]
	b.send(t, http.MethodPost, "/v25.0/"+id+"/subscribed_apps", token, "")

	wantStatus(t, b.post(t, "/_sim/wabas/"+id+":unsubscribe", ""), http.StatusOK)
	if a := b.get(t, "/v25.0/"+id+"/subscribed_apps", token); a.text != `{"data":[]}` {
		t.Errorf("still subscribed: %s", a.text)
	}
	if a := b.post(t, "/_sim/tokens/"+id+":invalidate", `{"subcode":458}`); a.at("invalidated") != 1.0 {
		t.Errorf("answer is %d %s", a.status, a.text)
	}
	wantError(t, b.get(t, "/v25.0/me", token), 401, 190, 458)

	code := b.sim.SignUp(SignUp{}).Code
	wantStatus(t, b.post(t, "/_sim/clock", `{"advance":"31s"}`), http.StatusOK)
	wantError(t, b.oauth(t, url.Values{"code": {code}}), 400, 100, 36007)

	wantStatus(t, b.post(t, "/_sim/clock", `{"advance":"-1s"}`), http.StatusBadRequest)
	wantStatus(t, b.post(t, "/_sim/clock", `{}`), http.StatusBadRequest)
	wantStatus(t, b.post(t, "/_sim/tokens/999:invalidate", `{}`), http.StatusNotFound)
	wantStatus(t, b.post(t, "/_sim/wabas/999:unsubscribe", ``), http.StatusNotFound)
	wantStatus(t, b.post(t, "/_sim/wabas/"+id+":explode", ``), http.StatusNotFound)
}

func TestFaultsAreScriptedListedReleasedAndEndedOverHTTP(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	token, _ := b.token(t, SignUp{})
	created := b.post(t, "/_sim/faults", `{"method":"GET","path":"/me","times":-1,"hold":true}`)
	wantStatus(t, created, http.StatusOK)
	id := created.str("id")

	held := make(chan answer, 1)
	req := b.request(t, http.MethodGet, "/v25.0/me", token, "")
	go func() {
		a, _ := b.do(req)
		held <- a
	}()
	b.waitFor(t, StateHeld)
	if list := b.get(t, "/_sim/faults", "").text; !strings.Contains(list, `"hits":1`) || !strings.Contains(list, `"left":-1`) {
		t.Errorf("faults are %s", list)
	}
	wantStatus(t, b.post(t, "/_sim/faults/"+id+":release", ""), http.StatusOK)
	wantStatus(t, <-held, http.StatusOK)

	wantStatus(t, b.send(t, http.MethodDelete, "/_sim/faults/"+id, "", ""), http.StatusOK)
	wantStatus(t, b.send(t, http.MethodDelete, "/_sim/faults/"+id, "", ""), http.StatusNotFound)
	wantStatus(t, b.post(t, "/_sim/faults/"+id+":release", ""), http.StatusNotFound)
	if list := b.get(t, "/_sim/faults", "").text; strings.TrimSpace(list) != "[]" {
		t.Errorf("faults are %s", list)
	}
}

func TestFaultsInJSONMayBeTrueOrExact(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	for _, body := range []string{
		`{"html":true}`, `{"html":"<p>"}`, `{"truncate":true}`, `{"truncate":5}`, `{"hold":"after"}`, `{"hold":true,"status":500}`,
		`{"drop":"after"}`, `{"body":{"access_token":1}}`, `{"error":{"code":190,"error_subcode":460,"is_transient":false}}`,
	} {
		wantStatus(t, b.post(t, "/_sim/faults", body), http.StatusOK)
	}
	for _, body := range []string{`{}`, `{"hold":"sometimes"}`, `{"truncate":"x"}`, `{"delay":5}`, `{"error":{"code":1,"what":2}}`} {
		wantStatus(t, b.post(t, "/_sim/faults", body), http.StatusBadRequest)
	}
}

func TestResetIsAsNew(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{OwnAccessToken: "own-token", OwnWABAs: []OwnWABA{{ID: "100", Phones: make([]Phone, 1)}}})
	token, _ := b.token(t, SignUp{})
	b.sim.AddFault(Fault{Path: "/me", Status: 500})
	wantStatus(t, b.post(t, "/_sim/reset", ""), http.StatusOK)
	if got := len(b.sim.Journal()); got != 0 {
		t.Errorf("the journal has %d entries", got)
	}
	wantError(t, b.get(t, "/v25.0/me", token), 401, 190, 0)
	wantStatus(t, b.get(t, "/v25.0/100/phone_numbers", "own-token"), http.StatusOK)
}
