package api

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing"
)

// Activation of licences by hand, and what an operator may set of it
// (docs/rules.md, Licences: hybrid products, and blocking above the limit).

func (s *licenses) activationRoutes(h huma.API) {
	huma.Register(h, route(http.MethodPost, "/v1/licenses/{id}/activation-key/rotate", "rotate-activation-key", "Replace the activation key with a new one", "Account", account(billing.MemberTechnical)), s.rotateKey)
	huma.Register(h, route(http.MethodPut, "/v1/operator/licenses/{id}/tenant", "set-tenant", "Bind a licence to another tenant, or release it", "Operator", operator(billing.OperatorSupport)), s.setTenant)
	huma.Register(h, route(http.MethodGet, "/v1/operator/licenses/{id}/use", "get-license-use", "Count the people who have used a licence in the running calendar week and the three before it", "Operator", operator(billing.OperatorRoles...)), s.getUse)
	huma.Register(h, route(http.MethodPost, "/v1/operator/licenses/{id}/block-over-limit", "block-over-limit", "Switch blocking on or off for a licence that far more people use than it covers", "Operator", operator(billing.OperatorSupport)), s.blockOverLimit)
}

// ActivationRequest is what a visual sends to activate its licence.
type ActivationRequest struct {
	ActivationKey string `json:"activation_key"`
	EntraToken    string `json:"entra_token" doc:"A Microsoft Entra ID token issued for the configured audience."`
	Product       string `json:"product"`
	Version       string `json:"version,omitempty" doc:"The visual's version; the lease is signed with a key that it knows."`
}

// ActivationAnswer says which licence has been activated for which tenant, and
// what a check says of it.
type ActivationAnswer struct {
	License string `json:"license"`
	Tenant  string `json:"tenant"`
	User    string `json:"user,omitempty" doc:"An id of the token's user, which later checks send, so that a person is counted once wherever they look; absent where the token names nobody."`
	licensing.Answer
}

// activate binds the licence of an activation key to the tenant of an Entra
// token. The key is looked at first: without one, nobody has the authority
// asked. Neither is ever repeated or logged.
func (s *licenses) activate(g *gin.Context) {
	ctx, now, address := g.Request.Context(), s.Now(), network(g.ClientIP())
	var in ActivationRequest
	body, err := io.ReadAll(g.Request.Body)
	if err != nil || json.Unmarshal(body, &in) != nil || in.ActivationKey == "" || in.EntraToken == "" || in.Product == "" {
		writeProblem(g, problem(http.StatusBadRequest, "malformed", "the body is not JSON with activation_key, entra_token and product"))
		return
	}
	if s.RateLimits {
		if wait := s.wrongKeys.left(address, now); wait > 0 {
			writeProblem(g, tooMany(wait))
			return
		}
	}
	l, err := s.Store.LicenseByKey(ctx, in.ActivationKey)
	if err == nil && (l.Activation != licensing.ActivationEntra || l.Product != in.Product) {
		err = billing.ErrNotFound
	}
	if errors.Is(err, billing.ErrNotFound) {
		s.wrongKeys.wait(address, now)
		err = &billing.Error{Code: billing.CodeUnknownActivation, Detail: "no licence of this product has this activation key"}
	}
	if err != nil {
		writeProblem(g, s.answer(err))
		return
	}
	tenant, user, err := s.identify(ctx, in.EntraToken)
	if err != nil {
		writeProblem(g, s.answer(err))
		return
	}
	bound := l.License
	bound.Tenant = tenant
	if !bound.Status(l.At(now)).Valid() {
		writeProblem(g, problem(http.StatusConflict, "license_not_valid", "only a valid licence can be activated"))
		return
	}
	if err := s.Store.Activate(ctx, l.ID, in.ActivationKey, tenant); err != nil {
		writeProblem(g, s.answer(err))
		return
	}
	s.Checks.Forget(l.ID)
	kept, err := s.Checks.Read(ctx, l.ID)
	if err != nil {
		writeProblem(g, s.answer(err))
		return
	}
	answer, err := s.Checks.Answer(kept, licensing.Question{License: string(l.ID), Product: l.Product, Version: in.Version, Tenant: tenant})
	if err != nil {
		writeProblem(g, s.answer(err))
		return
	}
	if counts(answer) && user != "" {
		s.Checks.Observe(kept, user, func() string { return address })
	}
	g.JSON(http.StatusOK, ActivationAnswer{string(l.ID), tenant, user, answer})
}

// identify is whose token it is.
func (s *licenses) identify(ctx context.Context, token string) (tenant, user string, err error) {
	away := problem(http.StatusServiceUnavailable, "unavailable", "Microsoft Entra ID cannot be reached at the moment")
	away.retryAfter = 60
	if s.Tenants == nil {
		return "", "", away
	}
	tenant, user, err = s.Tenants.Identify(ctx, token, s.Now())
	var refusal *billing.Error
	if err != nil && !errors.As(err, &refusal) {
		s.Log.Warn("Entra is away", "error", err)
		return "", "", away
	}
	return tenant, user, err
}

func (s *licenses) rotateKey(ctx context.Context, in *LicenseInput) (*licenseOutput, error) {
	l, err := s.licensed(ctx, licensing.LicenseID(in.ID))
	if err != nil {
		return nil, s.answer(err)
	}
	switch {
	case !(License{Licensee: l.Licensee}).isOf(callerOf(ctx)):
		return nil, problem(http.StatusForbidden, "forbidden", "only the licensee may replace the activation key")
	case l.Activation != licensing.ActivationEntra:
		return nil, notEntra()
	}
	l.ActivationKey = rand.Text()
	if err := s.Store.SetActivationKey(ctx, l.ID, l.ActivationKey); err != nil {
		return nil, s.answer(err)
	}
	return s.show(ctx, l)
}

func notEntra() *Problem {
	return refusal(billing.CodeNotPossibleNow, "", "licences of this product are not activated with Entra")
}

var tenantID = regexp.MustCompile(`^[0-9a-z][0-9a-z-]{0,63}$`)

func (s *licenses) setTenant(ctx context.Context, in *struct {
	LicenseInput
	Body struct {
		Tenant *string `json:"tenant" maxLength:"64" doc:"The tenant's id; null releases the licence for the next one to activate it."`
	}
}) (*licenseOutput, error) {
	l, err := s.Store.License(ctx, licensing.LicenseID(in.ID))
	if err != nil {
		return nil, s.answer(err)
	}
	if l.Activation != licensing.ActivationEntra {
		return nil, notEntra()
	}
	l.Tenant = ""
	if in.Body.Tenant != nil {
		if l.Tenant = strings.ToLower(*in.Body.Tenant); !tenantID.MatchString(l.Tenant) {
			return nil, invalid("tenant", "is not a tenant id")
		}
	}
	err = s.Store.SetTenant(ctx, l.ID, l.Tenant)
	s.Checks.Forget(l.ID)
	if err != nil {
		return nil, s.answer(err)
	}
	return s.show(ctx, l)
}

// LicenseUse is a licence's usage with what an operator holds against it.
type LicenseUse struct {
	Usage
	Covers         *int64 `json:"covers" doc:"Null for no limit."`
	BlockOverLimit bool   `json:"block_over_limit"`
}

func (s *licenses) getUse(ctx context.Context, in *LicenseInput) (*struct{ Body LicenseUse }, error) {
	l, err := s.Store.License(ctx, licensing.LicenseID(in.ID))
	if err != nil {
		return nil, s.answer(err)
	}
	out := &struct{ Body LicenseUse }{LicenseUse{Usage: Usage{WindowDays: licensing.WindowDays}, BlockOverLimit: l.BlockOverLimit}}
	if u := viewUsage(l); u != nil {
		out.Body.Usage = *u
	}
	if l.Covers > 0 {
		out.Body.Covers = &l.Covers
	}
	return out, nil
}

func (s *licenses) blockOverLimit(ctx context.Context, in *struct {
	LicenseInput
	Body struct {
		On bool `json:"on"`
	}
}) (*struct{ Body LicenseUse }, error) {
	err := s.Store.SetBlocking(ctx, licensing.LicenseID(in.ID), in.Body.On)
	s.Checks.Forget(licensing.LicenseID(in.ID))
	if err != nil {
		return nil, s.answer(err)
	}
	return s.getUse(ctx, &in.LicenseInput)
}
