package egress

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

func allow(t *testing.T, list string) Allow {
	t.Helper()
	a, err := ParseAllow(list)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestURLsThatCanNotBeReceivers(t *testing.T) {
	t.Parallel()
	const lan = "10.1.0.0/16, 127.0.0.1:9000, [::1]:9000, Receiver.internal:8443"
	tests := []struct {
		url, allow string
		want       error
	}{
		{"https://shop.example/hooks?key=1", "", nil},
		{"https://shop.example:8443", "", nil},
		{"https://8.8.8.8/", "", nil},
		{"https://[2606:4700::1111]/", "", nil},
		{"https://[64:ff9b::808:808]/", "", nil},
		{"", "", NoURL},
		{"shop.example/hooks", "", NoURL},
		{"/hooks", "", NoURL},
		{"https:///hooks", "", NoURL},
		{"https:shop.example", "", NoURL},
		{"ftp://shop.example/", "", NoURL},
		{"file:///etc/passwd", "", NoURL},
		{"https://user:secret@shop.example/", "", NoURL},
		{"https://shop.example/#part", "", NoURL},
		{"https://shop.example/#", "", NoURL},
		{"https://shop.example:0/", "", NoURL},
		{"https://shop.example:70000/", "", NoURL},
		{"https://shop.example:/", "", NoURL},
		{"https://shop.example/\n", "", NoURL},
		{"https://" + strings.Repeat("a", maxURL) + ".example/", "", NoURL},
		{"http://shop.example/", "", NotAllowed},
		{"https://127.0.0.1/", "", NotAllowed},
		{"https://[::1]/", "", NotAllowed},
		{"https://[::ffff:10.0.0.1]/", "", NotAllowed},
		{"https://[fe80::1%25eth0]/", "", NotAllowed},
		{"https://169.254.169.254/latest/meta-data", "", NotAllowed},
		{"https://metadata.google.internal/", "", NotAllowed},
		{"https://localhost/", "", NotAllowed},
		{"https://LOCALHOST./", "", NotAllowed},
		{"https://a.localhost/", "", NotAllowed},
		{"https://2130706433/", "", NotAllowed},
		{"https://printer.local/", "", NotAllowed},
		{"https://10.1.2.3/", lan, nil},
		{"http://10.1.2.3:81/", lan, nil},
		{"https://10.2.2.3/", lan, NotAllowed},
		{"http://127.0.0.1:9000/", lan, nil},
		{"http://127.0.0.1:9001/", lan, NotAllowed},
		{"http://[::1]:9000/", lan, nil},
		{"https://receiver.internal:8443/", lan, nil},
		{"http://8.8.8.8/", lan, NotAllowed},
		{"https://localhost/", lan, NotAllowed},
		{"http://a.LOCALHOST.:9001/", lan, NotAllowed},
		{"http://localhost:9000/", lan, nil},
		{"https://2130706433/", lan, NotAllowed},
		{"https://127.1/", lan, NotAllowed},
		{"https://0x7f.1/", lan, NotAllowed},
		{"https://0177.0.0.1/", lan, NotAllowed},
		{"https://0X7F000001/", lan, NotAllowed},
		{"https://127.0.0.1./", lan, NotAllowed},
		{"https://192.168.257/", lan, NotAllowed},
		{"http://0177.0.0.1:9000/", lan, nil},
		{"http://0xa010203/", lan, nil},
		{"http://shop.example/", lan, nil}, // it may lead there
		{"http://shop.example/", "receiver.internal:8443", NotAllowed},
		{"https://printer.local/", "receiver.internal:8443", NotAllowed},
		{"https://0x.example/", lan, nil},
		{"https://1.2.3.4.5/", lan, nil}, // no address, and no name either
		{"https://8.8.8.8/", lan, nil},
	}
	for _, tt := range tests {
		if err := NewClient(Config{Allow: allow(t, tt.allow)}).Check(tt.url); !errors.Is(err, tt.want) {
			t.Errorf("%.60q with %q: %v, want %v", tt.url, tt.allow, err, tt.want)
		}
	}
	for _, list := range []string{"10.0.0.0/33", "receiver", "a b", "http://x:1", ":80", "1.2.3.4"} {
		if _, err := ParseAllow(list); err == nil {
			t.Errorf("EGRESS_ALLOW %q was taken", list)
		}
	}
}

func TestOnlyAddressesOfTheInternetArePublic(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{"1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "2606:4700::1", "2a00::1"} {
		if !public(netip.MustParseAddr(addr)) {
			t.Errorf("%s is refused", addr)
		}
	}
	for _, addr := range []string{
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.0.1", "168.63.129.16", "169.254.169.254",
		"172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.255",
		"198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1",
		"100::1", "2001::1", "2001:10::1", "2001:db8::1", "2002:7f00:1::1", "2002:a00:1::", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1",
		"fe80::1%eth0", "2606:4700::1%eth0", "fec0::1", "ff02::1",
	} {
		if public(netip.MustParseAddr(addr)) {
			t.Errorf("%s is public", addr)
		}
	}
	if public(netip.Addr{}) {
		t.Error("no address is public")
	}
}

// FuzzPublic compares with what the standard library knows, and wants every form of an IPv4 address to be judged alike.
func FuzzPublic(f *testing.F) {
	for _, addr := range []string{"8.8.8.8", "10.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::1", "2606:4700::1", "fe80::1"} {
		f.Add(netip.MustParseAddr(addr).AsSlice())
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		addr, ok := netip.AddrFromSlice(raw)
		if !ok {
			return
		}
		if public(addr) && (!addr.IsGlobalUnicast() || addr.Unmap().IsPrivate() || addr.Unmap().IsLoopback() || addr.Unmap().IsLinkLocalUnicast()) {
			t.Errorf("%s is public", addr)
		}
		if !addr.Is4() {
			return
		}
		four := addr.As4()
		forms := map[string][16]byte{"mapped": addr.As16(), "NAT64": nat64.Addr().As16(), "6to4": sixTo4.Addr().As16()}
		for name, form := range forms {
			at := 12
			if name == "6to4" {
				at = 2
			}
			copy(form[at:], four[:])
			if got := public(netip.AddrFrom16(form)); got != public(addr) {
				t.Errorf("%s of %s: %v, want %v", name, addr, got, public(addr))
			}
		}
	})
}

// names is a resolver whose answer to any name is the next of the given addresses, the last again and again.
func names(t *testing.T, addrs ...string) *net.Resolver {
	t.Helper()
	var asked atomic.Int64
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			query := make([]byte, 4096)
			n, err := theirs.Read(query)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if err := m.Unpack(query[2:n]); err != nil { // a stream: the length comes first
				t.Error(err)
				return
			}
			m.Header.Response, m.Additionals = true, nil
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
				addr := netip.MustParseAddr(addrs[min(int(asked.Add(1))-1, len(addrs)-1)])
				m.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, Type: q.Type},
					Body:   &dnsmessage.AResource{A: addr.As4()},
				}}
			}
			answer, err := m.Pack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = theirs.Write(append([]byte{byte(len(answer) >> 8), byte(len(answer))}, answer...))
		}()
		return ours, nil
	}}
}

// receiver counts what reaches a TLS server on loopback, whose certificate is good for example.com.
func receiver(t *testing.T, handler http.HandlerFunc) (server *httptest.Server, roots *x509.CertPool, heard *atomic.Int64) {
	t.Helper()
	heard = &atomic.Int64{}
	server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		heard.Add(1)
		_, _ = io.Copy(io.Discard, r.Body) // only then the server hears that its caller is gone
		handler(w, r)
	}))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // it complains of handshakes
	server.StartTLS()
	t.Cleanup(server.Close)
	roots = x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return server, roots, heard
}

func TestNoNameLeadsToUs(t *testing.T) {
	t.Parallel()
	server, roots, heard := receiver(t, func(http.ResponseWriter, *http.Request) {})
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	for name, addrs := range map[string][]string{
		"a private name":   {"127.0.0.1"},
		"a rebinding name": {"192.0.2.1", "127.0.0.1"}, // first something else, then us
		"metadata":         {"169.254.169.254"},
	} {
		c := NewClient(Config{resolver: names(t, addrs...), roots: roots})
		for range 3 {
			if answer, err := c.Post(t.Context(), "https://example.com:"+port, nil, nil); !errors.Is(err, NotAllowed) {
				t.Errorf("%s: %d %v", name, answer.Status, err)
			}
		}
	}
	if heard.Load() != 0 {
		t.Errorf("%d requests reached loopback", heard.Load())
	}
	listed := NewClient(Config{resolver: names(t, "127.0.0.1"), roots: roots, Allow: allow(t, "127.0.0.1:"+port)})
	if answer, err := listed.Post(t.Context(), "https://example.com:"+port, nil, nil); err != nil || answer.Status != http.StatusOK {
		t.Errorf("the listed address: %d %v", answer.Status, err)
	}
	named := NewClient(Config{resolver: names(t, "127.0.0.1"), roots: roots, Allow: allow(t, "example.com:"+port)})
	if answer, err := named.Post(t.Context(), "https://example.com:"+port, nil, nil); err != nil || answer.Status != http.StatusOK {
		t.Errorf("the listed name: %d %v", answer.Status, err)
	}
	if answer, err := NewClient(Config{Allow: allow(t, "10.0.0.0/8")}).Post(t.Context(), "http://localhost:"+port, nil, nil); !errors.Is(err, NotAllowed) {
		t.Errorf("http to what is not listed: %d %v", answer.Status, err)
	}
}

func TestAnAnswerIsItsStatusAndNothingElse(t *testing.T) {
	t.Parallel()
	var elsewhere atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	var bomb bytes.Buffer
	zip := gzip.NewWriter(&bomb)
	if _, err := zip.Write(make([]byte, 10<<20)); err != nil {
		t.Fatal(err)
	}
	zip.Close()
	ended, over := make(chan struct{}), make(chan struct{})
	defer close(over)
	server, roots, _ := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "" {
			t.Errorf("compression is asked for: %v", r.Header)
		}
		switch r.URL.Path {
		case "/redirect":
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		case "/secret":
			http.Error(w, "canarysecret", http.StatusTeapot)
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
		case "/endless":
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					break
				}
			}
			close(ended)
		case "/trickle":
			w.Header().Set("Content-Length", "100")
			w.WriteHeader(http.StatusAccepted)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		case "/head":
			w.Header().Set("X-Long", strings.Repeat("x", 2*maxHead))
		case "/never":
			<-over // not when the client leaves: what is answered then may still reach it
		case "/cut":
			panic(http.ErrAbortHandler)
		}
	})
	c := NewClient(Config{Allow: allow(t, server.Listener.Addr().String()), roots: roots, timeout: 3 * time.Second})
	for path, want := range map[string]struct {
		status int
		err    error
	}{
		"/": {200, nil}, "/redirect": {307, nil}, "/secret": {418, nil}, "/bomb": {200, nil}, "/endless": {200, nil}, "/trickle": {202, nil},
		"/head": {0, NoHTTP}, "/never": {0, NoAnswer}, "/cut": {0, NoHTTP},
	} {
		answer, err := c.Post(t.Context(), server.URL+path, map[string]string{"Content-Type": "application/json"}, []byte("{}"))
		if answer.Status != want.status || !errors.Is(err, want.err) {
			t.Errorf("%s: %d %v, want %d %v", path, answer.Status, err, want.status, want.err)
		}
	}
	<-ended
	if elsewhere.Load() != 0 {
		t.Error("a redirect was followed")
	}
}

func TestWhyThereWasNoAnswer(t *testing.T) {
	t.Parallel()
	server, roots, _ := receiver(t, func(http.ResponseWriter, *http.Request) {})
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	gone, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	loopback := allow(t, "127.0.0.0/8")
	broken := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no server") }}
	for name, tt := range map[string]struct {
		cfg  Config
		url  string
		want Failure
	}{
		"an unknown certificate": {Config{Allow: loopback}, server.URL, BadTLS},
		"another's certificate":  {Config{Allow: loopback, roots: roots, resolver: names(t, "127.0.0.1")}, "https://shop.example:" + port(t, server.URL), BadTLS},
		"no TLS":                 {Config{Allow: loopback}, strings.Replace(plain.URL, "http:", "https:", 1), BadTLS},
		"nobody listens":         {Config{Allow: loopback}, "https://" + gone.Addr().String(), Refused},
		"no name":                {Config{resolver: broken}, "https://shop.example/canarypath", NoName},
		"no URL":                 {Config{}, "https://user@shop.example/", NoURL},
	} {
		_, err := NewClient(tt.cfg).Post(t.Context(), tt.url, nil, nil)
		if fmt.Sprint(err) != string(tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

func port(t *testing.T, raw string) string {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u.Port()
}

func TestAProxyOfTheEnvironmentIsNotAsked(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://192.0.2.1:1")
	t.Setenv("HTTP_PROXY", "http://192.0.2.1:1")
	server, roots, heard := receiver(t, func(http.ResponseWriter, *http.Request) {})
	c := NewClient(Config{roots: roots, Allow: allow(t, "example.com:443"), resolver: names(t, "127.0.0.1")})
	if proxy := c.secure.Transport.(*http.Transport).Proxy; proxy != nil {
		t.Error("the client has a proxy")
	}
	direct := NewClient(Config{roots: roots, Allow: allow(t, server.Listener.Addr().String())})
	if _, err := direct.Post(t.Context(), server.URL, nil, nil); err != nil || heard.Load() != 1 {
		t.Errorf("%v, heard %d", err, heard.Load())
	}
}
