// Package server wires and runs one waba-onboarding.
package server

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/whatrack/connect/services/internal/cli"
	"github.com/whatrack/connect/services/internal/egress"
	"github.com/whatrack/connect/services/internal/secret"
)

// Settings of the service.
type Settings struct {
	cli.Common `embed:""`

	HTTPListen  string      `name:"http-listen" default:":8080" placeholder:"HOST:PORT" help:"Where REST listens, plain HTTP: TLS ends at the ingress."`
	BrokerAddr  string      `placeholder:"HOST:PORT" help:"Where token-broker listens."`
	BrokerToken secret.Text `placeholder:"TOKEN" help:"Our bearer token at token-broker, under INSECURE only."`

	PublicURL           string   `name:"public-url" placeholder:"URL" help:"Where browsers reach us, such as https://connect.example.com; without it there is no full-page signup."`
	AllowedOrigins      []string `placeholder:"ORIGINS" help:"Origins whose pages may call the API (CORS), separated by commas, such as https://app.example.com."`
	AllowedRedirectURIs []string `name:"allowed-redirect-uris" placeholder:"URLS" help:"Pages that the full-page signup may lead back to, separated by commas, each compared letter by letter."`

	MetaConfigID  string `name:"meta-config-id" also:"NEXT_PUBLIC_META_CONFIG_ID" placeholder:"ID" help:"The Facebook Login for Business configuration of Embedded Signup."`
	MetaSDKURL    string `name:"meta-sdk-url" default:"https://connect.facebook.net/en_US/sdk.js" placeholder:"URL" help:"Meta's JavaScript SDK."`
	MetaDialogURL string `name:"meta-dialog-url" placeholder:"URL" help:"Meta's signup dialog; default https://www.facebook.com/VERSION/dialog/oauth."`

	MetaWebhookVerifyToken secret.Text `placeholder:"TOKEN" help:"What Meta's webhook handshake must carry, letters and digits; without it the handshake is refused."`
	MetaAppSecretPrevious  secret.Text `placeholder:"SECRET" help:"The app secret before, whose signatures still count while it is changed; not after a leak."`

	EgressAllow string `placeholder:"LIST" help:"What destinations may be besides public https addresses: networks and host:port, separated by commas; http is taken for these alone. For tests and private networks."`

	OnboardingTTL time.Duration `name:"onboarding-ttl" default:"30m" placeholder:"DURATION" help:"How long a started onboarding waits for its code."`
	ClaimDeadline time.Duration `default:"110s" placeholder:"DURATION" help:"How long a claim may take, from its last start."`

	EventRetention time.Duration `default:"720h" placeholder:"DURATION" help:"How long what Meta sent is kept, raw and as changes; at least 192h, since Meta repeats for a week. Messages stay."`
}

// Validate joins everything that is wrong.
func (s *Settings) Validate() error {
	errs := []error{
		s.Common.Validate(),
		cli.Listen("HTTP_LISTEN", s.HTTPListen),
		cli.Address("BROKER_ADDR", strings.TrimPrefix(s.BrokerAddr, "dns:///")),
		s.validateWeb(),
	}
	if s.Insecure == s.BrokerToken.IsEmpty() {
		errs = append(errs, errors.New("BROKER_TOKEN goes with INSECURE, and only with it: otherwise our certificate says who we are"))
	}
	if !verifyToken.MatchString(s.MetaWebhookVerifyToken.Reveal()) {
		errs = append(errs, errors.New("META_WEBHOOK_VERIFY_TOKEN may have letters, digits, dots, tildes, underscores and hyphens only"))
	}
	if !configID.MatchString(s.MetaConfigID) {
		errs = append(errs, errors.New("META_CONFIG_ID (or NEXT_PUBLIC_META_CONFIG_ID) must be digits: it is the id of a configuration at Meta"))
	}
	if s.OnboardingTTL <= 0 || s.ClaimDeadline <= 0 {
		errs = append(errs, errors.New("ONBOARDING_TTL and CLAIM_DEADLINE must be positive, such as 30m and 110s"))
	}
	if s.EventRetention < leastRetention {
		errs = append(errs, errors.New("EVENT_RETENTION must be at least 192h: for that long Meta may send something again"))
	}
	if _, err := egress.ParseAllow(s.EgressAllow); err != nil {
		errs = append(errs, fmt.Errorf("EGRESS_ALLOW: %w", err))
	}
	return errors.Join(errs...)
}

var configID = regexp.MustCompile(`^[0-9]{0,32}$`)

// verifyToken is what stands in a query as it is: Meta puts it there, and mangles the rest.
var verifyToken = regexp.MustCompile(`^[A-Za-z0-9._~-]*$`)

// leastRetention is how long a change must be kept to be recognised when it comes again: a week and a day.
const leastRetention = 192 * time.Hour

func (s *Settings) dialogURL() string {
	if s.MetaDialogURL != "" {
		return s.MetaDialogURL
	}
	return "https://www.facebook.com/" + s.MetaGraphVersion + "/dialog/oauth"
}

// Program is the command line of the service.
func Program() cli.Program {
	settings := &Settings{}
	return cli.Program{
		Name:        "waba-onboarding",
		Description: "Connects customers' WhatsApp Business Accounts and keeps an eye on each connection.",
		Settings:    settings,
		Vars:        map[string]string{"grpc_listen": ":9190", "admin_listen": ":9191"},
		Serve:       settings.serve,
		Migrations:  Migrations(),
		CheckLive:   settings.checkLive,
	}
}
