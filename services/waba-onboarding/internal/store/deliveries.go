package store

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

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

// Delivery is one POST of Meta's, as it came. It has a row once it is split, or could not be.
type Delivery struct {
	ID          uuid.UUID `gorm:"primaryKey"`
	State       DeliveryState
	ReceiveTime time.Time
	SizeBytes   int
	ChangeCount int
	Body        []byte
}

// KeepDelivery keeps a delivery that can not be split yet, where it is seen and tried again.
func (s *Store) KeepDelivery(ctx context.Context, d Delivery) error {
	return s.inTx(ctx, func(tx *gorm.DB) error { return tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&d).Error })
}

// Unsplit lists deliveries of at least an age that are still to be split, oldest first, after an id.
func (s *Store) Unsplit(ctx context.Context, age time.Duration, after uuid.UUID, limit int) ([]uuid.UUID, error) {
	return read(ctx, s, func(tx *gorm.DB, ids *[]uuid.UUID) error {
		return tx.Model(&Delivery{}).Where("state = ? and receive_time <= ? and id > ?", DeliveryReceived, s.now().Add(-age), after).
			Order("id").Limit(limit).Pluck("id", ids).Error
	})
}

// FindDelivery reads a delivery with its bytes.
func (s *Store) FindDelivery(ctx context.Context, id uuid.UUID) (Delivery, error) {
	return read(ctx, s, func(tx *gorm.DB, d *Delivery) error { return tx.Where("id = ?", id).Take(d).Error })
}

// ListDeliveries lists deliveries, newest first, without their bytes.
func (s *Store) ListDeliveries(ctx context.Context, before uuid.UUID, limit int) ([]Delivery, error) {
	return read(ctx, s, func(tx *gorm.DB, list *[]Delivery) error {
		return page(tx.Omit("body"), before, limit).Find(list).Error
	})
}

// Split is a delivery and what it holds. One that is Unparsed holds nothing: it is no envelope.
type Split struct {
	Delivery Delivery
	Changes  []NewChange
	Unparsed bool
}

// SplitDeliveries writes down deliveries and what they hold and applies it, all in one commit. One that is split already
// is left alone; a change that came before, in whichever delivery, has no second effect.
func (s *Store) SplitDeliveries(ctx context.Context, parts []Split) error {
	err := s.splitTogether(ctx, parts)
	if errors.Is(err, errSplit) {
		if parts, err = s.unsplitOf(ctx, parts); err == nil {
			err = s.splitTogether(ctx, parts)
		}
	}
	return err
}

// errSplit says that somebody else split some of several deliveries.
var errSplit = errors.New("store: some of them are split already")

func (s *Store) splitTogether(ctx context.Context, parts []Split) error {
	if len(parts) == 0 {
		return nil
	}
	rows, changes := make([]Delivery, 0, len(parts)), []NewChange{}
	for _, part := range parts {
		row, of := part.rows()
		rows, changes = append(rows, row), append(changes, of...)
	}
	return s.inTx(ctx, func(tx *gorm.DB) error {
		insert := tx.Clauses(unlessSplit).Create(&rows)
		if insert.Error != nil {
			return insert.Error
		}
		if insert.RowsAffected < int64(len(rows)) {
			return errSplit // and nothing is written
		}
		return s.takeChanges(tx, changes)
	})
}

// rows are those of a delivery and of its changes.
func (p Split) rows() (d Delivery, changes []NewChange) {
	d = p.Delivery
	d.State, d.ChangeCount = DeliverySplit, len(p.Changes)
	if p.Unparsed {
		d.State = DeliveryUnparsed
	}
	for _, n := range p.Changes {
		n.Change.DeliveryID = d.ID
		changes = append(changes, n)
	}
	return d, changes
}

// SplitPiecemeal is SplitDeliveries for one that could not be split as a whole: each change is taken by itself, and one
// that can not be is kept as UNPARSED. It tells how many those are.
func (s *Store) SplitPiecemeal(ctx context.Context, part Split) (spoiled int, err error) {
	row, changes := part.rows()
	err = s.inTx(ctx, func(tx *gorm.DB) error {
		spoiled = 0
		insert := tx.Clauses(unlessSplit).Create(&row)
		if insert.Error != nil || insert.RowsAffected == 0 {
			return insert.Error
		}
		for _, n := range changes {
			err := undone(tx, func(tx *gorm.DB) error { return s.takeChanges(tx, []NewChange{n}) })
			if database.Passing(err) {
				return err
			}
			if err != nil {
				spoiled++
				err = s.takeChanges(tx, []NewChange{n.spoiled()})
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	return spoiled, err
}

// spoiled is what is kept of a change that can not be taken.
func (n NewChange) spoiled() NewChange {
	c := n.Change
	return NewChange{Change: Change{
		DeliveryID: c.DeliveryID, Field: c.Field, State: ChangeUnparsed, ReceiveTime: c.ReceiveTime, Hash: c.Hash,
		Value: append([]byte{}, c.Value...),
	}}
}

// unsplitOf leaves out what is split.
func (s *Store) unsplitOf(ctx context.Context, parts []Split) ([]Split, error) {
	ids := make([]uuid.UUID, 0, len(parts))
	for _, part := range parts {
		ids = append(ids, part.Delivery.ID)
	}
	split, err := read(ctx, s, func(tx *gorm.DB, split *[]uuid.UUID) error {
		return tx.Model(&Delivery{}).Where("id in ? and state <> ?", ids, DeliveryReceived).Pluck("id", split).Error
	})
	return slices.DeleteFunc(slices.Clone(parts), func(p Split) bool { return slices.Contains(split, p.Delivery.ID) }), err
}

// unlessSplit lets a delivery have a row already only while it is not split.
var unlessSplit = clause.OnConflict{
	Columns:   []clause.Column{{Name: "id"}},
	DoUpdates: clause.AssignmentColumns([]string{"state", "change_count"}),
	Where:     clause.Where{Exprs: []clause.Expression{clause.Eq{Column: "deliveries.state", Value: DeliveryReceived}}},
}
