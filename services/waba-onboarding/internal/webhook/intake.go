// Package webhook takes Meta's webhooks in and makes of them what they say.
//
// Intake promises that what was answered 200 is durable, byte for byte, and that nothing is parsed before it is: a body
// that we can not read is kept all the same. Whoever can not sign is told nothing. What a change does is applied once,
// however often and through however many replicas it comes, and in whatever order.
//
// Source: developers.facebook.com, Graph API > Webhooks > Getting Started; WhatsApp > Webhooks.
package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/whatrack/connect/services/internal/secret"
	"github.com/whatrack/connect/services/internal/sparse"
)

const (
	maxBody    = 4 << 20 // Meta sends up to 3 MB
	firstChunk = 4 << 10
	signature  = "X-Hub-Signature-256"
)

// Keeper makes a body durable.
type Keeper interface {
	Keep(body []byte) error
}

// ErrBusy says that the queue is full, or that we stop: Meta comes again.
var ErrBusy = errors.New("webhook: too much at once")

// Intake is the HTTP handler of Meta's webhook.
type Intake struct {
	Keeper      Keeper
	VerifyToken secret.Text
	Secrets     []secret.Text // of the app: the current one and, while it is changed, the previous one
	Memory      *Memory
	// Log is a sparse one: whoever finds the endpoint can cause its lines.
	Log *slog.Logger
}

// ServeHTTP implements http.Handler.
func (i *Intake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet:
		i.handshake(w, r)
	case http.MethodPost:
		status, cause := i.receive(w, r)
		i.tell(r, "a webhook is refused", cause)
		w.WriteHeader(status)
	default:
		w.Header().Set("Allow", "GET, POST")
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

// Why a webhook is refused, for our log. The sender may be Meta, and then nothing comes in until somebody reads this.
const (
	notSigned    = "it has not the one header X-Hub-Signature-256 with sha256= and 64 hex digits, with which Meta signs"
	wrongSecret  = "its signature fits no app secret of ours: if Meta sent it, set META_APP_SECRET to the app's secret at Meta"
	encoded      = "it has a Content-Encoding: if a proxy before us compresses or changes bodies, let it leave those of webhooks alone"
	tooLarge     = "it is larger than 4 MiB"
	notWhole     = "it did not arrive whole"
	tooMuch      = "more comes in than is stored: Meta sends it again"
	handshakeOff = "META_WEBHOOK_VERIFY_TOKEN is not set"
	wrongToken   = "its verify token is another one than META_WEBHOOK_VERIFY_TOKEN: if Meta sent it, make both the same"
	noHandshake  = "it has not the hub.mode and hub.challenge of one"
)

// tell says in the log why something was refused, and nothing of what it held.
func (i *Intake) tell(r *http.Request, what, cause string) {
	if cause != "" {
		i.Log.WarnContext(r.Context(), what, sparse.Cause, cause)
	}
}

// handshake proves to Meta that the endpoint is ours, by its challenge in plain text.
func (i *Intake) handshake(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	challenge, cause := query.Get("hub.challenge"), ""
	switch {
	case i.VerifyToken.IsEmpty():
		cause = handshakeOff
	case query.Get("hub.mode") != "subscribe", challenge == "", len(challenge) > 1024:
		cause = noHandshake
	case !i.VerifyToken.Equal(secret.New(query.Get("hub.verify_token"))):
		cause = wrongToken
	}
	if cause != "" {
		i.tell(r, "a handshake for webhooks is refused", cause)
		w.WriteHeader(http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, challenge) //nolint:gosec // G705: plain text, by its content type and nosniff
}

// receive answers 200 for what is durable, and otherwise why not. Every refusal is a bare status: it tells a stranger
// nothing.
func (i *Intake) receive(w http.ResponseWriter, r *http.Request) (status int, cause string) {
	switch {
	case r.Header.Get("Content-Encoding") != "":
		return http.StatusUnsupportedMediaType, encoded
	case r.ContentLength > maxBody:
		return http.StatusRequestEntityTooLarge, tooLarge
	}
	sent, ok := signatureOf(r.Header)
	if !ok {
		return http.StatusUnauthorized, notSigned
	}
	held := i.Memory.hold()
	defer held.release()
	body, status, cause := i.read(w, r, held)
	if status != 0 {
		return status, cause
	}
	if !i.signed(body, sent) {
		return http.StatusUnauthorized, wrongSecret
	}
	if err := i.Keeper.Keep(body); err != nil {
		w.Header().Set("Retry-After", "5")
		if errors.Is(err, ErrBusy) {
			return http.StatusServiceUnavailable, tooMuch
		}
		i.Log.ErrorContext(r.Context(), "a webhook could not be kept", "error", err)
		return http.StatusServiceUnavailable, ""
	}
	return http.StatusOK, ""
}

// read takes the body in piece by piece, so that a sender who is slow holds little. How long it may take is the server's
// ReadTimeout.
func (i *Intake) read(w http.ResponseWriter, r *http.Request, held *held) (body []byte, status int, cause string) {
	reader := http.MaxBytesReader(w, r.Body, maxBody)
	for {
		start := len(body)
		size := int64(max(firstChunk, start)) // twice as much each time
		if left := r.ContentLength - int64(start); left >= 0 {
			size = min(size, left+1) // one more, to meet the end
		}
		if !held.more(size) {
			w.Header().Set("Retry-After", "5")
			return nil, http.StatusServiceUnavailable, tooMuch
		}
		body = append(body, make([]byte, size)...)
		n, err := io.ReadFull(reader, body[start:])
		body = body[:start+n]
		var beyond *http.MaxBytesError
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF) && r.ContentLength < 0,
			errors.Is(err, io.ErrUnexpectedEOF) && int64(len(body)) == r.ContentLength:
			return body, 0, ""
		case errors.As(err, &beyond):
			return nil, http.StatusRequestEntityTooLarge, tooLarge
		case err != nil:
			return nil, http.StatusRequestTimeout, notWhole
		}
	}
}

// signatureOf reads the one signature: `sha256=` and 64 hex digits. SHA-1, which Meta still sends beside it, is not
// looked at.
func signatureOf(h http.Header) ([]byte, bool) {
	values := h.Values(signature)
	if len(values) != 1 {
		return nil, false
	}
	digits, ok := strings.CutPrefix(values[0], "sha256=")
	if !ok || len(digits) != hex.EncodedLen(sha256.Size) {
		return nil, false
	}
	sent, err := hex.DecodeString(digits)
	return sent, err == nil
}

// signed compares with every secret, whichever fits, in constant time. The bytes are those on the wire: JSON that is
// written again has another signature.
func (i *Intake) signed(body, sent []byte) bool {
	valid := 0
	for _, key := range i.Secrets {
		mac := hmac.New(sha256.New, []byte(key.Reveal()))
		mac.Write(body)
		valid |= subtle.ConstantTimeCompare(mac.Sum(nil), sent)
	}
	return valid == 1
}
