package graph

import "github.com/whatrack/connect/services/internal/secret"

// Credential is the token with its proof.
func (c *Client) Credential(token secret.Text) Credential {
	return Credential{Token: token, Proof: c.Proof(token)}
}
