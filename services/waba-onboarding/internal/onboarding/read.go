package onboarding

import (
	"context"
	"time"

	"github.com/google/uuid"

	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/internal/identity"
	"github.com/whatrack/connect/services/internal/page"
	"github.com/whatrack/connect/services/waba-onboarding/internal/connection"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// GetOnboarding implements OnboardingService.
func (s *Service) GetOnboarding(ctx context.Context, req *onboardingv1.GetOnboardingRequest) (*onboardingv1.GetOnboardingResponse, error) {
	o, err := s.find(ctx, req.GetOnboardingId())
	if err != nil {
		return nil, err
	}
	return &onboardingv1.GetOnboardingResponse{Onboarding: describe(&o, connection.Language(ctx))}, nil
}

// maxWait is the longest that WaitOnboarding waits.
const maxWait = 25 * time.Second

// WaitOnboarding implements OnboardingService.
func (s *Service) WaitOnboarding(ctx context.Context, req *onboardingv1.WaitOnboardingRequest) (*onboardingv1.WaitOnboardingResponse, error) {
	timeout := maxWait
	if req.GetTimeout() != nil {
		timeout = req.GetTimeout().AsDuration()
	}
	o, err := s.find(ctx, req.GetOnboardingId())
	if err != nil {
		return nil, err
	}
	seen := req.GetSeenState()
	o, err = s.wait(ctx, o.ID, timeout, func(state store.OnboardingState) bool {
		return state.Final() || (seen != onboardingv1.Onboarding_STATE_UNSPECIFIED && string(state) != seen.String())
	})
	if err != nil {
		return nil, err
	}
	return &onboardingv1.WaitOnboardingResponse{Onboarding: describe(&o, connection.Language(ctx))}, nil
}

// wait watches the state of an onboarding until it is as wanted, for as long as given, ending a second before the
// caller's own deadline, and answers the onboarding as it is then.
func (s *Service) wait(ctx context.Context, id uuid.UUID, longest time.Duration, wanted func(store.OnboardingState) bool) (store.Onboarding, error) {
	wait, cancel := connection.UntilAnswer(ctx, longest)
	defer cancel()
	err := s.changed.Until(wait, id.String(), func(ctx context.Context) (bool, error) {
		state, err := s.Store.StateOf(ctx, id)
		return wanted(state), err
	})
	if err != nil && wait.Err() == nil {
		return store.Onboarding{}, connection.AsFault(err)
	}
	o, err := s.Store.FindOnboarding(ctx, "", id)
	return o, connection.AsFault(err)
}

// ListOnboardings implements OnboardingService.
func (s *Service) ListOnboardings(ctx context.Context, req *onboardingv1.ListOnboardingsRequest) (*onboardingv1.ListOnboardingsResponse, error) {
	scope, err := identity.Scope(ctx)
	if err != nil {
		return nil, err
	}
	states := make([]string, 0, len(req.GetStates()))
	for _, state := range req.GetStates() {
		states = append(states, state.String())
	}
	list, next, err := page.Of(page.List{Keys: s.Keys, Name: "onboardings", Scope: scope, Filter: states}, req,
		func(o *store.Onboarding) uuid.UUID { return o.ID },
		func(before uuid.UUID, limit int) ([]*store.Onboarding, error) {
			return s.Store.ListOnboardings(ctx, scope, states, before, limit)
		})
	if err != nil {
		return nil, err
	}
	resp := &onboardingv1.ListOnboardingsResponse{NextPageToken: next}
	lang := connection.Language(ctx)
	for _, o := range list {
		resp.Onboardings = append(resp.Onboardings, describe(o, lang))
	}
	return resp, nil
}

func (s *Service) find(ctx context.Context, id string) (store.Onboarding, error) {
	scope, parsed, err := identity.ScopeOf(ctx, id)
	if err != nil {
		return store.Onboarding{}, err
	}
	o, err := s.Store.FindOnboarding(ctx, scope, parsed)
	return o, connection.AsFault(err)
}
