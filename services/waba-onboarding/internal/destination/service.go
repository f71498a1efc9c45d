// Package destination sends events on as they come, to where their owners want them, and is the part of WebhookService
// that manages those places.
//
// It promises at least once and, within a phone number, in order; that nobody who refuses, or never answers, delays
// anybody else; and that nothing is lost: what was refused for about 28 hours is held, with what came after it, until its
// owner says that it is mended. Every try of an event has the same id, and is signed anew.
//
// Three tables drive it, and no job: the stream is given out to destinations (store.FanOut), whose events wait in lanes;
// a lane that is due is leased, sent, and written back. Any replica does any of it, and one that dies is missed for as
// long as its lease.
package destination

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/internal/egress"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/identity"
	"github.com/whatrack/connect/services/internal/keyring"
	"github.com/whatrack/connect/services/internal/page"
	"github.com/whatrack/connect/services/waba-onboarding/internal/connection"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// Config is what the service needs.
type Config struct {
	Store  *store.Store
	Keys   *keyring.Keyring
	Egress *egress.Client
	Now    func() time.Time
	Log    *slog.Logger
}

// Service is the RPCs of destinations, and what sends to them.
type Service struct {
	Config
	crew

	agent string
}

// New makes the service. Its Run must run beside the server.
func New(cfg Config) *Service { return &Service{Config: cfg, agent: userAgent()} }

// CreateDestination implements WebhookService.
func (s *Service) CreateDestination(ctx context.Context, req *onboardingv1.CreateDestinationRequest) (*onboardingv1.CreateDestinationResponse, error) {
	owner, err := ownerOf(ctx, req.GetAllOrganizations())
	if err != nil {
		return nil, err
	}
	key, err := chooseSecret(req.GetKind().String(), req.GetSecret())
	if err := errors.Join(s.checkURL(req.GetUrl()), checkTypes(req), err); err != nil {
		return nil, err
	}
	d := store.Destination{
		ID: uuid.Must(uuid.NewV7()), OrganizationID: owner, Kind: req.GetKind().String(), URL: req.GetUrl(),
		EventTypes: append([]string{}, req.GetEventTypes()...), SecretVersion: 1,
	}
	sealed, err := s.Keys.Seal(key, secretContext(d, d.SecretVersion))
	if err != nil {
		return nil, err
	}
	d.Secret, d.SecretKeyID = sealed.Ciphertext, sealed.KeyID
	d, err = s.Store.CreateDestination(ctx, d, identity.Name(ctx))
	if err != nil {
		return nil, asFault(err)
	}
	described := describe(&d)
	described.Secret = key.Reveal()
	return &onboardingv1.CreateDestinationResponse{Destination: described}, nil
}

// ownerOf is the organization of a new destination.
func ownerOf(ctx context.Context, all bool) (string, error) {
	if !all {
		return identity.Organization(ctx)
	}
	if caller, ok := identity.FromContext(ctx); !ok || !caller.IsPlatform() {
		return "", fault.New(errorsv1.ErrorReason_PERMISSION_DENIED)
	}
	scope, err := identity.Scope(ctx)
	if err == nil && scope != "" {
		err = fault.Field("allOrganizations", "goes with no organization named")
	}
	return store.Everybody, err
}

func (s *Service) checkURL(url string) error {
	err := s.Egress.Check(url)
	switch {
	case errors.Is(err, egress.NotAllowed):
		return fault.New(errorsv1.ErrorReason_DESTINATION_NOT_ALLOWED)
	case err != nil:
		return fault.Field("url", "must be an absolute https URL without user and fragment")
	}
	return nil
}

// checkTypes refuses what would never be sent.
func checkTypes(req *onboardingv1.CreateDestinationRequest) error {
	for _, pattern := range req.GetEventTypes() {
		if req.GetKind() == onboardingv1.Destination_META_RAW && !strings.HasPrefix(pattern, "change.") {
			return fault.Field("eventTypes", "must be change.… for META_RAW")
		}
	}
	return nil
}

// GetDestination implements WebhookService.
func (s *Service) GetDestination(ctx context.Context, req *onboardingv1.GetDestinationRequest) (*onboardingv1.GetDestinationResponse, error) {
	d, err := s.find(ctx, req.GetDestinationId())
	if err != nil {
		return nil, err
	}
	return &onboardingv1.GetDestinationResponse{Destination: describe(&d)}, nil
}

// find reads a destination that the caller may see.
func (s *Service) find(ctx context.Context, id string) (store.Destination, error) {
	scope, parsed, err := identity.ScopeOf(ctx, id)
	if err != nil {
		return store.Destination{}, err
	}
	d, err := s.Store.FindDestination(ctx, scope, parsed)
	return d, asFault(err)
}

// ListDestinations implements WebhookService.
func (s *Service) ListDestinations(ctx context.Context, req *onboardingv1.ListDestinationsRequest) (*onboardingv1.ListDestinationsResponse, error) {
	scope, err := identity.Scope(ctx)
	if err != nil {
		return nil, err
	}
	list, next, err := page.Of(page.List{Keys: s.Keys, Name: "destinations", Scope: scope}, req,
		func(d *store.Destination) uuid.UUID { return d.ID },
		func(before uuid.UUID, limit int) ([]*store.Destination, error) {
			return s.Store.ListDestinations(ctx, scope, before, limit)
		})
	if err != nil {
		return nil, err
	}
	resp := &onboardingv1.ListDestinationsResponse{NextPageToken: next}
	for _, d := range list {
		resp.Destinations = append(resp.Destinations, describe(d))
	}
	return resp, nil
}

// UpdateDestination implements WebhookService.
func (s *Service) UpdateDestination(ctx context.Context, req *onboardingv1.UpdateDestinationRequest) (*onboardingv1.UpdateDestinationResponse, error) {
	scope, id, err := identity.ScopeOf(ctx, req.GetDestinationId())
	if err != nil {
		return nil, err
	}
	if req.Url != nil {
		if err := s.checkURL(req.GetUrl()); err != nil {
			return nil, err
		}
	}
	update := store.DestinationUpdate{URL: req.Url, Enabled: req.Enabled, Actor: identity.Name(ctx)}
	if err := s.Store.UpdateDestination(ctx, scope, id, update); err != nil {
		return nil, asFault(err)
	}
	d, err := s.find(ctx, req.GetDestinationId())
	return &onboardingv1.UpdateDestinationResponse{Destination: describe(&d)}, err
}

// DeleteDestination implements WebhookService.
func (s *Service) DeleteDestination(ctx context.Context, req *onboardingv1.DeleteDestinationRequest) (*onboardingv1.DeleteDestinationResponse, error) {
	scope, id, err := identity.ScopeOf(ctx, req.GetDestinationId())
	if err != nil {
		return nil, err
	}
	err = s.Store.DeleteDestination(ctx, scope, id, identity.Name(ctx))
	return &onboardingv1.DeleteDestinationResponse{}, asFault(err)
}

// RotateDestinationSecret implements WebhookService.
func (s *Service) RotateDestinationSecret(ctx context.Context, req *onboardingv1.RotateDestinationSecretRequest) (*onboardingv1.RotateDestinationSecretResponse, error) {
	d, err := s.find(ctx, req.GetDestinationId())
	if err != nil {
		return nil, err
	}
	key, err := chooseSecret(d.Kind, req.GetSecret())
	if err != nil {
		return nil, err
	}
	sealed, err := s.Keys.Seal(key, secretContext(d, d.SecretVersion+1))
	if err != nil {
		return nil, err
	}
	if err := s.Store.RotateDestinationSecret(ctx, d, store.Sealed(sealed), s.Now().Add(bothSecrets), identity.Name(ctx)); err != nil {
		return nil, asFault(err)
	}
	described := describe(&d)
	described.Secret = key.Reveal()
	return &onboardingv1.RotateDestinationSecretResponse{Destination: described}, nil
}

// ListDestinationAttempts implements WebhookService.
func (s *Service) ListDestinationAttempts(ctx context.Context, req *onboardingv1.ListDestinationAttemptsRequest) (*onboardingv1.ListDestinationAttemptsResponse, error) {
	scope, id, err := identity.ScopeOf(ctx, req.GetDestinationId())
	if err != nil {
		return nil, err
	}
	list, next, err := page.Of(page.List{Keys: s.Keys, Name: "destination-attempts", Scope: scope, Filter: []string{id.String()}}, req,
		func(a store.DestinationAttempt) uuid.UUID { return a.ID },
		func(before uuid.UUID, limit int) ([]store.DestinationAttempt, error) {
			return s.Store.ListAttempts(ctx, scope, id, before, limit)
		})
	if err != nil {
		return nil, asFault(err)
	}
	resp := &onboardingv1.ListDestinationAttemptsResponse{NextPageToken: next}
	for _, a := range list {
		resp.Attempts = append(resp.Attempts, describeAttempt(a))
	}
	return resp, nil
}

func describe(d *store.Destination) *onboardingv1.Destination {
	return &onboardingv1.Destination{
		DestinationId: d.ID.String(), OrganizationId: d.OrganizationID, Url: d.URL, Reason: d.Reason, EventTypes: d.EventTypes,
		Kind:      onboardingv1.Destination_Kind(onboardingv1.Destination_Kind_value[d.Kind]),
		State:     onboardingv1.Destination_State(onboardingv1.Destination_State_value[string(d.State)]),
		StateTime: timestamppb.New(d.StateTime), CreateTime: timestamppb.New(d.CreateTime),
		PendingCount: d.Backlog.Count, PendingSince: connection.Timestamp(d.Backlog.Since),
		LastSuccessTime: connection.Timestamp(d.LastSuccessTime),
	}
}

func describeAttempt(a store.DestinationAttempt) *onboardingv1.DestinationAttempt {
	described := &onboardingv1.DestinationAttempt{
		AttemptId: a.ID.String(), DestinationId: a.DestinationID.String(), EventId: a.EventID.String(), EventType: a.EventType,
		Time: timestamppb.New(a.Time), HttpStatus: int32(a.HTTPStatus), Error: a.Error, //nolint:gosec // three digits
		DurationMs: int32(a.DurationMS), Attempt: int32(a.Attempt), //nolint:gosec // seconds, and a few
		NextAttemptTime: connection.Timestamp(a.NextAttemptTime),
	}
	if a.ChangeID != nil {
		described.ChangeId = a.ChangeID.String()
	}
	return described
}

func asFault(err error) error {
	if errors.Is(err, store.ErrFenced) {
		return fault.New(errorsv1.ErrorReason_RATE_LIMITED).RetryAfter(time.Second).Cause(err)
	}
	return connection.AsFault(err)
}
