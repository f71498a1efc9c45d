package store

import (
	"cmp"
	"context"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/whatrack/connect/services/internal/database"
)

// SignupEvent is what a page reports of the popup, or the callback of the dialog.
type SignupEvent string

// The events of a signup.
const (
	SignupOpened    SignupEvent = "OPENED"
	SignupFinished  SignupEvent = "FINISHED"
	SignupCancelled SignupEvent = "CANCELLED"
	SignupFailed    SignupEvent = "FAILED"
	SignupBlocked   SignupEvent = "BLOCKED"
)

// Signup is the last report of an onboarding's popup. It is a row of its own: a report must not fence the worker of a
// claim.
type Signup struct {
	OnboardingID                             uuid.UUID `gorm:"primaryKey"`
	Event                                    SignupEvent
	Step, ErrorCode, ErrorMessage, SessionID string
	UserAgent                                string
	WabaID, PhoneNumberID                    string // hints, kept when a later report has none
	Reports                                  int
	Time                                     time.Time
}

// maxReports bounds the reports of one onboarding: a person makes a dozen.
const maxReports = 300

// ReportSignup records a report. One of a cancelled popup cancels an onboarding that waits for its code, until the popup
// is opened again; it may be claimed all the same until it expires.
func (s *Store) ReportSignup(ctx context.Context, organization string, report Signup, actor string) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		o, err := lock[Onboarding](s, within(tx, organization), report.OnboardingID)
		if err != nil {
			return err
		}
		before, err := s.keepReport(tx, report)
		if err != nil {
			return err
		}
		if err := s.followPopup(tx, &o, report.Event); err != nil || before == report.Event {
			return err
		}
		switch report.Event {
		case SignupCancelled, SignupFailed, SignupBlocked:
			return s.note(tx, o.activity("SIGNUP_"+string(report.Event), actor, ""))
		case SignupOpened, SignupFinished:
		}
		return nil
	})
}

// keepReport writes the report over the one before, whose event it answers.
func (s *Store) keepReport(tx *gorm.DB, report Signup) (SignupEvent, error) {
	before, err := database.First[Signup](tx.Where("onboarding_id = ?", report.OnboardingID))
	if err != nil {
		return "", err
	}
	if before == nil {
		before = &Signup{}
	}
	if before.Reports >= maxReports {
		return "", ErrManyReports
	}
	report.Reports, report.Time = before.Reports+1, s.now()
	report.WabaID = cmp.Or(report.WabaID, before.WabaID)
	report.PhoneNumberID = cmp.Or(report.PhoneNumberID, before.PhoneNumberID)
	return before.Event, tx.Clauses(clause.OnConflict{UpdateAll: true}).Create(&report).Error
}

// followPopup cancels an onboarding that waits for its code, or lets it wait again.
func (s *Store) followPopup(tx *gorm.DB, o *Onboarding, event SignupEvent) error {
	epoch := o.Epoch
	switch {
	case event == SignupCancelled && o.State == Started:
		s.move(o, Cancelled, "")
	case event == SignupOpened && o.State == Cancelled:
		s.move(o, Started, "")
	default:
		return nil
	}
	return s.save(tx, o, epoch)
}

// SignupOf reads the last report of an onboarding; empty when there is none.
func (s *Store) SignupOf(ctx context.Context, id uuid.UUID) (Signup, error) {
	return read(ctx, s, func(tx *gorm.DB, last *Signup) error {
		row, err := database.First[Signup](tx.Where("onboarding_id = ?", id))
		if row != nil {
			*last = *row
		}
		return err
	})
}

func attachSignups(tx *gorm.DB, list []*Onboarding) error {
	if len(list) == 0 {
		return nil
	}
	byID := map[uuid.UUID]*Onboarding{}
	ids := make([]uuid.UUID, 0, len(list))
	for _, o := range list {
		byID[o.ID] = o
		ids = append(ids, o.ID)
	}
	var rows []*Signup
	if err := tx.Where("onboarding_id in ?", ids).Find(&rows).Error; err != nil {
		return err
	}
	for _, row := range rows {
		byID[row.OnboardingID].Signup = row
	}
	return nil
}
