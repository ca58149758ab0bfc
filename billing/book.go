package billing

import (
	"cmp"
	"fmt"
	"time"
)

// Book is all that is on file about one subscription when something is
// decided about it. Its methods are the rules: they read the book and the
// instant, and answer with a Decision or a Posting. Nothing here has a clock
// or does I/O.
type Book struct {
	Subscription Subscription
	Order        Order
	Product      Product
	Sold         []Sold      // service lines of paid invoices that have a remainder
	Open         *Invoice    // what OpenInvoice names
	Transferred  Transferred // for the invoice of a mark-paid; other commands do without
	Returned     Refund      // what a refund-failed is about; other commands do without
	Receipts     []Receipt   // paid invoices, the oldest first; read where credit notes may be needed
	InFlight     *Invoice    // a draft whose payment has no recorded outcome
	Waiting      *Invoice    // the draft whose payment waits: what Subscription.Waiting names
	Balance      Money       // the billing account's, in the subscription's currency
	Standing     int64       // the billing account's standing discount, percent
	Method       string      // the gateway's reference of the card in use; empty: none
	MethodExp    string      // its last month, "2029-12"

	Policy Policy
	NewID  func(prefix string) string // "inv" → "inv_…"
}

// Order is what was asked for at checkout. It keeps the personal data that
// states and histories must not hold.
type Order struct {
	Subscription    string
	Quote           string // quo_… that was accepted; empty: placed at checkout
	License         string // the id that the licence will have
	BillingAccount  string // cus_…
	LicenseeAccount string
	Billing         BillingDetails
	Licensee        Contact
	Pay             Pay
	Sites           []string
}

// Pay is when an order is paid.
type Pay string

const (
	PayNow   Pay = "now"
	PayTrial Pay = "trial"
)

// Contact is a person or a team.
type Contact struct {
	Name  string
	Email string
}

// String is the licensee as the licence shows it: "Name <e-mail>".
func (c Contact) String() string { return c.Name + " <" + c.Email + ">" }

// BillingDetails are printed on the documents of an order and never change
// with the account's profile.
type BillingDetails struct {
	Contact
	Company string
	Country string // ISO 3166-1 alpha-2
	VATID   string
	Line1   string
	Line2   string
	City    string
	Postal  string
	Region  string
}

func (b Book) tax() Tax {
	return TaxFor(b.Policy.SellerCountry, b.Order.Billing.Country, b.Order.Billing.VATID)
}

func (b Book) currency() string { return b.Subscription.Price.Currency }

// post makes the posting that moves the subscription to the state s.
func (b Book) post(s Subscription, at time.Time, event, text string) *Posting {
	s.Revision = b.Subscription.Revision + 1
	if b.Method != "" {
		s.CardExpires = cardExpiry(b.MethodExp)
	}
	s.Next = s.nextStep(b.Policy)
	p := &Posting{
		From: b.Subscription.Revision, Subscription: s,
		Events: []Event{{At: at, Kind: event, Text: text}},
	}
	if s.Status == IncompleteExpired {
		p.Unredeem = s.Discount.Coupon
	}
	return p
}

// draft is a new invoice for a sale, with the balance and waivers settled.
func (b Book) draft(purpose Purpose, cause string, s sale) *Invoice {
	inv := Invoice{
		ID: b.NewID("inv"), Key: b.Subscription.ID + "/" + string(purpose) + "/" + cause,
		Status: InvoiceDraft, Purpose: purpose,
		Subscription: b.Subscription.ID, Account: b.Order.BillingAccount, Currency: b.currency(),
	}
	return b.rebuild(inv, s)
}

// rebuild writes a draft's lines anew: its id and key stay.
func (b Book) rebuild(inv Invoice, s sale) *Invoice {
	inv.Lines, inv.Excess = s.bill()
	inv.Excess = b.spreadExcess(inv.Excess)
	inv.TaxNote, inv.Coupon, inv.Stranger = s.Tax.Note, s.Discount.Coupon, b.Subscription.Stranger
	for i := range inv.Excess {
		inv.Excess[i].ID = b.NewID("cn")
	}
	balance := b.Balance
	if inv.Stranger {
		balance.Amount = 0
	}
	inv = inv.settle(balance, b.Policy)
	return &inv
}

// sale is the subscription's plan for a period.
func (b Book) sale(p Period) sale {
	s := b.Subscription
	return b.discounted(sale{Product: b.Product, Plan: s.Plan, Price: s.priceOf(p), Quantity: s.Quantity, Period: p, Tax: b.tax()})
}

// discounted is a sale with the discounts that the subscription has.
func (b Book) discounted(s sale) sale {
	if !b.Subscription.Stranger {
		s.Standing = b.Standing
	}
	s.Discount = b.Subscription.Discount
	return s
}

// saleAt is the sale of the period that contains at, counted from an anchor;
// what lies between since and that period was never charged and says so.
func (b Book) saleAt(anchor, since, at time.Time) sale {
	p, _ := PeriodAt(anchor, b.Subscription.Plan.Cycle, at)
	s := b.sale(p)
	if since.Before(p.Start) {
		s.Skipped = Period{since, p.Start}
	}
	return s
}

// collect is the decision to ask for an invoice's money. Without a card it is
// refused before anything is written.
func (b Book) collect(inv *Invoice) Decision {
	if inv.AmountDue().Amount > 0 && b.Method == "" {
		return Decision{Refusal: refuse(CodeNoPaymentMethod, "", "there is no payment method to charge")}
	}
	return Decision{Bill: inv}
}

// Freeze is the posting that fixes the amounts of a bill and reserves what it
// uses of the balance, before any money moves.
func (b Book) Freeze(inv Invoice, cause string) (Invoice, Posting) {
	inv.Attempt++
	inv.InFlight = cause
	inv.Method = b.Method
	p := Posting{From: b.Subscription.Revision, Subscription: b.Subscription, Invoice: &inv}
	if inv.BalanceApplied > 0 {
		p.Entries = []BalanceEntry{inv.entry("reserve", -inv.BalanceApplied)}
	}
	if inv.Purpose == ForPurchase {
		p.Redeem = inv.Coupon
	}
	return inv, p
}

func (inv Invoice) entry(what string, amount int64) BalanceEntry {
	return BalanceEntry{
		Key:     fmt.Sprintf("%s/%d/%s", inv.ID, inv.Attempt, what),
		Account: inv.Account, Currency: inv.Currency, Amount: amount,
	}
}

// Decide answers a command. It is handled at an instant at which no earlier
// step is due.
func (b Book) Decide(c Command, at time.Time) Decision {
	s := b.Subscription
	switch c.Verb {
	case VerbPurchase:
		return b.purchase(c, at)
	case VerbMigrate:
		return b.migrate(c, at)
	case VerbMarkPaid:
		return b.markPaid(c, at)
	case VerbDispute:
		return b.dispute(c.Dispute, at)
	case VerbRefundFailed:
		return b.refundFailed(at)
	}
	if !s.allows(c.Verb) {
		return Decision{Refusal: refuse(CodeNotPossibleNow, "", "this is not possible in the subscription's present state")}
	}
	if c.Verb == VerbPaymentMethod { // an order's token gives it too
		return b.storeMethod(c, at)
	}
	if !c.Verb.isOperators() { // which says nothing of the account
		b.Subscription.Stranger, s.Stranger = false, false
	}
	switch c.Verb {
	case VerbChange:
		return b.change(c, at)
	case VerbCancel:
		return Decision{Posting: b.cancel(at)}
	case VerbResume:
		return Decision{Posting: b.resume(at)}
	case VerbRenew:
		return b.renewNow(c, at)
	case VerbMoneyBack:
		return b.moneyBack(at)
	case VerbCancelNow:
		return b.cancelNow(c.Refund, at)
	case VerbRefund:
		return b.refundInvoice(c.Invoice, c.Amount, at)
	case VerbSuspend, VerbRevoke, VerbReinstate:
		return b.hold(c.Verb, at)
	}
	return Decision{Refusal: refuse(CodeInvalid, "", "there is no such command")}
}

// Due does a step that has come due. at is the instant of handling: the
// step's own, or later after an outage.
func (b Book) Due(step Step, at time.Time) Decision {
	s := b.Subscription
	switch step.Kind {
	case StepExpireOrder:
		s.Status, s.OpenInvoice, s.DueAt = IncompleteExpired, "", time.Time{}
		p := b.post(s, at, "order_expired", "The order was never paid and has lapsed.")
		b.void(p, at)
		return Decision{Posting: p}
	case StepInvoice:
		return b.sendNext(at)
	case StepRemind:
		return Decision{Posting: b.remind(step, at)}
	case StepTrialEnd:
		return b.endTrial(step, at)
	case StepEnd:
		return Decision{Posting: b.end(s.Period.End, ReasonRequested)}
	case StepRenew:
		return b.renew(step, at)
	case StepRetry:
		return b.retry(at)
	case StepDispute:
		return Decision{Posting: b.remindOfDispute(at)}
	}
	return Decision{Posting: b.post(s, at, "nothing_due", "Nothing was due.")}
}

// Paid is the posting of an invoice whose money has arrived, or that needed
// none. at is when the attempt was made.
func (b Book) Paid(inv Invoice, at time.Time) *Posting {
	b.Subscription.Waiting, inv.Waits, inv.ActionURL = Waiting{}, false, ""
	s := b.Subscription
	how := "charged"
	if inv.Status == InvoiceOpen {
		inv, how = inv.settled(s.Plan.Cycle, at), "received"
	} else {
		inv.Status, inv.PaidAt, inv.IssuedAt, inv.InFlight = InvoicePaid, at, at, ""
	}
	sold, due := inv.Service(), inv.AmountDue()
	if due.Amount > 0 {
		s.LastPaymentAt = at
	}
	if inv.Coupon != "" && inv.Coupon == s.Discount.Coupon {
		s.Discount = s.Discount.spent()
	}
	if s.opensMoneyBack(inv.Purpose) {
		s.MoneyBack = MoneyBack{From: inv.ID, Until: at.Add(b.Policy.MoneyBack)}
	}
	s.Stranger = s.Stranger && inv.Stranger // a command of the account's was paid for
	old := s.Plan
	s = s.sold(sold.Plan, sold.Price, sold.Quantity)
	kind, text := string(inv.Purpose), ""
	update := NoticeLicenseUpdated
	switch inv.Purpose {
	case ForPurchase, ForRevival:
		s.Status, s.License = Active, b.Order.License
		s.Anchor, s.Period, s.Ahead = sold.Period.Start, sold.Period, Period{}
		s.PaidBy, s.AheadBy = inv.ID, ""
		s.CancelAtPeriodEnd, s.CanceledAt, s.CancelReason = false, time.Time{}, ""
		s.TrialEnd, s.RemindedAt = time.Time{}, time.Time{}
		if inv.Method != "" { // an order's invoice may be paid by card in the end
			s.Collection = ByCard
		}
		text, update = "Bought until "+date(s.Period.End), NoticeLicense
	case ForConversion:
		s.Status, s.Anchor, s.Period, s.PaidBy = Active, s.TrialEnd, sold.Period, inv.ID
		text = "The trial became a subscription until " + date(s.Period.End)
	case ForRenewal:
		s.Status, s.Period, s.PaidBy = Active, sold.Period, inv.ID
		text = "Renewed until " + date(s.Period.End)
	case ForAhead:
		s.Ahead, s.AheadBy = sold.Period, inv.ID
		text = "Paid ahead until " + date(s.Ahead.End)
	case ForChange:
		if s.Status == Trialing {
			s.Ahead, s.AheadBy = sold.Period, inv.ID
		} else {
			s.Status = Active
			s.Anchor, s.Period, s.Ahead = sold.Period.Start, sold.Period, Period{}
			s.PaidBy, s.AheadBy = inv.ID, ""
		}
		text = "Changed from " + old.ID + " to " + s.Plan.ID
	}
	replaced := s.OpenInvoice != inv.ID
	s.OpenInvoice, s.AwaitsCard, s.DueAt, s.Dunning = "", false, time.Time{}, Dunning{}
	s.HasMethod = s.HasMethod || inv.Method != ""
	p := b.post(s, at, kind, fmt.Sprintf("%s; %s %s.", text, due, how))
	p.Invoice, p.Method = &inv, inv.Method
	p.Outcome = Outcome{Invoice: inv.ID, Payment: PaymentOutcome{Status: PaymentSucceeded}}
	p.issueExcess(at)
	receipt := Notice{Kind: NoticeReceipt, To: RoleBilling, InvoiceID: inv.ID, Amount: due, Until: sold.Period.End, Plan: s.Plan}
	if off := inv.Discount(); !off.IsZero() {
		receipt.Discount = off
	}
	if inv.Purpose == ForChange {
		receipt.Kind, receipt.OldPlan, receipt.Credit = NoticePlanChanged, old, inv.Credit()
	}
	for _, n := range p.CreditNotes {
		receipt.CreditNotes = append(receipt.CreditNotes, n.ID)
	}
	p.Notices = []Notice{receipt, {Kind: update, To: RoleLicensee, Until: sold.Period.End, Plan: s.Plan, WithFile: true}}
	if replaced {
		b.void(p, at)
	}
	return p
}

// issueExcess draws the credits of a change from the lines that they credit,
// and puts what exceeds the new price on the account's balance.
func (p *Posting) issueExcess(at time.Time) {
	for _, l := range p.Invoice.Lines {
		if l.Kind == LineCredit {
			p.Draws = append(p.Draws, Draw{l.Draws, -l.Amount, -l.Tax})
		}
	}
	for _, n := range p.Invoice.Excess {
		n.IssuedAt = at
		p.CreditNotes = append(p.CreditNotes, n)
		p.Draws = append(p.Draws, Draw{cmp.Or(n.Draws, n.Line), n.Net, n.Tax})
		p.Entries = append(p.Entries, BalanceEntry{Key: n.ID, Account: p.Invoice.Account, Currency: n.Currency, Amount: n.Total().Amount})
	}
}

// Declined is the posting of a payment that was definitely declined: what it
// had reserved is released. A change leaves the subscription as it was.
func (b Book) Declined(inv Invoice, r ChargeResult, at time.Time) *Posting {
	b.Subscription.Waiting, inv.Waits, inv.ActionURL = Waiting{}, false, ""
	s := b.Subscription
	due := inv.AmountDue()
	var release []BalanceEntry
	if inv.BalanceApplied > 0 {
		release = []BalanceEntry{inv.entry("release", inv.BalanceApplied)}
	}
	inv.InFlight, inv.BalanceApplied = "", 0
	outcome := Outcome{
		Code: CodeCardDeclined, Detail: "the card was declined", Invoice: inv.ID,
		Payment: PaymentOutcome{Status: PaymentDeclined, DeclineCode: r.DeclineCode},
	}
	text := fmt.Sprintf("A payment of %s was declined: %s.", due, r.DeclineCode)
	declines := 1
	var notices []Notice
	if r.DeclineCode == DeclineRefused { // which is no card's fault
		text = fmt.Sprintf("The gateway refused a payment of %s: %s.", due, r.Refusal)
		outcome.Detail = "the payment provider could not be used; the vendor has been informed"
		notices, declines = []Notice{refusedNotice(r.Refusal, inv.ID, due)}, 0
	}
	if r.DeclineCode == DeclineAbandoned {
		text = fmt.Sprintf("A payment of %s that waited for the customer was given up.", due)
	}
	// ended is the same decline as the end of the subscription.
	ended := func(at time.Time) *Posting {
		p := b.end(at, ReasonPaymentFailed)
		inv.Status = InvoiceVoid
		p.Invoice, p.Void, p.Entries, p.Outcome = &inv, "", release, outcome
		p.Notices = append(p.Notices, notices...)
		return p
	}
	method := "" // where money is owed, the card is kept all the same
	switch {
	case inv.Purpose == ForPurchase && !s.DueAt.IsZero(): // the order's invoice by transfer stays open
		inv.Status = InvoiceVoid
		s.Declines += declines
	case inv.Purpose == ForPurchase:
		s.OpenInvoice, s.AwaitsCard, method = inv.ID, false, inv.Method
		s.Declines += declines
	case inv.Purpose == ForConversion:
		return ended(s.TrialEnd)
	case inv.Purpose == ForRenewal:
		if s.Status != PastDue {
			s.Status, s.Dunning = PastDue, Dunning{FirstFailure: at}
		}
		s.Dunning.LastAttempt = at
		s.Dunning.Hard, s.Dunning.Refusal = r.Hard(), r.Refusal
		s.OpenInvoice, method = inv.ID, inv.Method
		if deadline := s.Dunning.Deadline(b.Policy); !at.Before(deadline) {
			return ended(deadline)
		}
		next := s.Dunning.nextAttempt(b.Policy)
		kind := NoticePaymentFailed
		if !next.Before(s.Dunning.Deadline(b.Policy)) {
			kind = NoticeFinalNotice
		}
		switch {
		case r.DeclineCode == DeclineAbandoned: // another card is charged in its place
		case kind == NoticeFinalNotice || r.DeclineCode != DeclineRefused: // another card would help nobody
			notices = append(notices, Notice{Kind: kind, To: RoleBilling, InvoiceID: inv.ID, Amount: due, Until: next, Plan: s.Plan})
		}
	default: // a change, a revival, a period ahead: nothing has happened
		inv.Status = InvoiceVoid
	}
	s.HasMethod = s.HasMethod || method != ""
	p := b.post(s, at, "payment_declined", text)
	p.Invoice, p.Method, p.Entries, p.Notices, p.Outcome = &inv, method, release, notices, outcome
	return p
}

// end is the posting that cancels the subscription as of an instant.
func (b Book) end(at time.Time, why CancelReason) *Posting {
	s := b.Subscription
	s.Status, s.CanceledAt, s.CancelReason = Canceled, at, why
	s.CancelAtPeriodEnd, s.OpenInvoice, s.DueAt, s.Dunning, s.Ahead = false, "", time.Time{}, Dunning{}, Period{}
	s.AheadBy = ""
	s.MoneyBack = MoneyBack{}
	p := b.post(s, at, "canceled", "Ended: "+string(why)+".")
	p.Notices = []Notice{{Kind: NoticeEnded, To: RoleBilling, Until: at, Plan: s.Plan, Reason: why}}
	b.void(p, at)
	return p
}

func date(t time.Time) string { return t.Format(time.DateOnly) }
