package models

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/models/mysqltest"
)

func TestMain(m *testing.M) { os.Exit(mysqltest.Main(m)) }

// databases are what every test of this package runs on.
var databases = []struct {
	name string
	url  func(t testing.TB) string
}{
	{"SQLite", func(t testing.TB) string {
		made.Do(func() { migrated(t) })
		file := filepath.Join(t.TempDir(), "engine.db")
		must(t, os.WriteFile(file, tables, 0o600))
		return sqliteURL(file)
	}},
	{"MySQL protocol", mysqltest.URL},
}

func sqliteURL(file string) string { return "sqlite://" + filepath.ToSlash(file) }

// tables is the file that every test on SQLite begins with, since migrating takes longer than most.
var (
	made   sync.Once
	tables []byte
)

func migrated(t testing.TB) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tables.db")
	s, err := Open(sqliteURL(file), billing.DefaultPolicy())
	must(t, err)
	must(t, errors.Join(s.Migrate(t.Context()), s.Close()))
	tables, err = os.ReadFile(file)
	must(t, err)
}

// onEach runs a test on every database, on an empty and migrated store.
func onEach(t *testing.T, test func(t *testing.T, s *Store)) {
	t.Helper()
	t.Parallel()
	on := databases
	if testing.Short() {
		on = databases[:1] // make check; make test is on both
	}
	for _, d := range on {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, d.url(t))
			must(t, s.Migrate(t.Context()))
			test(t, s)
		})
	}
}

func open(t testing.TB, url string) *Store {
	t.Helper()
	s, err := Open(url, billing.DefaultPolicy())
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// together runs f n times at once and returns what each came to.
func together[T any](n int, f func(i int) T) []T {
	results := make([]T, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			results[i] = f(i)
		})
	}
	close(start)
	wg.Wait()
	return results
}

func TestMigratingAgainChangesNothingAndDownLeavesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		must(t, s.Migrate(context.Background()))
		p, err := s.migrations()
		must(t, err)
		_, err = p.DownTo(t.Context(), 0)
		must(t, err)
		tables, err := s.db.Migrator().GetTables()
		must(t, err)
		for _, table := range tables {
			if table != "goose_db_version" && table != "sqlite_sequence" {
				t.Errorf("table %s is still there", table)
			}
		}
		must(t, s.Migrate(t.Context()))
	})
}

func TestADatabaseURLIsRefusedWithoutItsPassword(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	must(t, closed.Close())
	for name, url := range map[string]string{
		"no URL at all":       "mysql://okviz:hunter2@host:port%zz/engine",
		"another database":    "postgres://okviz:hunter2@127.0.0.1/engine",
		"an unknown tls mode": "mysql://okviz:hunter2@127.0.0.1/engine?tls=hunter2",
		"nobody answers":      "mysql://okviz:hunter2@" + closed.Addr().String() + "/engine",
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Open(url, billing.DefaultPolicy())
			if err == nil {
				defer s.Close()
				err = s.Ping(t.Context())
			}
			if err == nil {
				t.Fatal("it answers")
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error tells the password: %v", err)
			}
		})
	}
	t.Run("a wrong password", func(t *testing.T) {
		u := strings.Replace(mysqltest.URL(t), "@", "hunter2@", 1)
		s := open(t, u)
		err := s.Ping(t.Context())
		var from interface{ Part() string } // which an operator reads
		if !errors.As(err, &from) || from.Part() != "database" || err.Error() != "MySQL error 1045" {
			t.Errorf("got %v", err)
		}
	})
}

func TestASQLiteFileMayHaveAnyName(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "100% ours? #1 ß.db")
	url := "sqlite://" + strings.NewReplacer("%", "%25", "?", "%3F", "#", "%23", " ", "%20").Replace(filepath.ToSlash(file))
	s := open(t, url)
	must(t, s.Migrate(t.Context()))
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
}

func TestSQLiteConnectionsWaitForEachOtherAndKeepWhatWasCommitted(t *testing.T) {
	t.Parallel()
	s := open(t, databases[0].url(t))
	for pragma, want := range map[string]string{"journal_mode": "wal", "busy_timeout": "10000", "synchronous": "2"} {
		var got string
		must(t, s.db.Raw("PRAGMA "+pragma).Scan(&got).Error)
		if got != want {
			t.Errorf("%s is %s, want %s", pragma, got, want)
		}
	}
}

// Transactions are READ COMMITTED, whatever the server's default: a second
// read sees what others have committed since the first.
func TestATransactionSeesWhatOthersCommit(t *testing.T) {
	t.Parallel()
	s := open(t, mysqltest.URL(t))
	must(t, s.Migrate(t.Context()))
	count := func(tx *gorm.DB) (n int64) {
		must(t, tx.Model(&counterRow{}).Count(&n).Error)
		return n
	}
	insert := func(name string) { must(t, s.db.Create(&counterRow{Name: name}).Error) }
	must(t, s.tx(t.Context(), func(tx *gorm.DB) error {
		before := count(tx)
		insert("a")
		if after := count(tx); before != 0 || after != 1 {
			t.Errorf("counted %d, then %d", before, after)
		}
		return nil
	}))
}

func TestASnapshotIsTheDatabaseAtOneMoment(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		must(t, s.snapshot(t.Context(), func(tx *gorm.DB) error {
			var before, after int64
			must(t, tx.Model(&counterRow{}).Count(&before).Error)
			must(t, s.db.Create(&counterRow{Name: "a"}).Error)
			must(t, tx.Model(&counterRow{}).Count(&after).Error)
			if before != 0 || after != 0 {
				t.Errorf("counted %d, then %d", before, after)
			}
			return nil
		}))
	})
}

// The two transactions lock two rows in opposite order, so that the database
// has to give up on one of them.
func TestADeadlockedTransactionIsTriedAgain(t *testing.T) {
	t.Parallel()
	s := open(t, mysqltest.URL(t))
	must(t, s.Migrate(t.Context()))
	must(t, s.db.Create(&[]counterRow{{Name: "a"}, {Name: "b"}}).Error)
	var meet sync.WaitGroup
	meet.Add(2)
	var runs [2]int
	names := [2][2]string{{"a", "b"}, {"b", "a"}}
	for _, err := range together(2, func(i int) error {
		return s.tx(t.Context(), func(tx *gorm.DB) error {
			runs[i]++
			if _, err := one[counterRow](locked(tx).Where("name = ?", names[i][0])); err != nil {
				return err
			}
			if runs[i] == 1 {
				meet.Done()
				meet.Wait()
			}
			return tx.Model(&counterRow{}).Where("name = ?", names[i][1]).Update("value", gorm.Expr("value + 1")).Error
		})
	}) {
		must(t, err)
	}
	if runs[0]+runs[1] != 3 {
		t.Errorf("ran %v times, want one deadlock", runs)
	}
	var counters []counterRow
	must(t, s.db.Order("name").Find(&counters).Error)
	if diff := cmp.Diff([]counterRow{{"a", 1}, {"b", 1}}, counters); diff != "" {
		t.Error(diff)
	}
}

func TestErrorsNeverRepeatWhatWasWritten(t *testing.T) {
	const marker = "ada@contoso.example"
	cases := map[string]struct {
		do func(db *gorm.DB) error
		on string // where only one database refuses it
	}{
		"a key that is taken": {do: func(db *gorm.DB) error {
			return db.Create(&[]accountRow{{ID: "cus_1", Email: marker}, {ID: "cus_2", Email: marker}}).Error
		}},
		"a text that is too long": {on: "mysql", do: func(db *gorm.DB) error {
			return db.Create(&accountRow{ID: "cus_3", Email: strings.Repeat(marker, 20)}).Error
		}},
		"bytes that are no text": {on: "mysql", do: func(db *gorm.DB) error {
			return db.Create(&accountRow{ID: "cus_4", Email: marker + "\xff"}).Error
		}},
		"a document that is none": {on: "mysql", do: func(db *gorm.DB) error {
			return db.Exec("INSERT INTO sandbox_methods VALUES ('pm_1', ?)", marker).Error
		}},
		"a text for an instant": {on: "mysql", do: func(db *gorm.DB) error {
			return db.Exec("INSERT INTO accounts VALUES ('cus_5', 'a', ?)", marker).Error
		}},
		"a text that is read as a number": {do: func(db *gorm.DB) error {
			if err := db.Create(&accountRow{ID: "cus_6", Email: marker}).Error; err != nil {
				return err
			}
			var n int64
			return db.Raw("SELECT email FROM accounts WHERE id = 'cus_6'").Scan(&n).Error
		}},
		"nothing where something is needed": {do: func(db *gorm.DB) error {
			return db.Exec("INSERT INTO accounts (id, email) VALUES (?, NULL)", marker).Error
		}},
		"a statement that is none": {do: func(db *gorm.DB) error {
			return db.Exec("SELECT '" + marker + "' FROM nowhere WHERE '" + marker).Error
		}},
	}
	onEach(t, func(t *testing.T, s *Store) {
		for name, c := range cases {
			err := s.tx(t.Context(), c.do)
			switch {
			case c.on != "" && c.on != s.db.Name():
			case err == nil:
				t.Errorf("%s was taken", name)
			case strings.Contains(err.Error(), "contoso"):
				t.Errorf("%s: the error repeats it: %v", name, err)
			}
		}
	})
}

func TestInstantsComeBackInUTCAndWholeSecondsAndCompareAsInstants(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		rome := time.FixedZone("Rome", 2*60*60)
		at := time.Date(2026, 7, 1, 1, 30, 0, 987654321, rome) // still June in UTC
		id, err := s.CreateClock(t.Context(), at)
		must(t, err)
		got, err := s.Clock(t.Context(), id)
		must(t, err)
		if want := time.Date(2026, 6, 30, 23, 30, 0, 0, time.UTC); got != want {
			t.Errorf("got %v, want %v", got, want)
		}
		for to, want := range map[time.Time]bool{
			at:                               true,
			at.Add(-time.Second):             false,
			at.Add(time.Second):              true,
			at.In(time.UTC):                  true,
			at.Add(-time.Second).UTC():       false,
			at.Add(-5 * time.Hour).In(rome):  false,
			at.AddDate(1000, 0, 0).In(rome):  true,
			at.AddDate(-1000, 0, 0).In(rome): false,
		} {
			_, err := one[testClockRow](s.db.Where("id = ? AND now <= ?", id, to))
			if found := !errors.Is(err, billing.ErrNotFound); found != want {
				t.Errorf("%v found up to %v: %v, want %v", got, to, found, want)
			}
		}
	})
}

func TestPingTellsWhetherTheDatabaseAnswers(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		must(t, s.Ping(t.Context()))
		must(t, s.Close())
		if err := s.Ping(t.Context()); !strings.Contains(err.Error(), "closed") {
			t.Errorf("a closed database: %v", err)
		}
	})
}
