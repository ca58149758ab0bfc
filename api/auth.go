package api

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/delivery/words"
)

// caller is who makes a request. The zero caller is a guest.
type caller struct {
	key      string // key_…, where it was an API key
	operator bool   // and not an account
	reads    bool   // an account's key that may only read
	named    string // the operator's name, where it has one
	role     billing.OperatorRole
	account  billing.Account        // that the key or session is for
	member   billing.MemberRole     // in that account
	person   billing.Account        // who has signed in, or made the key
	session  string                 // ses_…, where it was a cookie
	console  string                 // ops_…, where it was an operator's cookie
	order    billing.SubscriptionID // sub_…: the holder of that order's checkout token
	quote    string                 // quo_…: the holder of that quote's token
}

const operatorPath = "/v1/operator/"

type (
	callerKey  struct{}
	sourceKey  struct{}
	addressKey struct{}
)

func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

func callerOfSession(in billing.SignedIn) caller {
	return caller{session: in.Session, account: in.Account, member: in.Role, person: in.Person}
}

// name is the scope of the caller's Idempotency-Keys.
func (c caller) name() string {
	switch {
	case c.account.ID != "":
		return "account:" + string(c.account.ID)
	case c.order != "":
		return "order:" + string(c.order)
	case c.quote != "":
		return "quote:" + c.quote
	case c.console != "" && c.named != "": // so that a command survives a new sign-in
		return "operator:" + c.named
	}
	return "key:" + c.key
}

// sessionCookie keeps a browser signed in. Its prefix has browsers hold it to
// this host, all paths and https.
const sessionCookie = "__Host-okviz"

// authenticate finds out who calls and whether they may use the route,
// before the request is looked at any further. An invalid credential is 401
// on every route.
func (s *server) authenticate(ctx huma.Context, next func(huma.Context)) {
	header := ctx.Header("Authorization")
	var c caller
	var err error
	if header != "" {
		c, err = s.recognise(ctx.Context(), header)
	} else if ctx.Header(consoleHeader) != "" {
		c, err = s.callerOfConsole(unwrap(ctx).Request)
	} else if cookie, none := unwrap(ctx).Request.Cookie(sessionCookie); none == nil {
		var in billing.SignedIn
		in, err = s.Stores.Access.Session(ctx.Context(), cookie.Value)
		c = callerOfSession(in)
		if errors.Is(err, billing.ErrNotFound) { // it has ended: a guest
			err = nil
		}
	}
	if len(ctx.Operation().Security) == 0 && c.member == billing.MemberTechnical {
		c = caller{} // whoever may not order for the account is a guest
	}
	if err == nil {
		err = c.mayUse(ctx.Operation())
	}
	if err != nil {
		writeProblem(unwrap(ctx), s.answer(err))
		return
	}
	address := unwrap(ctx).ClientIP()
	if c.operator {
		ctx = huma.WithContext(ctx, billing.As(ctx.Context(), c.actor(address)))
	}
	ctx = huma.WithValue(huma.WithValue(ctx, callerKey{}, c), sourceKey{}, sourceNetwork(address))
	ctx = huma.WithValue(ctx, languageKey{}, words.Accepted(ctx.Header("Accept-Language")))
	next(huma.WithValue(ctx, addressKey{}, address))
}

// actor is who an operator is for the audit log, from a client's address.
func (c caller) actor(address string) billing.Actor {
	from := "api "
	if c.console != "" {
		from = "console "
	}
	return billing.Actor{Name: cmp.Or(c.named, billing.ActorOperator), From: from + address}
}

// mayUse checks a caller against the route's security. No security:
// everybody. checkout and quote: also the holder of an order's or a quote's
// token. account: everybody who has signed in, and has one of the route's roles in
// the account; each route shows them only what is the account's. Everything below operatorPath: operators alone, and of them
// on each route those with one of its roles.
func (c caller) mayUse(op *huma.Operation) error {
	opens := func(scheme string) bool {
		return slices.ContainsFunc(op.Security, func(s map[string][]string) bool { _, ok := s[scheme]; return ok })
	}
	own := !strings.HasPrefix(op.Path, operatorPath)
	roles, _ := op.Extensions[rolesOf].([]billing.OperatorRole)
	members, _ := op.Extensions[membersOf].([]billing.MemberRole)
	switch {
	case c.reads && op.Method != http.MethodGet && !slices.Contains(roles, billing.OperatorRead):
		return problem(http.StatusForbidden, "forbidden", "this key may only read")
	case c.key != "" && !c.operator && op.Metadata[noKeys] != nil:
		return problem(http.StatusForbidden, "forbidden", "an account's API key cannot do this: sign in")
	case c.operator:
		if !slices.Contains(roles, c.role) {
			return problem(http.StatusForbidden, "forbidden", "this key's role does not allow this request")
		}
		return nil
	case own && c.account.ID != "" && len(members) > 0 && !slices.Contains(members, c.member):
		return problem(http.StatusForbidden, "forbidden", "your role in this account does not allow this request")
	case len(op.Security) == 0 || c.order != "" && opens("checkout") || c.quote != "" && opens("quote") || own && c.account.ID != "":
		return nil
	case c == caller{}:
		return problem(http.StatusUnauthorized, "unauthorized", "authentication is required")
	}
	return problem(http.StatusForbidden, "forbidden", "this credential does not allow this request")
}

func (s *server) recognise(ctx context.Context, header string) (caller, error) {
	bad := problem(http.StatusUnauthorized, "unauthorized", "this credential is not valid")
	scheme, credential, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return caller{}, bad
	}
	if strings.HasPrefix(credential, "cot_") {
		if order, ok := s.orderOf(credential); ok {
			return caller{order: billing.SubscriptionID(order)}, nil
		}
		return caller{}, bad
	}
	if quote, isQuote, good := s.Secret.QuoteOf(credential); isQuote {
		if good {
			return caller{quote: quote}, nil
		}
		return caller{}, bad
	}
	key, err := s.Stores.Access.APIKey(ctx, credential)
	switch {
	case errors.Is(err, billing.ErrNotFound):
		return caller{}, bad
	case err != nil:
		return caller{}, err
	case key.Account == "":
		return caller{key: key.ID, operator: true, named: key.Operator, role: billing.OperatorRole(key.Access)}, nil
	}
	c := caller{key: key.ID, reads: key.Access == billing.AccessRead}
	c.member = key.Role
	if c.account, err = s.Stores.Access.Account(ctx, key.Account); err != nil || key.Member == "" {
		c.person = c.account
		return c, err
	}
	c.person, err = s.Stores.Access.Account(ctx, key.Member)
	return c, err
}

// mine reads a subscription for its billing contact, an operator, or the
// holder of its order's token. For everybody else it does not exist.
func (s *server) mine(ctx context.Context, id billing.SubscriptionID) (billing.Overview, error) {
	c := callerOf(ctx)
	if c.order != "" && c.order != id {
		return billing.Overview{}, billing.ErrNotFound
	}
	o, err := s.Stores.Access.Overview(ctx, id)
	if err == nil && !c.operator && c.order == "" && o.BillingAccount != c.account.Email {
		err = billing.ErrNotFound
	}
	return o, err
}

// bought tells whether the caller holds the token of an order that a card has
// paid for. Whoever paid is handed its invoice and its file; of a trial, and of an
// order by invoice, the mails alone are proof.
func (c caller) bought(o billing.Overview) bool {
	return c.order != "" && c.order == o.ID && o.Collection == billing.ByCard && o.Status == billing.Active
}

// checkoutTokenLife is how long an order's token is good.
const checkoutTokenLife = 24 * time.Hour

// checkoutToken is a credential for one order: its id and an expiry under an
// HMAC. Nothing is stored, and the same order always gets the same token.
func (s *server) checkoutToken(subscription billing.SubscriptionID, placed time.Time) string {
	expires := binary.BigEndian.AppendUint64(nil, uint64(placed.Add(checkoutTokenLife).Unix()))
	body := append(expires, subscription...)
	return "cot_" + base64.RawURLEncoding.EncodeToString(append(s.Secret.Sign("checkout", body), body...))
}

// orderOf is the order that a checkout token is for.
func (s *server) orderOf(token string) (subscription string, ok bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(strings.TrimPrefix(token, "cot_"))
	if err != nil || len(raw) < sha256.Size+8 {
		return "", false
	}
	mac, body := raw[:sha256.Size], raw[sha256.Size:]
	expires := time.Unix(int64(binary.BigEndian.Uint64(body)), 0)
	if !s.Secret.Signed(mac, "checkout", body) || !s.Now().Before(expires) {
		return "", false
	}
	return string(body[8:]), true
}

func unwrap(ctx huma.Context) *gin.Context { return humagin.Unwrap(ctx) }
