package webhook

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// historyOf reads a value of the field history.
func historyOf(value string) store.Effect {
	return Reader{}.Read(store.Change{Field: "history", PhoneNumberID: "12", Value: []byte(value)})
}

const historyMetadata = `"metadata":{"display_phone_number":"15550783881","phone_number_id":"12"}`

func TestOldMessagesKnowWhoSentThemAndHowFarTheyGot(t *testing.T) {
	t.Parallel()
	message := func(rest string) string {
		return `{"id":"wamid.1","timestamp":"1739230955","type":"text",` + rest + `}`
	}
	for name, c := range map[string]struct {
		message   string
		direction store.Direction
		state     string
		contact   string
	}{
		"received":          {message(`"from":"16505551234","history_context":{"status":"READ"}`), store.Inbound, "RECEIVED", "16505551234"},
		"sent":              {message(`"from":"15550783881","to":"16505550000","history_context":{"status":"DELIVERED"}`), store.Echo, "DELIVERED", "16505550000"},
		"sent, to nobody":   {message(`"from":"15550783881","history_context":{"status":"PLAYED"}`), store.Echo, "READ", "16505551234"},
		"sent to a user id": {message(`"from":"15550783881","to_user_id":"US.1","history_context":{"status":"SENT"}`), store.Echo, "SENT", ""},
		"not sent yet":      {message(`"from":"15550783881","to":"1","history_context":{"status":"PENDING"}`), store.Echo, "UNKNOWN", "1"},
		"failed":            {message(`"from":"15550783881","to":"1","history_context":{"status":"ERROR"}`), store.Echo, "FAILED", "1"},
		"a new word":        {message(`"from":"15550783881","to":"1","history_context":{"status":"TELEPATHY"}`), store.Echo, "SENT", "1"},
		"of numbers":        {message(`"from":15550783881,"to":16505550000,"history_context":{"status":"READ"}`), store.Echo, "READ", "16505550000"},
		"an odd context":    {message(`"from":16505551234,"history_context":"READ"`), store.Inbound, "RECEIVED", "16505551234"},
		"from nobody":       {message(`"history_context":{"status":"READ"}`), store.Inbound, "RECEIVED", "16505551234"},
	} {
		effect := historyOf(`{` + historyMetadata + `,"history":[{"threads":[{"id":"16505551234","messages":[` + c.message + `]}]}]}`)
		if effect.Sync == nil || len(effect.Sync.Messages) != 1 {
			t.Errorf("%s: effect = %+v", name, effect)
			continue
		}
		m := effect.Sync.Messages[0]
		if m.Direction != c.direction || m.State() != c.state || m.ContactPhone != c.contact || m.ReadTime != nil || m.MessageTime.Unix() != 1739230955 {
			t.Errorf("%s: %+v", name, m)
		}
	}
}

func TestTheBusinessIsKnownHoweverItsNumberIsWritten(t *testing.T) {
	t.Parallel()
	for _, display := range []string{`"15550783881"`, `"+1 555-078-3881"`, `"+1 (555) 078 3881"`, `15550783881`} {
		for _, from := range []string{`"15550783881"`, `"+15550783881"`, `15550783881`} {
			effect := historyOf(`{"metadata":{"display_phone_number":` + display + `},"history":[{"threads":[{"id":"16505551234","messages":[
				{"from":` + from + `,"id":"wamid.1","type":"media_placeholder","history_context":{"status":"PLAYED"}},
				{"from":"16505551234","id":"wamid.2","type":"media_placeholder"},{"id":"wamid.3","type":"media_placeholder"}]}]}],
				"messages":[{"from":` + from + `,"id":"wamid.4","type":"image"}]}`)
			list := slices.Concat(effect.Sync.Messages, effect.Sync.Media)
			if len(list) != 4 || list[0].Direction != store.Echo || list[0].ContactPhone != "16505551234" || list[3].Direction != store.Echo ||
				list[1].Direction != store.Inbound || list[2].Direction != store.Inbound {
				t.Errorf("%s from %s: %+v", display, from, list)
			}
		}
	}
	none := historyOf(`{"metadata":"x","history":[{"threads":[{"id":"16505551234","messages":[{"from":{},"id":"wamid.1"}]}]}]}`)
	if list := none.Sync.Messages; len(list) != 1 || list[0].Direction != store.Inbound {
		t.Errorf("nobody is taken for the business: %+v", list)
	}
}

func TestAChunkSaysHowFarTheHistoryGot(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		history  string
		progress int
		ended    store.SyncState
		reason   string
	}{
		"numbers":        {`[{"metadata":{"phase":0,"chunk_order":1,"progress":55},"threads":[]}]`, 55, "", ""},
		"strings":        {`[{"metadata":{"phase":"0","chunk_order":"1","progress":"100"},"threads":[]}]`, 100, "", ""},
		"several":        {`[{"metadata":{"progress":100}},{"metadata":{"progress":"5"}}]`, 100, "", ""},
		"nonsense":       {`["x",{"metadata":{"progress":{}}},{"metadata":7},{"metadata":{"progress":"many"}},{"threads":["x",{"messages":[7,{}]}]}]`, 0, "", ""},
		"declined":       {`[{"errors":[{"code":2593109,"title":"History sync is turned off"}]}]`, 0, store.SyncDeclined, ""},
		"as text":        {`[{"errors":[{"code":"2593109"}]}]`, 0, store.SyncDeclined, ""},
		"odd neighbours": {`[{"errors":{},"metadata":[],"threads":{}},{"errors":[{"code":{}}],"metadata":{"phase":{},"progress":7}}]`, 7, store.SyncFailed, "META_REJECTED"},
		"another reason": {`[{"errors":[{"code":131000}]}]`, 0, store.SyncFailed, "META_REJECTED"},
	} {
		fact := historyOf(`{` + historyMetadata + `,"history":` + c.history + `}`).Sync
		if fact == nil || fact.Progress != c.progress || fact.Ended != c.ended || fact.Reason != c.reason || len(fact.Messages) != 0 {
			t.Errorf("%s: %+v", name, fact)
		}
	}
	for _, odd := range []string{`{"metadata":"x","history":[{"metadata":{"progress":5}}]}`, `{"messages":{},"metadata":{"display_phone_number":{}},"history":[{"metadata":{"progress":5}}]}`} {
		if fact := historyOf(odd).Sync; fact == nil || fact.Progress != 5 {
			t.Errorf("%s: %+v", odd, fact)
		}
	}
	for _, empty := range []string{`{}`, `[]`, `{"history":{}}`, `{` + historyMetadata + `,"history":[]}`} {
		if diff := cmp.Diff(store.Effect{}, historyOf(empty)); diff != "" {
			t.Errorf("%s has an effect: %s", empty, diff)
		}
	}
}

func TestMediaEditsAndRevocationsOfTheHistoryAreToldApart(t *testing.T) {
	t.Parallel()
	effect := historyOf(`{` + historyMetadata + `,"messages":[{"from":"16505551234","id":"wamid.1","type":"image","image":{"id":"9","caption":"foto"}}],
		"history":[{"threads":[{"id":"16505551234","messages":[
			{"from":"16505551234","id":"wamid.1","type":"media_placeholder"},
			{"from":"16505551234","id":"wamid.3","type":"revoke","revoke":{"original_message_id":"wamid.2"}}]}]}]}`)
	fact := effect.Sync
	if len(fact.Media) != 1 || fact.Media[0].Type != "image" || fact.Media[0].Text != "foto" {
		t.Errorf("media = %+v", fact.Media)
	}
	if len(fact.Messages) != 1 || fact.Messages[0].Type != "media_placeholder" {
		t.Errorf("messages = %+v", fact.Messages)
	}
	if len(effect.Messages) != 1 || effect.Messages[0].Revokes != "wamid.2" {
		t.Errorf("what happened to others = %+v", effect.Messages)
	}
}
