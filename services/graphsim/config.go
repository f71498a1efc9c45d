package graphsim

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// What a Config with zero values means.
const (
	defaultAppID      = "670843880000001"
	defaultAppSecret  = "graphsim-app-secret" //nolint:gosec // guards nothing: the simulator's public default
	defaultBusinessID = "2949480000000001"
	defaultConfigID   = "884210000000001"

	appName = "Graph Simulator"
)

// Config of a Simulator. Every field may stay zero.
type Config struct {
	// AppID and AppSecret are the credentials of the one app that the simulator knows.
	AppID     string
	AppSecret string

	// ConfigID is the app's one Facebook Login for Business configuration, that of Embedded Signup.
	ConfigID string
	// RedirectURIs are where the full-page dialog may end, to the byte, and the only origins whose pages may open the
	// popup. Empty: any http or https URL of this machine itself.
	RedirectURIs []string

	// OwnAccessToken is the system-user token of the operator's own business. It never expires and reads OwnWABAs.
	// Empty: the operator has no business of their own.
	OwnAccessToken string
	OwnBusinessID  string
	OwnWABAs       []OwnWABA

	// CallbackURL and VerifyToken are where the app wants its webhooks, all fields of them. They win over those of the
	// state file. Empty: it wants none until somebody sets them.
	CallbackURL string
	VerifyToken string

	// RequireAppSecretProof is the app's "Require App Secret" switch: every call that carries an access token must
	// carry its appsecret_proof too. A proof that is there is verified either way.
	RequireAppSecretProof bool

	// StateFile keeps codes, tokens, accounts, webhooks that are still to be sent, and the clock over restarts. Empty: in
	// memory only.
	StateFile string

	// Latency is how long Meta usually takes: every Graph answer comes that much later.
	Latency time.Duration

	// Now is the clock below the simulated one. Default: time.Now.
	Now func() time.Time
	// Log hears of state that could not be saved. Default: nothing is logged.
	Log *slog.Logger
}

// OwnWABA is a WhatsApp Business Account of the operator's own business. Its numbers are registered unless they say
// otherwise.
type OwnWABA struct {
	ID     string
	Name   string
	Phones []Phone
}

func (c Config) withDefaults() Config {
	c.AppID = cmp.Or(c.AppID, defaultAppID)
	c.AppSecret = cmp.Or(c.AppSecret, defaultAppSecret)
	c.ConfigID = cmp.Or(c.ConfigID, defaultConfigID)
	c.OwnBusinessID = cmp.Or(c.OwnBusinessID, defaultBusinessID)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// validate lists all faults, not the first.
func (c Config) validate() error {
	var faults []error
	if !isID(c.AppID) {
		faults = append(faults, fmt.Errorf("app id %q: want digits", c.AppID))
	}
	if !isID(c.ConfigID) {
		faults = append(faults, fmt.Errorf("config id %q: want digits", c.ConfigID))
	}
	for _, uri := range c.RedirectURIs {
		if err := checkRedirectURI(uri); err != nil {
			faults = append(faults, fmt.Errorf("redirect URI: %w", err))
		}
	}
	if !isID(c.OwnBusinessID) {
		faults = append(faults, fmt.Errorf("own business id %q: want digits", c.OwnBusinessID))
	}
	if len(c.OwnWABAs) > 0 && c.OwnAccessToken == "" {
		faults = append(faults, errors.New("own WABAs need an own access token"))
	}
	if err := checkCallback("callback URL", c.CallbackURL); err != nil {
		faults = append(faults, err)
	}
	for _, own := range c.OwnWABAs {
		if !isID(own.ID) {
			faults = append(faults, fmt.Errorf("own WABA id %q: want digits", own.ID))
		}
	}
	if c.Latency < 0 {
		faults = append(faults, fmt.Errorf("latency %s: want no less than 0", c.Latency))
	}
	return errors.Join(faults...)
}

// isID tells whether s could be an id of Meta's: digits, and a string (some exceed 2^53).
func isID(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return s != "" && len(s) <= 20
}
