package graphsim

import (
	"net/http"
	"slices"
	"strings"
)

// webhookVersion is what Meta says of each subscribed field: the version of its payload, chosen in the dashboard and
// independent of the version that is called.
const webhookVersion = "v25.0"

// appSubscriptions serves /{app}/subscriptions: the app's own webhook settings.
// Source: developers.facebook.com, Graph API > Reference > Application > Subscriptions.
func (c *call) appSubscriptions() (any, *Error) {
	who, err := c.authenticate()
	if err != nil {
		return nil, err
	}
	if who.token != nil {
		return nil, &Error{Code: 15, Type: typeOAuth, Message: "(#15) This method must be called with an app access_token."}
	}
	switch c.req.method {
	case http.MethodGet:
		return map[string]any{"data": c.describeWebhook()}, nil
	case http.MethodPost:
		err = c.subscribeApp()
	case http.MethodDelete:
		err = c.unsubscribeApp()
	default:
		return nil, unknownPath("/subscriptions")
	}
	if err != nil {
		return nil, err
	}
	c.sim.persist()
	return map[string]bool{"success": true}, nil
}

func (c *call) describeWebhook() []any {
	settings := c.world.Webhook
	if settings.CallbackURL == "" {
		return []any{}
	}
	fields := []map[string]string{}
	for _, name := range webhookFields() {
		if settings.subscribes(name) {
			fields = append(fields, map[string]string{"name": name, "version": webhookVersion})
		}
	}
	return []any{map[string]any{
		"object": objectWABA, "callback_url": settings.CallbackURL, "active": true, "fields": fields,
	}}
}

// subscribeApp replaces the settings. No source says whether Meta adds the fields to those that were there: a client
// that names all it needs is right either way.
func (c *call) subscribeApp() *Error {
	if err := c.checkWebhookObject(true); err != nil {
		return err
	}
	for _, name := range []string{"callback_url", "verify_token", "fields"} {
		if c.params.get(name) == "" {
			return paramError("The parameter %s is required", name)
		}
	}
	fields, err := c.fieldList()
	if err != nil {
		return err
	}
	callback, token := c.params.get("callback_url"), c.params.get("verify_token")
	if err := checkCallback("callback_url", callback); err != nil {
		return paramError("Invalid parameter: %s", err)
	}
	if err := c.verifyCallback(callback, token); err != nil {
		return err
	}
	c.world.setWebhook(WebhookSettings{CallbackURL: callback, VerifyToken: token, Fields: fields})
	return nil
}

// unsubscribeApp takes fields away, and without fields, or with the last of them, the callback itself.
func (c *call) unsubscribeApp() *Error {
	if err := c.checkWebhookObject(false); err != nil {
		return err
	}
	ended, err := c.fieldList()
	if err != nil {
		return err
	}
	settings := c.world.Webhook
	left := []string{}
	for _, name := range webhookFields() {
		if settings.subscribes(name) && len(ended) > 0 && !slices.Contains(ended, name) {
			left = append(left, name)
		}
	}
	if len(left) == 0 {
		c.world.setWebhook(WebhookSettings{})
		return nil
	}
	settings.Fields = left
	c.world.setWebhook(settings)
	return nil
}

func (c *call) checkWebhookObject(required bool) *Error {
	switch given := c.params.get("object"); {
	case given == "" && required:
		return paramError("The parameter object is required")
	case given != "" && given != objectWABA: // Meta has others, none of them for this app
		return paramError("Param object must be one of {WHATSAPP_BUSINESS_ACCOUNT} - got value \"%s\".", given)
	default:
		return nil
	}
}

// fieldList reads the parameter fields, a list with commas.
func (c *call) fieldList() ([]string, *Error) {
	fields := []string{}
	for name := range strings.SplitSeq(c.params.get("fields"), ",") {
		name = strings.TrimSpace(name)
		if name == "" {
			continue
		}
		if !slices.Contains(webhookFields(), name) {
			return nil, paramError("Param fields must be fields of %s - got value \"%s\".", objectWABA, name)
		}
		fields = append(fields, name)
	}
	return fields, nil
}
