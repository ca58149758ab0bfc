package billing

import "time"

// declinesUsedUp tells whether an order has had as many declined payments as
// it may have (docs/rules.md, Buying).
func (b Snapshot) declinesUsedUp() bool { return b.Subscription.Declines >= b.Policy.MaxDeclines }

// Declined is the changeset of a payment that was definitely declined: what it
// had reserved is released. A declined change leaves the subscription as it
// was.
func (b Snapshot) Declined(inv Invoice, r ChargeResult, at time.Time) *Changeset {
	b.Subscription.clearPending(&inv)
	s := b.Subscription
	due := inv.AmountDue()
	var release []BalanceEntry
	if inv.BalanceApplied > 0 {
		release = []BalanceEntry{inv.entry(CauseReleased, inv.BalanceApplied)}
	}
	inv.InFlight, inv.BalanceApplied = "", 0
	outcome := Outcome{
		Code: CodeCardDeclined, Detail: "the card was declined", Invoice: inv.ID,
		Payment: PaymentOutcome{Status: PaymentDeclined, DeclineCode: r.DeclineCode},
	}
	kind, details := EventDeclined, EventDetails{Amount: due, Code: r.DeclineCode}
	declines := 1
	var notices []Notice
	if r.DeclineCode == DeclineRejected { // which is not the card's fault
		kind, details.Code = EventGatewayRejected, r.Rejection
		outcome.Detail = "the payment provider could not be used; the vendor has been informed"
		notices, declines = []Notice{rejectionNotice(r.Rejection, inv.ID, due)}, 0
	}
	// ended is the decline that ends the subscription.
	ended := func(at time.Time) *Changeset {
		p := b.end(at, ReasonPaymentFailed)
		inv.Status = InvoiceVoid
		p.Invoice, p.Void, p.Entries, p.Outcome = &inv, "", release, outcome
		p.Notices = append(p.Notices, notices...)
		return p
	}
	method := "" // where money is owed, the card is kept all the same
	switch {
	case inv.Purpose == ForPurchase && s.AwaitsTransfer(): // the order's invoice by transfer stays open
		inv.Status = InvoiceVoid
		s.Declines += declines
	case inv.Purpose == ForPurchase:
		s.OpenInvoice, s.AwaitsCard, method = inv.ID, false, inv.Method
		s.Declines += declines
	case inv.Purpose == ForConversion:
		return ended(s.TrialEnd)
	case inv.Purpose == ForRenewal:
		s.enterPastDue(inv.ID, at)
		s.Dunning.Hard, s.Dunning.Rejection, method = r.Hard(), r.Rejection, inv.Method
		if deadline := s.Dunning.Deadline(b.Policy); !at.Before(deadline) {
			return ended(deadline)
		}
		next := s.Dunning.nextAttempt(b.Policy)
		kind := NoticePaymentFailed
		if !next.Before(s.Dunning.Deadline(b.Policy)) {
			kind = NoticeFinalNotice
		}
		switch {
		case r.DeclineCode == DeclineAbandoned: // another card is charged instead
		case kind == NoticeFinalNotice || r.DeclineCode != DeclineRejected: // another card would not help
			notices = append(notices, Notice{Kind: kind, To: RoleBilling, InvoiceID: inv.ID, Amount: due, Until: next, Plan: s.Plan})
		}
	default: // a change, a revival, a period ahead: nothing has happened
		inv.Status = InvoiceVoid
	}
	s.HasMethod = s.HasMethod || method != ""
	p := b.post(s, at, kind, details)
	p.Invoice, p.Method, p.Entries, p.Notices, p.Outcome = &inv, method, release, notices, outcome
	return p
}
