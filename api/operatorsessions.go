package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/okviz/licensing/backoffice/signin"
	"github.com/okviz/licensing/billing"
)

// Issuer signs operators in at an identity provider (package signin). Errors:
// signin.ErrRefused; any other says that it is away.
type Issuer interface {
	Begin(ctx context.Context) (address, kept string, err error)
	Finish(ctx context.Context, kept, state, code string) (name string, role billing.OperatorRole, err error)
}

// OperatorSessionStore is what the console's sign-in needs of the database. Errors:
// billing.ErrNotFound.
type OperatorSessionStore interface {
	APIKey(ctx context.Context, key string) (billing.APIKey, error)
	BeginOperatorSession(ctx context.Context, token string, of billing.OperatorSession) (billing.OperatorSession, error)
	OperatorSessions(ctx context.Context, of *billing.OperatorSession) ([]billing.OperatorSession, error)
	EndOperatorSession(ctx context.Context, of *billing.OperatorSession, id string) error
}

const (
	consolePage = "/operator"
	// consoleCookie keeps a console signed in. It counts only on requests with
	// consoleHeader, which neither a link nor a form can send: so no page but the
	// console acts as the operator, and the console never as a customer who has
	// signed in with the same browser.
	consoleCookie = "__Host-okviz-operator"
	consoleHeader = "Okviz-Console"
	// issuerCookie is what a browser keeps while its operator is at the issuer.
	issuerCookie = "__Host-okviz-issuer"
	issuerTime   = 10 * time.Minute

	signInPath = "/v1/operator/sign-in"
)

// CallbackPath is where an issuer sends browsers back to, below the public
// address. It is registered there.
const CallbackPath = signInPath + "/callback"

// operatorSessions signs operators in to the console.
type operatorSessions struct {
	*server
	Store OperatorSessionStore
}

func (s *operatorSessions) routes(h huma.API) {
	all := operator(billing.OperatorRoles...)
	open := by(billing.OperatorRoles...)
	huma.Register(h, route(http.MethodGet, "/v1/operator/sign-in/method", "get-sign-in-method", "How operators sign in to the console", "Operator", open), s.method)
	if s.Issuer != nil {
		huma.Register(h, route(http.MethodGet, signInPath, "begin-sign-in", "Send an operator's browser to the identity provider", "Operator", open, status(http.StatusSeeOther)), s.begin)
		huma.Register(h, route(http.MethodGet, CallbackPath, "finish-sign-in", "Where the identity provider sends it back to", "Operator", open, status(http.StatusSeeOther)), s.finish)
	} else {
		huma.Register(h, route(http.MethodPost, signInPath, "sign-in-operator", "Sign in to the console with an operator's key", "Operator", open), s.signIn)
	}
	huma.Register(h, route(http.MethodGet, "/v1/operator/me", "get-operator", "Who is asking, and in which role", "Operator", all), s.me)
	huma.Register(h, route(http.MethodGet, "/v1/operator/sessions", "list-operator-sessions", "Where you have signed in to the console; for administrators, where anybody has", "Operator", all), s.list)
	huma.Register(h, route(http.MethodDelete, "/v1/operator/sessions/{id}", "end-operator-session", "Sign out: end a session of yours, or as an administrator anybody's", "Operator", all), s.end)
}

// callerOfConsole is whose console a request comes from. Of a session that has
// ended: a guest.
func (s *server) callerOfConsole(r *http.Request) (caller, error) {
	cookie, none := r.Cookie(consoleCookie)
	if none != nil {
		return caller{}, nil
	}
	session, err := s.Stores.Access.OperatorSession(r.Context(), cookie.Value)
	if errors.Is(err, billing.ErrNotFound) {
		return caller{}, nil
	}
	return caller{key: session.Key, operator: true, named: session.Operator, role: session.Role, console: session.ID}, err
}

type methodOutput struct {
	Body struct {
		Method string `json:"method" enum:"key,issuer" doc:"key: with an operator's API key; issuer: at the identity provider, by a visit of /v1/operator/sign-in."`
	}
}

func (s *operatorSessions) method(context.Context, *struct{}) (*methodOutput, error) {
	out := &methodOutput{}
	if out.Body.Method = "key"; s.Issuer != nil {
		out.Body.Method = "issuer"
	}
	return out, nil
}

// OperatorSession is a console that an operator has signed in to.
type OperatorSession struct {
	ID        string    `json:"id"`
	Operator  string    `json:"operator" doc:"A name; empty for a key of no named operator."`
	Role      string    `json:"role" enum:"read,support,finance,admin"`
	By        string    `json:"by" enum:"key,issuer" doc:"How the operator has signed in."`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
	Current   bool      `json:"current" doc:"True for the session that makes this request."`
}

func viewOperatorSession(o billing.OperatorSession, current string) OperatorSession {
	v := OperatorSession{o.ID, o.Operator, string(o.Role), "issuer", o.CreatedAt.UTC(), o.ExpiresAt.UTC(), o.ID == current}
	if o.Key != "" {
		v.By = "key"
	}
	return v
}

// consoleSession is the cookie of a session; of the zero time: none any more.
// Strict: no other page leads into the console signed in, and its first request follows.
func consoleSession(token string, expires time.Time) http.Cookie {
	c := cookie(token, expires)
	c.Name, c.SameSite = consoleCookie, http.SameSiteStrictMode
	return c
}

type operatorSignedIn struct {
	Cookie http.Cookie `header:"Set-Cookie"`
	Body   OperatorSession
}

func (s *operatorSessions) signIn(ctx context.Context, in *struct {
	Body struct {
		Key string `json:"key" minLength:"1" maxLength:"255" doc:"An operator's API key. The session ends with it."`
	}
}) (*operatorSignedIn, error) {
	key, err := s.Store.APIKey(ctx, in.Body.Key)
	if errors.Is(err, billing.ErrNotFound) || err == nil && key.Account != "" {
		return nil, problem(http.StatusForbidden, "forbidden", "this is no operator's key")
	}
	if err != nil {
		return nil, s.answer(err)
	}
	token, session, err := s.start(ctx, billing.OperatorSession{Operator: key.Operator, Role: billing.OperatorRole(key.Access), Key: key.ID})
	if err != nil {
		return nil, s.answer(err)
	}
	return &operatorSignedIn{consoleSession(token, session.ExpiresAt), viewOperatorSession(session, session.ID)}, nil
}

// start begins a session of the operator whom it names.
func (s *operatorSessions) start(ctx context.Context, of billing.OperatorSession) (token string, began billing.OperatorSession, err error) {
	token = randomToken()
	address, _ := ctx.Value(addressKey{}).(string)
	who := caller{named: of.Operator, console: "new"}
	began, err = s.Store.BeginOperatorSession(billing.As(ctx, who.actor(address)), token, of)
	return token, began, err
}

// turned sends a browser elsewhere.
type turned struct {
	Location string        `header:"Location"`
	Cookies  []http.Cookie `header:"Set-Cookie"`
}

func (s *operatorSessions) begin(ctx context.Context, _ *struct{}) (*turned, error) {
	address, kept, err := s.Issuer.Begin(ctx)
	if err != nil {
		return nil, s.issuerAway(err)
	}
	c := cookie(kept, s.Now().Add(issuerTime)) // Lax: the issuer's page leads back
	c.Name = issuerCookie
	return &turned{address, []http.Cookie{c}}, nil
}

func (s *operatorSessions) issuerAway(err error) *Problem {
	s.Log.Warn("the operators' identity provider is away", "error", err)
	p := problem(http.StatusServiceUnavailable, "unavailable", "the identity provider cannot be reached at the moment")
	p.retryAfter = 5
	return p
}

func (s *operatorSessions) finish(ctx context.Context, in *struct {
	Kept        string `cookie:"__Host-okviz-issuer" maxLength:"255"`
	State       string `query:"state" maxLength:"255"`
	Code        string `query:"code" maxLength:"4096"`
	Error       string `query:"error" maxLength:"255"`
	Description string `query:"error_description" maxLength:"4096"`
	URI         string `query:"error_uri" maxLength:"4096"`
	Issuer      string `query:"iss" maxLength:"255"`
	Session     string `query:"session_state" maxLength:"255"`
	Scope       string `query:"scope" maxLength:"4096"`
}) (*turned, error) {
	over := cookie("", time.Time{})
	over.Name = issuerCookie
	out := &turned{consolePage, []http.Cookie{over}}
	name, role, err := s.Issuer.Finish(ctx, in.Kept, in.State, in.Code)
	var token string
	var session billing.OperatorSession
	if err == nil {
		token, session, err = s.start(ctx, billing.OperatorSession{Operator: name, Role: role})
	}
	switch {
	case errors.Is(err, signin.ErrRefused) || errors.Is(err, billing.ErrNotFound): // suspended
		s.Log.Warn("an operator was not signed in", "error", err)
		out.Location += "?refused"
	case err != nil:
		return nil, s.issuerAway(err)
	default:
		out.Cookies = append(out.Cookies, consoleSession(token, session.ExpiresAt))
	}
	return out, nil
}

// OperatorMe is who asks.
type OperatorMe struct {
	Name       string `json:"name" doc:"Empty for a key of no named operator."`
	Role       string `json:"role" enum:"read,support,finance,admin"`
	Session    string `json:"session" doc:"The session's id; empty for an API key."`
	TemporalUI string `json:"temporal_ui" doc:"The address of a subscription's page in the Temporal UI, without its id; empty: none is configured."`
	Sandbox    bool   `json:"sandbox" doc:"The gateway moves no money."`
}

func (s *operatorSessions) me(ctx context.Context, _ *struct{}) (*struct{ Body OperatorMe }, error) {
	c := callerOf(ctx)
	return &struct{ Body OperatorMe }{OperatorMe{c.named, string(c.role), c.console, s.TemporalUI, s.Sandbox != nil}}, nil
}

// whose are the sessions that a caller may see and end: nil means everybody's.
func whose(c caller) *billing.OperatorSession {
	if c.role == billing.OperatorAdmin {
		return nil
	}
	return &billing.OperatorSession{Operator: c.named, Key: c.key}
}

func (s *operatorSessions) list(ctx context.Context, _ *struct{}) (*struct{ Body List[OperatorSession] }, error) {
	c := callerOf(ctx)
	rows, err := s.Store.OperatorSessions(ctx, whose(c))
	if err != nil {
		return nil, s.answer(err)
	}
	out := List[OperatorSession]{Data: make([]OperatorSession, len(rows))}
	for i, r := range rows {
		out.Data[i] = viewOperatorSession(r, c.console)
	}
	return &struct{ Body List[OperatorSession] }{out}, nil
}

func (s *operatorSessions) end(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
}) (*struct {
	Cookie []http.Cookie `header:"Set-Cookie"`
}, error) {
	c := callerOf(ctx)
	if err := s.Store.EndOperatorSession(ctx, whose(c), in.ID); err != nil {
		return nil, s.answer(err)
	}
	out := &struct {
		Cookie []http.Cookie `header:"Set-Cookie"`
	}{}
	if in.ID == c.console {
		out.Cookie = []http.Cookie{consoleSession("", time.Time{})}
	}
	return out, nil
}
