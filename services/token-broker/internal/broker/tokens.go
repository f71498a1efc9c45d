package broker

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	"github.com/whatrack/connect/services/internal/identity"
	"github.com/whatrack/connect/services/internal/page"
	"github.com/whatrack/connect/services/token-broker/internal/store"
)

const revokeBudget = 10 * time.Second

// BindWaba implements TokenBrokerService.
func (b *Broker) BindWaba(ctx context.Context, req *tokenbrokerv1.BindWabaRequest) (*tokenbrokerv1.BindWabaResponse, error) {
	replaced, err := b.bind(ctx, req)
	var inactive *store.NotActiveError
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, tokenNotFound()
	case errors.As(err, &inactive):
		return nil, tokenEnded(inactive.State)
	case err != nil:
		return nil, err
	}
	b.cache.forget()
	resp := &tokenbrokerv1.BindWabaResponse{}
	if replaced != nil {
		resp.ReplacedTokenId = replaced.String()
	}
	return resp, nil
}

func (b *Broker) bind(ctx context.Context, req *tokenbrokerv1.BindWabaRequest) (*uuid.UUID, error) {
	if req.GetTokenId() == "" {
		return b.Store.Unbind(ctx, req.GetOrganizationId(), req.GetWabaId(), identity.Name(ctx))
	}
	id, err := uuid.Parse(req.GetTokenId())
	if err != nil {
		return nil, store.ErrNotFound
	}
	return b.Store.Bind(ctx, store.Binding{
		OrganizationID: req.GetOrganizationId(), WabaID: req.GetWabaId(), TokenID: id, Actor: identity.Name(ctx),
	})
}

// GetToken implements TokenBrokerService.
func (b *Broker) GetToken(ctx context.Context, req *tokenbrokerv1.GetTokenRequest) (*tokenbrokerv1.GetTokenResponse, error) {
	token, err := b.findDescribed(ctx, req)
	if errors.Is(err, store.ErrNotFound) {
		return nil, tokenNotFound()
	}
	if err != nil {
		return nil, err
	}
	return &tokenbrokerv1.GetTokenResponse{Token: describe(token)}, nil
}

func (b *Broker) findDescribed(ctx context.Context, req *tokenbrokerv1.GetTokenRequest) (store.Token, error) {
	if req.GetOnboardingId() == "" {
		id, err := uuid.Parse(req.GetTokenId())
		if err != nil {
			return store.Token{}, store.ErrNotFound
		}
		return b.Store.DescribeToken(ctx, req.GetOrganizationId(), id)
	}
	exchange, err := b.Store.FindExchangeOfOnboarding(ctx, req.GetOrganizationId(), req.GetOnboardingId())
	if err != nil {
		return store.Token{}, err
	}
	return b.outcome(ctx, exchange)
}

// RevokeToken implements TokenBrokerService. Meta is told after the commit, and whether it hears changes nothing here.
func (b *Broker) RevokeToken(ctx context.Context, req *tokenbrokerv1.RevokeTokenRequest) (*tokenbrokerv1.RevokeTokenResponse, error) {
	id, err := uuid.Parse(req.GetTokenId())
	if err != nil {
		return nil, tokenNotFound()
	}
	before, err := b.Store.RevokeToken(ctx, req.GetOrganizationId(), id, identity.Name(ctx))
	if errors.Is(err, store.ErrNotFound) {
		return nil, tokenNotFound()
	}
	if err != nil {
		return nil, err
	}
	b.cache.forget()
	if before.Ciphertext != nil {
		b.detach(ctx, "telling Meta of a revoked token", func(ctx context.Context) { b.tellMeta(ctx, before) })
	}
	after, err := b.Store.DescribeToken(ctx, req.GetOrganizationId(), id)
	if err != nil {
		return nil, err
	}
	return &tokenbrokerv1.RevokeTokenResponse{Token: describe(after)}, nil
}

func (b *Broker) tellMeta(ctx context.Context, revoked store.Token) {
	ctx, cancel := context.WithTimeout(ctx, revokeBudget)
	defer cancel()
	opened, err := b.open(revoked)
	if err == nil {
		err = b.Meta.RevokeToken(ctx, opened)
	}
	if err != nil {
		b.Log.WarnContext(ctx, "Meta was not told of a revoked token", "tokenId", revoked.ID, "error", err)
	}
}

// ListTokenEvents implements TokenBrokerService.
func (b *Broker) ListTokenEvents(ctx context.Context, req *tokenbrokerv1.ListTokenEventsRequest) (*tokenbrokerv1.ListTokenEventsResponse, error) {
	id, err := uuid.Parse(req.GetTokenId())
	if err != nil {
		return nil, tokenNotFound()
	}
	list := page.List{Keys: b.Keys, Name: "token-events", Scope: req.GetOrganizationId(), Filter: []string{id.String()}}
	events, next, err := page.Of(list, req,
		func(e store.Event) uuid.UUID { return e.ID },
		func(before uuid.UUID, limit int) ([]store.Event, error) {
			return b.Store.ListEvents(ctx, req.GetOrganizationId(), id, before, limit)
		})
	if errors.Is(err, store.ErrNotFound) {
		return nil, tokenNotFound()
	}
	if err != nil {
		return nil, err
	}
	resp := &tokenbrokerv1.ListTokenEventsResponse{NextPageToken: next}
	for _, e := range events {
		resp.Events = append(resp.Events, &tokenbrokerv1.TokenEvent{
			EventId: e.ID.String(), TokenId: e.TokenID.String(), Type: string(e.Type), Time: timestamppb.New(e.Time),
			Actor: e.Actor, Reason: e.Reason, WabaId: e.WabaID,
		})
	}
	return resp, nil
}

func describe(t store.Token) *tokenbrokerv1.Token {
	described := &tokenbrokerv1.Token{
		TokenId: t.ID.String(), OrganizationId: t.OrganizationID, OnboardingId: t.OnboardingID, Kind: t.Kind,
		State:  tokenbrokerv1.Token_State(tokenbrokerv1.Token_State_value[string(t.State)]),
		Reason: t.Reason, StateTime: timestamppb.New(t.StateTime), Scopes: t.Scopes, TargetIds: t.TargetIDs,
		WabaIds: t.WabaIDs, CreateTime: timestamppb.New(t.CreateTime),
	}
	if t.ExpireTime != nil {
		described.ExpireTime = timestamppb.New(*t.ExpireTime)
	}
	if t.DataAccessExpireTime != nil {
		described.DataAccessExpireTime = timestamppb.New(*t.DataAccessExpireTime)
	}
	return described
}
