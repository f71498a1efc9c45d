package store

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/whatrack/connect/services/internal/database"
)

// ExchangeState is how far the spending of a code got.
type ExchangeState string

// The states of an exchange.
const (
	Spending ExchangeState = "SPENDING"
	Stored   ExchangeState = "STORED"
	Failed   ExchangeState = "FAILED"
	Unknown  ExchangeState = "UNKNOWN"
)

// Exchange is the one attempt to spend an authorization code.
type Exchange struct {
	Fingerprint    string `gorm:"primaryKey"`
	OrganizationID string
	OnboardingID   string
	SpenderID      uuid.UUID
	State          ExchangeState
	Reason         string
	Metadata       map[string]string `gorm:"serializer:json"`
	TokenID        *uuid.UUID
	LeaseTime      time.Time
	CreateTime     time.Time
	EndTime        *time.Time
}

// Reservation is what ReserveExchange is asked for.
type Reservation struct {
	OrganizationID, OnboardingID, Fingerprint string
	// SpenderID is who will spend the code. A reservation that is repeated, since its commit was not heard of, is known
	// by it.
	SpenderID uuid.UUID
	// Lease is how long the spender may take; past it the outcome counts as unknown.
	Lease time.Duration
}

// ReserveExchange records that the code is about to be spent, or finds the exchange that it has already; first tells
// which. It may be repeated. ErrCodeOfAnother when another organization reserved it; ErrNotFound when the reservation
// that stood in the way was taken back in this very moment.
func (s *Store) ReserveExchange(ctx context.Context, r Reservation) (exchange Exchange, first bool, err error) {
	now := s.now()
	row := Exchange{
		Fingerprint: r.Fingerprint, OrganizationID: r.OrganizationID, OnboardingID: r.OnboardingID, SpenderID: r.SpenderID,
		State: Spending, Metadata: map[string]string{}, LeaseTime: now.Add(r.Lease), CreateTime: now,
	}
	err = s.db.InTx(ctx, func(tx *gorm.DB) error {
		insert := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row)
		if insert.Error != nil || insert.RowsAffected == 1 {
			exchange = row
			return insert.Error
		}
		exchange = Exchange{}
		return tx.Where("fingerprint = ?", r.Fingerprint).Take(&exchange).Error
	})
	if err == nil && exchange.OrganizationID != r.OrganizationID {
		err = ErrCodeOfAnother
	}
	if err != nil {
		return Exchange{}, false, err
	}
	return exchange, exchange.SpenderID == r.SpenderID, nil
}

// FindExchange reads the exchange of a code.
func (s *Store) FindExchange(ctx context.Context, fingerprint string) (Exchange, error) {
	return s.findExchange(ctx, func(tx *gorm.DB) *gorm.DB { return tx.Where("fingerprint = ?", fingerprint) })
}

// FindExchangeOfOnboarding reads the newest exchange of an onboarding.
func (s *Store) FindExchangeOfOnboarding(ctx context.Context, organization, onboarding string) (Exchange, error) {
	return s.findExchange(ctx, func(tx *gorm.DB) *gorm.DB {
		return tx.Where("organization_id = ? and onboarding_id = ?", organization, onboarding).Order("create_time desc")
	})
}

// findExchange reads one exchange. One whose spender let its lease pass, by our clock, counts as unknown from then on,
// unless its spender lives and says more.
func (s *Store) findExchange(ctx context.Context, which func(*gorm.DB) *gorm.DB) (Exchange, error) {
	exchange, err := s.readExchange(ctx, which)
	if err != nil || exchange.State != Spending || s.now().Before(exchange.LeaseTime) {
		return exchange, err
	}
	// ErrEnded: somebody was faster.
	if err := s.LoseExchange(ctx, exchange.Fingerprint, exchange.SpenderID); err != nil && !errors.Is(err, ErrEnded) {
		return Exchange{}, err
	}
	return s.readExchange(ctx, which)
}

func (s *Store) readExchange(ctx context.Context, which func(*gorm.DB) *gorm.DB) (exchange Exchange, err error) {
	err = s.db.Read(ctx, func(tx *gorm.DB) error { return which(tx).Take(&exchange).Error })
	return exchange, err
}

// FailExchange records that Meta refused the code. ErrEnded when the exchange had ended before, or is another spender's.
func (s *Store) FailExchange(ctx context.Context, fingerprint string, spender uuid.UUID, reason string, metadata map[string]string) error {
	return s.db.InTx(ctx, func(tx *gorm.DB) error {
		return s.endExchange(tx, fingerprint, spender, Exchange{State: Failed, Reason: reason, Metadata: metadata})
	})
}

// LoseExchange records that nobody can tell whether the code is spent. ErrEnded when the exchange had ended before, or is
// another spender's.
func (s *Store) LoseExchange(ctx context.Context, fingerprint string, spender uuid.UUID) error {
	return s.db.InTx(ctx, func(tx *gorm.DB) error {
		return s.endExchange(tx, fingerprint, spender, Exchange{State: Unknown, Metadata: map[string]string{}})
	})
}

// ReleaseExchange takes a reservation back: the code was not sent. ErrEnded when the exchange had ended before, or is
// another spender's, who reserved it when it had been taken back.
func (s *Store) ReleaseExchange(ctx context.Context, fingerprint string, spender uuid.UUID) error {
	return s.db.InTx(ctx, func(tx *gorm.DB) error {
		return database.OneRow(spending(tx, fingerprint, spender, Spending).Delete(&Exchange{}), ErrEnded)
	})
}

// endExchange writes state, reason, metadata and token of an exchange that is being spent. Where it is unknown only since
// somebody's clock is ahead, its spender, who knows better, ends it all the same.
func (s *Store) endExchange(tx *gorm.DB, fingerprint string, spender uuid.UUID, end Exchange) error {
	now := s.now()
	end.EndTime = &now
	from := []ExchangeState{Spending}
	if end.State != Unknown {
		from = append(from, Unknown)
	}
	update := spending(tx.Model(&Exchange{}), fingerprint, spender, from...).
		Select("state", "reason", "metadata", "token_id", "end_time").Updates(end)
	return database.OneRow(update, ErrEnded)
}

// spending is the exchange of a code while it is this spender's, in one of the states.
func spending(tx *gorm.DB, fingerprint string, spender uuid.UUID, states ...ExchangeState) *gorm.DB {
	return tx.Where("fingerprint = ? and spender_id = ? and state in ?", fingerprint, spender, states)
}
