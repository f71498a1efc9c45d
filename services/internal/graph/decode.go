package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	maxMessage = 300
	maxLabel   = 100

	// longestPause bounds what a header may make us wait.
	longestPause = 24 * time.Hour
)

// fetch makes a call and reads its answer into out, a pointer to a struct.
func (c *Client) fetch(ctx context.Context, k call, out any) error {
	if err := k.check(); err != nil {
		return err
	}
	if said := c.pauses.meets(k, c.cfg.Now()); said != nil {
		return said
	}
	got, err := c.send(ctx, k)
	if err != nil {
		return err
	}
	if said := readError(got); said != nil {
		said = c.spoken(said, got.header, k)
		c.pauses.note(k, said, c.cfg.Now())
		return said
	}
	if got.status < 200 || got.status > 299 {
		return c.unusable(ctx, k, got, "no Graph error in it")
	}
	if !isObject(got.body) {
		return c.unusable(ctx, k, got, "not a JSON object")
	}
	if err := json.Unmarshal(got.body, out); err != nil {
		return c.unusable(ctx, k, got, "not of the expected shape")
	}
	return nil
}

// unusable is the ErrNoVerdict of an answer that came and means nothing. The body's beginning helps to find out why,
// but only that of a failure, and never where a token or a message could stand.
func (c *Client) unusable(ctx context.Context, k call, got answer, why string) error {
	text := fmt.Sprintf("HTTP %d, %d bytes, %s", got.status, len(got.body), why)
	if got.status >= 400 && !k.private {
		text += fmt.Sprintf(": %q", got.body[:min(len(got.body), maxMessage)])
	}
	return c.silence(ctx, ErrNoVerdict, k, text)
}

// envelope is the shape of a Graph error. error_data is an object for WhatsApp, and a string or other keys elsewhere.
// Source: WhatsApp > Support > Error codes.
type envelope struct {
	Message   words           `json:"message"`
	Type      words           `json:"type"`
	Code      *number         `json:"code"`
	Subcode   loose[number]   `json:"error_subcode"`
	Data      json.RawMessage `json:"error_data"`
	Transient loose[flag]     `json:"is_transient"`
	TraceID   words           `json:"fbtrace_id"`

	// DebugSubcode is how debug_token calls the subcode of an error inside its data.
	DebugSubcode loose[number] `json:"subcode"`
}

// readError finds a Graph error, which has a code and stands in an object, whatever the status: Meta has answered 200
// with an error inside. nil: there is none that can be read.
func readError(got answer) *Error {
	if !isObject(got.body) {
		return nil
	}
	var top struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(got.body, &top) != nil {
		return nil
	}
	return errorOf(top.Error, got.status)
}

func errorOf(raw json.RawMessage, status int) *Error {
	var said envelope
	if !isObject(raw) || json.Unmarshal(raw, &said) != nil || said.Code == nil {
		return nil
	}
	subcode := said.Subcode.value
	if subcode == 0 {
		subcode = said.DebugSubcode.value
	}
	return &Error{
		Status: status, Code: int(*said.Code), Subcode: int(subcode), Type: string(said.Type),
		Message: string(said.Message), Details: details(said.Data), TraceID: string(said.TraceID), Transient: bool(said.Transient.value),
	}
}

func details(raw json.RawMessage) string {
	var data struct {
		Details words `json:"details"`
	}
	var inner string
	if json.Unmarshal(raw, &inner) == nil {
		if !isObject([]byte(inner)) {
			return inner
		}
		raw = json.RawMessage(inner)
	}
	if json.Unmarshal(raw, &data) != nil {
		return ""
	}
	return string(data.Details)
}

// spoken makes what Meta said fit to be shown, and notes when to come again.
func (c *Client) spoken(said *Error, header http.Header, k call) *Error {
	s := newScrubber(c.secrets(k))
	said.Type, said.TraceID = s.line(said.Type, maxLabel), s.line(said.TraceID, maxLabel)
	said.Message, said.Details = s.line(said.Message, maxMessage), s.line(said.Details, maxMessage)
	said.asApp = k.asApp
	said.RetryAfter = retryAfter(header, said.RateLimited())
	return said
}

// retryAfter reads Retry-After (RFC 9110, 10.2.3), which Meta does not document but may send, and for a throttled call
// X-Business-Use-Case-Usage, whose estimate is in minutes.
// Source: developers.facebook.com, Graph API > Overview > Rate limits.
func retryAfter(header http.Header, throttled bool) time.Duration {
	wait := time.Duration(0)
	value := strings.TrimSpace(header.Get("Retry-After"))
	if n, err := strconv.ParseUint(value, 10, 32); err == nil {
		wait = time.Duration(n) * time.Second
	} else if at, err := http.ParseTime(value); err == nil {
		sent, err := http.ParseTime(header.Get("Date")) // Meta's clock against Meta's clock
		if err != nil {
			sent = time.Now()
		}
		wait = at.Sub(sent)
	}
	if wait <= 0 && throttled {
		wait = regainTime(header.Get("X-Business-Use-Case-Usage"))
	}
	return min(max(wait, 0), longestPause)
}

func regainTime(header string) time.Duration {
	var usage map[string][]struct {
		Minutes number `json:"estimated_time_to_regain_access"`
	}
	if json.Unmarshal([]byte(header), &usage) != nil {
		return 0
	}
	longest := number(0)
	for _, entries := range usage {
		for _, entry := range entries {
			longest = max(longest, entry.Minutes)
		}
	}
	return time.Duration(min(longest, number(longestPause/time.Minute))) * time.Minute
}

func isObject(raw []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(raw, " \t\r\n"), []byte("{"))
}
