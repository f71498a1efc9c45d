package graphsim

import (
	"encoding/json"
	"strconv"
	"time"
)

// Events of the session info.
// Source: developers.facebook.com, WhatsApp > Embedded Signup > Implementation.
const (
	eventFinish         = "FINISH"
	eventFinishOnlyWABA = "FINISH_ONLY_WABA"
	eventFinishBizApp   = "FINISH_WHATSAPP_BUSINESS_APP_ONBOARDING"
	eventCancel         = "CANCEL"
	eventError          = "ERROR"
)

// sessionInfoVersion stands in the messages of coexistence and of cancelled signups; Meta's sample of FINISH has none.
const sessionInfoVersion = 3

// sessionInfo is what the popup itself tells the page: a message event from Meta's origin.
type sessionInfo struct {
	Type    string         `json:"type"`
	Event   string         `json:"event"`
	Version int            `json:"version,omitempty"`
	Data    map[string]any `json:"data"`
}

func newSessionInfo(event string, data map[string]any) *sessionInfo {
	info := &sessionInfo{Type: "WA_EMBEDDED_SIGNUP", Event: event, Data: data}
	if event != eventFinish && event != eventFinishOnlyWABA {
		info.Version = sessionInfoVersion
	}
	return info
}

// message is the session info as it is posted: a JSON string, or an object.
func (i *sessionInfo) message(asObject bool) any {
	if asObject {
		return i
	}
	text, err := json.Marshal(i)
	if err != nil { // of strings, which marshal
		return ""
	}
	return string(text)
}

// cancelled says at which of Meta's steps the person gave up.
func cancelled(currentStep string) *sessionInfo {
	return newSessionInfo(eventCancel, map[string]any{"current_step": currentStep})
}

// reported is an error that the person reported. All its values are strings.
func reported(e DialogError, sessionID string, now time.Time) *sessionInfo {
	return newSessionInfo(e.Event, map[string]any{
		"error_code": e.Code, "error_message": e.Message, "session_id": sessionID,
		"timestamp": strconv.FormatInt(now.Unix(), 10),
	})
}

// signupErrors are errors of Embedded Signup that the dialog can show, each with its meaning in short: Meta's own texts
// are not documented.
// Source: developers.facebook.com, WhatsApp > Embedded Signup > Errors.
func signupErrors() []DialogError {
	return []DialogError{
		{Code: "3441041", Message: "The number is not tied to the chosen business portfolio."},
		{Code: "3441045", Message: "The number is not eligible yet: more activity in the app is needed."},
		{Code: "2655095", Message: "The number is not registered in the WhatsApp Business app."},
		{Code: "3441042", Message: "The number's region is not supported."},
		{Code: "2655093", Message: "The number is already connected to another partner."},
		{Code: "3441049", Message: "The number must be disconnected first; wait 15 minutes."},
		{Code: "3441030", Message: "The number is already registered."},
		{Code: "4563015", Message: "The version of the WhatsApp Business app is too old."},
		{Code: "2655049", Message: "The WhatsApp Business Account can not be shared."},
		{Code: "2388098", Message: "The limit of phone numbers is reached."},
		{Code: "3441033", Message: "There were too many attempts. Try again later."},
		{Code: "2859009", Message: "Two-factor authentication is required."},
		{Code: "2655089", Message: "The WhatsApp Business Account is restricted."},
	}
}
