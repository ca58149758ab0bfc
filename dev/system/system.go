// Package system starts the whole of OKVIZ in one process, for development and
// for the end-to-end tests: Temporal with its UI, a mailbox, the API and the
// worker, over SQLite or whatever database is named.
package system

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/dev/keys"
	"github.com/okviz/licensing/dev/mailbox"
	"github.com/okviz/licensing/engine"
	"github.com/okviz/licensing/visual"
)

// Options say where the system runs. Every address may end in ":0".
type Options struct {
	Data     string // folder of all data; made if it is missing
	HTTP     string // pages and API
	UI       string // the Temporal UI; empty: none
	Mailbox  string // the mailbox's page and API
	Temporal string // Temporal's frontend
	// RunningTemporal: nothing is started at UI and Temporal; TEMPORAL_ADDRESS, and the other
	// variables that Temporal's own clients read, name a server.
	RunningTemporal bool
	Metrics         string // what Prometheus is told; empty: nowhere

	DatabaseURL string // empty: SQLite in Data
	OperatorKey string // empty: a new one
	RateLimits  string // on, or empty
	// Whose tokens activate licences; both empty: nobody's.
	EntraAuthority, EntraAudience string
	VIES                          string // where VAT ids are looked up; empty: nowhere
	// SuggestContinueAsNew is the length of a history at which Temporal
	// suggests a new one; 0: its default.
	SuggestContinueAsNew int
	Log                  *slog.Logger
}

// System is a running system.
type System struct {
	HTTP, UI, Mailbox, Temporal, Metrics string // host:port
	OperatorKey                          string
	Engine                               *engine.Engine

	cancel  context.CancelFunc
	running sync.WaitGroup
	failed  chan error
	close   []func() error // in the order of opening
}

// Start starts everything, and returns when it is ready.
func Start(ctx context.Context, o Options) (s *System, err error) {
	s = &System{OperatorKey: o.OperatorKey, failed: make(chan error, 8)}
	ctx, s.cancel = context.WithCancel(ctx)
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Stop())
		}
	}()
	if s.OperatorKey == "" {
		s.OperatorKey = "okv_" + rand.Text() + rand.Text()
	}
	if err := os.MkdirAll(o.Data, 0o700); err != nil {
		return s, err
	}
	smtp, err := s.mailbox(o)
	if err != nil {
		return s, err
	}
	connection, err := s.temporal(ctx, o)
	if err != nil {
		return s, err
	}
	web, err := net.Listen("tcp", o.HTTP)
	if err != nil {
		return s, err
	}
	s.HTTP = web.Addr().String()
	c := engine.Config{
		Env: "development", DatabaseURL: o.DatabaseURL, HTTP: s.HTTP, PublicURL: "http://" + s.HTTP,
		Secret: billing.Secret{"development-secret-that-everybody-knows"}, SigningKeys: []string{string(keys.Signing), string(keys.Next)},
		SMTPURL: "smtp://" + smtp + "?starttls=never", MailFrom: "OKVIZ <licences@okviz.example>", Brand: "OKVIZ",
		VendorBank: []string{"Demonstration Bank", "IBAN XX00 0000 0000 0000 (not a bank account)"}, SellerCountry: "IT", Gateway: "sandbox", OperatorKey: s.OperatorKey, TestClocks: true,
		RateLimits: o.RateLimits, EntraAuthority: o.EntraAuthority, EntraAudience: o.EntraAudience, VIES: o.VIES,
	}
	if s.UI != "" {
		c.TemporalUI = "http://" + s.UI + "/namespaces/default/workflows/"
	}
	if c.DatabaseURL == "" {
		file, err := filepath.Abs(filepath.Join(o.Data, "okviz.db"))
		if err != nil {
			return s, err
		}
		c.DatabaseURL = "sqlite:///" + strings.TrimPrefix(filepath.ToSlash(file), "/")
	}
	if err := c.Check(); err != nil {
		return s, err
	}
	if err := engine.Migrate(ctx, c); err != nil {
		return s, err
	}
	if s.Engine, err = engine.OpenAt(c, connection, o.Log); err != nil {
		return s, err
	}
	s.close = append(s.close, s.Engine.Close)
	if err := errors.Join(seed(ctx, s.Engine), s.Engine.PutOperatorKey(ctx)); err != nil {
		return s, fmt.Errorf("seeding: %w", err)
	}
	if o.Metrics != "" {
		told, err := net.Listen("tcp", o.Metrics)
		if err != nil {
			return s, err
		}
		s.Metrics = told.Addr().String()
		s.run(func() error { return s.Engine.ServeMetrics(ctx, told) })
	}
	// The worker outlives the API: requests under way wait for what it does.
	work, served := context.WithCancel(context.WithoutCancel(ctx))
	s.run(func() error { return s.Engine.Work(work) })
	s.run(func() error {
		defer served()
		return s.Engine.Serve(ctx, web)
	})
	return s, s.ready(ctx)
}

// run runs a part until the system stops.
func (s *System) run(part func() error) {
	s.running.Go(func() {
		if err := part(); err != nil {
			s.failed <- err
		}
	})
}

// mailbox opens the mailbox, and says where mail goes.
func (s *System) mailbox(o Options) (smtp string, err error) {
	box, err := mailbox.Open(filepath.Join(o.Data, "mail"))
	if err != nil {
		return "", err
	}
	s.close = append(s.close, box.Close)
	in, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	page, err := net.Listen("tcp", o.Mailbox)
	if err != nil {
		return "", errors.Join(err, in.Close())
	}
	s.Mailbox = page.Addr().String()
	go box.ServeSMTP(in) //nolint:errcheck // ends with Close
	server := &http.Server{Handler: box.Handler(), ReadHeaderTimeout: 10 * time.Second}
	go server.Serve(page) //nolint:errcheck // ends with Close
	s.close = append(s.close, server.Close)
	return in.Addr().String(), nil
}

// seed gives an empty engine something to sell: the default catalogue and the
// demonstration visuals.
func seed(ctx context.Context, e *engine.Engine) error {
	products, err := e.Store.Products(ctx)
	if err != nil || len(products) > 0 {
		return err
	}
	c, err := billing.ParseCatalogue(billing.DefaultCatalogue())
	if err != nil {
		return err
	}
	if _, err := e.Store.ApplyCatalogue(ctx, c, false); err != nil {
		return err
	}
	for _, p := range visual.Packages() {
		build, err := e.Stamper.Inspect(p.Data)
		if err != nil {
			return fmt.Errorf("%s %s: %w", p.Product, p.Version, err)
		}
		if err := e.Store.PutVersion(ctx, p.Product, billing.Version{Version: p.Version, Changelog: p.Changelog, Build: build}, p.Data); err != nil {
			return err
		}
	}
	return nil
}

// ready waits until the API says that all its parts are there.
func (s *System) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.HTTP+"/readyz", nil)
		if err != nil {
			return err
		}
		if answer, err := http.DefaultClient.Do(r); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case err := <-s.failed:
			return err
		case <-ctx.Done():
			return errors.New("the system did not become ready in 30 s")
		case <-tick.C:
		}
	}
}

// Failed tells when a part has ended by itself, and why.
func (s *System) Failed() <-chan error { return s.failed }

// Stop ends everything: requests and activities under way may finish.
func (s *System) Stop() error {
	s.cancel()
	s.running.Wait()
	var err error
	for i := len(s.close) - 1; i >= 0; i-- {
		err = errors.Join(err, s.close[i]())
	}
	return err
}
