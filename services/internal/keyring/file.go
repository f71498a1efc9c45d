package keyring

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
)

const (
	// ownerOnly is the loosest mode that a key file may have.
	ownerOnly = 0o600

	// maxKeyFile holds some two hundred keys.
	maxKeyFile = 64 << 10
)

// Create writes a new keyset of one key to a new file, as Tink's cleartext JSON, mode 0600, on disk when it returns. A
// file that exists is left alone: errors.Is(err, fs.ErrExist).
func Create(path string) error {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return fmt.Errorf("make keyset: %w", err)
	}
	var text bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&text)); err != nil {
		return fmt.Errorf("make keyset: %w", err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, ownerOnly) //nolint:gosec // G304: the operator names the file
	if err != nil {
		return fmt.Errorf("create keyset file: %w", err)
	}
	if err := writeDurably(file, text.Bytes()); err != nil {
		return errors.Join(fmt.Errorf("write keyset file: %w", err), os.Remove(path))
	}
	return nil
}

// writeDurably syncs the directory too: a key that is lost with its directory entry takes everything sealed along.
func writeDurably(file *os.File, text []byte) error {
	_, err := file.Write(text)
	if err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(file.Name()))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Open reads a keyset file. A missing one is errors.Is(err, fs.ErrNotExist).
//
// Links are followed, since Kubernetes mounts secrets through them, and the file at their end is judged: mode 0600 or
// tighter. No error quotes what stands in the file, which may be key material also where it is no keyset.
func Open(path string) (*Keyring, error) {
	text, err := readPrivate(path)
	if err != nil {
		return nil, err
	}
	reader := keyset.NewJSONReader(bytes.NewReader(text))
	handle, err := insecurecleartextkeyset.Read(reader)
	if err != nil {
		return nil, fmt.Errorf("%s %w", path, refusal(text))
	}
	k, err := fromHandle(handle)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return k, nil
}

// refusal says what a file is that Tink refuses. Tink's own error is kept out: it may quote the line.
func refusal(text []byte) error {
	if sealed, err := keyset.NewJSONReader(bytes.NewReader(text)).ReadEncrypted(); err == nil && len(sealed.GetEncryptedKeyset()) > 0 {
		return errors.New("is sealed by a KMS key, which this build does not support: use a cleartext keyset")
	}
	return errors.New("is no Tink JSON keyset, or a part of one: restore it from its backup (a new keyset opens nothing that is sealed)")
}

// readPrivate opens before it looks, so that what was judged is what is read, and without waiting: a pipe would keep
// the start hanging.
func readPrivate(path string) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) //nolint:gosec // G304: the operator names the file
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", path)
	}
	if mode := info.Mode().Perm(); mode&^ownerOnly != 0 {
		return nil, fmt.Errorf("%s has mode %04o, so that others than its owner may get at the keys: "+
			"chmod 600 it, or defaultMode 0400 for a mounted secret", path, mode)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxKeyFile+1))
	switch {
	case err != nil:
		return nil, err
	case len(bytes.TrimSpace(text)) == 0:
		return nil, fmt.Errorf("%s is empty: restore it from its backup (a new keyset opens nothing that is sealed)", path)
	case len(text) > maxKeyFile:
		return nil, fmt.Errorf("%s is longer than %d bytes", path, maxKeyFile)
	}
	return text, nil
}
