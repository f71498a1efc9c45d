package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// script is a session of a shell made of a document's blocks, each with its output in a file of its own.
type script struct {
	dir    string
	text   strings.Builder
	blocks []*block
}

func newScript(t *testing.T) *script { return &script{dir: t.TempDir()} }

func (s *script) output(i int) string { return filepath.Join(s.dir, fmt.Sprintf("answer-%d", i)) }

// add appends a block as it stands in the document, so that its variables live on in the next.
func (s *script) add(b *block) {
	fmt.Fprintf(&s.text, "{\n%s\n} >%s 2>&1\n", b.text, s.output(len(s.blocks)))
	s.blocks = append(s.blocks, b)
}

// run runs the session in a folder, and compares what was printed with what the document says. What it leaves running
// is ended.
func (s *script) run(t *testing.T, document, folder string, env ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", s.text.String())
	cmd.Dir, cmd.Env = folder, append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	endGroup := func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.Cancel, cmd.WaitDelay = endGroup, 10*time.Second
	err := cmd.Run()
	if cmd.Process != nil {
		_ = endGroup() // the programs that the session started, if any
	}
	if err != nil {
		t.Errorf("the session ended with %v", err)
	}
	for i, b := range s.blocks {
		printed, err := os.ReadFile(s.output(i))
		if err != nil {
			t.Errorf("%s:%d was not reached", document, b.line)
			continue
		}
		if b.answers != nil && !b.answers.matches(t, string(printed)) {
			t.Errorf("%s:%d prints\n%s\nand not\n%s", document, b.line, printed, b.answers.text)
		}
	}
}

// curls are the programs that the README's commands may meet: ours, which understand what curl and grpcurl understand
// of these commands, and the installed ones besides, where there are any.
func curls(t *testing.T) map[string]string {
	t.Helper()
	ours := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	installed := t.TempDir()
	for _, tool := range []string{"curl", "grpcurl"} {
		if err := os.Symlink(self, filepath.Join(ours, tool)); err != nil {
			t.Fatal(err)
		}
		path, err := exec.LookPath(tool)
		if err != nil {
			path = self
		}
		if err := os.Symlink(path, filepath.Join(installed, tool)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := exec.LookPath("curl"); err != nil {
		t.Log("without the real curl, which is not installed")
		return map[string]string{"ours": ours}
	}
	return map[string]string{"ours": ours, "installed": installed}
}

// TestTheReadmeTellsTheTruth runs every block of `sh` as it would be pasted, against a devstack, and compares the answers
// with the blocks below them. A block of `go` is the file that its first line names.
func TestTheReadmeTellsTheTruth(t *testing.T) {
	t.Parallel()
	for name, tools := range curls(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			k := startStack(t, filepath.Join(folder, "data"))
			here := strings.NewReplacer(
				"127.0.0.1:8080", k.onboarding.HTTP.Addr(), "127.0.0.1:8081", k.meta.Addr(),
				"127.0.0.1:9190", k.onboarding.RPC.Addr(), "127.0.0.1:9191", k.admin.Addr(),
				"127.0.0.1:9090", k.broker.RPC.Addr(), "127.0.0.1:9091", k.brokerAdmin.Addr())
			_, blocks := parseMarkdown(t, here.Replace(readDocument(t, "README.md")))
			session := newScript(t)
			for _, b := range blocks {
				switch b.language {
				case "sh":
					session.add(b)
				case "go":
					writeNamed(t, folder, b)
				}
			}
			if len(session.blocks) < 10 {
				t.Fatalf("found %d blocks only", len(session.blocks))
			}
			session.run(t, "README.md", folder, "PATH="+tools+":"+os.Getenv("PATH"), "GOWORK="+absolute(t, root+"/go.work"))
		})
	}
}

// TestTheGreetingTellsTheTruth runs what the devstack says to try next.
func TestTheGreetingTellsTheTruth(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	k := startStack(t, filepath.Join(folder, "data"))
	var greeting strings.Builder
	settings := settingsOn("data")
	settings.Stdout = &greeting
	settings.greet(k.stack)
	page := fmt.Sprintf("\n  open this          http://%s/#token=%s\n", k.onboarding.HTTP.Addr(), k.operator.Reveal())
	if !strings.Contains(greeting.String(), page) {
		t.Errorf("the greeting opens no page:\n%s", greeting.String())
	}
	_, commands, ok := strings.Cut(greeting.String(), "what they shared.\n")
	if !ok {
		t.Fatalf("the greeting has no commands:\n%s", greeting.String())
	}
	session := newScript(t)
	session.add(&block{text: commands, answers: &block{language: "json", text: `{"onboardingId": "…", "organizationId": "org-1", "state": "CONNECTED", …}`}})
	session.run(t, "greeting", folder, "PATH="+curls(t)["ours"]+":"+os.Getenv("PATH"))
}

// writeNamed writes a block into the file that its first line, a comment, names.
func writeNamed(t *testing.T, folder string, b *block) {
	t.Helper()
	first, _, _ := strings.Cut(b.text, "\n")
	name, ok := strings.CutPrefix(first, "// ")
	if !ok {
		t.Fatalf("line %d: the first line names no file", b.line)
	}
	if err := os.WriteFile(filepath.Join(folder, name), []byte(b.text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	full, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return full
}
