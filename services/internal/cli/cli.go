// Package cli is the command line of our binaries: settings, subcommands, signals, exit codes.
//
// Each setting is declared once, as a field of a kong struct; its flag is the kebab-case of its environment variable,
// and each secret can also come from a file. Parsing is a function of the given arguments and environment and of nothing
// else. What is wrong with the settings is said all at once, one line each, and nothing starts: exit 2. A command that
// fails exits 1. Nothing here, or below, exits by itself.
package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/whatrack/connect/services/internal/database"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// Process is what a program sees of the world.
type Process struct {
	// Args are the arguments without the program's name; Env is KEY=value.
	Args, Env      []string
	Stdout, Stderr io.Writer
	// whole is the process itself, in which there is nobody else.
	whole bool
}

// OS is the process that we are.
func OS() Process {
	return Process{Args: os.Args[1:], Env: os.Environ(), Stdout: os.Stdout, Stderr: os.Stderr, whole: true}
}

// Settings are a kong struct that embeds Common, or at least Logging, given by its address. Validate joins everything
// that is wrong, each fault naming its setting.
type Settings interface {
	Validate() error
	logLevel() slog.Level
}

// Program is one binary. A command whose part is missing does not exist.
type Program struct {
	Name, Description string
	// Version is shown by --version; default: what the Go toolchain wrote into the binary.
	Version  string
	Settings Settings
	// Vars are kong's variables in the tags of the settings, `${grpc_listen}`.
	Vars map[string]string
	// Serve is the default command.
	Serve func(context.Context, *slog.Logger) error
	// Migrations are of a program with a database and a keyset: its settings embed Common.
	Migrations database.Migrations
	// CheckLive asks what the service depends on; `check` alone only validates the settings.
	CheckLive func(context.Context, *slog.Logger) error
}

// Main runs the program and answers its exit code: main is os.Exit of it.
//
// SIGINT, SIGTERM and SIGHUP end the context of the command, once: the second one finds the default handler and kills,
// for whoever can not wait.
func Main(ctx context.Context, process Process, program Program) int {
	ctx, stop := signal.NotifyContext(ctx, signals()...)
	defer stop()
	defer context.AfterFunc(ctx, stop)()

	parsed, err := parse(process, program)
	if err != nil {
		complain(process.Stderr, program.Name, err)
		return exitUsage
	}
	if parsed.done {
		return exitOK
	}
	log := slog.New(slog.NewJSONHandler(process.Stderr, &slog.HandlerOptions{Level: program.Settings.logLevel()}))
	if process.whole {
		adoptLibraries(log)
	}
	invocation := invocation{program: program, stdout: process.Stdout, log: log, grammar: parsed.grammar}
	run, validate := invocation.command(parsed.command)
	if err := validate(); err != nil {
		complain(process.Stderr, program.Name, err)
		return exitUsage
	}
	if err := run(ctx); err != nil {
		complain(process.Stderr, program.Name, err)
		return exitFailed
	}
	return exitOK
}

// signals are those that end a command. A terminal that closes sends SIGHUP, unless nohup lets it be ignored.
func signals() []os.Signal {
	list := []os.Signal{syscall.SIGINT, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		list = append(list, syscall.SIGHUP)
	}
	return list
}

// complain writes one line for each fault.
func complain(stderr io.Writer, name string, err error) {
	for line := range strings.SplitSeq(err.Error(), "\n") {
		if line != "" {
			_, _ = fmt.Fprintf(stderr, "%s: %s\n", name, line) // without stderr there is nobody left to tell
		}
	}
}
