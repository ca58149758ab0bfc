package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing"
)

// LicenseStore is what the routes of licences need of the database. Errors:
// billing.ErrNotFound.
type LicenseStore interface {
	License(ctx context.Context, id licensing.LicenseID) (licensing.Issued, error)
	LicenseByKey(ctx context.Context, key string) (licensing.Issued, error)
	Licenses(ctx context.Context, email, before string, limit int) ([]licensing.Issued, error)
	Versions(ctx context.Context, product string) ([]billing.Version, error)
	Overview(ctx context.Context, subscription billing.SubscriptionID) (billing.Overview, error)
	SetSites(ctx context.Context, id licensing.LicenseID, sites []string, limit int64) error
	Activate(ctx context.Context, id licensing.LicenseID, key, tenant string) error
	SetTenant(ctx context.Context, id licensing.LicenseID, tenant string) error
	SetActivationKey(ctx context.Context, id licensing.LicenseID, key string) error
	UseTrial(ctx context.Context, license licensing.LicenseID, organisation string) error
	SetBlocking(ctx context.Context, id licensing.LicenseID, on bool) error
}

// licenses shows licences, and answers visuals.
type licenses struct {
	*server
	Store LicenseStore
}

func (s *licenses) routes(h huma.API) {
	s.activationRoutes(h)
	huma.Register(h, route(http.MethodGet, "/v1/licenses", "list-licenses", "Your licences, the newest first", "Account", account(billing.MemberTechnical)), s.listLicenses)
	huma.Register(h, route(http.MethodGet, "/v1/licenses/{id}", "get-license", "One licence", "Account", account(billing.MemberTechnical)), s.getLicense)
	huma.Register(h, route(http.MethodGet, "/v1/licenses/{id}/download", "download-license", "The licensed .pbiviz file", "Account", order(billing.MemberTechnical), file("application/octet-stream")), s.download)
	huma.Register(h, route(http.MethodPut, "/v1/licenses/{id}/sites", "set-sites", "Name the sites of a site licence", "Account", account(billing.MemberTechnical)), s.setSites)
}

// license is a licence as its page shows it.
func (s *licenses) license(ctx context.Context, l licensing.Issued) (License, error) {
	versions, err := s.Store.Versions(ctx, l.Product)
	return s.viewLicense(l, versions, l.At(s.Now())), err
}

type licenseOutput struct{ Body License }

// show answers with a licence, as far as the caller may see it.
func (s *licenses) show(ctx context.Context, l licensing.Issued) (*licenseOutput, error) {
	v, err := s.license(ctx, l)
	if err != nil {
		return nil, s.answer(err)
	}
	return &licenseOutput{v.seenBy(callerOf(ctx))}, nil
}

func (s *licenses) listLicenses(ctx context.Context, in *struct {
	PageInput
	AccountInput
}) (*struct{ Body List[License] }, error) {
	if err := in.check(ctx); err != nil {
		return nil, err
	}
	if !in.isCursor("lic") {
		return nil, invalid("cursor", "is not a cursor of this list")
	}
	who := callerOf(ctx)
	rows, err := s.Store.Licenses(ctx, cmp.Or(in.Email, who.account.Email), in.Cursor, in.Limit+1)
	if err != nil {
		return nil, s.answer(err)
	}
	versions := map[string][]billing.Version{}
	for _, l := range rows {
		if _, known := versions[l.Product]; !known {
			if versions[l.Product], err = s.Store.Versions(ctx, l.Product); err != nil {
				return nil, s.answer(err)
			}
		}
	}
	list := listed(rows, in.Limit, func(l licensing.Issued) string { return string(l.ID) },
		func(l licensing.Issued) License {
			return s.viewLicense(l, versions[l.Product], l.At(s.Now())).seenBy(who)
		})
	return &struct{ Body List[License] }{list}, nil
}

// LicenseInput names a licence.
type LicenseInput struct {
	ID string `path:"id" maxLength:"64"`
}

func (s *licenses) getLicense(ctx context.Context, in *LicenseInput) (*licenseOutput, error) {
	l, err := s.licensed(ctx, licensing.LicenseID(in.ID))
	if err != nil {
		return nil, s.answer(err)
	}
	return s.show(ctx, l)
}

// licensed reads a licence for its licensee, its billing contact, an operator, or
// the holder of the token of the order that it was bought by.
func (s *licenses) licensed(ctx context.Context, id licensing.LicenseID) (licensing.Issued, error) {
	l, err := s.Store.License(ctx, id)
	if err != nil {
		return l, err
	}
	o, err := s.Store.Overview(ctx, billing.SubscriptionID(l.Subscription))
	if c := callerOf(ctx); err == nil && !c.operator && !c.bought(o) && (c.account.ID == "" || c.account.Email != o.LicenseeAccount && c.account.Email != o.BillingAccount) {
		err = billing.ErrNotFound
	}
	return l, err
}

// siteEdits is how often the sites of a licence may be edited in a period, so
// that one licence does not serve many sites in turn.
const siteEdits = 10

// checkSites holds sites to a plan: only a site licence names any, and no more
// than its quantity.
func checkSites(sites []string, plan licensing.Type, quantity int64) ([]string, error) {
	if plan != licensing.Site {
		quantity = 0
	}
	return licensing.CheckSites(sites, quantity)
}

func (s *licenses) setSites(ctx context.Context, in *struct {
	LicenseInput
	Body struct {
		Sites []string `json:"sites" maxItems:"1000" doc:"Host names; a leading *. stands for any name below a registrable domain."`
	}
}) (*licenseOutput, error) {
	l, err := s.licensed(ctx, licensing.LicenseID(in.ID))
	if err != nil {
		return nil, s.answer(err)
	}
	sites, err := checkSites(in.Body.Sites, l.Type, l.Quantity)
	if err == nil {
		err = s.Store.SetSites(ctx, l.ID, sites, siteEdits)
		s.Checks.Forget(l.ID)
	}
	if err != nil {
		return nil, s.answer(err)
	}
	l.Sites = sites
	return s.show(ctx, l)
}

type fileOutput struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

func (s *licenses) download(ctx context.Context, in *struct {
	LicenseInput
	Version string `query:"version" maxLength:"64" doc:"The version; absent: the newest."`
}) (*streamOutput, error) {
	l, err := s.licensed(ctx, licensing.LicenseID(in.ID))
	if err != nil {
		return nil, s.answer(err)
	}
	now := l.At(s.Now())
	if !l.Status(now).Valid() {
		return nil, problem(http.StatusConflict, "license_not_valid", "a file can only be downloaded while the licence is valid")
	}
	name, write, version, err := s.Files.Open(ctx, l, in.Version, now)
	if err != nil {
		return nil, s.answer(err)
	}
	if version == "" {
		return nil, problem(http.StatusConflict, "no_version", "this version has not been published")
	}
	if who := callerOf(ctx); l.Trial && !who.operator {
		if err := s.Store.UseTrial(ctx, l.ID, billing.Organisation(who.account.Email)); err != nil {
			return nil, s.answer(err)
		}
	}
	var size written
	if err := write(&size); err != nil {
		return nil, s.answer(err)
	}
	return &streamOutput{"application/octet-stream", fmt.Sprintf("attachment; filename=%q", name), func(h huma.Context) {
		h.SetHeader("Content-Length", strconv.FormatInt(int64(size), 10))
		if err := write(h.BodyWriter()); err != nil { // the one who asked has gone
			s.Log.Debug("a download ended early", "error", err)
		}
	}}, nil
}

// streamOutput is a file that is written as it is made.
type streamOutput struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        func(huma.Context)
}

// written counts what is written, and keeps nothing.
type written int64

func (n *written) Write(p []byte) (int, error) {
	*n += written(len(p))
	return len(p), nil
}

// visualRoutes are called by visuals from sandboxed frames: they are open to
// every origin, whatever the status (headed), and ignore cookies.
func (s *licenses) visualRoutes(r *gin.Engine) {
	preflight := func(g *gin.Context) {
		g.Header("Access-Control-Allow-Methods", "GET, POST")
		g.Header("Access-Control-Allow-Headers", "Content-Type")
		g.Header("Access-Control-Max-Age", "86400")
		g.Status(http.StatusNoContent)
	}
	r.POST(checkPath, s.check)
	r.OPTIONS(checkPath, preflight)
	r.POST(activatePath, s.activate)
	r.OPTIONS(activatePath, preflight)
	r.GET(jwksPath, s.jwks)
	r.OPTIONS(jwksPath, preflight)
}

const (
	checkPath    = "/v1/licenses/check"
	activatePath = "/v1/licenses/activate"
	jwksPath     = "/.well-known/jwks.json"
)

// openToAll tells the routes that any page may call.
func openToAll(path string) bool {
	return path == checkPath || path == activatePath || path == jwksPath
}

func (s *licenses) jwks(g *gin.Context) {
	g.Header("Cache-Control", "public, max-age=3600")
	g.Data(http.StatusOK, "application/json", s.Keys.At(s.Now()).JWKS())
}

// counts tells whether the one who was answered uses the licence, or would.
func counts(a licensing.Answer) bool { return a.Valid || a.Code == licensing.BlockedOverLimit }

// longestID is how much of what is sent as a licence's id is kept to count by.
const longestID = 64

// exchange is what a check is read into and written from.
type exchange struct {
	question [licensing.MaxQuestion + 1]byte
	answer   []byte
}

var exchanges = sync.Pool{New: func() any { return new(exchange) }}

// check answers a visual. It is a bare handler because it is called most.
func (s *licenses) check(g *gin.Context) {
	x, _ := exchanges.Get().(*exchange)
	defer exchanges.Put(x)
	n, err := io.ReadFull(http.MaxBytesReader(g.Writer, g.Request.Body, licensing.MaxQuestion), x.question[:])
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		writeProblem(g, problem(http.StatusRequestEntityTooLarge, "too_large", "a question has at most 4 KiB"))
		return
	}
	q, wrong := licensing.ParseQuestion(x.question[:n])
	if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) || wrong != nil {
		writeProblem(g, problem(http.StatusBadRequest, "malformed", "the body is not a licence check"))
		return
	}
	l, known := s.Checks.Cached(licensing.LicenseID(q.License))
	if s.RateLimits {
		wait := s.checked.wait(q.License[:min(len(q.License), longestID)], s.Now())
		if !known {
			wait = max(wait, s.guesses.left(network(g.ClientIP()), s.Now()))
		}
		if wait > 0 {
			writeProblem(g, tooMany(wait))
			return
		}
	}
	if !known {
		if l, err = s.Checks.Read(g.Request.Context(), licensing.LicenseID(q.License)); err != nil {
			p := problem(http.StatusServiceUnavailable, "unavailable", "the licence cannot be read at the moment")
			p.retryAfter = 30
			writeProblem(g, p)
			return
		}
		if l.ID == "" {
			s.guesses.wait(network(g.ClientIP()), s.Now())
		}
	}
	answer, err := s.Checks.Answer(l, q)
	if err != nil {
		writeProblem(g, s.answer(err))
		return
	}
	if counts(answer) {
		s.Checks.Observe(l, q.User, func() string { return network(g.ClientIP()) })
	}
	s.Metrics.Check(string(answer.Code))
	x.answer = answer.AppendJSON(x.answer[:0])
	g.Data(http.StatusOK, "application/json; charset=utf-8", x.answer)
}
