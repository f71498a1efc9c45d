package graphsim

import (
	"net/http"
	"testing"
	"time"
)

func (b *bundle) register(t *testing.T, phoneID, token, pin string) answer {
	t.Helper()
	return b.send(t, http.MethodPost, "/v25.0/"+phoneID+"/register", token, `{"messaging_product":"whatsapp","pin":"`+pin+`"}`)
}

func TestFirstRegistrationSetsThePINAndLaterOnesMustMatch(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	token, done := b.token(t, SignUp{})
	id := done.PhoneNumberIDs[0]

	if a := b.register(t, id, token, "012345"); a.status != http.StatusOK || a.text != `{"success":true}` {
		t.Fatalf("first: %d %s", a.status, a.text)
	}
	a := b.get(t, "/v25.0/"+id+"?fields=platform_type,status,is_pin_enabled,throughput", token)
	if a.str("platform_type") != "CLOUD_API" || a.str("status") != "CONNECTED" || a.at("is_pin_enabled") != true || a.str("throughput.level") != "STANDARD" {
		t.Errorf("registered number is %s", a.text)
	}
	wantStatus(t, b.register(t, id, token, "012345"), http.StatusOK)
	mismatch := b.register(t, id, token, "999999")
	wantError(t, mismatch, 400, 133005, 0)
	if mismatch.str("error.message") != "(#133005) Two step verification PIN Mismatch" || mismatch.str("error.error_data.details") == "" {
		t.Errorf("error is %s", mismatch.text)
	}
}

func TestRegistrationRefusesMalformedParameters(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	token, done := b.token(t, SignUp{})
	path := "/v25.0/" + done.PhoneNumberIDs[0] + "/register"
	bodies := []string{
		``, `{"pin":"123456"}`, `{"messaging_product":"telegram","pin":"123456"}`, `{"messaging_product":"whatsapp"}`,
		`{"messaging_product":"whatsapp","pin":123456}`, `{"messaging_product":"whatsapp","pin":"12345"}`,
		`{"messaging_product":"whatsapp","pin":"12345a"}`, `not json`,
	}
	for _, body := range bodies {
		wantError(t, b.send(t, http.MethodPost, path, token, body), 400, 100, 0)
	}
}

func TestRegistrationRefusesNumbersThatAreNotReady(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	token, done := b.token(t, SignUp{Phones: []Phone{
		{CodeVerificationStatus: "NOT_VERIFIED"}, {NameStatus: "PENDING_REVIEW"}, {IsOnBizApp: true}, {PIN: "222222"},
	}})
	wantError(t, b.register(t, done.PhoneNumberIDs[0], token, "111111"), 400, 133006, 0)
	review := b.register(t, done.PhoneNumberIDs[1], token, "111111")
	wantError(t, review, 400, 100, 2388001)
	if review.str("error.error_user_title") != "Cannot Create Certificate" {
		t.Errorf("error is %s", review.text)
	}
	wantError(t, b.register(t, done.PhoneNumberIDs[2], token, "111111"), 400, 100, 0)
	wantError(t, b.register(t, done.PhoneNumberIDs[3], token, "111111"), 400, 133005, 0)
}

func TestCoexistenceNumberIsRegisteredByTheSignup(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	token, done := b.token(t, SignUp{Flow: FlowCoexistence})
	a := b.get(t, "/v25.0/"+done.PhoneNumberIDs[0]+"?fields=is_on_biz_app,platform_type,status", token)
	if a.at("is_on_biz_app") != true || a.str("platform_type") != "CLOUD_API" || a.str("status") != "CONNECTED" {
		t.Errorf("number is %s", a.text)
	}
	wantError(t, b.register(t, done.PhoneNumberIDs[0], token, "111111"), 400, 100, 0)
}

func TestEleventhRegistrationLocksTheNumberForThreeDays(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	token, done := b.token(t, SignUp{})
	id := done.PhoneNumberIDs[0]
	for range 10 {
		wantStatus(t, b.register(t, id, token, "123456"), http.StatusOK)
	}
	wantError(t, b.register(t, id, token, "123456"), 400, 133016, 0)
	b.sim.Advance(71 * time.Hour)
	wantError(t, b.register(t, id, token, "123456"), 400, 133016, 0)
	b.sim.Advance(2 * time.Hour)
	wantStatus(t, b.register(t, id, token, "123456"), http.StatusOK)
}

func TestSubscriptionIsOfTheTokensAppAndIdempotent(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	token, done := b.token(t, SignUp{})
	path := "/v25.0/" + done.WABAIDs[0] + "/subscribed_apps"
	subscribed := `{"data":[{"whatsapp_business_api_data":{"id":"670843880000001",` +
		`"link":"https://www.facebook.com/games/?app_id=670843880000001","name":"Graph Simulator"}}]}`

	wantText := func(method, want string) {
		t.Helper()
		if a := b.send(t, method, path, token, ""); a.status != http.StatusOK || a.text != want {
			t.Errorf("%s answers %d %s, want %s", method, a.status, a.text, want)
		}
	}
	wantText(http.MethodGet, `{"data":[]}`)
	wantText(http.MethodPost, `{"success":true}`)
	wantText(http.MethodPost, `{"success":true}`)
	wantText(http.MethodGet, subscribed)
	b.sim.Unsubscribe(done.WABAIDs[0])
	wantText(http.MethodGet, `{"data":[]}`)
	wantText(http.MethodPost, `{"success":true}`)
	wantText(http.MethodDelete, `{"success":true}`)
	wantText(http.MethodGet, `{"data":[]}`)
	wantError(t, b.send(t, http.MethodPost, path, token, `{"override_callback_uri":"https://a.example"}`), 400, 100, 0)
}
