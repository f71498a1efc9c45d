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

// State is where a token stands.
type State string

// The states of a token.
const (
	Unverified State = "UNVERIFIED"
	Active     State = "ACTIVE"
	Expired    State = "EXPIRED"
	Invalid    State = "INVALID"
	Superseded State = "SUPERSEDED"
	Revoked    State = "REVOKED"
)

// Token is a stored access token: sealed, described.
type Token struct {
	ID                   uuid.UUID `gorm:"primaryKey"`
	OrganizationID       string
	OnboardingID         string
	Kind                 string
	State                State
	Reason               string
	StateTime            time.Time
	Scopes               []string `gorm:"serializer:json"`
	TargetIDs            []string `gorm:"serializer:json"`
	Ciphertext           []byte
	KeyID                uint32
	Version              int64
	ExpireTime           *time.Time
	DataAccessExpireTime *time.Time
	ExtendTime           *time.Time
	CreateTime           time.Time
	WabaIDs              []string `gorm:"-"` // only where they are asked for
}

// Sealed is a ciphertext and the key that opens it.
type Sealed struct {
	Ciphertext []byte
	KeyID      uint32
}

// NewToken is the token of a spent code. ID and version 1 are in the associated data of its ciphertext.
type NewToken struct {
	ID                           uuid.UUID
	Fingerprint                  string
	OrganizationID, OnboardingID string
	Sealed                       Sealed
	ExpireTime                   *time.Time
	Actor                        string
	// SpenderID is who spent the code.
	SpenderID uuid.UUID
	// SettleTime is when the job looks after the token, should nobody have done so at once.
	SettleTime time.Time
}

// StoreToken ends an exchange with its token, in one commit with the job that inspects it. It may be repeated when its
// commit was not heard of. ErrEnded when the exchange ended otherwise, or is another spender's: then nothing is stored.
func (s *Store) StoreToken(ctx context.Context, n NewToken) (Token, error) {
	now := s.now()
	token := Token{
		ID: n.ID, OrganizationID: n.OrganizationID, OnboardingID: n.OnboardingID, State: Unverified, StateTime: now,
		Scopes: []string{}, TargetIDs: []string{}, Ciphertext: n.Sealed.Ciphertext, KeyID: n.Sealed.KeyID, Version: 1,
		ExpireTime: n.ExpireTime, CreateTime: now,
	}
	err := s.db.InTx(ctx, func(tx *gorm.DB) error {
		insert := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&token)
		if insert.Error != nil || insert.RowsAffected == 0 { // all of it was committed before
			return insert.Error
		}
		end := Exchange{State: Stored, TokenID: &n.ID, Metadata: map[string]string{}}
		if err := s.endExchange(tx, n.Fingerprint, n.SpenderID, end); err != nil {
			return err
		}
		if err := s.record(tx, Event{TokenID: n.ID, Type: EventStored, Actor: n.Actor}); err != nil {
			return err
		}
		return s.queue.Add(ctx, tx, SettleArgs{TokenID: n.ID}, n.SettleTime)
	})
	return token, err
}

// FindToken reads a token of the organization.
func (s *Store) FindToken(ctx context.Context, organization string, id uuid.UUID) (token Token, err error) {
	err = s.db.Read(ctx, func(tx *gorm.DB) error {
		token, err = takeToken(tx.Where("organization_id = ?", organization), id)
		return err
	})
	return token, err
}

// DescribeToken reads a token of the organization, with the WABAs it serves.
func (s *Store) DescribeToken(ctx context.Context, organization string, id uuid.UUID) (token Token, err error) {
	err = s.db.Read(ctx, func(tx *gorm.DB) error {
		if token, err = takeToken(tx.Where("organization_id = ?", organization), id); err != nil {
			return err
		}
		return tx.Model(&binding{}).Where("token_id = ?", id).Order("waba_id").Pluck("waba_id", &token.WabaIDs).Error
	})
	return token, err
}

// FindAnyToken reads a token for a job, which has no organization of its own.
func (s *Store) FindAnyToken(ctx context.Context, id uuid.UUID) (token Token, err error) {
	err = s.db.Read(ctx, func(tx *gorm.DB) error {
		token, err = takeToken(tx, id)
		return err
	})
	return token, err
}

// FindTokenOfWABA reads the token that serves a WABA.
func (s *Store) FindTokenOfWABA(ctx context.Context, organization, waba string) (token Token, err error) {
	err = s.db.Read(ctx, func(tx *gorm.DB) error {
		return tx.Where("organization_id = ?", organization).
			Where("id = (select token_id from token_wabas where organization_id = ? and waba_id = ?)", organization, waba).
			Take(&token).Error
	})
	return token, err
}

func takeToken(tx *gorm.DB, id uuid.UUID) (token Token, err error) {
	err = tx.Where("id = ?", id).Take(&token).Error
	return token, err
}

// Facts is what Meta says of a token.
type Facts struct {
	Kind                 string
	Scopes, TargetIDs    []string
	ExpireTime           *time.Time
	DataAccessExpireTime *time.Time
}

// ActivateToken records Meta's word that an unverified token is ours and valid. ErrStale when it is not unverified.
func (s *Store) ActivateToken(ctx context.Context, id uuid.UUID, facts Facts) error {
	return s.db.InTx(ctx, func(tx *gorm.DB) error {
		now := s.now()
		update := tx.Model(&Token{}).Where("id = ? and state = ?", id, Unverified).
			Select("kind", "state", "state_time", "scopes", "target_ids", "expire_time", "data_access_expire_time").
			Updates(Token{
				Kind: facts.Kind, State: Active, StateTime: now, Scopes: facts.Scopes, TargetIDs: facts.TargetIDs,
				ExpireTime: facts.ExpireTime, DataAccessExpireTime: facts.DataAccessExpireTime,
			})
		if err := database.OneRow(update, ErrStale); err != nil {
			return err
		}
		return s.record(tx, Event{TokenID: id, Type: EventVerified})
	})
}

// EndToken records Meta's word that a token that is UNVERIFIED or ACTIVE is good no longer. ErrStale when it is neither.
func (s *Store) EndToken(ctx context.Context, id uuid.UUID, end Ending) error {
	return s.db.InTx(ctx, func(tx *gorm.DB) error {
		return s.end(tx.Where("state in ?", []State{Unverified, Active}), id, end)
	})
}

// Ending is how a token ends: in a state in which it is not served.
type Ending struct {
	State         State
	Reason, Actor string
	WabaID        string
	Erase         bool
	Event         EventType
}

// end ends a token if what tx asks for is true of it, otherwise ErrStale.
func (s *Store) end(tx *gorm.DB, id uuid.UUID, end Ending) error {
	columns := map[string]any{"state": end.State, "reason": end.Reason, "state_time": s.now()}
	if end.Erase {
		columns["ciphertext"] = nil
	}
	if err := database.OneRow(tx.Model(&Token{}).Where("id = ?", id).Updates(columns), ErrStale); err != nil {
		return err
	}
	return s.record(tx, Event{TokenID: id, Type: end.Event, Actor: end.Actor, Reason: end.Reason, WabaID: end.WabaID})
}

// ReplaceSecret swaps the sealed token for its extended successor, which Meta has confirmed. ErrStale says that somebody
// changed the token since version was read.
func (s *Store) ReplaceSecret(ctx context.Context, id uuid.UUID, version int64, sealed Sealed, facts Facts) error {
	now := s.now()
	return s.db.InTx(ctx, func(tx *gorm.DB) error {
		swap := tx.Model(&Token{}).Where("id = ? and version = ? and state = ?", id, version, Active).
			Select("ciphertext", "key_id", "version", "expire_time", "data_access_expire_time", "extend_time").
			Updates(Token{
				Ciphertext: sealed.Ciphertext, KeyID: sealed.KeyID, Version: version + 1, ExpireTime: facts.ExpireTime,
				DataAccessExpireTime: facts.DataAccessExpireTime, ExtendTime: &now,
			})
		if err := database.OneRow(swap, ErrStale); err != nil {
			return err
		}
		return s.record(tx, Event{TokenID: id, Type: EventExtended})
	})
}

// FailExtension records that Meta refused to extend a token, so that nobody asks again; the token serves on.
func (s *Store) FailExtension(ctx context.Context, id uuid.UUID, version int64, reason string) error {
	return s.db.InTx(ctx, func(tx *gorm.DB) error {
		refused := tx.Model(&Token{}).Where("id = ? and version = ?", id, version).Updates(map[string]any{"extend_time": s.now()})
		if err := database.OneRow(refused, ErrStale); err != nil {
			return err
		}
		return s.record(tx, Event{TokenID: id, Type: EventExtensionFailed, Reason: reason})
	})
}

// RevokeToken ends a token for good and erases its ciphertext, which it hands back once, so that Meta can be told.
// Revoking a token that was erased before changes nothing and hands back nothing.
func (s *Store) RevokeToken(ctx context.Context, organization string, id uuid.UUID, actor string) (before Token, err error) {
	err = s.db.InTx(ctx, func(tx *gorm.DB) error {
		before, err = takeToken(s.db.ForUpdate(tx).Where("organization_id = ?", organization), id)
		if err != nil || before.State == Revoked || before.State == Superseded {
			return err
		}
		return s.end(tx, id, Ending{State: Revoked, Reason: "REVOKED", Actor: actor, Erase: true, Event: EventRevoked})
	})
	if err != nil {
		return Token{}, err
	}
	return before, nil
}

// unbound is true of a token that serves no WABA.
const unbound = "not exists (select 1 from token_wabas where token_wabas.token_id = tokens.id)"

// EraseUnbound erases tokens that were stored before a time and never bound, a batch at a time, and counts them.
func (s *Store) EraseUnbound(ctx context.Context, before time.Time, batch int) (erased int, err error) {
	err = s.db.InTx(ctx, func(tx *gorm.DB) error {
		erased = 0
		var ids []uuid.UUID
		query := s.db.ForUpdate(tx).Model(&Token{}).Where("ciphertext is not null and create_time < ?", before).Where(unbound)
		if err := query.Order("create_time").Limit(batch).Pluck("id", &ids).Error; err != nil {
			return err
		}
		for _, id := range ids {
			// Asked again now that the token is locked: it may have been bound while we waited for the lock.
			err := s.end(tx.Where(unbound), id, Ending{State: Revoked, Reason: "NEVER_BOUND", Erase: true, Event: EventErased})
			if errors.Is(err, ErrStale) {
				continue
			}
			if err != nil {
				return err
			}
			erased++
		}
		return nil
	})
	return erased, err
}
