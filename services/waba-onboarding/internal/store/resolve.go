package store

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/whatrack/connect/services/internal/database"
)

// ResolveArgs is the job that gives waiting changes to the connection that holds their WABA now.
type ResolveArgs struct {
	ConnectionID uuid.UUID `json:"connectionId"`
}

// Kind implements river.JobArgs.
func (ResolveArgs) Kind() string { return "resolve_changes" }

// lookBack is how long before an onboarding's start a change may have come to be its connection's: nothing is lost to
// timing, and nothing of an earlier owner is handed over.
const lookBack = 10 * time.Minute

func (c *Change) resolve(holder Connection) {
	c.State, c.OrganizationID, c.ConnectionID = ChangeResolved, holder.OrganizationID, &holder.ID
}

// WaitingChanges lists the next changes of a connection's WABA that wait and may be its own, in the order in which they
// came, after the given one: up to a number of them, and of bytes unless the first alone is larger.
func (s *Store) WaitingChanges(ctx context.Context, connection uuid.UUID, after Change, limit int, bytes int64) ([]Change, error) {
	return snapshot(ctx, s, func(tx *gorm.DB, list *[]Change) error {
		waiting, since, err := waitingFor(tx, connection)
		if err != nil {
			return err
		}
		var rows []struct {
			ID    uuid.UUID
			Bytes int64
		}
		err = waiting.Model(&Change{}).Select("id, length(value) as bytes").Where("receive_time >= ?", since).
			Where("(receive_time, id) > (?, ?)", after.ReceiveTime, after.ID).Where("phone_number_id = '' or phone_number_id in (?)", numbersOf(tx, connection)).
			Order("receive_time, id").Limit(limit).Scan(&rows).Error
		if err != nil {
			return err
		}
		var ids []uuid.UUID
		var size int64
		for _, row := range rows {
			if size += row.Bytes; size > bytes && len(ids) > 0 {
				break
			}
			ids = append(ids, row.ID)
		}
		return tx.Where("id in ?", ids).Order("receive_time, id").Find(list).Error
	})
}

// waitingFor is the changes of a connection's WABA that wait, and since when they may have come to be its own.
func waitingFor(tx *gorm.DB, connection uuid.UUID) (waiting *gorm.DB, since time.Time, err error) {
	var c Connection
	if err := tx.Where("id = ?", connection).Take(&c).Error; err != nil {
		return nil, since, err
	}
	held := c.HoldTime // what waited since before a reconnection is its own too
	if held == nil {   // it is being claimed
		var claim Onboarding
		if err := tx.Where("id = ?", c.OnboardingID).Take(&claim).Error; err != nil {
			return nil, since, err
		}
		held = &claim.CreateTime
	}
	query := tx.Where("waba_id = ? and organization_id <> ? and state = ? and subscription_time is not null", c.WabaID, c.OrganizationID, ConnectionDisconnected)
	earlier, err := database.First[Connection](query.Order("state_time desc")) // of others, which were proven and given up
	if err != nil {
		return nil, since, err
	}
	since = held.Add(-lookBack)
	if earlier != nil && earlier.StateTime.After(since) {
		since = earlier.StateTime
	}
	return tx.Where("waba_id = ? and state = ?", c.WabaID, ChangeWaiting), since, nil
}

// ResolveChanges gives waiting changes of one WABA to the connection that holds it by now, if they came in time: in their
// order, and in one commit. One that can not be given stays, or is given already; one that can not be applied is kept as
// UNPARSED, and spoiled tells how many those are.
func (s *Store) ResolveChanges(ctx context.Context, list []NewChange) (spoiled int, err error) {
	if err = s.resolveTogether(ctx, list); err == nil || database.Passing(err) {
		return 0, err
	}
	err = s.inTx(ctx, func(tx *gorm.DB) error {
		spoiled = 0
		mine, err := s.givable(tx, list)
		if err != nil {
			return err
		}
		for _, t := range mine {
			err := undone(tx, func(tx *gorm.DB) error { return s.give(tx, []taken{t}) })
			if err != nil && !database.Passing(err) {
				spoiled++
				err = tx.Model(&Change{}).Where("id = ?", t.ID).Update("state", ChangeUnparsed).Error
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	return spoiled, err
}

func (s *Store) resolveTogether(ctx context.Context, list []NewChange) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		mine, err := s.givable(tx, list)
		if err != nil || len(mine) == 0 {
			return err
		}
		return s.give(tx, mine)
	})
}

// givable locks those of waiting changes of one WABA that can be given to its holder.
func (s *Store) givable(tx *gorm.DB, list []NewChange) (mine []taken, err error) {
	changes, ids := make([]Change, 0, len(list)), make([]uuid.UUID, 0, len(list))
	for _, n := range list {
		changes, ids = append(changes, n.Change), append(ids, n.Change.ID)
	}
	if err := s.holdRoutes(tx, wabasOf(changes)); err != nil {
		return nil, err
	}
	holders, err := routesOf(tx, changes)
	if err != nil || len(holders.holders) == 0 {
		return nil, err
	}
	_, since, err := waitingFor(tx, holders.holders[changes[0].WabaID].ID)
	if err != nil {
		return nil, err
	}
	var waiting []uuid.UUID
	query := s.db.ForUpdate(tx).Model(&Change{}).Where("id in ? and state = ? and receive_time >= ?", ids, ChangeWaiting, since)
	if err := query.Order("id").Pluck("id", &waiting).Error; err != nil { // twins lock them alike
		return nil, err
	}
	for _, n := range list {
		if holder := holders.of(n.Change); holder != nil && slices.Contains(waiting, n.Change.ID) {
			t := taken{Change: n.Change, effect: n.Effect, holder: holder}
			t.resolve(*holder)
			mine = append(mine, t)
		}
	}
	return mine, nil
}

// give gives changes to the connection that holds their WABA.
func (s *Store) give(tx *gorm.DB, mine []taken) error {
	ids := make([]uuid.UUID, 0, len(mine))
	for _, t := range mine {
		ids = append(ids, t.ID)
	}
	given := tx.Model(&Change{}).Where("id in ?", ids).Select("state", "organization_id", "connection_id").Updates(mine[0].Change)
	if given.Error != nil {
		return given.Error
	}
	return s.applyChanges(tx, mine)
}

// IgnoreStale ends the wait of changes that came for an earlier owner of a connection's WABA, or for none.
func (s *Store) IgnoreStale(ctx context.Context, connection uuid.UUID) error {
	_, err := whileFull(func() (ignored int64, err error) {
		err = s.inTx(ctx, func(tx *gorm.DB) error {
			waiting, since, err := waitingFor(tx, connection)
			if err != nil {
				return err
			}
			stale := waiting.Model(&Change{}).Select("id").Where("receive_time < ?", since).Limit(pruneBatch)
			update := tx.Model(&Change{}).Where("id in (?)", stale).Update("state", ChangeIgnored)
			ignored = update.RowsAffected
			return update.Error
		})
		return ignored, err
	})
	return err
}
