package billing

import "time"

// Prepaid tells whether the period after the running one is paid already.
func (s Subscription) Prepaid() bool { return s.PrepaidPeriod != (Period{}) }

// PaidUntil is the end of all that is paid.
func (s Subscription) PaidUntil() time.Time {
	if s.Prepaid() {
		return s.PrepaidPeriod.End
	}
	return s.Period.End
}

// prepay records who paid for the period after the running one.
func (s *Subscription) prepay(p Period, invoice InvoiceID) {
	s.PrepaidPeriod, s.PrepaidInvoice = p, invoice
}

func (s *Subscription) clearPrepaid() { s.prepay(Period{}, "") }

// enterPeriod makes a paid period the running one.
func (s *Subscription) enterPeriod(p Period, invoice InvoiceID) {
	s.Period, s.PaidBy, s.PaidEnd = p, invoice, time.Time{}
}

// restart begins a period from which all later boundaries are counted. It
// takes the place of a prepaid one.
func (s *Subscription) restart(p Period, invoice InvoiceID) {
	s.Anchor = p.Start
	s.enterPeriod(p, invoice)
	s.clearPrepaid()
}

// entered is the subscription in the period that was paid ahead, at the price
// that was announced for it.
func (s Subscription) entered() Subscription {
	s = s.sold(s.Plan, s.priceOf(s.PrepaidPeriod), s.Quantity)
	s.enterPeriod(s.PrepaidPeriod, s.PrepaidInvoice)
	s.clearPrepaid()
	return s
}
