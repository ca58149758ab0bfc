package mysqltest_test

import (
	"database/sql"
	"net"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/okviz/licensing/models/mysqltest"
)

func TestMain(m *testing.M) { os.Exit(mysqltest.Main(m)) }

func open(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestEveryCallGivesAnEmptyDatabase(t *testing.T) {
	for range 2 {
		db := open(t, mysqltest.DSN(t))
		if _, err := db.Exec("CREATE TABLE things (id INT PRIMARY KEY)"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestConnectionsAreReadCommittedUTCAndUtf8mb4(t *testing.T) {
	db := open(t, mysqltest.DSN(t))
	var text string
	var at time.Time
	var zone, charset string
	err := db.QueryRow(`SELECT CAST('😀' AS CHAR), CAST('2026-01-31 10:00:00' AS DATETIME), @@session.time_zone, @@character_set_database`).Scan(&text, &at, &zone, &charset)
	if err != nil {
		t.Fatal(err)
	}
	if want := time.Date(2026, 1, 31, 10, 0, 0, 0, time.UTC); !at.Equal(want) || at.Location() != time.UTC {
		t.Errorf("DATETIME was read as %v, want %v", at, want)
	}
	if text != "😀" || zone != "+00:00" || charset != "utf8mb4" {
		t.Errorf("text %q, time zone %q, charset %q", text, zone, charset)
	}

	// Read committed: a second read in the same transaction sees what others committed.
	if _, err := db.Exec("CREATE TABLE things (id INT PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback() //nolint:errcheck // it has only read
	for want := range 2 {
		var got int
		if err := tx.QueryRow("SELECT COUNT(*) FROM things").Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("read %d rows, want %d", got, want)
		}
		if _, err := db.Exec("INSERT INTO things VALUES (?)", want); err != nil {
			t.Fatal(err)
		}
	}
}

func TestURLNamesTheServerAndTheDatabase(t *testing.T) {
	u, err := url.Parse(mysqltest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	if u.Scheme != "mysql" || u.RawQuery != "" {
		t.Errorf("got %s", u.Redacted())
	}
	c := mysql.NewConfig()
	c.Net, c.Addr, c.User, c.DBName = "tcp", u.Host, u.User.Username(), strings.TrimPrefix(u.Path, "/")
	c.Passwd, _ = u.User.Password()
	if err := open(t, c.FormatDSN()).Ping(); err != nil {
		t.Error(err)
	}
}

func TestTheServerListensOnLoopbackOnly(t *testing.T) {
	if os.Getenv("OKVIZ_TEST_MYSQL") != "" {
		t.Skip("OKVIZ_TEST_MYSQL names a server of somebody else")
	}
	u, err := url.Parse(mysqltest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	if host, _, _ := net.SplitHostPort(u.Host); !net.ParseIP(host).IsLoopback() {
		t.Errorf("listens on %s", u.Host)
	}
}

func TestADatabaseIsGoneAfterItsTest(t *testing.T) {
	var name string
	t.Run("inner", func(t *testing.T) {
		c, err := mysql.ParseDSN(mysqltest.DSN(t))
		if err != nil {
			t.Fatal(err)
		}
		name = c.DBName
	})
	if name == "" {
		t.Skip("no server: see the inner test")
	}
	var n int
	if err := open(t, mysqltest.DSN(t)).QueryRow("SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = ?", name).Scan(&n); err != nil {
		t.Fatal(err)
	}
	if n != 0 {
		t.Errorf("database %s is still there", name)
	}
}
