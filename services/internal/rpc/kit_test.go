package rpc_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/identity"
	"github.com/whatrack/connect/services/internal/rpc"
	"github.com/whatrack/connect/services/internal/secret"
)

const canary = "EAAcanary"

// broker is a token broker that does what a test tells it.
type broker struct {
	tokenbrokerv1.UnimplementedTokenBrokerServiceServer
	exchange func(context.Context, *tokenbrokerv1.ExchangeCodeRequest) error
	get      func(context.Context) error
}

func (b *broker) ExchangeCode(ctx context.Context, req *tokenbrokerv1.ExchangeCodeRequest) (*tokenbrokerv1.ExchangeCodeResponse, error) {
	if err := b.exchange(ctx, req); err != nil {
		return nil, err
	}
	return &tokenbrokerv1.ExchangeCodeResponse{}, nil
}

func (b *broker) GetAccessToken(ctx context.Context, _ *tokenbrokerv1.GetAccessTokenRequest) (*tokenbrokerv1.GetAccessTokenResponse, error) {
	if b.get != nil {
		if err := b.get(ctx); err != nil {
			return nil, err
		}
	}
	return &tokenbrokerv1.GetAccessTokenResponse{AccessToken: canary}, nil
}

func (b *broker) service() rpc.Service {
	return rpc.Service{Desc: &tokenbrokerv1.TokenBrokerService_ServiceDesc, Impl: b}
}

func exchangeRequest() *tokenbrokerv1.ExchangeCodeRequest {
	return &tokenbrokerv1.ExchangeCodeRequest{OrganizationId: "org-1", Code: canary, OnboardingId: "o-1"}
}

func tokenRequest() *tokenbrokerv1.GetAccessTokenRequest {
	return &tokenbrokerv1.GetAccessTokenRequest{OrganizationId: "org-1", Of: &tokenbrokerv1.GetAccessTokenRequest_WabaId{WabaId: "1"}}
}

// onboarding is a waba-onboarding that does what a test tells it.
type onboarding struct {
	onboardingv1.UnimplementedOnboardingServiceServer
	claim func(context.Context, *onboardingv1.ClaimWabaRequest) (*onboardingv1.Onboarding, error)
	wait  func(context.Context, *onboardingv1.WaitOnboardingRequest) error
}

func (o *onboarding) ClaimWaba(ctx context.Context, req *onboardingv1.ClaimWabaRequest) (*onboardingv1.ClaimWabaResponse, error) {
	claimed, err := o.claim(ctx, req)
	return &onboardingv1.ClaimWabaResponse{Onboarding: claimed}, err
}

func (o *onboarding) WaitOnboarding(ctx context.Context, req *onboardingv1.WaitOnboardingRequest) (*onboardingv1.WaitOnboardingResponse, error) {
	if err := o.wait(ctx, req); err != nil {
		return nil, err
	}
	return &onboardingv1.WaitOnboardingResponse{Onboarding: &onboardingv1.Onboarding{State: onboardingv1.Onboarding_CONNECTED}}, nil
}

func (o *onboarding) ListOnboardings(context.Context, *onboardingv1.ListOnboardingsRequest) (*onboardingv1.ListOnboardingsResponse, error) {
	return &onboardingv1.ListOnboardingsResponse{}, nil
}

func (o *onboarding) service() rpc.Service {
	return rpc.Service{Desc: &onboardingv1.OnboardingService_ServiceDesc, Impl: o}
}

func connections() rpc.Service {
	return rpc.Service{
		Desc: &onboardingv1.ConnectionService_ServiceDesc,
		Impl: &struct {
			onboardingv1.UnimplementedConnectionServiceServer
		}{},
	}
}

func callers(t *testing.T, opts identity.Options, entries ...identity.Entry) *identity.Callers {
	t.Helper()
	list, err := identity.New(opts, entries...)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func hash(token string) string { return secret.New(token).Fingerprint() }

// everything is a caller with the token "all" and a certificate named "all" who may call everything at the broker.
func everything(t *testing.T) *identity.Callers {
	t.Helper()
	return callers(t, identity.Options{RPCs: true},
		identity.Entry{Name: "all", SHA256: hash("all"), SAN: "all", Role: "admin", RPCs: []string{"*"}},
		identity.Entry{Name: "reader", SHA256: hash("reader"), RPCs: []string{"GetToken"}})
}

// serve runs a server until the test ends.
func serve(t *testing.T, cfg rpc.Config, services ...rpc.Service) (*rpc.Server, *logs) {
	t.Helper()
	out := &logs{}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	if cfg.Grace == 0 {
		cfg.Grace = 5 * time.Second
	}
	srv, err := rpc.NewServer(cfg, services...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("Serve = %v", err)
		}
	})
	return srv, out
}

func dial(t *testing.T, cfg rpc.ClientConfig) *grpc.ClientConn {
	t.Helper()
	cfg.Log = slog.New(slog.DiscardHandler)
	conn, err := rpc.Dial(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func reasonOf(err error) errorsv1.ErrorReason {
	f, ok := fault.As(err)
	if !ok {
		return errorsv1.ErrorReason_ERROR_REASON_UNSPECIFIED
	}
	return f.Reason()
}

func wantReason(t *testing.T, err error, want errorsv1.ErrorReason) {
	t.Helper()
	if got := reasonOf(err); got != want || err == nil {
		t.Errorf("%v, want %v", err, want)
	}
}

// authority signs certificates for a test.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{t, cert, key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// issue answers a certificate and its key for a name and 127.0.0.1.
func (a *authority) issue(name string) (cert, key []byte) {
	a.t.Helper()
	return a.issueUntil(name, time.Now().Add(time.Hour))
}

func (a *authority) issueUntil(name string, end time.Time) (cert, key []byte) {
	a.t.Helper()
	private := newKey(a.t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: end,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &private.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		a.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

// files writes a certificate, its key and an authority.
func (a *authority) files(name string, trusted ...*authority) rpc.TLSFiles {
	a.t.Helper()
	dir := a.t.TempDir()
	files := rpc.TLSFiles{Cert: filepath.Join(dir, "tls.crt"), Key: filepath.Join(dir, "tls.key"), CA: filepath.Join(dir, "ca.crt")}
	cert, key := a.issue(name)
	ca := bytes.Clone(a.pem)
	for _, other := range trusted {
		ca = append(ca, other.pem...)
	}
	write(a.t, files.Cert, cert)
	write(a.t, files.Key, key)
	write(a.t, files.CA, ca)
	return files
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// replace writes a file as a whole, for a server that may read it in any moment.
func replace(t *testing.T, path string, data []byte) {
	t.Helper()
	write(t, path+".new", data)
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not so after a while: %s", what)
		}
	}
}

type logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }
