package graph_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"path"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/whatrack/connect/services/internal/graph"
)

const brief = 300 * time.Millisecond

// whenSent makes a call that has a brief time, and a longer one where this machine was too slow to send it.
func whenSent(call func(limit time.Duration) error) (limit time.Duration, err error) {
	for limit = brief; ; limit *= 2 {
		if err = call(limit); !errors.Is(err, graph.ErrNotSent) || limit > 10*time.Second {
			return limit, err
		}
	}
}

// A GET on a kept-alive connection is sent twice by net/http when the connection is reset. A code or a message must not be.
func TestACodeAndAMessageArriveOnceWhenTheConnectionIsReset(t *testing.T) {
	t.Parallel()
	for name, rt := range map[string]http.RoundTripper{"own transports": nil, "one kept-alive connection": &http.Transport{MaxConnsPerHost: 1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var spent, sent, conns atomic.Int32
			base := rawServer(t, func(conn net.Conn, r *http.Request) bool {
				if once, ok := map[string]*atomic.Int32{"access_token": &spent, "messages": &sent}[path.Base(r.URL.Path)]; ok {
					once.Add(1)
					reset(conn)
					return false
				}
				conns.Add(1)
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{\"success\":true}")
				return true
			})
			c := clientOf(base, 5*time.Second, rt)
			if err := c.Subscribe(t.Context(), waba, c.Credential(token())); err != nil { // the connection is warm now
				t.Fatal(err)
			}
			_, err := c.ExchangeCode(t.Context(), code(), "")
			if !errors.Is(err, graph.ErrNoVerdict) || errors.Is(err, graph.ErrNotSent) || graph.VerdictOf(err) != graph.OutcomeUnknown {
				t.Errorf("got %v", err)
			}
			_, err = c.SendMessage(t.Context(), phone, textMessage(), ref, c.Credential(token()))
			if !errors.Is(err, graph.ErrNoVerdict) || errors.Is(err, graph.ErrNotSent) {
				t.Errorf("got %v", err)
			}
			if spent.Load() != 1 || sent.Load() != 1 || conns.Load() != 1 {
				t.Errorf("the code arrived %d times, the message %d times, the call before them %d times", spent.Load(), sent.Load(), conns.Load())
			}
		})
	}
}

// A server may close an idle connection in the moment in which we write. The exchange does not take that risk.
func TestACodeGoesOutOnAConnectionOfItsOwn(t *testing.T) {
	t.Parallel()
	var spent atomic.Int32
	base := rawServer(t, func(conn net.Conn, r *http.Request) bool {
		body := `{"success":true}`
		if strings.HasSuffix(r.URL.Path, "/oauth/access_token") {
			body = `{"access_token":"EAAG"}`
			spent.Add(1)
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: "+itoa(len(body))+"\r\n\r\n"+body)
		return false // and closes the connection without having said so
	})
	c := clientOf(base, 5*time.Second, nil)
	for range 20 {
		_ = c.Subscribe(t.Context(), waba, c.Credential(token())) // leaves a connection behind, or meets one that is gone
		if _, err := c.ExchangeCode(t.Context(), code(), ""); err != nil {
			t.Fatal(err)
		}
	}
	if spent.Load() != 20 {
		t.Errorf("%d codes were spent", spent.Load())
	}
}

func TestWithoutAConnectionNothingWasSent(t *testing.T) {
	t.Parallel()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := "http://" + listener.Addr().String()
	_ = listener.Close()
	noTLS := strings.Replace(rawServer(t, func(net.Conn, *http.Request) bool { return false }), "http:", "https:", 1)
	for name, base := range map[string]string{
		"connection refused": refused, "no TLS": noTLS, "no such host": "https://graph.invalid",
		"no host": "graph.facebook.com", "no URL": "://", "other scheme": "ftp://127.0.0.1",
	} {
		for _, op := range operations() {
			err := op.call(t.Context(), clientOf(base, 5*time.Second, nil))
			if !errors.Is(err, graph.ErrNotSent) || errors.Is(err, graph.ErrNoVerdict) || !graph.IsSilence(err) || graph.VerdictOf(err) != graph.NotSent {
				t.Errorf("%s, %s: %v", name, op.name, err)
			}
		}
	}
}

func TestAContextThatEndedBeforeSendsNothing(t *testing.T) {
	t.Parallel()
	m := setup(t, says(200, `{}`))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, op := range operations() {
		if err := op.call(ctx, m.Client); !errors.Is(err, graph.ErrNotSent) || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", op.name, err)
		}
	}
	if m.count() != 0 {
		t.Errorf("%d requests arrived", m.count())
	}
}

// A transport that does not tell what it did must not make us believe that nothing was sent.
func TestATransportThatTellsNothingProvesNothing(t *testing.T) {
	t.Parallel()
	c := clientOf("http://127.0.0.1:1", 5*time.Second, mute{})
	if _, err := c.ExchangeCode(t.Context(), code(), ""); !errors.Is(err, graph.ErrNoVerdict) || errors.Is(err, graph.ErrNotSent) {
		t.Errorf("got %v", err)
	}
}

type mute struct{}

func (mute) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("no") }

func TestAnswersThatMeanNothingAreNoVerdict(t *testing.T) {
	t.Parallel()
	huge := strings.Repeat("x", 1<<20+1)
	for name, raw := range map[string]string{
		"HTML 502":              "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>",
		"empty 500":             "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
		"empty 200":             "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		"204":                   "HTTP/1.1 204 No Content\r\n\r\n",
		"HTML 404":              "HTTP/1.1 404 Not Found\r\nContent-Length: 6\r\n\r\n<html>",
		"400 without Graph":     "HTTP/1.1 400 Bad\r\nContent-Length: 25\r\n\r\n{\"error\":\"invalid_grant\"}",
		"400 without code":      "HTTP/1.1 400 Bad\r\nContent-Length: 26\r\n\r\n{\"error\":{\"message\":\"no\"}}",
		"array":                 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
		"cut short":             "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"success\":true",
		"cut short error":       "HTTP/1.1 400 Bad\r\nContent-Length: 99\r\n\r\n{\"error\":{\"code\":190",
		"no HTTP":               "SSH-2.0-OpenSSH\r\n\r\n",
		"nothing":               "",
		"too long":              "HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n" + huge,
		"header too long":       "HTTP/1.1 200 OK\r\nX: " + huge + "\r\n\r\n",
		"chunks cut":            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"suc",
		"gzip that is none":     "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
		"redirect":              "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/steal\r\nContent-Length: 0\r\n\r\n",
		"redirect that keeps":   "HTTP/1.1 307 Found\r\nLocation: /v25.0/again\r\nContent-Length: 0\r\n\r\n",
		"redirect to nonsense":  "HTTP/1.1 302 Found\r\nLocation: %zz://\r\nContent-Length: 0\r\n\r\n",
		"redirect with success": "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 16\r\n\r\n{\"success\":true}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var arrived atomic.Int32
			base := rawServer(t, func(conn net.Conn, _ *http.Request) bool {
				arrived.Add(1)
				_, _ = io.WriteString(conn, raw)
				return false
			})
			for _, op := range operations() {
				arrived.Store(0)
				err := op.call(t.Context(), clientOf(base, 5*time.Second, nil))
				if !errors.Is(err, graph.ErrNoVerdict) || errors.Is(err, graph.ErrNotSent) || !graph.IsSilence(err) {
					t.Errorf("%s: %v", op.name, err)
				}
				if len(err.Error()) > 1<<10 {
					t.Errorf("%s: an error of %d bytes", op.name, len(err.Error()))
				}
				if arrived.Load() != 1 {
					t.Errorf("%s: arrived %d times", op.name, arrived.Load())
				}
			}
		})
	}
}

func TestABodyThatTricklesIsBounded(t *testing.T) {
	t.Parallel()
	base := rawServer(t, func(conn net.Conn, _ *http.Request) bool {
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
		for {
			if _, err := io.WriteString(conn, " "); err != nil {
				return false
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
	for _, op := range operations() {
		t.Run(op.name, func(t *testing.T) {
			t.Parallel()
			var start time.Time
			limit, err := whenSent(func(limit time.Duration) error {
				ctx, cancel := context.WithTimeout(t.Context(), limit)
				defer cancel()
				start = time.Now()
				return op.call(ctx, clientOf(base, time.Hour, nil))
			})
			if !errors.Is(err, graph.ErrNoVerdict) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
			if took := time.Since(start); took > 20*limit {
				t.Errorf("took %v", took)
			}
		})
	}
}

func TestOurOwnTimeoutIsNotTheCallersDeadline(t *testing.T) {
	t.Parallel()
	held := make(chan struct{})
	base := rawServer(t, func(net.Conn, *http.Request) bool {
		<-held
		return false
	})
	t.Cleanup(func() { close(held) })
	var c *graph.Client
	limit, err := whenSent(func(limit time.Duration) error {
		c = clientOf(base, limit, nil)
		_, err := c.WABA(t.Context(), waba, c.Credential(token()))
		return err
	})
	if !errors.Is(err, graph.ErrNoVerdict) || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*limit)
	defer cancel()
	if _, err := c.ExchangeCode(ctx, code(), ""); ctx.Err() == nil || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the exchange ended before its context: %v", err)
	}
}
