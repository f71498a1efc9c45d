package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/whatrack/connect/services/graphsim"
	"github.com/whatrack/connect/services/internal/cli"
	"github.com/whatrack/connect/services/internal/database"
	"github.com/whatrack/connect/services/internal/identity"
	"github.com/whatrack/connect/services/internal/keyring"
	"github.com/whatrack/connect/services/internal/rpc"
	"github.com/whatrack/connect/services/internal/run"
	"github.com/whatrack/connect/services/internal/secret"
	"github.com/whatrack/connect/services/internal/tlstest"
	broker "github.com/whatrack/connect/services/token-broker/server"
	onboarding "github.com/whatrack/connect/services/waba-onboarding/server"
)

const (
	appID     = "670843880000001"
	appSecret = "bench-app-secret"
	// latency is how long the simulated Meta takes for each call.
	latency  = 100 * time.Millisecond
	loopback = "127.0.0.1:0"
)

// pair is both services and Meta, running.
type pair struct {
	dir       string
	authority *tlstest.Authority
	log       *slog.Logger
	bearer    secret.Text
	meta      *graphsim.Simulator
	graph     string // the simulated Meta's address
	databases map[string]string

	brokerAddr, restAddr string
	tasks                []run.Task
	closers              []func()
}

func newPair(ctx context.Context, dir, storage string) (*pair, error) {
	authority, err := tlstest.New()
	if err != nil {
		return nil, err
	}
	p := &pair{
		dir: dir, authority: authority, bearer: secret.New("bench-" + rand.Text()), databases: map[string]string{},
		log: slog.New(slog.NewJSONHandler(io.Discard, nil)), // each line is made, as in production
	}
	for _, build := range []func(context.Context, string) error{p.startMeta, p.buildBroker, p.buildOnboarding} {
		if err := build(ctx, storage); err != nil {
			p.close()
			return nil, err
		}
	}
	p.start(ctx)
	return p, nil
}

// start runs everything until close.
func (p *pair) start(ctx context.Context) {
	ctx, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- run.All(ctx, p.tasks...) }()
	p.closers = append(p.closers, func() {
		stop()
		if err := <-done; err != nil {
			_, _ = fmt.Fprintln(os.Stderr, "bench: a service failed:", err)
		}
	})
}

func (p *pair) close() {
	for _, f := range slices.Backward(p.closers) {
		f()
	}
}

func (p *pair) startMeta(context.Context, string) error {
	sim, err := graphsim.New(graphsim.Config{AppID: appID, AppSecret: appSecret, Latency: latency})
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", loopback)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: sim, ReadHeaderTimeout: 10 * time.Second}
	p.meta, p.graph = sim, "http://"+listener.Addr().String()
	p.closers = append(p.closers, func() { _ = server.Close() })
	go func() { _ = server.Serve(listener) }()
	return nil
}

func (p *pair) common(name string) (cli.Common, error) {
	files, err := p.authority.Issue(p.dir, name)
	return cli.Common{
		GRPCListen: loopback, MetaGraphURL: p.graph, MetaGraphVersion: "v25.0", MetaAppID: appID,
		MetaAppSecret: secret.New(appSecret), TLSCertFile: files.Cert, TLSKeyFile: files.Key, TLSCAFile: files.CA,
	}, err
}

func (p *pair) buildBroker(ctx context.Context, storage string) error {
	common, err := p.common("token-broker")
	if err != nil {
		return err
	}
	db, keys, err := p.open(ctx, "token-broker", storage, broker.Migrations())
	if err != nil {
		return err
	}
	callers, err := identity.New(identity.Options{RPCs: true},
		identity.Entry{Name: "waba-onboarding", SAN: "waba-onboarding", RPCs: []string{identity.All}},
		identity.Entry{Name: "bench", SAN: "bench", RPCs: []string{identity.All}})
	if err != nil {
		return err
	}
	built, err := broker.Build(&broker.Settings{Common: common}, broker.Parts{DB: db, Keys: keys, Callers: callers, Now: time.Now, Log: p.log})
	if err != nil {
		return err
	}
	p.closers = append(p.closers, func() { _ = built.RPC.Close() })
	p.brokerAddr = built.RPC.Addr()
	p.tasks = append(p.tasks, func(ctx context.Context) error { return built.Run(ctx) })
	return nil
}

func (p *pair) buildOnboarding(ctx context.Context, storage string) error {
	common, err := p.common("waba-onboarding")
	if err != nil {
		return err
	}
	db, keys, err := p.open(ctx, "waba-onboarding", storage, onboarding.Migrations())
	if err != nil {
		return err
	}
	callers, err := identity.New(identity.Options{Organizations: true}, identity.Entry{
		Name: "operator", SHA256: p.bearer.Fingerprint(), Role: "admin", Organizations: []string{identity.All},
	})
	if err != nil {
		return err
	}
	settings := &onboarding.Settings{
		Common: common, HTTPListen: loopback, BrokerAddr: p.brokerAddr, MetaConfigID: "884210000000001",
		OnboardingTTL: 30 * time.Minute, ClaimDeadline: 110 * time.Second, EventRetention: 720 * time.Hour,
	}
	conn, err := rpc.Dial(settings.BrokerClient(p.log))
	if err != nil {
		return err
	}
	p.closers = append(p.closers, func() { _ = conn.Close() })
	built, err := onboarding.Build(settings, onboarding.Parts{DB: db, Keys: keys, Callers: callers, Broker: conn, Now: time.Now, Log: p.log})
	if err != nil {
		return err
	}
	p.closers = append(p.closers, func() { _ = built.Close() })
	p.restAddr = built.HTTP.Addr()
	p.tasks = append(p.tasks, func(ctx context.Context) error { return built.Run(ctx) })
	return nil
}

// open makes a service's database and keyset.
func (p *pair) open(ctx context.Context, service, storage string, migrations database.Migrations) (*database.DB, *keyring.Keyring, error) {
	databaseURL := "sqlite://" + filepath.Join(p.dir, service+".db")
	if storage == postgres {
		var err error
		if databaseURL, err = p.createDatabase(ctx); err != nil {
			return nil, nil, err
		}
	}
	p.databases[service] = databaseURL
	db, err := database.Open(ctx, databaseURL)
	if err != nil {
		return nil, nil, err
	}
	p.closers = append(p.closers, func() { _ = db.Close() })
	if err := db.Migrate(ctx, migrations); err != nil {
		return nil, nil, err
	}
	keyset := filepath.Join(p.dir, service+"-keyset.json")
	if err := keyring.Create(keyset); err != nil {
		return nil, nil, err
	}
	keys, err := keyring.Open(keyset)
	return db, keys, err
}

// createDatabase makes a PostgreSQL database that is dropped at the end.
func (p *pair) createDatabase(ctx context.Context) (databaseURL string, err error) {
	admin, err := url.Parse(os.Getenv("TEST_DATABASE_URL"))
	if err != nil {
		return "", errors.New("TEST_DATABASE_URL is no URL") // err could quote its password
	}
	db, err := sql.Open("pgx", admin.String())
	if err != nil {
		return "", err
	}
	name := "bench_" + strings.ToLower(rand.Text())
	if _, err := db.ExecContext(ctx, "create database "+name); err != nil {
		return "", errors.Join(err, db.Close())
	}
	p.closers = append(p.closers, func() {
		_, _ = db.ExecContext(context.Background(), "drop database if exists "+name+" with (force)")
		_ = db.Close()
	})
	admin.Path = "/" + name
	return admin.String(), nil
}
