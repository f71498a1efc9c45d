package store

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/whatrack/connect/services/internal/database"
)

// recoverAfter is how long the post of a code may be silent before the sweeper asks the broker what became of it.
const recoverAfter = 5 * time.Second

// PostedCode is a code as it came, by its fingerprint.
type PostedCode struct {
	Organization, Fingerprint string
	OnboardingID              uuid.UUID // nil: none was posted
	StateHash                 string    // empty: none was posted
	WabaID, PhoneNumberID     string
	Actor                     string
	TTL                       time.Duration
}

// RecordCode writes down that a code is about to be spent, and for which onboarding: the one that was posted with it,
// the one of the state, or a new one. A code that was posted before answers the onboarding that had it first, unless a
// state says that another was meant, and the rest of the post is ignored, but for a WABA or number where none was named.
// An onboarding that failed before its code brought a token is EXCHANGING again, since the broker alone knows whether the
// code may be spent; one that failed later is claimed again with its token.
func (s *Store) RecordCode(ctx context.Context, p PostedCode) (o Onboarding, err error) {
	for range 3 { // parallel posts of one code meet at the unique constraint: the loser reads the winner's row
		err = s.inTx(ctx, func(tx *gorm.DB) error {
			o, err = s.recordCode(tx, p)
			return err
		})
		if !database.Duplicate(err) {
			return o, err
		}
	}
	return o, err
}

func (s *Store) recordCode(tx *gorm.DB, p PostedCode) (Onboarding, error) {
	known, err := s.findByCode(tx, p)
	if err != nil {
		return Onboarding{}, err
	}
	if known != nil && p.StateHash != "" && !known.hasState(p.StateHash) {
		return Onboarding{}, ErrStateMismatch
	}
	if known != nil {
		return s.codeAgain(tx, *known, p)
	}
	if p.OnboardingID == uuid.Nil && p.StateHash == "" {
		o := s.newOnboarding(p.Organization, p.Actor, s.now().Add(p.TTL))
		s.takeCode(&o, p)
		if err := tx.Create(&o).Error; err != nil {
			return Onboarding{}, err
		}
		return o, s.note(tx, o.activity("CODE_POSTED", p.Actor, ""))
	}
	o, err := s.findForCode(tx, p)
	if err != nil {
		return Onboarding{}, err
	}
	if o.Fingerprint != nil { // a parallel post of this very code was faster
		return s.codeAgain(tx, o, p)
	}
	epoch := o.Epoch
	s.takeCode(&o, p)
	if err := s.save(tx, &o, epoch); err != nil {
		return Onboarding{}, err
	}
	return o, s.note(tx, o.activity("CODE_POSTED", p.Actor, ""))
}

func (s *Store) findByCode(tx *gorm.DB, p PostedCode) (*Onboarding, error) {
	return database.First[Onboarding](s.db.ForUpdate(tx).Where("organization_id = ? and fingerprint = ?", p.Organization, p.Fingerprint))
}

// codeAgain is the same code once more. Where it names what nobody named before, a claim that did not find its WABA so far
// takes it, out of the hands of whoever looks without it.
func (s *Store) codeAgain(tx *gorm.DB, o Onboarding, p PostedCode) (Onboarding, error) {
	epoch, current := o.Epoch, o.Steps.Current()
	finding := o.State == Claiming && current.Name == StepFind && current.Reason != ""
	if o.State != Failed && (!finding || o.WabaID != "" || p.WabaID == "") {
		return o, nil
	}
	o.WabaID, o.PhoneNumberID = cmp.Or(o.WabaID, p.WabaID), cmp.Or(o.PhoneNumberID, p.PhoneNumberID)
	if finding {
		current.State = StepWaiting
		if err := s.save(tx, &o, epoch); err != nil {
			return Onboarding{}, err
		}
		return o, s.queue.Add(tx.Statement.Context, tx, ClaimArgs{OnboardingID: o.ID})
	}
	if o.TokenID == "" {
		s.beginExchange(&o)
		return o, s.save(tx, &o, epoch)
	}
	s.move(&o, Claiming, "")
	o.Steps.restart()
	if err := s.startClaim(tx, &o, epoch); err != nil {
		return Onboarding{}, err
	}
	return o, s.note(tx, o.activity("CLAIM_RESTARTED", p.Actor, ""))
}

// findForCode finds the onboarding that a code was posted for, and refuses one that may not take it.
func (s *Store) findForCode(tx *gorm.DB, p PostedCode) (o Onboarding, err error) {
	query := s.db.ForUpdate(tx).Where("organization_id = ?", p.Organization)
	if p.OnboardingID != uuid.Nil {
		query = query.Where("id = ?", p.OnboardingID)
	} else {
		query = query.Where("state_hash = ?", p.StateHash)
	}
	err = query.Take(&o).Error
	switch {
	case errors.Is(err, ErrNotFound) && p.OnboardingID == uuid.Nil:
		return o, ErrStateMismatch
	case err != nil:
		return o, err
	case p.StateHash != "" && !o.hasState(p.StateHash):
		return o, ErrStateMismatch
	case o.Fingerprint != nil && *o.Fingerprint == p.Fingerprint:
		return o, nil
	case o.Fingerprint != nil || (o.State != Started && o.State != Cancelled && o.State != Expired):
		return o, ErrStateMismatch // another code consumed it
	case o.State == Expired || s.now().After(o.ExpireTime):
		return o, ErrExpired
	}
	return o, nil
}

func (o *Onboarding) hasState(hash string) bool { return o.StateHash != nil && *o.StateHash == hash }

func (s *Store) takeCode(o *Onboarding, p PostedCode) {
	o.Fingerprint, o.WabaID, o.PhoneNumberID, o.Actor = &p.Fingerprint, p.WabaID, p.PhoneNumberID, p.Actor
	s.beginExchange(o)
}

func (s *Store) beginExchange(o *Onboarding) {
	now := s.now()
	s.move(o, Exchanging, "")
	step := o.Steps.Get(StepExchange)
	step.Reason = ""
	step.begin(now)
	o.StartTime, o.RunTime = &now, ptr(now.Add(recoverAfter))
}

// RecordOwnClaim begins a claim of one of the operator's own WABAs, which needs no code.
func (s *Store) RecordOwnClaim(ctx context.Context, p PostedCode) (Onboarding, error) {
	o := s.newOnboarding(p.Organization, p.Actor, s.now().Add(p.TTL))
	o.WabaID, o.PhoneNumberID, o.OwnBusiness = p.WabaID, p.PhoneNumberID, true
	o.Steps.Get(StepExchange).end(StepSkipped, "", s.now())
	s.move(&o, Claiming, "")
	err := s.inTx(ctx, func(tx *gorm.DB) error {
		s.clockClaim(&o)
		if err := tx.Create(&o).Error; err != nil {
			return err
		}
		if err := s.note(tx, o.activity("CLAIM_STARTED", p.Actor, "")); err != nil {
			return err
		}
		return s.queue.Add(ctx, tx, ClaimArgs{OnboardingID: o.ID})
	})
	return o, err
}
