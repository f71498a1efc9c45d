package cli

import (
	"context"
	"errors"
	"log/slog"

	"github.com/whatrack/connect/services/internal/database"
)

// OpenDatabase opens the database, which must be migrated: serve never does that itself.
func (c *Common) OpenDatabase(ctx context.Context, migrations database.Migrations) (*database.DB, error) {
	db, err := database.Open(ctx, c.DatabaseURL.Reveal())
	if err != nil {
		return nil, err
	}
	if err := db.CheckMigrated(ctx, migrations); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// CheckDatabase tells why OpenDatabase would fail.
func (c *Common) CheckDatabase(ctx context.Context, migrations database.Migrations) error {
	db, err := c.OpenDatabase(ctx, migrations)
	if err != nil {
		return err
	}
	return db.Close()
}

func (c *Common) migrate(ctx context.Context, migrations database.Migrations, log *slog.Logger) error {
	db, err := database.Open(ctx, c.DatabaseURL.Reveal())
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
