package graph_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/whatrack/connect/services/internal/graph"
	"github.com/whatrack/connect/services/internal/secret"
)

const (
	appID     = "670843880000001"
	appSecret = "0123456789abcdef-canary-secret+/"
	tokenText = "EAAGcanarytoken0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef"
	codeText  = "AQBcanarycode/+9876543210-zyxwvutsrqponmlkjihgfedcba="
	pinText   = "849203"
	waba      = "102290120000001"
	phone     = "106540350000001"
	ref       = "0193d3d0-0000-7000-8000-000000000001"
	bodyText  = "Seu pedido 4711 saiu: canary words of a customer"
)

func token() secret.Text { return secret.New(tokenText) }
func code() secret.Text  { return secret.New(codeText) }
func pin() secret.Text   { return secret.New(pinText) }

func textMessage() graph.Message {
	return graph.Message{To: "5511987654321", Type: "text", Text: &graph.Text{Body: bodyText}}
}

// recorded is a request as it arrived.
type recorded struct {
	method, path string
	query, form  url.Values
	header       http.Header
	body         string
}

// meta is a server that answers in the order that a test wrote down, and the client that asks it.
type meta struct {
	*graph.Client
	t    *testing.T
	base string

	mu       sync.Mutex
	requests []recorded
	answers  []answer
}

type answer struct {
	status int
	body   string
	header http.Header
}

func says(status int, body string) answer { return answer{status: status, body: body} }

// setup answers each request with the next answer, and the last one for ever.
func setup(t *testing.T, answers ...answer) *meta {
	t.Helper()
	m := &meta{t: t, answers: answers}
	server := httptest.NewServer(m)
	t.Cleanup(server.Close)
	m.base = server.URL
	m.Client = clientOf(m.base, 5*time.Second, nil)
	return m
}

func clientOf(base string, timeout time.Duration, rt http.RoundTripper) *graph.Client {
	return graph.NewClient(graph.Config{
		BaseURL: base, Version: "v25.0", AppID: appID, AppSecret: secret.New(appSecret), Timeout: timeout, Transport: rt,
	})
}

func (m *meta) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		m.t.Errorf("read request: %v", err)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		form = nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests = append(m.requests, recorded{r.Method, r.URL.Path, r.URL.Query(), form, r.Header.Clone(), string(body)})
	next := m.answers[0]
	if len(m.answers) > 1 {
		m.answers = m.answers[1:]
	}
	for name, values := range next.header {
		w.Header()[name] = values
	}
	w.WriteHeader(next.status)
	_, _ = io.WriteString(w, next.body)
}

func (m *meta) last() recorded {
	m.t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.requests) == 0 {
		m.t.Fatal("no request arrived")
	}
	return m.requests[len(m.requests)-1]
}

func (m *meta) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.requests)
}

// operation is one method of the client, under the name that Meta gives the call.
type operation struct {
	name string
	call func(context.Context, *graph.Client) error
}

func operations() []operation {
	return []operation{
		{"exchange", func(ctx context.Context, c *graph.Client) error {
			_, err := c.ExchangeCode(ctx, code(), "https://app.example/cb")
			return err
		}},
		{"extend", func(ctx context.Context, c *graph.Client) error {
			_, err := c.ExtendToken(ctx, token(), graph.SystemUser)
			return err
		}},
		{"debug", func(ctx context.Context, c *graph.Client) error {
			_, err := c.DebugToken(ctx, token())
			return err
		}},
		{"revoke", func(ctx context.Context, c *graph.Client) error { return c.RevokeToken(ctx, token()) }},
		{"phone numbers", func(ctx context.Context, c *graph.Client) error {
			_, err := c.PhoneNumbers(ctx, waba, c.Credential(token()))
			return err
		}},
		{"phone number", func(ctx context.Context, c *graph.Client) error {
			_, err := c.PhoneNumber(ctx, phone, c.Credential(token()))
			return err
		}},
		{"waba", func(ctx context.Context, c *graph.Client) error {
			_, err := c.WABA(ctx, waba, c.Credential(token()))
			return err
		}},
		{"subscribe", func(ctx context.Context, c *graph.Client) error { return c.Subscribe(ctx, waba, c.Credential(token())) }},
		{"unsubscribe", func(ctx context.Context, c *graph.Client) error {
			return c.Unsubscribe(ctx, waba, c.Credential(token()))
		}},
		{"subscribed apps", func(ctx context.Context, c *graph.Client) error {
			_, err := c.SubscribedApps(ctx, waba, c.Credential(token()))
			return err
		}},
		{"register", func(ctx context.Context, c *graph.Client) error {
			return c.Register(ctx, phone, pin(), c.Credential(token()))
		}},
		{"send", func(ctx context.Context, c *graph.Client) error {
			_, err := c.SendMessage(ctx, phone, textMessage(), ref, c.Credential(token()))
			return err
		}},
		{"sync", func(ctx context.Context, c *graph.Client) error {
			_, err := c.RequestSync(ctx, phone, graph.SyncHistory, c.Credential(token()))
			return err
		}},
	}
}

// rawServer hands every request of every connection to serve, which may write anything. It answers false to stop
// reading from that connection.
func rawServer(t *testing.T, serve func(net.Conn, *http.Request) bool) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var open sync.WaitGroup
	t.Cleanup(func() {
		_ = listener.Close()
		cancel()
		open.Wait()
	})
	open.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			context.AfterFunc(ctx, func() { _ = conn.Close() })
			open.Go(func() { serveRaw(conn, serve) })
		}
	})
	return "http://" + listener.Addr().String()
}

func serveRaw(conn net.Conn, serve func(net.Conn, *http.Request) bool) {
	defer func() { _ = conn.Close() }()
	reader := bufio.NewReader(conn)
	for {
		r, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		if !serve(conn, r) {
			return
		}
	}
}

// reset closes a connection with RST.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

func itoa(n int) string { return strconv.Itoa(n) }

func secretOf(s string) secret.Text { return secret.New(s) }
