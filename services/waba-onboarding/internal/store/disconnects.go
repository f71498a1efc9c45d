package store

import (
	"context"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	"github.com/whatrack/connect/services/internal/database"
)

// DisconnectArgs is the job that ends a connection.
type DisconnectArgs struct {
	ConnectionID uuid.UUID `json:"connectionId"`
}

// Kind implements river.JobArgs.
func (DisconnectArgs) Kind() string { return "disconnect_connection" }

// RequestDisconnect records that a connection is to end, ends a claim of it that has not begun to bind, and enqueues the
// job. Asking again changes nothing.
func (s *Store) RequestDisconnect(ctx context.Context, organization string, id uuid.UUID, actor string) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		c, err := lock[Connection](s, within(tx, organization), id)
		if err != nil {
			return err
		}
		if !c.Live() {
			return nil
		}
		now := s.now()
		update := tx.Model(&Connection{}).Where("id = ?", id).Updates(map[string]any{
			"disconnect_time": now, "disconnect_actor": actor, "unsubscribed": false, "epoch": c.Epoch + 1, "run_time": now.Add(slack),
		})
		if update.Error != nil {
			return update.Error
		}
		if err := s.cancelClaims(tx, c.ID); err != nil {
			return err
		}
		if err := s.note(tx, c.activity("DISCONNECT_REQUESTED", actor, "")); err != nil {
			return err
		}
		if err := s.queue.Add(ctx, tx, DisconnectArgs{id}); err != nil {
			return err
		}
		return s.reassess(tx, id)
	})
}

func (s *Store) cancelClaims(tx *gorm.DB, connection uuid.UUID) error {
	var claims []Onboarding
	query := s.db.ForUpdate(tx).Where("connection_id = ? and state = ?", connection, Claiming)
	if err := query.Find(&claims).Error; err != nil {
		return err
	}
	for _, o := range claims {
		if o.Steps.bindBegun() {
			continue // it only goes forward; the job waits for it
		}
		if err := s.fail(tx, &o, errorsv1.ErrorReason_DISCONNECTING.String(), nil); err != nil {
			return err
		}
	}
	return nil
}

// PostponeDisconnect says when the job comes again.
func (s *Store) PostponeDisconnect(ctx context.Context, c Connection, delay time.Duration) error {
	return s.changeEnding(ctx, c, map[string]any{"run_time": s.now().Add(delay + slack)})
}

// MarkUnsubscribed records that Meta was told, or refused to hear it.
func (s *Store) MarkUnsubscribed(ctx context.Context, c Connection) error {
	return s.changeEnding(ctx, c, map[string]any{
		"unsubscribed": true, "subscription_proven": false, "run_time": s.now().Add(jobLife),
	})
}

func (s *Store) changeEnding(ctx context.Context, c Connection, columns map[string]any) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		mine := tx.Model(&Connection{}).Where("id = ? and epoch = ?", c.ID, c.Epoch)
		return database.OneRow(mine.Updates(columns), ErrFenced)
	})
}

// EndConnection gives the WABA up. The history stays.
func (s *Store) EndConnection(ctx context.Context, c Connection) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		mine := tx.Model(&Connection{}).Where("id = ? and epoch = ?", c.ID, c.Epoch).Updates(map[string]any{
			"state": ConnectionDisconnected, "state_time": s.now(), "reasons": "[]", "token_id": "", "token_state": "",
			"token_expire_time": nil, "subscription_proven": false, "run_time": nil, "seek_time": nil, "epoch": c.Epoch + 1,
		})
		if err := database.OneRow(mine, ErrFenced); err != nil {
			return err
		}
		idle := tx.Model(&PhoneNumber{}).Where("connection_id = ?", c.ID).Updates(map[string]any{"run_time": nil, "epoch": gorm.Expr("epoch + 1")})
		if idle.Error != nil {
			return idle.Error
		}
		if err := s.idleSyncs(tx, c.ID); err != nil {
			return err
		}
		c.State, c.Reasons = ConnectionDisconnected, nil
		s.emitState(tx, c)
		return s.note(tx, c.activity("DISCONNECTED", c.DisconnectActor, ""))
	})
}
