package connection

import (
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/internal/graph"
	"github.com/whatrack/connect/services/internal/identity"
	"github.com/whatrack/connect/services/internal/run"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// notSubscribed is what is wrong with a subscription that Meta does not list.
const notSubscribed = "WEBHOOK_SUBSCRIPTION_FAILED"

// CheckConnection implements ConnectionService.
func (s *Service) CheckConnection(ctx context.Context, req *onboardingv1.CheckConnectionRequest) (*onboardingv1.CheckConnectionResponse, error) {
	c, err := s.findLive(ctx, req.GetConnectionId())
	if err != nil {
		return nil, err
	}
	if c.State != store.ConnectionClaiming { // there is nothing to be asked with before its claim ends
		check, err := s.check(ctx, c)
		if err != nil {
			return nil, err
		}
		check.Activity, check.Actor = "CHECKED", identity.Name(ctx)
		if err := s.Store.RecordFindings(ctx, c, check); err != nil {
			return nil, AsFault(err)
		}
	}
	described, err := s.describe(ctx, c.ID)
	return &onboardingv1.CheckConnectionResponse{Connection: described}, err
}

// check asks the broker and Meta. A verdict against our access is a result; silence is an error.
func (s *Service) check(ctx context.Context, c store.Connection) (store.Findings, error) {
	var check store.Findings
	facts, err := s.tokenFacts(ctx, c)
	if err != nil {
		return check, err
	}
	check.Token = facts
	token, err := TokenOf(ctx, s.Broker, c)
	if err != nil {
		return s.accessVerdict(check, err)
	}
	read, apps, err := s.ask(ctx, c.WabaID, token)
	if err != nil {
		return s.accessVerdict(check, err)
	}
	none, proof := "", ""
	if !slices.Contains(apps, s.AppID) {
		proof = notSubscribed
	}
	check.Read, check.Proof, check.AccessReason = &read, &proof, &none
	return check, nil
}

// ask reads what Meta says, side by side.
func (s *Service) ask(ctx context.Context, waba string, token graph.Credential) (facts store.WabaFacts, apps []string, err error) {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(run.Protected(func() (err error) {
		facts, err = Read(ctx, s.Meta, waba, token, s.Now())
		return err
	}))
	group.Go(run.Protected(func() (err error) {
		apps, err = s.Meta.SubscribedApps(ctx, waba, token)
		return err
	}))
	return facts, apps, group.Wait()
}

// accessVerdict records Meta's or the broker's no; what is no verdict stays an error.
func (s *Service) accessVerdict(check store.Findings, err error) (store.Findings, error) {
	why := ExplainWABA(err)
	reason := why.Reason()
	switch {
	case Temporary(why):
		return check, why
	case reason == errorsv1.ErrorReason_TOKEN_NOT_FOUND:
		reason = errorsv1.ErrorReason_TOKEN_INVALID
	case reason == errorsv1.ErrorReason_META_REJECTED, reason == errorsv1.ErrorReason_DATA_INTEGRITY:
		return check, why
	}
	text := reason.String()
	check.AccessReason, check.Reason = &text, text
	return check, nil
}

// Read reads a WABA and all its numbers, as they stand now.
func Read(ctx context.Context, meta *graph.Client, waba string, token graph.Credential, now time.Time) (store.WabaFacts, error) {
	group, ctx := errgroup.WithContext(ctx)
	var account graph.WABA
	var numbers []graph.PhoneNumber
	group.Go(run.Protected(func() (err error) {
		account, err = meta.WABA(ctx, waba, token)
		return err
	}))
	group.Go(run.Protected(func() (err error) {
		numbers, err = meta.PhoneNumbers(ctx, waba, token)
		return err
	}))
	if err := group.Wait(); err != nil {
		return store.WabaFacts{}, err
	}
	facts := store.WabaFacts{BusinessID: account.OwnerBusinessID, Name: account.Name}
	for _, n := range numbers {
		facts.PhoneNumbers = append(facts.PhoneNumbers, numberOf(n, now))
	}
	return facts, nil
}

// numberOf is how a number stands by Meta's word, as of when Meta was asked. Webhooks, which may come late, have whole
// seconds: one of that second is not older.
func numberOf(n graph.PhoneNumber, asked time.Time) store.PhoneNumber {
	said := asked.UTC().Truncate(time.Second)
	return store.PhoneNumber{
		PhoneNumberID: n.ID, DisplayPhoneNumber: n.DisplayPhoneNumber, VerifiedName: n.VerifiedName, Status: n.Status,
		QualityRating: n.QualityRating, PlatformType: n.PlatformType, Coexistence: n.IsOnBizApp, NameStatus: n.NameStatus,
		MessagingLimit: n.MessagingLimitTier, Verification: n.CodeVerificationStatus, CanSendMessage: n.CanSendMessage,
		Registration: registrationOf(n), QualityTime: &said, NameTime: &said,
	}
}

// registrationOf: a verified number that is on neither the Cloud API nor the WhatsApp Business app needs to be
// registered. Where Meta does not say on which platform it is, it is left alone, as is one that is gone from here.
func registrationOf(n graph.PhoneNumber) store.Registration {
	if n.Status == "DELETED" || n.Status == "MIGRATED" {
		return store.NotNeeded
	}
	if n.CodeVerificationStatus == "VERIFIED" && !n.IsOnBizApp && n.PlatformType != store.CloudAPI && n.PlatformType != "" {
		return store.Pending
	}
	return store.NotNeeded
}
