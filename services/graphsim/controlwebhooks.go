package graphsim

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
)

// controlWebhooks routes the part of the control plane that is about webhooks.
func (s *Simulator) controlWebhooks(mux *http.ServeMux) {
	mux.HandleFunc("GET /_sim/webhook-settings", s.controlShowWebhook)
	mux.HandleFunc("POST /_sim/webhook-settings", s.controlSetWebhook)
	mux.HandleFunc("POST /_sim/behavior", s.controlBehavior)
	mux.HandleFunc("POST /_sim/messages", s.controlMessages)
	mux.HandleFunc("POST /_sim/webhooks", s.controlDeliver)
	mux.HandleFunc("GET /_sim/deliveries", s.controlDeliveries)
	mux.HandleFunc("POST /_sim/phones/{target}", s.controlApproveName)
}

func (s *Simulator) controlShowWebhook(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	settings := s.world.Webhook
	s.mu.Unlock()
	if settings.Fields == nil {
		settings.Fields = webhookFields()
	}
	answerControl(w, settings, nil)
}

func (s *Simulator) controlSetWebhook(w http.ResponseWriter, r *http.Request) {
	var settings WebhookSettings
	if !readControl(w, r, &settings) {
		return
	}
	answerControl(w, struct{}{}, s.setWebhook(settings))
}

func (s *Simulator) controlBehavior(w http.ResponseWriter, r *http.Request) {
	var b Behavior
	if !readControl(w, r, &b) {
		return
	}
	answerControl(w, struct{}{}, s.setBehavior(b))
}

// controlMessages takes one MessageSpec, or several under "messages" with the Sending beside them.
func (s *Simulator) controlMessages(w http.ResponseWriter, r *http.Request) {
	var body json.RawMessage
	if !readControl(w, r, &body) {
		return
	}
	how, specs, err := readMessages(body)
	if err != nil {
		answerControl(w, nil, err)
		return
	}
	said, err := s.sendMessages(how, specs)
	answerControl(w, said, err)
}

func readMessages(body []byte) (Sending, []MessageSpec, error) {
	var several struct {
		Messages []json.RawMessage `json:"messages"`
		Sending
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(body, &keys); err != nil {
		return Sending{}, nil, errors.New("want an object")
	}
	if _, found := keys["messages"]; !found {
		var one MessageSpec
		err := decodeStrict(body, &one)
		return one.Sending, []MessageSpec{one}, err
	}
	if err := decodeStrict(body, &several); err != nil {
		return Sending{}, nil, err
	}
	specs := make([]MessageSpec, len(several.Messages))
	for i, raw := range several.Messages {
		if err := decodeStrict(raw, &specs[i]); err != nil {
			return Sending{}, nil, err
		}
		if specs[i].Sending != (Sending{}) {
			return Sending{}, nil, errors.New("messages: how they are sent stands beside the list, not in it")
		}
	}
	return several.Sending, specs, nil
}

func (s *Simulator) controlDeliver(w http.ResponseWriter, r *http.Request) {
	var hook Webhook
	if !readControl(w, r, &hook) {
		return
	}
	said, err := s.deliverBody(hook)
	answerControl(w, said, err)
}

// controlDeliveries filters by field, wabaId and state.
func (s *Simulator) controlDeliveries(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	field, wabaID, state := query.Get("field"), query.Get("wabaId"), query.Get("state")
	answerControl(w, s.listDeliveries(func(d *Delivery) bool {
		return (field == "" || slices.Contains(d.Fields, field)) && (state == "" || d.State == state) &&
			(wabaID == "" || slices.Contains(d.WABAIDs, wabaID))
	}), nil)
}

func (s *Simulator) controlApproveName(w http.ResponseWriter, r *http.Request) {
	var how Sending
	id, ok := target(w, r, "approveName")
	if !ok || !readControl(w, r, &how) {
		return
	}
	said, err := s.approveName(id, how)
	answerControl(w, said, err)
}

func (s *Simulator) controlRemove(w http.ResponseWriter, r *http.Request) {
	var body Removal
	id, ok := target(w, r, "remove")
	if !ok || !readControl(w, r, &body) {
		return
	}
	said, err := s.removeWABA(id, body)
	answerControl(w, said, err)
}
