package onboarding

import (
	"context"
	"errors"
	"time"

	"github.com/riverqueue/river"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/graph"
	"github.com/whatrack/connect/services/internal/jobs"
	"github.com/whatrack/connect/services/waba-onboarding/internal/connection"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// step is one step of a claim: what it found out or did, or why not. A fault that is no verdict means again later; any
// other ends the claim.
type step func(*Service, context.Context, *store.Onboarding) (store.Progress, error)

// stepOf is the claim as a list. What a person sees on the timeline is the same list, kept in the row.
func stepOf(name string) step {
	return map[string]step{
		store.StepFind:      (*Service).findWaba,
		store.StepHold:      (*Service).holdWaba,
		store.StepRead:      (*Service).readWaba,
		store.StepSubscribe: (*Service).subscribe,
		store.StepProve:     (*Service).prove,
		store.StepBind:      (*Service).bind, // last: it erases the token that it replaces
	}[name]
}

// errChoosing says that a person must choose before the claim can go on.
var errChoosing = errors.New("onboarding: several WABAs were shared")

// AddWorkers adds the job that works claims.
func (s *Service) AddWorkers(workers *river.Workers) {
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[store.ClaimArgs]) error {
		defer s.changed.Ring(job.Args.OnboardingID.String())
		delay, err := s.work(ctx, job.Args)
		if errors.Is(err, store.ErrNotFound) {
			return river.JobCancel(err)
		}
		return connection.Again(delay, err)
	}))
}

// work brings a claim as far as it goes now, and says when to come again; 0 is never.
func (s *Service) work(ctx context.Context, args store.ClaimArgs) (time.Duration, error) {
	o, err := s.Store.LoadClaim(ctx, args.OnboardingID)
	if err != nil {
		return 0, err
	}
	if o.State == store.Exchanging {
		return s.recover(ctx, o)
	}
	if o.State != store.Claiming {
		return 0, nil
	}
	if s.Store.Overdue(&o) {
		return 0, s.Store.EndOverdue(ctx, &o)
	}
	if s.Store.Worked(&o) && o.Epoch != args.DeadEpoch {
		return 0, nil
	}
	if err := s.Store.BeginStep(ctx, &o); err != nil {
		return 0, err
	}
	if !begun(&o) {
		return store.BindPause, nil
	}
	for o.State == store.Claiming {
		progress, err := stepOf(o.Steps.Current().Name)(s, ctx, &o)
		goOn := timeLeft(ctx) > stepTime
		if err == nil {
			err = s.Store.FinishStep(ctx, &o, progress, goOn)
		}
		if err != nil {
			delay, err := s.verdict(ctx, &o, err)
			if errors.Is(err, store.ErrFenced) { // somebody ended the claim, and may wait for this step's end
				err = errors.Join(err, s.Store.LeaveClaim(ctx, o.ID))
			}
			return delay, err
		}
		if o.State == store.Claiming && !begun(&o) {
			return time.Millisecond, nil
		}
	}
	return 0, nil
}

// begun tells whether the current step is this job's: it may be another job's, or not its turn.
func begun(o *store.Onboarding) bool { return o.Steps.Current().State == store.StepRunning }

// stepTime is what a step needs to be worth beginning: a call to Meta has 10 s. One that is cut by the end of its job
// would look as if Meta had been silent.
const stepTime = 11 * time.Second

func timeLeft(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return stepTime + 1
	}
	return time.Until(deadline)
}

// verdict writes down why a step did not finish: again later, wait for a person, or the end of the claim.
func (s *Service) verdict(ctx context.Context, o *store.Onboarding, err error) (time.Duration, error) {
	if errors.Is(err, errChoosing) {
		return 0, nil
	}
	if errors.Is(err, store.ErrFenced) {
		return 0, err
	}
	why := connection.Explain(connection.AsFault(err))
	s.Log.InfoContext(ctx, "a step of a claim did not finish", "onboardingId", o.ID, "step", o.Steps.Current().Name,
		"attempts", o.Steps.Current().Attempts, "error", err)
	ctx, cancel := connection.Lasting(ctx) // also when the job ran out of time or is stopped
	defer cancel()
	delay := max(jobs.After(o.Steps.Current().Attempts), why.Wait())
	if !connection.Temporary(why) {
		if delay = s.again(o, why, delay); delay <= 0 {
			return 0, s.Store.FailClaim(ctx, o, why.Reason().String(), why.Metadata())
		}
	}
	state := store.StepWaiting
	if o.Steps.Current().Name == store.StepSubscribe && errors.Is(err, graph.ErrNoVerdict) {
		state = store.StepUnknown
	}
	return delay, s.Store.PostponeStep(ctx, o, state, why.Reason().String(), delay)
}

// again says when a verdict is asked for once more that may still change: Meta takes a while to share, and to list a
// subscription, and a page to report what its popup said. 0: it is final.
func (s *Service) again(o *store.Onboarding, why *fault.Error, delay time.Duration) time.Duration {
	current := o.Steps.Current()
	switch {
	case current.Name == store.StepFind && (unshared(why) || why.Reason() == errorsv1.ErrorReason_WABA_ID_REQUIRED):
		return min(delay, s.windowLeft(o)) // the last time, when the window closes
	case why.Reason() == errorsv1.ErrorReason_WEBHOOK_SUBSCRIPTION_FAILED && current.Name == store.StepProve,
		why.Reason() == errorsv1.ErrorReason_DISCONNECTING && current.Name == store.StepHold:
		return delay
	}
	return 0
}

// unshared tells a refusal to show a WABA, which Meta may take back when it has shared it.
func unshared(why *fault.Error) bool {
	switch why.Reason() {
	case errorsv1.ErrorReason_WABA_NOT_SHARED, errorsv1.ErrorReason_PERMISSION_MISSING, errorsv1.ErrorReason_META_REJECTED:
		return true
	default:
		return false
	}
}
