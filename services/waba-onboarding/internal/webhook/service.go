package webhook

import (
	"context"

	"github.com/google/uuid"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/identity"
	"github.com/whatrack/connect/services/internal/keyring"
	"github.com/whatrack/connect/services/internal/page"
	"github.com/whatrack/connect/services/waba-onboarding/internal/connection"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// Service implements of WebhookService what is about changes and deliveries.
type Service struct {
	Store  *store.Store
	Reader Reader
	Keys   *keyring.Keyring

	followers followers
}

// ListChanges implements WebhookService.
func (s *Service) ListChanges(ctx context.Context, req *onboardingv1.ListChangesRequest) (*onboardingv1.ListChangesResponse, error) {
	scope, err := identity.Scope(ctx)
	if err != nil {
		return nil, err
	}
	filter, err := s.filter(ctx, scope, req)
	if err != nil {
		return nil, err
	}
	for _, state := range req.GetStates() {
		filter.States = append(filter.States, state.String())
	}
	shown := page.List{
		Keys: s.Keys, Name: "changes", Scope: scope,
		Filter: append(append([]string{req.GetConnectionId()}, filter.Fields...), filter.States...),
	}
	list, next, err := page.Of(shown, req,
		func(c store.Change) uuid.UUID { return c.ID },
		func(before uuid.UUID, limit int) ([]store.Change, error) {
			return s.Store.ListChanges(ctx, filter, before, limit)
		})
	if err != nil {
		return nil, err
	}
	resp := &onboardingv1.ListChangesResponse{NextPageToken: next}
	for _, change := range list {
		resp.Changes = append(resp.Changes, describeChange(change))
	}
	return resp, nil
}

// filtering is what ListChanges and WatchChanges have in common.
type filtering interface {
	GetConnectionId() string
	GetFields() []string
}

// filter reads it.
func (s *Service) filter(ctx context.Context, scope string, req filtering) (store.ChangeFilter, error) {
	filter := store.ChangeFilter{Organization: scope, Fields: req.GetFields()}
	if req.GetConnectionId() == "" { // all
		return filter, nil
	}
	id, err := uuid.Parse(req.GetConnectionId())
	if err != nil {
		return filter, connection.NotFound()
	}
	filter.ConnectionID = id
	if _, err := s.Store.FindConnection(ctx, scope, id); err != nil {
		return filter, connection.AsFault(err)
	}
	return filter, nil
}

// GetChange implements WebhookService.
func (s *Service) GetChange(ctx context.Context, req *onboardingv1.GetChangeRequest) (*onboardingv1.GetChangeResponse, error) {
	scope, id, err := identity.ScopeOf(ctx, req.GetChangeId())
	if err != nil {
		return nil, err
	}
	change, err := s.Store.FindChange(ctx, scope, id)
	if err != nil {
		return nil, connection.AsFault(err)
	}
	return &onboardingv1.GetChangeResponse{Change: Describe(change)}, nil
}

// ReplayChange implements WebhookService.
func (s *Service) ReplayChange(ctx context.Context, req *onboardingv1.ReplayChangeRequest) (*onboardingv1.ReplayChangeResponse, error) {
	scope, id, err := identity.ScopeOf(ctx, req.GetChangeId())
	if err != nil {
		return nil, err
	}
	change, err := s.Store.ReplayChange(ctx, scope, id, s.Reader)
	if err != nil {
		return nil, connection.AsFault(err)
	}
	return &onboardingv1.ReplayChangeResponse{Change: Describe(change)}, nil
}

// ListDeliveries implements WebhookService.
func (s *Service) ListDeliveries(ctx context.Context, req *onboardingv1.ListDeliveriesRequest) (*onboardingv1.ListDeliveriesResponse, error) {
	if err := platformOnly(ctx); err != nil {
		return nil, err
	}
	list, next, err := page.Of(page.List{Keys: s.Keys, Name: "deliveries"}, req,
		func(d store.Delivery) uuid.UUID { return d.ID },
		func(before uuid.UUID, limit int) ([]store.Delivery, error) {
			return s.Store.ListDeliveries(ctx, before, limit)
		})
	if err != nil {
		return nil, err
	}
	resp := &onboardingv1.ListDeliveriesResponse{NextPageToken: next}
	for _, d := range list {
		resp.Deliveries = append(resp.Deliveries, describeDelivery(d))
	}
	return resp, nil
}

// GetDelivery implements WebhookService.
func (s *Service) GetDelivery(ctx context.Context, req *onboardingv1.GetDeliveryRequest) (*onboardingv1.GetDeliveryResponse, error) {
	if err := platformOnly(ctx); err != nil {
		return nil, err
	}
	id, err := uuid.Parse(req.GetDeliveryId())
	if err != nil {
		return nil, connection.NotFound()
	}
	d, err := s.Store.FindDelivery(ctx, id)
	if err != nil {
		return nil, connection.AsFault(err)
	}
	return &onboardingv1.GetDeliveryResponse{Delivery: describeDelivery(d)}, nil
}

// platformOnly refuses tenants: a delivery may hold the changes of several.
func platformOnly(ctx context.Context) error {
	caller, ok := identity.FromContext(ctx)
	if !ok || !caller.IsPlatform() {
		return fault.New(errorsv1.ErrorReason_PERMISSION_DENIED)
	}
	return nil
}
