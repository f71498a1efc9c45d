package graphsim

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
)

// objectWABA is the one webhook object of WhatsApp.
const objectWABA = "whatsapp_business_account"

// WebhookSettings are the app's own webhook settings, as its dashboard or POST /{app}/subscriptions sets them. An empty
// CallbackURL ends them.
type WebhookSettings struct {
	CallbackURL string `json:"callbackUrl"`
	VerifyToken string `json:"verifyToken,omitempty"`
	// Fields that the app is subscribed to; nil is all of them.
	Fields []string `json:"fields,omitzero"`
	// Verify makes Meta ask the callback first, as saving the dashboard does. Without it the settings are simply taken,
	// so that a receiver may start later.
	Verify bool `json:"verify,omitempty"`
}

// SetWebhook sets the app's callback, as POST /_sim/webhook-settings does. It panics on settings that the control
// plane would refuse.
func (s *Simulator) SetWebhook(settings WebhookSettings) {
	if err := s.setWebhook(settings); err != nil {
		panic(fmt.Sprintf("graphsim.SetWebhook: %v", err))
	}
}

func (s *Simulator) setWebhook(settings WebhookSettings) error {
	faults := []error{checkCallback("callbackUrl", settings.CallbackURL)}
	for _, field := range settings.Fields {
		faults = append(faults, oneOf("fields", field, webhookFields()...))
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	if settings.Verify {
		if refusal := s.shakeHands(settings.CallbackURL, settings.VerifyToken); refusal != nil {
			return errors.New(refusal.Message)
		}
	}
	settings.Verify = false
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.setWebhook(settings)
	s.persist()
	return nil
}

// setWebhook also leads what is still to be retried to the new callback: Meta owes it to the app, not to a URL.
func (w *world) setWebhook(settings WebhookSettings) {
	for _, p := range w.Outbox {
		for _, owed := range p.Posts {
			if owed.Letter != nil && owed.Letter.Record.URL == w.Webhook.CallbackURL {
				owed.Letter.Record.URL = settings.CallbackURL
			}
		}
	}
	w.Webhook = settings
}

// seedWebhook puts the configured callback in place. It wins over the state file's, since the receiver may have moved;
// the fields stay what they were.
func (s *Simulator) seedWebhook() {
	settings := s.world.Webhook
	settings.CallbackURL = cmp.Or(s.cfg.CallbackURL, settings.CallbackURL)
	settings.VerifyToken = cmp.Or(s.cfg.VerifyToken, settings.VerifyToken)
	s.world.setWebhook(settings)
}

func (ws WebhookSettings) subscribes(field string) bool {
	return ws.Fields == nil || slices.Contains(ws.Fields, field)
}

// checkCallback takes plain HTTP too, which Meta does not: a receiver on the same machine has nothing else.
func checkCallback(name, callback string) error {
	if callback == "" {
		return nil
	}
	parsed, err := url.Parse(callback)
	if err != nil || parsed.Host == "" || parsed.Scheme != "http" && parsed.Scheme != "https" {
		return fmt.Errorf("%s %q: want an http or https URL", name, callback)
	}
	return nil
}

// webhookFields are all fields that an app can subscribe to.
// Source: developers.facebook.com, WhatsApp > Webhooks > Reference.
func webhookFields() []string {
	return append([]string{
		"account_alerts", "account_review_update", "account_update", "automatic_events", "business_capability_update",
		"business_status_update", "flows", "message_template_components_update", "message_template_quality_update",
		"message_template_status_update", "partner_solutions", "payment_configuration_update",
		"phone_number_name_update", "phone_number_quality_update", "phone_number_username_update", "security",
		"template_category_update", "tracking_events", "user_id_update", "user_preferences", "web_app_data_sync",
		"web_message_echoes",
	}, overridableFields()...)
}

// overridableFields are those that a WABA's own callback gets; all others always go to the app's.
// Source: developers.facebook.com, WhatsApp > Webhooks > Override.
func overridableFields() []string {
	return []string{
		fieldMessages, fieldEchoes, fieldStateSync, fieldHistory, "message_echoes", "calls", "consumer_profile",
		"messaging_handovers", "account_settings_update", "group_lifecycle_update", "group_participants_update",
		"group_settings_update", "group_status_update",
	}
}
