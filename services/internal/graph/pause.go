package graph

import (
	"crypto/sha256"
	"sync"
	"time"
)

// pauses are the throttles that Meta told of, with the time at which each ends. Who goes on calling makes one longer.
// Source: developers.facebook.com, Graph API > Overview > Rate limits.
type pauses struct {
	mu    sync.Mutex
	known map[pauseKey]pause
}

// pauseKey is whom a throttle is for: the SHA-256 of an access token, or zeros for the whole app.
type pauseKey [sha256.Size]byte

type pause struct {
	said *Error
	ends time.Time
}

var wholeApp pauseKey

func keyOf(k call) pauseKey {
	if k.bearer.Token.IsEmpty() {
		return wholeApp
	}
	return sha256.Sum256([]byte(k.bearer.Token.Reveal()))
}

// note remembers a throttle, if Meta said how long it lasts.
func (p *pauses) note(k call, said *Error, now time.Time) {
	if said.RetryAfter <= 0 || !said.pauses() {
		return
	}
	key := keyOf(k)
	if said.ofApp() {
		key = wholeApp
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil {
		p.known = map[pauseKey]pause{}
	}
	for other, known := range p.known {
		if !now.Before(known.ends) {
			delete(p.known, other)
		}
	}
	p.known[key] = pause{said, now.Add(said.RetryAfter)}
}

// meets is Meta's word while a throttle lasts that is for a call; nil when there is none. A code is spent all the same:
// it would be worthless by the end.
func (p *pauses) meets(k call, now time.Time) *Error {
	if k.urgent {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, key := range []pauseKey{wholeApp, keyOf(k)} {
		if known, ok := p.known[key]; ok && now.Before(known.ends) {
			said := *known.said
			said.RetryAfter = known.ends.Sub(now)
			return &said
		}
	}
	return nil
}
