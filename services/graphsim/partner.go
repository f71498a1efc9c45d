package graphsim

import (
	"cmp"
	"errors"
	"time"
)

// Events of account_update about the app's relation to a customer.
const (
	eventAdded          = "PARTNER_ADDED"
	eventRemoved        = "PARTNER_REMOVED"
	eventAppInstalled   = "PARTNER_APP_INSTALLED"
	eventAppUninstalled = "PARTNER_APP_UNINSTALLED"
)

// When a SignUp's PARTNER_ADDED is sent, besides Before and After the code is answered.
const Never = "never"

// afterSignup is how much later than the signup its PARTNER_ADDED is sent.
const afterSignup = 50 * time.Millisecond

// announce tells the app of the WABAs that a signup shared: later and by itself, unless it is to be before the code.
// Callers do not hold mu.
func (s *Simulator) announce(wabaIDs []string, when string) {
	events := []event{}
	s.mu.Lock()
	for _, id := range wabaIDs {
		events = append(events, s.partnerEvent(s.world.WABAs[id], eventAdded, nil))
	}
	switch {
	case when != After || len(events) == 0:
	case s.world.Webhook.CallbackURL == "": // a postman would find the same, and write the same into the log
		s.compose(events, Sending{})
	default:
		p := &parcel{Due: s.now().Add(afterSignup)}
		for _, e := range events {
			p.Posts = append(p.Posts, post{Events: []event{e}})
		}
		s.owe(p)
	}
	s.mu.Unlock()
	if when == Before {
		s.deliver(events, Sending{})
	}
}

// Removal is how a customer ends the partnership.
type Removal struct {
	// Event is PARTNER_REMOVED (default) or PARTNER_APP_UNINSTALLED.
	Event string `json:"event,omitempty"`
	// Reason and InitiatedBy make a disconnection_info: PRIMARY_INACTIVITY…, USER or SYSTEM. Meta may leave it out.
	Reason      string `json:"reason,omitempty"`
	InitiatedBy string `json:"initiatedBy,omitempty"`
	Sending
}

// RemoveWABA lets the customer end the partnership, as POST /_sim/wabas/{wabaId}:remove does. It panics on a Removal
// that the control plane would refuse.
func (s *Simulator) RemoveWABA(wabaID string, r Removal) Delivered {
	return must(s.removeWABA(wabaID, r))
}

// removeWABA takes the WABA away from every token. One that reads nothing else is dead; the customer's other WABAs
// go on.
func (s *Simulator) removeWABA(wabaID string, r Removal) (Delivered, error) {
	r.Event = cmp.Or(r.Event, eventRemoved)
	if err := errors.Join(oneOf("event", r.Event, eventRemoved, eventAppUninstalled), r.validate()); err != nil {
		return Delivered{}, err
	}
	s.mu.Lock()
	account := s.world.WABAs[wabaID]
	if account == nil {
		s.mu.Unlock()
		return Delivered{}, errNoWABA
	}
	account.Subscribed, account.Override, account.Removed = false, "", true
	for _, t := range s.world.Tokens {
		t.lose(wabaID)
	}
	extra := jsonObject{}
	if r.Reason != "" || r.InitiatedBy != "" {
		extra["disconnection_info"] = jsonObject{"reason": r.Reason, "initiated_by": cmp.Or(r.InitiatedBy, "USER")}
	}
	e := s.partnerEvent(account, r.Event, extra)
	s.persist()
	s.mu.Unlock()
	return s.deliver([]event{e}, r.Sending), nil
}

// lose takes a WABA away from a token. The list may be shared with the tokens it was extended to.
func (t *token) lose(wabaID string) {
	if !t.reads(wabaID) {
		return
	}
	left := []string{}
	for _, id := range t.WABAIDs {
		if id != wabaID {
			left = append(left, id)
		}
	}
	if len(left) == 0 {
		t.DeadSubcode = cmp.Or(t.DeadSubcode, subcodeAppNotInstalled)
		return
	}
	t.WABAIDs = left
}

// rejoin begins anew with WABAs that were removed and are now shared again: their numbers are onboarded again, and may
// be synced again. Callers hold mu.
func (s *Simulator) rejoin(wabaIDs []string) {
	for _, id := range wabaIDs {
		account := s.world.WABAs[id]
		if !account.Removed {
			continue
		}
		account.Removed = false
		for _, phoneID := range account.PhoneIDs {
			s.world.Phones[phoneID].Synced, s.world.Phones[phoneID].OnboardTime = nil, s.now()
		}
	}
}

// ApproveName lets Meta approve a number's display name, as POST /_sim/phones/{phoneNumberId}:approveName does: it can
// be registered from now on. It panics on an unknown number.
func (s *Simulator) ApproveName(phoneNumberID string) Delivered {
	return must(s.approveName(phoneNumberID, Sending{}))
}

func (s *Simulator) approveName(phoneNumberID string, how Sending) (Delivered, error) {
	if err := how.validate(); err != nil {
		return Delivered{}, err
	}
	s.mu.Lock()
	number := s.world.Phones[phoneNumberID]
	if number == nil {
		s.mu.Unlock()
		return Delivered{}, errNoPhone
	}
	number.NameStatus = "APPROVED"
	e := s.newEvent(number.WABAID, fieldName, jsonObject{
		"display_phone_number": digits(number.DisplayPhoneNumber), "decision": "APPROVED",
		"requested_verified_name": number.VerifiedName, "rejection_reason": nil,
	})
	s.persist()
	s.mu.Unlock()
	return s.deliver([]event{e}, how), nil
}
