package graphsim

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Meta still sends the legacy signature beside the real one
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	userAgent = "facebookexternalua"

	// postTimeout is how long Meta waits for an answer; no source tells.
	postTimeout = 10 * time.Second
)

// Signatures of a Webhook. Meta itself sends SignatureRight.
const (
	SignatureRight = "right"
	SignatureWrong = "wrong" // well-formed, of another secret
	SignatureNone  = "none"
	SignatureShort = "short" // its first half
	SignatureSHA1  = "sha1"  // the legacy header alone
)

// letter is a POST: its body to the byte, and what became of it so far.
type letter struct {
	Record *Delivery `json:"record"`
	Body   []byte    `json:"body"`

	// What the simulator does and Meta does not is never tried again, so the state file need not keep it.
	signature, secret string
	once              bool
	world             *world // that it belongs to; a reset makes another one
}

// newLetter is a POST of these events. Callers hold mu.
func (s *Simulator) newLetter(callback string, body []byte, events []event, how Sending) *letter {
	record := Delivery{URL: callback, State: DeliveryPending, WABAIDs: []string{}, Fields: []string{}}
	for _, e := range events {
		if e.WABAID != "" && !slices.Contains(record.WABAIDs, e.WABAID) {
			record.WABAIDs = append(record.WABAIDs, e.WABAID)
		}
		if e.Field != "" && !slices.Contains(record.Fields, e.Field) {
			record.Fields = append(record.Fields, e.Field)
		}
	}
	return &letter{Record: s.logDelivery(record, body), Body: body, once: how.NoRetry, world: s.world}
}

// attempt sends a letter once, records what the receiver said and owes another attempt unless it said 200. The lock
// is free meanwhile: receivers call Graph while they answer.
func (s *Simulator) attempt(l *letter) Attempt {
	s.mu.Lock()
	callback, made := l.Record.URL, Attempt{Time: s.now()}
	s.mu.Unlock()
	start := time.Now()
	made.Status, made.Body, made.Error = s.send(callback, l)
	made.DurationMs = float64(time.Since(start).Microseconds()) / 1000
	s.mu.Lock()
	defer s.mu.Unlock()
	l.Record.Attempts = append(l.Record.Attempts, made)
	l.Record.State, l.Record.NextAttempt = DeliveryDelivered, time.Time{}
	if !made.ok() {
		s.oweAgain(l)
	}
	return made
}

func (a Attempt) ok() bool { return a.Status == http.StatusOK }

func (s *Simulator) send(callback string, l *letter) (status int, said, failure string) {
	ctx, cancel := context.WithTimeout(s.post.ctx, postTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, callback, bytes.NewReader(l.Body))
	if err != nil {
		return 0, "", err.Error()
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", userAgent)
	s.sign(req.Header, l)
	resp, err := s.post.client.Do(req)
	if err != nil {
		return 0, "", err.Error()
	}
	defer resp.Body.Close()
	head, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return 0, "", fmt.Sprintf("status %d, then: %v", resp.StatusCode, err)
	}
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10) // so that the connection can be used again
	return resp.StatusCode, strings.ToValidUTF8(string(head), "\uFFFD"), ""
}

// sign signs the very bytes of the body with the app secret.
// Source: developers.facebook.com, Graph API > Webhooks > Getting started > Validating payloads.
func (s *Simulator) sign(header http.Header, l *letter) {
	secret := s.cfg.AppSecret
	if l.secret != "" {
		secret = l.secret
	}
	if l.signature == SignatureWrong {
		secret += "-wrong"
	}
	right, legacy := "sha256="+hmacHex(sha256.New, secret, l.Body), "sha1="+hmacHex(sha1.New, secret, l.Body)
	switch l.signature {
	case SignatureNone:
		return
	case SignatureShort:
		right = right[:len("sha256=")+sha256.Size]
	case SignatureSHA1:
		right = ""
	}
	if right != "" {
		header.Set("X-Hub-Signature-256", right)
	}
	header.Set("X-Hub-Signature", legacy)
}

func hmacHex(algorithm func() hash.Hash, secret string, body []byte) string {
	mac := hmac.New(algorithm, []byte(secret))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}
