package onboarding

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net/url"
	"slices"

	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/identity"
	"github.com/whatrack/connect/services/internal/secret"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// StartOnboarding implements OnboardingService.
func (s *Service) StartOnboarding(ctx context.Context, req *onboardingv1.StartOnboardingRequest) (*onboardingv1.StartOnboardingResponse, error) {
	organization, err := identity.Organization(ctx)
	if err != nil {
		return nil, err
	}
	if s.Signup.ConfigID == "" {
		return nil, fault.New(errorsv1.ErrorReason_SIGNUP_NOT_CONFIGURED).With("setting", "META_CONFIG_ID")
	}
	if client := identity.ClientOf(ctx); client != nil {
		return s.startByLink(ctx, client, req)
	}
	if req.GetReturnUrl() != "" && !slices.Contains(s.Signup.ReturnURLs, req.GetReturnUrl()) {
		return nil, fault.Field("returnUrl", "must be one of ALLOWED_REDIRECT_URIS, letter by letter")
	}
	state := newState()
	o, err := s.Store.StartOnboarding(ctx, store.Start{
		Organization: organization, StateHash: state.Fingerprint(), ReturnURL: req.GetReturnUrl(),
		Actor: identity.Name(ctx), ExpireTime: s.Now().Add(s.TTL),
	})
	if err != nil {
		return nil, err
	}
	return s.session(&o, state)
}

// startByLink begins what a customer's link is for: the page has the client token alone. An onboarding that waits for its
// code is answered once more, so that a link can be opened as often as it takes; one that failed is followed by another,
// which ends when the link does. A code that was taken has used the link up.
func (s *Service) startByLink(ctx context.Context, client *identity.Client, req *onboardingv1.StartOnboardingRequest) (*onboardingv1.StartOnboardingResponse, error) {
	if req.GetReturnUrl() != "" {
		return nil, fault.Field("returnUrl", "is settled by whoever made the link")
	}
	o, err := s.find(ctx, client.Onboarding)
	if err != nil {
		return nil, err
	}
	waits := o.State == store.Started || o.State == store.Cancelled
	switch {
	case !waits && o.State != store.Failed && o.State != store.Expired:
		return nil, fault.New(errorsv1.ErrorReason_STATE_MISMATCH).With("onboardingId", o.ID.String())
	case !s.Now().Before(o.ExpireTime) || o.State == store.Expired:
		return nil, fault.New(errorsv1.ErrorReason_ONBOARDING_EXPIRED)
	case waits && !client.State.IsEmpty():
		return s.session(&o, client.State)
	}
	state := newState()
	o, err = s.Store.StartOnboarding(ctx, store.Start{
		Organization: o.OrganizationID, StateHash: state.Fingerprint(), ReturnURL: o.ReturnURL,
		Actor: identity.Name(ctx), ExpireTime: o.ExpireTime,
	})
	if err != nil {
		return nil, err
	}
	return s.session(&o, state)
}

// session is what a page needs to run an onboarding.
func (s *Service) session(o *store.Onboarding, state secret.Text) (*onboardingv1.StartOnboardingResponse, error) {
	client := clientOf(o)
	client.State, client.Expire = state, o.ExpireTime
	token, err := s.Clients.Seal(client)
	if err != nil {
		return nil, err
	}
	extras, err := structpb.NewStruct(signupExtras())
	if err != nil {
		return nil, err
	}
	return &onboardingv1.StartOnboardingResponse{
		OnboardingId: o.ID.String(), AppId: s.Signup.AppID, ConfigId: s.Signup.ConfigID,
		GraphVersion: s.Signup.GraphVersion, SdkUrl: s.Signup.SDKURL, DialogUrl: s.Signup.DialogURL,
		MessageOrigins: s.Signup.messageOrigins(), Extras: extras, State: state.Reveal(),
		ExpireTime: timestamppb.New(o.ExpireTime), ClientToken: token.Reveal(), RedirectUri: s.Signup.RedirectURI,
	}, nil
}

// clientOf is the customer of an onboarding that has a state.
func clientOf(o *store.Onboarding) identity.Client {
	return identity.Client{Organization: o.OrganizationID, Onboarding: o.ID.String(), StateHash: *o.StateHash}
}

// signupExtras are the extras of FB.login for Embedded Signup v4. Meta's versions page wants them empty, its own builder
// sends these keys, and leaving version out fell back to v2 for some: all keys are accepted
// (developers.facebook.com, WhatsApp > Embedded Signup > Versions).
func signupExtras() map[string]any {
	return map[string]any{"setup": map[string]any{}, "featureType": "", "sessionInfoVersion": "3", "version": "v4"}
}

// messageOrigins are the origins of the popup's messages: Meta's three, or the one of a dialog that is not Meta's.
func (s Signup) messageOrigins() []string {
	metas := []string{"https://www.facebook.com", "https://web.facebook.com", "https://business.facebook.com"}
	u, err := url.Parse(s.DialogURL)
	if err != nil || slices.Contains(metas, u.Scheme+"://"+u.Host) {
		return metas
	}
	return []string{u.Scheme + "://" + u.Host}
}

// newState makes 256 bits, base64url (RFC 6749, 10.12).
func newState() secret.Text {
	var bits [32]byte
	_, _ = rand.Read(bits[:]) // never fails since Go 1.24
	return secret.New(base64.RawURLEncoding.EncodeToString(bits[:]))
}
