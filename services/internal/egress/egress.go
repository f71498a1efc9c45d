// Package egress is the one HTTP client for URLs that tenants name.
//
// It promises that nothing of ours is reached by it: the address that is dialled is looked at in the moment of dialling,
// so that no name, however its answers change, leads to loopback, a private network, a cloud's metadata or any other
// address that is not the internet's. It takes https only, follows no redirect, asks no proxy, and ends in bounded time.
// What a receiver writes is never shown: of an answer its status is all that leaves, and for how long it wants to be left
// alone.
package egress

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// Timeout bounds a whole request, from the name's look-up to the answer's head.
	Timeout = 10 * time.Second

	dialTimeout      = 5 * time.Second
	handshakeTimeout = 5 * time.Second

	// maxAnswer is read of a body, within bodyTime, for the connection's sake alone: it can be used again then.
	maxAnswer = 4 << 10
	bodyTime  = time.Second
	maxHead   = 16 << 10
	maxURL    = 2048
)

// Config of a client.
type Config struct {
	// Allow is what may be reached besides the internet; http:// is taken for what it lists alone.
	Allow Allow

	resolver *net.Resolver  // of tests
	roots    *x509.CertPool // of tests
	timeout  time.Duration  // of tests; default Timeout
}

// Client is safe for concurrent use.
type Client struct {
	allow         Allow
	secure, plain *http.Client
}

// NewClient makes a client.
func NewClient(cfg Config) *Client {
	if cfg.timeout == 0 {
		cfg.timeout = Timeout
	}
	return &Client{
		allow:  cfg.Allow,
		secure: cfg.client(func(to netip.AddrPort) bool { return public(to.Addr()) || cfg.Allow.address(to) }),
		plain:  cfg.client(cfg.Allow.address),
	}
}

// client has connections of its own to the addresses that may be dialled.
func (c Config) client(may func(netip.AddrPort) bool) *http.Client {
	guarded := &net.Dialer{Timeout: dialTimeout, Resolver: c.resolver}
	guarded.Control = func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil || !may(to) {
			return NotAllowed
		}
		return nil
	}
	trusting := &net.Dialer{Timeout: dialTimeout, Resolver: c.resolver}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, hostPort string) (net.Conn, error) {
			if c.Allow.name(hostPort) {
				return trusting.DialContext(ctx, network, hostPort)
			}
			return guarded.DialContext(ctx, network, hostPort)
		},
		TLSHandshakeTimeout:    handshakeTimeout,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHead,
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    8,
		IdleConnTimeout:        60 * time.Second,
		Protocols:              new(http.Protocols),
	}
	transport.Protocols.SetHTTP1(true)
	if c.roots != nil {
		transport.TLSClientConfig = &tls.Config{RootCAs: c.roots, MinVersion: tls.VersionTLS12}
	}
	return &http.Client{
		Transport:     transport,
		Timeout:       c.timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Check says what can be known of a URL without asking anybody: NoURL, NotAllowed, or nil. Where a name leads is
// known when it is dialled; so is, where Allow lists networks, whether a name that http:// is to reach leads there.
func (c *Client) Check(raw string) error {
	_, err := c.parse(raw)
	return err
}

func (c *Client) parse(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || len(raw) > maxURL || u.Hostname() == "" || u.Opaque != "" || u.User != nil || strings.Contains(raw, "#") {
		return nil, NoURL
	}
	hostPort, ok := hostPortOf(u)
	if !ok {
		return nil, NoURL
	}
	if c.allow.name(hostPort) {
		return u, nil
	}
	if addr, err := netip.ParseAddr(u.Hostname()); err == nil {
		return u, c.checkAddress(u, addr, hostPort)
	}
	if !c.mayLead(u, hostPort) {
		return nil, NotAllowed
	}
	return u, nil
}

func (c *Client) checkAddress(u *url.URL, addr netip.Addr, hostPort string) error {
	if c.lists(addr, hostPort) || (u.Scheme == "https" && public(addr)) {
		return nil
	}
	return NotAllowed
}

// mayLead tells whether a name may lead to what may be dialled. To a listed network any name may, of which an http URL,
// and a name that is no public server's, has nothing else to hope for.
func (c *Client) mayLead(u *url.URL, hostPort string) bool {
	host := u.Hostname()
	if addr, ok := spelled(host); ok {
		return c.lists(addr, hostPort)
	}
	if namesThisMachine(host) {
		return c.lists(netip.AddrFrom4([4]byte{127, 0, 0, 1}), hostPort) || c.lists(netip.IPv6Loopback(), hostPort)
	}
	return c.allow.addresses() || (u.Scheme == "https" && !isLocal(host))
}

// lists tells whether an address is listed, with the port of a host.
func (c *Client) lists(addr netip.Addr, hostPort string) bool {
	_, port, err := net.SplitHostPort(hostPort)
	if err != nil {
		return false
	}
	to, err := netip.ParseAddrPort(net.JoinHostPort(addr.String(), port))
	return err == nil && c.allow.address(to)
}

// hostPortOf is what will be dialled for a URL.
func hostPortOf(u *url.URL) (hostPort string, ok bool) {
	port := u.Port()
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return "", false
	case port != "":
	case strings.HasSuffix(u.Host, ":"):
		return "", false
	case u.Scheme == "https":
		port = "443"
	default:
		port = "80"
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", false
	}
	return net.JoinHostPort(u.Hostname(), port), true
}

// isLocal tells names that no public server has, a cloud's metadata among them.
func isLocal(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if !strings.Contains(host, ".") {
		return true
	}
	for _, suffix := range []string{".local", ".internal", ".home.arpa"} {
		if strings.HasSuffix(host, suffix) {
			return true
		}
	}
	return false
}

// Post sends a body and answers what is told of what came back. An error is a Failure: there was no answer. None shows
// the URL, or anything that the receiver wrote.
func (c *Client) Post(ctx context.Context, rawURL string, headers map[string]string, body []byte) (Answer, error) {
	u, err := c.parse(rawURL)
	if err != nil {
		return Answer{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return Answer{}, NoURL
	}
	for name, value := range headers {
		req.Header.Set(name, value)
	}
	client := c.secure
	if u.Scheme == "http" {
		client = c.plain
	}
	resp, err := client.Do(req)
	if err != nil {
		return Answer{}, classify(err)
	}
	discard(resp)
	return answerOf(resp, time.Now()), nil
}

// discard reads a short body to its end, and drops every other with its connection.
func discard(resp *http.Response) {
	defer resp.Body.Close()
	if resp.ContentLength < 0 || resp.ContentLength > maxAnswer {
		return
	}
	late := time.AfterFunc(bodyTime, func() { _ = resp.Body.Close() })
	defer late.Stop()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer)) // the status was said already
}

// Close ends idle connections.
func (c *Client) Close() {
	c.secure.CloseIdleConnections()
	c.plain.CloseIdleConnections()
}
