package keyring_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/whatrack/connect/services/internal/keyring"
	"github.com/whatrack/connect/services/internal/secret"
)

const canary = "EAAGcanarytoken0123456789"

func place() keyring.Context {
	return keyring.Context{Purpose: "access-token", Organization: "org-1", RowID: "0190a1", Version: 3}
}

func setup(t testing.TB) *keyring.Keyring {
	t.Helper()
	k, err := keyring.Ephemeral()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func seal(t testing.TB, k *keyring.Keyring, where keyring.Context) keyring.Sealed {
	t.Helper()
	sealed, err := k.Seal(secret.New(canary), where)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestASealedSecretOpensWhereItWasSealed(t *testing.T) {
	t.Parallel()
	k := setup(t)
	sealed := seal(t, k, place())
	if sealed.KeyID != k.PrimaryKeyID() || sealed.KeyID == 0 {
		t.Errorf("sealed with key %d, the primary is %d", sealed.KeyID, k.PrimaryKeyID())
	}
	if bytes.Contains(sealed.Ciphertext, []byte(canary[:8])) {
		t.Error("the ciphertext holds the secret")
	}
	got, err := k.Open(sealed.Ciphertext, place())
	if err != nil || got.Reveal() != canary {
		t.Errorf("got %q, %v", got.Reveal(), err)
	}
	if again := seal(t, k, place()); bytes.Equal(again.Ciphertext, sealed.Ciphertext) {
		t.Error("sealing twice gives the same ciphertext")
	}
}

func TestASealedSecretOpensNowhereElse(t *testing.T) {
	t.Parallel()
	k := setup(t)
	sealed := seal(t, k, place())
	for name, move := range map[string]func(*keyring.Context){
		"another purpose":      func(c *keyring.Context) { c.Purpose = "pin" },
		"another organization": func(c *keyring.Context) { c.Organization = "org-2" },
		"another row":          func(c *keyring.Context) { c.RowID = "0190a2" },
		"a newer version":      func(c *keyring.Context) { c.Version = 4 },
		"an older version":     func(c *keyring.Context) { c.Version = 2 },
		"minus the version":    func(c *keyring.Context) { c.Version = -3 },
		"a letter across":      func(c *keyring.Context) { c.Organization, c.RowID = "org-10", "190a1" },
		"two fields swapped":   func(c *keyring.Context) { c.Organization, c.RowID = c.RowID, c.Organization },
	} {
		where := place()
		move(&where)
		got, err := k.Open(sealed.Ciphertext, where)
		if !errors.Is(err, keyring.ErrIntegrity) || !got.IsEmpty() {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := setup(t).Open(sealed.Ciphertext, place()); !errors.Is(err, keyring.ErrIntegrity) {
		t.Errorf("another keyring: %v", err)
	}
}

func TestEveryBitOfACiphertextCounts(t *testing.T) {
	t.Parallel()
	k := setup(t)
	sealed := seal(t, k, place()).Ciphertext
	for i := range len(sealed) * 8 {
		changed := bytes.Clone(sealed)
		changed[i/8] ^= 1 << (i % 8)
		if _, err := k.Open(changed, place()); !errors.Is(err, keyring.ErrIntegrity) {
			t.Fatalf("bit %d: %v", i, err)
		}
	}
	for n := range sealed {
		if _, err := k.Open(sealed[:n], place()); !errors.Is(err, keyring.ErrIntegrity) {
			t.Fatalf("first %d bytes: %v", n, err)
		}
	}
	for name, more := range map[string][]byte{"nil": nil, "longer": append(bytes.Clone(sealed), 0), "1 MiB": make([]byte, 1<<20)} {
		if _, err := k.Open(more, place()); !errors.Is(err, keyring.ErrIntegrity) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAPlaceThatBindsNothingIsRefused(t *testing.T) {
	t.Parallel()
	k := setup(t)
	sealed := seal(t, k, place())
	for _, where := range []keyring.Context{
		{}, {Purpose: "a", Organization: "b"}, {Purpose: "a", RowID: "c"}, {Organization: "b", RowID: "c"},
	} {
		if _, err := k.Seal(secret.New(canary), where); err == nil {
			t.Errorf("sealed for %+v", where)
		}
		if _, err := k.Open(sealed.Ciphertext, where); err == nil {
			t.Errorf("opened for %+v", where)
		}
	}
}

func TestNothingAndTooMuchAreNotSealed(t *testing.T) {
	t.Parallel()
	k := setup(t)
	if _, err := k.Seal(secret.Text{}, place()); err == nil {
		t.Error("an empty secret was sealed")
	}
	if _, err := k.Seal(secret.New(strings.Repeat("x", 64<<10+1)), place()); err == nil {
		t.Error("more than 64 KiB were sealed")
	}
	sealed, err := k.Seal(secret.New(strings.Repeat("x", 64<<10)), place())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Open(sealed.Ciphertext, place()); err != nil {
		t.Errorf("the longest secret does not open: %v", err)
	}
}

func TestAKeyringIsSharedByManyAndPrintsNoSecret(t *testing.T) {
	t.Parallel()
	k := setup(t)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			where := place()
			where.Version = int64(i)
			for range 50 {
				sealed, err := k.Seal(secret.New(canary), where)
				if err != nil {
					t.Error(err)
					return
				}
				got, err := k.Open(sealed.Ciphertext, where)
				if err != nil || strings.Contains(fmt.Sprintf("%v %+v %#v", got, got, sealed), canary) {
					t.Errorf("%v", err)
				}
			}
		})
	}
	all.Wait()
}

func BenchmarkOpen(b *testing.B) {
	k := setup(b)
	sealed, err := k.Seal(secret.New(strings.Repeat("x", 250)), place())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Open(sealed.Ciphertext, place()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpenToken(b *testing.B) {
	k := setup(b)
	token, err := k.SealToken("page", "org-1", []byte(`{"after":"0190a1","limit":50}`))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.OpenToken("page", "org-1", token); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzOpen brings ciphertexts that nobody sealed.
func FuzzOpen(f *testing.F) {
	k := setup(f)
	real := seal(f, k, place()).Ciphertext
	f.Add(real, "access-token", "org-1", "0190a1", int64(3))
	f.Add(real, "access-token", "org-2", "0190a1", int64(3))
	f.Add(real[:20], "a", "b", "c", int64(0))
	f.Add([]byte{}, "", "", "", int64(-1))
	f.Fuzz(func(t *testing.T, ciphertext []byte, purpose, organization, row string, version int64) {
		where := keyring.Context{Purpose: purpose, Organization: organization, RowID: row, Version: version}
		got, err := k.Open(ciphertext, where)
		genuine := bytes.Equal(ciphertext, real) && where == place()
		if (err == nil) != genuine || (err != nil && !got.IsEmpty()) {
			t.Errorf("opened %x at %+v: %v", ciphertext, where, err)
		}
	})
}
