package server_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/graphsim"
	"github.com/whatrack/connect/services/internal/cli"
	"github.com/whatrack/connect/services/internal/database"
	"github.com/whatrack/connect/services/internal/databasetest"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/identity"
	"github.com/whatrack/connect/services/internal/jobs"
	"github.com/whatrack/connect/services/internal/keyring"
	"github.com/whatrack/connect/services/internal/rpc"
	"github.com/whatrack/connect/services/internal/secret"
	"github.com/whatrack/connect/services/token-broker/brokertest"
	broker "github.com/whatrack/connect/services/token-broker/server"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
	"github.com/whatrack/connect/services/waba-onboarding/server"
)

// The operator's own business.
const (
	ownOrganization = "own-business"
	ownToken        = "EAAowncanarytoken"
	ownWABA         = "102290120000099"
)

// Callers, by their bearer tokens.
const (
	org1     = "editor-of-org-1"
	org2     = "editor-of-org-2"
	viewer1  = "viewer-of-org-1"
	admin1   = "admin-of-org-1"
	own      = "admin-of-own-business"
	platform = "admin-of-all"
)

func callers(t *testing.T) *identity.Callers {
	t.Helper()
	entry := func(token, role, organization string) identity.Entry {
		return identity.Entry{
			Name: token, SHA256: secret.New(token).Fingerprint(), Role: role, Organizations: []string{organization},
		}
	}
	list, err := identity.New(identity.Options{Organizations: true},
		entry(org1, "editor", "org-1"), entry(org2, "editor", "org-2"), entry(viewer1, "viewer", "org-1"),
		entry(admin1, "admin", "org-1"), entry(own, "admin", ownOrganization), entry(platform, "admin", identity.All))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// bundle is a simulated Meta, a real broker, and a waba-onboarding that talks to both.
type bundle struct {
	*replica

	t      *testing.T
	meta   *graphsim.Simulator
	url    string // of Meta
	broker *brokertest.Broker
	tokens *database.DB // the broker's
	link   *link
	db     *database.DB
	rows   *store.Store // the service's own store, for what would take long to wait for
	clock  *clock
	keys   *keyring.Keyring
	logs   *logs
	ttl    time.Duration
	config string // META_CONFIG_ID of the processes that are started
	egress string // EGRESS_ALLOW
}

// replica is one running process of the service.
type replica struct {
	rpc  *rpc.Server
	rest string
	stop func()
}

// What browsers know of the service.
const (
	publicURL = "https://connect.example.com"
	appOrigin = "https://app.example.com"
	returnURL = "https://app.example.com/whatsapp?from=signup"
)

const verifyToken = "verifycanarytoken"

const claimDeadline = 110 * time.Second

func setup(t *testing.T, db *database.DB) *bundle {
	t.Helper()
	b := &bundle{
		t: t, db: db, clock: &clock{}, logs: &logs{}, ttl: 30 * time.Minute, config: "884210000000001", egress: "127.0.0.1/32",
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(b.logs.String())
		}
	})
	b.meta, b.url = brokertest.ServeMeta(t, graphsim.Config{
		RequireAppSecretProof: true, OwnAccessToken: ownToken,
		OwnWABAs: []graphsim.OwnWABA{{ID: ownWABA, Name: "Own business", Phones: make([]graphsim.Phone, 1)}},
	})
	log := slog.New(slog.NewJSONHandler(b.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	b.tokens = databasetest.Open(t, databasetest.PostgresURL(t, broker.Migrations()))
	b.broker = brokertest.Start(t, b.tokens, b.url, brokertest.Options{
		Now: b.clock.now, Log: log,
		Settings: broker.Settings{
			MetaAccessToken: secret.New(ownToken), MetaOwnOrganization: ownOrganization, MetaOwnWABAIDs: []string{ownWABA},
		},
	})
	b.link = &link{ClientConnInterface: b.broker.Conn, deaf: map[string]bool{}, calls: map[string]int{}}
	var err error
	if b.keys, err = keyring.Ephemeral(); err != nil {
		t.Fatal(err)
	}
	queue, err := jobs.NewQueue(db, log)
	if err != nil {
		t.Fatal(err)
	}
	b.rows = store.New(db, queue, b.clock.now, claimDeadline)
	b.replica = b.start()
	return b
}

// start runs one more process of the service until the test ends.
func (b *bundle) start() *replica {
	b.t.Helper()
	log := slog.New(slog.NewJSONHandler(b.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	settings := &server.Settings{
		Common: cli.Common{
			MetaGraphURL: b.url, MetaGraphVersion: "v25.0", MetaAppID: brokertest.AppID,
			MetaAppSecret: secret.New(brokertest.AppSecret), Insecure: true,
		},
		HTTPListen: "127.0.0.1:0", MetaConfigID: b.config, MetaSDKURL: b.url + "/sdk.js",
		PublicURL: publicURL, AllowedOrigins: []string{appOrigin}, AllowedRedirectURIs: []string{returnURL},
		OnboardingTTL: b.ttl, ClaimDeadline: claimDeadline, EventRetention: 720 * time.Hour, MetaWebhookVerifyToken: secret.New(verifyToken),
		EgressAllow: b.egress,
	}
	built, err := server.Build(settings, server.Parts{
		DB: b.db, Keys: b.keys, Callers: callers(b.t), Broker: b.link, Now: b.clock.now, Log: log,
	})
	if err != nil {
		b.t.Fatalf("build: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- built.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			b.t.Errorf("the service ended with %v", err)
		}
		_ = built.Close()
	})
	b.t.Cleanup(stop)
	return &replica{rpc: built.RPC, rest: "http://" + built.HTTP.Addr(), stop: stop}
}

// conn is a gRPC connection of a caller to a replica.
func (b *bundle) conn(r *replica, token string) *grpc.ClientConn {
	b.t.Helper()
	conn, err := rpc.Dial(rpc.ClientConfig{
		Server: r.rpc, Token: secret.New(token), Log: slog.New(slog.DiscardHandler),
		Timeouts: map[string]time.Duration{
			onboardingv1.OnboardingService_ClaimWaba_FullMethodName:            25 * time.Second,
			onboardingv1.OnboardingService_WaitOnboarding_FullMethodName:       27 * time.Second,
			onboardingv1.ConnectionService_DisconnectConnection_FullMethodName: 25 * time.Second,
			onboardingv1.ConnectionService_RegisterPhoneNumber_FullMethodName:  25 * time.Second,
			onboardingv1.ConnectionService_CheckConnection_FullMethodName:      25 * time.Second,
			onboardingv1.ConnectionService_SubscribeWebhooks_FullMethodName:    25 * time.Second,
			onboardingv1.MessageService_SendMessage_FullMethodName:             25 * time.Second,
		},
	})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// as are the two services, called by somebody.
func (b *bundle) as(token string) client {
	conn := b.conn(b.replica, token)
	return client{onboardingv1.NewOnboardingServiceClient(conn), onboardingv1.NewConnectionServiceClient(conn)}
}

type client struct {
	onboardingv1.OnboardingServiceClient
	onboardingv1.ConnectionServiceClient
}

// post posts a code, waits for nothing, and answers the id of the new onboarding.
func (b *bundle) post(c client, req *onboardingv1.ClaimWabaRequest) (id string) {
	b.t.Helper()
	known := map[string]bool{}
	for _, o := range b.list(c) {
		known[o.GetOnboardingId()] = true
	}
	go func() { _, _ = c.ClaimWaba(b.t.Context(), req) }()
	eventually(b.t, "the code is on record", func() bool {
		for _, o := range b.list(c) {
			if !known[o.GetOnboardingId()] {
				id = o.GetOnboardingId()
			}
		}
		return id != ""
	})
	return id
}

func (b *bundle) list(c client) []*onboardingv1.Onboarding {
	b.t.Helper()
	list, err := c.ListOnboardings(b.t.Context(), &onboardingv1.ListOnboardingsRequest{})
	if err != nil {
		b.t.Fatalf("list onboardings: %v", err)
	}
	return list.GetOnboardings()
}

// claim posts a code and wants the claim to come to an end, or to a choice.
func (b *bundle) claim(c client, req *onboardingv1.ClaimWabaRequest) *onboardingv1.Onboarding {
	b.t.Helper()
	resp, err := c.ClaimWaba(b.t.Context(), req)
	if err != nil {
		b.t.Fatalf("claim: %v", err)
	}
	return b.settled(c, resp.GetOnboarding())
}

// settled waits longer than a caller would: this machine may be busy.
func (b *bundle) settled(c client, o *onboardingv1.Onboarding) *onboardingv1.Onboarding {
	b.t.Helper()
	underWay := []onboardingv1.Onboarding_State{onboardingv1.Onboarding_EXCHANGING, onboardingv1.Onboarding_CLAIMING}
	if !slices.Contains(underWay, o.GetState()) {
		return o
	}
	return b.await(c, o.GetOnboardingId(), "the claim ends", func(o *onboardingv1.Onboarding) bool {
		return !slices.Contains(underWay, o.GetState())
	})
}

// connect claims what a new customer shares, and wants it connected.
func (b *bundle) connect(c client, spec graphsim.SignUp) (*onboardingv1.Connection, graphsim.SignedUp) {
	b.t.Helper()
	shared := b.meta.SignUp(spec)
	o := b.claim(c, &onboardingv1.ClaimWabaRequest{Code: shared.Code})
	wantState(b.t, o, onboardingv1.Onboarding_CONNECTED)
	return o.GetConnection(), shared
}

// get reads an onboarding.
func (b *bundle) get(c client, id string) *onboardingv1.Onboarding {
	b.t.Helper()
	resp, err := c.GetOnboarding(b.t.Context(), &onboardingv1.GetOnboardingRequest{OnboardingId: id})
	if err != nil {
		b.t.Fatalf("get onboarding: %v", err)
	}
	return resp.GetOnboarding()
}

// connection reads a connection.
func (b *bundle) connection(c client, id string) *onboardingv1.Connection {
	b.t.Helper()
	resp, err := c.GetConnection(b.t.Context(), &onboardingv1.GetConnectionRequest{ConnectionId: id})
	if err != nil {
		b.t.Fatalf("get connection: %v", err)
	}
	return resp.GetConnection()
}

// await reads an onboarding until it is as wanted.
func (b *bundle) await(c client, id string, what string, wanted func(*onboardingv1.Onboarding) bool) *onboardingv1.Onboarding {
	b.t.Helper()
	var o *onboardingv1.Onboarding
	eventually(b.t, what, func() bool { o = b.get(c, id); return wanted(o) })
	return o
}

// awaitState reads an onboarding until it is in a state.
func (b *bundle) awaitState(c client, id string, state onboardingv1.Onboarding_State) *onboardingv1.Onboarding {
	b.t.Helper()
	return b.await(c, id, state.String(), func(o *onboardingv1.Onboarding) bool { return o.GetState() == state })
}

// awaitNumber reads a connection until its only number is in a registration.
func (b *bundle) awaitNumber(c client, id string, want onboardingv1.PhoneNumber_Registration) *onboardingv1.Connection {
	b.t.Helper()
	var found *onboardingv1.Connection
	eventually(b.t, want.String(), func() bool {
		found = b.connection(c, id)
		return len(found.GetPhoneNumbers()) == 1 && found.GetPhoneNumbers()[0].GetRegistration() == want
	})
	return found
}

// pass lets time pass for both services, and has what is due looked over.
func (b *bundle) pass(d time.Duration) {
	b.t.Helper()
	b.clock.advance(d)
	b.sweep()
}

func (b *bundle) sweep() {
	b.t.Helper()
	if err := b.rows.Sweep(context.WithoutCancel(b.t.Context())); err != nil {
		b.t.Errorf("sweep: %v", err)
	}
}

// forget ends a fault of the simulated Meta.
func (b *bundle) forget(fault string) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodDelete, b.url+"/_sim/faults/"+fault, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	if resp.Body.Close(); resp.StatusCode > 299 {
		b.t.Fatalf("forget %s: %s", fault, resp.Status)
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(45 * time.Second); !ok(); time.Sleep(30 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

func step(o *onboardingv1.Onboarding, name string) *onboardingv1.Step {
	for _, s := range o.GetSteps() {
		if s.GetName() == name {
			return s
		}
	}
	return nil
}

func wantState(t *testing.T, o *onboardingv1.Onboarding, want onboardingv1.Onboarding_State) {
	t.Helper()
	if o.GetState() != want {
		t.Fatalf("the onboarding is %s (%s), want %s; steps: %v", o.GetState(), o.GetReason(), want, o.GetSteps())
	}
}

func wantFault(t *testing.T, err error, want errorsv1.ErrorReason) *fault.Error {
	t.Helper()
	why, ok := fault.As(err)
	if !ok || why.Reason() != want {
		t.Fatalf("answered %v, want %s", err, want)
	}
	return why
}

func reasonsOf(c *onboardingv1.Connection) []string {
	reasons := []string{}
	for _, r := range c.GetReasons() {
		if r.GetReason() != "NO_EVENT_YET" { // a note, with which every connection begins
			reasons = append(reasons, r.GetReason())
		}
	}
	return reasons
}

// each runs a test on both databases.
func each(t *testing.T, f func(t *testing.T, b *bundle)) {
	t.Helper()
	databasetest.Each(t, server.Migrations(), func(t *testing.T, db *database.DB) {
		t.Parallel()
		f(t, setup(t, db))
	})
}

// setupOne is for tests to which the database is not the point: PostgreSQL, the quicker one under the race detector.
func setupOne(t *testing.T) *bundle {
	t.Helper()
	return setup(t, databasetest.Open(t, databasetest.PostgresURL(t, server.Migrations())))
}

// clock is the real one, ahead by as much as a test wants.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

// link is the network between the service and the broker.
type link struct {
	grpc.ClientConnInterface

	mu    sync.Mutex
	away  bool            // nothing gets through
	deaf  map[string]bool // methods whose answers are lost
	panic bool            // our own side of it is broken
	calls map[string]int  // that got through, by method
}

func (l *link) set(change func(*link)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(l)
}

func (l *link) count(method string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.calls[method]
}

func (l *link) goAway(away bool) { l.set(func(l *link) { l.away = away }) }

func (l *link) lose(method string, lost bool) { l.set(func(l *link) { l.deaf[method] = lost }) }

// Invoke implements grpc.ClientConnInterface.
func (l *link) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	l.mu.Lock()
	away, deaf, broken := l.away, l.deaf[method], l.panic
	if !away && !broken {
		l.calls[method]++
	}
	l.mu.Unlock()
	unavailable := fault.New(errorsv1.ErrorReason_BROKER_UNAVAILABLE)
	if broken {
		panic("the link is broken")
	}
	if away {
		return unavailable
	}
	err := l.ClientConnInterface.Invoke(ctx, method, args, reply, opts...)
	if deaf {
		return unavailable
	}
	return err
}

// logs keeps what was logged.
type logs struct {
	mu  sync.Mutex
	out bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.String()
}
