package graphsim

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const appToken = defaultAppID + "|" + defaultAppSecret

func (b *bundle) debug(t *testing.T, input string) answer {
	t.Helper()
	return b.get(t, "/v25.0/debug_token?input_token="+url.QueryEscape(input), appToken)
}

func TestDebugTokenDescribesASystemUserToken(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	b := setup(t, Config{Now: func() time.Time { return start }})
	token, done := b.token(t, SignUp{WABAs: make([]WABA, 2)})

	a := b.debug(t, token)

	wantStatus(t, a, http.StatusOK)
	data, _ := a.at("data").(map[string]any)
	if user, _ := data["user_id"].(string); user == "" {
		t.Errorf("no user_id in %s", a.text)
	}
	delete(data, "user_id")
	targets := []any{done.WABAIDs[1], done.WABAIDs[0]} // the most recent first
	want := map[string]any{
		"app_id": defaultAppID, "type": "SYSTEM_USER", "application": appName, "is_valid": true,
		"expires_at": 0.0, "data_access_expires_at": 0.0, "issued_at": float64(start.Unix()),
		"scopes": []any{scopeManagement, scopeMessaging},
		"granular_scopes": []any{
			map[string]any{"scope": scopeManagement, "target_ids": targets},
			map[string]any{"scope": scopeMessaging, "target_ids": targets},
		},
	}
	if diff := cmp.Diff(want, data); diff != "" {
		t.Errorf("data differs (-want +got):\n%s", diff)
	}
}

func TestGranularScopesTakeTheShapesThatMetaHasBeenSeenToGive(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	shape := func(granular string) ([]any, []any) {
		token, _ := b.token(t, SignUp{Granular: granular, WABAs: []WABA{{}}})
		a := b.debug(t, token)
		scopes, _ := a.at("data.scopes").([]any)
		entries, _ := a.at("data.granular_scopes").([]any)
		return scopes, entries
	}

	if scopes, _ := shape(GranularRenamed); scopes[0] != scopeEvents {
		t.Errorf("renamed: scopes are %v", scopes)
	}
	if _, entries := shape(GranularAbsent); entries[0].(map[string]any)["target_ids"] != nil {
		t.Errorf("absent: entries are %v", entries)
	}
	if _, entries := shape(GranularDuplicated); len(entries) != 4 {
		t.Errorf("duplicated: entries are %v", entries)
	}
	if _, entries := shape(GranularBusinessIDs); entries[0].(map[string]any)["scope"] != scopeBusiness {
		t.Errorf("business_ids: entries are %v", entries)
	}
	_, entries := shape(GranularNumeric)
	targets, _ := entries[0].(map[string]any)["target_ids"].([]any)
	if _, isNumber := targets[0].(float64); !isNumber {
		t.Errorf("numeric: target ids are %v", targets)
	}
}

func TestDebugTokenAnswers200ForADeadToken(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	for _, subcode := range []int{458, 459, 460, 463, 464, 467, 492} {
		token, done := b.token(t, SignUp{})
		b.sim.Invalidate(done.WABAIDs[0], subcode)
		a := b.debug(t, token)
		wantStatus(t, a, http.StatusOK)
		if a.at("data.is_valid") != false || a.at("data.error.code") != 190.0 || a.at("data.error.subcode") != float64(subcode) {
			t.Errorf("answer is %s, want code 190 with subcode %d inside data", a.text, subcode)
		}
		wantError(t, b.get(t, "/v25.0/"+done.WABAIDs[0]+"/phone_numbers", token), 401, 190, subcode)
	}
}

func TestDebugTokenOfGarbageIsInvalidAndOfTheAppIsAnApp(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	if a := b.debug(t, "garbage"); a.status != http.StatusOK || a.at("data.is_valid") != false || a.at("data.app_id") != nil {
		t.Errorf("garbage: %d %s", a.status, a.text)
	}
	if a := b.debug(t, appToken); a.str("data.type") != "APP" || a.at("data.user_id") != nil {
		t.Errorf("app token: %s", a.text)
	}
}

func TestDebugTokenRefusesACallerWithoutAValidToken(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	token, _ := b.token(t, SignUp{})
	wantError(t, b.get(t, "/v25.0/debug_token?input_token="+token, ""), 400, 104, 0)
	wantError(t, b.get(t, "/v25.0/debug_token?input_token="+token, defaultAppID+"|wrong"), 400, 190, 0)
	wantError(t, b.get(t, "/v25.0/debug_token", appToken), 400, 100, 0)
	wantError(t, b.send(t, http.MethodPost, "/v25.0/debug_token?input_token="+token, appToken, ""), 400, 100, 0)
	wantStatus(t, b.get(t, "/v25.0/debug_token?input_token="+token, token), http.StatusOK)
}

func TestTokenExpiresByTheSimulatedClock(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	b := setup(t, Config{Now: func() time.Time { return start }})
	token, _ := b.token(t, SignUp{Token: TokenSpec{Kind: KindUser, ExpiresIn: 60}})
	b.sim.Advance(59 * time.Second)
	if a := b.debug(t, token); a.at("data.is_valid") != true || a.at("data.data_access_expires_at") == 0.0 {
		t.Errorf("before: %s", a.text)
	}
	b.sim.Advance(time.Second)
	if a := b.debug(t, token); a.at("data.error.subcode") != 463.0 {
		t.Errorf("after: %s", a.text)
	}
	a := b.get(t, "/v25.0/me", token)
	wantError(t, a, 401, 190, 463)
	want := "Error validating access token: Session has expired on Tuesday, 24-Nov-26 05:01:00 PDT. " +
		"The current time is Tuesday, 24-Nov-26 05:01:00 PDT."
	if got := a.str("error.message"); got != want {
		t.Errorf("message is %q, want %q", got, want)
	}
}
