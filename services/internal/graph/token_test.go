package graph_test

import (
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/whatrack/connect/services/internal/graph"
	"github.com/whatrack/connect/services/internal/secret"
)

func TestACodeIsSpentByAPostThatKeepsSecretsOutOfTheURL(t *testing.T) {
	t.Parallel()
	m := setup(t, says(200, `{"access_token":"EAAGnew","token_type":"bearer","expires_in":5183944}`))
	grant, err := m.ExchangeCode(t.Context(), code(), "")
	if err != nil {
		t.Fatal(err)
	}
	if grant.Token.Reveal() != "EAAGnew" || grant.ExpiresIn != 5183944*time.Second {
		t.Errorf("got %q for %v", grant.Token.Reveal(), grant.ExpiresIn)
	}
	got := m.last()
	if got.method != "POST" || got.path != "/v25.0/oauth/access_token" || len(got.query) != 0 {
		t.Errorf("asked %s %s?%s", got.method, got.path, got.query.Encode())
	}
	want := url.Values{
		"client_id": {appID}, "client_secret": {appSecret}, "code": {codeText}, "grant_type": {"authorization_code"},
	}
	if diff := cmp.Diff(want, got.form); diff != "" { // no redirect_uri, not even an empty one
		t.Errorf("form (-want +got):\n%s", diff)
	}
}

func TestADialogsRedirectURIIsSentByteForByte(t *testing.T) {
	t.Parallel()
	const uri = "https://app.example/Onboarding/callback/?a=b%20c"
	m := setup(t, says(200, `{"access_token":"EAAGnew"}`))
	if _, err := m.ExchangeCode(t.Context(), code(), uri); err != nil {
		t.Fatal(err)
	}
	if got := m.last().form["redirect_uri"]; !cmp.Equal(got, []string{uri}) {
		t.Errorf("redirect_uri = %q", got)
	}
}

func TestTheLifeOfATokenMayBeAbsentANumberOrAString(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]time.Duration{
		``: 0, `,"expires_in":null`: 0, `,"expires_in":0`: 0, `,"expires_in":60`: time.Minute, `,"expires_in":"60"`: time.Minute,
		`,"expires_in":-1`: 0, `,"expires_in":"soon"`: 0, `,"expires_in":99999999999999999`: 0, `,"expires_in":{}`: 0,
		`,"expires_in":1e99`: 0,
	} {
		m := setup(t, says(200, `{"access_token":"EAAGnew"`+raw+`}`))
		grant, err := m.ExchangeCode(t.Context(), code(), "")
		if err != nil || grant.ExpiresIn != want || grant.Token.Reveal() != "EAAGnew" {
			t.Errorf("%s: %v, %v", raw, grant.ExpiresIn, err)
		}
	}
}

func TestA200WithoutAUsableTokenIsNoVerdict(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		``, `{}`, `[]`, `null`, `"EAAG"`, `{"access_token":null}`, `{"access_token":""}`, `{"access_token":12}`,
		`{"access_token":["EAAG"]}`, `{"access_token":"two words"}`, `{"access_token":"line\r\nbreak"}`, `{"access_token":"EAAG"`,
		`{"access_token":"EAAG"} {}`, `<html>EAAG</html>`, `access_token=EAAG&expires=60`, `{"error":"invalid_request"}`, `{"error":{}}`,
	} {
		m := setup(t, says(200, body))
		_, err := m.ExchangeCode(t.Context(), code(), "")
		if !errors.Is(err, graph.ErrNoVerdict) || !graph.IsSilence(err) || graph.VerdictOf(err) != graph.OutcomeUnknown {
			t.Errorf("%s: %v", body, err)
		}
		if m.count() != 1 {
			t.Errorf("%s: asked %d times", body, m.count())
		}
	}
}

func TestASystemUsersTokenIsExtendedWithItsFlag(t *testing.T) {
	t.Parallel()
	for kind, want := range map[graph.TokenType][]string{graph.SystemUser: {"true"}, "USER": nil, "": nil} {
		m := setup(t, says(200, `{"access_token":"EAAGnew","expires_in":5183944}`))
		if _, err := m.ExtendToken(t.Context(), token(), kind); err != nil {
			t.Fatal(err)
		}
		got := m.last()
		if diff := cmp.Diff(want, got.form["set_token_expires_in_60_days"]); diff != "" {
			t.Errorf("%s: %s", kind, diff)
		}
		if got.method != "POST" || len(got.query) != 0 || got.form.Get("fb_exchange_token") != tokenText ||
			got.form.Get("grant_type") != "fb_exchange_token" || got.header.Get("Authorization") != "" {
			t.Errorf("%s: asked %+v", kind, got)
		}
	}
}

func TestATokenIsRevokedInTheDocumentedForm(t *testing.T) {
	t.Parallel()
	m := setup(t, says(200, `{"success":"true"}`)) // a string, as in Meta's sample
	if err := m.RevokeToken(t.Context(), token()); err != nil {
		t.Fatal(err)
	}
	want := url.Values{
		"client_id": {appID}, "client_secret": {appSecret}, "revoke_token": {tokenText}, "access_token": {tokenText},
		"appsecret_proof": {m.Proof(token())},
	}
	got := m.last()
	if diff := cmp.Diff(want, got.query); diff != "" || got.method != "GET" || got.path != "/v25.0/oauth/revoke" {
		t.Errorf("asked %s %s (-want +got):\n%s", got.method, got.path, diff)
	}
}

func TestRevokingADeadTokenSaysThatItIsDead(t *testing.T) {
	t.Parallel()
	m := setup(t, says(400, `{"error":{"code":190,"error_subcode":467,"message":"Invalid access token","type":"OAuthException"}}`))
	var said *graph.Error
	if err := m.RevokeToken(t.Context(), token()); !errors.As(err, &said) || !said.TokenDead() || graph.IsSilence(err) {
		t.Errorf("got %v", err)
	}
}

func TestWhatCanNotBeSentIsRefusedBeforeItIsSent(t *testing.T) {
	t.Parallel()
	m := setup(t, says(200, `{"success":true}`))
	ctx := t.Context()
	_, noCode := m.ExchangeCode(ctx, secret.Text{}, "")
	_, noToken := m.ExtendToken(ctx, secret.Text{}, "")
	_, lineBreak := m.DebugToken(ctx, secret.New("EAAG\r\nX-Evil: 1"))
	_, path := m.PhoneNumbers(ctx, "1/../2", m.Credential(token()))
	_, query := m.WABA(ctx, "me?fields=id", m.Credential(token()))
	_, long := m.PhoneNumber(ctx, "123456789012345678901234567890123", m.Credential(token()))
	_, arabic := m.SubscribedApps(ctx, "١٢٣", m.Credential(token()))
	for name, err := range map[string]error{
		"no code": noCode, "no token": noToken, "line break": lineBreak, "path": path, "query": query, "long": long, "arabic": arabic,
		"empty id": m.Subscribe(ctx, "", m.Credential(token())), "no bearer": m.Unsubscribe(ctx, waba, graph.Credential{}),
		"short pin": m.Register(ctx, phone, secret.New("12345"), m.Credential(token())),
		"pin":       m.Register(ctx, phone, secret.New(`1","a`), m.Credential(token())),
		"revoke":    m.RevokeToken(ctx, secret.New("é")),
	} {
		if !errors.Is(err, graph.ErrInvalidInput) || graph.IsSilence(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if m.count() != 0 {
		t.Errorf("%d requests arrived", m.count())
	}
}
