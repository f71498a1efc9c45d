package server_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"

	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/graphsim"
	"github.com/whatrack/connect/services/internal/cli"
	"github.com/whatrack/connect/services/internal/database"
	"github.com/whatrack/connect/services/internal/databasetest"
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

// stopWhile stops the replica, and lets what it waits for go on when the stop has begun.
func (b *bundle) stopWhile(release func()) {
	b.t.Helper()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		b.stop()
	}()
	eventually(b.t, "the stop has begun", func() bool { return b.rpc.Accepting(b.t.Context()) != nil })
	release()
	<-stopped
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
