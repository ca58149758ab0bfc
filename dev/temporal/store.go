package temporal

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/metrics"
	"go.temporal.io/server/common/persistence/sql"
	"go.temporal.io/server/common/persistence/sql/sqlplugin"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/common/resolver"
	sqliteschema "go.temporal.io/server/schema/sqlite"
	"google.golang.org/protobuf/types/known/durationpb"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// retention is how long closed workflows stay visible, long enough to look into
// what happened last week.
const retention = 30 * 24 * time.Hour

// openStore prepares the database: schema and namespace, each made once.
func openStore(file, namespace string, attributes map[string]enumspb.IndexedValueType) (*config.SQL, error) {
	store := &config.SQL{PluginName: sqliteplugin.PluginName}
	if file == "" {
		// The plugin sets up the schema of a database in memory by itself.
		store.DatabaseName = "temporal-" + rand.Text()
		store.ConnectAttributes = map[string]string{"mode": "memory", "cache": "shared"}
	} else {
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return nil, fmt.Errorf("making the folder of Temporal's data file: %w", err)
		}
		// The plugin pastes the name into a URI as it is.
		escape := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23")
		store.DatabaseName = escape.Replace(filepath.ToSlash(file))
		store.ConnectAttributes = map[string]string{
			"mode":         "rwc",
			"journal_mode": "wal",
			// With WAL this loses nothing when the process is killed, and
			// keeps the file consistent when the machine is.
			"synchronous": "normal",
			// Two servers on one file would both own its workflows.
			"locking_mode": "exclusive",
			// A predecessor may be about to end.
			"busy_timeout": "2000",
		}
		if err := createSchema(store); err != nil {
			var failure *sqlite.Error
			if errors.As(err, &failure) && failure.Code()&0xff == sqlite3.SQLITE_BUSY {
				return nil, fmt.Errorf("opening Temporal's data file %s: in use by another process: %w", file, err)
			}
			return nil, fmt.Errorf("setting up Temporal's data file %s: %w", file, err)
		}
	}
	ns, err := sqliteschema.NewNamespaceConfig(clusterName, namespace, false, attributes)
	if err != nil {
		return nil, fmt.Errorf("configuring Temporal's namespace: %w", err)
	}
	ns.Detail.Config.Retention = durationpb.New(retention)
	if err := sqliteschema.CreateNamespaces(store, ns); err != nil {
		return nil, fmt.Errorf("creating Temporal's namespace: %w", err)
	}
	return store, nil
}

// createSchema sets up the tables in an empty file, in one transaction, so that
// a process killed meanwhile leaves nothing half done. The plugin holds a single
// connection, hence the transaction in plain SQL.
func createSchema(store *config.SQL) (err error) {
	db, err := sql.NewSQLAdminDB(sqlplugin.DbKindUnknown, store, resolver.NewNoopResolver(),
		log.NewNoopLogger(), metrics.NoopMetricsHandler)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.Exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, db.Exec("ROLLBACK"))
		}
	}()
	tables, err := db.ListTables(store.DatabaseName)
	if err != nil {
		return err
	}
	if !slices.Contains(tables, "namespaces") {
		if err := sqliteschema.SetupSchemaOnDB(db); err != nil {
			return err
		}
	}
	return db.Exec("COMMIT")
}
