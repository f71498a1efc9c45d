package connection

import (
	"context"
	"slices"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/identity"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// SubscribeWebhooks implements ConnectionService. What was said against it is recorded before the caller hears it.
func (s *Service) SubscribeWebhooks(ctx context.Context, req *onboardingv1.SubscribeWebhooksRequest) (*onboardingv1.SubscribeWebhooksResponse, error) {
	c, err := s.findLive(ctx, req.GetConnectionId())
	if err != nil {
		return nil, err
	}
	check, refusal := s.subscribe(ctx, c)
	if check.Activity != "" {
		check.Actor = identity.Name(ctx)
		if err := s.Store.RecordFindings(ctx, c, check); err != nil {
			return nil, AsFault(err)
		}
	}
	if refusal != nil {
		return nil, refusal
	}
	described, err := s.describe(ctx, c.ID)
	return &onboardingv1.SubscribeWebhooksResponse{Connection: described}, err
}

// notSubscribed is what Meta, or the broker, said against it. Silence is nothing to be recorded, nor is anything of a
// connection that is being claimed: its claim says it.
func (s *Service) notSubscribed(c store.Connection, err error) (store.Findings, error) {
	why := ExplainSubscription(err)
	if Temporary(why) || c.State == store.ConnectionClaiming {
		return store.Findings{}, why
	}
	check, unclear := s.accessVerdict(store.Findings{}, err)
	if unclear != nil { // it says nothing of our access
		check = store.Findings{Reason: why.Reason().String()}
	}
	check.Activity = "SUBSCRIPTION_FAILED"
	return check, why
}

// subscribe subscribes and proves. It answers what is to be recorded, if anything, and the fault that the caller hears.
func (s *Service) subscribe(ctx context.Context, c store.Connection) (store.Findings, error) {
	token, err := TokenOf(ctx, s.Broker, c)
	if err == nil {
		err = s.Meta.Subscribe(ctx, c.WabaID, token)
	}
	var apps []string
	if err == nil {
		apps, err = s.Meta.SubscribedApps(ctx, c.WabaID, token)
	}
	if err != nil {
		return s.notSubscribed(c, err)
	}
	if !slices.Contains(apps, s.AppID) {
		failed := notSubscribed
		return store.Findings{Proof: &failed, Activity: "SUBSCRIPTION_FAILED", Reason: notSubscribed},
			fault.New(errorsv1.ErrorReason_WEBHOOK_SUBSCRIPTION_FAILED)
	}
	none := ""
	proven := store.Findings{Proof: &none, AccessReason: &none, Activity: "SUBSCRIPTION_PROVEN"}
	if facts, err := s.tokenFacts(ctx, c); err == nil {
		proven.Token = facts // that Meta took it says nothing against what the connection had of it
	}
	return proven, nil
}
