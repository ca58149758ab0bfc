package billing

import (
	"slices"
	"time"
)

// Receipt is a paid invoice with what has been given back of it.
type Receipt struct {
	Invoice
	Noted    int64 // by credit notes, tax included
	Refunded int64 // asked back from its charge, with any outcome
}

// room is what credit notes may still take from the invoice, tax included.
func (r Receipt) room() int64 { return max(0, r.Total().Amount-r.Noted) }

// onCard is what its charge can still give back.
func (r Receipt) onCard() int64 {
	if r.Charge == "" {
		return 0
	}
	return max(0, r.AmountDue().Amount-r.Refunded)
}

// Refund returns money to a card. It is pending until the gateway has
// confirmed it. A credit note may need the charges of two invoices, so the
// refund has an id of its own, which is its key at the gateway.
type Refund struct {
	ID         RefundID     `json:"id"` // re_…
	CreditNote string       `json:"credit_note"`
	Invoice    InvoiceID    `json:"invoice"` // whose charge gives the money back
	Gateway    string       `json:"gateway"`
	Charge     ChargeID     `json:"charge"`
	Amount     Money        `json:"amount"`
	Status     RefundStatus `json:"status"`
}

// RefundScope is how much an operator gives back with a cancellation.
type RefundScope string

const (
	RefundNone     RefundScope = "none"
	RefundProrated RefundScope = "prorated" // what is unused
	RefundFull     RefundScope = "full"     // the running period and one paid ahead
)

// cancelNow ends a subscription at once for an operator, with no, a prorated
// or a full refund.
func (b Snapshot) cancelNow(c Command, at time.Time) Decision {
	s, scope := b.Subscription, c.Refund
	if s.Disputed() && scope != RefundNone {
		return Decision{Refusal: refuse(CodeNotPossibleNow, "refund", "is not possible while a payment is disputed")}
	}
	if s.Status == Incomplete {
		p := b.canceled(at)
		p.Subscription.CancelReason = ReasonOperator
		return Decision{Changeset: p}
	}
	p := b.end(at, ReasonOperator)
	var takes []credit
	switch scope {
	case RefundProrated:
		takes = b.credits(at)
	case RefundFull:
		for _, sold := range b.PaidLines {
			if sold.pays(s.paidFor(), s.PaidBy) || sold.pays(s.PrepaidPeriod, s.PrepaidInvoice) {
				takes = append(takes, sold.whole())
			}
		}
	default: // nothing is given back
	}
	if back := b.giveBack(p, takes, "refund", at); !back.none() {
		p.Events[0] = back.event(at, EventCanceled, ReasonOperator)
		p.Notices = append(p.Notices, back.notice(NoticeRefunded, p))
	}
	return Decision{Changeset: p}
}

// RefundPreview is what would be given back, and where to.
type RefundPreview struct {
	Card    Money `json:"card"`
	Balance Money `json:"balance" doc:"What no card's charge can give back any more, or a transfer or the balance has paid."`
}

// PreviewCancelNow computes what cancelNow would give back.
func (b Snapshot) PreviewCancelNow(scope RefundScope, at time.Time) (RefundPreview, error) {
	d := b.Decide(Command{Action: ActionCancelNow, Refund: scope}, at)
	if d.Refusal != nil {
		return RefundPreview{}, d.Refusal
	}
	p := RefundPreview{Money{0, b.currency()}, Money{0, b.currency()}}
	for _, r := range d.Changeset.Refunds {
		p.Card = p.Card.Add(r.Amount)
	}
	for _, e := range d.Changeset.Entries {
		if e.Cause == CauseCreditNote {
			p.Balance.Amount += e.Amount
		}
	}
	return p, nil
}

// refundInvoice refunds a part of an invoice, or all that is left of it; the
// subscription goes on, or stays ended. The amount includes tax; nil means all.
func (b Snapshot) refundInvoice(c Command, at time.Time) Decision {
	invoice, amount := c.Invoice, c.Amount
	var left credit
	i := b.receipt(invoice)
	if s := slices.IndexFunc(b.PaidLines, func(s PaidLine) bool { return s.Invoice == invoice }); s >= 0 && i >= 0 {
		left = b.PaidLines[s].whole().upTo(b.Receipts[i].room())
	}
	switch {
	case left.gross() == 0:
		return Decision{Refusal: refuse(CodeNothingToRefund, "", "nothing is left of this invoice to refund")}
	case amount != nil && *amount > left.gross():
		return Decision{Refusal: refuse(CodeAmountTooLarge, "amount", "is more than what is left of this invoice to refund")}
	case amount != nil:
		left = left.upTo(*amount)
	}
	s := b.Subscription
	p := b.post(s, at, EventRefunded, EventDetails{})
	back := b.giveBack(p, []credit{left}, "refund", at)
	p.Events[0] = back.event(at, EventRefunded, "")
	p.Notices = []Notice{back.notice(NoticeRefunded, p)}
	p.Outcome.Invoice = invoice
	return Decision{Changeset: p}
}

// whole is all that is left of a sold line.
func (s PaidLine) whole() credit { return s.credit(s.Remainder()) }

// credit takes net units from a sold line, with the tax that belongs to them.
func (s PaidLine) credit(net int64) credit { return credit{s, net, s.taxOn(net)} }

// gross is the credit with its tax.
func (c credit) gross() int64 { return c.net + c.tax }

// upTo is the credit, or the part of it that is gross with its tax.
func (c credit) upTo(gross int64) credit {
	if gross >= c.gross() {
		return c
	}
	net := mulDiv(c.net, gross, c.gross())
	return credit{c.from, net, gross - net}
}

func (b Snapshot) receipt(invoice InvoiceID) int {
	return slices.IndexFunc(b.Receipts, func(r Receipt) bool { return r.ID == invoice })
}

// given says where refunded money went.
type given struct{ card, balance Money }

func (g given) none() bool { return g.card.Amount == 0 && g.balance.Amount == 0 }

func (g given) event(at time.Time, kind EventKind, why CancelReason) Event {
	d := EventDetails{Code: string(why)}
	if g.card.Amount != 0 {
		d.Amount = g.card
	}
	if g.balance.Amount != 0 {
		d.Balance = g.balance
	}
	return NewEvent(at, kind, d)
}

func (g given) notice(kind NoticeKind, p *Changeset) Notice {
	n := Notice{Kind: kind, To: RoleBilling, Amount: g.card, Credit: g.balance, Until: p.Events[0].At, Plan: p.Subscription.Plan}
	for _, note := range p.CreditNotes {
		if note.Reason == ReasonVoid {
			continue // it has an email of its own
		}
		n.CreditNotes = append(n.CreditNotes, note.ID)
	}
	return n
}

// giveBack draws credits from their lines, corrects the invoices by credit
// notes, and refunds the money: to the cards as much as their charges can
// still return, the rest to the account's balance.
func (b Snapshot) giveBack(p *Changeset, takes []credit, reason string, at time.Time) given {
	g := given{Money{0, b.currency()}, Money{0, b.currency()}}
	for _, t := range takes {
		if t.gross() > 0 {
			p.CreditAllocations = append(p.CreditAllocations, CreditAllocation{t.from.Line.ID, t.net, t.tax})
		}
	}
	receipts := b.Subscription.takenBack(slices.Clone(b.Receipts))
	first := len(p.CreditNotes)
	for _, n := range spread(receipts, takes) {
		n.ID, n.Currency, n.Reason, n.IssuedAt = b.NewID("cn"), b.currency(), reason, at
		p.CreditNotes = append(p.CreditNotes, n)
	}
	notes := p.CreditNotes[first:]
	left := make([]int64, len(notes))
	refund := func(note int, r *Receipt) {
		amount := min(left[note], r.onCard())
		if amount == 0 {
			return
		}
		id := refundID(*r, amount)
		left[note] -= amount
		r.Refunded += amount
		g.card.Amount += amount
		p.Subscription.Refunding++
		p.Refunds = append(p.Refunds, Refund{
			ID: id, CreditNote: notes[note].ID, Invoice: r.ID, Gateway: r.Gateway, Charge: r.Charge,
			Amount: Money{amount, b.currency()}, Status: RefundPending,
		})
	}
	for i, n := range notes { // each from its own charge first
		left[i] = n.Total().Amount
		refund(i, &receipts[b.receipt(n.Invoice)])
	}
	for i := range notes { // then from the others of the same account
		paid := receipts[b.receipt(notes[i].Invoice)].Account
		for _, n := range notes {
			if r := &receipts[b.receipt(n.Invoice)]; r.Account == paid {
				refund(i, r)
			}
		}
		if left[i] > 0 {
			g.balance.Amount += left[i]
			p.Entries = append(p.Entries, BalanceEntry{
				Key: notes[i].ID, Account: paid, Currency: b.currency(), Amount: left[i], Cause: CauseCreditNote, Document: notes[i].ID,
			})
		}
	}
	return g
}

// spread turns credits into credit notes, one for each invoice and none
// above its invoice's total. Where an earlier invoice paid for a later one
// by a proration credit, the earlier invoice is corrected by that part.
func spread(receipts []Receipt, takes []credit) []CreditNote {
	notes := make([]CreditNote, len(receipts))
	for _, t := range takes {
		at := slices.IndexFunc(receipts, func(r Receipt) bool { return r.ID == t.from.Invoice })
		for i := at; i >= 0 && t.gross() > 0; i-- {
			part := t.upTo(receipts[i].room())
			t.net, t.tax = t.net-part.net, t.tax-part.tax
			receipts[i].Noted += part.gross()
			notes[i].Net, notes[i].Tax = notes[i].Net+part.net, notes[i].Tax+part.tax
		}
	}
	made := notes[:0]
	for i, n := range notes {
		if n.Total().Amount > 0 {
			n.Invoice, n.Line = receipts[i].ID, receipts[i].Service().ID
			made = append(made, n)
		}
	}
	return made
}

// spreadExcess limits the credit notes of a change to the totals of their
// invoices, as spread does.
func (b Snapshot) spreadExcess(excess []CreditNote) []CreditNote {
	receipts := slices.Clone(b.Receipts)
	var held []CreditNote
	for _, n := range excess {
		if b.receipt(n.Invoice) < 0 {
			held = append(held, n)
			continue
		}
		line := PaidLine{Invoice: n.Invoice, Line: Line{ID: n.Line}}
		for _, part := range spread(receipts, []credit{{line, n.Net, n.Tax}}) {
			if part.Line != n.Line {
				part.CreditedLine = n.Line
			}
			part.Currency, part.Reason = n.Currency, n.Reason
			held = append(held, part)
		}
	}
	return held
}

// RefundsAnswered is the changeset of the gateway's answers about pending refunds. If
// a card cannot be refunded, the money goes to the account's balance and the
// operator is told.
func (b Snapshot) RefundsAnswered(refunds []Refund, at time.Time) *Changeset {
	s := b.Subscription
	s.Refunding -= len(refunds)
	p := b.post(s, at, EventRefundConfirmed, EventDetails{})
	p.Refunds = refunds
	confirmed, failed := Money{0, b.currency()}, Money{0, b.currency()}
	for _, r := range refunds {
		if r.Status != RefundFailed {
			confirmed = confirmed.Add(r.Amount)
			continue
		}
		failed = failed.Add(b.keep(p, r))
	}
	p.Events[0] = NewEvent(at, EventRefundConfirmed, EventDetails{Amount: confirmed})
	if !failed.IsZero() {
		p.tellOfFailure(failed, at)
	}
	return p
}

// refundFailed records that a refund which the gateway had confirmed has failed
// after all: once, even if it is reported again. Its credit note stays, since the
// customer has the money, though on the balance.
func (b Snapshot) refundFailed(_ Command, at time.Time) Decision {
	r := b.Returned
	switch r.Status {
	case RefundSucceeded:
	case RefundFailed:
		return Decision{Refusal: refuse(CodeNoChange, "", "this is already recorded")}
	case RefundPending: // the workflow asks the gateway and records the answer
		return Decision{Refusal: refuse(CodeNotPossibleNow, "", "this refund has not been confirmed yet")}
	default:
		return Decision{Refusal: refuse(CodeInvalid, "refund_id", "is no refund of this subscription")}
	}
	r.Status = RefundFailed
	p := b.post(b.Subscription, at, EventRefundFailed, EventDetails{})
	p.Refunds = []Refund{r}
	p.tellOfFailure(b.keep(p, r), at)
	return Decision{Changeset: p}
}

// keep gives the balance of the account that paid what a card did not take back.
func (b Snapshot) keep(p *Changeset, r Refund) Money {
	account := b.Order.BillingAccount
	if i := b.receipt(r.Invoice); i >= 0 {
		account = b.Receipts[i].Account // another one may pay by now
	}
	p.Entries = append(p.Entries, BalanceEntry{
		Key: string(r.ID), Account: account, Currency: r.Amount.Currency, Amount: r.Amount.Amount, Cause: CauseRefund, Document: string(r.ID),
	})
	return r.Amount
}

// tellOfFailure tells the history and the operator what a card did not take.
func (p *Changeset) tellOfFailure(failed Money, at time.Time) {
	p.Events[0] = NewEvent(at, EventRefundFailed, EventDetails{Amount: failed})
	p.Notices = []Notice{{Kind: NoticeRefundFailed, To: RoleOperator, Amount: failed, Until: at, Plan: p.Subscription.Plan}}
}
