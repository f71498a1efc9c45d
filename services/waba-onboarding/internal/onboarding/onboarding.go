// Package onboarding is OnboardingService: it turns one run of Embedded Signup into a proven connection.
//
// A claim is a workflow written down in our own rows: each step's intent before it is tried, its outcome after. A step
// that is done is not run again, a crash between any two costs nothing, and twins are fenced by an epoch. CONNECTED means
// proven: the WABA was read with the customer's own token, and Meta lists our app among its subscribers.
//
// The authorization code goes to the broker and nowhere else; what is kept of it is a fingerprint.
package onboarding

import (
	"context"
	"log/slog"
	"sync"
	"time"

	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/internal/bell"
	"github.com/whatrack/connect/services/internal/graph"
	"github.com/whatrack/connect/services/internal/identity"
	"github.com/whatrack/connect/services/internal/keyring"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// Config is what the service needs.
type Config struct {
	Store  *store.Store
	Broker tokenbrokerv1.TokenBrokerServiceClient
	Meta   *graph.Client
	Keys   *keyring.Keyring
	// Clients makes the client tokens.
	Clients *identity.Clients
	Signup  Signup
	TTL     time.Duration // how long a started onboarding waits for its code
	Now     func() time.Time
	Log     *slog.Logger
}

// Signup is what a page needs to open Embedded Signup.
type Signup struct {
	AppID, ConfigID, GraphVersion, SDKURL, DialogURL string
	// RedirectURI is our callback, where the full-page dialog leads to; empty: there is none.
	RedirectURI string
	// ConnectURL is our own page, which follows an onboarding that has no page of its own.
	ConnectURL string
	// ReturnURLs are the pages that an onboarding may have.
	ReturnURLs []string
}

// Service implements OnboardingService.
type Service struct {
	onboardingv1.UnsafeOnboardingServiceServer

	Config
	changed  bell.Bell
	flights  sync.Map // exchanges under way in this process
	detached sync.WaitGroup
}

var _ onboardingv1.OnboardingServiceServer = (*Service)(nil)

// New makes the service. Its Run must run beside the server, and Drain after it.
func New(cfg Config) *Service { return &Service{Config: cfg} }

// sweepEvery is how often what is not final is looked over.
const sweepEvery = 10 * time.Second

// Run sweeps at once and then regularly until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		if err := s.Store.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "what is not final could not be looked over", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// Drain waits for every code that is being exchanged. It is called when the server takes no more calls.
func (s *Service) Drain() { s.detached.Wait() }
