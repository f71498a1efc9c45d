package connection

import (
	"context"

	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/graph"
	"github.com/whatrack/connect/services/internal/secret"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// TokenOf asks the broker for the access token that serves a connection.
func TokenOf(ctx context.Context, broker tokenbrokerv1.TokenBrokerServiceClient, c store.Connection) (graph.Credential, error) {
	resp, err := accessOf(ctx, broker, c)
	if err != nil {
		return graph.Credential{}, err
	}
	return CredentialOf(resp), nil
}

// tokenByID asks for a token that serves no WABA yet.
func (s *Service) tokenByID(ctx context.Context, c store.Connection, id string) (graph.Credential, error) {
	resp, err := s.Broker.GetAccessToken(ctx, &tokenbrokerv1.GetAccessTokenRequest{
		OrganizationId: c.OrganizationID, Of: &tokenbrokerv1.GetAccessTokenRequest_TokenId{TokenId: id},
	})
	if err != nil {
		return graph.Credential{}, err
	}
	return CredentialOf(resp), nil
}

func accessOf(ctx context.Context, broker tokenbrokerv1.TokenBrokerServiceClient, c store.Connection) (*tokenbrokerv1.GetAccessTokenResponse, error) {
	return broker.GetAccessToken(ctx, &tokenbrokerv1.GetAccessTokenRequest{
		OrganizationId: c.OrganizationID, Of: &tokenbrokerv1.GetAccessTokenRequest_WabaId{WabaId: c.WabaID},
	})
}

// CredentialOf is what the broker revealed.
func CredentialOf(resp *tokenbrokerv1.GetAccessTokenResponse) graph.Credential {
	return graph.Credential{Token: secret.New(resp.GetAccessToken()), Proof: resp.GetAppsecretProof()}
}

// tokenFacts asks the broker what it knows of the token; nil for a connection that has none of its own. A token that was
// replaced is no news of the connection: what counts is the one that serves its WABA now.
func (s *Service) tokenFacts(ctx context.Context, c store.Connection) (*store.TokenFacts, error) {
	if c.TokenID == "" || c.State == store.ConnectionDisconnected {
		return nil, nil //nolint:nilnil // nothing to know is no error
	}
	facts, err := s.factsOf(ctx, c, c.TokenID)
	if err != nil || facts.State != tokenbrokerv1.Token_SUPERSEDED.String() {
		return facts, err
	}
	serving, err := accessOf(ctx, s.Broker, c)
	switch why, known := fault.As(err); {
	case err == nil && !serving.GetOwnBusiness():
		return s.factsOf(ctx, c, serving.GetTokenId())
	case err != nil && (!known || Temporary(why)):
		return nil, err
	}
	return facts, nil // none serves it
}

func (s *Service) factsOf(ctx context.Context, c store.Connection, token string) (*store.TokenFacts, error) {
	resp, err := s.Broker.GetToken(ctx, &tokenbrokerv1.GetTokenRequest{
		OrganizationId: c.OrganizationID, Of: &tokenbrokerv1.GetTokenRequest_TokenId{TokenId: token},
	})
	if err != nil {
		return nil, err
	}
	facts := FactsOf(resp.GetToken())
	return &facts, nil
}

// FactsOf is what the broker says of a token.
func FactsOf(token *tokenbrokerv1.Token) store.TokenFacts {
	facts := store.TokenFacts{ID: token.GetTokenId(), State: token.GetState().String()}
	if expire := token.GetExpireTime(); expire != nil {
		at := expire.AsTime()
		facts.ExpireTime = &at
	}
	return facts
}
