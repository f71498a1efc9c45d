package graphsim

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// validate lists all mistakes of a fault.
func (f Fault) validate() error {
	faults := []error{checkPattern(f.Path)}
	complain := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	complain(f.ID != "", "id is given by the simulator")
	complain(f.Times < -1, "times %d: want 1 or more, or -1 for ever", f.Times)
	complain(f.Status != 0 && (f.Status < 200 || f.Status > 599), "status %d: want 200 to 599", f.Status)
	complain(f.DelayMs < 0 || f.TrickleMs < 0, "delayMs and trickleMs: want no less than 0")
	complain(f.Truncate < -1, "truncate %d: want a number of bytes, or true for half", f.Truncate)
	complain(f.Error != nil && f.Error.Code == 0, "error: code is required")
	for name, value := range map[string]string{"drop": f.Drop, "hold": string(f.Hold)} {
		complain(value != "" && value != Before && value != After, "%s %q: want before or after", name, value)
	}
	answers := 0
	for _, given := range []bool{f.Error != nil, f.Body != nil, f.HTML != "", f.Redirect != ""} {
		if given {
			answers++
		}
	}
	complain(answers > 1, "only one of error, body, html and redirect can be answered")
	complain(f.replaces() && (f.Drop == After || f.Hold == After),
		"an answer of the fault replaces the work, so there is no \"after\" to drop or hold")
	complain(f.Drop != "" && (f.replaces() || f.Truncate != 0), "a dropped request is not answered")
	complain(!f.acts(), "the fault does nothing")
	return errors.Join(faults...)
}

// replaces tells whether the fault answers instead of Meta.
func (f Fault) replaces() bool {
	return f.Error != nil || f.Body != nil || f.HTML != "" || f.Redirect != "" || f.Status != 0
}

func (f Fault) acts() bool {
	return f.replaces() || len(f.Headers) > 0 || f.DelayMs > 0 || f.TrickleMs > 0 || f.Drop != "" || f.Hold != "" ||
		f.Truncate != 0
}

// matches tells whether the fault is meant for a request.
func (f Fault) matches(method, requestPath string, p params) bool {
	if f.Method != "" && f.Method != method || !matchPath(f.Path, requestPath) {
		return false
	}
	for name, value := range f.Params {
		if p.get(name) != value {
			return false
		}
	}
	return true
}

// answer is what the fault says in Meta's place.
func (f Fault) answer() reply {
	switch {
	case f.Error != nil:
		failure := Error{
			Code: f.Error.Code, Subcode: f.Error.Subcode, Message: f.Error.text(), Type: f.Error.Type,
			IsTransient: f.Error.IsTransient, UserTitle: f.Error.UserTitle, UserMessage: f.Error.UserMessage,
			Data: f.Error.Data, TraceID: f.Error.TraceID, status: f.Status,
		}
		return failure.reply()
	case f.Body != nil:
		return textReply(cmp.Or(f.Status, http.StatusOK), "application/json; charset=UTF-8", f.bodyText())
	case f.HTML != "":
		return textReply(cmp.Or(f.Status, http.StatusBadGateway), "text/html; charset=utf-8", string(f.HTML))
	case f.Redirect != "":
		r := textReply(cmp.Or(f.Status, http.StatusFound), "", "")
		r.header.Set("Location", f.Redirect)
		return r
	default:
		return textReply(f.Status, "", "")
	}
}

// bodyText is Body as it is sent: the text of a JSON string, so that anything can be scripted, else the JSON itself.
func (f Fault) bodyText() string {
	var text string
	if json.Unmarshal(f.Body, &text) == nil {
		return text
	}
	return string(f.Body)
}

func textReply(status int, contentType, body string) reply {
	r := reply{status: status, header: http.Header{}, body: []byte(body)}
	if contentType != "" {
		r.header.Set("Content-Type", contentType)
	}
	return r
}

// text is the message, by default Meta's for the codes that clients are known to read.
func (e *FaultError) text() string {
	if e.Message != "" {
		return e.Message
	}
	switch {
	case e.Code == 100 && e.Subcode == subcodeCodeExpired:
		return "This authorization code has expired."
	case e.Code == 100 && e.Subcode == subcodeCodeUsed:
		return "This authorization code has been used."
	case e.Code == 100 && e.Subcode == subcodeRedirect:
		return redirectMessage
	case e.Code == 1:
		return "An unknown error occurred"
	case e.Code == 2:
		return "Service temporarily unavailable"
	case e.Code == 4:
		return "(#4) Application request limit reached"
	case e.Code == 190:
		return "Error validating access token: The session is invalid."
	default:
		return fmt.Sprintf("(#%d) Scripted error", e.Code)
	}
}
