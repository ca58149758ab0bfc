// Package engine wires all parts together, for cmd/okviz and for the development
// system. It makes no decisions of its own.
package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/log"

	"github.com/okviz/licensing/activities"
	"github.com/okviz/licensing/api"
	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/delivery/documents"
	"github.com/okviz/licensing/delivery/mail"
	"github.com/okviz/licensing/delivery/packages"
	"github.com/okviz/licensing/licensing"
	"github.com/okviz/licensing/models"
	"github.com/okviz/licensing/payments"
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
	Press    *packages.Press

	config    Config
	keys      licensing.KeyRing
	policy    billing.Policy
	gateway   payments.Gateway
	sandbox   *sandbox.Gateway // nil with another gateway
	documents *documents.Writer
	metrics   *metrics
	log       *slog.Logger
}

// Open connects to the database and to Temporal, wherever TEMPORAL_… says.
func Open(ctx context.Context, c Config, l *slog.Logger) (*Engine, error) {
	options, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return nil, fmt.Errorf("TEMPORAL_…: %w", err)
	}
	return OpenAt(ctx, c, options, l)
}

// OpenAt is Open with Temporal where the options say.
func OpenAt(ctx context.Context, c Config, options client.Options, l *slog.Logger) (*Engine, error) {
	e := &Engine{config: c, log: l, metrics: newMetrics()}
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
	if e.Temporal, err = dial(ctx, options, l); err != nil {
		return nil, errors.Join(err, e.Store.Close())
	}
	if e.documents, err = documents.New(c.vendor(), nil); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	e.policy = c.policy()
	e.metrics.Late(func(ctx context.Context) (int64, error) { return e.Store.Late(ctx, time.Now().Add(-grace)) })
	e.Press = packages.NewPress(e.Store, e.keys)
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
func OpenStore(c Config) (*models.Store, error) { return models.Open(c.DatabaseURL, c.policy()) }

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
	p.SellerCountry = c.SellerCountry
	return p
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
func RegisterSearchAttributes(ctx context.Context, l *slog.Logger) error {
	options, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return fmt.Errorf("TEMPORAL_…: %w", err)
	}
	c, err := dial(ctx, options, l)
	if err != nil {
		return err
	}
	defer c.Close()
	namespace := options.Namespace
	if namespace == "" {
		namespace = client.DefaultNamespace
	}
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

// API is the handler of everything that is served over HTTP.
func (e *Engine) API() (*api.Handler, error) {
	tenants, err := e.config.tenants()
	if err != nil {
		return nil, err
	}
	brand, err := e.config.brand()
	if err != nil {
		return nil, err
	}
	return api.New(api.Config{
		Store: e.Store, Temporal: e.Temporal, Gateway: e.gateway, Files: e.Press, Documents: e.documents, VATIDs: api.VATSyntax{}, Keys: e.keys, Policy: e.policy,
		Metrics: e.metrics, Sandbox: e.charges(), Tenants: tenants, Pages: web.Handler(brand), PublicURL: e.config.PublicURL, Secret: billing.Secret(e.config.Secret), TestClocks: e.config.TestClocks,
		RateLimits:     !e.config.Development() || e.config.RateLimits == "on",
		TrustedProxies: e.config.TrustedProxies, Log: e.log, Now: time.Now,
	})
}

// Serve answers HTTP on a listener until the context ends, and lets requests
// under way finish.
func (e *Engine) Serve(ctx context.Context, l net.Listener) error {
	handler, err := e.API()
	if err != nil {
		return err
	}
	if key := e.config.OperatorKey; key != "" {
		if _, err := e.Store.PutAPIKey(ctx, key, "operator", ""); err != nil {
			return fmt.Errorf("storing the operator key: %w", err)
		}
	}
	// It counts until the last request has been answered.
	aside, stop := context.WithCancel(context.WithoutCancel(ctx))
	counted := make(chan struct{})
	go func() {
		defer close(counted)
		handler.Run(aside)
	}()
	defer func() {
		stop()
		<-counted
	}()
	if e.sandbox != nil {
		go e.tellNews(ctx, l.Addr(), 2*time.Second)
	}
	return e.serve(ctx, l, handler)
}

// serve answers on a listener until the context ends.
func (e *Engine) serve(ctx context.Context, l net.Listener, handler http.Handler) error {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(e.log.Handler(), slog.LevelDebug),
	}
	done := make(chan error, 1)
	go func() {
		<-ctx.Done()
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		done <- server.Shutdown(stop)
	}()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving HTTP: %w", err)
	}
	return <-done
}

// ServeMetrics tells Prometheus on a listener of its own what the process does,
// until the context ends.
func (e *Engine) ServeMetrics(ctx context.Context, l net.Listener) error {
	return e.serve(ctx, l, e.metrics.Handler())
}

// Work runs the worker until the context ends, and lets activities under way
// finish.
func (e *Engine) Work(ctx context.Context) error {
	a, err := e.Activities()
	if err != nil {
		return err
	}
	w := worker.New(e.Temporal, a, e.log)
	go worker.Sweep(ctx, a, time.Minute, e.log)
	return w.Run(until(ctx))
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
		Store: e.Store, Gateway: meteredGateway{e.gateway, e.metrics}, Mailer: meteredMailer{sender, e.metrics}, Files: e.Press, Documents: e.documents, PublicURL: e.config.PublicURL, Secret: billing.Secret(e.config.Secret),
		OperatorEmail: operator, Now: time.Now,
	}, nil
}

// MigratePrices moves subscriptions to the newest price of their plan, from
// their next renewal on.
func (e *Engine) MigratePrices(ctx context.Context, which api.PriceSelection, dryRun bool) ([]string, error) {
	return api.MigratePrices(ctx, e.Store, e.Temporal, which, dryRun)
}

// ReconcileMoney compares what the gateway has moved in [from, to) with the
// books.
func (e *Engine) ReconcileMoney(ctx context.Context, from, to time.Time) ([]billing.Difference, error) {
	return api.ReconcileMoney(ctx, e.Store, e.gateway, from, to)
}

// ReconcileMoney is the same without Temporal.
func ReconcileMoney(ctx context.Context, c Config, from, to time.Time) ([]billing.Difference, error) {
	store, err := OpenStore(c)
	if err != nil {
		return nil, err
	}
	e := &Engine{config: c, Store: store}
	var list []billing.Difference
	if err = e.openGateway(); err == nil {
		list, err = e.ReconcileMoney(ctx, from, to)
	}
	return list, errors.Join(err, store.Close())
}

// ImportStatement records the transfers that a bank's statement tells of.
func (e *Engine) ImportStatement(ctx context.Context, file []byte) ([]api.StatementLine, error) {
	return api.ImportStatement(ctx, api.Config{Store: e.Store, Temporal: e.Temporal, Log: e.log, Now: time.Now}, file)
}

// Recover starts a workflow for every live subscription that has none, as
// after the loss of Temporal's database: it loads its rows and goes on.
func (e *Engine) Recover(ctx context.Context) (live int, err error) {
	subs, err := e.Store.Live(ctx)
	if err != nil {
		return 0, err
	}
	for _, s := range subs {
		if _, err := e.Temporal.ExecuteWorkflow(ctx, workflows.Options(s), workflows.Subscription, workflows.Start{ID: s.ID}); err != nil {
			return 0, fmt.Errorf("starting %s: %w", s.ID, err)
		}
	}
	return len(subs), nil
}

// InspectPackage holds a package to what can be published, and says what it is.
func InspectPackage(c Config, pkg []byte) (billing.Build, error) {
	keys, err := c.keys()
	if err != nil {
		return billing.Build{}, err
	}
	return packages.NewPress(nil, keys).Inspect(pkg)
}
