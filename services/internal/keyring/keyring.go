// Package keyring seals what must not be readable where it is kept: access tokens and PINs in rows, and the opaque
// tokens that callers carry for us.
//
// It promises that a sealed value opens only with a key of the keyring and only where it was sealed: the associated
// data binds purpose, organization, row and version, so a value that was moved to another row, put back after a newer
// one, or changed by a bit is ErrIntegrity, never another plaintext. Plaintext leaves only as secret.Text.
//
// It refuses key files that others could read, keysets of any other kind than AES-256-GCM, and input larger than
// anything we seal. The cryptography is Tink's.
package keyring

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/aead/aesgcm"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"

	"github.com/whatrack/connect/services/internal/secret"
)

const (
	// maxPlaintext is four times the longest token that we send to Meta.
	maxPlaintext = 64 << 10

	// overhead is Tink's prefix (format byte and key id), the nonce and the tag of AES-GCM.
	overhead = prefixSize + 12 + 16

	prefixSize   = 5
	formatByte   = 1 // of Tink's output prefix: a key id of four bytes follows
	aes256KeyLen = 32
)

// ErrIntegrity says that a sealed value does not open: it was changed or moved, it was sealed for something else, or
// with a key that is not here. It is an alarm, not a "not found".
var ErrIntegrity = errors.New("keyring: sealed value does not open")

// Keyring is safe for concurrent use.
type Keyring struct {
	primary uint32
	known   map[uint32]bool
	aead    tink.AEAD
}

// Sealed is what a row keeps of a secret.
//
// Ciphertext is Tink's wire format: 0x01, the key id as four bytes (big endian), a nonce of 12 bytes, the encrypted
// secret, and a tag of 16 bytes. KeyID repeats the key id for queries: which rows wait for re-sealing.
type Sealed struct {
	Ciphertext []byte
	KeyID      uint32
}

// Ephemeral makes a keyring that is gone with the process, for tests.
func Ephemeral() (*Keyring, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("make keyset: %w", err)
	}
	return fromHandle(handle)
}

func fromHandle(handle *keyset.Handle) (*Keyring, error) {
	k := &Keyring{known: map[uint32]bool{}}
	for i := range handle.Len() {
		entry, err := handle.Entry(i)
		if err != nil {
			return nil, fmt.Errorf("key %d of the keyset: %w", i+1, err)
		}
		if entry.KeyStatus() != keyset.Enabled {
			continue
		}
		if err := checkKind(entry); err != nil {
			return nil, fmt.Errorf("key %d of the keyset: %w", entry.KeyID(), err)
		}
		k.known[entry.KeyID()] = true
		if entry.IsPrimary() {
			k.primary = entry.KeyID()
		}
	}
	primitive, err := aead.New(handle)
	if err != nil {
		return nil, fmt.Errorf("keyset: %w", err)
	}
	k.aead = primitive
	return k, nil
}

// checkKind wants AES-256-GCM with Tink's prefix. Without the prefix a ciphertext would not name its key, and rotation
// could not tell what it has to seal again.
func checkKind(entry *keyset.Entry) error {
	parameters, ok := entry.Key().Parameters().(*aesgcm.Parameters)
	if !ok || parameters.KeySizeInBytes() != aes256KeyLen || parameters.Variant() != aesgcm.VariantTink {
		return errors.New("is no AES-256-GCM key with the output prefix TINK")
	}
	return nil
}

// KeyIDs are the ids of the keys that open.
func (k *Keyring) KeyIDs() []uint32 { return slices.Sorted(maps.Keys(k.known)) }

// Seal seals a secret for one place. It refuses an empty secret, which marks a row without one.
func (k *Keyring) Seal(plaintext secret.Text, where Context) (Sealed, error) {
	if err := where.check(); err != nil {
		return Sealed{}, err
	}
	if plaintext.IsEmpty() {
		return Sealed{}, errors.New("seal: the secret is empty")
	}
	if len(plaintext.Reveal()) > maxPlaintext {
		return Sealed{}, fmt.Errorf("seal: the secret is longer than %d bytes", maxPlaintext)
	}
	ciphertext, err := k.aead.Encrypt([]byte(plaintext.Reveal()), where.associatedData())
	if err != nil {
		return Sealed{}, fmt.Errorf("seal: %w", err)
	}
	return Sealed{KeyID: k.primary, Ciphertext: ciphertext}, nil
}

// Open opens the Ciphertext of a Sealed at the place that it was sealed for, or returns ErrIntegrity.
func (k *Keyring) Open(ciphertext []byte, where Context) (secret.Text, error) {
	if err := where.check(); err != nil {
		return secret.Text{}, err
	}
	plaintext, err := k.open(ciphertext, where.associatedData(), maxPlaintext)
	if err != nil {
		return secret.Text{}, err
	}
	return secret.New(string(plaintext)), nil
}

func (k *Keyring) open(ciphertext, associatedData []byte, limit int) ([]byte, error) {
	switch {
	case len(ciphertext) < overhead:
		return nil, fmt.Errorf("%w: it is cut short", ErrIntegrity)
	case len(ciphertext) > limit+overhead:
		return nil, fmt.Errorf("%w: it is longer than anything that is sealed", ErrIntegrity)
	case ciphertext[0] != formatByte:
		return nil, fmt.Errorf("%w: it is of no format that is known", ErrIntegrity)
	}
	if id := binary.BigEndian.Uint32(ciphertext[1:prefixSize]); !k.known[id] {
		return nil, fmt.Errorf("%w: its key %d is not in the keyset", ErrIntegrity, id)
	}
	plaintext, err := k.aead.Decrypt(ciphertext, associatedData)
	if err != nil { // Tink tells no more, and there is no more to tell
		return nil, fmt.Errorf("%w: it was changed, or sealed for another place", ErrIntegrity)
	}
	return plaintext, nil
}
