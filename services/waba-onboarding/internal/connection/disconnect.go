package connection

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/identity"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

const (
	// disconnectPause is how long a disconnection rests between tries.
	disconnectPause = 5 * time.Second
	// busyPause is how long it rests while a claim that it ended may still be telling Meta to subscribe us.
	busyPause = time.Second
)

// DisconnectConnection implements ConnectionService.
func (s *Service) DisconnectConnection(ctx context.Context, req *onboardingv1.DisconnectConnectionRequest) (*onboardingv1.DisconnectConnectionResponse, error) {
	c, err := Find(ctx, s.Store, req.GetConnectionId())
	if err != nil {
		return nil, err
	}
	if err := s.Store.RequestDisconnect(ctx, c.OrganizationID, c.ID, identity.Name(ctx)); err != nil {
		return nil, AsFault(err)
	}
	s.waitFor(ctx, c.ID, func(ctx context.Context) (bool, error) {
		c, err := s.Store.FindConnection(ctx, "", c.ID)
		return c.State == store.ConnectionDisconnected, err
	})
	described, err := s.describe(ctx, c.ID)
	return &onboardingv1.DisconnectConnectionResponse{Connection: described}, err
}

// disconnect is the job: unsubscribe, unbind, give the WABA up. What is done is recorded and not done again.
func (s *Service) disconnect(ctx context.Context, id uuid.UUID) error {
	c, err := s.load(ctx, id)
	if err != nil || c.DisconnectTime == nil || c.State == store.ConnectionDisconnected {
		return err
	}
	binding, err := s.Store.Binding(ctx, id)
	if err != nil {
		return err
	}
	if binding { // a claim that has begun to bind goes first
		return s.laterDisconnect(ctx, c, disconnectPause)
	}
	if !c.Unsubscribed {
		if done, err := s.endSubscription(ctx, c); !done {
			return err
		}
	}
	req := &tokenbrokerv1.BindWabaRequest{OrganizationId: c.OrganizationID, WabaId: c.WabaID}
	if _, err := s.Broker.BindWaba(ctx, req); err != nil {
		s.Log.WarnContext(ctx, "a token could not be unbound yet", "connectionId", id, "error", err)
		return s.laterDisconnect(ctx, c, disconnectPause)
	}
	return Again(0, s.Store.EndConnection(ctx, c))
}

// endSubscription ends what may be subscribed, once no claim is subscribing any more. Not done, it comes again, or a twin
// is at it.
func (s *Service) endSubscription(ctx context.Context, c store.Connection) (done bool, err error) {
	subscriber, busy, err := s.Store.Subscriber(ctx, c)
	switch {
	case err != nil:
		return false, err
	case busy:
		return false, s.laterDisconnect(ctx, c, busyPause)
	}
	why := s.unsubscribe(ctx, c, subscriber)
	if why == nil {
		err = s.Store.MarkUnsubscribed(ctx, c, "", nil)
		return err == nil, Again(0, err)
	}
	again := Temporary(why) && s.Now().Sub(*c.DisconnectTime) <= s.Deadline
	s.Log.WarnContext(ctx, "a WABA was not unsubscribed", "connectionId", c.ID, "again", again, "error", why)
	if again {
		return false, s.laterDisconnect(ctx, c, disconnectPause)
	}
	err = s.Store.MarkUnsubscribed(ctx, c, why.Reason().String(), why.Metadata())
	return err == nil, Again(0, err)
}

// unsubscribe tells Meta, with the token that serves the WABA or, before one does, with that of the claim that subscribed
// us. It answers why Meta was not told, or what it said against it.
func (s *Service) unsubscribe(ctx context.Context, c store.Connection, subscriber string) *fault.Error {
	token, err := TokenOf(ctx, s.Broker, c)
	unbound := errors.Is(err, fault.New(errorsv1.ErrorReason_TOKEN_NOT_FOUND))
	switch {
	case unbound && subscriber != "":
		token, err = s.tokenByID(ctx, c, subscriber)
	case unbound && c.TokenID == "":
		return nil // no claim got as far as to subscribe us
	}
	if err == nil {
		err = s.Meta.Unsubscribe(ctx, c.WabaID, token)
	}
	if err == nil {
		return nil
	}
	return ExplainWABA(err)
}

func (s *Service) laterDisconnect(ctx context.Context, c store.Connection, pause time.Duration) error {
	return Again(pause, s.Store.PostponeDisconnect(ctx, c, pause))
}
