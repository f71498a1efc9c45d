package graphsim

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
)

// errNoPhone says that no phone number has an id.
var errNoPhone = errors.New("no such phone number")

// SendMessage lets a customer write, or anything else that a MessageSpec says, as POST /_sim/messages does. It panics
// on a MessageSpec that the control plane would refuse.
func (s *Simulator) SendMessage(spec MessageSpec) Delivered {
	return s.SendMessages(spec.Sending, spec)
}

// SendMessages sends several at once, so that they can share a POST or change places: how the first argument says.
func (s *Simulator) SendMessages(how Sending, specs ...MessageSpec) Delivered {
	return must(s.sendMessages(how, specs))
}

func (s *Simulator) sendMessages(how Sending, specs []MessageSpec) (Delivered, error) {
	faults := []error{how.validate()}
	if len(specs) == 0 {
		faults = append(faults, errors.New("messages: want some"))
	}
	events, wamids, heard := []event{}, []string{}, []Said{}
	s.mu.Lock()
	for _, spec := range specs {
		spec = spec.withDefaults()
		made, wamid, err := s.eventOf(spec)
		faults = append(faults, err)
		events = append(events, made)
		heard = append(heard, spec.said(wamid))
		if wamid != "" {
			wamids = append(wamids, wamid)
		}
	}
	err := errors.Join(faults...)
	if err == nil {
		s.hear(heard...)
	}
	s.mu.Unlock()
	if err != nil {
		return Delivered{}, err
	}
	said := s.deliver(events, how)
	if len(wamids) > 0 {
		said.Wamid, said.Wamids = wamids[0], wamids
	}
	return said, nil
}

// eventOf builds the change and tells the id of the message that it is about. Callers hold mu.
func (s *Simulator) eventOf(m MessageSpec) (event, string, error) {
	if err := m.validate(); err != nil {
		return event{}, "", err
	}
	number := s.world.Phones[m.PhoneNumberID]
	if number == nil {
		return event{}, "", fmt.Errorf("phoneNumberId %q: %w", m.PhoneNumberID, errNoPhone)
	}
	m.ID = cmp.Or(m.ID, newWamid(m.From))
	m.Timestamp = cmp.Or(m.Timestamp, s.now().Unix())
	switch m.Kind {
	case KindEcho:
		return s.newEvent(number.WABAID, fieldEchoes, number.echo(m)), m.ID, nil
	case KindStatus:
		return s.newEvent(number.WABAID, fieldMessages, number.status(m)), m.Wamid, nil
	case KindHistory:
		return s.newEvent(number.WABAID, fieldHistory, number.history(m)), m.ID, nil
	case KindStateSync:
		return s.newEvent(number.WABAID, fieldStateSync, number.stateSync([]MessageSpec{m})), "", nil
	default:
		s.world.LastWrote[windowKey(number.ID, m.customer())] = s.now()
		return s.newEvent(number.WABAID, fieldMessages, number.inbound(m)), m.ID, nil
	}
}

// value begins the value of every change about messages.
func (p *phone) value() jsonObject {
	return jsonObject{
		"messaging_product": "whatsapp",
		"metadata":          jsonObject{"display_phone_number": digits(p.DisplayPhoneNumber), "phone_number_id": p.ID},
	}
}

func (p *phone) inbound(m MessageSpec) jsonObject {
	profile := jsonObject{"name": cmp.Or(m.Name, "Simulated Customer")}
	if m.Username != "" {
		profile["username"] = m.Username
	}
	message := m.customer().name(m.message(), "from", "from_user_id")
	if m.ReplyTo != "" {
		message["context"] = jsonObject{"from": digits(p.DisplayPhoneNumber), "id": m.ReplyTo}
	}
	value := p.value()
	value["contacts"] = []jsonObject{m.customer().name(jsonObject{"profile": profile}, "wa_id", "user_id")}
	value["messages"] = []jsonObject{message}
	return value
}

// echo is a message that the business sent from its app: from is the business, to the customer.
func (p *phone) echo(m MessageSpec) jsonObject {
	message := m.customer().name(m.message(), "to", "to_user_id")
	message["from"] = digits(p.DisplayPhoneNumber)
	value := p.value()
	value["contacts"] = []jsonObject{m.customer().name(jsonObject{}, "wa_id", "user_id")}
	value["message_echoes"] = []jsonObject{message}
	return value
}

func (p *phone) status(m MessageSpec) jsonObject {
	status := m.customer().name(jsonObject{
		"id": m.Wamid, "status": m.Status, "timestamp": unixText(m.Timestamp),
	}, "recipient_id", "recipient_user_id")
	if pricedStatus(m.Status) {
		status["pricing"] = jsonObject{
			"billable": false, "pricing_model": "PMP", "type": "free_customer_service", "category": "service",
		}
	}
	if m.OpaqueData != "" {
		status["biz_opaque_callback_data"] = m.OpaqueData
	}
	if m.Status == "failed" {
		failure := StatusError{Code: 131026}
		if m.Error != nil {
			failure = *m.Error
		}
		status["errors"] = []jsonObject{webhookError(failure)}
	}
	value := p.value()
	value["statuses"] = []jsonObject{status}
	return value
}

// history is a chunk with one message, the business's refusal to share any, or the media of an earlier one.
func (p *phone) history(m MessageSpec) jsonObject {
	value := p.value()
	if m.History.Declined {
		failure := webhookError(StatusError{
			Code: 2593109, Title: "History sync is turned off by the business from the WhatsApp Business App",
			Details: "History sharing is turned off by the business",
		})
		delete(failure, "href")
		value["history"] = []jsonObject{{"errors": []jsonObject{failure}}}
		return value
	}
	message := m.customer().name(m.message(), "from", "from_user_id")
	if m.History.FromBusiness {
		message = m.customer().name(m.message(), "to", "to_user_id")
		message["from"] = digits(p.DisplayPhoneNumber)
	}
	if m.History.FollowUp {
		value["messages"] = []jsonObject{message}
		return value
	}
	message["history_context"] = jsonObject{"status": cmp.Or(m.Status, "READ")}
	value["history"] = []jsonObject{{
		"metadata": jsonObject{
			"phase": m.History.Phase, "chunk_order": m.History.ChunkOrder, "progress": m.History.Progress,
		},
		"threads": []jsonObject{{"id": m.From, "messages": []jsonObject{message}}},
	}}
	return value
}

// stateSync is a part of the address book of the business's app. Of a contact that is gone only the number is told.
func (p *phone) stateSync(contacts []MessageSpec) jsonObject {
	list := []jsonObject{}
	for _, m := range contacts {
		contact, at := jsonObject{"phone_number": m.From}, "0"
		if m.Action != "remove" {
			name := cmp.Or(m.Name, "Simulated Customer")
			contact["full_name"], contact["first_name"], at = name, firstName(name), unixText(m.Timestamp)
		}
		list = append(list, jsonObject{
			"type": "contact", "contact": contact, "action": cmp.Or(m.Action, "add"),
			"metadata": jsonObject{"timestamp": at},
		})
	}
	value := p.value()
	value["state_sync"] = list
	return value
}

// unixText is a Unix time as Meta writes it in messages: a string.
func unixText(unix int64) string { return strconv.FormatInt(unix, 10) }
