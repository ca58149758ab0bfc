package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/okviz/licensing/billing"
)

// emailStore is what changing an account's address needs of the database. Errors:
// billing.ErrNotFound.
type emailStore interface {
	BeginEmailChange(ctx context.Context, account billing.AccountID, email string, vouched bool) (billing.EmailChange, error)
	ConfirmEmailChange(ctx context.Context, id string, side billing.AddressSide) (billing.EmailChange, error)
	OpenEmailChange(ctx context.Context, account billing.AccountID) (billing.EmailChange, error)
}

func (s *accounts) emailRoutes(h huma.API) {
	huma.Register(h, route(http.MethodPost, "/v1/me/email", "change-email", "Have your account's address changed; both addresses are mailed a link", "Account", status(http.StatusAccepted), bySession(), by(billing.OperatorAdmin)), s.changeEmail)
	huma.Register(h, route(http.MethodPost, "/v1/me/email/confirm", "confirm-email", "Confirm a changed address, with the mailed link's token", "Account"), s.confirmEmail)
}

// EmailChange is another address that an account is to have.
type EmailChange struct {
	Email     string    `json:"email"`
	ExpiresAt time.Time `json:"expires_at" doc:"Until then, both addresses have to confirm it."`
}

func viewEmailChange(c billing.EmailChange) *EmailChange { return &EmailChange{c.Email, c.ExpiresAt} }

// changeEmail answers the same whether or not the other address has an account. Of
// an operator, the account's own address is not asked, but told.
func (s *accounts) changeEmail(ctx context.Context, in *struct {
	AccountInput
	Body struct {
		Email string `json:"email" minLength:"3" maxLength:"254"`
	}
}) (*struct{ Body EmailChange }, error) {
	a, err := s.accountOf(ctx, in.AccountInput)
	if err != nil {
		return nil, s.answer(err)
	}
	email, err := emailAddress("email", in.Body.Email)
	if err == nil {
		err = s.mayMail(ctx, email, a.Email)
	}
	if err != nil {
		return nil, s.answer(err)
	}
	c, err := s.Store.BeginEmailChange(ctx, a.ID, email, callerOf(ctx).operator)
	if err != nil {
		return nil, s.answer(err)
	}
	s.Commands.Deliver(ctx, c.ID)
	return &struct{ Body EmailChange }{*viewEmailChange(c)}, nil
}

// ConfirmedEmail says what a confirmation has come to.
type ConfirmedEmail struct {
	Status string `json:"status" enum:"waiting,changed" doc:"waiting: the other address has not confirmed it yet."`
}

// confirmEmail looks at no session: the link is what proves the address.
func (s *accounts) confirmEmail(ctx context.Context, in *TokenInput) (*struct{ Body ConfirmedEmail }, error) {
	id, side, good := s.Secret.AddressOf(in.Body.Token)
	if !good {
		return nil, linkExpired()
	}
	c, err := s.Store.ConfirmEmailChange(ctx, id, side)
	if errors.Is(err, billing.ErrNotFound) {
		return nil, linkExpired()
	}
	if err != nil {
		return nil, s.answer(err)
	}
	if !c.Done {
		return &struct{ Body ConfirmedEmail }{ConfirmedEmail{"waiting"}}, nil
	}
	s.Commands.Deliver(ctx, c.ID)
	return &struct{ Body ConfirmedEmail }{ConfirmedEmail{"changed"}}, nil
}
