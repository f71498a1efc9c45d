package cli

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// healthcheck asks our own admin port, so that an image needs no other program for it.
func (i *invocation) healthcheck(ctx context.Context) error {
	settings, ok := i.program.Settings.(administered)
	if !ok { // prune took the command away
		return fmt.Errorf("%s has no admin port", i.program.Name)
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+reachable(settings.adminListen())+"/readyz", nil)
	if err != nil {
		return fmt.Errorf("ADMIN_LISTEN: %w", err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // no proxy of the environment
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("not ready: %w", err)
	}
	defer func() { _ = resp.Body.Close() }() // read as far as wanted
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("not ready: %s\n%s", resp.Status, body)
	}
	_, err = fmt.Fprintln(i.stdout, strings.TrimSpace(string(body)))
	return err
}

// reachable is where a listener of this address can be reached from its own machine.
func reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}
