// Package leaktest runs the tests of a package and fails when something that was stopped left a goroutine of ours behind.
package leaktest

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"time"
)

// patience is how long goroutines may take to end: nobody waits for it where all is well.
const patience = 30 * time.Second

// Run runs the tests of a *testing.M and answers the exit code.
func Run(m interface{ Run() int }) int {
	code := m.Run()
	if code != 0 {
		return code
	}
	left := goroutines()
	for end := time.Now().Add(patience); left != "" && time.Now().Before(end); left = goroutines() {
		time.Sleep(50 * time.Millisecond)
	}
	if left == "" {
		return 0
	}
	fmt.Fprintf(os.Stderr, "goroutines were left behind:\n%s\n", left)
	return 1
}

// goroutines are the stacks of ours but the one that asks.
func goroutines() string {
	var ours []byte
	stacks := make([]byte, 4<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for i, stack := range bytes.Split(stacks, []byte("\n\n")) {
		if i > 0 && bytes.Contains(stack, []byte("whatrack/connect/services")) { // the first is this one
			ours = append(append(ours, stack...), "\n\n"...)
		}
	}
	return string(ours)
}
