package store

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/whatrack/connect/services/internal/database"
)

// Event is one entry of the stream that followers and destinations read: a change of a connection, or a state that it
// took. Positions become visible in order, so that a cursor misses none.
type Event struct {
	Position       int64     `gorm:"primaryKey;autoIncrement"`
	ID             uuid.UUID // version 7
	OrganizationID string
	ConnectionID   uuid.UUID
	PhoneNumberID  string // empty: of the connection as a whole
	Type           string // change.<field> or connection.<state>
	ChangeID       *uuid.UUID
	Reasons        []string `gorm:"serializer:json"` // of connection.<state>
	Time           time.Time
}

// ChangeEvent is an event of the stream with its change.
type ChangeEvent struct {
	Position int64
	Change   `gorm:"embedded"`
}

// followBytes bounds the values that a follower is given at a time, unless the first alone is larger.
const followBytes = 1 << 20

// FollowChanges reads the changes after a position, oldest first, with their values, and the position up to which it
// has read, which is behind the last of them when the rest of the stream is other people's. ErrCursorExpired when
// something after the position is kept no more.
func (s *Store) FollowChanges(ctx context.Context, f ChangeFilter, after int64, limit int) (list []ChangeEvent, next int64, err error) {
	type stretch struct {
		list []ChangeEvent
		next int64
	}
	found, err := snapshot(ctx, s, func(tx *gorm.DB, found *stretch) error {
		start, end, err := streamBounds(tx)
		if err != nil {
			return err
		}
		if after < start {
			return ErrCursorExpired
		}
		last, more, err := followable(tx, f, after, limit)
		if err != nil || last == 0 {
			found.next = end
			return err
		}
		if found.next = end; more {
			found.next = last
		}
		return followed(tx, f, after).Select("events.position, changes.*").Where("events.position <= ?", last).Scan(&found.list).Error
	})
	return found.list, found.next, err
}

// followable is the last position of those that a follower is given at a time, 0 when there are none, and whether there
// may be more.
func followable(tx *gorm.DB, f ChangeFilter, after int64, limit int) (last int64, more bool, err error) {
	var rows []struct{ Position, Bytes int64 }
	query := followed(tx, f, after).Select("events.position, length(changes.value) as bytes").Limit(limit)
	if err := query.Scan(&rows).Error; err != nil {
		return 0, false, err
	}
	var bytes int64
	for i, row := range rows {
		if bytes += row.Bytes; i > 0 && bytes > followBytes {
			return last, true, nil
		}
		last = row.Position
	}
	return last, len(rows) == limit, nil
}

// followed are the changes after a position, oldest first.
func followed(tx *gorm.DB, f ChangeFilter, after int64) *gorm.DB {
	query := tx.Table("events").Joins("join changes on changes.id = events.change_id").
		Where("events.position > ?", after).Order("events.position")
	if f.Organization != "" {
		query = query.Where("events.organization_id = ?", f.Organization)
	}
	if f.ConnectionID != uuid.Nil {
		query = query.Where("events.connection_id = ?", f.ConnectionID)
	}
	if len(f.Fields) > 0 {
		query = query.Where("changes.field in ?", f.Fields)
	}
	return query
}

// StreamBounds is where the stream begins, before its oldest entry, and where it ends, at its newest.
func (s *Store) StreamBounds(ctx context.Context) (start, end int64, err error) {
	found, err := snapshot(ctx, s, func(tx *gorm.DB, found *struct{ start, end int64 }) (err error) {
		found.start, found.end, err = streamBounds(tx)
		return err
	})
	return found.start, found.end, err
}

func streamBounds(tx *gorm.DB) (start, end int64, err error) {
	if err := tx.Table("event_horizon").Select("position").Take(&start).Error; err != nil {
		return 0, 0, err
	}
	err = tx.Table("events").Select("coalesce(max(position), ?)", start).Take(&end).Error
	return start, end, err
}

// AwaitStream calls look now, and again whenever something was appended or some time passed, until it says done.
func (s *Store) AwaitStream(ctx context.Context, look func(context.Context) (done bool, err error)) error {
	return s.stream.Until(ctx, streamKey, look)
}

// outbox gathers the events of one transaction. They are appended as its last act: the lock on the stream comes after
// all locks on rows, and is held for one commit.
type outbox struct{ events []Event }

type outboxKey struct{}

// withOutbox runs f and appends what it emitted.
func (s *Store) withOutbox(tx *gorm.DB, f func(tx *gorm.DB) error) (appended bool, err error) {
	var out outbox
	if err := f(tx.WithContext(context.WithValue(tx.Statement.Context, outboxKey{}, &out))); err != nil {
		return false, err
	}
	return len(out.events) > 0, s.append(tx, out.events)
}

// undone runs a part of a transaction. If it fails, it wrote and emitted nothing.
func undone(tx *gorm.DB, f func(tx *gorm.DB) error) error {
	out, _ := tx.Statement.Context.Value(outboxKey{}).(*outbox)
	before := len(out.events)
	err := tx.Transaction(f)
	if err != nil {
		out.events = out.events[:before]
	}
	return err
}

// emit adds an event to the stream when the transaction ends.
func (s *Store) emit(tx *gorm.DB, e Event) {
	e.ID, e.Time = database.NewID(), s.now()
	if e.Reasons == nil {
		e.Reasons = []string{}
	}
	out, _ := tx.Statement.Context.Value(outboxKey{}).(*outbox) // every transaction has one: inTx
	out.events = append(out.events, e)
}

// ConnectionState is the state that a connection took; ok is false for a change.
func (e *Event) ConnectionState() (state ConnectionState, ok bool) {
	taken, ok := strings.CutPrefix(e.Type, connectionPrefix)
	return ConnectionState(strings.ToUpper(taken)), ok
}

// connectionPrefix begins the types of what connections become.
const connectionPrefix = "connection."

func (s *Store) emitState(tx *gorm.DB, c Connection) {
	s.emit(tx, Event{
		OrganizationID: c.OrganizationID, ConnectionID: c.ID, Reasons: c.Reasons,
		Type: connectionPrefix + strings.ToLower(string(c.State)),
	})
}

// streamLock is the key of the advisory lock under which positions are given (SQLite has one writer anyway).
const streamLock = 0x77_61_63_73

// streamKey is what the stream's bell rings by.
const streamKey = "stream"

func (s *Store) append(tx *gorm.DB, events []Event) error {
	if len(events) == 0 {
		return nil
	}
	if s.db.Dialect() == database.PostgreSQL {
		if err := tx.Exec("select pg_advisory_xact_lock(?)", streamLock).Error; err != nil {
			return err
		}
	}
	return tx.Create(&events).Error
}
