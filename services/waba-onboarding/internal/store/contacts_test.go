package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gorm.io/gorm"
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
			b.must(b.read(t.Context(), func(tx *gorm.DB) error { return tx.Model(&Contact{}).Count(&n).Error }))
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
