package graphsim

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestStateFileBringsEverythingBack(t *testing.T) {
	t.Parallel()
	cfg := Config{
		StateFile: filepath.Join(t.TempDir(), "state.json"), OwnAccessToken: "own-token",
		OwnWABAs: []OwnWABA{{ID: "100", Name: "Own", Phones: []Phone{{ID: "200"}}}},
	}
	b := setup(t, cfg)
	token, done := b.token(t, SignUp{})
	waba, phone := done.WABAIDs[0], done.PhoneNumberIDs[0]
	wantStatus(t, b.send(t, http.MethodPost, "/v25.0/"+waba+"/subscribed_apps", token, ""), http.StatusOK)
	wantStatus(t, b.send(t, http.MethodPost, "/v25.0/100/subscribed_apps", "own-token", ""), http.StatusOK)
	wantStatus(t, b.register(t, phone, token, "123456"), http.StatusOK)
	b.sim.SetDialog(Dialog{Order: OrderCodeFirst, Error: &DialogError{Code: "1"}})
	stale := b.sim.SignUp(SignUp{}).Code
	b.sim.Advance(31 * time.Second)
	fresh := b.sim.SignUp(SignUp{}).Code

	again := setup(t, cfg)

	wantError(t, again.oauth(t, url.Values{"code": {done.Code}}), 400, 100, 36009)
	wantError(t, again.oauth(t, url.Values{"code": {stale}}), 400, 100, 36007)
	wantStatus(t, again.oauth(t, url.Values{"code": {fresh}}), http.StatusOK)
	wantError(t, again.register(t, phone, token, "654321"), 400, 133005, 0)
	wantStatus(t, again.register(t, phone, token, "123456"), http.StatusOK)
	if a := again.get(t, "/_sim/dialog", ""); a.str("order") != OrderCodeFirst || a.str("error.code") != "1" {
		t.Errorf("the dialog is %s", a.text)
	}
	for id, reader := range map[string]string{waba: token, "100": "own-token"} {
		if a := again.get(t, "/v25.0/"+id+"/subscribed_apps", reader); a.text == `{"data":[]}` {
			t.Errorf("the subscription of %s is lost", id)
		}
	}
	info, err := os.Stat(cfg.StateFile)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the state file has mode %v, want 0600", info.Mode())
	}
	left, err := filepath.Glob(cfg.StateFile + ".*")
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestBrokenStateFileIsRefusedAndKept(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.json")
	if err := os.WriteFile(path, []byte("{broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Config{StateFile: path}); err == nil {
		t.Error("a broken state file was taken")
	}
	if data, err := os.ReadFile(filepath.Clean(path)); err != nil || string(data) != "{broken" {
		t.Errorf("the file is now %q, %v", data, err)
	}
}

func TestStateThatCanNotBeSavedIsAnErrorOfSave(t *testing.T) {
	t.Parallel()
	sim, err := New(Config{StateFile: filepath.Join(t.TempDir(), "missing", "state.json")})
	if err != nil {
		t.Fatal(err)
	}
	if sim.SignUp(SignUp{}).Code == "" { // goes on in memory
		t.Error("no code")
	}
	if err := sim.Save(); err == nil {
		t.Error("Save says nothing")
	}
}

func TestConfigListsAllItsMistakes(t *testing.T) {
	t.Parallel()
	_, err := New(Config{
		AppID: "x", ConfigID: "x", Latency: -1, OwnWABAs: []OwnWABA{{ID: "y"}},
		RedirectURIs: []string{"http://shop.example/cb", "/cb", "http://localhost/cb", "https://shop.example/cb"},
	})
	joined, ok := err.(interface{ Unwrap() error }) // fmt.Errorf around errors.Join
	if !ok {
		t.Fatalf("error is %v", err)
	}
	if all, ok := joined.Unwrap().(interface{ Unwrap() []error }); !ok || len(all.Unwrap()) != 7 {
		t.Errorf("error is %v, want seven mistakes", err)
	}
}
