package message

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/graph"
	"github.com/whatrack/connect/services/internal/run"
	"github.com/whatrack/connect/services/waba-onboarding/internal/connection"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

const (
	// sendTime is how long it all may take, whether or not the caller still listens. Past it, the sweeper makes the
	// message UNKNOWN.
	sendTime = 30 * time.Second
	// askTime is how long Meta has to answer.
	askTime = 15 * time.Second
	// recordTime is how long it is tried to write down what Meta answered.
	recordTime  = 10 * time.Second
	recordPause = 500 * time.Millisecond
	// answerTime is how long a caller waits: longer than Meta has.
	answerTime = 25 * time.Second
)

// SendMessage implements MessageService.
func (s *Service) SendMessage(ctx context.Context, req *onboardingv1.SendMessageRequest) (*onboardingv1.SendMessageResponse, error) {
	c, err := connection.Find(ctx, s.Store, req.GetConnectionId())
	if err != nil {
		return nil, err
	}
	d, err := draftOf(req)
	if err != nil {
		return nil, err
	}
	m, err := s.Store.FindSend(ctx, c.ID, d.request, d.hash)
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && m.SendState == store.MessageUnsent:
		m, err = s.begin(ctx, c, d)
	case err == nil:
		m, err = s.await(ctx, m)
	}
	if err != nil {
		return nil, connection.AsFault(err)
	}
	return &onboardingv1.SendMessageResponse{Message: describe(m)}, nil
}

// begin writes the message down and sends it, unless somebody else just did.
func (s *Service) begin(ctx context.Context, c store.Connection, d draft) (store.Message, error) {
	if !c.Live() {
		return store.Message{}, fault.New(errorsv1.ErrorReason_DISCONNECTING)
	}
	row, err := d.row(c)
	if err != nil {
		return row, err
	}
	token, err := connection.TokenOf(ctx, s.Broker, c)
	if err != nil {
		return row, s.refused(ctx, c, err)
	}
	m, begun, err := s.Store.BeginSend(ctx, row)
	if err != nil {
		return m, err
	}
	if !begun {
		return s.await(ctx, m)
	}
	return s.send(ctx, c, m, letter{d.Message, token})
}

// letter is what Meta is given.
type letter struct {
	message graph.Message
	token   graph.Credential
}

// await waits for what comes of a message that another call sends.
func (s *Service) await(ctx context.Context, m store.Message) (store.Message, error) {
	wait, cancel := connection.UntilAnswer(ctx, answerTime)
	defer cancel()
	err := s.changed.Until(wait, m.ID.String(), func(ctx context.Context) (bool, error) {
		seen, err := s.Store.FindSend(ctx, m.ConnectionID, m.RequestID, m.RequestHash)
		if err == nil {
			m = seen
		}
		return m.SendState != store.MessageSending, err
	})
	if wait.Err() != nil {
		err = ctx.Err() // what was seen last is the answer to whoever still listens
	}
	return m, err
}

// send sends a message that was begun, beyond its caller's life.
func (s *Service) send(ctx context.Context, c store.Connection, m store.Message, l letter) (store.Message, error) {
	type news struct {
		message store.Message
		err     error
	}
	done := make(chan news, 1)
	s.detached.Go(func() {
		defer s.changed.Ring(m.ID.String())
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendTime)
		defer cancel()
		said := news{message: m}
		said.err = run.Protect(func() (err error) {
			said.message, err = s.ask(ctx, c, m, l)
			return err
		})
		done <- said
	})
	wait, cancel := connection.UntilAnswer(ctx, answerTime)
	defer cancel()
	select {
	case said := <-done:
		return said.message, said.err
	case <-wait.Done():
		return m, ctx.Err()
	}
}

// ask asks Meta once and writes down what came of it. Its error is why the message was not sent.
func (s *Service) ask(ctx context.Context, c store.Connection, m store.Message, l letter) (store.Message, error) {
	asking, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	sent, err := s.Meta.SendMessage(asking, m.PhoneNumberID, l.message, m.ID.String(), l.token)
	out := store.SendOutcome{State: stateOf(err), Wamid: sent.Wamid, ContactPhone: sent.WaID, ContactUserID: sent.UserID}
	switch out.State {
	case store.MessageRefused, store.MessageUnsent:
		out.Error = errorText(err)
	case store.MessageUnknown:
		s.Log.WarnContext(ctx, "the answer to a message was lost", "messageId", m.ID, "connectionId", c.ID, "error", err)
	case store.MessageAccepted, store.MessageSending:
	}
	m, lost := s.record(ctx, m, out)
	if lost != nil {
		return m, lost
	}
	switch out.State {
	case store.MessageRefused:
		return m, s.refused(ctx, c, err).With("messageId", m.ID.String()).With("requestIdSpent", "true")
	case store.MessageUnsent:
		return m, s.refused(ctx, c, err).With("messageId", m.ID.String())
	case store.MessageAccepted, store.MessageSending, store.MessageUnknown:
	}
	return m, nil
}

// record writes an outcome down, again for a while where that fails: nobody else knows it.
func (s *Service) record(ctx context.Context, m store.Message, out store.SendOutcome) (store.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, recordTime)
	defer cancel()
	for {
		ended, err := s.Store.EndSend(ctx, m, out)
		if err == nil {
			return ended, nil
		}
		if !run.Pause(ctx, recordPause) {
			return m, fmt.Errorf("write down that message %s is %s: %w", m.ID, out.State, err)
		}
	}
}

// stateOf is what an answer means for the message. Only Meta's word against this very message refuses it; where it was
// the number, its account, the connection's access or the pace, or nothing reached Meta, the same request may be tried
// again. In doubt it may be on its way.
func stateOf(err error) store.SendState {
	var said *graph.Error
	switch {
	case err == nil:
		return store.MessageAccepted
	case errors.Is(err, graph.ErrNotSent), errors.Is(err, graph.ErrInvalidInput):
		return store.MessageUnsent
	case !errors.As(err, &said):
		return store.MessageUnknown
	case said.RateLimited(), said.TokenDead(), said.PermissionMissing(), said.SenderRefused():
		return store.MessageUnsent
	case said.Temporary():
		return store.MessageUnknown
	}
	return store.MessageRefused
}

// errorText is Meta's code, title and details, or what kept us from asking.
func errorText(err error) string {
	var said *graph.Error
	if !errors.As(err, &said) {
		return connection.Explain(err).Reason().String()
	}
	code := strconv.Itoa(said.Code)
	text := code + " " + strings.TrimPrefix(said.Message, "(#"+code+") ")
	if said.Details != "" {
		text += ": " + said.Details
	}
	return text
}

// refused is the fault of a message that was not sent. That the token is dead, the connection learns as by a check.
func (s *Service) refused(ctx context.Context, c store.Connection, err error) *fault.Error {
	why := connection.Explain(err)
	if err := connection.RecordDead(ctx, s.Store, c, why); err != nil {
		s.Log.WarnContext(ctx, "a dead token could not be noted", "connectionId", c.ID, "error", err)
	}
	return why
}
