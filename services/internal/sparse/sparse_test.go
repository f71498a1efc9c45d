package sparse_test

import (
	"bytes"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/whatrack/connect/services/internal/sparse"
)

func TestOneLineOfAKindGetsThroughInAWhileAndTellsOfTheOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log := sparse.New(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}})), time.Minute)
		for range 1000 {
			log.Warn("refused", sparse.Cause, "signature", "from", 1)
			log.With("component", "jobs").Warn("refused", sparse.Cause, "size")
			log.Error("refused elsewhere")
		}
		time.Sleep(time.Minute)
		log.Warn("refused", sparse.Cause, "signature", "from", 2)
		time.Sleep(time.Minute)
		log.Warn("refused", sparse.Cause, "signature", "from", 3)
		want := `level=WARN msg=refused cause=signature from=1
level=WARN msg=refused component=jobs cause=size
level=ERROR msg="refused elsewhere"
level=WARN msg=refused cause=signature from=2 count=1000
level=WARN msg=refused cause=signature from=3
`
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Error(diff)
		}
	})
}
