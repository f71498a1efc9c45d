package webhook

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"time"

	"google.golang.org/grpc"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/identity"
	"github.com/whatrack/connect/services/waba-onboarding/internal/connection"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

const (
	// heartbeat is how long a follower hears nothing while nothing happens.
	heartbeat = 15 * time.Second
	// patience is how long a follower may leave an answer unread.
	patience = 20 * time.Second
	// watchBatch bounds what is in memory of one follower, as far as the store does not by its bytes.
	watchBatch = 20
	// maxFollowers is how many streams an organization may have open at one replica; the operator's count as one.
	maxFollowers = 32
	// retryFollower is when a follower that was one too many may come again.
	retryFollower = 30 * time.Second
)

// followers counts the open streams of each scope.
type followers struct {
	mu    sync.Mutex
	count map[string]int
}

func (f *followers) enter(scope string) (leave func(), ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.count[scope] >= maxFollowers {
		return nil, false
	}
	if f.count == nil {
		f.count = map[string]int{}
	}
	f.count[scope]++
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.count[scope]--; f.count[scope] == 0 {
			delete(f.count, scope)
		}
	}, true
}

// WatchChanges implements WebhookService.
func (s *Service) WatchChanges(req *onboardingv1.WatchChangesRequest, stream grpc.ServerStreamingServer[onboardingv1.WatchChangesResponse]) error {
	ctx := stream.Context()
	scope, err := identity.Scope(ctx)
	if err != nil {
		return err
	}
	leave, ok := s.followers.enter(scope)
	if !ok {
		return fault.New(errorsv1.ErrorReason_RATE_LIMITED).RetryAfter(retryFollower)
	}
	defer leave()
	f, err := s.follow(ctx, scope, req)
	if err != nil {
		return err
	}
	f.stream = stream
	return f.run(ctx)
}

// follower is one open stream.
type follower struct {
	*Service
	scope  string
	filter store.ChangeFilter
	at     int64
	stream grpc.ServerStreamingServer[onboardingv1.WatchChangesResponse]
}

// follow finds out where a stream begins.
func (s *Service) follow(ctx context.Context, scope string, req *onboardingv1.WatchChangesRequest) (*follower, error) {
	filter, err := s.filter(ctx, scope, req)
	if err != nil {
		return nil, err
	}
	f := &follower{Service: s, scope: scope, filter: filter}
	start, end, err := s.Store.StreamBounds(ctx)
	if err != nil {
		return nil, err
	}
	f.at = start
	if req.GetCursor() != "" {
		position, err := s.Keys.OpenToken(cursorPurpose, scope, req.GetCursor())
		if err != nil || len(position) != 8 {
			return nil, fault.Field("cursor", "is not a cursor of this organization")
		}
		f.at = int64(binary.BigEndian.Uint64(position)) //nolint:gosec // we sealed it
		if f.at < start {
			return nil, connection.AsFault(store.ErrCursorExpired)
		}
		return f, nil
	}
	if req.GetFromNow() {
		f.at = end
	}
	return f, nil
}

const cursorPurpose = "cursor:changes"

func (f *follower) cursor() (string, error) {
	position := binary.BigEndian.AppendUint64(nil, uint64(f.at)) //nolint:gosec // positions are positive
	return f.Keys.SealToken(cursorPurpose, f.scope, position)
}

// run sends where the stream begins, then what there is and what comes, and a heartbeat whenever nothing came for a while.
func (f *follower) run(ctx context.Context) error {
	if err := f.send(ctx, nil); err != nil {
		return err
	}
	for {
		quiet, cancel := context.WithTimeout(ctx, heartbeat)
		err := f.Store.AwaitStream(quiet, func(context.Context) (bool, error) { return f.catchUp(ctx) })
		cancel()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, context.DeadlineExceeded):
			err = f.send(ctx, nil)
		}
		if err != nil {
			return err
		}
	}
}

// catchUp sends what there is, a batch at most, and tells whether that was anything.
func (f *follower) catchUp(ctx context.Context) (any bool, err error) {
	list, next, err := f.Store.FollowChanges(ctx, f.filter, f.at, watchBatch)
	if err != nil {
		return false, connection.AsFault(err)
	}
	for _, e := range list {
		f.at = e.Position
		if err := f.send(ctx, Describe(e.Change)); err != nil {
			return true, err
		}
	}
	f.at = next
	return len(list) > 0, nil
}

// send waits for a reader who does not read, but not for ever: what it missed it gets by its cursor.
func (f *follower) send(ctx context.Context, change *onboardingv1.Change) error {
	cursor, err := f.cursor()
	if err != nil {
		return err
	}
	sent := make(chan error, 1)
	go func() { sent <- f.stream.Send(&onboardingv1.WatchChangesResponse{Change: change, Cursor: cursor}) }()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case err := <-sent:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return fault.New(errorsv1.ErrorReason_RATE_LIMITED).RetryAfter(time.Second)
	}
}
