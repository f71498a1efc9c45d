package graph

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"unicode"

	"github.com/whatrack/connect/services/internal/secret"
)

const (
	maxWamid = 512
	maxRef   = 512 // characters of biz_opaque_callback_data
)

// Message is a message to one person, a text or a template. As JSON it is what Meta is sent.
// Source: WhatsApp > Cloud API > Reference > Messages.
type Message struct {
	To        string    `json:"to,omitempty"`        // a phone number in digits, or else
	Recipient string    `json:"recipient,omitempty"` // a business-scoped user id
	Type      string    `json:"type"`                // text or template
	Text      *Text     `json:"text,omitempty"`
	Template  *Template `json:"template,omitempty"`
}

// Text is the content of a text message.
type Text struct {
	Body       string `json:"body"`
	PreviewURL bool   `json:"preview_url"`
}

// Template is the content of a template message. Components stand as Meta documents them.
type Template struct {
	Name       string           `json:"name"`
	Language   TemplateLanguage `json:"language"`
	Components []map[string]any `json:"components,omitempty"`
}

// TemplateLanguage is a language as Meta's templates name it: pt_BR.
type TemplateLanguage struct {
	Code string `json:"code"`
}

// Sent is a message that Meta took. What becomes of it is told by webhooks alone.
type Sent struct {
	Wamid  string
	WaID   string // the number that Meta wrote to, which may differ from the one given; empty for a user id
	UserID string
}

type sentAnswer struct {
	Contacts []struct {
		WaID   text `json:"wa_id"`
		UserID text `json:"user_id"`
	} `json:"contacts"`
	Messages []struct {
		ID string `json:"id"`
	} `json:"messages"`
}

// SendMessage sends a message, in one attempt: after ErrNoVerdict it may be on its way. ref comes back in every status of
// the message (biz_opaque_callback_data), which is how a message whose answer was lost is found again. Only ctx bounds
// it, and of an answer that means nothing no byte is shown, since it may hold the message.
// Source: WhatsApp > Cloud API > Reference > Messages; Webhooks > Reference > statuses.
func (c *Client) SendMessage(ctx context.Context, phone string, m Message, ref string, as Credential) (sent Sent, err error) {
	defer named(&err, "send message")
	if ref == "" || len(ref) > maxRef {
		return Sent{}, fmt.Errorf("%w: a reference has 1 to %d bytes", ErrInvalidInput, maxRef)
	}
	body, err := json.Marshal(struct {
		Product string `json:"messaging_product"`
		Message
		Ref string `json:"biz_opaque_callback_data"`
	}{"whatsapp", m, ref})
	if err != nil {
		return Sent{}, fmt.Errorf("%w: the content is no JSON", ErrInvalidInput)
	}
	k := call{
		method: http.MethodPost, id: phone, path: "messages", json: body, bearer: as, private: true, once: true,
		hidden: m.hidden(),
	}
	var got sentAnswer
	if err := c.fetch(ctx, k, &got); err != nil {
		return Sent{}, err
	}
	if len(got.Messages) != 1 || !isWamid(got.Messages[0].ID) {
		return Sent{}, c.silence(ctx, ErrNoVerdict, k, "HTTP 2xx without the message's id")
	}
	sent = Sent{Wamid: got.Messages[0].ID}
	if len(got.Contacts) == 1 {
		sent.UserID = string(got.Contacts[0].UserID)
		if wa := string(got.Contacts[0].WaID); isID(wa) {
			sent.WaID = wa
		}
	}
	return sent, nil
}

// hidden is what a customer wrote, should Meta's error repeat it.
func (m Message) hidden() []secret.Text {
	if m.Text == nil {
		return nil
	}
	return []secret.Text{secret.New(m.Text.Body)}
}

// isWamid takes what can be stored and compared as it is.
func isWamid(s string) bool {
	odd := func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsGraphic(r) || r == ' ' }
	return s != "" && len(s) <= maxWamid && !strings.ContainsFunc(s, odd)
}
