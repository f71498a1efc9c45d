package server_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/graphsim"
)

// hears has Meta tell of messages to a number, one POST each.
func (b *bundle) hears(waba, number string, messages ...string) {
	b.t.Helper()
	for _, m := range messages {
		b.tell(waba, "messages", b.clock.now(), fmt.Sprintf(`{"metadata":{"phone_number_id":%q},"messages":[%s]}`, number, m))
	}
}

// byWamid are the messages of a connection.
func (b *bundle) byWamid(connection string) map[string]*onboardingv1.Message {
	b.t.Helper()
	byWamid := map[string]*onboardingv1.Message{}
	for _, m := range b.messages(org1, connection) {
		byWamid[m.GetWamid()] = m
	}
	return byWamid
}

func TestAnEditedMessageIsTheNewOneAndOfARevokedOneNothingIsLeft(t *testing.T) {
	t.Parallel()
	text := func(id string) string {
		return `{"id":"` + id + `","from":"16505551234","timestamp":"1749416383","type":"text","text":{"body":"canary"}}`
	}
	const newest = `{"type":"text","text":{"body":"new"}}`
	edit := func(of, at, to string) string {
		return `{"id":"e.` + of + at + `","from":"16505551234","timestamp":"` + at + `","type":"edit","edit":{"original_message_id":"` + of + `","message":` + to + `}}`
	}
	revoke := func(of string) string {
		return `{"id":"r.` + of + `","from":"16505551234","timestamp":"1749416500","type":"revoke","revoke":{"original_message_id":"` + of + `"}}`
	}
	each(t, func(t *testing.T, b *bundle) {
		b.hook()
		c, signed := b.connect(b.as(org1), graphsim.SignUp{})
		b.hears(signed.WABAIDs[0], signed.PhoneNumberIDs[0],
			text("edited"), edit("edited", "1749416400", newest), edit("edited", "1749416390", `{"type":"text","text":{"body":"canary"}}`),
			edit("early", "1749416400", newest), text("early"),
			text("odd"), edit("odd", "1749416400", "7"),
			text("revoked"), revoke("revoked"), edit("revoked", "1749416600", `{"type":"text","text":{"body":"canary"}}`),
			revoke("gone"), text("gone"), text("last"))
		var got map[string]*onboardingv1.Message
		eventually(t, "the last message", func() bool {
			got = b.byWamid(c.GetConnectionId())
			return got["last"] != nil
		})
		for _, m := range []*onboardingv1.Message{got["edited"], got["early"]} {
			if m.GetContentJson() != newest || m.GetText() != "new" || m.GetRevoked() || m.GetEditTime().AsTime() != time.Unix(1749416400, 0).UTC() {
				t.Errorf("edited: %v", m)
			}
		}
		for _, m := range []*onboardingv1.Message{got["revoked"], got["gone"]} {
			if m.GetContentJson() != "" || m.GetText() != "" || !m.GetRevoked() {
				t.Errorf("revoked: %v", m)
			}
		}
		if m := got["odd"]; m.GetContentJson() != "" || m.GetEditTime() == nil {
			t.Errorf("edited to what can not be read: %v", m)
		}
		if m := got["last"]; m.GetRevoked() || m.GetEditTime() != nil || !strings.Contains(m.GetContentJson(), "canary") {
			t.Errorf("untouched: %v", m)
		}
	})
}
