package onboarding

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/rpc"
	"github.com/whatrack/connect/services/internal/run"
	"github.com/whatrack/connect/services/internal/secret"
	"github.com/whatrack/connect/services/waba-onboarding/internal/connection"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

const (
	exchangeBudget = rpc.ExchangeTimeout + 2*time.Second // for the broker's answer to arrive
	exchangePause  = 500 * time.Millisecond
	// reservedWithin is when a code that the broker never heard of counts as lost: nobody holds it any more.
	reservedWithin = 45 * time.Second
	recoverPause   = 5 * time.Second
)

// flight is one exchange of this process. Whoever posts its code meanwhile waits for the same news.
type flight struct {
	news chan struct{} // closed with the first: the outcome, or that there is none yet
	once sync.Once
	err  error
}

func (f *flight) tell(err error) {
	f.once.Do(func() {
		f.err = err
		close(f.news)
	})
}

// exchange has the broker spend the code, beyond the caller's life. Its error is Meta's verdict on the code. While there
// is no outcome it answers nil: the onboarding stays EXCHANGING, the broker is asked on, and where this process dies the
// sweeper asks what became of the code.
func (s *Service) exchange(ctx context.Context, o store.Onboarding, code secret.Text, redirectURI string) error {
	key := fmt.Sprint(o.ID, o.StartTime.UnixMicro()) // a code that is posted again after a refusal is another exchange
	mine := &flight{news: make(chan struct{})}
	found, joined := s.flights.LoadOrStore(key, mine)
	if !joined {
		s.detached.Go(func() {
			defer s.flights.Delete(key)
			defer s.changed.Ring(o.ID.String())
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), exchangeBudget)
			defer cancel()
			mine.tell(run.Protect(func() error {
				return s.spend(ctx, o, &tokenbrokerv1.ExchangeCodeRequest{
					OrganizationId: o.OrganizationID, Code: code.Reveal(), RedirectUri: redirectURI, OnboardingId: o.ID.String(),
				}, mine)
			}))
		})
	}
	f, _ := found.(*flight)
	wait, cancel := connection.UntilAnswer(ctx, exchangeBudget)
	defer cancel()
	select {
	case <-f.news:
		return f.err
	case <-wait.Done():
		return ctx.Err()
	}
}

// spend asks the broker, again as long as the broker does not say what became of the code: the same code meets the same
// exchange.
func (s *Service) spend(ctx context.Context, o store.Onboarding, req *tokenbrokerv1.ExchangeCodeRequest, mine *flight) error {
	for attempt := 1; ; attempt++ {
		resp, err := s.Broker.ExchangeCode(ctx, req)
		if err == nil || isVerdict(err) {
			return s.conclude(ctx, o, resp.GetToken(), err)
		}
		if attempt == 1 {
			s.Log.WarnContext(ctx, "an exchange has no outcome yet", "onboardingId", o.ID, "error", err)
			mine.tell(s.postpone(ctx, o, err))
		}
		if !run.Pause(ctx, exchangePause) {
			return s.postpone(ctx, o, err)
		}
	}
}

// isVerdict tells whether the broker's error says what became of the code.
func isVerdict(err error) bool {
	f, ok := fault.As(err)
	if !ok {
		return false
	}
	switch f.Reason() {
	case errorsv1.ErrorReason_CODE_EXPIRED, errorsv1.ErrorReason_CODE_ALREADY_USED, errorsv1.ErrorReason_CODE_INVALID,
		errorsv1.ErrorReason_CODE_OUTCOME_UNKNOWN, errorsv1.ErrorReason_REDIRECT_URI_MISMATCH,
		errorsv1.ErrorReason_APP_CREDENTIALS_REJECTED, errorsv1.ErrorReason_TOKEN_INVALID, errorsv1.ErrorReason_TOKEN_EXPIRED,
		errorsv1.ErrorReason_META_RATE_LIMITED, errorsv1.ErrorReason_META_REJECTED,
		errorsv1.ErrorReason_META_UNAVAILABLE, errorsv1.ErrorReason_INVALID_FIELD:
		return true
	default:
		return false
	}
}

// conclude writes down what came of an exchange: a token, or Meta's verdict on the code.
func (s *Service) conclude(ctx context.Context, o store.Onboarding, token *tokenbrokerv1.Token, verdict error) error {
	ctx, cancel := connection.Lasting(ctx)
	defer cancel()
	if verdict == nil {
		_, err := s.Store.AttachToken(ctx, o.ID, token.GetTokenId())
		return err
	}
	why, _ := fault.As(verdict)
	if err := s.Store.RefuseCode(ctx, o.ID, why.Reason().String(), why.Metadata()); err != nil {
		return err
	}
	return why.With("onboardingId", o.ID.String())
}

// postpone shows why an exchange has no outcome yet.
func (s *Service) postpone(ctx context.Context, o store.Onboarding, err error) error {
	ctx, cancel := connection.Lasting(ctx)
	defer cancel()
	reason := errorsv1.ErrorReason_BROKER_UNAVAILABLE
	if why, ok := fault.As(err); ok && why.Reason() != errorsv1.ErrorReason_DEADLINE_EXCEEDED {
		reason = why.Reason()
	}
	return s.Store.PostponeExchange(ctx, o.ID, reason.String(), 0)
}

// recover is the job for an onboarding whose exchange was not heard of: its process died, or the broker was away.
func (s *Service) recover(ctx context.Context, o store.Onboarding) (time.Duration, error) {
	resp, err := s.Broker.GetToken(ctx, &tokenbrokerv1.GetTokenRequest{
		OrganizationId: o.OrganizationID, Of: &tokenbrokerv1.GetTokenRequest_OnboardingId{OnboardingId: o.ID.String()},
	})
	if err == nil {
		_, err := s.Store.AttachToken(ctx, o.ID, resp.GetToken().GetTokenId())
		return 0, err
	}
	if errors.Is(err, fault.New(errorsv1.ErrorReason_TOKEN_NOT_FOUND)) && s.Now().Sub(*o.StartTime) > reservedWithin {
		return 0, s.Store.RefuseCode(ctx, o.ID, errorsv1.ErrorReason_CODE_OUTCOME_UNKNOWN.String(), nil)
	}
	why, _ := fault.As(err)
	if isVerdict(err) {
		return 0, s.Store.RefuseCode(ctx, o.ID, why.Reason().String(), why.Metadata())
	}
	if s.Store.Overdue(&o) {
		return 0, s.Store.EndOverdue(ctx, &o)
	}
	reason := o.Steps.Get(store.StepExchange).Reason
	if why != nil && why.Reason() != errorsv1.ErrorReason_TOKEN_NOT_FOUND {
		reason = why.Reason().String()
	}
	return recoverPause, s.Store.PostponeExchange(ctx, o.ID, reason, recoverPause)
}
