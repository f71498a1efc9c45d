package server_test

import (
	"net/http"
	"testing"
	"time"

	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/graphsim"
)

func TestABusyReceiverIsLeftAloneForAsLongAsItAsks(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.hook()
		_, signed := b.connect(b.as(org1), graphsim.SignUp{})
		r, w := receive(t), b.witness()
		busy := func(status int, after string) {
			r.do(func(w http.ResponseWriter, _ *http.Request, _ got) {
				w.Header().Set("Retry-After", after)
				w.WriteHeader(status)
			})
		}
		busy(http.StatusTooManyRequests, "600")
		d := b.destine(org1, &onboardingv1.CreateDestinationRequest{Url: r.URL, EventTypes: []string{"change.messages"}})
		b.say(signed.PhoneNumberIDs[0], 1)
		// paused is how long an attempt lets the next one wait.
		paused := func(attempt int) time.Duration {
			t.Helper()
			eventually(t, "the attempt", func() bool { return len(b.attempts(org1, d.GetDestinationId())) == attempt })
			last := b.attempts(org1, d.GetDestinationId())[0]
			return last.GetNextAttemptTime().AsTime().Sub(last.GetTime().AsTime())
		}
		const slow = 30 * time.Second // this machine may be busy
		if pause := paused(1); pause < 10*time.Minute || pause > 10*time.Minute+slow {
			t.Errorf("asked for ten minutes, it has %s", pause)
		}
		b.clock.advance(5 * time.Minute)
		w.hears(b)
		if n := len(r.all()); n != 1 {
			t.Errorf("%d came though it is busy", n)
		}
		busy(http.StatusServiceUnavailable, time.Now().Add(48*time.Hour).UTC().Format(http.TimeFormat))
		b.clock.advance(6 * time.Minute)
		if pause := paused(2); pause < time.Hour || pause > time.Hour+slow {
			t.Errorf("asked for two days, it has %s", pause)
		}
		busy(http.StatusServiceUnavailable, "1")
		b.clock.advance(2 * time.Hour)
		if pause := paused(3); pause < 2*time.Minute { // our own third pause
			t.Errorf("asked for a second, it has %s", pause)
		}
		r.say(http.StatusOK)
		b.clock.advance(3 * time.Minute)
		b.awaitDestination(org1, d.GetDestinationId(), "it is received", func(d *onboardingv1.Destination) bool { return d.GetPendingCount() == 0 })
	})
}
