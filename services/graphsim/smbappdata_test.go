package graphsim

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func (s *subscribed) sync(t *testing.T, kind string) answer {
	t.Helper()
	return s.send(t, http.MethodPost, "/v25.0/"+s.phone+"/smb_app_data", s.token,
		`{"messaging_product":"whatsapp","sync_type":"`+kind+`"}`)
}

// chunks are the phases, orders and progresses of the history that came.
func chunks(t *testing.T, posts []received) [][3]any {
	t.Helper()
	found := [][3]any{}
	for _, post := range posts {
		place := func(name string) any { return post.change(t, "history", 0, "metadata", name) }
		found = append(found, [3]any{place("phase"), place("chunk_order"), place("progress")})
	}
	return found
}

func TestSyncOfEachKindIsAcceptedOnceAndItsWebhooksFollow(t *testing.T) {
	t.Parallel()
	s := setupSubscribed(t, Config{}, SignUp{Flow: FlowCoexistence})
	a := s.sync(t, "smb_app_state_sync")
	if a.status != http.StatusOK || a.str("request_id") == "" || a.str("messaging_product") != "whatsapp" {
		t.Errorf("answer is %d %s", a.status, a.text)
	}
	contacts := s.rc.wait(t, 1)[0]
	if contacts.at(t, "entry", 0, "changes", 0, "field") != "smb_app_state_sync" || contacts.change(t, "state_sync", 1, "contact", "full_name") != "Contact 2" {
		t.Errorf("contacts are %s", contacts.body)
	}
	wantStatus(t, s.sync(t, "history"), http.StatusOK)
	want := [][3]any{{0.0, 1.0, 33.0}, {1.0, 2.0, 66.0}, {2.0, 3.0, 100.0}}
	posts := s.rc.wait(t, 4)
	if diff := cmp.Diff(want, chunks(t, posts[1:])); diff != "" {
		t.Errorf("chunks differ (-want +got):\n%s", diff)
	}
	if posts[1].change(t, "history", 0, "threads", 0, "messages", 1, "from") != digits(s.sim.world.Phones[s.phone].DisplayPhoneNumber) {
		t.Errorf("the second message is not the business's: %s", posts[1].body)
	}
	wantError(t, s.sync(t, "history"), 400, 2593107, 0)
	wantError(t, s.sync(t, "smb_app_state_sync"), 400, 2593107, 0)
}

func TestSyncComesTooLateAfterADay(t *testing.T) {
	t.Parallel()
	s := setupSubscribed(t, Config{}, SignUp{Flow: FlowCoexistence})
	s.sim.Advance(24*time.Hour + time.Second)
	wantError(t, s.sync(t, "history"), 400, 2593108, 0)

	s.sim.RemoveWABA(s.waba, Removal{})
	s.sim.SignUp(SignUp{Flow: FlowCoexistence, WABAIDs: []string{s.waba}, PartnerAdded: Never})
	if again := s.sim.world.Phones[s.phone]; again.Synced != nil || s.sim.now().Sub(again.OnboardTime) > time.Hour {
		t.Errorf("the number was not onboarded anew: %+v", again)
	}
}

func TestSyncIsRefusedForOtherNumbersAndKinds(t *testing.T) {
	t.Parallel()
	s := setupSubscribed(t, Config{}, SignUp{})
	wantError(t, s.sync(t, "history"), 400, 100, 0)
	wantError(t, s.sync(t, "everything"), 400, 100, 0)
	wantError(t, s.sync(t, ""), 400, 100, 0)
}

func TestSyncMayBringChunksOutOfOrderTwiceDeclinedOrNothing(t *testing.T) {
	t.Parallel()
	s := setupSubscribed(t, Config{}, SignUp{Flow: FlowCoexistence, Phones: make([]Phone, 4)})
	numbers := s.sim.world.WABAs[s.waba].PhoneIDs
	history := func(number int, spec SyncSpec) {
		t.Helper()
		s.phone = numbers[number]
		s.sim.SetBehavior(Behavior{PhoneNumberID: s.phone, DelayMs: 1, Sync: spec})
		wantStatus(t, s.sync(t, "history"), http.StatusOK)
	}
	history(0, SyncSpec{Chunks: 2, Messages: 1, Reverse: true, Duplicates: 1})
	want := [][3]any{{1.0, 2.0, 100.0}, {1.0, 2.0, 100.0}, {0.0, 1.0, 50.0}, {0.0, 1.0, 50.0}}
	if diff := cmp.Diff(want, chunks(t, s.rc.wait(t, 4))); diff != "" {
		t.Errorf("chunks differ (-want +got):\n%s", diff)
	}
	history(1, SyncSpec{Outcome: SyncDeclined})
	if got := s.rc.wait(t, 5)[4]; got.change(t, "history", 0, "errors", 0, "code") != 2593109.0 {
		t.Errorf("declined: %s", got.body)
	}
	history(2, SyncSpec{Outcome: SyncNone})
	history(3, SyncSpec{Chunks: 5, Shuffle: true})
	if got := len(s.rc.wait(t, 10)); got != 10 {
		t.Errorf("%d webhooks, want 10", got)
	}
}
