package store

import (
	"slices"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
)

// assess is the state of a connection as its facts have it now, and why. CLAIMING and DISCONNECTED do not follow from facts:
// a claim's end and a disconnection set them.
func (c *Connection) assess(now time.Time) (ConnectionState, []string) {
	if c.State == ConnectionDisconnected || c.State == ConnectionClaiming {
		return c.State, c.Reasons
	}
	dead, attention := c.accessReasons(now), append(c.attentionReasons(), c.Account.reasons(now)...)
	if c.DisconnectTime != nil {
		attention = append(attention, errorsv1.ErrorReason_DISCONNECTING.String())
	}
	reasons := append(dead, attention...)
	if len(dead) > 0 {
		return ConnectionReconnectRequired, reasons
	}
	if c.LastEventTime == nil && c.DisconnectTime == nil {
		reasons = append(reasons, errorsv1.ErrorReason_NO_EVENT_YET.String()) // a note, no fault
	}
	if len(attention) > 0 {
		return ConnectionAttention, reasons
	}
	return ConnectionConnected, reasons
}

// turns is when time alone changes what assess finds: a word of Meta's ends, or the token does.
func (c *Connection) turns(now time.Time) *time.Time {
	if c.State == ConnectionDisconnected {
		return nil
	}
	next := c.Account.ends(now)
	if end := c.TokenExpireTime; end != nil && end.After(now) && (next == nil || end.Before(*next)) {
		next = end
	}
	return next
}

// accessReasons are what only the customer can mend.
func (c *Connection) accessReasons(now time.Time) []string {
	reasons := []string{}
	expired := c.TokenExpireTime != nil && !c.TokenExpireTime.After(now)
	switch {
	case slices.Contains([]string{"INVALID", "REVOKED", "SUPERSEDED"}, c.TokenState):
		reasons = append(reasons, errorsv1.ErrorReason_TOKEN_INVALID.String())
	case c.TokenState == "EXPIRED" || expired:
		reasons = append(reasons, errorsv1.ErrorReason_TOKEN_EXPIRED.String())
	}
	if c.AccessReason != "" && !slices.Contains(reasons, c.AccessReason) {
		reasons = append(reasons, c.AccessReason)
	}
	return reasons
}

func (c *Connection) attentionReasons() []string {
	var reasons []string
	if !c.SubscriptionProven {
		reasons = append(reasons, errorsv1.ErrorReason_WEBHOOK_SUBSCRIPTION_FAILED.String())
	}
	if len(c.PhoneNumbers) == 0 {
		reasons = append(reasons, errorsv1.ErrorReason_NO_PHONE_NUMBER.String())
	}
	for _, n := range c.PhoneNumbers {
		for _, reason := range []string{registrationReason(n.Registration), verificationReason(n), statusReason(n.Status), sendingReason(n.CanSendMessage)} {
			if reason != "" && !slices.Contains(reasons, reason) {
				reasons = append(reasons, reason)
			}
		}
	}
	return reasons
}

func registrationReason(r Registration) string {
	switch r {
	case WaitingForMeta:
		return errorsv1.ErrorReason_DISPLAY_NAME_IN_REVIEW.String()
	case PINRequired:
		return errorsv1.ErrorReason_PIN_REQUIRED.String()
	case RegistrationFailed:
		return errorsv1.ErrorReason_REGISTRATION_FAILED.String()
	case NotNeeded, Pending, Registered:
		return ""
	}
	return ""
}

func verificationReason(n PhoneNumber) string {
	if n.unverified() {
		return errorsv1.ErrorReason_PHONE_NUMBER_NOT_VERIFIED.String()
	}
	return ""
}

// statusReason is what speaks against a number by Meta's own word. The set is open: what is not known speaks not against.
// OFFLINE is a word of WhatsApp Manager alone; the API's is DISCONNECTED. Pages have no list of their own.
func statusReason(status string) string {
	switch status {
	case "BANNED", "RESTRICTED", "FLAGGED", "RATE_LIMITED", "DISCONNECTED", "DELETED", "MIGRATED", "UNVERIFIED":
		return errorsv1.ErrorReason_PHONE_NUMBER_UNHEALTHY.String()
	}
	return ""
}

// sendingReason is what speaks against sending. LIMITED does not: a business that is not verified is, and may send.
func sendingReason(can string) string {
	if can == "BLOCKED" {
		return errorsv1.ErrorReason_SENDING_BLOCKED.String()
	}
	return ""
}

// reassess lets the state follow the facts, in the transaction that changed one. The connection's row is locked before
// anything of it changes, so that whoever comes last sees all facts. What a connection goes through while it is being
// disconnected is told to nobody but its timeline: the event is its end.
func (s *Store) reassess(tx *gorm.DB, id uuid.UUID) error {
	c, err := lock[Connection](s, tx, id)
	if err != nil {
		return err
	}
	if err := attachPhoneNumbers(tx, []*Connection{&c}); err != nil {
		return err
	}
	state, reasons := c.assess(s.now())
	if turns := c.turns(s.now()); !sameTime(turns, c.ReassessTime) {
		if err := tx.Model(&Connection{}).Where("id = ?", id).Update("reassess_time", turns).Error; err != nil {
			return err
		}
	}
	if state == c.State && slices.Equal(reasons, c.Reasons) {
		return nil
	}
	changed := state != c.State
	c.State, c.Reasons = state, reasons
	if changed {
		c.StateTime = s.now()
	}
	if err := tx.Model(&Connection{}).Where("id = ?", id).Select("state", "reasons", "state_time").Updates(c).Error; err != nil {
		return err
	}
	if !changed {
		return nil
	}
	if c.DisconnectTime == nil {
		s.emitState(tx, c)
	}
	reason := ""
	if state != ConnectionConnected {
		reason = reasons[0]
	}
	return s.note(tx, c.activity("STATE_"+string(state), "", reason))
}

func sameTime(a, b *time.Time) bool {
	return (a == nil) == (b == nil) && (a == nil || a.Equal(*b))
}
