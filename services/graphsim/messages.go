package graphsim

import (
	"cmp"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

const (
	maxText   = 4096 // characters of a text message's body
	maxOpaque = 512  // characters of biz_opaque_callback_data
)

// messages serves POST /{phone}/messages: text and templates, and marking a customer's message as read. What becomes
// of a sent message is told by webhooks alone, whether or not the answer arrives. It knows no templates, no 24 hour
// window and no list of allowed recipients: those errors (132001, 131047, 131030) are scripted, at once by a Fault or
// later by a Behavior.
// Source: developers.facebook.com, WhatsApp > Cloud API > Reference > Messages; facebook/openapi.
func (c *call) messages(number *phone) (any, *Error) {
	if err := c.checkProduct(); err != nil {
		return nil, err
	}
	if c.params.has("status") {
		return c.markRead()
	}
	to, contact, err := c.recipient(number)
	if err == nil {
		err = c.checkContent()
	}
	if err == nil {
		err = c.checkSender(number)
	}
	if err != nil {
		return nil, err
	}
	id := newWamid(to.phone)
	m := MessageSpec{
		Wamid: id, From: to.phone, UserID: to.userID, BSUID: to.variant, OpaqueData: c.params.get("biz_opaque_callback_data"),
	}
	c.sim.hear(Said{
		ID: id, PhoneNumberID: number.ID, Customer: to.phone, UserID: to.userID, By: ByBusiness,
		Type: cmp.Or(c.params.get("type"), "text"), Text: c.said(),
	})
	b := c.world.behavior(number.ID)
	b.Sync = SyncSpec{} // the order of chunks is none of a message's
	c.sim.afterwards(c.sim.statusesOf(number, m, b), b)
	sent := map[string]string{"id": id}
	if c.params.get("type") == "template" {
		sent["message_status"] = "accepted"
	}
	return map[string]any{
		"messaging_product": "whatsapp", "contacts": []any{contact}, "messages": []any{sent},
	}, nil
}

// said is what the customer reads: of a template, its name.
func (c *call) said() string {
	var sent struct {
		Body string `json:"body"`
		Name string `json:"name"`
	}
	// checkContent has read the same, so that there is nothing left to fail.
	_ = json.Unmarshal([]byte(c.params.get(cmp.Or(c.params.get("type"), "text"))), &sent)
	return cmp.Or(sent.Body, sent.Name)
}

func (c *call) markRead() (any, *Error) {
	switch id := c.params.get("message_id"); {
	case c.params.get("status") != "read":
		return nil, paramError("Param status must be one of {READ} - got value \"%s\".", c.params.get("status"))
	case id == "":
		return nil, paramError("The parameter message_id is required.")
	case !strings.HasPrefix(id, "wamid."):
		return nil, whatsappError(131009, "Parameter value is not valid", "Last message id is not a message id.")
	default:
		return map[string]bool{"success": true}, nil
	}
}

// recipient is whom a message is for, and what the answer says of them: to is a phone number, recipient a user id.
func (c *call) recipient(number *phone) (person, map[string]string, *Error) {
	to, userID := c.params.get("to"), c.params.get("recipient")
	phone := digits(to)
	switch {
	case c.params.has("recipient_type") && c.params.get("recipient_type") != "individual":
		return person{}, nil, paramError("Param recipient_type must be one of {INDIVIDUAL} - got value \"%s\".",
			c.params.get("recipient_type"))
	case to == "" && userID == "":
		return person{}, nil, paramError("The parameter to is required.")
	case to != "" && userID != "": // no source says which one counts
		return person{}, nil, paramError("Only one of the parameters to and recipient may be given.")
	case userID != "" && !isUserID(userID):
		return person{}, nil, whatsappError(131009, "Parameter value is not valid", "The recipient is not a user id.")
	case userID != "":
		return person{userID: userID, variant: BSUIDAbsent}, map[string]string{"input": userID, "user_id": userID}, nil
	case len(phone) < 7 || len(phone) > 15 || strings.Trim(to, "+0123456789-() ") != "":
		return person{}, nil, whatsappError(131009, "Parameter value is not valid", "Recipient phone number is not valid.")
	case phone == digits(number.DisplayPhoneNumber):
		return person{}, nil, whatsappError(131021, "Recipient cannot be sender",
			"Sender and recipient phone number are the same.")
	default:
		return personOf(phone, "", ""), map[string]string{"input": to, "wa_id": phone}, nil
	}
}

// checkContent checks the message itself.
func (c *call) checkContent() *Error {
	if utf8.RuneCountInString(c.params.get("biz_opaque_callback_data")) > maxOpaque {
		return paramError("Param biz_opaque_callback_data must be at most %d characters long.", maxOpaque)
	}
	switch kind := cmp.Or(c.params.get("type"), "text"); kind {
	case "text":
		return c.checkText()
	case "template":
		return c.checkTemplate()
	default:
		return whatsappError(131051, "Unsupported message type", "The simulator sends text and template, not "+kind+".")
	}
}

func (c *call) checkText() *Error {
	var text struct {
		Body       string `json:"body"`
		PreviewURL bool   `json:"preview_url"`
	}
	switch {
	case !c.params.has("text"):
		return paramError("The parameter text is required.")
	case json.Unmarshal([]byte(c.params.get("text")), &text) != nil:
		return paramError("Param text must be a JSON object.")
	case text.Body == "":
		return paramError("The parameter text['body'] is required.")
	case utf8.RuneCountInString(text.Body) > maxText:
		return paramError("Param text['body'] must be at most %d characters long.", maxText)
	default:
		return nil
	}
}

func (c *call) checkTemplate() *Error {
	var template struct {
		Name     string `json:"name"`
		Language struct {
			Code string `json:"code"`
		} `json:"language"`
		Components []json.RawMessage `json:"components"`
	}
	switch {
	case !c.params.has("template"):
		return paramError("The parameter template is required.")
	case json.Unmarshal([]byte(c.params.get("template")), &template) != nil:
		return paramError("Param template must be a JSON object.")
	case template.Name == "":
		return paramError("The parameter template['name'] is required.")
	case template.Language.Code == "":
		return paramError("The parameter template['language']['code'] is required.")
	default:
		return nil
	}
}

// checkSender: only a registered number sends.
func (c *call) checkSender(number *phone) *Error {
	if number.PlatformType != "CLOUD_API" {
		return whatsappError(133010, "The account is not registered",
			"The phone number is not registered on the WhatsApp Business Platform.")
	}
	return nil
}
