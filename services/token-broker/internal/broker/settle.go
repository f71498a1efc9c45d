package broker

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	"github.com/whatrack/connect/services/internal/graph"
	"github.com/whatrack/connect/services/internal/secret"
	"github.com/whatrack/connect/services/token-broker/internal/store"
)

// shortLife: a token that lives less than this in all is extended at once. Short-lived tokens of Meta live hours,
// extended ones about sixty days (developers.facebook.com, Access Tokens > Long-Lived Tokens).
const shortLife = 7 * 24 * time.Hour

const (
	longestSilence = 5 * time.Minute // between two questions to Meta that get no answer
	unboundLife    = 24 * time.Hour  // how long a token may wait for its first binding
	eraseBatch     = 200
	revealLife     = 90 * 24 * time.Hour // how long it is known who was shown a token in which minute
	revealBatch    = 5000
)

// settle brings a stored token as far as Meta lets it go: inspected, and extended when it is short-lived. It does only
// what is left to do, so that it may run twice. Silence is an error, to be tried again; Meta's word is not.
func (b *Broker) settle(ctx context.Context, id uuid.UUID) error {
	token, err := b.Store.FindAnyToken(ctx, id)
	if err != nil {
		return err
	}
	if token.State == store.Unverified {
		if err := b.inspect(ctx, token); err != nil {
			return err
		}
		if token, err = b.Store.FindAnyToken(ctx, id); err != nil {
			return err
		}
	}
	if token.State != store.Active || token.ExtendTime != nil || !b.isShortLived(token) {
		return nil
	}
	return b.extend(ctx, token)
}

// isShortLived is not true of a token that is past its expiry: that one can not be extended any more.
func (b *Broker) isShortLived(t store.Token) bool {
	return t.ExpireTime != nil && t.ExpireTime.Sub(t.CreateTime) < shortLife && b.Now().Before(t.ExpireTime.Add(expiryGrace))
}

// inspect asks Meta whether the token is ours and valid, and records the answer.
func (b *Broker) inspect(ctx context.Context, token store.Token) error {
	opened, err := b.open(token)
	if err != nil {
		return err
	}
	info, err := b.Meta.DebugToken(ctx, opened)
	if err != nil {
		return err
	}
	err = b.record(ctx, token, info)
	if errors.Is(err, store.ErrStale) { // a twin was faster
		return nil
	}
	return err
}

func (b *Broker) record(ctx context.Context, token store.Token, info graph.TokenInfo) error {
	end := store.Ending{State: store.Invalid, Reason: "TOKEN_INVALID", Event: store.EventInvalidated}
	switch {
	case info.AppID != "" && info.AppID != b.AppID: // a token of another app must not be kept, let alone served
		end.Reason, end.Erase = "OTHER_APP", true
		return b.Store.EndToken(ctx, token.ID, end)
	case info.Expired():
		end.State, end.Reason, end.Event = store.Expired, "TOKEN_EXPIRED", store.EventExpired
		return b.Store.EndToken(ctx, token.ID, end)
	case !info.Valid:
		return b.Store.EndToken(ctx, token.ID, end)
	}
	return b.Store.ActivateToken(ctx, token.ID, factsOf(info))
}

func factsOf(info graph.TokenInfo) store.Facts {
	return store.Facts{
		Kind: string(info.Type), Scopes: append([]string{}, info.Scopes...), TargetIDs: append([]string{}, info.TargetIDs...),
		ExpireTime: timeOrNil(info.ExpiresAt), DataAccessExpireTime: timeOrNil(info.DataAccessExpiresAt),
	}
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// extend trades a short-lived token for a long-lived one. The old token serves until Meta has confirmed the new one; if
// Meta refuses, it serves until it ends.
func (b *Broker) extend(ctx context.Context, token store.Token) error {
	opened, err := b.open(token)
	if err != nil {
		return err
	}
	grant, err := b.Meta.ExtendToken(ctx, opened, graph.TokenType(token.Kind))
	if err != nil {
		return b.failOrRetry(ctx, token, err)
	}
	info, err := b.Meta.DebugToken(ctx, grant.Token)
	if err != nil {
		return b.failOrRetry(ctx, token, err)
	}
	if !info.Valid || info.AppID != b.AppID {
		return b.failExtension(ctx, token, errorsv1.ErrorReason_TOKEN_INVALID.String())
	}
	return b.replaceSecret(ctx, token, grant.Token, info)
}

func (b *Broker) replaceSecret(ctx context.Context, token store.Token, extended secret.Text, info graph.TokenInfo) error {
	sealed, err := b.seal(extended, token.OrganizationID, token.ID, token.Version+1)
	if err != nil {
		return err
	}
	err = b.Store.ReplaceSecret(ctx, token.ID, token.Version, sealed, factsOf(info))
	b.cache.forget()
	if errors.Is(err, store.ErrStale) {
		return nil
	}
	return err
}

func (b *Broker) failOrRetry(ctx context.Context, token store.Token, cause error) error {
	if graph.IsSilence(cause) {
		return cause
	}
	return b.failExtension(ctx, token, errorsv1.ErrorReason_META_REJECTED.String())
}

func (b *Broker) failExtension(ctx context.Context, token store.Token, reason string) error {
	err := b.Store.FailExtension(ctx, token.ID, token.Version, reason)
	if errors.Is(err, store.ErrStale) {
		return nil
	}
	return err
}

// Workers are the broker's jobs.
func (b *Broker) Workers() *river.Workers {
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(b.workSettle))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[store.EraseArgs]) error {
		return errors.Join(b.eraseUnbound(ctx), b.eraseReveals(ctx))
	}))
	return workers
}

// workSettle asks again as long as Meta is silent, which may take longer than a job has attempts. The pauses grow with
// the job's age.
func (b *Broker) workSettle(ctx context.Context, job *river.Job[store.SettleArgs]) error {
	err := b.settle(ctx, job.Args.TokenID)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrNotFound):
		return river.JobCancel(err)
	case graph.IsSilence(err):
		return river.JobSnooze(min(max(b.Now().Sub(job.CreatedAt)/4, time.Second), longestSilence))
	}
	b.Log.WarnContext(ctx, "a token could not be settled", "tokenId", job.Args.TokenID, "attempt", job.Attempt, "error", err)
	return err
}

// eraseUnbound erases tokens that no claim ever bound: nobody needs them, and somebody could steal them.
func (b *Broker) eraseUnbound(ctx context.Context) error {
	for {
		erased, err := b.Store.EraseUnbound(ctx, b.Now().Add(-unboundLife), eraseBatch)
		if err != nil || erased == 0 {
			return err
		}
		b.cache.forget()
	}
}

// eraseReveals erases who was shown a token in minutes that are too long ago to ask about: one row for each caller and
// token in every minute.
func (b *Broker) eraseReveals(ctx context.Context) error {
	for {
		erased, err := b.Store.EraseReveals(ctx, b.Now().Add(-revealLife), revealBatch)
		if err != nil || erased < revealBatch {
			return err
		}
	}
}
