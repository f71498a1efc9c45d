package graph_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/whatrack/connect/services/internal/graph"
)

// forms are the ways in which a secret may slip into a text. A short one has no parts that could be told from chance.
func forms(s string) []string {
	whole := []string{
		s, url.QueryEscape(s), url.PathEscape(s), hex.EncodeToString([]byte(s)), strings.ToUpper(hex.EncodeToString([]byte(s))),
		base64.StdEncoding.EncodeToString([]byte(s)), base64.URLEncoding.EncodeToString([]byte(s)),
	}
	if len(s) < 20 {
		return append(whole, s, s)
	}
	shifted := base64.RawStdEncoding.EncodeToString([]byte("x=" + s + "&"))
	return append(whole, shifted[4:len(shifted)-4], s[:len(s)*3/4])
}

// texts are all that can be printed of an error and of what it wraps.
func texts(err error) string {
	if err == nil {
		return ""
	}
	out := fmt.Sprintf("%v %+v %#v %q\n", err, err, err, err)
	var said *graph.Error
	if errors.As(err, &said) {
		raw, _ := json.Marshal(said)
		out += string(raw) + said.Error()
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, inner := range many.Unwrap() {
			out += texts(inner)
		}
	}
	return out + texts(errors.Unwrap(err))
}

// hang is the echo that never comes.
const hang = "hang"

// echoes are servers that give back what they were sent, each in its own way.
func echoes() map[string]func(net.Conn, *http.Request) {
	answers := map[string]func(net.Conn, *http.Request){
		"reset": func(conn net.Conn, _ *http.Request) { reset(conn) },
		"status line": func(conn net.Conn, r *http.Request) {
			_, _ = fmt.Fprintf(conn, "NOHTTP %s\r\n\r\n", everything(r))
		},
		"location": func(conn net.Conn, r *http.Request) {
			_, _ = fmt.Fprintf(conn, "HTTP/1.1 302 Found\r\nLocation: %%zz%s\r\nContent-Length: 0\r\n\r\n", everything(r))
		},
		hang: func(conn net.Conn, _ *http.Request) { _, _ = io.Copy(io.Discard, conn) }, // until the client leaves
	}
	for _, status := range []int{200, 400, 502} {
		answers[fmt.Sprintf("page %d", status)] = func(conn net.Conn, r *http.Request) { write(conn, status, everything(r)) }
		for i := range forms("long enough") {
			answers[fmt.Sprintf("error %d form %d", status, i)] = func(conn net.Conn, r *http.Request) {
				write(conn, status, echoError(r, i))
			}
		}
	}
	return answers
}

func write(w io.Writer, status int, body string) {
	_, _ = fmt.Fprintf(w, "HTTP/1.1 %d X\r\nContent-Length: %d\r\nContent-Type: text/html\r\n\r\n%s", status, len(body), body)
}

func everything(r *http.Request) string {
	body, _ := io.ReadAll(r.Body)
	return r.URL.RequestURI() + " " + r.Header.Get("Authorization") + " " + string(body)
}

// echoError repeats the secrets that really arrived, in one form, in every field of a Graph error.
func echoError(r *http.Request, form int) string {
	arrived, _ := url.QueryUnescape(everything(r))
	var echo []string
	for _, s := range []string{tokenText, codeText, appSecret, pinText, bodyText} {
		if strings.Contains(arrived, s) {
			echo = append(echo, "got:"+forms(s)[form]+".")
		}
	}
	text := strings.Join(echo, " ")
	fault := map[string]any{
		"code": 100, "message": text, "type": text, "fbtrace_id": text, "error_user_title": text, "error_user_msg": text,
		"error_data": map[string]string{"details": text},
	}
	raw, _ := json.Marshal(map[string]any{"error": fault})
	return string(raw)
}

// callOf gives a call all the time that it needs, but a brief one where nothing comes.
func callOf(t *testing.T, op operation, base string, hangs bool) error {
	t.Helper()
	if !hangs {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		return op.call(ctx, clientOf(base, time.Hour, nil))
	}
	_, err := whenSent(func(limit time.Duration) error {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		return op.call(ctx, clientOf(base, limit, nil))
	})
	return err
}

func TestNoErrorHoldsASecret(t *testing.T) {
	t.Parallel()
	var canaries []string
	for _, s := range []string{tokenText, codeText, appSecret, pinText, bodyText} {
		canaries = append(canaries, forms(s)...)
	}
	for name, echo := range echoes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base := rawServer(t, func(conn net.Conn, r *http.Request) bool {
				echo(conn, r)
				return false
			})
			for _, op := range operations() {
				err := callOf(t, op, base, name == hang)
				if err == nil {
					t.Errorf("%s succeeded", op.name)
					continue
				}
				if name != hang && errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s heard no echo: %v", op.name, err)
				}
				seen := texts(err)
				for _, canary := range canaries {
					if strings.Contains(seen, canary) {
						t.Errorf("%s: %q is in %s", op.name, canary, seen)
					}
				}
			}
		})
	}
}

func TestNoConnectionsErrorHoldsASecret(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"http://127.0.0.1:1", "https://graph.invalid", "gopher://x", "http://127.0.0.1:99999", "http://[::1"} {
		for _, op := range operations() {
			seen := texts(op.call(t.Context(), clientOf(base, time.Second, nil)))
			if strings.Contains(seen, "/v25.0/") {
				t.Errorf("%s, %s: the URL is in %s", base, op.name, seen)
			}
			for _, s := range []string{tokenText, codeText, appSecret, pinText, bodyText} {
				for _, canary := range forms(s) {
					if strings.Contains(seen, canary) {
						t.Errorf("%s, %s: %q is in %s", base, op.name, canary, seen)
					}
				}
			}
		}
	}
}

func TestWhatIsNoSecretStaysReadable(t *testing.T) {
	t.Parallel()
	const message = "(#100) The parameter override_callback_uri is not allowed for 849 objects: see https://example.com/abcdef0123456789"
	m := setup(t, says(400, `{"error":{"code":100,"message":"`+message+`"}}`))
	var said *graph.Error
	if err := m.Register(t.Context(), phone, pin(), m.Credential(token())); !errors.As(err, &said) || said.Message != message {
		t.Errorf("got %v", err)
	}
}
