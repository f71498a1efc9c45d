package graphsim

import (
	"net/http"
	"net/url"
	"testing"
)

func TestSignupTellsThePartnerByItself(t *testing.T) {
	t.Parallel()
	rc := newReceiver(t)
	b := setup(t, Config{CallbackURL: rc.url, OwnBusinessID: "777"})
	done := b.sim.SignUp(SignUp{WABAs: make([]WABA, 2)})
	for i, post := range rc.wait(t, 2) { // no WABA is subscribed yet
		if post.at(t, "entry", 0, "id") != "777" || post.at(t, "entry", 0, "time") == nil ||
			post.at(t, "entry", 0, "changes", 0, "field") != "account_update" || post.change(t, "event") != "PARTNER_ADDED" ||
			post.change(t, "waba_info", "waba_id") != done.WABAIDs[i] ||
			post.change(t, "waba_info", "owner_business_id") != done.BusinessID || !post.signed {
			t.Errorf("webhook %d is %s", i, post.body)
		}
	}
}

func TestPartnerMayHearOfTheSignupBeforeTheBrowserOrNever(t *testing.T) {
	t.Parallel()
	rc := newReceiver(t)
	b := setup(t, Config{CallbackURL: rc.url})
	b.post(t, "/_sim/signups", `{"partnerAdded":"before"}`)
	if got := len(rc.list()); got != 1 {
		t.Errorf("%d webhooks before the answer, want 1", got)
	}
	b.post(t, "/_sim/signups", `{"partnerAdded":"never"}`)
	wantStatus(t, b.post(t, "/_sim/signups", `{"partnerAdded":"soon"}`), http.StatusBadRequest)
	b.post(t, "/_sim/signups", `{}`)
	rc.wait(t, 2)
	if got := len(b.sim.Deliveries()); got != 2 {
		t.Errorf("the log has %d, want 2", got)
	}
}

func TestRemovedWABAIsLostToItsTokenAndItsSiblingsAreNot(t *testing.T) {
	t.Parallel()
	s := setupSubscribed(t, Config{}, SignUp{WABAs: []WABA{{ID: "100"}, {ID: "101"}}})
	extended := s.oauth(t, url.Values{"grant_type": {"fb_exchange_token"}, "fb_exchange_token": {s.token}}).str("access_token")
	a := s.post(t, "/_sim/wabas/100:remove", `{"reason":"PRIMARY_INACTIVITY","initiatedBy":"SYSTEM"}`)
	wantStatus(t, a, http.StatusOK)
	got := s.rc.list()[0]
	if a.at("delivered") != true || got.change(t, "event") != "PARTNER_REMOVED" || got.change(t, "waba_info", "waba_id") != "100" ||
		got.change(t, "disconnection_info", "reason") != "PRIMARY_INACTIVITY" || got.at(t, "entry", 0, "id") != defaultBusinessID {
		t.Errorf("answer is %s, webhook is %s", a.text, got.body)
	}
	for _, token := range []string{s.token, extended} {
		wantError(t, s.get(t, "/v25.0/100", token), 400, 100, 33)
		wantStatus(t, s.get(t, "/v25.0/101", token), http.StatusOK)
	}
	number := s.sim.world.WABAs["100"].PhoneIDs[0]
	if said := s.sim.SendMessage(MessageSpec{PhoneNumberID: number, Text: "hi"}); said.Delivered {
		t.Errorf("a removed WABA still sends: %+v", said)
	}

	s.sim.RemoveWABA("101", Removal{Event: "PARTNER_APP_UNINSTALLED"})
	if got := s.rc.list()[1]; got.change(t, "event") != "PARTNER_APP_UNINSTALLED" || got.change(t, "waba_info", "partner_app_id") != defaultAppID {
		t.Errorf("webhook is %s", got.body)
	}
	wantError(t, s.get(t, "/v25.0/101", s.token), 401, 190, 458)
	wantStatus(t, s.post(t, "/_sim/wabas/101:remove", `{"event":"BYE"}`), http.StatusBadRequest)
	wantStatus(t, s.post(t, "/_sim/wabas/9:remove", ``), http.StatusNotFound)
}

func TestApprovedNameCanBeRegistered(t *testing.T) {
	t.Parallel()
	s := setupSubscribed(t, Config{}, SignUp{Phones: []Phone{{NameStatus: "PENDING_REVIEW", VerifiedName: "Padaria São João"}}})
	wantError(t, s.register(t, s.phone, s.token, "123456"), 400, 100, 2388001)
	a := s.post(t, "/_sim/phones/"+s.phone+":approveName", "")
	wantStatus(t, a, http.StatusOK)
	got := s.rc.list()[0]
	if a.at("delivered") != true || got.change(t, "decision") != "APPROVED" || got.at(t, "entry", 0, "id") != s.waba ||
		got.change(t, "requested_verified_name") != "Padaria São João" {
		t.Errorf("answer is %s, webhook is %s", a.text, got.body)
	}
	wantStatus(t, s.register(t, s.phone, s.token, "123456"), http.StatusOK)
	if got := len(s.rc.list()); got != 1 {
		t.Errorf("registering sent a webhook")
	}
	wantStatus(t, s.post(t, "/_sim/phones/9:approveName", ``), http.StatusNotFound)
	wantStatus(t, s.post(t, "/_sim/phones/"+s.phone+":explode", ``), http.StatusNotFound)
}
