package graphsim

import "net/http"

// maxOverride is how long an override_callback_uri may be.
const maxOverride = 200

// subscribedApps serves /{waba}/subscribed_apps: the webhook subscription of the token's app, with the callback that
// this WABA has in place of the app's.
// Source: developers.facebook.com, WhatsApp > Webhooks > Override.
func (c *call) subscribedApps(account *waba) (any, *Error) {
	switch c.req.method {
	case http.MethodGet:
		return map[string]any{"data": c.subscribers(account)}, nil
	case http.MethodPost:
		if err := c.checkOverride(); err != nil {
			return nil, err
		}
		account.Subscribed, account.Override = true, c.params.get("override_callback_uri") // without one: ends it
	case http.MethodDelete:
		account.Subscribed, account.Override = false, ""
	default:
		return nil, unknownPath("/subscribed_apps")
	}
	c.sim.persist()
	return map[string]bool{"success": true}, nil
}

// checkOverride accepts a callback of the WABA's own only where the app has one to override.
func (c *call) checkOverride() *Error {
	callback, token := c.params.get("override_callback_uri"), c.params.get("verify_token")
	switch {
	case callback == "":
		return nil
	case c.world.Webhook.CallbackURL == "":
		return paramError("Before override the current callback uri, your app must be subscribed to receive messages for " +
			"WhatsApp Business Account")
	case len(callback) > maxOverride:
		return paramError("Param override_callback_uri must be at most %d characters long.", maxOverride)
	case token == "":
		return paramError("The parameter verify_token is required")
	}
	if err := checkCallback("override_callback_uri", callback); err != nil {
		return paramError("Invalid parameter: %s", err)
	}
	return c.verifyCallback(callback, token)
}

func (c *call) subscribers(account *waba) []any {
	if !account.Subscribed {
		return []any{}
	}
	app := map[string]string{"id": c.sim.cfg.AppID, "link": c.appLink(), "name": appName}
	answer := map[string]any{"whatsapp_business_api_data": app}
	if account.Override != "" {
		answer["override_callback_uri"] = account.Override
	}
	return []any{answer}
}
