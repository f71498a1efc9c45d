// Package rpc carries calls: the gRPC server of a service, its REST gateway, its plain HTTP, and the client with which
// one service calls the other.
//
// What it promises. Every call meets the same steps in the same order, whether it came over TCP or through the gateway:
// a panic ends one call and not the process; the call has a request id, one log line and a deadline; its caller is known
// and may do this, or is refused; its message obeys the rules of the contract. Errors leave through one door: a fault as
// it is, anything else as INTERNAL with a request id and no text.
//
// What it refuses. Plaintext that nobody asked for. Methods that no policy names. Headers from outside that only the
// gateway may set. To log a message, whole or in part: requests carry authorization codes and PINs.
package rpc

import (
	"time"

	"google.golang.org/grpc"
)

// defaultTimeout is the deadline of a method that has none of its own.
const defaultTimeout = 10 * time.Second

// Deadlines from which others follow, on either side of a call.
const (
	// ExchangeTimeout is how long the broker may take to spend a code.
	ExchangeTimeout = 22 * time.Second
	// LongestTimeout is the longest deadline that a method has.
	LongestTimeout = 27 * time.Second
)

// Service is one gRPC service and what serves it.
type Service struct {
	Desc *grpc.ServiceDesc
	Impl any
}
