// Command token-broker spends authorization codes and keeps the access tokens of customers.
package main

import (
	"context"
	"os"

	"github.com/whatrack/connect/services/internal/cli"
	"github.com/whatrack/connect/services/token-broker/server"
)

func main() {
	os.Exit(cli.Main(context.Background(), cli.OS(), server.Program()))
}
