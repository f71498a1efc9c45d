package webhook

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/whatrack/connect/services/internal/run"
)

const (
	shortRest   = 40 * time.Millisecond
	longestRest = 480 * time.Millisecond
	// It is a flood when so many bodies come within a short rest, and so many share a commit: with a slow disk alone they
	// share it too, and when they are merely many, each is kept at once.
	floodBodies = 80
	floodShare  = 4
)

// intakeMeter counts what intake kept, and with how many commits.
type intakeMeter struct{ bodies, commits atomic.Int64 }

func (m *intakeMeter) add(bodies int) {
	m.bodies.Add(int64(bodies))
	m.commits.Add(1)
}

// rest lets more come, which then share a commit. In a flood, intake goes first, for up to the longest rest: Meta waits
// for its answer, and what is kept can be split later.
func (m *intakeMeter) rest(ctx context.Context) {
	for rested := time.Duration(0); rested < longestRest; rested += shortRest {
		bodies, commits := m.bodies.Load(), m.commits.Load()
		run.Pause(ctx, shortRest)
		bodies, commits = m.bodies.Load()-bodies, m.commits.Load()-commits
		if ctx.Err() != nil || bodies < floodBodies || bodies < floodShare*commits {
			return
		}
	}
}
