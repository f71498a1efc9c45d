package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"gorm.io/gorm"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
)

const sweepBatch = 200

// Sweep looks over what is not final: it ends what passed its deadline and enqueues again what no job came for. Two
// replicas may sweep at once: a superfluous job finds nothing to do.
func (s *Store) Sweep(ctx context.Context) error {
	return errors.Join(
		s.sweepDeadlines(ctx), s.sweepExpired(ctx), s.sweepClaims(ctx), s.sweepNumbers(ctx), s.sweepDisconnects(ctx),
		s.sweepTurns(ctx), s.sweepSends(ctx), s.sweepSyncs(ctx), s.sweepAttempts(ctx), s.sweepSeeks(ctx),
	)
}

// sweepDeadlines ends claims that made it nowhere in time, with the reason of the step at which they wait.
func (s *Store) sweepDeadlines(ctx context.Context) error {
	overdue, err := s.running(ctx, "start_time < ?", s.now().Add(-s.deadline))
	if err != nil {
		return err
	}
	for _, o := range overdue {
		if err := s.EndOverdue(ctx, &o); err != nil && !errors.Is(err, ErrFenced) {
			return err
		}
	}
	return nil
}

// EndOverdue ends a claim whose deadline has passed, unless it has begun to bind: then it only goes forward.
func (s *Store) EndOverdue(ctx context.Context, o *Onboarding) error {
	if !s.Overdue(o) {
		return nil
	}
	reason := o.Steps.Current().Reason
	if reason == "" {
		reason = errorsv1.ErrorReason_CLAIM_STUCK.String()
	}
	return s.FailClaim(ctx, o, reason, nil)
}

// Overdue tells whether a claim must end by its deadline.
func (s *Store) Overdue(o *Onboarding) bool {
	return !o.State.Final() && o.StartTime != nil && s.now().Sub(*o.StartTime) > s.deadline && !o.Steps.bindBegun()
}

func (s *Store) running(ctx context.Context, query string, args ...any) ([]Onboarding, error) {
	return read(ctx, s, func(tx *gorm.DB, list *[]Onboarding) error {
		return tx.Where("run_time is not null and state in ?", []OnboardingState{Exchanging, Claiming}).
			Where(query, args...).Order("run_time").Limit(sweepBatch).Find(list).Error
	})
}

// sweepExpired ends onboardings that nobody claimed, or chose for, in time.
func (s *Store) sweepExpired(ctx context.Context) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		return tx.Model(&Onboarding{}).
			Where("state in ? and expire_time < ?", []OnboardingState{Started, Cancelled, Choosing}, s.now()).
			Updates(map[string]any{
				"state": Expired, "state_time": s.now(), "epoch": gorm.Expr("epoch + 1"),
				"reason": errorsv1.ErrorReason_ONBOARDING_EXPIRED.String(),
			}).Error
	})
}

func (s *Store) sweepClaims(ctx context.Context) error {
	late, err := s.running(ctx, "run_time < ?", s.now())
	for _, o := range late {
		err = errors.Join(err, s.again(ctx, sweepRow{&Onboarding{}, "run_time", "id = ?", []any{o.ID}}, ClaimArgs{o.ID, o.Epoch}))
	}
	return err
}

func (s *Store) sweepNumbers(ctx context.Context) error {
	late, err := read(ctx, s, func(tx *gorm.DB, late *[]PhoneNumber) error {
		return tx.Select("connection_id", "phone_number_id").Where("run_time < ?", s.now()).Limit(sweepBatch).Find(late).Error
	})
	for _, n := range late {
		row := sweepRow{&PhoneNumber{}, "run_time", "connection_id = ? and phone_number_id = ?", []any{n.ConnectionID, n.PhoneNumberID}}
		err = errors.Join(err, s.again(ctx, row, RegisterArgs{n.ConnectionID, n.PhoneNumberID}))
	}
	return err
}

// Early tells whether a number's job comes before its time: a superfluous one, left over from a pause that was cut short.
func (s *Store) Early(n PhoneNumber) bool {
	return n.RunTime != nil && n.RunTime.After(s.now().Add(jobLife))
}

func (s *Store) sweepDisconnects(ctx context.Context) error {
	late, err := read(ctx, s, func(tx *gorm.DB, late *[]uuid.UUID) error {
		return tx.Model(&Connection{}).Where("run_time < ?", s.now()).Limit(sweepBatch).Pluck("id", late).Error
	})
	for _, id := range late {
		err = errors.Join(err, s.again(ctx, sweepRow{&Connection{}, "run_time", "id = ?", []any{id}}, DisconnectArgs{id}))
	}
	return err
}

// sweepTurns looks again at connections that time alone has changed.
func (s *Store) sweepTurns(ctx context.Context) error {
	due, err := read(ctx, s, func(tx *gorm.DB, due *[]uuid.UUID) error {
		return tx.Model(&Connection{}).Where("reassess_time <= ?", s.now()).Limit(sweepBatch).Pluck("id", due).Error
	})
	for _, id := range due {
		err = errors.Join(err, s.inTx(ctx, func(tx *gorm.DB) error { return s.reassess(tx, id) }))
	}
	return err
}

// sweepSeeks asks again for numbers that Meta did not list.
func (s *Store) sweepSeeks(ctx context.Context) error {
	late, err := read(ctx, s, func(tx *gorm.DB, late *[]uuid.UUID) error {
		claimed := tx.Model(&Connection{}).Where("state not in ? and disconnect_time is null", []ConnectionState{ConnectionDisconnected, ConnectionClaiming})
		return claimed.Where("seek_time < ?", s.now()).Limit(sweepBatch).Pluck("id", late).Error
	})
	for _, id := range late {
		err = errors.Join(err, s.again(ctx, sweepRow{&Connection{}, "seek_time", "id = ?", []any{id}}, SeekArgs{id}))
	}
	return err
}

type sweepRow struct {
	model any
	due   string // the column that says when
	where string
	args  []any
}

// again enqueues a job for a row that is late, unless another replica just did.
func (s *Store) again(ctx context.Context, row sweepRow, args interface{ Kind() string }) error {
	err := s.inTx(ctx, func(tx *gorm.DB) error {
		now := s.now()
		update := tx.Model(row.model).Where(row.where, row.args...).Where(row.due+" < ?", now).
			Updates(map[string]any{row.due: now.Add(jobLife)})
		if update.Error != nil || update.RowsAffected == 0 {
			return update.Error
		}
		return s.queue.Add(ctx, tx, args)
	})
	if err != nil {
		return fmt.Errorf("enqueue %s again: %w", args.Kind(), err)
	}
	return nil
}
