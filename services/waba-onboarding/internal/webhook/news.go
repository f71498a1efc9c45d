package webhook

import (
	"cmp"
	"strings"
	"time"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// accountValue is the value of an account_update
// (https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/reference/account_update).
type accountValue struct {
	Event string `json:"event"`
	Ban   struct {
		State string `json:"waba_ban_state"`
		Date  string `json:"waba_ban_date"`
	} `json:"ban_info"`
	Disconnection struct {
		Reason      string `json:"reason"`
		InitiatedBy string `json:"initiated_by"`
	} `json:"disconnection_info"`
	Violation struct {
		Type string `json:"violation_type"`
	} `json:"violation_info"`
	Account struct {
		App looseID `json:"partner_app_id"`
	} `json:"waba_info"`
	Restrictions []struct {
		Type       string  `json:"restriction_type"`
		Expiration seconds `json:"expiration"`
	} `json:"restriction_info"`
}

// readAccount reads the events that end our access or change how the account stands, and notes every other. What befell
// another app of the same customer has a name of its own: it must not be taken for ours.
func (r Reader) readAccount(change store.Change) store.Effect {
	var value accountValue
	if !decode(change.Value, &value) || value.Event == "" {
		return store.Effect{}
	}
	fact := store.AccountFact{Event: clean(value.Event, 64), Details: value.details()}
	if app := value.Account.App; app != "" && string(app) != r.AppID {
		fact.Event += "_OF_ANOTHER_APP"
		return store.Effect{Account: &fact}
	}
	switch value.Event {
	case "PARTNER_REMOVED":
		fact.Reason, fact.EndsAccess = errorsv1.ErrorReason_PARTNER_REMOVED.String(), true
	case "ACCOUNT_DELETED":
		fact.Reason, fact.EndsAccess = errorsv1.ErrorReason_ACCOUNT_DELETED.String(), true
	case "PARTNER_APP_UNINSTALLED":
		fact.Reason, fact.EndsAccess = errorsv1.ErrorReason_TOKEN_INVALID.String(), true
	case "ACCOUNT_OFFBOARDED":
		say(&fact, store.MatterDevice, errorsv1.ErrorReason_ACCOUNT_OFFBOARDED)
	case "ACCOUNT_RECONNECTED":
		say(&fact, store.MatterDevice, 0)
	case "DISABLED_UPDATE":
		if value.Ban.State == "REINSTATE" {
			say(&fact, store.MatterBan, 0)
		} else {
			say(&fact, store.MatterBan, errorsv1.ErrorReason_ACCOUNT_DISABLED)
		}
	case "ACCOUNT_RESTRICTION":
		say(&fact, store.MatterRestriction, errorsv1.ErrorReason_ACCOUNT_RESTRICTED)
		fact.Word.Until = value.restrictedUntil()
	}
	return store.Effect{Account: &fact}
}

// say is Meta's word on a matter; without a reason all is well.
func say(fact *store.AccountFact, matter store.Matter, reason errorsv1.ErrorReason) {
	fact.Matter = matter
	if reason != 0 {
		fact.Reason = reason.String()
		fact.Word.Reason = fact.Reason
	}
}

// restrictedUntil is the end of the last restriction; nil when one of them has none.
func (v *accountValue) restrictedUntil() (last *time.Time) {
	for _, r := range v.Restrictions {
		end := r.Expiration.time()
		if end == nil {
			return nil
		}
		if last == nil || end.After(*last) {
			last = end
		}
	}
	return last
}

// details are what Meta says of it, for the timeline.
func (v *accountValue) details() map[string]string {
	types := make([]string, 0, len(v.Restrictions))
	for _, r := range v.Restrictions {
		if r.Type != "" {
			types = append(types, r.Type)
		}
	}
	until := ""
	if last := v.restrictedUntil(); last != nil {
		until = last.Format(time.RFC3339)
	}
	return details(map[string]string{
		"disconnectionReason": v.Disconnection.Reason, "initiatedBy": v.Disconnection.InitiatedBy,
		"violationType": v.Violation.Type, "banState": v.Ban.State, "banDate": v.Ban.Date,
		"restrictionTypes": strings.Join(types, ", "), "restrictedUntil": until,
	})
}

// details makes texts of Meta's fit for the timeline, without those that are empty; nil where all are.
func details(said map[string]string) map[string]string {
	var kept map[string]string
	for name, text := range said {
		if text = clean(text, 256); text == "" {
			continue
		}
		if kept == nil {
			kept = map[string]string{}
		}
		kept[name] = text
	}
	return kept
}

func readReview(change store.Change) store.Effect {
	var value struct {
		Decision string `json:"decision"`
	}
	if !decode(change.Value, &value) || value.Decision == "" {
		return store.Effect{}
	}
	fact := store.AccountFact{Event: "ACCOUNT_REVIEW_" + clean(value.Decision, 32)}
	switch value.Decision {
	case "REJECTED":
		say(&fact, store.MatterReview, errorsv1.ErrorReason_ACCOUNT_REJECTED)
	case "APPROVED":
		say(&fact, store.MatterReview, 0)
	}
	return store.Effect{Account: &fact}
}

func readQuality(change store.Change) store.Effect {
	var value struct {
		Number looseID `json:"display_phone_number"`
		Event  string  `json:"event"`
		Limit  string  `json:"current_limit"`
		Daily  any     `json:"max_daily_conversations_per_business"` // a tier, or a number
	}
	if !decode(change.Value, &value) {
		return store.Effect{}
	}
	fact := store.NumberFact{Digits: store.OnlyDigits(string(value.Number)), Event: "NUMBER_QUALITY_" + clean(value.Event, 32)}
	tier, _ := value.Daily.(string)
	if limit := clean(cmp.Or(tier, value.Limit), 64); limit != "" {
		fact.MessagingLimit = &limit
	}
	switch value.Event {
	case "FLAGGED":
		fact.Status = &value.Event
	case "UNFLAGGED":
		connected := "CONNECTED"
		fact.Status = &connected
	}
	return store.Effect{Number: &fact}
}

func readName(change store.Change) store.Effect {
	var value struct {
		Number   looseID `json:"display_phone_number"`
		Decision string  `json:"decision"`
		Name     string  `json:"requested_verified_name"`
		Why      string  `json:"rejection_reason"`
	}
	if !decode(change.Value, &value) || value.Decision == "" {
		return store.Effect{}
	}
	decision, name := clean(value.Decision, 32), clean(value.Name, 256)
	fact := store.NumberFact{
		Digits: store.OnlyDigits(string(value.Number)), Event: "NUMBER_NAME_" + decision, NameStatus: &decision, Named: true,
		Approved: decision == "APPROVED", Details: details(map[string]string{"rejectionReason": value.Why}),
	}
	if fact.Approved && name != "" {
		fact.VerifiedName = &name
	}
	return store.Effect{Number: &fact}
}
