package message

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/graph"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// draft is a message as its caller asked for it.
type draft struct {
	number  string // as named; empty: the only one
	request string
	hash    string // hex SHA-256 of number and content: the same request again has the same
	content []byte // as Meta is sent it, but for the reference
	graph.Message
}

func draftOf(req *onboardingv1.SendMessageRequest) (draft, error) {
	d := draft{number: req.GetPhoneNumberId(), request: req.GetRequestId()}
	d.To, d.Recipient = strings.TrimPrefix(req.GetTo(), "+"), req.GetRecipient()
	switch content := req.GetContent().(type) {
	case *onboardingv1.SendMessageRequest_Text:
		if strings.Contains(content.Text.GetBody(), "\x00") {
			return d, fault.Field("text.body", "holds a NUL character")
		}
		d.Type, d.Text = "text", &graph.Text{Body: content.Text.GetBody(), PreviewURL: content.Text.GetPreviewUrl()}
	case *onboardingv1.SendMessageRequest_Template:
		d.Type, d.Template = "template", templateOf(content.Template)
	}
	var err error
	if d.content, err = json.Marshal(d.Message); err != nil { // NaN has no JSON
		return d, fault.Field("template.components", "is no JSON").Cause(err)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s", d.number, d.content))
	d.hash = hex.EncodeToString(sum[:])
	return d, nil
}

func templateOf(t *onboardingv1.TemplateContent) *graph.Template {
	template := &graph.Template{Name: t.GetName(), Language: graph.TemplateLanguage{Code: t.GetLanguage()}}
	for _, component := range t.GetComponents() {
		template.Components = append(template.Components, component.AsMap())
	}
	return template
}

// row is the message of a connection before it is written down. It goes out from the number that was named, or from the
// only one.
func (d draft) row(c store.Connection) (store.Message, error) {
	row := store.Message{
		OrganizationID: c.OrganizationID, ConnectionID: c.ID, ContactPhone: d.To, ContactUserID: d.Recipient, Type: d.Type,
		Content: d.content, RequestID: d.request, RequestHash: d.hash,
	}
	if d.Text != nil {
		row.Text = d.Text.Body
	}
	if d.number == "" && len(c.PhoneNumbers) > 1 {
		return row, fault.Field("phoneNumberId", "must be named: the account has several numbers")
	}
	for _, n := range c.PhoneNumbers {
		if n.PhoneNumberID == d.number || d.number == "" {
			row.PhoneNumberID = n.PhoneNumberID
			return row, nil
		}
	}
	return row, fault.New(errorsv1.ErrorReason_PHONE_NUMBER_NOT_FOUND)
}
