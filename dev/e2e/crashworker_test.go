package e2e

import (
	"bufio"
	"bytes"
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/client"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/dev/mailbox"
	"github.com/okviz/licensing/dev/temporal"
	"github.com/okviz/licensing/engine"
	"github.com/okviz/licensing/models"
	"github.com/okviz/licensing/models/mysqltest"
)

var (
	wantedKills = flag.Int("kills", 200, "how often TestKilledAtEveryStep… kills the engine, at least")
	killSeed    = flag.Uint64("kill-seed", 0, "what its instants are drawn from; 0: something new")
)

// programs are the product's binary, and the worker that dies where it is told
// to, built once.
var programs = sync.OnceValues(func() (string, error) {
	for module, name := range map[string]string{"../..": "cmd/okviz", "..": "crashworker"} {
		build := exec.Command("go", "build", "-o", filepath.Join(scratch, filepath.Base(name)+".exe"), "./"+name)
		build.Dir = module
		if text, err := build.CombinedOutput(); err != nil {
			return "", fmt.Errorf("building %s: %w\n%s", name, err, text)
		}
	}
	return scratch, nil
})

// processes is the system as an operator runs it: API and worker are processes
// of their own, over a MySQL-protocol server, Temporal and a mail server that
// all outlive them.
type processes struct {
	*shop
	dir string // of the programs
	env []string
	box *mailbox.Mailbox
	db  *sql.DB

	api    *exec.Cmd
	over   chan error // how the API ended
	server *temporal.Server
}

// startProcesses starts all but a worker. data is Temporal's file; empty: it
// keeps everything in memory.
func startProcesses(t *testing.T, data string) *processes {
	t.Helper()
	dir, err := programs()
	must(t, err)
	database := mysqltest.URL(t)
	log := &logbook{}
	p := &processes{dir: dir}
	p.startTemporal(t, data, "")
	t.Cleanup(func() { p.server.Stop() })
	box, err := mailbox.Open("")
	must(t, err)
	smtp, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	go box.ServeSMTP(smtp) //nolint:errcheck // ends with Close
	t.Cleanup(func() { must(t, box.Close()) })
	page := httptest.NewServer(box.Handler())
	t.Cleanup(page.Close)
	door, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	keys, err := filepath.Abs("../keys")
	must(t, err)

	p.box, p.shop = box, &shop{
		http: door.Addr().String(), mailbox: page.Listener.Addr().String(), operator: newOperator(), log: log,
	}
	p.temporal, err = client.Dial(client.Options{HostPort: p.server.Address(), Logger: quiet{}})
	must(t, err)
	t.Cleanup(p.temporal.Close)
	p.env = append(os.Environ(),
		"OKVIZ_ENV=development", "OKVIZ_TEST_CLOCKS=true", "OKVIZ_METRICS=off", "OKVIZ_OPERATOR_KEY="+p.operator, "DATABASE_URL="+database,
		"OKVIZ_HTTP="+p.http, "OKVIZ_PUBLIC_URL=http://"+p.http, "OKVIZ_SECRET=development-only-0123456789abcdef",
		"OKVIZ_SMTP_URL=smtp://"+smtp.Addr().String()+"?starttls=never", "OKVIZ_MAIL_FROM=OKVIZ <licences@okviz.example>",
		"TEMPORAL_ADDRESS="+p.server.Address(),
		"OKVIZ_SIGNING_KEYS="+filepath.Join(keys, "signing-dev.pem")+","+filepath.Join(keys, "signing-dev-next.pem"),
	)
	u, err := url.Parse(database)
	must(t, err)
	c := mysql.NewConfig()
	c.Net, c.Addr, c.DBName, c.User = "tcp", u.Host, strings.TrimPrefix(u.Path, "/"), u.User.Username()
	c.Passwd, _ = u.User.Password()
	c.ParseTime, c.Params = true, map[string]string{"time_zone": "'+00:00'"}
	p.db, err = sql.Open("mysql", c.FormatDSN())
	must(t, err)
	t.Cleanup(func() { must(t, p.db.Close()) })

	p.store, err = models.Open(database, billing.Policy{})
	must(t, err)
	t.Cleanup(func() { must(t, p.store.Close()) })

	okviz := func(stdin []byte, args ...string) []byte {
		cmd := p.command("okviz.exe", args...)
		cmd.Stdin = bytes.NewReader(stdin)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("okviz %s: %v\n%s", strings.Join(args, " "), err, log.bytes())
		}
		return out
	}
	okviz(nil, "migrate")
	okviz(okviz(nil, "catalog", "default"), "catalog", "apply", "-")
	okviz(nil, "versions", "put", "calendar-pro", "2.4.2", "../../visual/dist/calendar-pro-2.4.2.pbiviz")
	must(t, door.Close()) // okviz takes it over
	p.serve(t)
	t.Cleanup(func() { p.stopAPI(t) })
	return p
}

func (p *processes) startTemporal(t *testing.T, data, frontend string) {
	t.Helper()
	var err error
	p.server, err = temporal.Start(t.Context(), temporal.Options{
		DataFile: data, Frontend: frontend, SearchAttributes: engine.SearchAttributes, SuggestContinueAsNew: 60, Logger: slog.New(slog.DiscardHandler),
	})
	must(t, err)
}

func (p *processes) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(p.dir, program), args...)
	cmd.Env, cmd.Stderr = p.env, p.log
	return cmd
}

// serve starts the API and waits until it answers.
func (p *processes) serve(t *testing.T) {
	t.Helper()
	api := p.command("okviz.exe", "api")
	must(t, api.Start())
	p.api, p.over = api, make(chan error, 1)
	go func() { p.over <- api.Wait() }()
	eventually(t, time.Minute, "the API answers", func() bool {
		select {
		case err := <-p.over:
			log := p.log.bytes()
			t.Fatalf("the API ended by itself: %v\n%s", err, log[max(0, len(log)-2000):])
		default:
		}
		a, err := p.try(http.MethodGet, "/v1/operator/audit?limit=1", nil, p.asOperator()) // whose key is stored soon after the start
		return err == nil && a.status == http.StatusOK
	})
}

func (p *processes) stopAPI(t *testing.T) {
	t.Helper()
	if p.api == nil {
		return
	}
	must(t, p.api.Process.Kill())
	_ = <-p.over // it was killed
	p.api = nil
}

// crashworker is a worker that may be told where to die.
type crashworker struct {
	places []string
	cmd    *exec.Cmd
	in     io.WriteCloser
	ready  chan bool
	died   chan string // what it said last
}

// spawn starts a worker, which waits to be told to begin.
func (p *processes) spawn(t *testing.T, places ...string) *crashworker {
	t.Helper()
	m := &crashworker{places: places, cmd: p.command("crashworker.exe", "-at", strings.Join(places, ",")), ready: make(chan bool, 1), died: make(chan string, 1)}
	var err error
	m.in, err = m.cmd.StdinPipe()
	must(t, err)
	out, err := m.cmd.StdoutPipe()
	must(t, err)
	must(t, m.cmd.Start())
	go func() {
		last := ""
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if last = lines.Text(); last == "ready" {
				m.ready <- true
			}
		}
		_ = m.cmd.Wait() // how it ended is in its state
		m.died <- last
	}()
	return m
}

// begin lets it work.
func (m *crashworker) begin(t *testing.T) {
	t.Helper()
	select {
	case <-m.ready:
	case <-m.died:
		t.Fatalf("a worker ended before it began: %v", m.cmd.ProcessState)
	case <-time.After(time.Minute):
		t.Fatal("a worker was not ready in a minute")
	}
	_, err := m.in.Write([]byte("\n"))
	must(t, err)
}

// die waits until it has died where it was told to, or kills it after so long.
// It returns the place; empty where it died of that.
func (m *crashworker) die(t *testing.T, after time.Duration) string {
	t.Helper()
	var last string
	select {
	case last = <-m.died:
	case <-time.After(after):
		must(t, m.cmd.Process.Kill())
		last = <-m.died
	}
	if end := m.cmd.ProcessState.String(); end != "signal: killed" {
		t.Fatalf("a worker ended by itself: %s", end)
	}
	if !slices.Contains(m.places, last) {
		return ""
	}
	return last
}

// fatal are the places at which workers are killed: on each side of all that a
// step does to the outside.
func fatal() []string {
	var places []string
	add := func(step string, calls ...string) {
		for _, call := range calls {
			places = append(places, step+": before "+call, step+": after "+call)
		}
	}
	for _, step := range []string{"Purchase", "Renew", "Change", "StorePaymentMethod"} {
		add(step, "reserve", "Prepare", "Charge", "record")
	}
	add("RenewNow", "Charge", "record")
	add("Purchase", "SaveMethod")
	add("RefundInvoice", "record")
	add("CancelNow", "record")
	add("Refund", "Refund")
	add("RecordRefunds", "record")
	add("Notify", "ClaimNotices", "Deliver", "NoticeDone")
	return places
}

// errand is a life of one subscription, as its customer and an operator lead it.
type errand struct {
	card string
	lead func(*visit)
}

// visit is one such life.
type visit struct {
	*processes
	t         *testing.T
	who       customer
	clock, id string
}

// ask sends a request with a key of its own until its outcome is known.
func (v *visit) ask(method, path string, body any) answer {
	v.t.Helper()
	h := v.asOperator()
	h["Idempotency-Key"] = newKey()
	return v.insist(v.t, method, path, body, h)
}

func (v *visit) to(at string) {
	v.t.Helper()
	v.ask(http.MethodPost, "/v1/operator/test-clocks/"+v.clock+"/advance", object{"to": at}).want(v.t, http.StatusOK)
}

func (v *visit) do(action string, body object) {
	v.t.Helper()
	v.ask(http.MethodPost, "/v1/subscriptions/"+v.id+"/"+action, body).want(v.t, http.StatusOK)
}

// rest waits until nothing of the life so far is still under way: no
// refund, which holds no clock up, and no mail, whose file cannot be made any
// more when the licence has ended.
func (v *visit) rest() {
	v.t.Helper()
	left := -1
	eventually(v.t, patience, "refunds and mails of "+v.id+" are done", func() bool {
		must(v.t, v.db.QueryRow(`SELECT (SELECT COUNT(*) FROM outbox WHERE done_at IS NULL AND subscription = ?)
			+ (SELECT COUNT(*) FROM refunds WHERE status = 'pending' AND subscription = ?)`, v.id, v.id).Scan(&left))
		return left == 0
	})
}

// invoice finds the n-th invoice, from zero.
func (v *visit) invoice(n int) string {
	v.t.Helper()
	var list struct{ Data []invoice }
	v.ask(http.MethodGet, "/v1/invoices?limit=100&subscription="+v.id, nil).want(v.t, http.StatusOK).into(v.t, &list)
	slices.Reverse(list.Data)
	return list.Data[n].ID
}

// errands are what is done under the kills: each step that moves money, with
// cards that time out on both sides of the money, and one that is declined.
var errands = []errand{
	{"tok_visa", manage}, {"tok_later_declined", recoverCard}, {"tok_timeout_charged", manage},
	{"tok_later_declined", recoverCard}, {"tok_timeout_lost", manage},
}

func manage(v *visit) {
	v.to("2026-04-16T00:00:00Z")
	v.do("change", object{"plan": users("21-50")}) // 19.80 less half of 9.90
	v.ask(http.MethodPost, "/v1/operator/invoices/"+v.invoice(1)+"/refund", object{"amount": usd(500)}).want(v.t, http.StatusOK)
	v.rest()
	v.to("2026-05-16T00:00:00Z")
	v.do("renew", object{}) // ahead
	v.to("2026-07-16T00:00:00Z")
	v.do("change", object{"plan": users("1-20")}) // 19.80 come back, less 9.90: the balance
	v.to("2026-09-16T00:00:00Z")                  // it pays for August
	v.rest()
	v.ask(http.MethodPost, "/v1/operator/subscriptions/"+v.id+"/cancel-now", object{"refund": "full"}).want(v.t, http.StatusOK)
}

func recoverCard(v *visit) {
	v.to("2026-05-01T00:00:00Z") // declined
	v.do("payment-method", object{"token": secret("tok_visa")})
	v.to("2026-06-01T00:00:00Z")
	v.do("cancel", object{})
	v.rest()
	v.to("2026-07-01T00:00:00Z")
}

// lead goes through an errand and tells what it came to.
func (p *processes) lead(t *testing.T, e errand) *visit {
	t.Helper()
	v := &visit{processes: p, t: t, who: newCustomer()}
	var clock struct{ ID string }
	v.ask(http.MethodPost, "/v1/operator/test-clocks", object{"now": "2026-04-01T00:00:00Z"}).want(t, http.StatusCreated).into(t, &clock)
	v.clock = clock.ID
	var c checkout
	v.ask(http.MethodPost, "/v1/checkout", v.who.order(object{"test_clock": v.clock, "payment": card(e.card)})).want(t, http.StatusCreated).into(t, &c)
	p.know(c)
	v.id = c.Subscription.ID
	e.lead(v)
	return v
}

var (
	ids     = regexp.MustCompile(`\b(sub|lic|inv|cus|clk|cst|pay|ch|pm|cn|req)_[0-9A-Z]{26}\b`)
	numbers = regexp.MustCompile(`\b(INV|CN)-(\d{4})-\d{6}\b`)
	private = regexp.MustCompile(`"(created_at|number|subscription_number|activation_key)": ?[^,}\n]+`)
)

// tale is all that can be known of a life from the outside, without what is
// another's in another life: its subscription, licence, history, invoices, the
// gateway's ledger, and the mails that came.
func (v *visit) tale(mails map[string][]string) string {
	v.t.Helper()
	var b strings.Builder
	show := func(path string) {
		a := v.send(v.t, http.MethodGet, path, nil, v.asOperator()).want(v.t, http.StatusOK)
		var doc any
		a.into(v.t, &doc)
		text, err := json.MarshalIndent(doc, "", " ")
		must(v.t, err)
		fmt.Fprintf(&b, "%s\n%s\n", path, text)
	}
	show("/v1/subscriptions/" + v.id)
	show("/v1/licenses/" + deref(v.subscription(v.t, v.id).LicenseID))
	show("/v1/subscriptions/" + v.id + "/events")
	show("/v1/invoices?limit=100&subscription=" + v.id)
	show("/v1/operator/sandbox/charges?subscription=" + v.id)
	for _, address := range []string{v.who.email, v.who.licenseeEmail} {
		fmt.Fprintf(&b, "mails to %s:\n%s\n", address, strings.Join(slices.Sorted(slices.Values(mails[address])), "\n"))
	}
	text := strings.NewReplacer(v.who.email, "<payer's address>", v.who.licenseeEmail, "<user's address>", v.who.name, "<payer>", v.who.licensee, "<user>").Replace(b.String())
	known := map[string]string{}
	text = ids.ReplaceAllStringFunc(text, func(id string) string {
		kind, _, _ := strings.Cut(id, "_")
		if known[id] == "" {
			known[id] = fmt.Sprintf("%s %d", kind, len(known))
		}
		return known[id]
	})
	return private.ReplaceAllString(numbers.ReplaceAllString(text, "$1-$2"), `"$1": …`)
}

// settle waits until nothing is under way any more: every request has its
// outcome, every mail is sent.
func (p *processes) settle(t *testing.T) {
	t.Helper()
	for what, query := range map[string]string{
		"requests without an outcome": "SELECT COUNT(*) FROM requests WHERE outcome IS NULL",
		"payments in flight":          "SELECT COUNT(*) FROM invoices WHERE in_flight",
		"refunds under way":           "SELECT COUNT(*) FROM refunds WHERE status = 'pending'",
		"mails that wait":             "SELECT COUNT(*) FROM outbox WHERE done_at IS NULL",
	} {
		left := -1
		eventually(t, 2*time.Minute, "there are none of the "+what, func() bool {
			must(t, p.db.QueryRow(query).Scan(&left))
			return left == 0
		})
	}
}

// lapse lets two minutes pass for the mails that the dead were about to send:
// their claims lapse, and the sweeper may have them. Nobody is alive here.
func (p *processes) lapse(t *testing.T) {
	t.Helper()
	_, err := p.db.Exec(`UPDATE outbox SET claimed_until = claimed_until - INTERVAL 2 MINUTE, created_at = created_at - INTERVAL 2 MINUTE
		WHERE done_at IS NULL`)
	must(t, err)
}

// mails are the subjects of all mails by recipient, and the Message-IDs.
func (p *processes) mails(t *testing.T) (subjects map[string][]string, ids []string) {
	t.Helper()
	var list struct {
		Messages []struct {
			MessageID, Subject string
			To                 []struct{ Address string }
		}
	}
	box := &shop{http: p.mailbox}
	box.send(t, http.MethodGet, "/api/v1/messages?limit=1000000", nil, nil).want(t, http.StatusOK).into(t, &list)
	subjects = map[string][]string{}
	for _, m := range list.Messages {
		subjects[m.To[0].Address] = append(subjects[m.To[0].Address], m.Subject)
		id, _, _ := strings.Cut(m.MessageID, "@")
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return subjects, ids
}

// column reads a query's texts, in their order.
func (p *processes) column(t *testing.T, query string) []string {
	t.Helper()
	rows, err := p.db.Query(query)
	must(t, err)
	defer rows.Close()
	all := []string{}
	for rows.Next() {
		var s string
		must(t, rows.Scan(&s))
		all = append(all, s)
	}
	must(t, rows.Err())
	return all
}

// wantNoDifference holds the rows to the workflows, and the books to the
// gateway, as the engine itself compares them.
func (p *processes) wantNoDifference(t *testing.T) {
	t.Helper()
	var lists map[string]any
	eventually(t, listed, "nothing is to be reconciled", func() bool { // Temporal's list lags
		lists = nil
		p.get(t, "/v1/operator/reconcile", &lists)
		for _, list := range lists {
			if l, is := list.([]any); is && len(l) > 0 {
				return false
			}
		}
		return true
	})
	for _, part := range []struct{ from, to string }{
		{"2026-04-01T00:00:00Z", "2026-07-01T00:00:00Z"}, {"2026-07-01T00:00:00Z", "2026-10-01T00:00:00Z"},
	} {
		p.wantMoneyAgreed(t, part.from, part.to)
	}
}

// The engine's processes are killed as kill -9 does, at least 200 times: the
// worker on each side of whatever it does to the database, the gateway and the
// mail server in Purchase, Renew, Change and Refund, and API and worker at
// random instants, while customers go on asking until they know. Then every
// life must have come to what it comes to when nobody is killed.
//
// One window cannot be closed: a mail that the server has taken from a worker
// that dies before it can write that down is handed over again, with the same
// Message-ID, by which mailboxes know it.
func TestKilledAtEveryStepOverAndOverEachLifeIsAsIfItHadNotBeen(t *testing.T) {
	t.Parallel()
	seed := *killSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	fmt.Printf("kills are drawn from -kill-seed %d\n", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	p := startProcesses(t, "")

	// In peace.
	worker := p.spawn(t)
	worker.begin(t)
	var peaceful []*visit
	for _, e := range errands {
		peaceful = append(peaceful, p.lead(t, e))
	}
	p.settle(t)
	mails, _ := p.mails(t)
	want := map[string]string{}
	for i, v := range peaceful {
		want[errands[i].card] = v.tale(mails)
	}
	p.wantBack(t, peaceful[0].id, "990 − 0", "1485 − 500", "1980 − 0", "1980 − 0", "1980 − 0", "990 − 990")
	worker.die(t, 0)

	// Under fire. Customers come for as long as there are kills to come.
	start := time.Now()
	var over atomic.Bool
	var mu sync.Mutex
	var visits []*visit
	cards := map[string]string{} // of each life
	var work sync.WaitGroup
	for n := range 48 {
		work.Go(func() {
			for i := n; !over.Load() && !t.Failed(); i++ {
				e := errands[i%len(errands)]
				v := p.lead(t, e)
				mu.Lock()
				visits = append(visits, v)
				cards[v.id] = e.card
				mu.Unlock()
			}
		})
	}
	// Next come the places at which the fewest have died, and every fifth time it
	// is somewhere in between.
	hits, kills, ofAPI := map[string]int{}, 0, 0
	draw := func() []string {
		if random.IntN(5) == 0 {
			return nil
		}
		places := fatal()
		random.Shuffle(len(places), func(i, j int) { places[i], places[j] = places[j], places[i] })
		slices.SortStableFunc(places, func(a, b string) int { return hits[a] - hits[b] })
		return places[:8]
	}
	missed := func() bool {
		return slices.ContainsFunc(fatal(), func(place string) bool { return hits[place] == 0 })
	}
	worker = p.spawn(t, draw()...)
	for !t.Failed() && (kills < *wantedKills || missed() && kills < 2**wantedKills) {
		worker.begin(t)
		successor := p.spawn(t, draw()...)
		after := 3 * time.Second
		if worker.places == nil {
			after = time.Duration(random.IntN(700)) * time.Millisecond
		}
		hits[worker.die(t, after)]++
		kills++
		p.lapse(t)
		worker = successor
		if kills%40 == 0 {
			p.stopAPI(t)
			p.serve(t)
			kills++
			ofAPI++
		}
	}
	must(t, worker.in.Close()) // it ends without having worked
	worker = p.spawn(t)
	over.Store(true)
	underFire := time.Since(start)
	died := time.Now()
	worker.begin(t)
	work.Wait()
	if t.Failed() {
		return
	}
	p.settle(t)
	fmt.Printf("%d kills in %v, %d of them of the API and %d at random instants; %d lives, settled %v later\n",
		kills, underFire.Round(time.Second), ofAPI, hits[""], len(visits), time.Since(died).Round(time.Second))

	for _, place := range fatal() {
		if hits[place] == 0 {
			t.Errorf("nobody was killed at %q", place)
		}
	}
	if kills < *wantedKills {
		t.Errorf("%d kills", kills)
	}
	mails, sent := p.mails(t)
	for _, v := range visits {
		v.t = t
		if diff := cmp.Diff(strings.Split(want[cards[v.id]], "\n"), strings.Split(v.tale(mails), "\n")); diff != "" {
			t.Errorf("%s, a life with %s, differs from a peaceful one:\n%s", v.id, cards[v.id], diff)
		}
		p.audit(t, v.id)
		p.wantNotesWithin(t, v.id)
	}
	lives := len(visits) + len(peaceful)
	for _, table := range []string{"subscriptions", "licenses"} {
		if got := p.column(t, "SELECT COUNT(*) FROM "+table)[0]; got != fmt.Sprint(lives) {
			t.Errorf("%s %s of %d lives", got, table, lives)
		}
	}
	// Each notice is one mail, and the mails that came twice came by the one
	// window: no more often than somebody died there.
	if diff := cmp.Diff(p.column(t, "SELECT id FROM outbox WHERE NOT failed ORDER BY id"), sent); diff != "" {
		t.Errorf("notices and mails:\n%s", diff)
	}
	if n := len(p.column(t, "SELECT id FROM outbox WHERE failed")); n > 0 {
		t.Errorf("%d mails were given up", n)
	}
	fmt.Printf("%d mails, of which %d were handed over a second time, with the same Message-ID\n", len(sent), p.box.Again())
	if n := p.box.Again(); n == 0 || n > kills {
		t.Errorf("%d mails were handed over twice, and there were %d chances", n, kills)
	}
	// No number is missing, none is there twice.
	for _, series := range []struct{ table, prefix string }{{"invoices", "INV-2026-"}, {"credit_notes", "CN-2026-"}} {
		for i, number := range p.column(t, "SELECT number FROM "+series.table+" WHERE number IS NOT NULL ORDER BY number") {
			if number != fmt.Sprintf("%s%06d", series.prefix, i+1) {
				t.Fatalf("document %d of its series is %s", i+1, number)
			}
		}
	}
	p.wantNoDifference(t)
	worker.die(t, 0)
}
