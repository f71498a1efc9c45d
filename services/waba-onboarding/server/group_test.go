package server_test

import (
	"fmt"
	"testing"

	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/graphsim"
)

func TestAMessageToAGroupFailedOnlyWhereNobodyGotIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.hook()
		c, signed := b.connect(b.as(org1), graphsim.SignUp{})
		status := func(wamid, status, participant string) {
			b.tell(signed.WABAIDs[0], "messages", b.clock.now(), fmt.Sprintf(`{"metadata":{"phone_number_id":%q},"statuses":[{"id":%q,"status":%q,
				"timestamp":"1750030073","recipient_id":"Y2FwaV9ncm91cDox","recipient_type":"group","recipient_participant_id":%q,
				"errors":[{"code":131026,"title":"Undeliverable"}]}]}`, signed.PhoneNumberIDs[0], wamid, status, participant))
		}
		for _, got := range []string{"delivered", "read"} {
			status(got+" before", got, "16501")
			status(got+" before", "failed", "16502")
			status(got+" after", "failed", "16502")
			status(got+" after", got, "16501")
		}
		status("nobody", "sent", "16501")
		status("nobody", "failed", "16501")
		status("last", "sent", "16501")
		eventually(t, "the last message", func() bool { return b.byWamid(c.GetConnectionId())["last"] != nil })
		for wamid, want := range map[string]onboardingv1.Message_State{
			"delivered before": onboardingv1.Message_DELIVERED, "delivered after": onboardingv1.Message_DELIVERED,
			"read before": onboardingv1.Message_READ, "read after": onboardingv1.Message_READ, "nobody": onboardingv1.Message_FAILED,
		} {
			if m := b.byWamid(c.GetConnectionId())[wamid]; m.GetState() != want || m.GetContactUserId()+m.GetContactPhone() != "" {
				t.Errorf("%s: %v, want %s", wamid, m, want)
			}
		}
	})
}
