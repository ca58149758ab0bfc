package api

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/okviz/licensing/billing"
)

func (s *server) accountRoutes(h huma.API) {
	huma.Register(h, route(http.MethodGet, "/v1/me", "me", "Who has signed in", "Account", account), s.me)
	huma.Register(h, route(http.MethodGet, "/v1/api-keys", "list-api-keys", "Your API keys", "Account", account), s.listAPIKeys)
	huma.Register(h, route(http.MethodPost, "/v1/api-keys", "create-api-key", "Make an API key; it is shown once", "Account", status(http.StatusCreated), account), s.createAPIKey)
	huma.Register(h, route(http.MethodDelete, "/v1/api-keys/{id}", "revoke-api-key", "End an API key", "Account", account), s.revokeAPIKey)
}

// AccountInput says whose account is meant.
type AccountInput struct {
	Email string `query:"email" maxLength:"254" doc:"Operators only, who have no account of their own: whose."`
}

// accountOf is the caller's account, or the one that an operator names.
func (s *server) accountOf(ctx context.Context, in AccountInput) (billing.Account, error) {
	c := callerOf(ctx)
	switch {
	case !c.operator && in.Email != "":
		return c.account, problem(http.StatusForbidden, "forbidden", "only operators name an account")
	case !c.operator:
		return c.account, nil
	case in.Email == "":
		return c.account, invalid("email", "is needed: an operator has no account")
	}
	return s.Store.AccountOf(ctx, in.Email)
}

// Me is an account as its owner sees it.
type Me struct {
	ID    string `json:"id"`
	Email string `json:"email"`
}

// randomToken is a credential of 256 random bits.
func randomToken() string {
	b := make([]byte, 32)
	rand.Read(b) //nolint:errcheck // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

func (s *server) me(ctx context.Context, in *AccountInput) (*struct{ Body Me }, error) {
	a, err := s.accountOf(ctx, *in)
	if err != nil {
		return nil, s.answer(err)
	}
	return &struct{ Body Me }{Me(a)}, nil
}

// APIKey is a program's credential for an account.
type APIKey struct {
	ID        string    `json:"id"`
	CreatedAt time.Time `json:"created_at"`
	Key       string    `json:"key,omitempty" doc:"In the answer that makes it, and never again."`
}

func (s *server) listAPIKeys(ctx context.Context, in *AccountInput) (*struct{ Body List[APIKey] }, error) {
	a, err := s.accountOf(ctx, *in)
	if err != nil {
		return nil, s.answer(err)
	}
	rows, err := s.Store.APIKeys(ctx, a.ID)
	if err != nil {
		return nil, s.answer(err)
	}
	out := List[APIKey]{Data: []APIKey{}}
	for _, r := range rows {
		out.Data = append(out.Data, APIKey{ID: r.ID, CreatedAt: r.CreatedAt.UTC()})
	}
	return &struct{ Body List[APIKey] }{out}, nil
}

func (s *server) createAPIKey(ctx context.Context, in *AccountInput) (*struct{ Body APIKey }, error) {
	a, err := s.accountOf(ctx, *in)
	if err != nil {
		return nil, s.answer(err)
	}
	key := "okv_" + randomToken()
	id, err := s.Store.PutAPIKey(ctx, key, "account", a.ID)
	if err != nil {
		return nil, s.answer(err)
	}
	return &struct{ Body APIKey }{APIKey{ID: id, CreatedAt: billing.Instant(s.Now()), Key: key}}, nil
}

func (s *server) revokeAPIKey(ctx context.Context, in *struct {
	AccountInput
	ID string `path:"id" maxLength:"64"`
}) (*struct{}, error) {
	a, err := s.accountOf(ctx, in.AccountInput)
	if err == nil {
		err = s.Store.RevokeAPIKey(ctx, a.ID, in.ID)
	}
	if err != nil {
		return nil, s.answer(err)
	}
	return nil, nil
}
