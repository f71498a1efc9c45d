package graphsim

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestJournalShowsNoSecret(t *testing.T) {
	t.Parallel()
	const own = "EAAownAccessToken"
	b := setup(t, Config{OwnAccessToken: own})
	done := b.sim.SignUp(SignUp{})
	token := b.oauth(t, url.Values{"code": {done.Code}}).str("access_token")
	proof := proofOf(defaultAppSecret, token)
	b.debug(t, token)
	b.get(t, "/v25.0/me?access_token="+token+"&appsecret_proof="+proof, "")
	b.get(t, "/v25.0/me?wrong_name="+token+"&state="+own, own)
	b.register(t, done.PhoneNumberIDs[0], token, "491827")
	b.oauth(t, url.Values{"grant_type": {"fb_exchange_token"}, "fb_exchange_token": {token}})

	journal := b.get(t, "/_sim/requests", "").text
	for _, secret := range []string{done.Code, token, own, defaultAppSecret, proof, "491827"} {
		if strings.Contains(journal, secret) {
			t.Errorf("the journal shows the secret %q", secret)
		}
	}
	entries := b.sim.Journal()
	if got, want := entries[0].Parameters["code"], fingerprint(done.Code); got != want || len(got) != len("sha256:ab12cd34") {
		t.Errorf("code is shown as %q, want %q", got, want)
	}
	if got, want := entries[4].Authorization, "Bearer "+fingerprint(token); got != want {
		t.Errorf("authorization is shown as %q, want %q", got, want)
	}
}

func TestJournalTellsWhatWasCalledAndIsFiltered(t *testing.T) {
	t.Parallel()
	b := setup(t, Config{})
	token, done := b.token(t, SignUp{})
	path := "/v25.0/" + done.WABAIDs[0] + "/subscribed_apps"
	b.send(t, http.MethodPost, path, token, "")
	b.send(t, http.MethodGet, path+"?fields=id", token, "")

	var found []Request
	text := b.get(t, "/_sim/requests?method=GET&path=/*/subscribed_apps", "").text
	if err := json.Unmarshal([]byte(text), &found); err != nil {
		t.Fatal(err)
	}
	if len(found) != 1 || found[0].Path != path || found[0].Parameters["fields"] != "id" || found[0].Status != 200 || found[0].State != StateDone {
		t.Errorf("found %s", text)
	}
	if got := b.sim.Count("POST", "/*/subscribed_apps"); got != 1 {
		t.Errorf("POST counts %d, want 1", got)
	}
	if got := b.sim.Count("", "/"+done.WABAIDs[0]+"/subscribed_apps"); got != 2 {
		t.Errorf("all methods count %d, want 2", got)
	}
	wantStatus(t, b.get(t, "/_sim/requests?path=/[", ""), http.StatusBadRequest)
}

func TestJournalKeepsTheLatestTenThousand(t *testing.T) {
	t.Parallel()
	var j journal
	for range maxJournal + 5 {
		j.begin(Request{})
	}
	entries := j.list(func(Request) bool { return true })
	if len(entries) != maxJournal || entries[0].ID != 6 {
		t.Errorf("%d entries from %d on, want %d from 6 on", len(entries), entries[0].ID, maxJournal)
	}
}

func TestPatternsIgnoreVersionsAndMatchWholeSegments(t *testing.T) {
	t.Parallel()
	cases := []struct {
		pattern, path string
		want          bool
	}{
		{"/oauth/access_token", "/v25.0/oauth/access_token", true},
		{"oauth/access_token", "/v25.0/oauth/access_token", true},
		{"/v21.0/oauth/access_token", "/v25.0/oauth/access_token", true},
		{"/*/subscribed_apps", "/v25.0/123/subscribed_apps", true},
		{"/*/subscribed_apps", "/v25.0/123/phone_numbers", false},
		{"/123", "/v25.0/123", true},
		{"/123", "/v25.0/1234", false},
		{"/*", "/v25.0/123/phone_numbers", false},
		{"*", "/v25.0/123/phone_numbers", true},
		{"", "/v25.0/me", true},
	}
	for _, c := range cases {
		if got := matchPath(c.pattern, c.path); got != c.want {
			t.Errorf("matchPath(%q, %q) is %t", c.pattern, c.path, got)
		}
	}
}
