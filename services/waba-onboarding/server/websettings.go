package server

import (
	"errors"
	"fmt"
	"strings"

	"github.com/whatrack/connect/services/waba-onboarding/internal/onboarding"
)

// validateWeb checks what browsers are told and held to.
func (s *Settings) validateWeb() error {
	_, sdk := s.WebURL("META_SDK_URL", s.MetaSDKURL)
	_, dialog := s.WebURL("META_DIALOG_URL", s.dialogURL())
	errs := []error{sdk, dialog}
	if s.PublicURL != "" {
		errs = append(errs, s.validateOrigin("PUBLIC_URL", strings.TrimSuffix(s.PublicURL, "/")))
	}
	for _, origin := range s.AllowedOrigins {
		errs = append(errs, s.validateOrigin("ALLOWED_ORIGINS", origin))
	}
	for _, uri := range s.AllowedRedirectURIs {
		_, err := s.WebURL("ALLOWED_REDIRECT_URIS", uri)
		errs = append(errs, err)
	}
	if len(s.AllowedRedirectURIs) > 0 && s.PublicURL == "" {
		errs = append(errs, errors.New("ALLOWED_REDIRECT_URIS needs PUBLIC_URL: only the full-page signup leads back to a page"))
	}
	return errors.Join(errs...)
}

// validateOrigin takes an origin as a browser writes it (RFC 6454, 6.2): it is compared letter by letter.
func (s *Settings) validateOrigin(setting, origin string) error {
	u, err := s.WebURL(setting, origin)
	if err != nil {
		return err
	}
	if u.Port() == map[string]string{"https": "443", "http": "80"}[u.Scheme] || u.Scheme+"://"+strings.ToLower(u.Host) != origin {
		return fmt.Errorf("%s must be an origin, such as https://app.example.com: in lower case, without path and default port", setting)
	}
	return nil
}

// Notes say what does not work for want of a setting.
func (s *Settings) Notes() []string {
	var notes []string
	if s.MetaConfigID == "" {
		notes = append(notes, "META_CONFIG_ID is not set: no signup can be started, only codes that others got can be claimed")
	}
	if s.PublicURL == "" {
		notes = append(notes, "PUBLIC_URL is not set: the signup works in a popup only, which phones and in-app browsers often block")
	}
	if s.MetaWebhookVerifyToken.IsEmpty() {
		notes = append(notes, "META_WEBHOOK_VERIFY_TOKEN is not set: Meta's handshake is refused, so that no address for webhooks can be set at Meta")
	}
	return notes
}

// publicURL is PUBLIC_URL with a path of ours; empty when it is not set.
func (s *Settings) publicURL(path string) string {
	if s.PublicURL == "" {
		return ""
	}
	return strings.TrimSuffix(s.PublicURL, "/") + path
}

// overTLS tells whether browsers reach us by https, so that they may be told to do so always.
func (s *Settings) overTLS() bool { return strings.HasPrefix(s.PublicURL, "https://") }

// signup is what a page needs to open the signup, and where the full-page one goes.
func (s *Settings) signup() onboarding.Signup {
	signup := onboarding.Signup{
		AppID: s.MetaAppID, ConfigID: s.MetaConfigID, GraphVersion: s.MetaGraphVersion,
		SDKURL: s.MetaSDKURL, DialogURL: s.dialogURL(),
		RedirectURI: s.publicURL(callbackPath), ConnectURL: s.publicURL("/connect"), ReturnURLs: s.AllowedRedirectURIs,
	}
	if signup.ConnectURL != "" {
		signup.ReturnURLs = append([]string{signup.ConnectURL}, s.AllowedRedirectURIs...)
	}
	return signup
}
