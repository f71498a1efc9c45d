package store_test

import (
	"testing"

	"gorm.io/gorm"

	"github.com/whatrack/connect/services/internal/databasetest"
	"github.com/whatrack/connect/services/waba-onboarding/internal/store"
)

// Of what retention removes, the database asks for each row whether something refers to it.
func TestWhatRefersToWhatIsRemovedIsFoundByAnIndex(t *testing.T) {
	t.Parallel()
	db := databasetest.Open(t, databasetest.PostgresURL(t, store.Migrations()))
	var slow []string
	err := db.Read(t.Context(), func(tx *gorm.DB) error {
		return tx.Raw(`select conrelid::regclass || '.' || attname from pg_constraint
			join pg_attribute on attrelid = conrelid and attnum = conkey[1]
			where contype = 'f' and confrelid::regclass::text in ('changes', 'deliveries', 'events', 'contacts')
			and not exists (select 1 from pg_index where indrelid = conrelid and indkey[0] = conkey[1])`).Scan(&slow).Error
	})
	if err != nil || len(slow) > 0 {
		t.Errorf("without an index: %v %v", slow, err)
	}
}
