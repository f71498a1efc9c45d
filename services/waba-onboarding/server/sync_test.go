package server_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/graphsim"
)

const syncPath = "/*/smb_app_data"

// syncs are the parts that Meta was asked for, in their order.
func (b *bundle) syncs() []string {
	asked := []string{}
	for _, r := range b.meta.Journal() {
		if kind, ok := r.Parameters["sync_type"]; ok {
			asked = append(asked, kind)
		}
	}
	return asked
}

// sync is what is known of the sync of a connection's only number.
func (b *bundle) sync(id string) *onboardingv1.Sync {
	b.t.Helper()
	return b.connection(b.as(org1), id).GetPhoneNumbers()[0].GetSync()
}

// awaitSync reads a sync until it is as wanted.
func (b *bundle) awaitSync(id string, contacts, history onboardingv1.SyncPart_State) *onboardingv1.Sync {
	b.t.Helper()
	var found *onboardingv1.Sync
	eventually(b.t, contacts.String()+" and "+history.String(), func() bool {
		found = b.sync(id)
		return found.GetContacts().GetState() == contacts && found.GetHistory().GetState() == history
	})
	return found
}

// coexist claims a number of the WhatsApp Business app, after which its sync brings what is said.
func (b *bundle) coexist(spec graphsim.SyncSpec) (*onboardingv1.Connection, graphsim.SignedUp) {
	b.t.Helper()
	b.meta.SetBehavior(graphsim.Behavior{DelayMs: 1, Sync: spec})
	return b.connect(b.as(org1), graphsim.SignUp{Flow: graphsim.FlowCoexistence})
}

// syncActivities are what a connection's timeline says of syncs, newest first.
func (b *bundle) syncActivities(id string) []string {
	b.t.Helper()
	resp, err := b.as(org1).ListActivities(b.t.Context(), &onboardingv1.ListActivitiesRequest{ConnectionId: id})
	if err != nil {
		b.t.Fatal(err)
	}
	types := []string{}
	for _, a := range resp.GetActivities() {
		if strings.HasPrefix(a.GetType(), "SYNC_") {
			types = append(types, a.GetType())
		}
	}
	return types
}

func TestACoexistenceNumberBringsItsContactsAndItsHistoryAlong(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.hook()
		c, _ := b.coexist(graphsim.SyncSpec{Contacts: 3, Chunks: 3, Messages: 4})
		id := c.GetConnectionId()
		eventually(t, "all chunks", func() bool { return b.sync(id).GetHistory().GetItemCount() == 12 }) // the last need not come last
		got := b.awaitSync(id, onboardingv1.SyncPart_RUNNING, onboardingv1.SyncPart_DONE)
		if h := got.GetHistory(); h.GetItemCount() != 12 || h.GetProgress() != 100 || h.GetRequestTime() == nil {
			t.Errorf("history = %v", h)
		}
		b.pass(11 * time.Minute)
		got = b.awaitSync(id, onboardingv1.SyncPart_DONE, onboardingv1.SyncPart_DONE)
		if got.GetContacts().GetItemCount() != 3 {
			t.Errorf("contacts = %v", got.GetContacts())
		}
		if diff := cmp.Diff([]string{"smb_app_state_sync", "history"}, b.syncs()); diff != "" {
			t.Errorf("Meta was asked for (-want +got):\n%s", diff)
		}
		want := []string{"SYNC_CONTACTS_DONE", "SYNC_CONTACTS_REQUESTED", "SYNC_HISTORY_DONE", "SYNC_HISTORY_REQUESTED"}
		if diff := cmp.Diff(want, slices.Sorted(slices.Values(b.syncActivities(id)))); diff != "" {
			t.Errorf("timeline (-want +got):\n%s", diff)
		}
		b.wantOldMessages(id, 12)
		if now := b.connection(b.as(org1), id); now.GetLastEventTime() == nil || now.GetState() != onboardingv1.Connection_CONNECTED {
			t.Errorf("connection = %v", now)
		}
	})
}

// wantOldMessages wants messages of the history, newest first, and those of the business as its echoes.
func (b *bundle) wantOldMessages(id string, count int) {
	b.t.Helper()
	list := b.awaitMessages(org1, id, count)
	if len(list) != count {
		b.t.Errorf("%d messages, want %d", len(list), count)
	}
	directions := map[onboardingv1.Message_Direction]int{}
	for i, m := range list {
		directions[m.GetDirection()]++
		if i > 0 && m.GetMessageTime().AsTime().After(list[i-1].GetMessageTime().AsTime()) {
			b.t.Errorf("message %d is newer than the one before it", i)
		}
		want := onboardingv1.Message_RECEIVED
		if m.GetDirection() == onboardingv1.Message_ECHO {
			want = onboardingv1.Message_READ
		}
		if m.GetState() != want || m.GetReadTime() != nil || m.GetContactPhone() == "" || m.GetText() == "" {
			b.t.Errorf("message = %v", m)
		}
	}
	if directions[onboardingv1.Message_INBOUND] != count/2 || directions[onboardingv1.Message_ECHO] != count/2 {
		b.t.Errorf("directions = %v", directions)
	}
}

func TestChunksOfTheHistoryMayComeInAnyOrderAndTwice(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.hook()
		c, _ := b.coexist(graphsim.SyncSpec{Chunks: 4, Messages: 2, Reverse: true, Duplicates: 2})
		eventually(t, "all chunks", func() bool { return b.sync(c.GetConnectionId()).GetHistory().GetItemCount() == 8 })
		got := b.sync(c.GetConnectionId()).GetHistory()
		if got.GetState() != onboardingv1.SyncPart_DONE || got.GetProgress() != 100 {
			t.Errorf("history = %v", got)
		}
		b.wantOldMessages(c.GetConnectionId(), 8)
	})
}

func TestASyncWhoseAnswerWasLostIsNeverAskedForAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.hook()
		b.meta.AddFault(graphsim.Fault{Path: syncPath, Times: -1, Drop: graphsim.After})
		c, shared := b.coexist(graphsim.SyncSpec{Outcome: graphsim.SyncNone})
		id := c.GetConnectionId()
		got := b.awaitSync(id, onboardingv1.SyncPart_UNKNOWN, onboardingv1.SyncPart_UNKNOWN)
		if got.GetHistory().GetReason() != "META_UNAVAILABLE" {
			t.Errorf("history = %v", got.GetHistory())
		}
		b.pass(time.Hour)
		again := b.claim(b.as(org1), &onboardingv1.ClaimWabaRequest{
			Code: b.meta.SignUp(graphsim.SignUp{Flow: graphsim.FlowCoexistence, WABAIDs: shared.WABAIDs}).Code,
		})
		wantState(t, again, onboardingv1.Onboarding_CONNECTED)

		b.meta.SendMessage(graphsim.MessageSpec{PhoneNumberID: shared.PhoneNumberIDs[0], Kind: graphsim.KindStateSync})
		b.meta.SendMessage(graphsim.MessageSpec{
			PhoneNumberID: shared.PhoneNumberIDs[0], Kind: graphsim.KindHistory, Text: "old", History: graphsim.HistoryChunk{Progress: 40},
		})
		b.awaitSync(id, onboardingv1.SyncPart_RUNNING, onboardingv1.SyncPart_RUNNING)
		b.meta.SendMessage(graphsim.MessageSpec{
			PhoneNumberID: shared.PhoneNumberIDs[0], Kind: graphsim.KindHistory, Text: "older", History: graphsim.HistoryChunk{Progress: 100},
		})
		got = b.awaitSync(id, onboardingv1.SyncPart_RUNNING, onboardingv1.SyncPart_DONE)
		if got.GetHistory().GetReason() != "" || got.GetHistory().GetItemCount() != 2 {
			t.Errorf("history = %v", got.GetHistory())
		}
		if got := b.syncs(); len(got) != 2 {
			t.Errorf("Meta was asked for %v", got)
		}
	})
}

func TestASyncThatIsRefusedFailsAndLeavesTheConnectionConnected(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		code   int
		reason string
	}{"too late": {2593108, "SYNC_EXPIRED"}, "asked before": {2593107, "META_REJECTED"}, "no permission": {10, "PERMISSION_MISSING"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setupOne(t)
			b.hook()
			b.meta.AddFault(graphsim.Fault{
				Path: syncPath, Params: map[string]string{"sync_type": "history"}, Times: -1, Error: &graphsim.FaultError{Code: c.code},
			})
			connected, _ := b.coexist(graphsim.SyncSpec{Contacts: -1})
			got := b.awaitSync(connected.GetConnectionId(), onboardingv1.SyncPart_REQUESTED, onboardingv1.SyncPart_FAILED)
			if got.GetHistory().GetReason() != c.reason {
				t.Errorf("history = %v", got.GetHistory())
			}
			b.pass(time.Minute)
			if got := b.syncs(); len(got) != 2 {
				t.Errorf("Meta was asked for %v", got)
			}
			if now := b.connection(b.as(org1), connected.GetConnectionId()); now.GetState() != onboardingv1.Connection_CONNECTED {
				t.Errorf("the connection is %s %v", now.GetState(), now.GetReasons())
			}
		})
	}
}

func TestAThrottledSyncWaitsUntilItsTimeIsOver(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.hook()
		throttle := b.meta.AddFault(graphsim.Fault{Path: syncPath, Times: -1, Error: &graphsim.FaultError{Code: 80008}})
		c, _ := b.coexist(graphsim.SyncSpec{Chunks: 1})
		eventually(t, "the second try", func() bool { return len(b.syncs()) >= 2 })
		if got := b.sync(c.GetConnectionId()); got.GetContacts().GetState() != onboardingv1.SyncPart_PENDING ||
			got.GetHistory().GetState() != onboardingv1.SyncPart_PENDING || slices.Contains(b.syncs(), "history") {
			t.Errorf("sync = %v", got)
		}
		if got := b.sync(c.GetConnectionId()).GetContacts().GetReason(); got != "META_RATE_LIMITED" {
			t.Errorf("reason = %q", got)
		}
		b.forget(throttle)
		b.awaitSync(c.GetConnectionId(), onboardingv1.SyncPart_RUNNING, onboardingv1.SyncPart_DONE)

		b.meta.AddFault(graphsim.Fault{Path: syncPath, Times: -1, Error: &graphsim.FaultError{Code: 4}})
		late, _ := b.coexist(graphsim.SyncSpec{})
		eventually(t, "a throttled try", func() bool { return b.sync(late.GetConnectionId()).GetContacts().GetReason() != "" })
		b.pass(25 * time.Hour)
		b.awaitSync(late.GetConnectionId(), onboardingv1.SyncPart_FAILED, onboardingv1.SyncPart_FAILED)
		if got := b.sync(late.GetConnectionId()); got.GetContacts().GetReason() != "SYNC_EXPIRED" || got.GetHistory().GetReason() != "SYNC_EXPIRED" {
			t.Errorf("sync = %v", got)
		}
	})
}

func TestOnlyANumberThatLeftIsSyncedAnew(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		b.hook()
		c, shared := b.coexist(graphsim.SyncSpec{Outcome: graphsim.SyncDeclined, Contacts: 1})
		id := c.GetConnectionId()
		b.awaitSync(id, onboardingv1.SyncPart_RUNNING, onboardingv1.SyncPart_DECLINED)
		b.uninstall(id, shared.WABAIDs[0], "4711", "META_PARTNER_APP_UNINSTALLED_OF_ANOTHER_APP")
		again := graphsim.SignUp{Flow: graphsim.FlowCoexistence, WABAIDs: shared.WABAIDs}
		wantState(t, b.claim(b.as(org1), &onboardingv1.ClaimWabaRequest{Code: b.meta.SignUp(again).Code}), onboardingv1.Onboarding_CONNECTED)
		b.awaitSync(id, onboardingv1.SyncPart_RUNNING, onboardingv1.SyncPart_DECLINED)
		if got := b.syncs(); len(got) != 2 {
			t.Errorf("a reconnection asked again: %v", got)
		}

		b.meta.RemoveWABA(shared.WABAIDs[0], graphsim.Removal{Reason: "ACCOUNT_DISCONNECTED"})
		eventually(t, "RECONNECT_REQUIRED", func() bool {
			return b.connection(b.as(org1), id).GetState() == onboardingv1.Connection_RECONNECT_REQUIRED
		})
		b.meta.SetBehavior(graphsim.Behavior{DelayMs: 1, Sync: graphsim.SyncSpec{Chunks: 1, Messages: 1}})
		wantState(t, b.claim(b.as(org1), &onboardingv1.ClaimWabaRequest{Code: b.meta.SignUp(again).Code}), onboardingv1.Onboarding_CONNECTED)
		b.awaitSync(id, onboardingv1.SyncPart_RUNNING, onboardingv1.SyncPart_DONE)
		if got := b.syncs(); len(got) != 4 {
			t.Errorf("a new onboarding asked for %v", got)
		}
	})
}

func TestANumberOfTheCloudAPIHasNoSync(t *testing.T) {
	t.Parallel()
	b := setupOne(t)
	plain, _ := b.connect(b.as(org1), graphsim.SignUp{})
	coexisting, _ := b.coexist(graphsim.SyncSpec{Outcome: graphsim.SyncNone})
	b.awaitSync(coexisting.GetConnectionId(), onboardingv1.SyncPart_REQUESTED, onboardingv1.SyncPart_REQUESTED)
	for id, want := range map[string]any{plain.GetConnectionId(): nil, coexisting.GetConnectionId(): "REQUESTED"} {
		a := b.send(http.MethodGet, "connections/"+id, org1, "")
		numbers, _ := a.at("phoneNumbers").([]any)
		if len(numbers) != 1 {
			t.Fatalf("answer is %s", a.raw)
		}
		number, _ := numbers[0].(map[string]any)
		if got := (answer{json: number}).at("sync.contacts.state"); got != want {
			t.Errorf("contacts are %v, want %v", got, want)
		}
	}
	if got := b.syncs(); len(got) != 2 {
		t.Errorf("Meta was asked for %v", got)
	}
}
