package webhook

import (
	"strconv"
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
	changes, ok := Reader{}.Cut([]byte(body), time.Now())
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
		`{"field":"messages","value":null},{"field":7},{"field":"flows"},{"field":"messages","value":{"messages":[]}},{"field":"unheard_of","value":{"a":1}}]}]}`
	changes, ok := Reader{}.Cut([]byte(body), time.Now())
	if !ok {
		t.Fatal("the envelope was not read")
	}
	var states []string
	for _, c := range changes {
		states = append(states, string(c.Change.State))
	}
	if got := strings.Join(states, " "); got != "UNPARSED UNPARSED UNPARSED UNPARSED WAITING WAITING" {
		t.Errorf("states = %s", got)
	}
	if valueless := string(changes[3].Change.Value); valueless != `{"field":"flows"}` {
		t.Errorf("a change without a value is kept as %q", valueless)
	}
}

func TestWhatIsOddInAnEnvelopeIsLostAlone(t *testing.T) {
	t.Parallel()
	const at = "1739321024"
	for name, c := range map[string]struct {
		time, metadata    string
		waba, phone, told string
	}{
		"as documented":        {at, `{"phone_number_id":"12"}`, "77", "12", at},
		"an ISO time":          {`"2026-11-24T00:00:00Z"`, `{"phone_number_id":"12"}`, "77", "12", ""},
		"an empty time":        {`""`, `{"phone_number_id":"12"}`, "77", "12", ""},
		"a truth for a time":   {`true`, `{"phone_number_id":"12"}`, "77", "12", ""},
		"a list of times":      {`[1]`, `{"phone_number_id":"12"}`, "77", "12", ""},
		"a far time":           {`253402300800`, `{"phone_number_id":"12"}`, "77", "12", ""},
		"metadata as text":     {at, `"x"`, "77", "", at},
		"metadata as a list":   {at, `[]`, "77", "", at},
		"an id that is a map":  {at, `{"phone_number_id":{}}`, "77", "", at},
		"an id of letters":     {at, `{"phone_number_id":"12a"}`, "77", "", at},
		"an id with a NUL":     {at, `{"phone_number_id":"12\u0000"}`, "77", "", at},
		"an id, then metadata": {at, `{"phone_number_id":"12"},"waba_info":[],"event":{}`, "77", "12", at},
	} {
		body := `{"object":"whatsapp_business_account","entry":[{"time":` + c.time + `,"id":"77","changes":[{"field":"messages","value":` +
			`{"metadata":` + c.metadata + `,"messages":[{"id":"wamid.1"}]}}]}]}`
		changes, _ := Reader{}.Cut([]byte(body), time.Now())
		if len(changes) != 1 {
			t.Fatalf("%s: %d changes", name, len(changes))
		}
		change, told := changes[0].Change, ""
		if change.EntryTime != nil {
			told = strconv.FormatInt(change.EntryTime.Unix(), 10)
		}
		if change.State != store.ChangeWaiting || change.WabaID != c.waba || change.PhoneNumberID != c.phone || told != c.told {
			t.Errorf("%s: %+v at %s", name, change, told)
		}
		if messages := changes[0].Effect.Messages; len(messages) != 1 || messages[0].PhoneNumberID != c.phone {
			t.Errorf("%s: %+v", name, messages)
		}
	}
}

func TestAnEntryWithoutAListOfChangesIsKept(t *testing.T) {
	t.Parallel()
	for _, entry := range []string{`{"id":"77","changes":{"field":"messages","value":{}}}`, `{"id":"77","changes":"x"}`, `[1]`, `7`} {
		changes, _ := Reader{}.Cut([]byte(`{"object":"whatsapp_business_account","entry":[`+entry+`]}`), time.Now())
		if len(changes) != 1 || changes[0].Change.State != store.ChangeUnparsed || string(changes[0].Change.Value) != entry {
			t.Errorf("%s: %+v", entry, changes)
		}
	}
}

func TestAValueThatIsNoObjectIsKeptUnparsed(t *testing.T) {
	t.Parallel()
	for _, value := range []string{`null`, `7`, `"x"`, `[]`, `true`} {
		body := `{"object":"whatsapp_business_account","entry":[{"id":"77","changes":[{"field":"messages","value":` + value + `}]}]}`
		changes, _ := Reader{}.Cut([]byte(body), time.Now())
		if len(changes) != 1 || changes[0].Change.State != store.ChangeUnparsed || string(changes[0].Change.Value) != value {
			t.Errorf("%s: %+v", value, changes)
		}
	}
}

func TestPartnerEventsBelongToTheCustomersAccount(t *testing.T) {
	t.Parallel()
	body := `{"object":"whatsapp_business_account","entry":[{"id":"2949480000000001","time":1744823932,"changes":[` +
		`{"field":"account_update","value":{"event":"PARTNER_REMOVED","waba_info":{"waba_id":"980198420000001","owner_business_id":"1"}}}]}]}`
	changes, _ := Reader{}.Cut([]byte(body), time.Now())
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
		"a plus":     {`"from":"+1 650-5551234"`, `"wa_id":"+16505551234","user_id":"US.1"`, "16505551234", "US.1"},
		"nothing":    {`"from":"+"`, `"wa_id":"+"`, "", ""},
		"both":       {`"from":"165","from_user_id":"US.1"`, `"wa_id":"165","user_id":"US.1"`, "165", "US.1"},
		"absent":     {`"from_user_id":"US.1"`, `"user_id":"US.1"`, "", "US.1"},
		"empty":      {`"from":"","from_user_id":"US.1"`, `"wa_id":"","user_id":"US.1"`, "", "US.1"},
		"in from":    {`"from":"US.1"`, `"wa_id":"US.1"`, "", "US.1"},
		"numbers":    {`"from":165,"from_user_id":"US.1"`, `"wa_id":165,"user_id":"US.1"`, "165", "US.1"},
		"9th digit":  {`"from":"5511987654321"`, `"wa_id":"551187654321","user_id":"BR.1"`, "5511987654321", "BR.1"},
		"by contact": {`"from":"165"`, `"wa_id":"165","user_id":"US.1"`, "165", "US.1"},
	} {
		value := `{"metadata":{"phone_number_id":"1"},"contacts":[{"profile":{"name":"Ana"},` + c.contact + `}],` +
			`"messages":[{"id":"wamid.1","type":"text","text":{"body":"oi"},` + c.message + `}]}`
		effect := Reader{}.Read(store.Change{Field: "messages", Value: []byte(value)})
		if len(effect.Messages) != 1 {
			t.Fatalf("%s: %d messages", name, len(effect.Messages))
		}
		m := effect.Messages[0]
		if m.ContactPhone != c.phone || m.ContactUserID != c.user || m.ContactName != "Ana" {
			t.Errorf("%s: %q %q %q", name, m.ContactPhone, m.ContactUserID, m.ContactName)
		}
	}
}

func TestWhoHasNoNameIsCalledByTheirUsername(t *testing.T) {
	t.Parallel()
	for profile, want := range map[string]string{
		`{"name":"Ana","username":"ana.b"}`: "Ana", `{"username":"ana.b"}`: "ana.b", `{"name":"","username":"ana.b"}`: "ana.b", `{"username":7}`: "",
	} {
		effect := Reader{}.Read(store.Change{Field: "messages", Value: []byte(
			`{"contacts":[{"profile":` + profile + `,"wa_id":"165"}],"messages":[{"id":"wamid.1","from":"165"}]}`)})
		if len(effect.Messages) != 1 || effect.Messages[0].ContactName != want {
			t.Errorf("%s: %+v", profile, effect.Messages)
		}
	}
}

func TestALongUserIDIsKeptWhole(t *testing.T) {
	t.Parallel()
	long := "US.ENT." + strings.Repeat("a", 249)
	for _, message := range []string{`"from_user_id":"` + long + `"`, `"from":"` + long + `"`} {
		effect := Reader{}.Read(store.Change{Field: "messages", Value: []byte(`{"messages":[{"id":"wamid.1",` + message + `}]}`)})
		if len(effect.Messages) != 1 || effect.Messages[0].ContactUserID != long {
			t.Errorf("%+v", effect.Messages)
		}
	}
}

func TestTwoPeopleInOneChangeAreNotTakenForOneAnother(t *testing.T) {
	t.Parallel()
	const ana = `{"profile":{"name":"Ana"},"wa_id":"165","user_id":"US.1"}`
	for name, c := range map[string]struct{ contacts, second, phone, user, name string }{
		"another number":          {ana, `"from":"166"`, "166", "", ""},
		"another user id":         {ana, `"from_user_id":"US.2"`, "", "US.2", ""},
		"another one in from":     {ana, `"from":"US.2"`, "", "US.2", ""},
		"a number, to a user id":  {`{"profile":{"name":"Ana"},"user_id":"US.1"}`, `"from":"166"`, "166", "", ""},
		"a user id, to a number":  {`{"profile":{"name":"Ana"},"wa_id":"165"}`, `"from_user_id":"US.2"`, "", "US.2", ""},
		"each their own":          {ana + `,{"profile":{"name":"Bia"},"wa_id":"166","user_id":"US.2"}`, `"from":"166"`, "166", "US.2", "Bia"},
		"a contact of nobody":     {`{"profile":{"name":"Ana"}}`, `"from":"166"`, "166", "", "Ana"},
		"a message of nobody":     {ana, `"from":{}`, "165", "US.1", "Ana"},
		"a message of one of two": {ana + `,{"wa_id":"166"}`, `"from":{}`, "", "", ""},
		"a new user id":           {ana, `"from":"165","from_user_id":"US.9"`, "165", "US.9", "Ana"},
	} {
		value := `{"contacts":[` + c.contacts + `],"messages":[{"id":"wamid.1","from":"165","from_user_id":"US.1"},{"id":"wamid.2",` + c.second + `}]}`
		effect := Reader{}.Read(store.Change{Field: "messages", Value: []byte(value)})
		if len(effect.Messages) != 2 {
			t.Fatalf("%s: %d messages", name, len(effect.Messages))
		}
		if m := effect.Messages[0]; m.ContactPhone != "165" || m.ContactUserID != "US.1" {
			t.Errorf("%s: the first is of %q %q", name, m.ContactPhone, m.ContactUserID)
		}
		if m := effect.Messages[1]; m.ContactPhone != c.phone || m.ContactUserID != c.user || m.ContactName != c.name {
			t.Errorf("%s: the second is of %q %q %q", name, m.ContactPhone, m.ContactUserID, m.ContactName)
		}
	}
}

func TestHostileBodiesAreReadInBoundedTimeAndSpoilNothing(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000)
	change := func(value string) string {
		return `{"object":"whatsapp_business_account","entry":[{"id":"77","changes":[{"field":"messages","value":` + value + `}]}]}`
	}
	for name, c := range map[string]struct {
		body   string
		ok     bool
		states string
	}{
		"deep envelope":  {strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000), false, ""},
		"deep value":     {change(deep), false, ""},
		"duplicate keys": {`{"object":"x","object":"whatsapp_business_account","entry":[{"id":"1","id":"77","changes":[{"field":"messages","value":{"messages":[]}}]}]}`, true, "WAITING"},
		"other object":   {`{"object":"page","entry":[{"id":"77","changes":[{"field":"feed","value":{"a":1}}]}]}`, true, "IGNORED"},
		"no object":      {`{"entry":[{"id":"77","changes":[{"field":"messages","value":{}}]}]}`, true, "IGNORED"},
		"empty arrays":   {`{"object":"whatsapp_business_account","entry":[{"id":"77","changes":[]}]}`, true, ""},
		"invalid UTF-8":  {change("{\"messages\":[{\"id\":\"a\",\"text\":{\"body\":\"\xff\xfe\"}}]}"), true, "WAITING"},
		"lone surrogate": {change(`{"messages":[{"id":"a","text":{"body":"\ud83d"}}],"contacts":[{"profile":{"name":"\udc00"}}]}`), true, "WAITING"},
		"NUL":            {change(`{"messages":[{"id":"\u0000a","text":{"body":"\u0000"}}]}`), true, "WAITING"},
		"no digits":      {strings.Replace(change(`{}`), `"77"`, `"7\u0000"`, 1), true, "UNPARSED"},
	} {
		changes, ok := Reader{}.Cut([]byte(c.body), time.Now())
		var states []string
		for _, n := range changes {
			states = append(states, string(n.Change.State))
			for _, m := range n.Effect.Messages {
				wantColumn(t, m.Wamid, m.Text, m.ContactName, m.Type)
			}
		}
		if got := strings.Join(states, " "); ok != c.ok || got != c.states {
			t.Errorf("%s: %v %q, want %v %q", name, ok, got, c.ok, c.states)
		}
	}
}
