package graphsim

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// bundle is one simulator behind a real HTTP server.
type bundle struct {
	sim *Simulator
	url string
}

func setup(t *testing.T, cfg Config) *bundle {
	t.Helper()
	sim, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	t.Cleanup(func() { // runs before the server's Close, which a held request would block
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	})
	return &bundle{sim: sim, url: server.URL}
}

// answer is what came back: JSON decoded, or the raw text.
type answer struct {
	status int
	header http.Header
	text   string
	json   map[string]any
}

// at reads a value by its path, "error.code".
func (a answer) at(path string) any {
	var value any = a.json
	for name := range strings.SplitSeq(path, ".") {
		object, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = object[name]
	}
	return value
}

func (a answer) str(path string) string {
	s, _ := a.at(path).(string)
	return s
}

// do sends a request with a fresh connection, so that no test sees net/http repeat one on a kept connection.
func (b *bundle) do(req *http.Request) (answer, error) {
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       20 * time.Second,
	}
	resp, err := client.Do(req)
	if err != nil {
		return answer{}, err
	}
	body, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return answer{}, err
	}
	a := answer{status: resp.StatusCode, header: resp.Header, text: string(body)}
	_ = json.Unmarshal(body, &a.json) // not every answer is a JSON object
	return a, nil
}

// send makes a request with an optional JSON body and bearer token.
func (b *bundle) send(t *testing.T, method, path, token, body string) answer {
	t.Helper()
	a, err := b.do(b.request(t, method, path, token, body))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (b *bundle) request(t *testing.T, method, path, token, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, b.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return req
}

func (b *bundle) get(t *testing.T, path, token string) answer {
	t.Helper()
	return b.send(t, http.MethodGet, path, token, "")
}

// oauth posts a form to /oauth/access_token with the app's credentials; extra may overwrite them.
func (b *bundle) oauth(t *testing.T, extra url.Values) answer {
	t.Helper()
	a, err := b.do(b.oauthRequest(t, extra))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (b *bundle) oauthRequest(t *testing.T, extra url.Values) *http.Request {
	t.Helper()
	form := url.Values{"client_id": {defaultAppID}, "client_secret": {defaultAppSecret}}
	for name, values := range extra {
		form[name] = values
	}
	body := bytes.NewBufferString(form.Encode())
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.url+"/v25.0/oauth/access_token", body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return req
}

// token signs up and exchanges the code.
func (b *bundle) token(t *testing.T, spec SignUp) (string, SignedUp) {
	t.Helper()
	done := b.sim.SignUp(spec)
	a := b.oauth(t, url.Values{"code": {done.Code}})
	if a.status != http.StatusOK {
		t.Fatalf("exchange: %d %s", a.status, a.text)
	}
	return a.str("access_token"), done
}

// wantError compares an answer with an error of Meta's.
func wantError(t *testing.T, a answer, status, code, subcode int) {
	t.Helper()
	gotCode, _ := a.at("error.code").(float64)
	gotSubcode, _ := a.at("error.error_subcode").(float64)
	if a.status != status || int(gotCode) != code || int(gotSubcode) != subcode {
		t.Errorf("answer is %d %s, want %d with code %d, subcode %d", a.status, a.text, status, code, subcode)
	}
	if a.str("error.fbtrace_id") == "" || a.str("error.type") == "" || a.str("error.message") == "" {
		t.Errorf("error without message, type or fbtrace_id: %s", a.text)
	}
}

func wantStatus(t *testing.T, a answer, status int) {
	t.Helper()
	if a.status != status {
		t.Fatalf("answer is %d %s, want %d", a.status, a.text, status)
	}
}

// waitFor waits until the journal has a request in a state: the moment at which a held request has arrived.
func (b *bundle) waitFor(t *testing.T, state string) Request {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		for _, r := range b.sim.Journal() {
			if r.State == state {
				return r
			}
		}
	}
	t.Fatalf("no request became %s: %+v", state, b.sim.Journal())
	return Request{}
}

func proofOf(secret, token string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(token))
	return hex.EncodeToString(mac.Sum(nil))
}
