package store

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/whatrack/connect/services/internal/database"
)

// DestinationState is whether a destination is sent to.
type DestinationState string

// The states of a destination. What comes is kept in each of them.
const (
	DestinationActive   DestinationState = "ACTIVE"
	DestinationHeld     DestinationState = "HELD"
	DestinationDisabled DestinationState = "DISABLED"
)

// The kinds of a destination.
const (
	KindEvents  = "EVENTS"
	KindMetaRaw = "META_RAW"
)

// Everybody stands for all organizations in a destination's row.
const Everybody = "*"

// maxDestinations bounds those of one organization.
const maxDestinations = 20

// Destination is where events are sent as they come.
type Destination struct {
	ID                 uuid.UUID `gorm:"primaryKey"`
	OrganizationID     string    // or Everybody
	Kind               string
	URL                string `gorm:"column:url"`
	State              DestinationState
	Reason             string
	StateTime          time.Time
	EventTypes         []string `gorm:"serializer:json"`
	Secret             []byte
	SecretKeyID        uint32
	SecretVersion      int64
	PreviousSecret     []byte
	PreviousKeyID      uint32
	PreviousExpireTime *time.Time
	BeginPosition      int64
	LastSuccessTime    *time.Time
	CreateTime         time.Time

	// Backlog is loaded for readers.
	Backlog Backlog `gorm:"-"`
}

// Backlog is what a destination still has to receive, and since when.
type Backlog struct {
	Count int64
	Since *time.Time
}

// wants tells whether an event is for the destination.
func (d *Destination) wants(e Event) bool {
	if e.Position <= d.BeginPosition || (d.OrganizationID != Everybody && d.OrganizationID != e.OrganizationID) {
		return false
	}
	if d.Kind == KindMetaRaw && e.ChangeID == nil {
		return false
	}
	return len(d.EventTypes) == 0 || slices.ContainsFunc(d.EventTypes, func(pattern string) bool {
		prefix, all := strings.CutSuffix(pattern, "*")
		return pattern == e.Type || (all && strings.HasPrefix(e.Type, prefix))
	})
}

func (d *Destination) activity(kind, actor, reason string) Activity {
	return Activity{OrganizationID: d.OrganizationID, DestinationID: &d.ID, Type: kind, Actor: actor, Reason: reason}
}

// destinationsLock is the key of the advisory lock under which destinations are counted and added.
const destinationsLock = 0x77_61_63_64

// CreateDestination adds a destination for what comes from now on. ErrTooMany when its organization has as many as it may.
func (s *Store) CreateDestination(ctx context.Context, d Destination, actor string) (Destination, error) {
	err := s.inTx(ctx, func(tx *gorm.DB) error {
		if s.db.Dialect() == database.PostgreSQL {
			if err := tx.Exec("select pg_advisory_xact_lock(?)", destinationsLock).Error; err != nil {
				return err
			}
		}
		var count int64
		if err := tx.Model(&Destination{}).Where("organization_id = ?", d.OrganizationID).Count(&count).Error; err != nil {
			return err
		}
		if count >= maxDestinations {
			return ErrTooMany
		}
		if err := tx.Raw("select coalesce(max(position), 0) from events").Scan(&d.BeginPosition).Error; err != nil {
			return err
		}
		d.State, d.StateTime, d.CreateTime = DestinationActive, s.now(), s.now()
		if err := tx.Create(&d).Error; err != nil {
			return err
		}
		return s.note(tx, d.activity("DESTINATION_CREATED", actor, ""))
	})
	return d, err
}

// FindDestination reads a destination with what it still has to receive.
func (s *Store) FindDestination(ctx context.Context, organization string, id uuid.UUID) (Destination, error) {
	return snapshot(ctx, s, func(tx *gorm.DB, d *Destination) error {
		if err := within(tx, organization).Where("id = ?", id).Take(d).Error; err != nil {
			return err
		}
		return attachBacklogs(tx, []*Destination{d})
	})
}

// ListDestinations lists destinations, newest first.
func (s *Store) ListDestinations(ctx context.Context, organization string, before uuid.UUID, limit int) ([]*Destination, error) {
	return snapshot(ctx, s, func(tx *gorm.DB, list *[]*Destination) error {
		if err := page(within(tx, organization), before, limit).Find(list).Error; err != nil {
			return err
		}
		return attachBacklogs(tx, *list)
	})
}

func attachBacklogs(tx *gorm.DB, list []*Destination) error {
	ids := make([]uuid.UUID, 0, len(list))
	for _, d := range list {
		ids = append(ids, d.ID)
	}
	var rows []struct {
		DestinationID uuid.UUID
		Count         int64
		Time          time.Time
	}
	err := tx.Raw(`select p.destination_id, p.count, e.time from (
		select destination_id, count(*) as count, min(position) as position from destination_events
		where destination_id in ? group by destination_id) p
		join events e on e.position = p.position`, ids).Scan(&rows).Error
	for _, row := range rows {
		i := slices.Index(ids, row.DestinationID)
		list[i].Backlog = Backlog{Count: row.Count, Since: &row.Time}
	}
	return err
}

// DestinationUpdate is what changes of a destination; nil parts stay.
type DestinationUpdate struct {
	URL     *string
	Enabled *bool
	Actor   string
}

// UpdateDestination changes a destination. Enabling it, or a new URL of an active one, sends what waits, at once.
func (s *Store) UpdateDestination(ctx context.Context, organization string, id uuid.UUID, update DestinationUpdate) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		d, err := lock[Destination](s, within(tx, organization), id)
		if err != nil {
			return err
		}
		mended := false
		if update.URL != nil && *update.URL != d.URL {
			d.URL, mended = *update.URL, d.State == DestinationActive
			if err := tx.Model(&Destination{}).Where("id = ?", id).Update("url", d.URL).Error; err != nil {
				return err
			}
			if err := s.note(tx, d.activity("DESTINATION_URL_CHANGED", update.Actor, "")); err != nil {
				return err
			}
		}
		switch {
		case update.Enabled != nil && *update.Enabled:
			err = s.moveDestination(tx, &d, DestinationActive, "", update.Actor)
			mended = true
		case update.Enabled != nil:
			err = s.moveDestination(tx, &d, DestinationDisabled, "", update.Actor)
		}
		if err != nil || !mended {
			return err
		}
		return lanesAtRest(tx, id).Updates(map[string]any{"run_time": s.now(), "failures": 0}).Error
	})
}

// lanesAtRest are those of a destination that nobody is at.
func lanesAtRest(tx *gorm.DB, destination uuid.UUID) *gorm.DB {
	return tx.Model(&Lane{}).Where("destination_id = ? and leased = ?", destination, false)
}

// moveDestination gives a locked destination a state. One that is not sent to has no lane that is due.
func (s *Store) moveDestination(tx *gorm.DB, d *Destination, state DestinationState, reason, actor string) error {
	changed := d.State != state
	d.State, d.Reason = state, reason
	if changed {
		d.StateTime = s.now()
	}
	if err := tx.Model(&Destination{}).Where("id = ?", d.ID).Select("state", "reason", "state_time").Updates(d).Error; err != nil {
		return err
	}
	if state != DestinationActive {
		if err := lanesAtRest(tx, d.ID).Update("run_time", nil).Error; err != nil {
			return err
		}
	}
	if !changed {
		return nil
	}
	return s.note(tx, d.activity("DESTINATION_"+string(state), actor, reason))
}

// RotateDestinationSecret gives a destination, as it was read, a new secret, sealed for the version after. The one before
// counts until a time. ErrFenced when somebody else did so since.
func (s *Store) RotateDestinationSecret(ctx context.Context, read Destination, next Sealed, until time.Time, actor string) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		mine := tx.Model(&Destination{}).Where("id = ? and secret_version = ?", read.ID, read.SecretVersion).Updates(map[string]any{
			"secret": next.Ciphertext, "secret_key_id": next.KeyID, "secret_version": read.SecretVersion + 1,
			"previous_secret": read.Secret, "previous_key_id": read.SecretKeyID, "previous_expire_time": until,
		})
		if err := database.OneRow(mine, ErrFenced); err != nil {
			return err
		}
		return s.note(tx, read.activity("DESTINATION_SECRET_ROTATED", actor, ""))
	})
}

// deleteBatch is how many rows go in one commit.
const deleteBatch = 5000

// DeleteDestination removes a destination with what it still has to receive. There may be much of it: it goes in several
// commits, the destination itself in the last, so that a call that was cut is repeated.
func (s *Store) DeleteDestination(ctx context.Context, organization string, id uuid.UUID, actor string) error {
	off := false
	if err := s.UpdateDestination(ctx, organization, id, DestinationUpdate{Enabled: &off, Actor: actor}); err != nil {
		return err
	}
	for _, batch := range []string{
		`delete from destination_events where destination_id = @id and position in (
			select position from destination_events where destination_id = @id limit @batch)`,
		`delete from destination_attempts where id in (
			select id from destination_attempts where destination_id = @id limit @batch)`,
	} {
		if err := s.deleteInBatches(ctx, batch, id); err != nil {
			return err
		}
	}
	return s.inTx(ctx, func(tx *gorm.DB) error {
		d, err := lock[Destination](s, within(tx, organization), id)
		if err != nil {
			return err
		}
		if err := s.note(tx, d.activity("DESTINATION_DELETED", actor, "")); err != nil {
			return err
		}
		return tx.Where("id = ?", id).Delete(&Destination{}).Error
	})
}

func (s *Store) deleteInBatches(ctx context.Context, batch string, id uuid.UUID) error {
	for {
		var gone int64
		err := s.inTx(ctx, func(tx *gorm.DB) error {
			result := tx.Exec(batch, sql.Named("id", id), sql.Named("batch", deleteBatch))
			gone = result.RowsAffected
			return result.Error
		})
		if err != nil || gone < deleteBatch {
			return err
		}
	}
}
