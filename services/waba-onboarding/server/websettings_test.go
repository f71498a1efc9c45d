package server

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/whatrack/connect/services/internal/cli"
)

// check runs `check` with settings that are complete, and the given ones.
func check(t *testing.T, env ...string) (int, string) {
	t.Helper()
	var out bytes.Buffer
	env = append([]string{"DATABASE_URL=sqlite:///x.db", "META_APP_ID=1", "META_APP_SECRET=s", "CALLERS_FILE=c", "KEYSET_FILE=k", "BROKER_ADDR=b:1"}, env...)
	if !slices.ContainsFunc(env, func(s string) bool { return strings.HasPrefix(s, "TLS_CERT_FILE=") }) {
		env = append(env, "INSECURE=true", "BROKER_TOKEN=t")
	}
	code := cli.Main(t.Context(), cli.Process{Args: []string{"check"}, Env: env, Stdout: &out, Stderr: &out}, Program())
	return code, out.String()
}

func TestWhatBrowsersAreToldIsChecked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, env, want string }{
		{"an origin with a path", "ALLOWED_ORIGINS=https://a.example,https://b.example/", "ALLOWED_ORIGINS must be an origin"},
		{"a wildcard", "ALLOWED_ORIGINS=*", "ALLOWED_ORIGINS must be https://host"},
		{"any subdomain", "ALLOWED_ORIGINS=https://*.example.com", "ALLOWED_ORIGINS must be https://host"},
		{"null", "ALLOWED_ORIGINS=null", "ALLOWED_ORIGINS must be https://host"},
		{"upper case", "ALLOWED_ORIGINS=https://A.example", "ALLOWED_ORIGINS must be an origin"},
		{"a default port", "ALLOWED_ORIGINS=https://a.example:443", "ALLOWED_ORIGINS must be an origin"},
		{"plaintext", "ALLOWED_ORIGINS=http://a.example", "ALLOWED_ORIGINS must be https://"},
		{"a public URL with a path", "PUBLIC_URL=https://a.example/connect", "PUBLIC_URL must be an origin"},
		{"a plaintext public URL", "PUBLIC_URL=http://a.example", "PUBLIC_URL must be https://"},
		{"a page with a fragment", "ALLOWED_REDIRECT_URIS=https://a.example/#x", "ALLOWED_REDIRECT_URIS must be https://host"},
		{"a page without a callback", "ALLOWED_REDIRECT_URIS=https://a.example/x", "ALLOWED_REDIRECT_URIS needs PUBLIC_URL"},
		{"an SDK that would break the policy", "META_SDK_URL=https://a.example;script-src/sdk.js", "META_SDK_URL must be https://host"},
		{"a plaintext dialog", "META_DIALOG_URL=http://a.example/dialog", "META_DIALOG_URL must be https://"},
	} {
		code, out := check(t, c.env, "TLS_CERT_FILE=c", "TLS_KEY_FILE=k")
		if code != 2 || !strings.Contains(out, "waba-onboarding: "+c.want) {
			t.Errorf("%s: exit %d: %s", c.name, code, out)
		}
	}
	for _, env := range [][]string{
		{"PUBLIC_URL=https://a.example/", "ALLOWED_ORIGINS=https://a.example,https://b.example:8443", "ALLOWED_REDIRECT_URIS=https://a.example/x?y=1", "TLS_CERT_FILE=c", "TLS_KEY_FILE=k"},
		{"PUBLIC_URL=http://127.0.0.1:8080", "ALLOWED_ORIGINS=http://localhost:3000", "TLS_CERT_FILE=c", "TLS_KEY_FILE=k"},
		{"PUBLIC_URL=http://connect.internal", "ALLOWED_ORIGINS=http://[::1]:3000"},
	} {
		if code, out := check(t, env...); code != 0 {
			t.Errorf("%v: exit %d: %s", env, code, out)
		}
	}
}

func TestWhereTheBrokerIsAndWhatMetaMustCarryAreChecked(t *testing.T) {
	t.Parallel()
	const config = "META_CONFIG_ID (or NEXT_PUBLIC_META_CONFIG_ID) must be digits: it is the id of a configuration at Meta"
	const broker, verify = "BROKER_ADDR must be host:port, such as 127.0.0.1:9090", "META_WEBHOOK_VERIFY_TOKEN may have letters, digits, dots, tildes, underscores and hyphens only"
	for env, want := range map[string]string{
		"BROKER_ADDR=nohost": broker, "BROKER_ADDR=https://x:1": broker, "BROKER_ADDR=:9090": broker, "BROKER_ADDR=b:http": broker,
		"BROKER_ADDR=b:70000": broker, "BROKER_ADDR=a b:1": broker,
		"META_WEBHOOK_VERIFY_TOKEN=canary b+": verify, "META_WEBHOOK_VERIFY_TOKEN=canary\n": verify, "META_CONFIG_ID=abc": config,
		"META_APP_SECRET= ": "META_APP_SECRET (or META_APP_SECRET_FILE) is required",
	} {
		if code, out := check(t, env); code != 2 || out != "waba-onboarding: "+want+"\n" {
			t.Errorf("%s: exit %d: %s", env, code, out)
		}
	}
	for _, env := range []string{"BROKER_ADDR=token-broker.connect.svc:9090", "BROKER_ADDR=[::1]:9090", "BROKER_ADDR=dns:///token-broker:9090", "META_WEBHOOK_VERIFY_TOKEN=aB3-_.~"} {
		if code, out := check(t, env); code != 0 {
			t.Errorf("%s: exit %d: %s", env, code, out)
		}
	}
}

func TestCheckSaysWhatDoesNotWorkWithoutASetting(t *testing.T) {
	t.Parallel()
	code, out := check(t)
	for _, name := range []string{"META_CONFIG_ID", "PUBLIC_URL", "META_WEBHOOK_VERIFY_TOKEN"} {
		if !strings.Contains(out, "note: "+name+" is not set") {
			t.Errorf("nothing about %s: %s", name, out)
		}
	}
	if code != 0 || !strings.HasSuffix(out, "\nok\n") {
		t.Errorf("exit %d: %s", code, out)
	}
	if _, out := check(t, "META_CONFIG_ID=1", "PUBLIC_URL=https://a.example", "META_WEBHOOK_VERIFY_TOKEN=t"); out != "ok\n" {
		t.Errorf("with all: %s", out)
	}
}

func TestThePolicyFollowsTheSettings(t *testing.T) {
	t.Parallel()
	meta := (&Settings{MetaSDKURL: "https://connect.facebook.net/en_US/sdk.js", Common: cli.Common{MetaGraphVersion: "v25.0"}}).webOrigins()
	if meta.Scripts != "https://connect.facebook.net" || !slices.Contains(meta.Frames, "https://www.facebook.com") || !slices.Contains(meta.Connect, "https://graph.facebook.com") {
		t.Errorf("Meta's: %+v", meta)
	}
	sim := (&Settings{MetaSDKURL: "http://127.0.0.1:8081/en_US/sdk.js", MetaDialogURL: "http://127.0.0.1:8081/v25.0/dialog/oauth"}).webOrigins()
	if sim.Scripts != "http://127.0.0.1:8081" || slices.ContainsFunc(append(sim.Frames, sim.Connect...), func(s string) bool { return s != sim.Scripts }) {
		t.Errorf("the simulator's: %+v", sim)
	}
}
