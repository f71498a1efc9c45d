package store

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

// pruneBatch is how many rows one transaction removes, so that none holds its locks for long.
const pruneBatch = 1000

// Pruned counts what was removed.
type Pruned struct {
	Events, Changes, Waiting, Deliveries int64
	// Missed are those of the events that a destination had still to receive, by destination.
	Missed map[uuid.UUID]int64
}

// PruneArgs is the job that removes what is older than it must be kept.
type PruneArgs struct{}

// Kind implements river.JobArgs.
func (PruneArgs) Kind() string { return "prune" }

// Prune removes what Meta sent longer ago than it is kept, in batches: the entries of the stream, then the changes that
// nothing in the stream is about, then the deliveries. Waiting counts the changes among them that nobody ever claimed.
// Messages, connections and timelines stay, and contacts that were not removed. What fails holds up none of the others.
func (s *Store) Prune(ctx context.Context, keep time.Duration) (total Pruned, err error) {
	before := s.now().Add(-keep)
	_, contactsErr := whileFull(func() (int64, error) { return s.pruneContacts(ctx, before) })
	var eventsErr, changesErr, deliveriesErr error
	total.Events, eventsErr = whileFull(func() (int64, error) {
		removed, missed, err := s.pruneEvents(ctx, before)
		for _, m := range missed {
			if total.Missed == nil {
				total.Missed = map[uuid.UUID]int64{}
			}
			total.Missed[m.DestinationID] += m.Count
		}
		return removed, err
	})
	total.Changes, changesErr = whileFull(func() (int64, error) {
		removed, waiting, err := s.pruneChanges(ctx, before)
		total.Waiting += waiting
		return removed, err
	})
	total.Deliveries, deliveriesErr = whileFull(func() (int64, error) { return s.pruneDeliveries(ctx, before) })
	return total, errors.Join(contactsErr, eventsErr, changesErr, deliveriesErr)
}

// whileFull does batch after batch, as long as each is full.
func whileFull(batch func() (int64, error)) (total int64, err error) {
	for {
		done, err := batch()
		total += done
		if err != nil || done < pruneBatch {
			return total, err
		}
	}
}

// holdEvents is how long an event is kept for a destination that has still to receive it.
const holdEvents = 30 * 24 * time.Hour

// missed are events that a destination did not receive and will not.
type missed struct {
	DestinationID uuid.UUID
	Count         int64
}

// pruneEvents removes entries of the stream that no destination waits for, or waits for too long. It moves the horizon in
// the same transaction: a cursor meets either both or neither.
func (s *Store) pruneEvents(ctx context.Context, before time.Time) (removed int64, lost []missed, err error) {
	const nobodys = `(position <= (select position from destination_cursor)
			or position <= coalesce((select min(begin_position) from destinations), position))
		and not exists (select 1 from destination_events as waiting where waiting.position = events.position)`
	// Up to the first that is young: the stream behind it is long, and not looked at.
	const older = `time < ? and position < coalesce((select position from events where time >= ? order by position limit 1), 9223372036854775807)`
	err = s.inTx(ctx, func(tx *gorm.DB) error {
		var old []int64
		query := tx.Model(&Event{}).Where(older, before, before).Where("time < ? or ("+nobodys+")", s.now().Add(-holdEvents))
		removed, lost = 0, nil
		if err := query.Order("position").Limit(pruneBatch).Pluck("position", &old).Error; err != nil || len(old) == 0 {
			return err
		}
		waiting := tx.Model(&DestinationEvent{}).Select("destination_id, count(*) as count").Where("position in ?", old)
		if err := waiting.Group("destination_id").Scan(&lost).Error; err != nil {
			return err
		}
		last := old[len(old)-1]
		if err := tx.Table("event_horizon").Where("position < ?", last).Update("position", last).Error; err != nil {
			return err
		}
		result := tx.Where("position in ?", old).Delete(&Event{})
		removed = result.RowsAffected
		return result.Error
	})
	if err != nil {
		return 0, nil, err
	}
	return removed, lost, nil
}

func (s *Store) pruneChanges(ctx context.Context, before time.Time) (removed, waiting int64, err error) {
	err = s.inTx(ctx, func(tx *gorm.DB) error {
		old := tx.Model(&Change{}).Select("id").
			Where("receive_time < ? and not exists (select 1 from events where events.change_id = changes.id)", before).
			Order("receive_time").Limit(pruneBatch)
		var gone []Change
		if err := tx.Select("id", "state").Where("id in (?)", old).Find(&gone).Error; err != nil || len(gone) == 0 {
			return err
		}
		waiting = 0
		for _, change := range gone {
			if change.State == ChangeWaiting {
				waiting++
			}
		}
		result := tx.Delete(&gone)
		removed = result.RowsAffected
		return result.Error
	})
	return removed, waiting, err
}

func (s *Store) pruneDeliveries(ctx context.Context, before time.Time) (removed int64, err error) {
	err = s.inTx(ctx, func(tx *gorm.DB) error {
		old := tx.Model(&Delivery{}).Select("id").Where("receive_time < ? and state <> ?", before, DeliveryReceived).
			Order("receive_time").Limit(pruneBatch)
		result := tx.Where("id in (?)", old).Delete(&Delivery{})
		removed = result.RowsAffected
		return result.Error
	})
	return removed, err
}
