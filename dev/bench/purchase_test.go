package bench

import (
	"database/sql"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/okviz/licensing/models/mysqltest"
)

// BenchmarkPurchase compares purchases with updates that start a workflow and run one
// activity, from the first to the answer. Both are asked over HTTP, and use one Temporal server.
func BenchmarkPurchase(b *testing.B) {
	s := newShop(b)
	for _, clients := range []int{1, 8, 32} {
		b.Run(fmt.Sprint(clients, "-clients"), func(b *testing.B) {
			both := []*process{s.product, s.workflows}
			product := &side{http: s.product.HTTP, uses: both, next: s.order}
			bare := &side{http: s.workflows.HTTP, uses: both, next: s.update(1)}
			product.turn(b, clients, time.Second)
			bare.turn(b, clients, time.Second)
			product, bare = &side{http: product.http, uses: both, next: s.order}, &side{http: bare.http, uses: both, next: bare.next}
			s.mailed(b)
			before := s.status(b)
			for b.Loop() {
				compare(b, product, bare, clients, 5, 2*time.Second)
			}
			s.mailed(b)
			after := s.status(b)
			for name, unit := range counters {
				b.ReportMetric(float64(after[name]-before[name])/float64(len(product.took)), unit)
			}
		})
	}
}

// counters are what is counted of a MySQL server, and how it is called here.
var counters = map[string]string{"Questions": "questions/req", "Com_commit": "commits/req"}

// shop is the product with Temporal, over MySQL, and a bare workflow beside it.
type shop struct {
	product, workflows *process
	url                string
	db                 *sql.DB
	run                int64 // tells what one benchmark orders from what another does
}

func newShop(b *testing.B) *shop {
	s := &shop{run: time.Now().UnixNano()}
	s.url, s.db = database(b)
	s.product = start(b, task{Serve: "system", Data: b.TempDir(), Database: s.url})
	s.workflows = start(b, task{Serve: "workflows", Temporal: s.product.Temporal})
	return s
}

// database makes an empty one on a server that writes to the disk at each commit.
func database(b *testing.B) (databaseURL string, db *sql.DB) {
	server := mysqltest.Server(b, "--innodb-flush-log-at-trx-commit=1", "--innodb-flush-method=fsync", "--innodb-buffer-pool-size=512M")
	password, _ := server.User.Password()
	c := mysql.NewConfig()
	c.User, c.Passwd, c.Net, c.Addr, c.MultiStatements = server.User.Username(), password, "tcp", server.Host, true
	connector, err := mysql.NewConnector(c)
	must(b, err)
	db = sql.OpenDB(connector)
	b.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	_, err = db.ExecContext(b.Context(), "CREATE DATABASE bench CHARACTER SET utf8mb4; USE bench")
	must(b, err)
	server.Path = "/bench"
	return server.String(), db
}

// order is a purchase by a customer of its own.
func (s *shop) order(n int64) []byte {
	who := strconv.FormatInt(s.run+n, 36)
	body := `{"product":"calendar-pro","plan":{"type":"users","tier":"1-20","cycle":"monthly"},"currency":"USD",` +
		`"billing":{"name":"Ada Rossi","email":"ada@` + who + `.example","company":"Contoso","country":"US"},` +
		`"licensee":{"name":"BI team","email":"bi@` + who + `.example"},` +
		`"pay":"now","payment":{"method":"card","token":"tok_visa"},"accept_terms":true}`
	return request("POST", "/v1/checkout", body, "Idempotency-Key: bench-"+who+"-0123456789")
}

// update has a new workflow do so many steps.
func (s *shop) update(steps int) func(n int64) []byte {
	return func(n int64) []byte {
		return request("POST", fmt.Sprintf("/?id=bare-%d-%d&steps=%d", s.run, n, steps), "")
	}
}

// mailed waits until the mails of all purchases are out, so that they are counted too.
func (s *shop) mailed(b *testing.B) {
	b.Helper()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(2 * time.Minute); ; <-tick.C {
		var waiting int
		must(b, s.db.QueryRowContext(b.Context(), "SELECT COUNT(*) FROM outbox WHERE done_at IS NULL").Scan(&waiting))
		if waiting == 0 {
			return
		}
		if time.Now().After(end) {
			b.Fatalf("%d mails still wait", waiting)
		}
	}
}

// status is what the MySQL server has counted so far.
func (s *shop) status(b *testing.B) map[string]int64 {
	b.Helper()
	rows, err := s.db.Query("SHOW GLOBAL STATUS")
	must(b, err)
	defer rows.Close()
	all := map[string]int64{}
	for rows.Next() {
		var name, value string
		must(b, rows.Scan(&name, &value))
		if _, wanted := counters[name]; wanted {
			all[name] = int64(number(value))
		}
	}
	must(b, rows.Err())
	return all
}
