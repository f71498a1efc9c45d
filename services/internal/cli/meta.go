package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/whatrack/connect/services/internal/graph"
	"github.com/whatrack/connect/services/internal/secret"
)

// CheckMeta asks Meta about the app itself: before the first customer does, we know whether it takes our id and secret.
func (c *Common) CheckMeta(ctx context.Context) error {
	client := graph.NewClient(graph.Config{
		BaseURL: c.MetaGraphURL, Version: c.MetaGraphVersion, AppID: c.MetaAppID, AppSecret: c.MetaAppSecret,
	})
	info, err := client.DebugToken(ctx, secret.New(c.MetaAppID+"|"+c.MetaAppSecret.Reveal()))
	switch {
	case err != nil:
		return fmt.Errorf("ask Meta about META_APP_ID and META_APP_SECRET: %w", err)
	case !info.Valid || info.AppID != c.MetaAppID:
		return errors.New("Meta does not take META_APP_ID and META_APP_SECRET") //nolint:staticcheck // ST1005: Meta is a name
	}
	return nil
}
