package server_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	"github.com/whatrack/connect/services/graphsim"
	"github.com/whatrack/connect/services/internal/cli"
	"github.com/whatrack/connect/services/internal/database"
	"github.com/whatrack/connect/services/internal/databasetest"
	"github.com/whatrack/connect/services/internal/keyring"
	"github.com/whatrack/connect/services/internal/tlstest"
	"github.com/whatrack/connect/services/token-broker/brokertest"
	"github.com/whatrack/connect/services/token-broker/server"
)

func TestWrongSettingsAreRefusedAllAtOnceAndWithoutTheirSecrets(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	code := cli.Main(context.Background(), cli.Process{
		Args: []string{"check"}, Stdout: &out, Stderr: &out,
		Env: []string{
			"DATABASE_URL=mysql://user:canary-password@db", "META_APP_ID=x", "META_ACCESS_TOKEN=canary-token", "META_OWN_WABA_IDS=1,two",
		},
	}, server.Program())
	if code == 0 {
		t.Error("the settings were taken")
	}
	for _, setting := range []string{
		"DATABASE_URL", "META_APP_ID", "META_APP_SECRET", "META_OWN_ORGANIZATION", "META_OWN_WABA_IDS", "CALLERS_FILE", "KEYSET_FILE", "TLS_CERT_FILE",
	} {
		if !strings.Contains(out.String(), setting) {
			t.Errorf("%s is not complained about:\n%s", setting, out.String())
		}
	}
	if got := strings.Count(out.String(), "META_APP_SECRET (or"); got != 1 {
		t.Errorf("META_APP_SECRET is complained about %d times, want once:\n%s", got, out.String())
	}
	if strings.Contains(out.String(), "canary") {
		t.Errorf("a secret is shown:\n%s", out.String())
	}
}

func TestAnOwnBusinessIsWholeOrNotThere(t *testing.T) {
	t.Parallel()
	l := live{databaseURL: "sqlite:///x.db", keyset: "k", meta: "https://graph.facebook.com", appSecret: "s"}
	const needs = "META_OWN_ORGANIZATION and META_OWN_WABA_IDS need META_ACCESS_TOKEN"
	for _, more := range []string{"META_OWN_ORGANIZATION=own", "META_OWN_WABA_IDS=1"} {
		if code, out := l.run(t, []string{"check"}, more); code != 2 || !strings.Contains(out, needs) {
			t.Errorf("%s alone: exit %d: %s", more, code, out)
		}
	}
	if code, out := l.run(t, []string{"check"}, "META_ACCESS_TOKEN=t", "META_OWN_ORGANIZATION=own", "META_OWN_WABA_IDS=1"); code != 0 {
		t.Errorf("all three: exit %d: %s", code, out)
	}
}

// live are settings of which everything is there: a simulated Meta, a migrated database, a keyset and a list of callers.
type live struct{ databaseURL, keyset, meta, appSecret string }

func newLive(t *testing.T) live {
	t.Helper()
	_, url := brokertest.ServeMeta(t, graphsim.Config{})
	return live{databasetest.SQLiteURL(t, server.Migrations()), newKeyset(t), url, brokertest.AppSecret}
}

func newKeyset(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keyset.json")
	if err := keyring.Create(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// run runs a command with the settings, and more.
func (l live) run(t *testing.T, args []string, more ...string) (code int, out string) {
	t.Helper()
	callers := filepath.Join(t.TempDir(), "callers.json")
	if err := os.WriteFile(callers, []byte(`{"callers": [{"name": "a", "san": "a", "rpcs": ["*"]}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	var written bytes.Buffer
	code = cli.Main(t.Context(), cli.Process{
		Args: args, Stdout: &written, Stderr: &written,
		Env: append([]string{
			"DATABASE_URL=" + l.databaseURL, "META_GRAPH_URL=" + l.meta, "META_APP_ID=" + brokertest.AppID, "META_APP_SECRET=" + l.appSecret,
			"CALLERS_FILE=" + callers, "KEYSET_FILE=" + l.keyset, "INSECURE=true",
		}, more...),
	}, server.Program())
	return code, written.String()
}

func TestALiveCheckAsksTheDatabaseAndMeta(t *testing.T) {
	t.Parallel()
	l := newLive(t)
	if code, out := l.run(t, []string{"check", "--live"}); code != 0 {
		t.Errorf("everything is right, and the check ends with %d: %s", code, out)
	}
	l.appSecret, l.databaseURL = "canary-secret", "sqlite://"+filepath.Join(t.TempDir(), "empty.db")
	code, out := l.run(t, []string{"check", "--live"})
	if code == 0 || !strings.Contains(out, "META_APP_SECRET") || !strings.Contains(out, "migrate") || strings.Contains(out, "canary") {
		t.Errorf("with a wrong secret and an empty database the check ends with %d: %s", code, out)
	}
}

func TestAnotherKeysetThanTheDatabasesIsRefused(t *testing.T) {
	t.Parallel()
	l := newLive(t)
	seal(t, l.databaseURL, l.keyset)
	if code, out := l.run(t, []string{"check", "--live"}); code != 0 {
		t.Errorf("the right keyset, and the check ends with %d: %s", code, out)
	}
	l.keyset = newKeyset(t)
	for _, args := range [][]string{{"check", "--live"}, {"serve"}} {
		code, out := l.run(t, args)
		if code != 1 || !strings.Contains(out, "token-broker: KEYSET_FILE "+l.keyset+": the database holds values sealed under the key ") {
			t.Errorf("%v with another keyset ends with %d: %s", args, code, out)
		}
	}
}

func TestALiveCheckReadsTheTLSFiles(t *testing.T) {
	t.Parallel()
	l := newLive(t)
	authority, err := tlstest.New()
	if err != nil {
		t.Fatal(err)
	}
	files, err := authority.Issue(t.TempDir(), "token-broker")
	if err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(t.TempDir(), "none")
	for _, c := range []struct{ cert, ca, want string }{
		{files.Cert, files.CA, "ok\n"},
		{missing, files.CA, "token-broker: TLS_CERT_FILE: open " + missing + ": no such file or directory\n"},
		{files.Cert, files.Key, "token-broker: TLS_CA_FILE " + files.Key + " must be PEM certificates and nothing else: "},
	} {
		code, out := l.run(t, []string{"check", "--live"}, "INSECURE=false", "TLS_CERT_FILE="+c.cert, "TLS_KEY_FILE="+files.Key, "TLS_CA_FILE="+c.ca)
		if (code == 0) != (c.want == "ok\n") || !strings.HasPrefix(out, c.want) {
			t.Errorf("exit %d: %s, want %s", code, out, c.want)
		}
	}
}

// seal stores one token.
func seal(t *testing.T, databaseURL, keyset string) {
	t.Helper()
	keys, err := keyring.Open(keyset)
	if err != nil {
		t.Fatal(err)
	}
	db, err := database.Open(t.Context(), databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	meta, url := brokertest.ServeMeta(t, graphsim.Config{})
	b := brokertest.Start(t, db, url, brokertest.Options{Keys: keys})
	if _, err := b.ExchangeCode(t.Context(), &tokenbrokerv1.ExchangeCodeRequest{
		OrganizationId: "org-1", OnboardingId: "onboarding-1", Code: meta.SignUp(graphsim.SignUp{}).Code,
	}); err != nil {
		t.Fatal(err)
	}
	b.Stop()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}
