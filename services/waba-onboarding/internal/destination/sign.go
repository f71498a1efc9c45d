package destination

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/keyring"
	"github.com/whatrack/connect/services/internal/secret"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// bothSecrets is how long the secret before a rotation signs too.
const bothSecrets = 24 * time.Hour

// secretPrefix marks a secret of Standard Webhooks.
const secretPrefix = "whsec_"

// newSecret makes 256 bits in the form of a kind.
func newSecret(kind string) secret.Text {
	var bits [32]byte
	_, _ = rand.Read(bits[:]) // never fails since Go 1.24
	if kind == store.KindMetaRaw {
		return secret.New(hex.EncodeToString(bits[:]))
	}
	return secret.New(secretPrefix + base64.StdEncoding.EncodeToString(bits[:]))
}

// chooseSecret is the receiver's own secret, or a new one.
func chooseSecret(kind, given string) (secret.Text, error) {
	if given == "" {
		return newSecret(kind), nil
	}
	if kind == store.KindEvents {
		encoded, ok := strings.CutPrefix(given, secretPrefix)
		key, err := base64.StdEncoding.Strict().DecodeString(encoded)
		if !ok || err != nil || len(key) < 24 || len(key) > 64 {
			return secret.Text{}, fault.Field("secret", "must be whsec_ and the base64 of 24 to 64 bytes")
		}
	}
	return secret.New(given), nil
}

// secretContext ties a sealed secret to its destination and its version.
func secretContext(d store.Destination, version int64) keyring.Context {
	return keyring.Context{Purpose: "destination-secret", Organization: d.OrganizationID, RowID: d.ID.String(), Version: version}
}

// secretsOf opens the secrets that sign now, the newest first.
func (s *Service) secretsOf(d store.Destination) ([]secret.Text, error) {
	newest, err := s.Keys.Open(d.Secret, secretContext(d, d.SecretVersion))
	if err != nil {
		return nil, err
	}
	secrets := []secret.Text{newest}
	if d.PreviousExpireTime != nil && s.Now().Before(*d.PreviousExpireTime) {
		before, err := s.Keys.Open(d.PreviousSecret, secretContext(d, d.SecretVersion-1))
		if err != nil {
			return nil, err
		}
		secrets = append(secrets, before)
	}
	return secrets, nil
}

// sign makes the headers of a body.
func (s *Service) sign(d store.Destination, eventID string, at time.Time, body []byte) (map[string]string, error) {
	secrets, err := s.secretsOf(d)
	if err != nil {
		return nil, err
	}
	headers := map[string]string{"Content-Type": "application/json", "User-Agent": s.agent}
	if d.Kind == store.KindMetaRaw {
		mac := hmac.New(sha256.New, []byte(secrets[0].Reveal()))
		mac.Write(body)
		headers["X-Hub-Signature-256"] = "sha256=" + hex.EncodeToString(mac.Sum(nil))
		return headers, nil
	}
	signatures := make([]string, 0, len(secrets))
	for _, key := range secrets {
		signer, err := standardwebhooks.NewWebhook(key.Reveal())
		if err != nil {
			return nil, fmt.Errorf("the secret of destination %s is none", d.ID) // err may show parts of it
		}
		signature, err := signer.Sign(eventID, at, body)
		if err != nil {
			return nil, fmt.Errorf("sign for destination %s: %w", d.ID, err)
		}
		signatures = append(signatures, signature)
	}
	headers[standardwebhooks.HeaderWebhookID] = eventID
	headers[standardwebhooks.HeaderWebhookTimestamp] = strconv.FormatInt(at.Unix(), 10)
	headers[standardwebhooks.HeaderWebhookSignature] = strings.Join(signatures, " ")
	return headers, nil
}
