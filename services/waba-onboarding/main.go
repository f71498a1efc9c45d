// Command waba-onboarding connects customers' WhatsApp Business Accounts.
package main

import (
	"context"
	"os"

	"github.com/whatrack/connect/services/internal/cli"
	"github.com/whatrack/connect/services/waba-onboarding/server"
)

func main() {
	os.Exit(cli.Main(context.Background(), cli.OS(), server.Program()))
}
