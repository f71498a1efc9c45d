package server_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/graphsim"
	"github.com/whatrack/connect/services/token-broker/brokertest"
)

// hook has Meta call the service, after its handshake.
func (b *bundle) hook() {
	b.t.Helper()
	b.meta.SetWebhook(graphsim.WebhookSettings{
		CallbackURL: b.rest + "/api/v1/whatsapp/webhook", VerifyToken: verifyToken, Verify: true,
	})
}

// messages are a connection's, newest first.
func (b *bundle) messages(token, connection string) []*onboardingv1.Message {
	b.t.Helper()
	resp, err := onboardingv1.NewMessageServiceClient(b.conn(b.replica, token)).
		ListMessages(b.t.Context(), &onboardingv1.ListMessagesRequest{ConnectionId: connection})
	if err != nil {
		b.t.Fatalf("list messages: %v", err)
	}
	return resp.GetMessages()
}

func (b *bundle) changes(token string) []*onboardingv1.Change {
	b.t.Helper()
	resp, err := onboardingv1.NewWebhookServiceClient(b.conn(b.replica, token)).
		ListChanges(b.t.Context(), &onboardingv1.ListChangesRequest{PageSize: 200})
	if err != nil {
		b.t.Fatalf("list changes: %v", err)
	}
	return resp.GetChanges()
}

func (b *bundle) awaitMessages(token, connection string, count int) []*onboardingv1.Message {
	b.t.Helper()
	eventually(b.t, "messages", func() bool { return len(b.messages(token, connection)) >= count })
	return b.messages(token, connection)
}

func TestAMessageReachesItsOrganizationOnceHoweverOftenItComes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.hook()
		c, signed := b.connect(b.as(org1), graphsim.SignUp{})
		b.start() // a second replica takes part in the jobs
		text := "oi \u00e9 <script>\u0000"
		said := b.meta.SendMessage(graphsim.MessageSpec{
			PhoneNumberID: signed.PhoneNumberIDs[0], From: "5511987654321", Name: "Ana", Text: text,
			Sending: graphsim.Sending{Duplicates: 20},
		})
		if !said.Delivered {
			t.Fatalf("Meta says: %+v", said)
		}
		list := b.awaitMessages(org1, c.GetConnectionId(), 1)
		m := list[0]
		if m.GetWamid() != said.Wamid || m.GetText() != strings.ReplaceAll(text, "\x00", "") || m.GetContactName() != "Ana" ||
			m.GetContactPhone() != "5511987654321" || m.GetState() != onboardingv1.Message_RECEIVED {
			t.Errorf("message = %v", m)
		}
		if m.GetDirection() != onboardingv1.Message_INBOUND || !json.Valid([]byte(m.GetContentJson())) {
			t.Errorf("message = %v", m)
		}
		if got := len(b.messages(org1, c.GetConnectionId())); got != 1 {
			t.Errorf("%d messages, want one", got)
		}
		if b.connection(b.as(org1), c.GetConnectionId()).GetLastEventTime() == nil {
			t.Error("the connection heard nothing")
		}
		_, err := onboardingv1.NewMessageServiceClient(b.conn(b.replica, org2)).
			ListMessages(t.Context(), &onboardingv1.ListMessagesRequest{ConnectionId: c.GetConnectionId()})
		wantFault(t, err, errorsv1.ErrorReason_NOT_FOUND)
	})
}

func TestAPageOfLongMessagesIsShorterAndLosesNone(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	b.hook()
	c, signed := b.connect(b.as(org1), graphsim.SignUp{})
	b.say(signed.PhoneNumberIDs[0], 7)
	b.awaitMessages(org1, c.GetConnectionId(), 7)
	err := b.db.InTx(t.Context(), func(tx *gorm.DB) error {
		return tx.Exec("update messages set text = ?", strings.Repeat("x", 1<<20)).Error
	})
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, m := range b.allMessages(c.GetConnectionId()) {
		known[m.GetMessageId()] = true
	}
	if len(known) != 7 {
		t.Errorf("the pages hold %d messages of 7", len(known))
	}
}

func TestWhatCameBeforeTheClaimIsResolvedByIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.hook()
		signed := b.meta.SignUp(graphsim.SignUp{})
		early := b.meta.SendMessage(graphsim.MessageSpec{
			PhoneNumberID: signed.PhoneNumberIDs[0], From: "5511987654321", Text: "cedo", Sending: graphsim.Sending{Force: true},
		})
		if !early.Delivered {
			t.Fatalf("Meta says: %+v", early)
		}
		eventually(t, "a waiting change", func() bool {
			for _, change := range b.changes(platform) {
				if change.GetField() == "messages" && change.GetState() == onboardingv1.Change_WAITING {
					return true
				}
			}
			return false
		})
		o := b.claim(b.as(org1), &onboardingv1.ClaimWabaRequest{Code: signed.Code})
		list := b.awaitMessages(org1, o.GetConnection().GetConnectionId(), 1)
		if list[0].GetWamid() != early.Wamid {
			t.Errorf("message = %v", list[0])
		}
	})
}

func TestStatusesInAnyOrderSayHowFarAMessageGot(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.hook()
		c, signed := b.connect(b.as(org1), graphsim.SignUp{})
		status := func(status string, at int64) graphsim.MessageSpec {
			return graphsim.MessageSpec{
				PhoneNumberID: signed.PhoneNumberIDs[0], To: "5511987654321", Kind: "status", Status: status, Wamid: "wamid.out", Timestamp: at,
			}
		}
		now := time.Now().Unix()
		b.meta.SendMessages(graphsim.Sending{Reverse: true}, status("sent", now), status("delivered", now+1), status("read", now+2))
		eventually(t, "all three statuses", func() bool {
			list := b.messages(org1, c.GetConnectionId())
			return len(list) == 1 && list[0].GetReadTime() != nil && list[0].GetDeliveredTime() != nil && list[0].GetSentTime() != nil
		})
		m := b.messages(org1, c.GetConnectionId())[0]
		if m.GetState() != onboardingv1.Message_READ || m.GetDeliveredTime().GetSeconds() != now+1 || m.GetMessageTime().GetSeconds() != now ||
			m.GetDirection() != onboardingv1.Message_OUTBOUND {
			t.Errorf("message = %v", m)
		}
	})
}

func TestOnePOSTOfTwoOrganizationsIsTwoOrganizations(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.hook()
		first, one := b.connect(b.as(org1), graphsim.SignUp{})
		second, two := b.connect(b.as(org2), graphsim.SignUp{})
		b.meta.SendMessages(graphsim.Sending{Batch: "entries"},
			graphsim.MessageSpec{PhoneNumberID: one.PhoneNumberIDs[0], From: "5511987654321", Text: "to one"},
			graphsim.MessageSpec{PhoneNumberID: two.PhoneNumberIDs[0], From: "5511987654321", Text: "to two"})
		if got := b.awaitMessages(org1, first.GetConnectionId(), 1); got[0].GetText() != "to one" {
			t.Errorf("one got %v", got)
		}
		if got := b.awaitMessages(org2, second.GetConnectionId(), 1); got[0].GetText() != "to two" {
			t.Errorf("two got %v", got)
		}
		for _, change := range b.changes(org1) {
			if change.GetOrganizationId() != "org-1" {
				t.Errorf("org-1 sees %v", change)
			}
		}
		_, err := onboardingv1.NewWebhookServiceClient(b.conn(b.replica, org1)).
			ListDeliveries(t.Context(), &onboardingv1.ListDeliveriesRequest{})
		wantFault(t, err, errorsv1.ErrorReason_PERMISSION_DENIED)
	})
}

func TestAPartnerThatWasRemovedMustReconnect(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.hook()
		gone, signed := b.connect(b.as(org1), graphsim.SignUp{})
		stays, _ := b.connect(b.as(org1), graphsim.SignUp{})
		b.meta.RemoveWABA(signed.WABAIDs[0], graphsim.Removal{})
		eventually(t, "RECONNECT_REQUIRED", func() bool {
			return b.connection(b.as(org1), gone.GetConnectionId()).GetState() == onboardingv1.Connection_RECONNECT_REQUIRED
		})
		if got := b.connection(b.as(org1), stays.GetConnectionId()).GetState(); got != onboardingv1.Connection_CONNECTED {
			t.Errorf("the sibling is %s", got)
		}
	})
}

// uninstall has Meta tell that the customer of a WABA removed an app, and waits until that is on its connection's timeline.
func (b *bundle) uninstall(connection, waba, app, noted string) {
	b.t.Helper()
	b.tell("2949480000000001", "account_update", b.clock.now().Add(time.Second), `{"event":"PARTNER_APP_UNINSTALLED","waba_info":{"waba_id":"`+
		waba+`","owner_business_id":"1","partner_app_id":"`+app+`"}}`)
	eventually(b.t, noted, func() bool {
		resp, err := b.as(org1).ListActivities(b.t.Context(), &onboardingv1.ListActivitiesRequest{ConnectionId: connection})
		return err == nil && slices.ContainsFunc(resp.GetActivities(), func(a *onboardingv1.Activity) bool { return a.GetType() == noted })
	})
}

func TestOnlyTheAppThatWasRemovedMustReconnect(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.hook()
		c, signed := b.connect(b.as(org1), graphsim.SignUp{})
		id, waba := c.GetConnectionId(), signed.WABAIDs[0]
		b.uninstall(id, waba, "4711", "META_PARTNER_APP_UNINSTALLED_OF_ANOTHER_APP")
		if got := b.connection(b.as(org1), id).GetState(); got != onboardingv1.Connection_CONNECTED {
			t.Errorf("another app was removed, and ours is %s", got)
		}
		b.uninstall(id, waba, brokertest.AppID, "META_PARTNER_APP_UNINSTALLED")
		if got := b.connection(b.as(org1), id).GetState(); got != onboardingv1.Connection_RECONNECT_REQUIRED {
			t.Errorf("ours was removed, and is %s", got)
		}
	})
}

func TestAWebhookOfAStrangerStoresNothing(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	b.hook()
	before := len(b.changes(platform))
	for _, signature := range []string{"wrong", "none", "short", "sha1"} {
		said := b.meta.Deliver(graphsim.Webhook{Body: json.RawMessage(`{"object":"whatsapp_business_account"}`), Signature: signature})
		if said.Status != http.StatusUnauthorized || said.Body != "" {
			t.Errorf("%s: %+v", signature, said)
		}
	}
	if got := len(b.changes(platform)); got != before {
		t.Errorf("%d changes, want %d", got, before)
	}
}
