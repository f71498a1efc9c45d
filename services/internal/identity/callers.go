package identity

import (
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/whatrack/connect/services/internal/secret"
)

// Callers are those who may call. Safe for concurrent use; it may be replaced while it is read.
type Callers struct {
	list atomic.Pointer[list]
	file *file
}

// list is one version of Callers.
type list struct {
	byToken map[string]*Caller // by the hex SHA-256
	byName  map[string]*Caller // by the name in a certificate
}

// New lists callers that stand in no file: for tests and for the devstack.
func New(opts Options, entries ...Entry) (*Callers, error) {
	l, err := newList(opts, entries)
	if err != nil {
		return nil, err
	}
	c := &Callers{}
	c.list.Store(l)
	return c, nil
}

// FindBearer answers the caller of a bearer token. The token is looked up by its SHA-256, so that the time it takes says
// nothing about the tokens that exist.
func (c *Callers) FindBearer(token secret.Text) (Caller, bool) {
	if token.IsEmpty() {
		return Caller{}, false
	}
	caller, ok := c.list.Load().byToken[token.Fingerprint()]
	if !ok {
		return Caller{}, false
	}
	return *caller, true
}

// FindCertificate answers the caller whom a client certificate names. The certificate must have been verified. One that
// names two callers is nobody's: which of them calls could not be told.
func (c *Callers) FindCertificate(cert *x509.Certificate) (Caller, bool) {
	names := make([]string, 0, len(cert.DNSNames)+len(cert.URIs))
	for _, name := range cert.DNSNames {
		names = append(names, canonicalSAN(name))
	}
	for _, uri := range cert.URIs {
		names = append(names, canonicalSAN(uri.String()))
	}
	var found *Caller
	for _, name := range names {
		caller, ok := c.list.Load().byName[name]
		if !ok || caller == found {
			continue
		}
		if found != nil {
			return Caller{}, false
		}
		found = caller
	}
	if found == nil {
		return Caller{}, false
	}
	return *found, true
}

// canonicalSAN lowers DNS names (RFC 4343); a URI is compared as it is written.
func canonicalSAN(name string) string {
	if strings.Contains(name, "://") {
		return name
	}
	return strings.ToLower(name)
}

// newList refuses the whole list for one fault in it, and names all of them: half a list would lock out callers, or let
// in one that was meant to be narrower.
func newList(opts Options, entries []Entry) (*list, error) {
	l := &list{byToken: map[string]*Caller{}, byName: map[string]*Caller{}}
	names := map[string]bool{}
	var faults []error
	for i, e := range entries {
		wrong := e.faults(opts)
		if names[e.Name] {
			wrong = append(wrong, "name is listed twice")
		}
		names[e.Name] = true
		wrong = append(wrong, l.add(e, e.caller(opts))...)
		for _, w := range wrong {
			faults = append(faults, fmt.Errorf("caller %d (%.64q): %s", i+1, e.Name, w))
		}
	}
	if len(entries) == 0 {
		faults = append(faults, errors.New("no caller is listed"))
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return l, nil
}

func (l *list) add(e Entry, caller *Caller) []string {
	var wrong []string
	if sum := strings.ToLower(e.SHA256); sum != "" {
		if l.byToken[sum] != nil {
			wrong = append(wrong, "sha256 is listed twice")
		}
		l.byToken[sum] = caller
	}
	if name := canonicalSAN(e.SAN); name != "" {
		if l.byName[name] != nil {
			wrong = append(wrong, "san is listed twice")
		}
		l.byName[name] = caller
	}
	return wrong
}
