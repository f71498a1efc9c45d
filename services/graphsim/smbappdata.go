package graphsim

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// syncWindow is how long after its onboarding a number can be synced.
const syncWindow = 24 * time.Hour

// smbAppData serves POST /{phone}/smb_app_data: the contacts or the history of a number that stays on the WhatsApp
// Business app, each once for an onboarding. A number that was asked for twice and is late is told the former: no
// source settles it.
// Source: developers.facebook.com, WhatsApp > Embedded Signup > Onboarding business app users.
func (c *call) smbAppData(number *phone) (any, *Error) {
	if err := c.checkProduct(); err != nil {
		return nil, err
	}
	kind := c.params.get("sync_type")
	switch {
	case kind == "":
		return nil, paramError("The parameter sync_type is required.")
	case kind != fieldStateSync && kind != fieldHistory:
		return nil, paramError("Param sync_type must be one of {SMB_APP_STATE_SYNC, HISTORY} - got value \"%s\".", kind)
	case !number.IsOnBizApp:
		return nil, paramError("The phone number is not used on the WhatsApp Business app")
	case slices.Contains(number.Synced, kind):
		return nil, whatsappError(2593107, "Sync already requested", "A sync of this type can be requested once only.")
	case c.now.Sub(number.OnboardTime) > syncWindow:
		return nil, whatsappError(2593108, "Sync window has passed", "A sync can be requested within 24 hours of onboarding.")
	}
	number.Synced = append(number.Synced, kind)
	b := c.world.behavior(number.ID)
	if kind == fieldStateSync {
		b.Sync.Reverse, b.Sync.Shuffle = false, false
		c.sim.afterwards(c.sim.contactEvents(number, b.Sync), b)
	} else {
		c.sim.afterwards(c.sim.historyEvents(number, b.Sync), b)
	}
	c.sim.persist()
	return map[string]string{"messaging_product": "whatsapp", "request_id": newID("1", 16)}, nil
}

// contactEvents is the whole address book in one webhook.
func (s *Simulator) contactEvents(number *phone, spec SyncSpec) []event {
	if spec.Outcome == SyncNone || spec.Contacts == 0 {
		return nil
	}
	contacts := []MessageSpec{}
	for i := range spec.Contacts {
		contacts = append(contacts, MessageSpec{
			From: contactNumber(i), Name: fmt.Sprintf("Contact %d", i+1), Timestamp: s.now().Unix(),
		})
	}
	return []event{s.newEvent(number.WABAID, fieldStateSync, number.stateSync(contacts))}
}

// historyEvents are the chunks, the newest phase first as Meta sends them.
func (s *Simulator) historyEvents(number *phone, spec SyncSpec) []event {
	if spec.Outcome == SyncNone {
		return nil
	}
	if spec.Outcome == SyncDeclined {
		value := number.history(MessageSpec{History: HistoryChunk{Declined: true}})
		return []event{s.newEvent(number.WABAID, fieldHistory, value)}
	}
	events := []event{}
	for i := range spec.Chunks {
		events = append(events, s.newEvent(number.WABAID, fieldHistory, s.historyChunk(number, spec, i)))
	}
	return events
}

// historyChunk has one thread, in which customer and business take turns.
func (s *Simulator) historyChunk(number *phone, spec SyncSpec, i int) jsonObject {
	business, customer := digits(number.DisplayPhoneNumber), contactNumber(i)
	phase := 3 * i / spec.Chunks
	first := s.now().Add(-[]time.Duration{12, 30 * 24, 120 * 24}[phase] * time.Hour)
	messages := []jsonObject{}
	for n := range spec.Messages {
		message := jsonObject{
			"id": newWamid(customer), "timestamp": unixText(first.Add(time.Duration(n) * time.Minute).Unix()), "type": "text",
			"text": jsonObject{"body": fmt.Sprintf("Old message %d", n+1)}, "history_context": jsonObject{"status": "READ"},
		}
		message["from"] = customer
		if n%2 == 1 {
			message["from"], message["to"] = business, customer
		}
		messages = append(messages, message)
	}
	value := number.value()
	value["history"] = []jsonObject{{
		"metadata": jsonObject{"phase": phase, "chunk_order": i + 1, "progress": 100 * (i + 1) / spec.Chunks},
		"threads":  []jsonObject{{"id": customer, "messages": messages}},
	}}
	return value
}

// contactNumber is the number of the business's nth contact.
func contactNumber(n int) string {
	number := fmt.Sprint(n + 1)
	return "55119" + strings.Repeat("0", max(0, 8-len(number))) + number
}
