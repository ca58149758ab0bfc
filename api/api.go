package api

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"
	"github.com/okviz/licensing/backoffice"
	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/commands"
	"github.com/okviz/licensing/licensing"
	"github.com/okviz/licensing/licensing/checks"
	"github.com/okviz/licensing/payments/events"
	"github.com/okviz/licensing/payments/sandbox"
)

// AccessStore is what tells who calls, and what they may see. Errors:
// billing.ErrNotFound.
type AccessStore interface {
	Database
	APIKey(ctx context.Context, key string) (billing.APIKey, error)
	Account(ctx context.Context, id billing.AccountID) (billing.Account, error)
	Session(ctx context.Context, token string) (billing.SignedIn, error)
	OperatorSession(ctx context.Context, token string) (billing.OperatorSession, error)
	Overview(ctx context.Context, subscription billing.SubscriptionID) (billing.Overview, error)
	Take(ctx context.Context, now time.Time, of ...billing.Allowance) (wait time.Duration, err error)
	GiveBack(ctx context.Context, at time.Time, subject string) error
	Clock(ctx context.Context, id string) (time.Time, error)
}

// Stores are what each part of the API reads and writes.
type Stores struct {
	Access        AccessStore
	Outcomes      OutcomeStore
	Shop          ShopStore
	Subscriptions SubscriptionStore
	Invoices      InvoiceStore
	Licenses      LicenseStore
	Accounts      AccountStore
	Privacy       backoffice.PrivacyStore
	Operators     OperatorStore
	Sessions      OperatorSessionStore
	Events        EventStore
	Gateway       GatewayStore
}

// Files stamps and inspects packages.
type Files interface {
	// Open stamps the version, or the newest; stamped is empty where it is not offered. write
	// writes the file, the same each time.
	Open(ctx context.Context, l licensing.Issued, version string, now time.Time) (name string, write func(io.Writer) error, stamped string, err error)
	Inspect(pkg []byte) (billing.Build, error)
}

// Documents writes invoices and quotes as PDF.
type Documents interface {
	Invoice(inv billing.Invoice, to billing.BillingDetails) ([]byte, error)
	CreditNote(n billing.CreditNote, inv billing.Invoice, to billing.BillingDetails) ([]byte, error)
	Quote(q billing.Quote) ([]byte, error)
	Statement(st billing.AccountStatement, language string, to billing.BillingDetails) ([]byte, error)
}

// Charges is the sandbox gateway's own side: the list of what it really
// charged, and its pages.
type Charges interface {
	List(ctx context.Context, subscription billing.SubscriptionID) ([]sandbox.Charge, error)
	Pages(prefix string, now func() time.Time) http.Handler
	Dispute(ctx context.Context, charge billing.ChargeID, status billing.DisputeStatus, at time.Time) error
	FailRefund(ctx context.Context, charge billing.ChargeID, note billing.RefundID, at time.Time) error
}

// Tenants tells which Entra tenant a token comes from, and an id to count its user
// by, which is empty where the token names nobody (package entra). Errors:
// a *billing.Error invalid_entra_token; any other says that the authority is
// away.
type Tenants interface {
	Identify(ctx context.Context, token string, now time.Time) (tenant, user string, err error)
}

// Metrics counts what is answered. route is the pattern; empty: no route's.
type Metrics interface {
	Request(method, route string, status int, took time.Duration)
	Check(code string)
}

// Config is what the API is made of. All fields but Sandbox, Pages, Tenants,
// VATRegister, Issuer and TemporalUI are needed.
type Config struct {
	Stores      Stores
	Commands    *commands.Runner
	Checks      *checks.Checks
	Events      *events.Receiver
	Office      *backoffice.Office
	Gateway     Gateway
	Files       Files
	Documents   Documents
	Keys        licensing.KeyRing
	Policy      billing.Policy
	Metrics     Metrics
	Sandbox     Charges      // nil: another gateway
	Tenants     Tenants      // nil: no licence can be activated with Entra
	VATRegister VATRegister  // nil: VAT ids are held to their form alone
	Issuer      Issuer       // nil: operators sign in to the console with their keys
	Pages       http.Handler // what no route of the API answers; nil: nothing

	Version        string         // of the build, for /healthz
	PublicURL      string         // of the pages
	TemporalUI     string         // of a workflow's page, without its id; empty: unknown
	Secret         billing.Secret // signs checkout tokens and mailed links
	TestClocks     bool
	Origins        []string // of the operator's other pages: customers may be sent back to them, and their scripts may order
	PlainWebhooks  bool     // an endpoint may be http
	RateLimits     bool
	TrustedProxies []string
	Log            *slog.Logger
	Now            func() time.Time
}

// server is what all routes share: who calls, how often, and how errors are
// answered.
type server struct {
	Config
	requests, returns, checked, guesses, wrongKeys *limits
	vat                                            *vatEntries
}

// Gin and Huma keep these in variables of their packages.
func init() {
	gin.SetMode(gin.ReleaseMode)
	huma.ValidateStrictCasing = true
	huma.DefaultArrayNullable = false // lists are empty, and never null
	huma.NewError = newProblem
}

// New makes the handler of everything that the engine serves over HTTP.
func New(c Config) (http.Handler, error) {
	s := &server{
		Config: c, requests: newLimits(requestsASecond, requestsAtOnce), returns: newLimits(returnsASecond, returnsAtOnce), checked: newLimits(checksASecond, checksAtOnce),
		guesses: newLimits(guessesASecond, guessesAtOnce), wrongKeys: newLimits(keysASecond, keysAtOnce),
		vat: &vatEntries{by: map[string]vatAnswer{}, asked: newLimits(lookupsASecond, lookupsAtOnce)},
	}
	done := &outcomes{s, c.Stores.Outcomes}
	held := &licenses{s, c.Stores.Licenses}
	r := gin.New()
	r.HandleMethodNotAllowed = true
	r.RedirectTrailingSlash = false // its answer is a page that repeats the address
	if err := r.SetTrustedProxies(c.TrustedProxies); err != nil {
		return nil, err
	}
	pages := newSharing(slices.DeleteFunc(slices.Clone(c.Origins), func(o string) bool { return o == c.PublicURL })) // our own pages have cookies
	r.Use(s.logged, s.recovered, s.headed, pages.share, s.paced, s.limited, sameSite(pages))
	r.NoRoute(s.page)
	r.NoMethod(func(g *gin.Context) {
		g.Header("Allow", strings.Replace(g.Writer.Header().Get("Allow"), http.MethodGet, "GET, HEAD", 1)) // see heads
		writeProblem(g, problem(http.StatusMethodNotAllowed, "method_not_allowed", ""))
	})

	r.GET("/healthz", func(g *gin.Context) { g.JSON(http.StatusOK, gin.H{"status": "ok", "version": c.Version}) })
	r.GET("/readyz", gin.WrapH(Readiness(c.Stores.Access, c.Commands)))
	held.visualRoutes(r)
	(&gateway{s, c.Stores.Gateway}).routes(r)
	docsRoutes(r)

	h := humagin.New(r, humaConfig())
	h.UseMiddleware(announce, s.authenticate)
	(&shop{done, c.Stores.Shop, held}).routes(h)
	subs := &subscriptions{done, c.Stores.Subscriptions}
	subs.routes(h)
	held.routes(h)
	(&amendments{subs, held}).routes(h)
	(&invoices{s, c.Stores.Invoices}).routes(h)
	people := &accounts{s, c.Stores.Accounts}
	people.routes(h)
	(&feed{people, c.Stores.Events}).routes(h)
	(&operators{done, c.Stores.Operators}).routes(h)
	(&operatorSessions{s, c.Stores.Sessions}).routes(h)
	describeVisualRoutes(h.OpenAPI())
	describeWebhook(h.OpenAPI())
	completeDescription(h.OpenAPI())
	pages.register(r, h.OpenAPI())
	return heads(r), nil
}

// heads has HEAD answered like GET; net/http leaves the body out.
func heads(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			r = r.WithContext(r.Context()) // the server's own stays as it is
			r.Method = http.MethodGet
		}
		next.ServeHTTP(w, r)
	})
}

func humaConfig() huma.Config {
	c := huma.DefaultConfig("OKVIZ Licensing", "1")
	c.Info.Description = "Checkout, subscriptions and licence checks of premium Power BI visuals. " +
		"Money is in minor units, instants are UTC in whole seconds, errors are problem documents with a stable code."
	c.DocsPath, c.SchemasPath = "", ""
	c.CreateHooks = nil // no links to schemas in the answers
	format := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: unmarshal}
	c.Formats = map[string]huma.Format{"application/json": format, "json": format, csvType: csvFormat} // "json": what ends in +json
	c.RejectUnknownQueryParameters = true
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"key":      {Type: "http", Scheme: "bearer", Description: "An API key: an operator's, or on an account's own routes that account's."},
		"session":  {Type: "apiKey", In: "cookie", Name: sessionCookie, Description: "The session of a signed-in account."},
		"console":  {Type: "apiKey", In: "cookie", Name: consoleCookie, Description: "The session of an operator in the console. It counts only on requests with the header " + consoleHeader + "."},
		"checkout": {Type: "http", Scheme: "bearer", Description: "The checkout_token of an order, for that order alone."},
		"quote":    {Type: "http", Scheme: "bearer", Description: "The token in a mailed quote's link, for that quote alone."},
	}
	return c
}

// route describes an operation.
func route(method, path, id, summary, tag string, more ...func(*huma.Operation)) huma.Operation {
	op := huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{tag}, MaxBodyBytes: -1, BodyReadTimeout: -1} // the middleware reads the body
	for _, f := range more {
		f(&op)
	}
	if op.Extensions[rolesOf] == nil {
		if method == http.MethodGet {
			by(billing.OperatorRoles...)(&op)
		} else {
			by(billing.OperatorSupport)(&op)
		}
	}
	return op
}

// rolesOf is where an operation's description says which operators may use it.
const rolesOf = "x-operator-roles"

// by says which operators may use a route, besides administrators. Without it,
// all may read, and support may do the rest.
func by(roles ...billing.OperatorRole) func(*huma.Operation) {
	if !slices.Contains(roles, billing.OperatorAdmin) {
		roles = append(roles, billing.OperatorAdmin)
	}
	return func(op *huma.Operation) { extend(op, rolesOf, roles) }
}

func status(code int) func(*huma.Operation) {
	return func(op *huma.Operation) { op.DefaultStatus = code }
}

// file says that a route answers with a file of one of these types.
func file(contentTypes ...string) func(*huma.Operation) {
	return func(op *huma.Operation) {
		content := map[string]*huma.MediaType{}
		for _, t := range contentTypes {
			content[t] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
		}
		op.Responses = map[string]*huma.Response{"200": {Description: "The file.", Content: content}}
	}
}

// membersOf is where an operation's description says which members of an account may
// use it for the account.
const membersOf = "x-member-roles"

// extend adds to an operation's description.
func extend(op *huma.Operation, name string, value any) {
	if op.Extensions == nil {
		op.Extensions = map[string]any{}
	}
	op.Extensions[name] = value
}

// operator marks a route that needs an operator's key, with one of these roles
// (administrators may use all).
func operator(roles ...billing.OperatorRole) func(*huma.Operation) {
	return func(op *huma.Operation) {
		op.Security = []map[string][]string{{"key": {}}}
		by(roles...)(op)
	}
}

// account marks a route that is open to who has signed in as well: to an account's
// owners, and to members of it who have one of these roles. A public route shows
// nothing of an account to others than these.
func account(roles ...billing.MemberRole) func(*huma.Operation) {
	return func(op *huma.Operation) {
		op.Security = []map[string][]string{{"key": {}}, {"session": {}}}
		extend(op, membersOf, append([]billing.MemberRole{billing.MemberOwner}, roles...))
	}
}

// bySession marks a route like account, but an account's API key does not open it:
// what it may do to the account itself is left to who has signed in.
func bySession(roles ...billing.MemberRole) func(*huma.Operation) {
	return func(op *huma.Operation) {
		account(roles...)(op)
		if op.Metadata == nil {
			op.Metadata = map[string]any{}
		}
		op.Metadata[noKeys] = true
	}
}

const noKeys = "no API keys of accounts"

// order marks a route like account that a checkout token opens too, and quoteHolder
// one that a quote's token opens.
func order(roles ...billing.MemberRole) func(*huma.Operation) {
	return orHolder("checkout", roles)
}

func quoteHolder(roles ...billing.MemberRole) func(*huma.Operation) {
	return orHolder("quote", roles)
}

func orHolder(of string, roles []billing.MemberRole) func(*huma.Operation) {
	return func(op *huma.Operation) {
		account(roles...)(op)
		op.Security = append(op.Security, map[string][]string{of: {}})
	}
}

// page answers what is no route of the API.
func (s *server) page(g *gin.Context) {
	if s.Pages != nil && (g.Request.Method == http.MethodGet || g.Request.Method == http.MethodHead) && !isAPI(g.Request.URL.Path) {
		g.Status(http.StatusOK) // Gin has set 404 for what has no route
		s.Pages.ServeHTTP(g.Writer, g.Request)
		return
	}
	writeProblem(g, problem(http.StatusNotFound, "not_found", "there is no such page or route"))
}

// now is a test clock's instant, or the real one.
func (s *server) now(ctx context.Context, clock string) (time.Time, error) {
	if clock == "" {
		return billing.Instant(s.Now()), nil
	}
	t, err := s.Stores.Access.Clock(ctx, clock)
	return t.UTC(), err
}
