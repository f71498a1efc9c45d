package cli

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/whatrack/connect/services/internal/secret"
)

// Logging is what every program has.
type Logging struct {
	LogLevel slog.Level `default:"info" placeholder:"LEVEL" help:"debug, info, warn or error."`
}

func (l *Logging) logLevel() slog.Level { return l.LogLevel }

// Common are the settings of both services. Embed it; the variables grpc_listen and admin_listen of the program are its
// defaults.
type Common struct {
	GRPCListen  string `name:"grpc-listen" default:"${grpc_listen}" placeholder:"HOST:PORT" help:"Where gRPC listens."`
	AdminListen string `default:"${admin_listen}" placeholder:"HOST:PORT" help:"Where /livez and /readyz listen, plain HTTP."`

	DrainDelay time.Duration `default:"0s" placeholder:"DURATION" help:"How long to serve on after SIGTERM with readiness off, until load balancers have heard of it; on Kubernetes some 5s."`

	DatabaseURL secret.Text `name:"database-url" placeholder:"URL" help:"postgres://… or sqlite:///path/file.db."`

	MetaGraphURL     string      `name:"meta-graph-url" default:"https://graph.facebook.com" placeholder:"URL" help:"Meta's Graph API."`
	MetaGraphVersion string      `default:"v25.0" placeholder:"VERSION" help:"Version of the Graph API."`
	MetaAppID        string      `name:"meta-app-id" also:"NEXT_PUBLIC_META_APP_ID" placeholder:"ID" help:"Id of our app at Meta."`
	MetaAppSecret    secret.Text `placeholder:"SECRET" help:"Secret of our app at Meta: it spends codes, and Meta signs webhooks with it."`

	CallersFile string `placeholder:"FILE" help:"Who may call, as JSON; read again when it changes."`
	TLSCertFile string `name:"tls-cert-file" placeholder:"FILE" help:"Our certificate with its chain, PEM; read again when it changes."`
	TLSKeyFile  string `name:"tls-key-file" placeholder:"FILE" help:"Its key, PEM."`
	TLSCAFile   string `name:"tls-ca-file" placeholder:"FILE" help:"Who signs the certificates of the other side, PEM."`
	Insecure    bool   `help:"Plaintext gRPC instead of TLS. Never where others can listen on the network."`

	KeysetFile string `placeholder:"FILE" help:"The keyset that seals stored secrets, mode 0600; 'keyset create' makes one."`

	Logging `embed:""`
}

// NoCertificates tells whether nobody's certificate is verified, though there is TLS.
func (c *Common) NoCertificates() bool { return !c.Insecure && c.TLSCAFile == "" }

func (c *Common) adminListen() string { return c.AdminListen }

var (
	graphVersion = regexp.MustCompile(`^v\d+\.\d+$`)
	appID        = regexp.MustCompile(`^\d{1,32}$`)
)

// Validate joins everything that is wrong.
func (c *Common) Validate() error {
	return errors.Join(
		Listen("GRPC_LISTEN", c.GRPCListen),
		Listen("ADMIN_LISTEN", c.AdminListen),
		c.validateDrain(),
		c.validateDatabase(),
		c.validateMeta(),
		c.validateTLS(),
		Required("CALLERS_FILE", c.CallersFile),
		Required("KEYSET_FILE", c.KeysetFile),
	)
}

// Required refuses a setting that is not there.
func Required(setting, value string) error {
	if value == "" {
		return fmt.Errorf("%s is required", setting)
	}
	return nil
}

// Listen refuses what can not be listened on.
func Listen(setting, address string) error {
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("%s must be host:port or :port, such as 127.0.0.1:8080", setting)
	}
	return nil
}

// Address refuses what can not be called.
func Address(setting, address string) error {
	if err := Required(setting, address); err != nil {
		return err
	}
	if Listen(setting, address) != nil || !host.MatchString(address) {
		return fmt.Errorf("%s must be host:port, such as 127.0.0.1:9090", setting)
	}
	return nil
}

func (c *Common) validateDrain() error {
	if c.DrainDelay < 0 || c.DrainDelay > time.Minute {
		return errors.New("DRAIN_DELAY must be from 0s to 1m")
	}
	return nil
}

// validateDatabase never shows the URL: there may be a password in it.
func (c *Common) validateDatabase() error {
	switch u := c.DatabaseURL.Reveal(); {
	case u == "":
		return errors.New("DATABASE_URL (or DATABASE_URL_FILE) is required")
	case strings.HasPrefix(u, "postgres://"), strings.HasPrefix(u, "postgresql://"), strings.HasPrefix(u, "sqlite:///"):
		return nil
	}
	return errors.New("DATABASE_URL must be postgres://… or sqlite:///path/file.db")
}

func (c *Common) validateMeta() error {
	var faults []error
	if err := c.validateGraphURL(); err != nil {
		faults = append(faults, err)
	}
	if !graphVersion.MatchString(c.MetaGraphVersion) {
		faults = append(faults, errors.New("META_GRAPH_VERSION must be like v25.0"))
	}
	if !appID.MatchString(c.MetaAppID) {
		faults = append(faults, errors.New("META_APP_ID (or NEXT_PUBLIC_META_APP_ID) is required, in digits"))
	}
	if strings.TrimSpace(c.MetaAppSecret.Reveal()) == "" {
		faults = append(faults, errors.New("META_APP_SECRET (or META_APP_SECRET_FILE) is required"))
	}
	return errors.Join(faults...)
}

func (c *Common) validateGraphURL() error {
	u, err := c.WebURL("META_GRAPH_URL", c.MetaGraphURL) // every call to Meta carries an access token
	if err == nil && (strings.TrimPrefix(u.Path, "/") != "" || u.RawQuery != "") {
		err = errors.New("META_GRAPH_URL must have no path and no query: the version is META_GRAPH_VERSION")
	}
	return err
}

// host is a name, an IPv4 or an IPv6 address, with a port or without.
var host = regexp.MustCompile(`^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$`)

// WebURL reads the URL of a setting. http:// is taken only where nobody can listen: on loopback, or under INSECURE.
func (c *Common) WebURL(setting, value string) (*url.URL, error) {
	u, err := url.Parse(value)
	switch {
	case err != nil || !host.MatchString(u.Host) || u.User != nil || strings.Contains(value, "#"):
		return nil, fmt.Errorf("%s must be https://host…, without user and fragment", setting)
	case u.Scheme == "https", u.Scheme == "http" && (c.Insecure || isLoopback(u.Hostname())):
		return u, nil
	}
	return nil, fmt.Errorf("%s must be https://; http:// is taken on loopback or with INSECURE only", setting)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// validateTLS lets nothing be plaintext, or half TLS, by omission.
func (c *Common) validateTLS() error {
	given := c.TLSCertFile != "" || c.TLSKeyFile != "" || c.TLSCAFile != ""
	switch {
	case c.Insecure && given:
		return errors.New("INSECURE excludes TLS_CERT_FILE, TLS_KEY_FILE and TLS_CA_FILE: choose one")
	case c.Insecure, c.TLSCertFile != "" && c.TLSKeyFile != "":
		return nil
	}
	return errors.New("TLS_CERT_FILE and TLS_KEY_FILE are required, or INSECURE for plaintext")
}
