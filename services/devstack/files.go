package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/whatrack/connect/services/internal/database"
	"github.com/whatrack/connect/services/internal/keyring"
	"github.com/whatrack/connect/services/internal/secret"
)

// file is the path of a file in the data folder.
func (s *Settings) file(name string) string { return filepath.Join(s.Data, name) }

// operatorToken reads the bearer token, or makes one at the first start.
func (s *Settings) operatorToken() (secret.Text, error) {
	path := s.file("operator-token")
	kept, err := os.ReadFile(path) //nolint:gosec // G304: the operator names the folder
	if token := strings.TrimSpace(string(kept)); token != "" {
		return secret.New(token), nil
	}
	if err == nil {
		return secret.Text{}, fmt.Errorf("%s is empty: remove it, and the next start makes a new bearer token", path)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return secret.Text{}, fmt.Errorf("read the bearer token: %w", err)
	}
	token := newToken()
	if err := os.WriteFile(path, []byte(token.Reveal()+"\n"), 0o600); err != nil {
		return secret.Text{}, fmt.Errorf("keep the bearer token: %w", err)
	}
	return token, nil
}

func newToken() secret.Text { return secret.New("wco_" + rand.Text()) }

// keys opens a service's keyset, or makes one at the first start. One that is made for a database that needs another does
// not stay: the next start would hold it for the right one.
func (s *Settings) keys(ctx context.Context, service string, db *database.DB, sealed []database.SealedColumn) (*keyring.Keyring, error) {
	path := s.file(service + "-keyset.json")
	createErr := keyring.Create(path)
	if createErr != nil && !errors.Is(createErr, fs.ErrExist) {
		return nil, createErr
	}
	keys, err := keyring.Open(path)
	if err != nil {
		return nil, err
	}
	if err := db.CheckKeys(ctx, sealed, keys.KeyIDs()); err != nil {
		if createErr == nil {
			err = errors.Join(err, os.Remove(path))
		}
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return keys, nil
}

// database opens a service's database and brings it up to date: here nobody runs migrate.
func (s *Settings) database(ctx context.Context, service string, migrations database.Migrations) (*database.DB, error) {
	folder, err := filepath.Abs(s.Data)
	if err != nil {
		return nil, fmt.Errorf("find the data folder: %w", err)
	}
	db, err := database.Open(ctx, "sqlite://"+filepath.Join(folder, service+".db"))
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, migrations); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}
