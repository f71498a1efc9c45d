package database

import (
	"context"
	"fmt"

	"gorm.io/gorm"
)

// SealedColumn is a column of sealed values, with the one beside it that names the key of each.
type SealedColumn struct{ Table, Value, KeyID string }

// CheckKeys fails where a value is sealed under none of the keys. It reads the tables to their ends, since there is no index
// for it: a quarter of a second for a million rows.
func (db *DB) CheckKeys(ctx context.Context, columns []SealedColumn, keyIDs []uint32) error {
	for _, c := range columns {
		var others []uint32
		err := db.Read(ctx, func(tx *gorm.DB) error {
			sealed := tx.Table(c.Table).Where(c.Value + " is not null")
			return sealed.Where(c.KeyID+" not in ?", keyIDs).Limit(1).Pluck(c.KeyID, &others).Error
		})
		if err != nil {
			return fmt.Errorf("look for the keys of what %s holds: %w", c.Table, err)
		}
		if len(others) > 0 {
			return fmt.Errorf("the database holds values sealed under the key %d, which the keyset has not: put the right keyset back, or begin with an empty database if it is lost", others[0])
		}
	}
	return nil
}
