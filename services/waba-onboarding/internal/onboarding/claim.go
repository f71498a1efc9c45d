package onboarding

import (
	"context"
	"time"

	"github.com/google/uuid"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/identity"
	"github.com/whatrack/connect/services/internal/secret"
	"github.com/whatrack/connect/services/waba-onboarding/internal/connection"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// claimWait is how long a caller waits for the claim, which goes on by itself.
const claimWait = 8 * time.Second

// ClaimWaba implements OnboardingService. The code is on record before it is sent anywhere, and from then on its exchange
// no longer hangs on the caller.
func (s *Service) ClaimWaba(ctx context.Context, req *onboardingv1.ClaimWabaRequest) (*onboardingv1.ClaimWabaResponse, error) {
	organization, err := identity.Organization(ctx)
	if err != nil {
		return nil, err
	}
	posted, err := s.posted(ctx, organization, req)
	if err != nil {
		return nil, err
	}
	if req.GetCode() == "" {
		return s.claimOwn(ctx, posted)
	}
	o, err := s.Store.RecordCode(ctx, posted)
	if err != nil {
		return nil, connection.AsFault(err)
	}
	if o.TokenID == "" {
		if err := s.exchange(ctx, o, secret.New(req.GetCode()), req.GetRedirectUri()); err != nil {
			return nil, err
		}
	}
	if o, err = s.claimed(ctx, o); err != nil {
		return nil, err
	}
	return &onboardingv1.ClaimWabaResponse{Onboarding: describe(&o, connection.Language(ctx))}, refusal(&o)
}

// posted is a post as it came. A client token names the onboarding and stands for its state.
func (s *Service) posted(ctx context.Context, organization string, req *onboardingv1.ClaimWabaRequest) (store.PostedCode, error) {
	posted := store.PostedCode{
		Organization: organization, WabaID: req.GetWabaId(), PhoneNumberID: req.GetPhoneNumberId(),
		Actor: identity.Name(ctx), TTL: s.TTL,
	}
	named := req.GetOnboardingId()
	if req.GetCode() != "" {
		posted.Fingerprint = secret.New(req.GetCode()).Fingerprint()
	}
	if req.GetState() != "" {
		posted.StateHash = secret.New(req.GetState()).Fingerprint()
	}
	if client := identity.ClientOf(ctx); client != nil {
		if posted.StateHash != "" && posted.StateHash != client.StateHash {
			return posted, fault.New(errorsv1.ErrorReason_STATE_MISMATCH)
		}
		named, posted.StateHash = client.Onboarding, client.StateHash
	}
	if id, err := uuid.Parse(named); err == nil {
		posted.OnboardingID = id
	}
	return posted, nil
}

// claimOwn claims one of the operator's own WABAs. The fence is the broker's: whoever it does not serve with the
// own-business token may not. Nor may a customer in a browser, whosever onboarding it is.
func (s *Service) claimOwn(ctx context.Context, posted store.PostedCode) (*onboardingv1.ClaimWabaResponse, error) {
	if posted.WabaID == "" {
		return nil, fault.Field("code", "is required, unless you claim one of the operator's own WABAs by wabaId")
	}
	if identity.ClientOf(ctx) != nil {
		return nil, fault.New(errorsv1.ErrorReason_PERMISSION_DENIED)
	}
	resp, err := s.Broker.GetAccessToken(ctx, &tokenbrokerv1.GetAccessTokenRequest{
		OrganizationId: posted.Organization, Of: &tokenbrokerv1.GetAccessTokenRequest_WabaId{WabaId: posted.WabaID},
	})
	if why, ok := fault.As(err); ok && connection.Temporary(why) {
		return nil, why
	}
	if err != nil || !resp.GetOwnBusiness() {
		return nil, fault.New(errorsv1.ErrorReason_PERMISSION_DENIED).Cause(err)
	}
	o, err := s.Store.RecordOwnClaim(ctx, posted)
	if err != nil {
		return nil, err
	}
	if o, err = s.claimed(ctx, o); err != nil {
		return nil, err
	}
	return &onboardingv1.ClaimWabaResponse{Onboarding: describe(&o, connection.Language(ctx))}, nil
}

// claimed waits for the claim and answers the onboarding as it is then.
func (s *Service) claimed(ctx context.Context, o store.Onboarding) (store.Onboarding, error) {
	return s.wait(ctx, o.ID, claimWait, func(state store.OnboardingState) bool {
		return state.Final() || state == store.Choosing
	})
}

// refusal is the fault of an onboarding whose code brought no token, whoever heard of it first; nil for any other.
func refusal(o *store.Onboarding) error {
	if o.State != store.Failed || o.Steps.Get(store.StepExchange).State != store.StepFailed {
		return nil
	}
	why := fault.New(fault.Reason(errorsv1.ErrorReason_value[o.Reason])).WithAll(o.Metadata)
	return why.With("onboardingId", o.ID.String())
}

// SelectWaba implements OnboardingService.
func (s *Service) SelectWaba(ctx context.Context, req *onboardingv1.SelectWabaRequest) (*onboardingv1.SelectWabaResponse, error) {
	scope, id, err := identity.ScopeOf(ctx, req.GetOnboardingId())
	if err != nil {
		return nil, err
	}
	o, err := s.Store.SelectWABA(ctx, scope, id, req.GetWabaId(), identity.Name(ctx))
	if err != nil {
		return nil, connection.AsFault(err)
	}
	if o, err = s.claimed(ctx, o); err != nil {
		return nil, err
	}
	return &onboardingv1.SelectWabaResponse{Onboarding: describe(&o, connection.Language(ctx))}, nil
}
