package server_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/whatrack/connect/services/graphsim"
	"github.com/whatrack/connect/services/internal/cli"
	"github.com/whatrack/connect/services/internal/database"
	"github.com/whatrack/connect/services/internal/databasetest"
	"github.com/whatrack/connect/services/internal/jobs"
	"github.com/whatrack/connect/services/internal/keyring"
	"github.com/whatrack/connect/services/token-broker/brokertest"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
	"github.com/whatrack/connect/services/waba-onboarding/server"
)

// process runs a command with settings of which all but the broker is there, and more; the last of one name counts.
func process(t *testing.T, args []string, more ...string) (code int, out string) {
	t.Helper()
	callers := filepath.Join(t.TempDir(), "callers.json")
	if err := os.WriteFile(callers, []byte(`{"callers": [{"name": "a", "san": "a", "organizations": ["*"]}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	_, meta := brokertest.ServeMeta(t, graphsim.Config{})
	var written bytes.Buffer
	code = cli.Main(t.Context(), cli.Process{
		Args: args, Stdout: &written, Stderr: &written,
		Env: append([]string{
			"META_GRAPH_URL=" + meta, "META_APP_ID=" + brokertest.AppID, "META_APP_SECRET=" + brokertest.AppSecret,
			"CALLERS_FILE=" + callers, "BROKER_ADDR=127.0.0.1:1",
		}, more...),
	}, server.Program())
	return code, written.String()
}

func newKeyset(t *testing.T) (path string, keys *keyring.Keyring) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "keyset.json")
	if err := keyring.Create(path); err != nil {
		t.Fatal(err)
	}
	keys, err := keyring.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, keys
}

func TestAnotherKeysetThanTheDatabasesIsRefused(t *testing.T) {
	t.Parallel()
	databaseURL := databasetest.SQLiteURL(t, server.Migrations())
	right, keys := newKeyset(t)
	seal(t, databaseURL, keys)
	if _, out := process(t, []string{"check", "--live"}, "DATABASE_URL="+databaseURL, "KEYSET_FILE="+right, "INSECURE=true", "BROKER_TOKEN=t"); !strings.HasPrefix(out, "waba-onboarding: ask token-broker at BROKER_ADDR: ") {
		t.Errorf("the right keyset, and no broker: %s", out)
	}
	other, _ := newKeyset(t)
	for _, args := range [][]string{{"check", "--live"}, {"serve"}} {
		code, out := process(t, args, "DATABASE_URL="+databaseURL, "KEYSET_FILE="+other, "INSECURE=true", "BROKER_TOKEN=t")
		if code != 1 || !strings.Contains(out, "waba-onboarding: KEYSET_FILE "+other+": the database holds values sealed under the key ") {
			t.Errorf("%v with another keyset ends with %d: %s", args, code, out)
		}
	}
}

func TestALiveCheckNamesEverythingThatIsMissing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	code, out := process(t, []string{"check", "--live"}, "DATABASE_URL=sqlite://"+dir+"/none/x.db", "KEYSET_FILE="+dir+"/keyset", "CALLERS_FILE="+dir+"/callers", "META_APP_SECRET=canary-secret",
		"TLS_CERT_FILE="+dir+"/cert", "TLS_KEY_FILE="+dir+"/key")
	want := []string{
		"DATABASE_URL: open " + dir + "/none/x.db.lock: no such file or directory: the folder of the database must exist and be writable",
		"KEYSET_FILE: open " + dir + "/keyset: no such file or directory: put the database's keyset there, or make one for a new database with 'keyset create'",
		"CALLERS_FILE: open " + dir + "/callers: no such file or directory",
		"TLS_CERT_FILE: open " + dir + "/cert: no such file or directory",
		"TLS_KEY_FILE: open " + dir + "/key: no such file or directory",
		"ask Meta about META_APP_ID and META_APP_SECRET: debug token: graph: error 190: Invalid OAuth access token signature. [HTTP 400]",
	}
	out = regexp.MustCompile(`, fbtrace_id \S+\]`).ReplaceAllString(out, "]")
	got := strings.Split(strings.TrimSpace(strings.ReplaceAll(out, "waba-onboarding: ", "")), "\n")
	if diff := cmp.Diff(want, got); diff != "" || code != 1 {
		t.Errorf("exit %d: %s", code, diff)
	}
}

// seal stores the secret of one destination.
func seal(t *testing.T, databaseURL string, keys *keyring.Keyring) {
	t.Helper()
	db, err := database.Open(t.Context(), databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	queue, err := jobs.NewQueue(db, log)
	if err != nil {
		t.Fatal(err)
	}
	d := store.Destination{
		ID: uuid.New(), OrganizationID: "org-1", Kind: "EVENTS", URL: "https://a.example", Secret: []byte("sealed"),
		SecretKeyID: keys.KeyIDs()[0], SecretVersion: 1, EventTypes: []string{},
	}
	if _, err := store.New(db, queue, time.Now, claimDeadline).CreateDestination(t.Context(), d, "test"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}
