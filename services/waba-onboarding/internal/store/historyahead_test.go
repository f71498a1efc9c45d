package store

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

const oldMessages = 2*aheadAtOnce + 100

// chunk is a change of the number 42 with many old messages, all of one second.
func chunk(progress int) NewChange {
	n := said("7", "h0")
	n.Change.Field, n.Change.PhoneNumberID = "history", "42"
	n.Effect.Sync = &SyncFact{Part: SyncHistory, Progress: progress}
	for i := range oldMessages {
		n.Effect.Sync.Messages = append(n.Effect.Sync.Messages, old(fmt.Sprintf("w%04d", i), "text", "old", time.Unix(1739230955, 0).UTC()))
	}
	return n
}

// wantOld wants the old messages at a connection, in their order, and what is told of its sync.
func (b *bundle) wantOld(c Connection, messages int, state SyncState, progress int) {
	b.t.Helper()
	var wamids []string
	b.must(b.db.Read(b.t.Context(), func(tx *gorm.DB) error {
		return tx.Model(&Message{}).Where("connection_id = ?", c.ID).Order("id").Pluck("wamid", &wamids).Error
	}))
	if len(wamids) != messages || !slices.IsSorted(wamids) {
		b.t.Errorf("%d messages, in order: %v", len(wamids), slices.IsSorted(wamids))
	}
	if p := b.connection(c.ID).PhoneNumbers[0].Sync[1]; int(p.ItemCount) != messages || p.State != state || p.Progress != progress {
		b.t.Errorf("history = %+v", p)
	}
}

func TestWhatIsWrittenAheadCountsOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		early := chunk(40)
		b.must(b.KeepAhead(ctx, []NewChange{early})) // while nobody holds the WABA
		if early.Effect.Sync.Ahead != uuid.Nil {
			t.Error("it was written for nobody")
		}
		c := b.coexisting()
		b.wantOld(c, 0, SyncPending, 0)
		for range 2 { // whoever did so first died then
			n := chunk(40)
			b.must(b.KeepAhead(ctx, []NewChange{n}))
			b.wantOld(c, oldMessages, SyncRunning, 0)
		}
		n := chunk(40)
		b.must(b.KeepAhead(ctx, []NewChange{n}))
		n.Effect.Sync.Messages[0].Wamid = "written twice"
		b.must(b.SplitDeliveries(ctx, []Split{holding(n)}))
		b.wantOld(c, oldMessages, SyncRunning, 40)

		b.must(b.inTx(ctx, func(tx *gorm.DB) error { // the number was onboarded anew
			return tx.Model(&SyncPart{}).Where("part = ?", SyncHistory).Updates(map[string]any{"state": SyncPending, "progress": 0}).Error
		}))
		n = chunk(40)
		b.must(b.KeepAhead(ctx, []NewChange{n}))
		b.must(b.SplitDeliveries(ctx, []Split{holding(n)}))
		b.wantOld(c, oldMessages, SyncPending, 0)
	})
}

func TestWhatWasWrittenAheadForAnotherIsWrittenForWhoeverHoldsTheWABAThen(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		first := b.coexisting()
		n := chunk(100)
		b.must(b.KeepAhead(ctx, []NewChange{n}))
		b.must(b.inTx(ctx, func(tx *gorm.DB) error { // it is given up, and another organization comes
			gone := map[string]any{"state": ConnectionDisconnected, "state_time": b.now(), "organization_id": "org-0"}
			return tx.Model(&Connection{}).Where("id = ?", first.ID).Updates(gone).Error
		}))
		second := b.coexisting()
		b.must(b.SplitDeliveries(ctx, []Split{holding(n)}))
		b.wantOld(second, oldMessages, SyncDone, 100)
	})
}
