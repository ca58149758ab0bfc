package billing

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Ledger is all that has moved an account's money.
type Ledger struct {
	Invoices []Invoice // numbered ones
	Notes    []CreditNote
	Refunds  []PostedRefund
	Entries  []PostedEntry
}

// PostedRefund is a refund with the time at which it was asked for.
type PostedRefund struct {
	Refund
	At time.Time
}

// MovementKind is what a row of a statement tells.
type MovementKind string

const (
	MovedByInvoice    MovementKind = "invoice"
	MovedByPayment    MovementKind = "payment"
	MovedByCreditNote MovementKind = "credit_note"
	MovedByRefund     MovementKind = "refund"          // to the card
	MovedByReturn     MovementKind = "refund_returned" // which the card did not take
	MovedByChargeback MovementKind = "chargeback"      // a lost dispute took it
	MovedByMovingIn   MovementKind = "moved_in"        // what another system owed; of no document
)

// Movement is a row of a statement. Amount is positive where more is owed to the
// vendor, and Balance what is owed after it.
type Movement struct {
	At       time.Time
	Kind     MovementKind
	Document string // the number of the invoice or the credit note; empty: of neither
	Amount   Money
	Balance  Money
}

// AccountStatement is what moved an account's money in [From, To), in one currency.
// What is owed to the vendor is positive; a negative balance is the account's.
type AccountStatement struct {
	Currency string
	From, To time.Time
	Opening  Money
	Rows     []Movement
	Closing  Money
}

// Currencies are those in which money has moved, by their codes.
func (b Ledger) Currencies() []string {
	var list []string
	for _, inv := range b.Invoices {
		list = append(list, inv.Currency)
	}
	for _, e := range b.Entries {
		list = append(list, e.Currency)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// movements are the rows of all time, in their order. The closing balance is
// always what open invoices wait for, less the account's balance and what drafts
// have reserved of it.
func (b Ledger) movements(currency string) []Movement {
	var rows []Movement
	add := func(at time.Time, kind MovementKind, document string, amount int64) {
		if amount != 0 {
			rows = append(rows, Movement{At: at.UTC(), Kind: kind, Document: document, Amount: Money{amount, currency}})
		}
	}
	numbers, byTransfer := map[InvoiceID]string{}, map[InvoiceID]bool{}
	for _, e := range b.Entries {
		if e.Cause == CausePayment {
			byTransfer[InvoiceID(e.Document)] = true
		}
	}
	for _, inv := range b.Invoices {
		if numbers[inv.ID] = inv.Number; inv.Currency != currency {
			continue
		}
		add(inv.IssuedAt, MovedByInvoice, inv.Number, inv.Total().Amount)
		if inv.Status == InvoicePaid && !byTransfer[inv.ID] {
			add(inv.PaidAt, MovedByPayment, inv.Number, -inv.AmountDue().Amount)
		}
	}
	for _, n := range b.Notes {
		if n.Currency != currency {
			continue
		}
		add(n.IssuedAt, MovedByCreditNote, n.Number, -n.Total().Amount)
		if n.Reason == ReasonDispute {
			add(n.IssuedAt, MovedByChargeback, numbers[n.Invoice], n.Total().Amount)
		}
	}
	refunded := map[string]string{} // refunds to numbers of invoices
	for _, r := range b.Refunds {
		if refunded[string(r.ID)] = numbers[r.Invoice]; r.Amount.Currency == currency {
			add(r.At, MovedByRefund, numbers[r.Invoice], r.Amount.Amount)
		}
	}
	for _, e := range b.Entries {
		if e.Currency != currency {
			continue
		}
		switch e.Cause {
		case CauseTransfer:
			add(e.At, MovedByPayment, numbers[InvoiceID(e.Document)], -e.Amount)
		case CauseMovedIn:
			add(e.At, MovedByMovingIn, "", -e.Amount)
		case CauseRefund:
			add(e.At, MovedByReturn, refunded[e.Document], -e.Amount)
		default: // moves money between documents and the balance, which is one sum here
		}
	}
	order := []MovementKind{MovedByMovingIn, MovedByInvoice, MovedByPayment, MovedByCreditNote, MovedByRefund, MovedByReturn, MovedByChargeback}
	slices.SortStableFunc(rows, func(x, y Movement) int {
		return cmp.Or(x.At.Compare(y.At), cmp.Compare(slices.Index(order, x.Kind), slices.Index(order, y.Kind)), strings.Compare(x.Document, y.Document))
	})
	return rows
}

// Statement is what moved the account's money in [from, to), in one currency.
func (b Ledger) Statement(currency string, from, to time.Time) AccountStatement {
	s := AccountStatement{Currency: currency, From: from, To: to, Opening: Money{0, currency}, Rows: []Movement{}}
	balance := Money{0, currency}
	for _, m := range b.movements(currency) {
		if !m.At.Before(to) {
			break
		}
		balance = balance.Add(m.Amount)
		if m.At.Before(from) {
			s.Opening = balance
			continue
		}
		m.Balance = balance
		s.Rows = append(s.Rows, m)
	}
	s.Closing = balance
	return s
}
