package connection

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// load reads the connection of a job. Where there is none, there is nothing to be done, ever.
func (s *Service) load(ctx context.Context, id uuid.UUID) (store.Connection, error) {
	c, err := s.Store.FindConnection(ctx, "", id)
	if errors.Is(err, store.ErrNotFound) {
		err = river.JobCancel(err)
	}
	return c, err
}

// Again is the end of a job that comes again after a delay; 0 is never. What a twin is at is left to it.
func Again(delay time.Duration, err error) error {
	switch {
	case errors.Is(err, store.ErrFenced):
		return nil
	case err == nil && delay > 0:
		return river.JobSnooze(delay)
	}
	return err
}

func unlessGone(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}
