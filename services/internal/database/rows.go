package database

import (
	"github.com/google/uuid"
	"gorm.io/gorm"
)

// ErrNotFound is what Take answers where there is no row, and so what a read or a transaction ends with.
var ErrNotFound = gorm.ErrRecordNotFound

// NewID makes the id of a row. Ids of later milliseconds are greater (UUIDv7), so that lists are in order by id.
func NewID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

// OneRow is the error of a statement, and otherwise where it touched no row.
func OneRow(result *gorm.DB, otherwise error) error {
	if result.Error == nil && result.RowsAffected == 0 {
		return otherwise
	}
	return result.Error
}

// First is the first row of a query; nil where there is none.
func First[T any](query *gorm.DB) (*T, error) {
	var rows []T
	if err := query.Limit(1).Find(&rows).Error; err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}
