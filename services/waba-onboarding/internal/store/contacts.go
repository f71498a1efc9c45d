package store

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Contact is an entry of the address book that a number brings along. One that was removed is kept without its name, for
// as long as an older word on it may still come.
type Contact struct {
	ConnectionID uuid.UUID `gorm:"primaryKey"`
	Phone        string    `gorm:"primaryKey"` // in full
	Name         string
	Time         time.Time // of Meta's last word on it
}

// keepContacts writes names down, unless something newer was said of their owners.
func (s *Store) keepContacts(tx *gorm.DB, connection uuid.UUID, said []Contact) error {
	newer := clause.OnConflict{
		Columns:   []clause.Column{{Name: "connection_id"}, {Name: "phone"}},
		DoUpdates: clause.AssignmentColumns([]string{"name", "time"}),
		Where:     clause.Where{Exprs: []clause.Expression{clause.Expr{SQL: "contacts.time <= excluded.time"}}},
	}
	for batch := range slices.Chunk(lastWords(connection, said), rowsAtOnce) {
		if err := tx.Clauses(newer).Create(&batch).Error; err != nil {
			return err
		}
	}
	return nil
}

// lastWords are the rows of contacts, each once, in an order in which twins lock them alike. Of two words of one moment,
// the one that Meta wrote last counts.
func lastWords(connection uuid.UUID, said []Contact) []Contact {
	rows := slices.Clone(said)
	for i := range rows {
		rows[i].ConnectionID, rows[i].Phone = connection, InFull(rows[i].Phone)
	}
	slices.Reverse(rows)
	slices.SortStableFunc(rows, func(a, b Contact) int {
		return cmp.Or(cmp.Compare(a.Phone, b.Phone), b.Time.Compare(a.Time))
	})
	rows = slices.CompactFunc(rows, func(a, b Contact) bool { return a.Phone == b.Phone })
	return rows
}

// InFull is the form by which a number is known here. Brazil put a 9 before the eight digits of its mobile numbers, which
// begin with 6 to 9; many ids of WhatsApp still lack it, where the address book has it, or the reverse. Landlines, which
// begin with 2 to 5, stay as they are: with a 9 they would be somebody else's.
// Source: Anatel, resolution 553 of 2010.
func InFull(phone string) string {
	if len(phone) == len("55DDNNNNNNNN") && strings.HasPrefix(phone, "55") && phone[4] >= '6' && phone[4] <= '9' {
		return phone[:4] + "9" + phone[4:]
	}
	return phone
}

// nameContacts adds the names of the address book to messages that brought none.
func nameContacts(tx *gorm.DB, connection uuid.UUID, list []Message) error {
	phones := make([]string, 0, len(list))
	for _, m := range list {
		if m.ContactName == "" && m.ContactPhone != "" {
			phones = append(phones, InFull(m.ContactPhone))
		}
	}
	if len(phones) == 0 {
		return nil
	}
	slices.Sort(phones)
	var known []Contact
	query := tx.Where("connection_id = ? and phone in ?", connection, slices.Compact(phones))
	if err := query.Find(&known).Error; err != nil {
		return err
	}
	names := map[string]string{}
	for _, c := range known {
		names[c.Phone] = c.Name
	}
	for i, m := range list {
		if m.ContactName == "" {
			list[i].ContactName = names[InFull(m.ContactPhone)]
		}
	}
	return nil
}

// pruneContacts forgets those that were removed longer ago than anything is repeated.
func (s *Store) pruneContacts(ctx context.Context, before time.Time) (removed int64, err error) {
	err = s.inTx(ctx, func(tx *gorm.DB) error {
		result := tx.Exec(`delete from contacts where (connection_id, phone) in (
			select connection_id, phone from contacts where name = '' and time < ? order by time limit ?)`, before, pruneBatch)
		removed = result.RowsAffected
		return result.Error
	})
	return removed, err
}
