// Package mysqltest gives tests a real server that speaks the MySQL protocol.
//
// A test package that needs one hands its tests to [Main]:
//
//	func TestMain(m *testing.M) { os.Exit(mysqltest.Main(m)) }
//
// and then asks for a fresh, empty database with [DSN] or [URL]. The first call
// starts a throw-away MariaDB or MySQL on a free loopback port, with its data in a
// temporary folder; it ends with the test binary. With OKVIZ_TEST_MYSQL, a data
// source name of github.com/go-sql-driver/mysql whose user may create databases,
// that server is used and nothing is started.
//
// The server keeps its own default isolation level, REPEATABLE READ, as one in
// production does: what connects through [URL] has to choose its own.
package mysqltest

import (
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

var shared struct {
	sync.Mutex
	running bool // between the start and the end of Main
	asked   bool
	server  *server // what was started here; nil with OKVIZ_TEST_MYSQL
	admin   *mysql.Config
	err     error
}

// Main runs the tests of a package, stops the server if one was started, and
// returns the exit code for os.Exit.
func Main(m *testing.M) int {
	shared.Lock()
	shared.running = true
	shared.Unlock()
	code := m.Run()
	shared.Lock()
	defer shared.Unlock()
	shared.running = false
	if shared.server != nil {
		shared.server.stop()
	}
	return code
}

// DSN returns a data source name for github.com/go-sql-driver/mysql that leads to a
// new, empty utf8mb4 database, dropped when the test ends. Its connections are READ
// COMMITTED and in UTC, and scan DATETIME into time.Time.
//
// Without a server the test is skipped; with CI=true it fails instead.
func DSN(t testing.TB) string {
	t.Helper()
	return database(t).FormatDSN()
}

// URL is like [DSN], in the form that DATABASE_URL takes:
// mysql://user:password@host:port/database. It carries no connection settings.
func URL(t testing.TB) string {
	t.Helper()
	c := database(t)
	if c.Net != "tcp" {
		t.Fatal("mysqltest: OKVIZ_TEST_MYSQL has to name a TCP address for tests that take a URL")
	}
	u := url.URL{Scheme: "mysql", Host: c.Addr, Path: "/" + c.DBName}
	if u.User = url.User(c.User); c.Passwd != "" {
		u.User = url.UserPassword(c.User, c.Passwd)
	}
	return u.String()
}

// Server starts a server for one test, with more arguments, and returns the URL
// of its user who may do everything, without a database.
func Server(t testing.TB, args ...string) *url.URL {
	t.Helper()
	s, err := start(args...)
	switch {
	case errors.Is(err, errNoServer) && os.Getenv("CI") != "true":
		t.Skip("mysqltest: " + err.Error())
	case err != nil:
		t.Fatal("mysqltest: " + err.Error())
	}
	t.Cleanup(s.stop)
	return &url.URL{Scheme: "mysql", Host: s.addr, User: url.UserPassword(s.user, s.password)}
}

// database creates an empty database for the test and says how to connect to it.
func database(t testing.TB) *mysql.Config {
	t.Helper()
	admin, err := connection()
	switch {
	case errors.Is(err, errNoServer) && os.Getenv("CI") != "true":
		t.Skip("mysqltest: " + err.Error())
	case err != nil:
		t.Fatal("mysqltest: " + err.Error())
	}
	db, err := sql.Open("mysql", admin.FormatDSN())
	if err != nil {
		t.Fatal("mysqltest: open: ", err)
	}
	name := "okviz_test_" + randomHex(8)
	if _, err := db.Exec("CREATE DATABASE " + name + " CHARACTER SET utf8mb4"); err != nil {
		t.Fatal("mysqltest: create the database: ", err)
	}
	t.Cleanup(func() {
		if _, err := db.Exec("DROP DATABASE " + name); err != nil {
			t.Error("mysqltest: drop the database: ", err)
		}
		db.Close()
	})
	c := admin.Clone()
	c.DBName = name
	return c
}

// connection starts the server at the first call and says how to reach it.
func connection() (*mysql.Config, error) {
	shared.Lock()
	defer shared.Unlock()
	if !shared.running {
		return nil, errors.New("the test package needs a TestMain that calls mysqltest.Main")
	}
	if !shared.asked {
		shared.asked = true
		shared.admin, shared.err = connect()
	}
	return shared.admin, shared.err
}

func connect() (*mysql.Config, error) {
	c := mysql.NewConfig()
	if given := os.Getenv("OKVIZ_TEST_MYSQL"); given != "" {
		var err error
		if c, err = mysql.ParseDSN(given); err != nil {
			// The driver's error may repeat the password.
			return nil, errors.New("OKVIZ_TEST_MYSQL is not a data source name: user:password@tcp(host:port)/")
		}
	} else {
		s, err := start()
		if err != nil {
			return nil, err
		}
		shared.server = s
		c.Net, c.Addr, c.User, c.Passwd = "tcp", s.addr, s.user, s.password
	}
	c.DBName = ""
	c.ParseTime, c.Loc = true, time.UTC
	c.Params = map[string]string{"time_zone": "'+00:00'"}

	db, err := sql.Open("mysql", c.FormatDSN())
	if err != nil {
		return nil, err
	}
	defer db.Close()
	var version string
	if err := db.QueryRow("SELECT VERSION()").Scan(&version); err != nil {
		return nil, fmt.Errorf("ask the server for its version: %w", err)
	}
	// MariaDB before 11.1 knows only the old name, MySQL from 8.0 on only the new one.
	isolation := "transaction_isolation"
	if strings.Contains(version, "MariaDB") {
		isolation = "tx_isolation"
	}
	c.Params[isolation] = "'READ-COMMITTED'"
	return c, nil
}

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
