package graphsim

import (
	"encoding/json"
	"errors"
)

// When a fault drops or holds a request.
const (
	Before = "before" // Meta has not begun: the state is as if the request had never come
	After  = "after"  // Meta has done the work, and only the answer is missing
)

// htmlPage is what html: true answers: a page as a proxy in front of Graph writes it.
const htmlPage = "<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head>" +
	"<body><h1>502 Bad Gateway</h1></body></html>\n"

// Fault is a scripted failure. Method, Path and Params choose the requests it meets; the faults are asked in the
// order in which they were added, and the first that matches and has times left is used, alone.
//
// Error, Body, HTML, Redirect, or Status alone replace the work and its answer. Without one of them the work is done
// and its true answer is held, delayed, changed or lost.
type Fault struct {
	// ID is given by the simulator.
	ID string `json:"id,omitempty"`

	// Method of the requests; empty is every method.
	Method string `json:"method,omitempty"`
	// Path is a pattern without version: "/oauth/access_token", "/*/subscribed_apps", "/10/register". Within a segment
	// * stands for anything. Empty, or "*" alone, is every path.
	Path string `json:"path,omitempty"`
	// Params that the request must have with these very values; an empty value means absent or empty.
	// {"grant_type": "fb_exchange_token"} tells an extension from an exchange.
	Params map[string]string `json:"params,omitempty"`
	// Times it happens: 0 is once, -1 for ever.
	Times int `json:"times,omitempty"`

	// Status of the answer. Alone it answers without a body.
	Status int `json:"status,omitempty"`
	// Error is answered in Meta's envelope, by default with the usual status of its code.
	Error *FaultError `json:"error,omitempty"`
	// Body is answered as it is: any JSON, or a string whose text need not be JSON. Default status 200.
	Body json.RawMessage `json:"body,omitempty"`
	// HTML is a page, or true for a proxy's 502 page. Default status 502.
	HTML HTML `json:"html,omitempty"`
	// Redirect is the Location of a 302.
	Redirect string `json:"redirect,omitempty"`
	// Headers are added to the answer, true answers included.
	Headers map[string]string `json:"headers,omitempty"`

	// DelayMs is how long the answer waits after the work is done.
	DelayMs int `json:"delayMs,omitempty"`
	// TrickleMs sends the body byte by byte, with so long a pause before each.
	TrickleMs int `json:"trickleMs,omitempty"`
	// Drop resets the TCP connection without an answer: Before or After the work.
	Drop string `json:"drop,omitempty"`
	// Hold keeps the request waiting, Before (or true) or After the work, until the fault is released. One whose client
	// goes away while it is held Before is never worked on.
	Hold Hold `json:"hold,omitempty"`
	// Truncate sends this many bytes of the body (true: half of it) and closes, though more were announced.
	Truncate Truncate `json:"truncate,omitempty"`
}

// FaultError is the error that a Fault answers, under Meta's names. Type and message have defaults.
type FaultError struct {
	Code        int    `json:"code"`
	Subcode     int    `json:"error_subcode,omitempty"`
	Message     string `json:"message,omitempty"`
	Type        string `json:"type,omitempty"`
	IsTransient bool   `json:"is_transient,omitempty"`
	UserTitle   string `json:"error_user_title,omitempty"`
	UserMessage string `json:"error_user_msg,omitempty"`
	Data        any    `json:"error_data,omitempty"`
	TraceID     string `json:"fbtrace_id,omitempty"`
}

// HTML is a page; JSON true is a proxy's 502 page.
type HTML string

// UnmarshalJSON implements json.Unmarshaler.
func (h *HTML) UnmarshalJSON(data []byte) error {
	text, err := textOrTrue(data, htmlPage)
	if err != nil {
		return errors.New("html: want true or a page")
	}
	*h = HTML(text)
	return nil
}

// Hold is Before or After; JSON true is Before.
type Hold string

// UnmarshalJSON implements json.Unmarshaler.
func (h *Hold) UnmarshalJSON(data []byte) error {
	text, err := textOrTrue(data, Before)
	if err != nil {
		return errors.New(`hold: want true, "before" or "after"`)
	}
	*h = Hold(text)
	return nil
}

// textOrTrue decodes a string that JSON may also write as true, or as false for none.
func textOrTrue(data []byte, whenTrue string) (string, error) {
	switch string(data) {
	case "true":
		return whenTrue, nil
	case "false", "null":
		return "", nil
	}
	var text string
	err := json.Unmarshal(data, &text)
	return text, err
}

// Truncate is a number of bytes; 0 is off, and JSON true, or -1, is half of the body.
type Truncate int

// UnmarshalJSON implements json.Unmarshaler.
func (t *Truncate) UnmarshalJSON(data []byte) error {
	switch string(data) {
	case "true":
		*t = -1
		return nil
	case "false", "null":
		return nil
	}
	var n int
	if json.Unmarshal(data, &n) != nil {
		return errors.New("truncate: want true or a number of bytes")
	}
	*t = Truncate(n)
	return nil
}
