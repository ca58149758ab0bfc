package billing

import (
	"fmt"
	"time"

	"github.com/okviz/licensing/licensing"
)

// Purpose is what an invoice is for. Together with the boundary or request
// that caused it, it forms the invoice's key: there is one invoice per
// cause.
type Purpose string

const (
	ForPurchase   Purpose = "purchase"
	ForConversion Purpose = "conversion" // a trial's end, with a card
	ForRenewal    Purpose = "renewal"
	ForPrepaid    Purpose = "prepaid" // the next period, paid early
	ForChange     Purpose = "change"
	ForRevival    Purpose = "revival"
)

// InvoiceStatus is an invoice's status. A draft has no number and may be
// recomputed; every other invoice is never edited (docs/rules.md, Money).
type InvoiceStatus string

const (
	InvoiceDraft InvoiceStatus = "draft"
	InvoiceOpen  InvoiceStatus = "open" // numbered and mailed, to be paid by transfer
	InvoicePaid  InvoiceStatus = "paid"
	InvoiceVoid  InvoiceStatus = "void"
)

// LineKind is what a line is.
type LineKind string

const (
	LineService LineKind = "service"
	LineSkipped LineKind = "skipped" // a period that nobody charged in time: zero
	LineCredit  LineKind = "credit"  // the unused part of an earlier line; negative
	LineWaiver  LineKind = "waiver"  // too little for the gateway to charge; negative
)

// Line is one line of an invoice, in minor units of the invoice's currency,
// always without tax. Net is Amount less Discount.
type Line struct {
	ID          string   `json:"id"` // invoice id and position
	Kind        LineKind `json:"kind"`
	Description string   `json:"description"`
	Quantity    int64    `json:"quantity"`
	Amount      int64    `json:"amount"`
	Discount    int64    `json:"discount,omitempty"`
	Tax         int64    `json:"tax"`
	Period      Period   `json:"period,omitzero"`

	Plan         PlanRef `json:"plan,omitzero"`  // service: what was sold
	Price        Price   `json:"price,omitzero"` // service
	CreditedLine string  `json:"credited_line,omitempty"`
	// Recurring is the net price of the period without what a coupon takes off for
	// a time: what each later one costs in the long run. Service only.
	Recurring int64 `json:"recurring,omitempty"`
}

// Net is the line's amount after discount, without tax.
func (l Line) Net() int64 { return l.Amount - l.Discount }

// Invoice is a bill. Subtotal is the sum of the lines' amounts;
// Subtotal − Discount + Tax = Total; Total − BalanceApplied = AmountDue.
type Invoice struct {
	ID           InvoiceID      `json:"id"`
	Key          string         `json:"key"` // unique: subscription, purpose and cause
	Number       string         `json:"number,omitempty"`
	Former       string         `json:"former,omitempty"` // the number that another system gave it: it has none of ours
	Status       InvoiceStatus  `json:"status"`
	Purpose      Purpose        `json:"purpose"`
	Subscription SubscriptionID `json:"subscription"`
	Account      AccountID      `json:"account"`
	Currency     string         `json:"currency"`
	Lines        []Line         `json:"lines"`
	TaxNote      string         `json:"tax_note,omitempty"`
	Coupon       string         `json:"coupon,omitempty"` // that has lowered it
	Guest        bool           `json:"guest,omitempty"`  // made without what the account has

	// Details is the number of the billing details that it is addressed to: see
	// Order.BilledTo.
	Details int `json:"details,omitempty"`

	BalanceApplied int64 `json:"balance_applied"` // reserved while a draft, used up once paid

	// Excess is what a change credits beyond the new price: credit notes that
	// are issued with the invoice.
	Excess []CreditNote `json:"excess,omitempty"`

	IssuedAt time.Time `json:"issued_at,omitzero"`
	DueAt    time.Time `json:"due_at,omitzero"`
	PaidAt   time.Time `json:"paid_at,omitzero"`

	// The gateway's side. The reference is stored before money may move.
	// Attempt is raised only after a definite decline. InFlight is the cause
	// of an attempt whose outcome is not on file yet.
	Gateway  string   `json:"gateway,omitempty"`
	Charge   ChargeID `json:"charge,omitempty"`
	Method   string   `json:"method,omitempty"`
	Attempt  int      `json:"attempt,omitempty"`
	InFlight string   `json:"in_flight,omitempty"`
	// Waits: the attempt's outcome is still to come, from the customer or from the
	// gateway (see PendingPayment).
	Waits bool `json:"waits,omitempty"`
	// ActionURL is the bank's page on which the customer confirms, while the
	// payment waits for that. It may be a credential, so it is stored
	// nowhere else.
	ActionURL string `json:"action_url,omitempty"`
}

func (inv Invoice) sum(part func(Line) int64) Money {
	var total int64
	for _, l := range inv.Lines {
		total += part(l)
	}
	return Money{total, inv.Currency}
}

// Subtotal is the lines' sum before discounts, without tax.
func (inv Invoice) Subtotal() Money { return inv.sum(func(l Line) int64 { return l.Amount }) }

// Discount is what the discounts take off; positive.
func (inv Invoice) Discount() Money { return inv.sum(func(l Line) int64 { return l.Discount }) }

// Tax is the lines' tax.
func (inv Invoice) Tax() Money { return inv.sum(func(l Line) int64 { return l.Tax }) }

// Total is the sum of the bill, with tax.
func (inv Invoice) Total() Money { return inv.Subtotal().Sub(inv.Discount()).Add(inv.Tax()) }

// AmountDue is what is to be paid after the balance.
func (inv Invoice) AmountDue() Money {
	return inv.Total().Sub(Money{inv.BalanceApplied, inv.Currency})
}

// Service is the line of the service that the invoice sells.
func (inv Invoice) Service() Line {
	for _, l := range inv.Lines {
		if l.Kind == LineService {
			return l
		}
	}
	return Line{}
}

// Credit is what change credits take off, here and as credit notes, without
// tax; positive.
func (inv Invoice) Credit() Money {
	credit := Money{0, inv.Currency}
	for _, l := range inv.Lines {
		if l.Kind == LineCredit {
			credit.Amount -= l.Amount
		}
	}
	for _, n := range inv.Excess {
		credit.Amount += n.Net
	}
	return credit
}

// Waived is what a waiver took off the service line, net and tax. Nobody
// paid it, so it is drawn from the line's remainder from the start.
func (inv Invoice) Waived() (net, tax int64) {
	service, waived := inv.Service(), int64(0)
	for _, l := range inv.Lines {
		if l.Kind == LineWaiver {
			waived -= l.Amount
		}
	}
	if waived == 0 {
		return 0, 0
	}
	net = min(service.Net(), mulDiv(waived, service.Net(), service.Net()+service.Tax))
	return net, min(service.Tax, waived-net)
}

// PaidLine is a service line of a paid invoice with what has been drawn from it:
// its one refundable remainder is Net − Credited (docs/rules.md, Changing plan).
type PaidLine struct {
	Invoice     InvoiceID
	Line        Line
	Credited    int64
	CreditedTax int64
}

// pays tells whether the line is what paid for a period: the invoice's that is
// known to have, and no other's of the same instants.
func (s PaidLine) pays(p Period, invoice InvoiceID) bool {
	return s.Line.Period == p && (invoice == "" || invoice == s.Invoice)
}

// Remainder is what may still be credited or refunded, without tax.
func (s PaidLine) Remainder() int64 { return s.Line.Net() - s.Credited }

// taxOn is the tax that belongs to the next net units drawn: the share of
// the line's tax up to there, minus what was drawn before, so that the tax
// of all credit notes together never exceeds the line's.
func (s PaidLine) taxOn(net int64) int64 {
	if s.Line.Net() == 0 {
		return 0
	}
	return max(0, mulDiv(s.Line.Tax, s.Credited+net, s.Line.Net())-s.CreditedTax)
}

// CreditNote corrects a numbered invoice, and never by more than its total.
// Total goes back to the card or to the account's balance.
type CreditNote struct {
	ID           string    `json:"id"`
	Number       string    `json:"number,omitempty"`
	Invoice      InvoiceID `json:"invoice"`
	Line         string    `json:"line"`
	CreditedLine string    `json:"credited_line,omitempty"` // the sold line, where that is a later invoice's
	Currency     string    `json:"currency"`
	Net          int64     `json:"net"`
	Tax          int64     `json:"tax"`
	Reason       string    `json:"reason"` // "change", "void", "refund", "money_back"
	IssuedAt     time.Time `json:"issued_at,omitzero"`
}

// ReasonVoid is the reason of a note for the whole of an invoice that was mailed
// and never paid: it gives nothing back.
const ReasonVoid = "void"

// Total is what the note gives back, tax included.
func (n CreditNote) Total() Money { return Money{n.Net + n.Tax, n.Currency} }

// sale is what a bill is made of.
type sale struct {
	Product  Product
	Plan     PlanRef
	Price    Price
	Quantity int64
	Period   Period
	Skipped  Period // what an outage left uncharged before Period
	Tax      Tax
	Standing int64 // the account's discount, percent
	Discount Discount
	Credits  []credit
}

// credit takes net units back from a line that was sold, and their tax.
type credit struct {
	from PaidLine
	net  int64
	tax  int64
}

// bill computes the lines of a sale in the order of docs/rules.md: price ×
// quantity, minus discounts, minus credits, then tax line by line. Credit
// beyond the new price becomes credit notes, so the total is never negative.
func (s sale) bill() (lines []Line, excess []CreditNote) {
	gross := s.Price.Money.Times(s.Quantity)
	whole, _ := s.Tax.split(gross, s.Price.Tax)
	net, tax := s.Tax.split(gross.Sub(off(gross, s.Standing, s.Discount)), s.Price.Tax)
	recurring, _ := s.Tax.split(gross.Sub(off(gross, s.Standing, s.Discount.forEver())), s.Price.Tax)
	if !s.Skipped.Start.IsZero() {
		lines = append(lines, Line{
			Kind: LineSkipped, Quantity: s.Quantity, Period: s.Skipped,
			Description: s.Product.Name + ": not charged for this time",
		})
	}
	lines = append(lines, Line{
		Kind: LineService, Description: describe(s.Product, s.Plan), Quantity: s.Quantity,
		Amount: whole.Amount, Discount: whole.Amount - net.Amount, Tax: tax.Amount, Period: s.Period, Plan: s.Plan, Price: s.Price, Recurring: recurring.Amount,
	})
	room := net.Add(tax).Amount // what credits may still take off, tax included
	for _, c := range s.Credits {
		cnet, ctax := c.net, c.tax
		if cnet == 0 {
			continue
		}
		over := max(0, cnet+ctax-room)
		if over > 0 { // the part that the new price can take, tax and all
			fits := mulDiv(cnet, room, cnet+ctax)
			note := CreditNote{
				Invoice: c.from.Invoice, Line: c.from.Line.ID, Currency: s.Price.Currency,
				Net: cnet - fits, Tax: over - (cnet - fits), Reason: "change",
			}
			cnet, ctax = fits, room-fits
			excess = append(excess, note)
		}
		if cnet == 0 && ctax == 0 {
			continue // all of it became a credit note
		}
		room -= cnet + ctax
		lines = append(lines, Line{
			Kind: LineCredit, Description: "Unused time: " + c.from.Line.Description, Quantity: 1,
			Amount: -cnet, Tax: -ctax, Period: c.from.Line.Period, CreditedLine: c.from.Line.ID,
		})
	}
	return lines, excess
}

// applyBalance applies the balance to a draft, and waives what is left if it is
// too small to charge. It may be called again with another balance.
func (inv Invoice) applyBalance(balance Money, p Policy) Invoice {
	kept := make([]Line, 0, len(inv.Lines)+1)
	for _, l := range inv.Lines {
		if l.Kind != LineWaiver {
			kept = append(kept, l)
		}
	}
	inv.Lines = kept
	inv.BalanceApplied = min(balance.Amount, inv.Total().Amount)
	if due := inv.AmountDue().Amount; due > 0 && due < p.Minimum[inv.Currency] {
		inv.Lines = append(inv.Lines, Line{
			Kind: LineWaiver, Description: "Too small to charge: waived", Quantity: 1, Amount: -due,
		})
	}
	inv.identify()
	return inv
}

// identify gives lines their ids.
func (inv *Invoice) identify() {
	for i := range inv.Lines {
		inv.Lines[i].ID = fmt.Sprintf("%s.%d", inv.ID, i+1)
	}
}

// describe names a plan of a product on a document.
func describe(p Product, plan PlanRef) string {
	what := map[licensing.Type]string{licensing.Users: "users", licensing.Capacity: "capacity", licensing.Site: "site licence"}[plan.Type]
	if plan.Tier != "" {
		what += " " + plan.Tier
	}
	per := map[Cycle]string{Monthly: "monthly", Yearly: "yearly", ThreeYears: "three years"}[plan.Cycle]
	return p.Name + ", " + what + ", " + per
}
