package store

import (
	"context"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

// ChangeState is whose a change is.
type ChangeState string

// The states of a change.
const (
	ChangeResolved ChangeState = "RESOLVED"
	ChangeWaiting  ChangeState = "WAITING"
	ChangeUnparsed ChangeState = "UNPARSED"
	ChangeIgnored  ChangeState = "IGNORED"
)

// Change is one change of a delivery.
type Change struct {
	ID             uuid.UUID `gorm:"primaryKey"`
	DeliveryID     uuid.UUID
	OrganizationID string
	ConnectionID   *uuid.UUID
	Field          string
	State          ChangeState
	WabaID         string
	PhoneNumberID  string
	EntryID        string // of Meta's envelope, where it is not the WABA; else empty
	EntryTime      *time.Time
	ReceiveTime    time.Time
	Hash           string
	Value          []byte
	Event          string // of an account_update
}

// NewChange is a change as it was cut out, with what it does to a connection once it has one.
type NewChange struct {
	Change Change
	Effect Effect
}

// Effect is what a change does. Nil parts do nothing.
type Effect struct {
	Messages []MessageFact
	Statuses []StatusFact
	Account  *AccountFact
	Number   *NumberFact
	Sync     *SyncFact
	Contacts []Contact
}

// lookBack is how long before an onboarding's start a change may have come to be its connection's: nothing is lost to
// timing, and nothing of an earlier owner is handed over.
const lookBack = 10 * time.Minute

func (c *Change) resolve(holder Connection) {
	c.State, c.OrganizationID, c.ConnectionID = ChangeResolved, holder.OrganizationID, &holder.ID
}

// WaitingChanges lists the changes of a connection's WABA that wait and may be its own, oldest first, after the given one.
func (s *Store) WaitingChanges(ctx context.Context, connection, after uuid.UUID, limit int) (list []Change, err error) {
	err = s.snapshot(ctx, func(tx *gorm.DB) error {
		waiting, since, err := waitingFor(tx, connection)
		if err != nil {
			return err
		}
		return waiting.Where("id > ? and receive_time >= ?", after, since).Where("phone_number_id = '' or phone_number_id in (?)", numbersOf(tx, connection)).
			Order("id").Limit(limit).Find(&list).Error
	})
	return list, err
}

// waitingFor is the changes of a connection's WABA that wait, and since when they may have come to be its own.
func waitingFor(tx *gorm.DB, connection uuid.UUID) (waiting *gorm.DB, since time.Time, err error) {
	var c Connection
	if err := tx.Where("id = ?", connection).Take(&c).Error; err != nil {
		return nil, since, err
	}
	var claim Onboarding
	if err := tx.Where("id = ?", c.OnboardingID).Take(&claim).Error; err != nil {
		return nil, since, err
	}
	var earlier []Connection // of others, which were proven and given up
	query := tx.Where("waba_id = ? and organization_id <> ? and state = ? and subscription_time is not null", c.WabaID, c.OrganizationID, ConnectionDisconnected)
	if err := query.Order("state_time desc").Limit(1).Find(&earlier).Error; err != nil {
		return nil, since, err
	}
	since = claim.CreateTime
	if c.HoldTime != nil { // what waited since before a reconnection is its own too
		since = *c.HoldTime
	}
	since = since.Add(-lookBack)
	if len(earlier) > 0 && earlier[0].StateTime.After(since) {
		since = earlier[0].StateTime
	}
	return tx.Where("waba_id = ? and state = ?", c.WabaID, ChangeWaiting), since, nil
}

// ResolveChange gives a waiting change to the connection that holds its WABA by now, if it came in time. One that can
// not be given stays.
func (s *Store) ResolveChange(ctx context.Context, change Change, effect Effect) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		holders, err := routesOf(tx, []Change{change})
		if err != nil {
			return err
		}
		holder := holders.of(change)
		if holder == nil {
			return nil
		}
		_, since, err := waitingFor(tx, holder.ID)
		if err != nil || change.ReceiveTime.Before(since) {
			return err
		}
		next := change
		next.resolve(*holder)
		mine := tx.Model(&Change{}).Where("id = ? and state = ?", change.ID, ChangeWaiting).
			Select("state", "organization_id", "connection_id").Updates(next)
		if mine.Error != nil || mine.RowsAffected == 0 {
			return mine.Error
		}
		return s.applyChanges(tx, []taken{{Change: next, effect: effect, holder: holder}})
	})
}

// IgnoreStale ends the wait of changes that came for an earlier owner of a connection's WABA, or for none.
func (s *Store) IgnoreStale(ctx context.Context, connection uuid.UUID) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		waiting, since, err := waitingFor(tx, connection)
		if err != nil {
			return err
		}
		return waiting.Model(&Change{}).Where("receive_time < ?", since).Update("state", ChangeIgnored).Error
	})
}

// ReplayChange takes a change anew: one that waits goes to the connection that holds its WABA, if it came in time; one
// that has a connection is applied and told to followers once more. What it did it does not do twice, and news, which
// are of their moment, are not repeated.
func (s *Store) ReplayChange(ctx context.Context, organization string, id uuid.UUID, read func(Change) Effect) (Change, error) {
	change, err := s.FindChange(ctx, organization, id)
	if err != nil {
		return change, err
	}
	switch change.State {
	case ChangeWaiting:
		err = s.ResolveChange(ctx, change, read(change))
	case ChangeResolved:
		effect := read(change)
		effect.Account, effect.Number = nil, nil
		err = s.inTx(ctx, func(tx *gorm.DB) error {
			var c Connection
			if err := s.db.ForUpdate(tx).Where("id = ?", *change.ConnectionID).Take(&c).Error; err != nil {
				return err
			}
			return s.applyChanges(tx, []taken{{Change: change, effect: effect, holder: &c}})
		})
	case ChangeUnparsed, ChangeIgnored: // nothing to be done with it
	}
	if err != nil {
		return change, err
	}
	return s.FindChange(ctx, organization, id)
}

// ChangeFilter narrows a list of changes; zero parts are all.
type ChangeFilter struct {
	Organization string
	ConnectionID uuid.UUID
	Fields       []string
	States       []string
}

// ListChanges lists changes, newest first, without their values.
func (s *Store) ListChanges(ctx context.Context, f ChangeFilter, before uuid.UUID, limit int) (list []Change, err error) {
	err = s.db.Read(ctx, func(tx *gorm.DB) error {
		query := within(tx, f.Organization).Omit("value")
		if f.ConnectionID != uuid.Nil {
			query = query.Where("connection_id = ?", f.ConnectionID)
		}
		if len(f.Fields) > 0 {
			query = query.Where("field in ?", f.Fields)
		}
		if len(f.States) > 0 {
			query = query.Where("state in ?", f.States)
		}
		return page(query, before, limit).Find(&list).Error
	})
	return list, err
}

// FindChange reads a change with its value.
func (s *Store) FindChange(ctx context.Context, organization string, id uuid.UUID) (change Change, err error) {
	err = s.read(ctx, func(tx *gorm.DB) error {
		change = Change{}
		return within(tx, organization).Where("id = ?", id).Take(&change).Error
	})
	return change, err
}
