package identity_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/identity"
	"github.com/whatrack/connect/services/internal/keyring"
	"github.com/whatrack/connect/services/internal/secret"
)

func clients(t *testing.T, now *time.Time) *identity.Clients {
	t.Helper()
	keys, err := keyring.Ephemeral()
	if err != nil {
		t.Fatal(err)
	}
	return &identity.Clients{Keys: keys, Now: func() time.Time { return *now }}
}

func TestAClientTokenIsGoodForItsOnboardingUntilItExpires(t *testing.T) {
	t.Parallel()
	now := time.Now()
	c := clients(t, &now)
	client := identity.Client{Organization: "org-1", Onboarding: "0193", StateHash: strings.Repeat("a", 64), Expire: now.Add(time.Minute), State: secret.New("canary")}
	token, err := c.Seal(client)
	if err != nil {
		t.Fatal(err)
	}
	if !identity.IsClientToken(token) || strings.Contains(token.Reveal(), "org-1") || strings.Contains(token.Reveal(), "canary") {
		t.Errorf("the token is %q", token.Reveal())
	}
	caller, err := c.Find(token)
	if err != nil || caller.Client == nil || caller.Client.Onboarding != "0193" || caller.Client.StateHash != client.StateHash || caller.Client.State.Reveal() != "canary" {
		t.Fatalf("%+v %v", caller, err)
	}
	if organization, err := caller.Organization(""); organization != "org-1" || err != nil {
		t.Errorf("acts in %q: %v", organization, err)
	}
	if _, err := caller.Scope("org-2"); !errors.Is(err, fault.New(errorsv1.ErrorReason_PERMISSION_DENIED)) {
		t.Errorf("acts in another organization: %v", err)
	}
	if caller.Role >= identity.Viewer || caller.IsPlatform() {
		t.Errorf("has a role: %+v", caller)
	}
	now = now.Add(time.Minute)
	if _, err := c.Find(token); !errors.Is(err, fault.New(errorsv1.ErrorReason_CREDENTIAL_EXPIRED)) {
		t.Errorf("after its time: %v", err)
	}
}

func TestOnlyOurOwnClientTokensAreBelieved(t *testing.T) {
	t.Parallel()
	now := time.Now()
	c, other := clients(t, &now), clients(t, &now)
	client := identity.Client{Organization: "org-1", Onboarding: "0193", Expire: now.Add(time.Minute)}
	token, err := c.Seal(client)
	if err != nil {
		t.Fatal(err)
	}
	page, err := c.Keys.SealToken("page:connections:", "", []byte(`{"organization":"org-1","onboarding":"0193"}`))
	if err != nil {
		t.Fatal(err)
	}
	raw := strings.TrimPrefix(token.Reveal(), "wct_")
	for name, forged := range map[string]string{
		"plain":             "wct_" + base64.RawURLEncoding.EncodeToString([]byte(`{"organization":"org-1"}`)),
		"cut":               "wct_" + raw[:len(raw)-4],
		"changed":           "wct_" + raw[:20] + "AAAA" + raw[24:],
		"another's purpose": "wct_" + page,
		"nothing":           "wct_",
		"far too long":      "wct_" + strings.Repeat("A", 1<<20),
		"with a line in it": "wct_" + raw[:10] + "\n" + raw[10:],
	} {
		if _, err := c.Find(secret.New(forged)); !errors.Is(err, fault.New(errorsv1.ErrorReason_UNAUTHENTICATED)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := other.Find(token); !errors.Is(err, fault.New(errorsv1.ErrorReason_UNAUTHENTICATED)) {
		t.Errorf("another service's: %v", err)
	}
}
