package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"gorm.io/gorm"
)

// migrationLock is the advisory lock that one migration at a time holds; an arbitrary constant.
const migrationLock = 0x77636e74

// Migrations is a service's own SQL, with a folder per dialect: postgres/NNNN_what.sql and sqlite/NNNN_what.sql.
type Migrations struct {
	fs.FS
	// Table is made by the first of them, and by no other service's: by it a service knows its own database.
	Table string
}

// Migrate brings the schema, and River's beside it, up to date. Forward only. Replicas that start it together wait for
// one another.
func (db *DB) Migrate(ctx context.Context, migrations Migrations) error {
	unlock, err := db.lockMigrations(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := db.checkOwner(ctx, migrations); err != nil {
		return err
	}
	provider, err := db.provider(migrations)
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return db.migrateRiver(ctx)
}

// CheckMigrated fails, with the command that helps, where Migrate has something left to do.
func (db *DB) CheckMigrated(ctx context.Context, migrations Migrations) error {
	if err := db.checkOwner(ctx, migrations); err != nil {
		return err
	}
	provider, err := db.provider(migrations)
	if err != nil {
		return err
	}
	pending, err := provider.HasPending(ctx)
	if err != nil {
		return fmt.Errorf("read the schema's version: %w", classify(ctx, err))
	}
	if pending {
		return errors.New("the database is not migrated: run the subcommand migrate first")
	}
	return nil
}

// checkOwner refuses a database that another service has migrated: our versions would count as done, and each would work
// the other's jobs.
func (db *DB) checkOwner(ctx context.Context, migrations Migrations) error {
	if migrations.Table == "" {
		return nil
	}
	var migrated int64
	ours := false
	err := db.Read(ctx, func(tx *gorm.DB) error {
		ours, migrated = tx.Migrator().HasTable(migrations.Table), 0
		if ours || !tx.Migrator().HasTable(goose.DefaultTablename) {
			return tx.Error
		}
		return tx.Table(goose.DefaultTablename).Where("version_id > 0").Count(&migrated).Error
	})
	if err != nil {
		return fmt.Errorf("look whose database it is: %w", err)
	}
	if !ours && migrated > 0 {
		return errors.New("DATABASE_URL is the database of another service: each has its own, so name an empty one")
	}
	return nil
}

func (db *DB) provider(migrations Migrations) (*goose.Provider, error) {
	folder, err := fs.Sub(migrations.FS, string(db.dialect))
	if err != nil {
		return nil, fmt.Errorf("find the migrations: %w", err)
	}
	dialect := goose.DialectPostgres
	if db.dialect == SQLite {
		dialect = goose.DialectSQLite3
	}
	provider, err := goose.NewProvider(dialect, db.pool, folder)
	if err != nil {
		return nil, fmt.Errorf("read the migrations: %w", err)
	}
	return provider, nil
}

// lockMigrations holds a session of its own: when the process dies, so does the lock.
func (db *DB) lockMigrations(ctx context.Context) (unlock func(), err error) {
	if db.dialect == SQLite { // one process per file anyway
		return func() {}, nil
	}
	conn, err := db.pool.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect to migrate: %w", err)
	}
	for _, statement := range []string{"set statement_timeout = 0", fmt.Sprintf("select pg_advisory_lock(%d)", migrationLock)} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return nil, errors.Join(fmt.Errorf("lock the migrations: %w", err), conn.Close())
		}
	}
	return func() { releaseMigrations(conn) }, nil
}

func releaseMigrations(conn *sql.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, _ = conn.ExecContext(ctx, fmt.Sprintf("select pg_advisory_unlock(%d)", migrationLock))
	_, _ = conn.ExecContext(ctx, fmt.Sprintf("set statement_timeout = %d", statementTimeout.Milliseconds()))
	_ = conn.Close()
}

func (db *DB) migrateRiver(ctx context.Context) error {
	var driver riverdriver.Driver[*sql.Tx] = riverdatabasesql.New(db.pool)
	if db.dialect == SQLite {
		driver = riversqlite.New(db.pool)
	}
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("read the migrations of the job queue: %w", err)
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrate the job queue: %w", err)
	}
	return nil
}

// Sub is the migrations in a folder of an embedded file system, of which the first makes the table.
func Sub(fsys fs.FS, folder, table string) Migrations {
	sub, err := fs.Sub(fsys, folder)
	if err != nil { // only for a folder name that is no path
		sub = fsys
	}
	return Migrations{FS: sub, Table: table}
}
