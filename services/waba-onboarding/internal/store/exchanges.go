package store

import (
	"context"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

// AttachToken ends the exchange with the token that the broker keeps, and starts the claim. Doing it again changes
// nothing.
func (s *Store) AttachToken(ctx context.Context, id uuid.UUID, tokenID string) (o Onboarding, err error) {
	err = s.inTx(ctx, func(tx *gorm.DB) error {
		if o, err = lock[Onboarding](s, tx, id); err != nil {
			return err
		}
		if o.TokenID != "" || (o.State != Exchanging && o.State != Failed) {
			return nil
		}
		epoch := o.Epoch
		o.TokenID = tokenID
		o.Steps.Get(StepExchange).end(StepDone, "", s.now())
		s.move(&o, Claiming, "")
		if err := s.startClaim(tx, &o, epoch); err != nil {
			return err
		}
		return s.note(tx, o.activity("CODE_EXCHANGED", o.Actor, ""))
	})
	return o, err
}

// RefuseCode ends an onboarding whose code brought no token. One that went on meanwhile is left alone.
func (s *Store) RefuseCode(ctx context.Context, id uuid.UUID, reason string, metadata map[string]string) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		o, err := lock[Onboarding](s, tx, id)
		if err != nil {
			return err
		}
		if o.State != Exchanging {
			return nil
		}
		return s.fail(tx, &o, reason, metadata)
	})
}

// PostponeExchange shows why the exchange has no outcome yet.
func (s *Store) PostponeExchange(ctx context.Context, id uuid.UUID, reason string, delay time.Duration) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		o, err := lock[Onboarding](s, tx, id)
		if err != nil {
			return err
		}
		if o.State != Exchanging {
			return nil
		}
		epoch, step := o.Epoch, o.Steps.Get(StepExchange)
		step.State, step.Reason = StepWaiting, reason
		o.RunTime = ptr(s.now().Add(delay + slack))
		return s.save(tx, &o, epoch)
	})
}
