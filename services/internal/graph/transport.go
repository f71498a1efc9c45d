package graph

import (
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

const (
	// dialTimeout and handshakeTimeout leave room for a second try within the 20 s that a claim gives the exchange.
	dialTimeout      = 5 * time.Second
	handshakeTimeout = 5 * time.Second

	maxHeader = 256 << 10
)

// sharedTransport keeps connections alive. Pings find a dead HTTP/2 connection, on which every call would otherwise
// wait for its timeout.
func sharedTransport() *http.Transport {
	return &http.Transport{
		DialContext:            dialer().DialContext,
		TLSHandshakeTimeout:    handshakeTimeout,
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 5 * time.Second},
		MaxIdleConns:           64,
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        60 * time.Second,
		MaxResponseHeaderBytes: maxHeader,
	}
}

// singleTransport gives every request a connection of its own, HTTP/1.1. A kept-alive one may have been closed by Meta
// in the moment of writing: nobody could tell then whether a code was spent, or a message sent, and the customer would
// have to sign up again. On a fresh connection, what failed before the connection stood was not sent, and net/http
// repeats nothing.
func singleTransport() *http.Transport {
	t := &http.Transport{
		DialContext:            dialer().DialContext,
		TLSHandshakeTimeout:    handshakeTimeout,
		DisableKeepAlives:      true,
		MaxResponseHeaderBytes: maxHeader,
		Protocols:              new(http.Protocols),
	}
	t.Protocols.SetHTTP1(true)
	return t
}

func dialer() *net.Dialer { return &net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second} }

// wire watches one request on its way out. It believes that nothing was sent only when the transport told that it
// looked for a connection and never told that it got one: a transport that tells nothing proves nothing.
type wire struct{ sought, got atomic.Bool }

func (w *wire) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(string) { w.sought.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { w.got.Store(true) },
	}
}

func (w *wire) untouched() bool { return w.sought.Load() && !w.got.Load() }
