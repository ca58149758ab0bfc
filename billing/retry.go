package billing

import (
	"slices"
	"time"
)

// Dunning is the course of a declined renewal (docs/rules.md, When a payment
// fails).
type Dunning struct {
	FirstFailure time.Time `json:"first_failure"`
	LastAttempt  time.Time `json:"last_attempt"`
	Hard         bool      `json:"hard,omitempty"`      // only a new method can help
	Rejection    string    `json:"rejection,omitempty"` // the gateway's code, if it rejected our call: see rejection.go
}

// Deadline is when the subscription ends unpaid: the first failure plus the
// last interval, regardless of what happened in between.
func (d Dunning) Deadline(p Policy) time.Time {
	return d.FirstFailure.Add(p.RetryAfter[len(p.RetryAfter)-1])
}

// enterPastDue records a failed attempt to collect a renewal's invoice. The
// first failure starts the schedule of retries.
func (s *Subscription) enterPastDue(invoice InvoiceID, at time.Time) {
	if s.Status != PastDue {
		s.Status, s.Dunning = PastDue, Dunning{FirstFailure: at}
	}
	s.Dunning.LastAttempt, s.OpenInvoice = at, invoice
}

// nextAttempt is the first retry after the last attempt, so that retries
// missed in an outage become one. After a hard decline there is only the
// deadline.
func (d Dunning) nextAttempt(p Policy) time.Time {
	if !d.Hard {
		for _, after := range p.RetryAfter {
			if at := d.FirstFailure.Add(after); at.After(d.LastAttempt) {
				return at
			}
		}
	}
	return d.Deadline(p)
}

// hardDeclines are not retried with the same card.
var hardDeclines = []string{
	"incorrect_number", "lost_card", "pickup_card", "stolen_card",
	"revocation_of_authorization", "revocation_of_all_authorizations",
	"authentication_required", "highest_risk_level", "transaction_not_allowed",
}

// Hard tells whether charging the same card again is pointless.
func (r ChargeResult) Hard() bool {
	return r.Advice == AdviceNever || r.Advice == AdviceNewMethod || r.Advice == AdviceNeedsCustomer ||
		slices.Contains(hardDeclines, r.DeclineCode)
}

// retry charges a declined renewal again. After an outage the invoice is
// computed again for the period that contains at. At the deadline, a hard
// decline, which no retry can cure, ends the subscription.
func (b Snapshot) retry(_ Step, at time.Time) Decision {
	s := b.Subscription
	deadline := s.Dunning.Deadline(b.Policy)
	if b.Open == nil || s.Dunning.Hard && !at.Before(deadline) {
		return Decision{Changeset: b.end(deadline, ReasonPaymentFailed)}
	}
	return b.collectOrFail(b.owed(at), at)
}

// owed is a declined renewal's invoice as of an instant, at its original
// price.
func (b Snapshot) owed(at time.Time) *Invoice {
	s := b.Subscription
	sale := b.saleAt(s.Anchor, s.Period.End, at)
	sale.Price = b.Open.Service().Price
	return b.rebuild(*b.Open, sale)
}

// collectOrFail is collect for charges that nobody asked for just now: a
// missing card is a failed payment, not a refusal.
func (b Snapshot) collectOrFail(inv *Invoice, at time.Time) Decision {
	d := b.collect(inv)
	if d.Refusal == nil {
		return d
	}
	inv.BalanceApplied = 0 // nothing was reserved
	return Decision{Changeset: b.Declined(*inv, ChargeResult{
		Status: PaymentDeclined, DeclineCode: string(CodeNoPaymentMethod), Advice: AdviceNewMethod,
	}, at)}
}
