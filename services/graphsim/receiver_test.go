package graphsim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"
)

// receiver is an app's webhook endpoint, as careful as ours has to be: it answers the handshake only for its verify
// token, and takes only what is signed over the very bytes that came.
type receiver struct {
	url string

	mu     sync.Mutex
	status int // answered to what is signed well
	all    []received
}

// received is one POST.
type received struct {
	header http.Header
	body   string
	signed bool
}

const testVerifyToken = "verify-me"

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	rc := &receiver{status: http.StatusOK}
	server := httptest.NewServer(rc)
	t.Cleanup(server.Close)
	rc.url = server.URL + "/webhook"
	return rc
}

func (rc *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if r.Method == http.MethodGet {
		if query.Get("hub.mode") != "subscribe" || query.Get("hub.verify_token") != testVerifyToken {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = io.WriteString(w, query.Get("hub.challenge"))
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	mac := hmac.New(sha256.New, []byte(defaultAppSecret))
	mac.Write(body)
	signed := r.Header.Get("X-Hub-Signature-256") == "sha256="+hex.EncodeToString(mac.Sum(nil))
	rc.mu.Lock()
	defer rc.mu.Unlock()
	rc.all = append(rc.all, received{header: r.Header, body: string(body), signed: signed})
	if !signed {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	w.WriteHeader(rc.status)
	_, _ = io.WriteString(w, "thank you")
}

func (rc *receiver) answerWith(status int) {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	rc.status = status
}

func (rc *receiver) list() []received {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	return slices.Clone(rc.all)
}

// wait waits until n POSTs came, and answers them all.
func (rc *receiver) wait(t *testing.T, n int) []received {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if all := rc.list(); len(all) >= n {
			return all
		}
	}
	t.Fatalf("%d POSTs came, want %d: %+v", len(rc.list()), n, rc.list())
	return nil
}

// at reads a value by its path in the body: names of objects, indexes of lists.
func (r received) at(t *testing.T, path ...any) any {
	t.Helper()
	var value any
	if err := json.Unmarshal([]byte(r.body), &value); err != nil {
		t.Fatalf("%v: %s", err, r.body)
	}
	for _, step := range path {
		switch at := step.(type) {
		case string:
			object, _ := value.(map[string]any)
			value = object[at]
		case int:
			list, _ := value.([]any)
			if at >= len(list) {
				return nil
			}
			value = list[at]
		}
	}
	return value
}

// change reads a value in the first change.
func (r received) change(t *testing.T, path ...any) any {
	t.Helper()
	return r.at(t, append([]any{"entry", 0, "changes", 0, "value"}, path...)...)
}

// subscribed is a simulator with a receiver, and a customer whose WABA is subscribed.
type subscribed struct {
	*bundle
	rc    *receiver
	token string
	waba  string
	phone string
}

func setupSubscribed(t *testing.T, cfg Config, spec SignUp) *subscribed {
	t.Helper()
	rc := newReceiver(t)
	cfg.CallbackURL, cfg.VerifyToken = rc.url, testVerifyToken
	b := setup(t, cfg)
	spec.PartnerAdded = Never
	token, done := b.token(t, spec)
	s := &subscribed{bundle: b, rc: rc, token: token, waba: done.WABAIDs[0], phone: done.PhoneNumberIDs[0]}
	for _, id := range done.WABAIDs {
		wantStatus(t, b.send(t, http.MethodPost, "/v25.0/"+id+"/subscribed_apps", token, ""), http.StatusOK)
	}
	return s
}

// waitDelivery waits until a delivery of the log is in a state, "" for any, after so many attempts or more.
func (b *bundle) waitDelivery(t *testing.T, id int64, state string, attempts int) Delivery {
	t.Helper()
	var last Delivery
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		for _, d := range b.sim.Deliveries() {
			if d.ID == id {
				last = d
			}
		}
		if (state == "" || last.State == state) && len(last.Attempts) >= attempts {
			return last
		}
	}
	t.Fatalf("delivery is %+v, want %s after %d attempts", last, state, attempts)
	return last
}
