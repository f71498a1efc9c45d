package secret_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/whatrack/connect/services/internal/secret"
)

func TestASecretNeverPrints(t *testing.T) {
	t.Parallel()
	const canary = "EAAcanary"
	text := secret.New(canary)
	inner := struct{ hidden secret.Text }{text}

	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+verb+verb, text, &text, inner)
	}
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "token", text, "inner", inner)
	if err := json.NewEncoder(&out).Encode(map[string]any{"a": text, "b": &text}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), canary) || strings.Contains(out.String(), fmt.Sprintf("%x", canary)) {
		t.Errorf("the secret was printed: %s", out.String())
	}
	if text.Reveal() != canary {
		t.Errorf("Reveal = %q", text.Reveal())
	}
}
