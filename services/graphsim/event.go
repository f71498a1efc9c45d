package graphsim

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Fields of the webhooks that the simulator makes itself.
const (
	fieldMessages  = "messages"
	fieldEchoes    = "smb_message_echoes"
	fieldStateSync = "smb_app_state_sync"
	fieldHistory   = "history"
	fieldAccount   = "account_update"
	fieldName      = "phone_number_name_update"
)

// event is one change that Meta has to tell the app.
type event struct {
	WABAID string `json:"wabaId"`
	// EntryID is the WABA's id, or the partner's business id.
	EntryID string          `json:"entryId"`
	Time    int64           `json:"time,omitempty"` // entry.time; 0: the entry has none
	Field   string          `json:"field"`
	Value   json.RawMessage `json:"value"` // in Meta's form
	// ToPartner tells the app itself about its relation to a customer: no subscription of the WABA gates it.
	ToPartner bool `json:"toPartner,omitempty"`
}

// route finds where an event goes, or the reason why it goes nowhere. PARTNER_* events alone reach an app that is not
// subscribed to the WABA; no source exempts the other account fields, so the stricter reading gates them.
func (w *world) route(e event, force bool) (callback, reason string) {
	settings, account := w.Webhook, w.WABAs[e.WABAID]
	switch {
	case settings.CallbackURL == "":
		return "", "the app has no callback URL"
	case !settings.subscribes(e.Field):
		return "", fmt.Sprintf("the app is not subscribed to the field %s", e.Field)
	case e.ToPartner:
		return settings.CallbackURL, ""
	case (account == nil || !account.Subscribed) && !force:
		return "", fmt.Sprintf("the app is not subscribed to WABA %s (POST /{waba}/subscribed_apps)", e.WABAID)
	case account != nil && account.Override != "" && slices.Contains(overridableFields(), e.Field):
		return account.Override, ""
	default:
		return settings.CallbackURL, ""
	}
}

// timed tells whether entries of a field carry their time. Those with messages do not.
func timed(field string) bool {
	return !slices.Contains([]string{fieldMessages, fieldEchoes, fieldStateSync, fieldHistory, "message_echoes"}, field)
}

// newEvent is a change of a WABA, now.
func (s *Simulator) newEvent(wabaID, field string, value any) event {
	e := event{WABAID: wabaID, EntryID: wabaID, Field: field, Value: metaJSON(value)}
	if timed(field) {
		e.Time = s.now().Unix()
	}
	return e
}

// partnerEvent is an account_update about the app's relation to a customer: its entry carries the id of the partner's
// business, and only the value tells the WABA.
func (s *Simulator) partnerEvent(account *waba, name string, extra jsonObject) event {
	info := jsonObject{"waba_id": account.ID, "owner_business_id": account.BusinessID}
	if name == eventAppInstalled || name == eventAppUninstalled {
		info["partner_app_id"] = s.cfg.AppID
	}
	value := jsonObject{"event": name, "waba_info": info}
	for key, v := range extra {
		value[key] = v
	}
	e := s.newEvent(account.ID, fieldAccount, value)
	e.EntryID, e.ToPartner = s.cfg.OwnBusinessID, true
	return e
}
