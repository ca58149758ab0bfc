package api

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"
	"go.temporal.io/sdk/client"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing"
	"github.com/okviz/licensing/payments/sandbox"
)

// Store is what the routes need of the database. Errors: billing.ErrNotFound,
// ErrBusy.
type Store interface {
	Ping(ctx context.Context) error

	KeepNews(ctx context.Context, gateway string, n billing.News) (fresh bool, err error)
	WaitingNews(ctx context.Context) (int64, error)
	ClaimNews(ctx context.Context, gateway string, limit int) ([]billing.News, error)
	NewsDone(ctx context.Context, gateway, event string, ignored bool) error
	PutNewsOff(ctx context.Context, gateway, event string) error
	InvoiceOfCharge(ctx context.Context, gateway, charge string) (billing.Invoice, error)

	Products(ctx context.Context) ([]billing.Product, error)
	Product(ctx context.Context, id string) (billing.Product, error)
	ApplyCatalogue(ctx context.Context, c billing.Catalogue, dryRun bool) ([]string, error)
	Versions(ctx context.Context, product string) ([]billing.Version, error)
	AllVersions(ctx context.Context, product string) ([]billing.Version, error)
	PutVersion(ctx context.Context, product string, v billing.Version, pkg []byte) error
	WithdrawVersion(ctx context.Context, product, version string) error

	Begin(ctx context.Context, r billing.Request, o *billing.Order, s *billing.Subscription) (request billing.Request, fresh bool, err error)
	BeginQuote(ctx context.Context, r billing.Request, q billing.Quote) (request billing.Request, fresh bool, err error)
	Quote(ctx context.Context, id string) (billing.Quote, error)
	Request(ctx context.Context, id string) (billing.Request, error)
	RequestOf(ctx context.Context, caller, route, key string) (billing.Request, error)
	Respond(ctx context.Context, id string, status int, body string) error

	BeginCardForm(ctx context.Context, f billing.CardForm) (form billing.CardForm, account string, err error)
	SetCardForm(ctx context.Context, id, reference string) error
	CardForm(ctx context.Context, id string) (billing.CardForm, error)
	CardFormOf(ctx context.Context, gateway, reference string) (billing.CardForm, error)

	Book(ctx context.Context, subscription string) (billing.Book, error)
	Live(ctx context.Context) ([]billing.Subscription, error)
	Overview(ctx context.Context, id string) (billing.Overview, error)
	Overviews(ctx context.Context, q billing.Search, limit int) ([]billing.Overview, error)
	Events(ctx context.Context, subscription string) ([]billing.Event, error)
	LatestEvents(ctx context.Context, subscription string, limit int) ([]billing.Event, error)
	License(ctx context.Context, id string) (licensing.Issued, error)
	SetSites(ctx context.Context, id string, sites []string, limit int64) error
	LicenseByKey(ctx context.Context, key string) (licensing.Issued, error)
	Activate(ctx context.Context, id, key, tenant string) error
	SetTenant(ctx context.Context, id, tenant, actor string) error
	SetActivationKey(ctx context.Context, id, key, actor string) error
	Use(ctx context.Context, id string) (licensing.Use, error)
	SetBlocking(ctx context.Context, id string, on bool, actor string) error
	CountPeople(ctx context.Context, license string, periodEnd time.Time, people []licensing.Person) (told string, err error)
	Licenses(ctx context.Context, email, before string, limit int) ([]licensing.Issued, error)
	Invoice(ctx context.Context, id string) (billing.Invoice, []billing.CreditNote, error)
	Invoices(ctx context.Context, account, subscription, before string, limit int) ([]billing.Invoice, error)
	CreditNotes(ctx context.Context, invoice string) ([]billing.CreditNote, error)
	Refunds(ctx context.Context, subscription, invoice string) ([]billing.Refund, error)
	InvoiceByNumber(ctx context.Context, number string) (billing.Invoice, error)

	Coupon(ctx context.Context, code string) (c billing.Coupon, redeemed int64, err error)
	Coupons(ctx context.Context, after string, limit int) (list []billing.Coupon, redeemed []int64, err error)
	PutCoupon(ctx context.Context, c billing.Coupon) error
	Standing(ctx context.Context, account string) (int64, error)
	SetStanding(ctx context.Context, email string, percent int64) error
	Balance(ctx context.Context, account string) ([]billing.Money, error)
	Entries(ctx context.Context, account string, limit int) ([]billing.PostedEntry, error)
	BalanceIn(ctx context.Context, account, currency string) (billing.Money, error)

	MoneyStore

	CreateClock(ctx context.Context, now time.Time) (string, error)
	Clock(ctx context.Context, id string) (time.Time, error)
	HoldClock(ctx context.Context, id string) (time.Time, error)
	SetClock(ctx context.Context, id string, now time.Time) error
	ReleaseClock(ctx context.Context, id string) error
	NextOnClock(ctx context.Context, clock string, to time.Time) (id string, at time.Time, err error)
	OnClock(ctx context.Context, clock string) ([]string, error)

	APIKey(ctx context.Context, key string) (id, scope, account string, err error)
	APIKeys(ctx context.Context, account string) ([]billing.APIKey, error)
	PutAPIKey(ctx context.Context, key, scope, account string) (id string, err error)
	RevokeAPIKey(ctx context.Context, account, id string) error
	Account(ctx context.Context, id string) (billing.Account, error)
	AccountOf(ctx context.Context, email string) (billing.Account, error)
	BeginLogin(ctx context.Context, id, token, account string) error
	Unsolicited(ctx context.Context, email string, since time.Time) (mails int, err error)
	ConfirmLogin(ctx context.Context, token, session string) (billing.Account, time.Time, error)
	Session(ctx context.Context, token string) (id string, account billing.Account, err error)
	Sessions(ctx context.Context, account string) ([]billing.Session, error)
	EndSessions(ctx context.Context, account, id string) error
	Profile(ctx context.Context, account string) (billing.Profile, error)
	PutProfile(ctx context.Context, account string, p billing.Profile) error
	StoredCards(ctx context.Context, account string) ([]billing.StoredCard, error)
	RemoveCard(ctx context.Context, account, ref string) error
	ClaimRemovedCards(ctx context.Context, gateway string, limit int) ([]string, error)
	CardDetached(ctx context.Context, ref string) error
}

// Files stamps and inspects packages.
type Files interface {
	Stamp(ctx context.Context, l licensing.Issued, version string, now time.Time) (file billing.Attachment, stamped string, err error)
	Inspect(pkg []byte) (billing.Build, error)
}

// Documents writes invoices and quotes as PDF.
type Documents interface {
	Invoice(inv billing.Invoice, to billing.BillingDetails) ([]byte, error)
	Quote(q billing.Quote) ([]byte, error)
}

// Charges is the sandbox gateway's own side: the list of what it really
// charged, and its pages.
type Charges interface {
	List(ctx context.Context, subscription string) ([]sandbox.Charge, error)
	Pages(prefix string, now func() time.Time) http.Handler
	Dispute(ctx context.Context, charge string, status billing.DisputeStatus, at time.Time) error
	FailRefund(ctx context.Context, charge, note string, at time.Time) error
}

// Tenants tells which Entra tenant a token comes from (package entra). Errors:
// a *billing.Error invalid_entra_token; any other says that the authority is
// away.
type Tenants interface {
	Tenant(ctx context.Context, token string, now time.Time) (string, error)
}

// Metrics counts what is answered. route is the pattern; empty: no route's.
type Metrics interface {
	Request(method, route string, status int, took time.Duration)
	Check(code string)
}

// Config is what the API is made of. All fields but Sandbox, Pages and Tenants
// are needed.
type Config struct {
	Store     Store
	Temporal  client.Client
	Gateway   Gateway
	Files     Files
	Documents Documents
	VATIDs    VATIDs
	Keys      licensing.KeyRing
	Policy    billing.Policy
	Metrics   Metrics
	Sandbox   Charges      // nil: another gateway
	Tenants   Tenants      // nil: no licence can be activated with Entra
	Pages     http.Handler // what no route of the API answers; nil: nothing

	PublicURL      string         // of the pages
	Secret         billing.Secret // signs checkout tokens and mailed links
	TestClocks     bool
	RateLimits     bool
	TrustedProxies []string
	Log            *slog.Logger
	Now            func() time.Time
}

type server struct {
	Config
	checks                                *checks
	builds                                *builds
	people                                *people
	requests, checked, guesses, wrongKeys *limits
	acting                                chan struct{} // holds one thing for each of the news that are acted on
}

// Gin and Huma keep these in variables of their packages.
func init() {
	gin.SetMode(gin.ReleaseMode)
	huma.ValidateStrictCasing = true
	huma.DefaultArrayNullable = false // lists are empty, and never null
	huma.NewError = newProblem
}

// Handler is everything that the engine serves over HTTP. Beside it, Run must
// run.
type Handler struct {
	http.Handler
	s *server
}

// New makes the handler.
func New(c Config) (*Handler, error) {
	s := &server{
		Config: c, requests: newLimits(requestsASecond, requestsAtOnce), checked: newLimits(checksASecond, checksAtOnce),
		guesses: newLimits(guessesASecond, guessesAtOnce), wrongKeys: newLimits(keysASecond, keysAtOnce),
		checks: newChecks(c.Store, c.Now), builds: newBuilds(c.Store, c.Now), people: newPeople(c.Store, c.Log),
	}
	s.acting = make(chan struct{}, newsAtOnce)
	r := gin.New()
	r.HandleMethodNotAllowed = true
	r.RedirectTrailingSlash = false // its answer is a page that repeats the address
	if err := r.SetTrustedProxies(c.TrustedProxies); err != nil {
		return nil, err
	}
	r.Use(s.logged, s.recovered, headed, s.paced, s.limited, sameSite())
	r.NoRoute(s.page)
	r.NoMethod(func(g *gin.Context) {
		g.Header("Allow", strings.Replace(g.Writer.Header().Get("Allow"), http.MethodGet, "GET, HEAD", 1)) // see heads
		writeProblem(g, problem(http.StatusMethodNotAllowed, "method_not_allowed", ""))
	})

	r.GET("/healthz", func(g *gin.Context) { g.JSON(http.StatusOK, gin.H{"status": "ok"}) })
	r.GET("/readyz", s.ready)
	s.visualRoutes(r)
	s.cardRoutes(r)
	r.POST(webhookRoute, s.webhook)
	docsRoutes(r)

	h := humagin.New(r, humaConfig())
	h.UseMiddleware(s.authenticate)
	s.catalogueRoutes(h)
	s.checkoutRoutes(h)
	s.quoteRoutes(h)
	s.subscriptionRoutes(h)
	s.licenseRoutes(h)
	s.activationRoutes(h)
	s.invoiceRoutes(h)
	s.accountRoutes(h)
	s.profileRoutes(h)
	s.operatorRoutes(h)
	s.versionRoutes(h)
	s.discountRoutes(h)
	s.refundRoutes(h)
	if c.TestClocks {
		s.clockRoutes(h)
	}
	describeVisualRoutes(h.OpenAPI())
	describeWebhook(h.OpenAPI())
	completeDescription(h.OpenAPI())
	return &Handler{heads(r), s}, nil
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
	c.Formats = map[string]huma.Format{"application/json": format, "json": format} // "json": what ends in +json
	c.RejectUnknownQueryParameters = true
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"key":      {Type: "http", Scheme: "bearer", Description: "An API key: an operator's, or on an account's own routes that account's."},
		"session":  {Type: "apiKey", In: "cookie", Name: sessionCookie, Description: "The session of a signed-in account."},
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
	return op
}

func status(code int) func(*huma.Operation) {
	return func(op *huma.Operation) { op.DefaultStatus = code }
}

// file says that a route answers with a file of that type.
func file(contentType string) func(*huma.Operation) {
	return func(op *huma.Operation) {
		op.Responses = map[string]*huma.Response{"200": {Description: "The file.", Content: map[string]*huma.MediaType{
			contentType: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}},
		}}}
	}
}

// operator marks a route that needs an operator's key, account one that is
// open to whoever has signed in as well, order one that a checkout token opens
// too, and quoteHolder one that a quote's token opens.
func operator(op *huma.Operation) { op.Security = []map[string][]string{{"key": {}}} }
func account(op *huma.Operation)  { op.Security = []map[string][]string{{"key": {}}, {"session": {}}} }
func order(op *huma.Operation) {
	op.Security = []map[string][]string{{"key": {}}, {"session": {}}, {"checkout": {}}}
}
func quoteHolder(op *huma.Operation) {
	op.Security = []map[string][]string{{"key": {}}, {"session": {}}, {"quote": {}}}
}

// ready names each dependency, and is 503 when one is down.
func (s *server) ready(g *gin.Context) {
	ctx, cancel := context.WithTimeout(g.Request.Context(), 3*time.Second)
	defer cancel()
	answer := gin.H{"database": "ok", "temporal": "ok"}
	code := http.StatusOK
	if s.Store.Ping(ctx) != nil {
		answer["database"], code = "down", http.StatusServiceUnavailable
	}
	if _, err := s.Temporal.CheckHealth(ctx, &client.CheckHealthRequest{}); err != nil {
		answer["temporal"], code = "down", http.StatusServiceUnavailable
	}
	if code != http.StatusOK {
		g.Header("Retry-After", "5")
	}
	g.JSON(code, answer)
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
