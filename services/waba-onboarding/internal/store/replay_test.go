package store

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
)

// reading is a reader that finds these changes in whatever it is given.
type reading []NewChange

func (r reading) Cut([]byte, time.Time) ([]NewChange, bool) { return slices.Clone(r), true }

func (r reading) Read(Change) Effect { return Effect{} }

func TestAChangeThatCouldNotBeAppliedIsAppliedByAReplay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		_, c := b.connected("org-1", "7")
		year := time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC) // no JSON has it
		bad, good := saying("7", "a", "h1"), saying("7", "a", "h1")
		bad.Effect.Account = &AccountFact{Event: "ACCOUNT_RESTRICTION", Matter: MatterRestriction, Word: Word{Until: &year}}
		_, err := b.SplitPiecemeal(ctx, holding(saying("7", "b", "h0"), bad))
		b.must(err)
		spoiled, err := b.ListChanges(ctx, ChangeFilter{States: []string{string(ChangeUnparsed)}}, uuid.Nil, 10)
		if b.must(err); len(spoiled) != 1 {
			t.Fatalf("spoiled: %+v", spoiled)
		}
		for _, reader := range []reading{{saying("7", "b", "h0"), bad}, {saying("7", "b", "h0")}} {
			still, err := b.ReplayChange(ctx, "", spoiled[0].ID, reader)
			if b.must(err); still.State != ChangeUnparsed || len(b.texts(c)) != 1 {
				t.Errorf("it is %s, messages %q", still.State, b.texts(c))
			}
		}
		for range 2 {
			mended, err := b.ReplayChange(ctx, "", spoiled[0].ID, reading{saying("7", "b", "h0"), good})
			if b.must(err); mended.State != ChangeResolved || mended.OrganizationID != "org-1" || mended.WabaID != "7" {
				t.Errorf("it is %+v", mended)
			}
		}
		if texts := b.texts(c); !slices.Equal(texts, []string{"a text a", "b text b"}) {
			t.Errorf("messages %q", texts)
		}
	})
}
