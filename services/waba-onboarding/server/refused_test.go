package server_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/graphsim"
)

// fails sends a text and wants it refused.
func (s *sender) fails(request string, want errorsv1.ErrorReason) map[string]string {
	s.t.Helper()
	_, err := s.SendMessage(s.t.Context(), s.text(request, "no"))
	return wantFault(s.t, err, want).Metadata()
}

// metaSays is Meta's next answer to a message.
func (s *sender) metaSays(e graphsim.FaultError) {
	s.meta.AddFault(graphsim.Fault{Method: "POST", Path: "/*/messages", Error: &e})
}

func TestWhatMetaRefusesStaysRefused(t *testing.T) {
	t.Parallel()
	const late = "Message failed to send because more than 24 hours have passed since the customer last replied to this number."
	each(t, func(t *testing.T, b *bundle) {
		s := b.sending()
		b.meta.SetBehavior(graphsim.Behavior{Statuses: []string{}, Window: true})
		said := s.fails("order-17", errorsv1.ErrorReason_META_REJECTED)
		m := s.only()
		if said["metaCode"] != "131047" || said["messageId"] != m.GetMessageId() || said["fbtraceId"] == "" ||
			said["requestIdSpent"] != "true" || said["metaDetails"] != late {
			t.Errorf("metadata = %v", said)
		}
		if m.GetState() != onboardingv1.Message_FAILED || m.GetError() != "131047 Re-engagement message: "+late || m.GetWamid() != "" {
			t.Errorf("message = %v", m)
		}
		b.meta.SendMessage(graphsim.MessageSpec{PhoneNumberID: s.shared.PhoneNumberIDs[0], From: customer, Text: "oi"})
		b.awaitMessages(org1, s.connection.GetConnectionId(), 2)
		s.send("order-17", "no", onboardingv1.Message_FAILED)
		s.wantAsked(1)
		s.send("order-18", "no", onboardingv1.Message_ACCEPTED) // another request is another message
		s.wantAsked(2)
	})
}

func TestWhatWasNotTheMessagesFaultMaySendItLater(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		s := b.sending()
		for _, c := range []struct {
			says graphsim.FaultError
			want errorsv1.ErrorReason
		}{
			{graphsim.FaultError{Code: 130429}, errorsv1.ErrorReason_META_RATE_LIMITED},
			{graphsim.FaultError{Code: 131056}, errorsv1.ErrorReason_META_RATE_LIMITED},
			{graphsim.FaultError{Code: 131005}, errorsv1.ErrorReason_PERMISSION_MISSING},
			{graphsim.FaultError{Code: 133010}, errorsv1.ErrorReason_META_REJECTED}, // the number is not registered yet
			{graphsim.FaultError{Code: 131042}, errorsv1.ErrorReason_META_REJECTED},
			{graphsim.FaultError{Code: 131057}, errorsv1.ErrorReason_META_UNAVAILABLE},
		} {
			s.metaSays(c.says)
			said := s.fails("order-17", c.want)
			if m := s.only(); m.GetState() != onboardingv1.Message_FAILED || said["requestIdSpent"] != "" {
				t.Errorf("%d: the message is %s, said %v", c.says.Code, m.GetState(), said)
			}
		}
		failed := s.only()
		sent := s.send("order-17", "no", onboardingv1.Message_ACCEPTED)
		if sent.GetMessageId() != failed.GetMessageId() || sent.GetError() != "" || s.only().GetWamid() == "" {
			t.Errorf("message = %v", sent)
		}
		s.wantAsked(7)
	})
}

func TestWhatMetaDoesNotSayClearlyIsNeverSentAgain(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	s := b.sending()
	for request, fault := range map[string]graphsim.Fault{
		"code 1": {Error: &graphsim.FaultError{Code: 1}}, "code 2": {Error: &graphsim.FaultError{Code: 2}},
		"131000":          {Error: &graphsim.FaultError{Code: 131000}},
		"133010 of a 500": {Status: 500, Error: &graphsim.FaultError{Code: 133010}}, "HTML": {HTML: "<html>"}, "empty 500": {Status: 500},
		"reset before": {Drop: graphsim.Before}, "cut": {Truncate: -1}, "no id": {Body: []byte(`{"messages":[]}`)},
		"redirect": {Redirect: "/v25.0/again"},
	} {
		fault.Method, fault.Path = "POST", "/*/messages"
		b.meta.AddFault(fault)
		before := b.asked()
		request = strings.ReplaceAll(request, " ", "-")
		s.send(request, "once", onboardingv1.Message_UNKNOWN)
		s.send(request, "once", onboardingv1.Message_UNKNOWN)
		if got := b.asked() - before; got != 1 {
			t.Errorf("%s: Meta was asked %d times", request, got)
		}
	}
}

// A number of which Meta can not be reached: nothing was sent, and the same request sends it once Meta is there.
func TestWhatNeverReachedMetaIsSentByTheSameRequest(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		s := b.sending()
		listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		real := b.url
		b.url = "http://" + listener.Addr().String()
		_ = listener.Close() // its port answers nobody
		s.MessageServiceClient = b.messageClient(b.start(), org1)
		said := s.fails("order-17", errorsv1.ErrorReason_META_UNAVAILABLE)
		failed := s.only()
		if failed.GetState() != onboardingv1.Message_FAILED || failed.GetError() != "META_UNAVAILABLE" || said["messageId"] != failed.GetMessageId() {
			t.Errorf("message = %v, said %v", failed, said)
		}
		b.url = real
		s.MessageServiceClient = b.messageClient(b.replica, org1)
		if sent := s.send("order-17", "no", onboardingv1.Message_ACCEPTED); sent.GetMessageId() != failed.GetMessageId() || sent.GetError() != "" {
			t.Errorf("message = %v", sent)
		}
		s.wantAsked(1)
	})
}

func TestADeadTokenSendsNothingAndTheConnectionLearnsIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		s := b.sending()
		for subcode, want := range map[int]errorsv1.ErrorReason{
			460: errorsv1.ErrorReason_TOKEN_INVALID, 463: errorsv1.ErrorReason_TOKEN_EXPIRED,
		} {
			b.meta.Invalidate(s.shared.WABAIDs[0], subcode)
			request := want.String()
			if said := s.fails(request, want); said["metaCode"] != "190" {
				t.Errorf("metadata = %v", said)
			}
			c := b.connection(b.as(org1), s.connection.GetConnectionId())
			if c.GetState() != onboardingv1.Connection_RECONNECT_REQUIRED || len(reasonsOf(c)) == 0 || reasonsOf(c)[0] != want.String() {
				t.Errorf("the connection is %s: %v", c.GetState(), reasonsOf(c))
			}
			mended := b.meta.SignUp(graphsim.SignUp{WABAIDs: s.shared.WABAIDs})
			wantState(t, b.claim(b.as(org1), &onboardingv1.ClaimWabaRequest{Code: mended.Code}), onboardingv1.Onboarding_CONNECTED)
			s.send(request, "no", onboardingv1.Message_ACCEPTED)
		}
	})
}

func TestABrokerThatIsAwaySendsNothing(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	s := b.sending()
	b.link.goAway(true)
	s.fails("order-17", errorsv1.ErrorReason_BROKER_UNAVAILABLE)
	b.link.goAway(false)
	s.send("order-17", "no", onboardingv1.Message_ACCEPTED)
	s.wantAsked(1)
}

func TestOnlyANumberOfTheConnectionSends(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	s := b.sending()
	c, shared := b.connect(b.as(org1), graphsim.SignUp{Phones: onCloudAPI(2)})
	req := s.text("order-17", "from which?")
	req.ConnectionId = c.GetConnectionId()
	_, err := s.SendMessage(t.Context(), req)
	if v := wantFault(t, err, errorsv1.ErrorReason_INVALID_FIELD).Violations(); len(v) != 1 || v[0].Field != "phoneNumberId" {
		t.Errorf("none of two numbers named: %v", v)
	}
	req.PhoneNumberId = s.shared.PhoneNumberIDs[0]
	_, err = s.SendMessage(t.Context(), req)
	wantFault(t, err, errorsv1.ErrorReason_PHONE_NUMBER_NOT_FOUND)
	s.wantAsked(0)
	req.PhoneNumberId = shared.PhoneNumberIDs[1]
	resp, err := s.SendMessage(t.Context(), req)
	if err != nil || resp.GetMessage().GetPhoneNumberId() != shared.PhoneNumberIDs[1] || b.meta.Count("POST", "/"+shared.PhoneNumberIDs[1]+"/messages") != 1 {
		t.Errorf("answered %v %v", resp, err)
	}
	app, _ := b.connect(b.as(org1), graphsim.SignUp{Flow: "coexistence"})
	req = s.text("order-17", "from the app's number")
	req.ConnectionId = app.GetConnectionId()
	if resp, err := s.SendMessage(t.Context(), req); err != nil || resp.GetMessage().GetState() != onboardingv1.Message_ACCEPTED {
		t.Errorf("answered %v %v", resp, err)
	}
}

func TestWhoMaySendFromWhat(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	s := b.sending()
	path, body := "connections/"+s.connection.GetConnectionId()+"/messages", `{"requestId": "r", "to": "5511912345678", "text": {"body": "oi"}}`
	if a := b.send("POST", path, viewer1, body); a.status != http.StatusForbidden {
		t.Errorf("a viewer: %d %s", a.status, a.raw)
	}
	foreign := b.send("POST", path, org2, body)
	random := b.send("POST", "connections/0193d3d0-0000-7000-8000-000000000000/messages", org2, body)
	if foreign.status != http.StatusNotFound || string(foreign.raw) != string(random.raw) {
		t.Errorf("another tenant's: %d %s, a random one's: %s", foreign.status, foreign.raw, random.raw)
	}
	s.wantAsked(0)
	if a := b.send("POST", path, platform, body); a.status != http.StatusOK || a.at("organizationId") != "org-1" {
		t.Errorf("the operator: %d %s", a.status, a.raw)
	}
	if _, err := b.as(admin1).DisconnectConnection(t.Context(), &onboardingv1.DisconnectConnectionRequest{ConnectionId: s.connection.GetConnectionId()}); err != nil {
		t.Fatal(err)
	}
	s.fails("order-18", errorsv1.ErrorReason_DISCONNECTING)
	if a := b.send("POST", path, org1, body); a.status != http.StatusOK || a.at("state") != "ACCEPTED" {
		t.Errorf("what was sent before: %d %s", a.status, a.raw)
	}
	s.wantAsked(1)
}

func TestNeitherTextNorTokenIsLogged(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		s := b.sending()
		revealed, err := b.broker.GetAccessToken(t.Context(), &tokenbrokerv1.GetAccessTokenRequest{
			OrganizationId: "org-1", Of: &tokenbrokerv1.GetAccessTokenRequest_WabaId{WabaId: s.shared.WABAIDs[0]},
		})
		if err != nil {
			t.Fatal(err)
		}
		const text = "canary words of a customer"
		echo := text + " " + revealed.GetAccessToken()
		b.meta.AddFault(graphsim.Fault{Method: "POST", Path: "/*/messages", HTML: graphsim.HTML("<html>" + echo)})
		s.send("lost", text, onboardingv1.Message_UNKNOWN)
		s.metaSays(graphsim.FaultError{Code: 131009, Message: "Bad value: " + echo, Data: map[string]string{"details": echo}})
		_, err = s.SendMessage(t.Context(), s.text("refused", text))
		said := wantFault(t, err, errorsv1.ErrorReason_META_REJECTED)
		s.send("sent", text, onboardingv1.Message_ACCEPTED)
		kept := dump(t, b.db)
		for place, shown := range map[string]string{
			"the logs": b.logs.String(), "the error": err.Error() + fmt.Sprint(said.Metadata()),
		} {
			if strings.Contains(shown, text) || strings.Contains(shown, revealed.GetAccessToken()) {
				t.Errorf("%s: %s", place, shown)
			}
		}
		if strings.Contains(kept, revealed.GetAccessToken()) || !strings.Contains(kept, text) {
			t.Error("the database shows the token, or not the text")
		}
	})
}
