// Package engine wires all parts together, for cmd/okviz and for the development
// system. It makes no decisions of its own.
package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/log"
	sdkworker "go.temporal.io/sdk/worker"

	"github.com/okviz/licensing/activities"
	"github.com/okviz/licensing/api"
	"github.com/okviz/licensing/backoffice"
	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/commands"
	"github.com/okviz/licensing/delivery/documents"
	"github.com/okviz/licensing/delivery/mail"
	"github.com/okviz/licensing/delivery/packages"
	"github.com/okviz/licensing/delivery/webhooks"
	"github.com/okviz/licensing/licensing"
	"github.com/okviz/licensing/licensing/checks"
	"github.com/okviz/licensing/models"
	"github.com/okviz/licensing/payments"
	"github.com/okviz/licensing/payments/events"
	"github.com/okviz/licensing/payments/sandbox"
	"github.com/okviz/licensing/payments/stripe"
	"github.com/okviz/licensing/web"
	"github.com/okviz/licensing/worker"
	"github.com/okviz/licensing/workflows"
)

// Engine is all parts, connected.
type Engine struct {
	Store    *models.Store
	Temporal client.Client
	Stamper  *packages.Stamper
	Office   *backoffice.Office

	commands  *commands.Runner
	checks    *checks.Checks
	events    *events.Receiver
	steps     *activities.Activities
	courier   *webhooks.Courier
	namespace string   // of Temporal
	address   net.Addr // of the API, while it serves
	config    Config
	keys      licensing.KeyRing
	policy    billing.Policy
	gateway   payments.Gateway
	sandbox   *sandbox.Gateway // nil with another gateway
	documents *documents.Writer
	metrics   *metrics
	log       *slog.Logger
}

// Open prepares the connections to the database and to Temporal, wherever
// TEMPORAL_… says. They need not answer yet: Await waits for them.
func Open(c Config, l *slog.Logger) (*Engine, error) {
	options, err := c.temporal()
	if err != nil {
		return nil, err
	}
	if !c.Development() && len(c.AcceptRisks) > 0 {
		l.Warn("OKVIZ_ACCEPT_RISKS accepts what production otherwise refuses", "risks", c.AcceptRisks)
	}
	return OpenAt(c, options, l)
}

// OpenAt is Open with Temporal where the options say.
func OpenAt(c Config, options client.Options, l *slog.Logger) (*Engine, error) {
	e := &Engine{config: c, log: l, metrics: newMetrics(), namespace: cmp.Or(options.Namespace, client.DefaultNamespace)}
	var err error
	if e.keys, err = c.keys(); err != nil {
		return nil, err
	}
	if e.Store, err = OpenStore(c); err != nil {
		return nil, err
	}
	if err = e.openGateway(); err != nil {
		return nil, errors.Join(err, e.Store.Close())
	}
	options.MetricsHandler = e.metrics.sdk()
	options.Logger = log.NewStructuredLogger(l)
	if e.Temporal, err = client.NewLazyClient(options); err != nil {
		return nil, errors.Join(fmt.Errorf("preparing to connect to Temporal: %w", err), e.Store.Close())
	}
	if e.documents, err = documents.New(c.vendor(), nil); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	e.policy = c.policy()
	e.metrics.waiting(e.Store)
	e.Stamper = packages.NewStamper(e.Store, e.keys, e.policy.File)
	if e.steps, err = e.Activities(); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	e.checks = checks.New(e.Store, e.keys, func(ctx context.Context, subscription billing.SubscriptionID) {
		e.commands.Deliver(ctx, string(subscription))
	}, l, time.Now)
	e.commands = commands.New(e.Store, e.Temporal, e.checks.Forget, l, time.Now)
	e.events = events.New(e.Store, e.gateway, e.commands, e.checks.Forget, l, time.Now)
	e.courier = webhooks.New(e.Store, api.Payload(api.Config{Keys: e.keys, Policy: e.policy}), c.Secret, c.WebhookNetworks, l, time.Now)
	e.Office = backoffice.New(e.Store, e.gateway, e.commands, l, time.Now)
	return e, nil
}

// openGateway makes the gateway that the configuration names. It calls nobody.
func (e *Engine) openGateway() error {
	if e.config.Gateway == "stripe" {
		g, err := stripe.New(stripe.Config{
			Key: e.config.StripeKey, WebhookSecret: e.config.StripeWebhook, References: e.Store.GatewayReferences("stripe"),
		})
		e.gateway = g
		return err
	}
	g, err := sandbox.New(e.Store.SandboxLedger(), e.config.PublicURL+"/sandbox", e.config.sandboxSecret())
	e.gateway, e.sandbox = g, g
	return err
}

// OpenStore connects to the database alone.
func OpenStore(c Config) (*models.Store, error) {
	s, err := models.Open(c.DatabaseURL, c.policy())
	if err == nil && c.Connections > 0 {
		err = s.SetConnections(c.Connections)
	}
	return s, err
}

// version names this worker to Temporal's Worker Deployment Versioning; zero:
// it takes every workflow.
func (c Config) version() sdkworker.WorkerDeploymentVersion {
	return sdkworker.WorkerDeploymentVersion{DeploymentName: c.Deployment, BuildID: c.BuildID}
}

// vendor is who invoices come from.
func (c Config) vendor() documents.Vendor {
	return documents.Vendor{Name: c.Brand, Address: c.VendorAddress, Bank: c.VendorBank, VATID: c.VendorVATID, URL: c.PublicURL}
}

// brand is what makes the pages the vendor's own.
func (c Config) brand() (web.Brand, error) {
	b := web.Brand{Name: c.Brand, Terms: c.TermsURL, Privacy: c.PrivacyURL, Support: c.SupportURL}
	for _, f := range []struct {
		name, file string
		into       *[]byte
	}{{"OKVIZ_LOGO", c.Logo, &b.Logo}, {"OKVIZ_STYLE", c.Style, &b.Style}} {
		if f.file == "" {
			continue
		}
		var err error
		if *f.into, err = os.ReadFile(f.file); err != nil {
			return b, fmt.Errorf("%s names a file that cannot be read: %w", f.name, err)
		}
	}
	return b, nil
}

func (c Config) policy() billing.Policy {
	p := billing.DefaultPolicy()
	p.SellerCountry, p.BlockedCountries = c.SellerCountry, c.BlockedCountries
	if c.FileDays > 0 {
		p.File.Life = time.Duration(c.FileDays) * 24 * time.Hour
	}
	p.Unverified = cmp.Or(c.Unverified, p.Unverified)
	p.File.AfterMoneyBack = time.Duration(c.FirstFileDays) * 24 * time.Hour
	return p
}

// temporal is where TEMPORAL_… says that Temporal is.
func (c Config) temporal() (client.Options, error) {
	options, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return options, fmt.Errorf("TEMPORAL_…: %w", err)
	}
	return options, c.checkTemporal(options)
}

func dial(ctx context.Context, options client.Options, l *slog.Logger) (client.Client, error) {
	options.Logger = log.NewStructuredLogger(l)
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		c, err := client.DialContext(ctx, options)
		if err == nil {
			return c, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("connecting to Temporal: %w", err)
		case <-time.After(time.Second):
		}
	}
}

// Close disconnects.
func (e *Engine) Close() error {
	e.Temporal.Close()
	return e.Store.Close()
}

// Migrate brings the database up to date.
func Migrate(ctx context.Context, c Config) error {
	s, err := OpenStore(c)
	if err != nil {
		return err
	}
	return errors.Join(s.Migrate(ctx), s.Close())
}

// SearchAttributes are what the engine's workflows are found by.
var SearchAttributes = map[string]enums.IndexedValueType{
	workflows.AttributeStatus.GetName():  enums.INDEXED_VALUE_TYPE_KEYWORD,
	workflows.AttributePlan.GetName():    enums.INDEXED_VALUE_TYPE_KEYWORD,
	workflows.AttributeProduct.GetName(): enums.INDEXED_VALUE_TYPE_KEYWORD,
	workflows.AttributeNumber.GetName():  enums.INDEXED_VALUE_TYPE_INT,
}

// RegisterSearchAttributes makes them known to Temporal's namespace.
func RegisterSearchAttributes(ctx context.Context, cfg Config, l *slog.Logger) error {
	options, err := cfg.temporal()
	if err != nil {
		return err
	}
	return RegisterSearchAttributesAt(ctx, options, l)
}

// RegisterSearchAttributesAt is RegisterSearchAttributes with Temporal where the options say.
func RegisterSearchAttributesAt(ctx context.Context, options client.Options, l *slog.Logger) error {
	c, err := dial(ctx, options, l)
	if err != nil {
		return err
	}
	defer c.Close()
	namespace := cmp.Or(options.Namespace, client.DefaultNamespace)
	known, err := c.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	if err != nil {
		return fmt.Errorf("reading search attributes: %w", err)
	}
	missing := map[string]enums.IndexedValueType{}
	for name, kind := range SearchAttributes {
		if _, there := known.CustomAttributes[name]; !there {
			missing[name] = kind
		}
	}
	if len(missing) == 0 {
		return nil
	}
	_, err = c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{Namespace: namespace, SearchAttributes: missing})
	if err != nil {
		return fmt.Errorf("registering search attributes: %w", err)
	}
	return nil
}

// Replay replays the histories of workflows with this program's code; see
// worker.Replay. It needs no database.
func Replay(ctx context.Context, cfg Config, l *slog.Logger, which worker.Selection, tell func(worker.Replayed)) (worker.Replayed, error) {
	options, err := cfg.temporal()
	if err != nil {
		return worker.Replayed{}, err
	}
	c, err := dial(ctx, options, l)
	if err != nil {
		return worker.Replayed{}, err
	}
	defer c.Close()
	return worker.Replay(ctx, c, which, tell)
}

// api is the handler of everything that is served over HTTP.
func (e *Engine) api() (http.Handler, error) {
	tenants, err := e.config.tenants()
	if err != nil {
		return nil, err
	}
	issuer, err := e.config.issuer()
	if err != nil {
		return nil, err
	}
	brand, err := e.config.brand()
	if err != nil {
		return nil, err
	}
	register, err := e.config.vatRegister()
	if err != nil {
		return nil, err
	}
	return api.New(api.Config{
		Stores: api.Stores{
			Access: e.Store, Outcomes: e.Store, Shop: e.Store, Subscriptions: e.Store, Invoices: e.Store,
			Licenses: e.Store, Accounts: e.Store, Privacy: e.Store, Operators: e.Store, Sessions: e.Store, Events: e.Store, Gateway: e.Store,
		},
		Commands: e.commands, Checks: e.checks, Events: e.events, Office: e.Office, Gateway: e.gateway, Files: e.Stamper, Documents: e.documents, VATRegister: register, Keys: e.keys, Policy: e.policy,
		Metrics: e.metrics, Sandbox: e.charges(), Tenants: tenants, Issuer: issuer, TemporalUI: e.config.TemporalUI, Pages: web.Handler(brand), Version: Version(), PublicURL: e.config.PublicURL, Secret: e.config.Secret, TestClocks: e.config.TestClocks, Origins: e.config.Origins, PlainWebhooks: len(e.config.WebhookNetworks) > 0,
		RateLimits:     e.config.limited(),
		TrustedProxies: e.config.TrustedProxies, Log: e.log, Now: time.Now,
	})
}

// Serve answers HTTP on a listener until the context ends, and lets requests
// under way finish. What is needed may come later: until then it is not ready.
func (e *Engine) Serve(ctx context.Context, l net.Listener) error {
	handler, err := e.api()
	if err != nil {
		return err
	}
	e.address = l.Addr()
	defer e.runBeside(ctx, roleAPI)() // until the last request has been answered
	return e.serve(ctx, l, handler)
}

// Roles of a process. One process may have both.
const (
	roleAPI    = "api"
	roleWorker = "worker"
)

// loop is what a role does besides requests and workflows, until its context ends.
type loop struct {
	role, does string
	run        func(ctx context.Context)
}

// loops are all of them.
func (e *Engine) loops() []loop {
	return []loop{
		{roleAPI, "store the operator key of a development system", func(ctx context.Context) {
			if err := e.PutOperatorKey(ctx); err != nil {
				e.log.Error("the operator key was not stored", "error", err)
			}
		}},
		{roleAPI, "write down who asks about licences", e.checks.Run},
		{roleAPI, "act on the gateway's events, and have it forget removed cards", e.events.Run},
		{roleAPI, "send the sandbox's webhooks", e.sendWebhooks},
		{roleWorker, "remove what is older than its retention", func(ctx context.Context) { backoffice.Retain(ctx, e.Store, e.config.retention(), e.log) }},
		{roleWorker, "compare rows, workflows and money, and start workflows that are missing", func(ctx context.Context) {
			e.Office.Watch(ctx, 10*time.Minute, e.metrics.Reconciled, e.metrics.differences.Reset)
		}},
		{roleWorker, "send webhooks", e.courier.Run},
		{roleWorker, "send mails that are left over", func(ctx context.Context) { worker.Sweep(ctx, e.steps, time.Minute, e.log) }},
	}
}

// PutOperatorKey stores the configured operator key, if there is one.
func (e *Engine) PutOperatorKey(ctx context.Context) error {
	if e.config.OperatorKey == "" {
		return nil
	}
	_, err := e.Store.PutAPIKey(ctx, e.config.OperatorKey, billing.APIKey{Access: string(billing.OperatorAdmin)})
	return err
}

// runBeside runs a role's loops, once what they need is there, until stop has
// returned.
func (e *Engine) runBeside(ctx context.Context, role string) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() {
		if e.Await(ctx) != nil {
			return
		}
		for _, l := range e.loops() {
			if l.role == role {
				e.log.Debug("begins with the "+role, "loop", l.does)
				running.Go(func() { l.run(ctx) })
			}
		}
	})
	return func() {
		cancel()
		running.Wait()
	}
}

// writeTimeout is how long an answer may take, from the request's headers on: a
// package of 16 MiB over a slow line, or a command with a slow gateway.
var writeTimeout = 5 * time.Minute

// serve answers on a listener until the context ends.
func (e *Engine) serve(ctx context.Context, l net.Listener, handler http.Handler) error {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: writeTimeout, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(e.log.Handler(), slog.LevelDebug),
	}
	done := make(chan error, 1)
	go func() {
		<-ctx.Done()
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		done <- server.Shutdown(stop)
	}()
	if err := server.Serve(problems{l}); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving HTTP: %w", err)
	}
	return <-done
}

// ServeMetrics tells Prometheus on a listener of its own what the process does,
// and whether it is alive and ready, until the context ends.
func (e *Engine) ServeMetrics(ctx context.Context, l net.Listener) error {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", e.metrics.Handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		fmt.Fprintf(w, `{"status":"ok","version":%q}`, Version()) // it fails when the asker has gone
	})
	mux.Handle("GET /readyz", api.Readiness(e.Store, e.commands))
	return e.serve(ctx, l, mux)
}

// Work runs the worker until the context ends, and lets activities under way
// finish. It begins once what it needs is there.
func (e *Engine) Work(ctx context.Context) error {
	if e.Await(ctx) != nil {
		return nil // told to stop before it had begun
	}
	defer e.runBeside(ctx, roleWorker)()
	return worker.New(e.Temporal, e.steps, worker.Limits{Activities: e.config.Activities, CachedWorkflows: e.config.CachedWorkflows}, e.config.version(), e.log).Run(until(ctx))
}

func until(ctx context.Context) <-chan any {
	stop := make(chan any)
	go func() {
		<-ctx.Done()
		close(stop)
	}()
	return stop
}

// Activities are the steps with all that they need.
func (e *Engine) Activities() (*activities.Activities, error) {
	sender, err := mail.New(mail.Config{
		URL: e.config.SMTPURL, From: e.config.MailFrom,
		Brand: mail.Brand{Name: e.config.Brand, PublicURL: e.config.PublicURL, SupportURL: e.config.SupportURL},
	})
	if err != nil {
		return nil, err
	}
	operator, err := e.config.operatorEmail()
	if err != nil {
		return nil, fmt.Errorf("the operator's address: %w", err)
	}
	return &activities.Activities{
		Store: e.Store, Gateway: meteredGateway{e.gateway, e.metrics}, Mailer: meteredMailer{sender, e.metrics}, Files: e.Stamper, Documents: e.documents, PublicURL: e.config.PublicURL, Secret: e.config.Secret,
		OperatorEmail: operator, RateLimits: e.config.limited(), LargestMail: int64(cmp.Or(e.config.MailMegabytes, 5)) * 1_000_000, Now: time.Now,
	}, nil
}

// ReconcileMoney compares what the gateway has moved in [from, to) with the
// books. It needs no Temporal.
func ReconcileMoney(ctx context.Context, c Config, from, to time.Time) (list []billing.Difference, err error) {
	err = withGateway(c, func(store *models.Store, gateway payments.Gateway) error {
		list, err = backoffice.ReconcileMoney(ctx, store, gateway, from, to)
		return err
	})
	return list, err
}

// AdoptPayments is backoffice.Adopt. It needs no Temporal.
func AdoptPayments(ctx context.Context, c Config, from, to time.Time) (found backoffice.Adoption, err error) {
	err = withGateway(c, func(store *models.Store, gateway payments.Gateway) error {
		found, err = backoffice.Adopt(ctx, store, gateway, from, to)
		return err
	})
	return found, err
}

// withGateway runs f with the database and the gateway alone.
func withGateway(c Config, f func(*models.Store, payments.Gateway) error) error {
	store, err := OpenStore(c)
	if err != nil {
		return err
	}
	e := &Engine{config: c, Store: store}
	if err = e.openGateway(); err == nil {
		err = f(store, e.gateway)
	}
	return errors.Join(err, store.Close())
}

// InspectPackage holds a package to what can be published, and says what it is.
func InspectPackage(c Config, pkg []byte) (billing.Build, error) {
	keys, err := c.keys()
	if err != nil {
		return billing.Build{}, err
	}
	return packages.NewStamper(nil, keys, c.policy().File).Inspect(pkg)
}
