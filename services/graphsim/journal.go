package graphsim

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxJournal bounds the journal; the oldest entries go first.
const maxJournal = 10_000

// States of a Request.
const (
	StateRunning   = "running"
	StateHeld      = "held"      // by a fault, until it is released
	StateDone      = "done"      // answered
	StateDropped   = "dropped"   // the connection was reset without an answer
	StateAbandoned = "abandoned" // the client went away first
)

// Request is one Graph request in the journal. It is there from its arrival on. Secrets are shown as the first eight
// hex digits of their SHA-256 (sha256:ab12cd34), so that a reader can tell whether two are the same.
type Request struct {
	ID         int64             `json:"id"`
	Time       time.Time         `json:"time"` // of arrival, by the real clock
	Method     string            `json:"method"`
	Path       string            `json:"path"` // with the version, without the query
	Parameters map[string]string `json:"parameters"`
	// Authorization is the header, its token as a fingerprint.
	Authorization string  `json:"authorization,omitempty"`
	State         string  `json:"state"`
	Status        int     `json:"status,omitempty"` // 0 until answered
	DurationMs    float64 `json:"durationMs"`
	Fault         string  `json:"fault,omitempty"` // id of the fault that met the request
}

// Journal lists the Graph requests so far, oldest first, as GET /_sim/requests does.
func (s *Simulator) Journal() []Request { return s.journal.list(func(Request) bool { return true }) }

// Count tells how many requests of the journal have this method and match this path pattern; see Fault for patterns.
// An empty method counts all. It panics on a malformed pattern.
func (s *Simulator) Count(method, pathPattern string) int {
	if err := checkPattern(pathPattern); err != nil {
		panic("graphsim.Count: " + err.Error())
	}
	return len(s.journal.list(func(r Request) bool {
		return (method == "" || r.Method == method) && matchPath(pathPattern, r.Path)
	}))
}

type journal struct {
	mu      sync.Mutex
	lastID  int64
	entries []*Request
}

// begin adds a request and answers its handle for update.
func (j *journal) begin(r Request) *Request {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lastID++
	r.ID, r.State = j.lastID, StateRunning
	if len(j.entries) >= maxJournal {
		j.entries = j.entries[1:]
	}
	j.entries = append(j.entries, &r)
	return &r
}

func (j *journal) update(r *Request, change func(*Request)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	change(r)
}

// list copies the entries that are wanted. Their parameters are never changed after begin, so they may be shared.
func (j *journal) list(want func(Request) bool) []Request {
	j.mu.Lock()
	defer j.mu.Unlock()
	found := []Request{}
	for _, r := range j.entries {
		if want(*r) {
			found = append(found, *r)
		}
	}
	return found
}

func (j *journal) clear() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries = nil
}

// redacted shows parameters for the journal. A value counts as secret by its name, and by its look where a client put
// it under a wrong name.
func (s *Simulator) redacted(p params) map[string]string {
	secrets := []string{
		"access_token", "appsecret_proof", "client_secret", "code", "fb_exchange_token", "input_token", "pin", "revoke_token",
		"verify_token",
	}
	shown := map[string]string{}
	for name, value := range p {
		shown[name] = value.text
		if slices.Contains(secrets, name) || s.looksSecret(value.text) {
			shown[name] = fingerprint(value.text)
		}
	}
	return shown
}

func (s *Simulator) looksSecret(value string) bool {
	if strings.Contains(value, s.cfg.AppSecret) {
		return true
	}
	return s.cfg.OwnAccessToken != "" && strings.Contains(value, s.cfg.OwnAccessToken) ||
		len(value) > 40 && (strings.Contains(value, "EAA") || strings.Contains(value, "AQ"))
}

// fingerprint of a secret; an empty one stays empty, which is worth seeing.
func fingerprint(secret string) string {
	if secret == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(secret))
	return "sha256:" + hex.EncodeToString(sum[:4])
}

// shownAuthorization is the Authorization header for the journal.
func shownAuthorization(r *http.Request) string {
	header := r.Header.Get("Authorization")
	if header == "" {
		return ""
	}
	scheme, value, found := strings.Cut(header, " ")
	if !found {
		return fingerprint(header)
	}
	return scheme + " " + fingerprint(strings.TrimSpace(value))
}
