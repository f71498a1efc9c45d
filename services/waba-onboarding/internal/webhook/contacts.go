package webhook

import (
	"cmp"
	"encoding/json"

	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// stateSync is an entry of the app's address book: added, edited (an add too), or removed.
// Source: developers.facebook.com, WhatsApp > Embedded Signup > Onboarding business app users.
type stateSync struct {
	Action  string `json:"action"`
	Contact struct {
		FullName  string  `json:"full_name"`
		FirstName string  `json:"first_name"`
		Phone     looseID `json:"phone_number"`
	} `json:"contact"`
	Metadata struct {
		Timestamp seconds `json:"timestamp"`
	} `json:"metadata"`
}

// readStateSync reads the names of the address book, and counts what arrived: a contact that is gone is none.
func readStateSync(change store.Change) store.Effect {
	var value struct {
		Entries []json.RawMessage `json:"state_sync"`
	}
	if !decode(change.Value, &value) {
		return store.Effect{}
	}
	var effect store.Effect
	added := 0
	for _, raw := range value.Entries {
		var entry stateSync
		if !decode(raw, &entry) {
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
	c = store.Contact{Phone: store.OnlyDigits(string(e.Contact.Phone)), Time: change.ReceiveTime}
	if at := e.Metadata.Timestamp.time(); at != nil && at.Before(c.Time) {
		c.Time = *at
	}
	switch e.Action {
	case "add":
		c.Name = clean(cmp.Or(e.Contact.FullName, e.Contact.FirstName), maxName)
	case "remove":
	default:
		return c, false
	}
	return c, digits.MatchString(c.Phone)
}
