package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/whatrack/connect/services/internal/database"
	"github.com/whatrack/connect/services/internal/databasetest"
)

// name applies what a change tells of names.
func (b *bundle) name(c Connection, said ...Contact) {
	b.t.Helper()
	b.must(b.inTx(b.t.Context(), func(tx *gorm.DB) error { return b.keepContacts(tx, c.ID, said) }))
}

// named are the names that the list of messages shows.
func (b *bundle) named(c Connection) map[string]string {
	b.t.Helper()
	list, err := b.ListMessages(b.t.Context(), "", c.ID, [16]byte{}, 200)
	b.must(err)
	names := map[string]string{}
	for _, m := range list {
		names[m.Wamid] = m.ContactName
	}
	return names
}

func (b *bundle) wantNamed(c Connection, want map[string]string) {
	b.t.Helper()
	if diff := cmp.Diff(want, b.named(c)); diff != "" {
		b.t.Errorf("names (-want +got):\n%s", diff)
	}
}

func TestMessagesWithoutANameHaveTheNewestOfTheAddressBook(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		c := b.coexisting()
		_, other := b.connected("org-2", "8")
		hour := func(n int) time.Time { return b.now().Truncate(time.Second).Add(time.Duration(n-24) * time.Hour) }
		ana, named, nobody := old("ana", "text", "oi", hour(0)), old("named", "text", "oi", hour(0)), old("nobody", "text", "oi", hour(0))
		ana.ContactPhone, named.ContactPhone, named.ContactName = "1650", "1650", "ana, as she calls herself"
		nobody.ContactPhone, nobody.ContactUserID = "", "US.1"
		b.arrive(c, SyncFact{Part: SyncHistory, Messages: []MessageFact{ana, named, nobody}})
		want := func(name string) map[string]string {
			return map[string]string{"ana": name, "named": named.ContactName, "nobody": ""}
		}
		b.wantNamed(c, want(""))

		b.name(other, Contact{Phone: "1650", Name: "somebody else's Ana", Time: hour(9)})
		b.name(c, Contact{Phone: "1650", Name: "Ana", Time: hour(2)}, Contact{Phone: "1650", Name: "Ana B", Time: hour(2)},
			Contact{Phone: "1650", Name: "A", Time: hour(1)}, Contact{Phone: "", Name: "x", Time: hour(1)})
		b.wantNamed(c, want("Ana B"))
		b.name(c, Contact{Phone: "1650", Name: "A", Time: hour(1)})
		b.wantNamed(c, want("Ana B"))
		b.name(c, Contact{Phone: "1650", Time: hour(4)})
		b.wantNamed(c, want(""))
		b.name(c, Contact{Phone: "1650", Name: "Ana B", Time: hour(3)}) // it was on its way when she was removed
		b.wantNamed(c, want(""))
		b.name(c, Contact{Phone: "1650", Name: "Ana C", Time: hour(5)})
		b.wantNamed(c, want("Ana C"))
	})
}

func TestAMobileNumberOfBrazilIsOneWithAndWithoutItsNinthDigit(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		c := b.coexisting()
		now := b.now().Truncate(time.Second)
		phones := []string{"551198765432", "5521987654321", "556132345678", "5561932345678", "5255123456789", "14155501234"}
		var messages []MessageFact
		for _, phone := range phones {
			m := old(phone, "text", "oi", now)
			m.ContactPhone = phone
			messages = append(messages, m)
		}
		b.arrive(c, SyncFact{Part: SyncHistory, Messages: messages})
		b.name(c, Contact{Phone: "5511998765432", Name: "Ana", Time: now}, Contact{Phone: "552187654321", Name: "Bia", Time: now},
			Contact{Phone: "556132345678", Name: "the bakery", Time: now}, Contact{Phone: "5561932345678", Name: "Caio", Time: now})
		want := map[string]string{
			"551198765432": "Ana", "5521987654321": "Bia", "556132345678": "the bakery", "5561932345678": "Caio",
			"5255123456789": "", "14155501234": "",
		}
		b.wantNamed(c, want)
		b.name(c, Contact{Phone: "551198765432", Name: "Ana B", Time: now.Add(time.Hour)}, Contact{Phone: "5511998765432", Name: "A", Time: now},
			Contact{Phone: "5521987654321", Time: now.Add(time.Hour)}) // removed
		want["551198765432"], want["5521987654321"] = "Ana B", ""
		b.wantNamed(c, want)
	})
}

func TestContactsThatWereKeptWithoutTheNinthDigitAreFoundByIt(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, before(t, "0011"), func(t *testing.T, db *database.DB) {
		t.Parallel()
		id, now := uuid.NewString(), time.Now().UTC()
		const connection = `insert into connections (id, organization_id, waba_id, name, business_id, state, reasons, state_time,
			onboarding_id, token_id, token_state, own_business, access_reason, subscription_proven, subscription_reason,
			disconnect_actor, unsubscribed, epoch, create_time)
			values (@id, 'org-1', '7', '', '', 'CONNECTED', '[]', @now, @id, '', '', false, '', true, '', '', false, 1, @now)`
		const contacts = `insert into contacts values (@id, '551198765432', 'Ana', @now), (@id, '556132345678', 'the bakery', @now),
			(@id, '552187654321', 'Bia', @now), (@id, '5521987654321', 'B', @before), (@id, '14155501234', 'Dan', @now),
			(@id, '553187654321', 'C', @before), (@id, '5531987654321', 'Caio', @now)`
		for _, statement := range []string{connection, contacts} {
			err := db.InTx(t.Context(), func(tx *gorm.DB) error {
				return tx.Exec(statement, map[string]any{"id": id, "now": now, "before": now.Add(-time.Hour)}).Error
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Migrate(t.Context(), Migrations()); err != nil {
			t.Fatal(err)
		}
		var rows []Contact
		if err := db.Read(t.Context(), func(tx *gorm.DB) error { return tx.Find(&rows).Error }); err != nil {
			t.Fatal(err)
		}
		names := map[string]string{}
		for _, row := range rows {
			names[row.Phone] = row.Name
		}
		want := map[string]string{
			"5511998765432": "Ana", "556132345678": "the bakery", "5521987654321": "Bia", "5531987654321": "Caio", "14155501234": "Dan",
		}
		if diff := cmp.Diff(want, names); diff != "" {
			t.Errorf("names (-want +got):\n%s", diff)
		}
	})
}

func TestContactsThatWereRemovedAreForgotten(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		c := b.coexisting()
		var said []Contact
		for i := range pruneBatch + 1 {
			said = append(said, Contact{Phone: fmt.Sprint(1000 + i), Name: "somebody", Time: b.now()})
		}
		b.name(c, said...)
		for i := range said {
			said[i].Name = ""
		}
		b.name(c, said...)
		b.name(c, Contact{Phone: "1", Name: "somebody who stays", Time: b.now()})
		count := func() (n int64) {
			b.must(b.db.Read(t.Context(), func(tx *gorm.DB) error { return tx.Model(&Contact{}).Count(&n).Error }))
			return n
		}
		for _, step := range []struct {
			pass time.Duration
			left int
		}{{0, len(said) + 1}, {10 * 24 * time.Hour, 1}} {
			b.pass(step.pass)
			_, err := b.Prune(t.Context(), 9*24*time.Hour)
			b.must(err)
			if n := count(); n != int64(step.left) {
				t.Errorf("after %s there are %d, want %d", step.pass, n, step.left)
			}
		}
	})
}
