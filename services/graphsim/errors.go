package graphsim

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
)

// Types and subcodes of Meta's errors that the simulator tells apart.
const (
	typeOAuth  = "OAuthException"
	typeMethod = "GraphMethodException"

	subcodeCodeExpired  = 36007
	subcodeRedirect     = 36008
	subcodeCodeUsed     = 36009
	subcodeNoObject     = 33
	subcodeNameInReview = 2388001

	subcodeAppNotInstalled = 458
	subcodeExpired         = 463
	subcodeLoggedOut       = 467
)

// Error is the error of a Graph answer, under Meta's names.
type Error struct {
	Message     string `json:"message"`
	Type        string `json:"type"`
	Code        int    `json:"code"`
	Subcode     int    `json:"error_subcode,omitempty"`
	IsTransient bool   `json:"is_transient,omitempty"`
	UserTitle   string `json:"error_user_title,omitempty"`
	UserMessage string `json:"error_user_msg,omitempty"`
	// Data is an object on WhatsApp's errors and may be a string on others.
	Data    any    `json:"error_data,omitempty"`
	TraceID string `json:"fbtrace_id"`

	// status overrides the usual HTTP status of the code.
	status int
}

// oauthError is an error of the OAuth endpoints. They answer 400 to everything, dead tokens included.
func oauthError(code, subcode int, message string) *Error {
	return &Error{Code: code, Subcode: subcode, Message: message, Type: typeOAuth, status: http.StatusBadRequest}
}

// paramError is a (#100): a parameter or field that Meta does not take.
func paramError(format string, args ...any) *Error {
	return &Error{Code: 100, Type: typeOAuth, Message: "(#100) " + fmt.Sprintf(format, args...)}
}

// whatsappError is an error of WhatsApp's own, with its details where Meta puts them.
func whatsappError(code int, title, details string) *Error {
	return &Error{
		Code: code, Type: typeOAuth, Message: fmt.Sprintf("(#%d) %s", code, title),
		Data: map[string]string{"messaging_product": "whatsapp", "details": details},
	}
}

func unknownPath(path string) *Error {
	return &Error{Code: 2500, Type: typeOAuth, Message: "Unknown path components: " + path}
}

// noObject is what Meta says of an object that is not there and of one that the token may not see, so that nobody can
// tell the two apart.
func noObject(method, id string) *Error {
	return &Error{
		Code: 100, Subcode: subcodeNoObject, Type: typeMethod,
		Message: fmt.Sprintf("Unsupported %s request. Object with ID '%s' does not exist, cannot be loaded due to missing "+
			"permissions, or does not support this operation. Please read the Graph API documentation at "+
			"https://developers.facebook.com/docs/graph-api", strings.ToLower(method), id),
	}
}

// httpStatus is Meta's usual status for an error. Its pages contradict one another; these are the majority's.
func (e *Error) httpStatus() int {
	if e.status != 0 {
		return e.status
	}
	switch code := e.Code; {
	case code == 190 || code == 102:
		return http.StatusUnauthorized
	case code == 10, code >= 200 && code <= 299, code == 368, code == 130497, code == 131005, code == 131031:
		return http.StatusForbidden
	case code == 2, code == 133004:
		return http.StatusServiceUnavailable
	case code == 131000, code == 131016, e.IsTransient && code == 1:
		return http.StatusInternalServerError
	default: // throttles too: Meta usually does not say 429
		return http.StatusBadRequest
	}
}

// challenge is the WWW-Authenticate header of errors about codes and tokens, "" for others.
func (e *Error) challenge() string {
	kind := ""
	switch {
	case e.Code == 190:
		kind = "invalid_token"
	case e.Code == 100 && e.Subcode >= subcodeCodeExpired && e.Subcode <= subcodeCodeUsed:
		kind = "invalid_code"
	default:
		return ""
	}
	return fmt.Sprintf(`OAuth "Facebook Platform" %q %q`, kind, e.Message)
}

func (e *Error) reply() reply {
	body := *e
	body.Type = cmp.Or(body.Type, typeOAuth)
	body.TraceID = cmp.Or(body.TraceID, newTraceID())
	r := jsonReply(e.httpStatus(), map[string]any{"error": body})
	if challenge := e.challenge(); challenge != "" {
		r.header.Set("WWW-Authenticate", challenge)
	}
	return r
}
