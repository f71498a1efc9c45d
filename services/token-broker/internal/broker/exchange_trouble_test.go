package broker_test

import (
	"context"
	"database/sql/driver"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"modernc.org/sqlite"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	"github.com/whatrack/connect/services/graphsim"
	"github.com/whatrack/connect/services/internal/database"
	"github.com/whatrack/connect/services/internal/keyring"
	"github.com/whatrack/connect/services/token-broker/brokertest"
	"github.com/whatrack/connect/services/token-broker/server"
)

func TestAnExchangePastItsLeaseIsUnknownUntilItsSpenderHasTheToken(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		hold := b.meta.AddFault(graphsim.Fault{Path: exchangePath, Hold: graphsim.After})
		code := b.meta.SignUp(graphsim.SignUp{}).Code
		heard := make(chan error, 1)
		go func() {
			_, err := b.ExchangeCode(t.Context(), exchangeOf("org-1", code))
			heard <- err
		}()
		b.held(t, exchangePath, 1)
		b.clock.advance(39 * time.Second)
		_, err := b.ofOnboarding(t, "org-1")
		wantFault(t, err, errorsv1.ErrorReason_EXCHANGE_IN_PROGRESS)
		b.clock.advance(2 * time.Second)
		_, err = b.ofOnboarding(t, "org-1")
		wantFault(t, err, errorsv1.ErrorReason_CODE_OUTCOME_UNKNOWN)
		wantFault(t, <-heard, errorsv1.ErrorReason_CODE_OUTCOME_UNKNOWN)
		b.meta.Release(hold)
		eventually(t, "the token is stored", func() bool { return number(t, b.db, "select count(*) from tokens") == 1 })
		if _, err = b.ExchangeCode(t.Context(), exchangeOf("org-1", code)); err != nil {
			t.Errorf("the exchange, once its token is stored: %v", err)
		}
		if got := b.count(isExchange); got != 1 {
			t.Errorf("the code was sent %d times, want once", got)
		}
	})
}

func TestATokenIsStoredEvenIfTheFirstCommitsFail(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		failed := failInserts(t, b.db, "tokens")
		code := b.meta.SignUp(graphsim.SignUp{}).Code
		hangUp, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := b.ExchangeCode(hangUp, exchangeOf("org-1", code))
		wantFault(t, err, errorsv1.ErrorReason_EXCHANGE_IN_PROGRESS)
		eventually(t, "two commits failed", func() bool { return failed() > 1 })
		allowInserts(t, b.db, "tokens")
		if got := b.exchange(t, code); got.GetState() != tokenbrokerv1.Token_ACTIVE {
			t.Errorf("the token is %s, want ACTIVE", got.GetState())
		}
		if got := b.count(isExchange); got != 1 {
			t.Errorf("the code was sent %d times, want once", got)
		}
	})
}

func TestACodeIsNotSpentWhileItCanNotBeReserved(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		failInserts(t, b.db, "exchanges")
		code := b.meta.SignUp(graphsim.SignUp{}).Code
		_, err := b.ExchangeCode(t.Context(), exchangeOf("org-1", code))
		wantFault(t, err, errorsv1.ErrorReason_STORAGE_UNAVAILABLE)
		if got := b.count(isExchange); got != 0 {
			t.Errorf("the code was sent %d times, want never", got)
		}
		allowInserts(t, b.db, "exchanges")
		b.exchange(t, code)
	})
}

func TestAPanicWhileSpendingEndsTheExchange(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, db *database.DB) {
		meta, url := brokertest.ServeMeta(t, graphsim.Config{})
		keys, logs := &keyring.Keyring{}, &logs{} // no key: sealing the token panics
		broker := brokertest.Start(t, db, url, brokertest.Options{Keys: keys, Log: logs.logger()})
		code := meta.SignUp(graphsim.SignUp{Token: graphsim.TokenSpec{ExpiresIn: 5184000}}).Code
		_, err := broker.ExchangeCode(t.Context(), exchangeOf("org-1", code))
		wantFault(t, err, errorsv1.ErrorReason_CODE_OUTCOME_UNKNOWN) // the call ends before the lease does
		eventually(t, "the panic is logged", func() bool { return strings.Contains(logs.String(), "panic while spending a code") })
		working, err := keyring.Ephemeral()
		if err != nil {
			t.Fatal(err)
		}
		*keys = *working
		code = meta.SignUp(graphsim.SignUp{Token: graphsim.TokenSpec{ExpiresIn: 5184000}}).Code
		if _, err := broker.ExchangeCode(t.Context(), exchangeOf("org-2", code)); err != nil {
			t.Errorf("the next code: %v", err)
		}
	})
}

// A server that is stopped finishes what was begun: no code is lost, and no count.
func TestAStopWaitsForCodesThatAreBeingSpent(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bundle) {
		hold := b.meta.AddFault(graphsim.Fault{Path: exchangePath, Hold: graphsim.After})
		code := b.meta.SignUp(graphsim.SignUp{}).Code
		ctx, hangUp := context.WithCancel(t.Context())
		heard := make(chan struct{})
		go func() {
			defer close(heard)
			_, _ = b.ExchangeCode(ctx, exchangeOf("org-1", code))
		}()
		b.held(t, exchangePath, 1)
		hangUp()
		<-heard
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			b.Stop()
		}()
		select {
		case <-stopped:
			t.Error("the stop did not wait")
		default:
		}
		b.meta.Release(hold)
		<-stopped
		if got := number(t, b.db, "select count(*) from exchanges where state = 'STORED'"); got != 1 {
			t.Errorf("%d exchanges are STORED, want 1", got)
		}
		b.Broker = b.start(t, b.db, server.Settings{})
		if got := b.exchange(t, code); got.GetState() != tokenbrokerv1.Token_ACTIVE {
			t.Errorf("the token is %s, want ACTIVE", got.GetState())
		}
	})
}

// failInserts makes every insert into a table fail, until allowInserts, and counts them: beside their transactions, which
// are rolled back.
func failInserts(t *testing.T, db *database.DB, table string) (failed func() int) {
	t.Helper()
	if db.Dialect() == database.SQLite {
		exec(t, db, "create trigger fail_%[1]s before insert on %[1]s begin select note_failure('%[2]s'), raise(abort, 'no'); end", table, t.Name())
		return func() int { return int(failuresOf(t.Name()).Load()) }
	}
	exec(t, db, "create sequence failed_%s minvalue 0 start 1", table)
	exec(t, db, "select setval('failed_%s', 0)", table)
	exec(t, db, "create function fail_%[1]s() returns trigger language plpgsql as $$ begin perform nextval('failed_%[1]s'); raise 'no'; end $$", table)
	exec(t, db, "create trigger fail_%[1]s before insert on %[1]s for each row execute function fail_%[1]s()", table)
	return func() int { return number(t, db, "select last_value from failed_%s", table) }
}

// failures are counted by test. SQLite has no sequence that outlives a rollback, so a function of ours counts.
var failures sync.Map

func failuresOf(test string) *atomic.Int64 {
	count, _ := failures.LoadOrStore(test, &atomic.Int64{})
	return count.(*atomic.Int64)
}

func countFailuresOnSQLite() {
	sqlite.MustRegisterScalarFunction("note_failure", 1, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		return failuresOf(args[0].(string)).Add(1), nil
	})
}

func allowInserts(t *testing.T, db *database.DB, table string) {
	t.Helper()
	on := ""
	if db.Dialect() == database.PostgreSQL {
		on = " on " + table
	}
	exec(t, db, "drop trigger fail_%s%s", table, on)
}
