package store

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// early keeps changes of a WABA that nobody holds yet, each a second after the one before.
func (b *bundle) early(list ...NewChange) {
	b.t.Helper()
	for i := range list {
		list[i].Change.ReceiveTime = b.now().Add(time.Duration(i-len(list)) * time.Second)
	}
	backwards := slices.Clone(list) // what came first need not have been written first
	slices.Reverse(backwards)
	b.must(b.SplitDeliveries(b.t.Context(), []Split{holding(backwards...)}))
}

// waitingFor are the changes that wait for a connection, with the effects that they were given.
func (b *bundle) waitingFor(c Connection, effects []NewChange) (list []NewChange) {
	b.t.Helper()
	waiting, err := b.WaitingChanges(b.t.Context(), c.ID, Change{}, 100, 1<<20)
	b.must(err)
	for _, change := range waiting {
		i := slices.IndexFunc(effects, func(n NewChange) bool { return n.Change.Hash == change.Hash })
		list = append(list, NewChange{change, effects[i].Effect})
	}
	return list
}

func TestWhatWaitedIsGivenOnceInTheOrderInWhichItCame(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		var list []NewChange
		for i := range 8 {
			list = append(list, saying("7", fmt.Sprint("m", i), fmt.Sprint("h", i)))
		}
		list[3].Effect.Messages[0].Direction = "POISON" // which no row takes
		list[5].Change.PhoneNumberID = "999"            // no number of this WABA, by now
		b.early(list...)
		_, c := b.connected("org-1", "7")
		waiting := b.waitingFor(c, list)
		if len(waiting) != 7 {
			t.Fatalf("%d changes wait for it", len(waiting))
		}
		_, start, err := b.StreamBounds(ctx)
		b.must(err)
		given := append(waiting, NewChange{list[5].Change, list[5].Effect})
		var group sync.WaitGroup
		for range 3 { // replicas, or a job that is tried again
			group.Go(func() {
				if _, err := b.ResolveChanges(ctx, given); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		told, _, err := b.FollowChanges(ctx, ChangeFilter{Organization: "org-1"}, start, 100)
		b.must(err)
		var hashes []string
		for _, e := range told {
			hashes = append(hashes, e.Hash)
		}
		if diff := cmp.Diff([]string{"h0", "h1", "h2", "h4", "h6", "h7"}, hashes); diff != "" {
			t.Errorf("the stream (-want +got):\n%s", diff)
		}
		want := []string{"m7 text m7", "m6 text m6", "m4 text m4", "m2 text m2", "m1 text m1", "m0 text m0"}
		if diff := cmp.Diff(want, b.texts(c)); diff != "" {
			t.Errorf("messages (-want +got):\n%s", diff)
		}
		for state, want := range map[ChangeState]string{ChangeUnparsed: "h3", ChangeWaiting: "h5"} {
			kept, err := b.ListChanges(ctx, ChangeFilter{States: []string{string(state)}}, uuid.Nil, 100)
			if b.must(err); len(kept) != 1 || kept[0].Hash != want || kept[0].ConnectionID != nil {
				t.Errorf("%s: %+v", state, kept)
			}
		}
	})
}

func TestWhatWaitsIsReadInBoundedPieces(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		var list []NewChange
		for i, size := range []int{10, 10, 100, 10, 10, 10} {
			n := said("7", fmt.Sprint("h", i))
			n.Change.Value = make([]byte, size)
			list = append(list, n)
		}
		b.early(list...)
		_, c := b.connected("org-1", "7")
		var pieces [][]string
		for last := (Change{}); ; {
			waiting, err := b.WaitingChanges(t.Context(), c.ID, last, 2, 50)
			if b.must(err); len(waiting) == 0 {
				break
			}
			var hashes []string
			for _, change := range waiting {
				hashes, last = append(hashes, change.Hash), change
			}
			pieces = append(pieces, hashes)
		}
		if diff := cmp.Diff([][]string{{"h0", "h1"}, {"h2"}, {"h3", "h4"}, {"h5"}}, pieces); diff != "" {
			t.Errorf("pieces (-want +got):\n%s", diff)
		}
	})
}
