package webhook

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

func FuzzCut(f *testing.F) {
	f.Add([]byte(`{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{"messages":[{"id":"w"}]}}]}]}`))
	f.Add([]byte(`{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"history","value":{"history":[{"metadata":{"progress":"5"},"threads":[{"id":"1","messages":[{"id":"w"}]}]}]}}]}]}`))
	f.Add([]byte(`{"object":"whatsapp_business_account","entry":[{"id":"1","time":253402300800,"changes":[{"field":"flows"},{"field":"messages","value":` +
		`{"statuses":[{"id":"w","status":"read","timestamp":"253402300800"}]}},{"field":"account_update","value":` +
		`{"event":"ACCOUNT_RESTRICTION","restriction_info":[{"expiration":253402300800}]}}]}]}`))
	f.Add([]byte(strings.Repeat("[", 20000)))
	for _, odd := range []string{`null`, `true`, `"x"`, `""`, `[]`, `[1]`, `{}`, `1.5`, `253402300800`, `{"code":"none"}`, `[{"code":"none"}]`} {
		f.Add([]byte(odd))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		firstWABA(body)
		wantNeighbour(t, string(body))
		changes, _ := Reader{}.Cut(body, time.Now())
		for _, c := range changes {
			if len(c.Change.Value) == 0 {
				t.Errorf("a change is kept without its bytes: %+v", c.Change)
			}
			wantTime(t, c.Change.EntryTime)
			wantFit(t, c.Effect)
			wantColumn(t, c.Change.Field, c.Change.WabaID, c.Change.PhoneNumberID, c.Change.Event)
		}
	})
}

// wantNeighbour wants a message to be read, whatever JSON stands in all the places about it.
func wantNeighbour(t *testing.T, odd string) {
	t.Helper()
	body := strings.ReplaceAll(`{"object":"whatsapp_business_account","entry":[ODD,{"time":ODD,"id":"77","changes":[ODD,{"field":"messages","value":{`+
		`"metadata":ODD,"contacts":ODD,"statuses":ODD,"event":ODD,"waba_info":ODD,"errors":ODD,"messages":[ODD,{"from":ODD,"from_user_id":ODD,`+
		`"timestamp":ODD,"type":ODD,"errors":ODD,"image":ODD,"edit":ODD,"revoke":ODD,"context":ODD,"id":"wamid.good"},ODD]}},ODD]},ODD]}`, "ODD", odd)
	if !json.Valid([]byte(body)) {
		return
	}
	changes, _ := Reader{}.Cut([]byte(body), time.Now())
	for _, c := range changes {
		if c.Change.WabaID == "77" && slices.ContainsFunc(c.Effect.Messages, func(m store.MessageFact) bool { return m.Wamid == "wamid.good" }) {
			return
		}
	}
	t.Errorf("%s hides a message", odd)
}

// wantFit wants what an effect writes to be such as every column and every caller takes.
func wantFit(t *testing.T, effect store.Effect) {
	t.Helper()
	messages := effect.Messages
	if sync := effect.Sync; sync != nil {
		messages = slices.Concat(messages, sync.Messages, sync.Media)
	}
	for _, m := range messages {
		wantColumn(t, m.Wamid, m.Text, m.ContactName, m.ContactPhone, m.ContactUserID, m.Type, m.Error, m.Edits, m.Revokes)
		wantTime(t, m.MessageTime)
	}
	for _, s := range effect.Statuses {
		wantColumn(t, s.Wamid, s.ContactPhone, s.ContactUserID, s.Error)
		for _, at := range []*time.Time{s.Sent, s.Delivered, s.Read, s.Failed} {
			wantTime(t, at)
		}
	}
	for _, c := range effect.Contacts {
		wantColumn(t, c.Phone, c.Name)
		wantTime(t, &c.Time)
	}
	if effect.Account != nil {
		wantColumn(t, effect.Account.Event)
		wantTime(t, effect.Account.Word.Until)
	}
}

// wantTime wants a time that has a form in JSON, which protobuf's bounds are too; or none.
func wantTime(t *testing.T, at *time.Time) {
	t.Helper()
	if at == nil {
		return
	}
	if _, err := at.MarshalJSON(); err != nil {
		t.Errorf("a time can not be shown: %v", err)
	}
}

// wantColumn wants texts that PostgreSQL takes.
func wantColumn(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			t.Errorf("a column would be %q", text)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, field := range []string{"messages", "smb_message_echoes", "account_update"} {
		f.Add(field, []byte(`{"metadata":{"phone_number_id":"1"},"contacts":[{"wa_id":"165","profile":{"name":"Ana"}}],`+
			`"messages":[{"id":"w","from":"165","timestamp":"1739321024","type":"text","text":{"body":"oi \u0000 \ud83d"}}],`+
			`"message_echoes":[{"id":"w","to":"165","edit":{"original_message_id":"v","message":{"text":{"body":"x"}}}}],`+
			`"statuses":[{"id":"w","status":"failed","timestamp":1,"errors":[{"code":131047,"title":"Re-engage"}]}],`+
			`"event":"PARTNER_REMOVED","waba_info":{"waba_id":"1"}}`))
	}
	f.Fuzz(func(t *testing.T, field string, value []byte) {
		effect := Reader{}.Read(store.Change{Field: field, PhoneNumberID: "1", Value: value})
		wantFit(t, effect)
	})
}
