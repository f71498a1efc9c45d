package connection

import (
	"context"
	"time"

	"github.com/whatrack/connect/services/internal/graph"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

const (
	// rereadTime is how long Meta may take to say how a number stands that was just registered: the job that registers it
	// has its own end, and whoever asked for it waits.
	rereadTime = 3 * time.Second
	// rereadPause is how long it rests where Meta did not say.
	rereadPause = 15 * time.Second
)

// registered records that a number works. What is known of it was read before it did, so Meta is asked once more first,
// and the two are seen together; where Meta says nothing now, the job comes again for that alone.
func (s *Service) registered(ctx context.Context, n store.PhoneNumber, token graph.Credential) (time.Duration, error) {
	err := s.reread(ctx, n, token)
	ctx, cancel := Lasting(ctx)
	defer cancel()
	return s.endRegistered(ctx, n, err)
}

// endRegistered records a registration after the number was read, or could not be.
func (s *Service) endRegistered(ctx context.Context, n store.PhoneNumber, unread error) (delay time.Duration, err error) {
	if unread != nil {
		delay = rereadPause
	}
	return delay, s.Store.EndRegistration(ctx, n, store.Registered, "", delay)
}

func (s *Service) reread(ctx context.Context, n store.PhoneNumber, token graph.Credential) error {
	ctx, cancel := context.WithTimeout(ctx, rereadTime)
	defer cancel()
	asked := s.Now()
	now, err := s.Meta.PhoneNumber(ctx, n.PhoneNumberID, token)
	if err != nil {
		return err
	}
	return s.Store.RecordNumber(ctx, n, numberOf(now, asked))
}

// unread tells a number that was registered and not read since.
func unread(c store.Connection, n store.PhoneNumber) bool {
	return c.Live() && n.Registration == store.Registered && n.RunTime != nil
}

// readAgain reads a registered number, with the delay until the next try where Meta is still silent. A verdict ends it:
// what speaks against our access is for checks to find.
func (s *Service) readAgain(ctx context.Context, c store.Connection, n store.PhoneNumber) (time.Duration, error) {
	token, err := TokenOf(ctx, s.Broker, c)
	if err == nil {
		err = s.reread(ctx, n, token)
	}
	delay := time.Duration(0)
	if err != nil {
		if why := Explain(err); Temporary(why) {
			delay = max(rereadPause, why.Delay())
		}
	}
	return delay, s.Store.PostponeReading(ctx, n, delay)
}
