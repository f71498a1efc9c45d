package graphsim

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"time"
)

// Who a Said is by.
const (
	ByCustomer = "customer"
	ByBusiness = "business" // through Graph
	ByApp      = "app"      // the business, from its WhatsApp Business app
)

// maxTalk bounds what is kept of what was said; the oldest goes first.
const maxTalk = 2000

// Said is a message between a customer and a number, as the customer's phone shows it, whether or not the app heard of
// it. It is kept in memory alone.
type Said struct {
	ID            string    `json:"id"`   // its wamid
	Time          time.Time `json:"time"` // by the simulated clock
	PhoneNumberID string    `json:"phoneNumberId"`
	Customer      string    `json:"customer,omitempty"` // digits; absent when only the user id is known
	UserID        string    `json:"userId,omitempty"`
	By            string    `json:"by"`
	Type          string    `json:"type"`
	Text          string    `json:"text,omitempty"`
}

// hear keeps messages. What is by nobody is none. Callers hold mu.
func (s *Simulator) hear(messages ...Said) {
	for _, m := range messages {
		if m.By == "" {
			continue
		}
		m.Time = s.now()
		if len(s.talk) >= maxTalk {
			s.talk = s.talk[1:]
		}
		s.talk = append(s.talk, m)
	}
}

// said is the message of a spec, by nobody when it is about something else.
func (m MessageSpec) said(wamid string) Said {
	by := map[string]string{KindMessage: ByCustomer, KindEcho: ByApp}[m.Kind]
	return Said{
		ID: wamid, PhoneNumberID: m.PhoneNumberID, Customer: m.From, UserID: m.customer().userID, By: by, Type: m.Type,
		Text: m.Text,
	}
}

// controlConversation lists what was said, oldest first; filters phoneNumberId and customer.
func (s *Simulator) controlConversation(w http.ResponseWriter, r *http.Request) {
	number, customer := r.URL.Query().Get("phoneNumberId"), digits(r.URL.Query().Get("customer"))
	s.mu.Lock()
	defer s.mu.Unlock()
	found := []Said{}
	for _, m := range s.talk {
		if (number == "" || m.PhoneNumberID == number) && (customer == "" || m.Customer == customer || m.UserID == userIDOf(customer)) {
			found = append(found, m)
		}
	}
	answerControl(w, found, nil)
}

// Number is a phone number in the list of all.
type Number struct {
	PhoneNumberID      string `json:"phoneNumberId"`
	DisplayPhoneNumber string `json:"displayPhoneNumber"`
	VerifiedName       string `json:"verifiedName"`
	WABAID             string `json:"wabaId"`
	WABAName           string `json:"wabaName"`
	BusinessID         string `json:"businessId"`
	PlatformType       string `json:"platformType"`
	Coexistence        bool   `json:"coexistence"`
	Subscribed         bool   `json:"subscribed"` // whether the app is, to the WABA
}

// controlNumbers lists all numbers, by name.
func (s *Simulator) controlNumbers(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []Number{}
	for p := range maps.Values(s.world.Phones) {
		account := s.world.WABAs[p.WABAID]
		list = append(list, Number{
			PhoneNumberID: p.ID, DisplayPhoneNumber: p.DisplayPhoneNumber, VerifiedName: p.VerifiedName,
			WABAID: account.ID, WABAName: account.Name, BusinessID: account.BusinessID, PlatformType: p.PlatformType,
			Coexistence: p.IsOnBizApp, Subscribed: account.Subscribed,
		})
	}
	slices.SortFunc(list, func(a, b Number) int {
		return cmp.Or(cmp.Compare(a.VerifiedName, b.VerifiedName), cmp.Compare(a.PhoneNumberID, b.PhoneNumberID))
	})
	answerControl(w, list, nil)
}
