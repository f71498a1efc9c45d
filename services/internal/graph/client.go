// Package graph is a typed client of the calls to Meta's Graph API that connecting a WhatsApp account needs.
//
// It promises that an error is one of four things: Meta's own word (Error), a request that never left (ErrNotSent), a
// request without an answer that means anything (ErrNoVerdict), or an argument that can not be sent (ErrInvalidInput).
// Callers must not take silence for a verdict: IsSilence tells. No text of an error holds a token, code, PIN or app
// secret, also where Meta echoed one.
//
// While Meta throttles a token, or the app, and has said for how long, calls are answered with that word and not made.
//
// It refuses to follow redirects and links in answers, which could carry a token elsewhere; to retry, which is the
// caller's decision; to obey proxies of the environment; and to put a secret into a URL, but for the two calls that
// Meta documents in no other form (debug_token and oauth/revoke).
//
// Sources: developers.facebook.com, Graph API > Reference and Guides > Error handling; WhatsApp Business Platform >
// Reference and Support > Error codes.
package graph

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"time"

	"github.com/whatrack/connect/services/internal/secret"
)

const defaultTimeout = 10 * time.Second

// Config says which app speaks to which Graph.
type Config struct {
	BaseURL   string // https://graph.facebook.com
	Version   string // v25.0
	AppID     string
	AppSecret secret.Text
	Timeout   time.Duration     // of one request, 10 s when zero; ExchangeCode and SendMessage obey their context alone
	Transport http.RoundTripper // for tests; own transports when nil
	Now       func() time.Time  // time.Now when nil
}

// Client is safe for concurrent use.
type Client struct {
	cfg  Config
	base *url.URL // nil when the configured one can not be used

	// Two connections' habits: most calls share kept-alive connections, what must never arrive twice has one of its own.
	shared, single *http.Client

	pauses pauses
}

// NewClient returns a client. A BaseURL that is none fails every call with ErrNotSent.
func NewClient(cfg Config) *Client {
	if cfg.Timeout <= 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	shared, single := cfg.Transport, cfg.Transport
	if cfg.Transport == nil {
		shared, single = sharedTransport(), singleTransport()
	}
	base, err := url.Parse(cfg.BaseURL)
	if err != nil || base.Host == "" || (base.Scheme != "https" && base.Scheme != "http") {
		base = nil
	}
	return &Client{cfg: cfg, base: base, shared: httpClient(shared), single: httpClient(single)}
}

// httpClient has no cookie jar, and answers a redirect instead of following it.
func httpClient(rt http.RoundTripper) *http.Client {
	return &http.Client{
		Transport:     rt,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Credential is a customer's access token with the proof that the caller belongs to the app. Both come from token-broker,
// which knows the app secret and makes the proof by Client.Proof.
type Credential struct {
	Token secret.Text
	Proof string // hex; worthless without the token
}

// Proof is the appsecret_proof of a token, which shows Meta that the caller is the app's server.
// Source: developers.facebook.com, Graph API > Securing requests.
func (c *Client) Proof(token secret.Text) string {
	mac := hmac.New(sha256.New, []byte(c.cfg.AppSecret.Reveal()))
	mac.Write([]byte(token.Reveal()))
	return hex.EncodeToString(mac.Sum(nil))
}
