package store

import (
	"context"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

// BindPause is when a claim comes again that found another at bind.
const BindPause = time.Second

// begin begins the current step, unless it is bind and another claim of the connection is at that. Which token serves the
// WABA is written first at the broker and then here: two that bind at once could leave either with the other's.
func (s *Store) begin(tx *gorm.DB, o *Onboarding) error {
	current := o.Steps.Current()
	if current.Name == StepBind && current.State == StepPending {
		c, err := lock[Connection](s, tx, *o.ConnectionID) // so that of two that come at once the second sees the first
		if err != nil {
			return err
		}
		other, err := binding(tx, c.ID)
		if err != nil {
			return err
		}
		if other != nil {
			current.Reason = other.Steps.Get(StepBind).Reason // what holds up that one holds up this one
			o.RunTime = ptr(s.now().Add(BindPause + slack))
			return nil
		}
	}
	current.begin(s.now())
	o.RunTime = ptr(s.now().Add(jobLife))
	return nil
}

// Binding tells whether a claim of the connection has begun to bind and has not ended.
func (s *Store) Binding(ctx context.Context, connection uuid.UUID) (bool, error) {
	return read(ctx, s, func(tx *gorm.DB, yes *bool) error {
		o, err := binding(tx, connection)
		*yes = o != nil
		return err
	})
}

// binding is a claim of the connection that has begun to bind and has not ended; nil where there is none.
func binding(tx *gorm.DB, connection uuid.UUID) (*Onboarding, error) {
	var claims []Onboarding
	err := tx.Where("connection_id = ? and state = ?", connection, Claiming).Find(&claims).Error
	for i := range claims {
		if claims[i].Steps.bindBegun() {
			return &claims[i], err
		}
	}
	return nil, err
}
