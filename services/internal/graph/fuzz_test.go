package graph

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/whatrack/connect/services/internal/secret"
)

const fuzzToken = "EAAGfuzztoken0123456789"

// FuzzAnswer gives every reader of the client an answer that somebody else wrote. None may panic, return what could not
// be stored, or show the token.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"error":{"message":"(#130429) Rate limit hit","type":"OAuthException","code":130429,"error_subcode":2494055,` +
			`"error_data":{"messaging_product":"whatsapp","details":"x"},"is_transient":true,"fbtrace_id":"A"}}`,
		`{"error":{"code":"190","message":"` + fuzzToken + `","error_data":"{\"details\":\"` + fuzzToken + `\"}"}}`,
		`{"access_token":"EAAG","token_type":"bearer","expires_in":5183944}`, `{"success":"true"}`, `<html>`, ``, `[]`, `null`,
		`{"data":{"app_id":1,"is_valid":true,"expires_at":0,"scopes":["a"],"granular_scopes":[{"target_ids":[1,"2"]}]}}`,
		`{"data":{"error":{"code":190,"message":"x","subcode":460},"is_valid":false}}`,
		`{"data":[{"id":"1","verified_name":"\u0000\ud800","throughput":{"level":"STANDARD"}}],"paging":{"cursors":{"after":"a"},"next":"b"}}`,
		`{"id":"1","name":"x","owner_business_info":{"id":2,"name":"y"}}`, `{"id":1e99}`, `{"error":{"code":-0}}`, `{"error":null,"id":"1"}`,
		`{"contacts":[{"input":"+1","wa_id":"1","user_id":"US.1"}],"messages":[{"id":"wamid.A","message_status":"accepted"}]}`,
	} {
		for _, status := range []int{200, 400, 500} {
			f.Add(status, []byte(seed), "3")
		}
	}
	f.Fuzz(func(t *testing.T, status int, body []byte, header string) {
		c := NewClient(Config{
			BaseURL: "http://meta.test", AppID: "1", AppSecret: secret.New("fuzzsecret"), Timeout: time.Second,
			Transport: canned{status, string(body), header},
		})
		ctx, token := t.Context(), secret.New(fuzzToken)
		info, err := c.DebugToken(ctx, token)
		checkFuzz(t, err, info.AppID, string(info.Type), strings.Join(info.Scopes, ""), strings.Join(info.TargetIDs, ""))
		if info.Valid && (info.AppID == "" || err != nil) {
			t.Error("a token is valid without an app")
		}
		grant, err := c.ExchangeCode(ctx, token, "")
		checkFuzz(t, err)
		if (err == nil) == grant.Token.IsEmpty() || grant.ExpiresIn < 0 {
			t.Errorf("%v with the token %q", err, grant.Token.Reveal())
		}
		numbers, err := c.PhoneNumbers(ctx, "1", c.Credential(token))
		for _, n := range numbers {
			checkFuzz(t, err, n.ID, n.DisplayPhoneNumber, n.VerifiedName, n.Status, n.MessagingLimitTier)
		}
		checkFuzz(t, err)
		account, err := c.WABA(ctx, "1", c.Credential(token))
		checkFuzz(t, err, account.ID, account.Name, account.OwnerBusinessID)
		apps, err := c.SubscribedApps(ctx, "1", c.Credential(token))
		checkFuzz(t, err, apps...)
		checkFuzz(t, c.RevokeToken(ctx, token))
		sent, err := c.SendMessage(ctx, "1", Message{To: "1", Type: "text", Text: &Text{Body: "hi"}}, "ref", c.Credential(token))
		checkFuzz(t, err, sent.Wamid, sent.WaID, sent.UserID)
		if (err == nil) != (sent.Wamid != "") {
			t.Errorf("%v with the id %q", err, sent.Wamid)
		}
		_ = VerdictOf(err)
	})
}

type canned struct {
	status       int
	body, header string
}

func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: c.status, Request: r, Body: &reader{strings.NewReader(c.body)},
		Header: http.Header{"Retry-After": {c.header}, "X-Business-Use-Case-Usage": {c.header}},
	}, nil
}

type reader struct{ *strings.Reader }

func (*reader) Close() error { return nil }

func checkFuzz(t *testing.T, err error, stored ...string) {
	t.Helper()
	if err != nil {
		stored = append(stored, err.Error())
		if strings.Contains(err.Error(), fuzzToken) {
			t.Errorf("the token is in %v", err)
		}
		if len(err.Error()) > 8<<10 {
			t.Errorf("an error of %d bytes", len(err.Error()))
		}
	}
	for _, s := range stored {
		if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
			t.Errorf("can not be stored: %q", s)
		}
	}
}

// FuzzScrub looks for a secret in a text that quotes it between other bytes.
func FuzzScrub(f *testing.F) {
	f.Add("before ", fuzzToken, " after")
	f.Add("é", "849203", "\x80\u202e")
	f.Add("", "a+b/c=d&e%f g", strings.Repeat("x", 9000))
	f.Fuzz(func(t *testing.T, before, hidden, after string) {
		if len(hidden) < shortestSecret || len(before) > 1000 || checkSecret("token", secret.New(hidden)) != nil || strings.Contains(redacted, hidden) {
			t.Skip()
		}
		got := newScrubber([]secret.Text{secret.New(hidden)}).line(before+hidden+after, maxMessage)
		if strings.Contains(got, hidden) && !strings.Contains(before+redacted+after, hidden) {
			t.Errorf("%q holds %q", got, hidden)
		}
		if !utf8.ValidString(got) || utf8.RuneCountInString(got) > maxMessage || strings.ContainsAny(got, "\x00\n\r\x1b\u202e") {
			t.Errorf("not fit to be shown: %q", got)
		}
		if raw, err := json.Marshal(got); err != nil {
			t.Errorf("%s: %v", raw, err)
		}
	})
}
