package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/riverqueue/river"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/proto"

	"github.com/whatrack/connect/gen/openapi"
	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
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
	"github.com/whatrack/connect/services/internal/secret"
	"github.com/whatrack/connect/services/waba-onboarding/internal/connection"
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
	meta := graph.NewClient(graph.Config{BaseURL: s.MetaGraphURL, Version: s.MetaGraphVersion, AppID: s.MetaAppID})
	connections := connection.New(connection.Config{
		Store: rows, Broker: broker, Meta: meta, Keys: p.Keys, AppID: s.MetaAppID, Deadline: s.ClaimDeadline,
		Now: p.Now, Log: p.Log,
	})
	onboardings := onboarding.New(onboarding.Config{
		Store: rows, Broker: broker, Meta: meta, Keys: p.Keys, TTL: s.OnboardingTTL, Now: p.Now, Log: p.Log,
		Signup: onboarding.Signup{
			AppID: s.MetaAppID, ConfigID: s.MetaConfigID, GraphVersion: s.MetaGraphVersion,
			SDKURL: s.MetaSDKURL, DialogURL: s.dialogURL(),
		},
	})
	webhooks := &webhook.Service{Store: rows, Keys: p.Keys}
	destinations, err := s.destinations(rows, p)
	if err != nil {
		return nil, err
	}
	server, err := rpc.NewServer(rpc.Config{
		Listen: s.GRPCListen, TLS: s.tls(), Insecure: s.Insecure, Callers: p.Callers,
		Policy:   rpc.ByRole(onboardingv1.ConnectionService_DisconnectConnection_FullMethodName),
		Timeouts: timeouts(), Ready: p.DB.Ready, Log: p.Log,
	},
		rpc.Service{Desc: &onboardingv1.OnboardingService_ServiceDesc, Impl: onboardings},
		rpc.Service{Desc: &onboardingv1.ConnectionService_ServiceDesc, Impl: connections},
		rpc.Service{Desc: &onboardingv1.WebhookService_ServiceDesc, Impl: webhookService{webhooks, destinations}},
		rpc.Service{Desc: &onboardingv1.MessageService_ServiceDesc, Impl: webhooks})
	if err != nil {
		return nil, err
	}
	workers := river.NewWorkers()
	onboardings.AddWorkers(workers)
	connections.AddWorkers(workers)
	(&webhook.Worker{Store: rows}).AddWorkers(workers)
	work := func(ctx context.Context) error { return jobs.Run(ctx, p.DB, workers, p.Log) }
	committer := webhook.NewCommitter(rows.InsertDeliveries)
	serve := func(ctx context.Context) error {
		defer committer.Close()   // the last webhook has its answer
		defer onboardings.Drain() // a call that was let in while draining may have left a code behind
		return server.Serve(ctx)
	}
	o := &Onboarding{RPC: server, tasks: []run.Task{serve, onboardings.Run, work, destinations.Run, committer.Run, p.Callers.Watch}}
	return o, o.front(s, committer, p.Log)
}

// front is plain HTTP before the gRPC server.
func (o *Onboarding) front(s *Settings, committer *webhook.Committer, log *slog.Logger) error {
	var err error
	o.gateway, err = rpc.NewGateway(rpc.GatewayConfig{
		Server: o.RPC,
		Register: []func(context.Context, *runtime.ServeMux, *grpc.ClientConn) error{
			onboardingv1.RegisterOnboardingServiceHandler, onboardingv1.RegisterConnectionServiceHandler,
			onboardingv1.RegisterWebhookServiceHandler, onboardingv1.RegisterMessageServiceHandler,
		},
		Status: statusOf, Log: log,
	})
	if err != nil {
		return errors.Join(err, o.RPC.Close())
	}
	mux := http.NewServeMux()
	mux.Handle("/", o.gateway)
	mux.HandleFunc("GET /openapi.json", serveOpenAPI)
	mux.Handle("/api/v1/whatsapp/webhook", &webhook.Intake{
		Keeper: committer, VerifyToken: s.MetaWebhookVerifyToken, Secrets: s.appSecrets(),
		Memory: webhook.NewMemory(intakeMemory), Log: log,
	})
	o.HTTP, err = rpc.NewHTTP(rpc.HTTPConfig{Setting: "HTTP_LISTEN", Listen: s.HTTPListen, Handler: mux, Log: log})
	if err != nil {
		return errors.Join(err, o.gateway.Close(), o.RPC.Close())
	}
	o.RPC.Front(o.HTTP.Serve)
	return nil
}

// intakeMemory bounds the bodies of webhooks that are in memory at a time.
const intakeMemory = 64 << 20

// appSecrets are those whose signatures count. Without any, every webhook is refused.
func (s *Settings) appSecrets() []secret.Text {
	var secrets []secret.Text
	for _, known := range []secret.Text{s.MetaAppSecret, s.MetaAppSecretPrevious} {
		if !known.IsEmpty() {
			secrets = append(secrets, known)
		}
	}
	return secrets
}

// statusOf answers 202 for an onboarding that goes on.
func statusOf(answer proto.Message) int {
	if onboarding.Final(answer) {
		return http.StatusOK
	}
	return http.StatusAccepted
}

func serveOpenAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(openapi.JSON)
}

// Run serves until ctx ends.
func (o *Onboarding) Run(ctx context.Context, beside ...run.Task) error {
	return run.All(ctx, append(o.tasks, beside...)...)
}

// Close gives everything back that Build took, served or not.
func (o *Onboarding) Close() error {
	return errors.Join(o.HTTP.Close(), o.gateway.Close(), o.RPC.Close())
}

// timeouts are the deadlines of the RPCs that need more than usual: whatever calls Meta while the caller waits.
func timeouts() map[string]time.Duration {
	const meta, wait = 25 * time.Second, 27 * time.Second
	return map[string]time.Duration{
		onboardingv1.OnboardingService_ClaimWaba_FullMethodName:            meta,
		onboardingv1.OnboardingService_SelectWaba_FullMethodName:           meta,
		onboardingv1.OnboardingService_WaitOnboarding_FullMethodName:       wait,
		onboardingv1.ConnectionService_CheckConnection_FullMethodName:      meta,
		onboardingv1.ConnectionService_SubscribeWebhooks_FullMethodName:    meta,
		onboardingv1.ConnectionService_RegisterPhoneNumber_FullMethodName:  meta,
		onboardingv1.ConnectionService_DisconnectConnection_FullMethodName: meta,
		onboardingv1.WebhookService_TestDestination_FullMethodName:         egress.Timeout + 5*time.Second,
	}
}

// Migrations is the schema.
func Migrations() database.Migrations { return store.Migrations() }

// BrokerClient is how to reach token-broker.
func (s *Settings) BrokerClient(log *slog.Logger) rpc.ClientConfig {
	return rpc.ClientConfig{
		Addr: s.BrokerAddr, TLS: s.tls(), Insecure: s.Insecure, Token: s.BrokerToken,
		Timeouts:    map[string]time.Duration{tokenbrokerv1.TokenBrokerService_ExchangeCode_FullMethodName: 22 * time.Second},
		Unavailable: errorsv1.ErrorReason_BROKER_UNAVAILABLE,
		Log:         log,
	}
}

func (s *Settings) tls() rpc.TLSFiles {
	return rpc.TLSFiles{Cert: s.TLSCertFile, Key: s.TLSKeyFile, CA: s.TLSCAFile}
}

// askBroker asks whether token-broker serves.
func askBroker(ctx context.Context, conn grpc.ClientConnInterface) error {
	resp, err := grpc_health_v1.NewHealthClient(conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{})
	if err == nil && resp.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING {
		err = fmt.Errorf("token-broker is %s", resp.GetStatus())
	}
	return err
}
