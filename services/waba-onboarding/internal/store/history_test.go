package store

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gorm.io/gorm"

	"github.com/whatrack/connect/services/internal/database"
	"github.com/whatrack/connect/services/internal/databasetest"
	"github.com/whatrack/connect/services/internal/jobs"
)

func old(wamid, kind, text string, at time.Time) MessageFact {
	return MessageFact{Message: Message{
		PhoneNumberID: "42", Wamid: wamid, Direction: Inbound, ContactPhone: "1650", Type: kind, Text: text, MessageTime: &at,
		Content: []byte(`{"id":"` + wamid + `"}`),
	}}
}

// texts are the wamids, types and texts of a connection's messages, newest first.
func (b *bundle) texts(c Connection) []string {
	b.t.Helper()
	list, err := b.ListMessages(b.t.Context(), "", c.ID, [16]byte{}, 200)
	b.must(err)
	texts := []string{}
	for _, m := range list {
		texts = append(texts, m.Wamid+" "+m.Type+" "+m.Text)
	}
	return texts
}

func TestHistoryFillsInAndOverwritesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		c := b.coexisting()
		day := time.Now().UTC().Truncate(time.Second).Add(-24 * time.Hour)
		live := old("live", "text", "as it is now", day.Add(time.Hour))
		b.must(b.inTx(t.Context(), func(tx *gorm.DB) error {
			err := b.applyMessage(tx, c, live)
			if err == nil {
				err = b.applyStatus(tx, c, StatusFact{Wamid: "status", Read: &day})
			}
			if err == nil {
				err = b.applyMessage(tx, c, MessageFact{Edits: "edited", Message: Message{
					Direction: Inbound, Text: "corrected", MessageTime: &day, Content: []byte("new"),
				}})
			}
			if err == nil {
				err = b.applyMessage(tx, c, MessageFact{Revokes: "revoked", Message: Message{Direction: Inbound}})
			}
			return err
		}))
		sent := old("status", "text", "sent", day)
		sent.Direction, sent.HistoryState = Echo, "SENT"
		chunk := []MessageFact{
			old("live", "text", "as it was", day), sent, old("edited", "text", "wrong", day), old("revoked", "text", "secret", day),
			old("new", "text", "b", day.Add(-time.Hour)), old("new", "text", "again", day), old("media", "media_placeholder", "", day.Add(-2*time.Hour)),
			old("early", "media_placeholder", "", day.Add(-3*time.Hour)),
		}
		b.arrive(c, SyncFact{Part: SyncHistory, Media: []MessageFact{old("early", "video", "v", day.Add(-3*time.Hour))}})
		b.arrive(c, SyncFact{Part: SyncHistory, Messages: chunk})
		b.arrive(c, SyncFact{Part: SyncHistory, Messages: chunk})
		b.arrive(c, SyncFact{Part: SyncHistory, Media: []MessageFact{old("media", "image", "foto", day.Add(-2*time.Hour))}})
		want := []string{
			"revoked text ", "edited text corrected", "status text sent", "live text as it is now", "new text b", "media image foto", "early video v",
		}
		if diff := cmp.Diff(want, b.texts(c)); diff != "" {
			t.Errorf("messages (-want +got):\n%s", diff)
		}
		if p := b.connection(c.ID).PhoneNumbers[0].Sync[1]; p.ItemCount != 3 || p.State != SyncRunning {
			t.Errorf("history = %+v", p)
		}
		b.wantRead(c)
		list, err := b.ListMessages(t.Context(), "", c.ID, [16]byte{}, 200)
		b.must(err)
		if revoked, edited := string(list[0].Content), string(list[1].Content); revoked != "" || edited != "new" {
			t.Errorf("of the revoked one %q is left, and the edited one is %q", revoked, edited)
		}
	})
}

// wantRead wants the message of the history whose status came live to be READ.
func (b *bundle) wantRead(c Connection) {
	b.t.Helper()
	var m Message
	b.must(b.db.Read(b.t.Context(), func(tx *gorm.DB) error {
		return tx.Where("connection_id = ? and wamid = ?", c.ID, "status").Take(&m).Error
	}))
	if m.State() != "READ" || m.Direction != Echo || m.PhoneNumberID == "" {
		b.t.Errorf("message = %+v", m)
	}
}

// BenchmarkHistoryChunk applies one chunk of 5,000 messages to a SQLite file.
func BenchmarkHistoryChunk(b *testing.B) {
	db := databasetest.Open(b, databasetest.SQLiteURL(b, Migrations()))
	queue, err := jobs.NewQueue(db, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	s := New(db, queue, time.Now, time.Minute)
	c := Connection{ID: database.NewID(), OrganizationID: "org-1", WabaID: "7", State: ConnectionConnected, Reasons: []string{}}
	if err := s.inTx(b.Context(), func(tx *gorm.DB) error { return tx.Create(&c).Error }); err != nil {
		b.Fatal(err)
	}
	for n := 0; b.Loop(); n++ {
		facts := make([]MessageFact, 5000)
		for i := range facts {
			facts[i] = old(fmt.Sprintf("wamid.%d.%d", n, i), "text", "some words of old", time.Now().Add(-time.Hour))
		}
		err := s.inTx(b.Context(), func(tx *gorm.DB) error {
			return s.applySync(tx, c, "42", SyncFact{Part: SyncHistory, Messages: facts})
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
