package sandbox

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/payments"
)

// Gateway is the sandbox as a payments.Gateway.
type Gateway struct {
	ledger Ledger
	pages  string
	secret string
	untold chan struct{}
}

var _ payments.Gateway = (*Gateway)(nil)

// New returns the gateway that keeps its books in the ledger. pages is the
// absolute URL below which its hosted pages are served: the page of a charge
// that waits for the customer is pages/<charge>. secret signs its webhooks.
func New(ledger Ledger, pages, secret string) (*Gateway, error) {
	u, err := url.Parse(pages)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return nil, errors.New("sandbox gateway: the address of its pages is not an absolute URL")
	}
	if secret == "" {
		return nil, errors.New("sandbox gateway: there is no secret to sign webhooks with")
	}
	return &Gateway{ledger, pages, secret, make(chan struct{}, 1)}, nil
}

// Name is "sandbox".
func (g *Gateway) Name() string { return "sandbox" }

func (g *Gateway) EnsureCustomer(ctx context.Context, account billing.AccountID) (string, error) {
	if account == "" {
		return "", refuse(payments.CodeInvalid, "no account")
	}
	c, err := g.ledger.Customer(ctx, Customer{ID: newID("cst"), Account: account})
	if err != nil {
		return "", fmt.Errorf("keeping the customer of %s: %w", account, err)
	}
	return c.ID, nil
}

// AttachMethod stores a new card each time, since the same token may rightly
// be given twice.
func (g *Gateway) AttachMethod(ctx context.Context, customer, token string) (billing.StoredMethod, error) {
	m := Method{ID: newID("pm"), Customer: customer, Token: token}
	var err error
	if _, known := cards[token]; known {
		err = g.ledger.AddMethod(ctx, m)
	} else {
		err = g.ledger.UpdateMethod(ctx, token, func(stored *Method) error {
			m = *stored
			return nil
		})
		if errors.Is(err, ErrNotFound) || err == nil && (m.Customer != customer || m.Detached) {
			err = refuse(payments.CodeUnknownToken, "")
		}
	}
	if err != nil {
		return billing.StoredMethod{}, asRefusal("storing a card of "+customer, err)
	}
	c := cards[m.Token]
	return billing.StoredMethod{Ref: m.ID, Brand: c.brand, Last4: c.last4(), Exp: cardExp, Fingerprint: m.Token}, nil
}

func (g *Gateway) DetachMethod(ctx context.Context, method string) error {
	err := g.ledger.UpdateMethod(ctx, method, func(m *Method) error {
		m.Detached = true
		return nil
	})
	if err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("sandbox gateway: detaching %s: %w", method, err)
	}
	return nil
}

func (g *Gateway) OpenForm(ctx context.Context, r billing.FormRequest) (billing.Form, error) {
	if r.ID == "" || r.Done == "" || r.Back == "" {
		return billing.Form{}, refuse(payments.CodeInvalid, "a form lacks its id or an address")
	}
	f, err := g.ledger.OpenForm(ctx, Form{ID: newID("form"), Key: r.ID, Customer: r.Customer, Done: r.Done, Back: r.Back})
	if err != nil {
		return billing.Form{}, asRefusal("opening the form "+r.ID, err)
	}
	if f.Customer != r.Customer {
		return billing.Form{}, refuse(payments.CodeMismatch, r.ID+" is another customer's")
	}
	return billing.Form{Ref: f.ID, URL: g.pages + "/cards/" + f.ID}, nil
}

func (g *Gateway) FormToken(ctx context.Context, form string) (string, error) {
	f, err := g.ledger.Form(ctx, form)
	if err != nil {
		return "", asRefusal("reading "+form, err)
	}
	return f.Token, nil
}

func (g *Gateway) Prepare(ctx context.Context, r billing.ChargeRequest) (billing.ChargeID, error) {
	if r.Invoice == "" || r.Subscription == "" || r.Customer == "" || r.Amount.Amount <= 0 || r.Amount.Currency == "" || r.Attempt < 1 {
		return "", refuse(payments.CodeInvalid, "the charge of "+r.Invoice+" lacks an id, an attempt or an amount above zero")
	}
	p := Payment{
		ID: billing.ChargeID(newID("pay")), Invoice: r.Invoice, Subscription: r.Subscription, Customer: r.Customer,
		Amount: r.Amount, Prepared: r.Attempt,
	}
	p, err := g.ledger.Open(ctx, p)
	if err == nil && (p.Amount != r.Amount || p.Prepared != r.Attempt || p.identify(r) != nil) {
		err = g.ledger.Update(ctx, p.ID, "", func(p *Payment, _ *Method) error { return p.prepare(r) })
	}
	if err != nil {
		return "", asRefusal("preparing the charge of "+string(r.Invoice), err)
	}
	return p.ID, nil
}

func (g *Gateway) Charge(ctx context.Context, charge billing.ChargeID, r billing.ChargeRequest) (billing.ChargeResult, error) {
	if r.Method == "" {
		return billing.ChargeResult{}, refuse(payments.CodeInvalid, "no card to charge for "+r.Invoice)
	}
	var result billing.ChargeResult
	err := g.update(ctx, charge, r.Method, func(p *Payment, m *Method) (err error) {
		result, err = p.charge(m, r)
		return err
	})
	if err != nil {
		err = asRefusal("charging "+string(charge), err)
		if !isRefusal(err) {
			// The transaction may have been committed before the ledger failed.
			return billing.ChargeResult{Status: billing.PaymentUnknown}, nil
		}
		return billing.ChargeResult{}, err
	}
	return g.withPage(charge, result), nil
}

func (g *Gateway) Resolve(ctx context.Context, charge billing.ChargeID) (billing.ChargeResult, error) {
	p, err := g.ledger.Payment(ctx, charge)
	if err != nil {
		return billing.ChargeResult{}, asRefusal("reading "+string(charge), err)
	}
	return g.withPage(charge, p.resolve()), nil
}

func (g *Gateway) Abandon(ctx context.Context, charge billing.ChargeID) (billing.ChargeResult, error) {
	var result billing.ChargeResult
	err := g.ledger.Update(ctx, charge, "", func(p *Payment, _ *Method) error {
		result = p.abandon()
		return nil
	})
	if err != nil {
		return billing.ChargeResult{}, asRefusal("giving up "+string(charge), err)
	}
	return result, nil
}

// Refund succeeds at once: a sandbox waits for no bank.
func (g *Gateway) Refund(ctx context.Context, r billing.RefundRequest) (billing.RefundStatus, error) {
	if r.CreditNote == "" || r.Amount.Amount <= 0 {
		return "", refuse(payments.CodeInvalid, "the refund of "+r.Charge+" lacks a credit note or an amount above zero")
	}
	var status billing.RefundStatus
	err := g.update(ctx, r.Charge, "", func(p *Payment, _ *Method) error {
		if err := p.refund(r); err != nil {
			return err
		}
		status = p.given(r.CreditNote).status()
		return nil
	})
	if err != nil {
		return "", asRefusal("refunding "+string(r.CreditNote), err)
	}
	return status, nil
}

func (g *Gateway) ResolveRefund(ctx context.Context, r billing.RefundRequest) (billing.RefundStatus, error) {
	p, err := g.ledger.Payment(ctx, r.Charge)
	if err != nil {
		return "", asRefusal("reading "+string(r.Charge), err)
	}
	given := p.given(r.CreditNote)
	if given == nil {
		return "", refuse(payments.CodeNotFound, r.CreditNote)
	}
	return given.status(), nil
}

// FailRefund is what a customer's bank does with a refund that it cannot book,
// days after it was given. CodeNoAction if there is none of that credit note.
func (g *Gateway) FailRefund(ctx context.Context, charge billing.ChargeID, note billing.RefundID, at time.Time) error {
	if err := g.update(ctx, charge, "", func(p *Payment, _ *Method) error { return p.failRefund(note, at) }); err != nil {
		return asRefusal("sending back "+string(note), err)
	}
	return nil
}

// Approve is what the customer does on the page of a charge that requires
// action: the money moves. CodeNoAction if nothing waits.
func (g *Gateway) Approve(ctx context.Context, charge billing.ChargeID) error {
	return g.settle(ctx, charge, Attempt{Status: billing.PaymentSucceeded})
}

// Fail is the other thing that the customer may do there: the charge is
// declined with authentication_failed.
func (g *Gateway) Fail(ctx context.Context, charge billing.ChargeID) error {
	return g.settle(ctx, charge, Attempt{
		Status: billing.PaymentDeclined, DeclineCode: "authentication_failed", Advice: billing.AdviceNeedsCustomer,
	})
}

// Dispute is what a customer's bank does with a charge: opened, and then won or
// lost by the vendor. CodeNoAction if that is not so.
func (g *Gateway) Dispute(ctx context.Context, charge billing.ChargeID, status billing.DisputeStatus, at time.Time) error {
	if err := g.update(ctx, charge, "", func(p *Payment, _ *Method) error { return p.dispute(status, at) }); err != nil {
		return asRefusal("disputing "+string(charge), err)
	}
	return nil
}

func (g *Gateway) settle(ctx context.Context, charge billing.ChargeID, as Attempt) error {
	err := g.update(ctx, charge, "", func(p *Payment, _ *Method) error { return p.settle(as) })
	if err != nil {
		return asRefusal("settling "+string(charge), err)
	}
	return nil
}

// update is the ledger's, and says where it leaves something to be told.
func (g *Gateway) update(ctx context.Context, payment billing.ChargeID, method string, f func(*Payment, *Method) error) error {
	untold := false
	err := g.ledger.Update(ctx, payment, method, func(p *Payment, m *Method) error {
		err := f(p, m)
		untold = err == nil && p.Untold()
		return err
	})
	if untold {
		g.signal()
	}
	return err
}

// signal says that there is something new to be told.
func (g *Gateway) signal() {
	select {
	case g.untold <- struct{}{}:
	default: // it has been said
	}
}

// Charge is an entry of the gateway's own list of charges.
type Charge struct {
	ID           string                 `json:"id"`
	Subscription billing.SubscriptionID `json:"subscription"`
	Invoice      billing.InvoiceID      `json:"invoice"`
	Amount       billing.Money          `json:"amount"`
	Refunded     billing.Money          `json:"refunded"`
	Status       billing.PaymentStatus  `json:"status"` // succeeded or declined
	At           time.Time              `json:"at"`
	Dispute      billing.DisputeStatus  `json:"dispute,omitempty"`
}

// List is what was really charged or declined for a subscription, oldest
// first. Every declined attempt is a line of its own; what is prepared, waits
// for the customer or never arrived is none.
func (g *Gateway) List(ctx context.Context, subscription billing.SubscriptionID) ([]Charge, error) {
	found, err := g.ledger.Payments(ctx, subscription)
	if err != nil {
		return nil, fmt.Errorf("listing the charges of %s: %w", subscription, err)
	}
	// Ids rise with time: they decide where a test clock stands still.
	slices.SortFunc(found, func(a, b Payment) int { return cmp.Compare(a.ID, b.ID) })
	list := []Charge{}
	for _, p := range found {
		for _, a := range p.Attempts {
			c := Charge{
				ID: a.ID, Subscription: p.Subscription, Invoice: p.Invoice,
				Amount: a.Amount, Refunded: billing.Money{Currency: a.Amount.Currency}, Status: a.Status, At: a.At,
			}
			switch a.Status {
			case billing.PaymentSucceeded:
				if c.Refunded = p.refunded(); p.Dispute != nil {
					c.Dispute = p.Dispute.Status
				}
			case billing.PaymentDeclined:
			default:
				continue
			}
			list = append(list, c)
		}
	}
	slices.SortStableFunc(list, func(a, b Charge) int { return a.At.Compare(b.At) })
	return list, nil
}

// Moved goes by the engine's now of each payment.
func (g *Gateway) Moved(ctx context.Context, from, to time.Time) (billing.Moved, error) {
	found, err := g.ledger.Payments(ctx, "")
	if err != nil {
		return billing.Moved{}, fmt.Errorf("sandbox gateway: listing what has moved: %w", err)
	}
	var moved billing.Moved
	when := billing.Period{Start: from, End: to}
	for _, p := range found {
		if a := p.success(); a != nil && when.Contains(a.At) {
			moved.Charges = append(moved.Charges, billing.MovedCharge{
				Charge: p.ID, Invoice: p.Invoice, Subscription: p.Subscription, Customer: p.Customer, Method: a.Method, Amount: a.Amount, At: a.At,
			})
		}
		for _, r := range p.Refunds {
			if when.Contains(r.At) {
				moved.Refunds = append(moved.Refunds, billing.MovedRefund{
					Refund: r.CreditNote, Charge: p.ID, Invoice: p.Invoice, Amount: r.Amount, Status: r.status(), At: r.At,
				})
			}
		}
	}
	return moved, nil
}

// Remember does nothing: the ledger finds a charge by its invoice, and a customer
// by their account.
func (g *Gateway) Remember(context.Context, billing.AccountID, billing.MovedCharge) error { return nil }

func (g *Gateway) withPage(charge billing.ChargeID, r billing.ChargeResult) billing.ChargeResult {
	if r.Status == billing.PaymentRequiresAction {
		// New has parsed the base, and an id needs no escaping.
		r.ActionURL, _ = url.JoinPath(g.pages, string(charge))
	}
	return r
}

// asRefusal makes a *payments.Error of what the ledger does not have, and
// wraps what else went wrong.
func asRefusal(doing string, err error) error {
	if errors.Is(err, ErrNotFound) {
		return refuse(payments.CodeNotFound, doing)
	}
	return fmt.Errorf("sandbox gateway: %s: %w", doing, err)
}

func isRefusal(err error) bool {
	_, ok := errors.AsType[*payments.Error](err)
	return ok
}

// entropy makes ids rise within a millisecond too, so that List is in order.
var entropy = &ulid.LockedMonotonicReader{MonotonicReader: ulid.Monotonic(rand.Reader, 0)}

func newID(prefix string) string {
	return prefix + "_" + ulid.MustNew(ulid.Now(), entropy).String()
}
