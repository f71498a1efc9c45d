package broker

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/graph"
	"github.com/whatrack/connect/services/internal/identity"
	"github.com/whatrack/connect/services/internal/run"
	"github.com/whatrack/connect/services/internal/secret"
	"github.com/whatrack/connect/services/token-broker/internal/store"
)

const (
	spendBudget  = 20 * time.Second // one exchange, dials that failed included
	storeBudget  = 15 * time.Second // to commit its token, commits that failed included
	spendLease   = 40 * time.Second // both, and the time to say that neither worked
	settleBudget = 10 * time.Second // what follows at once; past it, the job goes on
	settleDelay  = 15 * time.Second // when the job looks after a token that was not settled at once
	retryPause   = 500 * time.Millisecond
)

// spend spends the code and writes down what came of it, whatever that is. It runs beyond the caller's life.
func (b *Broker) spend(ctx context.Context, exchange store.Exchange, code secret.Text, redirectURI string) {
	answer := func() {
		b.spending.Delete(exchange.Fingerprint)
		b.exchanged.Ring(exchange.Fingerprint)
	}
	defer answer()
	defer func() {
		if p := recover(); p != nil { // nobody shall wait for the lease
			b.lose(ctx, exchange)
			panic(p)
		}
	}()
	leased, cancel := context.WithTimeout(ctx, spendLease)
	defer cancel()
	grant, err := b.exchangeOnce(leased, code, redirectURI)
	if err != nil {
		b.refuse(leased, exchange, err)
		return
	}
	token, err := b.keep(leased, exchange, grant)
	if err != nil {
		b.Log.ErrorContext(ctx, "a token could not be stored and is lost", "onboardingId", exchange.OnboardingID, "error", err)
		b.lose(leased, exchange)
		return
	}
	b.settleAtOnce(ctx, token.ID, answer)
}

// exchangeOnce makes the one attempt. Only where no byte was written is there another.
func (b *Broker) exchangeOnce(ctx context.Context, code secret.Text, redirectURI string) (graph.Grant, error) {
	ctx, cancel := context.WithTimeout(ctx, spendBudget)
	defer cancel()
	for {
		grant, err := b.Meta.ExchangeCode(ctx, code, redirectURI)
		if !errors.Is(err, graph.ErrNotSent) || !run.Pause(ctx, retryPause) {
			return grant, err
		}
	}
}

// keep seals the token and commits it, before any other call.
func (b *Broker) keep(ctx context.Context, exchange store.Exchange, grant graph.Grant) (token store.Token, err error) {
	id := uuid.Must(uuid.NewV7())
	sealed, err := b.seal(grant.Token, exchange.OrganizationID, id, 1)
	if err != nil {
		return store.Token{}, err
	}
	var expire *time.Time
	if grant.ExpiresIn > 0 {
		at := b.Now().Add(grant.ExpiresIn)
		expire = &at
	}
	ctx, cancel := context.WithTimeout(ctx, storeBudget)
	defer cancel()
	err = insist(ctx, func(ctx context.Context) error {
		token, err = b.Store.StoreToken(ctx, store.NewToken{
			ID: id, Fingerprint: exchange.Fingerprint, OrganizationID: exchange.OrganizationID,
			OnboardingID: exchange.OnboardingID, Sealed: sealed, ExpireTime: expire, Actor: identity.Name(ctx),
			SpenderID: exchange.SpenderID, SettleTime: b.Now().Add(settleDelay),
		})
		return err
	})
	return token, err
}

// refuse writes down why there is no token.
func (b *Broker) refuse(ctx context.Context, exchange store.Exchange, cause error) {
	reason := exchangeReason(cause)
	b.Log.WarnContext(ctx, "a code was not exchanged", "onboardingId", exchange.OnboardingID, "reason", reason.String(), "error", cause)
	b.endExchange(ctx, exchange, func(ctx context.Context) error {
		switch reason {
		case errorsv1.ErrorReason_CODE_OUTCOME_UNKNOWN:
			return b.Store.LoseExchange(ctx, exchange.Fingerprint, exchange.SpenderID)
		case errorsv1.ErrorReason_META_UNAVAILABLE:
			return b.Store.ReleaseExchange(ctx, exchange.Fingerprint, exchange.SpenderID)
		default:
			return b.Store.FailExchange(ctx, exchange.Fingerprint, exchange.SpenderID, reason.String(), graphMetadata(cause))
		}
	})
}

// lose writes down that nobody can tell what became of the code, unless its end is on record.
func (b *Broker) lose(ctx context.Context, exchange store.Exchange) {
	b.endExchange(ctx, exchange, func(ctx context.Context) error {
		return b.Store.LoseExchange(ctx, exchange.Fingerprint, exchange.SpenderID)
	})
}

func (b *Broker) endExchange(ctx context.Context, exchange store.Exchange, end func(context.Context) error) {
	ctx, cancel := context.WithTimeout(ctx, storeBudget)
	defer cancel()
	if err := insist(ctx, end); err != nil && !errors.Is(err, store.ErrEnded) {
		b.Log.ErrorContext(ctx, "the end of an exchange could not be written", "onboardingId", exchange.OnboardingID, "error", err)
	}
}

// settleAtOnce settles a new token as far as it goes within its budget; what is left is the job's. The callers are
// answered after the first attempt: while Meta is silent, the token is theirs as it stands.
func (b *Broker) settleAtOnce(ctx context.Context, id uuid.UUID, answer func()) {
	ctx, cancel := context.WithTimeout(ctx, settleBudget)
	defer cancel()
	for wait := retryPause; ; wait *= 2 {
		err := b.settle(ctx, id)
		if err == nil {
			return
		}
		answer()
		if !graph.IsSilence(err) || !run.Pause(ctx, wait) {
			b.Log.WarnContext(ctx, "a token is stored and not settled yet", "tokenId", id, "error", err)
			return
		}
	}
}

// insist repeats f until it works, until the store says that it never will, or until ctx ends: for what can be repeated
// and can not be learned a second time.
func insist(ctx context.Context, f func(context.Context) error) error {
	for {
		err := f(ctx)
		switch {
		case err == nil, errors.Is(err, store.ErrEnded), errors.Is(err, store.ErrCodeOfAnother):
			return err
		case run.Pause(ctx, retryPause):
		default:
			return fault.New(errorsv1.ErrorReason_STORAGE_UNAVAILABLE).Cause(err)
		}
	}
}
