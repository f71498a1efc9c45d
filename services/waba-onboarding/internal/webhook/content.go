package webhook

import (
	"cmp"
	"strings"
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
