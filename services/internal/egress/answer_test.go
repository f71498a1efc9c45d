package egress

import (
	"net/http"
	"testing"
	"time"
)

func TestABusyReceiverSaysWhenToComeAgain(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		status int
		value  string
		want   time.Duration
	}{
		"seconds":             {429, "120", 2 * time.Minute},
		"a date":              {503, "Sun, 01 Mar 2026 12:30:00 GMT", 30 * time.Minute},
		"an old form of one":  {503, "Sunday, 01-Mar-26 12:30:00 GMT", 30 * time.Minute},
		"white space":         {429, " 7 ", 7 * time.Second},
		"now":                 {429, "0", 0},
		"a date that was":     {503, "Sun, 01 Mar 2026 11:30:00 GMT", 0},
		"a day":               {429, "86400", MaxRetryAfter},
		"next year":           {503, "Mon, 01 Mar 2027 12:00:00 GMT", MaxRetryAfter},
		"more than a number":  {429, "99999999999999999999999999", MaxRetryAfter},
		"more than a moment":  {429, "9223372037", MaxRetryAfter},
		"before now":          {429, "-5", 0},
		"a fraction":          {429, "1.5", 0},
		"words":               {503, "later, please", 0},
		"nothing":             {503, "", 0},
		"no business of ours": {500, "120", 0},
		"a redirect":          {307, "120", 0},
		"a success":           {200, "120", 0},
	} {
		resp := &http.Response{StatusCode: c.status, Header: http.Header{"Retry-After": {c.value}}}
		if got := answerOf(resp, now); got.Status != c.status || got.RetryAfter != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
