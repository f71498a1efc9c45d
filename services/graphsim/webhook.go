package graphsim

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"strings"
)

// Webhook is a body that Meta sends as it is.
type Webhook struct {
	// WABAID that it is for: gated by that WABA's subscription and led to its override as the body's first change
	// would be. Empty: straight to the app's callback.
	WABAID string `json:"wabaId,omitempty"`
	// Body: the text of a JSON string is sent to the byte, JSON or not; any other JSON is encoded as Meta does.
	Body json.RawMessage `json:"body"`
	// Signature is one of the Signature constants, Secret one to sign with in place of the app's. A body that Meta
	// would not have signed so is never retried.
	Signature string `json:"signature,omitempty"`
	Secret    string `json:"secret,omitempty"`

	Duplicates int   `json:"duplicates,omitempty"`
	DelayMs    int64 `json:"delayMs,omitempty"`
	Force      bool  `json:"force,omitempty"`
	NoRetry    bool  `json:"noRetry,omitempty"`
}

// Deliver sends a body of one's own, as POST /_sim/webhooks does. It panics on a Webhook that the control plane would
// refuse.
func (s *Simulator) Deliver(hook Webhook) Delivered {
	return must(s.deliverBody(hook))
}

func (s *Simulator) deliverBody(hook Webhook) (Delivered, error) {
	if err := hook.validate(); err != nil {
		return Delivered{}, err
	}
	body := hook.bytes()
	e := firstChange(body)
	e.WABAID, e.ToPartner = hook.WABAID, e.ToPartner || hook.WABAID == ""
	s.mu.Lock()
	if hook.WABAID != "" && s.world.WABAs[hook.WABAID] == nil {
		s.mu.Unlock()
		return Delivered{}, errNoWABA
	}
	callback, reason := s.world.routeBody(e, hook.Force)
	if reason != "" {
		e.Value = body
		s.logWithheld(e, reason)
		s.mu.Unlock()
		return Delivered{Reason: reason, DeliveryIDs: []int64{}}, nil
	}
	letters := []*letter{}
	for range 1 + hook.Duplicates {
		l := s.newLetter(callback, body, []event{e}, Sending{NoRetry: hook.NoRetry || hook.forged()})
		l.signature, l.secret = hook.Signature, hook.Secret
		letters = append(letters, l)
	}
	if hook.DelayMs > 0 {
		defer s.mu.Unlock()
		due := s.now().Add(Sending{DelayMs: hook.DelayMs}.delay())
		ids := []int64{}
		for _, l := range letters {
			s.owe(&parcel{Due: due, Posts: []post{{Letter: l}}})
			ids = append(ids, l.Record.ID)
		}
		return Delivered{Reason: "scheduled", DeliveryIDs: ids}, nil
	}
	s.mu.Unlock()
	return s.deliverAll(letters, nil), nil
}

// routeBody is route for a body of one's own: the app gets fields that it is not subscribed to as well, since the
// point of such a body is what its receiver makes of it.
func (w *world) routeBody(e event, force bool) (callback, reason string) {
	open := *w
	open.Webhook.Fields = nil
	return open.route(e, force)
}

func (wh Webhook) validate() error {
	how := Sending{Duplicates: wh.Duplicates, DelayMs: wh.DelayMs}
	faults := []error{how.validate()}
	if len(wh.Body) == 0 {
		faults = append(faults, errors.New("body: want one"))
	} else if !json.Valid(wh.Body) {
		faults = append(faults, errors.New("body: want JSON, or a JSON string of what is none"))
	}
	faults = append(faults, oneOf("signature", cmp.Or(wh.Signature, SignatureRight),
		SignatureRight, SignatureWrong, SignatureNone, SignatureShort, SignatureSHA1))
	return errors.Join(faults...)
}

// forged tells whether Meta would not have signed it so.
func (wh Webhook) forged() bool {
	return wh.Secret != "" || cmp.Or(wh.Signature, SignatureRight) != SignatureRight
}

func (wh Webhook) bytes() []byte {
	var text string
	if json.Unmarshal(wh.Body, &text) == nil && wh.Body[0] == '"' {
		return []byte(text)
	}
	var compact bytes.Buffer
	if json.Compact(&compact, wh.Body) != nil { // valid, as was checked
		return wh.Body
	}
	return escapeASCII(compact.Bytes())
}

// firstChange is what the way of a body depends on: the field of its first change, "" where it has none, and whether
// that is about the app's relation to a customer.
func firstChange(body []byte) event {
	var sent struct {
		Entry []struct {
			Changes []struct {
				Field string
				Value struct{ Event string }
			}
		}
	}
	if json.Unmarshal(body, &sent) != nil || len(sent.Entry) == 0 || len(sent.Entry[0].Changes) == 0 {
		return event{}
	}
	first := sent.Entry[0].Changes[0]
	partner := first.Field == fieldAccount && strings.HasPrefix(first.Value.Event, "PARTNER_")
	return event{Field: first.Field, ToPartner: partner}
}
