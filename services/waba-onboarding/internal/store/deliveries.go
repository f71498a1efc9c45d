package store

import (
	"context"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

// DeliveryState is how far a delivery got.
type DeliveryState string

// The states of a delivery.
const (
	DeliveryReceived DeliveryState = "RECEIVED"
	DeliverySplit    DeliveryState = "SPLIT"
	DeliveryUnparsed DeliveryState = "UNPARSED"
)

// Delivery is one POST of Meta's, as it came.
type Delivery struct {
	ID          uuid.UUID `gorm:"primaryKey"`
	BatchID     uuid.UUID
	State       DeliveryState
	ReceiveTime time.Time
	SizeBytes   int
	ChangeCount int
	Body        []byte
}

// SplitArgs is the job that cuts the deliveries of a batch into changes.
type SplitArgs struct {
	BatchID uuid.UUID `json:"batchId"`
}

// Kind implements river.JobArgs.
func (SplitArgs) Kind() string { return "split_deliveries" }

// InsertDeliveries makes bodies durable with one commit, and enqueues the one job that splits them in it.
func (s *Store) InsertDeliveries(ctx context.Context, bodies [][]byte) error {
	batch, now := newID(), s.now()
	rows := make([]Delivery, 0, len(bodies))
	for _, body := range bodies {
		rows = append(rows, Delivery{
			ID: newID(), BatchID: batch, State: DeliveryReceived, ReceiveTime: now, SizeBytes: len(body), Body: body,
		})
	}
	return s.inTx(ctx, func(tx *gorm.DB) error {
		if err := tx.Create(&rows).Error; err != nil {
			return err
		}
		return s.queue.Add(ctx, tx, SplitArgs{batch})
	})
}

// Unsplit lists the deliveries of a batch that are still to be split.
func (s *Store) Unsplit(ctx context.Context, batch uuid.UUID) (ids []uuid.UUID, err error) {
	err = s.db.Read(ctx, func(tx *gorm.DB) error {
		return tx.Model(&Delivery{}).Where("batch_id = ? and state = ?", batch, DeliveryReceived).Order("id").Pluck("id", &ids).Error
	})
	return ids, err
}

// FindDelivery reads a delivery with its bytes.
func (s *Store) FindDelivery(ctx context.Context, id uuid.UUID) (d Delivery, err error) {
	err = s.read(ctx, func(tx *gorm.DB) error {
		d = Delivery{}
		return tx.Where("id = ?", id).Take(&d).Error
	})
	return d, err
}

// ListDeliveries lists deliveries, newest first, without their bytes.
func (s *Store) ListDeliveries(ctx context.Context, before uuid.UUID, limit int) (list []Delivery, err error) {
	err = s.db.Read(ctx, func(tx *gorm.DB) error { return page(tx.Omit("body"), before, limit).Find(&list).Error })
	return list, err
}

// SplitDelivery writes down what a delivery holds and applies it, all in one commit. A delivery that is split already is
// left alone; a change that came before, in whichever delivery, has no second effect.
func (s *Store) SplitDelivery(ctx context.Context, id uuid.UUID, changes []NewChange, state DeliveryState) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		mine := tx.Model(&Delivery{}).Where("id = ? and state = ?", id, DeliveryReceived).
			Updates(map[string]any{"state": state, "change_count": len(changes)})
		if mine.Error != nil || mine.RowsAffected == 0 {
			return mine.Error
		}
		for _, change := range changes {
			change.Change.DeliveryID = id
			if err := s.takeChange(tx, change); err != nil {
				return err
			}
		}
		return nil
	})
}
