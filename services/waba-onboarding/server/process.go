package server

import (
	"context"
	"errors"
	"log/slog"
	"time"

	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/internal/identity"
	"github.com/whatrack/connect/services/internal/rpc"
	"github.com/whatrack/connect/services/internal/run"
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
	callers, err := s.callers(log)
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
			rpc.Check{Name: "broker", Aside: true, Ask: func(ctx context.Context) error { return askBroker(ctx, broker) }},
			rpc.Check{Name: "serving", Ask: built.RPC.Accepting}),
	})
	if err != nil {
		return err
	}
	defer func() { _ = admin.Close() }()
	log.InfoContext(ctx, "waba-onboarding is ready", "http", built.HTTP.Addr(), "grpc", built.RPC.Addr(), "admin", admin.Addr())
	return run.Beside(ctx, built.Run, admin.Serve)
}

// checkLive asks everything that the service depends on, and joins what is wrong.
func (s *Settings) checkLive(ctx context.Context, log *slog.Logger) error {
	_, callersErr := s.callers(log)
	return errors.Join(s.CheckStorage(ctx, Migrations(), SealedColumns()), callersErr, s.checkBroker(ctx, log), s.CheckMeta(ctx))
}

func (s *Settings) callers(log *slog.Logger) (*identity.Callers, error) {
	known := rpc.Names(&onboardingv1.OnboardingService_ServiceDesc, &onboardingv1.ConnectionService_ServiceDesc,
		&onboardingv1.WebhookService_ServiceDesc, &onboardingv1.MessageService_ServiceDesc)
	return identity.Load(s.CallersFile, identity.Options{Organizations: true, Known: known, NoCertificates: s.NoCertificates()}, log)
}
