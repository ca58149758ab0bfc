package models

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	mathrand "math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"time"

	mysqldriver "github.com/go-sql-driver/mysql"
	"github.com/oklog/ulid/v2"
	"github.com/pressly/goose/v3"
	"gorm.io/driver/mysql"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"
	moderncsqlite "modernc.org/sqlite" // also registers the driver "sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/okviz/licensing/billing"
)

// Store is the database.
type Store struct {
	db     *gorm.DB
	policy billing.Policy
	sold   *remembered
}

// Policy is what the store decides by.
func (s *Store) Policy() billing.Policy { return s.policy }

// Open prepares connections to `mysql://user:password@host:port/name`, which need
// not answer yet, or opens `sqlite:///path/to/file`. Errors never contain the
// password.
func Open(databaseURL string, policy billing.Policy) (*Store, error) {
	dialector, err := dialect(databaseURL)
	if err != nil {
		return nil, err
	}
	db, err := gorm.Open(dialector, &gorm.Config{
		TranslateError:         true,
		SkipDefaultTransaction: true,
		DisableAutomaticPing:   true, // it may come later: Ping tells
		Logger:                 logger.Discard,
		NowFunc:                func() time.Time { return time.Now().UTC().Truncate(time.Second) },
	})
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", wordless(err))
	}
	s := &Store{db, policy, &remembered{products: map[string]rememberedProduct{}}}
	return s, s.SetConnections(40)
}

// SetConnections sets how many connections this process opens at most.
func (s *Store) SetConnections(most int) error {
	pool, err := s.db.DB()
	if err != nil {
		return err
	}
	pool.SetMaxOpenConns(most)
	pool.SetMaxIdleConns(most) // a burst opens none anew
	pool.SetConnMaxIdleTime(time.Minute)
	pool.SetConnMaxLifetime(10 * time.Minute)
	return nil
}

func dialect(databaseURL string) (gorm.Dialector, error) {
	u, err := url.Parse(databaseURL)
	if err != nil {
		return nil, errors.New("DATABASE_URL is not a URL")
	}
	switch u.Scheme {
	case "sqlite":
		q := url.Values{
			"_pragma":      {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "secure_delete(ON)"},
			"_txlock":      {"immediate"},
			"_time_format": {"sqlite"},
			"_timezone":    {"UTC"}, // texts of instants compare as the instants do
		}
		file := url.URL{Scheme: "file", Opaque: (&url.URL{Path: u.Host + u.Path}).EscapedPath(), RawQuery: q.Encode()}
		return &sqliteDialector{sqlite.Dialector{DriverName: "sqlite", DSN: file.String()}}, nil
	case "mysql":
		c, err := mysqlConfig(u)
		if err != nil {
			return nil, err
		}
		connector, err := mysqldriver.NewConnector(c)
		if err != nil {
			return nil, errors.New("DATABASE_URL does not name a MySQL database")
		}
		return &mysqlDialector{mysql.Dialector{Config: &mysql.Config{Conn: sql.OpenDB(readCommitted{connector}), SkipInitializeWithVersion: true}}}, nil
	}
	return nil, errors.New("DATABASE_URL starts with mysql:// or sqlite://")
}

// GORM hands every error of a database to its dialector: there it loses its
// words.
type (
	sqliteDialector struct{ sqlite.Dialector }
	mysqlDialector  struct{ mysql.Dialector }
)

func (sqliteDialector) Translate(err error) error { return wordless(err) }
func (mysqlDialector) Translate(err error) error  { return wordless(err) }

// databaseError is an error of the database by its number alone: its words may
// repeat what was being written, such as an e-mail address.
type databaseError struct {
	database string
	number   int
}

func (e *databaseError) Error() string { return fmt.Sprintf("%s error %d", e.database, e.number) }

// Part names where the trouble is, for operators.
func (e *databaseError) Part() string { return "database" }

// again tells whether the database gave up on a transaction because of another
// one, so that it may simply be tried again.
func (e *databaseError) again() bool {
	return e.database == "MySQL" && (e.number == 1213 || e.number == 1205) // deadlock, lock wait
}

// noTable tells whether what was asked for does not exist.
func (e *databaseError) noTable() bool {
	return e.database == "MySQL" && e.number == 1146 || e.database == "SQLite" && e.number == sqlite3.SQLITE_ERROR
}

// Is makes an error of a full disk, or of a database that only reads, an
// ErrNotWritable.
func (e *databaseError) Is(target error) bool {
	if target != billing.ErrNotWritable {
		return false
	}
	if e.database == "SQLite" {
		primary := e.number & 0xff
		return primary == sqlite3.SQLITE_FULL || primary == sqlite3.SQLITE_READONLY
	}
	// Errors of MySQL and MariaDB: disk full, a file or table full, an error while
	// writing, the engine's (such as 28: no space), --read-only, read-only mode.
	return slices.Contains([]int{1021, 1114, 3, 1026, 1030, 1290, 1836}, e.number)
}

// wordless takes the words from a database's error. Duplicate keys become
// gorm.ErrDuplicatedKey.
func wordless(err error) error {
	var my *mysqldriver.MySQLError
	var lite *moderncsqlite.Error
	switch {
	case errors.As(err, &my) && my.Number == 1062:
		return gorm.ErrDuplicatedKey
	case errors.As(err, &my):
		return &databaseError{"MySQL", int(my.Number)}
	case errors.As(err, &lite) && (lite.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || lite.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY):
		return gorm.ErrDuplicatedKey
	case errors.As(err, &lite):
		return &databaseError{"SQLite", lite.Code()}
	case err != nil && strings.HasPrefix(err.Error(), "sql: Scan error"): // it quotes the value
		return errors.New("a stored value is not of its column's type")
	}
	return err
}

//go:embed migrations
var migrations embed.FS

// Migrate brings the schema up to date.
func (s *Store) Migrate(ctx context.Context) error {
	p, err := s.migrations()
	if err != nil {
		return err
	}
	if _, err = p.Up(ctx); err != nil {
		return fmt.Errorf("migrating: %w", err)
	}
	return nil
}

func (s *Store) migrations() (*goose.Provider, error) {
	pool, err := s.db.DB()
	if err != nil {
		return nil, err
	}
	name, dialect := "mysql", goose.DialectMySQL
	if s.db.Name() == "sqlite" {
		name, dialect = "sqlite", goose.DialectSQLite3
	}
	files, err := fs.Sub(migrations, "migrations/"+name)
	if err != nil {
		return nil, err
	}
	p, err := goose.NewProvider(dialect, pool, files, goose.WithAllowOutofOrder(true)) // branches land in their own order
	if err != nil {
		return nil, fmt.Errorf("reading migrations: %w", err)
	}
	return p, nil
}

// Close ends all connections.
func (s *Store) Close() error {
	pool, err := s.db.DB()
	if err != nil {
		return err
	}
	return pool.Close()
}

// tx runs f in a transaction, again where the database gave up on it because
// of another one. It is READ COMMITTED; SQLite has one writer at a time.
func (s *Store) tx(ctx context.Context, f func(tx *gorm.DB) error) error {
	for attempt := 1; ; attempt++ {
		err := s.db.WithContext(ctx).Transaction(f)
		var e *databaseError
		if !errors.As(err, &e) || !e.again() || attempt == 10 {
			return err
		}
		// Apart from each other, so that they do not meet again.
		select {
		case <-ctx.Done():
			return err
		case <-time.After(mathrand.N(time.Duration(attempt) * 10 * time.Millisecond)):
		}
	}
}

// snapshot runs f in a transaction that reads the database as it was at one
// moment, without waiting for anybody.
func (s *Store) snapshot(ctx context.Context, f func(tx *gorm.DB) error) error {
	return s.db.WithContext(ctx).Transaction(f, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
}

// locked reads a row FOR UPDATE where the database knows row locks.
func locked(tx *gorm.DB) *gorm.DB { return tx.Clauses(clause.Locking{Strength: "UPDATE"}) }

// one reads exactly one row, or says ErrNotFound.
func one[T any](q *gorm.DB) (row T, err error) {
	err = q.Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		err = billing.ErrNotFound
	}
	return row, err
}

// save writes a whole row back. Errors: billing.ErrNewerRelease, where a newer
// release has written what would be lost.
func save[T any, ID ~string](tx *gorm.DB, id ID, row *T) error {
	if w, kept := any(row).(interface{ mine() error }); kept {
		if err := w.mine(); err != nil {
			return err
		}
	}
	return tx.Model(row).Where("id = ?", id).Select("*").Updates(row).Error
}

// NewID makes an id: a prefix and a ULID with cryptographic entropy.
func NewID(prefix string) string {
	return prefix + "_" + ulid.MustNew(ulid.Now(), rand.Reader).String()
}
