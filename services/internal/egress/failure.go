package egress

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"os"
	"syscall"
)

// Failure is why there was no answer, in words of ours alone: an error of the network's has addresses in it, and one of
// TLS the receiver's own words.
type Failure string

// The failures.
const (
	// NoURL: no receiver can have such a URL, whoever asks.
	NoURL Failure = "not an absolute https URL without user and fragment"
	// NotAllowed: the URL leads, or may lead, to what is not the internet's.
	NotAllowed   Failure = "the address is not allowed"
	NoName       Failure = "the name does not resolve"
	Refused      Failure = "the connection was refused"
	NoConnection Failure = "no connection could be made"
	BadTLS       Failure = "the certificate or the TLS handshake is not acceptable"
	NoAnswer     Failure = "no answer within ten seconds"
	NoHTTP       Failure = "the connection ended without an answer of HTTP"
)

// Error implements error.
func (f Failure) Error() string { return string(f) }

// classify never lets the error itself out.
func classify(err error) error {
	var name *net.DNSError
	var verify *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var op *net.OpError
	switch {
	case errors.Is(err, NotAllowed):
		return NotAllowed
	case errors.As(err, &name):
		return NoName
	case errors.As(err, &verify), errors.As(err, &record), errors.As(err, &alert), errors.Is(err, http.ErrSchemeMismatch):
		return BadTLS
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), timedOut(err):
		return NoAnswer
	case errors.Is(err, syscall.ECONNREFUSED):
		return Refused
	case errors.As(err, &op) && op.Op == "dial":
		return NoConnection
	}
	return NoHTTP
}

func timedOut(err error) bool {
	var network net.Error
	return errors.As(err, &network) && network.Timeout()
}
