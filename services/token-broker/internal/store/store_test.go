package store_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/whatrack/connect/services/internal/database"
	"github.com/whatrack/connect/services/internal/databasetest"
	"github.com/whatrack/connect/services/internal/jobs"
	"github.com/whatrack/connect/services/token-broker/internal/store"
)

// Most of the store is tested through the broker. Here stands what only a lost answer of the database, or an exact
// moment between two transactions, can bring about.

func open(t *testing.T, db *database.DB) *store.Store {
	t.Helper()
	queue, err := jobs.NewQueue(db, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return store.New(db, queue, time.Now)
}

func reservation(spender uuid.UUID) store.Reservation {
	return store.Reservation{
		OrganizationID: "org-1", OnboardingID: "onboarding-1", Fingerprint: "f1", SpenderID: spender, Lease: time.Minute,
	}
}

// stored reserves and stores a token.
func stored(t *testing.T, s *store.Store) store.NewToken {
	t.Helper()
	spender := uuid.New()
	if _, first, err := s.ReserveExchange(t.Context(), reservation(spender)); err != nil || !first {
		t.Fatalf("ReserveExchange = %t, %v", first, err)
	}
	n := store.NewToken{
		ID: uuid.Must(uuid.NewV7()), Fingerprint: "f1", SpenderID: spender, OrganizationID: "org-1", OnboardingID: "onboarding-1",
		Sealed: store.Sealed{Ciphertext: []byte("sealed"), KeyID: 7}, Actor: "test", SettleTime: time.Now(),
	}
	if _, err := s.StoreToken(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAReservationWhoseCommitWasNotHeardOfMayBeRepeated(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, store.Migrations(), func(t *testing.T, db *database.DB) {
		t.Parallel()
		s, spender := open(t, db), uuid.New()
		for range 2 {
			exchange, first, err := s.ReserveExchange(t.Context(), reservation(spender))
			if err != nil || !first || exchange.State != store.Spending {
				t.Errorf("its spender: ReserveExchange = %v, %t, %v, want its own reservation", exchange.State, first, err)
			}
		}
		if _, first, err := s.ReserveExchange(t.Context(), reservation(uuid.New())); err != nil || first {
			t.Errorf("somebody else: ReserveExchange = %t, %v, want that it stands already", first, err)
		}
		other := reservation(spender)
		other.OrganizationID = "org-2"
		if _, _, err := s.ReserveExchange(t.Context(), other); !errors.Is(err, store.ErrCodeOfAnother) {
			t.Errorf("another organization: %v, want ErrCodeOfAnother", err)
		}
	})
}

func TestATokenWhoseCommitWasNotHeardOfMayBeStoredAgain(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, store.Migrations(), func(t *testing.T, db *database.DB) {
		t.Parallel()
		s := open(t, db)
		n := stored(t, s)
		if _, err := s.StoreToken(t.Context(), n); err != nil {
			t.Errorf("StoreToken again: %v", err)
		}
		events, err := s.ListEvents(t.Context(), "org-1", n.ID, uuid.Nil, 10)
		if err != nil || len(events) != 1 {
			t.Errorf("ListEvents = %v, %v, want one", events, err)
		}
		n.ID = uuid.Must(uuid.NewV7())
		if _, err := s.StoreToken(t.Context(), n); !errors.Is(err, store.ErrEnded) {
			t.Errorf("a second token of the exchange: %v, want ErrEnded", err)
		}
		if _, err := s.FindToken(t.Context(), "org-1", n.ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the second token: %v, want ErrNotFound: all or nothing", err)
		}
	})
}

func TestAnExchangeThatEndedDoesNotEndAgain(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, store.Migrations(), func(t *testing.T, db *database.DB) {
		t.Parallel()
		s := open(t, db)
		n := stored(t, s)
		for name, end := range map[string]error{
			"lose":    s.LoseExchange(t.Context(), n.Fingerprint, n.SpenderID),
			"fail":    s.FailExchange(t.Context(), n.Fingerprint, n.SpenderID, "CODE_EXPIRED", map[string]string{}),
			"release": s.ReleaseExchange(t.Context(), n.Fingerprint, n.SpenderID),
		} {
			if !errors.Is(end, store.ErrEnded) {
				t.Errorf("%s: %v, want ErrEnded", name, end)
			}
		}
		exchange, err := s.FindExchange(t.Context(), n.Fingerprint)
		if err != nil || exchange.State != store.Stored || exchange.TokenID == nil || *exchange.TokenID != n.ID {
			t.Errorf("FindExchange = %+v, %v, want it STORED as it was", exchange, err)
		}
	})
}

func TestAnExchangeIsItsSpendersAlone(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, store.Migrations(), func(t *testing.T, db *database.DB) {
		t.Parallel()
		s, before, spender := open(t, db), uuid.New(), uuid.New()
		reserve := func(by uuid.UUID) {
			t.Helper()
			if _, first, err := s.ReserveExchange(t.Context(), reservation(by)); err != nil || !first {
				t.Fatalf("ReserveExchange = %t, %v", first, err)
			}
		}
		reserve(before)
		if err := s.ReleaseExchange(t.Context(), "f1", before); err != nil {
			t.Fatal(err)
		}
		reserve(spender)
		n := store.NewToken{
			ID: uuid.Must(uuid.NewV7()), Fingerprint: "f1", SpenderID: before, OrganizationID: "org-1", OnboardingID: "onboarding-1",
			Sealed: store.Sealed{Ciphertext: []byte("sealed"), KeyID: 7}, Actor: "test", SettleTime: time.Now(),
		}
		_, stored := s.StoreToken(t.Context(), n)
		for name, end := range map[string]error{
			"release, repeated": s.ReleaseExchange(t.Context(), "f1", before), "lose": s.LoseExchange(t.Context(), "f1", before),
			"fail": s.FailExchange(t.Context(), "f1", before, "CODE_EXPIRED", map[string]string{}), "store": stored,
		} {
			if !errors.Is(end, store.ErrEnded) {
				t.Errorf("%s, of the one before: %v, want ErrEnded", name, end)
			}
		}
		ahead := store.New(db, nil, func() time.Time { return time.Now().Add(2 * time.Minute) })
		if exchange, err := ahead.FindExchange(t.Context(), "f1"); err != nil || exchange.State != store.Unknown {
			t.Errorf("to one whose clock is ahead it is %s, %v, want UNKNOWN", exchange.State, err)
		}
		if _, err := s.StoreToken(t.Context(), n); !errors.Is(err, store.ErrEnded) {
			t.Errorf("once it is unknown, the one before stores: %v, want ErrEnded", err)
		}
		n.SpenderID = spender
		if _, err := s.StoreToken(t.Context(), n); err != nil {
			t.Errorf("its spender, who has the token: %v", err)
		}
		if exchange, err := ahead.FindExchange(t.Context(), "f1"); err != nil || exchange.State != store.Stored {
			t.Errorf("then it is %s, %v, want STORED", exchange.State, err)
		}
	})
}

func TestOldRevealsAreErasedABatchAtATime(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, store.Migrations(), func(t *testing.T, db *database.DB) {
		t.Parallel()
		s, now := open(t, db), time.Now().UTC().Truncate(time.Minute)
		var reveals []store.Reveal
		for i := range 5 {
			for _, caller := range []string{"a", "b"} {
				reveals = append(reveals, store.Reveal{Caller: caller, TokenID: "t", Minute: now.Add(-time.Duration(i) * time.Hour), Count: 1})
			}
		}
		if err := s.CountReveals(t.Context(), reveals); err != nil {
			t.Fatal(err)
		}
		for _, want := range []int64{3, 3, 0} {
			if got, err := s.EraseReveals(t.Context(), now.Add(-90*time.Minute), 3); err != nil || got != want {
				t.Errorf("EraseReveals = %d, %v, want %d", got, err, want)
			}
		}
		var left int64
		if err := db.Read(t.Context(), func(tx *gorm.DB) error { return tx.Model(&store.Reveal{}).Count(&left).Error }); err != nil || left != 4 {
			t.Errorf("%d are left, %v, want those of the last hour and before it", left, err)
		}
	})
}

func TestWhatIsReadIsWhatWasWritten(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, store.Migrations(), func(t *testing.T, db *database.DB) {
		t.Parallel()
		s := open(t, db)
		n := stored(t, s)
		expire := time.Date(2027, 1, 2, 3, 4, 5, 678_000, time.UTC)
		facts := store.Facts{Kind: "USER", Scopes: []string{"a", `"b"`}, TargetIDs: []string{}, ExpireTime: &expire}
		if err := s.ActivateToken(t.Context(), n.ID, facts); err != nil {
			t.Fatal(err)
		}
		if err := s.ActivateToken(t.Context(), n.ID, facts); !errors.Is(err, store.ErrStale) {
			t.Errorf("ActivateToken again: %v, want ErrStale", err)
		}
		if _, err := s.Bind(t.Context(), store.Binding{OrganizationID: "org-1", WabaID: "1", TokenID: n.ID, Actor: "test"}); err != nil {
			t.Fatal(err)
		}
		byID, err := s.FindToken(t.Context(), "org-1", n.ID)
		if err != nil {
			t.Fatal(err)
		}
		byWABA, err := s.FindTokenOfWABA(t.Context(), "org-1", "1")
		if err != nil {
			t.Fatal(err)
		}
		for _, got := range []store.Token{byID, byWABA} {
			if got.ID != n.ID || got.OrganizationID != "org-1" || got.State != store.Active || !slices.Equal(got.Scopes, facts.Scopes) ||
				got.TargetIDs == nil || len(got.TargetIDs) != 0 || !got.ExpireTime.Equal(expire) || got.DataAccessExpireTime != nil ||
				string(got.Ciphertext) != "sealed" || got.KeyID != 7 || got.Version != 1 {
				t.Errorf("the token is %+v", got)
			}
		}
	})
}

func TestATokenThatIsBoundWhileItIsBeingErasedStays(t *testing.T) {
	t.Parallel()
	db := databasetest.Open(t, databasetest.PostgresURL(t, store.Migrations()))
	s := open(t, db)
	n := stored(t, s)
	bind, err := db.SQL().BeginTx(context.WithoutCancel(t.Context()), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = bind.Rollback() }()
	for _, statement := range []string{
		"select from tokens for update",
		"insert into token_wabas select organization_id, '1', id, create_time from tokens",
	} {
		if _, err := bind.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	erased := make(chan int, 1)
	go func() {
		count, err := s.EraseUnbound(t.Context(), time.Now().Add(time.Hour), 10)
		if err != nil {
			t.Error(err)
		}
		erased <- count
	}()
	const waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
	for n, end := 0, time.Now().Add(15*time.Second); n == 0; time.Sleep(5 * time.Millisecond) {
		if err := db.SQL().QueryRowContext(t.Context(), waiting).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(end) {
			t.Fatal("the erasure does not wait for the lock")
		}
	}
	if err := bind.Commit(); err != nil {
		t.Fatal(err)
	}
	if got := <-erased; got != 0 {
		t.Errorf("%d tokens were erased, want none", got)
	}
	if token, err := s.FindToken(t.Context(), "org-1", n.ID); err != nil || token.Ciphertext == nil {
		t.Errorf("the token that was bound meanwhile is gone: %v", err)
	}
}

func TestAsManyRevealsAsThereAreAreCountedAtOnce(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, store.Migrations(), func(t *testing.T, db *database.DB) {
		t.Parallel()
		s := open(t, db)
		reveals := make([]store.Reveal, 9_000) // of four parameters each: more than a statement takes
		if db.Dialect() == database.PostgreSQL {
			reveals = make([]store.Reveal, 17_000)
		}
		for i := range reveals {
			reveals[i] = store.Reveal{Caller: "test", TokenID: uuid.NewString(), Minute: time.Unix(60, 0).UTC(), Count: 2}
		}
		for _, some := range [][]store.Reveal{reveals, reveals[:100]} {
			if err := s.CountReveals(t.Context(), some); err != nil {
				t.Fatal(err)
			}
		}
		var sum int
		if err := db.SQL().QueryRowContext(t.Context(), "select sum(count) from token_reveals").Scan(&sum); err != nil {
			t.Fatal(err)
		}
		if want := 2*len(reveals) + 200; sum != want {
			t.Errorf("%d reveals are counted, want %d", sum, want)
		}
	})
}
