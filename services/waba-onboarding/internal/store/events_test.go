package store

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gorm.io/gorm"

	"github.com/whatrack/connect/services/internal/database"
)

// said is a change of a connection's WABA.
func said(waba, text string) NewChange {
	return NewChange{Change: Change{
		Field: "messages", State: ChangeWaiting, WabaID: waba, ReceiveTime: time.Now().UTC(), Hash: text, Value: []byte(text),
	}}
}

// A position that is given before its commit would lose events here: the slow writer's come after the reader has passed.
func TestAFollowerMissesNothingOfWritersWhoCommitSlowly(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		const writers, each = 8, 25
		_, c := b.connected("org-1", "7")
		_, start, err := b.StreamBounds(t.Context())
		b.must(err)
		var writing sync.WaitGroup
		for w := range writers {
			writing.Go(func() {
				for i := range each {
					err := b.inTx(t.Context(), func(tx *gorm.DB) error {
						err := b.takeChanges(tx, []NewChange{said("7", fmt.Sprint(w, "/", i))})
						time.Sleep(rand.N(8 * time.Millisecond)) // a slow commit
						return err
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		ended := make(chan struct{})
		go func() { writing.Wait(); close(ended) }()
		seen := map[string]int{}
		at := start
		for last := false; !last; {
			select {
			case <-ended:
				last = true // whatever is there by now is seen in this round
			default:
			}
			for more := true; more; {
				list, next, err := b.FollowChanges(t.Context(), ChangeFilter{Organization: "org-1"}, at, 10)
				b.must(err)
				for _, e := range list {
					if e.Position <= at {
						t.Fatalf("position %d after %d", e.Position, at)
					}
					at = e.Position
					seen[string(e.Value)]++
				}
				at, more = next, len(list) == 10
			}
		}
		for w := range writers {
			for i := range each {
				if n := seen[fmt.Sprint(w, "/", i)]; n != 1 {
					t.Errorf("change %d/%d was seen %d times", w, i, n)
				}
			}
		}
		if c.OrganizationID != "org-1" {
			t.Fatal("the change is somebody else's")
		}
	})
}

func TestAFollowerIsGivenLittleAtATimeAndMissesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.connected("org-1", "7")
		b.connected("org-2", "8")
		_, start, err := b.StreamBounds(t.Context())
		b.must(err)
		insert := func(waba, letter string, kilobytes int) {
			n := said(waba, letter)
			n.Change.Value = []byte(strings.Repeat(letter, kilobytes<<10))
			b.must(b.inTx(t.Context(), func(tx *gorm.DB) error { return b.takeChanges(tx, []NewChange{n}) }))
		}
		insert("7", "a", 1)
		insert("7", "b", 3000) // more than there is at a time
		insert("7", "c", 3000)
		insert("8", "x", 600) // another's, which takes no room
		for _, letter := range []string{"d", "e", "f"} {
			insert("7", letter, 500)
		}
		insert("8", "y", 1)
		var batches []string
		at := start
		for {
			list, next, err := b.FollowChanges(t.Context(), ChangeFilter{Organization: "org-1"}, at, 20)
			b.must(err)
			if len(list) == 0 {
				break
			}
			batch := ""
			for _, e := range list {
				batch += string(e.Value[:1])
			}
			batches = append(batches, batch)
			at = next
		}
		if diff := cmp.Diff([]string{"a", "b", "c", "de", "f"}, batches); diff != "" {
			t.Errorf("batches (-want +got):\n%s", diff)
		}
		if _, end, err := b.StreamBounds(t.Context()); err != nil || at != end {
			t.Errorf("it has read up to %d of %d, %v", at, end, err)
		}
	})
}

func TestWhatIsOldIsRemovedAndACursorSaysSo(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		b.connected("org-1", "7")
		insert := func(n NewChange) {
			b.must(b.inTx(ctx, func(tx *gorm.DB) error { return b.takeChanges(tx, []NewChange{n}) }))
		}
		insert(said("7", "old"))
		insert(said("8", "nobody's"))
		err := b.KeepDelivery(ctx, Delivery{ID: database.NewID(), State: DeliveryReceived, ReceiveTime: b.now(), Body: []byte("{}")})
		b.must(err)
		_, passed, err := b.StreamBounds(ctx)
		b.must(err)
		b.pass(10 * 24 * time.Hour)
		fresh := said("7", "fresh")
		fresh.Change.ReceiveTime = b.now()
		insert(fresh)
		removed, err := b.Prune(ctx, 9*24*time.Hour)
		b.must(err)
		if diff := cmp.Diff(Pruned{Events: passed, Changes: 2, Waiting: 1}, removed); diff != "" { // the delivery waits for its split
			t.Errorf("removed (-want +got):\n%s", diff)
		}
		list, _, err := b.FollowChanges(ctx, ChangeFilter{}, passed, 10)
		if err != nil || len(list) != 1 || string(list[0].Value) != "fresh" {
			t.Errorf("a cursor at the horizon reads %v, %v", list, err)
		}
		if _, _, err := b.FollowChanges(ctx, ChangeFilter{}, passed-1, 10); !errors.Is(err, ErrCursorExpired) {
			t.Errorf("a cursor below the horizon: %v", err)
		}
	})
}
