package processtest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/whatrack/connect/services/graphsim"
)

// meta is the simulated Meta behind a recorder, which learns every secret that goes over the wire.
type meta struct {
	*graphsim.Simulator
	url string

	mu      sync.Mutex
	urls    map[string]bool   // as requested, with their query
	secrets map[string]string // what it is, by the secret
	pins    map[string]bool
}

func newMeta(t *testing.T, appSecret string) *meta {
	t.Helper()
	sim, err := graphsim.New(graphsim.Config{AppID: appID, AppSecret: appSecret, RequireAppSecretProof: true})
	if err != nil {
		t.Fatal(err)
	}
	m := &meta{
		Simulator: sim, urls: map[string]bool{}, pins: map[string]bool{},
		secrets: map[string]string{appSecret: "the app secret"},
	}
	server := httptest.NewServer(m)
	m.url = server.URL
	t.Cleanup(func() {
		_ = sim.Close() // lets go what is held
		server.Close()
	})
	return m
}

// secretParameters are those whose values nobody else may see.
var secretParameters = []string{"code", "fb_exchange_token", "input_token", "revoke_token", "client_secret"}

// ServeHTTP implements http.Handler.
func (m *meta) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	m.record(r, parametersOf(r, body))
	m.Simulator.ServeHTTP(w, r)
}

func (m *meta) record(r *http.Request, given url.Values) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.urls[r.URL.RequestURI()] = true
	for _, name := range secretParameters {
		if value := given.Get(name); value != "" {
			m.secrets[value] = name
		}
	}
	if _, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok {
		m.secrets[token] = "an access token"
	}
	if pin := given.Get("pin"); pin != "" {
		m.pins[pin] = true
	}
}

func parametersOf(r *http.Request, body []byte) url.Values {
	given := r.URL.Query()
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch kind {
	case "application/x-www-form-urlencoded":
		form, _ := url.ParseQuery(string(body))
		for name, values := range form {
			given[name] = append(given[name], values...)
		}
	case "application/json":
		var object map[string]any
		_ = json.Unmarshal(body, &object)
		for name, value := range object {
			if text, ok := value.(string); ok {
				given.Add(name, text)
			}
		}
	}
	return given
}

// mayCarrySecrets are the calls that Meta offers with secrets in the URL only.
func mayCarrySecrets(uri string) bool {
	path, _, _ := strings.Cut(uri, "?")
	return strings.HasSuffix(path, "/debug_token") || strings.HasSuffix(path, "/oauth/revoke")
}

// held waits until a fault holds a request.
func (m *meta) held(t *testing.T, name, fault string) {
	t.Helper()
	waitFor(t, 15*time.Second, name+" is not held", func() bool {
		for _, r := range m.Journal() {
			if r.Fault == fault {
				return r.State == graphsim.StateHeld
			}
		}
		return false
	})
}

// calls are the journal's requests to a path, for one value of a parameter if one is named.
func (m *meta) calls(method, path string, parameter ...string) []graphsim.Request {
	var found []graphsim.Request
	for _, r := range m.Journal() {
		_, rest, _ := strings.Cut(strings.TrimPrefix(r.Path, "/"), "/")
		if r.Method != method || "/"+rest != path {
			continue
		}
		if len(parameter) == 0 || r.Parameters[parameter[0]] == parameter[1] {
			found = append(found, r)
		}
	}
	return found
}

// exchanges are the calls that spent a code.
func (m *meta) exchanges(code string) int {
	return len(m.calls(http.MethodPost, "/oauth/access_token", "code", fingerprint(code)))
}

// fingerprint is how the journal shows a secret.
func fingerprint(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return "sha256:" + hex.EncodeToString(sum[:4])
}

// waitFor waits until a condition holds.
func waitFor(t *testing.T, limit time.Duration, otherwise string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s after %s", otherwise, limit)
		}
	}
}
