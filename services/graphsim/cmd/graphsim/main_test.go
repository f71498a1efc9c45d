package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// output is a buffer that the program writes while the test reads.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// address waits until the program says where it listens.
func (o *output) address(t *testing.T) string {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		for line := range strings.Lines(o.String()) {
			var entry struct{ Msg, Address string }
			if err := json.Unmarshal([]byte(line), &entry); err == nil && entry.Address != "" {
				return entry.Address
			}
		}
	}
	t.Fatalf("the program does not listen: %s", o)
	return ""
}

func TestProgramServesUntilItIsToldToStopEvenWhileARequestIsHeld(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var stdout, stderr output
	code := make(chan int, 1)
	state := filepath.Join(t.TempDir(), "state.json")
	go func() {
		code <- realMain(ctx, []string{"--listen", "127.0.0.1:0", "--state-file", state}, &stdout, &stderr)
	}()
	url := "http://" + stderr.address(t)

	if status, body := call(t, http.MethodPost, url+"/_sim/signups", `{}`); status != http.StatusOK {
		t.Errorf("signup answers %d %s", status, body)
	}
	call(t, http.MethodPost, url+"/_sim/faults", `{"path":"/*/register","hold":true}`)
	held := make(chan int, 1)
	go func() {
		status, _ := call(t, http.MethodPost, url+"/v25.0/1/register", `{}`)
		held <- status
	}()
	waitHeld(t, url)
	stop()

	if got := <-code; got != 0 {
		t.Errorf("exit code is %d: %s", got, &stderr)
	}
	if got := <-held; got != http.StatusBadRequest {
		t.Errorf("the held request was answered %d, want 400", got)
	}
}

// call is 0 when no answer came.
func call(t *testing.T, method, url, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	data, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		t.Error(err)
	}
	return resp.StatusCode, string(data)
}

func waitHeld(t *testing.T, url string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if _, body := call(t, http.MethodGet, url+"/_sim/requests?state=held", ""); strings.TrimSpace(body) != "[]" {
			return
		}
	}
	t.Fatal("no request is held")
}

func TestProgramRefusesAddressesThatOthersCanReach(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"0.0.0.0:0", ":0", "[::]:0", "10.0.0.1:0", "nonsense"} {
		var stdout, stderr output
		if got := realMain(t.Context(), []string{"--listen", address}, &stdout, &stderr); got != 2 {
			t.Errorf("--listen %s: exit code is %d", address, got)
		}
		if !strings.Contains(stderr.String(), "--listen") {
			t.Errorf("--listen %s: says %q", address, &stderr)
		}
	}
}

func TestProgramListensRemotelyWhenTold(t *testing.T) {
	t.Parallel()
	if err := (flags{Listen: "0.0.0.0:8081", AllowRemote: true}).checkListen(); err != nil {
		t.Error(err)
	}
}

func TestHelpExplainsEveryFlag(t *testing.T) {
	t.Parallel()
	var stdout, stderr output
	if got := realMain(t.Context(), []string{"--help"}, &stdout, &stderr); got != 0 {
		t.Errorf("exit code is %d", got)
	}
	for _, flag := range []string{"--listen", "--allow-remote", "--app-id", "--app-secret", "--state-file", "--latency", "--own-access-token", "--callback-url", "--verify-token"} {
		if !strings.Contains(stdout.String(), flag) {
			t.Errorf("--help does not name %s", flag)
		}
	}
}

func TestCallbackIsPassedOnAndAMalformedOneRefused(t *testing.T) {
	t.Parallel()
	cfg := flags{CallbackURL: "http://127.0.0.1:8080/webhook", VerifyToken: "x"}.config(nil)
	if cfg.CallbackURL != "http://127.0.0.1:8080/webhook" || cfg.VerifyToken != "x" {
		t.Errorf("config is %+v", cfg)
	}
	var stdout, stderr output
	if got := realMain(t.Context(), []string{"--listen", "127.0.0.1:0", "--callback-url", "nonsense"}, &stdout, &stderr); got != 1 {
		t.Errorf("exit code is %d", got)
	}
}
