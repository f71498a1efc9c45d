package store

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/whatrack/connect/services/internal/database"
)

func TestWhatADestinationWants(t *testing.T) {
	t.Parallel()
	change := uuid.New()
	message := Event{Position: 8, OrganizationID: "a", Type: "change.messages", ChangeID: &change}
	connected := Event{Position: 8, OrganizationID: "a", Type: "connection.connected"}
	for name, tt := range map[string]struct {
		d    Destination
		e    Event
		want bool
	}{
		"all":                     {Destination{OrganizationID: "a"}, message, true},
		"another's":               {Destination{OrganizationID: "b"}, message, false},
		"everybody's":             {Destination{OrganizationID: Everybody}, message, true},
		"from before it was made": {Destination{OrganizationID: "a", BeginPosition: 8}, message, false},
		"by name":                 {Destination{OrganizationID: "a", EventTypes: []string{"x.y", "change.messages"}}, message, true},
		"by kind":                 {Destination{OrganizationID: "a", EventTypes: []string{"change.*"}}, message, true},
		"of another name":         {Destination{OrganizationID: "a", EventTypes: []string{"change.message"}}, message, false},
		"of another kind":         {Destination{OrganizationID: "a", EventTypes: []string{"change.*"}}, connected, false},
		"a change, raw":           {Destination{OrganizationID: "a", Kind: KindMetaRaw}, message, true},
		"a state, raw":            {Destination{OrganizationID: "a", Kind: KindMetaRaw}, connected, false},
	} {
		if got := tt.d.wants(tt.e); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

// streaming is a destination of a new organization, and a way to let things happen to a connection of it.
func (b *bundle) streaming() (d Destination, happen func(number string)) {
	b.t.Helper()
	organization := uuid.NewString()
	d, err := b.CreateDestination(b.t.Context(), Destination{
		ID: database.NewID(), OrganizationID: organization, Kind: KindEvents, URL: "https://shop.example", Secret: []byte("sealed"), SecretVersion: 1,
		EventTypes: []string{"change.*"},
	}, "test")
	b.must(err)
	c := b.at(b.claiming(organization), uuid.NewString(), "read").ConnectionID
	return d, func(number string) {
		b.t.Helper()
		b.must(b.inTx(b.t.Context(), func(tx *gorm.DB) error {
			b.emit(tx, Event{OrganizationID: organization, ConnectionID: *c, PhoneNumberID: number, Type: "change.messages"})
			return nil
		}))
	}
}

func (b *bundle) fanOutAll() {
	b.t.Helper()
	for more := true; more; {
		var err error
		more, err = b.FanOut(b.t.Context())
		b.must(err)
	}
}

func (b *bundle) claimed(d Destination) *Parcel {
	b.t.Helper()
	p, err := b.ClaimParcel(b.t.Context(), d.ID)
	b.must(err)
	return p
}

func TestALaneIsOnesAlone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		d, happen := b.streaming()
		for _, number := range []string{"1", "2", "1"} {
			happen(number)
		}
		b.fanOutAll()
		first, other := b.claimed(d), b.claimed(d)
		if first == nil || other == nil || first.Lane.Lane == other.Lane.Lane || b.claimed(d) != nil {
			t.Fatalf("claimed %v and %v", first, other)
		}
		b.pass(parcelLease + time.Second) // the first two are dead, or slow
		again := b.claimed(d)
		if again == nil || again.Event.ID != first.Event.ID {
			t.Fatalf("claimed %v after the lease of %v", again, first)
		}
		_, err := b.EndParcel(t.Context(), *first, DestinationAttempt{}, true)
		b.fenced(err)
		next, err := b.EndParcel(t.Context(), *again, DestinationAttempt{}, true)
		b.must(err)
		if next == nil || next.Lane.Lane != "1" || next.Event.Position <= again.Event.Position {
			t.Fatalf("after %v comes %v", again, next)
		}
		last, err := b.EndParcel(t.Context(), *next, DestinationAttempt{}, true)
		b.must(err)
		if last != nil {
			t.Errorf("after the last comes %v", last)
		}
		happen("1")
		b.fanOutAll()
		if p := b.claimed(d); p == nil || p.Lane.Attempts != 0 {
			t.Errorf("a lane that was empty brings %v", p)
		}
	})
}

func TestADestinationThatRestsHasNothingThatIsDue(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		d, happen := b.streaming()
		happen("1")
		happen("2")
		b.fanOutAll()
		flying := b.claimed(d)
		off, on := false, true
		b.must(b.UpdateDestination(t.Context(), "", d.ID, DestinationUpdate{Enabled: &off}))
		happen("3")
		b.fanOutAll()
		isDue := func() bool {
			t.Helper()
			due, err := b.DueDestinations(t.Context())
			b.must(err)
			return slices.ContainsFunc(due, func(found DueDestination) bool { return found.DestinationID == d.ID })
		}
		if isDue() {
			t.Error("it is due while it rests")
		}
		b.pass(parcelLease + time.Second) // whoever was at the first died
		if isDue(); b.claimed(d) != nil || isDue() {
			t.Error("a dead one's lane does not come to rest")
		}
		b.must(b.UpdateDestination(t.Context(), "", d.ID, DestinationUpdate{Enabled: &on}))
		for range 3 {
			if b.claimed(d) == nil {
				t.Error("something is lost")
			}
		}
		_, err := b.EndParcel(t.Context(), *flying, DestinationAttempt{}, false)
		b.fenced(err)
	})
}

func TestWhatRetentionTakesAwayIsNotSent(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		d, happen := b.streaming()
		happen("1")
		b.fanOutAll()
		b.must(b.inTx(t.Context(), func(tx *gorm.DB) error { return tx.Exec("delete from events").Error }))
		if p := b.claimed(d); p != nil {
			t.Errorf("claimed %v", p)
		}
		found, err := b.FindDestination(t.Context(), d.OrganizationID, d.ID)
		b.must(err)
		if due, err := b.DueDestinations(t.Context()); err != nil || len(due) != 0 || found.Backlog.Count != 0 {
			t.Errorf("due %v %v, pending %d", due, err, found.Backlog.Count)
		}
		happen("1")
		b.fanOutAll()
		if b.claimed(d) == nil {
			t.Error("the lane is dead")
		}
	})
}

func TestWhatADestinationWaitsForIsKeptFor30DaysAndItsLossIsTold(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		off, happen := b.streaming()
		well, happenElsewhere := b.streaming()
		disabled := false
		b.must(b.UpdateDestination(t.Context(), "", off.ID, DestinationUpdate{Enabled: &disabled}))
		happen("1")
		happen("2")
		happenElsewhere("3")
		b.fanOutAll()
		_, err := b.EndParcel(t.Context(), *b.claimed(well), DestinationAttempt{}, true)
		b.must(err)
		prune := func() Pruned {
			removed, err := b.Prune(t.Context(), 8*24*time.Hour)
			b.must(err)
			return removed
		}
		b.pass(holdEvents - time.Hour)
		if removed := prune(); removed.Missed != nil {
			t.Errorf("removed too early: %v", removed)
		}
		if d, err := b.FindDestination(t.Context(), "", off.ID); err != nil || d.Backlog.Count != 2 {
			t.Errorf("pending %d, %v", d.Backlog.Count, err)
		}
		b.pass(2 * time.Hour)
		if diff := cmp.Diff(map[uuid.UUID]int64{off.ID: 2}, prune().Missed); diff != "" {
			t.Errorf("missed (-want +got):\n%s", diff)
		}
	})
}

func TestAttemptsAreKeptForAWeekAndADestinationGoesWithAllItHas(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		d, happen := b.streaming()
		happen("1")
		happen("1")
		b.fanOutAll()
		_, err := b.EndParcel(t.Context(), *b.claimed(d), DestinationAttempt{Time: b.now(), HTTPStatus: 500, Error: "HTTP 500"}, true)
		b.must(err)
		count := func() int {
			t.Helper()
			list, err := b.ListAttempts(t.Context(), "", d.ID, uuid.Nil, 10)
			b.must(err)
			return len(list)
		}
		b.pass(attemptLife - time.Minute)
		b.must(b.Sweep(t.Context()))
		if count() != 1 {
			t.Error("an attempt was removed too early")
		}
		b.pass(2 * time.Minute)
		b.must(b.Sweep(t.Context()))
		if count() != 0 {
			t.Error("an attempt outlived its time")
		}
		p := b.claimed(d)
		b.must(b.DeleteDestination(t.Context(), d.OrganizationID, d.ID, "test"))
		if _, err := b.EndParcel(t.Context(), *p, DestinationAttempt{}, true); !errors.Is(err, ErrNotFound) {
			t.Errorf("%v, want ErrNotFound", err)
		}
		var left int64
		b.must(b.db.Read(t.Context(), func(tx *gorm.DB) error {
			return tx.Raw("select (select count(*) from destination_events) + (select count(*) from destination_lanes)").Scan(&left).Error
		}))
		if left != 0 {
			t.Errorf("%d rows are left", left)
		}
	})
}
