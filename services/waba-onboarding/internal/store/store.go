// Package store is the database of waba-onboarding. Where what is:
//
//   - the signup: onboardings, codes, exchanges, signups, steps, claims, hold, binding
//   - connections: connections, health, account, numbers, seek, sync, disconnects, activities
//   - what Meta sent: batches, pack, deliveries, changes, take, resolve, replay, history, historyahead, contacts, messages
//   - what we send: sends
//   - what others are told: events, destinations, lanes, attempts
//   - what comes by time: sweep, retention
//
// A method is a verb and a transaction, and takes the organization whose rows it may see; empty is all of them, for the
// operator and for jobs. A job is enqueued in the transaction that makes it necessary. A connection's state is never
// set: it follows from its facts (health.go), in the transaction that changes one.
package store

import (
	"context"
	"embed"
	"errors"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/whatrack/connect/services/internal/bell"
	"github.com/whatrack/connect/services/internal/database"
	"github.com/whatrack/connect/services/internal/jobs"
)

//go:embed migrations
var migrations embed.FS

// What callers branch on.
var (
	ErrNotFound      = database.ErrNotFound
	ErrFenced        = errors.New("store: somebody else went on with this")
	ErrStateMismatch = errors.New("store: the state is another onboarding's, or another code consumed it")
	ErrExpired       = errors.New("store: the onboarding expired")
	ErrHeldElsewhere = errors.New("store: another organization holds the WABA")
	ErrDisconnecting = errors.New("store: the connection is being disconnected")
	ErrNotOffered    = errors.New("store: the WABA is not among the choices")
	ErrCursorExpired = errors.New("store: what follows the cursor is kept no more")
	ErrManyReports   = errors.New("store: too many reports of one signup")
	ErrChosen        = errors.New("store: another WABA was chosen")
	ErrRequestReused = errors.New("store: the request id was given to something else before")
	ErrTooMany       = errors.New("store: the organization has as many as it may")
)

// slack is how long after a job was due the sweeper believes that it still comes.
const slack = 10 * time.Second

// rowsAtOnce is how many rows one statement writes: what Meta sends at once may be thousands.
const rowsAtOnce = 500

// Store is the database.
type Store struct {
	db       *database.DB
	queue    *jobs.Queue
	now      func() time.Time
	deadline time.Duration
	stream   bell.Bell
}

// New makes a store on a migrated database. A claim that makes no progress ends deadline after it was last started.
func New(db *database.DB, queue *jobs.Queue, now func() time.Time, deadline time.Duration) *Store {
	return &Store{
		db: db, queue: queue, deadline: deadline,
		now: func() time.Time { return now().UTC().Truncate(time.Microsecond) },
	}
}

// Migrations is the schema.
func Migrations() database.Migrations { return database.Sub(migrations, "migrations", "connections") }

// SealedColumns are those of the schema.
func SealedColumns() []database.SealedColumn {
	return []database.SealedColumn{
		{Table: "phone_numbers", Value: "pin", KeyID: "pin_key_id"},
		{Table: "destinations", Value: "secret", KeyID: "secret_key_id"},
		{Table: "destinations", Value: "previous_secret", KeyID: "previous_key_id"},
	}
}

// inTx runs f in a transaction that ends with appending what f emitted.
func (s *Store) inTx(ctx context.Context, f func(tx *gorm.DB) error) error {
	appended := false
	err := s.db.InTx(ctx, func(tx *gorm.DB) (err error) {
		appended, err = s.withOutbox(tx, f)
		return err
	})
	if err == nil && appended {
		s.stream.Ring(streamKey)
	}
	return err
}

// read is for what changes nothing: without a transaction, which on SQLite would be one of its one writer's. Where f is
// run again, it begins anew with a zero T.
func read[T any](ctx context.Context, s *Store, f func(tx *gorm.DB, found *T) error) (T, error) {
	return readBy(ctx, s.db.Read, f)
}

// snapshot is read for several statements that must see the same rows.
func snapshot[T any](ctx context.Context, s *Store, f func(tx *gorm.DB, found *T) error) (T, error) {
	return readBy(ctx, s.db.Snapshot, f)
}

func readBy[T any](ctx context.Context, by func(context.Context, func(*gorm.DB) error) error, f func(*gorm.DB, *T) error) (found T, err error) {
	err = by(ctx, func(tx *gorm.DB) error {
		found = *new(T)
		return f(tx, &found)
	})
	return found, err
}

// within narrows a query to an organization; empty is all.
func within(tx *gorm.DB, organization string) *gorm.DB {
	if organization == "" {
		return tx
	}
	return tx.Where("organization_id = ?", organization)
}

// lock reads a row and keeps it from others until the transaction ends. A connection is locked before its onboardings and
// numbers, a destination before its lanes, several of a kind by their order, and the stream after all rows (events.go): so
// nobody waits for one who waits for him.
func lock[T any](s *Store, tx *gorm.DB, id uuid.UUID) (row T, err error) {
	err = s.db.ForUpdate(tx).Where("id = ?", id).Take(&row).Error
	return row, err
}

func ptr[T any](v T) *T { return &v }
