package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	signatureHeader = "X-Hub-Signature-256"
	// barePool is how many connections the baseline commits through: as many as we have.
	barePool = 16
)

// receiver is what taking a webhook in costs by itself: a plain handler that checks the signature, and where rows are
// given, commits one for each body.
type receiver struct {
	key  []byte
	rows *pgxpool.Pool
}

// ServeHTTP implements http.Handler.
func (b *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || !hmac.Equal([]byte(r.Header.Get(signatureHeader)), []byte(signed(b.key, body))) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if b.rows == nil {
		return
	}
	id, err := uuid.NewV7()
	if err == nil {
		_, err = b.rows.Exec(r.Context(), "insert into received (id, receive_time, body) values ($1, $2, $3)", id, time.Now(), body)
	}
	if err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

func signed(key, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// serveReceiver serves one until close, and answers its URL.
func (p *pair) serveReceiver(ctx context.Context, b *receiver) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", loopback)
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: b, ReadHeaderTimeout: 10 * time.Second}
	p.closers = append(p.closers, func() { _ = server.Close() })
	go func() { _ = server.Serve(listener) }()
	return "http://" + listener.Addr().String(), nil
}

// receivedRows is a database of its own, with the one table that a body needs.
func (p *pair) receivedRows(ctx context.Context) (*pgxpool.Pool, error) {
	databaseURL, err := p.createDatabase(ctx)
	if err != nil {
		return nil, err
	}
	cfg, err := pgxpool.ParseConfig(databaseURL)
	if err != nil {
		return nil, err
	}
	cfg.MaxConns = barePool
	rows, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	p.closers = append(p.closers, rows.Close)
	_, err = rows.Exec(ctx, "create table received (id uuid primary key, receive_time timestamptz not null, body bytea not null)")
	return rows, err
}
