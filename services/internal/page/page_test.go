package page_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/keyring"
	"github.com/whatrack/connect/services/internal/page"
)

type request struct {
	token string
	size  int32
}

func (r request) GetPageToken() string { return r.token }
func (r request) GetPageSize() int32   { return r.size }

// rows are ids in falling order, as lists have them.
type rows []uuid.UUID

func (r rows) read(after uuid.UUID, limit int) ([]uuid.UUID, error) {
	rest := slices.DeleteFunc(slices.Clone(r), func(id uuid.UUID) bool {
		return after != uuid.Nil && bytes.Compare(id[:], after[:]) >= 0
	})
	return rest[:min(limit, len(rest))], nil
}

func same(id uuid.UUID) uuid.UUID { return id }

func setup(t *testing.T, count int) (page.List, rows) {
	keys, err := keyring.Ephemeral()
	if err != nil {
		t.Fatal(err)
	}
	all := rows{}
	for range count {
		all = append(all, uuid.Must(uuid.NewV7()))
	}
	slices.Reverse(all)
	return page.List{Keys: keys, Name: "rows", Scope: "org-1", Filter: []string{"A", "B"}}, all
}

func TestEachRowIsOnOnePage(t *testing.T) {
	t.Parallel()
	list, all := setup(t, 103)
	for _, size := range []int32{0, 1, 50, 102, 103, 200} {
		var got []uuid.UUID
		req := request{size: size}
		for {
			part, next, err := page.Of(list, req, same, all.read)
			if err != nil {
				t.Fatal(err)
			}
			if most := max(int(size), 1); size != 0 && len(part) > most || size == 0 && len(part) > 50 {
				t.Fatalf("%d rows on a page of %d", len(part), size)
			}
			got = append(got, part...)
			if req.token = next; next == "" {
				break
			}
		}
		if !slices.Equal(got, all) {
			t.Errorf("pages of %d have %d rows of %d, or in another order", size, len(got), len(all))
		}
	}
}

func TestAShorterPageHasARowNextToIt(t *testing.T) {
	t.Parallel()
	list, all := setup(t, 5)
	got, next, err := page.Fitting(list, request{size: 4}, same, all.read, func([]uuid.UUID, int) int { return 2 })
	if err != nil || !slices.Equal(got, all[:2]) {
		t.Fatalf("%v %v", got, err)
	}
	got, _, err = page.Of(list, request{token: next, size: 4}, same, all.read)
	if err != nil || !slices.Equal(got, all[2:]) {
		t.Errorf("%v %v", got, err)
	}
}

func TestAPageTokenIsGoodForItsOwnListOrganizationAndFilter(t *testing.T) {
	t.Parallel()
	list, all := setup(t, 3)
	_, token, err := page.Of(list, request{size: 1}, same, all.read)
	if err != nil {
		t.Fatal(err)
	}
	other, everybody, narrowed, unfiltered := list, list, list, list
	other.Name, everybody.Scope, narrowed.Filter, unfiltered.Filter = "row", "", []string{"A"}, nil
	long, err := list.Keys.SealToken("page:rows:A,B", "org-1", make([]byte, 17))
	if err != nil {
		t.Fatal(err)
	}
	for name, ask := range map[string]struct {
		list  page.List
		token string
	}{
		"another list":       {other, token},
		"all organizations":  {everybody, token},
		"another filter":     {narrowed, token},
		"no filter":          {unfiltered, token},
		"a letter more":      {list, token + "A"},
		"an id":              {list, all[0].String()},
		"far too long":       {list, strings.Repeat("A", 5000)},
		"a longer payload":   {list, long},
		"nothing but spaces": {list, " "},
	} {
		_, _, err := page.Of(ask.list, request{token: ask.token}, same, all.read)
		if f, _ := fault.As(err); f == nil || f.Reason() != errorsv1.ErrorReason_INVALID_FIELD || !strings.Contains(f.Error(), "pageToken") {
			t.Errorf("%s: %v, want INVALID_FIELD for pageToken", name, err)
		}
	}
}
