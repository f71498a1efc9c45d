package store

import (
	"cmp"
	"context"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/whatrack/connect/services/internal/database"
)

// Activity is one line of a timeline. Append-only: what people see, and the audit.
type Activity struct {
	ID             uuid.UUID `gorm:"primaryKey"`
	OrganizationID string
	ConnectionID   *uuid.UUID
	OnboardingID   *uuid.UUID
	DestinationID  *uuid.UUID
	Type           string
	Time           time.Time
	Actor          string
	Reason         string
	Metadata       map[string]string `gorm:"serializer:json"` // variables of the reason; nil where there are none
}

// note writes an activity in the transaction of what it tells.
func (s *Store) note(tx *gorm.DB, a Activity) error {
	a.ID, a.Time = database.NewID(), s.now()
	a.Actor = cmp.Or(a.Actor, "waba-onboarding")
	return tx.Create(&a).Error
}

// ListActivities lists what happened to a connection, and to the onboardings that claimed it before they held it, newest
// first, older than the given one where it is set.
func (s *Store) ListActivities(ctx context.Context, organization string, connection, before uuid.UUID, limit int) ([]Activity, error) {
	return read(ctx, s, func(tx *gorm.DB, list *[]Activity) error {
		var c Connection
		if err := within(tx, organization).Select("id").Where("id = ?", connection).Take(&c).Error; err != nil {
			return err
		}
		claims := tx.Model(&Onboarding{}).Select("id").Where("connection_id = ?", connection)
		all := tx.Where("(connection_id = ? or (connection_id is null and onboarding_id in (?)))", connection, claims)
		return page(all, before, limit).Find(list).Error
	})
}

// page is newest first, after the last row of the page before.
func page(tx *gorm.DB, before uuid.UUID, limit int) *gorm.DB {
	if before != uuid.Nil {
		tx = tx.Where("id < ?", before)
	}
	return tx.Order("id desc").Limit(limit)
}
