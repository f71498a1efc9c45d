package connection

import (
	"context"

	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// seek is the job: a check that nobody asked for, since webhooks name a number that the connection does not know. When the
// next one comes is on record before this one begins.
func (s *Service) seek(ctx context.Context, args store.SeekArgs) error {
	c, err := s.load(ctx, args.ConnectionID)
	if err != nil {
		return err
	}
	begun, due, err := s.Store.BeginSeek(ctx, c)
	if err != nil || !due {
		return err
	}
	check, err := s.check(ctx, begun)
	ctx, cancel := Lasting(ctx)
	defer cancel()
	if err != nil {
		return s.unsought(ctx, begun, err)
	}
	check.Activity = "CHECKED"
	return s.Store.RecordFindings(ctx, begun, check)
}

// unsought says why Meta did not list the numbers. Silence is tried again soon; what was refused, when it would be anyway.
func (s *Service) unsought(ctx context.Context, c store.Connection, err error) error {
	why := Explain(err)
	if Temporary(why) {
		if err := s.Store.PostponeSeek(ctx, c, why.Delay()); err != nil {
			return err
		}
	}
	s.Log.WarnContext(ctx, "numbers that webhooks name could not be looked for", "connectionId", c.ID, "phoneNumberIds", c.SoughtNumbers,
		"seeks", c.Seeks, "error", why)
	return nil
}
