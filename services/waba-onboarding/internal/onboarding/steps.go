package onboarding

import (
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/graph"
	"github.com/whatrack/connect/services/internal/run"
	"github.com/whatrack/connect/services/waba-onboarding/internal/connection"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

const (
	// shareWindow is how long Meta may take until a token reads what was shared with it.
	shareWindow = 20 * time.Second
	// maxCandidates bounds how many target ids of a token are looked at, and atOnce how many side by side.
	maxCandidates, atOnce = 200, 10
	// namesTime is how long Meta may take to name the choices. It leaves time to offer them, within the job's own.
	namesTime = 5 * time.Second
)

// token asks the broker for the access token of this claim. Until bind it is known by its own id.
func (s *Service) token(ctx context.Context, o *store.Onboarding) (graph.Credential, error) {
	req := &tokenbrokerv1.GetAccessTokenRequest{
		OrganizationId: o.OrganizationID, Of: &tokenbrokerv1.GetAccessTokenRequest_TokenId{TokenId: o.TokenID},
	}
	if o.OwnBusiness {
		req.Of = &tokenbrokerv1.GetAccessTokenRequest_WabaId{WabaId: o.WabaID}
	}
	resp, err := s.Broker.GetAccessToken(ctx, req)
	if err != nil {
		return graph.Credential{}, err
	}
	if o.OwnBusiness != resp.GetOwnBusiness() { // a customer's own token must not do the operator's work
		return graph.Credential{}, fault.New(errorsv1.ErrorReason_TOKEN_INVALID)
	}
	return connection.CredentialOf(resp), nil
}

// findWaba: the one that was named, else the one that the popup reported, else the ones that the token targets. These are
// candidates; the proof is reading them with the token.
func (s *Service) findWaba(ctx context.Context, o *store.Onboarding) (store.Progress, error) {
	token, err := s.token(ctx, o)
	if err != nil {
		return store.Progress{}, err
	}
	readable, err := s.candidates(ctx, o, token)
	if err != nil {
		return store.Progress{}, err
	}
	if len(readable) == 1 {
		return store.Progress{WabaID: readable[0].WabaID}, nil
	}
	return store.Progress{}, s.offer(ctx, o, readable, token)
}

// windowLeft is how much of the share window is left to the claim.
func (s *Service) windowLeft(o *store.Onboarding) time.Duration {
	return shareWindow - s.Now().Sub(*o.Steps.Current().StartTime)
}

// offer lets a person choose. A name that can not be read is left empty: the numbers tell as much.
func (s *Service) offer(ctx context.Context, o *store.Onboarding, choices []store.Choice, token graph.Credential) error {
	asking, cancel := context.WithTimeout(ctx, namesTime)
	defer cancel()
	var names errgroup.Group
	names.SetLimit(atOnce)
	for i := range choices {
		names.Go(run.Protected(func() error {
			account, err := s.Meta.WABA(asking, choices[i].WabaID, token)
			choices[i].Name = account.Name
			return err
		}))
	}
	if err := names.Wait(); err != nil {
		s.Log.InfoContext(ctx, "a WABA is offered without its name", "onboardingId", o.ID, "error", err)
	}
	if err := s.Store.OfferChoices(ctx, o, choices); err != nil {
		return err
	}
	return errChoosing
}

func (s *Service) holdWaba(context.Context, *store.Onboarding) (store.Progress, error) {
	return store.Progress{Hold: true}, nil
}

func (s *Service) readWaba(ctx context.Context, o *store.Onboarding) (store.Progress, error) {
	token, err := s.token(ctx, o)
	if err != nil {
		return store.Progress{}, err
	}
	facts, err := connection.Read(ctx, s.Meta, o.WabaID, token, s.Now())
	if err != nil {
		return store.Progress{}, connection.ExplainWABA(err)
	}
	posted := func(n store.PhoneNumber) bool { return n.PhoneNumberID == o.PhoneNumberID }
	if o.PhoneNumberID != "" && !slices.ContainsFunc(facts.PhoneNumbers, posted) {
		return store.Progress{}, fault.New(errorsv1.ErrorReason_PHONE_NUMBER_NOT_FOUND)
	}
	return store.Progress{Read: &facts}, nil
}

// subscribe tells Meta once. Tried again, it first asks whether it was heard: an answer may have been lost.
func (s *Service) subscribe(ctx context.Context, o *store.Onboarding) (store.Progress, error) {
	token, err := s.token(ctx, o)
	if err != nil {
		return store.Progress{}, err
	}
	if o.Steps.Current().Attempts > 1 {
		if apps, err := s.Meta.SubscribedApps(ctx, o.WabaID, token); err == nil && slices.Contains(apps, s.Signup.AppID) {
			return store.Progress{}, nil
		}
	}
	return store.Progress{}, s.subscribed(s.Meta.Subscribe(ctx, o.WabaID, token))
}

// subscribed names a refusal of the subscription for what it is.
func (s *Service) subscribed(err error) error {
	if err == nil {
		return nil
	}
	return connection.ExplainSubscription(err)
}

// prove believes only the list. Where Meta accepted a subscription and does not list it, it is told once more.
func (s *Service) prove(ctx context.Context, o *store.Onboarding) (store.Progress, error) {
	token, err := s.token(ctx, o)
	if err != nil {
		return store.Progress{}, err
	}
	if o.Steps.Current().Attempts == 3 {
		if err := s.subscribed(s.Meta.Subscribe(ctx, o.WabaID, token)); err != nil {
			return store.Progress{}, err
		}
	}
	apps, err := s.Meta.SubscribedApps(ctx, o.WabaID, token)
	if err != nil {
		return store.Progress{}, err
	}
	if !slices.Contains(apps, s.Signup.AppID) {
		return store.Progress{}, fault.New(errorsv1.ErrorReason_WEBHOOK_SUBSCRIPTION_FAILED)
	}
	return store.Progress{}, nil
}

// bind makes the token serve the WABA from now on. The operator's own token needs no binding. The broker is asked first
// whether it heard: once bound, the claim goes forward whatever became of the token since.
func (s *Service) bind(ctx context.Context, o *store.Onboarding) (store.Progress, error) {
	if o.OwnBusiness {
		return store.Progress{Bound: &store.TokenFacts{State: tokenbrokerv1.Token_ACTIVE.String()}}, nil
	}
	token, err := s.Broker.GetToken(ctx, &tokenbrokerv1.GetTokenRequest{
		OrganizationId: o.OrganizationID, Of: &tokenbrokerv1.GetTokenRequest_TokenId{TokenId: o.TokenID},
	})
	if err != nil {
		return store.Progress{}, err
	}
	facts := connection.FactsOf(token.GetToken())
	if slices.Contains(token.GetToken().GetWabaIds(), o.WabaID) {
		return store.Progress{Bound: &facts}, nil
	}
	_, err = s.Broker.BindWaba(ctx, &tokenbrokerv1.BindWabaRequest{
		OrganizationId: o.OrganizationID, TokenId: o.TokenID, WabaId: o.WabaID,
	})
	if err != nil {
		return store.Progress{}, err
	}
	return store.Progress{Bound: &facts}, nil
}
