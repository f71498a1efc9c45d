package onboarding

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"golang.org/x/sync/errgroup"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/graph"
	"github.com/whatrack/connect/services/internal/run"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// candidates are those that the token reads, one at least. What the popup reported may be a lie, a mistake or late: where
// the token does not read it, it is as if it had not been said.
func (s *Service) candidates(ctx context.Context, o *store.Onboarding, token graph.Credential) ([]store.Choice, error) {
	if o.WabaID != "" {
		named, err := s.look(ctx, []string{o.WabaID}, token)
		if err != nil {
			return nil, err
		}
		return named.readable, named.missing()
	}
	hint, err := s.Store.SignupOf(ctx, o.ID)
	if err != nil {
		return nil, err
	}
	var reported sight
	if hint.WabaID != "" {
		if reported, err = s.look(ctx, []string{hint.WabaID}, token); err == nil {
			err = reported.silence
		}
		if err != nil || len(reported.readable) > 0 {
			return reported.readable, err
		}
	}
	targets, err := s.targets(ctx, o)
	if err != nil {
		return nil, err
	}
	if len(targets) == 0 && hint.WabaID == "" {
		return nil, fault.New(errorsv1.ErrorReason_WABA_ID_REQUIRED)
	}
	seen, err := s.look(ctx, targets, token)
	if err != nil {
		return nil, err
	}
	if decided := seen.having(cmp.Or(o.PhoneNumberID, hint.PhoneNumberID)); decided != nil {
		return decided, nil
	}
	if seen.silence != nil {
		if s.windowLeft(o) > 0 {
			return nil, seen.silence
		}
		s.Log.WarnContext(ctx, "a claim goes on without the target ids of which Meta says nothing", "onboardingId", o.ID, "error", seen.silence)
	}
	seen.refuse(reported.refusal)
	return seen.readable, seen.missing()
}

// targets are the objects that the token was granted. Whether they are WABAs is for reading them to tell: scopes, whose
// names Meta changes, do not.
func (s *Service) targets(ctx context.Context, o *store.Onboarding) ([]string, error) {
	resp, err := s.Broker.GetToken(ctx, &tokenbrokerv1.GetTokenRequest{
		OrganizationId: o.OrganizationID, Of: &tokenbrokerv1.GetTokenRequest_TokenId{TokenId: o.TokenID},
	})
	if err != nil {
		return nil, err
	}
	targets := resp.GetToken().GetTargetIds()
	if len(targets) > maxCandidates {
		s.Log.WarnContext(ctx, "not all target ids of a token are looked at", "onboardingId", o.ID, "targets", len(targets), "looked", maxCandidates)
		targets = targets[:maxCandidates]
	}
	return targets, nil
}

// sight is what came of looking at candidates.
type sight struct {
	readable []store.Choice // whose phone numbers the token reads, in the order of the candidates
	refusal  *graph.Error   // why Meta does not show one of the others
	silence  error          // why one of the others is still an open question
}

// look reads the phone numbers of each candidate. What rules one out, or leaves it open, is part of what is seen; an error
// is what would stand in the way of all.
func (s *Service) look(ctx context.Context, candidates []string, token graph.Credential) (sight, error) {
	numbers := make([][]graph.PhoneNumber, len(candidates))
	errs := make([]error, len(candidates))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i, id := range candidates {
		group.Go(run.Protected(func() error {
			numbers[i], errs[i] = s.Meta.PhoneNumbers(ctx, id, token)
			if concernsAll(ctx, errs[i]) {
				return errs[i]
			}
			return nil
		}))
	}
	if err := group.Wait(); err != nil {
		return sight{}, err
	}
	seen := sight{}
	for i, id := range candidates {
		var said *graph.Error
		switch {
		case errs[i] == nil:
			seen.readable = append(seen.readable, choiceOf(id, numbers[i]))
		case graph.IsSilence(errs[i]):
			seen.silence = errs[i]
		case errors.As(errs[i], &said):
			seen.refuse(said)
		}
	}
	return seen, nil
}

// concernsAll tells an error that is not about one candidate: Meta limits our calls, the token is dead, our own time is
// up, or the fault is ours.
func concernsAll(ctx context.Context, err error) bool {
	var said *graph.Error
	switch {
	case err == nil:
		return false
	case errors.As(err, &said):
		return said.RateLimited() || said.TokenDead()
	}
	return ctx.Err() != nil || !graph.IsSilence(err)
}

func choiceOf(waba string, numbers []graph.PhoneNumber) store.Choice {
	choice := store.Choice{WabaID: waba, DisplayPhoneNumbers: []string{}}
	for _, n := range numbers {
		choice.DisplayPhoneNumbers = append(choice.DisplayPhoneNumbers, n.DisplayPhoneNumber)
		choice.PhoneNumberIDs = append(choice.PhoneNumberIDs, n.ID)
	}
	return choice
}

// refuse notes a refusal. That an object is missing says the least: the targets of a token are not all WABAs.
func (s *sight) refuse(said *graph.Error) {
	if said != nil && (s.refusal == nil || s.refusal.ObjectMissing()) {
		s.refusal = said
	}
}

// having is the one whose number was named; nil where none has it.
func (s *sight) having(number string) []store.Choice {
	for _, choice := range s.readable {
		if slices.Contains(choice.PhoneNumberIDs, number) {
			return []store.Choice{choice}
		}
	}
	return nil
}

// missing is why nothing can be read; nil where something can.
func (s *sight) missing() error {
	notShared := fault.New(errorsv1.ErrorReason_WABA_NOT_SHARED)
	switch {
	case len(s.readable) > 0:
		return nil
	case s.silence != nil:
		return s.silence
	case s.refusal == nil:
		return notShared
	case s.refusal.ObjectMissing():
		return notShared.Cause(s.refusal)
	}
	return s.refusal
}
