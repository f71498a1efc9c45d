package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/whatrack/connect/services/internal/database"
)

// OpenDatabase opens the database, which must be migrated: serve never does that itself.
func (c *Common) OpenDatabase(ctx context.Context, migrations database.Migrations) (*database.DB, error) {
	db, err := c.openDatabase(ctx)
	if err != nil {
		return nil, err
	}
	if err := db.CheckMigrated(ctx, migrations); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func (c *Common) openDatabase(ctx context.Context) (*database.DB, error) {
	db, err := database.Open(ctx, c.DatabaseURL.Reveal())
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	return db, nil
}

// CheckStorage tells why OpenDatabase or OpenKeyset would fail.
func (c *Common) CheckStorage(ctx context.Context, migrations database.Migrations, sealed []database.SealedColumn) error {
	db, err := c.OpenDatabase(ctx, migrations)
	if err != nil {
		_, keysErr := c.readKeyset()
		return errors.Join(err, keysErr)
	}
	_, err = c.OpenKeyset(ctx, db, sealed)
	return errors.Join(err, db.Close())
}

func (c *Common) migrate(ctx context.Context, migrations database.Migrations, log *slog.Logger) error {
	db, err := c.openDatabase(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	if err := db.Migrate(ctx, migrations); err != nil {
		return err
	}
	log.InfoContext(ctx, "the database is migrated")
	return nil
}
