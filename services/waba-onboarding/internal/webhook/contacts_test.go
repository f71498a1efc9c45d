package webhook

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

func TestAnEntryOfTheAddressBookSaysWhoIsCalledWhat(t *testing.T) {
	t.Parallel()
	received := time.Unix(1739400000, 0).UTC()
	said := time.Unix(1739321024, 0).UTC()
	entry := func(action, contact, at string) string {
		return `{"type":"contact","contact":{` + contact + `},"action":"` + action + `","metadata":{"timestamp":` + at + `}}`
	}
	const ana = `"full_name":"Ana B","first_name":"Ana","phone_number":"16505551234"`
	long := strings.Repeat("\u00e9", 200)
	for name, c := range map[string]struct {
		entry string
		want  []store.Contact
	}{
		"added":             {entry("add", ana, `"1739321024"`), []store.Contact{{Phone: "16505551234", Name: "Ana B", Time: said}}},
		"a first name only": {entry("add", `"first_name":"Ana","phone_number":"+1 650 555-1234"`, `1739321024`), []store.Contact{{Phone: "16505551234", Name: "Ana", Time: said}}},
		"removed":           {entry("remove", `"phone_number":"16505551234"`, `"0"`), []store.Contact{{Phone: "16505551234", Time: received}}},
		"named and removed": {entry("remove", ana, `"1739321024"`), []store.Contact{{Phone: "16505551234", Time: said}}},
		"of the future":     {entry("add", ana, `"9999999999"`), []store.Contact{{Phone: "16505551234", Name: "Ana B", Time: received}}},
		"no time":           {`{"contact":{` + ana + `},"action":"add","metadata":7}`, []store.Contact{{Phone: "16505551234", Name: "Ana B", Time: received}}},
		"markup and NUL":    {entry("add", `"full_name":"<b>\u0000\u001b[31m","phone_number":1650`, `1739321024`), []store.Contact{{Phone: "1650", Name: "<b>\x1b[31m", Time: said}}},
		"a long name":       {entry("add", `"full_name":"`+long+`","phone_number":"1650"`, `1739321024`), []store.Contact{{Phone: "1650", Name: strings.Repeat("é", maxName/2), Time: said}}},
		"odd neighbours":    {`{"type":7,"contact":{"full_name":{},"first_name":"Ana","phone_number":"1650"},"action":"add","metadata":{"timestamp":{}}}`, []store.Contact{{Phone: "1650", Name: "Ana", Time: received}}},
		"nobody":            {entry("add", `"full_name":"Ana"`, `1739321024`), nil},
		"no number":         {entry("add", `"phone_number":"`+strings.Repeat("1", 99)+`"`, `1739321024`), nil},
		"a new word":        {entry("merge", ana, `1739321024`), nil},
		"nonsense":          {`{"contact":[],"action":"add"},7,{"contact":{"phone_number":{}},"action":"add"}`, nil},
	} {
		effect := Reader{}.Read(store.Change{Field: "smb_app_state_sync", ReceiveTime: received, Value: []byte(`{"state_sync":[` + c.entry + `]}`)})
		if diff := cmp.Diff(c.want, effect.Contacts); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestContactsThatAreGoneAreNotCounted(t *testing.T) {
	t.Parallel()
	read := func(value string) *store.SyncFact {
		return Reader{}.Read(store.Change{Field: "smb_app_state_sync", Value: []byte(value)}).Sync
	}
	fact := read(`{"state_sync":[{"type":"contact","action":"add","contact":{}},{"action":"remove"},{"action":"add"},7]}`)
	if fact == nil || fact.Contacts != 2 || fact.Part != store.SyncContacts {
		t.Errorf("fact = %+v", fact)
	}
	for _, nothing := range []string{`{"state_sync":[{"action":"remove"}]}`, `{}`, `{"state_sync":7}`} {
		if fact := read(nothing); fact != nil {
			t.Errorf("%s: %+v", nothing, fact)
		}
	}
}
