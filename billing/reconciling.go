package billing

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Moved is what a gateway says that it has moved, by its own list.
type Moved struct {
	Charges  []MovedCharge // that succeeded
	Prepared []MovedCharge // that did not, or not yet; only where the gateway does not find them by their invoice
	Refunds  []MovedRefund
}

// Within are the charges and refunds of [from, to), and refunds that have failed at
// any time: what a comparison of that time needs the books of.
func (m Moved) Within(from, to time.Time) (w Moved) {
	when := Period{from, to}
	for _, c := range m.Charges {
		if when.Contains(c.At) {
			w.Charges = append(w.Charges, c)
		}
	}
	for _, r := range m.Refunds {
		if r.Status == RefundFailed || when.Contains(r.At) {
			w.Refunds = append(w.Refunds, r)
		}
	}
	return w
}

// MovedCharge is a charge by the gateway's books. Invoice and Subscription are
// what it was told; empty: the engine did not ask for the charge.
type MovedCharge struct {
	Charge       ChargeID // the gateway's reference, as an invoice keeps it
	Invoice      InvoiceID
	Subscription SubscriptionID
	Customer     string // the gateway's reference
	Method       string // the gateway's reference of the card
	Amount       Money
	At           time.Time
}

// MovedRefund is a refund with any outcome.
type MovedRefund struct {
	Refund  RefundID // re_…, what the gateway was told; empty: the engine did not ask for it
	Charge  ChargeID // the gateway's reference
	Invoice InvoiceID
	Amount  Money
	Status  RefundStatus
	At      time.Time
}

// Books are the invoices and refunds that a time's money may be about, by id.
type Books struct {
	Invoices map[InvoiceID]Invoice
	Refunds  map[RefundID]BookedRefund
}

// BookedRefund is a refund with the instant at which it was begun.
type BookedRefund struct {
	Refund
	Subscription SubscriptionID
	At           time.Time
}

// DifferenceKind says how a gateway's list and the books differ.
type DifferenceKind string

const (
	ChargeUnknown  DifferenceKind = "charge_unknown"  // charged, for no invoice of ours
	ChargeUnbooked DifferenceKind = "charge_unbooked" // charged, and the invoice is not paid, or not by this charge
	ChargeTwice    DifferenceKind = "charge_twice"    // charged more than once for one invoice
	ChargeAmount   DifferenceKind = "charge_amount"   // charged another amount
	ChargeMissing  DifferenceKind = "charge_missing"  // paid by card, and not charged
	RefundUnknown  DifferenceKind = "refund_unknown"  // given back, and the books have no such refund
	RefundUnbooked DifferenceKind = "refund_unbooked" // given back, and the books say that it was not, or not yet
	RefundAmount   DifferenceKind = "refund_amount"   // gave another amount back
	RefundMissing  DifferenceKind = "refund_missing"  // the books say that it was given back, and it was not
)

// Difference is one difference between a gateway's list and the books. Booked is
// what the books say, Moved what the gateway says; nil where one says nothing.
type Difference struct {
	Kind         DifferenceKind `json:"kind"`
	Subscription SubscriptionID `json:"subscription_id,omitempty"`
	Invoice      InvoiceID      `json:"invoice_id,omitempty"`
	Charge       ChargeID       `json:"charge,omitempty" doc:"The gateway's reference."`
	Refund       RefundID       `json:"refund_id,omitempty"`
	Booked       *Money         `json:"booked"`
	Moved        *Money         `json:"moved"`
}

// String is a line for people: "charge_amount: inv_…, pi_…: booked 9.90 USD,
// moved 9.80 USD (sub_…)".
func (d Difference) String() string {
	var of, amounts []string
	for _, id := range []string{string(d.Invoice), string(d.Charge), string(d.Refund)} {
		if id != "" {
			of = append(of, id)
		}
	}
	if d.Booked != nil {
		amounts = append(amounts, "booked "+d.Booked.String())
	}
	if d.Moved != nil {
		amounts = append(amounts, "moved "+d.Moved.String())
	}
	s := string(d.Kind) + ": " + strings.Join(of, ", ") + ": " + strings.Join(amounts, ", ")
	if d.Subscription != "" {
		s += " (" + string(d.Subscription) + ")"
	}
	return s
}

// ReconcileMargin is by how much a gateway's instant of a payment and that of
// the books may lie apart: an invoice is prepared long before its last retry.
const ReconcileMargin = 31 * day

// Reconcile compares what a gateway has moved in [from, to) with the books, and
// what the books say of that time with what it has moved. The gateway's list comes
// with a margin of ReconcileMargin around it, which is compared but not reported.
func Reconcile(moved Moved, books Books, from, to time.Time) []Difference {
	list := append(chargesDiffer(moved.Charges, books.Invoices, from, to), refundsDiffer(moved.Refunds, books, from, to)...)
	slices.SortFunc(list, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(a.Subscription, b.Subscription), cmp.Compare(a.Invoice, b.Invoice),
			cmp.Compare(a.Charge, b.Charge), cmp.Compare(a.Refund, b.Refund), cmp.Compare(a.Kind, b.Kind))
	})
	return list
}

func chargesDiffer(charges []MovedCharge, invoices map[InvoiceID]Invoice, from, to time.Time) (list []Difference) {
	when := Period{from, to}
	made, times := map[ChargeID]bool{}, map[InvoiceID]int{}
	for _, c := range charges {
		made[c.Charge] = true
		times[c.Invoice]++
	}
	for _, c := range charges {
		if !when.Contains(c.At) {
			continue
		}
		inv, known := invoices[c.Invoice]
		d := Difference{Subscription: cmp.Or(inv.Subscription, c.Subscription), Invoice: c.Invoice, Charge: c.Charge, Moved: &c.Amount}
		due := inv.AmountDue()
		switch {
		case !known:
			d.Kind = ChargeUnknown
		case times[c.Invoice] > 1:
			d.Kind, d.Booked = ChargeTwice, &due
		case inv.Status != InvoicePaid || inv.Charge != c.Charge:
			d.Kind = ChargeUnbooked
		case due != c.Amount:
			d.Kind, d.Booked = ChargeAmount, &due
		default:
			continue
		}
		list = append(list, d)
	}
	for _, inv := range invoices {
		due := inv.AmountDue()
		byCard := inv.Status == InvoicePaid && inv.Method != "" && due.Amount > 0
		if byCard && when.Contains(inv.PaidAt) && !made[inv.Charge] {
			list = append(list, Difference{Kind: ChargeMissing, Subscription: inv.Subscription, Invoice: inv.ID, Charge: inv.Charge, Booked: &due})
		}
	}
	return list
}

func refundsDiffer(refunds []MovedRefund, books Books, from, to time.Time) (list []Difference) {
	when := Period{from, to}
	given := map[RefundID]bool{}
	for _, r := range refunds {
		given[r.Refund] = given[r.Refund] || r.Status != RefundFailed
		if !when.Contains(r.At) || r.Status == RefundFailed {
			continue
		}
		b, known := books.Refunds[r.Refund]
		d := Difference{
			Subscription: cmp.Or(b.Subscription, books.Invoices[r.Invoice].Subscription), Invoice: cmp.Or(b.Invoice, r.Invoice), Charge: r.Charge, Refund: r.Refund, Moved: &r.Amount,
		}
		switch {
		case !known:
			d.Kind = RefundUnknown
		case b.Amount != r.Amount:
			d.Kind, d.Booked = RefundAmount, &b.Amount
		case b.Status == RefundFailed, b.Status == RefundPending && r.Status == RefundSucceeded:
			d.Kind = RefundUnbooked
		default:
			continue
		}
		list = append(list, d)
	}
	for id, b := range books.Refunds {
		if b.Status == RefundSucceeded && when.Contains(b.At) && !given[id] {
			list = append(list, Difference{Kind: RefundMissing, Subscription: b.Subscription, Invoice: b.Invoice, Charge: b.Charge, Refund: id, Booked: &b.Amount})
		}
	}
	return list
}

// FailedSince are the refunds that the gateway says have failed, and the books
// that they have succeeded: this is not recorded yet.
func FailedSince(moved Moved, books Books) (failed []MovedRefund) {
	for _, r := range moved.Refunds {
		if r.Status == RefundFailed && books.Refunds[r.Refund].Status == RefundSucceeded {
			failed = append(failed, r)
		}
	}
	return failed
}
