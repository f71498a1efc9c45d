package graphsim

import (
	"fmt"
	"time"
)

// deadToken is Meta's refusal of a token that was valid once.
// Source: developers.facebook.com, Graph API > Handling errors; the texts of 464 and 492 are from general knowledge.
func (c *call) deadToken(t *token, subcode int) *Error {
	const prefix = "Error validating access token: "
	message := prefix + "The session is invalid."
	switch subcode {
	case subcodeAppNotInstalled:
		message = fmt.Sprintf(prefix+"The user has not authorized application %s.", c.sim.cfg.AppID)
	case 459:
		message = prefix + "You cannot access the app till you log in to www.facebook.com and follow the instructions " +
			"given."
	case 460:
		message = prefix + "The session has been invalidated because the user changed their password or Facebook has " +
			"changed the session for security reasons."
	case subcodeExpired:
		expired := t.ExpireTime
		if expired.IsZero() {
			expired = c.now
		}
		message = fmt.Sprintf(prefix+"Session has expired on %s. The current time is %s.", metaTime(expired), metaTime(c.now))
	case 464:
		message = fmt.Sprintf(prefix+"Sessions for the user %s are not allowed because the user is not a confirmed user.", t.UserID)
	case subcodeLoggedOut:
		message = prefix + "The session is invalid because the user logged out."
	case 492:
		message = prefix + "The session is invalid because the user no longer has a role on the asset."
	}
	return &Error{Code: 190, Subcode: subcode, Type: typeOAuth, Message: message}
}

// metaTime writes a time as in "Session has expired on Wednesday, 29-Jul-26 11:00:00 PDT". The fixed zone spares
// minimal machines a time zone database.
func metaTime(t time.Time) string {
	return t.In(time.FixedZone("PDT", -7*60*60)).Format("Monday, 02-Jan-06 15:04:05 MST")
}

// unreadableToken is Meta's refusal of what never was a token.
func unreadableToken(value string) *Error {
	message := "Invalid OAuth access token - Cannot parse access token"
	if len(value) > 3 && value[:3] == "EAA" {
		message = "The access token could not be decrypted"
	}
	return &Error{Code: 190, Type: typeOAuth, Message: message}
}
