package server_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/whatrack/connect/services/graphsim"
	"github.com/whatrack/connect/services/internal/cli"
	"github.com/whatrack/connect/services/internal/databasetest"
	"github.com/whatrack/connect/services/internal/keyring"
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

func TestALiveCheckAsksTheDatabaseAndMeta(t *testing.T) {
	t.Parallel()
	_, url := brokertest.ServeMeta(t, graphsim.Config{})
	keyset, callers := filepath.Join(t.TempDir(), "keyset.json"), filepath.Join(t.TempDir(), "callers.json")
	if err := keyring.Create(keyset); err != nil {
		t.Fatal(err)
	}
	list := `{"callers": [{"name": "a", "san": "a", "rpcs": ["*"]}]}`
	if err := os.WriteFile(callers, []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	databaseURL := databasetest.SQLiteURL(t, server.Migrations())
	check := func(appSecret, databaseURL string) (code int, out string) {
		var written bytes.Buffer
		code = cli.Main(t.Context(), cli.Process{
			Args: []string{"check", "--live"}, Stdout: &written, Stderr: &written,
			Env: []string{
				"DATABASE_URL=" + databaseURL, "META_GRAPH_URL=" + url, "META_APP_ID=" + brokertest.AppID, "META_APP_SECRET=" + appSecret,
				"CALLERS_FILE=" + callers, "KEYSET_FILE=" + keyset, "INSECURE=true",
			},
		}, server.Program())
		return code, written.String()
	}
	if code, out := check(brokertest.AppSecret, databaseURL); code != 0 {
		t.Errorf("everything is right, and the check ends with %d: %s", code, out)
	}
	empty := "sqlite://" + filepath.Join(t.TempDir(), "empty.db")
	code, out := check("canary-secret", empty)
	if code == 0 || !strings.Contains(out, "META_APP_SECRET") || !strings.Contains(out, "migrate") || strings.Contains(out, "canary") {
		t.Errorf("with a wrong secret and an empty database the check ends with %d: %s", code, out)
	}
}
