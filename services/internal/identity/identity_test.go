package identity_test

import (
	"context"
	"crypto/x509"
	"errors"
	"net/url"
	"strings"
	"testing"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/identity"
	"github.com/whatrack/connect/services/internal/secret"
)

var (
	hashA = secret.New("a").Fingerprint()
	hashB = secret.New("b").Fingerprint()
)

func TestTheOrganizationIsChosenFromTheCallersOwn(t *testing.T) {
	t.Parallel()
	const (
		denied   = errorsv1.ErrorReason_PERMISSION_DENIED
		required = errorsv1.ErrorReason_ORGANIZATION_REQUIRED
		fine     = errorsv1.ErrorReason_ERROR_REASON_UNSPECIFIED
	)
	tests := []struct {
		name                string
		organizations       []string
		requested           string
		scope, organization string
		scopeFault, orgFail fault.Reason
	}{
		{"one needs no header", []string{"org-1"}, "", "org-1", "org-1", fine, fine},
		{"one may be named", []string{"org-1"}, "org-1", "org-1", "org-1", fine, fine},
		{"a foreign one is refused", []string{"org-1"}, "org-2", "", "", denied, denied},
		{"* is no organization", []string{"org-1"}, "*", "", "", denied, denied},
		{"of several one must be named", []string{"org-1", "org-2"}, "", "", "", required, required},
		{"of several one is named", []string{"org-1", "org-2"}, "org-2", "org-2", "org-2", fine, fine},
		{"of several a foreign one is named", []string{"org-1", "org-2"}, "org-3", "", "", denied, denied},
		{"the platform reads across", []string{"*"}, "", "", "", fine, required},
		{"the platform acts for one", []string{"*"}, "org-9", "org-9", "org-9", fine, fine},
		{"none is nothing", nil, "", "", "", denied, denied},
		{"none is nothing, named", nil, "org-1", "", "", denied, denied},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ctx := identity.WithCaller(t.Context(), identity.Caller{Name: "c", Organizations: tt.organizations}, tt.requested)
			scope, err := identity.Scope(ctx)
			compare(t, "Scope", scope, err, tt.scope, tt.scopeFault)
			organization, err := identity.Organization(ctx)
			compare(t, "Organization", organization, err, tt.organization, tt.orgFail)
		})
	}
}

func compare(t *testing.T, what, got string, err error, want string, reason fault.Reason) {
	t.Helper()
	var gotReason fault.Reason
	if f, ok := fault.As(err); ok {
		gotReason = f.Reason()
	} else if err != nil {
		t.Fatalf("%s = %v, want a fault", what, err)
	}
	if got != want || gotReason != reason {
		t.Errorf("%s = %q, %v, want %q, %v", what, got, gotReason, want, reason)
	}
}

func TestOutsideOfACallThereIsNobody(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	if identity.Name(ctx) != "" {
		t.Error("somebody is there")
	}
	unauthenticated := fault.New(errorsv1.ErrorReason_UNAUTHENTICATED)
	if _, err := identity.Scope(ctx); !errors.Is(err, unauthenticated) {
		t.Errorf("Scope = %v", err)
	}
	if _, err := identity.Organization(ctx); !errors.Is(err, unauthenticated) {
		t.Errorf("Organization = %v", err)
	}
	named := identity.WithCaller(ctx, identity.Caller{Name: "whatrack-web"}, "")
	if identity.Name(named) != "whatrack-web" {
		t.Errorf("Name = %q", identity.Name(named))
	}
}

func TestCallersAreFoundByTokenAndByCertificate(t *testing.T) {
	t.Parallel()
	callers, err := identity.New(identity.Options{},
		identity.Entry{Name: "web", SHA256: strings.ToUpper(hashA), Role: "editor"},
		identity.Entry{Name: "sender", SAN: "Sender.example"},
		identity.Entry{Name: "spiffe", SAN: "spiffe://td/sender", SHA256: hashB})
	if err != nil {
		t.Fatal(err)
	}
	for token, want := range map[string]string{"a": "web", "b": "spiffe", "c": "", "": "", hashA: ""} {
		if caller, ok := callers.FindBearer(secret.New(token)); caller.Name != want || ok != (want != "") {
			t.Errorf("FindBearer(%q) = %q, %v, want %q", token, caller.Name, ok, want)
		}
	}
	uri, err := url.Parse("spiffe://td/sender")
	if err != nil {
		t.Fatal(err)
	}
	certs := []struct {
		name string
		cert x509.Certificate
		want string
	}{
		{"a DNS name", x509.Certificate{DNSNames: []string{"other", "sender.EXAMPLE"}}, "sender"},
		{"a URI", x509.Certificate{URIs: []*url.URL{uri}}, "spiffe"},
		{"two callers are none", x509.Certificate{DNSNames: []string{"sender.example"}, URIs: []*url.URL{uri}}, ""},
		{"the common name is no name", x509.Certificate{EmailAddresses: []string{"sender.example"}}, ""},
		{"nothing", x509.Certificate{}, ""},
	}
	for _, c := range certs {
		if caller, ok := callers.FindCertificate(&c.cert); caller.Name != c.want || ok != (c.want != "") {
			t.Errorf("%s: FindCertificate = %q, %v, want %q", c.name, caller.Name, ok, c.want)
		}
	}
	if caller, _ := callers.FindCertificate(&certs[0].cert); caller.Role != identity.Viewer {
		t.Errorf("without a role: %v, want viewer", caller.Role)
	}
}
