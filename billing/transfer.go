package billing

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// Transferred is what is on file about the transfers for one invoice.
type Transferred struct {
	Invoice  Invoice
	Keys     []string // of the balance entries that its transfers made
	Amounts  []int64  // theirs, in minor units
	Received int64    // their sum
}

// TransferKeys is the prefix of the keys of the balance entries that
// transfers for an invoice make.
func TransferKeys(invoice InvoiceID) string { return string(invoice) + "/transfer/" }

// transferKey is the key of a transfer's balance entry: the same reference
// for the same invoice is the same money. References are free text, so only
// their hash leaves the request row.
func transferKey(invoice InvoiceID, reference string) string {
	if strings.HasPrefix(reference, statementReference) { // a hash already
		return TransferKeys(invoice) + reference
	}
	hash := sha256.Sum256([]byte(strings.ToUpper(strings.Join(strings.Fields(reference), " "))))
	return TransferKeys(invoice) + hex.EncodeToString(hash[:16])
}

// InvoiceAllowed tells whether an order with this bill may be paid by
// transfer: from a threshold on, in currencies that have one (docs/rules.md,
// Buying).
func (p Policy) InvoiceAllowed(bill Invoice) bool {
	from, ok := p.InvoiceFrom[bill.Currency]
	return ok && bill.Total().Amount >= from
}

// AwaitsTransfer tells whether OpenInvoice is to be paid by transfer.
func (s Subscription) AwaitsTransfer() bool { return !s.DueAt.IsZero() }

func (s *Subscription) clearOpenInvoice() { s.OpenInvoice, s.DueAt = "", time.Time{} }

// order decides about an order that is to be paid by transfer. The period
// begins with the payment, so the invoice names none yet.
func (b Snapshot) order(c Command, at time.Time) Decision {
	b.Policy.Minimum = nil // it is the gateway's
	inv := b.draft(ForPurchase, c.Cause(b.Subscription.Revision), at, b.saleAt(at, at, at))
	if !b.Policy.InvoiceAllowed(*inv) {
		return Decision{Refusal: refuse(CodeInvoiceNotAllowed, "payment.method", "this order cannot be paid by invoice")}
	}
	if inv.AmountDue().Amount == 0 {
		return Decision{Bill: inv}
	}
	for i := range inv.Lines {
		inv.Lines[i].Period = Period{}
	}
	return Decision{Changeset: b.issue(b.Subscription, *inv, at.Add(b.Policy.InvoiceLife), at)}
}

// issue is the changeset that numbers and mails an invoice to be paid by
// transfer. What it uses of the balance is reserved.
func (b Snapshot) issue(s Subscription, inv Invoice, due, at time.Time) *Changeset {
	inv, reserved := b.Reserve(inv, "")
	inv.Status, inv.IssuedAt, inv.DueAt, inv.Method = InvoiceOpen, at, due, ""
	s.OpenInvoice, s.DueAt = inv.ID, due
	p := b.post(s, at, EventInvoiced, EventDetails{Amount: inv.AmountDue(), Until: due})
	p.Invoice, p.Entries, p.Redeem = &inv, reserved.Entries, reserved.Redeem
	p.Notices = []Notice{{
		Kind: NoticeInvoiceOpen, To: RoleBilling, InvoiceID: inv.ID, Amount: inv.AmountDue(), Until: due,
		Plan: inv.Service().Plan, Renews: inv.Purpose != ForPurchase,
	}}
	p.Outcome = Outcome{Invoice: inv.ID, Payment: PaymentOutcome{Status: PaymentPending}}
	return p
}

// void voids the invoice that waits for its payment. A numbered invoice is
// corrected by a credit note for its whole total; nothing was paid, so only
// what it had reserved goes back to the balance.
func (b Snapshot) void(p *Changeset, at time.Time) {
	p.Void = b.Subscription.OpenInvoice
	if b.Open == nil || b.Open.Status != InvoiceOpen {
		return
	}
	inv := *b.Open
	tax := inv.Tax().Amount
	p.CreditNotes = append(p.CreditNotes, CreditNote{
		ID: b.NewID("cn"), Invoice: inv.ID, Line: inv.Service().ID, Currency: inv.Currency,
		Net: inv.Total().Amount - tax, Tax: tax, Reason: ReasonVoid, IssuedAt: at,
	})
	if inv.BalanceApplied > 0 {
		p.Entries = append(p.Entries, inv.entry(CauseReleased, inv.BalanceApplied))
	}
	p.Notices = append(p.Notices, Notice{Kind: NoticeInvoiceVoid, To: RoleBilling, InvoiceID: inv.ID, Amount: inv.AmountDue(), Until: at})
}

// markPaid records a transfer that an operator has seen. The money goes to
// the account's balance. If that is enough for an open invoice, the invoice
// is paid from it; for a guest's order only transfers for that invoice
// count. Everything else is reported to the operator (docs/rules.md,
// Renewing).
func (b Snapshot) markPaid(c Command, at time.Time) Decision {
	s, inv := b.Subscription, b.Transferred.Invoice
	key := transferKey(inv.ID, c.Reference)
	switch {
	case inv.ID == "" || inv.ID != c.Invoice || inv.Subscription != s.ID || c.Amount == nil || *c.Amount <= 0:
		return Decision{Refusal: refuse(CodeInvalid, "", "there is no such invoice, or the amount is not positive")}
	case inv.Status == InvoiceDraft:
		return Decision{Refusal: refuse(CodeNotPossibleNow, "", "this invoice was never mailed")}
	case slices.Contains(b.Transferred.Keys, key):
		return Decision{Refusal: refuse(CodeAlreadyRecorded, "reference", "this transfer has already been recorded for this invoice")}
	case strings.HasPrefix(c.Reference, statementReference) && b.Transferred.markedByHand(*c.Amount):
		return Decision{Refusal: refuse(CodeMarkedByHand, "reference", "a transfer of this amount was marked by hand for this invoice")}
	}
	amount := Money{*c.Amount, inv.Currency}
	entry := BalanceEntry{Key: key, Account: inv.Account, Currency: inv.Currency, Amount: amount.Amount, Cause: CauseTransfer, Document: string(inv.ID)}
	due := inv.AmountDue()
	missing := due.Amount - amount.Amount - b.Balance.Amount // another invoice may have used up what came before
	if inv.Guest {                                           // whose money counts, and no other of the account's
		missing = max(missing, due.Amount-amount.Amount-b.Transferred.Received)
	}
	came := EventDetails{Amount: amount, On: c.ValueDate}
	notice := Notice{Kind: NoticeTransferUnused, To: RoleOperator, InvoiceID: inv.ID, Amount: amount}
	switch {
	case inv.Status != InvoiceOpen || s.OpenInvoice != inv.ID:
		came.Code = string(inv.Status)
		p := b.post(s, at, EventTransferUnused, came)
		p.Entries, p.Notices, p.Outcome = []BalanceEntry{entry}, []Notice{notice}, Outcome{Invoice: inv.ID}
		return Decision{Changeset: p}
	case missing > 0:
		notice.Kind, notice.Rest = NoticeTransferShort, Money{missing, inv.Currency}
		p := b.post(s, at, EventTransferShort, came)
		p.Entries, p.Notices = []BalanceEntry{entry}, []Notice{notice}
		p.Outcome = Outcome{Invoice: inv.ID, Payment: PaymentOutcome{Status: PaymentPending}}
		return Decision{Changeset: p}
	}
	p := b.Paid(inv, at)
	p.Entries = append(p.Entries, entry, BalanceEntry{
		Key: string(inv.ID) + "/paid", Account: inv.Account, Currency: inv.Currency, Amount: -due.Amount, Cause: CausePayment, Document: string(inv.ID),
	})
	p.Events = append([]Event{NewEvent(at, EventTransfer, came)}, p.Events...)
	return Decision{Changeset: p}
}

// transferred is an open invoice after its payment. Nothing that was mailed
// changes; a purchase's period, which was not known before, is filled in.
func (inv Invoice) transferred(cycle Cycle, at time.Time) Invoice {
	inv.Status, inv.PaidAt = InvoicePaid, at
	inv.Lines = slices.Clone(inv.Lines)
	for i, l := range inv.Lines {
		if l.Kind == LineService && l.Period == (Period{}) {
			inv.Lines[i].Period, _ = PeriodAt(at, cycle, at)
		}
	}
	return inv
}

// OnlyPays tells whether a paid invoice differs from the open one that was
// mailed only by its payment. The store checks it before it writes.
func (inv Invoice) OnlyPays(open Invoice) bool {
	want := open.transferred(open.Service().Plan.Cycle, inv.PaidAt)
	same := func(x, y Line) bool {
		dates := x.Period.Start.Equal(y.Period.Start) && x.Period.End.Equal(y.Period.End)
		x.Period, y.Period = Period{}, Period{}
		return dates && x == y
	}
	return inv.Status == InvoicePaid && inv.Number == open.Number && inv.IssuedAt.Equal(open.IssuedAt) && inv.DueAt.Equal(open.DueAt) &&
		inv.BalanceApplied == open.BalanceApplied && inv.TaxNote == open.TaxNote && slices.EqualFunc(inv.Lines, want.Lines, same)
}
