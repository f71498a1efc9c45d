package webhook

import (
	"strings"

	onboardingv1 "github.com/whatrack/connect/gen/whatrack/wabaonboarding/v1"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// Describe is a change as callers see it, with its value.
func Describe(c store.Change) *onboardingv1.Change {
	described := describeChange(c)
	described.ValueJson = strings.ToValidUTF8(string(c.Value), "\uFFFD")
	return described
}
