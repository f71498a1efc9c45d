package store

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/whatrack/connect/services/internal/database"
)

// saying is a change with one message.
func saying(waba, wamid, hash string) NewChange {
	n := said(waba, hash)
	n.Effect.Messages = []MessageFact{{Message: Message{PhoneNumberID: "1" + waba, Wamid: wamid, Direction: Inbound, Type: "text", Text: wamid}}}
	return n
}

func holding(changes ...NewChange) Split {
	return Split{Delivery: Delivery{ID: database.NewID(), State: DeliveryReceived, ReceiveTime: time.Now().UTC(), Body: []byte("{}")}, Changes: changes}
}

func TestOfWhatIsSplitTogetherEachChangeCountsOnceInItsOrder(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		_, first := b.connected("org-1", "7")
		_, second := b.connected("org-2", "8")
		b.must(b.SplitDeliveries(ctx, []Split{holding(saying("7", "known", "h0"))}))
		elsewhere := saying("7", "elsewhere", "h6")
		elsewhere.Change.PhoneNumberID = "999" // no number of this WABA
		edit := said("8", "h5")
		edit.Effect.Messages = []MessageFact{{Edits: "b", Message: Message{Wamid: "e", Direction: Inbound, Text: "b, edited", MessageTime: ptr(b.now())}}}
		sent := b.now()
		status := said("8", "h7")
		status.Effect.Statuses = []StatusFact{{Wamid: "b", Read: &sent}}
		b.must(b.SplitDeliveries(ctx, []Split{
			holding(status, saying("7", "z", "h2"), saying("7", "known", "h0")),
			holding(edit, saying("8", "b", "h1"), saying("9", "nobody's", "h4")),
			holding(saying("7", "a", "h3"), saying("7", "z", "h2"), elsewhere),
			holding(),
		}))
		if diff := cmp.Diff([]string{"a text a", "z text z", "known text known"}, b.texts(first)); diff != "" {
			t.Errorf("messages of the first (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"b text b, edited"}, b.texts(second)); diff != "" {
			t.Errorf("messages of the second (-want +got):\n%s", diff)
		}
		list, _, err := b.FollowChanges(ctx, ChangeFilter{}, 0, 100)
		b.must(err)
		var told []string
		for _, e := range list {
			told = append(told, e.Hash)
		}
		if diff := cmp.Diff([]string{"h0", "h7", "h2", "h5", "h1", "h3"}, told); diff != "" {
			t.Errorf("the stream (-want +got):\n%s", diff)
		}
		waiting, err := b.ListChanges(ctx, ChangeFilter{States: []string{string(ChangeWaiting)}}, uuid.Nil, 100)
		b.must(err)
		if len(waiting) != 2 {
			t.Errorf("%d changes wait", len(waiting))
		}
		if heard := b.connection(second.ID); heard.LastEventTime == nil || slices.Contains(heard.Reasons, "NO_EVENT_YET") {
			t.Errorf("the second was not heard: %v", heard.Reasons)
		}
	})
}

func TestDeliveriesOfWhichSomeAreSplitAlready(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		_, c := b.connected("org-1", "7")
		split, fresh := holding(saying("7", "old", "h0")), holding(saying("7", "new", "h1"))
		left := holding(saying("7", "left", "h2"))
		b.must(b.SplitDeliveries(ctx, []Split{split}))
		b.must(b.KeepDelivery(ctx, left.Delivery)) // it could not be split before
		for range 2 {
			b.must(b.SplitDeliveries(ctx, []Split{split}))
			b.must(b.SplitDeliveries(ctx, []Split{fresh, split, left}))
		}
		if texts := b.texts(c); !slices.Equal(texts, []string{"left text left", "new text new", "old text old"}) {
			t.Errorf("messages: %q", texts)
		}
		if again, err := b.Unsplit(ctx, 0, uuid.Nil, 10); err != nil || len(again) > 0 {
			t.Errorf("still to be split: %v, %v", again, err)
		}
	})
}

func TestAChangeThatCanNotBeWrittenSpoilsNoOther(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		_, c := b.connected("org-1", "7")
		_, start, err := b.StreamBounds(ctx)
		b.must(err)
		year := time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC) // no JSON has it
		bad := said("7", "bad")
		bad.Effect.Account = &AccountFact{Event: "ACCOUNT_RESTRICTION", Matter: MatterRestriction, Word: Word{Until: &year}}
		empty := said("7", "empty")
		empty.Change.Value = nil
		part := holding(saying("7", "a", "h0"), bad, saying("7", "b", "h1"), empty, saying("7", "c", "h2"))
		if err := b.SplitDeliveries(ctx, []Split{part}); err == nil {
			t.Fatal("it was split")
		}
		for range 2 {
			spoiled, err := b.SplitPiecemeal(ctx, part)
			if b.must(err); spoiled != 2 && spoiled != 0 { // 0: it is split
				t.Errorf("%d are spoiled", spoiled)
			}
		}
		if diff := cmp.Diff([]string{"c text c", "b text b", "a text a"}, b.texts(c)); diff != "" {
			t.Errorf("messages (-want +got):\n%s", diff)
		}
		list, _, err := b.FollowChanges(ctx, ChangeFilter{}, start, 100)
		if b.must(err); len(list) != 3 {
			t.Errorf("%d are told of", len(list))
		}
		kept, err := b.ListChanges(ctx, ChangeFilter{States: []string{string(ChangeUnparsed)}}, uuid.Nil, 100)
		if b.must(err); len(kept) != 2 || kept[0].DeliveryID != part.Delivery.ID {
			t.Errorf("kept as UNPARSED: %+v", kept)
		}
	})
}

func TestAMessageIsFilledInByWhatComesLater(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		_, c := b.connected("org-1", "7")
		edit := said("7", "h0")
		edit.Effect.Messages = []MessageFact{{Edits: "a", Message: Message{Wamid: "e", Direction: Inbound, Text: "edited", MessageTime: ptr(b.now())}}}
		unshown, again := saying("7", "b", "h2"), saying("7", "b", "h3")
		unshown.Effect.Messages[0].Type, unshown.Effect.Messages[0].Text = unsupported, ""
		for _, n := range []NewChange{edit, saying("7", "a", "h1"), unshown, again, unshown} {
			b.must(b.SplitDeliveries(t.Context(), []Split{holding(n)}))
		}
		if diff := cmp.Diff([]string{"b text b", "a text edited"}, b.texts(c)); diff != "" {
			t.Errorf("messages (-want +got):\n%s", diff)
		}
	})
}

func TestAConnectionWaitsForWhatIsSplitWhileItIsProven(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		claim := b.at(b.claiming("org-1"), "7", StepBind)
		taken, goOn := make(chan struct{}), make(chan struct{})
		split, bound := make(chan error, 1), make(chan error, 1)
		go func() {
			split <- b.inTx(ctx, func(tx *gorm.DB) error {
				err := b.takeChanges(tx, []NewChange{saying("7", "early", "h0")})
				close(taken)
				<-goOn
				return err
			})
		}()
		<-taken
		await := b.blocking()
		go func() { bound <- b.FinishStep(ctx, &claim, progress(StepBind, "7"), true) }()
		await("it is proven before what is split is committed")
		close(goOn)
		b.must(errors.Join(<-split, <-bound))
		waiting, err := b.WaitingChanges(ctx, *claim.ConnectionID, Change{}, 10, 1<<20)
		if b.must(err); len(waiting) != 1 {
			t.Errorf("%d changes wait for it", len(waiting))
		}
	})
}

func TestWhatCameWhileAnotherHeldTheWABAIsNotHandedOver(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		_, first := b.connected("org-1", "7")
		unknown := saying("7", "theirs", "h0") // of a number that is not known yet
		unknown.Change.PhoneNumberID = "99"
		b.must(b.SplitDeliveries(ctx, []Split{holding(unknown)}))
		b.pass(time.Minute)
		b.must(b.inTx(ctx, func(tx *gorm.DB) error {
			return tx.Model(&Connection{}).Where("id = ?", first.ID).Updates(map[string]any{"state": ConnectionDisconnected, "state_time": b.now()}).Error
		}))
		b.pass(time.Minute)
		after := saying("7", "ours", "h1")
		after.Change.ReceiveTime = b.now()
		b.must(b.SplitDeliveries(ctx, []Split{holding(after)}))
		_, second := b.connected("org-2", "7")
		b.must(b.inTx(ctx, func(tx *gorm.DB) error {
			return tx.Create(&PhoneNumber{ConnectionID: second.ID, PhoneNumberID: "99", Registration: NotNeeded}).Error
		}))
		waiting, err := b.WaitingChanges(ctx, second.ID, Change{}, 10, 1<<20)
		if b.must(err); len(waiting) != 1 || waiting[0].Hash != "h1" {
			t.Errorf("it is to have %+v", waiting)
		}
	})
}

func TestAnEndOfAccessFromBeforeTheProofEndsNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		o, c := b.connected("org-1", "7")
		removed := func(hash string, at time.Time) {
			n := said("7", hash)
			n.Change.EntryTime = &at
			n.Effect.Account = &AccountFact{Event: "PARTNER_REMOVED", EndsAccess: true, Reason: "PARTNER_REMOVED"}
			b.must(b.SplitDeliveries(ctx, []Split{holding(n)}))
		}
		b.must(b.inTx(ctx, func(tx *gorm.DB) error { // the page was open for a while before the signup
			return tx.Model(&Onboarding{}).Where("id = ?", o.ID).Update("create_time", b.now().Add(-time.Hour)).Error
		}))
		removed("h0", b.now().Add(-time.Minute))
		if now := b.connection(c.ID); now.State != ConnectionConnected {
			t.Errorf("it is %s %v", now.State, now.Reasons)
		}
		removed("h1", b.now().Add(time.Minute))
		if now := b.connection(c.ID); now.State != ConnectionReconnectRequired {
			t.Errorf("it is %s %v", now.State, now.Reasons)
		}
	})
}
