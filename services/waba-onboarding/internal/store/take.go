package store

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/whatrack/connect/services/internal/database"
)

// taken is a change that has its row, and the connection that it belongs to, if any.
type taken struct {
	Change
	effect Effect
	holder *Connection
	seeker *Connection // the connection that is to look for its number
}

// takeChanges keeps changes and, where a connection holds their WABA, applies those that did not come before.
func (s *Store) takeChanges(tx *gorm.DB, list []NewChange) error {
	changes := make([]Change, 0, len(list))
	for _, n := range list {
		changes = append(changes, n.Change)
	}
	if err := s.holdRoutes(tx, wabasOf(changes)); err != nil {
		return err
	}
	holders, err := routesOf(tx, changes)
	if err != nil {
		return err
	}
	all := make([]taken, 0, len(list))
	for _, n := range list {
		t := taken{Change: n.Change, effect: n.Effect, holder: holders.of(n.Change), seeker: holders.seeker(n.Change)}
		t.ID = database.NewID()
		if t.holder != nil {
			t.resolve(*t.holder)
		}
		all = append(all, t)
	}
	fresh, err := insertChanges(tx, all)
	if err != nil {
		return err
	}
	return s.applyChanges(tx, fresh)
}

// insertChanges writes the rows of changes and answers, in their order, those that nobody brought before.
func insertChanges(tx *gorm.DB, all []taken) (fresh []taken, err error) {
	once := clause.OnConflict{Columns: []clause.Column{{Name: "hash"}}, DoNothing: true}
	for batch := range slices.Chunk(all, rowsAtOnce) {
		rows, ids := make([]Change, 0, len(batch)), make([]uuid.UUID, 0, len(batch))
		for _, t := range batch {
			rows, ids = append(rows, t.Change), append(ids, t.ID)
		}
		slices.SortFunc(rows, func(a, b Change) int { return strings.Compare(a.Hash, b.Hash) }) // twins wait for one another in one order
		insert := tx.Clauses(once).Create(&rows)
		if insert.Error != nil {
			return nil, insert.Error
		}
		if insert.RowsAffected < int64(len(rows)) {
			var mine []uuid.UUID
			if err := tx.Model(&Change{}).Where("id in ?", ids).Pluck("id", &mine).Error; err != nil {
				return nil, err
			}
			batch = slices.DeleteFunc(slices.Clone(batch), func(t taken) bool { return !slices.Contains(mine, t.ID) })
		}
		fresh = append(fresh, batch...)
	}
	return fresh, nil
}

// routes are the connections that hold WABAs, proven, and their numbers.
type routes struct {
	holders map[string]*Connection // by WABA
	numbers map[[2]string]struct{} // of WABA and phone number id
}

// routesOf finds whom changes may belong to.
func routesOf(tx *gorm.DB, changes []Change) (r routes, err error) {
	var phones []string
	for _, change := range changes {
		phones = append(phones, change.PhoneNumberID)
	}
	r = routes{map[string]*Connection{}, map[[2]string]struct{}{}}
	var holders []*Connection
	for batch := range slices.Chunk(wabasOf(changes), rowsAtOnce) {
		var found []*Connection
		query := tx.Where("waba_id in ? and state not in ?", batch, []ConnectionState{ConnectionDisconnected, ConnectionClaiming})
		if err := query.Find(&found).Error; err != nil {
			return r, err
		}
		holders = append(holders, found...)
	}
	if len(holders) == 0 {
		return r, nil
	}
	byID := map[uuid.UUID]string{}
	ids := make([]uuid.UUID, 0, len(holders))
	for _, c := range holders {
		r.holders[c.WabaID], byID[c.ID] = c, c.WabaID
		ids = append(ids, c.ID)
	}
	for batch := range slices.Chunk(distinct(phones), rowsAtOnce) {
		var numbers []PhoneNumber
		query := tx.Select("connection_id", "phone_number_id").Where("connection_id in ? and phone_number_id in ?", ids, batch)
		if err := query.Find(&numbers).Error; err != nil {
			return r, err
		}
		for _, n := range numbers {
			r.numbers[[2]string{byID[n.ConnectionID], n.PhoneNumberID}] = struct{}{}
		}
	}
	return r, nil
}

// of is the connection that a change belongs to: the one that holds its WABA, if the number is one of its. Where WABA and
// number disagree, the change waits; nil.
func (r routes) of(change Change) *Connection {
	if change.State != ChangeWaiting || !r.knows(change) {
		return nil
	}
	return r.holders[change.WabaID]
}

// seeker is the connection that is to look for the number of a change, which waits for that: it holds the WABA, does not
// know the number, and does not look for it already.
func (r routes) seeker(change Change) *Connection {
	c := r.holders[change.WabaID]
	if change.State != ChangeWaiting || c == nil || !c.claimed() || r.knows(change) || c.seeks(change.PhoneNumberID) {
		return nil
	}
	return c
}

// knows tells whether the number of a change, if it has one, is one of its WABA's.
func (r routes) knows(change Change) bool {
	_, known := r.numbers[[2]string{change.WabaID, change.PhoneNumberID}]
	return known || change.PhoneNumberID == ""
}

// wabasOf are the WABAs of changes that are to be routed, each once.
func wabasOf(changes []Change) []string {
	var wabas []string
	for _, change := range changes {
		if change.State == ChangeWaiting {
			wabas = append(wabas, change.WabaID)
		}
	}
	return distinct(wabas)
}

// holdRoutes sees to it that what changes find out of their WABAs holds until they are committed: a connection that is
// proven meanwhile waits, so that the job which then gives it what waits sees them all. SQLite has one writer anyway.
func (s *Store) holdRoutes(tx *gorm.DB, wabas []string) error {
	if len(wabas) == 0 || s.db.Dialect() != database.PostgreSQL {
		return nil
	}
	return tx.Exec("select pg_advisory_xact_lock_shared(hashtextextended(waba, 0)) from string_to_table(?, ',') waba", strings.Join(wabas, ",")).Error
}

// changeRoutes comes before a WABA gets a holder, or a holder a number, and before any lock on a row.
func (s *Store) changeRoutes(tx *gorm.DB, waba string) error {
	if s.db.Dialect() != database.PostgreSQL {
		return nil
	}
	return tx.Exec("select pg_advisory_xact_lock(hashtextextended(?, 0))", waba).Error
}

func distinct(ids []string) []string {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return slices.Compact(ids)
}

// applyChanges does what changes do to the connections that they belong to. Messages and their statuses say the same in
// whatever order, so that the messages of all are written first, together.
func (s *Store) applyChanges(tx *gorm.DB, list []taken) error {
	first, err := s.touchConnections(tx, list)
	if err != nil {
		return err
	}
	if err := s.applyMessages(tx, list); err != nil {
		return err
	}
	for _, t := range list {
		if err := s.applyChange(tx, t); err != nil {
			return err
		}
	}
	for _, id := range first {
		if err := s.reassess(tx, id); err != nil {
			return err
		}
	}
	return nil
}

// applyChange does what a change does beside its messages.
func (s *Store) applyChange(tx *gorm.DB, t taken) error {
	if err := s.offboard(tx, t.Change, t.effect.Account); err != nil || t.holder == nil {
		return err
	}
	c := *t.holder
	for _, status := range t.effect.Statuses {
		if err := s.applyStatus(tx, c, status); err != nil {
			return err
		}
	}
	s.emit(tx, Event{
		OrganizationID: c.OrganizationID, ConnectionID: c.ID, PhoneNumberID: t.PhoneNumberID,
		Type: "change." + t.Field, ChangeID: &t.ID,
	})
	if err := s.keepContacts(tx, c.ID, t.effect.Contacts); err != nil {
		return err
	}
	if t.effect.Sync != nil {
		if err := s.applySync(tx, c, t.PhoneNumberID, *t.effect.Sync); err != nil {
			return err
		}
	}
	if t.effect.Account == nil && t.effect.Number == nil {
		return nil
	}
	if err := s.applyNews(tx, c, t.Change, t.effect); err != nil {
		return err
	}
	return s.reassess(tx, c.ID)
}

// touchConnections moves the time of each connection's last event, and tells for whose it is the first; and has those look
// for numbers that do not know one. Both lock the connection, so that it is one loop: two would lock in two orders.
func (s *Store) touchConnections(tx *gorm.DB, list []taken) (first []uuid.UUID, err error) {
	last, sought := lastHeard(list), soughtBy(list)
	for _, id := range inOrder(last, sought) {
		if phones, seeks := sought[id]; seeks {
			if err := s.seek(tx, id, phones); err != nil {
				return nil, err
			}
		}
		t, heard := last[id]
		if !heard {
			continue
		}
		if err := moveLastEvent(tx, id, t.ReceiveTime); err != nil {
			return nil, err
		}
		if t.holder.LastEventTime == nil {
			first = append(first, id)
		}
	}
	return first, nil
}

func moveLastEvent(tx *gorm.DB, connection uuid.UUID, at time.Time) error {
	return tx.Model(&Connection{}).Where("id = ? and (last_event_time is null or last_event_time < ?)", connection, at).
		Updates(map[string]any{"last_event_time": at}).Error
}

// lastHeard is the last change of each connection, where it is newer than what was heard of it before. What Meta tells us
// as a partner comes without the WABA's subscription, and proves nothing about it.
func lastHeard(list []taken) map[uuid.UUID]taken {
	last := map[uuid.UUID]taken{}
	for _, t := range list {
		if t.holder == nil || strings.HasPrefix(t.Event, "PARTNER_") || !after(&t.ReceiveTime, t.holder.LastEventTime) {
			continue
		}
		if known, ok := last[t.holder.ID]; !ok || known.ReceiveTime.Before(t.ReceiveTime) {
			last[t.holder.ID] = t
		}
	}
	return last
}

// soughtBy are the numbers that connections are to look for.
func soughtBy(list []taken) map[uuid.UUID][]string {
	sought := map[uuid.UUID][]string{}
	for _, t := range list {
		if t.seeker != nil {
			sought[t.seeker.ID] = append(sought[t.seeker.ID], t.PhoneNumberID)
		}
	}
	return sought
}

// inOrder are the connections of both, in the order in which twins lock them too.
func inOrder(heard map[uuid.UUID]taken, sought map[uuid.UUID][]string) []uuid.UUID {
	ids := slices.AppendSeq(slices.Collect(maps.Keys(heard)), maps.Keys(sought))
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(ids)
}
