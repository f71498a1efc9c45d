package store

import (
	"context"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

// ChangeState is whose a change is.
type ChangeState string

// The states of a change.
const (
	ChangeResolved ChangeState = "RESOLVED"
	ChangeWaiting  ChangeState = "WAITING"
	ChangeUnparsed ChangeState = "UNPARSED"
	ChangeIgnored  ChangeState = "IGNORED"
)

// Change is one change of a delivery.
type Change struct {
	ID             uuid.UUID `gorm:"primaryKey"`
	DeliveryID     uuid.UUID
	OrganizationID string
	ConnectionID   *uuid.UUID
	Field          string
	State          ChangeState
	WabaID         string
	PhoneNumberID  string
	EntryID        string // of Meta's envelope, where it is not the WABA; else empty
	EntryTime      *time.Time
	ReceiveTime    time.Time
	Hash           string
	Value          []byte
	Event          string // of an account_update
}

// NewChange is a change as it was cut out, with what it does to a connection once it has one.
type NewChange struct {
	Change Change
	Effect Effect
}

// Effect is what a change does. Nil parts do nothing.
type Effect struct {
	Messages []MessageFact
	Statuses []StatusFact
	Account  *AccountFact
	Number   *NumberFact
	Sync     *SyncFact
	Contacts []Contact
}

// ChangeFilter narrows a list of changes; zero parts are all.
type ChangeFilter struct {
	Organization string
	ConnectionID uuid.UUID
	Fields       []string
	States       []string
}

// ListChanges lists changes, newest first, without their values.
func (s *Store) ListChanges(ctx context.Context, f ChangeFilter, before uuid.UUID, limit int) ([]Change, error) {
	return read(ctx, s, func(tx *gorm.DB, list *[]Change) error {
		query := within(tx, f.Organization).Omit("value")
		if f.ConnectionID != uuid.Nil {
			query = query.Where("connection_id = ?", f.ConnectionID)
		}
		if len(f.Fields) > 0 {
			query = query.Where("field in ?", f.Fields)
		}
		if len(f.States) > 0 {
			query = query.Where("state in ?", f.States)
		}
		return page(query, before, limit).Find(list).Error
	})
}

// FindChange reads a change with its value.
func (s *Store) FindChange(ctx context.Context, organization string, id uuid.UUID) (Change, error) {
	return read(ctx, s, func(tx *gorm.DB, change *Change) error {
		return within(tx, organization).Where("id = ?", id).Take(change).Error
	})
}
