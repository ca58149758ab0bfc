package chaos

import (
	"bytes"
	"context"
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
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/okviz/licensing/dev/mailbox"
	"github.com/okviz/licensing/dev/temporal"
	"github.com/okviz/licensing/models/mysqltest"
)

var (
	faults = flag.Int("faults", 15, "how much harm is done; make chaos does more")
	seed   = flag.Uint64("seed", 0, "repeats the harm and the lives of a run; 0: another one each time")
	bound  = flag.Duration("bound", 25*time.Minute, "no more harm is done after that")
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(mysqltest.Main(m))
}

// house is the system with all that can be harmed.
type house struct {
	t        *testing.T
	env      []string
	binary   string
	operator string
	apis     []string // their addresses
	gates    map[string]*gate
	roles    []*role
	box      *mailbox.Mailbox
	repeats  atomic.Int64
	read     map[string]bool // mails, by id
	attached map[string]bool // to a mail: documents, by number
}

// role is one process of the binary, which is started again when it was killed.
type role struct {
	name string
	env  []string
	cmd  *exec.Cmd
	log  bytes.Buffer
}

func (h *house) start(r *role) {
	h.t.Helper()
	r.cmd = exec.Command(h.binary, strings.Fields(r.name)[0])
	r.cmd.Env, r.cmd.Stderr = append(h.env[:len(h.env):len(h.env)], r.env...), &r.log
	if err := r.cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) run(stdin, name string, args ...string) string {
	h.t.Helper()
	cmd := exec.Command(h.binary, append([]string{name}, args...)...)
	cmd.Env, cmd.Stdin = h.env, strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		h.t.Fatalf("okviz %s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

func build(t *testing.T) *house {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	root, err := filepath.Abs("../..")
	must(err)
	h := &house{t: t, binary: filepath.Join(t.TempDir(), "okviz.exe"), gates: map[string]*gate{}, read: map[string]bool{}, attached: map[string]bool{}, operator: "okv_" + strings.Repeat("chaos", 8)}
	make := exec.Command("go", "build", "-o", h.binary, "./cmd/okviz")
	make.Dir = root
	if out, err := make.CombinedOutput(); err != nil {
		t.Fatalf("building okviz: %v\n%s", err, out)
	}
	server, err := temporal.Start(t.Context(), temporal.Options{Logger: slog.New(slog.DiscardHandler)})
	must(err)
	t.Cleanup(server.Stop)
	h.box, err = mailbox.Open("")
	must(err)
	smtp, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	go h.box.ServeSMTP(smtp) //nolint:errcheck // ends with Close
	t.Cleanup(func() { h.box.Close() })
	database, err := url.Parse(mysqltest.URL(t))
	must(err)
	for name, to := range map[string]string{"MySQL": database.Host, "Temporal": server.Address(), "SMTP": smtp.Addr().String()} {
		h.gates[name], err = newGate(to)
		must(err)
		t.Cleanup(func() { h.gates[name].Close() })
	}
	database.Host = h.gates["MySQL"].Addr().String()
	h.env = append(os.Environ(), "OKVIZ_ENV=development", "DATABASE_URL="+database.String(), "OKVIZ_METRICS=127.0.0.1:0", "OKVIZ_WORKER_METRICS=off",
		"OKVIZ_PUBLIC_URL=http://127.0.0.1:1", "OKVIZ_SECRET=development-only-0123456789abcdef", "OKVIZ_OPERATOR_KEY="+h.operator,
		"OKVIZ_SMTP_URL=smtp://"+h.gates["SMTP"].Addr().String(), "OKVIZ_MAIL_FROM=OKVIZ <licences@okviz.example>",
		"OKVIZ_TEST_CLOCKS=true", "TEMPORAL_ADDRESS="+h.gates["Temporal"].Addr().String(),
		"OKVIZ_SIGNING_KEYS="+filepath.Join(root, "dev/keys/signing-dev.pem"))
	h.run("", "migrate")
	h.run(h.run("", "catalog", "default"), "catalog", "apply", "-")
	for range 2 {
		free, err := net.Listen("tcp", "127.0.0.1:0")
		must(err)
		address := free.Addr().String()
		must(free.Close()) // okviz takes it over
		h.apis = append(h.apis, "http://"+address)
		h.roles = append(h.roles, &role{name: fmt.Sprintf("api %d", len(h.apis)), env: []string{"OKVIZ_HTTP=" + address}})
	}
	h.roles = append(h.roles, &role{name: "worker 1"}, &role{name: "worker 2"})
	for _, r := range h.roles {
		h.start(r)
	}
	t.Cleanup(func() {
		for _, r := range h.roles {
			r.cmd.Process.Kill() // it may have ended
			r.cmd.Wait()         // it was killed
			if t.Failed() {
				text := r.log.Bytes()
				t.Logf("%s printed last:\n%s", r.name, text[max(0, len(text)-2000):])
			}
		}
	})
	return h
}

// harm does one fault, and mends it.
func (h *house) harm(r *rand.Rand) string {
	h.t.Helper()
	while := time.Duration(100+r.IntN(900)) * time.Millisecond
	victim := h.roles[r.IntN(len(h.roles))]
	name := []string{"MySQL", "Temporal", "SMTP", "SMTP"}[r.IntN(4)]
	switch r.IntN(6) {
	case 0, 1:
		victim.cmd.Process.Kill() // it may have ended by itself
		victim.cmd.Wait()         // it was killed
		h.start(victim)
		return "killed " + victim.name
	case 2:
		_ = victim.cmd.Process.Signal(syscall.SIGSTOP) // it may have ended by itself
		<-time.After(while)
		_ = victim.cmd.Process.Signal(syscall.SIGCONT) // as above
		return "stopped " + victim.name
	case 3:
		h.gates[name].becomes(open) // its connections are dropped
		return "dropped " + name
	default:
		is := []state{refuses, hangs}[r.IntN(2)]
		h.gates[name].becomes(is)
		<-time.After(while)
		h.gates[name].becomes(open)
		return name + " " + string(is)
	}
}

type answer struct {
	status int
	body   []byte
}

func (a answer) text(t *testing.T, path ...string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(a.body, &v); err != nil {
		t.Fatalf("%d %s: %v", a.status, a.body, err)
	}
	for _, name := range path {
		object, _ := v.(map[string]any)
		v = object[name]
	}
	text, _ := v.(string)
	return text
}

// once asks one of the api processes.
func (h *house) once(api int, method, path, key string, body any) (answer, error) {
	data, err := json.Marshal(body)
	if err != nil {
		return answer{}, err
	}
	ctx, cancel := context.WithTimeout(h.t.Context(), 40*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, h.apis[api]+path, bytes.NewReader(data))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Authorization", "Bearer "+h.operator)
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, got}, err
}

// ask asks one api after the other, with the same key, until there is an answer, as a
// caller does who follows the contract.
func (h *house) ask(method, path, key string, body any) answer {
	h.t.Helper()
	deadline := time.After(4 * time.Minute)
	for n := 0; ; n++ {
		a, err := h.once(n%2, method, path, key, body)
		switch {
		case err != nil, a.status >= 500, a.status == http.StatusAccepted, a.status == http.StatusTooManyRequests,
			a.status == http.StatusConflict && strings.Contains(string(a.body), "in_progress"):
		default:
			return a
		}
		select {
		case <-deadline:
			h.t.Errorf("%s %s has no answer: %d %s %v", method, path, a.status, a.body, err)
			return a
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// command gives a command and, once it has an answer, gives it again to the other api:
// the answer is the same.
func (h *house) command(path string, r *rand.Rand, body any) answer {
	h.t.Helper()
	key := fmt.Sprintf("chaos-%016x%016x", r.Uint64(), r.Uint64())
	first := h.ask(http.MethodPost, path, key, body)
	again := h.ask(http.MethodPost, path, key, body)
	h.repeats.Add(1)
	if first.status != again.status || !bytes.Equal(first.body, again.body) {
		h.t.Errorf("%s was answered\n%d %s\nand again\n%d %s", path, first.status, first.body, again.status, again.body)
	}
	return first
}

type object = map[string]any

var plans = []object{{"type": "users", "tier": "1-20", "cycle": "monthly"}, {"type": "users", "tier": "21-50", "cycle": "monthly"}, {"type": "users", "tier": "1-20", "cycle": "yearly"}}

// life is a customer's: what is bought, and what becomes of it on a clock of its own.
func (h *house) life(r *rand.Rand, name string) (subscription string) {
	h.t.Helper()
	now := time.Date(2026, 1, 31, 10, 0, 0, 0, time.UTC)
	clock := h.ask(http.MethodPost, "/v1/operator/test-clocks", "", object{"now": now.Format(time.RFC3339)}).text(h.t, "id")
	bought := h.command("/v1/checkout", r, object{
		"product": "calendar-pro", "plan": plans[r.IntN(len(plans))], "currency": "USD", "pay": "now", "accept_terms": true, "test_clock": clock,
		"billing": object{"name": "Ada Rossi", "email": name + "@contoso.example", "country": "US"}, "payment": object{"method": "card", "token": "tok_visa"},
	})
	if bought.status != http.StatusCreated {
		h.t.Errorf("checkout: %d %s", bought.status, bought.body)
		return ""
	}
	subscription = bought.text(h.t, "subscription", "id")
	path := "/v1/subscriptions/" + subscription
	for range 5 + r.IntN(4) {
		switch r.IntN(9) {
		case 0:
			h.command(path+"/change", r, object{"plan": plans[r.IntN(len(plans))]})
		case 1:
			h.command(path+"/cancel", r, object{})
		case 2:
			h.command(path+"/resume", r, object{})
		case 3:
			h.command(path+"/payment-method", r, object{"token": []string{"tok_visa", "tok_declined", "tok_insufficient_funds"}[r.IntN(3)]})
		case 4:
			h.command(path+"/renew", r, object{})
		case 5:
			h.command("/v1/operator/invoices/"+bought.text(h.t, "invoice", "id")+"/refund", r, object{"amount": object{"amount": 100, "currency": "USD"}, "reason": "chaos"})
		default:
			now = now.Add(time.Duration(1+r.IntN(45*24)) * time.Hour)
			h.ask(http.MethodPost, "/v1/operator/test-clocks/"+clock+"/advance", "", object{"to": now.Format(time.RFC3339)})
		}
	}
	return subscription
}

type money struct {
	Amount   int64
	Currency string
}

// audit holds what the gateway moved to what the books say, invoice by invoice.
func (h *house) audit(subscription string) (charges, differences int, numbers []string) {
	h.t.Helper()
	var books struct {
		Data []struct {
			ID, Number, Status string
			AmountDue          money `json:"amount_due"`
		}
		NextCursor *string `json:"next_cursor"`
	}
	a := h.ask(http.MethodGet, "/v1/invoices?limit=100&subscription="+subscription, "", nil)
	if err := json.Unmarshal(a.body, &books); err != nil || books.NextCursor != nil {
		h.t.Fatalf("%s: %v", a.body, err)
	}
	paid := map[string]money{}
	for _, inv := range books.Data {
		if inv.Number != "" {
			numbers = append(numbers, inv.Number)
		}
		if inv.Status == "paid" && inv.AmountDue.Amount > 0 {
			paid[inv.ID] = inv.AmountDue
		}
	}
	var bank struct {
		Data []struct {
			Invoice, Status string
			Amount          money
		}
	}
	a = h.ask(http.MethodGet, "/v1/operator/sandbox/charges?subscription="+subscription, "", nil)
	if err := json.Unmarshal(a.body, &bank); err != nil {
		h.t.Fatalf("%s: %v", a.body, err)
	}
	for _, c := range bank.Data {
		if c.Status != "succeeded" {
			continue
		}
		charges++
		if due, ok := paid[c.Invoice]; !ok || due != c.Amount {
			h.t.Errorf("%s: %s charged %+v, and the books have %+v", subscription, c.Invoice, c.Amount, due)
			differences++
		}
		delete(paid, c.Invoice) // a second charge of it is a difference
	}
	for id, due := range paid {
		h.t.Errorf("%s: %s is paid over %+v, and nothing was charged", subscription, id, due)
		differences++
	}
	return charges, differences, numbers
}

func TestWhateverFailsTheBooksAndTheMoneyAgree(t *testing.T) {
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	fmt.Printf("the seed is %d\n", *seed)
	h := build(t)
	for api := range h.apis { // before any harm is done; the operator's key is stored soon after the start
		await(t, "the API is ready", func() bool {
			a, err := h.once(api, http.MethodGet, "/v1/operator/audit?limit=1", "", nil)
			return err == nil && a.status == http.StatusOK
		})
	}
	harmed, stop := make(chan bool), make(chan bool)
	var lives sync.Map // subscription → true
	var customers sync.WaitGroup
	var count atomic.Int64
	for n := range 4 {
		customers.Go(func() {
			r := rand.New(rand.NewPCG(*seed, uint64(n)))
			for {
				select {
				case <-stop:
					return
				default:
				}
				if id := h.life(r, fmt.Sprintf("ada.%d.%d", n, count.Add(1))); id != "" {
					lives.Store(id, true)
				}
			}
		})
	}
	done := map[string]int{}
	go func() {
		defer close(harmed)
		r := rand.New(rand.NewPCG(*seed, 1000))
		end := time.After(*bound)
		for range *faults {
			select {
			case <-end:
				return
			case <-time.After(time.Duration(50+r.IntN(500)) * time.Millisecond):
				done[h.harm(r)]++
			}
		}
	}()
	<-harmed
	close(stop)
	customers.Wait()

	sum, charges, differences, total := 0, 0, 0, 0
	var numbers []string
	lives.Range(func(id, _ any) bool {
		c, d, n := h.audit(id.(string))
		charges, differences, total, numbers = charges+c, differences+d, total+1, append(numbers, n...)
		return true
	})
	slices.Sort(numbers)
	if unique := len(slices.Compact(slices.Clone(numbers))); unique != len(numbers) {
		t.Errorf("%d invoices have %d numbers", len(numbers), unique)
	}
	if said := h.run("", "payments", "reconcile", "--from", "2026-01-01", "--to", "2031-01-01"); said != "" {
		t.Errorf("the gateway's list and the books differ: %s", said)
	}
	await(t, "every invoice was mailed", func() bool { return h.mailed(numbers) == len(numbers) })
	for name, n := range done {
		fmt.Printf("%4d × %s\n", n, name)
		sum += n
	}
	fmt.Printf("%d faults, %d lives, %d charges, %d repeated keys, %d invoices, %d differences\n", sum, total, charges, h.repeats.Load(), len(numbers), differences)
	if total == 0 || charges == 0 || sum < *faults && *faults <= 100 {
		t.Errorf("too little happened")
	}
}

// mailed counts the invoices that are attached to a mail.
func (h *house) mailed(numbers []string) (n int) {
	h.t.Helper()
	get := func(path string, into any) {
		w := httptest.NewRecorder()
		h.box.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
			h.t.Fatalf("%s: %v", path, err)
		}
	}
	var list struct{ Messages []struct{ ID string } }
	get("/api/v1/messages?limit=100000", &list)
	for _, m := range list.Messages {
		if h.read[m.ID] {
			continue
		}
		h.read[m.ID] = true
		var mail struct{ Attachments []struct{ FileName string } }
		get("/api/v1/message/"+m.ID, &mail)
		for _, a := range mail.Attachments {
			h.attached[strings.TrimSuffix(a.FileName, ".pdf")] = true
		}
	}
	for _, number := range numbers {
		if h.attached[number] {
			n++
		}
	}
	return n
}

// await polls what will come, for at most two minutes.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(2 * time.Minute)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Errorf("not in time: %s", what)
			return
		case <-tick.C:
		}
	}
}
