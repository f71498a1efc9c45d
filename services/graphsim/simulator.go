package graphsim

import (
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Simulator is one simulated Meta. It is an http.Handler: the Graph API under /v<major>.<minor>/, the control plane
// under /_sim/, sdk.js and the dialog where a browser looks for them. It is safe for concurrent use.
type Simulator struct {
	cfg       Config
	control   http.Handler
	templates *template.Template
	journal   journal
	faults    faults
	post      *postman

	mu         sync.Mutex // guards world: one Graph call is one critical section, so a code can not be spent twice
	world      *world
	deliveries []*Delivery // the log, oldest first; guarded by mu
	talk       []Said      // what was said between customers and numbers, oldest first; guarded by mu
}

// New makes a Simulator and, with a state file, finds again what an earlier one left there.
func New(cfg Config) (*Simulator, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("graphsim: %w", err)
	}
	w, err := loadWorld(cfg.StateFile)
	if err != nil {
		return nil, fmt.Errorf("graphsim: %w", err)
	}
	s := &Simulator{cfg: cfg, world: w, post: newPostman()}
	if s.templates, err = templates(); err != nil {
		return nil, fmt.Errorf("graphsim: pages: %w", err)
	}
	if err := s.seedOwn(); err != nil {
		return nil, fmt.Errorf("graphsim: own business: %w", err)
	}
	s.seedWebhook()
	s.control = s.controlPlane()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resume()
	return s, nil
}

// ServeHTTP implements http.Handler.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/_sim/") {
		s.control.ServeHTTP(w, r)
		return
	}
	if page := s.page(r); page != nil {
		page(w, r)
		return
	}
	s.serveGraph(w, r)
}

// Advance lets time pass for codes, tokens, registration limits, and webhooks that are still to be sent: what became
// due is sent at once, by the postman. It never goes back.
func (s *Simulator) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.Offset += max(d, 0)
	s.persist()
	if len(s.world.Outbox) > 0 {
		s.wakePostman()
	}
}

// Invalidate ends the tokens that a WABA has now, with one of Meta's subcodes for code 190 (458, 460, 463, 467…;
// 0 means 467). Tokens of later signups live. An unknown WABA is ignored.
func (s *Simulator) Invalidate(wabaID string, subcode int) {
	s.invalidate(wabaID, subcode)
}

// invalidate answers how many tokens it ended, and false when there is no such WABA.
func (s *Simulator) invalidate(wabaID string, subcode int) (int, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.world.WABAs[wabaID] == nil {
		return 0, false
	}
	if subcode == 0 {
		subcode = subcodeLoggedOut
	}
	ended := 0
	for _, t := range s.world.Tokens {
		if t.reads(wabaID) {
			t.DeadSubcode = subcode
			ended++
		}
	}
	s.persist()
	return ended, true
}

// Unsubscribe drops the app's webhook subscription of a WABA, as Meta sometimes does behind an app's back. An unknown
// WABA is ignored.
func (s *Simulator) Unsubscribe(wabaID string) {
	s.unsubscribe(wabaID)
}

func (s *Simulator) unsubscribe(wabaID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	account := s.world.WABAs[wabaID]
	if account == nil {
		return false
	}
	account.Subscribed, account.Override = false, ""
	s.persist()
	return true
}

// Reset makes the simulator as new: it forgets signups, tokens, faults (letting go what they hold), the journal, messages,
// webhooks with what is still to be sent, and the clock's offset, and keeps its configuration with the own business.
func (s *Simulator) Reset() {
	s.faults.clear()
	s.journal.clear()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world = newWorld()
	s.deliveries, s.talk = nil, nil
	// The configuration was accepted by New, so an empty world takes it again.
	if err := s.seedOwn(); err != nil {
		s.cfg.Log.Error("own business not seeded", "error", err)
	}
	s.seedWebhook()
	s.persist()
}

// Close lets go all held requests, stops sending webhooks and saves the state. Call it before closing the server that
// serves s: a held request would keep that server waiting.
func (s *Simulator) Close() error {
	s.faults.clear()
	s.dismissPostman()
	return s.Save()
}

// now is the simulated time. Callers hold mu.
func (s *Simulator) now() time.Time {
	return s.cfg.Now().Add(s.world.Offset)
}
