package keyring_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/daead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/mac"
	tinkpb "github.com/tink-crypto/tink-go/v2/proto/tink_go_proto"

	"github.com/whatrack/connect/services/internal/keyring"
)

func create(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keyset.json")
	if err := keyring.Create(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func write(t *testing.T, text []byte, mode fs.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keyset.json")
	if err := os.WriteFile(path, text, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func open(t *testing.T, path string) *keyring.Keyring {
	t.Helper()
	k, err := keyring.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestAKeyFileOpensWhatItSealedBeforeARestart(t *testing.T) {
	t.Parallel()
	path := create(t)
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	sealed := seal(t, open(t, path), place())
	got, err := open(t, path).Open(sealed.Ciphertext, place())
	if err != nil || got.Reveal() != canary {
		t.Errorf("got %q, %v", got.Reveal(), err)
	}
}

func TestAKeyFileIsNeverOverwritten(t *testing.T) {
	t.Parallel()
	path := create(t)
	before := read(t, path)
	if err := keyring.Create(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v", err)
	}
	if !bytes.Equal(before, read(t, path)) {
		t.Error("the key file changed")
	}
	if err := keyring.Create(filepath.Join(t.TempDir(), "none", "keyset.json")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in a missing directory: %v", err)
	}
}

func TestAKeyFileThatOthersMayTouchIsRefused(t *testing.T) {
	t.Parallel()
	text := read(t, create(t))
	for _, mode := range []fs.FileMode{0o400, 0o600, 0o200 | 0o400} {
		if _, err := keyring.Open(write(t, text, mode)); err != nil {
			t.Errorf("%o: %v", mode, err)
		}
	}
	for _, mode := range []fs.FileMode{0o644, 0o640, 0o440, 0o604, 0o620, 0o602, 0o700, 0o777} {
		path := write(t, text, mode)
		if _, err := keyring.Open(path); err == nil || !strings.Contains(err.Error(), "chmod 600") || !strings.Contains(err.Error(), path) {
			t.Errorf("%o: %v", mode, err)
		}
	}
}

func TestTheFileBehindALinkIsJudged(t *testing.T) {
	t.Parallel()
	text := read(t, create(t))
	for mode, fine := range map[fs.FileMode]bool{0o400: true, 0o644: false} {
		link := filepath.Join(t.TempDir(), "link")
		if err := os.Symlink(write(t, text, mode), link); err != nil {
			t.Fatal(err)
		}
		if _, err := keyring.Open(link); (err == nil) != fine {
			t.Errorf("%o: %v", mode, err)
		}
	}
}

func TestAFileThatIsNoKeysetSaysSo(t *testing.T) {
	t.Parallel()
	good := read(t, create(t))
	material := regexp.MustCompile(`"value":\s*"([^"]+)"`).FindSubmatch(good)[1]
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ path, says string }{
		"missing":         {filepath.Join(t.TempDir(), "none"), "no such file"},
		"directory":       {t.TempDir(), "no regular file"},
		"pipe":            {pipe, "no regular file"},
		"empty":           {write(t, nil, 0o600), "is empty"},
		"blank":           {write(t, []byte(" \n"), 0o600), "is empty"},
		"truncated":       {write(t, good[:len(good)-10], 0o600), "no Tink JSON keyset"},
		"key in the open": {write(t, append([]byte(`{"primaryKeyId":"`), material...), 0o600), "no Tink JSON keyset"},
		"text":            {write(t, []byte("c2VjcmV0IGtleQ=="), 0o600), "no Tink JSON keyset"},
		"empty object":    {write(t, []byte("{}"), 0o600), "no Tink JSON keyset"},
		"huge":            {write(t, bytes.Repeat([]byte(" x"), 64<<10), 0o600), "longer than"},
		"sealed by a KMS": {write(t, []byte(`{"encryptedKeyset":"AAAA"}`), 0o600), "KMS"},
		"AES-128":         {keysetOf(t, aead.AES128GCMKeyTemplate()), "no AES-256-GCM key"},
		"without prefix":  {keysetOf(t, aead.AES256GCMNoPrefixKeyTemplate()), "no AES-256-GCM key"},
		"other AEAD":      {keysetOf(t, aead.XChaCha20Poly1305KeyTemplate()), "no AES-256-GCM key"},
		"deterministic":   {keysetOf(t, daead.AESSIVKeyTemplate()), "no AES-256-GCM key"},
		"MAC":             {keysetOf(t, mac.HMACSHA256Tag256KeyTemplate()), "no AES-256-GCM key"},
		"one of two":      {keysetOf(t, aead.AES256GCMKeyTemplate(), aead.AES128GCMKeyTemplate()), "no AES-256-GCM key"},
	} {
		_, err := keyring.Open(c.path)
		if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), c.path) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if strings.Contains(err.Error(), string(material)) {
			t.Errorf("%s: the key is in %v", name, err)
		}
	}
}

// keysetOf writes a keyset of such keys, the last one primary.
func keysetOf(t *testing.T, templates ...*tinkpb.KeyTemplate) string {
	t.Helper()
	manager := keyset.NewManager()
	for _, template := range templates {
		id, err := manager.Add(template)
		if err != nil {
			t.Fatal(err)
		}
		if err := manager.SetPrimary(id); err != nil {
			t.Fatal(err)
		}
	}
	handle, err := manager.Handle()
	if err != nil {
		t.Fatal(err)
	}
	return writeHandle(t, handle)
}

func writeHandle(t *testing.T, handle *keyset.Handle) string {
	t.Helper()
	var text bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&text)); err != nil {
		t.Fatal(err)
	}
	return write(t, text.Bytes(), 0o600)
}

func TestAfterRotationOldSecretsOpenUntilTheirKeyIsRetired(t *testing.T) {
	t.Parallel()
	path := keysetOf(t, aead.AES256GCMKeyTemplate())
	old := seal(t, open(t, path), place())

	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(read(t, path))))
	if err != nil {
		t.Fatal(err)
	}
	manager := keyset.NewManagerFromHandle(handle)
	id, err := manager.Add(aead.AES256GCMKeyTemplate())
	if err != nil {
		t.Fatal(err)
	}
	rotate := func(step func() error) *keyring.Keyring {
		t.Helper()
		if err := step(); err != nil {
			t.Fatal(err)
		}
		handle, err := manager.Handle()
		if err != nil {
			t.Fatal(err)
		}
		return open(t, writeHandle(t, handle))
	}
	promoted := rotate(func() error { return manager.SetPrimary(id) })
	if sealed := seal(t, promoted, place()); sealed.KeyID != id || sealed.KeyID == old.KeyID {
		t.Errorf("sealed with key %d, not with %d", sealed.KeyID, id)
	}
	if _, err := promoted.Open(old.Ciphertext, place()); err != nil {
		t.Errorf("an old secret does not open: %v", err)
	}
	retired := rotate(func() error { return manager.Disable(old.KeyID) })
	if _, err := retired.Open(old.Ciphertext, place()); !errors.Is(err, keyring.ErrIntegrity) || !strings.Contains(err.Error(), "is not in the keyset") {
		t.Errorf("with its key retired: %v", err)
	}
}
