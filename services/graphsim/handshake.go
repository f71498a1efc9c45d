package graphsim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// handshakeTimeout is how long Meta waits for a callback to answer its question.
const handshakeTimeout = 6 * time.Second

// handshake is a callback that a Graph call wants verified, and what came of it.
type handshake struct {
	callback, token string
	verdict         *Error
}

// verifyCallback lets a handler act on a callback's own word. Asking it takes up to six seconds, in which the
// simulator's lock must not be held: the receiver may well call Graph meanwhile. So the first run of a handler ends
// here, work asks the callback, and the second run finds the verdict.
func (c *call) verifyCallback(callback, token string) *Error {
	if c.handshake == nil {
		c.handshake = &handshake{callback: callback, token: token}
		return &Error{Code: 1, Type: typeOAuth, Message: "the callback was not asked"} // nobody sees it
	}
	return c.handshake.verdict
}

// shakeHands asks a callback to prove that it expects this app: GET with a challenge, which it must echo.
// Source: developers.facebook.com, Graph API > Webhooks > Getting started.
func (s *Simulator) shakeHands(callback, token string) *Error {
	ctx, cancel := context.WithTimeout(s.post.ctx, handshakeTimeout)
	defer cancel()
	challenge := newID("1", 10)
	target, err := url.Parse(callback)
	if err != nil {
		return callbackError("malformed URL")
	}
	query := target.Query()
	query.Set("hub.mode", "subscribe")
	query.Set("hub.challenge", challenge)
	query.Set("hub.verify_token", token)
	target.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return callbackError("malformed URL")
	}
	req.Header.Set("User-Agent", userAgent)
	resp, err := s.post.client.Do(req)
	if err != nil {
		return connectError(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	switch {
	case err != nil:
		return connectError(err)
	case resp.StatusCode != http.StatusOK:
		return callbackError("HTTP Status Code = %d; HTTP Message = %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	case string(body) != challenge:
		return callbackError("Response does not match challenge, expected value = '%s', received = '%.64s'", challenge, body)
	default:
		return nil
	}
}

// connectError reports in curl's words, which are Meta's.
func connectError(err error) *Error {
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() {
		return callbackError("curl_errno = 28; curl_error = Operation timed out")
	}
	return callbackError("curl_errno = 7; curl_error = Failed to connect")
}

func callbackError(format string, args ...any) *Error {
	return &Error{
		Code: 2200, Type: typeOAuth,
		Message: "(#2200) Callback verification failed with the following errors: " + fmt.Sprintf(format, args...),
	}
}
