package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gorm.io/gorm"

	"github.com/whatrack/connect/services/graphsim"
	"github.com/whatrack/connect/services/internal/database"
	"github.com/whatrack/connect/services/internal/databasetest"
	broker "github.com/whatrack/connect/services/token-broker/server"
	onboarding "github.com/whatrack/connect/services/waba-onboarding/server"
)

// TestAKeysetThatIsLostIsNotReplaced: a new one would open nothing, and what it sealed would be lost with it later.
func TestAKeysetThatIsLostIsNotReplaced(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	k := startStack(t, data)
	var customer graphsim.SignedUp
	k.call(t, "http://"+k.meta.Addr()+"/_sim/signups", `{}`, &customer)
	k.call(t, k.api("claim-waba"), `{"code": "`+customer.Code+`"}`, &struct{}{})
	k.call(t, k.api("destinations"), `{"kind": "EVENTS", "url": "http://127.0.0.1:9"}`, &struct{}{})
	k.stop()
	settings := settingsOn(data)
	for _, service := range []string{"token-broker", "waba-onboarding"} {
		path := settings.file(service + "-keyset.json")
		if err := os.Rename(path, path+".away"); err != nil {
			t.Fatal(err)
		}
		_, err := settings.start(t.Context(), slog.New(slog.DiscardHandler))
		if err == nil || !strings.HasPrefix(err.Error(), path+": the database holds values sealed under the key ") {
			t.Errorf("%s: %v", service, err)
		}
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s: a new keyset was left behind", service)
		}
		if err := os.Rename(path+".away", path); err != nil {
			t.Fatal(err)
		}
	}
	if again := startStack(t, data); again.accessToken(t, customer.WABAIDs[0]) == "" {
		t.Error("the right keyset opens nothing")
	}
}

// TestEverySealedColumnIsKnown: a keyset is held against those that the services name.
func TestEverySealedColumnIsKnown(t *testing.T) {
	t.Parallel()
	const columns = "select t.name || '.' || c.name from sqlite_master t join pragma_table_info(t.name) c where t.type = 'table' and c.name like '%key_id' order by 1"
	for name, service := range map[string]struct {
		migrations database.Migrations
		sealed     []database.SealedColumn
	}{
		"token-broker":    {broker.Migrations(), broker.SealedColumns()},
		"waba-onboarding": {onboarding.Migrations(), onboarding.SealedColumns()},
	} {
		var known, got []string
		for _, c := range service.sealed {
			known = append(known, c.Table+"."+c.KeyID)
		}
		db := databasetest.New(t, service.migrations)
		if err := db.Read(t.Context(), func(tx *gorm.DB) error { return tx.Raw(columns).Scan(&got).Error }); err != nil {
			t.Fatal(err)
		}
		slices.Sort(known)
		if diff := cmp.Diff(got, known); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
