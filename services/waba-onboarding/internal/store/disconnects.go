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
		var busy *time.Time
		if s.Worked(&o) && o.Steps.Get(StepSubscribe).State != StepPending {
			busy = o.RunTime
		}
		if err := s.fail(tx, &o, errorsv1.ErrorReason_DISCONNECTING.String(), nil); err != nil {
			return err
		}
		if err := tx.Model(&Onboarding{}).Where("id = ?", o.ID).Update("run_time", busy).Error; err != nil {
			return err
		}
	}
	return nil
}

// Subscriber is the token of a claim that the disconnection ended and that may have subscribed us; empty where there is
// none. It is busy while that claim's worker may still be at it.
func (s *Store) Subscriber(ctx context.Context, c Connection) (tokenID string, busy bool, err error) {
	claims, err := read(ctx, s, func(tx *gorm.DB, claims *[]Onboarding) error {
		ended := tx.Where("connection_id = ? and state = ? and state_time >= ?", c.ID, Failed, c.DisconnectTime)
		return ended.Order("id").Find(claims).Error
	})
	for _, o := range claims {
		if o.Steps.Get(StepSubscribe).State != StepPending {
			tokenID = o.TokenID
			busy = busy || (o.RunTime != nil && s.now().Before(*o.RunTime))
		}
	}
	return tokenID, busy, err
}

// LeaveClaim records that the worker of a claim that somebody else ended is no longer at it.
func (s *Store) LeaveClaim(ctx context.Context, id uuid.UUID) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		return tx.Model(&Onboarding{}).Where("id = ? and state = ?", id, Failed).Update("run_time", nil).Error
	})
}

// PostponeDisconnect says when the job comes again.
func (s *Store) PostponeDisconnect(ctx context.Context, c Connection, delay time.Duration) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		return changeEnding(tx, c, map[string]any{"run_time": s.now().Add(delay + slack)})
	})
}

// MarkUnsubscribed records that Meta was told; or, with the reason and its variables, that it is told no more.
func (s *Store) MarkUnsubscribed(ctx context.Context, c Connection, reason string, said map[string]string) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		err := changeEnding(tx, c, map[string]any{
			"unsubscribed": true, "subscription_proven": false, "run_time": s.now().Add(jobLife),
		})
		if err != nil || reason == "" {
			return err
		}
		told := c.activity("UNSUBSCRIBE_FAILED", "", reason)
		told.Metadata = said
		return s.note(tx, told)
	})
}

func changeEnding(tx *gorm.DB, c Connection, columns map[string]any) error {
	return database.OneRow(tx.Model(&Connection{}).Where("id = ? and epoch = ?", c.ID, c.Epoch).Updates(columns), ErrFenced)
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
