package leaktest

import (
	"strings"
	"testing"
	"time"
)

type suite func() int

func (s suite) Run() int { return s() }

func TestAGoroutineThatEndsLateIsNoneThatWasLeftBehind(t *testing.T) {
	release := make(chan struct{})
	ended := Run(suite(func() int {
		go waitFor(release)
		if seen := goroutines(); !strings.Contains(seen, "waitFor") {
			t.Errorf("the goroutine is not seen: %s", seen)
		}
		time.AfterFunc(100*time.Millisecond, func() { close(release) })
		return 0
	}))
	if ended != 0 {
		t.Errorf("the tests ended with %d", ended)
	}
}

func TestTestsThatFailedAreAskedForNothingMore(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	if ended := Run(suite(func() int { go waitFor(release); return 7 })); ended != 7 {
		t.Errorf("the tests ended with %d, want their own 7", ended)
	}
}

func waitFor(release <-chan struct{}) { <-release }
