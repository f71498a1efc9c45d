package server_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"gorm.io/gorm"

	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/graphsim"
)

// got is one POST that a receiver got.
type got struct {
	header http.Header
	body   []byte
	kind   string // of the event
	data   map[string]any
}

func (g got) id() string { return g.header.Get("webhook-id") }

// text reads a value of the data.
func (g got) text(name string) string {
	value, _ := g.data[name].(string)
	return value
}

// receiver is where a tenant wants its events. It answers as told, 200 at first.
type receiver struct {
	*httptest.Server

	answer atomic.Pointer[answering]
	mu     sync.Mutex
	posts  []got
}

func receive(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.say(http.StatusOK)
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		var event struct {
			Type string
			Data map[string]any
		}
		_ = json.Unmarshal(body, &event) // META_RAW has neither
		r.mu.Lock()
		g := got{req.Header, body, event.Type, event.Data}
		r.posts = append(r.posts, g)
		r.mu.Unlock()
		(*r.answer.Load())(w, req, g)
	}))
	t.Cleanup(r.Close)
	return r
}

// answering is what a receiver does with a POST.
type answering func(http.ResponseWriter, *http.Request, got)

func (r *receiver) do(answer answering) { r.answer.Store(&answer) }

func (r *receiver) say(status int) {
	r.do(func(w http.ResponseWriter, _ *http.Request, _ got) { w.WriteHeader(status) })
}

// all is what came, of any of the kinds, or all of it.
func (r *receiver) all(kinds ...string) (list []got) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, g := range r.posts {
		if len(kinds) == 0 || slices.Contains(kinds, g.kind) {
			list = append(list, g)
		}
	}
	return list
}

func (r *receiver) await(t *testing.T, count int, kinds ...string) []got {
	t.Helper()
	eventually(t, "events at the receiver", func() bool { return len(r.all(kinds...)) >= count })
	return r.all(kinds...)
}

func (b *bundle) hooks(token string) onboardingv1.WebhookServiceClient {
	return onboardingv1.NewWebhookServiceClient(b.conn(b.replica, token))
}

// destine adds a destination, and answers it with its secret.
func (b *bundle) destine(token string, req *onboardingv1.CreateDestinationRequest) *onboardingv1.Destination {
	b.t.Helper()
	if req.GetKind() == onboardingv1.Destination_KIND_UNSPECIFIED {
		req.Kind = onboardingv1.Destination_EVENTS
	}
	resp, err := b.hooks(token).CreateDestination(b.t.Context(), req)
	if err != nil {
		b.t.Fatalf("create a destination: %v", err)
	}
	return resp.GetDestination()
}

func (b *bundle) destination(token, id string) *onboardingv1.Destination {
	b.t.Helper()
	resp, err := b.hooks(token).GetDestination(b.t.Context(), &onboardingv1.GetDestinationRequest{DestinationId: id})
	if err != nil {
		b.t.Fatalf("get the destination: %v", err)
	}
	return resp.GetDestination()
}

func (b *bundle) awaitDestination(token, id string, what string, wanted func(*onboardingv1.Destination) bool) (d *onboardingv1.Destination) {
	b.t.Helper()
	eventually(b.t, what, func() bool { d = b.destination(token, id); return wanted(d) })
	return d
}

func (b *bundle) attempts(token, id string) []*onboardingv1.DestinationAttempt {
	b.t.Helper()
	resp, err := b.hooks(token).ListDestinationAttempts(b.t.Context(), &onboardingv1.ListDestinationAttemptsRequest{DestinationId: id, PageSize: 200})
	if err != nil {
		b.t.Fatalf("list attempts: %v", err)
	}
	return resp.GetAttempts()
}

// say lets a customer write to a number, so many times.
func (b *bundle) say(number string, times int) {
	b.t.Helper()
	for range times {
		said := b.meta.SendMessage(graphsim.MessageSpec{PhoneNumberID: number, From: "5511987654321", Text: "oi"})
		if !said.Delivered {
			b.t.Fatalf("Meta says: %+v", said)
		}
	}
}

// witness is a destination of org2. When what was said just now has arrived there, one number after the other, whatever was
// due before has been looked at by the same process as often.
type witness struct {
	numbers  []string
	receiver *receiver
}

func (b *bundle) witness() *witness {
	b.t.Helper()
	_, signed := b.connect(b.as(org2), graphsim.SignUp{Phones: make([]graphsim.Phone, 3)})
	w := &witness{signed.PhoneNumberIDs, receive(b.t)}
	b.destine(org2, &onboardingv1.CreateDestinationRequest{Url: w.receiver.URL, EventTypes: []string{"change.messages"}})
	return w
}

// hears gives whoever would do harm the time to do it.
func (w *witness) hears(b *bundle) {
	b.t.Helper()
	for _, number := range w.numbers {
		before := len(w.receiver.all())
		b.say(number, 1)
		w.receiver.await(b.t, before+1)
	}
}

// stream are the changes of a number in the order in which they became events.
func (b *bundle) stream(number string) (changes []string) {
	b.t.Helper()
	err := b.db.Read(b.t.Context(), func(tx *gorm.DB) error {
		return tx.Table("events").Where("phone_number_id = ? and type = ?", number, "change.messages").Order("position").Pluck("change_id", &changes).Error
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return changes
}

// of are the changes of a number, as a receiver got them, each once.
func of(list []got, number string) (changes []string) {
	for _, g := range list {
		if g.text("phoneNumberId") == number && !slices.Contains(changes, g.text("changeId")) {
			changes = append(changes, g.text("changeId"))
		}
	}
	return changes
}

func signedBy(secret string, g got) bool {
	verifier, err := standardwebhooks.NewWebhook(secret)
	return err == nil && verifier.VerifyIgnoringTimestamp(g.body, g.header) == nil
}
