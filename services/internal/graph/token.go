package graph

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/whatrack/connect/services/internal/secret"
)

// Grant is a token that Meta issued. ExpiresIn is zero where Meta told none: the token never expires, or DebugToken
// will tell when.
type Grant struct {
	Token     secret.Text
	ExpiresIn time.Duration
}

type grantAnswer struct {
	AccessToken *string `json:"access_token"`
	ExpiresIn   seconds `json:"expires_in"`
}

// ExchangeCode spends an authorization code, in one attempt: what an error means for the code, VerdictOf tells.
// redirectURI is sent only where the code came from the full-page dialog; with a popup's code Meta refuses any value.
//
// It is a POST with a form body, where Meta documents a GET: net/http repeats a GET after a reset without asking, and
// a URL reaches logs on both sides. Only ctx bounds it: the caller knows what a half-heard answer costs.
// Source: WhatsApp > Embedded Signup > Onboarding customers as a Tech Provider.
func (c *Client) ExchangeCode(ctx context.Context, code secret.Text, redirectURI string) (Grant, error) {
	if code.IsEmpty() {
		return Grant{}, fmt.Errorf("exchange code: %w: the code is empty", ErrInvalidInput)
	}
	form := c.appForm()
	form.Set("grant_type", "authorization_code")
	form.Set("code", code.Reveal())
	if redirectURI != "" {
		form.Set("redirect_uri", redirectURI)
	}
	grant, err := c.grant(ctx, call{form: form, hidden: []secret.Text{code}, once: true, urgent: true})
	if err != nil {
		return Grant{}, fmt.Errorf("exchange code: %w", err)
	}
	return grant, nil
}

// ExtendToken trades a valid token for one that lives 60 days from now. The old one keeps working until its own expiry,
// so a lost answer costs nothing. kind is what DebugToken said: system users' tokens need a parameter of their own.
// Source: Business Management APIs > System Users > Install apps and generate tokens.
func (c *Client) ExtendToken(ctx context.Context, token secret.Text, kind TokenType) (Grant, error) {
	if err := checkSecret("token", token); err != nil {
		return Grant{}, fmt.Errorf("extend token: %w", err)
	}
	form := c.appForm()
	form.Set("grant_type", "fb_exchange_token")
	form.Set("fb_exchange_token", token.Reveal())
	if kind == SystemUser {
		form.Set("set_token_expires_in_60_days", "true")
	}
	grant, err := c.grant(ctx, call{form: form, hidden: []secret.Text{token}})
	if err != nil {
		return Grant{}, fmt.Errorf("extend token: %w", err)
	}
	return grant, nil
}

func (c *Client) grant(ctx context.Context, k call) (Grant, error) {
	k.method, k.path, k.private, k.bare = http.MethodPost, "oauth/access_token", true, true
	var got grantAnswer
	if err := c.fetch(ctx, k, &got); err != nil {
		return Grant{}, err
	}
	if got.AccessToken == nil {
		return Grant{}, c.silence(ctx, ErrNoVerdict, k, "HTTP 2xx without an access_token")
	}
	token := secret.New(*got.AccessToken)
	if checkSecret("token", token) != nil {
		return Grant{}, c.silence(ctx, ErrNoVerdict, k, "HTTP 2xx with an access_token that can not be used")
	}
	return Grant{Token: token, ExpiresIn: time.Duration(got.ExpiresIn)}, nil
}

// RevokeToken ends a token at Meta, which takes its own word for it: the caller is the token itself. An Error that is
// TokenDead says that it was dead already. Meta documents this call with its secrets in the URL, and no other form.
// Source: Business Management APIs > System Users > Install apps and generate tokens, "Revoke".
func (c *Client) RevokeToken(ctx context.Context, token secret.Text) error {
	if err := checkSecret("token", token); err != nil {
		return fmt.Errorf("revoke token: %w", err)
	}
	query := c.appForm()
	query.Set("revoke_token", token.Reveal())
	query.Set("access_token", token.Reveal())
	query.Set("appsecret_proof", c.Proof(token))
	k := call{method: http.MethodGet, path: "oauth/revoke", query: query, hidden: []secret.Text{token}, private: true, bare: true}
	if err := c.succeed(ctx, k); err != nil {
		return fmt.Errorf("revoke token: %w", err)
	}
	return nil
}

func (c *Client) appForm() url.Values {
	return url.Values{"client_id": {c.cfg.AppID}, "client_secret": {c.cfg.AppSecret.Reveal()}}
}

// maxToken is generous: Meta promises no length, and a token has to fit a header.
const maxToken = 8 << 10

// checkSecret refuses what can not stand in a header, where it would fail without having been sent.
func checkSecret(name string, s secret.Text) error {
	plain := s.Reveal()
	if plain == "" || len(plain) > maxToken {
		return fmt.Errorf("%w: the %s is empty or too long", ErrInvalidInput, name)
	}
	if strings.ContainsFunc(plain, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return fmt.Errorf("%w: the %s holds characters that no token has", ErrInvalidInput, name)
	}
	return nil
}
