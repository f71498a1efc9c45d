package store

import (
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/whatrack/connect/services/internal/database"
)

// hold makes the WABA this organization's, or finds that it is already. The unique indexes decide between claims that
// try at once: the loser looks again.
func (s *Store) hold(tx *gorm.DB, o *Onboarding) error {
	for {
		ours, err := s.holder(tx, o)
		if err != nil {
			return err
		}
		if ours != nil {
			return s.holdOurs(tx, o, ours)
		}
		if held, err := s.holdNew(tx, o); held || err != nil {
			return err
		}
	}
}

// holder finds this organization's connection of the WABA, held or given up; nil when there is none.
func (s *Store) holder(tx *gorm.DB, o *Onboarding) (ours *Connection, err error) {
	var rows []Connection
	query := s.db.ForUpdate(tx).Where("waba_id = ? and (state <> ? or organization_id = ?)",
		o.WabaID, ConnectionDisconnected, o.OrganizationID)
	if err := query.Find(&rows).Error; err != nil {
		return nil, err
	}
	for i, c := range rows {
		if c.OrganizationID != o.OrganizationID {
			return nil, ErrHeldElsewhere
		}
		ours = &rows[i]
	}
	return ours, nil
}

func (s *Store) holdOurs(tx *gorm.DB, o *Onboarding, ours *Connection) error {
	switch {
	case ours.State == ConnectionDisconnected:
		return s.holdAgain(tx, o, ours)
	case ours.DisconnectTime != nil:
		return ErrDisconnecting
	case ours.State == ConnectionClaiming: // an earlier claim of ours is under way: both go on with its row
		o.ConnectionID = &ours.ID
		return tx.Model(&Connection{}).Where("id = ?", ours.ID).Update("onboarding_id", o.ID).Error
	}
	o.ConnectionID = &ours.ID // a reconnection: untouched until bind
	return nil
}

// holdNew makes the connection, unless somebody just did.
func (s *Store) holdNew(tx *gorm.DB, o *Onboarding) (held bool, err error) {
	now := s.now()
	c := Connection{
		ID: database.NewID(), OrganizationID: o.OrganizationID, WabaID: o.WabaID, State: ConnectionClaiming, Reasons: []string{}, Account: Account{},
		StateTime: now, OnboardingID: o.ID, OwnBusiness: o.OwnBusiness, Epoch: 1, CreateTime: now, SoughtNumbers: []string{},
	}
	insert := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&c)
	if insert.Error != nil || insert.RowsAffected == 0 {
		return false, insert.Error
	}
	o.ConnectionID = &c.ID
	return true, s.note(tx, o.activity("WABA_HELD", "", ""))
}

// holdAgain takes up a connection that was given up: it keeps its id and its history, and nothing else.
func (s *Store) holdAgain(tx *gorm.DB, o *Onboarding, c *Connection) error {
	fresh := Connection{
		State: ConnectionClaiming, Reasons: []string{}, StateTime: s.now(), OnboardingID: o.ID, OwnBusiness: o.OwnBusiness,
		Epoch: c.Epoch + 1, Account: Account{}, SoughtNumbers: []string{},
	}
	update := tx.Model(&Connection{}).Where("id = ?", c.ID).Select("state", "reasons", "state_time", "onboarding_id",
		"token_id", "token_state", "token_expire_time", "own_business", "access_reason", "subscription_proven",
		"subscription_time", "subscription_reason", "disconnect_time", "disconnect_actor", "unsubscribed",
		"epoch", "run_time", "account", "reassess_time", "hold_time", "sought_numbers", "seeks", "seek_time").Updates(fresh)
	if database.Duplicate(update.Error) {
		return ErrHeldElsewhere
	}
	if update.Error != nil {
		return update.Error
	}
	o.ConnectionID = &c.ID
	return s.note(tx, o.activity("WABA_HELD", "", ""))
}
