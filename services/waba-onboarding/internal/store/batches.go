package store

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/whatrack/connect/services/internal/database"
)

// Batch is what intake made durable with one commit: POSTs of Meta's, as they came, until they are split. One row holds
// them all, since PostgreSQL is paid by the row, and since what Meta sends in a moment is much alike: compressed together
// it is a fraction of its size.
type Batch struct {
	ID          uuid.UUID
	ReceiveTime time.Time
	Bodies      [][]byte
}

// Delivery is one POST of the batch, not split yet. Its id is the batch's with its place at the end, so that whoever
// splits it gives it the same one, and ids stay in order of time.
func (b Batch) Delivery(place int) Delivery {
	body := b.Bodies[place]
	d := Delivery{ID: b.ID, State: DeliveryReceived, ReceiveTime: b.ReceiveTime, SizeBytes: len(body), Body: body}
	binary.BigEndian.PutUint16(d.ID[14:], uint16(place)) //nolint:gosec // G115: a batch is bounded
	return d
}

// Size is how many bytes its bodies have.
func (b Batch) Size() (size int64) {
	for _, body := range b.Bodies {
		size += int64(len(body))
	}
	return size
}

// KeepBatch makes bodies durable with one statement, which is a commit and one trip to the server. A batch is either of
// bulk or holds none, so that whoever finds it knows by what way it goes.
func (s *Store) KeepBatch(ctx context.Context, bodies [][]byte, bulk bool) (Batch, error) {
	b := Batch{ID: database.NewID(), ReceiveTime: s.now(), Bodies: bodies}
	p, _ := packers.Get().(*packer) // which holds nothing else
	defer packers.Put(p)
	err := s.db.Exec(ctx, "insert into batches (id, receive_time, bodies, bulk) values (?, ?, ?, ?)",
		b.ID.String(), b.ReceiveTime, p.pack(bodies), bulk)
	if database.Duplicate(err) { // of an id that is nobody else's: it was committed, and its connection lost before we heard
		err = nil
	}
	return b, err
}

// Batches lists the batches, of bulk or the others, of at least an age that are still to be split, oldest first, after an id.
func (s *Store) Batches(ctx context.Context, bulk bool, age time.Duration, after uuid.UUID, limit int) ([]uuid.UUID, error) {
	return read(ctx, s, func(tx *gorm.DB, ids *[]uuid.UUID) error {
		return tx.Table("batches").Where("bulk = ? and receive_time <= ? and id > ?", bulk, s.now().Add(-age), after).
			Order("id").Limit(limit).Pluck("id", ids).Error
	})
}

// FindBatch reads a batch. ErrNotFound: it was split. ErrDamaged: its bytes are not what was written.
func (s *Store) FindBatch(ctx context.Context, id uuid.UUID) (Batch, error) {
	type packed struct {
		ReceiveTime time.Time
		Bodies      []byte
	}
	row, err := read(ctx, s, func(tx *gorm.DB, row *packed) error { return tx.Table("batches").Where("id = ?", id).Take(row).Error })
	if err != nil {
		return Batch{}, err
	}
	bodies, err := unpack(row.Bodies)
	if err != nil {
		return Batch{}, fmt.Errorf("batch %s: %w", id, err)
	}
	return Batch{ID: id, ReceiveTime: row.ReceiveTime, Bodies: bodies}, nil
}

// ForgetBatches removes batches of which every delivery has a row of its own.
func (s *Store) ForgetBatches(ctx context.Context, ids []uuid.UUID) error {
	return s.db.Exec(ctx, "delete from batches where id in ?", ids)
}
