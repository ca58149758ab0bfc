package activities

import (
	"context"
	"time"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing"
)

// Store is what the steps need of the database. Errors: billing.ErrNotFound,
// ErrStale, ErrConflict.
type Store interface {
	Fence(ctx context.Context, subscription string) (billing.Subscription, error)
	Book(ctx context.Context, subscription string) (billing.Book, error)
	LatestEvents(ctx context.Context, subscription string, limit int) ([]billing.Event, error)
	Post(ctx context.Context, p billing.Posting) error
	SetCharge(ctx context.Context, invoice, gateway, charge string) error

	Request(ctx context.Context, id string) (billing.Request, error)
	RequestCard(ctx context.Context, request string) (token, method string, err error)
	MethodExp(ctx context.Context, method string) (string, error)
	Receipts(ctx context.Context, subscription string) ([]billing.Receipt, error)
	PendingRefunds(ctx context.Context, subscription string) ([]billing.Refund, error)
	Refund(ctx context.Context, subscription, id string) (billing.Refund, error)
	SaveMethod(ctx context.Context, request, account, gateway string, m billing.StoredMethod) error

	ClaimNotices(ctx context.Context, subscription string, limit int) ([]billing.Envelope, error)
	NoticeDone(ctx context.Context, id string, failed bool) error
	ReleaseNotice(ctx context.Context, id string) error
	License(ctx context.Context, id string) (licensing.Issued, error)
	Invoice(ctx context.Context, id string) (billing.Invoice, []billing.CreditNote, error)
	Transferred(ctx context.Context, invoice string) (billing.Transferred, error)
	CreditNote(ctx context.Context, id string) (billing.CreditNote, error)
	Quote(ctx context.Context, id string) (billing.Quote, error)
	LoginAccount(ctx context.Context, login string) (billing.Account, error)
}

// Gateway moves money; see package payments, whose port it is a part of.
type Gateway interface {
	Name() string
	EnsureCustomer(ctx context.Context, account string) (customer string, err error)
	AttachMethod(ctx context.Context, customer, token string) (billing.StoredMethod, error)
	Prepare(ctx context.Context, r billing.ChargeRequest) (charge string, err error)
	Charge(ctx context.Context, charge string, r billing.ChargeRequest) (billing.ChargeResult, error)
	Resolve(ctx context.Context, charge string) (billing.ChargeResult, error)
	Abandon(ctx context.Context, charge string) (billing.ChargeResult, error)
	Refund(ctx context.Context, r billing.RefundRequest) (billing.RefundStatus, error)
}

// Mailer delivers letters.
type Mailer interface {
	Deliver(ctx context.Context, l billing.Letter) error
}

// Files stamps the newest published package of a licence's product. The
// version is empty where none has been published yet.
type Files interface {
	Stamp(ctx context.Context, l licensing.Issued, version string, now time.Time) (file billing.Attachment, stamped string, err error)
}

// Documents writes invoices, credit notes and quotes as PDF.
type Documents interface {
	Invoice(inv billing.Invoice, to billing.BillingDetails) ([]byte, error)
	Quote(q billing.Quote) ([]byte, error)
	CreditNote(n billing.CreditNote, inv billing.Invoice, to billing.BillingDetails) ([]byte, error)
}

// Activities are the steps. All fields are needed.
type Activities struct {
	Store     Store
	Gateway   Gateway
	Mailer    Mailer
	Files     Files
	Documents Documents
	PublicURL string // of the pages that letters link to, without a slash at its end
	// OperatorEmail is where the operator's letters go.
	OperatorEmail string
	Secret        billing.Secret   // makes the credentials of mailed links
	Now           func() time.Time // real time
}

// Task asks for one step of a subscription: a command, or what is due.
type Task struct {
	Subscription string           `json:"subscription"`
	Revision     int64            `json:"revision"` // of the state that the workflow holds
	At           time.Time        `json:"at"`       // the subscription's now
	Command      *billing.Command `json:"command,omitempty"`
	Step         *billing.Step    `json:"step,omitempty"`
	Refunds      []billing.Refund `json:"refunds,omitempty"` // what the gateway has said of them
}

// Result is what became of a Task.
type Result struct {
	Subscription billing.Subscription `json:"subscription"`
	Outcome      billing.Outcome      `json:"outcome,omitzero"`
	Mail         bool                 `json:"mail,omitempty"` // the outbox may hold something new
	// Again: the payment that waited has been ended, and the Task is still to be
	// done on the new state.
	Again bool `json:"again,omitempty"`
	// Lately is the latest lines of the history, for operators to read.
	Lately []string `json:"lately,omitempty"`
}

// Loaded is a subscription as its rows have it.
type Loaded struct {
	billing.Subscription
	Lately []string `json:"lately,omitempty"`
}

// The steps, by the names that an operator reads in the workflow's history.

// Purchase carries an order out.
func (a *Activities) Purchase(ctx context.Context, t Task) (Result, error) { return a.run(ctx, t) }

// StorePaymentMethod stores a card, and charges it where money is owed.
func (a *Activities) StorePaymentMethod(ctx context.Context, t Task) (Result, error) {
	return a.run(ctx, t)
}

// Change moves to another plan or quantity.
func (a *Activities) Change(ctx context.Context, t Task) (Result, error) { return a.run(ctx, t) }

// Cancel cancels.
func (a *Activities) Cancel(ctx context.Context, t Task) (Result, error) { return a.run(ctx, t) }

// Resume takes a cancellation back.
func (a *Activities) Resume(ctx context.Context, t Task) (Result, error) { return a.run(ctx, t) }

// RenewNow pays the next period early, pays what is owed, or revives.
func (a *Activities) RenewNow(ctx context.Context, t Task) (Result, error) { return a.run(ctx, t) }

// MoneyBack ends the subscription and gives everything back.
func (a *Activities) MoneyBack(ctx context.Context, t Task) (Result, error) { return a.run(ctx, t) }

// CancelNow ends the subscription at once, as an operator wants it.
func (a *Activities) CancelNow(ctx context.Context, t Task) (Result, error) { return a.run(ctx, t) }

// RefundInvoice gives an invoice's money back, in part or all of it.
func (a *Activities) RefundInvoice(ctx context.Context, t Task) (Result, error) { return a.run(ctx, t) }

// Hold suspends, revokes or reinstates the licence.
func (a *Activities) Hold(ctx context.Context, t Task) (Result, error) { return a.run(ctx, t) }

// RecordRefunds records what the gateway has said of refunds.
func (a *Activities) RecordRefunds(ctx context.Context, t Task) (Result, error) { return a.run(ctx, t) }

// RefundFailed records that a refund which was confirmed has failed after all.
func (a *Activities) RefundFailed(ctx context.Context, t Task) (Result, error) { return a.run(ctx, t) }

// MigratePrice announces the newest price of a subscription's plan.
func (a *Activities) MigratePrice(ctx context.Context, t Task) (Result, error) { return a.run(ctx, t) }

// SettlePayment asks the gateway what became of the payment that waits.
func (a *Activities) SettlePayment(ctx context.Context, t Task) (Result, error) { return a.run(ctx, t) }

// Dispute records what the gateway has told of a dispute.
func (a *Activities) Dispute(ctx context.Context, t Task) (Result, error) { return a.run(ctx, t) }

// Renew charges the period that begins.
func (a *Activities) Renew(ctx context.Context, t Task) (Result, error) { return a.run(ctx, t) }

// SendInvoice mails the next period's invoice, to be paid by transfer.
func (a *Activities) SendInvoice(ctx context.Context, t Task) (Result, error) { return a.run(ctx, t) }

// MarkPaid records a transfer, and pays its invoice where it suffices.
func (a *Activities) MarkPaid(ctx context.Context, t Task) (Result, error) { return a.run(ctx, t) }

// RetryPayment tries a declined renewal again.
func (a *Activities) RetryPayment(ctx context.Context, t Task) (Result, error) { return a.run(ctx, t) }

// EndTrial ends a trial, or makes it a subscription.
func (a *Activities) EndTrial(ctx context.Context, t Task) (Result, error) { return a.run(ctx, t) }

// End ends a cancelled subscription.
func (a *Activities) End(ctx context.Context, t Task) (Result, error) { return a.run(ctx, t) }

// ExpireOrder lets an unpaid order lapse.
func (a *Activities) ExpireOrder(ctx context.Context, t Task) (Result, error) { return a.run(ctx, t) }

// Remind writes the reminder of what is coming.
func (a *Activities) Remind(ctx context.Context, t Task) (Result, error) { return a.run(ctx, t) }
