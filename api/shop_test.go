package api_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/okviz/licensing/activities"
	"github.com/okviz/licensing/activities/activitiestest"
	"github.com/okviz/licensing/api"
	"github.com/okviz/licensing/backoffice"
	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/commands"
	"github.com/okviz/licensing/delivery/packages"
	"github.com/okviz/licensing/licensing"
	"github.com/okviz/licensing/licensing/checks"
	"github.com/okviz/licensing/models"
	"github.com/okviz/licensing/payments/events"
	"github.com/okviz/licensing/payments/sandbox"
	"github.com/okviz/licensing/visual"
	"github.com/okviz/licensing/workflows"
)

// webhookSecret signs the sandbox's webhooks.
const webhookSecret = "whsec_0123456789abcdef"

const operatorKey = "okv_operator_0123456789abcdef0123456789"

// marker stands in whatever a test submits that is wrong. No refusal may
// contain it.
const marker = "Zm4rkerZ"

// secrets are what the orders of these tests submit; no refusal may contain
// them either.
var secrets = []string{marker, "tok_", "ada@", "Ada ", "bea@", "Bianchi", "contoso", "Contoso", operatorKey}

// shop is the API over a database file and the real steps; its Temporal is the
// fake below.
type shop struct {
	t        *testing.T
	store    *models.Store
	temporal *temporal
	mailbox  *activitiestest.Mailbox
	gateway  *sandbox.Gateway
	handler  http.Handler
	parts    parts
	checks   *checks.Checks
	events   *events.Receiver
	keys     licensing.KeyRing
	now      time.Time // of the API, where it is set

	describe  sync.Once
	described described
}

// parts are what an API is made of; a test may change them.
type parts struct {
	api.Config
	checks  checks.Store
	events  events.Store
	gateway events.Gateway
	keys    licensing.KeyRing
}

// assemble makes the API of its parts.
func (s *shop) assemble(p parts) {
	s.t.Helper()
	c := &p.Config
	s.checks = checks.New(p.checks, p.keys, func(ctx context.Context, subscription billing.SubscriptionID) {
		c.Commands.Deliver(ctx, string(subscription))
	}, c.Log, c.Now)
	c.Commands = commands.New(s.store, s.temporal, s.checks.Forget, c.Log, c.Now)
	s.events = events.New(p.events, p.gateway, c.Commands, s.checks.Forget, c.Log, c.Now)
	c.Checks, c.Events, c.Keys = s.checks, s.events, p.keys
	c.Office = backoffice.New(s.store, s.gateway, c.Commands, c.Log, c.Now)
	s.parts = p
	var err error
	s.handler, err = api.New(*c)
	check(s.t, err)
}

// database is the file that every shop begins with: it has a catalogue, packages and the
// operator's key. It is made once, since the tables alone take half a second.
var (
	stocked  sync.Once
	database []byte
)

func stock(t *testing.T, keys licensing.KeyRing) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "stock.db")
	store, err := models.Open(sqlite(file), billing.DefaultPolicy())
	check(t, err)
	fill(t, store, keys)
	check(t, store.Close())
	database, err = os.ReadFile(file)
	check(t, err)
}

// fill puts into an empty database what every shop begins with.
func fill(t *testing.T, store *models.Store, keys licensing.KeyRing) {
	t.Helper()
	ctx := t.Context()
	check(t, store.Migrate(ctx))
	sold, err := billing.ParseCatalogue(billing.DefaultCatalogue())
	check(t, err)
	_, err = store.ApplyCatalogue(ctx, sold, false)
	check(t, err)
	_, err = store.PutAPIKey(ctx, operatorKey, billing.APIKey{Access: string(billing.OperatorAdmin)})
	check(t, err)
	stamper := packages.NewStamper(store, keys, billing.DefaultPolicy().File)
	for _, p := range visual.Packages() {
		build, err := stamper.Inspect(p.Data)
		check(t, err)
		check(t, store.PutVersion(ctx, p.Product, billing.Version{Version: p.Version, Changelog: p.Changelog, Build: build}, p.Data))
	}
}

func sqlite(file string) string { return "sqlite://" + filepath.ToSlash(file) }

func devKeys(t *testing.T) licensing.KeyRing {
	t.Helper()
	return licensing.KeyRing{Current: devKey(t, "signing-dev.pem"), Next: devKey(t, "signing-dev-next.pem")}
}

func newShop(t *testing.T, change ...func(*parts)) *shop {
	t.Helper()
	stocked.Do(func() { stock(t, devKeys(t)) })
	file := filepath.Join(t.TempDir(), "api.db")
	check(t, os.WriteFile(file, database, 0o600))
	return openShop(t, sqlite(file), change...)
}

// openShop opens a shop over a database that has been filled.
func openShop(t *testing.T, url string, change ...func(*parts)) *shop {
	t.Helper()
	s := &shop{t: t, keys: devKeys(t)}
	var err error
	s.store, err = models.Open(url, billing.DefaultPolicy())
	check(t, err)
	t.Cleanup(func() { _ = s.store.Close() }) // some tests have done so
	gateway, err := sandbox.New(sandbox.NewMemory(), "https://shop.example/sandbox", webhookSecret)
	check(t, err)
	s.gateway = gateway
	stamper := packages.NewStamper(s.store, s.keys, billing.DefaultPolicy().File)
	papers, err := activitiestest.Documents()
	check(t, err)
	s.mailbox = &activitiestest.Mailbox{}
	s.temporal = &temporal{store: s.store, steps: &activities.Activities{
		Store: s.store, Gateway: gateway, Mailer: s.mailbox, Files: stamper, Documents: papers,
		PublicURL: "https://shop.example", Secret: billing.Secret{"0123456789abcdef0123456789abcdef"}, Now: time.Now,
	}}

	log := &diary{}
	t.Cleanup(func() { log.saysNothing(t) })
	config := api.Config{
		Stores: api.Stores{
			Access: s.store, Outcomes: s.store, Shop: s.store, Subscriptions: s.store, Invoices: s.store,
			Licenses: s.store, Accounts: s.store, Privacy: s.store, Operators: s.store, Sessions: s.store, Events: s.store, Gateway: s.store,
		},
		Gateway: gateway, Files: stamper, Documents: papers, Policy: billing.DefaultPolicy(), Metrics: uncounted{},
		Sandbox: gateway, PublicURL: "https://shop.example", Secret: billing.Secret{"0123456789abcdef0123456789abcdef"}, TestClocks: true,
		Log: slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})), Now: func() time.Time {
			if s.now.IsZero() {
				return time.Now()
			}
			return s.now
		},
	}
	s.parts = parts{config, s.store, s.store, gateway, s.keys}
	for _, f := range change {
		f(&s.parts)
	}
	s.temporal.steps.RateLimits = s.parts.RateLimits
	s.assemble(s.parts)
	return s
}

func devKey(t *testing.T, file string) licensing.Key {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "dev", "keys", file))
	check(t, err)
	key, err := licensing.ParsePrivateKey(text)
	check(t, err)
	return key
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// diary is the log.
type diary struct {
	mu   sync.Mutex
	text strings.Builder
}

func (d *diary) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.text.Write(p)
}

// saysNothing holds a log to naming nobody and repeating nothing.
func (d *diary) saysNothing(t *testing.T) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for line := range strings.SplitSeq(d.text.String(), "\n") {
		for _, secret := range append([]string{"cot_", "qot_"}, secrets...) {
			if strings.Contains(line, secret) {
				t.Errorf("the log says %q: %s", secret, line)
			}
		}
		if strings.Contains(line, "panicked") {
			t.Errorf("the log says: %s", line)
		}
	}
}

// temporal answers updates as the workflow does, without a server.
type temporal struct {
	client.Client
	store *models.Store
	steps *activities.Activities

	mu     sync.Mutex
	before func() error // an error: the command does not arrive
	after  func() error // an error: its answer does not
	sent   int

	delivered int // runs that were started to send mails

	// instead is the whole workflow, where a test has one.
	instead func(ctx context.Context, in workflows.Start, c billing.Command) error
}

type started struct {
	id string
	in workflows.Start
}

func (started) Get(context.Context) (client.WorkflowRun, error) { return nil, nil }

func (f *temporal) NewWithStartWorkflowOperation(o client.StartWorkflowOptions, _ any, args ...any) client.WithStartWorkflowOperation {
	return started{o.ID, args[0].(workflows.Start)}
}

func (f *temporal) CheckHealth(context.Context, *client.CheckHealthRequest) (*client.CheckHealthResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.before != nil {
		return nil, f.before()
	}
	return &client.CheckHealthResponse{}, nil
}

type handle struct {
	client.WorkflowUpdateHandle
	err error
}

func (h handle) Get(context.Context, any) error { return h.err }

func (f *temporal) UpdateWithStartWorkflow(ctx context.Context, o client.UpdateWithStartWorkflowOptions) (client.WorkflowUpdateHandle, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent++
	if f.before != nil {
		if err := f.before(); err != nil {
			return nil, err
		}
	}
	id := o.StartWorkflowOperation.(started).id
	var err error
	if f.instead != nil {
		err = f.instead(ctx, o.StartWorkflowOperation.(started).in, o.UpdateOptions.Args[0].(billing.Command))
	} else if a, isAdvance := o.UpdateOptions.Args[0].(workflows.Advance); isAdvance {
		err = f.due(ctx, billing.SubscriptionID(id), a.To)
	} else {
		command := o.UpdateOptions.Args[0].(billing.Command)
		err = f.run(ctx, billing.SubscriptionID(id), func(s billing.Subscription) (activities.Task, bool) {
			return activities.Task{At: s.At(time.Now()), Command: &command}, true
		})
	}
	if err == nil && f.after != nil {
		err = f.after()
	}
	return handle{err: err}, nil
}

func (f *temporal) ListWorkflow(context.Context, *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	return &workflowservice.ListWorkflowExecutionsResponse{}, nil
}

func (f *temporal) DescribeWorkflow(context.Context, string, string) (*client.WorkflowExecutionDescription, error) {
	return nil, serviceerror.NewNotFound("no such workflow")
}

// ExecuteWorkflow is asked for Deliver, and for the workflow of an order that waits.
func (f *temporal) ExecuteWorkflow(ctx context.Context, _ client.StartWorkflowOptions, _ any, args ...any) (client.WorkflowRun, error) {
	if start, ok := args[0].(workflows.Start); ok {
		return nil, f.steps.Notify(ctx, start.ID)
	}
	f.delivered++
	return nil, f.steps.Notify(ctx, billing.SubscriptionID(args[0].(string)))
}

// updates counts what was sent.
func (f *temporal) updates() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sent
}

func (f *temporal) due(ctx context.Context, id billing.SubscriptionID, at time.Time) error {
	for more := true; more; {
		err := f.run(ctx, id, func(s billing.Subscription) (activities.Task, bool) {
			more = !s.Next.At.IsZero() && !s.Next.At.After(at)
			return activities.Task{At: at, Step: &s.Next}, more
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *temporal) run(ctx context.Context, id billing.SubscriptionID, task func(billing.Subscription) (activities.Task, bool)) error {
	o, err := f.store.Overview(ctx, id)
	if err != nil {
		return err
	}
	t, ok := task(o.Subscription)
	if !ok {
		return nil
	}
	t.Subscription, t.Revision = id, o.Revision
	_, err = f.steps.Do(ctx, t) // what a step is, its task says
	return err
}

// fail makes commands fail before or after they are carried out.
func (f *temporal) fail(before, after error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before, f.after = nil, nil
	if before != nil {
		f.before = func() error { return before }
	}
	if after != nil {
		f.after = func() error { return after }
	}
}

// answer is what a request came to.
type answer struct {
	t      *testing.T
	what   string
	status int
	header http.Header
	body   []byte
}

// ask sends a request. Headers are "Name: value". Every refusal is held to
// what all refusals have in common.
func (s *shop) ask(method, path, body string, headers ...string) answer {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, "http://127.0.0.1"+path, strings.NewReader(body))
	check(s.t, err)
	r.RemoteAddr = "192.0.2.1:1234"
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	a := answer{s.t, method + " " + short(path) + " " + short(body), w.Code, w.Header(), w.Body.Bytes()}
	if a.status >= 400 && path != "/readyz" {
		a.isProblem()
	}
	if a.status < 300 && strings.HasPrefix(path, "/v1/") && method != http.MethodOptions && method != http.MethodHead {
		s.isDescribed(method, path, a)
	}
	return a
}

func short(s string) string { return s[:min(len(s), 300)] }

// isProblem holds a refusal to its documented shape: a problem with a code,
// and nothing of what was submitted.
func (a answer) isProblem() {
	a.t.Helper()
	var p struct {
		Type   string
		Title  string
		Status int
		Detail string
		Code   string
		Errors []struct{ Field, Detail string }
	}
	if err := json.Unmarshal(a.body, &p); err != nil || a.header.Get("Content-Type") != "application/problem+json" {
		a.t.Errorf("%s: %d is no problem document: %s %s", a.what, a.status, a.header.Get("Content-Type"), a.body)
		return
	}
	if p.Status != a.status || p.Code == "" || p.Type != "urn:okviz:problem:"+p.Code || p.Title != http.StatusText(a.status) {
		a.t.Errorf("%s: %d with an incomplete problem: %s", a.what, a.status, a.body)
	}
	if a.status == http.StatusUnprocessableEntity && p.Code == "invalid" && len(p.Errors) == 0 {
		a.t.Errorf("%s: no field is named: %s", a.what, a.body)
	}
	if a.status == http.StatusInternalServerError {
		a.t.Errorf("%s: %d %s", a.what, a.status, a.body)
	}
	if (a.status == http.StatusTooManyRequests || a.status == http.StatusServiceUnavailable) && a.header.Get("Retry-After") == "" {
		a.t.Errorf("%s: %d without Retry-After", a.what, a.status)
	}
	if a.status == http.StatusUnauthorized && a.header.Get("WWW-Authenticate") == "" {
		a.t.Errorf("%s: 401 without WWW-Authenticate", a.what)
	}
	for name, values := range a.header {
		for _, secret := range secrets {
			if strings.Contains(strings.Join(values, " "), secret) {
				a.t.Errorf("%s: the header %s repeats %q", a.what, name, secret)
			}
		}
	}
	for _, secret := range secrets {
		if strings.Contains(string(a.body), secret) {
			a.t.Errorf("%s: the answer repeats %q: %s", a.what, secret, a.body)
		}
	}
}

// want holds an answer to a status and, of a refusal, a code.
func (a answer) want(status int, code string) answer {
	a.t.Helper()
	if got, _ := a.json()["code"].(string); a.status != status || code != "" && got != code {
		a.t.Errorf("%s: %d %s, want %d %s", a.what, a.status, a.body, status, code)
	}
	return a
}

func (a answer) json() map[string]any {
	v := map[string]any{}
	_ = json.Unmarshal(a.body, &v) // an empty object is what it is then
	return v
}

// at reads a value such as "subscription.id" of an answer.
func (a answer) at(path string) any {
	var v any = a.json()
	for name := range strings.SplitSeq(path, ".") {
		o, _ := v.(map[string]any)
		v = o[name]
	}
	return v
}

func (a answer) text(path string) string {
	a.t.Helper()
	s, ok := a.at(path).(string)
	if !ok {
		a.t.Fatalf("%s: %d has no text %s: %s", a.what, a.status, path, a.body)
	}
	return s
}

const asOperator = "Authorization: Bearer " + operatorKey

func newKey() string { return "key-" + ulid.MustNew(ulid.Now(), rand.Reader).String() }

func withKey() string { return "Idempotency-Key: " + newKey() }

// order is the contract's example, changed by "field.name=JSON" pairs; an
// empty value leaves the field out.
func order(changes ...string) string {
	o := map[string]any{}
	if err := json.Unmarshal([]byte(`{"product":"calendar-pro","plan":{"type":"users","tier":"1-20","cycle":"monthly"},"quantity":1,"currency":"USD",
 "billing":{"name":"Ada Rossi","email":"ada@contoso.example","company":"Contoso","country":"US","address":{"line1":"1 Main St","city":"Springfield","postal_code":"12345"},"vat_id":null},
 "licensee":{"name":"Bea Bianchi","email":"bea@contoso.example"},
 "pay":"now","payment":{"method":"card","token":"tok_visa"},"coupon":null,"sites":[],"accept_terms":true,"test_clock":null}`), &o); err != nil {
		panic(err)
	}
	return changed(o, changes...)
}

func changed(o map[string]any, changes ...string) string {
	for _, c := range changes {
		path, value, _ := strings.Cut(c, "=")
		at := o
		names := strings.Split(path, ".")
		for _, name := range names[:len(names)-1] {
			next, ok := at[name].(map[string]any)
			if !ok {
				next = map[string]any{}
				at[name] = next
			}
			at = next
		}
		if last := names[len(names)-1]; value == "" {
			delete(at, last)
		} else {
			at[last] = json.RawMessage(value)
		}
	}
	b, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// quoted is order without what pays for it.
func quoted(changes ...string) string {
	return order(append([]string{"pay=", "payment=", "accept_terms="}, changes...)...)
}

// sweeping has events acted on that are left over, until stop returns.
func (s *shop) sweeping() (stop func()) {
	ctx, cancel := context.WithCancel(s.t.Context())
	ran := make(chan struct{})
	go func() { s.events.Run(ctx); close(ran) }()
	return func() { cancel(); <-ran }
}

// buy places an order as a guest.
func (s *shop) buy(changes ...string) answer {
	s.t.Helper()
	return s.ask("POST", "/v1/checkout", order(changes...), withKey())
}

// accountKey makes an API key of an address's account.
func (s *shop) accountKey(email string) string {
	s.t.Helper()
	return s.ask("POST", "/v1/api-keys?email="+url.QueryEscape(email), "", asOperator).want(201, "").text("key")
}

// on sends an operator's command on a subscription.
func (s *shop) on(subscription, action, body string) answer {
	s.t.Helper()
	return s.ask("POST", "/v1/subscriptions/"+subscription+"/"+action, body, asOperator, withKey())
}

// request reads the row of a request that has been made.
func (s *shop) request(caller, route, key string) billing.Request {
	s.t.Helper()
	r, fresh, err := s.store.Begin(s.t.Context(), billing.Request{ID: billing.RequestID(models.NewID("req")), Caller: caller, Route: route, Key: key}, nil, nil)
	check(s.t, err)
	if fresh {
		s.t.Fatalf("there is no request of %s with this key", route)
	}
	return r
}

// uncounted are metrics that nobody reads.
type uncounted struct{}

func (uncounted) Request(string, string, int, time.Duration) {}

func (uncounted) Check(string) {}
