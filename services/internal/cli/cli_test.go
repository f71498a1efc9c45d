package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/grpclog"

	"github.com/whatrack/connect/services/internal/cli"
	"github.com/whatrack/connect/services/internal/database"
	"github.com/whatrack/connect/services/internal/secret"
)

const canary = "EAAcanary"

type settings struct {
	cli.Common `embed:""`

	MetaAccessToken secret.Text   `help:"The operator's own token."`
	ExtendWindow    time.Duration `default:"336h" help:"How long before its end a token is extended."`
	MetaOwnWabaIDs  []string      `name:"meta-own-waba-ids" help:"The operator's own WABAs."`
}

type result struct {
	code           int
	stdout, stderr string
	settings       settings
	served         bool
}

func migrations() database.Migrations {
	return database.Migrations{FS: fstest.MapFS{"sqlite/0001_rows.sql": {Data: []byte("-- +goose Up\ncreate table rows (id integer);")}}}
}

// start runs a program of ours with the given arguments and environment.
func start(t *testing.T, env []string, args ...string) result {
	t.Helper()
	var r result
	var stdout, stderr bytes.Buffer
	r.code = cli.Main(t.Context(), cli.Process{Args: args, Env: env, Stdout: &stdout, Stderr: &stderr}, cli.Program{
		Name: "token-broker", Description: "Keeps access tokens.", Version: "1.2.3", Settings: &r.settings,
		Vars: map[string]string{"grpc_listen": ":9090", "admin_listen": ":9091"},
		Serve: func(_ context.Context, log *slog.Logger) error {
			r.served = true
			log.Debug("serving", "settings", r.settings)
			return nil
		},
		Migrations: migrations(),
		CheckLive:  func(context.Context, *slog.Logger) error { return errors.New("database: silent\nMeta: silent") },
	})
	r.stdout, r.stderr = stdout.String(), stderr.String()
	return r
}

func complete() []string {
	return []string{
		"DATABASE_URL=sqlite:///data/broker.db", "NEXT_PUBLIC_META_APP_ID=1234567890", "META_APP_SECRET=" + canary,
		"CALLERS_FILE=callers.json", "KEYSET_FILE=keyset.json", "INSECURE=true", "META_OWN_WABA_IDS=1, 2",
	}
}

func TestServeIsTheDefaultAndTakesItsSettingsFromTheEnvironment(t *testing.T) {
	t.Parallel()
	r := start(t, complete(), "--log-level=debug")
	if r.code != 0 || !r.served {
		t.Fatalf("exit %d: %s", r.code, r.stderr)
	}
	s := r.settings
	got := []any{s.GRPCListen, s.AdminListen, s.MetaAppID, s.MetaGraphVersion, s.ExtendWindow, s.MetaOwnWabaIDs, s.MetaAppSecret.Reveal()}
	want := []any{":9090", ":9091", "1234567890", "v25.0", 336 * time.Hour, []string{"1", "2"}, canary}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(r.stderr, canary) || !strings.Contains(r.stderr, "[redacted]") {
		t.Errorf("the settings were logged as %s", r.stderr)
	}
}

func TestAFlagWinsOverTheEnvironment(t *testing.T) {
	t.Parallel()
	r := start(t, append(complete(), "GRPC_LISTEN=:1", "META_APP_ID=42"), "serve", "--grpc-listen", "127.0.0.1:2")
	if r.code != 0 || r.settings.GRPCListen != "127.0.0.1:2" || r.settings.MetaAppID != "42" {
		t.Errorf("exit %d, %q, %q: %s", r.code, r.settings.GRPCListen, r.settings.MetaAppID, r.stderr)
	}
}

func TestAllFaultsAreSaidAtOnceOneLineEach(t *testing.T) {
	t.Parallel()
	r := start(t, []string{
		"DATABASE_URL=mysql://root:" + canary + "@db/x", "META_GRAPH_URL=http://graph.example", "META_GRAPH_VERSION=25",
		"META_APP_ID=12a", "GRPC_LISTEN=9090", "EXTEND_WINDOW=soon", "LOG_LEVEL=loud", "META_APP_SECRET=",
	})
	if r.code != 2 || r.served {
		t.Errorf("exit %d, served %v, want 2 and not", r.code, r.served)
	}
	if strings.Contains(r.stderr, canary) {
		t.Errorf("a secret was printed: %s", r.stderr)
	}
	for _, want := range []string{"EXTEND_WINDOW: ", "LOG_LEVEL: must be debug, info, warn or error, not \"loud\"\n"} {
		if !strings.Contains(r.stderr, "token-broker: "+want) {
			t.Errorf("nothing about %q in\n%s", want, r.stderr)
		}
	}

	r = start(t, []string{
		"DATABASE_URL=mysql://root:" + canary + "@db/x", "META_GRAPH_URL=http://graph.example", "META_GRAPH_VERSION=25",
		"META_APP_ID=12a", "GRPC_LISTEN=9090", "META_APP_SECRET=  ",
	})
	want := `token-broker: GRPC_LISTEN must be host:port or :port, such as 127.0.0.1:8080
token-broker: DATABASE_URL must be postgres://… or sqlite:///path/file.db
token-broker: META_GRAPH_URL must be https://; http:// is taken on loopback or with INSECURE only
token-broker: META_GRAPH_VERSION must be like v25.0
token-broker: META_APP_ID (or NEXT_PUBLIC_META_APP_ID) is required, in digits
token-broker: META_APP_SECRET (or META_APP_SECRET_FILE) is required
token-broker: TLS_CERT_FILE and TLS_KEY_FILE are required, or INSECURE for plaintext
token-broker: CALLERS_FILE is required
token-broker: KEYSET_FILE is required
`
	if diff := cmp.Diff(want, r.stderr); diff != "" || r.code != 2 {
		t.Errorf("exit %d\n%s", r.code, diff)
	}
}

func TestASecretMayStandInAFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	tests := []struct {
		name, file, want, fault string
		env                     string
	}{
		{name: "one newline is the editor's", file: write("a", canary+"\n"), want: canary},
		{name: "two are the secret's", file: write("b", canary+"\n\n"), want: canary + "\n"},
		{name: "no newline", file: write("c", canary), want: canary},
		{name: "empty", file: write("d", "\n"), fault: "META_ACCESS_TOKEN_FILE: "},
		{name: "too large", file: write("e", strings.Repeat("x", 70<<10)), fault: "too large"},
		{name: "missing", file: filepath.Join(dir, "none"), fault: "META_ACCESS_TOKEN_FILE: open"},
		{name: "both", file: write("f", canary), env: "META_ACCESS_TOKEN=x", fault: "META_ACCESS_TOKEN and META_ACCESS_TOKEN_FILE exclude each other"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := start(t, append(complete(), "META_ACCESS_TOKEN_FILE="+tt.file, tt.env))
			if tt.fault != "" {
				if r.code != 2 || !strings.Contains(r.stderr, tt.fault) || strings.Contains(r.stderr, canary) {
					t.Errorf("exit %d, %s, want 2 and %q", r.code, r.stderr, tt.fault)
				}
				return
			}
			if r.code != 0 || r.settings.MetaAccessToken.Reveal() != tt.want {
				t.Errorf("exit %d, %q: %s", r.code, r.settings.MetaAccessToken.Reveal(), r.stderr)
			}
			byFlag := start(t, complete(), "--meta-access-token-file", tt.file)
			if byFlag.settings.MetaAccessToken.Reveal() != tt.want {
				t.Errorf("by flag: exit %d: %s", byFlag.code, byFlag.stderr)
			}
		})
	}
}

func TestPlaintextIsOnlyWhereItWasAskedFor(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		env   []string
		fault string
	}{
		{"neither", []string{"INSECURE=false"}, "TLS_CERT_FILE and TLS_KEY_FILE are required"},
		{"half", []string{"INSECURE=false", "TLS_CERT_FILE=c"}, "TLS_CERT_FILE and TLS_KEY_FILE are required"},
		{"both", []string{"TLS_CERT_FILE=c", "TLS_KEY_FILE=k"}, "INSECURE excludes"},
		{"TLS", []string{"INSECURE=false", "TLS_CERT_FILE=c", "TLS_KEY_FILE=k"}, ""},
		{"plaintext Graph under INSECURE", []string{"META_GRAPH_URL=http://graphsim:8081"}, ""},
		{"plaintext Graph on loopback", []string{"INSECURE=no", "TLS_CERT_FILE=c", "TLS_KEY_FILE=k", "META_GRAPH_URL=http://127.0.0.1:8081"}, ""},
		{"plaintext Graph elsewhere", []string{"INSECURE=no", "TLS_CERT_FILE=c", "TLS_KEY_FILE=k", "META_GRAPH_URL=http://10.0.0.1"}, "META_GRAPH_URL must be https"},
		{"a slash after the host", []string{"META_GRAPH_URL=https://graph.facebook.com/"}, ""},
		{"a version in the URL", []string{"META_GRAPH_URL=https://graph.facebook.com/v25.0"}, "META_GRAPH_URL must have no path and no query: the version is META_GRAPH_VERSION"},
		{"a query in the URL", []string{"META_GRAPH_URL=https://graph.facebook.com?a=b"}, "META_GRAPH_URL must have no path"},
		{"a delay that is none", []string{"DRAIN_DELAY=-1s"}, "DRAIN_DELAY must be from 0s to 1m"},
		{"a user in the URL", []string{"META_GRAPH_URL=https://a:" + canary + "@graph.facebook.com"}, "META_GRAPH_URL must be https://host"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := start(t, append(complete(), tt.env...), "check")
			if (r.code == 0) != (tt.fault == "") || !strings.Contains(r.stderr, tt.fault) || strings.Contains(r.stderr, canary) {
				t.Errorf("exit %d: %s", r.code, r.stderr)
			}
		})
	}
}

func TestCommandsNeedOnlyTheSettingsThatTheyUse(t *testing.T) {
	t.Parallel()
	if r := start(t, nil, "migrate"); r.code != 2 || r.stderr != "token-broker: DATABASE_URL (or DATABASE_URL_FILE) is required\n" {
		t.Errorf("migrate without a database: exit %d: %s", r.code, r.stderr)
	}
	env := []string{"DATABASE_URL=sqlite://" + filepath.Join(t.TempDir(), "x.db")}
	path := filepath.Join(t.TempDir(), "keyset.json")
	storage := cli.Common{DatabaseURL: secret.New(strings.TrimPrefix(env[0], "DATABASE_URL=")), KeysetFile: path}
	err := storage.CheckStorage(t.Context(), migrations(), nil)
	if err == nil || !strings.Contains(err.Error(), "migrate first") || !strings.Contains(err.Error(), "KEYSET_FILE: open "+path) {
		t.Errorf("before migrate and keyset create: %v", err)
	}
	if r := start(t, env, "migrate"); r.code != 0 || !strings.Contains(r.stderr, "is migrated") {
		t.Errorf("migrate: exit %d: %s", r.code, r.stderr)
	}
	if r := start(t, nil, "keyset", "create", path); r.code != 0 || r.stdout != path+"\n" {
		t.Errorf("keyset create: exit %d: %s", r.code, r.stderr)
	}
	if err := storage.CheckStorage(t.Context(), migrations(), nil); err != nil {
		t.Errorf("after migrate and keyset create: %v", err)
	}
	if r := start(t, nil, "keyset", "create", path); r.code != 1 {
		t.Errorf("keyset create over a keyset: exit %d: %s", r.code, r.stderr)
	}
	if r := start(t, complete(), "check"); r.code != 0 || r.stdout != "ok\n" {
		t.Errorf("check: exit %d: %s", r.code, r.stderr)
	}
	if r := start(t, complete(), "check", "--live"); r.code != 1 || r.stderr != "token-broker: database: silent\ntoken-broker: Meta: silent\n" {
		t.Errorf("check --live: exit %d: %s", r.code, r.stderr)
	}
}

func TestUsageIsToldAndExitsTwo(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"dance"}, {"--dance"}, {"keyset"}, {"keyset", "create"}, {"serve", "x"}, {"--extend-window=soon"}} {
		if r := start(t, complete(), args...); r.code != 2 || r.served || !strings.Contains(r.stderr, "see --help") {
			t.Errorf("%v: exit %d: %s", args, r.code, r.stderr)
		}
	}
}

func TestHelpAndVersionAnswerAndDoNothing(t *testing.T) {
	t.Parallel()
	r := start(t, []string{"VERSION=9", "HELP=1"}, "--help")
	for _, want := range []string{
		"Usage: token-broker", "keyset create <file>", "--grpc-listen=HOST:PORT", "$GRPC_LISTEN", "$NEXT_PUBLIC_META_APP_ID",
		"--meta-app-secret-file", "336h", ":9090",
	} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("--help says nothing about %q:\n%s", want, r.stdout)
		}
	}
	if r.code != 0 || r.served {
		t.Errorf("--help: exit %d, served %v", r.code, r.served)
	}
	if r := start(t, nil, "--version"); r.code != 0 || r.stdout != "token-broker 1.2.3\n" {
		t.Errorf("--version: exit %d, %q", r.code, r.stdout)
	}
}

func TestAProgramHasOnlyTheCommandsThatItGives(t *testing.T) {
	t.Parallel()
	var only struct {
		cli.Logging `embed:""`
		nothing
	}
	run := func(args ...string) (int, string) {
		var out bytes.Buffer
		code := cli.Main(t.Context(), cli.Process{Args: args, Stdout: &out, Stderr: &out}, cli.Program{
			Name: "graphsim", Settings: &only,
			Serve: func(context.Context, *slog.Logger) error { return nil },
		})
		return code, out.String()
	}
	if code, out := run(); code != 0 {
		t.Errorf("serve: exit %d: %s", code, out)
	}
	for _, command := range []string{"migrate", "healthcheck", "keyset"} {
		if code, out := run(command); code != 2 {
			t.Errorf("%s: exit %d: %s", command, code, out)
		}
	}
}

type nothing struct{}

func (nothing) Validate() error { return nil }

func TestHealthcheckAsksTheAdminPort(t *testing.T) {
	t.Parallel()
	code := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			t.Errorf("asked for %s", r.URL.Path)
		}
		w.WriteHeader(code)
		_, _ = w.Write([]byte("database: ok\n"))
	}))
	defer server.Close()
	env := []string{"ADMIN_LISTEN=" + strings.TrimPrefix(server.URL, "http://"), "HTTP_PROXY=http://127.0.0.1:1"}
	if r := start(t, env, "healthcheck"); r.code != 0 || r.stdout != "database: ok\n" {
		t.Errorf("ready: exit %d: %s%s", r.code, r.stdout, r.stderr)
	}
	code = http.StatusServiceUnavailable
	if r := start(t, env, "healthcheck"); r.code != 1 || !strings.Contains(r.stderr, "503") {
		t.Errorf("not ready: exit %d: %s", r.code, r.stderr)
	}
	server.Close()
	if r := start(t, env, "healthcheck"); r.code != 1 {
		t.Errorf("gone: exit %d: %s", r.code, r.stderr)
	}
}

func TestASignalEndsTheCommand(t *testing.T) { // not parallel: a signal reaches every program in this process
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP} {
		ended := false
		code := cli.Main(t.Context(), cli.Process{Stdout: &bytes.Buffer{}, Stderr: &bytes.Buffer{}}, cli.Program{
			Name: "x", Settings: &struct {
				cli.Logging `embed:""`
				nothing
			}{},
			Serve: func(ctx context.Context, _ *slog.Logger) error {
				if err := syscall.Kill(syscall.Getpid(), signal); err != nil {
					return err
				}
				<-ctx.Done()
				ended = true
				return nil
			},
		})
		if code != 0 || !ended {
			t.Errorf("%v: exit %d, ended %v", signal, code, ended)
		}
	}
}

func TestWhatLibrariesSayIsJSONToo(t *testing.T) { // not parallel: they have one logger
	var stderr bytes.Buffer
	process := cli.OS()
	process.Args, process.Env, process.Stderr = nil, complete(), &stderr
	var s settings
	code := cli.Main(t.Context(), process, cli.Program{
		Name: "x", Settings: &s,
		Vars: map[string]string{"grpc_listen": ":9090", "admin_listen": ":9091"},
		Serve: func(context.Context, *slog.Logger) error {
			grpclog.Info("an info")
			grpclog.Warningf("a header of a stranger: %q", canary)
			grpclog.Errorf("Failed to send response chunk: %v", errors.New("the client\nis gone"))
			grpclog.Component("core").Error("more")
			return nil
		},
	})
	var got []string
	for line := range strings.Lines(stderr.String()) {
		var entry struct{ Level, Error string }
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Errorf("%q: %v", line, err)
		}
		got = append(got, entry.Level+": "+entry.Error)
	}
	want := []string{"WARN: Failed to send response chunk: the client\nis gone", "WARN: [core] more"}
	if diff := cmp.Diff(want, got); diff != "" || code != 0 {
		t.Errorf("exit %d, log (-want +got):\n%s", code, diff)
	}
}

func TestParsingIsAFunctionOfItsArguments(t *testing.T) {
	t.Setenv("GRPC_LISTEN", ":1")
	t.Setenv("META_GRAPH_VERSION", "v1.0")
	r := start(t, complete(), "check")
	if r.settings.GRPCListen != ":9090" || r.settings.MetaGraphVersion != "v25.0" {
		t.Errorf("the environment of the process leaked in: %q %q", r.settings.GRPCListen, r.settings.MetaGraphVersion)
	}
}
