package models

import (
	"errors"
	"fmt"
	"testing"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/models/mysqltest"
)

func TestADatabaseWithoutThisReleasesTablesIsNotMigrated(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		must(t, s.Ping(ctx))
		newer := "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)"
		must(t, s.db.Exec(newer).Error)
		must(t, s.Ping(ctx)) // a newer release has migrated it: its tables do for this one
		must(t, s.db.Exec("DELETE FROM goose_db_version WHERE version_id = 1").Error)
		if err := s.Ping(ctx); !errors.Is(err, billing.ErrNotMigrated) {
			t.Errorf("a migration is missing: %v", err)
		}
		must(t, s.db.Exec("DROP TABLE goose_db_version").Error)
		if err := s.Ping(ctx); !errors.Is(err, billing.ErrNotMigrated) {
			t.Errorf("an empty database: %v", err)
		}
	})
}

func TestAFullOrReadOnlySQLiteIsNotWritableAndGoesOnLater(t *testing.T) {
	s := open(t, databases[0].url(t))
	must(t, s.Migrate(t.Context()))
	pool, err := s.db.DB()
	must(t, err)
	pool.SetMaxOpenConns(1) // the pragmas are a connection's
	for _, c := range []struct{ full, free string }{
		{"PRAGMA max_page_count = 1", "PRAGMA max_page_count = 1000000"}, // no smaller than the file is
		{"PRAGMA query_only = 1", "PRAGMA query_only = 0"},
	} {
		must(t, s.Writable(t.Context()))
		must(t, s.db.Exec("VACUUM").Error) // no free pages inside
		must(t, s.db.Exec(c.full).Error)
		if err := s.Writable(t.Context()); !errors.Is(err, billing.ErrNotWritable) {
			t.Errorf("%s: %v", c.full, err)
		}
		must(t, s.Ping(t.Context())) // it can still be read
		must(t, s.db.Exec(c.free).Error)
	}
	must(t, s.Writable(t.Context()))
}

// The errors are the server's own: a trigger raises them as a full disk would.
func TestAFullOrReadOnlyMySQLIsNotWritable(t *testing.T) {
	s := open(t, mysqltest.URL(t))
	must(t, s.Migrate(t.Context()))
	for number, want := range map[int]bool{1021: true, 1114: true, 1290: true, 1836: true, 1644: false} {
		must(t, s.db.Exec(fmt.Sprintf("CREATE TRIGGER refuse BEFORE INSERT ON probes FOR EACH ROW SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = %d", number)).Error)
		if err := s.Writable(t.Context()); err == nil || errors.Is(err, billing.ErrNotWritable) != want {
			t.Errorf("error %d: %v", number, err)
		}
		must(t, s.db.Exec("DROP TRIGGER refuse").Error)
	}
	must(t, s.Writable(t.Context()))
}
