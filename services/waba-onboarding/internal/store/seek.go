package store

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

// Nobody tells of a number that a customer adds to a WABA after its claim: the first that is heard of it are webhooks that
// name it. They wait, and their connection seeks the number, which is to ask Meta for its list. Taking in what names a
// number that is sought already costs nothing more; so that one which never appears does not either, Meta is asked ever
// more rarely, and no more once nothing waits for it.

// SeekArgs is the job that asks Meta for the numbers of a connection.
type SeekArgs struct {
	ConnectionID uuid.UUID `json:"connectionId"`
}

// Kind implements river.JobArgs.
func (SeekArgs) Kind() string { return "seek_phone_numbers" }

// maxSought bounds the numbers that a connection seeks at a time. A WABA has far fewer.
const maxSought = 100

// seekPause is how long Meta is not asked after it was, so many times in vain. The first lies above jobLife: what is begun
// is not begun by a twin.
func seekPause(asked int) time.Duration {
	pauses := [...]time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute, 6 * time.Hour, 24 * time.Hour}
	return pauses[min(max(asked, 1), len(pauses))-1]
}

// silentSeeks is how far silence stretches the pauses: it says nothing of the number.
const silentSeeks = 2

// claimed tells whether the connection's claim has ended well, and it is not about to end.
func (c *Connection) claimed() bool { return c.Live() && c.State != ConnectionClaiming }

// seeks tells whether a number is sought already.
func (c *Connection) seeks(phone string) bool {
	return c.SeekTime != nil && (slices.Contains(c.SoughtNumbers, phone) || len(c.SoughtNumbers) >= maxSought)
}

// seek has a connection look for numbers: at once, or where Meta was asked less than a minute ago, after that.
func (s *Store) seek(tx *gorm.DB, connection uuid.UUID, phones []string) error {
	c, err := lock[Connection](s, tx, connection)
	if err != nil {
		return err
	}
	fresh := slices.DeleteFunc(distinct(phones), c.seeks)
	if len(fresh) == 0 || !c.claimed() {
		return nil
	}
	soonest := s.now()
	if c.SeekTime != nil {
		soonest = c.SeekTime.Add(seekPause(1) - seekPause(c.Seeks))
	}
	c.SoughtNumbers, c.Seeks, c.SeekTime = append(c.SoughtNumbers, fresh...), 0, &soonest
	if soonest.After(s.now()) { // the sweeper's
		return saveSeek(tx, c)
	}
	c.SeekTime = ptr(s.now().Add(slack))
	if err := saveSeek(tx, c); err != nil {
		return err
	}
	return s.queue.Add(tx.Statement.Context, tx, SeekArgs{c.ID})
}

func saveSeek(tx *gorm.DB, c Connection) error {
	return tx.Model(&Connection{}).Where("id = ?", c.ID).Select("sought_numbers", "seeks", "seek_time").Updates(c).Error
}

// endSeek: nothing is sought any more.
func endSeek(tx *gorm.DB, c Connection) error {
	c.SoughtNumbers, c.Seeks, c.SeekTime = []string{}, 0, nil
	return saveSeek(tx, c)
}

// SeekUnknown has a connection look for the numbers for which something waits that may be its own.
func (s *Store) SeekUnknown(ctx context.Context, connection uuid.UUID) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		if _, err := lock[Connection](s, tx, connection); err != nil { // first: a number that is found meanwhile is not unknown
			return err
		}
		unknown, err := unknownNumbers(tx, connection)
		if err != nil || len(unknown) == 0 {
			return err
		}
		return s.seek(tx, connection, unknown)
	})
}

// unknownNumbers are those that a connection does not know and for which something waits that may be its own.
func unknownNumbers(tx *gorm.DB, connection uuid.UUID) (unknown []string, err error) {
	waiting, since, err := waitingFor(tx, connection)
	if err != nil {
		return nil, err
	}
	query := waiting.Model(&Change{}).Where("receive_time >= ? and phone_number_id <> ''", since).
		Where("phone_number_id not in (?)", numbersOf(tx, connection))
	err = query.Distinct("phone_number_id").Order("phone_number_id").Limit(maxSought).Pluck("phone_number_id", &unknown).Error
	return unknown, err
}

// BeginSeek writes down, before Meta is asked, when it is asked again should it be in vain: a twin goes away, and what a
// dead worker left is found. due is false where Meta is not to be asked, or not yet; where nothing waits for what was
// sought, it is sought no more.
func (s *Store) BeginSeek(ctx context.Context, c Connection) (begun Connection, due bool, err error) {
	err = s.inTx(ctx, func(tx *gorm.DB) error {
		due = false
		if err := s.changeRoutes(tx, c.WabaID); err != nil { // whoever takes a change in has committed it
			return err
		}
		if begun, err = lock[Connection](s, tx, c.ID); err != nil {
			return err
		}
		if !begun.claimed() || begun.SeekTime == nil || begun.SeekTime.After(s.now().Add(jobLife)) {
			return nil
		}
		unknown, err := unknownNumbers(tx, c.ID)
		if err != nil {
			return err
		}
		if len(unknown) == 0 {
			return endSeek(tx, begun)
		}
		due = true
		begun.SoughtNumbers, begun.Seeks, begun.SeekTime = unknown, begun.Seeks+1, ptr(s.now().Add(seekPause(begun.Seeks+1)))
		return saveSeek(tx, begun)
	})
	return begun, due, err
}

// PostponeSeek says when Meta is asked again that was silent, unless something new is sought by now.
func (s *Store) PostponeSeek(ctx context.Context, begun Connection, delay time.Duration) error {
	seeks := min(begun.Seeks, silentSeeks)
	return s.inTx(ctx, func(tx *gorm.DB) error {
		mine := tx.Model(&Connection{}).Where("id = ? and seek_time = ?", begun.ID, *begun.SeekTime)
		return mine.Updates(map[string]any{"seeks": seeks, "seek_time": s.now().Add(max(seekPause(seeks), delay))}).Error
	})
}

// numbersFound ends the search for what Meta has listed. What is still missing is sought anew.
func (s *Store) numbersFound(tx *gorm.DB, c Connection, actor string) error {
	if c.SeekTime == nil {
		return nil
	}
	var found int64
	if err := numbersOf(tx, c.ID).Where("phone_number_id in ?", c.SoughtNumbers).Count(&found).Error; err != nil {
		return err
	}
	unknown, err := unknownNumbers(tx, c.ID)
	if err != nil {
		return err
	}
	switch {
	case len(unknown) == 0:
		err = endSeek(tx, c)
	case found > 0:
		c.SoughtNumbers, c.Seeks, c.SeekTime = unknown, 1, ptr(s.now().Add(seekPause(1)))
		err = saveSeek(tx, c)
	}
	if err != nil || found == 0 {
		return err
	}
	return s.note(tx, c.activity("NUMBER_FOUND", actor, ""))
}

// numbersOf are the ids of a connection's numbers.
func numbersOf(tx *gorm.DB, connection uuid.UUID) *gorm.DB {
	return tx.Session(&gorm.Session{NewDB: true}).Model(&PhoneNumber{}).Select("phone_number_id").Where("connection_id = ?", connection)
}
