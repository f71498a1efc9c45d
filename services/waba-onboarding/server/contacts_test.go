package server_test

import (
	"testing"

	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/graphsim"
)

func TestOldMessagesAndEchoesAreNamedAfterTheAppsAddressBook(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.hook()
		c, shared := b.coexist(graphsim.SyncSpec{Outcome: graphsim.SyncNone})
		id := c.GetConnectionId()
		say := func(m graphsim.MessageSpec) {
			m.PhoneNumberID, m.From = shared.PhoneNumberIDs[0], "5511987654321"
			b.meta.SendMessage(m)
		}
		named := func(want string) {
			t.Helper()
			eventually(t, "they are named "+want, func() bool {
				for _, m := range b.messages(org1, id) {
					live := m.GetDirection() == onboardingv1.Message_INBOUND && m.GetText() == "now"
					if (live && m.GetContactName() != "ana_77") || (!live && m.GetContactName() != want) {
						return false
					}
				}
				return true
			})
		}
		say(graphsim.MessageSpec{Kind: graphsim.KindHistory, Text: "long ago"})
		say(graphsim.MessageSpec{Kind: graphsim.KindEcho, Text: "from the app"})
		say(graphsim.MessageSpec{Text: "now", Name: "ana_77"})
		b.awaitMessages(org1, id, 3)
		named("")
		say(graphsim.MessageSpec{Kind: graphsim.KindStateSync, Name: "Ana <b>\u202e", Timestamp: 1739321024})
		named("Ana <b>\u202e")
		say(graphsim.MessageSpec{Kind: graphsim.KindStateSync, Name: "Ana Souza", Timestamp: 1739321090})
		named("Ana Souza")
		say(graphsim.MessageSpec{Kind: graphsim.KindStateSync, Name: "too late", Timestamp: 1739321000})
		say(graphsim.MessageSpec{Kind: graphsim.KindStateSync, Action: "remove"})
		named("")
	})
}
