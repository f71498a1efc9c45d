package processtest

import (
	"database/sql"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/whatrack/connect/services/graphsim"
)

// inFlight are claims whose callers wait while Meta is slow.
type inFlight struct {
	answers []answer
	faults  []string
	posts   sync.WaitGroup
}

// post posts n codes that Meta holds at the exchange.
func (w *world) post(n int) *inFlight {
	w.t.Helper()
	f := &inFlight{answers: make([]answer, n)}
	for i := range n {
		customer := w.meta.SignUp(graphsim.SignUp{})
		f.faults = append(f.faults, w.meta.AddFault(graphsim.Fault{
			Method: http.MethodPost, Path: "/oauth/access_token", Params: map[string]string{"code": customer.Code}, Hold: graphsim.Before,
		}))
		f.posts.Go(func() { f.answers[i] = w.claim(w.t.Context(), w.onboarding, fmt.Sprintf("org-%d", i), customer.Code) })
	}
	for i, fault := range f.faults {
		w.meta.held(w.t, fmt.Sprintf("claim %d", i), fault)
	}
	return f
}

// release lets Meta answer, and waits for the answers to the callers.
func (w *world) release(f *inFlight) {
	for _, fault := range f.faults {
		w.meta.Release(fault)
	}
	f.posts.Wait()
	for i, a := range f.answers {
		if a.err != nil || (a.status != http.StatusOK && a.status != http.StatusAccepted) {
			w.t.Errorf("claim %d was answered %d %s %v", i, a.status, a.body, a.err)
		}
	}
}

func (w *world) wantConnected(f *inFlight) {
	w.t.Helper()
	var ends sync.WaitGroup
	for i := range f.answers {
		ends.Go(func() { w.wantEnd(fmt.Sprintf("claim %d", i), fmt.Sprintf("org-%d", i), "CONNECTED") })
	}
	ends.Wait()
}

func TestOnboardingAnswersWhatIsInFlightBeforeItStops(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	claims := w.post(20)
	w.onboarding.stop()
	w.onboarding.stopping()
	w.release(claims)
	w.onboarding.wantStopped()
	w.start(w.onboarding)
	w.wantConnected(claims)
}

func TestTheBrokerAnswersWhatIsInFlightBeforeItStops(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	claims := w.post(20)
	w.broker.stop()
	w.broker.stopping()
	for _, fault := range claims.faults {
		w.meta.Release(fault)
	}
	w.broker.wantStopped()
	w.broker.start()
	w.release(claims)
	w.wantConnected(claims)
}

func TestBothStopTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	claims := w.post(20)
	w.broker.stop()
	w.onboarding.stop()
	w.broker.stopping()
	w.onboarding.stopping()
	w.release(claims)
	w.broker.wantStopped()
	w.onboarding.wantStopped()
	w.start(w.broker, w.onboarding)
	w.wantConnected(claims)
}

func TestWebhooksInFlightAreAnsweredBeforeTheEnd(t *testing.T) {
	t.Parallel()
	const inFlight = 200
	w := newWorld(t, setup{})
	// New connections: one that was idle is closed by the stop, whatever is on its way to it.
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{}}
	l := &load{w: w, client: client, customer: w.connected()}
	db, err := sql.Open("pgx", w.databases["waba-onboarding"])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), "lock table batches in access exclusive mode"); err != nil {
		t.Fatal(err)
	}
	var posts sync.WaitGroup
	for i := range inFlight {
		posts.Go(func() { l.post(w.onboarding, i) })
	}
	waitFor(t, l.patience(), "the webhooks are not on their way", func() bool { return l.written.Load() == inFlight })
	w.onboarding.accepted()
	w.onboarding.stop()
	w.onboarding.stopping()
	if err := tx.Rollback(); err != nil { // nothing was answered until now
		t.Fatal(err)
	}
	posts.Wait()
	w.onboarding.wantStopped()
	if l.accepted.Load() != inFlight {
		t.Errorf("%d were answered 200, %d 503, %d not at all", l.accepted.Load(), l.refused.Load(), l.cut.Load())
	}
	w.start(w.onboarding)
	w.awaitSplit(db)
	if kept := query(t, db, "select count(distinct body) from deliveries where position('wamid.n'::bytea in body) > 0")[0][0]; kept != fmt.Sprint(inFlight) {
		t.Errorf("%s are kept", kept)
	}
}
