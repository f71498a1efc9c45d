package rpc_test

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	tokenbrokerv1 "github.com/whatrack/connect/gen/whatrack/tokenbroker/v1"
	"github.com/whatrack/connect/services/internal/rpc"
	"github.com/whatrack/connect/services/internal/secret"
)

func get(ctx context.Context, t *testing.T, cfg rpc.ClientConfig) error {
	t.Helper()
	_, err := tokenbrokerv1.NewTokenBrokerServiceClient(dial(t, cfg)).GetAccessToken(ctx, tokenRequest())
	return err
}

func overTLS(t *testing.T, files rpc.TLSFiles) (*rpc.Server, *logs) {
	t.Helper()
	return serve(t, rpc.Config{Listen: "127.0.0.1:0", TLS: files, Callers: everything(t), Policy: rpc.ByRPCList()}, (&broker{}).service())
}

func TestACallerIsKnownByItsCertificateOrItsToken(t *testing.T) {
	t.Parallel()
	ours, foreign := newAuthority(t), newAuthority(t)
	srv, _ := overTLS(t, ours.files("token-broker"))
	anonymous := rpc.TLSFiles{CA: ours.files("x").CA}
	self := foreign.files("all")
	self.CA = anonymous.CA
	tests := []struct {
		name  string
		files rpc.TLSFiles
		token string
		want  errorsv1.ErrorReason
		fails bool
	}{
		{name: "a listed certificate", files: ours.files("all")},
		{name: "a listed token", files: anonymous, token: "all"},
		{name: "a certificate of nobody", files: ours.files("stranger"), want: unauthenticated, fails: true},
		{name: "a certificate of nobody with a listed token", files: ours.files("stranger"), token: "all"},
		{name: "a listed certificate with a wrong token", files: ours.files("all"), token: "wrong", want: unauthenticated, fails: true},
		{name: "nothing", files: anonymous, want: unauthenticated, fails: true},
		{name: "a listed name, signed by somebody else", files: self, token: "all", fails: true},
	}
	for _, tt := range tests {
		err := get(t.Context(), t, rpc.ClientConfig{Addr: srv.Addr(), TLS: tt.files, Token: secret.New(tt.token)})
		if reasonOf(err) != tt.want || (err != nil) != tt.fails {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if err := get(t.Context(), t, rpc.ClientConfig{Addr: srv.Addr(), TLS: rpc.TLSFiles{CA: foreign.files("x").CA}, Token: secret.New("all")}); err == nil {
		t.Error("a client sent its token to a server that it should not trust")
	}
	if err := get(t.Context(), t, rpc.ClientConfig{Server: srv, Token: secret.New("all")}); err != nil {
		t.Errorf("in-process beside TLS: %v", err)
	}
	if err := get(t.Context(), t, rpc.ClientConfig{Server: srv}); reasonOf(err) != unauthenticated {
		t.Errorf("in-process is an identity: %v", err)
	}
}

func TestAHandshakeThatFailsIsInTheLogOnceAMinute(t *testing.T) {
	t.Parallel()
	ours := newAuthority(t)
	srv, out := overTLS(t, ours.files("token-broker"))
	for range 5 {
		if err := get(t.Context(), t, rpc.ClientConfig{Addr: srv.Addr(), TLS: rpc.TLSFiles{CA: newAuthority(t).files("x").CA}}); err == nil {
			t.Error("a client took a certificate of a foreign authority")
		}
		probe, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", srv.Addr())
		if err != nil {
			t.Fatal(err)
		}
		_ = probe.Close()
	}
	if got := strings.Count(out.String(), "a TLS handshake failed"); got != 1 || !strings.Contains(out.String(), "bad certificate") {
		t.Errorf("%d lines, want 1:\n%s", got, out.String())
	}
}

func TestOnlyTLS13IsSpoken(t *testing.T) {
	t.Parallel()
	ours := newAuthority(t)
	srv, _ := overTLS(t, ours.files("token-broker"))
	for version, want := range map[uint16]bool{tls.VersionTLS12: false, tls.VersionTLS13: true} {
		dialer := &tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true, MaxVersion: version, NextProtos: []string{"h2"}}}
		conn, err := dialer.DialContext(t.Context(), "tcp", srv.Addr())
		if (err == nil) != want {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
		if err == nil {
			_ = conn.Close()
		}
	}
}

func TestNothingIsPlaintextByOmission(t *testing.T) {
	t.Parallel()
	files := newAuthority(t).files("x")
	log := slog.New(slog.DiscardHandler)
	for name, cfg := range map[string]rpc.Config{
		"no files":             {Listen: "127.0.0.1:0"},
		"no key":               {Listen: "127.0.0.1:0", TLS: rpc.TLSFiles{Cert: files.Cert}},
		"only an authority":    {Listen: "127.0.0.1:0", TLS: rpc.TLSFiles{CA: files.CA}},
		"both":                 {Listen: "127.0.0.1:0", TLS: files, Insecure: true},
		"a missing file":       {Listen: "127.0.0.1:0", TLS: rpc.TLSFiles{Cert: files.Cert, Key: files.Key + "x"}},
		"a key as certificate": {Listen: "127.0.0.1:0", TLS: rpc.TLSFiles{Cert: files.Key, Key: files.Key}},
	} {
		cfg.Callers, cfg.Log = everything(t), log
		if srv, err := rpc.NewServer(cfg); err == nil {
			t.Errorf("%s: a server came up", name)
			_ = srv.Close()
		}
	}
	for name, cfg := range map[string]rpc.ClientConfig{
		"both":    {Addr: "127.0.0.1:1", TLS: files, Insecure: true},
		"nowhere": {},
		"no key":  {Addr: "127.0.0.1:1", TLS: rpc.TLSFiles{Cert: files.Cert}},
	} {
		cfg.Log = log
		if _, err := rpc.Dial(cfg); err == nil {
			t.Errorf("%s: a client came up", name)
		}
	}
}

func TestFilesThatAreNoneAreNamedByTheirSettings(t *testing.T) {
	t.Parallel()
	good, other := newAuthority(t).files("x"), newAuthority(t).files("x")
	missing := filepath.Join(t.TempDir(), "none")
	text := filepath.Join(t.TempDir(), "text")
	write(t, text, []byte("canary"))
	more := filepath.Join(t.TempDir(), "more")
	write(t, more, append(newAuthority(t).pem, "canary"...))
	ofPair := func(cert, key string) string {
		return "TLS_CERT_FILE " + cert + " and TLS_KEY_FILE " + key + " must be a certificate and its key, PEM: tls: "
	}
	for name, c := range map[string]struct {
		files rpc.TLSFiles
		want  string
	}{
		"no certificate":         {rpc.TLSFiles{Cert: missing, Key: good.Key}, "TLS_CERT_FILE: open " + missing + ": no such file"},
		"no key":                 {rpc.TLSFiles{Cert: good.Cert, Key: missing}, "TLS_KEY_FILE: open " + missing + ": no such file"},
		"no authorities":         {rpc.TLSFiles{Cert: good.Cert, Key: good.Key, CA: missing}, "TLS_CA_FILE: open " + missing + ": no such file"},
		"text as certificate":    {rpc.TLSFiles{Cert: text, Key: good.Key}, ofPair(text, good.Key)},
		"the key of another":     {rpc.TLSFiles{Cert: good.Cert, Key: other.Key}, ofPair(good.Cert, other.Key)},
		"text as authorities":    {rpc.TLSFiles{CA: text}, "TLS_CA_FILE " + text + " must be PEM certificates and nothing else: there is none"},
		"text after authorities": {rpc.TLSFiles{CA: more}, "TLS_CA_FILE " + more + " must be PEM certificates and nothing else: something else follows them"},
	} {
		if err := c.files.Check(); err == nil || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	if err := good.Check(); err != nil {
		t.Errorf("files that are right: %v", err)
	}
}

func TestAnExpiredCertificateIsNotTakenAndOneThatEndsSoonIsTold(t *testing.T) {
	t.Parallel()
	ours := newAuthority(t)
	expired := func(files rpc.TLSFiles) {
		cert, key := ours.issueUntil("token-broker", time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
		write(t, files.Cert, cert)
		write(t, files.Key, key)
	}
	late := ours.files("token-broker")
	expired(late)
	if err := late.Check(); err == nil || err.Error() != "TLS_CERT_FILE "+late.Cert+": the certificate expired on 2026-01-02T03:04:05Z: put a new one there" {
		t.Errorf("an expired certificate: %v", err)
	}
	files := ours.files("token-broker")
	cert, key := ours.issueUntil("token-broker", time.Now().Add(10*time.Minute))
	write(t, files.Cert, cert)
	write(t, files.Key, key)
	srv, out := overTLS(t, files)
	client := rpc.ClientConfig{Addr: srv.Addr(), TLS: ours.files("all")}
	expired(files)
	for range 2 {
		time.Sleep(1100 * time.Millisecond)
		if err := get(t.Context(), t, client); err != nil {
			t.Errorf("the certificate before it is good still: %v", err)
		}
	}
	for _, line := range []string{"TLS files make no sense, those before them stay", "our certificate ends soon"} {
		if got := strings.Count(out.String(), line); got != 1 {
			t.Errorf("%d lines say that %s, want 1:\n%s", got, line, out.String())
		}
	}
}

func TestInsecureSaysWhatItGivesUp(t *testing.T) {
	t.Parallel()
	srv, out := serve(t, rpc.Config{Listen: "127.0.0.1:0", Insecure: true, Callers: everything(t), Policy: rpc.ByRPCList()}, (&broker{}).service())
	if err := get(t.Context(), t, rpc.ClientConfig{Addr: srv.Addr(), Insecure: true, Token: secret.New("all")}); err != nil {
		t.Fatal(err)
	}
	if strings.Count(out.String(), "INSECURE: gRPC is plaintext") != 1 {
		t.Errorf("it was not said: %s", out.String())
	}
	if err := get(t.Context(), t, rpc.ClientConfig{Addr: srv.Addr(), TLS: newAuthority(t).files("x"), Token: secret.New("all")}); err == nil {
		t.Error("a client that wants TLS talked plaintext")
	}
}

func TestCertificatesAreRenewedUnderLoadWithoutAFailedCall(t *testing.T) {
	t.Parallel()
	before, after := newAuthority(t), newAuthority(t)
	files := before.files("token-broker", after)
	srv, out := overTLS(t, files)
	client := before.files("all", after)
	ctx, stop := context.WithCancel(t.Context())
	var calls atomic.Int64
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			for ctx.Err() == nil { // a new connection each time: each one sees the files of its moment
				if err := get(context.WithoutCancel(ctx), t, rpc.ClientConfig{Addr: srv.Addr(), TLS: client}); err != nil {
					t.Errorf("call %d: %v", calls.Load(), err)
				}
				calls.Add(1)
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
	defer group.Wait()
	defer stop()
	cert, key := after.issue("token-broker")
	said := func(what string) int { return strings.Count(out.String(), what) }
	meanwhile := func(what string, is func() bool) {
		t.Helper()
		before := calls.Load()
		eventually(t, what, func() bool { return is() && calls.Load() >= before+10 })
	}
	replace(t, files.Cert, cert[:len(cert)/2])
	meanwhile("half a certificate is reported", func() bool { return said("TLS files make no sense") == 1 })
	replace(t, files.Cert, cert) // does not belong to the key yet
	meanwhile("a certificate without its key is reported", func() bool { return said("TLS files make no sense") == 2 })
	replace(t, files.Key, key)
	meanwhile("the new certificate is taken over", func() bool { return said("TLS files taken over") == 1 })
	stop()
	group.Wait()
	if got := said("TLS files make no sense"); got != 2 {
		t.Errorf("%d warnings, want one for each of the two broken states:\n%s", got, out.String())
	}
	onlyAfter := rpc.TLSFiles{CA: after.files("x").CA}
	if err := get(t.Context(), t, rpc.ClientConfig{Addr: srv.Addr(), TLS: onlyAfter, Token: secret.New("all")}); err != nil {
		t.Errorf("the new certificate is not in use: %v", err)
	}
}

func TestAnAuthorityThatWasTakenAwaySignsNobodyIn(t *testing.T) {
	t.Parallel()
	ours, other := newAuthority(t), newAuthority(t)
	files := ours.files("token-broker", other)
	srv, out := overTLS(t, files)
	client := other.files("all", ours)
	if err := get(t.Context(), t, rpc.ClientConfig{Addr: srv.Addr(), TLS: client}); err != nil {
		t.Fatal(err)
	}
	write(t, files.CA, ours.pem)
	time.Sleep(1100 * time.Millisecond)
	if err := get(t.Context(), t, rpc.ClientConfig{Addr: srv.Addr(), TLS: client}); err == nil {
		t.Error("it still signs callers in")
	}
	if err := os.Remove(files.CA); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1100 * time.Millisecond)
	for range 3 {
		if err := get(t.Context(), t, rpc.ClientConfig{Addr: srv.Addr(), TLS: ours.files("all")}); err != nil {
			t.Errorf("without the file, the authorities before it should stay: %v", err)
		}
	}
	if got := strings.Count(out.String(), "TLS files make no sense"); got != 1 {
		t.Errorf("%d warnings, want 1: %s", got, out.String())
	}
	write(t, files.CA, append(ours.pem, []byte("garbage")...))
	time.Sleep(1100 * time.Millisecond)
	if err := get(t.Context(), t, rpc.ClientConfig{Addr: srv.Addr(), TLS: ours.files("all")}); err != nil {
		t.Error(err)
	}
}

func TestAPortThatIsTakenIsANamedError(t *testing.T) {
	t.Parallel()
	srv, _ := serve(t, rpc.Config{Listen: "127.0.0.1:0", Insecure: true, Callers: everything(t)}, (&broker{}).service())
	log := slog.New(slog.DiscardHandler)
	_, err := rpc.NewServer(rpc.Config{Listen: srv.Addr(), Insecure: true, Callers: everything(t), Log: log}, (&broker{}).service())
	if want := "GRPC_LISTEN " + srv.Addr() + " is taken: stop what uses it or set GRPC_LISTEN"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	_, err = rpc.NewHTTP(rpc.HTTPConfig{Setting: "HTTP_LISTEN", Listen: srv.Addr(), Log: log})
	if want := "HTTP_LISTEN " + srv.Addr() + " is taken: stop what uses it or set HTTP_LISTEN"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	_, err = rpc.NewHTTP(rpc.HTTPConfig{Setting: "HTTP_LISTEN", Listen: "nowhere", Log: log})
	if err == nil || !strings.HasPrefix(err.Error(), "HTTP_LISTEN nowhere: ") {
		t.Errorf("%v", err)
	}
}
