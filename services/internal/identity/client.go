package identity

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/keyring"
	"github.com/whatrack/connect/services/internal/secret"
)

const (
	// clientPrefix begins every client token, so that a scanner of leaked secrets knows one.
	clientPrefix  = "wct_"
	clientPurpose = "client-token"
	// clientName is whom the audit names: a customer, of whom we know no more.
	clientName = "customer"
)

// Client is what a client token is good for: one onboarding, which a customer's browser follows.
type Client struct {
	Organization string `json:"organization"`
	Onboarding   string `json:"onboarding"`
	// StateHash is the hex SHA-256 of the onboarding's state: the token stands for the state.
	StateHash string    `json:"state"`
	Expire    time.Time `json:"expire"`
	// State is kept nowhere else: a page that has the token alone gets it here, to open the dialog.
	State secret.Text `json:"-"`
}

// clientPayload is what is sealed.
type clientPayload struct {
	Client
	State string `json:"secret,omitempty"`
}

// Clients makes client tokens and knows them again. A token is sealed, and kept nowhere.
type Clients struct {
	Keys *keyring.Keyring
	Now  func() time.Time
}

// Seal makes a client token.
func (c *Clients) Seal(client Client) (secret.Text, error) {
	payload, err := json.Marshal(clientPayload{client, client.State.Reveal()}) //nolint:gosec // G117: to be sealed, below
	if err != nil {
		return secret.Text{}, fmt.Errorf("client token: %w", err)
	}
	sealed, err := c.Keys.SealToken(clientPurpose, "", payload) // the browser names no organization: the payload does
	if err != nil {
		return secret.Text{}, err
	}
	return secret.New(clientPrefix + sealed), nil
}

// IsClientToken tells a client token from the tokens of listed callers.
func IsClientToken(token secret.Text) bool { return strings.HasPrefix(token.Reveal(), clientPrefix) }

// Find answers the caller of a client token.
func (c *Clients) Find(token secret.Text) (Caller, error) {
	payload, err := c.Keys.OpenToken(clientPurpose, "", strings.TrimPrefix(token.Reveal(), clientPrefix))
	if err != nil {
		return Caller{}, fault.New(errorsv1.ErrorReason_UNAUTHENTICATED).Cause(err)
	}
	var opened clientPayload
	if err := json.Unmarshal(payload, &opened); err != nil {
		return Caller{}, fmt.Errorf("client token: %w", err)
	}
	client := opened.Client
	client.State = secret.New(opened.State)
	if !c.Now().Before(client.Expire) {
		return Caller{}, fault.New(errorsv1.ErrorReason_CREDENTIAL_EXPIRED)
	}
	return client.Caller(), nil
}

// Caller is the customer as a caller. He has no role: what he may call is the policy's to say.
func (c Client) Caller() Caller {
	return Caller{Name: clientName, Organizations: []string{c.Organization}, Client: &c}
}
