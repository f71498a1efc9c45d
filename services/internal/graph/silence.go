package graph

import (
	"context"
	"errors"
	"net/url"
)

var (
	// ErrNotSent says that no byte of the request reached Meta: there was no connection. It may be sent again.
	ErrNotSent = errors.New("graph: not sent")

	// ErrNoVerdict says that the request was sent, or may have been, and that nothing came back that means anything:
	// a reset, a timeout, a redirect, HTML, a truncated or unusable answer. What it asked for may have happened.
	ErrNoVerdict = errors.New("graph: no verdict")

	// ErrInvalidInput says that an argument can not be sent: an id that is none, an empty token. Nothing was sent, and
	// nothing will be different next time.
	ErrInvalidInput = errors.New("graph: invalid input")
)

// IsSilence tells whether an error says nothing about what was asked, so that the caller must neither believe nor
// change anything: no answer, an answer without meaning, a temporary refusal, or a context that ended.
func IsSilence(err error) bool {
	var said *Error
	if errors.As(err, &said) {
		return said.Temporary()
	}
	return errors.Is(err, ErrNotSent) || errors.Is(err, ErrNoVerdict) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// silence is ErrNotSent or ErrNoVerdict with a reason in words. It keeps no error of net/http, whose texts quote
// URLs and header lines; only the end of the caller's own context can be found in it.
type silence struct {
	kind  error
	text  string
	ended error
}

func (s *silence) Error() string { return s.kind.Error() + ": " + s.text }

func (s *silence) Unwrap() []error {
	if s.ended == nil {
		return []error{s.kind}
	}
	return []error{s.kind, s.ended}
}

func (c *Client) silence(caller context.Context, kind error, k call, text string) error {
	return &silence{kind: kind, text: newScrubber(c.secrets(k)).line(text, maxMessage), ended: caller.Err()}
}

// withoutURL takes off the layer of http.Client, whose text begins with the URL and its query.
func withoutURL(err error) error {
	var wrapped *url.Error
	for errors.As(err, &wrapped) && wrapped.Err != nil {
		err = wrapped.Err
	}
	return err
}
