package connection

import (
	"context"
	"time"

	"github.com/google/uuid"

	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/internal/identity"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// disconnectPause is how long a disconnection rests between tries.
const disconnectPause = 5 * time.Second

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
		return s.laterDisconnect(ctx, c)
	}
	if !c.Unsubscribed {
		if again := s.unsubscribe(ctx, c); again {
			return s.laterDisconnect(ctx, c)
		}
		if err := s.Store.MarkUnsubscribed(ctx, c); err != nil {
			return Again(0, err)
		}
	}
	req := &tokenbrokerv1.BindWabaRequest{OrganizationId: c.OrganizationID, WabaId: c.WabaID}
	if _, err := s.Broker.BindWaba(ctx, req); err != nil {
		s.Log.WarnContext(ctx, "a token could not be unbound yet", "connectionId", id, "error", err)
		return s.laterDisconnect(ctx, c)
	}
	return Again(0, s.Store.EndConnection(ctx, c))
}

// unsubscribe tells Meta. A refusal does not stop the disconnection, silence holds it up until the deadline.
func (s *Service) unsubscribe(ctx context.Context, c store.Connection) (again bool) {
	token, err := TokenOf(ctx, s.Broker, c)
	if err == nil {
		err = s.Meta.Unsubscribe(ctx, c.WabaID, token)
	}
	if err == nil {
		return false
	}
	late := s.Now().Sub(*c.DisconnectTime) > s.Deadline
	again = Temporary(Explain(err)) && !late
	s.Log.WarnContext(ctx, "a WABA was not unsubscribed", "connectionId", c.ID, "again", again, "error", err)
	return again
}

func (s *Service) laterDisconnect(ctx context.Context, c store.Connection) error {
	return Again(disconnectPause, s.Store.PostponeDisconnect(ctx, c, disconnectPause))
}
