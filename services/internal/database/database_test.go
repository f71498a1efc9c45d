package database_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"gorm.io/gorm"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	"github.com/whatrack/connect/services/internal/database"
	"github.com/whatrack/connect/services/internal/databasetest"
	"github.com/whatrack/connect/services/internal/fault"
)

type event struct {
	ID   int64 `gorm:"primaryKey"`
	Time time.Time
	Gone *time.Time
}

func migrations() database.Migrations {
	sqlOf := func(timeType string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte("-- +goose Up\ncreate table events (id bigint primary key, time " + timeType +
			" not null, gone " + timeType + ");\n")}
	}
	return database.Migrations{FS: fstest.MapFS{
		"postgres/0001_events.sql": sqlOf("timestamptz"),
		"sqlite/0001_events.sql":   sqlOf("timestamp"),
	}}
}

func TestTimesComeBackAsTheyWereAndSort(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, migrations(), func(t *testing.T, db *database.DB) {
		t.Parallel()
		early := time.Date(2026, 11, 24, 23, 59, 59, 123456000, time.UTC)
		late := early.Add(time.Microsecond).In(time.FixedZone("BRT", -3*3600))
		err := db.InTx(t.Context(), func(tx *gorm.DB) error {
			return tx.Create([]event{{ID: 1, Time: late, Gone: &early}, {ID: 2, Time: early}}).Error
		})
		if err != nil {
			t.Fatal(err)
		}
		var rows []event
		err = db.Read(t.Context(), func(tx *gorm.DB) error {
			return tx.Where("time < ?", late.Add(time.Hour)).Order("time").Find(&rows).Error
		})
		if err != nil || len(rows) != 2 {
			t.Fatalf("read %d rows: %v", len(rows), err)
		}
		if rows[0].ID != 2 || !rows[0].Time.Equal(early) || rows[0].Gone != nil {
			t.Errorf("first row = %+v, want the earlier one, with no end", rows[0])
		}
		if !rows[1].Time.Equal(late) || rows[1].Gone == nil || !rows[1].Gone.Equal(early) {
			t.Errorf("second row = %+v", rows[1])
		}
	})
}

func TestAFailedTransactionLeavesNothing(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, migrations(), func(t *testing.T, db *database.DB) {
		t.Parallel()
		sentinel := errors.New("no")
		err := db.InTx(t.Context(), func(tx *gorm.DB) error {
			if err := tx.Create(&event{ID: 1, Time: time.Now()}).Error; err != nil {
				return err
			}
			return sentinel
		})
		if !errors.Is(err, sentinel) {
			t.Fatalf("err = %v, want the function's own", err)
		}
		var count int64
		if err := db.Read(t.Context(), func(tx *gorm.DB) error { return tx.Model(&event{}).Count(&count).Error }); err != nil || count != 0 {
			t.Errorf("%d rows, %v", count, err)
		}
	})
}

func TestALostConnectionIsNoFailure(t *testing.T) {
	t.Parallel()
	db := databasetest.Open(t, databasetest.PostgresURL(t, migrations()))
	cut := func(tx *gorm.DB, which string) error {
		return tx.Exec("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid " + which).Error
	}
	everywhere(t, db, 8, func(tx *gorm.DB) error { return tx.Exec("select pg_sleep(0.2)").Error }) // eight connections
	if err := db.InTx(t.Context(), func(tx *gorm.DB) error { return cut(tx, "<> pg_backend_pid()") }); err != nil {
		t.Fatal(err)
	}
	everywhere(t, db, 8, func(tx *gorm.DB) error { return tx.Exec("select 1").Error })

	if err := db.Read(t.Context(), func(tx *gorm.DB) error { return cut(tx, "<> pg_backend_pid()") }); err != nil {
		t.Fatal(err)
	}
	for range 8 {
		if err := db.Read(t.Context(), func(tx *gorm.DB) error { return tx.Exec("select 1").Error }); err != nil {
			t.Error(err)
		}
	}
	tries := 0
	err := db.InTx(t.Context(), func(tx *gorm.DB) error {
		if tries++; tries == 1 {
			return cut(tx, "= pg_backend_pid()")
		}
		return tx.Create(&event{ID: 1, Time: time.Now()}).Error
	})
	if err != nil || tries != 2 {
		t.Errorf("cut in the middle: %v after %d tries", err, tries)
	}
	tries = 0
	err = db.InTx(t.Context(), func(tx *gorm.DB) error {
		tries++
		_ = cut(tx, "= pg_backend_pid()") // so that the commit fails, of which nobody knows whether it happened
		return nil
	})
	if f, ok := fault.As(err); !ok || f.Reason() != errorsv1.ErrorReason_STORAGE_UNAVAILABLE || tries != 1 {
		t.Errorf("cut at the commit: %v after %d tries", err, tries)
	}
}

// everywhere runs n transactions at once, which must all succeed.
func everywhere(t *testing.T, db *database.DB, n int, f func(tx *gorm.DB) error) {
	t.Helper()
	var group sync.WaitGroup
	for range n {
		group.Go(func() {
			if err := db.InTx(t.Context(), f); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

func TestTheSameKeyTwiceIsADuplicate(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, migrations(), func(t *testing.T, db *database.DB) {
		t.Parallel()
		create := func() error {
			return db.InTx(t.Context(), func(tx *gorm.DB) error { return tx.Create(&event{ID: 1, Time: time.Now()}).Error })
		}
		if err := create(); err != nil {
			t.Fatal(err)
		}
		if err := create(); !database.Duplicate(err) {
			t.Errorf("err = %v, want a duplicate", err)
		}
	})
}

func TestReplicasThatMigrateTogetherWaitForOneAnother(t *testing.T) {
	t.Parallel()
	databaseURL := databasetest.PostgresURL(t, database.Migrations{FS: fstest.MapFS{
		"postgres/0001_nothing.sql": {Data: []byte("-- +goose Up\nselect 1;\n")},
	}})
	next := database.Migrations{FS: fstest.MapFS{
		"postgres/0001_nothing.sql": {Data: []byte("-- +goose Up\nselect 1;\n")},
		"postgres/0002_slow.sql":    {Data: []byte("-- +goose Up\nselect pg_sleep(0.3);\ncreate table once (id int);\n")},
	}}
	var group sync.WaitGroup
	for range 4 {
		db := databasetest.Open(t, databaseURL)
		group.Go(func() {
			if err := db.Migrate(context.Background(), next); err != nil {
				t.Errorf("migrate: %v", err)
			}
		})
	}
	group.Wait()
	if err := databasetest.Open(t, databaseURL).CheckMigrated(t.Context(), next); err != nil {
		t.Error(err)
	}
}

func TestADatabaseOfAnotherServiceIsRefused(t *testing.T) {
	t.Parallel()
	ours := migrations()
	ours.Table = "events"
	databasetest.Each(t, ours, func(t *testing.T, db *database.DB) {
		t.Parallel()
		if err := db.Migrate(t.Context(), ours); err != nil {
			t.Errorf("our own, again: %v", err)
		}
		if err := db.CheckMigrated(t.Context(), ours); err != nil {
			t.Errorf("our own: %v", err)
		}
		theirs := migrations()
		theirs.Table = "tokens"
		const want = "DATABASE_URL is the database of another service: each has its own, so name an empty one"
		for _, err := range []error{db.Migrate(t.Context(), theirs), db.CheckMigrated(t.Context(), theirs)} {
			if err == nil || err.Error() != want {
				t.Errorf("another's: %v", err)
			}
		}
	})
}

func TestAnUnmigratedDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	db := databasetest.Open(t, "sqlite://"+filepath.Join(t.TempDir(), "new.db"))
	err := db.CheckMigrated(t.Context(), migrations())
	if err == nil || !strings.Contains(err.Error(), "migrate") {
		t.Errorf("err = %v, want the command that helps", err)
	}
}

func TestASecondProcessOnOneFileIsRefused(t *testing.T) {
	t.Parallel()
	databaseURL := "sqlite://" + filepath.Join(t.TempDir(), "one.db")
	databasetest.Open(t, databaseURL)
	_, err := database.Open(t.Context(), databaseURL)
	if err == nil || !strings.Contains(err.Error(), "in use by another process") {
		t.Errorf("err = %v, want that the file is in use", err)
	}
}

func TestAReadOnlyDatabaseIsStorageUnavailable(t *testing.T) {
	t.Parallel()
	databaseURL := databasetest.PostgresURL(t, migrations())
	db := databasetest.Open(t, databaseURL)
	readOnly := func(tx *gorm.DB) error {
		if err := tx.Exec("set transaction read only").Error; err != nil {
			return err
		}
		return tx.Create(&event{ID: 1, Time: time.Now()}).Error
	}
	err := db.InTx(t.Context(), readOnly)
	if !errors.Is(err, fault.New(errorsv1.ErrorReason_STORAGE_UNAVAILABLE)) {
		t.Errorf("err = %v, want STORAGE_UNAVAILABLE", err)
	}
}

func TestAServerThatTakesNoWritesIsNotReadyAndNotOpened(t *testing.T) {
	t.Parallel()
	databaseURL := databasetest.PostgresURL(t, migrations())
	db := databasetest.Open(t, databaseURL)
	db.SQL().SetMaxOpenConns(1)
	const later = "do $$ begin execute format('alter database %I set default_transaction_read_only = on', current_database()); end $$"
	for _, statement := range []string{later, "set default_transaction_read_only = on"} {
		if _, err := db.SQL().ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Ready(t.Context()); !errors.Is(err, fault.New(errorsv1.ErrorReason_STORAGE_UNAVAILABLE)) {
		t.Errorf("ready: %v", err)
	}
	_, err := database.Open(t.Context(), databaseURL)
	if !errors.Is(err, fault.New(errorsv1.ErrorReason_STORAGE_UNAVAILABLE)) || !strings.Contains(err.Error(), "read only") {
		t.Errorf("opened: %v", err)
	}
}

// TestADatabaseThatTookNoWritesForAWhileHeals: connections that were made meanwhile would never take writes.
func TestADatabaseThatTookNoWritesForAWhileHeals(t *testing.T) {
	t.Parallel()
	databaseURL := databasetest.PostgresURL(t, migrations())
	admin, err := databasetest.Open(t, databaseURL).SQL().Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	db := databasetest.Open(t, databaseURL)
	everywhere(t, db, 4, func(tx *gorm.DB) error { return tx.Exec("select pg_sleep(0.2)").Error }) // four connections
	do := func(statements ...string) {
		t.Helper()
		for _, statement := range statements {
			if _, err := admin.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
	}
	alter := func(how string) string {
		return "do $$ begin execute format('alter database %I " + how + "', current_database()); end $$"
	}
	write := func(id int64) error {
		return db.InTx(t.Context(), func(tx *gorm.DB) error { return tx.Create(&event{ID: id + 1, Time: time.Now()}).Error })
	}
	do(alter("set default_transaction_read_only = on"),
		"select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()")
	for id := range int64(4) {
		if err := write(id); !errors.Is(err, fault.New(errorsv1.ErrorReason_STORAGE_UNAVAILABLE)) {
			t.Errorf("while it takes no writes: %v", err)
		}
	}
	do(alter("reset default_transaction_read_only"))
	for id := range int64(4) {
		if err := write(id); err != nil {
			t.Errorf("once it takes them again: %v", err)
		}
	}
	if err := db.Ready(t.Context()); err != nil {
		t.Errorf("ready: %v", err)
	}
}

// tardy is a context that ends a moment after its deadline, as any does on a busy machine.
type tardy struct {
	context.Context
	deadline time.Time
}

func (c tardy) Deadline() (time.Time, bool) { return c.deadline, true }

func TestTheCallersDeadlineIsNoOutageWhoeverNoticesItFirst(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, migrations(), func(t *testing.T, db *database.DB) {
		t.Parallel()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := db.Read(tardy{ctx, time.Now()}, func(*gorm.DB) error { return os.ErrDeadlineExceeded }) // as a dialer answers
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, fault.New(errorsv1.ErrorReason_STORAGE_UNAVAILABLE)) {
			t.Errorf("err = %v", err)
		}
	})
}

func TestEveryKeyThatSomethingIsSealedUnderMustBeThere(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, migrations(), func(t *testing.T, db *database.DB) {
		t.Parallel()
		check := func(keyIDs ...uint32) error {
			return db.CheckKeys(t.Context(), []database.SealedColumn{{Table: "events", Value: "gone", KeyID: "id"}}, keyIDs)
		}
		now, old, recent := time.Now(), int64(7), int64(math.MaxUint32)
		err := db.InTx(t.Context(), func(tx *gorm.DB) error {
			return tx.Create([]event{{ID: 1, Time: now}, {ID: old, Time: now, Gone: &now}, {ID: recent, Time: now, Gone: &now}}).Error
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := check(7, math.MaxUint32); err != nil {
			t.Errorf("with both: %v", err)
		}
		for _, one := range []int64{old, recent} {
			other := old + recent - one
			if err := check(uint32(one)); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("under the key %d,", other)) {
				t.Errorf("without %d: %v", other, err)
			}
		}
	})
}

func TestAServerThatIsAwayIsStorageUnavailable(t *testing.T) {
	t.Parallel()
	_, err := database.Open(t.Context(), "postgres://nobody:hunter2@127.0.0.1:1/none")
	if !errors.Is(err, fault.New(errorsv1.ErrorReason_STORAGE_UNAVAILABLE)) {
		t.Errorf("err = %v, want STORAGE_UNAVAILABLE", err)
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the password is in the error: %v", err)
	}
}

func TestABadURLIsRefusedWithoutItsPassword(t *testing.T) {
	t.Parallel()
	for _, databaseURL := range []string{"mysql://u:hunter2@h/d", "postgres://u:hunter2@h:notaport/d", "sqlite://", "%zz:hunter2"} {
		_, err := database.Open(t.Context(), databaseURL)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", databaseURL, err)
		}
	}
}

func TestTheFileOfADatabaseIsPrivate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "private.db")
	databasetest.Open(t, "sqlite://"+path)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		t.Errorf("mode %o, want it for the owner alone", info.Mode().Perm())
	}
}
