package webhook

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// waits adds deliveries of a WABA, of so many bytes each; they are told apart by their order.
func waits(t *turns, waba string, count, size int) {
	for i := range count {
		body := fmt.Appendf(nil, `{"entry":[{"id":%q}]}`, waba)
		t.add(unsplit{Delivery: store.Delivery{Body: body, SizeBytes: size, ChangeCount: i}})
	}
}

// taken is what is taken together, as runs: WABA, and the orders of the first and the last.
func taken(t *turns) (runs []string, wabas []string) {
	together, wabas := t.take()
	for i := 0; i < len(together); {
		first, waba := together[i], firstWABA(together[i].Body)
		next := i
		for ; next < len(together) && firstWABA(together[next].Body) == waba && together[next].ChangeCount == first.ChangeCount+next-i; next++ {
		}
		runs = append(runs, fmt.Sprintf("%s %d-%d", waba, first.ChangeCount, together[next-1].ChangeCount))
		i = next
	}
	return runs, wabas
}

func TestEachWABAHasItsTurnAfterTheOthersAndItsOrder(t *testing.T) {
	t.Parallel()
	turns := newTurns(4)
	step := func(want ...string) []string {
		t.Helper()
		runs, wabas := taken(turns)
		if diff := cmp.Diff(want, runs); diff != "" {
			t.Errorf("taken together (-want +got):\n%s", diff)
		}
		return wabas
	}
	waits(turns, "1", 600, 1)
	waits(turns, "2", 2, 1)
	waits(turns, "3", 3, large)
	waits(turns, "4", 1, large+1)
	waits(turns, "5", 1, 1)
	flood := step("1 0-255")
	second := step("2 0-1", "3 0-2") // and no more of the first, which is being split
	step("4 0-0")                    // which is large
	step("5 0-0")
	step()
	waits(turns, "2", 1, 1)
	left, more := turns.done(flood)
	if !slices.Equal(left, []string{"1"}) || !more {
		t.Errorf("of the first %v is left", left)
	}
	step() // it rests
	left, _ = turns.done(second)
	turns.again(left)
	turns.again([]string{"1"})
	step("2 0-0", "1 256-510")
	if left, more := turns.done([]string{"2", "4", "5"}); len(left) > 0 || more || len(turns.of) != 1 {
		t.Errorf("%v is left, of %d", left, len(turns.of))
	}
}

func TestWhatIsBulk(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]bool{
		`{"entry":[{"id":"7","changes":[{"field":"history","value":{}}]}]}`:                                      true,
		`{"entry":[{"id":"7","changes":[{"value":{},"field" :` + "\n" + `"smb_app_state_sync"}]}]}`:              true,
		`{"entry":[{"changes":[{"field":"history"},{"field":"smb_app_state_sync"}]}]}`:                           true,
		`{"entry":[{"changes":[{"field":"history"},{"field":"messages"}]}]}`:                                     false,
		`{"entry":[{"changes":[{"field":"messages","value":{"text":"\",\"field\":\"history\""}}]}]}`:             false,
		`{"entry":[{"changes":[{"field":"history","value":{"type":"field","text":"\"field\":\"messages\""}}]}]}`: true,
		`{"entry":[{"changes":[{"field":"history_of_something"}]}]}`:                                             false,
		`{"entry":[{"changes":[{"field":`:                                                                        false,
		`{"entry":[]}`:                                                                                           false,
		``:                                                                                                       false,
	} {
		if got := isBulk([]byte(body)); got != want {
			t.Errorf("%s: %v, want %v", body, got, want)
		}
	}
}

func TestWhoseADeliveryIs(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"object":"o","entry":[{"id":"77","changes":[]},{"id":"88"}]}`:       "77",
		`{"entry":[{"changes":[{"value":{"id":"1"}}],"id":77}],"object":"o"}`: "77",
		`{"entry":[{"id":"77","changes":[`:                                    "77", // whoever cuts it says what it is
		`{"x":{"entry":[{"id":"66"}]},"entry":[{"time":1,"id":"77"}]}`:        "77",
		`{"entry":[{"id":null}]}`:                                             "",
		`{"entry":[{"id":"7\u0000"}]}`:                                        "",
		`{"entry":[]}`:                                                        "",
		`{"entry":[["id","77"]]}`:                                             "",
		`{"entry":"77"}`:                                                      "",
		`{"object":"o"}`:                                                      "",
		`{"object":`:                                                          "",
		`["entry"]`:                                                           "",
		``:                                                                    "",
		`{"a":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `,"entry":[{"id":1}]}`: "",
	} {
		if got := firstWABA([]byte(body)); got != want {
			t.Errorf("%.60s: %q, want %q", body, got, want)
		}
	}
}
