package api

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/commands"
)

// AccountStore is what the routes of accounts need of the database. Errors:
// billing.ErrNotFound.
type AccountStore interface {
	Ledger(ctx context.Context, account billing.AccountID) (billing.Ledger, error)
	VendorDocuments(ctx context.Context) ([]billing.VendorDocument, error)
	VendorDocument(ctx context.Context, name string) (billing.VendorDocument, []byte, error)
	PutVendorDocument(ctx context.Context, d billing.VendorDocument, content []byte) (billing.VendorDocument, error)
	RemoveVendorDocument(ctx context.Context, name string) error
	AccountOf(ctx context.Context, email string) (billing.Account, error)
	BeginLogin(ctx context.Context, id, token string, account billing.AccountID) error
	BeginPortalSession(ctx context.Context, id, token string, account billing.AccountID, returnURL string) (expires time.Time, err error)
	ConfirmLogin(ctx context.Context, token, session string) (account billing.Account, expires time.Time, returnURL string, err error)
	NoteBrowser(ctx context.Context, account billing.AccountID, cookie string) (id string, err error)
	Sessions(ctx context.Context, account billing.AccountID) ([]billing.Session, error)
	EndSessions(ctx context.Context, account billing.AccountID, id string) error
	Balance(ctx context.Context, account billing.AccountID) ([]billing.Money, error)
	Entries(ctx context.Context, account billing.AccountID, limit int) ([]billing.PostedEntry, error)
	APIKeys(ctx context.Context, account, member billing.AccountID) ([]billing.APIKey, error)
	PutAPIKey(ctx context.Context, key string, k billing.APIKey) (id string, err error)
	RevokeAPIKey(ctx context.Context, account, member billing.AccountID, id string) error
	Profile(ctx context.Context, account billing.AccountID) (billing.Profile, error)
	PutProfile(ctx context.Context, account billing.AccountID, p billing.Profile) error
	StoredCards(ctx context.Context, account billing.AccountID) ([]billing.StoredCard, error)
	RemoveCard(ctx context.Context, account billing.AccountID, ref string) error
	memberStore
	emailStore
}

// accounts signs people in, and shows them what is theirs.
type accounts struct {
	*server
	Store AccountStore
}

func (s *accounts) routes(h huma.API) {
	s.profileRoutes(h)
	s.memberRoutes(h)
	s.emailRoutes(h)
	s.privacyRoutes(h)
	s.statementRoutes(h)
	s.vendorDocumentRoutes(h)
	huma.Register(h, route(http.MethodPost, "/v1/operator/portal-sessions", "create-portal-session", "Make a link that signs an account's owner in, once", "Operator", operator(billing.OperatorAdmin), status(http.StatusCreated)), s.portalSession)
	huma.Register(h, route(http.MethodPost, "/v1/login", "login", "Mail a sign-in link", "Account", status(http.StatusAccepted)), s.login)
	huma.Register(h, route(http.MethodPost, "/v1/login/confirm", "confirm-login", "Sign in with the mailed link's token", "Account"), s.confirmLogin)
	huma.Register(h, route(http.MethodPost, "/v1/logout", "logout", "End this session, or all of them", "Account", bySession(billing.MemberFinance, billing.MemberTechnical)), s.logout)
	huma.Register(h, route(http.MethodGet, "/v1/balance", "get-balance", "Your account's balance, in each currency", "Account", account(billing.MemberFinance)), s.balance)
	huma.Register(h, route(http.MethodGet, "/v1/sessions", "list-sessions", "Where you have signed in", "Account", bySession(billing.MemberFinance, billing.MemberTechnical)), s.listSessions)
	huma.Register(h, route(http.MethodGet, "/v1/api-keys", "list-api-keys", "Your API keys", "Account", account(billing.MemberFinance, billing.MemberTechnical)), s.listAPIKeys)
	huma.Register(h, route(http.MethodPost, "/v1/api-keys", "create-api-key", "Create an API key; it is shown once", "Account", status(http.StatusCreated), bySession(billing.MemberFinance, billing.MemberTechnical), by(billing.OperatorAdmin)), s.createAPIKey)
	huma.Register(h, route(http.MethodDelete, "/v1/api-keys/{id}", "revoke-api-key", "Revoke an API key", "Account", bySession(billing.MemberFinance, billing.MemberTechnical), by(billing.OperatorAdmin)), s.revokeAPIKey)
}

// AccountInput says whose account is meant.
type AccountInput struct {
	Email string `query:"email" maxLength:"254" doc:"For operators only: the e-mail address of the account."`
}

// check refuses an address from whoever is no operator.
func (in AccountInput) check(ctx context.Context) error {
	if in.Email != "" && !callerOf(ctx).operator {
		return problem(http.StatusForbidden, "forbidden", "only operators may name an account")
	}
	return nil
}

// accountOf is the caller's account, or the one that an operator names.
func (s *accounts) accountOf(ctx context.Context, in AccountInput) (billing.Account, error) {
	c := callerOf(ctx)
	switch err := in.check(ctx); {
	case err != nil || !c.operator:
		return c.account, err
	case in.Email == "":
		return c.account, invalid("email", "is required: an operator has no account")
	}
	return s.Store.AccountOf(ctx, in.Email)
}

// personOf is the account of who calls, whatever account they look at, or the one
// that an operator names.
func (s *accounts) personOf(ctx context.Context, in AccountInput) (billing.Account, error) {
	a, err := s.accountOf(ctx, in)
	if c := callerOf(ctx); err == nil && !c.operator {
		a = c.person
	}
	return a, err
}

// keysOf is whose API keys a caller may see and end: an owner everybody's (empty),
// others their own.
func (c caller) keysOf() billing.AccountID {
	if c.operator || c.member == billing.MemberOwner {
		return ""
	}
	return c.person.ID
}

// memberOf is who makes something for an account of others: it ends with their
// membership. Empty: the account's own address, or an operator.
func (c caller) memberOf(account billing.AccountID) billing.AccountID {
	if c.operator || c.person.ID == account {
		return ""
	}
	return c.person.ID
}

// login does and answers the same whether or not the address has an account, so
// that the time it takes tells nothing either.
func (s *accounts) login(ctx context.Context, in *struct {
	Body struct {
		Email string `json:"email" minLength:"3" maxLength:"254"`
	}
}) (*struct{}, error) {
	var tooMany *Problem
	if err := s.maySignIn(ctx, in.Body.Email); errors.As(err, &tooMany) {
		return nil, nil // which says nothing of the address either
	} else if err != nil {
		return nil, s.answer(err)
	}
	to, err := s.Store.AccountOf(ctx, in.Body.Email)
	if err != nil && !errors.Is(err, billing.ErrNotFound) {
		return nil, s.answer(err)
	}
	id := commands.NewID("lgn")
	if err := s.Store.BeginLogin(ctx, id, s.Secret.LoginToken(id), to.ID); err != nil {
		return nil, s.answer(err)
	}
	s.Commands.Deliver(ctx, id)
	return nil, nil
}

type signedIn struct {
	Cookies []http.Cookie `header:"Set-Cookie"` // the session's first
	Body    SignedIn
}

// SignedIn is who has signed in.
type SignedIn struct {
	Me
	ReturnURL *string `json:"return_url" doc:"Of a portal session: the page that the account's pages lead back to."`
}

// browserCookie tells a browser that has signed in before from a new one. It
// opens nothing.
const (
	browserCookie = "__Host-okviz-browser"
	browserLife   = 400 * 24 * time.Hour // which is all that browsers keep
)

// cookie keeps a browser signed in, or (with nothing in it) no longer.
func cookie(value string, expires time.Time) http.Cookie {
	c := http.Cookie{Name: sessionCookie, Value: value, Path: "/", Expires: expires, HttpOnly: true, Secure: true, SameSite: http.SameSiteLaxMode}
	if value == "" {
		c.MaxAge = -1
	}
	return c
}

// randomToken is a credential of 256 random bits.
func randomToken() string {
	b := make([]byte, 32)
	rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

func (s *accounts) confirmLogin(ctx context.Context, in *struct {
	TokenInput
	Browser string `cookie:"__Host-okviz-browser" maxLength:"64" doc:"Set at the first sign-in; without it, a mail tells the account of a new browser."`
}) (*signedIn, error) {
	session := randomToken()
	a, expires, back, err := s.Store.ConfirmLogin(ctx, in.Body.Token, session)
	if errors.Is(err, billing.ErrNotFound) {
		return nil, problem(http.StatusForbidden, "login_expired", "this link has been used or has expired: request a new one")
	}
	if err != nil {
		return nil, s.answer(err)
	}
	begun, err := s.Stores.Access.Session(ctx, session)
	if err != nil {
		return nil, s.answer(err)
	}
	me, err := s.profiled(ctx, callerOfSession(begun))
	if err != nil {
		return nil, s.answer(err)
	}
	browser := cmp.Or(in.Browser, randomToken())
	fresh, err := s.Store.NoteBrowser(ctx, a.ID, browser)
	if err != nil {
		return nil, s.answer(err)
	}
	if fresh != "" {
		s.Commands.Deliver(ctx, fresh)
	}
	known := cookie(browser, s.Now().Add(browserLife))
	known.Name = browserCookie
	return &signedIn{[]http.Cookie{cookie(session, expires), known}, SignedIn{me, text(back)}}, nil
}

// PortalSession is a link that signs an account's owner in.
type PortalSession struct {
	URL       string    `json:"url" doc:"A credential: hand it to the account's owner alone, and at once. It works once."`
	ExpiresAt time.Time `json:"expires_at"`
}

func (s *accounts) portalSession(ctx context.Context, in *struct {
	Body struct {
		Account   string `json:"account" minLength:"3" maxLength:"254" doc:"The account's e-mail address." example:"ada@contoso.example"`
		ReturnURL string `json:"return_url,omitempty" maxLength:"2048" doc:"A page of an origin that OKVIZ_ORIGINS names. The account's pages lead back to it."`
	}
}) (*struct{ Body PortalSession }, error) {
	if back := in.Body.ReturnURL; back != "" {
		u, err := url.Parse(back)
		if err != nil || u.User != nil || !printable(back) || !slices.Contains(s.Origins, u.Scheme+"://"+u.Host) {
			return nil, invalid("return_url", "is not a page of an origin that OKVIZ_ORIGINS names")
		}
	}
	a, err := s.Store.AccountOf(ctx, in.Body.Account)
	if err != nil {
		return nil, s.answer(err)
	}
	token := randomToken()
	expires, err := s.Store.BeginPortalSession(ctx, commands.NewID("lgn"), token, a.ID, in.Body.ReturnURL)
	if err != nil {
		return nil, s.answer(err)
	}
	return &struct{ Body PortalSession }{PortalSession{s.PublicURL + "/login#token=" + token, expires.UTC()}}, nil
}

func (s *accounts) logout(ctx context.Context, in *struct {
	Body *struct {
		Everywhere bool `json:"everywhere,omitempty" doc:"End all of your sessions."`
	} `required:"false"`
}) (*struct {
	Cookie http.Cookie `header:"Set-Cookie"`
}, error) {
	c := callerOf(ctx)
	everywhere := in.Body != nil && in.Body.Everywhere
	if c.account.ID == "" || c.session == "" && !everywhere {
		return nil, problem(http.StatusConflict, string(billing.CodeNotPossibleNow), "there is no session to end")
	}
	id := c.session
	if everywhere {
		id = ""
	}
	if err := s.Store.EndSessions(ctx, c.person.ID, id); err != nil {
		return nil, s.answer(err)
	}
	return &struct {
		Cookie http.Cookie `header:"Set-Cookie"`
	}{cookie("", time.Time{})}, nil
}

// Balance is what an account holds, and why.
type Balance struct {
	Data    []billing.Money `json:"data" doc:"One amount for each currency that the account has ever used."`
	Entries []BalanceEntry  `json:"entries" doc:"The latest entries, the newest first; at most 100."`
}

// BalanceEntry is one movement of a balance.
type BalanceEntry struct {
	At       time.Time          `json:"at"`
	Amount   billing.Money      `json:"amount" doc:"Negative where the balance was used."`
	Cause    billing.EntryCause `json:"cause" enum:"transfer,payment,reserved,released,credit_note,refund"`
	Document string             `json:"document_id" doc:"The invoice, credit note or refund that the entry belongs to."`
}

// entriesShown is how many movements of a balance are shown.
const entriesShown = 100

func (s *accounts) balance(ctx context.Context, in *AccountInput) (*struct{ Body Balance }, error) {
	a, err := s.accountOf(ctx, *in)
	if err != nil {
		return nil, s.answer(err)
	}
	held, err := s.Store.Balance(ctx, a.ID)
	if err != nil {
		return nil, s.answer(err)
	}
	posted, err := s.Store.Entries(ctx, a.ID, entriesShown)
	if err != nil {
		return nil, s.answer(err)
	}
	out := Balance{Data: held, Entries: make([]BalanceEntry, len(posted))}
	for i, e := range posted {
		out.Entries[i] = BalanceEntry{e.At.UTC(), billing.Money{Amount: e.Amount, Currency: e.Currency}, e.Cause, e.Document}
	}
	return &struct{ Body Balance }{out}, nil
}

// Session is a browser that has signed in.
type Session struct {
	ID        string    `json:"id"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
	Current   bool      `json:"current" doc:"True for the session that makes this request."`
}

func (s *accounts) listSessions(ctx context.Context, in *AccountInput) (*struct{ Body List[Session] }, error) {
	a, err := s.personOf(ctx, *in)
	if err != nil {
		return nil, s.answer(err)
	}
	rows, err := s.Store.Sessions(ctx, a.ID)
	if err != nil {
		return nil, s.answer(err)
	}
	out := List[Session]{Data: []Session{}}
	for _, r := range rows {
		out.Data = append(out.Data, Session{r.ID, r.CreatedAt.UTC(), r.ExpiresAt.UTC(), r.ID == callerOf(ctx).session})
	}
	return &struct{ Body List[Session] }{out}, nil
}

// APIKey is a program's credential for an account.
type APIKey struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Scopes     []string   `json:"scopes" enum:"read,write"`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  *time.Time `json:"expires_at"`
	LastUsedAt *time.Time `json:"last_used_at" doc:"To the minute."`
	Key        string     `json:"key,omitempty" doc:"The key itself; only in the response that creates it."`
}

func viewAPIKey(k billing.APIKey) APIKey {
	v := APIKey{ID: k.ID, Name: k.Name, Scopes: []string{billing.AccessRead}, CreatedAt: k.CreatedAt.UTC(), ExpiresAt: k.ExpiresAt, LastUsedAt: k.LastUsedAt}
	if k.Access == billing.AccessWrite {
		v.Scopes = append(v.Scopes, billing.AccessWrite)
	}
	return v
}

func (s *accounts) listAPIKeys(ctx context.Context, in *AccountInput) (*struct{ Body List[APIKey] }, error) {
	a, err := s.accountOf(ctx, *in)
	if err != nil {
		return nil, s.answer(err)
	}
	rows, err := s.Store.APIKeys(ctx, a.ID, callerOf(ctx).keysOf())
	if err != nil {
		return nil, s.answer(err)
	}
	out := List[APIKey]{Data: []APIKey{}}
	for _, r := range rows {
		out.Data = append(out.Data, viewAPIKey(r))
	}
	return &struct{ Body List[APIKey] }{out}, nil
}

func (s *accounts) createAPIKey(ctx context.Context, in *struct {
	AccountInput
	Body *struct {
		Name      string     `json:"name,omitempty" maxLength:"64" doc:"What the key is for."`
		Scopes    []string   `json:"scopes,omitempty" maxItems:"2" enum:"read,write" doc:"write includes read; absent: both."`
		ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"Absent: never."`
	} `required:"false"`
}) (*struct{ Body APIKey }, error) {
	a, err := s.accountOf(ctx, in.AccountInput)
	if err != nil {
		return nil, s.answer(err)
	}
	k := billing.APIKey{Account: a.ID, Member: callerOf(ctx).memberOf(a.ID), Access: billing.AccessWrite}
	if b := in.Body; b != nil {
		k.Name = b.Name
		if len(b.Scopes) > 0 && !slices.Contains(b.Scopes, billing.AccessWrite) {
			k.Access = billing.AccessRead
		}
		if b.ExpiresAt != nil {
			until := billing.Instant(*b.ExpiresAt)
			if !until.After(s.Now()) {
				return nil, invalid("expires_at", "is not in the future")
			}
			k.ExpiresAt = &until
		}
	}
	key := "okv_" + randomToken()
	if k.ID, err = s.Store.PutAPIKey(ctx, key, k); err != nil {
		return nil, s.answer(err)
	}
	s.Commands.Deliver(ctx, k.ID)
	k.CreatedAt = billing.Instant(s.Now())
	v := viewAPIKey(k)
	v.Key = key
	return &struct{ Body APIKey }{v}, nil
}

func (s *accounts) revokeAPIKey(ctx context.Context, in *struct {
	AccountInput
	ID string `path:"id" maxLength:"64"`
}) (*struct{}, error) {
	a, err := s.accountOf(ctx, in.AccountInput)
	if err == nil {
		err = s.Store.RevokeAPIKey(ctx, a.ID, callerOf(ctx).keysOf(), in.ID)
	}
	if err != nil {
		return nil, s.answer(err)
	}
	return nil, nil
}
