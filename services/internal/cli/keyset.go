package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/whatrack/connect/services/internal/database"
	"github.com/whatrack/connect/services/internal/keyring"
)

// OpenKeyset opens the keyset, which must be that of the database: another one would open nothing that is there, and seal
// what comes under a key that is lost when the right one is put back.
func (c *Common) OpenKeyset(ctx context.Context, db *database.DB, sealed []database.SealedColumn) (*keyring.Keyring, error) {
	keys, err := c.readKeyset()
	if err != nil {
		return nil, err
	}
	if err := db.CheckKeys(ctx, sealed, keys.KeyIDs()); err != nil {
		return nil, fmt.Errorf("KEYSET_FILE %s: %w", c.KeysetFile, err)
	}
	return keys, nil
}

func (c *Common) readKeyset() (*keyring.Keyring, error) {
	keys, err := keyring.Open(c.KeysetFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("KEYSET_FILE: %w: put the database's keyset there, or make one for a new database with 'keyset create'", err)
	}
	if err != nil {
		return nil, fmt.Errorf("KEYSET_FILE: %w", err)
	}
	return keys, nil
}
