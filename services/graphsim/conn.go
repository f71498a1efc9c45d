package graphsim

import (
	"crypto/tls"
	"net"
	"net/http"
)

// resetConnection ends a connection so that the client sees a reset, not an orderly end: a lost connection is what a
// client must survive. Where there is no connection to take over (HTTP/2, a recorder), aborting the handler is the
// nearest there is.
func resetConnection(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	inner := conn
	if secure, ok := conn.(*tls.Conn); ok {
		inner = secure.NetConn()
	}
	if tcp, ok := inner.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // then Close sends RST; if it fails, the client sees an end instead
	}
	_ = inner.Close()
}
