package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/graphsim"
	"github.com/whatrack/connect/services/internal/fault"
)

const customer = "5511912345678"

// sender is a connection that can send, and a caller that sends.
type sender struct {
	*bundle
	onboardingv1.MessageServiceClient

	connection *onboardingv1.Connection
	shared     graphsim.SignedUp
}

// sending connects a customer whose messages have these statuses, by webhooks of Meta.
func (b *bundle) sending(statuses ...string) *sender {
	b.t.Helper()
	b.hook()
	c, shared := b.connect(b.as(org1), graphsim.SignUp{Phones: onCloudAPI(1)})
	b.meta.SetBehavior(graphsim.Behavior{Statuses: append([]string{}, statuses...), DelayMs: 1})
	return &sender{b, b.messageClient(b.replica, org1), c, shared}
}

func (b *bundle) messageClient(r *replica, token string) onboardingv1.MessageServiceClient {
	return onboardingv1.NewMessageServiceClient(b.conn(r, token))
}

func (s *sender) text(request, body string) *onboardingv1.SendMessageRequest {
	return &onboardingv1.SendMessageRequest{
		ConnectionId: s.connection.GetConnectionId(), RequestId: request,
		Receiver: &onboardingv1.SendMessageRequest_To{To: "+" + customer},
		Content:  &onboardingv1.SendMessageRequest_Text{Text: &onboardingv1.TextContent{Body: body}},
	}
}

const anyState = onboardingv1.Message_STATE_UNSPECIFIED

// send sends a text and wants it to be in a state.
func (s *sender) send(request, body string, want onboardingv1.Message_State) *onboardingv1.Message {
	s.t.Helper()
	m, err := s.settled(s, s.text(request, body))
	if err != nil {
		s.t.Fatalf("send: %v", err)
	}
	if want != anyState && m.GetState() != want {
		s.t.Fatalf("the message is %v, want %s", m, want)
	}
	return m
}

// settled asks again while a message is on its way, longer than a caller would: this machine may be busy.
func (s *sender) settled(c onboardingv1.MessageServiceClient, req *onboardingv1.SendMessageRequest) (m *onboardingv1.Message, err error) {
	s.t.Helper()
	eventually(s.t, "the message is sent", func() bool {
		var resp *onboardingv1.SendMessageResponse
		resp, err = c.SendMessage(s.t.Context(), req)
		m = resp.GetMessage()
		return m.GetState() != onboardingv1.Message_SENDING && !errors.Is(err, fault.New(errorsv1.ErrorReason_DEADLINE_EXCEEDED))
	})
	return m, err
}

// only is the only message of the connection.
func (s *sender) only() *onboardingv1.Message {
	s.t.Helper()
	list := s.messages(org1, s.connection.GetConnectionId())
	if len(list) != 1 {
		s.t.Fatalf("%d messages, want one: %v", len(list), list)
	}
	return list[0]
}

func (s *sender) awaitMessage(want onboardingv1.Message_State) *onboardingv1.Message {
	s.t.Helper()
	eventually(s.t, want.String(), func() bool {
		list := s.messages(org1, s.connection.GetConnectionId())
		return len(list) == 1 && list[0].GetState() == want
	})
	return s.only()
}

// asked is how often Meta was asked to send.
func (b *bundle) asked() int { return b.meta.Count("POST", "/*/messages") }

func (s *sender) wantAsked(want int) {
	s.t.Helper()
	if got := s.asked(); got != want {
		s.t.Errorf("Meta was asked %d times, want %d", got, want)
	}
}

func TestASentMessageIsAcceptedAndItsStatusesFollow(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		s := b.sending("sent", "delivered", "read")
		m := s.send("order-17", "Seu pedido saiu.", anyState) // a status may be quicker than the answer
		if m.GetWamid() == "" || m.GetContactPhone() != customer || m.GetPhoneNumberId() != s.shared.PhoneNumberIDs[0] ||
			m.GetDirection() != onboardingv1.Message_OUTBOUND || m.GetMessageTime() == nil || m.GetType() != "text" {
			t.Errorf("message = %v", m)
		}
		read := s.awaitMessage(onboardingv1.Message_READ)
		if read.GetMessageId() != m.GetMessageId() || read.GetWamid() != m.GetWamid() || read.GetText() != "Seu pedido saiu." ||
			read.GetRequestId() != "order-17" || read.GetOrganizationId() != "org-1" || read.GetSentTime() == nil {
			t.Errorf("message = %v", read)
		}
		again := s.send("order-17", "Seu pedido saiu.", onboardingv1.Message_READ)
		if again.GetMessageId() != m.GetMessageId() {
			t.Errorf("the same request is another message: %v", again)
		}
		s.wantAsked(1)
	})
}

func TestOneRequestOnTwoReplicasIsSentOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		s := b.sending()
		replicas := []onboardingv1.MessageServiceClient{s, b.messageClient(b.start(), org1)}
		held := b.meta.AddFault(graphsim.Fault{Method: "POST", Path: "/*/messages", Hold: graphsim.Before})
		const calls = 50
		var callers sync.WaitGroup
		ids := make([]string, calls)
		for i := range calls {
			callers.Go(func() {
				m, err := s.settled(replicas[i%2], s.text("order-17", "once"))
				if err != nil || m.GetState() != onboardingv1.Message_ACCEPTED {
					t.Errorf("answered %v %v", m, err)
				}
				ids[i] = m.GetMessageId()
			})
		}
		eventually(t, "Meta is asked", func() bool { return b.asked() > 0 })
		b.meta.Release(held)
		callers.Wait()
		slices.Sort(ids)
		if ids = slices.Compact(ids); len(ids) != 1 || s.only().GetMessageId() != ids[0] {
			t.Errorf("the messages %v came of one request", ids)
		}
		s.wantAsked(1)
	})
}

func TestAnotherBodyUnderARequestIDIsRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		s := b.sending()
		s.send("order-17", "one", onboardingv1.Message_ACCEPTED)
		template, named := s.text("order-17", "one"), s.text("order-17", "one")
		template.Content = &onboardingv1.SendMessageRequest_Template{
			Template: &onboardingv1.TemplateContent{Name: "hello", Language: "pt_BR"},
		}
		named.Receiver = &onboardingv1.SendMessageRequest_To{To: "5511900000009"}
		for _, other := range []*onboardingv1.SendMessageRequest{s.text("order-17", "two"), template, named} {
			_, err := s.SendMessage(t.Context(), other)
			wantFault(t, err, errorsv1.ErrorReason_REQUEST_ID_REUSED)
		}
		same := s.text("order-17", "one")
		same.Receiver = &onboardingv1.SendMessageRequest_To{To: customer} // the same number, written otherwise
		if _, err := s.SendMessage(t.Context(), same); err != nil {
			t.Error(err)
		}
		s.wantAsked(1)
		s.send("order-18", "two", onboardingv1.Message_ACCEPTED)
		s.wantAsked(2)
	})
}

func TestALostAnswerIsUnknownUntilAStatusTells(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		s := b.sending()
		b.meta.AddFault(graphsim.Fault{Method: "POST", Path: "/*/messages", Drop: graphsim.After})
		lost := s.send("order-17", "lost", onboardingv1.Message_UNKNOWN)
		s.send("order-17", "lost", onboardingv1.Message_UNKNOWN)
		s.wantAsked(1)
		b.meta.SendMessage(graphsim.MessageSpec{
			PhoneNumberID: s.shared.PhoneNumberIDs[0], To: customer, Kind: graphsim.KindStatus, Status: "delivered",
			Wamid: "wamid.found", OpaqueData: lost.GetMessageId(),
		})
		found := s.awaitMessage(onboardingv1.Message_DELIVERED)
		if found.GetMessageId() != lost.GetMessageId() || found.GetWamid() != "wamid.found" {
			t.Errorf("message = %v", found)
		}
		b.meta.SendMessage(graphsim.MessageSpec{ // by its wamid alone from now on
			PhoneNumberID: s.shared.PhoneNumberIDs[0], To: customer, Kind: graphsim.KindStatus, Status: "read", Wamid: "wamid.found",
		})
		s.awaitMessage(onboardingv1.Message_READ)
		s.send("order-17", "lost", onboardingv1.Message_READ)
		s.wantAsked(1)
	})
}

func TestAStatusThatComesBeforeTheAnswerIsOfTheSameMessage(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		s := b.sending("sent", "delivered")
		held := b.meta.AddFault(graphsim.Fault{Method: "POST", Path: "/*/messages", Hold: graphsim.After})
		done := make(chan *onboardingv1.Message, 1)
		go func() {
			m, err := s.settled(s, s.text("order-17", "early"))
			if err != nil {
				t.Errorf("send: %v", err)
			}
			done <- m
		}()
		early := s.awaitMessage(onboardingv1.Message_DELIVERED)
		b.meta.Release(held)
		if m := <-done; m.GetMessageId() != early.GetMessageId() || m.GetState() != onboardingv1.Message_DELIVERED || m.GetWamid() != early.GetWamid() {
			t.Errorf("answered %v", m)
		}
		s.only()
		s.wantAsked(1)
	})
}

func TestACallerThatHangsUpLosesNoOutcome(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		s := b.sending()
		held := b.meta.AddFault(graphsim.Fault{Method: "POST", Path: "/*/messages", Hold: graphsim.Before})
		ctx, hangUp := context.WithCancel(t.Context())
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			_, _ = s.SendMessage(ctx, s.text("order-17", "goes on"))
		}()
		eventually(t, "Meta is asked", func() bool { return b.asked() == 1 })
		s.awaitMessage(onboardingv1.Message_SENDING)
		hangUp()
		<-gone
		b.meta.Release(held)
		s.awaitMessage(onboardingv1.Message_ACCEPTED)
		s.send("order-17", "goes on", onboardingv1.Message_ACCEPTED)
		s.wantAsked(1)
	})
}

func TestAReplicaThatStopsEndsWhatItSends(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	s := b.sending()
	other := b.start()
	held := b.meta.AddFault(graphsim.Fault{Method: "POST", Path: "/*/messages", Hold: graphsim.Before})
	ctx, hangUp := context.WithCancel(t.Context())
	go func() { _, _ = s.SendMessage(ctx, s.text("order-17", "the last")) }()
	eventually(t, "Meta is asked", func() bool { return b.asked() == 1 })
	hangUp()
	b.stopWhile(func() { b.meta.Release(held) })
	b.replica = other
	if m := s.only(); m.GetState() != onboardingv1.Message_ACCEPTED {
		t.Errorf("the message is %s after the replica ended", m.GetState())
	}
}

func TestATemplateGoesToAUserIDOverREST(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		s := b.sending()
		path := "connections/" + s.connection.GetConnectionId() + "/messages"
		a := b.send("POST", path, org1, `{"requestId": "order-17", "recipient": "US.13491208655302741918", "template": {"name": "hello",
			"language": "pt_BR", "components": [{"type": "body", "parameters": [{"type": "text", "text": "Ana"}]}]}}`)
		if a.status != http.StatusOK || a.at("state") != "ACCEPTED" || a.at("contactUserId") != "US.13491208655302741918" || a.at("contactPhone") != "" {
			t.Errorf("answered %d %s", a.status, a.raw)
		}
		asked := b.meta.Journal()[slices.IndexFunc(b.meta.Journal(), func(r graphsim.Request) bool { return strings.HasSuffix(r.Path, "/messages") })]
		if got := fmt.Sprint(asked); !strings.Contains(got, `"language":{"code":"pt_BR"}`) || !strings.Contains(got, `"text":"Ana"`) {
			t.Errorf("Meta was asked %s", got)
		}
		b.meta.AddFault(graphsim.Fault{Method: "POST", Path: "/*/messages", HTML: "<html>"})
		lost := b.send("POST", path, org1, `{"requestId": "order-18", "to": "+5511912345678", "text": {"body": "oi", "previewUrl": true}}`)
		if lost.status != http.StatusOK || lost.at("state") != "UNKNOWN" {
			t.Errorf("answered %d %s", lost.status, lost.raw)
		}
		for _, body := range []string{
			`{"requestId": "a b", "to": "5511912345678", "text": {"body": "oi"}}`, `{"to": "5511912345678", "text": {"body": "oi"}}`,
			`{"requestId": "r", "to": "ana", "text": {"body": "oi"}}`, `{"requestId": "r", "text": {"body": "oi"}}`,
			`{"requestId": "r", "to": "5511912345678"}`, `{"requestId": "r", "to": "5511912345678", "text": {"body": ""}}`,
			`{"requestId": "r", "to": "5511912345678", "text": {"body": "` + strings.Repeat("é", 4097) + `"}}`,
			`{"requestId": "r", "to": "5511912345678", "text": {"body": "\u0000"}}`,
			`{"requestId": "r", "to": "5511912345678", "template": {"name": "hello"}}`,
		} {
			if got := b.send("POST", path, org1, body); got.status != http.StatusBadRequest || got.info()["reason"] != "INVALID_FIELD" {
				t.Errorf("%.80s: %d %s", body, got.status, got.raw)
			}
		}
		s.wantAsked(2)
	})
}
