package store

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// saying is a change with one message.
func saying(waba, wamid, hash string) NewChange {
	n := said(waba, hash)
	n.Effect.Messages = []MessageFact{{Message: Message{PhoneNumberID: "1" + waba, Wamid: wamid, Direction: Inbound, Type: "text", Text: wamid}}}
	return n
}

func holding(changes ...NewChange) Split {
	return Split{Delivery: Delivery{ID: newID(), State: DeliveryReceived, ReceiveTime: time.Now().UTC(), Body: []byte("{}")}, Changes: changes}
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
