package onboarding

import (
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/graph"
	"github.com/whatrack/connect/services/waba-onboarding/internal/connection"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

const (
	// shareWindow is how long Meta may take until a token reads what was shared with it.
	shareWindow = 20 * time.Second
	// maxCandidates bounds how many target ids of a token are looked at, and atOnce how many side by side.
	maxCandidates, atOnce = 50, 5
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
	switch len(readable) {
	case 0:
		return store.Progress{}, fault.New(errorsv1.ErrorReason_WABA_NOT_SHARED)
	case 1:
		return store.Progress{WabaID: readable[0].WabaID}, nil
	}
	return store.Progress{}, s.offer(ctx, o, readable, token)
}

// candidates are those that the token reads. What the popup reported may be a lie, a mistake or late: where the token does
// not read it, it is as if it had not been said.
func (s *Service) candidates(ctx context.Context, o *store.Onboarding, token graph.Credential) ([]store.Choice, error) {
	if o.WabaID != "" {
		return s.readable(ctx, []string{o.WabaID}, token)
	}
	hint, err := s.Store.SignupOf(ctx, o.ID)
	if err != nil {
		return nil, err
	}
	if hint.WabaID != "" {
		reported, err := s.readable(ctx, []string{hint.WabaID}, token)
		if err != nil || len(reported) > 0 {
			return reported, err
		}
	}
	resp, err := s.Broker.GetToken(ctx, &tokenbrokerv1.GetTokenRequest{
		OrganizationId: o.OrganizationID, Of: &tokenbrokerv1.GetTokenRequest_TokenId{TokenId: o.TokenID},
	})
	if err != nil {
		return nil, err
	}
	targets := resp.GetToken().GetTargetIds()
	readable, err := s.readable(ctx, targets[:min(len(targets), maxCandidates)], token)
	if err != nil {
		return nil, err
	}
	for _, choice := range readable {
		if slices.Contains(choice.PhoneNumberIDs, hint.PhoneNumberID) {
			return []store.Choice{choice}, nil
		}
	}
	return readable, nil
}

// readable are the candidates whose phone numbers the token reads, in their order. Meta's refusal rules one out; silence
// about any leaves the question open.
func (s *Service) readable(ctx context.Context, candidates []string, token graph.Credential) ([]store.Choice, error) {
	found := make([]*store.Choice, len(candidates))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i, id := range candidates {
		group.Go(connection.Recovered(func() error {
			numbers, err := s.Meta.PhoneNumbers(ctx, id, token)
			if refused(err) {
				return nil
			}
			if err != nil {
				return err
			}
			choice := store.Choice{WabaID: id, DisplayPhoneNumbers: []string{}}
			for _, n := range numbers {
				choice.DisplayPhoneNumbers = append(choice.DisplayPhoneNumbers, n.DisplayPhoneNumber)
				choice.PhoneNumberIDs = append(choice.PhoneNumberIDs, n.ID)
			}
			found[i] = &choice
			return nil
		}))
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	choices := []store.Choice{}
	for _, choice := range found {
		if choice != nil {
			choices = append(choices, *choice)
		}
	}
	return choices, nil
}

// refused tells whether Meta said that this token does not read this object.
func refused(err error) bool {
	var said *graph.Error
	return errors.As(err, &said) && !graph.IsSilence(err) && !said.RateLimited() && !said.TokenDead()
}

// offer lets a person choose. A name that can not be read is left empty: the numbers tell as much.
func (s *Service) offer(ctx context.Context, o *store.Onboarding, choices []store.Choice, token graph.Credential) error {
	var names errgroup.Group
	names.SetLimit(atOnce)
	for i := range choices {
		names.Go(connection.Recovered(func() error {
			account, err := s.Meta.WABA(ctx, choices[i].WabaID, token)
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
	if connection.Missing(err) {
		return store.Progress{}, fault.New(errorsv1.ErrorReason_WABA_NOT_SHARED).Cause(err)
	}
	if err != nil {
		return store.Progress{}, err
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

// subscribed names a refusal of the subscription for what it is, unless it has a better name.
func (s *Service) subscribed(err error) error {
	if err == nil {
		return nil
	}
	why := connection.Explain(err)
	if why.Reason() != errorsv1.ErrorReason_META_REJECTED {
		return why
	}
	named := fault.New(errorsv1.ErrorReason_WEBHOOK_SUBSCRIPTION_FAILED).Cause(err)
	for key, value := range why.Metadata() {
		named = named.With(key, value)
	}
	return named
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
