package graphsim

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"strings"
)

// caller is who makes a call: the app itself (token is nil), or the user or system user of a token.
type caller struct {
	token *token
}

// authenticate finds the caller by their access token, which comes as a parameter or in the Authorization header,
// and checks the appsecret_proof.
func (c *call) authenticate() (caller, *Error) {
	value := c.params.get("access_token")
	if value == "" {
		value = c.req.bearer
	}
	if value == "" {
		return caller{}, &Error{Code: 104, Type: typeOAuth, Message: "An access token is required to request this resource."}
	}
	found, err := c.callerOf(value)
	if err != nil {
		return caller{}, err
	}
	return found, c.checkProof(value, found)
}

func (c *call) callerOf(value string) (caller, *Error) {
	if c.isAppToken(value) {
		return caller{}, nil
	}
	t, err := c.tokenOf(value)
	return caller{token: t}, err
}

// tokenOf finds a token that is valid now.
func (c *call) tokenOf(value string) (*token, *Error) {
	t := c.world.Tokens[value]
	if t == nil && strings.HasPrefix(value, c.sim.cfg.AppID+"|") {
		return nil, &Error{Code: 190, Type: typeOAuth, Message: "Invalid OAuth access token signature."}
	}
	if t == nil {
		return nil, unreadableToken(value)
	}
	if subcode := t.subcode(c.now); subcode != 0 {
		return nil, c.deadToken(t, subcode)
	}
	return t, nil
}

// checkProof verifies appsecret_proof = hex(HMAC-SHA256(app secret, access token)). A wrong one is refused even where
// none is required. The app's own token contains the secret, so the switch asks no proof of it.
func (c *call) checkProof(value string, who caller) *Error {
	if !c.params.has("appsecret_proof") {
		if c.sim.cfg.RequireAppSecretProof && who.token != nil {
			return proofError("API calls from the server require an appsecret_proof argument")
		}
		return nil
	}
	mac := hmac.New(sha256.New, []byte(c.sim.cfg.AppSecret))
	mac.Write([]byte(value))
	want := hex.EncodeToString(mac.Sum(nil))
	if !sameText(c.params.get("appsecret_proof"), want) {
		return proofError("Invalid appsecret_proof provided in the API argument")
	}
	return nil
}

func proofError(message string) *Error {
	return &Error{Code: 100, Type: typeMethod, Message: message}
}

// appToken is the app's own access token: its id and secret, literally.
func (c *call) appToken() string { return c.sim.cfg.AppID + "|" + c.sim.cfg.AppSecret }

func (c *call) isAppToken(value string) bool { return sameText(value, c.appToken()) }

// checkClient verifies client_id and client_secret, in Meta's order.
func (c *call) checkClient() *Error {
	switch {
	case c.params.get("client_id") == "":
		return oauthError(101, 0, "Missing client_id parameter.")
	case c.params.get("client_id") != c.sim.cfg.AppID:
		return oauthError(101, 0, "Error validating application. Cannot get application info due to a system error.")
	case !sameText(c.params.get("client_secret"), c.sim.cfg.AppSecret):
		return oauthError(1, 0, "Error validating client secret.")
	default:
		return nil
	}
}

func sameText(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
