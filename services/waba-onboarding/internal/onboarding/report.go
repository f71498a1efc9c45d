package onboarding

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"google.golang.org/grpc/metadata"

	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/internal/identity"
	"github.com/whatrack/connect/services/waba-onboarding/internal/connection"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

const (
	// userAgentKey is where the gateway passes on how a browser names itself.
	userAgentKey = "grpcgateway-user-agent"
	maxUserAgent = 256
	maxMessage   = 1024
	maxErrorCode = 64
)

// ReportOnboardingStep implements OnboardingService.
func (s *Service) ReportOnboardingStep(ctx context.Context, req *onboardingv1.ReportOnboardingStepRequest) (*onboardingv1.ReportOnboardingStepResponse, error) {
	scope, id, err := identity.ScopeOf(ctx, req.GetOnboardingId())
	if err != nil {
		return nil, err
	}
	agent := strings.Join(metadata.ValueFromIncomingContext(ctx, userAgentKey), " ")
	report := store.Signup{
		OnboardingID: id, Event: store.SignupEvent(req.GetEvent().String()), Step: req.GetStep(),
		ErrorCode: req.GetErrorCode(), ErrorMessage: printable(req.GetErrorMessage(), maxMessage),
		SessionID: req.GetSessionId(), UserAgent: printable(agent, maxUserAgent),
		WabaID: req.GetWabaId(), PhoneNumberID: req.GetPhoneNumberId(),
	}
	if err := s.report(ctx, scope, report); err != nil {
		return nil, err
	}
	o, err := s.Store.FindOnboarding(ctx, scope, id)
	if err != nil {
		return nil, connection.AsFault(err)
	}
	return &onboardingv1.ReportOnboardingStepResponse{Onboarding: describe(&o, connection.Language(ctx))}, nil
}

func (s *Service) report(ctx context.Context, scope string, report store.Signup) error {
	if err := s.Store.ReportSignup(ctx, scope, report, identity.Name(ctx)); err != nil {
		return connection.AsFault(err)
	}
	s.changed.Ring(report.OnboardingID.String())
	return nil
}

// printable is a stranger's text without control characters and marks that turn its direction, cut to so many bytes.
func printable(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}
