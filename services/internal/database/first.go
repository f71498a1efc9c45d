package database

import "gorm.io/gorm"

// First is the first row of a query; nil where there is none.
func First[T any](query *gorm.DB) (*T, error) {
	var rows []T
	if err := query.Limit(1).Find(&rows).Error; err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}
