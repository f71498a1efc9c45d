package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestMain lets the test binary stand in for curl and grpcurl, under their names: the README is run as it is pasted, also
// where they are not installed.
func TestMain(m *testing.M) {
	switch filepath.Base(os.Args[0]) {
	case "curl":
		os.Exit(curl(os.Args[1:], os.Stdout, os.Stderr))
	case "grpcurl":
		os.Exit(grpcurl(os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}
