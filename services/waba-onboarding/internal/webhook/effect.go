package webhook

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strings"

	"github.com/google/uuid"

	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

const (
	maxText   = 16384 // Meta allows 4096 characters, of up to four bytes
	maxName   = 256
	maxUserID = 256
	maxError  = 1024
)

// Reader reads what Meta sends to the app of this id.
type Reader struct{ AppID string }

// Read reads what a change does to the connection that it belongs to. What can not be read does nothing: the change
// itself is kept.
func (r Reader) Read(change store.Change) store.Effect {
	switch change.Field {
	case "messages":
		return readMessages(change)
	case "smb_message_echoes":
		return readEchoes(change)
	case "history":
		return readHistory(change)
	case "smb_app_state_sync":
		return readStateSync(change)
	case "account_update":
		return r.readAccount(change)
	case "account_review_update":
		return readReview(change)
	case "phone_number_quality_update":
		return readQuality(change)
	case "phone_number_name_update":
		return readName(change)
	}
	return store.Effect{}
}

type messagesValue struct {
	Contacts []contact         `json:"contacts"`
	Messages []json.RawMessage `json:"messages"`
	Echoes   []json.RawMessage `json:"message_echoes"`
	Statuses []json.RawMessage `json:"statuses"`
}

type contact struct {
	WaID    looseID `json:"wa_id"`
	UserID  looseID `json:"user_id"`
	Profile struct {
		Name     string `json:"name"`
		Username string `json:"username"`
	} `json:"profile"`
}

func readMessages(change store.Change) store.Effect {
	var value messagesValue
	if !decode(change.Value, &value) {
		return store.Effect{}
	}
	var effect store.Effect
	for _, raw := range value.Messages {
		if fact, ok := readMessage(raw, store.Inbound, change, value.Contacts); ok {
			effect.Messages = append(effect.Messages, fact)
		}
	}
	for _, raw := range value.Statuses {
		if fact, ok := readStatus(raw, change); ok {
			effect.Statuses = append(effect.Statuses, fact)
		}
	}
	return effect
}

func readEchoes(change store.Change) store.Effect {
	var value messagesValue
	if !decode(change.Value, &value) {
		return store.Effect{}
	}
	var effect store.Effect
	for _, raw := range value.Echoes {
		if fact, ok := readMessage(raw, store.Echo, change, value.Contacts); ok {
			effect.Messages = append(effect.Messages, fact)
		}
	}
	return effect
}

// rawMessage holds what messages of every type have in common, and what makes one an edit or a revocation.
type rawMessage struct {
	ID        looseID `json:"id"`
	From      looseID `json:"from"`
	FromUser  looseID `json:"from_user_id"`
	To        looseID `json:"to"`
	ToUser    looseID `json:"to_user_id"`
	Timestamp seconds `json:"timestamp"`
	Type      string  `json:"type"`
	content
	Edit struct {
		Original looseID         `json:"original_message_id"`
		Message  json.RawMessage `json:"message"`
	} `json:"edit"`
	Revoke struct {
		Original looseID `json:"original_message_id"`
	} `json:"revoke"`
	Errors []metaError `json:"errors"`
}

type metaError struct {
	Code  looseID `json:"code"`
	Title string  `json:"title"`
	Data  struct {
		Details string `json:"details"`
	} `json:"error_data"`
}

func readMessage(raw json.RawMessage, direction store.Direction, change store.Change, contacts []contact) (store.MessageFact, bool) {
	var m rawMessage
	if !decode(raw, &m) {
		return store.MessageFact{}, false
	}
	person, user := m.From, m.FromUser
	if direction == store.Echo {
		person, user = m.To, m.ToUser
	}
	text, content := m.said(raw)
	fact := store.MessageFact{
		Edits: m.Edit.Original.wamid(), Revokes: m.Revoke.Original.wamid(),
		Message: store.Message{
			PhoneNumberID: change.PhoneNumberID, Wamid: m.ID.wamid(), Direction: direction, Type: clean(m.Type, 64),
			Text: clean(text, maxText), MessageTime: m.Timestamp.time(), Error: errorText(m.Errors), Content: content,
		},
	}
	fact.ContactPhone, fact.ContactUserID, fact.ContactName = whom(person, user, contacts)
	if fact.Type == "" {
		fact.Type = "unknown"
	}
	if fact.Edits != "" && fact.MessageTime == nil { // by its time it is known that there was an edit, should it come first
		fact.MessageTime = &change.ReceiveTime
	}
	return fact, fact.Wamid != ""
}

// said is what a person reads of a message, and all of it; of an edit, the new ones.
func (m *rawMessage) said(raw json.RawMessage) (text string, whole json.RawMessage) {
	if m.Edit.Original == "" {
		return m.content.text(), raw
	}
	var edited content
	if !bytes.HasPrefix(m.Edit.Message, []byte("{")) || !decode(m.Edit.Message, &edited) {
		return "", nil
	}
	return edited.text(), m.Edit.Message
}

// whom tells who the other side is. A contact that names nobody is whose the message is, if it is the only one; one that
// names somebody else is not: a change may hold messages of several people.
func whom(person, user looseID, contacts []contact) (phone, userID, name string) {
	phone, userID = sides(person, user)
	for _, c := range contacts {
		cPhone, cUser := sides(c.WaID, c.UserID)
		same := (phone != "" && store.InFull(cPhone) == store.InFull(phone)) || (userID != "" && cUser == userID)
		unnamed := (phone == "" && userID == "") || (cPhone == "" && cUser == "")
		if same || (unnamed && len(contacts) == 1) {
			return cmp.Or(phone, cPhone), cmp.Or(userID, cUser), clean(cmp.Or(c.Profile.Name, c.Profile.Username), maxName)
		}
	}
	return phone, userID, ""
}

// sides tells a phone number from a user id. The number may be absent or empty, and a user id may stand where it stood
// (meta-platform: usernames and business-scoped user ids, 2026).
func sides(person, user looseID) (phone, userID string) {
	if strings.HasPrefix(string(person), "+") { // as people write a number, spaces and all
		person = looseID(store.OnlyDigits(string(person)))
	}
	if phone = person.ofDigits(); phone == "" {
		user = cmp.Or(user, person)
	}
	return phone, clean(string(user), maxUserID)
}

// readStatus reads how far a message got. A status without a time is of when it came: it says by its time alone that the
// message got there.
func readStatus(raw json.RawMessage, change store.Change) (store.StatusFact, bool) {
	var s struct {
		ID        looseID     `json:"id"`
		Status    string      `json:"status"`
		Timestamp seconds     `json:"timestamp"`
		Recipient looseID     `json:"recipient_id"`
		Kind      string      `json:"recipient_type"`
		User      looseID     `json:"recipient_user_id"`
		Errors    []metaError `json:"errors"`
		// Opaque is what was given to Meta with the message, by us or by whoever else sends from the number.
		Opaque json.RawMessage `json:"biz_opaque_callback_data"`
	}
	if !decode(raw, &s) {
		return store.StatusFact{}, false
	}
	fact := store.StatusFact{
		MessageID: ourID(s.Opaque), Wamid: s.ID.wamid(), PhoneNumberID: change.PhoneNumberID, Error: errorText(s.Errors),
	}
	if s.Kind != "group" { // whose id is nobody's, and each status of one of many
		fact.ContactPhone, fact.ContactUserID, _ = whom(s.Recipient, s.User, nil)
	}
	at := cmp.Or(s.Timestamp.time(), &change.ReceiveTime)
	switch s.Status {
	case "sent":
		fact.Sent = at
	case "delivered":
		fact.Delivered = at
	case "read", "played":
		fact.Read = at
	case "failed":
		fact.Failed = at
	}
	return fact, fact.Wamid != ""
}

// ourID reads the id of a message that we sent, in no other form than ours; none for anything else.
func ourID(raw json.RawMessage) uuid.UUID {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return uuid.Nil
	}
	id, err := uuid.Parse(text)
	if err != nil || id.String() != text {
		return uuid.Nil
	}
	return id
}

func errorText(errs []metaError) string {
	if len(errs) == 0 {
		return ""
	}
	text := cmp.Or(string(errs[0].Code), "0") + " " + errs[0].Title
	if details := strings.Join(strings.Fields(errs[0].Data.Details), " "); details != "" {
		text += ": " + details
	}
	return clean(text, maxError)
}
