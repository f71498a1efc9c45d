package graph_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/whatrack/connect/services/internal/graph"
	"github.com/whatrack/connect/services/internal/secret"
)

func TestWhileMetaThrottlesNothingIsAsked(t *testing.T) {
	t.Parallel()
	wait := http.Header{"X-Business-Use-Case-Usage": {`{"1":[{"estimated_time_to_regain_access":5}]}`}}
	for name, c := range map[string]struct {
		said            answer
		pausesThis, all bool
	}{
		"the WABA, 80007":             {answer{400, `{"error":{"code":80007,"message":"slow down"}}`, wait}, true, false},
		"the WABA, 80008":             {answer{400, `{"error":{"code":80008,"message":"slow down"}}`, wait}, true, false},
		"the app":                     {answer{400, `{"error":{"code":4,"message":"slow down"}}`, wait}, true, true},
		"for a time that is not said": {says(400, `{"error":{"code":80008,"message":"slow down"}}`), false, false},
		"one number's messages":       {answer{400, `{"error":{"code":130429,"message":"slow down"}}`, wait}, false, false},
		"no throttle":                 {answer{400, `{"error":{"code":100,"message":"slow down"}}`, wait}, false, false},
	} {
		now := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
		m := setup(t, c.said, says(200, `{"success":true}`))
		client := graph.NewClient(graph.Config{BaseURL: m.base, AppID: appID, AppSecret: secret.New(appSecret), Now: func() time.Time { return now }})
		this, other := client.Credential(token()), client.Credential(secretOf("EAAother"))
		made := func(as graph.Credential) bool {
			t.Helper()
			before := len(m.requests)
			err := client.Subscribe(t.Context(), waba, as)
			var said *graph.Error
			if asked := len(m.requests) > before; asked || !errors.As(err, &said) || !said.RateLimited() || said.Message != "slow down" {
				return asked
			}
			if left := 5*time.Minute - 90*time.Second; said.RetryAfter != left {
				t.Errorf("%s: come again in %s, want %s", name, said.RetryAfter, left)
			}
			return false
		}
		if !made(this) {
			t.Errorf("%s: the first call was not made", name)
		}
		now = now.Add(90 * time.Second)
		if made(this) == c.pausesThis || made(other) == c.all {
			t.Errorf("%s: calls go on or stop where they should not", name)
		}
		if _, err := client.ExchangeCode(t.Context(), secretOf("AQcode"), ""); !errors.Is(err, graph.ErrNoVerdict) {
			t.Errorf("%s: a code was not sent: %v", name, err)
		}
		now = now.Add(4 * time.Minute)
		if !made(this) || !made(other) {
			t.Errorf("%s: calls stop for longer than Meta said", name)
		}
	}
}
