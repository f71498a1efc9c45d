package connection

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/google/uuid"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/graph"
	"github.com/whatrack/connect/services/internal/identity"
	"github.com/whatrack/connect/services/internal/keyring"
	"github.com/whatrack/connect/services/internal/secret"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

const (
	// maxRegisters bounds the calls of one registration, whatever kills its workers: Meta locks a number for three days
	// after ten within 72 hours, and one is left to a person.
	maxRegisters = 9
	// reviewPause is how often a number whose display name is in review is looked at; reviews take hours to days. Where
	// Meta does not say that the review goes on, each look is a call, and they must stay below ten within 72 hours.
	reviewPause = 9 * time.Hour
	// tokenPause is how long a registration rests that could not be tried for want of a token.
	tokenPause = 10 * time.Second
	// lookPause is how long it rests where Meta did not say how the number stands.
	lookPause = 30 * time.Second
)

// Graph codes of /register (developers.facebook.com, WhatsApp > Support > Error codes).
const (
	codePINMismatch  = 133005
	codeUnverified   = 133006
	codeTooFast      = 133009
	codeDeletedLate  = 133015 // "deleted recently": not before five minutes have passed
	codeInvalid      = 100
	subcodeNameCheck = 2388001 // "Cannot create certificate": the display name is in review
)

// namePendingReview is what Meta says of a number's name (WhatsApp Business Management API > Phone numbers).
const namePendingReview = "PENDING_REVIEW"

// RegisterPhoneNumber implements ConnectionService.
func (s *Service) RegisterPhoneNumber(ctx context.Context, req *onboardingv1.RegisterPhoneNumberRequest) (*onboardingv1.RegisterPhoneNumberResponse, error) {
	c, err := s.findLive(ctx, req.GetConnectionId())
	if err != nil {
		return nil, err
	}
	number, err := s.Store.FindNumber(ctx, c.ID, req.GetPhoneNumberId())
	if errors.Is(err, store.ErrNotFound) {
		return nil, fault.New(errorsv1.ErrorReason_PHONE_NUMBER_NOT_FOUND)
	}
	if err != nil {
		return nil, err
	}
	if number.Registers() { // each call counts at Meta
		if err := s.startRegistration(ctx, c, number, secret.New(req.GetPin())); err != nil {
			return nil, err
		}
		s.waitFor(ctx, c.ID, func(ctx context.Context) (bool, error) {
			n, err := s.Store.FindNumber(ctx, c.ID, number.PhoneNumberID)
			return n.Registration != store.Pending, err
		})
	}
	described, err := s.describe(ctx, c.ID)
	return &onboardingv1.RegisterPhoneNumberResponse{Connection: described}, err
}

func (s *Service) startRegistration(ctx context.Context, c store.Connection, n store.PhoneNumber, pin secret.Text) error {
	var sealed *store.Sealed
	if !pin.IsEmpty() {
		kept, err := s.sealPIN(c, n, pin)
		if err != nil {
			return err
		}
		sealed = &kept
	}
	return AsFault(s.Store.StartRegistration(ctx, c, n.PhoneNumberID, sealed, identity.Name(ctx)))
}

// waitFor waits until look is satisfied, or the caller has waited long enough: what goes on, goes on by itself.
func (s *Service) waitFor(ctx context.Context, id uuid.UUID, look func(context.Context) (bool, error)) {
	ctx, cancel := UntilAnswer(ctx, jobWait)
	defer cancel()
	_ = s.changed.Until(ctx, id.String(), look)
}

// register is the job: one attempt, then done, later, or never.
func (s *Service) register(ctx context.Context, args store.RegisterArgs) error {
	c, err := s.load(ctx, args.ConnectionID)
	if err != nil {
		return err
	}
	number, err := s.Store.FindNumber(ctx, c.ID, args.PhoneNumberID)
	if err != nil {
		return unlessGone(err)
	}
	var delay time.Duration
	switch {
	case due(c, number) && !s.Store.Early(number):
		delay, err = s.attempt(ctx, c, number)
	case unread(c, number):
		delay, err = s.readAgain(ctx, c, number)
	}
	return Again(delay, err)
}

func due(c store.Connection, n store.PhoneNumber) bool {
	waiting := n.Registration == store.Pending || n.Registration == store.WaitingForMeta
	return c.Live() && c.State != store.ConnectionClaiming && waiting && !n.Coexistence
}

// attempt tries once and records the outcome, with the delay until the next try where there is one.
func (s *Service) attempt(ctx context.Context, c store.Connection, n store.PhoneNumber) (time.Duration, error) {
	token, err := TokenOf(ctx, s.Broker, c)
	if err != nil {
		return s.untried(ctx, c, n, Explain(err), tokenPause)
	}
	if done, delay, err := s.lookFirst(ctx, c, n, token); done {
		return delay, err
	}
	pin, err := s.sealPIN(c, n, newPIN())
	if err != nil {
		return 0, err
	}
	begun, err := s.Store.BeginRegistration(ctx, n, pin)
	if err != nil {
		return 0, err
	}
	kept, err := s.Keys.Open(begun.PIN, pinContext(c, n))
	if err != nil {
		return s.endRegistration(ctx, begun, store.RegistrationFailed, errorsv1.ErrorReason_DATA_INTEGRITY, 0)
	}
	if err := s.Meta.Register(ctx, n.PhoneNumberID, kept, token); err != nil {
		return s.refused(ctx, c, begun, err)
	}
	return s.registered(ctx, begun, token)
}

// lookFirst asks Meta before telling it, since each call counts: the number may be registered, by an answer that was lost
// or by somebody else, its name may still be in review, or a killed worker may have made the last call that we allow us.
func (s *Service) lookFirst(ctx context.Context, c store.Connection, n store.PhoneNumber, token graph.Credential) (done bool, delay time.Duration, err error) {
	asked := s.Now()
	now, err := s.Meta.PhoneNumber(ctx, n.PhoneNumberID, token)
	switch {
	case graph.IsSilence(err):
		delay, err = s.untried(ctx, c, n, Explain(err), lookPause)
	case err == nil && now.PlatformType == store.CloudAPI:
		delay, err = s.endRegistered(ctx, n, s.Store.RecordNumber(ctx, n, numberOf(now, asked)))
	case err == nil && n.Registration == store.WaitingForMeta && now.NameStatus == namePendingReview:
		delay, err = s.endRegistration(ctx, n, store.WaitingForMeta, errorsv1.ErrorReason_DISPLAY_NAME_IN_REVIEW, reviewPause)
	case n.Registration == store.Pending && n.Attempts >= maxRegisters:
		delay, err = s.endRegistration(ctx, n, store.RegistrationFailed, errorsv1.ErrorReason_META_UNAVAILABLE, 0)
	default:
		return false, 0, nil
	}
	return true, delay, err
}

func (s *Service) sealPIN(c store.Connection, n store.PhoneNumber, pin secret.Text) (store.Sealed, error) {
	sealed, err := s.Keys.Seal(pin, pinContext(c, n))
	if err != nil {
		return store.Sealed{}, fmt.Errorf("seal the PIN: %w", err)
	}
	return store.Sealed(sealed), nil
}

// pinContext ties a sealed PIN to its number.
func pinContext(c store.Connection, n store.PhoneNumber) keyring.Context {
	return keyring.Context{Purpose: "two-step-pin", Organization: c.OrganizationID, RowID: c.ID.String() + "/" + n.PhoneNumberID}
}

// newPIN makes six random digits.
func newPIN() secret.Text {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil { // crypto/rand never fails since Go 1.24
		panic(err)
	}
	return secret.New(fmt.Sprintf("%06d", n))
}
