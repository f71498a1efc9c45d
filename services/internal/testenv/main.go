// Testenv prepares what the tests need and Go does not bring, runs a command with it, and takes it down again.
//
//	testenv go test work
//	testenv -durable go run ./services/bench
//
// The PostgreSQL of the tests is fast and forgetful; with -durable it syncs its commits, as one in production does.
//
// It never skips: what can not be found or fetched ends the run, with the command that would help. Its exit code is the
// command's. Several may run at once on one machine.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

// A resource is something prepared: what the command finds in its environment, and how to take it down.
type resource struct {
	env  []string
	stop func()
}

func main() {
	// Linux ties the server's life to the thread that started it (see dieWithParent); this one lasts.
	runtime.LockOSThread()
	os.Exit(realMain(os.Args[1:]))
}

func realMain(args []string) int {
	durable := len(args) > 0 && args[0] == "-durable"
	if durable {
		args = args[1:]
	}
	if len(args) == 0 {
		say("usage: testenv [-durable] COMMAND [ARGUMENT]...")
		return 2
	}
	// Caught from the first moment, so that Ctrl-C leaves nothing behind either.
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer cancel()

	database, err := preparePostgres(ctx, durable)
	if err != nil {
		say("%v", err)
		return 1
	}
	defer database.stop()
	return run(ctx, args, database.env)
}

// run runs the command in a process group of its own, so that ending it ends what it started.
func run(ctx context.Context, args, env []string) int {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// An interrupt, whatever we were sent: go test waits for its children then, and tidies up.
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = 10 * time.Second

	err := cmd.Run()
	if cmd.Process != nil {
		// Whoever is left outlived the command. That there is nobody is the normal case.
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit) && exit.Exited():
		return exit.ExitCode()
	default:
		say("%s: %v", args[0], err)
		return 1
	}
}

func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "testenv: "+format+"\n", args...)
}
