package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/whatrack/connect/services/internal/identity"
	"github.com/whatrack/connect/services/internal/rpc"
)

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
	callers, err := identity.Load(s.CallersFile, identity.Options{Organizations: true}, log)
	if err != nil {
		return err
	}
	broker, err := rpc.Dial(s.BrokerClient(log))
	if err != nil {
		return err
	}
	defer func() { _ = broker.Close() }()
	built, err := Build(s, Parts{DB: db, Keys: keys, Callers: callers, Broker: broker, Now: time.Now, Log: log})
	if err != nil {
		return err
	}
	defer func() { _ = built.Close() }()
	admin, err := rpc.NewHTTP(rpc.HTTPConfig{
		Setting: "ADMIN_LISTEN", Listen: s.AdminListen, Log: log,
		Handler: rpc.Admin(log,
			rpc.Check{Name: "database", Ask: db.Ready},
			rpc.Check{Name: "broker", Ask: func(ctx context.Context) error { return askBroker(ctx, broker) }},
			rpc.Check{Name: "serving", Ask: built.RPC.Accepting}),
	})
	if err != nil {
		return err
	}
	defer func() { _ = admin.Close() }()
	log.InfoContext(ctx, "waba-onboarding is ready", "http", built.HTTP.Addr(), "grpc", built.RPC.Addr(), "admin", admin.Addr())
	return built.Run(ctx, admin.Serve)
}

// checkLive asks everything that the service depends on, and joins what is wrong.
func (s *Settings) checkLive(ctx context.Context, log *slog.Logger) error {
	_, callersErr := identity.Load(s.CallersFile, identity.Options{Organizations: true}, log)
	return errors.Join(s.CheckStorage(ctx, Migrations(), SealedColumns()), callersErr, s.checkBroker(ctx, log), s.CheckMeta(ctx))
}

func (s *Settings) checkBroker(ctx context.Context, log *slog.Logger) error {
	broker, err := rpc.Dial(s.BrokerClient(log))
	if err != nil {
		return err
	}
	defer func() { _ = broker.Close() }()
	if err := askBroker(ctx, broker); err != nil {
		return fmt.Errorf("ask token-broker at BROKER_ADDR: %w", err)
	}
	return nil
}
