package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing"
)

// Store is what the steps need of the database. Errors: billing.ErrNotFound,
// ErrStale, ErrConflict.
type Store interface {
	Fence(ctx context.Context, subscription billing.SubscriptionID) (billing.Subscription, error)
	Snapshot(ctx context.Context, subscription billing.SubscriptionID) (billing.Snapshot, error)
	Ordered(ctx context.Context, subscription billing.SubscriptionID) (billing.Snapshot, error)
	LatestEvents(ctx context.Context, subscription billing.SubscriptionID, limit int) ([]billing.Event, error)
	Post(ctx context.Context, p billing.Changeset) error
	SetCharge(ctx context.Context, invoice billing.InvoiceID, gateway string, charge billing.ChargeID) error

	Request(ctx context.Context, id billing.RequestID) (billing.Request, error)
	RequestCard(ctx context.Context, request billing.RequestID) (token, method string, err error)
	Method(ctx context.Context, ref string) (billing.StoredMethod, error)
	Take(ctx context.Context, now time.Time, of ...billing.Allowance) (wait time.Duration, err error)
	Wait(ctx context.Context, now time.Time, of ...billing.Allowance) (wait time.Duration, err error)
	Receipts(ctx context.Context, subscription billing.SubscriptionID) ([]billing.Receipt, error)
	PendingRefunds(ctx context.Context, subscription billing.SubscriptionID) ([]billing.Refund, error)
	Refund(ctx context.Context, subscription billing.SubscriptionID, id billing.RefundID) (billing.Refund, error)
	SaveMethod(ctx context.Context, request billing.RequestID, account billing.AccountID, gateway string, m billing.StoredMethod) error

	ClaimNotices(ctx context.Context, subscription billing.SubscriptionID, limit int) ([]billing.Envelope, error)
	NoticeDone(ctx context.Context, id string, failed bool) error
	ReleaseNotice(ctx context.Context, id string) error
	License(ctx context.Context, id licensing.LicenseID) (licensing.Issued, error)
	Invoice(ctx context.Context, id billing.InvoiceID) (billing.Invoice, []billing.CreditNote, error)
	Transferred(ctx context.Context, invoice billing.InvoiceID) (billing.Transferred, error)
	CreditNote(ctx context.Context, id string) (billing.CreditNote, error)
	Quote(ctx context.Context, id string) (billing.Quote, error)
	NoticeAccount(ctx context.Context, id string, tokens []string) (account billing.Account, token string, err error)
	Account(ctx context.Context, id billing.AccountID) (billing.Account, error)
	Member(ctx context.Context, id string) (billing.Member, error)
	EmailChange(ctx context.Context, id string) (billing.EmailChange, error)
}

// Gateway moves money; see package payments, whose port it is a part of.
type Gateway interface {
	Name() string
	EnsureCustomer(ctx context.Context, account billing.AccountID) (customer string, err error)
	AttachMethod(ctx context.Context, customer, token string) (billing.StoredMethod, error)
	Prepare(ctx context.Context, r billing.ChargeRequest) (charge billing.ChargeID, err error)
	Charge(ctx context.Context, charge billing.ChargeID, r billing.ChargeRequest) (billing.ChargeResult, error)
	Resolve(ctx context.Context, charge billing.ChargeID) (billing.ChargeResult, error)
	Abandon(ctx context.Context, charge billing.ChargeID) (billing.ChargeResult, error)
	Refund(ctx context.Context, r billing.RefundRequest) (billing.RefundStatus, error)
}

// Mailer delivers emails.
type Mailer interface {
	Deliver(ctx context.Context, l billing.Email) error
}

// Files stamps the newest published package of a licence's product. The
// version is empty where none has been published yet.
type Files interface {
	Newest(ctx context.Context, product string) (version string, err error)
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
	PublicURL string // of the pages that emails link to, without a slash at its end
	// OperatorEmail is where the operator's emails go.
	OperatorEmail string
	Secret        billing.Secret   // makes the credentials of mailed links
	RateLimits    bool             // limit declined cards over all orders
	LargestMail   int64            // in bytes; a larger one has a link to its file. 0: no mail is too large
	Now           func() time.Time // real time
}

// Task asks for one step of a subscription: a command, or what is due.
type Task struct {
	Subscription billing.SubscriptionID `json:"subscription"`
	Revision     int64                  `json:"revision"` // of the state that the workflow holds
	At           time.Time              `json:"at"`       // the subscription's now
	Command      *billing.Command       `json:"command,omitempty"`
	Step         *billing.Step          `json:"step,omitempty"`
	Refunds      []billing.Refund       `json:"refunds,omitempty"` // what the gateway has said of them
}

// Result is what became of a Task.
type Result struct {
	Subscription billing.Subscription `json:"subscription"`
	Outcome      billing.Outcome      `json:"outcome,omitzero"`
	Mail         bool                 `json:"mail,omitempty"` // the outbox may hold something new
	// Again: the payment that waited has been ended, and the Task is still to be
	// done on the new state.
	Again bool `json:"again,omitempty"`
	// RecentEvents is the latest lines of the history, for operators to read.
	RecentEvents []string `json:"recent_events,omitempty"`
}

// Loaded is a subscription as its rows have it.
type Loaded struct {
	billing.Subscription
	RecentEvents []string `json:"recent_events,omitempty"`
}

// RecordRefunds is the activity that records the gateway's answers about
// refunds.
const RecordRefunds = "RecordRefunds"

// Register registers the activities. Do is registered under the name of each
// command and step, which is what operators read in a workflow's history.
func (a *Activities) Register(r Registry) {
	r.RegisterActivity(a.Load)
	r.RegisterActivity(a.Notify)
	r.RegisterActivity(a.Refund)
	for _, name := range append(billing.Activities(), RecordRefunds) {
		r.RegisterActivityWithOptions(a.Do, activity.RegisterOptions{Name: name})
	}
}

// Registry is a worker, or a test's environment.
type Registry interface {
	RegisterActivity(a any)
	RegisterActivityWithOptions(a any, options activity.RegisterOptions)
}
