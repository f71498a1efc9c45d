// Package broker is TokenBrokerService: it spends authorization codes, keeps the access tokens of customers sealed, and
// reveals them to internal services.
//
// It promises that a code is spent at most once, that a token is in the database before anything else is done with it,
// that no answer but GetAccessToken's carries a secret, and that a token which was revoked or replaced is no longer
// served two seconds later. It refuses to serve a token that Meta has not confirmed.
package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/google/uuid"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	"github.com/whatrack/connect/services/internal/bell"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/graph"
	"github.com/whatrack/connect/services/internal/keyring"
	"github.com/whatrack/connect/services/internal/run"
	"github.com/whatrack/connect/services/internal/secret"
	"github.com/whatrack/connect/services/token-broker/internal/store"
)

// Config is what a broker needs.
type Config struct {
	Store *store.Store
	Keys  *keyring.Keyring
	Meta  *graph.Client
	AppID string
	Own   OwnBusiness
	Now   func() time.Time
	Log   *slog.Logger
}

// Broker implements TokenBrokerService.
type Broker struct {
	tokenbrokerv1.UnsafeTokenBrokerServiceServer

	Config
	exchanged bell.Bell
	spending  sync.Map // fingerprints of the codes that this process is spending
	detached  sync.WaitGroup
	cache     *cache
	reveals   *reveals
}

var _ tokenbrokerv1.TokenBrokerServiceServer = (*Broker)(nil)

// New makes a broker. Calls reach it while its Run runs.
func New(cfg Config) *Broker {
	b := &Broker{Config: cfg}
	b.cache = newCache(b.load, b.share, cfg.Now)
	b.reveals = newReveals(cfg.Store, cfg.Now, b.share)
	return b
}

// Run serves until ctx ends, and writes down meanwhile what is counted in memory. After the last call it waits for every
// code that is being spent, and writes down the last counts.
func (b *Broker) Run(ctx context.Context, serve run.Task) error {
	counting, stop := context.WithCancel(context.WithoutCancel(ctx))
	var counter sync.WaitGroup
	counter.Go(func() { b.reveals.flushUntil(counting, b.Log) })
	defer func() {
		b.detached.Wait()
		stop()
		counter.Wait()
	}()
	return serve(ctx)
}

// detach runs f beyond the caller's life. f bounds itself.
func (b *Broker) detach(ctx context.Context, what string, f func(context.Context)) {
	ctx = context.WithoutCancel(ctx)
	b.detached.Go(func() {
		defer func() {
			if p := recover(); p != nil {
				b.Log.ErrorContext(ctx, "panic while "+what, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			}
		}()
		f(ctx)
	})
}

// shareBudget lies under the deadlines of the RPCs that wait for what is shared.
const shareBudget = 5 * time.Second

// share does what several callers wait for, beside all of them: it does not end with the one who happened to come first,
// and that one too leaves when its time is up. done hears the error of f, also when f panics.
func (b *Broker) share(ctx context.Context, f func(context.Context) error, done func(error)) {
	b.detach(ctx, "reading or writing for several callers", func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, shareBudget)
		defer cancel()
		err := errors.New("broker: panic beside the call")
		defer func() { done(err) }()
		err = f(ctx)
		if err != nil && ctx.Err() != nil {
			err = fault.New(errorsv1.ErrorReason_STORAGE_UNAVAILABLE).Cause(err)
		}
	})
}

// share is Broker.share.
type share = func(ctx context.Context, f func(context.Context) error, done func(error))

func (b *Broker) seal(token secret.Text, organization string, id uuid.UUID, version int64) (store.Sealed, error) {
	sealed, err := b.Keys.Seal(token, associated(organization, id, version))
	if err != nil {
		return store.Sealed{}, err
	}
	return store.Sealed(sealed), nil
}

func (b *Broker) open(t store.Token) (secret.Text, error) {
	token, err := b.Keys.Open(t.Ciphertext, associated(t.OrganizationID, t.ID, t.Version))
	if errors.Is(err, keyring.ErrIntegrity) {
		err = fmt.Errorf("token %s of %s: %w", t.ID, t.OrganizationID, err)
		return secret.Text{}, fault.New(errorsv1.ErrorReason_DATA_INTEGRITY).Cause(err)
	}
	return token, err
}

// associated ties a ciphertext to its place: put into another row, or put back after a swap, it does not open.
func associated(organization string, id uuid.UUID, version int64) keyring.Context {
	return keyring.Context{Purpose: "access-token", Organization: organization, RowID: id.String(), Version: version}
}
