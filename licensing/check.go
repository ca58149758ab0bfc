package licensing

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Code is the answer to a licence check in one word.
type Code string

const (
	Active    Code = "ACTIVE"
	Trial     Code = "TRIAL"
	PastDue   Code = "PAST_DUE"
	Canceled  Code = "CANCELED"   // ends at valid_until
	OverLimit Code = "OVER_LIMIT" // a warning

	Expired          Code = "EXPIRED"
	Revoked          Code = "REVOKED"
	Suspended        Code = "SUSPENDED"
	NotActivated     Code = "NOT_ACTIVATED"
	UnknownLicense   Code = "UNKNOWN_LICENSE"
	WrongProduct     Code = "WRONG_PRODUCT"
	WrongLicensee    Code = "WRONG_LICENSEE"
	WrongSite        Code = "WRONG_SITE"
	WrongTenant      Code = "WRONG_TENANT"
	BlockedOverLimit Code = "BLOCKED_OVER_LIMIT"
)

// Valid tells whether the visual may work.
func (c Code) Valid() bool {
	switch c {
	case Active, Trial, PastDue, Canceled, OverLimit:
		return true
	default:
		return false
	}
}

// Env is where a visual runs: Power BI's CustomVisualHostEnv, a set of bits of
// which a host sets one. 0 is an env that was not sent, and taken as Embed.
type Env uint32

const (
	Web              Env = 1
	PublishToWeb     Env = 2
	Desktop          Env = 4
	Embed            Env = 8
	ReportServer     Env = 16
	ExportReportHost Env = 32
	Mobile           Env = 64
	DashboardHost    Env = 128
)

// outsideSites are the hosts of reports that no site licence covers.
const outsideSites = Web | PublishToWeb | ReportServer | DashboardHost

// Question is what a visual asks.
type Question struct {
	V        int      `json:"v"`
	License  string   `json:"license"`
	Product  string   `json:"product"`
	Version  string   `json:"version,omitempty"`
	Licensee string   `json:"licensee,omitempty"`
	Tenant   string   `json:"tenant,omitempty"`
	Sites    []string `json:"sites,omitempty"` // hosts around the visual's frame
	User     string   `json:"user,omitempty"`  // an anonymous id
	Env      Env      `json:"env,omitempty"`
	// Nonce asks for an answer that is signed for this question alone, with the
	// service's clock in it.
	Nonce string `json:"nonce,omitempty"`
}

var nonces = regexp.MustCompile(`^[A-Za-z0-9_-]{16,64}$`)

const (
	// ProtocolVersion is the v of every question and answer.
	ProtocolVersion = 1
	// MaxQuestion is the most bytes that a question may have.
	MaxQuestion = 4 << 10
	// MaxQuestionSites is the most hosts that a question may name. It is far
	// more than frames are ever nested.
	MaxQuestionSites = 32
)

// ParseQuestion reads the body of a check. Unknown fields are ignored, since
// visuals that were delivered cannot be updated; a question that does not say
// which licence and product it is about is malformed. Errors are *Error with
// MalformedQuestion or QuestionTooLarge.
func ParseQuestion(body []byte) (Question, error) {
	if len(body) > MaxQuestion {
		return Question{}, refuse(QuestionTooLarge, "a question has at most 4 KiB")
	}
	if !utf8.Valid(body) {
		return Question{}, refuse(MalformedQuestion, "is not UTF-8")
	}
	q, plain := plainQuestion(string(body))
	if !plain {
		q = Question{}
		if err := json.Unmarshal(body, &q); err != nil {
			// The decoder's own words may repeat what was sent.
			return Question{}, refuse(MalformedQuestion, "is not a JSON object with fields of the right types")
		}
	}
	switch {
	case q.V != ProtocolVersion:
		return Question{}, &Error{MalformedQuestion, "v", "is 1"}
	case q.License == "":
		return Question{}, &Error{MalformedQuestion, "license", "is missing"}
	case q.Product == "":
		return Question{}, &Error{MalformedQuestion, "product", "is missing"}
	case len(q.Sites) > MaxQuestionSites:
		return Question{}, &Error{MalformedQuestion, "sites", "has too many entries"}
	case q.Nonce != "" && !nonces.MatchString(q.Nonce):
		return Question{}, &Error{MalformedQuestion, "nonce", "is 16 to 64 characters of base64url"}
	}
	return q, nil
}

// Check answers a question about a licence; l is the zero License where there
// is none with that id. The first line that applies decides:
//
//	UNKNOWN_LICENSE     no licence has this id
//	WRONG_PRODUCT       it is another product's
//	REVOKED             for good, by an operator
//	SUSPENDED           while a payment is disputed, or by an operator
//	NOT_ACTIVATED       an entra licence without a tenant, or one that waits for its first payment
//	EXPIRED             it has ended, or now is ValidUntil or later
//	WRONG_LICENSEE      not the exact licensee (activation licensee)
//	WRONG_TENANT        not the bound tenant (activation entra)
//	WRONG_SITE          not one of its sites (type site; see below)
//	BLOCKED_OVER_LIMIT  far more users than covered, and blocking is on
//	OVER_LIMIT          more users than covered: valid, with a warning
//	PAST_DUE, CANCELED, TRIAL, ACTIVE  valid, by State
//
// A site licence is for Power BI Embedded alone, and so is WRONG_SITE in the
// service, published to the web, on a report server and on dashboards. In any
// other env one of the hosts sent must be one of its sites. Microsoft's own
// hosts never count. Where no host was sent at all, as browsers that do not
// tell them do, Embed is trusted and nothing else.
func Check(l License, q Question, now time.Time) Code {
	switch {
	case l.ID == "" || string(l.ID) != q.License:
		return UnknownLicense
	case l.Product != q.Product:
		return WrongProduct
	}
	status := l.Status(now)
	switch {
	case !status.Valid() && status != BlockedOverLimit:
		return status
	case l.Activation == ActivationLicensee && l.Licensee != q.Licensee:
		return WrongLicensee
	case l.Activation == ActivationEntra && !strings.EqualFold(l.Tenant, q.Tenant):
		return WrongTenant
	case l.Type == Site && !atSite(l.Sites, q.Sites, q.Env):
		return WrongSite
	}
	return status
}

func atSite(allowed, sent []string, env Env) bool {
	if env == 0 {
		env = Embed
	}
	if env&outsideSites != 0 {
		return false
	}
	none := true
	for _, host := range sent {
		if MatchSite(allowed, host) {
			return true
		}
		// A frame without an origin of its own is named "null" by browsers.
		none = none && (host == "" || host == "null")
	}
	return none && env == Embed
}

// Answer is what a check returns. ValidUntil and Token are null unless Valid.
type Answer struct {
	V            int        `json:"v"`
	Valid        bool       `json:"valid"`
	Code         Code       `json:"code"`
	ValidUntil   *time.Time `json:"valid_until"`
	Now          time.Time  `json:"now"`
	RefreshAfter int64      `json:"refresh_after"` // seconds
	Token        *string    `json:"token"`
}

// Respond makes the answer that tells code. An empty token, and one with a
// code that is not valid, is left out.
func Respond(l License, code Code, now time.Time, token string) Answer {
	a := Answer{
		V:            ProtocolVersion,
		Valid:        code.Valid(),
		Code:         code,
		Now:          now.UTC().Truncate(time.Second),
		RefreshAfter: RefreshAfter(l, code, now),
	}
	if a.Valid {
		until := l.ValidUntil.UTC().Truncate(time.Second)
		a.ValidUntil = &until
		if token != "" {
			a.Token = &token
		}
	}
	return a
}

// AppendJSON appends an answer as encoding/json writes it, at a small part of its cost.
func (a Answer) AppendJSON(b []byte) []byte {
	b = append(b, `{"v":`...)
	b = strconv.AppendInt(b, int64(a.V), 10)
	b = append(b, `,"valid":`...)
	b = strconv.AppendBool(b, a.Valid)
	b = append(b, `,"code":"`...)
	b = append(b, a.Code...)
	b = append(b, `","valid_until":`...)
	if a.ValidUntil == nil {
		b = append(b, "null"...)
	} else {
		b = append(a.ValidUntil.AppendFormat(append(b, '"'), time.RFC3339), '"')
	}
	b = append(b, `,"now":"`...)
	b = a.Now.AppendFormat(b, time.RFC3339)
	b = append(b, `","refresh_after":`...)
	b = strconv.AppendInt(b, a.RefreshAfter, 10)
	b = append(b, `,"token":`...)
	if a.Token == nil {
		b = append(b, "null"...)
	} else { // base64url and dots: nothing to escape
		b = append(append(append(b, '"'), *a.Token...), '"')
	}
	return append(b, '}')
}

const (
	refreshDaily   = 24 * 60 * 60
	refreshInvalid = 5 * 60
	refreshLeast   = 60
)

// RefreshAfter says in how many seconds a visual may ask again. A valid
// licence is asked for once a day, or when its ValidUntil is reached if that
// comes earlier, but not within a minute. A licence that is not valid is asked
// for every five minutes, so that a customer who has just paid, or named a
// site, need not wait for a day.
func RefreshAfter(l License, code Code, now time.Time) int64 {
	if !code.Valid() {
		return refreshInvalid
	}
	left := int64(l.ValidUntil.Sub(now) / time.Second)
	return max(refreshLeast, min(refreshDaily, left))
}

// LeaseLife is how long a visual may work on the answer to one check.
const LeaseLife = 14 * 24 * time.Hour

// Lease is the token of a check's answer. It expires after LeaseLife, or with
// the licence if that comes earlier.
func Lease(l License, now time.Time) Claims {
	return claims(l, KindLease, now, leasedUntil(l, now))
}

// SignedAnswer is the lease that answers one question alone: it carries the
// question's nonce, and so its IssuedAt proves the service's clock, which an
// earlier answer sent again does not.
func SignedAnswer(l License, code Code, nonce string, now time.Time) Claims {
	c := claims(l, KindAnswer, now, leasedUntil(l, now))
	c.Nonce, c.Code = nonce, code
	c.ID = c.fingerprint(l.Revision)
	return c
}

func leasedUntil(l License, now time.Time) time.Time {
	return earlier(now.Add(LeaseLife), l.ValidUntil)
}

// Embedded is the token of a delivered file. It expires with the licence, whose
// ValidUntil may have been shortened for it (FileTerm.Ends).
func Embedded(l License, now time.Time) Claims {
	return claims(l, KindEmbedded, now, l.ValidUntil)
}

func claims(l License, kind Kind, now, until time.Time) Claims {
	c := Claims{
		Issuer:    Issuer,
		Audience:  l.Product,
		Subject:   string(l.ID),
		IssuedAt:  now.Unix(),
		ExpiresAt: until.Unix(),
		Kind:      kind,
		Plan:      l.PlanID,
		Type:      l.Type,
		Tier:      l.Tier,
		Quantity:  l.Quantity,
		Sites:     slices.Clone(l.Sites),
		Tenant:    l.Tenant,
		Trial:     l.Trial || l.State == StateTrial,
		PeriodEnd: l.PeriodEnd.Unix(),
	}
	// The visual asks for the licensee and shows it. Elsewhere a name would
	// only travel with the report.
	if l.Activation == ActivationLicensee {
		c.Licensee = l.Licensee
	}
	c.ID = c.fingerprint(l.Revision)
	return c
}
