package store

import (
	"context"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/whatrack/connect/services/internal/database"
)

// OnboardingState is where an onboarding stands.
type OnboardingState string

// The states of an onboarding.
const (
	Started    OnboardingState = "STARTED"
	Exchanging OnboardingState = "EXCHANGING"
	Choosing   OnboardingState = "CHOOSING_WABA"
	Claiming   OnboardingState = "CLAIMING"
	Connected  OnboardingState = "CONNECTED"
	Failed     OnboardingState = "FAILED"
	Cancelled  OnboardingState = "CANCELLED"
	Expired    OnboardingState = "EXPIRED"
)

// Final tells whether the state ends an onboarding.
func (s OnboardingState) Final() bool {
	switch s {
	case Connected, Failed, Cancelled, Expired:
		return true
	case Started, Exchanging, Choosing, Claiming:
		return false
	}
	return false
}

// Onboarding is one run of the signup and its claim.
type Onboarding struct {
	ID             uuid.UUID `gorm:"primaryKey"`
	OrganizationID string
	State          OnboardingState
	Reason         string
	Metadata       map[string]string `gorm:"serializer:json"`
	StateTime      time.Time
	CreateTime     time.Time
	ExpireTime     time.Time
	Steps          Steps    `gorm:"serializer:json"`
	Choices        []Choice `gorm:"serializer:json"`
	Epoch          int64
	Fingerprint    *string
	StateHash      *string
	TokenID        string
	OwnBusiness    bool
	WabaID         string
	PhoneNumberID  string
	Facts          *WabaFacts `gorm:"serializer:json"`
	ConnectionID   *uuid.UUID
	Actor          string
	StartTime      *time.Time
	RunTime        *time.Time
	ReturnURL      string // where the full-page flow leads back to

	// Connection and Signup are loaded for readers.
	Connection *Connection `gorm:"-"`
	Signup     *Signup     `gorm:"-"`
}

// Choice is a WABA that the customer shared, among several.
type Choice struct {
	WabaID              string   `json:"wabaId"`
	Name                string   `json:"name"`
	DisplayPhoneNumbers []string `json:"displayPhoneNumbers"`
	PhoneNumberIDs      []string `json:"-"` // known while it is found
}

// Start is a run of the signup that begins.
type Start struct {
	Organization, StateHash, ReturnURL, Actor string
	ExpireTime                                time.Time
}

// StartOnboarding records a run of the signup.
func (s *Store) StartOnboarding(ctx context.Context, start Start) (Onboarding, error) {
	o := s.newOnboarding(start.Organization, start.Actor, start.ExpireTime)
	o.StateHash, o.ReturnURL = &start.StateHash, start.ReturnURL
	err := s.inTx(ctx, func(tx *gorm.DB) error {
		if err := tx.Create(&o).Error; err != nil {
			return err
		}
		return s.note(tx, o.activity("ONBOARDING_STARTED", start.Actor, ""))
	})
	return o, err
}

func (s *Store) newOnboarding(organization, actor string, expire time.Time) Onboarding {
	now := s.now()
	return Onboarding{
		ID: database.NewID(), OrganizationID: organization, State: Started, Metadata: map[string]string{}, StateTime: now,
		CreateTime: now, ExpireTime: expire.UTC().Truncate(time.Microsecond), Steps: newSteps(), Choices: []Choice{}, Epoch: 1, Actor: actor,
	}
}

func (o *Onboarding) activity(kind, actor, reason string) Activity {
	return Activity{
		OrganizationID: o.OrganizationID, ConnectionID: o.ConnectionID, OnboardingID: &o.ID, Type: kind, Actor: actor, Reason: reason,
	}
}

// FindOnboarding reads an onboarding with its connection.
func (s *Store) FindOnboarding(ctx context.Context, organization string, id uuid.UUID) (Onboarding, error) {
	return snapshot(ctx, s, func(tx *gorm.DB, o *Onboarding) error {
		if err := within(tx, organization).Where("id = ?", id).Take(o).Error; err != nil {
			return err
		}
		return attach(tx, []*Onboarding{o})
	})
}

// FindByState finds the onboarding of a state, in whichever organization: its 256 bits say which.
func (s *Store) FindByState(ctx context.Context, stateHash string) (Onboarding, error) {
	return read(ctx, s, func(tx *gorm.DB, o *Onboarding) error { return tx.Where("state_hash = ?", stateHash).Take(o).Error })
}

// StateOf reads the state of an onboarding: for those who wait for it to change.
func (s *Store) StateOf(ctx context.Context, id uuid.UUID) (OnboardingState, error) {
	o, err := read(ctx, s, func(tx *gorm.DB, o *Onboarding) error { return tx.Select("state").Where("id = ?", id).Take(o).Error })
	return o.State, err
}

// ListOnboardings lists onboardings, newest first, in any of the states; none given is all.
func (s *Store) ListOnboardings(ctx context.Context, organization string, states []string, before uuid.UUID, limit int) ([]*Onboarding, error) {
	return snapshot(ctx, s, func(tx *gorm.DB, list *[]*Onboarding) error {
		query := within(tx, organization)
		if len(states) > 0 {
			query = query.Where("state in ?", states)
		}
		if err := page(query, before, limit).Find(list).Error; err != nil {
			return err
		}
		return attach(tx, *list)
	})
}

func attach(tx *gorm.DB, list []*Onboarding) error {
	if err := attachSignups(tx, list); err != nil {
		return err
	}
	return attachConnections(tx, list)
}

func attachConnections(tx *gorm.DB, list []*Onboarding) error {
	var ids []uuid.UUID
	for _, o := range list {
		if o.ConnectionID != nil {
			ids = append(ids, *o.ConnectionID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	var connections []*Connection
	if err := tx.Where("id in ?", ids).Find(&connections).Error; err != nil {
		return err
	}
	if err := attachPhoneNumbers(tx, connections); err != nil {
		return err
	}
	byID := map[uuid.UUID]*Connection{}
	for _, c := range connections {
		byID[c.ID] = c
	}
	for _, o := range list {
		if o.ConnectionID != nil {
			o.Connection = byID[*o.ConnectionID]
		}
	}
	return nil
}

// startClaim saves a claim that begins, or begins again, with the job that works it.
func (s *Store) startClaim(tx *gorm.DB, o *Onboarding, epoch int64) error {
	s.clockClaim(o)
	if err := s.save(tx, o, epoch); err != nil {
		return err
	}
	return s.queue.Add(tx.Statement.Context, tx, ClaimArgs{OnboardingID: o.ID})
}

func (s *Store) clockClaim(o *Onboarding) {
	now := s.now()
	o.StartTime, o.RunTime = &now, ptr(now.Add(slack))
}

// move changes the state.
func (s *Store) move(o *Onboarding, state OnboardingState, reason string) {
	if o.State != state {
		o.StateTime = s.now()
	}
	o.State, o.Reason = state, reason
	if reason == "" {
		o.Metadata = map[string]string{}
	}
	if state.Final() {
		o.RunTime = nil
	}
}

// save writes an onboarding as it was changed since it was read at that epoch; ErrFenced when somebody else changed it.
func (s *Store) save(tx *gorm.DB, o *Onboarding, epoch int64) error {
	o.Epoch = epoch + 1
	return database.OneRow(tx.Session(&gorm.Session{}).Where("epoch = ?", epoch).Select("*").Omit("id").Updates(o), ErrFenced)
}
