package server

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"google.golang.org/grpc"

	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/internal/database"
	"github.com/whatrack/connect/services/internal/egress"
	"github.com/whatrack/connect/services/internal/graph"
	"github.com/whatrack/connect/services/internal/identity"
	"github.com/whatrack/connect/services/internal/jobs"
	"github.com/whatrack/connect/services/internal/keyring"
	"github.com/whatrack/connect/services/internal/rpc"
	"github.com/whatrack/connect/services/internal/run"
	"github.com/whatrack/connect/services/waba-onboarding/internal/connection"
	"github.com/whatrack/connect/services/waba-onboarding/internal/message"
	"github.com/whatrack/connect/services/waba-onboarding/internal/onboarding"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
	"github.com/whatrack/connect/services/waba-onboarding/internal/webhook"
)

// Parts are what the service is made of, opened by whoever runs it: a process, the devstack, or a test.
type Parts struct {
	DB      *database.DB
	Keys    *keyring.Keyring
	Callers *identity.Callers
	Broker  grpc.ClientConnInterface
	Now     func() time.Time
	Log     *slog.Logger
}

// Onboarding is one waba-onboarding, wired.
type Onboarding struct {
	RPC     *rpc.Server
	HTTP    *rpc.HTTP
	gateway *rpc.Gateway
	tasks   []run.Task
}

// Build wires the service in the order in which its parts depend on one another.
func Build(s *Settings, p Parts) (*Onboarding, error) {
	queue, err := jobs.NewQueue(p.DB, p.Log)
	if err != nil {
		return nil, err
	}
	rows := store.New(p.DB, queue, p.Now, s.ClaimDeadline)
	broker := tokenbrokerv1.NewTokenBrokerServiceClient(p.Broker)
	meta := graph.NewClient(graph.Config{BaseURL: s.MetaGraphURL, Version: s.MetaGraphVersion, AppID: s.MetaAppID, Now: p.Now})
	connections := connection.New(connection.Config{
		Store: rows, Broker: broker, Meta: meta, Keys: p.Keys, AppID: s.MetaAppID, Deadline: s.ClaimDeadline,
		Now: p.Now, Log: p.Log,
	})
	clients := &identity.Clients{Keys: p.Keys, Now: p.Now}
	onboardings := onboarding.New(onboarding.Config{
		Store: rows, Broker: broker, Meta: meta, Keys: p.Keys, Clients: clients, TTL: s.OnboardingTTL, Now: p.Now, Log: p.Log,
		Signup: s.signup(),
	})
	reader := webhook.Reader{AppID: s.MetaAppID}
	webhooks := &webhook.Service{Store: rows, Reader: reader, Keys: p.Keys}
	messages := message.New(message.Config{Store: rows, Broker: broker, Meta: meta, Keys: p.Keys, Log: p.Log})
	destinations, err := s.destinations(rows, p)
	if err != nil {
		return nil, err
	}
	server, err := rpc.NewServer(rpc.Config{
		Listen: s.GRPCListen, TLS: s.tls(), Insecure: s.Insecure, Callers: p.Callers, Clients: clients,
		Policy: policy(), Timeouts: timeouts(), DrainDelay: s.DrainDelay, Ready: p.DB.Ready, Log: p.Log,
	},
		rpc.Service{Desc: &onboardingv1.OnboardingService_ServiceDesc, Impl: onboardings},
		rpc.Service{Desc: &onboardingv1.ConnectionService_ServiceDesc, Impl: connections},
		rpc.Service{Desc: &onboardingv1.WebhookService_ServiceDesc, Impl: webhookService{received: webhooks, forwarded: destinations}},
		rpc.Service{Desc: &onboardingv1.MessageService_ServiceDesc, Impl: messages})
	if err != nil {
		return nil, err
	}
	workers := river.NewWorkers()
	onboardings.AddWorkers(workers)
	connections.AddWorkers(workers)
	(&webhook.Worker{Store: rows, Reader: reader, Keep: s.EventRetention, Log: p.Log}).AddWorkers(workers)
	work := func(ctx context.Context) error {
		return jobs.Run(ctx, p.DB, workers, p.Log, jobs.Every{Interval: webhook.PruneEvery, Args: store.PruneArgs{}})
	}
	splitter := webhook.NewSplitter(rows, reader, p.Log)
	serve := func(ctx context.Context) error {
		defer onboardings.Drain() // a call that was let in while draining may have left a code behind
		defer messages.Drain()    // or a message
		return server.Serve(ctx)
	}
	o := &Onboarding{RPC: server, tasks: []run.Task{
		serve, onboardings.Run, work, destinations.Run, splitter.Run, p.Callers.Watch,
	}}
	if err := o.front(s, p, onboardings, splitter.Keeper()); err != nil {
		return nil, errors.Join(err, server.Close())
	}
	return o, nil
}

// Run serves until ctx ends.
func (o *Onboarding) Run(ctx context.Context) error { return run.All(ctx, o.tasks...) }

// Close gives everything back that Build took, served or not.
func (o *Onboarding) Close() error {
	return errors.Join(o.HTTP.Close(), o.gateway.Close(), o.RPC.Close())
}

// policy: ending a connection is for admins; a customer in a browser may do what the signup needs.
func policy() rpc.Policy {
	return rpc.ByRole(onboardingv1.ConnectionService_DisconnectConnection_FullMethodName).WithClients(
		onboardingv1.OnboardingService_ClaimWaba_FullMethodName,
		onboardingv1.OnboardingService_SelectWaba_FullMethodName,
		onboardingv1.OnboardingService_GetOnboarding_FullMethodName,
		onboardingv1.OnboardingService_WaitOnboarding_FullMethodName,
		onboardingv1.OnboardingService_ReportOnboardingStep_FullMethodName,
	).WithOwn(onboardingv1.OnboardingService_StartOnboarding_FullMethodName)
}

// timeouts are the deadlines of the RPCs that need more than usual: whatever calls Meta while the caller waits.
func timeouts() map[string]time.Duration {
	const meta, wait = 25 * time.Second, rpc.LongestTimeout
	return map[string]time.Duration{
		onboardingv1.OnboardingService_ClaimWaba_FullMethodName:            meta,
		onboardingv1.OnboardingService_SelectWaba_FullMethodName:           meta,
		onboardingv1.OnboardingService_WaitOnboarding_FullMethodName:       wait,
		onboardingv1.ConnectionService_CheckConnection_FullMethodName:      meta,
		onboardingv1.ConnectionService_SubscribeWebhooks_FullMethodName:    meta,
		onboardingv1.ConnectionService_RegisterPhoneNumber_FullMethodName:  meta,
		onboardingv1.ConnectionService_DisconnectConnection_FullMethodName: meta,
		onboardingv1.MessageService_SendMessage_FullMethodName:             meta,
		onboardingv1.WebhookService_TestDestination_FullMethodName:         egress.Timeout + 5*time.Second,
	}
}

// Migrations is the schema.
func Migrations() database.Migrations { return store.Migrations() }

// SealedColumns are those of the schema.
func SealedColumns() []database.SealedColumn { return store.SealedColumns() }

func (s *Settings) tls() rpc.TLSFiles {
	return rpc.TLSFiles{Cert: s.TLSCertFile, Key: s.TLSKeyFile, CA: s.TLSCAFile}
}
