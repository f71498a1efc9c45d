package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
)

// checkPorts takes every address for a moment, and names all that are taken by the settings of this program: the servers
// know each only by the name that it has in a service of its own, and would stop at the first.
func (s *Settings) checkPorts(ctx context.Context) error {
	var errs []error
	for _, a := range s.addresses() {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", a.listen)
		switch {
		case errors.Is(err, syscall.EADDRINUSE):
			errs = append(errs, fmt.Errorf("%s %s is taken: stop what uses it or set %s", a.setting, a.listen, a.setting))
		case err != nil:
			errs = append(errs, fmt.Errorf("%s %s: %w", a.setting, a.listen, err))
		default:
			defer func() { _ = listener.Close() }() // when all are taken, so that an address given twice is found too
		}
	}
	return errors.Join(errs...)
}
