package server_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"
)

// TestMain runs many tests side by side, since they wait more than they work, and fails when a service that was stopped
// left a goroutine of ours behind.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
	code := m.Run()
	if left := leftGoroutines(); code == 0 && left != "" {
		fmt.Fprintf(os.Stderr, "goroutines were left behind:\n%s\n", left)
		code = 1
	}
	os.Exit(code)
}

func leftGoroutines() (left string) {
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		stacks := make([]byte, 4<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		left = ""
		for i, stack := range bytes.Split(stacks, []byte("\n\n")) {
			if i > 0 && bytes.Contains(stack, []byte("whatrack/connect/services")) { // the first is this one
				left += string(stack) + "\n\n"
			}
		}
		if left == "" {
			return ""
		}
	}
	return left
}
