package onboarding

import (
	"cmp"
	"context"
	"time"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/identity"
	"github.com/whatrack/connect/services/internal/secret"
	"github.com/whatrack/connect/services/waba-onboarding/internal/connection"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// Dialog is what Meta's full-page dialog brought back.
type Dialog struct {
	State, Code secret.Text // without a code the person left, or Meta showed an error
	// Error is OAuth's error: access_denied when the person left (RFC 6749, 4.1.2.1).
	Error, ErrorCode, ErrorMessage string
	UserAgent                      string
}

// dialogWait is how long a browser waits for the outcome of its code. The exchange goes on without it, and the page where
// the browser is sent follows the onboarding.
const dialogWait = 4 * time.Second

// FinishDialog spends the code of the full-page dialog, or records that it brought none, and answers where the browser
// goes on: the onboarding's page, with a new client token in the fragment. The state says whose onboarding it is. A code
// that Meta refused is no error here: the page shows the onboarding.
func (s *Service) FinishDialog(ctx context.Context, d Dialog) (secret.Text, error) {
	o, err := s.Store.FindByState(ctx, d.State.Fingerprint())
	if err != nil {
		return secret.Text{}, connection.AsFault(err)
	}
	client := clientOf(&o)
	ctx = identity.WithCaller(ctx, client.Caller(), "")
	if d.Code.IsEmpty() {
		err = s.leftDialog(ctx, &o, d)
	} else {
		err = s.spendDialog(ctx, d.Code)
	}
	if err != nil {
		return secret.Text{}, err
	}
	client.State, client.Expire = d.State, s.Now().Add(s.TTL)
	token, err := s.Clients.Seal(client)
	if err != nil {
		return secret.Text{}, err
	}
	// The page knows nothing of the onboarding any more: it may be another tab, or another browser.
	back := "#whatrack-connect=" + token.Reveal() + "&onboarding=" + o.ID.String()
	return secret.New(cmp.Or(o.ReturnURL, s.Signup.ConnectURL) + back), nil
}

// spendDialog is ClaimWaba up to the exchange.
func (s *Service) spendDialog(ctx context.Context, code secret.Text) error {
	req := &onboardingv1.ClaimWabaRequest{Code: code.Reveal()}
	posted, err := s.posted(ctx, identity.ClientOf(ctx).Organization, req)
	if err != nil {
		return err
	}
	o, err := s.Store.RecordCode(ctx, posted)
	if err != nil || o.TokenID != "" {
		return connection.AsFault(err)
	}
	wait, cancel := context.WithTimeout(ctx, dialogWait)
	defer cancel()
	if err := s.exchange(wait, o, code, s.Signup.RedirectURI); err != nil {
		s.Log.InfoContext(ctx, "the code of a dialog brought nothing yet", "onboardingId", o.ID, "error", err)
	}
	return nil
}

// leftDialog records a dialog that ended without a code. On an onboarding that went on meanwhile it changes nothing else.
func (s *Service) leftDialog(ctx context.Context, o *store.Onboarding, d Dialog) error {
	waits := o.State == store.Started || o.State == store.Cancelled
	if o.State == store.Expired || (waits && s.Now().After(o.ExpireTime)) {
		return fault.New(errorsv1.ErrorReason_ONBOARDING_EXPIRED)
	}
	report := store.Signup{
		OnboardingID: o.ID, Event: store.SignupFailed, ErrorCode: printable(d.ErrorCode, maxErrorCode),
		ErrorMessage: printable(d.ErrorMessage, maxMessage), UserAgent: printable(d.UserAgent, maxUserAgent),
	}
	if d.Error == "access_denied" {
		report.Event = store.SignupCancelled
	}
	return s.report(ctx, o.OrganizationID, report)
}
