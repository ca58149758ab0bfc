package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"
	"github.com/gin-gonic/gin"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/commands"
	"github.com/okviz/licensing/licensing"
	"github.com/okviz/licensing/licensing/pbiviz"
)

// Problem is every error of the API (RFC 9457). Code is stable; nothing of it
// repeats what was submitted.
type Problem struct {
	Type   string       `json:"type" doc:"URN of the kind of problem, made of the code."`
	Title  string       `json:"title"`
	Status int          `json:"status"`
	Detail string       `json:"detail,omitempty"`
	Code   string       `json:"code" doc:"Stable, machine-readable."`
	Errors []FieldError `json:"errors,omitempty"`

	DeclineCode    string `json:"decline_code,omitempty" doc:"With card_declined: the reason the bank gave."`
	SubscriptionID string `json:"subscription_id,omitempty" doc:"With card_declined at checkout: the order, for which another card can be tried."`
	CheckoutToken  string `json:"checkout_token,omitempty" doc:"With card_declined at checkout: the credential for trying another card."`

	retryAfter int // seconds
}

// FieldError says what is wrong with a field.
type FieldError struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType makes Huma send problems as such.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders adds what some problems say besides their document.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(p.retryAfter))
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="okviz"`)
	}
	return h
}

func problem(status int, code, detail string) *Problem {
	return &Problem{Type: "urn:okviz:problem:" + code, Title: http.StatusText(status), Status: status, Code: code, Detail: detail}
}

func invalid(field, detail string) *Problem {
	p := problem(http.StatusUnprocessableEntity, string(billing.CodeInvalid), "the request is not valid")
	p.Errors = []FieldError{{field, detail}}
	return p
}

// patient says when to try again, where that is not for another problem.
func (p *Problem) patient() *Problem {
	if p.Status == http.StatusTooManyRequests {
		p.retryAfter = 3600
	}
	return p
}

// statuses is the one map of codes to HTTP.
var statuses = map[billing.Code]int{
	licensing.UnknownKey:           http.StatusConflict,
	billing.CodeInvalid:            http.StatusUnprocessableEntity,
	billing.CodeUnknownProduct:     http.StatusUnprocessableEntity,
	billing.CodeUnknownPlan:        http.StatusUnprocessableEntity,
	billing.CodeUnknownCurrency:    http.StatusUnprocessableEntity,
	billing.CodeInvalidVATID:       http.StatusUnprocessableEntity,
	billing.CodeUnknownToken:       http.StatusUnprocessableEntity,
	billing.CodeQuantityNotAllowed: http.StatusUnprocessableEntity,
	billing.CodeCountryNotServed:   http.StatusUnprocessableEntity,
	billing.CodeTermsNotAccepted:   http.StatusUnprocessableEntity,
	billing.CodeTrialNotOffered:    http.StatusUnprocessableEntity,
	billing.CodeUnknownCoupon:      http.StatusUnprocessableEntity,
	billing.CodeCouponExpired:      http.StatusUnprocessableEntity,
	billing.CodeCouponUsedUp:       http.StatusUnprocessableEntity,
	billing.CodeCouponUnfit:        http.StatusUnprocessableEntity,
	billing.CodeInvoiceNotAllowed:  http.StatusUnprocessableEntity,
	billing.CodePackageWithoutKey:  http.StatusUnprocessableEntity,
	billing.CodePackageWrongGUID:   http.StatusUnprocessableEntity,
	billing.CodeAmountTooLarge:     http.StatusUnprocessableEntity,
	billing.CodeMoneyBackOver:      http.StatusConflict,
	billing.CodeMoneyBackUsedUp:    http.StatusConflict,
	billing.CodeNothingToRefund:    http.StatusConflict,
	billing.CodeCardDeclined:       http.StatusPaymentRequired,
	billing.CodeNoPaymentMethod:    http.StatusPaymentRequired,
	billing.CodeGatewayRejected:    http.StatusPaymentRequired,
	billing.CodePaymentProcessing:  http.StatusConflict,
	billing.CodeMethodInUse:        http.StatusConflict,
	billing.CodeAddressTaken:       http.StatusConflict,
	billing.CodeTooManyAttempts:    http.StatusTooManyRequests,
	billing.CodeTrialAlreadyUsed:   http.StatusConflict,
	billing.CodeTooManySiteEdits:   http.StatusConflict,
	billing.CodeTooManyEndpoints:   http.StatusConflict,
	billing.CodeNotPossibleNow:     http.StatusConflict,
	billing.CodeAlreadyRecorded:    http.StatusConflict,
	billing.CodeMarkedByHand:       http.StatusConflict,
	billing.CodeSubscriptionsRun:   http.StatusConflict,
	billing.CodeMoneyOpen:          http.StatusConflict,
	billing.CodeNoChange:           http.StatusConflict,
	billing.CodeQuoteExpired:       http.StatusConflict,
	billing.CodeQuoteAccepted:      http.StatusConflict,
	billing.CodePreviewExpired:     http.StatusConflict,
	billing.CodeAmountChanged:      http.StatusConflict,
	billing.CodePriceOutdated:      http.StatusConflict,
	billing.CodeRequestExpired:     http.StatusConflict,
	billing.CodeAlreadyActivated:   http.StatusConflict,
	billing.CodeUnknownActivation:  http.StatusNotFound,
	billing.CodeInvalidEntraToken:  http.StatusUnauthorized,
}

func refusal(code billing.Code, field, detail string) *Problem {
	status, known := statuses[code]
	if !known {
		status = http.StatusUnprocessableEntity
	}
	p := problem(status, string(code), detail)
	if field != "" {
		p.Errors = []FieldError{{field, detail}}
	}
	return p.patient()
}

// answer turns an error into a problem. Errors without a code are logged and
// answered as "internal".
func (s *server) answer(err error) *Problem {
	var p *Problem
	var b *billing.Error
	var l *licensing.Error
	var v *pbiviz.Error
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &b):
		return refusal(b.Code, b.Field, b.Detail)
	case errors.As(err, &l):
		return refusal(billing.Code(l.Code), l.Field, l.Detail)
	case errors.As(err, &v):
		return refusal(billing.Code(v.Code), "package", quoted.ReplaceAllString(v.Detail, "…"))
	case errors.Is(err, billing.ErrNotFound):
		return problem(http.StatusNotFound, "not_found", "there is no such object")
	case errors.Is(err, billing.ErrBusy):
		p := problem(http.StatusConflict, "clock_busy", "this clock is already being advanced")
		p.retryAfter = 1
		return p
	case errors.Is(err, commands.ErrOtherBody):
		return problem(http.StatusConflict, "idempotency_conflict", "this Idempotency-Key was used with another body before")
	case commands.IsAway(err) || !s.storeAnswers():
		s.Log.Warn("a dependency is away", "error", err)
		p := problem(http.StatusServiceUnavailable, "unavailable", "a part of the service cannot be reached at the moment")
		p.retryAfter = 5
		return p
	}
	s.Log.Error("a request failed", "error", err)
	return problem(http.StatusInternalServerError, "internal", "an internal error occurred")
}

// quoted is what a detail repeats of a package: the names of its entries.
var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// storeAnswers tells a database that is away from one that refused: each
// driver has errors of its own for that.
func (s *server) storeAnswers() bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return s.Stores.Access.Ping(ctx) == nil
}

// newProblem is how Huma reports what does not fit a route's description. Its
// own documents repeat what was submitted, names and values; these do not.
func newProblem(status int, msg string, errs ...error) huma.StatusError {
	var found []huma.ErrorDetail
	for _, err := range errs {
		var d huma.ErrorDetailer
		if errors.As(err, &d) {
			found = append(found, *d.ErrorDetail())
		}
	}
	for _, e := range found {
		switch cause, isForm := strings.CutPrefix(e.Message, "cannot read multipart form: "); {
		case isForm && cause == http.ErrNotMultipart.Error():
			status = http.StatusUnsupportedMediaType
		case isForm:
			status = http.StatusBadRequest
		}
	}
	code := map[int]string{
		http.StatusBadRequest: "malformed", http.StatusRequestEntityTooLarge: "too_large",
		http.StatusUnprocessableEntity: "invalid", http.StatusUnsupportedMediaType: "unsupported_media_type",
		http.StatusNotAcceptable: "not_acceptable", http.StatusRequestTimeout: "timeout",
	}[status]
	if code == "" {
		code = "internal"
	}
	p := problem(status, code, strings.ToLower(http.StatusText(status)))
	if status == http.StatusUnprocessableEntity {
		p.Errors = fieldErrors(found)
	}
	return p
}

const (
	unknownName  = "has a name that is not known; names are written as in /openapi.json"
	unknownField = "is not known; names are written as in /openapi.json"
)

// fieldName is a name that may be a misspelt one of the API's, and is told. Others could
// be anything that was submitted.
var fieldName = regexp.MustCompile(`^[A-Za-z_]{1,40}$`)

// plain are the messages of Huma that say nothing of the value.
var plain = regexp.MustCompile(`^(expected |required |invalid (integer|boolean|float)$|File required$|Multiple files received)`)

// fieldErrors says which fields are wrong, in an order that does not depend on
// that of a map. A name that is not known is told if it is a word; of others
// the error names the object that they stand in.
func fieldErrors(found []huma.ErrorDetail) []FieldError {
	var list []FieldError
	for _, e := range found {
		at, detail := e.Location, e.Message
		switch {
		case detail == validation.MsgUnexpectedProperty:
			name := lastName(e)
			if strings.ContainsAny(name, ".[") { // Huma's later locations begin with a part of it
				return []FieldError{{"body", unknownName}}
			}
			if detail = unknownField; !fieldName.MatchString(name) {
				at, detail = strings.TrimSuffix(at, "."+name), unknownName
			}
		case detail == "unknown query parameter":
			at, detail = "query", unknownName
		case strings.HasPrefix(detail, "expected required property "):
			at, detail = at+"."+strings.Fields(detail)[3], "is missing"
		case plain.MatchString(detail):
			detail, _, _ = strings.Cut(detail, ": ")
		default:
			detail = "is not valid"
		}
		if _, field, inside := strings.Cut(at, "."); inside { // body.plan.tier, query.limit, path.id
			at = field
		}
		list = append(list, FieldError{at, detail})
	}
	slices.SortFunc(list, func(a, b FieldError) int {
		return cmp.Or(cmp.Compare(a.Field, b.Field), cmp.Compare(a.Detail, b.Detail))
	})
	return slices.Compact(list)
}

// lastName is the name at the end of an unknown property's location. Names may
// have dots: the longest one of the object that fits is it.
func lastName(e huma.ErrorDetail) string {
	last := ""
	object, _ := e.Value.(map[string]any)
	for name := range object {
		if len(name) > len(last) && strings.HasSuffix(e.Location, "."+name) {
			last = name
		}
	}
	return last
}

func writeProblem(g *gin.Context, p *Problem) {
	for name, values := range p.GetHeaders() {
		g.Header(name, values[0])
	}
	body, err := json.Marshal(p)
	if err != nil {
		g.AbortWithStatus(http.StatusInternalServerError)
		return
	}
	g.Abort()
	g.Data(p.Status, "application/problem+json", body)
}
