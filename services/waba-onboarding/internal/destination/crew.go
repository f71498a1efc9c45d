package destination

import (
	"context"
	"runtime/debug"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

const (
	// perDestination bounds what one destination is sent at a time by one process; one that refuses gets less.
	perDestination, perRefusing = 8, 4
	// maxCouriers and maxRefusing bound all of them. Those that refuse, or do not answer, have places of their own, so
	// that they take none from the others.
	maxCouriers, maxRefusing = 96, 32
	// share is the part of them that one organization may have: one whose receivers are slow, but say yes, holds up
	// itself.
	share = 4
	// turn is how long a place is kept before whoever waits longest has it, and within a destination a lane.
	turn = time.Second
)

// crew are those who send, each for one destination at a time.
type crew struct {
	mu       sync.Mutex
	busy     map[uuid.UUID]int // by destination
	owned    map[owned]int
	couriers map[bool]int // true: those of destinations that refuse
	group    sync.WaitGroup
	troubled bool // the last look failed
}

// owned are the couriers of one organization, for those of its destinations that refuse or for the others.
type owned struct {
	organization string
	refuses      bool
}

func ownedBy(d store.DueDestination) owned { return owned{d.OrganizationID, d.Refuses} }

// hire takes as many places as are free and wanted, and answers their number.
func (c *crew) hire(d store.DueDestination) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	own, all := perDestination, maxCouriers
	if d.Refuses {
		own, all = perRefusing, maxRefusing
	}
	n := max(min(d.Lanes, own-c.busy[d.DestinationID], all/share-c.owned[ownedBy(d)], all-c.couriers[d.Refuses]), 0)
	c.count(d, n)
	return n
}

func (c *crew) leave(d store.DueDestination) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count(d, -1)
}

// count is called with mu held, and keeps nobody who has no courier.
func (c *crew) count(d store.DueDestination, n int) {
	if c.busy == nil {
		c.busy, c.owned, c.couriers = map[uuid.UUID]int{}, map[owned]int{}, map[bool]int{}
	}
	c.couriers[d.Refuses] += n
	if c.owned[ownedBy(d)] += n; c.owned[ownedBy(d)] == 0 {
		delete(c.owned, ownedBy(d))
	}
	if c.busy[d.DestinationID] += n; c.busy[d.DestinationID] == 0 {
		delete(c.busy, d.DestinationID)
	}
}

// Run gives out what the stream brings and sends what is due, until ctx ends; then it waits for what is on its way.
func (s *Service) Run(ctx context.Context) error {
	defer s.Egress.Close()
	defer s.group.Wait()
	_ = s.Store.AwaitStream(ctx, func(ctx context.Context) (bool, error) { // it ends with ctx alone
		err := s.look(ctx)
		if err != nil && ctx.Err() == nil && !s.troubled { // once, not with every look
			s.Log.WarnContext(ctx, "events could not be given out and are looked at again", "error", err)
		}
		s.troubled = err != nil
		return false, nil
	})
	return nil
}

// look gives out everything there is, and lets due lanes be worked meanwhile.
func (s *Service) look(ctx context.Context) error {
	for more := true; more && ctx.Err() == nil; {
		var err error
		if more, err = s.Store.FanOut(ctx); err != nil {
			return err
		}
		due, err := s.Store.DueDestinations(ctx)
		if err != nil {
			return err
		}
		for _, d := range due {
			for range s.hire(d) {
				s.group.Go(func() { s.courier(ctx, d) })
			}
		}
	}
	return nil
}

// courier works lanes of one destination until none is due, its turn is over, or it is refused.
func (s *Service) courier(ctx context.Context, d store.DueDestination) {
	defer s.leave(d)
	defer func() {
		if p := recover(); p != nil { // the lease ends by itself
			s.Log.ErrorContext(ctx, "sending to a destination panicked", "destination", d.DestinationID, "panic", p, "stack", string(debug.Stack()))
		}
	}()
	for end := time.Now().Add(turn); ctx.Err() == nil && time.Now().Before(end); {
		p, err := s.Store.ClaimParcel(ctx, d.DestinationID)
		if err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "nothing could be taken to be sent", "destination", d.DestinationID, "error", err)
		}
		if err != nil || p == nil || !s.deliver(ctx, p, end) {
			return
		}
	}
}
