package store

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/whatrack/connect/services/internal/database"
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
	State       DeliveryState
	ReceiveTime time.Time
	SizeBytes   int
	ChangeCount int
	Body        []byte
}

// InsertDeliveries makes bodies durable with one statement, which is a commit and one trip to the server: what a lone
// body costs is what a row costs.
func (s *Store) InsertDeliveries(ctx context.Context, bodies [][]byte) (ids []uuid.UUID, err error) {
	for range bodies {
		ids = append(ids, newID())
	}
	statement, args := `insert into deliveries (id, state, receive_time, size_bytes, change_count, body)
		select id, 'RECEIVED', $1, octet_length(body), 0, body from unnest($2::uuid[], $3::bytea[]) as d (id, body)`,
		[]any{s.now(), ids, bodies}
	if s.db.Dialect() == database.SQLite {
		statement, args = s.insertRows(ids, bodies)
	}
	err = s.db.Exec(ctx, statement, args...)
	if database.Duplicate(err) { // of ids that are nobody else's: it was committed, and its connection lost before we heard
		err = nil
	}
	return ids, err
}

// insertRows is the statement for SQLite, which has no arrays.
func (s *Store) insertRows(ids []uuid.UUID, bodies [][]byte) (statement string, args []any) {
	now := s.now()
	for i, body := range bodies {
		args = append(args, ids[i], now, len(body), body)
	}
	rows := strings.Repeat(", (?, 'RECEIVED', ?, ?, 0, ?)", len(bodies))[len(", "):]
	return "insert into deliveries (id, state, receive_time, size_bytes, change_count, body) values " + rows, args
}

// Unsplit lists deliveries of at least an age that are still to be split, oldest first, after an id.
func (s *Store) Unsplit(ctx context.Context, age time.Duration, after uuid.UUID, limit int) (ids []uuid.UUID, err error) {
	err = s.db.Read(ctx, func(tx *gorm.DB) error {
		return tx.Model(&Delivery{}).Where("state = ? and receive_time <= ? and id > ?", DeliveryReceived, s.now().Add(-age), after).
			Order("id").Limit(limit).Pluck("id", &ids).Error
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
		known := routes{}
		for _, change := range changes {
			change.Change.DeliveryID = id
			if err := s.takeChange(tx, known, change); err != nil {
				return err
			}
		}
		return nil
	})
}
