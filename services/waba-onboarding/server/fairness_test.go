package server_test

import (
	"fmt"
	"strings"
	"testing"

	"gorm.io/gorm"

	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/graphsim"
)

// posted is a POST of one change of a number.
func posted(signed graphsim.SignedUp, field, rest string) string {
	return fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":%q,"changes":[{"field":%q,"value":{"metadata":{"phone_number_id":%q},%s}}]}]}`,
		signed.WABAIDs[0], field, signed.PhoneNumberIDs[0], rest)
}

func history(signed graphsim.SignedUp, id string) string {
	return posted(signed, "history", fmt.Sprintf(`"history":[{"metadata":{"progress":1},"threads":[{"id":"5511987654321","messages":[{"id":%q,`+
		`"from":"5511987654321","timestamp":"1739230955","type":"text","text":{"body":"old"}}]}]}]`, id))
}

// ballast is a POST that looks like a history for as long as nobody parses it, which ends at once.
func ballast(signed graphsim.SignedUp, size int) string {
	return fmt.Sprintf(`{"entry":[{"id":%q,"changes":[{"field":"history","value":`, signed.WABAIDs[0]) + strings.Repeat("x", size)
}

func live(signed graphsim.SignedUp, id string) string {
	return posted(signed, "messages", fmt.Sprintf(`"messages":[{"id":%q,"from":"5511987654321","type":"text","text":{"body":"now"}}]`, id))
}

func (b *bundle) takesIn(body string) {
	b.t.Helper()
	if status := b.deliver(body); status != 200 {
		b.t.Fatalf("answered %d", status)
	}
}

func TestWhatOneTenantSendsHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	const many, of = 14, 3_900_000 // more than may be in memory
	slow, flood := b.connect(b.as(org1), graphsim.SignUp{})
	var others []*onboardingv1.Connection
	var signed []graphsim.SignedUp
	for range 6 { // more than are split side by side
		c, s := b.connect(b.as(org2), graphsim.SignUp{})
		others, signed = append(others, c), append(signed, s)
	}
	err := b.db.InTx(t.Context(), func(tx *gorm.DB) error {
		// What is the first tenant's waits for this row, whatever it is.
		if err := tx.Exec("select from connections where id = ? for update", slow.GetConnectionId()).Error; err != nil {
			return err
		}
		b.takesIn(history(flood, "wamid.old"))
		for i := range many {
			b.takesIn(live(flood, fmt.Sprint("wamid.live.", i)))
			b.takesIn(ballast(flood, of))
		}
		for i, c := range others {
			b.takesIn(live(signed[i], "wamid.other"))
			b.awaitMessages(org2, c.GetConnectionId(), 1)
		}
		if got := len(b.messages(org1, slow.GetConnectionId())); got != 0 {
			t.Errorf("%d messages of the first tenant were written meanwhile: it waited for nothing", got)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "all of the first tenant's", func() bool { return len(b.allMessages(slow.GetConnectionId())) == 1+many })
}

func TestWhatADeadProcessLeftIsSplit(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		c, signed := b.connect(b.as(org1), graphsim.SignUp{})
		b.stop()
		for bulk, body := range map[bool]string{true: history(signed, "wamid.old"), false: live(signed, "wamid.now")} {
			if _, err := b.rows.KeepBatch(t.Context(), [][]byte{[]byte(body)}, bulk); err != nil {
				t.Fatal(err)
			}
		}
		b.replica = b.start()
		b.awaitMessages(org1, c.GetConnectionId(), 2)
	})
}
