package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/whatrack/connect/services/graphsim"
	"github.com/whatrack/connect/services/internal/cli"
	"github.com/whatrack/connect/services/internal/database"
	"github.com/whatrack/connect/services/internal/identity"
	"github.com/whatrack/connect/services/internal/rpc"
	"github.com/whatrack/connect/services/internal/run"
	"github.com/whatrack/connect/services/internal/secret"
	broker "github.com/whatrack/connect/services/token-broker/server"
	onboarding "github.com/whatrack/connect/services/waba-onboarding/server"
)

// What the simulated Meta knows of us.
const (
	appID           = "670843880000001"
	appSecret       = "simulated-app-secret" //nolint:gosec // G101: guards nothing, the app is simulated
	configID        = "884210000000001"
	ownBusiness     = "2729063490000099"
	ownWABA         = "102290120000099"
	ownToken        = "EAAownbusinesstoken"
	ownOrganization = "own-business"
	graphVersion    = "v25.0"
	verifyToken     = "simulatedVerifyToken"
)

// stack is everything, wired, with its addresses taken.
type stack struct {
	operator    secret.Text
	sim         *graphsim.Simulator
	meta        *rpc.HTTP
	broker      *broker.Broker
	brokerAdmin *rpc.HTTP
	onboarding  *onboarding.Onboarding
	admin       *rpc.HTTP
	open        closers
	log         *slog.Logger
}

// serve runs everything until ctx ends.
func (s *Settings) serve(ctx context.Context, log *slog.Logger) error {
	k, err := s.start(ctx, log)
	if err != nil {
		return err
	}
	defer k.close()
	s.greet(k)
	return k.run(ctx)
}

// start opens everything. run must follow, and close.
func (s *Settings) start(ctx context.Context, log *slog.Logger) (*stack, error) {
	if err := s.checkPorts(ctx); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(s.Data, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	k := &stack{log: log}
	if err := s.open(ctx, k); err != nil {
		k.close()
		return nil, err
	}
	return k, nil
}

// open opens the parts in the order in which they depend on one another. When it fails, what it opened is left to close.
func (s *Settings) open(ctx context.Context, k *stack) error {
	db, err := s.database(ctx, "token-broker", broker.Migrations())
	if err != nil {
		return err
	}
	k.open.add(db.Close) // the last to go: its lock keeps another devstack away from all of the folder
	if k.operator, err = s.operatorToken(); err != nil {
		return err
	}
	if k.meta, err = s.startMeta(k); err != nil {
		return err
	}
	p := pair{operator: k.operator, token: newToken(), graph: "http://" + k.meta.Addr()}
	if err := s.startBroker(ctx, k, p, db); err != nil {
		return err
	}
	if err := s.startOnboarding(ctx, k, p); err != nil {
		return err
	}
	k.sim.SetWebhook(graphsim.WebhookSettings{
		CallbackURL: "http://" + k.onboarding.HTTP.Addr() + "/api/v1/whatsapp/webhook", VerifyToken: verifyToken,
	})
	return nil
}

// run serves until ctx ends.
func (k *stack) run(ctx context.Context) error {
	return run.All(ctx, k.meta.Serve,
		func(ctx context.Context) error { return run.Beside(ctx, k.broker.Run, k.brokerAdmin.Serve) },
		func(ctx context.Context) error { return run.Beside(ctx, k.onboarding.Run, k.admin.Serve) })
}

func (k *stack) close() { k.open.close(k.log) }

// closers closes what was opened, last first.
type closers []func() error

func (c *closers) add(f func() error) { *c = append(*c, f) }

func (c *closers) close(log *slog.Logger) {
	for _, f := range slices.Backward(*c) {
		if err := f(); err != nil {
			log.Warn("something did not close", "error", err)
		}
	}
}

// pair is what the two services have in common here.
type pair struct {
	operator secret.Text
	graph    string
	token    secret.Text // of waba-onboarding at the broker
}

func (s *Settings) startMeta(k *stack) (*rpc.HTTP, error) {
	sim, err := graphsim.New(graphsim.Config{
		AppID: appID, AppSecret: appSecret, ConfigID: configID, OwnAccessToken: ownToken, OwnBusinessID: ownBusiness,
		OwnWABAs:  []graphsim.OwnWABA{{ID: ownWABA, Name: "Own business", Phones: make([]graphsim.Phone, 1)}},
		StateFile: s.file("graphsim.json"), Log: k.log.With("component", "graphsim"),
	})
	if err != nil {
		return nil, fmt.Errorf("start the simulated Meta: %w", err)
	}
	k.sim = sim
	served, err := rpc.NewHTTP(rpc.HTTPConfig{
		Setting: "GRAPHSIM_LISTEN", Listen: s.GraphsimListen, Handler: sim, Grace: time.Second, Log: k.log,
	})
	if err != nil {
		return nil, err
	}
	k.open.add(served.Close)
	k.open.add(sim.Close) // before the server: it lets go what faults hold
	return served, nil
}

func (s *Settings) startBroker(ctx context.Context, k *stack, p pair, db *database.DB) error {
	log := k.log.With("service", "token-broker")
	keys, err := s.keys(ctx, "token-broker", db, broker.SealedColumns())
	if err != nil {
		return err
	}
	callers, err := identity.New(identity.Options{RPCs: true},
		identity.Entry{Name: "operator", SHA256: p.operator.Fingerprint(), RPCs: []string{identity.All}},
		identity.Entry{Name: "waba-onboarding", SHA256: p.token.Fingerprint(), RPCs: []string{
			"ExchangeCode", "BindWaba", "GetAccessToken", "GetToken",
		}})
	if err != nil {
		return fmt.Errorf("list the callers: %w", err)
	}
	settings := &broker.Settings{
		Common: p.common(s.BrokerGRPCListen), MetaAccessToken: secret.New(ownToken), MetaOwnOrganization: ownOrganization,
		MetaOwnWABAIDs: []string{ownWABA},
	}
	settings.MetaAppSecret = secret.New(appSecret)
	k.broker, err = broker.Build(settings, broker.Parts{DB: db, Keys: keys, Callers: callers, Now: time.Now, Log: log})
	if err != nil {
		return err
	}
	k.open.add(k.broker.RPC.Close)
	k.brokerAdmin, err = k.probes(log, "BROKER_ADMIN_LISTEN", s.BrokerAdmin,
		rpc.Check{Name: "database", Ask: db.Ready}, rpc.Check{Name: "serving", Ask: k.broker.RPC.Accepting})
	return err
}

func (s *Settings) startOnboarding(ctx context.Context, k *stack, p pair) error {
	log := k.log.With("service", "waba-onboarding")
	db, err := s.database(ctx, "waba-onboarding", onboarding.Migrations())
	if err != nil {
		return err
	}
	k.open.add(db.Close)
	keys, err := s.keys(ctx, "waba-onboarding", db, onboarding.SealedColumns())
	if err != nil {
		return err
	}
	callers, err := identity.New(identity.Options{Organizations: true}, identity.Entry{
		Name: "operator", SHA256: p.operator.Fingerprint(), Role: "admin", Organizations: []string{identity.All},
	})
	if err != nil {
		return fmt.Errorf("list the callers: %w", err)
	}
	settings := &onboarding.Settings{
		Common: p.common(s.GRPCListen), HTTPListen: s.HTTPListen, MetaConfigID: configID,
		PublicURL: "http://" + s.HTTPListen, MetaSDKURL: p.graph + "/en_US/sdk.js", MetaDialogURL: p.graph + "/" + graphVersion + "/dialog/oauth",
		AllowedOrigins: s.AllowedOrigins, AllowedRedirectURIs: s.AllowedRedirectURIs,
		OnboardingTTL: 30 * time.Minute, ClaimDeadline: 110 * time.Second, EventRetention: 720 * time.Hour,
		EgressAllow: "127.0.0.0/8,::1/128", // a receiver on this machine
	}
	settings.MetaAppSecret, settings.MetaWebhookVerifyToken = secret.New(appSecret), secret.New(verifyToken)
	client := settings.BrokerClient(k.log)
	client.Server, client.Token = k.broker.RPC, p.token
	conn, err := rpc.Dial(client)
	if err != nil {
		return err
	}
	k.open.add(conn.Close)
	k.onboarding, err = onboarding.Build(settings, onboarding.Parts{
		DB: db, Keys: keys, Callers: callers, Broker: conn, Now: time.Now, Log: log,
	})
	if err != nil {
		return err
	}
	k.open.add(k.onboarding.Close)
	k.admin, err = k.probes(log, "ADMIN_LISTEN", s.AdminListen,
		rpc.Check{Name: "database", Ask: db.Ready}, rpc.Check{Name: "broker", Aside: true, Ask: k.broker.RPC.Accepting},
		rpc.Check{Name: "serving", Ask: k.onboarding.RPC.Accepting})
	return err
}

func (k *stack) probes(log *slog.Logger, setting, listen string, checks ...rpc.Check) (*rpc.HTTP, error) {
	served, err := rpc.NewHTTP(rpc.HTTPConfig{Setting: setting, Listen: listen, Log: log, Handler: rpc.Admin(log, checks...)})
	if err != nil {
		return nil, err
	}
	k.open.add(served.Close)
	return served, nil
}

// common are the settings that both services share.
func (p pair) common(listen string) cli.Common {
	return cli.Common{
		GRPCListen: listen, MetaGraphURL: p.graph, MetaGraphVersion: graphVersion, MetaAppID: appID, Insecure: true,
	}
}
