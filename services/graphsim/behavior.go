package graphsim

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// Behavior is how Meta acts by itself, from now on: what becomes of messages that are sent through Graph, and what a
// sync brings.
type Behavior struct {
	// PhoneNumberID that it is for; empty: all numbers that have none of their own.
	PhoneNumberID string `json:"phoneNumberId,omitempty"`
	// Statuses of a sent message in their order; default sent, delivered, read. Empty: none ever comes.
	Statuses []string `json:"statuses,omitzero"`
	// Error of the status failed; default 131026.
	Error *StatusError `json:"error,omitempty"`
	// Window: a text is taken only for who wrote to the number within 24 hours, and is refused with 131047 otherwise.
	// Meta may also take it and tell by the status failed, which Statuses and Error do.
	Window bool `json:"window,omitempty"`
	// DelayMs before the first webhook and between any two; default 50.
	DelayMs int64    `json:"delayMs,omitempty"`
	Sync    SyncSpec `json:"sync,omitzero"`
}

// Outcomes of a sync. All of them begin with a request_id: that is no promise.
const (
	SyncComplete = "complete"
	SyncDeclined = "declined" // the business does not share its history: 2593109; contacts come
	SyncNone     = "none"     // accepted, and nothing ever comes
)

// SyncSpec says what smb_app_data brings.
type SyncSpec struct {
	Outcome string `json:"outcome,omitempty"` // default SyncComplete
	// Contacts in the address book; default 2. Chunks of the history, over its three phases; default 3. Messages in each
	// chunk; default 2. -1 is none of them.
	Contacts int `json:"contacts,omitempty"`
	Chunks   int `json:"chunks,omitempty"`
	Messages int `json:"messages,omitempty"`
	// Reverse and Shuffle change the order of the chunks; Duplicates are further copies of each.
	Reverse    bool `json:"reverse,omitempty"`
	Shuffle    bool `json:"shuffle,omitempty"`
	Duplicates int  `json:"duplicates,omitempty"`
}

// SetBehavior does what POST /_sim/behavior does. It panics on a Behavior that the control plane would refuse.
func (s *Simulator) SetBehavior(b Behavior) {
	if err := s.setBehavior(b); err != nil {
		panic(fmt.Sprintf("graphsim.SetBehavior: %v", err))
	}
}

func (s *Simulator) setBehavior(b Behavior) error {
	if err := b.validate(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if b.PhoneNumberID != "" && s.world.Phones[b.PhoneNumberID] == nil {
		return fmt.Errorf("phoneNumberId %q: %w", b.PhoneNumberID, errNoPhone)
	}
	s.world.Behaviors[b.PhoneNumberID] = b
	s.persist()
	return nil
}

func (b Behavior) validate() error {
	how := Sending{Duplicates: b.Sync.Duplicates, DelayMs: b.DelayMs}
	faults := []error{
		how.validate(),
		oneOf("sync.outcome", cmp.Or(b.Sync.Outcome, SyncComplete), SyncComplete, SyncDeclined, SyncNone),
	}
	for _, status := range b.Statuses {
		faults = append(faults, oneOf("statuses", status, messageStatuses()...))
	}
	for name, n := range map[string]int{"contacts": b.Sync.Contacts, "chunks": b.Sync.Chunks, "messages": b.Sync.Messages} {
		if n < -1 || n > maxListLength {
			faults = append(faults, fmt.Errorf("sync.%s %d: want -1 to %d", name, n, maxListLength))
		}
	}
	return errors.Join(faults...)
}

// behavior is what is set for a number, with its defaults.
func (w *world) behavior(phoneID string) Behavior {
	b, own := w.Behaviors[phoneID]
	if !own {
		b = w.Behaviors[""]
	}
	if b.Statuses == nil {
		b.Statuses = []string{"sent", "delivered", "read"}
	}
	b.DelayMs = cmp.Or(b.DelayMs, 50)
	b.Sync.Outcome = cmp.Or(b.Sync.Outcome, SyncComplete)
	b.Sync.Contacts = max(0, cmp.Or(b.Sync.Contacts, 2))
	b.Sync.Chunks = max(0, cmp.Or(b.Sync.Chunks, 3))
	b.Sync.Messages = max(0, cmp.Or(b.Sync.Messages, 2))
	return b
}

func (b Behavior) delay() time.Duration { return time.Duration(b.DelayMs) * time.Millisecond }

// afterwards owes one POST for each event, in the way and the pace of the behavior. Callers hold mu.
func (s *Simulator) afterwards(events []event, b Behavior) {
	if len(events) == 0 {
		return
	}
	order := Sending{Reverse: b.Sync.Reverse, Shuffle: b.Sync.Shuffle}
	p := &parcel{Due: s.now().Add(b.delay()), Gap: b.delay(), Posts: []post{}}
	for _, e := range order.arrange(events, s.now()) {
		p.Posts = append(p.Posts, post{Events: []event{e}, How: Sending{Duplicates: b.Sync.Duplicates}})
	}
	s.owe(p)
}

// statusesOf are the webhooks that follow a sent message.
func (s *Simulator) statusesOf(number *phone, m MessageSpec, b Behavior) []event {
	events := []event{}
	start := s.now()
	for i, status := range b.Statuses {
		m.Status, m.Error = status, b.Error
		m.Timestamp = start.Add(time.Duration(i) * b.delay()).Unix()
		events = append(events, s.newEvent(number.WABAID, fieldMessages, number.status(m)))
	}
	return events
}
