package e2e

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.temporal.io/sdk/client"
)

// binary is the development system as `make dev` runs it, built once.
var binary = sync.OnceValues(func() (string, error) {
	out := filepath.Join(scratch, "dev.exe")
	if text, err := exec.Command("go", "build", "-o", out, "..").CombinedOutput(); err != nil {
		return "", fmt.Errorf("building dev: %w\n%s", err, text)
	}
	return out, nil
})

// process is the development system in a process of its own.
type process struct {
	*shop
	cmd   *exec.Cmd
	ready time.Duration
	over  chan error
}

var doors = regexp.MustCompile(`(pages and API|mailbox) +http://(\S+)`)

// launch starts a process on a data folder and waits until it says that it is
// ready. What it logs is added to the shop's log.
func launch(t *testing.T, data, operator string, log *logbook) *process {
	t.Helper()
	program, err := binary()
	must(t, err)
	door, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	frontend := door.Addr().String()
	must(t, door.Close())
	p := &process{shop: &shop{operator: operator, log: log}, over: make(chan error, 1)}
	p.cmd = exec.Command(program, "-http", "127.0.0.1:0", "-ui", "127.0.0.1:0", "-mailbox", "127.0.0.1:0", "-temporal", frontend, "-data", data, "-v")
	p.cmd.Env = append(os.Environ(), "OKVIZ_OPERATOR_KEY="+operator)
	p.cmd.Stderr = log
	out, err := p.cmd.StdoutPipe()
	must(t, err)
	start := time.Now()
	must(t, p.cmd.Start())
	ready := make(chan bool, 1)
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if m := doors.FindStringSubmatch(lines.Text()); m != nil && m[1] == "mailbox" {
				p.mailbox = m[2]
			} else if m != nil {
				p.http = m[2]
			}
			if strings.HasPrefix(lines.Text(), "Ready") {
				ready <- true
			}
		}
		p.over <- p.cmd.Wait()
	}()
	t.Cleanup(func() { p.cmd.Process.Kill() }) // its error: it has ended
	select {
	case <-ready:
	case err := <-p.over:
		t.Fatalf("it ended at once: %v\n%s", err, log.bytes())
	case <-time.After(time.Minute):
		t.Fatalf("it was not ready in a minute\n%s", log.bytes())
	}
	p.ready = time.Since(start)
	p.temporal, err = client.Dial(client.Options{HostPort: frontend, Logger: quiet{}})
	must(t, err)
	t.Cleanup(p.temporal.Close)
	return p
}

type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}

// kill is kill -9.
func (p *process) kill(t *testing.T) {
	t.Helper()
	must(t, p.cmd.Process.Kill())
	_ = p.wait(t) // it was killed
	p.temporal.Close()
}

func (p *process) wait(t *testing.T) error {
	t.Helper()
	select {
	case err := <-p.over:
		return err
	case <-time.After(time.Minute):
		t.Fatal("it did not end in a minute")
		return nil
	}
}

// terminate asks it to stop, as Ctrl-C and service managers do.
func (p *process) terminate(t *testing.T) {
	t.Helper()
	start := time.Now()
	must(t, p.cmd.Process.Signal(syscall.SIGTERM))
	if err := p.wait(t); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("stopping took %v", took)
	}
	p.temporal.Close()
}

func TestKilledInTheMiddleOfPurchasesItLosesNothingAndChargesOnce(t *testing.T) {
	data, log, operator := t.TempDir(), &logbook{}, newOperator()
	p := launch(t, data, operator, log)
	fmt.Printf("dev was ready %v after its first start\n", p.ready.Round(10*time.Millisecond))
	clock := p.clock(t, "2026-01-31T10:00:00Z")

	type bought struct {
		order object
		key   string
		answer
	}
	var all []*bought
	for i := range 20 {
		card := card([]string{"tok_visa", "tok_visa", "tok_timeout_charged", "tok_flaky"}[i%4])
		all = append(all, &bought{order: newCustomer().order(object{"test_clock": clock, "payment": card}), key: newKey()})
	}
	// Customers press the button again and again until they know.
	var at atomic.Pointer[process]
	at.Store(p)
	var customers sync.WaitGroup
	var known atomic.Int32
	next := make(chan *bought, len(all))
	for _, b := range all {
		next <- b
	}
	close(next)
	ended, end := context.WithCancel(t.Context())
	defer end()
	for range 3 {
		customers.Go(func() {
			for b := range next {
				for ended.Err() == nil {
					here := at.Load()
					h := here.asOperator()
					h["Idempotency-Key"] = b.key
					a, err := here.try(http.MethodPost, "/v1/checkout", b.order, h)
					if err == nil && a.status == http.StatusCreated {
						b.answer = a
						known.Add(1)
						break
					}
					if err == nil && a.status != http.StatusAccepted && a.status < 500 && a.code() != "idempotency_in_progress" {
						t.Errorf("a purchase: %d %s", a.status, a.body)
						break
					}
					select {
					case <-time.After(50 * time.Millisecond):
					case <-ended.Done():
					}
				}
			}
		})
	}
	kills := 0
	var slowest time.Duration
	for kills < 4 && int(known.Load()) < len(all)-3 {
		<-time.After(time.Duration(30+rand.IntN(400)) * time.Millisecond) // whatever it is doing then
		p.kill(t)
		kills++
		p = launch(t, data, operator, log)
		slowest = max(slowest, p.ready)
		at.Store(p)
	}
	start := time.Now()
	customers.Wait()
	fmt.Printf("killed %d times in %d purchases; ready again after %v at most; all outcomes known %v after the last\n",
		kills, len(all), slowest.Round(10*time.Millisecond), time.Since(start).Round(100*time.Millisecond))
	if kills < 3 {
		t.Errorf("it was killed only %d times", kills)
	}
	if slowest > 5*time.Second {
		t.Errorf("it was ready again only after %v", slowest)
	}
	ids := map[string]bool{}
	for _, b := range all {
		if b.answer.body == nil {
			t.Error("a purchase has no outcome")
			continue
		}
		var c checkout
		b.answer.into(t, &c)
		p.know(c)
		ids[c.Subscription.ID] = true
		if got := p.post(t, "/v1/checkout", b.key, b.order).same(t); got != b.answer.same(t) {
			t.Errorf("the same key again:\n%s\nfirst:\n%s", got, b.answer.same(t))
		}
		p.wantCharges(t, c.Subscription.ID, charged("2026-01-31T10:00:00Z", 990))
		p.audit(t, c.Subscription.ID)
	}
	if len(ids) != len(all) {
		t.Errorf("%d subscriptions of %d orders", len(ids), len(all))
	}
	// Nobody else was sold anything, and invoices have no gaps in their numbers.
	numbers := map[string]bool{}
	for id := range ids {
		for _, inv := range p.invoices(t, id) {
			numbers[deref(inv.Number)] = true
		}
	}
	for i := range all {
		if n := fmt.Sprintf("INV-2026-%06d", i+1); !numbers[n] {
			t.Errorf("there is no %s", n)
		}
	}
	// They go on, across a graceful stop as well.
	p.terminate(t)
	p = launch(t, data, operator, log)
	for id := range ids {
		p.subscriptions = append(p.subscriptions, id)
	}
	p.advanceBy(t, clock, object{"to": "2026-02-28T10:00:00Z", "late": true})
	for id := range ids {
		p.wantCharges(t, id, charged("2026-01-31T10:00:00Z", 990), charged("2026-02-28T10:00:00Z", 990))
		p.audit(t, id)
	}
	p.wantMoneyAgreed(t, "2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z")
	p.wantNothingSaid(t)
	p.terminate(t)
}

func TestStoppedInTheMiddleOfRequestsItAnswersThemAndEndsCleanly(t *testing.T) {
	data, log, operator := t.TempDir(), &logbook{}, newOperator()
	p := launch(t, data, operator, log)
	type asked struct {
		order object
		key   string
		a     answer
		err   error
	}
	all := make([]asked, 8)
	var work sync.WaitGroup
	for i := range all {
		all[i] = asked{order: newCustomer().order(nil), key: newKey()}
		work.Go(func() {
			h := p.asOperator()
			h["Idempotency-Key"] = all[i].key
			all[i].a, all[i].err = p.try(http.MethodPost, "/v1/checkout", all[i].order, h)
		})
	}
	// All of them are under way when each has its subscription. (What only waits
	// to be accepted when the listener closes is cut off by the kernel.)
	tick, deadline := time.NewTicker(5*time.Millisecond), time.After(30*time.Second)
	defer tick.Stop()
	for begun := 0; begun < len(all); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%d of %d requests have begun", begun, len(all))
		}
		a, err := p.try(http.MethodGet, "/v1/subscriptions", nil, p.asOperator())
		must(t, err)
		var list struct{ Data []struct{ ID string } }
		a.want(t, http.StatusOK).into(t, &list)
		begun = len(list.Data)
	}
	p.terminate(t)
	work.Wait()
	p = launch(t, data, operator, log)
	if p.ready > 5*time.Second {
		t.Errorf("the second start took %v", p.ready)
	}
	fmt.Printf("dev was ready %v after its second start\n", p.ready.Round(10*time.Millisecond))
	answered := 0
	for _, q := range all {
		// Everybody who was answered was told the truth; nobody was cut off.
		if q.err != nil {
			t.Errorf("a request was cut off: %v", q.err)
		} else if q.a.status == http.StatusCreated {
			answered++
		}
		a, err := p.answered("/v1/checkout", q.key, q.order, p.asOperator())
		must(t, err)
		var c checkout
		a.want(t, http.StatusCreated).into(t, &c)
		p.know(c)
		if got := p.charges(t, c.Subscription.ID); len(got) != 1 {
			t.Errorf("charges %q", got)
		}
	}
	fmt.Printf("%d of %d requests were answered before it stopped\n", answered, len(all))
	p.wantNothingSaid(t)
	p.terminate(t)
}

func TestTwoSystemsRunAtOnceWithOtherAddressesAndFolders(t *testing.T) {
	var both []*process
	for range 2 {
		log, operator := &logbook{}, newOperator()
		both = append(both, launch(t, t.TempDir(), operator, log))
	}
	for _, p := range both {
		c := p.buy(t, newCustomer().order(nil))
		if c.Subscription.Number != 1 || c.Subscription.Status != "active" {
			t.Errorf("%+v", c.Subscription)
		}
	}
	for _, p := range both {
		p.terminate(t)
	}
}
