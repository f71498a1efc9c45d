package graph

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Error is Meta's own word: a Graph error that could be read. Its texts are Meta's, cut, free of control characters and
// of the request's secrets, and may be shown.
//
// Classes go by code, since WhatsApp's endpoints no longer promise the HTTP status and the subcode; a subcode is used
// where it is the only thing that tells (OAuth), a text where older and newer versions leave the subcode out.
// Sources: developers.facebook.com, Graph API > Guides > Error handling; WhatsApp > Support > Error codes.
type Error struct {
	Status     int
	Code       int
	Subcode    int
	Type       string
	Message    string
	Details    string // error_data.details
	TraceID    string // what Meta's support asks for
	Transient  bool
	RetryAfter time.Duration // when Meta said it; zero otherwise

	asApp bool
}

// Error implements error.
func (e *Error) Error() string {
	code := fmt.Sprint(e.Code)
	if e.Subcode != 0 {
		code = fmt.Sprintf("%d/%d", e.Code, e.Subcode)
	}
	text := fmt.Sprintf("graph: error %s: %s", code, e.Message)
	if e.Details != "" {
		text += " (" + e.Details + ")"
	}
	return fmt.Sprintf("%s [HTTP %d, fbtrace_id %s]", text, e.Status, e.TraceID)
}

// Metadata is what callers are told of Meta's word: enough for Meta's support. Its keys are metaCode, metaSubcode,
// metaMessage, metaDetails and fbtraceId, each only where Meta said it.
func (e *Error) Metadata() map[string]string {
	metadata := map[string]string{
		"metaCode": strconv.Itoa(e.Code), "metaSubcode": strconv.Itoa(e.Subcode),
		"metaMessage": e.Message, "metaDetails": e.Details, "fbtraceId": e.TraceID,
	}
	maps.DeleteFunc(metadata, func(_, value string) bool { return value == "" || value == "0" })
	return metadata
}

// TokenDead tells that the customer's token is no longer valid, whatever its subcode says about why.
func (e *Error) TokenDead() bool {
	if e.asApp || e.Temporary() {
		return false
	}
	// 0 is AuthException in the list of codes, and what is left when a code is unset: the status must agree.
	return e.Code == 190 || e.Code == 102 || (e.Code == 0 && e.Status == http.StatusUnauthorized)
}

// TokenExpired tells of a dead token that it is dead of its age, and nobody took the access away.
func (e *Error) TokenExpired() bool { return e.TokenDead() && e.Subcode == subcodeExpired }

// subcodeExpired is that of 190 for a session that has expired.
const subcodeExpired = 463

// AppRejected tells that Meta refused our own app id or app secret.
func (e *Error) AppRejected() bool {
	switch {
	case e.Status >= http.StatusInternalServerError || e.Transient:
		return false
	case e.Code == 101:
		return true
	case e.Code == 190:
		return e.asApp
	default: // 1 today, 100 in older answers
		return (e.Code == 1 || e.Code == 100) && e.says("client secret")
	}
}

// RateLimited tells that calls must pause. It says nothing about a token or an object, so Temporary is true as well: a
// caller that treats the two differently asks RateLimited first. 133016 is not among them: it locks one number's
// registration for three days and limits nothing else.
func (e *Error) RateLimited() bool {
	switch e.Code {
	case 4, 17, 32, 341, 613, 130429, 131048, 131056, 131064:
		return true
	}
	return (e.Code >= 80000 && e.Code <= 80014) || e.Status == http.StatusTooManyRequests
}

// pauses tells which throttles are for every call of a token, or of the app: the others are about one message or number.
func (e *Error) pauses() bool {
	switch e.Code {
	case 17, 32, 613:
		return true
	}
	return e.ofApp() || (e.Code >= 80000 && e.Code <= 80014)
}

func (e *Error) ofApp() bool { return e.Code == 4 || e.Code == 341 }

// Temporary tells that Meta could not answer now. It is no verdict.
func (e *Error) Temporary() bool {
	switch {
	case e.Transient || e.RateLimited():
		return true
	case e.Code == 3: // a missing capability, which Meta has answered with 500
		return false
	case e.Status >= http.StatusInternalServerError:
		return true
	case e.Code == 1:
		return !e.AppRejected()
	default: // service down, unknown error, overload, maintenance, registration server, number in maintenance
		return slices.Contains([]int{2, 131000, 131016, 131057, 133004, 2494100}, e.Code)
	}
}

// PermissionMissing tells that the token is alive and may not do this.
func (e *Error) PermissionMissing() bool {
	if e.Temporary() {
		return false
	}
	return e.Code == 3 || e.Code == 10 || (e.Code >= 200 && e.Code <= 299) || e.Code == 131005
}

// SenderRefused tells that Meta refuses whoever asks to send, whatever the message: the number or its account is not
// registered, not paid for, locked, restricted or in maintenance, cannot be seen, or our app is wrong. Nothing was sent.
// 134101 is a template that Meta has not made ready yet.
func (e *Error) SenderRefused() bool {
	switch {
	case e.Status >= http.StatusInternalServerError:
		return false
	case e.AppRejected() || e.ObjectMissing() || (e.Code >= 133000 && e.Code <= 133016):
		return true
	}
	return slices.Contains([]int{104, 368, 130497, 131031, 131037, 131042, 131045, 131057, 131063, 134101, 2494100}, e.Code)
}

// ObjectMissing tells that there is no such object, that it is of another kind, or that the token may not see it: Meta
// does not tell these apart.
func (e *Error) ObjectMissing() bool {
	switch {
	case e.Temporary():
		return false
	case e.Code == 33 || e.Code == 803:
		return true
	default:
		return e.Code == 100 && (e.Subcode == 33 || e.says("does not exist, cannot be loaded") || e.otherKind())
	}
}

// otherKind reads "Tried accessing nonexisting field (phone_numbers) on node type (Business)". A field that is missing
// on the right type is another matter: the version of Graph lacks it, and the object may well be there.
func (e *Error) otherKind() bool {
	if !e.says("nonexisting field (") {
		return false
	}
	edge := e.says("field (phone_numbers)") || e.says("field (subscribed_apps)")
	return edge || (e.says("on node type (") && !e.says("on node type (whatsapp"))
}

func (e *Error) says(text string) bool {
	return strings.Contains(strings.ToLower(e.Message), text)
}
