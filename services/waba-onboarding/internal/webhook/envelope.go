package webhook

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// object is the only object of the webhook that is ours.
const object = "whatsapp_business_account"

var (
	digits    = regexp.MustCompile(`^[0-9]{1,32}$`)
	fieldName = regexp.MustCompile(`^[a-z0-9_]{1,64}$`)
)

// Cut implements store.Reader: it cuts a delivery into changes, as slices of its bytes. ok is false for what is no envelope at all; an entry or a
// change that can not be read is a change of its own, UNPARSED, and spoils nothing else.
func (r Reader) Cut(body []byte, received time.Time) (changes []store.NewChange, ok bool) {
	var envelope struct {
		Object string            `json:"object"`
		Entry  []json.RawMessage `json:"entry"`
	}
	if err := json.Unmarshal(body, &envelope); err != nil {
		return nil, false
	}
	for _, raw := range envelope.Entry {
		changes = append(changes, r.cutEntry(envelope.Object, raw, received)...)
	}
	return changes, true
}

func (r Reader) cutEntry(of string, raw json.RawMessage, received time.Time) []store.NewChange {
	var entry struct {
		ID      looseID           `json:"id"`
		Time    seconds           `json:"time"`
		Changes []json.RawMessage `json:"changes"`
	}
	if err := json.Unmarshal(raw, &entry); err != nil {
		return []store.NewChange{unparsed(raw, received)}
	}
	var changes []store.NewChange
	for _, rawChange := range entry.Changes {
		var change struct {
			Field string          `json:"field"`
			Value json.RawMessage `json:"value"`
		}
		if err := json.Unmarshal(rawChange, &change); err != nil || !fieldName.MatchString(change.Field) || change.Value == nil {
			changes = append(changes, unparsed(rawChange, received))
			continue
		}
		changes = append(changes, r.newChange(of, entry.ID, entry.Time.time(), change.Field, change.Value, received))
	}
	return changes
}

// newChange reads whose a change is and what it does. It waits until it is routed.
func (r Reader) newChange(of string, entryID looseID, at *time.Time, field string, value json.RawMessage, received time.Time) store.NewChange { //nolint:revive // argument-limit: the parts of a change
	change := store.Change{
		Field: field, State: store.ChangeWaiting, WabaID: entryID.ofDigits(), EntryTime: at, ReceiveTime: received, Value: value,
	}
	change.Hash = hashOf(field, string(entryID), at, value)
	if of != object {
		change.State = store.ChangeIgnored
		return store.NewChange{Change: change}
	}
	if !bytes.HasPrefix(value, []byte("{")) {
		change.State = store.ChangeUnparsed
		return store.NewChange{Change: change}
	}
	var whose struct {
		Metadata struct {
			PhoneNumberID looseID `json:"phone_number_id"`
		} `json:"metadata"`
		Account struct {
			WabaID looseID `json:"waba_id"`
		} `json:"waba_info"`
		Event string `json:"event"`
	}
	decode(value, &whose)
	change.PhoneNumberID = whose.Metadata.PhoneNumberID.ofDigits()
	if field == "account_update" {
		change.Event = clean(whose.Event, 64)
		if whose.Account.WabaID != "" {
			change.WabaID = whose.Account.WabaID.ofDigits()
		}
		if id := entryID.ofDigits(); id != change.WabaID {
			change.EntryID = id // the partner's business
		}
	}
	if change.WabaID == "" {
		change.State, change.PhoneNumberID = store.ChangeUnparsed, ""
		return store.NewChange{Change: change}
	}
	return store.NewChange{Change: change, Effect: r.Read(change)}
}

func unparsed(raw json.RawMessage, received time.Time) store.NewChange {
	return store.NewChange{Change: store.Change{
		State: store.ChangeUnparsed, ReceiveTime: received, Value: raw, Hash: hashOf("", "", nil, raw),
	}}
}

// hashOf recognises a change that comes again: Meta repeats for seven days, byte for byte.
func hashOf(field, entryID string, at *time.Time, value []byte) string {
	sum := sha256.New()
	for _, part := range []string{field, entryID} {
		sum.Write([]byte(part))
		sum.Write([]byte{0})
	}
	if at != nil {
		sum.Write([]byte(at.UTC().Format(time.RFC3339)))
	}
	sum.Write([]byte{0})
	sum.Write(value)
	return hex.EncodeToString(sum.Sum(nil))
}

// clean makes a text of Meta's fit for a column: valid UTF-8 without NUL, which PostgreSQL refuses, and not longer than
// limit bytes.
func clean(s string, limit int) string {
	s = strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "\uFFFD")
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "")
}
