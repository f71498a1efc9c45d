package graph_test

import (
	"errors"
	"testing"
	"time"

	"github.com/whatrack/connect/services/internal/graph"
)

func TestASyncIsAskedForOnceAndAnswersItsRequest(t *testing.T) {
	t.Parallel()
	m := setup(t, says(200, `{"messaging_product":"whatsapp","request_id":"1234"}`))
	got, err := m.RequestSync(t.Context(), phone, graph.SyncContacts, m.Credential(token()))
	if err != nil || got != "1234" {
		t.Fatalf("answered %q, %v", got, err)
	}
	r := m.last()
	if want := `{"messaging_product":"whatsapp","sync_type":"smb_app_state_sync"}`; r.body != want || r.path != "/v25.0/"+phone+"/smb_app_data" {
		t.Errorf("asked %s %s", r.path, r.body)
	}
	if m.count() != 1 {
		t.Errorf("asked %d times", m.count())
	}
	if _, err := m.RequestSync(t.Context(), phone, "everything", m.Credential(token())); !errors.Is(err, graph.ErrInvalidInput) {
		t.Errorf("another kind: %v", err)
	}
}

func TestAnAnswerWithoutARequestIsNoVerdict(t *testing.T) {
	t.Parallel()
	m := setup(t, says(200, `{"success":true}`))
	if _, err := m.RequestSync(t.Context(), phone, graph.SyncHistory, m.Credential(token())); !errors.Is(err, graph.ErrNoVerdict) {
		t.Errorf("got %v", err)
	}
}

func TestASyncMayBeAskedForAgainOnlyWhereMetaDidNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer  answer
		notDone bool
	}{
		"throttled":      {says(400, `{"error":{"code":80008}}`), true},
		"token dead":     {says(400, `{"error":{"code":190}}`), true},
		"throttled, 500": {says(500, `{"error":{"code":4}}`), false},
		"not available":  {says(503, `{"error":{"code":2}}`), false},
		"asked before":   {says(400, `{"error":{"code":2593107}}`), false},
		"a proxy's page": {says(502, `<html>`), false},
	} {
		m := setup(t, c.answer)
		_, err := m.RequestSync(t.Context(), phone, graph.SyncHistory, m.Credential(token()))
		if err == nil || graph.SyncNotDone(err) != c.notDone {
			t.Errorf("%s: %v", name, err)
		}
	}
	nowhere := clientOf("http://127.0.0.1:1", time.Second, nil)
	if _, err := nowhere.RequestSync(t.Context(), phone, graph.SyncHistory, nowhere.Credential(token())); !graph.SyncNotDone(err) {
		t.Errorf("nobody there: %v", err)
	}
}
