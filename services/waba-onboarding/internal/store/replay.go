package store

import (
	"context"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

// Reader reads what Meta sends.
type Reader interface {
	// Cut cuts the body of a delivery into changes; ok is false for what is no envelope.
	Cut(body []byte, received time.Time) (changes []NewChange, ok bool)
	// Read reads what a change does.
	Read(change Change) Effect
}

// ReplayChange takes a change anew: one that waits goes to the connection that holds its WABA, if it came in time; one
// that could not be read or applied then, and can be by now, does too; one that has a connection is applied and told to
// followers once more. What it did it does not do twice, and news, which are of their moment, are not repeated.
func (s *Store) ReplayChange(ctx context.Context, organization string, id uuid.UUID, reader Reader) (Change, error) {
	change, err := s.FindChange(ctx, organization, id)
	if err != nil {
		return change, err
	}
	switch change.State {
	case ChangeUnparsed:
		err = s.readAnew(ctx, change, reader)
	case ChangeWaiting:
		err = s.resolveTogether(ctx, []NewChange{{change, reader.Read(change)}})
	case ChangeResolved:
		err = s.applyAnew(ctx, change, reader.Read(change))
	case ChangeIgnored: // nothing to be done with it
	}
	if err != nil {
		return change, err
	}
	return s.FindChange(ctx, organization, id)
}

// readAnew cuts a change out of its delivery once more. What can still not be read or applied stays UNPARSED.
func (s *Store) readAnew(ctx context.Context, change Change, reader Reader) error {
	d, err := s.FindDelivery(ctx, change.DeliveryID)
	if err != nil {
		return err
	}
	changes, _ := reader.Cut(d.Body, d.ReceiveTime)
	for _, n := range changes {
		if n.Change.Hash != change.Hash || n.Change.State != ChangeWaiting {
			continue
		}
		n.Change.ID, n.Change.DeliveryID = change.ID, change.DeliveryID
		if err := s.waitAnew(ctx, n.Change); err != nil {
			return err
		}
		_, err := s.ResolveChanges(ctx, []NewChange{n})
		return err
	}
	return nil
}

// waitAnew lets a change wait that could not be read before.
func (s *Store) waitAnew(ctx context.Context, change Change) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		return tx.Model(&Change{}).Where("id = ? and state = ?", change.ID, ChangeUnparsed).
			Select("state", "waba_id", "phone_number_id", "entry_id", "entry_time", "event").Updates(change).Error
	})
}

func (s *Store) applyAnew(ctx context.Context, change Change, effect Effect) error {
	effect.Account, effect.Number = nil, nil
	return s.inTx(ctx, func(tx *gorm.DB) error {
		c, err := lock[Connection](s, tx, *change.ConnectionID)
		if err != nil {
			return err
		}
		return s.applyChanges(tx, []taken{{Change: change, effect: effect, holder: &c}})
	})
}
