package store

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
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

// routes are the connections that the changes of one delivery belong to, by WABA and number; nil is nobody.
type routes map[[2]string]*Connection

// takeChange keeps a change and, where a connection holds its WABA, applies it.
func (s *Store) takeChange(tx *gorm.DB, known routes, n NewChange) error {
	change := n.Change
	change.ID = newID()
	var holder *Connection
	if change.State == ChangeWaiting {
		key, found := [2]string{change.WabaID, change.PhoneNumberID}, false
		if holder, found = known[key]; !found {
			var err error
			if holder, err = s.route(tx, change); err != nil {
				return err
			}
			known[key] = holder
		}
	}
	if holder != nil {
		change.resolve(*holder)
	}
	insert := tx.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "hash"}}, DoNothing: true}).Create(&change)
	if insert.Error != nil || insert.RowsAffected == 0 {
		return insert.Error
	}
	if err := s.offboard(tx, change, n.Effect.Account); err != nil || holder == nil {
		return err
	}
	return s.applyChange(tx, holder, change, n.Effect)
}

func (c *Change) resolve(holder Connection) {
	c.State, c.OrganizationID, c.ConnectionID = ChangeResolved, holder.OrganizationID, &holder.ID
}

// route finds the connection that a change belongs to: the one that holds its WABA, proven, if the number is one of its.
// Where WABA and number disagree, the change waits.
func (s *Store) route(tx *gorm.DB, change Change) (*Connection, error) {
	var holders []Connection
	err := tx.Where("waba_id = ? and state not in ?", change.WabaID, []ConnectionState{ConnectionDisconnected, ConnectionClaiming}).
		Limit(1).Find(&holders).Error
	if err != nil || len(holders) == 0 {
		return nil, err
	}
	if change.PhoneNumberID == "" {
		return &holders[0], nil
	}
	var known int64
	err = tx.Model(&PhoneNumber{}).Where("connection_id = ? and phone_number_id = ?", holders[0].ID, change.PhoneNumberID).Count(&known).Error
	if err != nil || known == 0 {
		return nil, err
	}
	return &holders[0], nil
}

// applyChange does what a change does to a connection, of which it keeps what it learns.
func (s *Store) applyChange(tx *gorm.DB, holder *Connection, change Change, effect Effect) error {
	c := *holder
	if err := s.applyMessages(tx, c, effect.Messages); err != nil {
		return err
	}
	for _, status := range effect.Statuses {
		if err := s.applyStatus(tx, c, status); err != nil {
			return err
		}
	}
	s.emit(tx, Event{
		OrganizationID: c.OrganizationID, ConnectionID: c.ID, PhoneNumberID: change.PhoneNumberID,
		Type: "change." + change.Field, ChangeID: &change.ID,
	})
	first, err := s.hear(tx, holder, change)
	if err != nil {
		return err
	}
	if err := s.keepContacts(tx, c.ID, effect.Contacts); err != nil {
		return err
	}
	if effect.Sync != nil {
		if err := s.applySync(tx, c, change.PhoneNumberID, *effect.Sync); err != nil {
			return err
		}
	}
	if effect.Account == nil && effect.Number == nil {
		if first {
			return s.reassess(tx, c.ID)
		}
		return nil
	}
	if err := s.applyNews(tx, c, change, effect); err != nil {
		return err
	}
	return s.reassess(tx, c.ID)
}

// hear moves the time of a connection's last event, and tells whether this is its first. What Meta tells us as a partner
// comes without the WABA's subscription, and proves nothing about it.
func (s *Store) hear(tx *gorm.DB, c *Connection, change Change) (first bool, err error) {
	if strings.HasPrefix(change.Event, "PARTNER_") || (c.LastEventTime != nil && !c.LastEventTime.Before(change.ReceiveTime)) {
		return false, nil
	}
	heard := tx.Model(&Connection{}).Where("id = ? and (last_event_time is null or last_event_time < ?)", c.ID, change.ReceiveTime)
	first, c.LastEventTime = c.LastEventTime == nil, &change.ReceiveTime
	return first, heard.Updates(map[string]any{"last_event_time": change.ReceiveTime}).Error
}

// WaitingChanges lists the changes of a connection's WABA that wait and may be its own, oldest first, after the given one.
func (s *Store) WaitingChanges(ctx context.Context, connection, after uuid.UUID, limit int) (list []Change, err error) {
	err = s.snapshot(ctx, func(tx *gorm.DB) error {
		waiting, since, err := waitingFor(tx, connection)
		if err != nil {
			return err
		}
		numbers := tx.Session(&gorm.Session{NewDB: true}).Model(&PhoneNumber{}).Select("phone_number_id").Where("connection_id = ?", connection)
		return waiting.Where("id > ? and receive_time >= ?", after, since).Where("phone_number_id = '' or phone_number_id in (?)", numbers).
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
	return tx.Where("waba_id = ? and state = ?", c.WabaID, ChangeWaiting), claim.CreateTime.Add(-lookBack), nil
}

// ResolveChange gives a waiting change to the connection that holds its WABA by now, if it came in time. One that can
// not be given stays.
func (s *Store) ResolveChange(ctx context.Context, change Change, effect Effect) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		holder, err := s.route(tx, change)
		if err != nil || holder == nil {
			return err
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
		return s.applyChange(tx, holder, next, effect)
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
			return s.applyChange(tx, &c, change, effect)
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
