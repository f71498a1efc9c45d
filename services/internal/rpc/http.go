package rpc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// writeTimeout lies above the longest deadline, so that its answer always gets out.
const writeTimeout = LongestTimeout + 5*time.Second

// HTTPConfig is what an HTTP server needs.
type HTTPConfig struct {
	// Setting names the setting of Listen, for messages: HTTP_LISTEN or ADMIN_LISTEN.
	Setting, Listen string
	Handler         http.Handler
	// Grace is how long requests in progress may take when the server stops; default 30 s.
	Grace time.Duration
	Log   *slog.Logger
}

// HTTP serves plain HTTP, with a bound on everything that a client could hold open.
type HTTP struct {
	cfg      HTTPConfig
	server   *http.Server
	listener net.Listener
}

// NewHTTP takes the address. Serve must follow, or Close.
func NewHTTP(cfg HTTPConfig) (*HTTP, error) {
	cfg.Grace = cmp.Or(cfg.Grace, 30*time.Second)
	listener, err := listen(cfg.Setting, cfg.Listen)
	if err != nil {
		return nil, err
	}
	return &HTTP{cfg: cfg, listener: listener, server: &http.Server{
		Handler:           cfg.Handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       90 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(cfg.Log.Handler(), slog.LevelWarn),
	}}, nil
}

// Addr is the address that was taken.
func (h *HTTP) Addr() string { return h.listener.Addr().String() }

// Serve serves until ctx ends, then takes no more requests and waits for those in progress, for at most Grace.
func (h *HTTP) Serve(ctx context.Context) error {
	h.cfg.Log.InfoContext(ctx, "HTTP listens", "setting", h.cfg.Setting, "address", h.Addr())
	failed := make(chan error, 1)
	go func() { failed <- h.server.Serve(h.listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("HTTP on %s: %w", h.Addr(), err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), h.cfg.Grace)
	defer cancel()
	if err := h.server.Shutdown(grace); err != nil {
		h.cfg.Log.WarnContext(ctx, "HTTP requests were cut", "setting", h.cfg.Setting, "error", err)
		_ = h.server.Close() // they had their time
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("HTTP on %s: %w", h.Addr(), err)
	}
	return nil
}

// Close gives the address back at once, served or not.
func (h *HTTP) Close() error {
	if err := errors.Join(h.server.Close(), h.listener.Close()); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
