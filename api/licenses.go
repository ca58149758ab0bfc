package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing"
)

func (s *server) licenseRoutes(h huma.API) {
	huma.Register(h, route(http.MethodGet, "/v1/licenses", "list-licenses", "Your licences, the newest first", "Account", account), s.listLicenses)
	huma.Register(h, route(http.MethodGet, "/v1/licenses/{id}", "get-license", "One licence", "Account", account), s.getLicense)
	huma.Register(h, route(http.MethodGet, "/v1/licenses/{id}/download", "download-license", "The licensed .pbiviz file", "Account", account, file("application/octet-stream")), s.download)
	huma.Register(h, route(http.MethodPut, "/v1/licenses/{id}/sites", "set-sites", "Name the sites of a site licence", "Account", account), s.setSites)
}

// license reads a licence as its page shows it.
func (s *server) license(ctx context.Context, id string) (License, error) {
	l, err := s.Store.License(ctx, id)
	if err != nil {
		return License{}, err
	}
	versions, err := s.Store.Versions(ctx, l.Product)
	return viewLicense(l, versions, s.Now()), err
}

func (s *server) listLicenses(ctx context.Context, in *PageInput) (*struct{ Body List[License] }, error) {
	if !in.isCursor("lic") {
		return nil, invalid("cursor", "is not a cursor of this list")
	}
	who := callerOf(ctx)
	rows, err := s.Store.Licenses(ctx, who.account.Email, in.Cursor, in.Limit+1)
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
	list := listed(rows, in.Limit, func(l licensing.Issued) string { return l.ID },
		func(l licensing.Issued) License { return viewLicense(l, versions[l.Product], s.Now()).seenBy(who) })
	return &struct{ Body List[License] }{list}, nil
}

// LicenseInput names a licence.
type LicenseInput struct {
	ID string `path:"id" maxLength:"64"`
}

func (s *server) getLicense(ctx context.Context, in *LicenseInput) (*struct{ Body License }, error) {
	if _, err := s.licensed(ctx, in.ID); err != nil {
		return nil, s.answer(err)
	}
	v, err := s.license(ctx, in.ID)
	if err != nil {
		return nil, s.answer(err)
	}
	return &struct{ Body License }{v.seenBy(callerOf(ctx))}, nil
}

// licensed reads a licence for its licensee, its billing contact, or an
// operator.
func (s *server) licensed(ctx context.Context, id string) (licensing.Issued, error) {
	l, err := s.Store.License(ctx, id)
	if err != nil {
		return l, err
	}
	o, err := s.Store.Overview(ctx, l.Subscription)
	if c := callerOf(ctx); err == nil && !c.operator && c.account.Email != o.LicenseeAccount && c.account.Email != o.BillingAccount {
		err = billing.ErrNotFound
	}
	return l, err
}

// siteEdits is how often the sites of a licence may be edited in a period, so
// that one licence does not serve many sites in turn.
const siteEdits = 10

// checkSites holds sites to a plan: only a site licence names any, and no more
// than its quantity.
func checkSites(sites []string, plan billing.LicenseType, quantity int64) ([]string, error) {
	if plan != billing.Site {
		quantity = 0
	}
	return licensing.CheckSites(sites, quantity)
}

func (s *server) setSites(ctx context.Context, in *struct {
	LicenseInput
	Body struct {
		Sites []string `json:"sites" maxItems:"1000" doc:"Host names; a leading *. stands for any name below a registrable domain."`
	}
}) (*struct{ Body License }, error) {
	l, err := s.licensed(ctx, in.ID)
	if err != nil {
		return nil, s.answer(err)
	}
	sites, err := checkSites(in.Body.Sites, billing.LicenseType(l.Type), l.Quantity)
	if err == nil {
		err = s.Store.SetSites(ctx, in.ID, sites, siteEdits)
		s.checks.forget(in.ID)
	}
	if err != nil {
		return nil, s.answer(err)
	}
	return s.getLicense(ctx, &in.LicenseInput)
}

type fileOutput struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

func (s *server) download(ctx context.Context, in *struct {
	LicenseInput
	Version string `query:"version" maxLength:"64" doc:"The version; absent: the newest."`
}) (*fileOutput, error) {
	l, err := s.licensed(ctx, in.ID)
	if err != nil {
		return nil, s.answer(err)
	}
	now := l.At(s.Now())
	if !l.Status(now).Valid() {
		return nil, problem(http.StatusConflict, "license_not_valid", "a file can only be downloaded while the licence is valid")
	}
	file, version, err := s.Files.Stamp(ctx, l, in.Version, now)
	if err != nil {
		return nil, s.answer(err)
	}
	if version == "" {
		return nil, problem(http.StatusConflict, "no_version", "this version has not been published")
	}
	return &fileOutput{file.ContentType, fmt.Sprintf("attachment; filename=%q", file.Name), file.Data}, nil
}

// visualRoutes are called by visuals from sandboxed frames: they are open to
// every origin, whatever the status (headed), and ignore cookies.
func (s *server) visualRoutes(r *gin.Engine) {
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

func (s *server) jwks(g *gin.Context) {
	g.Header("Cache-Control", "public, max-age=3600")
	g.Data(http.StatusOK, "application/json", s.Keys.At(s.Now()).JWKS())
}

// longestID is how much of what is sent as a licence's id is kept to count by.
const longestID = 64

// check answers a visual. It is a bare handler because it is called most.
func (s *server) check(g *gin.Context) {
	body, err := io.ReadAll(http.MaxBytesReader(g.Writer, g.Request.Body, licensing.MaxQuestion))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		writeProblem(g, problem(http.StatusRequestEntityTooLarge, "too_large", "a question has at most 4 KiB"))
		return
	}
	q, wrong := licensing.ParseQuestion(body)
	if err != nil || wrong != nil {
		writeProblem(g, problem(http.StatusBadRequest, "malformed", "the body is not a licence check"))
		return
	}
	l, known := s.checks.cached(q.License)
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
		if l, err = s.checks.read(g.Request.Context(), q.License); err != nil {
			p := problem(http.StatusServiceUnavailable, "unavailable", "the licence cannot be read at the moment")
			p.retryAfter = 30
			writeProblem(g, p)
			return
		}
		if l.ID == "" {
			s.guesses.wait(network(g.ClientIP()), s.Now())
		}
	}
	answer, err := s.respond(l, q)
	if err != nil {
		writeProblem(g, s.answer(err))
		return
	}
	if answer.Valid || answer.Code == licensing.BlockedOverLimit {
		s.people.saw(l.Issued, q.User, network(g.ClientIP()), s.Now())
	}
	s.Metrics.Check(string(answer.Code))
	g.JSON(http.StatusOK, answer)
}

// respond answers a question about a licence.
func (s *server) respond(l kept, q licensing.Question) (licensing.Answer, error) {
	now := l.At(s.Now())
	code, token := licensing.Check(l.License, q, now), ""
	if code.Valid() {
		var err error
		if token, err = s.lease(l, q.Version, now); err != nil {
			return licensing.Answer{}, err
		}
	}
	return licensing.Respond(l.License, code, now, token), nil
}

// lease is what a visual may keep of an answer, signed with a key that its
// version knows. One that knows none of those that sign is answered without.
func (s *server) lease(l kept, version string, now time.Time) (string, error) {
	key, err := s.Keys.Signer(s.builds.kids(l.Product, version)...)
	if err != nil {
		return "", nil
	}
	return l.lease(key.ID(), now, func() (string, error) { return s.Keys.Sign(licensing.Lease(l.License, now), key.ID()) })
}
