package server

import (
	"net/url"
	"strings"
	"testing"
)

// FuzzParseDialog: what is taken is what a browser could have been sent back with, whatever else is in the query.
func FuzzParseDialog(f *testing.F) {
	for _, query := range []string{
		"code=AQ&state=abc", "error=access_denied&error_reason=user_denied&state=abc", "state=a&state=b&code=x", "code=%zz", "code=a;b&state=c", "",
	} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		d, ok := parseDialog(query)
		if !ok {
			return
		}
		values, err := url.ParseQuery(query)
		if err != nil || values.Get("state") != d.State.Reveal() || values.Get("code") != d.Code.Reveal() {
			t.Fatalf("%q is read as %v", query, d)
		}
		state, code := d.State.Reveal(), d.Code.Reveal()
		if state == "" || len(state) > 128 || len(code) > 4096 || strings.ContainsAny(code, " \r\n\x00") || len(d.ErrorMessage) > 4096 ||
			values.Has("code") == values.Has("error") {
			t.Fatalf("%q is taken", query)
		}
	})
}
