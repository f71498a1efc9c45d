package server

import (
	"context"
	"errors"
	"log/slog"
	"time"

	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	"github.com/whatrack/connect/services/internal/database"
	"github.com/whatrack/connect/services/internal/graph"
	"github.com/whatrack/connect/services/internal/identity"
	"github.com/whatrack/connect/services/internal/jobs"
	"github.com/whatrack/connect/services/internal/keyring"
	"github.com/whatrack/connect/services/internal/rpc"
	"github.com/whatrack/connect/services/internal/run"
	"github.com/whatrack/connect/services/token-broker/internal/broker"
	"github.com/whatrack/connect/services/token-broker/internal/store"
)

// maxMessage bounds a request: nothing that the broker is asked is larger than a code and a URL.
const maxMessage = 64 << 10

// eraseEvery is how often tokens that were never bound are looked for.
const eraseEvery = 10 * time.Minute

// Parts are what a broker is made of, opened by whoever runs it: a process, the devstack, or a test.
type Parts struct {
	DB      *database.DB
	Keys    *keyring.Keyring
	Callers *identity.Callers
	Now     func() time.Time
	Log     *slog.Logger
}

// Broker is one broker, wired.
type Broker struct {
	RPC   *rpc.Server
	tasks []run.Task
}

// Build wires a broker in the order in which its parts depend on one another.
func Build(s *Settings, p Parts) (*Broker, error) {
	queue, err := jobs.NewQueue(p.DB, p.Log)
	if err != nil {
		return nil, err
	}
	service := broker.New(broker.Config{
		Store: store.New(p.DB, queue, p.Now),
		Keys:  p.Keys,
		Meta:  s.graph(p.Now),
		AppID: s.MetaAppID,
		Own:   broker.OwnBusiness{Token: s.MetaAccessToken, Organization: s.MetaOwnOrganization, WABAs: s.MetaOwnWABAIDs},
		Now:   p.Now,
		Log:   p.Log,
	})
	server, err := rpc.NewServer(rpc.Config{
		Listen: s.GRPCListen, TLS: s.tls(), Insecure: s.Insecure, Callers: p.Callers, Policy: rpc.ByRPCList(),
		Timeouts: Timeouts(), Quiet: []string{tokenbrokerv1.TokenBrokerService_GetAccessToken_FullMethodName},
		MaxMessage: maxMessage, DrainDelay: s.DrainDelay, Ready: p.DB.Ready, Log: p.Log,
	}, rpc.Service{Desc: &tokenbrokerv1.TokenBrokerService_ServiceDesc, Impl: service})
	if err != nil {
		return nil, err
	}
	work := func(ctx context.Context) error {
		return jobs.Run(ctx, p.DB, service.Workers(), p.Log, jobs.Every{Interval: eraseEvery, Args: store.EraseArgs{}})
	}
	serve := func(ctx context.Context) error { return service.Run(ctx, server.Serve) }
	return &Broker{RPC: server, tasks: []run.Task{serve, work, p.Callers.Watch}}, nil
}

// Run serves until ctx ends.
func (b *Broker) Run(ctx context.Context) error { return run.All(ctx, b.tasks...) }

// Timeouts are the deadlines of the RPCs that need more than usual.
func Timeouts() map[string]time.Duration {
	return map[string]time.Duration{tokenbrokerv1.TokenBrokerService_ExchangeCode_FullMethodName: rpc.ExchangeTimeout}
}

// Migrations is the schema.
func Migrations() database.Migrations { return store.Migrations() }

// SealedColumns are those of the schema.
func SealedColumns() []database.SealedColumn { return store.SealedColumns() }

func (s *Settings) tls() rpc.TLSFiles {
	return rpc.TLSFiles{Cert: s.TLSCertFile, Key: s.TLSKeyFile, CA: s.TLSCAFile}
}

// serve is one process: everything opened, run, and closed again.
func (s *Settings) serve(ctx context.Context, log *slog.Logger) error {
	db, err := s.OpenDatabase(ctx, Migrations())
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	keys, err := s.OpenKeyset(ctx, db, SealedColumns())
	if err != nil {
		return err
	}
	callers, err := s.callers(log)
	if err != nil {
		return err
	}
	built, err := Build(s, Parts{DB: db, Keys: keys, Callers: callers, Now: time.Now, Log: log})
	if err != nil {
		return err
	}
	defer func() { _ = built.RPC.Close() }()
	admin, err := rpc.NewHTTP(rpc.HTTPConfig{
		Setting: "ADMIN_LISTEN", Listen: s.AdminListen, Log: log,
		Handler: rpc.Admin(log, rpc.Check{Name: "database", Ask: db.Ready}, rpc.Check{Name: "serving", Ask: built.RPC.Accepting}),
	})
	if err != nil {
		return err
	}
	defer func() { _ = admin.Close() }()
	log.InfoContext(ctx, "token-broker is ready", "grpc", built.RPC.Addr(), "admin", admin.Addr())
	return run.Beside(ctx, built.Run, admin.Serve)
}

func (s *Settings) callers(log *slog.Logger) (*identity.Callers, error) {
	known := rpc.Names(&tokenbrokerv1.TokenBrokerService_ServiceDesc)
	return identity.Load(s.CallersFile, identity.Options{RPCs: true, Known: known, NoCertificates: s.NoCertificates()}, log)
}

// checkLive asks everything that the broker depends on, and joins what is wrong.
func (s *Settings) checkLive(ctx context.Context, log *slog.Logger) error {
	_, callersErr := s.callers(log)
	return errors.Join(s.CheckStorage(ctx, Migrations(), SealedColumns()), callersErr, s.tls().Check(), s.CheckMeta(ctx))
}

func (s *Settings) graph(now func() time.Time) *graph.Client {
	return graph.NewClient(graph.Config{
		BaseURL: s.MetaGraphURL, Version: s.MetaGraphVersion, AppID: s.MetaAppID, AppSecret: s.MetaAppSecret, Now: now,
	})
}
