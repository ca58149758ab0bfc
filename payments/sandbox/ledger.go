package sandbox

import (
	"context"
	"errors"
	"time"

	"github.com/okviz/licensing/billing"
)

// Ledger keeps the gateway's books. Each method is one transaction, durable
// when it returns nil and safe to call from several processes at once. Package
// ledgertest holds every implementation to this contract.
type Ledger interface {
	// Customer returns the customer of c.Account; where there is none yet, it
	// keeps c. There is one customer per account.
	Customer(ctx context.Context, c Customer) (Customer, error)

	// AddMethod keeps a card. ErrNotFound if its customer is not there.
	AddMethod(ctx context.Context, m Method) error

	// UpdateMethod does with a card what Update does with a payment.
	UpdateMethod(ctx context.Context, id string, f func(*Method) error) error

	// OpenForm returns the form f.Key; where there is none yet, it keeps f.
	OpenForm(ctx context.Context, f Form) (Form, error)

	// Form reads a form by its id, or says ErrNotFound.
	Form(ctx context.Context, id string) (Form, error)

	// UpdateForm does with a form what Update does with a payment.
	UpdateForm(ctx context.Context, id string, f func(*Form) error) error

	// Open returns the payment of p.Invoice; where there is none yet, it keeps
	// p. There is one payment per invoice.
	Open(ctx context.Context, p Payment) (Payment, error)

	// Payment reads a payment by its id, or says ErrNotFound.
	Payment(ctx context.Context, id billing.ChargeID) (Payment, error)

	// Update locks the payment, then the method unless its id is empty, runs f
	// on them and writes both back. What f returns as an error is returned,
	// and nothing is written. ErrNotFound, without running f, if either is not
	// there. f leaves ids, invoice and subscription as they are and does not
	// call the ledger; it may be run again where the database gave up on a
	// transaction. The method is nil where none was asked for.
	Update(ctx context.Context, payment billing.ChargeID, method string, f func(*Payment, *Method) error) error

	// Payments reads the payments of a subscription, of all where the id is
	// empty, in any order.
	Payments(ctx context.Context, subscription billing.SubscriptionID) ([]Payment, error)

	// Untold reads payments of which the engine has not been told everything,
	// the oldest first.
	Untold(ctx context.Context, limit int) ([]Payment, error)

	// UntoldForms does the same for forms.
	UntoldForms(ctx context.Context, limit int) ([]Form, error)
}

// ErrNotFound says that the ledger has no such payment, form, method or customer.
var ErrNotFound = errors.New("not in the ledger")

// Customer is who cards belong to.
type Customer struct {
	ID      string            `json:"id"`      // cst_…
	Account billing.AccountID `json:"account"` // cus_…, the engine's
}

// Method is a stored card.
type Method struct {
	ID       string `json:"id"`       // pm_…
	Customer string `json:"customer"` // cst_…
	Token    string `json:"token"`    // decides what the card does
	Charged  int    `json:"charged"`  // charges that succeeded
	Detached bool   `json:"detached,omitempty"`
}

// Form is a page on which a customer gives a card.
type Form struct {
	ID       string `json:"id"`       // form_…
	Key      string `json:"key"`      // frm_…, the engine's
	Customer string `json:"customer"` // cst_…
	Done     string `json:"done"`     // where the customer goes with a card
	Back     string `json:"back"`     // and without one
	Token    string `json:"token,omitempty"`
	Given    Event  `json:"given,omitzero"` // what the engine is told with the token
}

// Payment is what the port calls a charge: the money of one invoice, with all
// attempts to get it and all refunds of it. It can be kept as one JSON document
// next to its id, invoice (unique) and subscription.
type Payment struct {
	ID           billing.ChargeID       `json:"id"`      // pay_…
	Invoice      billing.InvoiceID      `json:"invoice"` // inv_…
	Subscription billing.SubscriptionID `json:"subscription"`
	Customer     string                 `json:"customer"` // cst_…
	Amount       billing.Money          `json:"amount"`   // of the attempt prepared last
	Prepared     int                    `json:"prepared"` // the number of that attempt
	Attempts     []Attempt              `json:"attempts,omitempty"`
	Return       string                 `json:"return,omitempty"` // where the customer goes from the page of an action
	Faults       int                    `json:"faults,omitempty"` // calls left without an answer on purpose
	Refunds      []Refund               `json:"refunds,omitempty"`
	Dispute      *Dispute               `json:"dispute,omitempty"`
	Events       []Event                `json:"events,omitempty"`
}

// Attempt is one charge of a card that reached the gateway, by rising number.
type Attempt struct {
	ID          string                `json:"id"`     // ch_…
	Number      int                   `json:"number"` // with the invoice the key of the request
	Method      string                `json:"method"` // pm_…
	Amount      billing.Money         `json:"amount"`
	Status      billing.PaymentStatus `json:"status"` // succeeded, declined, requires_action or abandoned
	DeclineCode string                `json:"decline_code,omitempty"`
	Advice      billing.Advice        `json:"advice,omitempty"`
	At          time.Time             `json:"at"` // the engine's now, UTC, whole seconds
}

// Dispute is a chargeback.
type Dispute struct {
	ID     string                `json:"id"` // dp_…
	Status billing.DisputeStatus `json:"status"`
}

// abandoned is an attempt that waited for the customer when it was given up, or
// when another one was prepared. It moved nothing and never will.
const abandoned billing.PaymentStatus = "abandoned"

// Refund is money given back for one credit note.
type Refund struct {
	CreditNote billing.RefundID `json:"credit_note"`
	Amount     billing.Money    `json:"amount"`
	At         time.Time        `json:"at"`
	Failed     bool             `json:"failed,omitempty"` // the bank has sent the money back
}

func (r Refund) status() billing.RefundStatus {
	if r.Failed {
		return billing.RefundFailed
	}
	return billing.RefundSucceeded
}
