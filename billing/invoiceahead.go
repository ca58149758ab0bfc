package billing

import "time"

// invoiceAt is when the next period's invoice is mailed (docs/rules.md, Renewing).
func (s Subscription) invoiceAt(p Policy) time.Time {
	at := s.Period.End.Add(-p.InvoiceAhead[s.Plan.Cycle])
	if at.Before(s.Period.Start) {
		return s.Period.Start
	}
	return at
}

// invoiceNext is the bill of the next period, and its due date: that
// period's start. After an outage the period that contains at is billed,
// with the usual time to pay but no longer than the period. A subscription
// may have several such invoices for one period, one after the other, so the
// revision is part of their key.
func (b Snapshot) invoiceNext(at time.Time) (inv *Invoice, due time.Time) {
	b.Policy.Minimum = nil // it is the gateway's
	s := b.Subscription
	end := s.Period.End
	cause := end.Format(time.RFC3339) + "@" + itoa(s.Revision)
	if at.Before(end) {
		return b.draft(ForPrepaid, cause, at, b.saleAt(s.Anchor, end, end)), end
	}
	inv = b.draft(ForRenewal, cause, at, b.saleAt(s.Anchor, end, at))
	due = at.Add(b.Policy.InvoiceAhead[s.Plan.Cycle])
	if over := inv.Service().Period.End; over.Before(due) {
		due = over
	}
	return inv, due
}

func (b Snapshot) invoiceDue(_ Step, at time.Time) Decision { return b.sendNext(at) }

// sendNext mails the next period's invoice, or pays it if the balance
// is enough.
func (b Snapshot) sendNext(at time.Time) Decision {
	inv, due := b.invoiceNext(at)
	if inv.AmountDue().Amount == 0 {
		return Decision{Bill: inv}
	}
	return Decision{Changeset: b.issue(b.Subscription, *inv, due, at)}
}

// unpaid ends a subscription whose invoice was not paid in time. Its licence
// was valid until the period's end.
func (b Snapshot) unpaid(at time.Time) *Changeset {
	p := b.end(b.Subscription.Period.End, ReasonPaymentFailed)
	for i := range p.CreditNotes {
		p.CreditNotes[i].IssuedAt = at
	}
	return p
}
