package processtest

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/whatrack/connect/services/internal/databasetest"
	"github.com/whatrack/connect/services/internal/tlstest"
)

const appID = "670843880000001"

// setup is what a test wants of its world. The zero value is one replica of each service, on PostgreSQL.
type setup struct {
	sqlite   bool
	replicas int
	// server is where waba-onboarding has its database; nil: where all tests have theirs.
	server *postgres
	// folder is where waba-onboarding is; empty: where all programs are.
	folder string
	// env is added to what waba-onboarding is started with.
	env []string
}

// world is the two services, each with a database of its own, and Meta.
type world struct {
	t         *testing.T
	meta      *meta
	dir       string
	authority *tlstest.Authority
	bearer    string // of the operator, at waba-onboarding
	appSecret string
	databases map[string]string // DATABASE_URL by service

	brokers, onboardings []*process
	broker, onboarding   *process // the first of each
}

// newWorld starts everything and waits until it is ready. At the end of the test it stops everything and looks for what
// must not have happened.
func newWorld(t *testing.T, s setup) *world {
	t.Helper()
	authority, err := tlstest.New()
	if err != nil {
		t.Fatal(err)
	}
	appSecret := "app-secret-" + rand.Text()
	w := &world{
		t: t, dir: t.TempDir(), authority: authority, bearer: "bearer-" + rand.Text(), databases: map[string]string{},
		meta: newMeta(t, appSecret),
	}
	w.meta.secrets[w.bearer], w.appSecret = "the bearer token", appSecret
	w.write("app-secret", appSecret)
	w.writeJSON("token-broker-callers", callers{{
		"name": "waba-onboarding", "san": "waba-onboarding", "rpcs": []string{"ExchangeCode", "BindWaba", "GetAccessToken", "GetToken"},
	}, {
		"name": "message-sender", "san": "message-sender", "rpcs": []string{"GetAccessToken"},
	}})
	sum := sha256.Sum256([]byte(w.bearer))
	w.writeJSON("waba-onboarding-callers", callers{{
		"name": "operator", "sha256": hex.EncodeToString(sum[:]), "role": "admin", "organizations": []string{"*"},
	}})
	for range max(s.replicas, 1) {
		broker := w.newProcess("token-broker", s)
		w.brokers = append(w.brokers, broker)
		w.onboardings = append(w.onboardings, w.newProcess("waba-onboarding", s, append([]string{
			"HTTP_LISTEN=" + freeAddress(t), "BROKER_ADDR=" + broker.grpc, "META_CONFIG_ID=884210000000001",
		}, s.env...)...))
	}
	w.broker, w.onboarding = w.brokers[0], w.onboardings[0]
	w.broker.run("migrate")
	w.onboarding.run("migrate")
	t.Cleanup(w.end) // before the databases go
	w.start(w.processes()...)
	return w
}

type callers []map[string]any

// newProcess writes down the settings of a replica, with what the first one needs beforehand.
func (w *world) newProcess(program string, s setup, more ...string) *process {
	w.t.Helper()
	p := &process{t: w.t, folder: programs, program: program, output: filepath.Join(w.dir, program+".log"), grpc: freeAddress(w.t), admin: freeAddress(w.t)}
	if len(more) > 0 {
		p.http, p.folder = more[0][len("HTTP_LISTEN="):], cmp.Or(s.folder, programs)
	}
	keyset := filepath.Join(w.dir, program+"-keyset.json")
	if w.databases[program] == "" {
		p.run("keyset", "create", keyset)
		w.databases[program] = w.newDatabase(program, s)
		w.write(program+"-database", w.databases[program])
	}
	files, err := w.authority.Issue(w.dir, program)
	if err != nil {
		w.t.Fatal(err)
	}
	p.env = append(more,
		"GRPC_LISTEN="+p.grpc, "ADMIN_LISTEN="+p.admin,
		"DATABASE_URL_FILE="+w.path(program+"-database"), "KEYSET_FILE="+keyset, "CALLERS_FILE="+w.path(program+"-callers"),
		"TLS_CERT_FILE="+files.Cert, "TLS_KEY_FILE="+files.Key, "TLS_CA_FILE="+files.CA,
		"META_GRAPH_URL="+w.meta.url, "META_APP_ID="+appID, "META_APP_SECRET_FILE="+w.path("app-secret"))
	return p
}

func (w *world) newDatabase(program string, s setup) string {
	w.t.Helper()
	switch {
	case s.sqlite:
		return "sqlite://" + filepath.Join(w.dir, program+".db")
	case s.server != nil && program == "waba-onboarding":
		return s.server.create(program)
	}
	return databasetest.EmptyPostgresURL(w.t)
}

func (w *world) processes() []*process {
	return append(append([]*process{}, w.brokers...), w.onboardings...)
}

// start starts processes, brokers first, and waits until they are ready.
func (w *world) start(processes ...*process) {
	w.t.Helper()
	for _, p := range processes {
		p.start()
	}
	for _, p := range processes {
		p.ready()
	}
}

// stop stops processes, all at once, as a cluster does.
func (w *world) stop(processes ...*process) {
	w.t.Helper()
	for _, p := range processes {
		p.stop()
	}
	for _, p := range processes {
		p.wantStopped()
	}
}

// end stops what still runs and looks at what is left.
func (w *world) end() {
	var running []*process
	for _, p := range w.processes() {
		switch {
		case p.runs():
			running = append(running, p)
		case p.cmd != nil && !p.told:
			w.t.Errorf("%s ended by itself: %s", p.program, p.cmd.ProcessState)
		}
	}
	w.stop(running...)
	w.inspect()
	if w.t.Failed() {
		w.keepOutput()
	}
}

// keepOutput shows the last of each output.
func (w *world) keepOutput() {
	const most = 12 << 10
	for _, p := range []*process{w.broker, w.onboarding} {
		output := p.read()
		w.t.Logf("%s said:\n%s", p.program, output[max(0, len(output)-most):])
	}
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

func (w *world) write(name, content string) {
	w.t.Helper()
	if err := os.WriteFile(w.path(name), []byte(content), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) writeJSON(name string, list callers) {
	w.t.Helper()
	data, err := json.Marshal(map[string]any{"callers": list})
	if err != nil {
		w.t.Fatal(err)
	}
	w.write(name, string(data))
}
