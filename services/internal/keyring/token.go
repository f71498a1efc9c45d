package keyring

import (
	"encoding/base64"
	"errors"
	"fmt"
)

const (
	// maxToken is the longest token that is looked at: callers bring them, in URLs too.
	maxToken = 1024

	// maxPayload is what fits such a token.
	maxPayload = maxToken/4*3 - overhead
)

// SealToken makes an opaque token of a payload, for callers to carry: page tokens, connect links, client tokens. It is
// base64url (RFC 4648, 5) without padding of what Seal would make, bound to purpose and organization alone.
//
// The organization may be empty, for platform callers; that too is bound. A token does not expire by itself: payloads
// say until when they are good.
func (k *Keyring) SealToken(purpose, organization string, payload []byte) (string, error) {
	if purpose == "" {
		return "", errors.New("seal token: it needs a purpose")
	}
	if len(payload) > maxPayload {
		return "", fmt.Errorf("seal token: the payload is longer than %d bytes", maxPayload)
	}
	ciphertext, err := k.aead.Encrypt(payload, joined(tokenFormat, purpose, organization))
	if err != nil {
		return "", fmt.Errorf("seal token: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(ciphertext), nil
}

// OpenToken returns the payload of a token of this purpose and organization, or ErrIntegrity, which says no more: a
// stranger brought it.
func (k *Keyring) OpenToken(purpose, organization, token string) ([]byte, error) {
	if purpose == "" || len(token) > maxToken {
		return nil, ErrIntegrity
	}
	ciphertext, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil {
		return nil, ErrIntegrity
	}
	if base64.RawURLEncoding.EncodedLen(len(ciphertext)) != len(token) { // the decoder skips line breaks
		return nil, ErrIntegrity
	}
	payload, err := k.open(ciphertext, joined(tokenFormat, purpose, organization), maxPayload)
	if err != nil {
		return nil, ErrIntegrity
	}
	return payload, nil
}
