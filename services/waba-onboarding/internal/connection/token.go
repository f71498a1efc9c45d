package connection

import (
	"context"

	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	"github.com/whatrack/connect/services/internal/graph"
	"github.com/whatrack/connect/services/internal/secret"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// TokenOf asks the broker for the access token that serves a connection.
func TokenOf(ctx context.Context, broker tokenbrokerv1.TokenBrokerServiceClient, c store.Connection) (graph.Credential, error) {
	req := &tokenbrokerv1.GetAccessTokenRequest{
		OrganizationId: c.OrganizationID, Of: &tokenbrokerv1.GetAccessTokenRequest_WabaId{WabaId: c.WabaID},
	}
	resp, err := broker.GetAccessToken(ctx, req)
	if err != nil {
		return graph.Credential{}, err
	}
	return CredentialOf(resp), nil
}

// CredentialOf is what the broker revealed.
func CredentialOf(resp *tokenbrokerv1.GetAccessTokenResponse) graph.Credential {
	return graph.Credential{Token: secret.New(resp.GetAccessToken()), Proof: resp.GetAppsecretProof()}
}

// tokenFacts asks the broker what it knows of the token; nil for a connection that has none of its own.
func (s *Service) tokenFacts(ctx context.Context, c store.Connection) (*store.TokenFacts, error) {
	if c.TokenID == "" || c.State == store.ConnectionDisconnected {
		return nil, nil //nolint:nilnil // nothing to know is no error
	}
	resp, err := s.Broker.GetToken(ctx, &tokenbrokerv1.GetTokenRequest{
		OrganizationId: c.OrganizationID, Of: &tokenbrokerv1.GetTokenRequest_TokenId{TokenId: c.TokenID},
	})
	if err != nil {
		return nil, err
	}
	facts := FactsOf(resp.GetToken())
	return &facts, nil
}

// FactsOf is what the broker says of a token.
func FactsOf(token *tokenbrokerv1.Token) store.TokenFacts {
	facts := store.TokenFacts{State: token.GetState().String()}
	if expire := token.GetExpireTime(); expire != nil {
		at := expire.AsTime()
		facts.ExpireTime = &at
	}
	return facts
}
