package graphsim

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Kinds of a MessageSpec.
const (
	KindMessage   = "message"    // the customer writes
	KindEdit      = "edit"       // the customer edits the message Wamid
	KindRevoke    = "revoke"     // the customer deletes the message Wamid
	KindEcho      = "echo"       // the business writes from its own app
	KindStatus    = "status"     // what became of the message Wamid that the business sent
	KindHistory   = "history"    // a chunk of old messages
	KindStateSync = "state_sync" // a contact of the business's own app
)

// defaultCustomer is who writes when nobody is named.
const defaultCustomer = "5511987654321"

// MessageSpec is something around messages that Meta tells the app. The zero value but for PhoneNumberID and Text is
// a text message from a customer.
//
// In JSON the content may also stand under its type's name, as in Meta's own messages:
// {"phoneNumberId": "1", "type": "location", "location": {"latitude": 1, "longitude": 2}}.
type MessageSpec struct {
	PhoneNumberID string `json:"phoneNumberId"`
	Kind          string `json:"kind,omitempty"` // default KindMessage
	// From is the customer's phone number, also where the business writes. To is another name for it.
	From     string `json:"from,omitempty"`
	To       string `json:"to,omitempty"`
	UserID   string `json:"userId,omitempty"` // their BSUID; default follows from the number
	Name     string `json:"name,omitempty"`   // of their profile, or of the contact
	Username string `json:"username,omitempty"`
	BSUID    string `json:"bsuid,omitempty"` // one of the BSUID constants

	// Type of the message as Meta names it, by default text. Content is what stands under the type's name; the types
	// that Meta documents have a sample of it. Text is the text, or the caption, emoji or button of such a sample.
	Type    string          `json:"type,omitempty"`
	Text    string          `json:"text,omitempty"`
	Content json.RawMessage `json:"content,omitempty"`
	// ReplyTo is the message that this one answers; Referral the ad through which it came.
	ReplyTo  string          `json:"replyTo,omitempty"`
	Referral json.RawMessage `json:"referral,omitempty"`

	ID        string `json:"id,omitempty"`        // the message's own wamid; default a new one
	Wamid     string `json:"wamid,omitempty"`     // the message that an edit, a revoke, a reaction or a status is about
	Timestamp int64  `json:"timestamp,omitempty"` // Unix; default now

	Status     string       `json:"status,omitempty"` // of KindStatus, default delivered; of KindHistory, default READ
	Error      *StatusError `json:"error,omitempty"`  // of a failed status
	OpaqueData string       `json:"bizOpaqueCallbackData,omitempty"`
	Action     string       `json:"action,omitempty"` // of KindStateSync: add (default) or remove
	History    HistoryChunk `json:"history,omitzero"` // of KindHistory

	Sending
}

// StatusError is why a message failed. Title and details have defaults.
type StatusError struct {
	Code    int    `json:"code"`
	Title   string `json:"title,omitempty"`
	Details string `json:"details,omitempty"`
}

// HistoryChunk is the place of a chunk in a history.
type HistoryChunk struct {
	Phase      int `json:"phase,omitempty"`
	ChunkOrder int `json:"chunkOrder,omitempty"` // default 1
	Progress   int `json:"progress,omitempty"`   // percent; default 100
	// FromBusiness: the message in it was sent by the business.
	FromBusiness bool `json:"fromBusiness,omitempty"`
	// Declined: the business does not share its history. FollowUp: the media of an earlier chunk's message.
	Declined bool `json:"declined,omitempty"`
	FollowUp bool `json:"followUp,omitempty"`
}

// UnmarshalJSON implements json.Unmarshaler.
func (m *MessageSpec) UnmarshalJSON(data []byte) error {
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(data, &keys); err != nil {
		return errors.New("message: want an object")
	}
	kind := "text"
	if raw, given := keys["type"]; given && json.Unmarshal(raw, &kind) != nil {
		return errors.New("type: want a string")
	}
	if content, given := keys[kind]; given && (kind != "text" || bytes.HasPrefix(content, []byte("{"))) {
		if _, twice := keys["content"]; twice {
			return fmt.Errorf("content: given as %s too", kind)
		}
		delete(keys, kind)
		keys["content"] = content
	}
	rest, err := json.Marshal(keys)
	if err != nil {
		return err
	}
	type plain MessageSpec // without this method
	return decodeStrict(rest, (*plain)(m))
}

func (m MessageSpec) withDefaults() MessageSpec {
	m.Kind = cmp.Or(m.Kind, KindMessage)
	if m.Kind == KindEdit || m.Kind == KindRevoke {
		m.Kind, m.Type = KindMessage, m.Kind
	}
	m.Type = cmp.Or(m.Type, "text")
	m.From = digits(cmp.Or(m.From, m.To, defaultCustomer))
	if m.Kind == KindStatus {
		m.Status = cmp.Or(m.Status, "delivered")
	}
	m.History.ChunkOrder = cmp.Or(m.History.ChunkOrder, 1)
	m.History.Progress = cmp.Or(m.History.Progress, 100)
	return m
}

// validate lists all mistakes of a MessageSpec with its defaults.
func (m MessageSpec) validate() error {
	faults := []error{oneOf("kind", m.Kind, KindMessage, KindEcho, KindStatus, KindHistory, KindStateSync)}
	complain := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	complain(m.From == "", "from: want a phone number")
	complain(m.To != "" && digits(m.To) != m.From, "from and to are two names for the customer: give one")
	complain(m.Content != nil && !json.Valid(m.Content), "content: want JSON")
	complain(m.Referral != nil && !json.Valid(m.Referral), "referral: want JSON")
	complain(m.UserID != "" && !isUserID(m.UserID), "userId %q: want an id like US.13490000000000001", m.UserID)
	if m.BSUID != "" {
		faults = append(faults, oneOf("bsuid", m.BSUID, BSUIDBoth, BSUIDAbsent, BSUIDEmpty, BSUIDInPhone, BSUIDNone))
	}
	if m.Kind == KindStatus {
		faults = append(faults, oneOf("status", m.Status, messageStatuses()...))
		complain(m.Wamid == "", "wamid: which message is the status about?")
	}
	if m.Kind == KindStateSync && m.Action != "" {
		faults = append(faults, oneOf("action", m.Action, "add", "remove"))
	}
	if m.hasContent() {
		complain(m.Type == "text" && m.Text == "" && m.Content == nil, "text: want some")
		complain((m.Type == KindEdit || m.Type == KindRevoke) && m.Wamid == "" && m.Content == nil,
			"wamid: which message is it about?")
		complain(m.Content == nil && !slices.Contains(sampleTypes(), m.Type),
			"type %q: without content, want one of %s", m.Type, strings.Join(sampleTypes(), ", "))
	}
	return errors.Join(faults...)
}

// hasContent tells whether it is about a message with its content.
func (m MessageSpec) hasContent() bool {
	return m.Kind == KindMessage || m.Kind == KindEcho || m.Kind == KindHistory && !m.History.Declined
}

// messageStatuses are all that Meta documents, the last two from older times.
func messageStatuses() []string {
	return []string{"sent", "delivered", "read", "played", "failed", "deleted", "warning"}
}

func (m MessageSpec) customer() person { return personOf(m.From, m.UserID, m.BSUID) }
