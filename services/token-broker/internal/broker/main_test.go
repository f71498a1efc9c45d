package broker_test

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"
)

// TestMain fails when a broker that was stopped left a goroutine of ours behind.
func TestMain(m *testing.M) {
	code := m.Run()
	if left := leftGoroutines(); code == 0 && left != "" {
		fmt.Fprintf(os.Stderr, "goroutines were left behind:\n%s\n", left)
		code = 1
	}
	os.Exit(code)
}

func leftGoroutines() string {
	left := []byte{}
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		left = left[:0]
		stacks := make([]byte, 4<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		for i, stack := range bytes.Split(stacks, []byte("\n\n")) {
			if i > 0 && bytes.Contains(stack, []byte("whatrack/connect/services")) { // the first is this one
				left = append(append(left, stack...), "\n\n"...)
			}
		}
		if len(left) == 0 {
			return ""
		}
	}
	return string(left)
}
