package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/okviz/licensing/billing"
)

// InvoiceStore is what the routes of invoices need of the database.
type InvoiceStore interface {
	Invoice(ctx context.Context, id billing.InvoiceID) (billing.Invoice, []billing.CreditNote, error)
	Invoices(ctx context.Context, account billing.AccountID, subscription billing.SubscriptionID, before string, limit int) ([]billing.Invoice, error)
	AccountOf(ctx context.Context, email string) (billing.Account, error)
	CreditNotes(ctx context.Context, invoice billing.InvoiceID) ([]billing.CreditNote, error)
	Snapshot(ctx context.Context, subscription billing.SubscriptionID) (billing.Snapshot, error)
}

// invoices shows invoices.
type invoices struct {
	*server
	Store InvoiceStore
}

func (s *invoices) routes(h huma.API) {
	s.documentRoutes(h)
	huma.Register(h, route(http.MethodGet, "/v1/invoices", "list-invoices", "Your invoices, the newest first", "Account", account(billing.MemberFinance)), s.listInvoices)
	huma.Register(h, route(http.MethodGet, "/v1/invoices/{id}", "get-invoice", "One invoice, with the credit notes that correct it", "Account", account(billing.MemberFinance)), s.getInvoice)
	huma.Register(h, route(http.MethodGet, "/v1/invoices/{id}/pdf", "download-invoice", "An invoice as PDF", "Account", order(billing.MemberFinance), file("application/pdf")), s.invoicePDF)
}

func (s *invoices) listInvoices(ctx context.Context, in *struct {
	PageInput
	AccountInput
	Subscription string `query:"subscription" maxLength:"64" doc:"Only invoices of this subscription."`
}) (*struct{ Body List[Invoice] }, error) {
	account := callerOf(ctx).account
	if err := in.check(ctx); err != nil {
		return nil, err
	}
	if in.Email != "" {
		var err error
		if account, err = s.Store.AccountOf(ctx, in.Email); errors.Is(err, billing.ErrNotFound) {
			return &struct{ Body List[Invoice] }{List[Invoice]{Data: []Invoice{}}}, nil
		}
		if err != nil {
			return nil, s.answer(err)
		}
	}
	if !in.isCursor("inv") {
		return nil, invalid("cursor", "is not a cursor of this list")
	}
	rows, err := s.Store.Invoices(ctx, account.ID, billing.SubscriptionID(in.Subscription), in.Cursor, in.Limit+1)
	if err != nil {
		return nil, s.answer(err)
	}
	list := listed(rows, in.Limit, func(i billing.Invoice) string { return string(i.ID) }, func(i billing.Invoice) Invoice {
		notes, noteErr := s.Store.CreditNotes(ctx, i.ID)
		if noteErr != nil {
			err = noteErr
		}
		return viewInvoice(i, notes)
	})
	if err != nil {
		return nil, s.answer(err)
	}
	return &struct{ Body List[Invoice] }{list}, nil
}

// invoice reads an invoice for its account or an operator; and the one that paid
// an order for the holder of that order's token.
func (s *invoices) invoice(ctx context.Context, id billing.InvoiceID) (billing.Invoice, []billing.CreditNote, error) {
	inv, notes, err := s.Store.Invoice(ctx, id)
	c := callerOf(ctx)
	switch {
	case err != nil || c.operator:
	case c.order != "":
		var o billing.Overview
		if o, err = s.mine(ctx, inv.Subscription); err == nil && (!c.bought(o) || inv.Purpose != billing.ForPurchase) {
			err = billing.ErrNotFound
		}
	case inv.Account != c.account.ID:
		err = billing.ErrNotFound
	}
	return inv, notes, err
}

func (s *invoices) getInvoice(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
}) (*struct{ Body Invoice }, error) {
	inv, notes, err := s.invoice(ctx, billing.InvoiceID(in.ID))
	if err != nil {
		return nil, s.answer(err)
	}
	return &struct{ Body Invoice }{viewInvoice(inv, notes)}, nil
}

func (s *invoices) invoicePDF(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
}) (*fileOutput, error) {
	inv, _, err := s.invoice(ctx, billing.InvoiceID(in.ID))
	if err != nil {
		return nil, s.answer(err)
	}
	snapshot, err := s.Store.Snapshot(ctx, inv.Subscription)
	if err != nil {
		return nil, s.answer(err)
	}
	pdf, err := s.Documents.Invoice(inv, snapshot.Order.BilledTo(inv))
	if err != nil {
		return nil, s.answer(err)
	}
	name := cmp.Or(inv.Number, string(inv.ID))
	return &fileOutput{"application/pdf", fmt.Sprintf("attachment; filename=%q", name+".pdf"), pdf}, nil
}
