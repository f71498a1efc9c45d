package graphsim

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
)

// sampleTypes are the types of messages whose content the simulator can make.
// Source: developers.facebook.com, WhatsApp > Webhooks > Reference > messages.
func sampleTypes() []string {
	return []string{
		"text", "image", "video", "audio", "document", "sticker", "location", "contacts", "interactive", "button", "reaction",
		"order", "system", "request_welcome", "unsupported", "unknown", "edit", "revoke", "media_placeholder",
	}
}

// contentKey is where the content of a type stands; "": it has none.
func contentKey(messageType string) string {
	switch messageType {
	case "unsupported", "unknown": // the reason is all there is
		return "errors"
	case "request_welcome", "media_placeholder":
		return ""
	default:
		return messageType
	}
}

// content is the given content, or a sample of the type's.
func (m MessageSpec) content() any {
	if m.Content != nil {
		return json.RawMessage(escapeASCII(m.Content))
	}
	switch m.Type {
	case "text":
		return jsonObject{"body": m.Text}
	case "image", "video", "audio", "document", "sticker":
		return m.media()
	case "edit":
		return jsonObject{"original_message_id": m.Wamid, "message": jsonObject{
			"type": "text", "text": jsonObject{"body": cmp.Or(m.Text, "edited")},
		}}
	case "revoke":
		return jsonObject{"original_message_id": m.Wamid}
	case "reaction":
		return jsonObject{"message_id": cmp.Or(m.Wamid, newWamid(m.From)), "emoji": cmp.Or(m.Text, "👍")}
	case "button":
		return jsonObject{"text": cmp.Or(m.Text, "Yes"), "payload": "yes"}
	default:
		return m.fixedSample()
	}
}

func (m MessageSpec) media() jsonObject {
	mime := map[string]string{
		"image": "image/jpeg", "video": "video/mp4", "audio": "audio/ogg; codecs=opus", "document": "application/pdf",
		"sticker": "image/webp",
	}
	content := jsonObject{
		"id": newID("1", 16), "mime_type": mime[m.Type], "sha256": "Kb5oBBwXkJOYpzM7gFH2bGYQZ7hh0Q8m6TzRFyXJkNU=",
	}
	switch m.Type {
	case "audio":
		content["voice"] = true
	case "sticker":
		content["animated"] = false
	case "document":
		content["filename"] = "pedido.pdf"
	}
	if m.Text != "" && m.Type != "audio" && m.Type != "sticker" {
		content["caption"] = m.Text
	}
	return content
}

// fixedSample is the sample of a type that nothing of the spec goes into, or its text alone.
func (m MessageSpec) fixedSample() any {
	switch m.Type {
	case "location":
		return jsonObject{"latitude": -23.5505, "longitude": -46.6333, "name": "Praça da Sé", "address": "São Paulo"}
	case "contacts":
		return []jsonObject{{
			"name":   jsonObject{"formatted_name": "Ana Silva", "first_name": "Ana", "last_name": "Silva"},
			"phones": []jsonObject{{"phone": "+55 11 91234-5678", "wa_id": "5511912345678", "type": "CELL"}},
		}}
	case "interactive":
		return jsonObject{"type": "button_reply", "button_reply": jsonObject{"id": "yes", "title": cmp.Or(m.Text, "Yes")}}
	case "order":
		return jsonObject{"catalog_id": "1234567890", "text": m.Text, "product_items": []jsonObject{{
			"product_retailer_id": "sku-1", "quantity": 1, "item_price": 9.9, "currency": "BRL",
		}}}
	case "system":
		return jsonObject{
			"type": "user_changed_number", "wa_id": "5511900000000",
			"body": "User changed from " + m.From + " to 5511900000000",
		}
	default: // unsupported, unknown
		return []jsonObject{webhookError(StatusError{
			Code: 131051, Title: "Message type unknown", Details: "Message type is currently not supported.",
		})}
	}
}

// message is one element of messages, message_echoes or a thread, without the customer.
func (m MessageSpec) message() jsonObject {
	built := jsonObject{"id": m.ID, "timestamp": unixText(m.Timestamp), "type": m.Type}
	if key := contentKey(m.Type); key != "" {
		built[key] = m.content()
	}
	if m.Referral != nil {
		built["referral"] = json.RawMessage(escapeASCII(m.Referral))
	}
	return built
}

// webhookError is an error in a webhook. Other than in Graph answers, its message is its title.
func webhookError(e StatusError) jsonObject {
	titles := map[int]string{
		131026: "Message undeliverable", 131030: "Recipient phone number not in allowed list",
		131042: "Business eligibility payment issue", 131047: "Re-engagement message",
		131049: "Meta chose not to deliver", 131050: "User stopped marketing messages",
	}
	title := cmp.Or(e.Title, titles[e.Code], "Scripted error")
	return jsonObject{
		"code": e.Code, "title": title, "message": title, "error_data": jsonObject{"details": cmp.Or(e.Details, title)},
		"href": "https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes",
	}
}

// firstName is what the business's address book has before the first space.
func firstName(name string) string {
	first, _, _ := strings.Cut(name, " ")
	return first
}

// pricedStatus: Meta tells the price with sent, and with one of delivered and read.
func pricedStatus(status string) bool { return slices.Contains([]string{"sent", "delivered"}, status) }
