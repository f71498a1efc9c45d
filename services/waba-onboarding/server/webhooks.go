package server

import (
	"fmt"

	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/internal/egress"
	"github.com/whatrack/connect/services/waba-onboarding/internal/destination"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
	"github.com/whatrack/connect/services/waba-onboarding/internal/webhook"
)

type (
	received  = webhook.Service
	forwarded = destination.Service
)

// webhookService is WebhookService: what came, and where it is sent on.
type webhookService struct {
	onboardingv1.UnsafeWebhookServiceServer

	*received
	*forwarded
}

var _ onboardingv1.WebhookServiceServer = webhookService{}

func (s *Settings) destinations(rows *store.Store, p Parts) (*destination.Service, error) {
	allow, err := egress.ParseAllow(s.EgressAllow)
	if err != nil {
		return nil, fmt.Errorf("EGRESS_ALLOW: %w", err)
	}
	return destination.New(destination.Config{
		Store: rows, Keys: p.Keys, Egress: egress.NewClient(egress.Config{Allow: allow}), Now: p.Now, Log: p.Log,
	}), nil
}
