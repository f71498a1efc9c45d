package server_test

import (
	"flag"
	"os"
	"testing"

	"github.com/whatrack/connect/services/internal/leaktest"
)

// TestMain runs many tests side by side, since they wait more than they work, and fails when a service that was stopped
// left a goroutine of ours behind.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
	os.Exit(leaktest.Run(m))
}
