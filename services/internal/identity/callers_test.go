package identity_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/whatrack/connect/services/internal/identity"
	"github.com/whatrack/connect/services/internal/secret"
)

var (
	broker     = identity.Options{RPCs: true}
	onboarding = identity.Options{Organizations: true}
)

func load(t *testing.T, content string, opts identity.Options) (*identity.Callers, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "callers.json")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return identity.Load(path, opts, slog.New(slog.DiscardHandler))
}

func TestTheFileOfTheDesignLoads(t *testing.T) {
	t.Parallel()
	content := `{"callers":[{"name":"whatrack-web","sha256":"` + hashA + `","role":"editor","organizations":["*"]},
		{"name":"message-sender","san":"message-sender","organizations":["org-1"],"rpcs":["GetAccessToken","ReportTokenFailure"]}]}`
	callers, err := load(t, content, onboarding)
	if err != nil {
		t.Fatal(err)
	}
	web, _ := callers.FindBearer(secret.New("a"))
	if diff := cmp.Diff(identity.Caller{Name: "whatrack-web", Role: identity.Editor, Organizations: []string{"*"}}, web); diff != "" {
		t.Error(diff)
	}
	if !web.IsPlatform() || web.MayCall("GetAccessToken") {
		t.Error("whatrack-web is the platform's and lists no RPC")
	}
}

func TestEveryFaultOfAFileIsListed(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, content string
		opts          identity.Options
		want          []string
	}{
		{"no JSON", `{"callers":[`, onboarding, []string{"not the JSON"}},
		{"something after it", `{"callers":[]} {}`, onboarding, []string{"something follows"}},
		{"a misspelt field", `{"callers":[{"name":"a","sha256":"` + hashA + `","organisations":["x"]}]}`, onboarding, []string{`unknown field "organisations"`}},
		{"nobody", `{"callers":[]}`, onboarding, []string{"no caller is listed"}},
		{"many", `{"callers":[{"name":"","role":"root"},{"name":"b","sha256":"xyz","organizations":["a b","*"]},
			{"name":"b","sha256":"` + secret.Text{}.Fingerprint() + `","organizations":["a"]}]}`, onboarding, []string{
			`caller 1 (""): name must`, `caller 1 (""): sha256 or san is required`, `caller 1 (""): role must`,
			`caller 1 (""): organizations is required`, `caller 2 ("b"): sha256 must`, `caller 2 ("b"): organizations: "a b" is not`,
			`caller 2 ("b"): organizations: * stands alone`, `caller 3 ("b"): sha256 is that of an empty token`,
			`caller 3 ("b"): name is listed twice`,
		}},
		{"twice", `{"callers":[{"name":"a","sha256":"` + hashA + `","san":"X","rpcs":["*"]},
			{"name":"b","sha256":"` + strings.ToUpper(hashA) + `","san":"x","rpcs":["*"]}]}`, broker, []string{
			`caller 2 ("b"): sha256 is listed twice`, `caller 2 ("b"): san is listed twice`,
		}},
		{"the broker wants RPCs", `{"callers":[{"name":"a","sha256":"` + hashA + `"},{"name":"b","san":"b","rpcs":["get token"]}]}`, broker, []string{
			`caller 1 ("a"): rpcs is required`, `caller 2 ("b"): rpcs: "get token" is not`,
		}},
		{"an RPC that is not there", `{"callers":[{"name":"a","san":"a","rpcs":["GetAccesToken","GetToken","*"]}]}`, identity.Options{
			RPCs: true, Known: []string{"GetAccessToken", "GetToken"},
		}, []string{`caller 1 ("a"): rpcs: "GetAccesToken" is not the name of an RPC of ours`}},
		{"a certificate that nobody verifies", `{"callers":[{"name":"a","san":"a","rpcs":["*"]}]}`, identity.Options{RPCs: true, NoCertificates: true}, []string{
			`caller 1 ("a"): san needs TLS_CA_FILE`,
		}},
		{"a wildcard is no name", `{"callers":[{"name":"a","san":"*.example","rpcs":["*"]}]}`, broker, []string{"san must be"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := load(t, tt.content, tt.opts)
			if err == nil {
				t.Fatal("the file was taken")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("nothing about %q in\n%v", want, err)
				}
			}
			if got := strings.Count(err.Error(), "\n") + 1; got != len(tt.want) {
				t.Errorf("%d faults, want %d:\n%v", got, len(tt.want), err)
			}
		})
	}
}

func TestTheBrokerIgnoresOrganizations(t *testing.T) {
	t.Parallel()
	callers, err := load(t, `{"callers":[{"name":"a","sha256":"`+hashA+`","organizations":["not valid"],"rpcs":["*"]}]}`, broker)
	if err != nil {
		t.Fatal(err)
	}
	if caller, _ := callers.FindBearer(secret.New("a")); len(caller.Organizations) != 0 || !caller.MayCall("GetAccessToken") {
		t.Errorf("%+v", caller)
	}
}

func TestAChangedFileIsTakenOverAndABrokenOneIsNot(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "callers.json")
	write := func(content string) {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Error(err)
		}
	}
	listing := func(hash string) string {
		return `{"callers":[{"name":"x","sha256":"` + hash + `","organizations":["*"]}]}`
	}
	var out logs
	synctest.Test(t, func(t *testing.T) {
		write(listing(hashA))
		callers, err := identity.Load(path, onboarding, slog.New(slog.NewTextHandler(&out, nil)))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		watched := make(chan error, 1)
		go func() { watched <- callers.Watch(ctx) }()
		expect := func(token string, known bool, warnings int) {
			t.Helper()
			time.Sleep(5 * time.Second)
			synctest.Wait()
			if _, ok := callers.FindBearer(secret.New(token)); ok != known {
				t.Errorf("%q is known: %v, want %v", token, ok, known)
			}
			if got := strings.Count(out.String(), "level=WARN"); got != warnings {
				t.Errorf("%d warnings, want %d:\n%s", got, warnings, out.String())
			}
		}
		expect("a", true, 0)
		write(listing(hashB)[:40])
		expect("a", true, 1)
		write(listing(hashB))
		expect("b", true, 1)
		expect("a", false, 1)
		if err := os.Remove(path); err != nil {
			t.Error(err)
		}
		expect("b", true, 2)
		expect("b", true, 2)
		write(listing(hashA))
		expect("a", true, 2)
		cancel()
		if err := <-watched; !errors.Is(err, context.Canceled) {
			t.Errorf("Watch = %v", err)
		}
	})
}

func TestCallersInMemoryHaveNothingToWatch(t *testing.T) {
	t.Parallel()
	callers, err := identity.New(broker, identity.Entry{Name: "a", SHA256: hashA, RPCs: []string{"*"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := callers.Watch(t.Context()); err != nil {
		t.Error(err)
	}
}

type logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func FuzzCallersFile(f *testing.F) {
	f.Add([]byte(`{"callers":[{"name":"a","sha256":"` + hashA + `","organizations":["*"]}]}`))
	f.Add([]byte(`{"callers":[{"name":"b","san":"spiffe://x/y","role":"admin","rpcs":["GetToken"],"organizations":["o"]}]}`))
	f.Add([]byte("{}"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(dir, "callers.json")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		callers, err := identity.Load(path, identity.Options{Organizations: true, RPCs: true}, slog.New(slog.DiscardHandler))
		if err != nil {
			return
		}
		if _, ok := callers.FindBearer(secret.New("")); ok {
			t.Error("nobody is somebody")
		}
		if !json.Valid(data) {
			t.Error("what is not JSON was taken")
		}
	})
}
