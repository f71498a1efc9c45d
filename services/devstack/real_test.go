package main

import (
	"bytes"
	"log/slog"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/whatrack/connect/services/graphsim"
	"github.com/whatrack/connect/services/internal/tlstest"
)

// TestTheReadmeStartsARealPair runs every block of `bash`: certificates, keysets, callers, settings, two processes with
// mTLS between them, and a call through both. Only Meta is simulated, by a setting that the README leaves alone.
func TestTheReadmeStartsARealPair(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(folder, ".bin")+"/",
		"./services/token-broker", "./services/waba-onboarding")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	sim, err := graphsim.New(graphsim.Config{
		AppID: "1234567890", AppSecret: "0123456789abcdef0123456789abcdef", Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	meta := httptest.NewServer(sim)
	t.Cleanup(meta.Close)
	ports := freePorts(t, 5)
	here := strings.NewReplacer("127.0.0.1:8080", ports[0], "127.0.0.1:9190", ports[1], "127.0.0.1:9191", ports[2],
		"127.0.0.1:9090", ports[3], "127.0.0.1:9091", ports[4])
	_, blocks := parseMarkdown(t, here.Replace(readDocument(t, "README.md")))
	session := newScript(t)
	for _, b := range blocks {
		if b.language == "bash" {
			withoutOpenSSL(t, folder, b)
			session.add(b)
		}
	}
	session.run(t, "README.md", folder, "PATH="+curls(t)["ours"]+":"+os.Getenv("PATH"), "META_GRAPH_URL="+meta.URL)
	if t.Failed() {
		logs, _ := filepath.Glob(filepath.Join(folder, "real", "*.log"))
		for _, name := range logs {
			log, _ := os.ReadFile(name)
			t.Logf("%s:\n%s", filepath.Base(name), bytes.TrimSpace(log))
		}
	}
}

// withoutOpenSSL makes the certificates of the block that makes some, where openssl is not installed: the rest of the
// example holds there too.
func withoutOpenSSL(t *testing.T, folder string, b *block) {
	t.Helper()
	first, rest, _ := strings.Cut(b.text, "\n")
	if _, err := exec.LookPath("openssl"); err == nil || !strings.Contains(rest, "openssl ") {
		return
	}
	t.Log("without openssl, which is not installed")
	dir := filepath.Join(folder, "real")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	authority, err := tlstest.New()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"token-broker", "waba-onboarding"} {
		files, err := authority.Issue(dir, name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(files.CA, filepath.Join(dir, "ca.crt")); err != nil {
			t.Fatal(err)
		}
	}
	b.text = first + "\n"
}

func freePorts(t *testing.T, n int) []string {
	t.Helper()
	var ports []string
	for range n {
		listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close() // when all are found, so that they differ
		ports = append(ports, listener.Addr().String())
	}
	return ports
}
