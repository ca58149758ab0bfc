package billing

import (
	"regexp"
	"time"

	"github.com/okviz/licensing/licensing"
)

// What comes from another system (docs/moving-in.md): its customers go on here as
// if they had always been, and pay at their next boundary for the first time.

// What another system's ids are of.
const (
	MovedCustomer     = "customer"
	MovedSubscription = "subscription"
)

// MovedAccount is what a customer of another system has here from now on.
type MovedAccount struct {
	Ref      string // the other system's id
	Hash     string // of all that it said
	Profile  Profile
	Email    string
	Standing int64   // percent
	Balances []Money // each in another currency
}

// MovedIn is a subscription of another system. Its order and subscription are
// those of a new one; what it has behind it is beside them.
type MovedIn struct {
	Ref          string // the other system's id
	Hash         string // of all that it said, with its invoices
	Order        Order
	Subscription Subscription
	Product      Product

	CreatedAt         time.Time // there
	Anchor            time.Time // what its boundaries are counted from
	Period            Period    // the running one, which is paid; of a trial, the trial
	Trial             bool
	CancelAtPeriodEnd bool
	Invoices          []FormerInvoice // paid ones, the oldest first
	Mail              bool            // the licensee is mailed the licence and its file
}

// FormerInvoice is a paid invoice of another system. It is history: its number is in
// no series of ours.
type FormerInvoice struct {
	Ref      string // the other system's id
	Number   string
	IssuedAt time.Time
	PaidAt   time.Time
	Period   Period
	Net, Tax int64 // minor units of the subscription's currency
}

// ForFormer is the purpose of an invoice of another system.
const ForFormer Purpose = "former"

// MoveIn is how a subscription of another system begins here: with what it has, and
// without a charge. Its method is the snapshot's.
func (b Snapshot) MoveIn(m MovedIn, at time.Time) *Changeset {
	s := b.Subscription
	s.CreatedAt, s.License = m.CreatedAt, b.Order.License
	s.Status, s.Anchor, s.Period = Active, m.Anchor, m.Period
	if m.Trial {
		s.Status, s.TrialEnd = Trialing, m.Period.End
	}
	s.CancelAtPeriodEnd, s.HasMethod = m.CancelAtPeriodEnd, b.Method != ""
	s.RemindedAt = at // of what came before, the other system has
	if f, paid := m.PaidBy(); paid {
		s.PaidBy = f.id()
	}
	var former []Invoice
	for _, f := range m.Invoices {
		former = append(former, b.former(f))
		s.LastPaymentAt = f.PaidAt
	}
	if m.Mail {
		s.File = s.deliver(b.Policy, at)
	}
	p := b.post(s, at, EventMovedIn, EventDetails{Until: s.Period.End})
	p.Method, p.Redeem, p.Former = b.Method, s.Discount.Coupon, former
	if m.Mail {
		p.Notices = []Notice{{Kind: NoticeLicense, To: RoleLicensee, Until: s.Period.End, Plan: s.Plan, WithFile: true}}
	}
	return p
}

// PaidBy is the invoice that a change credits: of those that reach into the running
// period's last second it is the only one, and is for exactly that period. Of several,
// or of another period's, nobody could tell what is unused.
func (m MovedIn) PaidBy() (paid FormerInvoice, found bool) {
	if m.Trial {
		return paid, false
	}
	reaching := 0
	for _, f := range m.Invoices {
		if f.Period.Contains(m.Period.End.Add(-time.Second)) {
			paid = f
			reaching++
		}
	}
	return paid, reaching == 1 && paid.Period == m.Period
}

func (f FormerInvoice) id() InvoiceID {
	return InvoiceID(derivedID("inv", timeOf(f.IssuedAt), "former/"+f.Ref))
}

// former is an invoice of another system as the books keep it: so the figures count
// it, and a change credits what is left of the running period.
func (b Snapshot) former(f FormerInvoice) Invoice {
	s := b.Subscription
	inv := Invoice{
		ID: f.id(), Key: "former/" + f.Ref, Former: f.Number, Status: InvoicePaid, Purpose: ForFormer,
		Subscription: s.ID, Account: b.Order.BillingAccount, Currency: b.currency(), IssuedAt: f.IssuedAt, PaidAt: f.PaidAt,
		Lines: []Line{{
			Kind: LineService, Description: describe(b.Product, s.Plan), Quantity: s.Quantity, Amount: f.Net, Tax: f.Tax,
			Period: f.Period, Plan: s.Plan, Price: s.Price,
		}},
	}
	if whole, _ := PeriodAt(f.Period.Start, s.Plan.Cycle, f.Period.Start); whole.End.Sub(f.Period.End).Abs() <= 3*day {
		inv.Lines[0].Recurring = f.Net // a part of a period says nothing about the next one
	}
	inv.identify()
	return inv
}

// FirstPayment is what a subscription pays next, and when, of which what its
// account's balance pays is taken off; the zero time, where nothing will be.
func (b Snapshot) FirstPayment() (at time.Time, due, applied Money) {
	s := b.Subscription
	if !s.renews() || s.Status == Trialing && !s.HasMethod {
		return at, due, applied
	}
	inv := b.nextBill()
	return s.PaidUntil(), inv.AmountDue(), Money{inv.BalanceApplied, inv.Currency}
}

// MovedAs says where a subscription of another system went, and whether it was
// there before.
type MovedAs struct {
	Subscription Subscription
	Before       bool // it was moved in before, and nothing was written
	Differs      bool // what was moved in then was not the same
}

// MovedLicense tells whether another system's licence id can be kept: 4 to 64
// letters, digits, hyphens and underscores.
func MovedLicense(id licensing.LicenseID) bool { return movedLicense.MatchString(string(id)) }

var movedLicense = regexp.MustCompile(`^[A-Za-z0-9_-]{4,64}$`)
