package webhook

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"
)

// content holds those parts of a message, each named by its type, that a person can read.
// Source: developers.facebook.com, WhatsApp > Cloud API > Webhooks > Reference: messages.
type content struct {
	Text struct {
		Body string `json:"body"`
	} `json:"text"`
	Image    captionPart `json:"image"`
	Video    captionPart `json:"video"`
	Document captionPart `json:"document"`
	Button   struct {
		Text string `json:"text"`
	} `json:"button"`
	Interactive struct {
		Button titlePart `json:"button_reply"`
		List   titlePart `json:"list_reply"`
		Form   struct {
			Body string `json:"body"`
		} `json:"nfm_reply"`
	} `json:"interactive"`
	Reaction struct {
		Emoji string `json:"emoji"`
	} `json:"reaction"`
	Location struct {
		Name    string `json:"name"`
		Address string `json:"address"`
	} `json:"location"`
	Contacts []struct {
		Name struct {
			Formatted string `json:"formatted_name"`
		} `json:"name"`
	} `json:"contacts"`
	Order struct {
		Text string `json:"text"`
	} `json:"order"`
	System struct {
		Body string `json:"body"`
	} `json:"system"`
}

type captionPart struct {
	Caption  string `json:"caption"`
	Filename string `json:"filename"`
}

type titlePart struct {
	Title string `json:"title"`
}

// text is what a person reads; empty for what has none, such as a sticker.
func (c *content) text() string {
	var names []string
	for _, contact := range c.Contacts {
		names = append(names, contact.Name.Formatted)
	}
	return cmp.Or(
		c.Text.Body, c.Image.Caption, c.Video.Caption, c.Document.Caption, c.Document.Filename, c.Button.Text,
		c.Interactive.Button.Title, c.Interactive.List.Title, c.Interactive.Form.Body, c.Reaction.Emoji,
		c.Location.Name, c.Location.Address, strings.Join(names, ", "), c.Order.Text, c.System.Body,
	)
}

// decode reads JSON into a value. A part that has another type than Meta documents stays empty, and the rest is read all
// the same: Meta adds and changes parts, and none of that may hide a message.
func decode(raw []byte, into any) bool {
	var syntax *json.SyntaxError
	return !errors.As(json.Unmarshal(raw, into), &syntax)
}

// seconds are a time of Meta's: a Unix time, as a number or a string.
type seconds string

// UnmarshalJSON implements json.Unmarshaler.
func (s *seconds) UnmarshalJSON(b []byte) error {
	*s = seconds(bytes.Trim(b, `"`))
	return nil
}

// year10000 is the first second that neither JSON nor protobuf has a form for: a row with it could never be shown.
const year10000 = 253402300800

// time is nil for what is no time.
func (s seconds) time() *time.Time {
	unix, err := strconv.ParseInt(string(s), 10, 64)
	if len(s) == len("1750030073000") {
		unix /= 1000 // milliseconds: as seconds it were thousands of years away
	}
	if err != nil || unix <= 0 || unix >= year10000 {
		return nil
	}
	at := time.Unix(unix, 0).UTC()
	return &at
}
