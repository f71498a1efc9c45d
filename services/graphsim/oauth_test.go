package graphsim

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestCodeOfThePopupIsExchangedForANeverExpiringToken(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	done := b.sim.SignUp(SignUp{})

	a := b.oauth(t, url.Values{"code": {done.Code}, "grant_type": {"authorization_code"}})

	wantStatus(t, a, http.StatusOK)
	if !strings.HasPrefix(done.Code, "AQ") || len(done.Code) <= 300 {
		t.Errorf("code %q does not look like Meta's", done.Code)
	}
	if !strings.HasPrefix(a.str("access_token"), "EAA") || a.str("token_type") != "bearer" {
		t.Errorf("answer %s is no token of Meta's", a.text)
	}
	if _, there := a.json["expires_in"]; there {
		t.Errorf("a token that never expires came with expires_in: %s", a.text)
	}
}

func TestExchangeTakesQueryFormAndJSON(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	credentials := url.Values{"client_id": {defaultAppID}, "client_secret": {defaultAppSecret}}

	credentials.Set("code", b.sim.SignUp(SignUp{}).Code)
	wantStatus(t, b.get(t, "/v21.0/oauth/access_token?"+credentials.Encode(), ""), http.StatusOK)
	wantStatus(t, b.oauth(t, url.Values{"code": {b.sim.SignUp(SignUp{}).Code}}), http.StatusOK)
	body := `{"client_id":"` + defaultAppID + `","client_secret":"` + defaultAppSecret + `","code":"` + b.sim.SignUp(SignUp{}).Code + `"}`
	wantStatus(t, b.send(t, http.MethodPost, "/v25.0/oauth/access_token", "", body), http.StatusOK)
}

func TestSixtyDayTokenSaysWhenItExpires(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	done := b.sim.SignUp(SignUp{Token: TokenSpec{ExpiresIn: 5184000}})
	a := b.oauth(t, url.Values{"code": {done.Code}})
	if got := a.at("expires_in"); got != float64(5184000) {
		t.Errorf("expires_in is %v, want 5184000", got)
	}
}

func TestExchangeRefusesInMetasOrder(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	code := b.sim.SignUp(SignUp{}).Code

	wantError(t, b.oauth(t, url.Values{"client_id": {""}, "client_secret": {"x"}}), 400, 101, 0)
	wantError(t, b.oauth(t, url.Values{"client_id": {"1"}, "client_secret": {"x"}}), 400, 101, 0)
	wrongSecret := b.oauth(t, url.Values{"client_secret": {"x"}, "code": {code}})
	wantError(t, wrongSecret, 400, 1, 0)
	if got := wrongSecret.str("error.message"); got != "Error validating client secret." {
		t.Errorf("message is %q", got)
	}
	wantError(t, b.oauth(t, nil), 400, 1, 0)
	wantError(t, b.oauth(t, url.Values{"code": {"garbage"}}), 400, 100, 0)
	wantError(t, b.oauth(t, url.Values{"code": {code}, "grant_type": {"password"}}), 400, 100, 0)
	wantStatus(t, b.oauth(t, url.Values{"code": {code}}), http.StatusOK) // none of these spent it
}

func TestCodeExpiresThirtySecondsAfterTheSignup(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	b := setup(t, Config{Now: func() time.Time { return start }})
	early, late := b.sim.SignUp(SignUp{}), b.sim.SignUp(SignUp{})

	b.sim.Advance(30 * time.Second)
	wantStatus(t, b.oauth(t, url.Values{"code": {early.Code}}), http.StatusOK)
	b.sim.Advance(time.Second)
	a := b.oauth(t, url.Values{"code": {late.Code}})
	wantError(t, a, 400, 100, 36007)
	want := `OAuth "Facebook Platform" "invalid_code" "This authorization code has expired."`
	if got := a.header.Get("WWW-Authenticate"); got != want {
		t.Errorf("WWW-Authenticate is %s, want %s", got, want)
	}
	if got, want := a.header.Get("Date"), "Tue, 24 Nov 2026 12:00:31 GMT"; got != want {
		t.Errorf("Date is %s, want the simulated %s", got, want)
	}
}

func TestPopupCodeRefusesAnyRedirectURIEvenAnEmptyOne(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	code := b.sim.SignUp(SignUp{}).Code
	wantError(t, b.oauth(t, url.Values{"code": {code}, "redirect_uri": {""}}), 400, 100, 36008)
	wantError(t, b.oauth(t, url.Values{"code": {code}, "redirect_uri": {"https://a.example/"}}), 400, 100, 36008)
	wantStatus(t, b.oauth(t, url.Values{"code": {code}}), http.StatusOK) // 36008 does not spend it
}

func TestDialogCodeWantsItsVeryRedirectURI(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	code := b.sim.SignUp(SignUp{RedirectURI: "https://a.example/cb"}).Code
	wantError(t, b.oauth(t, url.Values{"code": {code}}), 400, 100, 36008)
	wantError(t, b.oauth(t, url.Values{"code": {code}, "redirect_uri": {"https://a.example/cb/"}}), 400, 100, 36008)
	wantStatus(t, b.oauth(t, url.Values{"code": {code}, "redirect_uri": {"https://a.example/cb"}}), http.StatusOK)
}

func TestFiftyParallelExchangesSpendACodeOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	code := b.sim.SignUp(SignUp{}).Code
	requests := make([]*http.Request, 50)
	for i := range requests {
		requests[i] = b.oauthRequest(t, url.Values{"code": {code}})
	}
	answers := make([]answer, len(requests))
	var wg sync.WaitGroup
	for i, req := range requests {
		wg.Go(func() {
			var err error
			if answers[i], err = b.do(req); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()

	spent := 0
	for _, a := range answers {
		if a.status == http.StatusOK {
			spent++
			continue
		}
		wantError(t, a, 400, 100, 36009)
	}
	if spent != 1 {
		t.Errorf("the code was spent %d times, want once", spent)
	}
	if got := b.sim.Count("POST", "/oauth/access_token"); got != 50 {
		t.Errorf("the journal counts %d exchanges, want 50", got)
	}
}

func TestSystemUserTokenIsExtendedWithTheSixtyDayFlagOnly(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	old, _ := b.token(t, SignUp{Token: TokenSpec{ExpiresIn: 3600}})
	extend := url.Values{"grant_type": {"fb_exchange_token"}, "fb_exchange_token": {old}}

	wantError(t, b.oauth(t, extend), 400, 100, 0)
	extend.Set("set_token_expires_in_60_days", "true")
	a := b.oauth(t, extend)
	wantStatus(t, a, http.StatusOK)
	if got := a.at("expires_in"); got != float64(5183944) || a.str("access_token") == old {
		t.Errorf("answer %s, want another token for 60 days", a.text)
	}
	wantStatus(t, b.get(t, "/v25.0/me", old), http.StatusOK) // the old one lives on
	b.sim.Advance(time.Hour)
	wantError(t, b.oauth(t, extend), 400, 190, 463)
	wantStatus(t, b.get(t, "/v25.0/me", a.str("access_token")), http.StatusOK)
}

func TestUserTokenIsExtendedToSixtyDays(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	old, _ := b.token(t, SignUp{Token: TokenSpec{Kind: KindUser, ExpiresIn: 3600}})
	a := b.oauth(t, url.Values{"grant_type": {"fb_exchange_token"}, "fb_exchange_token": {old}})
	if got := a.at("expires_in"); got != float64(5183944) {
		t.Errorf("answer %s, want expires_in 5183944", a.text)
	}
}

func TestClientCredentialsAreTheAppToken(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	a := b.oauth(t, url.Values{"grant_type": {"client_credentials"}})
	if got, want := a.str("access_token"), defaultAppID+"|"+defaultAppSecret; got != want {
		t.Errorf("token is %q, want %q", got, want)
	}
}

func TestRevokedTokenIsDead(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	token, _ := b.token(t, SignUp{})
	q := url.Values{
		"client_id": {defaultAppID}, "client_secret": {defaultAppSecret}, "revoke_token": {token},
		"access_token": {defaultAppID + "|" + defaultAppSecret},
	}
	for range 2 { // revoking twice is no failure
		a := b.get(t, "/v25.0/oauth/revoke?"+q.Encode(), "")
		if a.status != http.StatusOK || a.at("success") != "true" {
			t.Errorf(`answer is %d %s, want {"success":"true"} with a string`, a.status, a.text)
		}
	}
	wantError(t, b.get(t, "/v25.0/me", token), 401, 190, 467)
}
