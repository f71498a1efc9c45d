// Command devstack runs the whole of whatrack-connect in one process on SQLite, with Meta simulated: the one command that
// shows it working on a bare machine. It listens on 127.0.0.1 only and is not for production.
package main

import (
	"context"
	"os"

	"github.com/whatrack/connect/services/internal/cli"
)

func main() {
	settings := &Settings{Stdout: os.Stdout}
	os.Exit(cli.Main(context.Background(), cli.OS(), cli.Program{
		Name:        "devstack",
		Description: "Runs token-broker, waba-onboarding and a simulated Meta in one process, on SQLite.",
		Settings:    settings,
		Serve:       settings.serve,
	}))
}
