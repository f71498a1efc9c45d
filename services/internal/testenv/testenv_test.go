package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheCommandsExitCodeIsOurs(t *testing.T) {
	t.Parallel()
	if code := run(t.Context(), []string{"sh", "-c", "exit 7"}, nil); code != 7 {
		t.Errorf("exit code %d, want 7", code)
	}
}

func TestTheCommandFindsWhatWasPrepared(t *testing.T) {
	t.Parallel()
	if code := run(t.Context(), []string{"sh", "-c", `test "$PREPARED" = yes`}, []string{"PREPARED=yes"}); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
}

func TestAnInterruptedRunFails(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if code := run(ctx, []string{"sleep", "60"}, nil); code == 0 {
		t.Error("exit code 0, want a failure")
	}
}

// Not parallel: a program that another test's fork still holds open for writing can not be run.
func TestFirstServerThatRunsIsTaken(t *testing.T) {
	dir := t.TempDir()
	here := func(bin string) func(context.Context, string) (string, error) {
		return func(context.Context, string) (string, error) { return bin, nil }
	}
	sources := []source{
		{"an empty folder", here(t.TempDir())},
		{"another system", here(fakeServer(t, "exit 127"))},
		{"this one", here(fakeServer(t, "echo 'postgres (PostgreSQL) 17.2 (Debian 17.2-1)'"))},
		{"too late", here(fakeServer(t, "echo 'postgres (PostgreSQL) 18.4'"))},
	}
	got, err := findServer(t.Context(), account{}, dir, sources)
	if err != nil {
		t.Fatal(err)
	}
	if got.version != "17.2" || got.major() != 17 {
		t.Errorf("version %q, major %d; want 17.2, 17", got.version, got.major())
	}

	_, err = findServer(t.Context(), account{}, dir, sources[:2])
	if err == nil || !strings.Contains(err.Error(), "another system") || !strings.Contains(err.Error(), postgresHelp) {
		t.Errorf("error %v; want what was tried, and what helps", err)
	}
}

// fakeServer makes a folder with programs that run a line of shell.
func fakeServer(t *testing.T, line string) string {
	t.Helper()
	bin := t.TempDir()
	for _, name := range []string{"initdb", "postgres"} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+line+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return bin
}

func TestLinksStayInsideThePackage(t *testing.T) {
	t.Parallel()
	list := func(text string) string {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, "native", "lib"), 0o700); err != nil {
			t.Fatal(err)
		}
		for name, content := range map[string]string{"pg-symlinks.json": text, "lib/libpq.so.5.18": "library"} {
			if err := os.WriteFile(filepath.Join(dir, "native", name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}

	dir := list(`[{"source":"native/lib/libpq.so.5.18","target":"native/lib/libpq.so.5"}]`)
	if err := makeLinks(dir); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "native", "lib", "libpq.so.5")); string(got) != "library" {
		t.Errorf("through the link: %q, %v", got, err)
	}

	if err := makeLinks(list(`[{"source":"native/lib/libpq.so.5.18","target":"../outside"}]`)); err == nil {
		t.Error("a link outside the package was made")
	}
}
