package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	"github.com/whatrack/connect/services/internal/fault"
)

// classify turns what the database could not do into STORAGE_UNAVAILABLE, and leaves everything else alone: a caller's
// own deadline, a sentinel of a store, a fault that f returned, a broken constraint (which is a bug of ours).
func classify(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		<-ctx.Done() // a driver keeps the same deadline by a timer of its own, which may be a moment earlier
	}
	if ctx.Err() != nil {
		return errors.Join(ctx.Err(), err)
	}
	if unavailable(err) {
		return fault.New(errorsv1.ErrorReason_STORAGE_UNAVAILABLE).Cause(err)
	}
	return err
}

// Passing tells whether what failed may go well another time: it says nothing about what was to be written.
func Passing(err error) bool {
	return err != nil && (unavailable(err) || errors.Is(err, sql.ErrTxDone) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded))
}

func unavailable(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return unavailableState(pg.Code)
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		switch lite.Code() & 0xff { // the primary result code, https://www.sqlite.org/rescode.html
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR,
			sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
			return true
		}
		return false
	}
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, driver.ErrBadConn) ||
		errors.Is(err, sql.ErrConnDone) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) ||
		errors.Is(err, pgconn.ErrReadOnlyConnection) || pgconn.SafeToRetry(err)
}

// unavailableState knows the SQLSTATEs that say something about the server, not about our statement
// (https://www.postgresql.org/docs/current/errcodes-appendix.html).
func unavailableState(code string) bool {
	switch code {
	case "25006", // read-only
		"55P03",          // lock not available
		"57014",          // statement timeout
		"40001", "40P01": // still to be repeated after all attempts
		return true
	}
	switch code[:min(2, len(code))] {
	case "08", "28", "3D", "53", "57", "58", "XX": // connection, authorization, catalog, resources, operator, system
		return true
	}
	return false
}

func mustRepeat(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40001" || pg.Code == "40P01")
}

// connectionLost tells whether a connection that stood has ended: the server cut it, restarts or failed over. A server
// that can not be reached is something else.
func connectionLost(err error) bool {
	var connect *pgconn.ConnectError
	if err == nil || errors.As(err, &connect) {
		return false
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "57P01" || pg.Code == "57P02" // shutdown by an administrator, or after a crash
	}
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// Duplicate tells whether a unique constraint refused a row: two transactions wrote the same at once.
func Duplicate(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "23505"
	}
	var lite *sqlite.Error
	return errors.As(err, &lite) &&
		(lite.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || lite.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
}
