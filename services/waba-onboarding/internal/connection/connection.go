// Package connection is ConnectionService: what is known of each claimed WABA, and what is done about it after its
// claim: checks, the subscription, the registration of numbers or their sync, its end.
//
// It promises that silence changes nothing: only Meta's own word does. A connection that no longer holds its WABA never
// writes to Meta, and a number of the WhatsApp Business app is never registered. A PIN is on record, sealed, before it is
// sent, and a retry never changes it. What Meta hands out once only is asked for once only, whatever becomes of the answer.
package connection

import (
	"context"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/internal/bell"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/graph"
	"github.com/whatrack/connect/services/internal/identity"
	"github.com/whatrack/connect/services/internal/keyring"
	"github.com/whatrack/connect/services/internal/page"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// Config is what the service needs.
type Config struct {
	Store  *store.Store
	Broker tokenbrokerv1.TokenBrokerServiceClient
	Meta   *graph.Client
	Keys   *keyring.Keyring
	AppID  string
	// Deadline is how long a disconnection waits for Meta before it goes on without.
	Deadline time.Duration
	Now      func() time.Time
	Log      *slog.Logger
}

// Service implements ConnectionService.
type Service struct {
	onboardingv1.UnsafeConnectionServiceServer

	Config
	changed bell.Bell
}

var _ onboardingv1.ConnectionServiceServer = (*Service)(nil)

// New makes the service.
func New(cfg Config) *Service { return &Service{Config: cfg} }

// jobWait is how long a caller waits for a job that it started; the job goes on by itself.
const jobWait = 8 * time.Second

// AddWorkers adds the jobs of this package.
func (s *Service) AddWorkers(workers *river.Workers) {
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[store.RegisterArgs]) error {
		defer s.changed.Ring(job.Args.ConnectionID.String())
		return s.register(ctx, job.Args)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[store.SeekArgs]) error {
		return s.seek(ctx, job.Args)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[store.SyncArgs]) error {
		return s.sync(ctx, job.Args)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[store.DisconnectArgs]) error {
		defer s.changed.Ring(job.Args.ConnectionID.String())
		return s.disconnect(ctx, job.Args.ConnectionID)
	}))
}

// ListConnections implements ConnectionService.
func (s *Service) ListConnections(ctx context.Context, req *onboardingv1.ListConnectionsRequest) (*onboardingv1.ListConnectionsResponse, error) {
	scope, err := identity.Scope(ctx)
	if err != nil {
		return nil, err
	}
	states := make([]string, 0, len(req.GetStates()))
	for _, state := range req.GetStates() {
		states = append(states, state.String())
	}
	list, next, err := page.Of(page.List{Keys: s.Keys, Name: "connections", Scope: scope, Filter: states}, req,
		func(c *store.Connection) uuid.UUID { return c.ID },
		func(before uuid.UUID, limit int) ([]*store.Connection, error) {
			return s.Store.ListConnections(ctx, scope, states, before, limit)
		})
	if err != nil {
		return nil, err
	}
	resp := &onboardingv1.ListConnectionsResponse{NextPageToken: next}
	lang := Language(ctx)
	for _, c := range list {
		resp.Connections = append(resp.Connections, Describe(c, lang))
	}
	return resp, nil
}

// askTime is how long a reader waits for news of the token.
const askTime = 3 * time.Second

// GetConnection implements ConnectionService. Where the broker does not say more, the answer is what it said last.
func (s *Service) GetConnection(ctx context.Context, req *onboardingv1.GetConnectionRequest) (*onboardingv1.GetConnectionResponse, error) {
	c, err := Find(ctx, s.Store, req.GetConnectionId())
	if err != nil {
		return nil, err
	}
	ask, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	if token, err := s.tokenFacts(ask, c); err == nil && token != nil && !c.HasToken(*token) {
		if err := s.Store.RecordFindings(ctx, c, store.Findings{Token: token}); err != nil {
			return nil, err
		}
	}
	described, err := s.describe(ctx, c.ID)
	return &onboardingv1.GetConnectionResponse{Connection: described}, err
}

// ListActivities implements ConnectionService.
func (s *Service) ListActivities(ctx context.Context, req *onboardingv1.ListActivitiesRequest) (*onboardingv1.ListActivitiesResponse, error) {
	scope, id, err := identity.ScopeOf(ctx, req.GetConnectionId())
	if err != nil {
		return nil, err
	}
	list, next, err := page.Of(page.List{Keys: s.Keys, Name: "activities", Scope: scope, Filter: []string{id.String()}}, req,
		func(a store.Activity) uuid.UUID { return a.ID },
		func(before uuid.UUID, limit int) ([]store.Activity, error) {
			return s.Store.ListActivities(ctx, scope, id, before, limit)
		})
	if err != nil {
		return nil, AsFault(err)
	}
	resp := &onboardingv1.ListActivitiesResponse{NextPageToken: next}
	lang := Language(ctx)
	for _, a := range list {
		resp.Activities = append(resp.Activities, describeActivity(a, lang))
	}
	return resp, nil
}

// Find reads a connection of the caller's organizations.
func Find(ctx context.Context, st *store.Store, id string) (store.Connection, error) {
	scope, parsed, err := identity.ScopeOf(ctx, id)
	if err != nil {
		return store.Connection{}, err
	}
	c, err := st.FindConnection(ctx, scope, parsed)
	return c, AsFault(err)
}

// findLive is Find for what writes to Meta.
func (s *Service) findLive(ctx context.Context, id string) (store.Connection, error) {
	c, err := Find(ctx, s.Store, id)
	if err == nil && !c.Live() {
		return c, fault.New(errorsv1.ErrorReason_DISCONNECTING)
	}
	return c, err
}

// describe reads a connection again, as it is after what was done.
func (s *Service) describe(ctx context.Context, id uuid.UUID) (*onboardingv1.Connection, error) {
	c, err := s.Store.FindConnection(ctx, "", id)
	if err != nil {
		return nil, AsFault(err)
	}
	return Describe(&c, Language(ctx)), nil
}
