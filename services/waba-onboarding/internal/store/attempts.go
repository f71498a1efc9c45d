package store

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/whatrack/connect/services/internal/database"
)

// DestinationAttempt is one try to send something to a destination. Append-only.
type DestinationAttempt struct {
	ID              uuid.UUID `gorm:"primaryKey"`
	DestinationID   uuid.UUID
	EventID         uuid.UUID
	EventType       string
	ChangeID        *uuid.UUID
	Time            time.Time
	HTTPStatus      int `gorm:"column:http_status"`
	Error           string
	DurationMS      int64 `gorm:"column:duration_ms"`
	Attempt         int
	NextAttemptTime *time.Time

	// RetryAfter is for how long the receiver wants to be left alone.
	RetryAfter time.Duration `gorm:"-"`
}

// Received tells whether the receiver took it.
func (a *DestinationAttempt) Received() bool { return a.Error == "" }

// statusGone is a receiver's word that it wants nothing any more.
const statusGone = 410

// retryPauses are the pauses between the tries of one event: about 28 hours together, and longer for a receiver that asks
// for more time. It never gets less than that by asking.
func retryPauses() []time.Duration {
	return []time.Duration{
		5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute,
		time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 12 * time.Hour,
	}
}

// EndParcel writes down what came of an attempt, and what follows for the lane and the destination. When it was received
// and the sender goes on, the next parcel of the lane is his; nil when there is none for him. ErrFenced when the lane is
// another's by now, and ErrNotFound when the destination is gone: then nothing is written.
func (s *Store) EndParcel(ctx context.Context, p Parcel, a DestinationAttempt, goOn bool) (next *Parcel, err error) {
	err = s.inTx(ctx, func(tx *gorm.DB) (err error) {
		next, err = s.endParcel(tx, p, a, goOn)
		return err
	})
	return next, err
}

func (s *Store) endParcel(tx *gorm.DB, p Parcel, a DestinationAttempt, goOn bool) (*Parcel, error) {
	d, err := lock[Destination](s, tx, p.Destination.ID)
	if err != nil {
		return nil, err
	}
	var lane Lane
	held := s.db.ForUpdate(tx).Where("destination_id = ? and lane = ? and epoch = ?", d.ID, p.Lane.Lane, p.Lane.Epoch)
	if err := database.OneRow(held.Limit(1).Find(&lane), ErrFenced); err != nil {
		return nil, err
	}
	lane.Attempts++
	a.ID, a.DestinationID, a.Attempt = database.NewID(), d.ID, lane.Attempts
	a.EventID, a.EventType, a.ChangeID = p.Event.ID, p.Event.Type, p.Event.ChangeID
	if a.Received() {
		next, err := s.received(tx, d, lane, p.Event, goOn)
		if err != nil {
			return nil, err
		}
		return next, tx.Create(&a).Error
	}
	if a.NextAttemptTime, err = s.refused(tx, d, lane, a); err != nil {
		return nil, err
	}
	return nil, tx.Create(&a).Error
}

func (s *Store) received(tx *gorm.DB, d Destination, lane Lane, event Event, goOn bool) (*Parcel, error) {
	mended := map[string]any{"last_success_time": s.now()}
	if d.State == DestinationActive {
		d.Reason, mended["reason"] = "", ""
	}
	if err := tx.Model(&Destination{}).Where("id = ?", d.ID).Updates(mended).Error; err != nil {
		return nil, err
	}
	if err := tx.Delete(&DestinationEvent{DestinationID: d.ID, Position: event.Position}).Error; err != nil {
		return nil, err
	}
	lane.Attempts, lane.Failures = 0, 0
	if goOn && d.State == DestinationActive {
		return s.load(tx, d, lane)
	}
	return nil, s.release(tx, d, lane, s.now())
}

// release gives a leased lane back, to be due at a time, unless its destination rests or there is nothing left in it.
func (s *Store) release(tx *gorm.DB, d Destination, lane Lane, due time.Time) error {
	first, err := firstOf(tx, lane)
	if err != nil {
		return err
	}
	if first == nil {
		return laneRow(tx, lane).Delete(&Lane{}).Error
	}
	lane.Leased, lane.RunTime = false, nil
	if d.State == DestinationActive {
		lane.RunTime = &due
	}
	return saveLane(tx, lane)
}

// refused lets the lane try again later, or holds the destination when it has tried for long enough.
func (s *Store) refused(tx *gorm.DB, d Destination, lane Lane, a DestinationAttempt) (next *time.Time, err error) {
	lane.Failures++
	pauses := retryPauses()
	reason := a.Error
	switch {
	case d.State != DestinationActive:
	case a.HTTPStatus == statusGone:
		err = s.moveDestination(tx, &d, DestinationDisabled, reason, "")
	case lane.Failures > len(pauses):
		err = s.moveDestination(tx, &d, DestinationHeld, reason, "")
	default:
		pause := pauses[lane.Failures-1]
		next = ptr(s.now().Add(max(pause, a.RetryAfter) + rand.N(pause/10))) //nolint:gosec // jitter
		err = tx.Model(&Destination{}).Where("id = ? and reason <> ?", d.ID, reason).Update("reason", reason).Error
	}
	if err != nil {
		return nil, err
	}
	due := s.now()
	if next != nil {
		due = *next
	}
	return next, s.release(tx, d, lane, due)
}

// RecordAttempt keeps an attempt that is of no event of the stream.
func (s *Store) RecordAttempt(ctx context.Context, a DestinationAttempt) (DestinationAttempt, error) {
	a.ID = database.NewID()
	err := s.inTx(ctx, func(tx *gorm.DB) error { return tx.Create(&a).Error })
	return a, err
}

// ListAttempts lists what was sent to a destination, newest first.
func (s *Store) ListAttempts(ctx context.Context, organization string, destination, before uuid.UUID, limit int) ([]DestinationAttempt, error) {
	return read(ctx, s, func(tx *gorm.DB, list *[]DestinationAttempt) error {
		var d Destination
		if err := within(tx, organization).Select("id").Where("id = ?", destination).Take(&d).Error; err != nil {
			return err
		}
		return page(tx.Where("destination_id = ?", destination), before, limit).Find(list).Error
	})
}

// attemptLife is how long attempts are kept.
const attemptLife = 7 * 24 * time.Hour

// sweepAttempts removes attempts that are too old.
func (s *Store) sweepAttempts(ctx context.Context) error {
	return s.deleteInBatches(ctx, "delete from destination_attempts where id in (select id from destination_attempts where id < @id order by id limit @batch)",
		firstIDAt(s.now().Add(-attemptLife)))
}
