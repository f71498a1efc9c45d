package webhook

import (
	"encoding/json"
	"strconv"

	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// codeHistoryOff is Meta's word that the business does not share its history.
const codeHistoryOff = "2593109"

// historyChunk is a part of the history, or the reason why none comes.
type historyChunk struct {
	Metadata struct {
		Progress looseID `json:"progress"`
	} `json:"metadata"`
	Threads []json.RawMessage `json:"threads"`
	Errors  []metaError       `json:"errors"`
}

// readHistory reads chunks of old messages, or, in the same field, the media of some that came before.
// Source: developers.facebook.com, WhatsApp > Embedded Signup > Onboarding business app users.
func readHistory(change store.Change) store.Effect {
	var value struct {
		Metadata struct {
			Display looseID `json:"display_phone_number"`
		} `json:"metadata"`
		History  []json.RawMessage `json:"history"`
		Messages []json.RawMessage `json:"messages"`
	}
	if !decode(change.Value, &value) {
		return store.Effect{}
	}
	if len(value.History) == 0 && len(value.Messages) == 0 {
		return store.Effect{}
	}
	fact := &store.SyncFact{Part: store.SyncHistory}
	h := historyReader{change: change, business: store.OnlyDigits(string(value.Metadata.Display)), effect: store.Effect{Sync: fact}}
	for _, raw := range value.History {
		var chunk historyChunk
		if decode(raw, &chunk) {
			h.readChunk(chunk)
		}
	}
	for _, raw := range value.Messages {
		fact.Media = h.add(fact.Media, raw, "")
	}
	return h.effect
}

// historyReader knows whose history it is, and gathers what it does.
type historyReader struct {
	change   store.Change
	business string // the number itself, in digits alone: Meta shows it with a plus, spaces and hyphens, too
	effect   store.Effect
}

func (h *historyReader) readChunk(chunk historyChunk) {
	fact := h.effect.Sync
	if progress, err := strconv.Atoi(string(chunk.Metadata.Progress)); err == nil {
		fact.Progress = max(fact.Progress, progress)
	}
	if len(chunk.Errors) > 0 {
		fact.Ended, fact.Reason = store.SyncFailed, "META_REJECTED"
		if chunk.Errors[0].Code == codeHistoryOff {
			fact.Ended, fact.Reason = store.SyncDeclined, ""
		}
	}
	for _, raw := range chunk.Threads {
		var thread struct {
			ID       looseID           `json:"id"`
			Messages []json.RawMessage `json:"messages"`
		}
		if !decode(raw, &thread) {
			continue
		}
		for _, raw := range thread.Messages {
			fact.Messages = h.add(fact.Messages, raw, thread.ID)
		}
	}
}

// add adds a message to a list of old ones. An edit or a revocation among them is what it is anywhere.
func (h *historyReader) add(list []store.MessageFact, raw json.RawMessage, thread looseID) []store.MessageFact {
	m, ok := h.readMessage(raw, thread)
	switch {
	case !ok:
		return list
	case m.Edits != "" || m.Revokes != "":
		h.effect.Messages = append(h.effect.Messages, m)
		return list
	}
	return append(list, m)
}

// readMessage reads an old message. What the business sent comes from its number, and all of it from its own app: an
// echo. The other side is who the thread is with, where the message does not say.
func (h *historyReader) readMessage(raw json.RawMessage, thread looseID) (store.MessageFact, bool) {
	var side struct {
		From    looseID `json:"from"`
		To      looseID `json:"to"`
		ToUser  looseID `json:"to_user_id"`
		Context struct {
			Status string `json:"status"`
		} `json:"history_context"`
	}
	if !decode(raw, &side) {
		return store.MessageFact{}, false
	}
	direction := store.Inbound
	if side.To != "" || side.ToUser != "" || h.sent(side.From) {
		direction = store.Echo
	}
	fact, ok := readMessage(raw, direction, h.change, nil)
	if !ok {
		return fact, false
	}
	if fact.ContactPhone == "" && fact.ContactUserID == "" {
		fact.ContactPhone, fact.ContactUserID, _ = whom(thread, "", nil)
	}
	if direction == store.Echo {
		fact.HistoryState = historyState(side.Context.Status)
	}
	return fact, true
}

// sent tells whether a number is the business's.
func (h *historyReader) sent(from looseID) bool {
	return h.business != "" && store.OnlyDigits(string(from)) == h.business
}

// historyState is how far a message of the business had got. Meta gives no times, so none are made up.
func historyState(status string) string {
	switch status {
	case "SENT", "DELIVERED", "READ":
		return status
	case "PLAYED":
		return "READ"
	case "ERROR":
		return "FAILED"
	case "PENDING": // the app had not sent it yet
		return "UNKNOWN"
	}
	return ""
}
