package webhook

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/whatrack/connect/services/internal/run"
)

func TestSplittingRestsForAsLongAsThereIsAFlood(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		every time.Duration // a commit of so many bodies
		share int
		last  time.Duration
		want  time.Duration
	}{
		"nothing comes":                {want: shortRest},
		"a few":                        {every: 10 * time.Millisecond, share: 1, last: 10 * time.Second, want: shortRest},
		"many, each kept at once":      {every: 250 * time.Microsecond, share: 1, last: 10 * time.Second, want: shortRest},
		"some that share, a slow disk": {every: 50 * time.Millisecond, share: 16, last: 10 * time.Second, want: shortRest},
		"a flood that ends":            {every: time.Millisecond, share: 16, last: 400 * time.Millisecond, want: 440 * time.Millisecond},
		"a flood that does not end":    {every: time.Millisecond, share: 16, last: 10 * time.Second, want: longestRest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var m intakeMeter
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				start := time.Now()
				if tt.every > 0 {
					go func() {
						for ctx.Err() == nil && time.Since(start) < tt.last {
							m.add(tt.share)
							run.Pause(ctx, tt.every)
						}
					}()
				}
				m.rest(t.Context())
				if rested := time.Since(start).Round(shortRest); rested != tt.want {
					t.Errorf("rested %s, want %s", rested, tt.want)
				}
			})
		})
	}
}
