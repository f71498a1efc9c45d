package graphsim

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const appSubscriptionsPath = "/v25.0/" + defaultAppID + "/subscriptions"

func subscription(callback, token, fields string) string {
	return `{"object":"whatsapp_business_account","callback_url":"` + callback + `","verify_token":"` + token + `","fields":"` + fields + `"}`
}

func TestAppSubscribesItsCallbackAfterTheHandshake(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	rc := newReceiver(t)
	if a := b.get(t, appSubscriptionsPath, appToken); a.text != `{"data":[]}` {
		t.Errorf("before: %s", a.text)
	}
	wantStatus(t, b.send(t, http.MethodPost, appSubscriptionsPath, appToken,
		subscription(rc.url, testVerifyToken, "messages, account_update")), http.StatusOK)
	a := b.get(t, appSubscriptionsPath, appToken)
	want := `{"data":[{"active":true,"callback_url":"` + rc.url + `","fields":[{"name":"account_update","version":"v25.0"},` +
		`{"name":"messages","version":"v25.0"}],"object":"whatsapp_business_account"}]}`
	if a.text != want {
		t.Errorf("subscriptions are %s, want %s", a.text, want)
	}

	wantStatus(t, b.send(t, http.MethodDelete, appSubscriptionsPath+"?fields=messages", appToken, ""), http.StatusOK)
	if a := b.get(t, appSubscriptionsPath, appToken); strings.Contains(a.text, `"messages"`) || !strings.Contains(a.text, "account_update") {
		t.Errorf("without messages: %s", a.text)
	}
	wantStatus(t, b.send(t, http.MethodDelete, appSubscriptionsPath, appToken, ""), http.StatusOK)
	if a := b.get(t, appSubscriptionsPath, appToken); a.text != `{"data":[]}` {
		t.Errorf("after: %s", a.text)
	}
}

func TestAppSubscriptionIsRefusedWithoutTheAppsTokenOrItsParameters(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	rc := newReceiver(t)
	user, _ := b.token(t, SignUp{})
	wantError(t, b.get(t, appSubscriptionsPath, user), 400, 15, 0)
	for _, body := range []string{
		`{}`, `{"object":"page"}`, subscription("", testVerifyToken, "messages"), subscription(rc.url, "", "messages"),
		subscription(rc.url, testVerifyToken, ""), subscription(rc.url, testVerifyToken, "nonsense"),
		subscription("ftp://a", testVerifyToken, "messages"),
	} {
		wantError(t, b.send(t, http.MethodPost, appSubscriptionsPath, appToken, body), 400, 100, 0)
	}
	wantError(t, b.send(t, http.MethodPut, appSubscriptionsPath, appToken, ""), 400, 2500, 0)
}

func TestCallbackThatFailsTheHandshakeIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	rc := newReceiver(t)
	chatty := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) }))
	t.Cleanup(chatty.Close)
	cases := map[string][2]string{
		"HTTP Status Code = 403; HTTP Message = Forbidden": {rc.url, "wrong"},
		"does not match challenge":                         {chatty.URL, testVerifyToken},
		"curl_errno = 7":                                   {"http://127.0.0.1:1/", testVerifyToken},
	}
	for want, given := range cases {
		a := b.send(t, http.MethodPost, appSubscriptionsPath, appToken, subscription(given[0], given[1], "messages"))
		wantError(t, a, 400, 2200, 0)
		if !strings.Contains(a.str("error.message"), want) {
			t.Errorf("message is %q, want %q", a.str("error.message"), want)
		}
		if a := b.post(t, "/_sim/webhook-settings", `{"callbackUrl":"`+given[0]+`","verifyToken":"`+given[1]+`","verify":true}`); a.status != http.StatusBadRequest {
			t.Errorf("the control call answers %d %s", a.status, a.text)
		}
	}
	if a := b.get(t, appSubscriptionsPath, appToken); a.text != `{"data":[]}` {
		t.Errorf("subscribed all the same: %s", a.text)
	}
}

func TestReceiverMayCallGraphWhileItIsAsked(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	var seen answer
	asking := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = b.get(t, appSubscriptionsPath, appToken)
		_, _ = w.Write([]byte(r.URL.Query().Get("hub.challenge")))
	}))
	t.Cleanup(asking.Close)
	wantStatus(t, b.send(t, http.MethodPost, appSubscriptionsPath, appToken,
		subscription(asking.URL, "x", "messages")), http.StatusOK)
	if seen.text != `{"data":[]}` {
		t.Errorf("while it was asked: %d %s", seen.status, seen.text)
	}
}

func TestWABAOverridesTheAppsCallbackForItsMessagesOnly(t *testing.T) {
	t.Parallel()
	s := setupSubscribed(t, Config{}, SignUp{})
	own := newReceiver(t)
	path := "/v25.0/" + s.waba + "/subscribed_apps"
	override := `{"override_callback_uri":"` + own.url + `","verify_token":"`
	wantError(t, s.send(t, http.MethodPost, path, s.token, override+`wrong"}`), 400, 2200, 0)
	wantError(t, s.send(t, http.MethodPost, path, s.token, override+`"}`), 400, 100, 0)
	wantStatus(t, s.send(t, http.MethodPost, path, s.token, override+testVerifyToken+`"}`), http.StatusOK)
	if a := s.get(t, path, s.token); !strings.Contains(a.text, `"override_callback_uri":"`+own.url+`"`) {
		t.Errorf("subscribed apps are %s", a.text)
	}
	a := s.get(t, "/v25.0/"+s.phone+"?fields=webhook_configuration", s.token)
	if a.str("webhook_configuration.whatsapp_business_account") != own.url || a.str("webhook_configuration.application") != s.rc.url {
		t.Errorf("the number's callbacks are %s", a.text)
	}

	s.sim.SendMessage(MessageSpec{PhoneNumberID: s.phone, Text: "hi"})
	s.sim.ApproveName(s.phone)
	if mine, app := own.list(), s.rc.list(); len(mine) != 1 || len(app) != 1 {
		t.Errorf("the WABA's callback got %d, the app's %d, want one each", len(mine), len(app))
	}

	wantStatus(t, s.send(t, http.MethodPost, path, s.token, ""), http.StatusOK) // without a body: ends the override
	s.sim.SendMessage(MessageSpec{PhoneNumberID: s.phone, Text: "hi"})
	if got := len(s.rc.list()); got != 2 {
		t.Errorf("the app's callback got %d, want 2", got)
	}
}

func TestOverrideNeedsACallbackOfTheApp(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	rc := newReceiver(t)
	token, done := b.token(t, SignUp{})
	a := b.send(t, http.MethodPost, "/v25.0/"+done.WABAIDs[0]+"/subscribed_apps", token,
		`{"override_callback_uri":"`+rc.url+`","verify_token":"`+testVerifyToken+`"}`)
	wantError(t, a, 400, 100, 0)
	if !strings.Contains(a.str("error.message"), "Before override the current callback uri") {
		t.Errorf("message is %s", a.text)
	}
}

func TestWebhookSettingsAreShownAndSetByTheControlPlane(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	rc := newReceiver(t)
	wantStatus(t, b.post(t, "/_sim/webhook-settings",
		`{"callbackUrl":"`+rc.url+`","verifyToken":"`+testVerifyToken+`","fields":["messages"],"verify":true}`), http.StatusOK)
	if a := b.get(t, "/_sim/webhook-settings", ""); !strings.Contains(a.text, `"fields":["messages"]`) || a.str("callbackUrl") != rc.url {
		t.Errorf("settings are %s", a.text)
	}
	for _, body := range []string{`{"callbackUrl":"nonsense"}`, `{"fields":["nonsense"]}`, `{"url":"http://a"}`} {
		wantStatus(t, b.post(t, "/_sim/webhook-settings", body), http.StatusBadRequest)
	}
}
