package graphsim

import (
	"slices"
	"strings"
	"time"
)

const (
	// maxDeliveries bounds the log of deliveries; the oldest go first.
	maxDeliveries = 2000
	// maxLogged bounds what the log keeps of a body.
	maxLogged = 16 << 10
	// maxAnswer bounds what is kept of a receiver's answer.
	maxAnswer = 1 << 10
)

// States of a Delivery.
const (
	DeliveryPending   = "pending"   // not answered yet, or to be tried again
	DeliveryDelivered = "delivered" // answered 200
	DeliveryFailed    = "failed"    // given up
	DeliveryWithheld  = "withheld"  // Meta had something to tell, but nobody to tell it to: see Reason
)

// Delivery is one webhook in the log: a POST with all its attempts, or one that was never sent.
type Delivery struct {
	ID      int64     `json:"id"`
	Time    time.Time `json:"time"` // by the simulated clock
	URL     string    `json:"url,omitempty"`
	WABAIDs []string  `json:"wabaIds"`
	Fields  []string  `json:"fields"`
	State   string    `json:"state"`
	Reason  string    `json:"reason,omitempty"`
	// Body as it is on the wire, its first 16 KiB.
	Body        string    `json:"body"`
	BodyBytes   int       `json:"bodyBytes"`
	Attempts    []Attempt `json:"attempts"`
	NextAttempt time.Time `json:"nextAttempt,omitzero"`
}

// Attempt is one POST and what the receiver said.
type Attempt struct {
	Time       time.Time `json:"time"` // by the simulated clock
	Status     int       `json:"status,omitempty"`
	Body       string    `json:"body,omitempty"`  // of the answer, its first KiB
	Error      string    `json:"error,omitempty"` // why there was no answer
	DurationMs float64   `json:"durationMs"`
}

// Delivered is what became of a control call: what the receiver said, or why it was told nothing.
type Delivered struct {
	// Delivered is true when each POST was answered 200 and none was withheld.
	Delivered bool `json:"delivered"`
	// Status and Body are those of the first answer that was not 200, else of the last; Status 0 is no answer.
	Status int    `json:"status"`
	Body   string `json:"body"`
	// Wamid is the first of Wamids: the ids of the messages that the webhooks are about.
	Wamid  string   `json:"wamid,omitempty"`
	Wamids []string `json:"wamids,omitempty"`
	// Reason why something was not sent, not sent yet ("scheduled"), or not answered.
	Reason string `json:"reason,omitempty"`
	// DeliveryIDs of the POSTs, as in the log.
	DeliveryIDs []int64 `json:"deliveryIds"`
}

// Deliveries lists the log of webhooks, oldest first, as GET /_sim/deliveries does.
func (s *Simulator) Deliveries() []Delivery {
	return s.listDeliveries(func(*Delivery) bool { return true })
}

func (s *Simulator) listDeliveries(want func(*Delivery) bool) []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := []Delivery{}
	for _, d := range s.deliveries {
		if want(d) {
			shown := *d
			shown.Attempts = append([]Attempt{}, d.Attempts...) // the log goes on appending
			found = append(found, shown)
		}
	}
	return found
}

// logDelivery adds to the log and answers the entry itself, which changes under mu. Callers hold mu.
func (s *Simulator) logDelivery(d Delivery, body []byte) *Delivery {
	s.world.LastDelivery++
	d.ID, d.Time = s.world.LastDelivery, s.now()
	d.Body, d.BodyBytes = strings.ToValidUTF8(string(body[:min(len(body), maxLogged)]), "\uFFFD"), len(body)
	d.Attempts = []Attempt{}
	s.keepDelivery(&d)
	return &d
}

func (s *Simulator) keepDelivery(d *Delivery) {
	if len(s.deliveries) >= maxDeliveries {
		s.deliveries = s.deliveries[1:]
	}
	s.deliveries = append(s.deliveries, d)
}

func (s *Simulator) logWithheld(e event, reason string) {
	s.logDelivery(Delivery{
		WABAIDs: []string{e.WABAID}, Fields: []string{e.Field}, State: DeliveryWithheld, Reason: reason,
	}, e.Value)
}

// deliver sends events now, or owes them where the sending says later, and tells what the receiver said.
func (s *Simulator) deliver(events []event, how Sending) Delivered {
	if how.DelayMs > 0 {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.owe(&parcel{Due: s.now().Add(how.delay()), Posts: []post{{Events: events, How: how}}})
		return Delivered{Reason: "scheduled", DeliveryIDs: []int64{}}
	}
	s.mu.Lock()
	letters, withheld := s.compose(events, how)
	s.mu.Unlock()
	return s.deliverAll(letters, withheld)
}

func (s *Simulator) deliverAll(letters []*letter, withheld []string) Delivered {
	sum, good := Delivered{DeliveryIDs: []int64{}}, true
	for _, l := range letters {
		said := s.attempt(l)
		sum.DeliveryIDs = append(sum.DeliveryIDs, l.Record.ID)
		if said.Error != "" && !slices.Contains(withheld, said.Error) {
			withheld = append(withheld, said.Error)
		}
		if good {
			sum.Status, sum.Body, good = said.Status, said.Body, said.ok()
		}
	}
	sum.Delivered = good && len(withheld) == 0
	sum.Reason = strings.Join(withheld, "; ")
	return sum
}
