// Package store is the broker's database: exchanges of codes, sealed tokens, which token serves which WABA, what
// happened to each, and who was shown one.
//
// A method is a verb and a transaction. Every method carries the organization, and another's row is ErrNotFound. The
// store never sees a secret: it is given ciphertexts, and fingerprints of codes.
package store

import (
	"embed"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"github.com/whatrack/connect/services/internal/database"
	"github.com/whatrack/connect/services/internal/jobs"
)

//go:embed migrations
var migrations embed.FS

// What callers branch on.
var (
	ErrNotFound      = database.ErrNotFound
	ErrCodeOfAnother = errors.New("store: the code was reserved by another organization")
	ErrEnded         = errors.New("store: the exchange ended before")
	ErrStale         = errors.New("store: the token changed since it was read")
)

// NotActiveError says that a token is in a state in which it can not be bound.
type NotActiveError struct{ State State }

func (e *NotActiveError) Error() string { return "store: the token is " + string(e.State) }

// Store is the broker's database.
type Store struct {
	db    *database.DB
	queue *jobs.Queue
	now   func() time.Time
}

// New makes a store on a migrated database.
func New(db *database.DB, queue *jobs.Queue, now func() time.Time) *Store {
	return &Store{db: db, queue: queue, now: func() time.Time { return now().UTC().Truncate(time.Microsecond) }}
}

// Migrations is the schema.
func Migrations() database.Migrations { return database.Sub(migrations, "migrations", "tokens") }

// SealedColumns are those of the schema.
func SealedColumns() []database.SealedColumn {
	return []database.SealedColumn{{Table: "tokens", Value: "ciphertext", KeyID: "key_id"}}
}

// SettleArgs is the job that inspects a stored token, and extends it when it is short-lived.
type SettleArgs struct {
	TokenID uuid.UUID `json:"tokenId"`
}

// Kind implements river.JobArgs.
func (SettleArgs) Kind() string { return "settle_token" }

// EraseArgs is the regular job that erases what is kept no longer: tokens that were never bound, and old counts of reveals.
type EraseArgs struct{}

// Kind implements river.JobArgs.
func (EraseArgs) Kind() string { return "erase_unbound_tokens" }

var (
	_ river.JobArgs = SettleArgs{}
	_ river.JobArgs = EraseArgs{}
)
