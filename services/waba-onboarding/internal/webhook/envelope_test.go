package webhook

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

func TestEachChangeIsCutOutByteForByte(t *testing.T) {
	t.Parallel()
	value := `{"metadata":{"phone_number_id":"12"},"x":"\u00e9\/ \u0000", "messages": [ ]}`
	body := `{"entry":[{"id":"77","time":1739321024,"changes":[{"field":"messages","value":` + value + `}]},` +
		`{"id":88,"changes":[{"value":{"metadata":{"phone_number_id":13}},"field":"messages"}]}],"object":"whatsapp_business_account"}`
	changes, ok := cut([]byte(body), time.Now())
	if !ok || len(changes) != 2 {
		t.Fatalf("cut into %d, %v", len(changes), ok)
	}
	first, second := changes[0].Change, changes[1].Change
	if string(first.Value) != value || first.WabaID != "77" || first.PhoneNumberID != "12" || first.State != store.ChangeWaiting {
		t.Errorf("first = %+v", first)
	}
	if first.EntryTime == nil || first.EntryTime.Unix() != 1739321024 {
		t.Errorf("entry time = %v", first.EntryTime)
	}
	if second.WabaID != "88" || second.PhoneNumberID != "13" || second.EntryTime != nil {
		t.Errorf("ids that are numbers: %+v", second)
	}
}

func TestWhatCanNotBeReadSpoilsNothingElse(t *testing.T) {
	t.Parallel()
	body := `{"object":"whatsapp_business_account","entry":["a string",{"id":"77","changes":[` +
		`{"field":"messages","value":null},{"field":7},{"field":"messages","value":{"messages":[]}},{"field":"unheard_of","value":{"a":1}}]}]}`
	changes, ok := cut([]byte(body), time.Now())
	if !ok {
		t.Fatal("the envelope was not read")
	}
	var states []string
	for _, c := range changes {
		states = append(states, string(c.Change.State))
	}
	if got := strings.Join(states, " "); got != "UNPARSED UNPARSED UNPARSED WAITING WAITING" {
		t.Errorf("states = %s", got)
	}
}

func TestPartnerEventsBelongToTheCustomersAccount(t *testing.T) {
	t.Parallel()
	body := `{"object":"whatsapp_business_account","entry":[{"id":"2949480000000001","time":1744823932,"changes":[` +
		`{"field":"account_update","value":{"event":"PARTNER_REMOVED","waba_info":{"waba_id":"980198420000001","owner_business_id":"1"}}}]}]}`
	changes, _ := cut([]byte(body), time.Now())
	if changes[0].Change.WabaID != "980198420000001" {
		t.Errorf("it went to %s", changes[0].Change.WabaID)
	}
	if changes[0].Effect.Account == nil || !changes[0].Effect.Account.EndsAccess {
		t.Errorf("effect = %+v", changes[0].Effect.Account)
	}
}

func TestPeopleWithoutAPhoneNumberAreKnownByTheirUserID(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ message, contact, phone, user string }{
		"both":       {`"from":"165","from_user_id":"US.1"`, `"wa_id":"165","user_id":"US.1"`, "165", "US.1"},
		"absent":     {`"from_user_id":"US.1"`, `"user_id":"US.1"`, "", "US.1"},
		"empty":      {`"from":"","from_user_id":"US.1"`, `"wa_id":"","user_id":"US.1"`, "", "US.1"},
		"in from":    {`"from":"US.1"`, `"wa_id":"US.1"`, "", "US.1"},
		"by contact": {`"from":"165"`, `"wa_id":"165","user_id":"US.1"`, "165", "US.1"},
	} {
		value := `{"metadata":{"phone_number_id":"1"},"contacts":[{"profile":{"name":"Ana"},` + c.contact + `}],` +
			`"messages":[{"id":"wamid.1","type":"text","text":{"body":"oi"},` + c.message + `}]}`
		effect := Read(store.Change{Field: "messages", Value: []byte(value)})
		if len(effect.Messages) != 1 {
			t.Fatalf("%s: %d messages", name, len(effect.Messages))
		}
		m := effect.Messages[0]
		if m.ContactPhone != c.phone || m.ContactUserID != c.user || m.ContactName != "Ana" {
			t.Errorf("%s: %q %q %q", name, m.ContactPhone, m.ContactUserID, m.ContactName)
		}
	}
}

func FuzzCut(f *testing.F) {
	f.Add([]byte(`{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{"messages":[{"id":"w"}]}}]}]}`))
	f.Add([]byte(`{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"history","value":{"history":[{"metadata":{"progress":"5"},"threads":[{"id":"1","messages":[{"id":"w"}]}]}]}}]}]}`))
	f.Add([]byte(strings.Repeat("[", 20000)))
	f.Fuzz(func(t *testing.T, body []byte) {
		changes, _ := cut(body, time.Now())
		for _, c := range changes {
			if strings.ContainsRune(c.Change.Field+c.Change.WabaID+c.Change.PhoneNumberID, 0) {
				t.Errorf("a column holds NUL: %+v", c.Change)
			}
			messages := c.Effect.Messages
			if sync := c.Effect.Sync; sync != nil {
				messages = slices.Concat(messages, sync.Messages, sync.Media)
			}
			for _, m := range messages {
				if strings.ContainsRune(m.Text+m.Wamid+m.ContactName+m.Type, 0) {
					t.Errorf("a column of a message holds NUL: %+v", m)
				}
			}
		}
	})
}
