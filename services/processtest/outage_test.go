package processtest

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/whatrack/connect/services/graphsim"
)

// codeKept is how long waba-onboarding keeps a code in memory for a broker that is away.
const codeKept = 24 * time.Second

func TestAClaimOutlivesAnOutageOfTheBroker(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	w.stop(w.broker)

	late := w.claim(t.Context(), w.onboarding, "org-late", w.meta.SignUp(graphsim.SignUp{}).Code)
	if late.status != http.StatusAccepted || late.State != "EXCHANGING" || late.waitsFor() != "BROKER_UNAVAILABLE" {
		t.Errorf("while the broker is away: %d %s %v", late.status, late.body, late.err)
	}
	if late.Message == "" || late.NextAction == "" {
		t.Errorf("it does not say what happened and what to do: %s", late.body)
	}
	time.Sleep(codeKept) // since it was taken, which was a little earlier
	inTime := w.claim(t.Context(), w.onboarding, "org-in-time", w.meta.SignUp(graphsim.SignUp{}).Code)
	if inTime.status != http.StatusAccepted || inTime.State != "EXCHANGING" {
		t.Errorf("while the broker is away: %d %s %v", inTime.status, inTime.body, inTime.err)
	}
	w.start(w.broker)
	w.wantEnd("the broker came back in time", "org-in-time", "CONNECTED")
	w.wantEnd("the broker came back too late", "org-late", "FAILED CODE_OUTCOME_UNKNOWN")
}

func TestNoClaimIsLostWhileTheDatabaseCutsEveryConnection(t *testing.T) {
	t.Parallel()
	const claims = 20
	w := newWorld(t, setup{})
	stopCutting := w.cutEachSecond()
	customers := make([]graphsim.SignedUp, claims)
	var posts sync.WaitGroup
	for i := range claims {
		customers[i] = w.meta.SignUp(graphsim.SignUp{})
		organization := fmt.Sprintf("org-%d", i)
		posts.Go(func() { w.postUntilTaken(organization, customers[i].Code) })
		time.Sleep(300 * time.Millisecond)
	}
	posts.Wait()
	time.Sleep(2 * time.Second)
	stopCutting()
	var ends sync.WaitGroup
	for i, customer := range customers {
		name := fmt.Sprintf("claim %d", i)
		ends.Go(func() {
			w.wantEnd(name, fmt.Sprintf("org-%d", i), "CONNECTED")
			w.wantFewWrites(name, customer)
		})
	}
	ends.Wait()
}

// postUntilTaken posts a code as a page does: once more when the answer says that nothing was done, with a reason.
func (w *world) postUntilTaken(organization, code string) {
	for range 10 {
		a := w.claim(w.t.Context(), w.onboarding, organization, code)
		switch {
		case a.err != nil:
			w.t.Errorf("%s: %v", organization, a.err)
			return
		case a.status == http.StatusOK || a.status == http.StatusAccepted:
			return
		case a.reason != "STORAGE_UNAVAILABLE":
			w.t.Errorf("%s was answered %d %s", organization, a.status, a.body)
		}
		time.Sleep(time.Second)
	}
	w.t.Errorf("%s was refused ten times", organization)
}

// cutEachSecond ends every connection to both databases, each second, until it is told to stop.
func (w *world) cutEachSecond() (stop func()) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	for program, databaseURL := range w.databases {
		db, err := sql.Open("pgx", databaseURL)
		if err != nil {
			w.t.Fatal(err)
		}
		group.Go(func() {
			defer func() { _ = db.Close() }()
			cut := 0
			for ctx.Err() == nil {
				var n int
				err := db.QueryRowContext(ctx, `select count(pg_terminate_backend(pid)) from pg_stat_activity
					where datname = current_database() and pid <> pg_backend_pid()`).Scan(&n)
				if err != nil && ctx.Err() == nil {
					w.t.Errorf("cut the connections of %s: %v", program, err)
				}
				cut += n
				select {
				case <-ctx.Done():
				case <-time.After(time.Second):
				}
			}
			if cut < 10 {
				w.t.Errorf("only %d connections of %s were cut", cut, program)
			}
		})
	}
	return func() {
		cancel()
		group.Wait()
	}
}
