package rpc

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// inProcess is the network of the connections that never leave the process.
const inProcess = "bufconn"

// transport makes each connection with the TLS material of its moment.
type transport struct {
	keeper *keeper
	log    *slog.Logger // of a server a sparse one: whoever finds the port can cause its lines
}

// ClientHandshake implements credentials.TransportCredentials.
func (t *transport) ClientHandshake(ctx context.Context, authority string, conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	m := t.keeper.current()
	config := &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: m.pool}
	if m.cert != nil {
		config.Certificates = []tls.Certificate{*m.cert}
	}
	return credentials.NewTLS(config).ClientHandshake(ctx, authority, conn)
}

// ServerHandshake implements credentials.TransportCredentials. A client certificate is verified if there is one: callers
// with a bearer token need none. Sessions are not resumed, since a resumed one would not be verified against authorities
// that changed meanwhile.
func (t *transport) ServerHandshake(conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	if conn.LocalAddr().Network() == inProcess {
		return insecure.NewCredentials().ServerHandshake(conn)
	}
	m := t.keeper.current()
	config := &tls.Config{
		MinVersion:             tls.VersionTLS13,
		Certificates:           []tls.Certificate{*m.cert},
		SessionTicketsDisabled: true,
	}
	if m.pool != nil {
		config.ClientAuth, config.ClientCAs = tls.VerifyClientCertIfGiven, m.pool
	}
	secured, info, err := credentials.NewTLS(config).ServerHandshake(conn)
	if err != nil && !errors.Is(err, io.EOF) { // who only looks whether the port is open says nothing
		t.log.WarnContext(context.Background(), "a TLS handshake failed", "peer", conn.RemoteAddr().String(), "error", cut(err.Error(), maxMethodName))
	}
	return secured, info, err
}

// Info implements credentials.TransportCredentials.
func (t *transport) Info() credentials.ProtocolInfo {
	return credentials.ProtocolInfo{SecurityProtocol: "tls"}
}

// Clone implements credentials.TransportCredentials.
func (t *transport) Clone() credentials.TransportCredentials { return &transport{t.keeper, t.log} }

// OverrideServerName implements credentials.TransportCredentials; the name is always that of the address.
func (t *transport) OverrideServerName(string) error { return nil }
