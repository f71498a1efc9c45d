package graphsim

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	// retryFor is how long Meta tries to deliver a webhook.
	// Source: developers.facebook.com, WhatsApp > Webhooks.
	retryFor = 7 * 24 * time.Hour
	// maxOwed bounds what waits to be sent; the oldest is given up first.
	maxOwed = 10_000
	// maxSenders is how many POSTs are under way at a time, those of control calls apart.
	maxSenders = 16
	// glance is how often a waiting postman looks at a clock that moves by itself.
	glance = time.Second
)

// parcel is what Meta will send by itself: POSTs one after another, the first when it is due, each further one a gap
// later. It stays in the state file until its last POST was tried.
type parcel struct {
	Due   time.Time     `json:"due"` // by the simulated clock
	Gap   time.Duration `json:"gap,omitempty"`
	Posts []post        `json:"posts"`

	// ready is Due by the real clock. Whichever clock gets there first counts, so that a test whose clock stands still
	// is served too.
	ready time.Time
	busy  bool
}

// post is one POST to come: events of which it will be made, or a letter that is tried again.
type post struct {
	Events []event `json:"events,omitempty"`
	How    Sending `json:"how,omitzero"`
	Letter *letter `json:"letter,omitempty"`
}

// postman carries parcels. It runs only while there are some.
type postman struct {
	client *http.Client
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wake   chan struct{}
	slots  chan struct{}
	wg     sync.WaitGroup

	running bool // guarded by Simulator.mu
}

func newPostman() *postman {
	ctx, cancel := context.WithCancel(context.Background())
	return &postman{
		client: &http.Client{
			Transport:     &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: maxSenders},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		ctx: ctx, cancel: cancel, wake: make(chan struct{}, 1), slots: make(chan struct{}, maxSenders),
	}
}

// dismissPostman ends what is under way and waits for it. What was not delivered stays owed in the state file.
func (s *Simulator) dismissPostman() {
	s.mu.Lock() // nobody starts the postman after this
	s.post.cancel()
	s.mu.Unlock()
	s.post.wg.Wait()
	s.post.client.CloseIdleConnections()
}

// owe hands a parcel to the postman. Callers hold mu.
func (s *Simulator) owe(p *parcel) {
	if len(s.world.Outbox) >= maxOwed {
		s.giveUp(s.world.Outbox[0])
	}
	p.ready = time.Now().Add(p.Due.Sub(s.now()))
	s.world.Outbox = append(s.world.Outbox, p)
	s.persist()
	s.wakePostman()
}

// oweAgain plans another attempt of a letter that failed, in growing pauses up to seven days. Callers hold mu.
func (s *Simulator) oweAgain(l *letter) {
	next := s.now().Add(retryPause(len(l.Record.Attempts)))
	if l.once || l.world != s.world || next.Sub(l.Record.Time) > retryFor {
		l.Record.State = DeliveryFailed
		return
	}
	l.Record.State, l.Record.NextAttempt = DeliveryPending, next
	s.owe(&parcel{Due: next, Posts: []post{{Letter: l}}})
}

// retryPause is the pause after so many attempts. Meta says only that it grows.
func retryPause(attempts int) time.Duration {
	pauses := [...]time.Duration{
		time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour,
		3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	}
	return pauses[min(attempts, len(pauses))-1]
}

func (s *Simulator) giveUp(p *parcel) {
	s.world.Outbox = slices.DeleteFunc(s.world.Outbox, func(other *parcel) bool { return other == p })
	for _, owed := range p.Posts {
		if owed.Letter != nil {
			owed.Letter.Record.State, owed.Letter.Record.NextAttempt = DeliveryFailed, time.Time{}
		}
	}
}

// resume takes up what the state file says was owed. Callers hold mu, or nobody else knows s yet.
func (s *Simulator) resume() {
	for _, p := range s.world.Outbox {
		p.ready = time.Now().Add(p.Due.Sub(s.now()))
		for _, owed := range p.Posts {
			if owed.Letter != nil {
				owed.Letter.world = s.world
				s.keepDelivery(owed.Letter.Record)
			}
		}
	}
	if len(s.world.Outbox) > 0 {
		s.wakePostman()
	}
}

// wakePostman makes the postman look again. Callers hold mu.
func (s *Simulator) wakePostman() {
	switch {
	case s.post.ctx.Err() != nil: // closed: what is owed waits in the state file
	case !s.post.running:
		s.post.running = true
		s.post.wg.Go(s.carry)
	default:
		select {
		case s.post.wake <- struct{}{}:
		default: // it is to look already
		}
	}
}

// carry is the postman's round. It ends when nothing is owed or the simulator closes.
func (s *Simulator) carry() {
	for {
		due, pause, more := s.takeDue()
		for _, p := range due {
			s.post.slots <- struct{}{}
			s.post.wg.Go(func() {
				defer func() { <-s.post.slots }()
				s.sendNext(p)
			})
		}
		if !more {
			return
		}
		timer := time.NewTimer(pause)
		select {
		case <-s.post.wake:
		case <-timer.C:
		case <-s.post.ctx.Done():
		}
		timer.Stop()
	}
}

// takeDue answers the parcels that are due, how long the next one has, and false when there is no next one.
func (s *Simulator) takeDue() (due []*parcel, pause time.Duration, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.post.ctx.Err() != nil {
		return nil, 0, false
	}
	pause = glance
	for _, p := range s.world.Outbox {
		left := time.Until(p.ready)
		switch {
		case p.busy:
		case left <= 0 || !s.now().Before(p.Due):
			p.busy = true
			due = append(due, p)
		default:
			more, pause = true, min(pause, left)
		}
	}
	s.post.running = more
	return due, pause, more
}

// sendNext sends a parcel's next POST. It leaves the outbox only then: whoever kills the simulator before makes a
// duplicate, not a loss.
func (s *Simulator) sendNext(p *parcel) {
	s.mu.Lock()
	letters := []*letter{p.Posts[0].Letter}
	if p.Posts[0].Letter == nil {
		letters, _ = s.compose(p.Posts[0].Events, p.Posts[0].How)
	}
	s.mu.Unlock()
	for _, l := range letters {
		s.attempt(l)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p.Posts = p.Posts[1:]
	if len(p.Posts) == 0 {
		s.world.Outbox = slices.DeleteFunc(s.world.Outbox, func(other *parcel) bool { return other == p })
	} else {
		p.busy, p.Due = false, s.now().Add(p.Gap)
		p.ready = time.Now().Add(p.Gap)
		s.wakePostman()
	}
	s.persist()
}
