package rpc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
)

// listen takes an address, and says which setting to change when it can not.
func listen(setting, address string) (net.Listener, error) {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s %s is taken: stop what uses it or set %s", setting, address, setting)
	case err != nil:
		return nil, fmt.Errorf("%s %s: %w", setting, address, err)
	}
	return listener, nil
}
