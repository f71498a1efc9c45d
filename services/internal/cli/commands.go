package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/alecthomas/kong"

	"github.com/whatrack/connect/services/internal/database"
	"github.com/whatrack/connect/services/internal/keyring"
)

// grammar is the part of the command line that is the same for all programs.
type grammar struct {
	Version kong.VersionFlag `help:"Print the version and exit."`

	Serve       struct{} `cmd:"" default:"1" help:"Serve until told to stop. The default."`
	Migrate     struct{} `cmd:"" help:"Bring the database up to this version and exit."`
	Check       check    `cmd:"" help:"Validate the settings and exit."`
	Healthcheck struct{} `cmd:"" help:"Ask a running service whether it is ready: exit 0 if so, else 1."`
	Keyset      keyset   `cmd:"" help:"Handle the keyset that seals the secrets."`
}

type check struct {
	Live bool `help:"Also ask what the service depends on: its files, the database, Meta, and waba-onboarding the broker."`
}

type keyset struct {
	Create struct {
		File string `arg:"" help:"The file to write; it must not exist yet."`
	} `cmd:"" help:"Write a new keyset, readable by its owner alone."`
}

// prune takes away the commands that the program does not have.
func prune(node *kong.Node, program Program) {
	_, hasAdmin := program.Settings.(administered)
	keeps := hasAdmin && program.Migrations.FS != nil
	has := map[string]bool{"serve": program.Serve != nil, "migrate": keeps, "check": true, "healthcheck": hasAdmin, "keyset": keeps}
	kept := node.Children[:0]
	for _, child := range node.Children {
		if has[child.Name] {
			kept = append(kept, child)
		}
	}
	node.Children = kept
}

// administered are settings with a database and an admin port: those that embed Common.
type administered interface {
	adminListen() string
	validateDatabase() error
	migrate(context.Context, database.Migrations, *slog.Logger) error
}

// invocation is one run of one command.
type invocation struct {
	program Program
	grammar *grammar
	stdout  io.Writer
	log     *slog.Logger
}

type command func(context.Context) error

func nothingToValidate() error { return nil }

// command answers what to run, and what must be valid first: only what the command uses, so that a keyset can be made
// before there is a database.
func (i *invocation) command(name string) (command, func() error) {
	p := i.program
	switch name {
	case "migrate":
		settings, _ := p.Settings.(administered) // the command is there for those alone
		return func(ctx context.Context) error { return settings.migrate(ctx, p.Migrations, i.log) }, settings.validateDatabase
	case "check":
		return i.check, p.Settings.Validate
	case "healthcheck":
		return i.healthcheck, nothingToValidate
	case "keyset create <file>":
		return i.createKeyset, nothingToValidate
	}
	return func(ctx context.Context) error { return p.Serve(ctx, i.log) }, p.Settings.Validate
}

func (i *invocation) check(ctx context.Context) error {
	if i.grammar.Check.Live && i.program.CheckLive != nil {
		if err := i.program.CheckLive(ctx, i.log); err != nil {
			return err
		}
	}
	if settings, ok := i.program.Settings.(noted); ok {
		for _, note := range settings.Notes() {
			if _, err := fmt.Fprintln(i.stdout, "note:", note); err != nil {
				return err
			}
		}
	}
	_, err := fmt.Fprintln(i.stdout, "ok")
	return err
}

// noted are settings of which `check` has something to say that is not wrong: what does not work without one.
type noted interface{ Notes() []string }

func (i *invocation) createKeyset(context.Context) error {
	path := i.grammar.Keyset.Create.File
	if err := keyring.Create(path); err != nil {
		return fmt.Errorf("create a keyset: %w", err)
	}
	_, err := fmt.Fprintln(i.stdout, path)
	return err
}
