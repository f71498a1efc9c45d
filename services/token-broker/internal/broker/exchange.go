package broker

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/secret"
	"github.com/whatrack/connect/services/token-broker/internal/store"
)

const (
	reserveBudget = 3 * time.Second        // for the reservation, commits that failed included
	answerMargin  = 500 * time.Millisecond // what a waiting caller keeps of its deadline to hear the answer
)

// ExchangeCode implements TokenBrokerService. The order is the point: the exchange is on record before the code is
// spent, and from then on it no longer hangs on the caller, so that neither a crash nor a closed tab can spend a code
// unseen.
func (b *Broker) ExchangeCode(ctx context.Context, req *tokenbrokerv1.ExchangeCodeRequest) (*tokenbrokerv1.ExchangeCodeResponse, error) {
	code := secret.New(req.GetCode())
	exchange, first, err := b.reserve(ctx, store.Reservation{
		OrganizationID: req.GetOrganizationId(), OnboardingID: req.GetOnboardingId(), Fingerprint: code.Fingerprint(),
		SpenderID: uuid.New(), Lease: spendLease,
	})
	if errors.Is(err, store.ErrCodeOfAnother) {
		return nil, fault.New(errorsv1.ErrorReason_CODE_ALREADY_USED)
	}
	if err != nil {
		return nil, err
	}
	if first {
		b.spending.Store(exchange.Fingerprint, true)
		b.detach(ctx, "spending a code", func(ctx context.Context) { b.spend(ctx, exchange, code, req.GetRedirectUri()) })
	}
	token, err := b.awaitExchange(ctx, exchange.Fingerprint)
	if err != nil {
		return nil, err
	}
	return &tokenbrokerv1.ExchangeCodeResponse{Token: describe(token)}, nil
}

// reserve does not hang on the caller either: one that leaves while the reservation commits would leave a reservation
// that nobody follows up, and the code would be lost unspent.
func (b *Broker) reserve(ctx context.Context, r store.Reservation) (exchange store.Exchange, first bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reserveBudget)
	defer cancel()
	err = insist(ctx, func(ctx context.Context) error {
		exchange, first, err = b.Store.ReserveExchange(ctx, r)
		return err
	})
	return exchange, first, err
}

// awaitExchange waits until the exchange has ended and, where this process does it, Meta was asked about the token. A
// caller whose deadline comes first gets the token as it stands.
func (b *Broker) awaitExchange(ctx context.Context, fingerprint string) (store.Token, error) {
	wait, cancel := ctx, context.CancelFunc(func() {})
	if deadline, ok := ctx.Deadline(); ok {
		wait, cancel = context.WithDeadline(ctx, deadline.Add(-answerMargin))
	}
	defer cancel()
	token, unheard := store.Token{}, error(inProgress())
	err := b.exchanged.Until(wait, fingerprint, func(context.Context) (bool, error) {
		_, busy := b.spending.Load(fingerprint) // before reading, so that what is read is the end
		seen, err := b.exchangeOutcome(ctx, fingerprint)
		if hasReason(err, errorsv1.ErrorReason_EXCHANGE_IN_PROGRESS) || hasReason(err, errorsv1.ErrorReason_STORAGE_UNAVAILABLE) {
			unheard = err
			return false, nil
		}
		if err != nil {
			return false, err
		}
		token = seen
		return !busy, nil
	})
	switch {
	case token.ID != uuid.Nil:
		return token, deadToken(token)
	case ctx.Err() != nil:
		return store.Token{}, ctx.Err()
	case errors.Is(err, context.DeadlineExceeded): // of wait
		return store.Token{}, unheard
	}
	return store.Token{}, err
}

// exchangeOutcome answers the token of an exchange, or its fault.
func (b *Broker) exchangeOutcome(ctx context.Context, fingerprint string) (store.Token, error) {
	exchange, err := b.Store.FindExchange(ctx, fingerprint)
	if errors.Is(err, store.ErrNotFound) { // taken back: the code was not sent
		return store.Token{}, fault.New(errorsv1.ErrorReason_META_UNAVAILABLE).RetryAfter(time.Second)
	}
	if err != nil {
		return store.Token{}, err
	}
	return b.outcome(ctx, exchange)
}

func (b *Broker) outcome(ctx context.Context, exchange store.Exchange) (store.Token, error) {
	switch exchange.State {
	case store.Stored:
		return b.Store.DescribeToken(ctx, exchange.OrganizationID, *exchange.TokenID)
	case store.Failed:
		return store.Token{}, recordedFault(exchange)
	case store.Unknown:
		return store.Token{}, fault.New(errorsv1.ErrorReason_CODE_OUTCOME_UNKNOWN)
	case store.Spending:
		return store.Token{}, inProgress()
	}
	return store.Token{}, errors.New("broker: an exchange in no known state")
}

// deadToken refuses a token that Meta disowned or that we ended.
func deadToken(token store.Token) error {
	if token.State == store.Unverified || token.State == store.Active {
		return nil
	}
	return tokenEnded(token.State)
}

func hasReason(err error, reason fault.Reason) bool { return errors.Is(err, fault.New(reason)) }
