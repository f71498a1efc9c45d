// Package databasetest gives each test databases of its own: a SQLite file, and a clone of a migrated PostgreSQL
// template. Nothing is faked and nothing is shared, so tests run side by side.
//
// PostgreSQL is the server at TEST_DATABASE_URL, which `make test` finds or installs. Without it the test fails: half of
// the databases is not half of the proof.
package databasetest

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/whatrack/connect/services/internal/database"
)

// Each runs f on both databases, as subtests.
func Each(t *testing.T, migrations database.Migrations, f func(t *testing.T, db *database.DB)) {
	t.Helper()
	for _, open := range []func(testing.TB, database.Migrations) string{SQLiteURL, PostgresURL} {
		databaseURL := open(t, migrations)
		u, _ := url.Parse(databaseURL)
		t.Run(u.Scheme, func(t *testing.T) { f(t, Open(t, databaseURL)) })
	}
}

// New opens a migrated SQLite database: for tests to which the database is not the point.
func New(t testing.TB, migrations database.Migrations) *database.DB {
	t.Helper()
	return Open(t, SQLiteURL(t, migrations))
}

// Open opens a database until the test ends.
func Open(t testing.TB, databaseURL string) *database.DB {
	t.Helper()
	db, err := database.Open(context.Background(), databaseURL)
	if err != nil {
		t.Fatalf("open the database: %v", err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close the database: %v", err)
		}
	})
	return db
}

// SQLiteURL is the DATABASE_URL of a new migrated file.
func SQLiteURL(t testing.TB, migrations database.Migrations) string {
	t.Helper()
	databaseURL := "sqlite://" + filepath.Join(t.TempDir(), "test.db")
	migrate(t, databaseURL, migrations)
	return databaseURL
}

// PostgresURL is the DATABASE_URL of a new migrated database, dropped when the test ends.
func PostgresURL(t testing.TB, migrations database.Migrations) string {
	t.Helper()
	admin := adminURL(t)
	return createdURL(t, admin, " template "+templateOf(t, admin, migrations))
}

// EmptyPostgresURL is the DATABASE_URL of a new database without a schema, dropped when the test ends.
func EmptyPostgresURL(t testing.TB) string {
	t.Helper()
	return createdURL(t, adminURL(t), "")
}

func adminURL(t testing.TB) string {
	t.Helper()
	admin := os.Getenv("TEST_DATABASE_URL")
	if admin == "" {
		t.Fatal("TEST_DATABASE_URL is not set: run the tests by `make test`, which finds or installs PostgreSQL")
	}
	return admin
}

func createdURL(t testing.TB, admin, options string) string {
	t.Helper()
	name := "test_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	adminExec(t, admin, "create database "+name+options)
	t.Cleanup(func() { adminExec(t, admin, fmt.Sprintf("drop database if exists %s with (force)", name)) })
	return withName(t, admin, name)
}

// templates remembers the migrated templates of this process, by the content of their migrations.
var templates struct { //nolint:gochecknoglobals // a cache of this test process, behind its own lock
	sync.Mutex
	names map[string]string
}

func templateOf(t testing.TB, admin string, migrations database.Migrations) string {
	t.Helper()
	templates.Lock()
	defer templates.Unlock()
	key := hashOf(t, migrations)
	if name, ok := templates.names[key]; ok {
		return name
	}
	name := fmt.Sprintf("template_%s_%d", key, os.Getpid())
	adminExec(t, admin, "drop database if exists "+name+" with (force)")
	adminExec(t, admin, "create database "+name)
	migrate(t, withName(t, admin, name), migrations)
	if templates.names == nil {
		templates.names = map[string]string{}
	}
	templates.names[key] = name
	return name
}

func hashOf(t testing.TB, migrations database.Migrations) string {
	t.Helper()
	sum := sha256.New()
	err := fs.WalkDir(migrations, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(migrations, path)
		sum.Write([]byte(path))
		sum.Write(content)
		return err
	})
	if err != nil {
		t.Fatalf("read the migrations: %v", err)
	}
	return hex.EncodeToString(sum.Sum(nil))[:12]
}

func migrate(t testing.TB, databaseURL string, migrations database.Migrations) {
	t.Helper()
	db, err := database.Open(context.Background(), databaseURL)
	if err != nil {
		t.Fatalf("open %s: %v", databaseURL, err)
	}
	defer func() { _ = db.Close() }()
	if err := db.Migrate(context.Background(), migrations); err != nil {
		t.Fatalf("migrate: %v", err)
	}
}

func adminExec(t testing.TB, admin, statement string) {
	t.Helper()
	db, err := sql.Open("pgx", admin)
	if err != nil {
		t.Fatalf("open TEST_DATABASE_URL: %v", err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(context.Background(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func withName(t testing.TB, admin, name string) string {
	t.Helper()
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatalf("TEST_DATABASE_URL: %v", err)
	}
	u.Path = "/" + name
	return u.String()
}
