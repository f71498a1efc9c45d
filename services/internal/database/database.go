// Package database opens a service's own database, PostgreSQL or SQLite, with the settings that must not differ between
// services, and runs transactions on it.
//
// gorm is a row mapper here and nothing else: bound values are never logged, "not found" is no error to log, DDL is
// plain SQL (migrate.go). Errors of the driver do not leave: what the database could not do becomes the fault
// STORAGE_UNAVAILABLE, with the driver's error as its cause.
//
// SQLite is for one machine and one process: one connection, write-ahead log, a commit that is synced, and a lock file
// that a second process meets at start. Times are UTC microseconds there, written and read by the driver, so that rows
// hold time.Time on both databases.
package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	sqlitegorm "github.com/libtnb/sqlite"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"

	"github.com/whatrack/connect/services/internal/run"
)

// Dialect is the kind of a database.
type Dialect string

// The databases that are supported.
const (
	PostgreSQL Dialect = "postgres"
	SQLite     Dialect = "sqlite"
)

// poolSize bounds the connections of one process to PostgreSQL, River's listener aside.
const poolSize = 16

// statementTimeout bounds one statement; it lies under the shortest deadline of an RPC.
const statementTimeout = 8 * time.Second

// DB is one open database.
type DB struct {
	dialect  Dialect
	orm      *gorm.DB
	pool     *sql.DB
	listener *pgxpool.Pool
	lock     *os.File
}

// Open opens `postgres://…` or `sqlite:///path/file.db` and checks that it answers.
func Open(ctx context.Context, databaseURL string) (*DB, error) {
	u, err := url.Parse(databaseURL)
	if err != nil {
		return nil, errors.New("not a URL") // err would print the password
	}
	var db *DB
	switch u.Scheme {
	case "postgres", "postgresql":
		db, err = openPostgres(ctx, databaseURL)
	case "sqlite":
		db, err = openSQLite(u.Path)
	default:
		return nil, fmt.Errorf("must begin with postgres:// or sqlite:///, not %q", u.Scheme)
	}
	if err != nil {
		return nil, err
	}
	if err := db.Ready(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("the database does not answer: %w", err), db.Close())
	}
	return db, nil
}

func openPostgres(ctx context.Context, databaseURL string) (*DB, error) {
	cfg, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		return nil, errors.New("not a PostgreSQL URL") // err would print parts of it
	}
	cfg.RuntimeParams["statement_timeout"] = fmt.Sprint(statementTimeout.Milliseconds())
	cfg.RuntimeParams["idle_in_transaction_session_timeout"] = fmt.Sprint((30 * time.Second).Milliseconds())
	cfg.RuntimeParams["timezone"] = "UTC"
	cfg.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite // after a failover, a name may still lead to a standby
	pool := stdlib.OpenDB(*cfg)
	pool.SetMaxOpenConns(poolSize)
	pool.SetMaxIdleConns(poolSize)
	pool.SetConnMaxIdleTime(5 * time.Minute)

	listen, err := pgxpool.ParseConfig(databaseURL)
	if err != nil {
		return nil, errors.New("not a PostgreSQL URL")
	}
	listen.MaxConns, listen.MinConns = 2, 0
	listen.ConnConfig.ValidateConnect = cfg.ValidateConnect
	listener, err := pgxpool.NewWithConfig(ctx, listen)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the listener's pool: %w", err), pool.Close())
	}
	db := &DB{dialect: PostgreSQL, pool: pool, listener: listener}
	return db.withORM(postgres.New(postgres.Config{Conn: pool}))
}

func openSQLite(path string) (*DB, error) {
	if path == "" {
		return nil, errors.New("names no file: write sqlite:///path/file.db")
	}
	lock, err := lockFile(path)
	if err != nil {
		return nil, err
	}
	if err := makePrivate(path); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	pool, err := sql.Open("sqlite", sqliteDSN(path))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), lock.Close())
	}
	pool.SetMaxOpenConns(1) // eight writers run at 0.3 of one
	pool.SetConnMaxLifetime(0)
	db := &DB{dialect: SQLite, pool: pool, lock: lock}
	return db.withORM(sqlitegorm.New(sqlitegorm.Config{Conn: pool}))
}

// makePrivate makes a new file for its owner alone; SQLite gives its log the mode of the database.
func makePrivate(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the operator's own path
	if err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	return f.Close()
}

// sqliteDSN: a write transaction takes its lock at the start, so that it never fails half way for having read first.
func sqliteDSN(path string) string {
	q := url.Values{
		"_pragma": {
			"busy_timeout(8000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "temp_store(MEMORY)",
		},
		"_txlock":              {"immediate"},
		"_time_integer_format": {"unix_micro"},
		"_inttotime":           {"1"},
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

func (db *DB) withORM(dialector gorm.Dialector) (*DB, error) {
	quiet := logger.New(discard{}, logger.Config{
		LogLevel: logger.Silent, ParameterizedQueries: true, IgnoreRecordNotFoundError: true,
	})
	orm, err := gorm.Open(dialector, &gorm.Config{
		Logger:                 quiet,
		SkipDefaultTransaction: true,
		QueryFields:            true, // no "select *": a statement that is prepared survives a migration that adds a column
		DisableAutomaticPing:   true, // Open asks for itself
		NowFunc:                func() time.Time { return time.Now().UTC().Truncate(time.Microsecond) },
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the database: %w", err), db.Close())
	}
	db.orm = orm
	return db, nil
}

type discard struct{}

func (discard) Printf(string, ...any) {}

// Dialect tells which kind of database this is.
func (db *DB) Dialect() Dialect { return db.dialect }

// SQL is the pool itself: for River and for migrations.
func (db *DB) SQL() *sql.DB { return db.pool }

// Listener is the pool of River's listener; nil on SQLite.
func (db *DB) Listener() *pgxpool.Pool { return db.listener }

// Ready asks the database whether it takes writes.
func (db *DB) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	if db.dialect == SQLite {
		return classify(ctx, db.pool.PingContext(ctx))
	}
	var readOnly bool
	err := db.pool.QueryRowContext(ctx, "select current_setting('transaction_read_only')::boolean").Scan(&readOnly)
	if err == nil && readOnly {
		err = pgconn.ErrReadOnlyConnection
	}
	return classify(ctx, err)
}

// Close closes everything that Open opened.
func (db *DB) Close() error {
	var errs []error
	if db.listener != nil {
		db.listener.Close()
	}
	if db.pool != nil {
		errs = append(errs, db.pool.Close())
	}
	if db.lock != nil {
		errs = append(errs, db.lock.Close())
	}
	return errors.Join(errs...)
}

// Read runs f outside a transaction. It is run again when its connection was lost, so f keeps no state, and does nothing
// that may not be done twice.
func (db *DB) Read(ctx context.Context, f func(tx *gorm.DB) error) error {
	for losses := 0; ; losses++ {
		if err := f(db.orm.WithContext(ctx)); !connectionLost(err) || losses == maxLosses {
			return classify(ctx, err)
		}
	}
}

// Snapshot is Read for statements that must all see the same state of the database.
func (db *DB) Snapshot(ctx context.Context, f func(tx *gorm.DB) error) error {
	var opts []*sql.TxOptions // SQLite: the one connection sees nobody else's writes between its own statements
	if db.dialect == PostgreSQL {
		opts = append(opts, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	}
	return db.Read(ctx, func(tx *gorm.DB) error { return tx.Transaction(f, opts...) })
}

// Exec is Read for one statement that writes, with ? for its arguments, which is a transaction by itself and one trip to
// the server. When its connection was lost nobody knows whether it committed: it must be one that may run twice, such as
// an insert whose second run is a Duplicate.
func (db *DB) Exec(ctx context.Context, statement string, args ...any) error {
	return db.Read(ctx, func(tx *gorm.DB) error { return tx.Exec(statement, args...).Error })
}

// InTx runs f in one transaction. It is run again when PostgreSQL says that the transaction must be repeated, and when
// its connection was lost before the commit was sent, which undid it; so f keeps no state. On SQLite there is one
// connection: whatever f does, it does with tx.
func (db *DB) InTx(ctx context.Context, f func(tx *gorm.DB) error) error {
	conflicts, losses := 0, 0
	for {
		committing := false
		err := db.orm.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
			err := f(tx)
			committing = err == nil
			return err
		})
		switch {
		case mustRepeat(err) && conflicts < maxConflicts:
			conflicts++
		case connectionLost(err) && !committing && losses < maxLosses:
			losses++
			continue
		default:
			return classify(ctx, err)
		}
		if !run.Pause(ctx, time.Duration(conflicts)*10*time.Millisecond) {
			return classify(ctx, err)
		}
	}
}

const (
	maxConflicts = 4
	// maxLosses: after a restart of the server, each pooled connection may turn out to be dead.
	maxLosses = poolSize
)

// forUpdate does not wait for those who only refer to the row by its key, as FOR UPDATE would: two transactions that each
// inserted such a reference would then wait for each other.
var (
	forUpdate           = clause.Locking{Strength: "NO KEY UPDATE"}
	forUpdateSkipLocked = clause.Locking{Strength: "NO KEY UPDATE", Options: "SKIP LOCKED"}
)

// ForUpdate locks the rows of a query until the transaction ends. SQLite has one writer, and no such clause.
func (db *DB) ForUpdate(tx *gorm.DB) *gorm.DB {
	if db.dialect == SQLite {
		return tx
	}
	return tx.Clauses(forUpdate)
}

// ForUpdateSkipLocked is ForUpdate for whoever takes what nobody else has taken.
func (db *DB) ForUpdateSkipLocked(tx *gorm.DB) *gorm.DB {
	if db.dialect == SQLite {
		return tx
	}
	return tx.Clauses(forUpdateSkipLocked)
}

// Tx is the transaction below gorm: River enqueues with it.
func Tx(tx *gorm.DB) (*sql.Tx, error) {
	inner, ok := tx.Statement.ConnPool.(*sql.Tx)
	if !ok {
		return nil, errors.New("database: not in a transaction")
	}
	return inner, nil
}
