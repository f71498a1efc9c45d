package server_test

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	"github.com/whatrack/connect/services/internal/fault"
)

// clock is the real one, ahead by as much as a test wants.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

// link is the network between the service and the broker.
type link struct {
	grpc.ClientConnInterface

	mu    sync.Mutex
	away  bool            // nothing gets through
	deaf  map[string]bool // methods whose answers are lost
	panic bool            // our own side of it is broken
	calls map[string]int  // that got through, by method
}

func (l *link) set(change func(*link)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(l)
}

func (l *link) count(method string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.calls[method]
}

func (l *link) goAway(away bool) { l.set(func(l *link) { l.away = away }) }

func (l *link) lose(method string, lost bool) { l.set(func(l *link) { l.deaf[method] = lost }) }

// Invoke implements grpc.ClientConnInterface.
func (l *link) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	l.mu.Lock()
	away, deaf, broken := l.away, l.deaf[method], l.panic
	if !away && !broken {
		l.calls[method]++
	}
	l.mu.Unlock()
	unavailable := fault.New(errorsv1.ErrorReason_BROKER_UNAVAILABLE)
	if broken {
		panic("the link is broken")
	}
	if away {
		return unavailable
	}
	err := l.ClientConnInterface.Invoke(ctx, method, args, reply, opts...)
	if deaf {
		return unavailable
	}
	return err
}

// logs keeps what was logged.
type logs struct {
	mu  sync.Mutex
	out bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.String()
}
