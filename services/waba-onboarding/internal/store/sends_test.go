package store

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/whatrack/connect/services/internal/database"
	"github.com/whatrack/connect/services/internal/databasetest"
)

// begun is a message that somebody sends.
func (b *bundle) begun(c Connection, request string) Message {
	b.t.Helper()
	m, begun, err := b.BeginSend(b.t.Context(), Message{
		OrganizationID: c.OrganizationID, ConnectionID: c.ID, PhoneNumberID: "17", ContactPhone: "5511912345678", Type: "text",
		Text: "oi", Content: []byte("{}"), RequestID: request, RequestHash: "hash of " + request,
	})
	b.must(err)
	if !begun || m.State() != "SENDING" {
		b.t.Fatalf("begun %v: %+v", begun, m)
	}
	return m
}

// hears applies a status of Meta's to a connection.
func (b *bundle) hears(c Connection, fact StatusFact) {
	b.t.Helper()
	b.must(b.inTx(b.t.Context(), func(tx *gorm.DB) error { return b.applyStatus(tx, c, fact) }))
}

func (b *bundle) ends(m Message, out SendOutcome) Message {
	b.t.Helper()
	ended, err := b.EndSend(b.t.Context(), m, out)
	b.must(err)
	return ended
}

// wants looks at the messages of a connection, newest first.
func (b *bundle) wants(c Connection, states ...string) []Message {
	b.t.Helper()
	list, err := b.ListMessages(b.t.Context(), "", c.ID, uuid.Nil, 100)
	b.must(err)
	if len(list) != len(states) {
		b.t.Fatalf("%d messages, want %v", len(list), states)
	}
	for i, state := range states {
		if got := list[i].State(); got != state {
			b.t.Errorf("message %d is %s, want %s", i, got, state)
		}
	}
	return list
}

func TestASendWhoseProcessDiedIsUnknownUntilAStatusTells(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		_, c := b.connected("org-1", "7")
		m := b.begun(c, "order-17") // and whoever began it is killed
		b.must(b.Sweep(t.Context()))
		b.wants(c, "SENDING")
		b.pass(sendLife + time.Second)
		b.must(b.Sweep(t.Context()))
		b.wants(c, "UNKNOWN")
		again, begun, err := b.BeginSend(t.Context(), m)
		if err != nil || begun || again.ID != m.ID || again.State() != "UNKNOWN" {
			t.Errorf("the same request: begun %v, %s, %v", begun, again.State(), err)
		}
		b.hears(c, StatusFact{MessageID: m.ID, Wamid: "wamid.1", Delivered: ptr(b.now())})
		if list := b.wants(c, "DELIVERED"); list[0].Wamid != "wamid.1" || list[0].ID != m.ID {
			t.Errorf("message = %+v", list[0])
		}
	})
}

func TestALateSenderStillTellsWhatItKnows(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		_, c := b.connected("org-1", "7")
		paused := b.begun(c, "paused")
		b.pass(sendLife + time.Second)
		b.must(b.Sweep(t.Context()))
		b.ends(paused, SendOutcome{State: MessageAccepted, Wamid: "wamid.1", ContactPhone: "551112345678"})
		if list := b.wants(c, "ACCEPTED"); list[0].Wamid != "wamid.1" || list[0].ContactPhone != "551112345678" {
			t.Errorf("message = %+v", list[0])
		}
		b.ends(paused, SendOutcome{State: MessageUnknown})
		b.wants(c, "ACCEPTED")
	})
}

func TestOnlyAnUnsentMessageIsBegunAgainAndByOneAlone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		_, c := b.connected("org-1", "7")
		for _, out := range []SendOutcome{
			{State: MessageAccepted, Wamid: "wamid.1"}, {State: MessageRefused, Error: "131047 No"}, {State: MessageUnknown},
		} {
			m := b.begun(c, string(out.State))
			b.ends(m, out)
			if _, begun, err := b.BeginSend(t.Context(), m); begun || err != nil {
				t.Errorf("%s was begun again: %v %v", out.State, begun, err)
			}
		}
		first := b.begun(c, "unsent")
		b.ends(first, SendOutcome{State: MessageUnsent, Error: "META_UNAVAILABLE"})
		b.wants(c, "FAILED", "UNKNOWN", "FAILED", "ACCEPTED")
		b.pass(time.Second)
		second := b.begun(c, "unsent")
		if second.ID != first.ID || second.Error != "" {
			t.Errorf("message = %+v", second)
		}
		b.ends(first, SendOutcome{State: MessageUnsent, Error: "META_UNAVAILABLE"}) // its commit was lost; it says so again
		b.wants(c, "SENDING", "UNKNOWN", "FAILED", "ACCEPTED")
		other := second
		other.RequestHash = "another"
		if _, _, err := b.BeginSend(t.Context(), other); !errors.Is(err, ErrRequestReused) {
			t.Errorf("another body: %v", err)
		}
		if _, err := b.FindSend(t.Context(), c.ID, "unsent", "another"); !errors.Is(err, ErrRequestReused) {
			t.Errorf("another body: %v", err)
		}
	})
}

func TestWhatAStatusToldBeforeTheAnswerStands(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		_, c := b.connected("org-1", "7")
		m := b.begun(c, "order-17")
		b.hears(c, StatusFact{MessageID: m.ID, Wamid: "wamid.1", Sent: ptr(b.now())})
		b.wants(c, "SENT")
		for _, out := range []SendOutcome{{State: MessageUnknown}, {State: MessageAccepted, Wamid: "wamid.1"}, {State: MessageUnsent, Error: "no"}} {
			if ended := b.ends(m, out); ended.State() != "SENT" || ended.Wamid != "wamid.1" || ended.Error != "" {
				t.Errorf("after %s: %+v", out.State, ended)
			}
		}
	})
}

// Statuses that do not name our id make a row by the wamid; it becomes part of the message once that is known.
func TestTwoRowsOfOneMessageBecomeOne(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		_, c := b.connected("org-1", "7")
		at := b.now()
		answered, told := b.begun(c, "answered"), b.begun(c, "told")
		b.hears(c, StatusFact{Wamid: "wamid.1", Delivered: &at})
		b.hears(c, StatusFact{Wamid: "wamid.2", Sent: &at})
		b.wants(c, "SENT", "DELIVERED", "SENDING", "SENDING")
		b.ends(answered, SendOutcome{State: MessageAccepted, Wamid: "wamid.1"})
		b.hears(c, StatusFact{MessageID: told.ID, Wamid: "wamid.2", Read: &at})
		list := b.wants(c, "READ", "DELIVERED")
		if list[0].ID != told.ID || list[0].SentTime == nil || list[1].ID != answered.ID || list[1].Text != "oi" {
			t.Errorf("messages = %+v", list)
		}
	})
}

func TestAStatusNamesNoMessageOfAnotherConnectionOrWamid(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		_, mine := b.connected("org-1", "7")
		_, theirs := b.connected("org-2", "8")
		at := b.now()
		m := b.begun(mine, "order-17")
		b.hears(theirs, StatusFact{MessageID: m.ID, Wamid: "wamid.1", Sent: &at})
		b.wants(theirs, "SENT")
		b.wants(mine, "SENDING")
		b.ends(m, SendOutcome{State: MessageAccepted, Wamid: "wamid.1"})
		b.hears(mine, StatusFact{MessageID: m.ID, Wamid: "wamid.2", Read: &at}) // it has another wamid
		b.wants(mine, "READ", "ACCEPTED")
		second := b.begun(mine, "order-18")
		b.hears(mine, StatusFact{MessageID: second.ID, Wamid: "wamid.1", Delivered: &at}) // which is the first one's
		b.wants(mine, "SENDING", "READ", "DELIVERED")
		inbound := b.wants(mine, "SENDING", "READ", "DELIVERED")[1]
		b.hears(mine, StatusFact{MessageID: inbound.ID, Wamid: "wamid.3", Sent: &at}) // nobody sent that one from here
		b.wants(mine, "SENT", "SENDING", "READ", "DELIVERED")
	})
}

// before are the migrations of both databases up to a version.
func before(t *testing.T, first string) database.Migrations {
	t.Helper()
	old := fstest.MapFS{}
	err := fs.WalkDir(Migrations(), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Base(path) < first {
			old[path] = &fstest.MapFile{}
			old[path].Data, err = fs.ReadFile(Migrations(), path)
		}
		return err
	})
	if err != nil || len(old) == 0 {
		t.Fatalf("%d migrations, %v", len(old), err)
	}
	return database.Migrations{FS: old}
}

func TestMessagesOutliveTheMigrationThatSendingNeeds(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, before(t, "0004"), func(t *testing.T, db *database.DB) {
		t.Parallel()
		connection, now := uuid.NewString(), time.Now().UTC()
		args := map[string]any{"id": connection, "now": now, "other": uuid.NewString(), "content": []byte("was deleted")}
		statements := []string{
			`insert into connections values (@id, 'org-1', '7', '', '', 'CONNECTED', '[]', @now, @id, '', '', null, false, '', true, null, '', null, null, '', false, 1, null, @now)`,
			`insert into messages values (@id, 'org-1', @id, '17', 'wamid.1', 'INBOUND', '55', '', 'Ana', 'text', 'oi', @now, null, null, null, null, null, false, '', null)`,
			`insert into messages values (@other, 'org-1', @id, '17', 'wamid.2', 'INBOUND', '55', '', 'Ana', 'text', '', @now, null, null, null, null, null, true, '', @content)`,
		}
		for _, statement := range statements {
			err := db.InTx(t.Context(), func(tx *gorm.DB) error { return tx.Exec(statement, args).Error })
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Migrate(t.Context(), Migrations()); err != nil {
			t.Fatal(err)
		}
		var list []Message
		if err := db.Read(t.Context(), func(tx *gorm.DB) error { return tx.Order("wamid").Find(&list).Error }); err != nil || len(list) != 2 {
			t.Fatalf("%d messages, %v", len(list), err)
		}
		if revoked := list[1]; !revoked.Revoked || len(revoked.Content) != 0 {
			t.Errorf("the revoked message = %+v", revoked)
		}
		kept := list[0]
		if kept.Wamid != "wamid.1" || kept.State() != "RECEIVED" || kept.MessageTime.Unix() != now.Unix() || kept.SendState != "" {
			t.Errorf("message = %+v", kept)
		}
	})
}
