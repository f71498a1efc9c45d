package webhook

import (
	"cmp"
	"encoding/json"

	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// stateSync is an entry of the app's address book: added, edited (an add too), or removed.
// Source: developers.facebook.com, WhatsApp > Embedded Signup > Onboarding business app users.
type stateSync struct {
	Action   string          `json:"action"`
	Contact  json.RawMessage `json:"contact"`
	Metadata json.RawMessage `json:"metadata"`
}

// readStateSync reads the names of the address book, and counts what arrived: a contact that is gone is none.
func readStateSync(change store.Change) store.Effect {
	var value struct {
		Entries []json.RawMessage `json:"state_sync"`
	}
	if err := json.Unmarshal(change.Value, &value); err != nil {
		return store.Effect{}
	}
	var effect store.Effect
	added := 0
	for _, raw := range value.Entries {
		var entry stateSync
		if err := json.Unmarshal(raw, &entry); err != nil {
			continue
		}
		if entry.Action == "add" {
			added++
		}
		if contact, ok := entry.read(change); ok {
			effect.Contacts = append(effect.Contacts, contact)
		}
	}
	if added > 0 {
		effect.Sync = &store.SyncFact{Part: store.SyncContacts, Contacts: added}
	}
	return effect
}

// read reads whom an entry names. Where it has no time, as removals may have none, or one that has not come yet, it is of
// when it came.
func (e *stateSync) read(change store.Change) (c store.Contact, ok bool) {
	var contact struct {
		FullName  string  `json:"full_name"`
		FirstName string  `json:"first_name"`
		Phone     looseID `json:"phone_number"`
	}
	if err := json.Unmarshal(e.Contact, &contact); err != nil {
		return c, false
	}
	c = store.Contact{Phone: onlyDigits(string(contact.Phone)), Time: change.ReceiveTime}
	var metadata struct {
		Timestamp seconds `json:"timestamp"`
	}
	if err := json.Unmarshal(e.Metadata, &metadata); err == nil {
		if at := metadata.Timestamp.time(); at != nil && at.Before(c.Time) {
			c.Time = *at
		}
	}
	switch e.Action {
	case "add":
		c.Name = clean(cmp.Or(contact.FullName, contact.FirstName), maxName)
	case "remove":
	default:
		return c, false
	}
	return c, digits.MatchString(c.Phone)
}
