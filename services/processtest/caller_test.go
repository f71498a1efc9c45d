package processtest

import (
	"context"
	"crypto/tls"
	"log/slog"
	"testing"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	"github.com/whatrack/connect/services/graphsim"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/rpc"
	"github.com/whatrack/connect/services/internal/secret"
	"github.com/whatrack/connect/services/internal/tlstest"
)

func TestTheBrokerServesListedCertificatesOverTLS13Only(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	customer := w.meta.SignUp(graphsim.SignUp{})
	if a := w.claim(t.Context(), w.onboarding, "org-1", customer.Code); a.State != "CONNECTED" {
		t.Fatalf("%d %s %v", a.status, a.body, a.err)
	}
	stranger, err := tlstest.New()
	if err != nil {
		t.Fatal(err)
	}
	listed, self := w.issued(w.authority, "message-sender"), w.issued(stranger, "message-sender")
	self.CA = listed.CA
	reveal := func(c tokenbrokerv1.TokenBrokerServiceClient) error {
		_, err := c.GetAccessToken(t.Context(), &tokenbrokerv1.GetAccessTokenRequest{
			OrganizationId: "org-1", Of: &tokenbrokerv1.GetAccessTokenRequest_WabaId{WabaId: customer.WABAIDs[0]},
		})
		return err
	}
	describe := func(c tokenbrokerv1.TokenBrokerServiceClient) error {
		_, err := c.GetToken(t.Context(), &tokenbrokerv1.GetTokenRequest{
			OrganizationId: "org-1", Of: &tokenbrokerv1.GetTokenRequest_OnboardingId{OnboardingId: "any"},
		})
		return err
	}
	const unauthenticated = errorsv1.ErrorReason_UNAUTHENTICATED
	for _, tt := range []struct {
		name   string
		client rpc.ClientConfig
		call   func(tokenbrokerv1.TokenBrokerServiceClient) error
		want   errorsv1.ErrorReason // unspecified: no fault of the broker's, it did not get so far
		works  bool
	}{
		{name: "listed", client: rpc.ClientConfig{TLS: listed}, call: reveal, works: true},
		{name: "an RPC outside its list", client: rpc.ClientConfig{TLS: listed}, call: describe, want: errorsv1.ErrorReason_PERMISSION_DENIED},
		{name: "not listed", client: rpc.ClientConfig{TLS: w.issued(w.authority, "stranger")}, call: reveal, want: unauthenticated},
		{name: "no certificate", client: rpc.ClientConfig{TLS: rpc.TLSFiles{CA: listed.CA}}, call: reveal, want: unauthenticated},
		{name: "a token of another service", client: rpc.ClientConfig{TLS: rpc.TLSFiles{CA: listed.CA}, Token: secret.New(w.bearer)}, call: reveal, want: unauthenticated},
		{name: "signed by another authority", client: rpc.ClientConfig{TLS: self}, call: reveal},
		{name: "plaintext", client: rpc.ClientConfig{Insecure: true}, call: reveal},
	} {
		tt.client.Addr, tt.client.Log = w.broker.grpc, slog.New(slog.DiscardHandler)
		conn, err := rpc.Dial(tt.client)
		if err != nil {
			t.Fatal(err)
		}
		err = tt.call(tokenbrokerv1.NewTokenBrokerServiceClient(conn))
		_ = conn.Close()
		refusal, known := fault.As(err)
		if tt.works != (err == nil) || known != (tt.want != 0) || (known && refusal.Reason() != tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	w.wantOnlyTLS13(listed)
}

func (w *world) issued(authority *tlstest.Authority, name string) rpc.TLSFiles {
	w.t.Helper()
	files, err := authority.Issue(w.t.TempDir(), name)
	if err != nil {
		w.t.Fatal(err)
	}
	return rpc.TLSFiles{Cert: files.Cert, Key: files.Key, CA: files.CA}
}

func (w *world) wantOnlyTLS13(files rpc.TLSFiles) {
	w.t.Helper()
	pair, err := tls.LoadX509KeyPair(files.Cert, files.Key)
	if err != nil {
		w.t.Fatal(err)
	}
	for version, want := range map[uint16]bool{tls.VersionTLS12: false, tls.VersionTLS13: true} {
		dialer := &tls.Dialer{Config: &tls.Config{
			InsecureSkipVerify: true, MaxVersion: version, NextProtos: []string{"h2"}, Certificates: []tls.Certificate{pair},
		}}
		conn, err := dialer.DialContext(context.Background(), "tcp", w.broker.grpc)
		if (err == nil) != want {
			w.t.Errorf("%s: %v", tls.VersionName(version), err)
		}
		if err == nil {
			_ = conn.Close()
		}
	}
}
