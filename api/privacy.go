package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/okviz/licensing/backoffice"
	"github.com/okviz/licensing/billing"
)

func (s *accounts) privacyRoutes(h huma.API) {
	huma.Register(h, route(http.MethodGet, "/v1/privacy/export", "export-account", "Everything that is held about your address, but for credentials", "Account", account(), by(billing.OperatorAdmin)), s.exportData)
	huma.Register(h, route(http.MethodPost, "/v1/privacy/erase", "erase-account", "Erase your address and account, but for what issued invoices print", "Account", bySession(), by(billing.OperatorAdmin)), s.eraseAccount)
}

// addressOf is the caller's address, or the one that an operator names, which
// need not have an account: others may have written it down.
func (s *accounts) addressOf(ctx context.Context, in AccountInput) (string, error) {
	a, err := s.accountOf(ctx, in)
	if errors.Is(err, billing.ErrNotFound) {
		return in.Email, nil
	}
	return a.Email, err
}

type exportOutput struct {
	Disposition string `header:"Content-Disposition"`
	Body        billing.PersonalData
}

// own refuses members: what is personal is that of the account's own address.
func own(ctx context.Context) error {
	if c := callerOf(ctx); c.memberOf(c.account.ID) != "" {
		return problem(http.StatusForbidden, "forbidden", "only who signs in with the account's own address may export or erase it")
	}
	return nil
}

func (s *accounts) exportData(ctx context.Context, in *AccountInput) (*exportOutput, error) {
	if err := own(ctx); err != nil {
		return nil, err
	}
	email, err := s.addressOf(ctx, *in)
	if err != nil {
		return nil, s.answer(err)
	}
	data, err := s.Stores.Privacy.PersonalData(ctx, email)
	if err != nil {
		return nil, s.answer(err)
	}
	return &exportOutput{`attachment; filename="personal-data.json"`, data}, nil
}

type erasedOutput struct {
	Cookies []http.Cookie `header:"Set-Cookie"`
	Body    billing.Erasure
}

func (s *accounts) eraseAccount(ctx context.Context, in *AccountInput) (*erasedOutput, error) {
	if err := own(ctx); err != nil {
		return nil, err
	}
	email, err := s.addressOf(ctx, *in)
	if err != nil {
		return nil, s.answer(err)
	}
	out := &erasedOutput{}
	out.Body, err = backoffice.Erase(ctx, s.Stores.Privacy, email)
	if errors.Is(err, backoffice.ErrNotScrubbed) {
		s.Log.Error("an erasure is not complete", "account", out.Body.Account, "error", err)
		err = nil
	}
	if err != nil {
		return nil, s.answer(err)
	}
	s.Log.Info("an address was erased", "account", out.Body.Account) // for a backup that brings it back
	if callerOf(ctx).session != "" {
		browser := cookie("", time.Time{})
		browser.Name = browserCookie
		out.Cookies = []http.Cookie{cookie("", time.Time{}), browser}
	}
	return out, nil
}
