package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
)

// running is a devstack that serves, on ports of its own.
type running struct {
	*stack
	log  *logBuffer
	stop func()
}

type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func settingsOn(data string) *Settings {
	const free = "127.0.0.1:0"
	return &Settings{
		Data: data, HTTPListen: free, GraphsimListen: free, GRPCListen: free, AdminListen: free, BrokerGRPCListen: free,
		BrokerAdmin: free,
	}
}

func startStack(t *testing.T, data string) *running {
	t.Helper()
	log := &logBuffer{}
	k, err := settingsOn(data).start(t.Context(), slog.New(slog.NewJSONHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- k.run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the devstack ended with %v", err)
		}
		k.close()
	})
	t.Cleanup(stop)
	return &running{stack: k, log: log, stop: stop}
}

// call sends JSON to the REST API for org-1, or to the simulated Meta, and reads the answer.
func (r *running) call(t *testing.T, url, body string, answer any) {
	t.Helper()
	method := http.MethodGet
	if body != "" {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+r.operator.Reveal())
	req.Header.Set("X-Organization-Id", "org-1")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %s answers %s", method, url, resp.Status)
	}
	if err := json.NewDecoder(resp.Body).Decode(answer); err != nil {
		t.Fatal(err)
	}
}

func (r *running) api(path string) string {
	return "http://" + r.onboarding.HTTP.Addr() + "/api/v1/whatsapp/" + path
}

type connectionJSON struct {
	ConnectionID, WabaID, State string
	Token                       struct{ TokenID, State string }
}

// accessToken asks the broker as any service would.
func (r *running) accessToken(t *testing.T, waba string) string {
	t.Helper()
	conn, err := grpc.NewClient(r.broker.RPC.Addr(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+r.operator.Reveal())
	resp, err := tokenbrokerv1.NewTokenBrokerServiceClient(conn).GetAccessToken(ctx, &tokenbrokerv1.GetAccessTokenRequest{
		OrganizationId: "org-1", Of: &tokenbrokerv1.GetAccessTokenRequest_WabaId{WabaId: waba},
	})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetAccessToken()
}

func TestASecondStartFindsEverythingAgain(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	begin := time.Now()
	first := startStack(t, data)
	t.Logf("started in %s", time.Since(begin).Round(time.Millisecond))
	var signup struct{ Code string }
	first.call(t, "http://"+first.meta.Addr()+"/_sim/signups", `{"token": {"expiresIn": 5184000}}`, &signup)
	var claimed struct {
		State      string
		Connection connectionJSON
	}
	first.call(t, first.api("claim-waba"), `{"code": "`+signup.Code+`"}`, &claimed)
	if claimed.State != "CONNECTED" {
		t.Fatalf("the claim ended %s", claimed.State)
	}
	token, operator := first.accessToken(t, claimed.Connection.WabaID), first.operator.Reveal()
	var memory runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&memory)
	t.Logf("idle: %d KiB of heap, %d KiB from the system, tests included", memory.HeapAlloc>>10, memory.Sys>>10)
	first.stop()

	second := startStack(t, data)
	if second.operator.Reveal() != operator {
		t.Error("the bearer token is another one")
	}
	var found connectionJSON
	second.call(t, second.api("connections/"+claimed.Connection.ConnectionID), "", &found)
	if found.State != "CONNECTED" || found.WabaID != claimed.Connection.WabaID || found.Token.TokenID != claimed.Connection.Token.TokenID {
		t.Errorf("found %+v, want %+v", found, claimed.Connection)
	}
	if second.accessToken(t, found.WabaID) != token {
		t.Error("the broker opens another token")
	}
	var checked connectionJSON // the simulated Meta remembers too
	second.call(t, second.api("connections/"+found.ConnectionID+":check"), "{}", &checked)
	if checked.State != "CONNECTED" {
		t.Errorf("checked, the connection is %s", checked.State)
	}
	second.stop()

	for _, secret := range []string{token, operator, signup.Code} {
		if strings.Contains(first.log.String()+second.log.String(), secret) {
			t.Error("a secret was logged")
		}
	}
}

func TestWhatIsKeptIsItsOwnersAlone(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	k := startStack(t, data)
	var signup struct{ Code string }
	k.call(t, "http://"+k.meta.Addr()+"/_sim/signups", "{}", &signup)
	count := 0
	err := filepath.WalkDir(data, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) { // a file that was only there to be renamed
			return nil
		}
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if entry.IsDir() {
			want = 0o700
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %04o, want %04o", entry.Name(), got, want)
		}
		count++
		return nil
	})
	if err != nil || count < 7 {
		t.Errorf("looked at %d files: %v", count, err)
	}
}

func TestEveryPortThatIsTakenIsNamed(t *testing.T) {
	t.Parallel()
	var taken [2]string
	for i := range taken {
		listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		taken[i] = listener.Addr().String()
	}
	data := filepath.Join(t.TempDir(), "data")
	settings := settingsOn(data)
	settings.HTTPListen, settings.BrokerGRPCListen = taken[0], taken[1]
	_, err := settings.start(t.Context(), slog.New(slog.DiscardHandler))
	want := "HTTP_LISTEN " + taken[0] + " is taken: stop what uses it or set HTTP_LISTEN\n" +
		"BROKER_GRPC_LISTEN " + taken[1] + " is taken: stop what uses it or set BROKER_GRPC_LISTEN"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if _, err := os.Stat(data); err == nil {
		t.Error("a start that failed left a data folder behind")
	}
}

func TestAStartThatFailsSaysWhyAndLeavesNothingOpen(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	settings := settingsOn(data)
	wantFailure := func(want string) {
		t.Helper()
		if _, err := settings.start(t.Context(), slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	first := startStack(t, data)
	if err := os.Remove(settings.file("graphsim.json")); err != nil { // until the first one stops
		t.Fatal(err)
	}
	wantFailure("is in use by another process")
	if _, err := os.Stat(settings.file("graphsim.json")); err == nil {
		t.Error("a second start wrote what the first one keeps")
	}
	first.stop()
	for file, want := range map[string]string{
		"graphsim.json": "state file " + settings.file("graphsim.json"), "operator-token": settings.file("operator-token") + " is empty: remove it",
	} {
		kept, err := os.ReadFile(settings.file(file))
		if err != nil {
			t.Fatal(err)
		}
		damage := func(content []byte) {
			if err := os.WriteFile(settings.file(file), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		damage([]byte("\n"))
		wantFailure(want)
		damage(kept)
	}
	startStack(t, data)
}

func TestOneAddressGivenTwiceIsTaken(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	settings := settingsOn(t.TempDir())
	settings.GRPCListen, settings.AdminListen = address, address
	if err := settings.checkPorts(t.Context()); err == nil || !strings.Contains(err.Error(), "ADMIN_LISTEN "+address+" is taken") {
		t.Errorf("got %v", err)
	}
}

func TestNothingButLoopbackIsListenedOn(t *testing.T) {
	t.Parallel()
	settings := settingsOn(t.TempDir())
	if err := settings.Validate(); err != nil {
		t.Errorf("loopback is refused: %v", err)
	}
	settings.HTTPListen, settings.BrokerAdmin = ":8080", "192.168.1.1:9091"
	want := "HTTP_LISTEN must be a loopback address with a port, such as 127.0.0.1:8080\n" +
		"BROKER_ADMIN_LISTEN must be a loopback address with a port, such as 127.0.0.1:8080"
	if err := settings.Validate(); err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func TestProbesAnswer(t *testing.T) {
	t.Parallel()
	k := startStack(t, filepath.Join(t.TempDir(), "data"))
	for address, want := range map[string]string{
		k.admin.Addr(): "database: ok\nbroker: ok\nserving: ok\n", k.brokerAdmin.Addr(): "database: ok\nserving: ok\n",
	} {
		var answer bytes.Buffer
		if code := curl([]string{address + "/readyz"}, &answer, &answer); code != 0 || answer.String() != want {
			t.Errorf("%s answers %q", address, answer.String())
		}
	}
}

// TestASignupOpensAtTheSimulatedMeta: what a page is told leads to the simulator, and nowhere else.
func TestASignupOpensAtTheSimulatedMeta(t *testing.T) {
	t.Parallel()
	k := startStack(t, t.TempDir())
	meta := "http://" + k.meta.Addr()
	var started struct {
		SDKURL, DialogURL, ConfigID, ClientToken, RedirectURI string
		MessageOrigins                                        []string
	}
	k.call(t, k.api("onboardings"), `{}`, &started)
	if started.SDKURL != meta+"/en_US/sdk.js" || started.DialogURL != meta+"/v25.0/dialog/oauth" ||
		len(started.MessageOrigins) != 1 || started.MessageOrigins[0] != meta || started.ConfigID == "" ||
		started.ClientToken == "" || started.RedirectURI != "http://127.0.0.1:0/onboarding/callback" {
		t.Errorf("a page is told %+v", started)
	}
}
