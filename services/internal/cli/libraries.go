package cli

import (
	"fmt"
	"io"
	"log/slog"
	"strings"

	"google.golang.org/grpc/grpclog"
)

// adoptLibraries makes what gRPC and its gateway say by themselves lines of our log. They have one logger for the whole
// process, and write to stderr otherwise.
func adoptLibraries(log *slog.Logger) {
	nowhere := grpclog.NewLoggerV2(io.Discard, io.Discard, io.Discard)
	grpclog.SetLoggerV2(&libraryLogger{LoggerV2: nowhere, log: log})
}

// libraryLogger keeps errors: most are of a client that went away. Warnings are dropped, as by default, since strangers
// cause them and some quote a header; so are the rest.
type libraryLogger struct {
	grpclog.LoggerV2
	log *slog.Logger
}

func (l *libraryLogger) warn(text string) {
	l.log.Warn("gRPC says", "error", strings.TrimSpace(text))
}

// Error implements grpclog.LoggerV2.
func (l *libraryLogger) Error(args ...any) { l.warn(fmt.Sprint(args...)) }

// Errorln implements grpclog.LoggerV2.
func (l *libraryLogger) Errorln(args ...any) { l.warn(fmt.Sprintln(args...)) }

// Errorf implements grpclog.LoggerV2.
func (l *libraryLogger) Errorf(format string, args ...any) { l.warn(fmt.Sprintf(format, args...)) }

// Fatal implements grpclog.LoggerV2, whose caller exits.
func (l *libraryLogger) Fatal(args ...any) { l.warn(fmt.Sprint(args...)) }

// Fatalln implements grpclog.LoggerV2.
func (l *libraryLogger) Fatalln(args ...any) { l.warn(fmt.Sprintln(args...)) }

// Fatalf implements grpclog.LoggerV2.
func (l *libraryLogger) Fatalf(format string, args ...any) { l.warn(fmt.Sprintf(format, args...)) }
