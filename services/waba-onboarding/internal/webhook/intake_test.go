package webhook_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/whatrack/connect/services/internal/secret"
	"github.com/whatrack/connect/services/waba-onboarding/internal/webhook"
)

const (
	appSecret = "current-app-secret"
	previous  = "previous-app-secret"
	verify    = "verifyToken"
)

// kept is a Keeper that remembers.
type kept struct {
	mu     sync.Mutex
	bodies [][]byte
	err    error
}

func (k *kept) Keep(body []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.err == nil {
		k.bodies = append(k.bodies, body)
	}
	return k.err
}

func start(t *testing.T, k webhook.Keeper) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(&webhook.Intake{
		Keeper: k, VerifyToken: secret.New(verify), Memory: webhook.NewMemory(16 << 20), Log: slog.New(slog.DiscardHandler),
		Secrets: []secret.Text{secret.New(appSecret), secret.New(previous)},
	})
	t.Cleanup(server.Close)
	return server
}

func sign(body []byte, key string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

func post(t *testing.T, server *httptest.Server, body []byte, header http.Header) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		req.Header[name] = values
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

func signedBy(signatures ...string) http.Header {
	return http.Header{"X-Hub-Signature-256": signatures}
}

func TestSignedBodiesAreKeptByteForByte(t *testing.T) {
	t.Parallel()
	k := &kept{}
	server := start(t, k)
	for _, body := range []string{
		`{"object":"whatsapp_business_account","entry":[]}`, `{"b":"\u00e9\/","a":"é😀"}`, `not json at all`, `{`, "",
		strings.Repeat("x", 4<<20),
	} {
		for _, key := range []string{appSecret, previous} {
			if resp := post(t, server, []byte(body), signedBy(sign([]byte(body), key))); resp.StatusCode != http.StatusOK {
				t.Errorf("%.40q signed by %s: %s", body, key, resp.Status)
			}
			if got := string(k.bodies[len(k.bodies)-1]); got != body {
				t.Errorf("kept %.40q of %.40q", got, body)
			}
		}
	}
}

func TestWhoCanNotSignIsToldNothing(t *testing.T) {
	t.Parallel()
	k := &kept{}
	server := start(t, k)
	body := []byte(`{"object":"whatsapp_business_account"}`)
	good := sign(body, appSecret)
	oldMAC := hmac.New(sha1.New, []byte(appSecret))
	oldMAC.Write(body)
	for name, header := range map[string]http.Header{
		"none": {}, "wrong": signedBy(sign(body, "other")), "short": signedBy(good[:70]), "doubled": signedBy(good, good),
		"listed": signedBy(good + "," + good), "sha1": {"X-Hub-Signature": {"sha1=" + hex.EncodeToString(oldMAC.Sum(nil))}},
		"bare": signedBy(good[7:]), "no hex": signedBy("sha256=" + strings.Repeat("z", 64)),
	} {
		resp := post(t, server, body, header)
		if resp.StatusCode != http.StatusUnauthorized || resp.ContentLength != 0 {
			t.Errorf("%s: %s, %d bytes", name, resp.Status, resp.ContentLength)
		}
	}
	large := bytes.Repeat([]byte("x"), 3_900_000)
	if resp := post(t, server, large, signedBy(sign(large, "other"))); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("3.9 MB with a wrong signature: %s", resp.Status)
	}
	if len(k.bodies) != 0 {
		t.Errorf("%d bodies were kept", len(k.bodies))
	}
}

func TestWhatIsTooLargeOrEncodedIsRefused(t *testing.T) {
	t.Parallel()
	server := start(t, &kept{})
	large := bytes.Repeat([]byte("x"), 4<<20+1)
	if resp := post(t, server, large, signedBy(sign(large, appSecret))); resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("4 MiB + 1: %s", resp.Status)
	}
	header := signedBy(sign(nil, appSecret))
	header.Set("Content-Encoding", "gzip")
	if resp := post(t, server, nil, header); resp.StatusCode != http.StatusUnsupportedMediaType {
		t.Errorf("gzip: %s", resp.Status)
	}
}

func TestWhatCanNotBeKeptIsAskedForAgain(t *testing.T) {
	t.Parallel()
	for _, err := range []error{webhook.ErrBusy, errors.New("the database is away")} {
		resp := post(t, start(t, &kept{err: err}), []byte("{}"), signedBy(sign([]byte("{}"), appSecret)))
		if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
			t.Errorf("%v: %s", err, resp.Status)
		}
	}
}

func TestTheHandshakeEchoesTheChallengeAsText(t *testing.T) {
	t.Parallel()
	server := start(t, &kept{})
	for name, c := range map[string]struct {
		mode, token, challenge string
		want                   int
	}{
		"right":         {"subscribe", verify, "<script>1158201444</script>", http.StatusOK},
		"wrong token":   {"subscribe", "other", "1", http.StatusForbidden},
		"wrong mode":    {"unsubscribe", verify, "1", http.StatusForbidden},
		"no challenge":  {"subscribe", verify, "", http.StatusForbidden},
		"too long":      {"subscribe", verify, strings.Repeat("1", 10<<10), http.StatusForbidden},
		"nothing given": {"", "", "", http.StatusForbidden},
	} {
		query := url.Values{"hub.mode": {c.mode}, "hub.verify_token": {c.token}, "hub.challenge": {c.challenge}}
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"?"+query.Encode(), nil)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		_, _ = got.ReadFrom(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != c.want {
			t.Errorf("%s: %s", name, resp.Status)
		}
		if c.want != http.StatusOK {
			continue
		}
		plain := strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain") && resp.Header.Get("X-Content-Type-Options") == "nosniff"
		if got.String() != c.challenge || !plain {
			t.Errorf("%s: answered %q as %s", name, got.String(), resp.Header.Get("Content-Type"))
		}
	}
}
