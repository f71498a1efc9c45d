package graphsim

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// featureBizApp is the extras.featureType of coexistence.
const featureBizApp = "whatsapp_business_app_onboarding"

// dialogRequest is what a page asks of the dialog: its query.
type dialogRequest struct {
	// channel is how the dialog answers sdk.js; zero when it answers by a redirect.
	channel channel
	// redirectURI is where the full-page dialog ends, with the state it was given.
	redirectURI, state string
	extras             extras
}

// channel names FB.login's callback in the page that waits for it.
type channel struct{ callback, origin string }

// extras of Embedded Signup v4, as far as the dialog uses them.
// Source: developers.facebook.com, WhatsApp > Embedded Signup > Versions, and Pre-filled data.
type extras struct {
	Setup              json.RawMessage   `json:"setup"`
	FeatureType        string            `json:"featureType"`
	Features           []json.RawMessage `json:"features"`
	SessionInfoVersion string            `json:"sessionInfoVersion"`
	Version            string            `json:"version"`

	// prefilled of setup. What else it may hold is taken and left.
	prefilled struct {
		Business struct {
			ID   string `json:"id"`
			Name string `json:"name"`
		} `json:"business"`
		Phone struct {
			DisplayName string `json:"displayName"`
		} `json:"phone"`
	}
}

// dialogRefusal is a dialog that Meta does not open: a page with an error, and no way on.
type dialogRefusal struct{ Title, Text string }

// readDialog reads the query as strictly as Meta does, and names the first mistake. Of the app id, the host domain and the
// redirect URI the texts are Meta's own; for the others there is no source, so that they just say what is wrong.
func (s *Simulator) readDialog(r *http.Request) (dialogRequest, *dialogRefusal) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return dialogRequest{}, &dialogRefusal{"Invalid Request", "The query string could not be read."}
	}
	for name, values := range query {
		if len(values) > 1 {
			return dialogRequest{}, &dialogRefusal{"Invalid Request", "The parameter " + name + " is given more than once."}
		}
	}
	if refused := s.checkApp(query); refused != nil {
		return dialogRequest{}, refused
	}
	req := dialogRequest{
		channel:     channel{callback: query.Get("cb"), origin: query.Get("origin")},
		redirectURI: query.Get("redirect_uri"), state: query.Get("state"),
	}
	if refused := s.checkWayBack(req); refused != nil {
		return dialogRequest{}, refused
	}
	if req.extras, err = readExtras(query.Get("extras")); err != nil {
		return dialogRequest{}, &dialogRefusal{"Invalid Parameter", "extras: " + err.Error()}
	}
	return req, nil
}

// checkApp checks which app asks, and for what.
func (s *Simulator) checkApp(query url.Values) *dialogRefusal {
	switch responseType := query.Get("response_type"); {
	case query.Get("client_id") == "":
		return &dialogRefusal{"Error", "The parameter app_id is required"}
	case query.Get("client_id") != s.cfg.AppID:
		return &dialogRefusal{"Invalid App ID", "The provided app ID does not look like a valid app ID."}
	case query.Has("scope"):
		return &dialogRefusal{"Invalid Scopes", "scope must not be given: the configuration of config_id says what is asked for."}
	case query.Get("config_id") == "":
		return &dialogRefusal{"Invalid Configuration", "The parameter config_id is required: the simulator knows Embedded Signup alone."}
	case query.Get("config_id") != s.cfg.ConfigID:
		return &dialogRefusal{"Invalid Configuration", "This app has no Facebook Login for Business configuration with this config_id."}
	case responseType != "code" && (responseType != "" || query.Has("cb")): // the default of the full page is code
		return &dialogRefusal{"Invalid Response Type", "The configuration gives business tokens: response_type must be code, and " +
			"override_default_response_type true, or the default of the JavaScript SDK wins."}
	default:
		return nil
	}
}

// checkWayBack checks who hears the answer: sdk.js in a page that may use it, or a redirect URI.
func (s *Simulator) checkWayBack(req dialogRequest) *dialogRefusal {
	switch bySDK := req.channel != (channel{}); {
	case bySDK && req.redirectURI != "":
		return &dialogRefusal{"Invalid Request", "The dialog of the JavaScript SDK takes no redirect_uri."}
	case bySDK && !regexp.MustCompile(`^[A-Za-z0-9]{1,64}$`).MatchString(req.channel.callback):
		return &dialogRefusal{"Invalid Request", "The parameter cb names no callback."}
	case bySDK && !s.allowsOrigin(req.channel.origin):
		return &dialogRefusal{"JSSDK Unknown Host domain", "The domain you are hosting the Facebook Javascript SDK is not in " +
			"your app's Javascript SDK host domain list. Please update the list in your app settings."}
	case !bySDK && req.redirectURI == "":
		return &dialogRefusal{"Error", "The parameter redirect_uri is required"}
	case !bySDK && !s.allowsRedirect(req.redirectURI):
		return &dialogRefusal{"URL Blocked", "This redirect failed because the redirect URI is not whitelisted in the app's " +
			"Client OAuth Settings. Make sure Client and Web OAuth Login are on and add all your app domains as Valid OAuth " +
			"Redirect URIs."}
	default:
		return nil
	}
}

// allowsRedirect: strict mode, so one of the app's redirect URIs to the byte; without any, whatever leads to this machine.
func (s *Simulator) allowsRedirect(uri string) bool {
	if len(s.cfg.RedirectURIs) > 0 {
		return slices.Contains(s.cfg.RedirectURIs, uri)
	}
	u, err := webURL(uri)
	return err == nil && isLoopback(u.Hostname())
}

// allowsOrigin: Meta wants the page's domain in two lists, of allowed domains and of redirect URIs; here one list is both.
func (s *Simulator) allowsOrigin(origin string) bool {
	u, err := webURL(origin)
	if err != nil || originOf(u) != origin {
		return false
	}
	if len(s.cfg.RedirectURIs) == 0 {
		return isLoopback(u.Hostname())
	}
	return slices.ContainsFunc(s.cfg.RedirectURIs, func(uri string) bool {
		allowed, err := webURL(uri)
		return err == nil && originOf(allowed) == origin
	})
}

// webURL parses an absolute http or https URL without credentials or a fragment.
func webURL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || strings.Contains(s, "#") || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%q: want an absolute http or https URL", s)
	}
	return u, nil
}

// checkRedirectURI: Meta enforces HTTPS, but for this machine itself.
func checkRedirectURI(uri string) error {
	u, err := webURL(uri)
	if err == nil && u.Scheme == "http" && !isLoopback(u.Hostname()) {
		return fmt.Errorf("%q: want https, http is for this machine alone", uri)
	}
	return err
}

func originOf(u *url.URL) string { return u.Scheme + "://" + u.Host }

func isLoopback(host string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || net.ParseIP(host).IsLoopback()
}

// readExtras takes what Embedded Signup v4 knows, and refuses what belonged to versions that ended on 2026-10-15: Meta
// would show another flow than the page expects.
func readExtras(text string) (extras, error) {
	var e extras
	if text == "" {
		return e, nil
	}
	if err := decodeStrict([]byte(text), &e); err != nil {
		return e, err
	}
	if len(e.Setup) > 0 && string(e.Setup) != "null" {
		if err := json.Unmarshal(e.Setup, &e.prefilled); err != nil {
			return e, fmt.Errorf("setup: %w", err)
		}
	}
	if len(e.Features) > 0 {
		return e, errors.New("features: in v4 the configuration names the products")
	}
	return e, errors.Join(
		oneOf("version", e.Version, "", "v4", "v4-public-preview"),
		oneOf("featureType", e.FeatureType, "", featureBizApp),
		oneOf("sessionInfoVersion", e.SessionInfoVersion, "", "3"),
	)
}
