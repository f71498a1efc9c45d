// Package processtest tests the programs as they are shipped: built, started as processes with their own settings,
// certificates and databases, and ended by the signals that end them in production. Only Meta is simulated.
//
// Whatever a test is about, at its end each process has stopped cleanly, nothing in any output tells of a panic or a
// race, each line of the log is one JSON object, and no secret that went over the wire is found in an output, in a table
// or in a URL.
//
// PROCESSTEST_WEBHOOKS=100000 makes a soak of the tests that kill replicas under a load of webhooks: so many instead of
// some thousands, at the same rate.
package processtest

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"
)

// programs is the folder with the programs, built once for all tests.
var programs string

func TestMain(m *testing.M) { os.Exit(realMain(m)) }

// atOnce is how many tests run side by side: they wait for timeouts and leases more than they work.
const atOnce = "5"

func realMain(m *testing.M) int {
	if err := flag.Set("test.parallel", atOnce); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	dir, err := os.MkdirTemp("", "processtest-")
	if err == nil {
		defer func() { _ = os.RemoveAll(dir) }()
		err = build(dir, raced, "../token-broker", "../waba-onboarding")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "build the programs:", err)
		return 1
	}
	programs = dir
	return m.Run()
}

func build(dir string, race bool, of ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	args := []string{"build", "-o", dir + string(os.PathSeparator)}
	if race {
		args = append(args, "-race")
	}
	cmd := exec.CommandContext(ctx, "go", append(args, of...)...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}
