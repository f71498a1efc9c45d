package store

import (
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/whatrack/connect/services/internal/database"
	"github.com/whatrack/connect/services/internal/databasetest"
	"github.com/whatrack/connect/services/internal/jobs"
)

// bundle is a store whose jobs nobody works, with a clock of its own.
type bundle struct {
	*Store

	t     *testing.T
	ahead atomic.Int64
}

func each(t *testing.T, f func(t *testing.T, b *bundle)) {
	t.Helper()
	databasetest.Each(t, Migrations(), func(t *testing.T, db *database.DB) {
		t.Parallel()
		queue, err := jobs.NewQueue(db, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		b := &bundle{t: t}
		now := func() time.Time { return time.Now().Add(time.Duration(b.ahead.Load())) }
		b.Store = New(db, queue, now, 110*time.Second)
		f(t, b)
	})
}

func (b *bundle) pass(d time.Duration) { b.ahead.Add(int64(d)) }

// blocking notes who waits for what is locked, and answers a wait until one more does: on SQLite for the one connection.
func (b *bundle) blocking() (await func(what string)) {
	b.t.Helper()
	waiting := func() (n int64) {
		b.t.Helper()
		if b.db.Dialect() == database.SQLite {
			return b.db.SQL().Stats().WaitCount
		}
		const query = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
		b.must(b.db.SQL().QueryRowContext(b.t.Context(), query).Scan(&n))
		return n
	}
	before := waiting()
	return func(what string) {
		b.t.Helper()
		for end := time.Now().Add(30 * time.Second); waiting() == before; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				b.t.Fatalf("nobody waits: %s", what)
			}
		}
	}
}

func (b *bundle) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bundle) fenced(err error) {
	b.t.Helper()
	if !errors.Is(err, ErrFenced) {
		b.t.Errorf("%v, want ErrFenced", err)
	}
}

// claiming is a claim whose code brought a token.
func (b *bundle) claiming(organization string) Onboarding {
	b.t.Helper()
	o, err := b.RecordCode(b.t.Context(), PostedCode{
		Organization: organization, Fingerprint: uuid.NewString(), Actor: "test", TTL: time.Hour,
	})
	b.must(err)
	o, err = b.AttachToken(b.t.Context(), o.ID, uuid.NewString())
	b.must(err)
	return o
}

// at brings a claim of a WABA to a step, begun.
func (b *bundle) at(o Onboarding, waba, step string) Onboarding {
	b.t.Helper()
	ctx := b.t.Context()
	b.must(b.BeginStep(ctx, &o))
	for o.Steps.Current() != nil && o.Steps.Current().Name != step {
		b.must(b.FinishStep(ctx, &o, progress(o.Steps.Current().Name, waba), true))
	}
	return o
}

func progress(step, waba string) Progress {
	switch step {
	case StepFind:
		return Progress{WabaID: waba}
	case StepHold:
		return Progress{Hold: true}
	case StepRead:
		return Progress{Read: &WabaFacts{Name: "Shop", PhoneNumbers: []PhoneNumber{{PhoneNumberID: "1" + waba, Registration: Pending}}}}
	case StepBind:
		return Progress{Bound: &TokenFacts{State: "ACTIVE"}}
	}
	return Progress{}
}

// connected is a claim that ended well, and its connection.
func (b *bundle) connected(organization, waba string) (Onboarding, Connection) {
	b.t.Helper()
	o := b.at(b.claiming(organization), waba, "the end")
	if o.State != Connected {
		b.t.Fatalf("the claim is %s", o.State)
	}
	return o, b.connection(*o.ConnectionID)
}

func (b *bundle) connection(id uuid.UUID) Connection {
	b.t.Helper()
	c, err := b.FindConnection(b.t.Context(), "", id)
	b.must(err)
	return c
}

func (b *bundle) onboarding(id uuid.UUID) Onboarding {
	b.t.Helper()
	o, err := b.FindOnboarding(b.t.Context(), "", id)
	b.must(err)
	return o
}

// jobs is how many jobs of a kind were ever enqueued.
func (b *bundle) jobs(kind string) (n int64) {
	b.t.Helper()
	b.must(b.db.Read(b.t.Context(), func(tx *gorm.DB) error {
		return tx.Table("river_job").Where("kind = ?", kind).Count(&n).Error
	}))
	return n
}
