package graphsim

import (
	"net/http"
	"strings"
	"time"
)

const (
	codeLife = 30 * time.Second

	// longLife is the expires_in that Meta answers for "60 days".
	longLife = 5183944 * time.Second

	redirectMessage = "Error validating verification code. Please make sure your redirect_uri is identical to the one you " +
		"used in the OAuth dialog request"
)

// tokenAnswer is the answer of /oauth/access_token. expires_in is absent when the token never expires.
type tokenAnswer struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int64  `json:"expires_in,omitempty"`
}

func (c *call) accessToken() (any, *Error) {
	if err := c.checkClient(); err != nil {
		return nil, err
	}
	switch grant := c.params.get("grant_type"); grant {
	case "", "authorization_code":
		return c.exchangeCode()
	case "fb_exchange_token":
		return c.extendToken()
	case "client_credentials":
		return tokenAnswer{AccessToken: c.appToken(), TokenType: "bearer"}, nil
	default:
		return nil, oauthError(100, 0, "(#100) Param grant_type must be one of {AUTHORIZATION_CODE, CLIENT_CREDENTIALS, "+
			"FB_EXCHANGE_TOKEN} - got value \""+grant+"\".")
	}
}

// exchangeCode spends an authorization code. Only success spends it. A code that is both used and old is "used": no
// source settles it, and the client must not tell the two by time.
func (c *call) exchangeCode() (any, *Error) {
	value := c.params.get("code")
	if value == "" {
		return nil, oauthError(1, 0, "Missing authorization code")
	}
	spent := c.world.Codes[value]
	switch {
	case spent == nil:
		return nil, oauthError(100, 0, "Invalid verification code format.")
	case spent.Used:
		return nil, oauthError(100, subcodeCodeUsed, "This authorization code has been used.")
	case c.now.Sub(spent.IssueTime) > codeLife:
		return nil, oauthError(100, subcodeCodeExpired, "This authorization code has expired.")
	case !c.redirectMatches(spent):
		return nil, oauthError(100, subcodeRedirect, redirectMessage)
	}
	spent.Used = true
	life := time.Duration(spent.Token.ExpiresIn) * time.Second
	return c.issue(&token{
		Kind: spent.Token.Kind, BusinessID: spent.BusinessID, UserID: c.world.Businesses[spent.BusinessID].UserID,
		WABAIDs: spent.WABAIDs, Granular: spent.Granular,
	}, life), nil
}

// redirectMatches: a popup's code must come without redirect_uri, even an empty one; a dialog's with its very own.
func (c *call) redirectMatches(spent *code) bool {
	if spent.RedirectURI == "" {
		return !c.params.has("redirect_uri")
	}
	return c.params.get("redirect_uri") == spent.RedirectURI
}

// extendToken gives a longer-lived token for a valid one, which keeps working until its own expiry.
// Source: developers.facebook.com, Business Management APIs > System Users > Install apps and generate tokens.
func (c *call) extendToken() (any, *Error) {
	value := c.params.get("fb_exchange_token")
	if value == "" {
		return nil, oauthError(1, 0, "fb_exchange_token parameter not specified")
	}
	old, err := c.tokenOf(value)
	if err != nil {
		err.status = http.StatusBadRequest
		return nil, err
	}
	sixtyDays := isTrue(c.params.get("set_token_expires_in_60_days"))
	life := longLife
	if old.Kind == KindSystemUser && !sixtyDays {
		// A business whose tokens expire is not given one that does not: the flag must be there.
		if !old.ExpireTime.IsZero() {
			return nil, oauthError(100, 0, "(#100) The parameter set_token_expires_in_60_days is required")
		}
		life = 0
	}
	extended := *old
	return c.issue(&extended, life), nil
}

// issue stores a new token that lives so long, 0 for ever, and describes it.
func (c *call) issue(t *token, life time.Duration) tokenAnswer {
	t.IssueTime, t.ExpireTime = c.now, time.Time{}
	if life > 0 {
		t.ExpireTime = c.now.Add(life)
	}
	value := newToken()
	c.world.Tokens[value] = t
	c.sim.persist()
	return tokenAnswer{AccessToken: value, TokenType: "bearer", ExpiresIn: int64(life / time.Second)}
}

// revoke ends a token. Ending one that is dead already succeeds, so that a repeated call is no failure.
func (c *call) revoke() (any, *Error) {
	if err := c.checkClient(); err != nil {
		return nil, err
	}
	if _, err := c.authenticate(); err != nil {
		err.status = http.StatusBadRequest
		return nil, err
	}
	value := c.params.get("revoke_token")
	if value == "" {
		return nil, oauthError(100, 0, "(#100) The parameter revoke_token is required")
	}
	t := c.world.Tokens[value]
	if t == nil {
		err := unreadableToken(value)
		err.status = http.StatusBadRequest
		return nil, err
	}
	if t.DeadSubcode == 0 {
		t.DeadSubcode = subcodeLoggedOut
		c.sim.persist()
	}
	return map[string]string{"success": "true"}, nil // a string, in Meta's own sample
}

func isTrue(s string) bool { return strings.EqualFold(s, "true") || s == "1" }
