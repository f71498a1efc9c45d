package store

import (
	"context"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/whatrack/connect/services/internal/database"
)

// ClaimArgs is the job that goes on with a claim.
type ClaimArgs struct {
	OnboardingID uuid.UUID `json:"onboardingId"`
	// DeadEpoch is the sweeper's word that whoever began a step at this epoch is dead.
	DeadEpoch int64 `json:"deadEpoch,omitempty"`
}

// Kind implements river.JobArgs.
func (ClaimArgs) Kind() string { return "claim_waba" }

// Progress is what a finished step found out, or did.
type Progress struct {
	WabaID string      // find
	Hold   bool        // hold
	Read   *WabaFacts  // read
	Bound  *TokenFacts // bind: the last, so that the claim ends CONNECTED
}

// LoadClaim reads an onboarding for the job that works it.
func (s *Store) LoadClaim(ctx context.Context, id uuid.UUID) (Onboarding, error) {
	return read(ctx, s, func(tx *gorm.DB, o *Onboarding) error { return tx.Where("id = ?", id).Take(o).Error })
}

// BeginStep writes down that the current step is about to be tried, unless it is bind and not its turn: then the step is
// still PENDING afterwards, and to be begun after BindPause. ErrFenced stops a twin.
func (s *Store) BeginStep(ctx context.Context, o *Onboarding) error {
	return s.changeClaim(ctx, o, func(tx *gorm.DB, next *Onboarding) error { return s.begin(tx, next) })
}

// changeClaim changes an onboarding as its worker knows it, who takes over what was committed, and nothing else: one whose
// commit was lost goes on from what he knows, and the epoch stops him if it was not lost after all. ErrFenced stops a twin.
func (s *Store) changeClaim(ctx context.Context, o *Onboarding, change func(tx *gorm.DB, next *Onboarding) error) error {
	var next Onboarding
	err := s.inTx(ctx, func(tx *gorm.DB) error {
		next = o.clone()
		if err := change(tx, &next); err != nil {
			return err
		}
		return s.save(tx, &next, o.Epoch)
	})
	if err == nil {
		*o = next
	}
	return err
}

// jobLife is how long a step that was begun may be silent before its worker is taken for dead. It lies above the timeout
// of a job.
const jobLife = 25 * time.Second

// Worked tells whether somebody is at the current step: begun, not ended, and not for so long that he must be dead. A
// superfluous job goes away then, instead of taking the step out of a living worker's hands.
func (s *Store) Worked(o *Onboarding) bool {
	current := o.Steps.Current()
	return current != nil && current.State == StepRunning && o.RunTime != nil && s.now().Before(*o.RunTime)
}

// FinishStep writes down what the running step did and begins the next one, as BeginStep does, in one commit; unless
// another job is to go on, which begins it itself. ErrFenced stops a twin; ErrHeldElsewhere and ErrDisconnecting are
// outcomes of hold.
func (s *Store) FinishStep(ctx context.Context, o *Onboarding, p Progress, goOn bool) error {
	return s.changeClaim(ctx, o, func(tx *gorm.DB, next *Onboarding) error {
		next.Steps.Current().end(StepDone, "", s.now())
		if err := s.applyProgress(tx, next, p); err != nil {
			return err
		}
		switch {
		case next.Steps.Current() == nil:
			s.move(next, Connected, "")
		case goOn:
			if err := s.begin(tx, next); err != nil {
				return err
			}
		default:
			next.RunTime = ptr(s.now().Add(slack))
		}
		return nil
	})
}

func (s *Store) applyProgress(tx *gorm.DB, o *Onboarding, p Progress) error {
	if p.WabaID != "" {
		o.WabaID = p.WabaID
	}
	switch {
	case p.Hold:
		return s.hold(tx, o)
	case p.Read != nil:
		return s.keepFacts(tx, o, *p.Read)
	case p.Bound != nil:
		return s.connect(tx, o, *p.Bound)
	}
	return nil
}

// keepFacts writes what was read to a connection that is being claimed. One that lives is left untouched until bind: its
// reconnection may fail.
func (s *Store) keepFacts(tx *gorm.DB, o *Onboarding, facts WabaFacts) error {
	c, err := lock[Connection](s, tx, *o.ConnectionID)
	if err != nil {
		return err
	}
	if c.State != ConnectionClaiming {
		o.Facts = &facts
		return nil
	}
	return s.writeFacts(tx, c.ID, facts)
}

// PostponeStep writes down why the running step is tried again later: it is WAITING, or UNKNOWN when an answer was lost.
func (s *Store) PostponeStep(ctx context.Context, o *Onboarding, state StepState, reason string, delay time.Duration) error {
	return s.changeClaim(ctx, o, func(_ *gorm.DB, next *Onboarding) error {
		step := next.Steps.Current()
		step.State, step.Reason = state, reason
		next.RunTime = ptr(s.now().Add(delay + slack))
		return nil
	})
}

// FailClaim ends a claim. A first claim leaves its connection DISCONNECTED, with the reason; a reconnection leaves the
// old connection as it was.
func (s *Store) FailClaim(ctx context.Context, o *Onboarding, reason string, metadata map[string]string) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		next := o.clone()
		return s.fail(tx, &next, reason, metadata)
	})
}

func (s *Store) fail(tx *gorm.DB, o *Onboarding, reason string, metadata map[string]string) error {
	epoch := o.Epoch
	o.Steps.Current().end(StepFailed, reason, s.now())
	s.move(o, Failed, reason)
	if metadata != nil {
		o.Metadata = metadata
	}
	if err := s.abandon(tx, o, reason); err != nil { // the connection first: see lock
		return err
	}
	if err := s.save(tx, o, epoch); err != nil {
		return err
	}
	return s.note(tx, o.activity("CLAIM_FAILED", "", reason))
}

// abandon gives up a connection that was held for this claim alone. If another claim of it is under way, that one holds
// it now; a connection that is being disconnected is given up at the end of that.
func (s *Store) abandon(tx *gorm.DB, o *Onboarding, reason string) error {
	o.Facts = nil
	if o.ConnectionID == nil {
		return nil
	}
	c, err := lock[Connection](s, tx, *o.ConnectionID)
	if err != nil {
		return err
	}
	if c.State != ConnectionClaiming || c.DisconnectTime != nil {
		return nil
	}
	claims := tx.Select("id").Where("connection_id = ? and state = ? and id <> ?", c.ID, Claiming, o.ID)
	other, err := database.First[Onboarding](claims.Order("id desc"))
	if err != nil {
		return err
	}
	if other != nil {
		return tx.Model(&Connection{}).Where("id = ?", c.ID).Update("onboarding_id", other.ID).Error
	}
	c.State, c.StateTime, c.Reasons = ConnectionDisconnected, s.now(), []string{reason}
	return tx.Model(&Connection{}).Where("id = ?", c.ID).Select("state", "state_time", "reasons").Updates(&c).Error
}

// OfferChoices lets a person choose among several WABAs. It costs the claim no time: choices are open for a day.
func (s *Store) OfferChoices(ctx context.Context, o *Onboarding, choices []Choice) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		next := o.clone()
		next.Choices = choices
		step := next.Steps.Current()
		step.State, step.Reason = StepWaiting, ""
		s.move(&next, Choosing, "")
		next.ExpireTime, next.RunTime = s.now().Add(choiceLife), nil
		if err := s.save(tx, &next, o.Epoch); err != nil {
			return err
		}
		return s.note(tx, next.activity("CHOICE_OFFERED", "", ""))
	})
}

// choiceLife is how long a token waits for its first binding at the broker.
const choiceLife = 24 * time.Hour

// SelectWABA records the choice and goes on with the claim. The same choice again changes nothing.
func (s *Store) SelectWABA(ctx context.Context, organization string, id uuid.UUID, waba, actor string) (o Onboarding, err error) {
	err = s.inTx(ctx, func(tx *gorm.DB) error {
		if o, err = lock[Onboarding](s, within(tx, organization), id); err != nil {
			return err
		}
		switch {
		case o.State == Expired || (o.State == Choosing && s.now().After(o.ExpireTime)):
			return ErrExpired
		case !o.offers(waba):
			return ErrNotOffered
		case o.State != Choosing && o.WabaID == waba:
			return nil
		case o.State != Choosing:
			return ErrChosen
		}
		epoch := o.Epoch
		o.WabaID = waba
		s.move(&o, Claiming, "")
		o.Steps.restart()
		if err := s.startClaim(tx, &o, epoch); err != nil {
			return err
		}
		return s.note(tx, o.activity("WABA_CHOSEN", actor, ""))
	})
	return o, err
}

func (o *Onboarding) offers(waba string) bool {
	for _, c := range o.Choices {
		if c.WabaID == waba {
			return true
		}
	}
	return false
}

// clone copies what a change may touch, so that a transaction that is rolled back leaves the original as it was.
func (o *Onboarding) clone() Onboarding {
	next := *o
	next.Steps = append(Steps{}, o.Steps...)
	return next
}
