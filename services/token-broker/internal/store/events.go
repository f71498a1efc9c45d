package store

import (
	"cmp"
	"context"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/whatrack/connect/services/internal/database"
)

// EventType is one kind of thing that happens to a token.
type EventType string

// The types of events.
const (
	EventStored          EventType = "STORED"
	EventVerified        EventType = "VERIFIED"
	EventExtended        EventType = "EXTENDED"
	EventExtensionFailed EventType = "EXTENSION_FAILED"
	EventInvalidated     EventType = "INVALIDATED"
	EventExpired         EventType = "EXPIRED"
	EventBound           EventType = "BOUND"
	EventUnbound         EventType = "UNBOUND"
	EventSuperseded      EventType = "SUPERSEDED"
	EventRevoked         EventType = "REVOKED"
	EventErased          EventType = "ERASED"
)

// Event is one thing that happened to a token. Append-only: audit and history.
type Event struct {
	ID      uuid.UUID `gorm:"primaryKey"`
	TokenID uuid.UUID
	Type    EventType
	Time    time.Time
	Actor   string
	Reason  string
	WabaID  string
}

// TableName implements gorm's Tabler.
func (Event) TableName() string { return "token_events" }

// record writes an event in the transaction of what it tells.
func (s *Store) record(tx *gorm.DB, e Event) error {
	e.ID, e.Time = database.NewID(), s.now()
	e.Actor = cmp.Or(e.Actor, "token-broker")
	return tx.Session(&gorm.Session{NewDB: true}).Create(&e).Error
}

// ListEvents lists the events of a token, newest first, older than the given one where it is set.
func (s *Store) ListEvents(ctx context.Context, organization string, token uuid.UUID, before uuid.UUID, limit int) (events []Event, err error) {
	err = s.db.Read(ctx, func(tx *gorm.DB) error {
		if _, err := takeToken(tx.Where("organization_id = ?", organization), token); err != nil {
			return err
		}
		query := tx.Where("token_id = ?", token)
		if before != uuid.Nil {
			query = query.Where("id < ?", before)
		}
		return query.Order("id desc").Limit(limit).Find(&events).Error
	})
	return events, err
}

// Reveal counts how often a caller was shown a token within a minute.
type Reveal struct {
	Caller  string    `gorm:"primaryKey"`
	TokenID string    `gorm:"primaryKey"`
	Minute  time.Time `gorm:"primaryKey"`
	Count   int64
}

// TableName implements gorm's Tabler.
func (Reveal) TableName() string { return "token_reveals" }

// revealBatch keeps a statement under what databases take of parameters.
const revealBatch = 1000

// EraseReveals erases the counts of minutes before a time, a batch at a time, and counts them.
func (s *Store) EraseReveals(ctx context.Context, before time.Time, batch int) (erased int64, err error) {
	err = s.db.InTx(ctx, func(tx *gorm.DB) error {
		old := tx.Model(&Reveal{}).Select("caller, token_id, minute").Where("minute < ?", before).Order("minute").Limit(batch)
		gone := tx.Where("(caller, token_id, minute) in (?)", old).Delete(&Reveal{})
		erased = gone.RowsAffected
		return gone.Error
	})
	return erased, err
}

// CountReveals adds to the counts, all or none. No key may stand there twice.
func (s *Store) CountReveals(ctx context.Context, reveals []Reveal) error {
	return s.db.InTx(ctx, func(tx *gorm.DB) error {
		add := clause.OnConflict{
			Columns:   []clause.Column{{Name: "caller"}, {Name: "token_id"}, {Name: "minute"}},
			DoUpdates: clause.Assignments(map[string]any{"count": gorm.Expr("token_reveals.count + excluded.count")}),
		}
		return tx.Clauses(add).CreateInBatches(&reveals, revealBatch).Error
	})
}
