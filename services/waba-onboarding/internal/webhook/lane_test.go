package webhook

import (
	"strings"
	"testing"
)

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
