package store

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

// coexisting is a connection whose only number, 42, is on the WhatsApp Business app too.
func (b *bundle) coexisting() Connection {
	b.t.Helper()
	ctx := b.t.Context()
	o := b.at(b.claiming("org-1"), "7", StepRead)
	facts := WabaFacts{PhoneNumbers: []PhoneNumber{{PhoneNumberID: "42", Coexistence: true, Registration: NotNeeded}}}
	b.must(b.FinishStep(ctx, &o, Progress{Read: &facts}, true))
	for o.State != Connected {
		b.must(b.FinishStep(ctx, &o, progress(o.Steps.Current().Name, "7"), true))
	}
	return b.connection(*o.ConnectionID)
}

func (b *bundle) due(c Connection) SyncPart {
	b.t.Helper()
	p, err := b.DueSync(b.t.Context(), c.ID, "42")
	b.must(err)
	return p
}

// parts are the states of contacts and history.
func (b *bundle) parts(c Connection) [2]SyncState {
	b.t.Helper()
	parts := b.connection(c.ID).PhoneNumbers[0].Sync
	if len(parts) != 2 {
		b.t.Fatalf("%d parts", len(parts))
	}
	return [2]SyncState{parts[0].State, parts[1].State}
}

func (b *bundle) wantParts(c Connection, contacts, history SyncState) {
	b.t.Helper()
	if got := b.parts(c); got != [2]SyncState{contacts, history} {
		b.t.Errorf("parts are %v, want %s and %s", got, contacts, history)
	}
}

// arrive applies what a change tells of the number's sync.
func (b *bundle) arrive(c Connection, fact SyncFact) {
	b.t.Helper()
	b.must(b.inTx(b.t.Context(), func(tx *gorm.DB) error { return b.applySync(tx, c, "42", fact) }))
}

func TestAPartIsAskedForOnceWhoeverDiesMeanwhile(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		c := b.coexisting()
		p := b.due(c)
		begun, err := b.BeginSync(ctx, p)
		b.must(err)
		_, err = b.BeginSync(ctx, p)
		b.fenced(err)
		_, err = b.BeginSync(ctx, begun)
		b.fenced(err) // whoever asked is killed here

		if !b.Asking(b.due(c)) {
			t.Error("nobody waits for the one who asked")
		}
		before := b.jobs(SyncArgs{}.Kind())
		b.pass(jobLife + time.Second)
		b.must(b.Sweep(ctx))
		if got := b.jobs(SyncArgs{}.Kind()); got != before+1 {
			t.Errorf("%d jobs after the sweep, want %d", got, before+1)
		}
		late := b.due(c)
		if late.Part != SyncContacts || late.RequestTime == nil || b.Asking(late) {
			t.Errorf("due = %+v", late)
		}
		b.must(b.EndSync(ctx, late, SyncOutcome{State: SyncUnknown, Reason: "META_UNAVAILABLE"}))
		b.wantParts(c, SyncUnknown, SyncPending)
		b.fenced(b.EndSync(ctx, begun, SyncOutcome{State: SyncRequested})) // he was not dead after all
		if next := b.due(c); next.Part != SyncHistory {
			t.Errorf("the next part is %s", next.Part)
		}
	})
}

func TestAPartThatReachedNobodyIsTriedAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		c := b.coexisting()
		begun, err := b.BeginSync(ctx, b.due(c))
		b.must(err)
		b.must(b.EndSync(ctx, begun, SyncOutcome{State: SyncPending, Reason: "META_UNAVAILABLE", Delay: time.Minute}))
		p := b.due(c)
		if p.Part != SyncContacts || p.RequestTime != nil || p.Attempts != 1 || p.Reason != "META_UNAVAILABLE" {
			t.Errorf("due = %+v", p)
		}
		begun, err = b.BeginSync(ctx, p)
		b.must(err)
		b.must(b.EndSync(ctx, begun, SyncOutcome{State: SyncRequested, RequestID: "r1"}))
		b.wantParts(c, SyncRequested, SyncPending)
	})
}

func TestWhatArrivesBeforeTheAnswerIsBelieved(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		c := b.coexisting()
		b.arrive(c, SyncFact{Part: SyncContacts, Contacts: 1}) // somebody edits the address book
		b.wantParts(c, SyncPending, SyncPending)
		begun, err := b.BeginSync(ctx, b.due(c))
		b.must(err)
		b.arrive(c, SyncFact{Part: SyncContacts, Contacts: 2})
		b.must(b.EndSync(ctx, begun, SyncOutcome{State: SyncUnknown, Reason: "META_UNAVAILABLE"}))
		b.wantParts(c, SyncRunning, SyncPending)

		begun, err = b.BeginSync(ctx, b.due(c))
		b.must(err)
		b.arrive(c, SyncFact{Part: SyncHistory, Progress: 100})
		b.arrive(c, SyncFact{Part: SyncHistory, Progress: 40})
		b.must(b.EndSync(ctx, begun, SyncOutcome{State: SyncFailed, Reason: "META_REJECTED"}))
		b.arrive(c, SyncFact{Part: SyncHistory, Ended: SyncDeclined})
		b.wantParts(c, SyncRunning, SyncDone)
		if p := b.connection(c.ID).PhoneNumbers[0].Sync[1]; p.Progress != 100 || p.Reason != "" {
			t.Errorf("history = %+v", p)
		}
	})
}

func TestHistoryThatSomebodyElseAskedForIsNotAskedForAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		c := b.coexisting()
		b.arrive(c, SyncFact{Part: SyncHistory, Progress: 10})
		begun, err := b.BeginSync(ctx, b.due(c))
		b.must(err)
		b.must(b.EndSync(ctx, begun, SyncOutcome{State: SyncRequested}))
		b.wantParts(c, SyncRequested, SyncRunning)
		if _, err := b.DueSync(ctx, c.ID, "42"); !errors.Is(err, ErrNotFound) {
			t.Errorf("it is somebody's turn: %v", err)
		}
	})
}

func TestAConnectionThatIsGivenUpAsksForNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		c := b.coexisting()
		begun, err := b.BeginSync(ctx, b.due(c))
		b.must(err)
		b.must(b.RequestDisconnect(ctx, "org-1", c.ID, "test"))
		b.must(b.EndConnection(ctx, b.connection(c.ID)))
		b.wantParts(c, SyncUnknown, SyncPending)
		b.fenced(b.EndSync(ctx, begun, SyncOutcome{State: SyncRequested}))
		if _, err := b.DueSync(ctx, c.ID, "42"); !errors.Is(err, ErrNotFound) {
			t.Errorf("it is somebody's turn: %v", err)
		}
		b.coexisting() // claimed again
		if p := b.due(c); p.Part != SyncHistory {
			t.Errorf("it is the turn of %s", p.Part)
		}
	})
}

func TestAnOldWordThatTheNumberLeftSaysNothingOfItsNewOnboarding(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		ctx := t.Context()
		c := b.coexisting()
		begun, err := b.BeginSync(ctx, b.due(c))
		b.must(err)
		b.must(b.EndSync(ctx, begun, SyncOutcome{State: SyncRequested}))
		leave := func(at time.Time) {
			b.must(b.inTx(ctx, func(tx *gorm.DB) error {
				change := Change{WabaID: "7", State: ChangeWaiting, EntryTime: &at, ReceiveTime: b.now(), Hash: uuid.NewString(), Value: []byte("{}")}
				return b.takeChanges(tx, []NewChange{{Change: change, Effect: Effect{Account: &AccountFact{Event: "PARTNER_REMOVED"}}}})
			}))
		}
		leave(b.now().Add(-time.Hour))
		b.pass(time.Hour)
		b.coexisting()
		b.wantParts(c, SyncRequested, SyncPending)
		leave(b.now())
		b.pass(time.Hour)
		b.coexisting()
		b.wantParts(c, SyncPending, SyncPending)
	})
}
