package store

import (
	"context"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/whatrack/connect/services/internal/database"
)

type binding struct {
	OrganizationID string `gorm:"primaryKey"`
	WabaID         string `gorm:"primaryKey"`
	TokenID        uuid.UUID
	BindTime       time.Time
}

func (binding) TableName() string { return "token_wabas" }

// Binding is what Bind is asked for.
type Binding struct {
	OrganizationID, WabaID string
	TokenID                uuid.UUID
	Actor                  string
}

// Bind makes a token the one that serves a WABA and answers the token that it replaces, which is erased with its last
// binding. Binding the same again changes nothing. ErrNotFound for a token of nobody or another; *NotActiveError for
// one that is not ACTIVE, so that a paused twin can not undo a newer bind.
func (s *Store) Bind(ctx context.Context, b Binding) (replaced *uuid.UUID, err error) {
	err = s.db.InTx(ctx, func(tx *gorm.DB) error {
		replaced = nil
		token, err := takeToken(s.db.ForUpdate(tx).Where("organization_id = ?", b.OrganizationID), b.TokenID)
		if err != nil {
			return err
		}
		if token.State != Active {
			return &NotActiveError{token.State}
		}
		old, err := s.putBinding(tx, b)
		if err != nil || (old != nil && *old == b.TokenID) {
			return err
		}
		if err := s.record(tx, Event{TokenID: b.TokenID, Type: EventBound, Actor: b.Actor, WabaID: b.WabaID}); err != nil {
			return err
		}
		if old == nil {
			return nil
		}
		replaced = old
		return s.release(tx, *old, Ending{
			State: Superseded, Actor: b.Actor, WabaID: b.WabaID, Erase: true, Event: EventSuperseded,
		})
	})
	return replaced, err
}

// putBinding writes a binding and answers the token that had it before, nil when none had. It inserts first: of two that
// bind a WABA at once, the second waits here for the first, and then sees what it replaces.
func (s *Store) putBinding(tx *gorm.DB, b Binding) (old *uuid.UUID, err error) {
	row := binding{OrganizationID: b.OrganizationID, WabaID: b.WabaID, TokenID: b.TokenID, BindTime: s.now()}
	for {
		insert := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row)
		if insert.Error != nil || insert.RowsAffected == 1 {
			return nil, insert.Error
		}
		before, err := s.takeBinding(tx, b.OrganizationID, b.WabaID)
		if err != nil {
			return nil, err
		}
		if before == nil { // unbound in this very moment
			continue
		}
		if before.TokenID == b.TokenID {
			return &before.TokenID, nil
		}
		update := tx.Model(&binding{}).Where("organization_id = ? and waba_id = ?", b.OrganizationID, b.WabaID).
			Updates(map[string]any{"token_id": b.TokenID, "bind_time": row.BindTime})
		return &before.TokenID, update.Error
	}
}

// Unbind ends a binding, and with its last one the token. Without a binding nothing changes.
func (s *Store) Unbind(ctx context.Context, organization, waba, actor string) (replaced *uuid.UUID, err error) {
	err = s.db.InTx(ctx, func(tx *gorm.DB) error {
		replaced = nil
		old, err := s.takeBinding(tx, organization, waba)
		if err != nil || old == nil {
			return err
		}
		// Locked before anything refers to it: the event's foreign key takes a lock too, of which two at once would keep
		// each other from this one.
		if _, err := takeToken(s.db.ForUpdate(tx), old.TokenID); err != nil {
			return err
		}
		gone := tx.Where("organization_id = ? and waba_id = ?", organization, waba).Delete(&binding{})
		if gone.Error != nil {
			return gone.Error
		}
		replaced = &old.TokenID
		if err := s.record(tx, Event{TokenID: old.TokenID, Type: EventUnbound, Actor: actor, WabaID: waba}); err != nil {
			return err
		}
		return s.release(tx, old.TokenID, Ending{
			State: Revoked, Reason: "UNBOUND", Actor: actor, WabaID: waba, Erase: true, Event: EventRevoked,
		})
	})
	return replaced, err
}

func (s *Store) takeBinding(tx *gorm.DB, organization, waba string) (*binding, error) {
	return database.First[binding](s.db.ForUpdate(tx).Where("organization_id = ? and waba_id = ?", organization, waba))
}

// release ends a token that lost a binding, if it was the last, and if it has not ended before. The token is locked
// before its bindings are counted: of two that end its last two bindings at once, the second sees that none is left.
func (s *Store) release(tx *gorm.DB, id uuid.UUID, end Ending) error {
	token, err := takeToken(s.db.ForUpdate(tx), id)
	if err != nil || token.State == Revoked || token.State == Superseded {
		return err
	}
	var left int64
	if err := tx.Model(&binding{}).Where("token_id = ?", id).Count(&left).Error; err != nil || left > 0 {
		return err
	}
	return s.end(tx, id, end)
}
