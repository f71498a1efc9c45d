package broker_test

import (
	"os"
	"testing"

	"github.com/whatrack/connect/services/internal/leaktest"
)

// TestMain fails when a broker that was stopped left a goroutine of ours behind.
func TestMain(m *testing.M) {
	countFailuresOnSQLite()
	os.Exit(leaktest.Run(m))
}
