package models

import (
	"time"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing"
)

// The rows. Every time is UTC in whole seconds; nil if there is none.

type accountRow struct {
	ID        billing.AccountID
	Email     string // normalised: it is the account's name
	CreatedAt time.Time
	Domain    *string `gorm:"->"` // of the address, made by the database
}

type productRow struct {
	ID           string
	Position     int64
	Name         string
	Description  string
	Icon         string
	ChangelogURL string
	Activation   licensing.Activation
	Proration    billing.ProrationMode
	Trial        bool
	Presentation string // JSON of billing.Presentation
}

type pictureRow struct {
	Product     string `gorm:"primaryKey"`
	Name        string `gorm:"primaryKey"`
	ContentType string
	Data        []byte
}

type planRow struct {
	ID       string
	Product  string
	Position int64
	Type     licensing.Type
	Tier     string
	Covers   int64
	Cycle    billing.Cycle
}

type priceRow struct {
	ID        string
	Plan      string
	Currency  string
	Version   int64
	Amount    int64
	Tax       billing.TaxMode
	CreatedAt time.Time
}

type versionRow struct {
	Product    string
	Version    string
	Changelog  string
	ReleasedAt time.Time
	Package    []byte

	GUID        string   `gorm:"column:guid"`
	Kids        []string `gorm:"serializer:json"`
	WithdrawnAt *time.Time
}

type subscriptionRow struct {
	written
	ID              billing.SubscriptionID
	Number          int64
	Revision        int64
	Status          billing.Status
	Product         string
	BillingAccount  billing.AccountID
	LicenseeAccount billing.AccountID
	Method          string
	NextAt          *time.Time
	TestClock       string
	State           billing.Subscription `gorm:"serializer:document"`
	CreatedAt       time.Time
	UpdatedAt       time.Time
}

type orderRow struct {
	written
	Subscription billing.SubscriptionID
	License      licensing.LicenseID
	Detail       billing.Order `gorm:"serializer:document"`
	CreatedAt    time.Time
	KeptSince    *time.Time // see Store.Erase
}

type requestRow struct {
	written
	ID             billing.RequestID
	Caller         string
	Route          string
	IdempotencyKey string
	BodyHash       string
	Subscription   billing.SubscriptionID
	Actor          string
	Origin         string          // where an operator sent it from; empty: it is not an operator's
	Command        billing.Command `gorm:"serializer:document"`
	Token          string          // the gateway's; forgotten once it is attached
	Method         string          // what it was attached as
	Reason         string
	Amendment      *billing.Amendment `gorm:"serializer:json"` // forgotten with the outcome
	Outcome        *billing.Outcome   `gorm:"serializer:json"`
	ResponseStatus int
	Response       string
	CreatedAt      time.Time
}

type invoiceRow struct {
	written
	ID           billing.InvoiceID
	InvoiceKey   string
	Number       *string
	Subscription billing.SubscriptionID
	Account      billing.AccountID
	Status       billing.InvoiceStatus
	InFlight     bool
	Charge       billing.ChargeID // the gateway's reference: Detail has it too
	PaidAt       *time.Time       // Detail has it too
	Detail       billing.Invoice  `gorm:"serializer:document"`
	CreatedAt    time.Time
}

type paidLineRow struct {
	ID           string
	Invoice      billing.InvoiceID
	Subscription billing.SubscriptionID
	Net          int64
	Credited     int64
	CreditedTax  int64
	Line         billing.Line `gorm:"serializer:json"`
}

type creditNoteRow struct {
	ID        string
	Number    string
	Invoice   billing.InvoiceID
	Account   billing.AccountID
	Detail    billing.CreditNote `gorm:"serializer:json"`
	CreatedAt time.Time
}

type balanceRow struct {
	Account  billing.AccountID
	Currency string
	Amount   int64
}

type balanceEntryRow struct {
	EntryKey  string
	Account   billing.AccountID
	Currency  string
	Amount    int64
	Cause     billing.EntryCause
	Document  string
	CreatedAt time.Time
}

type trialClaimRow struct {
	Product      string
	Claim        string
	Subscription billing.SubscriptionID
	Used         bool // by somebody of the organisation: until then another of it may take it
}

type paymentMethodRow struct {
	Ref     string
	Account billing.AccountID
	Gateway string
	Brand   string
	Last4   string
	Exp     string
	// Fingerprint is the same whenever the same card is given.
	Fingerprint string
	CreatedAt   time.Time
	RemovedAt   *time.Time
	DetachAt    *time.Time // when the gateway may be asked to forget it too; nil: it need not be
}

type licenseRow struct {
	written
	ID            licensing.LicenseID
	Subscription  billing.SubscriptionID
	Revision      int64
	Product       string
	Licensee      string
	Sites         []string `gorm:"serializer:json"`
	Tenant        string
	ActivationKey string
	Suspended     bool
	Revoked       bool
	Status        billing.Status
	CancelAtEnd   bool
	Trial         bool
	ValidUntil    time.Time
	PeriodEnd     time.Time
	Plan          billing.PlanRef `gorm:"serializer:document"`
	Covers        int64
	Quantity      int64
	TestClock     string

	SiteEdits      int64 // within the period that ends at SiteEditsUntil
	SiteEditsUntil *time.Time
	BlockOverLimit bool
	MoneyBackUntil *time.Time      // the window's last instant
	Tally          licensing.Tally `gorm:"serializer:json"` // of a licence for users
	ChangedAt      time.Time       `gorm:"->"`              // by the database's clock, made by it
}

type outboxRow struct {
	ID           string
	Subscription string
	Revision     int64
	Kind         billing.NoticeKind
	Recipient    billing.Role
	Notice       billing.Notice `gorm:"serializer:json"`
	At           time.Time      // of the event, on the subscription's clock
	CreatedAt    time.Time      // real time
	Attempts     int64
	ClaimedUntil *time.Time
	DoneAt       *time.Time
	Failed       bool
	ResentAs     *string // the row by which an operator has had it sent again
}

type eventRow struct {
	Subscription billing.SubscriptionID
	Revision     int64 // of the changeset, and the event's place in it
	Position     int64
	At           time.Time
	Kind         billing.EventKind
	Actor        string
	Words        string
	Details      *billing.EventDetails `gorm:"serializer:json"` // nil for what was written before there were any
}

func newEvent(subscription billing.SubscriptionID, revision, position int64, actor string, e billing.Event) *eventRow {
	return &eventRow{subscription, revision, position, e.At, e.Kind, actor, e.Text, e.Details}
}

// newMail is a mail about a subject: an id. One with the same kind, recipient and
// revision as another about the subject is refused.
func newMail(subject string, revision int64, n billing.Notice, at time.Time) *outboxRow {
	return &outboxRow{ID: NewID("ntc"), Subscription: subject, Revision: revision, Kind: n.Kind, Recipient: n.To, Notice: n, At: at}
}

type counterRow struct {
	Name  string
	Value int64
}

type apiKeyRow struct {
	ID         string
	Hash       string
	Account    billing.AccountID
	Operator   string // a name; empty: no named operator's
	Access     string
	Name       string
	CreatedAt  time.Time
	ExpiresAt  *time.Time
	LastUsedAt *time.Time
	RevokedAt  *time.Time
}

type testClockRow struct {
	ID        string
	Now       time.Time
	BusyUntil *time.Time
}

func (accountRow) TableName() string       { return "accounts" }
func (productRow) TableName() string       { return "products" }
func (pictureRow) TableName() string       { return "pictures" }
func (planRow) TableName() string          { return "plans" }
func (priceRow) TableName() string         { return "prices" }
func (versionRow) TableName() string       { return "versions" }
func (subscriptionRow) TableName() string  { return "subscriptions" }
func (orderRow) TableName() string         { return "orders" }
func (requestRow) TableName() string       { return "requests" }
func (invoiceRow) TableName() string       { return "invoices" }
func (paidLineRow) TableName() string      { return "paid_lines" }
func (creditNoteRow) TableName() string    { return "credit_notes" }
func (balanceRow) TableName() string       { return "balances" }
func (balanceEntryRow) TableName() string  { return "balance_entries" }
func (trialClaimRow) TableName() string    { return "trial_claims" }
func (paymentMethodRow) TableName() string { return "payment_methods" }
func (licenseRow) TableName() string       { return "licenses" }
func (outboxRow) TableName() string        { return "outbox" }
func (eventRow) TableName() string         { return "events" }
func (counterRow) TableName() string       { return "counters" }
func (apiKeyRow) TableName() string        { return "api_keys" }
func (testClockRow) TableName() string     { return "test_clocks" }

// optional is nil for the zero time.
func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// whenever is the opposite of optional: the zero time stands for none.
func whenever(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}
