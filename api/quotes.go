package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/commands"
	"github.com/okviz/licensing/delivery/words"
	"github.com/okviz/licensing/licensing"
)

// Quote is what an order would cost, until it expires. It names nobody: its
// link may be passed on. Lines have no period before the quote is accepted.
type Quote struct {
	ID             string              `json:"id"`
	Number         string              `json:"number"`
	Status         billing.QuoteStatus `json:"status" enum:"open,accepted,expired"`
	Product        string              `json:"product"`
	Plan           Plan                `json:"plan"`
	Quantity       int64               `json:"quantity"`
	Currency       string              `json:"currency"`
	Lines          []Line              `json:"lines"`
	Subtotal       billing.Money       `json:"subtotal"`
	Discount       billing.Money       `json:"discount"`
	Tax            billing.Money       `json:"tax"`
	TaxNote        *string             `json:"tax_note"`
	Total          billing.Money       `json:"total"`
	Recurring      QuoteRecurring      `json:"recurring"`
	InvoiceAllowed bool                `json:"invoice_allowed"`
	CreatedAt      time.Time           `json:"created_at"`
	ExpiresAt      time.Time           `json:"expires_at"`
	SubscriptionID *string             `json:"subscription_id" doc:"The order that the quote became, once accepted."`
	TestClock      *string             `json:"test_clock"`
	BooksBody
}

// QuoteRecurring is what each later period would cost.
type QuoteRecurring struct {
	Total billing.Money `json:"total"`
	Cycle billing.Cycle `json:"cycle"`
}

// QuoteInput names a quote.
type QuoteInput struct {
	ID string `path:"id" maxLength:"64"`
}

type quoteOutput struct {
	Status int
	Body   Quote
}

func (s *shop) quoteRoutes(h huma.API) {
	const at = "/v1/quotes/{id}"
	huma.Register(h, route(http.MethodPost, "/v1/quotes", "quote", "Quote an order, and mail it to the billing contact", "Checkout", status(http.StatusCreated)), s.makeQuote)
	huma.Register(h, route(http.MethodGet, "/v1/quotes", "list-quotes", "Your quotes, the newest first", "Account", account(billing.MemberFinance)), s.listQuotes)
	huma.Register(h, route(http.MethodGet, at, "get-quote", "One quote", "Checkout", quoteHolder(billing.MemberFinance)), s.getQuote)
	huma.Register(h, route(http.MethodGet, at+"/pdf", "download-quote", "A quote as PDF", "Checkout", quoteHolder(billing.MemberFinance), file("application/pdf")), s.quotePDF)
	huma.Register(h, route(http.MethodPost, at+"/accept", "accept-quote", "Accept a quote: order at its price", "Checkout", quoteHolder(billing.MemberFinance), status(http.StatusCreated)), s.acceptQuote)
}

func (s *server) viewQuote(in *words.Language, q billing.Quote, at time.Time) Quote {
	sub, bill := q.Subscription, q.Bill
	return Quote{
		ID: q.ID, Number: q.Number, Status: q.Status(at), Product: sub.Product, Plan: viewPlan(sub.Plan), Quantity: sub.Quantity,
		Currency: bill.Currency, Lines: viewLines(in, bill), Subtotal: bill.Subtotal(), Discount: bill.Discount(), Tax: bill.Tax(),
		TaxNote: text(in.TaxNote(bill.TaxNote)), Total: bill.Total(), Recurring: QuoteRecurring{q.Renewal, sub.Plan.Cycle}, InvoiceAllowed: s.Policy.InvoiceAllowed(bill),
		CreatedAt: q.CreatedAt.UTC(), ExpiresAt: q.ExpiresAt.UTC(),
		SubscriptionID: text(string(q.Accepted)), TestClock: text(sub.TestClock), BooksBody: BooksBody{q.Order.Billing.PurchaseOrder, q.Order.Billing.CostCenter},
	}
}

// QuoteBody is an order without its payment. What else an order says is taken,
// so that a checkout page sends the same form.
type QuoteBody struct {
	OrderBody
	Pay         billing.Pay `json:"pay,omitempty" enum:"now" doc:"A trial needs no quote."`
	AcceptTerms bool        `json:"accept_terms,omitempty" doc:"Of no effect: the terms are accepted with the quote."`
}

func (s *shop) makeQuote(ctx context.Context, in *struct {
	CommandInput
	Body QuoteBody
}) (*quoteOutput, error) {
	const route = "POST /v1/quotes"
	caller, err := s.orderer(ctx, route, in.Key, in.Body.Billing.Email)
	if err != nil {
		return nil, s.answer(err)
	}
	var q billing.Quote
	r, err := s.Commands.Find(ctx, caller, route, in.Key)
	if errors.Is(err, billing.ErrNotFound) {
		if q, err = s.quote(ctx, in.Body.OrderBody); err == nil {
			r, err = s.request(ctx, in.CommandInput, caller, route, billing.SubscriptionID(q.ID), billing.Command{})
			r.Outcome = &billing.Outcome{} // nobody else has anything to do for it
		}
	}
	if err != nil {
		return nil, s.answer(err)
	}
	r, fresh, err := s.Store.BeginQuote(ctx, r, q)
	if r, err = commands.Same(r, bodyOf(ctx), err); err != nil {
		return nil, s.answer(err)
	}
	if fresh {
		s.Commands.Deliver(ctx, q.ID)
	}
	out := &quoteOutput{Status: http.StatusCreated}
	if r.Status != 0 {
		return out, json.Unmarshal([]byte(r.Response), &out.Body)
	}
	if q, err = s.Store.Quote(ctx, string(r.Subscription)); err != nil {
		return nil, s.answer(err)
	}
	q.Accepted = "" // it was open when it was asked for
	out.Body = s.viewQuote(reader(ctx), q, q.CreatedAt)
	s.Commands.Keep(ctx, r, out.Status, out.Body)
	return out, nil
}

// quote prices an order.
func (s *shop) quote(ctx context.Context, b OrderBody) (billing.Quote, error) {
	p, err := s.order(ctx, b, billing.PayNow)
	if err == nil {
		err = s.mayMail(ctx, p.order.Billing.Email)
	}
	if err != nil {
		return billing.Quote{}, err
	}
	now, err := s.now(ctx, p.sub.TestClock)
	return billing.Snapshot{Subscription: p.sub, Order: p.order, Product: p.product, Policy: s.Policy, NewID: commands.NewID}.Quote(now), err
}

// myQuote reads a quote for the holder of its token, its billing contact or an
// operator. For all others it is not there.
func (s *shop) myQuote(ctx context.Context, id string) (billing.Quote, error) {
	c := callerOf(ctx)
	if c.quote != "" && c.quote != id {
		return billing.Quote{}, billing.ErrNotFound
	}
	q, err := s.Store.Quote(ctx, id)
	if err == nil && !c.operator && c.quote == "" && q.Order.BillingAccount != c.account.ID {
		err = billing.ErrNotFound
	}
	return q, err
}

// shownQuote is myQuote, but for a token, which ends with its quote.
func (s *shop) shownQuote(ctx context.Context, id string) (billing.Quote, error) {
	q, err := s.myQuote(ctx, id)
	if err != nil || callerOf(ctx).quote == "" {
		return q, err
	}
	if closed := q.Closed(q.At(s.Now())); closed != nil {
		return q, closed
	}
	return q, nil
}

func (s *shop) listQuotes(ctx context.Context, in *PageInput) (*struct{ Body List[Quote] }, error) {
	if !in.isCursor("quo") {
		return nil, invalid("cursor", "is not a cursor of this list")
	}
	rows, err := s.Store.Quotes(ctx, callerOf(ctx).account.ID, in.Cursor, in.Limit+1)
	if err != nil {
		return nil, s.answer(err)
	}
	list := listed(rows, in.Limit, func(q billing.Quote) string { return q.ID }, func(q billing.Quote) Quote { return s.viewQuote(reader(ctx), q, q.At(s.Now())) })
	return &struct{ Body List[Quote] }{list}, nil
}

func (s *shop) getQuote(ctx context.Context, in *QuoteInput) (*struct{ Body Quote }, error) {
	q, err := s.shownQuote(ctx, in.ID)
	if err != nil {
		return nil, s.answer(err)
	}
	return &struct{ Body Quote }{s.viewQuote(reader(ctx), q, q.At(s.Now()))}, nil
}

func (s *shop) quotePDF(ctx context.Context, in *QuoteInput) (*fileOutput, error) {
	q, err := s.shownQuote(ctx, in.ID)
	if err != nil {
		return nil, s.answer(err)
	}
	pdf, err := s.Documents.Quote(q)
	if err != nil {
		return nil, s.answer(err)
	}
	return &fileOutput{"application/pdf", fmt.Sprintf("attachment; filename=%q", q.Number+".pdf"), pdf}, nil
}

// acceptQuote orders what the quote offers. A key that was used before gets its
// first answer, also once the quote is closed; otherwise nothing is counted or
// written for a closed one.
func (s *shop) acceptQuote(ctx context.Context, in *struct {
	CommandInput
	QuoteInput
	Body struct {
		Payment     *paymentBody `json:"payment,omitempty"`
		AcceptTerms bool         `json:"accept_terms"`
	}
}) (*checkoutOutput, error) {
	q, err := s.myQuote(ctx, in.ID)
	if err != nil {
		return nil, s.answer(err)
	}
	return s.place(ctx, in.CommandInput, callerOf(ctx).name(), "POST /v1/quotes/"+q.ID+"/accept", func() (commands.Purchase, error) {
		if closed := q.Refusal(q.At(s.Now())); closed != nil {
			return commands.Purchase{}, closed
		}
		token, by, err := payment(q.Order.Pay, in.Body.Payment, in.Body.AcceptTerms)
		if err == nil {
			err = s.checkCountry(q.Order.Billing.Country)
		}
		o, sub := q.Ordered(billing.SubscriptionID(commands.NewID("sub")), licensing.LicenseID(commands.NewID("lic")), by, billing.Instant(s.Now()))
		return commands.Purchase{Order: o, Subscription: sub, Token: token}, err
	})
}
