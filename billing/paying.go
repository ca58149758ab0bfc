package billing

import (
	"cmp"
	"fmt"
	"time"
)

// collect is the decision to charge an invoice. If something is due and
// there is no card, it is refused before anything is written.
func (b Snapshot) collect(inv *Invoice) Decision {
	if inv.AmountDue().Amount > 0 && b.Method == "" {
		return Decision{Refusal: refuse(CodeNoPaymentMethod, "", "there is no payment method to charge")}
	}
	return Decision{Bill: inv}
}

// Reserve is the changeset that fixes the amounts of a bill and reserves what it
// uses of the balance, before any money moves.
func (b Snapshot) Reserve(inv Invoice, cause string) (Invoice, Changeset) {
	inv.Attempt++
	inv.InFlight = cause
	inv.Method = b.Method
	p := Changeset{From: b.Subscription.Revision, Subscription: b.Subscription, Invoice: &inv}
	if inv.BalanceApplied > 0 {
		p.Entries = []BalanceEntry{inv.entry(CauseReserved, -inv.BalanceApplied)}
	}
	if inv.Purpose == ForPurchase {
		p.Redeem = inv.Coupon
	}
	return inv, p
}

func (inv Invoice) entry(cause EntryCause, amount int64) BalanceEntry {
	return BalanceEntry{
		Key:     fmt.Sprintf("%s/%d/%s", inv.ID, inv.Attempt, cause),
		Account: inv.Account, Currency: inv.Currency, Amount: amount, Cause: cause, Document: string(inv.ID),
	}
}

// Paid is the changeset of an invoice that was paid, or with which nothing was
// due. at is the instant of the attempt.
func (b Snapshot) Paid(inv Invoice, at time.Time) *Changeset {
	b.Subscription.clearPending(&inv)
	s := b.Subscription
	details := EventDetails{By: ByCard}
	if inv.Status == InvoiceOpen {
		inv, details.By = inv.transferred(s.Plan.Cycle, at), ByInvoice
	} else {
		inv.Status, inv.PaidAt, inv.IssuedAt, inv.InFlight = InvoicePaid, at, at, ""
	}
	sold, due := inv.Service(), inv.AmountDue()
	details.Amount, details.Until = due, sold.Period.End
	if due.Amount > 0 {
		s.LastPaymentAt = at
	}
	if inv.Coupon != "" && inv.Coupon == s.Discount.Coupon {
		s.Discount = s.Discount.spent()
	}
	if s.startsMoneyBack(inv.Purpose) {
		s.MoneyBack = MoneyBack{From: inv.ID, Until: at.Add(b.Policy.MoneyBack)}
	}
	s.Guest = s.Guest && inv.Guest // a command of the account's was paid for
	old := s.Plan
	if inv.Purpose != ForPrepaid { // whose price counts once its period is entered
		s = s.sold(sold.Plan, sold.Price, sold.Quantity)
	}
	s = b.paidState(s, inv)
	if inv.Purpose == ForChange {
		details.OldPlan, details.Plan = old, s.Plan
	}
	replaced := s.OpenInvoice != inv.ID
	s.clearOpenInvoice()
	s.AwaitsCard, s.Dunning = false, Dunning{}
	s.HasMethod = s.HasMethod || inv.Method != ""
	s.File = s.deliver(b.Policy, at)
	p := b.post(s, at, EventKind(inv.Purpose), details)
	if inv.Purpose != ForChange && !b.Subscription.ScheduledChange.IsZero() && s.ScheduledChange.IsZero() {
		p.Events = append(p.Events, NewEvent(at, EventChangeMade, EventDetails{OldPlan: old, Plan: s.Plan}))
	}
	p.Invoice, p.Method = &inv, inv.Method
	p.Outcome = Outcome{Invoice: inv.ID, Payment: PaymentOutcome{Status: PaymentSucceeded}}
	p.issueExcess(at)
	p.Notices = paidNotices(s, inv, old, p.CreditNotes)
	if replaced {
		b.void(p, at)
	}
	return p
}

// paidState is the state that a paid invoice leads to.
func (b Snapshot) paidState(s Subscription, inv Invoice) Subscription {
	sold := inv.Service()
	switch inv.Purpose {
	case ForPurchase, ForRevival:
		s.Status, s.License = Active, b.Order.License
		s.restart(sold.Period, inv.ID)
		s.revive()
		if inv.Method != "" { // an order's invoice may be paid by card in the end
			s.Collection = ByCard
		}
	case ForConversion:
		s.Status, s.Anchor = Active, s.TrialEnd
		s.makeScheduled(sold.Period.Start, b.Subscription.Plan)
		s.enterPeriod(sold.Period, inv.ID)
	case ForRenewal:
		s.Status = Active
		s.makeScheduled(sold.Period.Start, b.Subscription.Plan)
		s.enterPeriod(sold.Period, inv.ID)
	case ForPrepaid:
		s.prepay(sold.Period, inv.ID)
		s.paidAhead(sold.Price)
	case ForChange:
		s.ScheduledChange = ScheduledChange{}
		if s.Status == Trialing {
			s.prepay(sold.Period, inv.ID)
		} else {
			s.Status = Active
			s.restart(sold.Period, inv.ID)
		}
	case ForFormer: // another system's, which nobody pays here
	}
	return s
}

// paidNotices are the receipt to the billing contact and the licensed file to
// the licensee.
func paidNotices(s Subscription, inv Invoice, old PlanRef, notes []CreditNote) []Notice {
	until, file := inv.Service().Period.End, NoticeLicenseUpdated
	if inv.Purpose == ForPurchase || inv.Purpose == ForRevival {
		file = NoticeLicense
	}
	receipt := Notice{Kind: NoticeReceipt, To: RoleBilling, InvoiceID: inv.ID, Amount: inv.AmountDue(), Until: until, Plan: s.Plan}
	if off := inv.Discount(); !off.IsZero() {
		receipt.Discount = off
	}
	if inv.Purpose == ForChange {
		receipt.Kind, receipt.OldPlan, receipt.Credit = NoticePlanChanged, old, inv.Credit()
	}
	for _, n := range notes {
		receipt.CreditNotes = append(receipt.CreditNotes, n.ID)
	}
	return []Notice{receipt, {Kind: file, To: RoleLicensee, Until: until, Plan: s.Plan, WithFile: true}}
}

// issueExcess draws the proration credits of a change from the lines that
// they credit. Credit above the new price goes to the account's balance, as
// credit notes.
func (p *Changeset) issueExcess(at time.Time) {
	for _, l := range p.Invoice.Lines {
		if l.Kind == LineCredit {
			p.CreditAllocations = append(p.CreditAllocations, CreditAllocation{l.CreditedLine, -l.Amount, -l.Tax})
		}
	}
	for _, n := range p.Invoice.Excess {
		n.IssuedAt = at
		p.CreditNotes = append(p.CreditNotes, n)
		p.CreditAllocations = append(p.CreditAllocations, CreditAllocation{cmp.Or(n.CreditedLine, n.Line), n.Net, n.Tax})
		p.Entries = append(p.Entries, BalanceEntry{
			Key: n.ID, Account: p.Invoice.Account, Currency: n.Currency, Amount: n.Total().Amount, Cause: CauseCreditNote, Document: n.ID,
		})
	}
}
