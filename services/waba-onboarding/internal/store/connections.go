package store

import (
	"cmp"
	"context"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
)

// ConnectionState is where a connection stands.
type ConnectionState string

// The states of a connection.
const (
	ConnectionClaiming          ConnectionState = "CLAIMING"
	ConnectionConnected         ConnectionState = "CONNECTED"
	ConnectionAttention         ConnectionState = "ATTENTION"
	ConnectionReconnectRequired ConnectionState = "RECONNECT_REQUIRED"
	ConnectionDisconnected      ConnectionState = "DISCONNECTED"
)

// Connection is one WABA claimed by one organization.
type Connection struct {
	ID                 uuid.UUID `gorm:"primaryKey"`
	OrganizationID     string
	WabaID             string
	BusinessID         string
	Name               string
	State              ConnectionState
	Reasons            []string `gorm:"serializer:json"`
	StateTime          time.Time
	OnboardingID       uuid.UUID
	TokenID            string
	TokenState         string
	TokenExpireTime    *time.Time
	OwnBusiness        bool
	AccessReason       string
	SubscriptionProven bool
	SubscriptionTime   *time.Time
	SubscriptionReason string
	LastEventTime      *time.Time
	Account            Account    `gorm:"serializer:json"`
	ReassessTime       *time.Time // when time alone changes the state
	DisconnectTime     *time.Time
	DisconnectActor    string
	Unsubscribed       bool
	Epoch              int64
	RunTime            *time.Time
	CreateTime         time.Time
	HoldTime           *time.Time // when the claim began by which the WABA is held
	SoughtNumbers      []string   `gorm:"serializer:json"` // seek.go
	Seeks              int
	SeekTime           *time.Time

	// PhoneNumbers are loaded for readers, as Meta lists them.
	PhoneNumbers []PhoneNumber `gorm:"-"`
}

// Live tells whether the connection holds its WABA and is not about to give it up. Only a live one writes to Meta.
func (c *Connection) Live() bool {
	return c.State != ConnectionDisconnected && c.DisconnectTime == nil
}

// ended tells whether Meta itself said why our access ended: a refusal that follows from it explains less.
func (c *Connection) ended() bool {
	return c.AccessReason == errorsv1.ErrorReason_PARTNER_REMOVED.String() || c.AccessReason == errorsv1.ErrorReason_ACCOUNT_DELETED.String()
}

// TokenFacts is what the broker says of a connection's token.
type TokenFacts struct {
	ID         string // empty: still the one that the connection has
	State      string
	ExpireTime *time.Time
}

// HasToken tells whether the broker's word on the token is what the connection knows already.
func (c *Connection) HasToken(said TokenFacts) bool {
	return said.ID == c.TokenID && said.State == c.TokenState && sameTime(said.ExpireTime, c.TokenExpireTime)
}

// connect is the end of a claim: its token serves the connection, what it read and proved is the connection's, and its
// numbers are registered, or synced.
func (s *Store) connect(tx *gorm.DB, o *Onboarding, token TokenFacts) error {
	if err := s.changeRoutes(tx, o.WabaID); err != nil {
		return err
	}
	held := tx.Model(&Connection{}).Where("id = ? and state = ?", *o.ConnectionID, ConnectionClaiming).Update("hold_time", o.CreateTime)
	if held.Error != nil {
		return held.Error
	}
	facts := Connection{
		ID: *o.ConnectionID, OrganizationID: o.OrganizationID, OnboardingID: o.ID, TokenID: o.TokenID, TokenState: token.State, TokenExpireTime: token.ExpireTime,
		OwnBusiness: o.OwnBusiness, State: ConnectionConnected, StateTime: s.now(),
	}
	update := tx.Model(&Connection{}).Where("id = ?", *o.ConnectionID).Select("onboarding_id", "token_id", "token_state",
		"token_expire_time", "own_business", "access_reason", "state", "state_time").Updates(facts)
	if update.Error != nil {
		return update.Error
	}
	s.emitState(tx, facts)
	if err := s.forgetDevice(tx, *o.ConnectionID); err != nil {
		return err
	}
	if err := s.writeProof(tx, *o.ConnectionID, ""); err != nil {
		return err
	}
	if o.Facts != nil {
		if err := s.writeFacts(tx, *o.ConnectionID, *o.Facts); err != nil {
			return err
		}
		o.Facts = nil
	}
	if err := s.note(tx, o.activity("CONNECTED", o.Actor, "")); err != nil {
		return err
	}
	if err := s.registerAnew(tx, *o.ConnectionID); err != nil {
		return err
	}
	if err := s.startSyncs(tx, o); err != nil {
		return err
	}
	if err := s.queue.Add(tx.Statement.Context, tx, ResolveArgs{*o.ConnectionID}); err != nil {
		return err
	}
	return s.reassess(tx, *o.ConnectionID)
}

// WabaFacts is what Meta says of a WABA.
type WabaFacts struct {
	BusinessID, Name string
	PhoneNumbers     []PhoneNumber
}

// Findings are what Meta and the broker said of a connection.
type Findings struct {
	Read         *WabaFacts
	Token        *TokenFacts
	AccessReason *string // what Meta says of our access; empty: nothing against it
	Proof        *string // the subscription: empty is proven, else the reason
	Activity     string
	Actor        string
	Reason       string
}

// RecordFindings writes down what was found out of a connection as it was read; nil parts were not. The state follows.
// Where another token serves the connection by now, or it was given up, the news is old, and nothing is written.
func (s *Store) RecordFindings(ctx context.Context, read Connection, found Findings) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		if found.Read != nil {
			if err := s.changeRoutes(tx, read.WabaID); err != nil {
				return err
			}
		}
		c, err := lock[Connection](s, tx, read.ID)
		if err != nil {
			return err
		}
		if c.TokenID != read.TokenID || c.State == ConnectionDisconnected {
			return nil
		}
		if err := s.writeFindings(tx, c, found); err != nil {
			return err
		}
		if found.Activity != "" {
			if err := s.note(tx, c.activity(found.Activity, found.Actor, found.Reason)); err != nil {
				return err
			}
		}
		if found.Read != nil {
			if err := s.numbersFound(tx, c, found.Actor); err != nil {
				return err
			}
		}
		return s.reassess(tx, c.ID)
	})
}

func (s *Store) writeFindings(tx *gorm.DB, c Connection, found Findings) error {
	columns := map[string]any{}
	if found.Token != nil {
		columns["token_id"] = cmp.Or(found.Token.ID, c.TokenID)
		columns["token_state"], columns["token_expire_time"] = found.Token.State, found.Token.ExpireTime
	}
	if found.AccessReason != nil && (*found.AccessReason == "" || !c.ended()) {
		columns["access_reason"] = *found.AccessReason
	}
	if len(columns) > 0 {
		if err := tx.Model(&Connection{}).Where("id = ?", c.ID).Updates(columns).Error; err != nil {
			return err
		}
	}
	if found.Read != nil {
		if err := s.writeFacts(tx, c.ID, *found.Read); err != nil {
			return err
		}
		if err := s.registerPending(tx, c.ID); err != nil { // that there is one, or that it was verified, may be new
			return err
		}
		if err := s.queue.Add(tx.Statement.Context, tx, ResolveArgs{c.ID}); err != nil { // a number may be known only now
			return err
		}
	}
	if found.Proof != nil {
		return s.writeProof(tx, c.ID, *found.Proof)
	}
	return nil
}

func (s *Store) writeProof(tx *gorm.DB, id uuid.UUID, reason string) error {
	columns := map[string]any{"subscription_proven": reason == "", "subscription_reason": reason}
	if reason == "" {
		columns["subscription_time"] = s.now()
	}
	return tx.Model(&Connection{}).Where("id = ?", id).Updates(columns).Error
}

func (c *Connection) activity(kind, actor, reason string) Activity {
	return Activity{OrganizationID: c.OrganizationID, ConnectionID: &c.ID, Type: kind, Actor: actor, Reason: reason}
}

// FindConnection reads a connection with its numbers.
func (s *Store) FindConnection(ctx context.Context, organization string, id uuid.UUID) (Connection, error) {
	return snapshot(ctx, s, func(tx *gorm.DB, c *Connection) error {
		if err := within(tx, organization).Where("id = ?", id).Take(c).Error; err != nil {
			return err
		}
		return attachPhoneNumbers(tx, []*Connection{c})
	})
}

// ListConnections lists connections, newest first, in any of the states; none given is all.
func (s *Store) ListConnections(ctx context.Context, organization string, states []string, before uuid.UUID, limit int) ([]*Connection, error) {
	return snapshot(ctx, s, func(tx *gorm.DB, list *[]*Connection) error {
		query := within(tx, organization)
		if len(states) > 0 {
			query = query.Where("state in ?", states)
		}
		if err := page(query, before, limit).Find(list).Error; err != nil {
			return err
		}
		return attachPhoneNumbers(tx, *list)
	})
}
