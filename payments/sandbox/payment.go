package sandbox

import (
	"time"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/payments"
)

// The rules of a payment. Everything here works on values that a ledger's
// transaction has read, and is written back by that transaction.

func refuse[S ~string](code string, detail S) error {
	return &payments.Error{Code: code, Detail: string(detail)}
}

// identify makes sure that a request speaks of this payment.
func (p *Payment) identify(r billing.ChargeRequest) error {
	if p.Invoice != r.Invoice || p.Subscription != r.Subscription || p.Customer != r.Customer {
		return refuse(payments.CodeMismatch, p.ID+" is for another invoice, subscription or customer")
	}
	return nil
}

// attempt finds an attempt by its number; nil if it never reached the gateway.
func (p *Payment) attempt(number int) *Attempt {
	for i := range p.Attempts {
		if p.Attempts[i].Number == number {
			return &p.Attempts[i]
		}
	}
	return nil
}

// success is the attempt that moved the money, or nil.
func (p *Payment) success() *Attempt {
	for i := range p.Attempts {
		if p.Attempts[i].Status == billing.PaymentSucceeded {
			return &p.Attempts[i]
		}
	}
	return nil
}

// prepare makes the payment ready for the request's attempt.
func (p *Payment) prepare(r billing.ChargeRequest) error {
	if err := p.identify(r); err != nil {
		return err
	}
	if s := p.success(); s != nil {
		if s.Amount != r.Amount {
			return refuse(payments.CodeAlreadyCharged, p.ID)
		}
		return nil // Charge will say so
	}
	made := p.attempt(r.Attempt)
	switch {
	case r.Attempt < p.Prepared:
		return nil
	case made != nil && made.Amount != r.Amount:
		return refuse(payments.CodeMismatch, p.ID+" made this attempt with another amount")
	case made != nil:
		return nil
	}
	if last := p.attempt(p.Prepared); last != nil && last.Status == billing.PaymentRequiresAction {
		last.Status = abandoned
	}
	p.Prepared, p.Amount = r.Attempt, r.Amount
	return nil
}

// charge makes the request's attempt with the card, or answers what became of
// it. A lost answer is billing.PaymentUnknown.
func (p *Payment) charge(m *Method, r billing.ChargeRequest) (billing.ChargeResult, error) {
	if err := p.identify(r); err != nil {
		return billing.ChargeResult{}, err
	}
	if m.Customer != p.Customer {
		return billing.ChargeResult{}, refuse(payments.CodeMismatch, m.ID+" is another customer's")
	}
	if made := p.attempt(r.Attempt); made != nil && (made.Status != abandoned || r.Attempt == p.Prepared) {
		if made.Method != r.Method || made.Amount != r.Amount {
			return billing.ChargeResult{}, refuse(payments.CodeMismatch, p.ID+" made this attempt with another card or amount")
		}
		return made.result(), nil
	}
	if s := p.success(); s != nil {
		if s.Amount != r.Amount {
			return billing.ChargeResult{}, refuse(payments.CodeAlreadyCharged, p.ID)
		}
		return s.result(), nil
	}
	if r.Attempt != p.Prepared {
		return billing.ChargeResult{}, refuse(payments.CodeWrongAttempt, p.ID+" is prepared for another attempt")
	}
	if r.Amount != p.Amount {
		return billing.ChargeResult{}, refuse(payments.CodeMismatch, p.ID+" is prepared for another amount")
	}

	c, ok := cards[m.Token]
	if !ok || m.Detached {
		return billing.ChargeResult{}, refuse(payments.CodeNotFound, m.ID+" has no card")
	}
	fault := p.Faults < c.faults
	if fault {
		p.Faults++
	}
	if !fault || c.moves {
		a := Attempt{ID: newID("ch"), Number: r.Attempt, Method: m.ID, Amount: r.Amount, At: second(r.At)}
		switch {
		case c.action:
			a.Status, p.Return = billing.PaymentRequiresAction, r.ReturnURL
		case c.decline != "" && (!c.laterDecline || m.Charged > 0):
			a.Status, a.DeclineCode, a.Advice = billing.PaymentDeclined, c.decline, c.advice
		default:
			a.Status = billing.PaymentSucceeded
			m.Charged++
		}
		p.Attempts = append(p.Attempts, a)
		p.tell(told[a.Status], "", a.Amount, a.At)
	}
	if fault {
		return billing.ChargeResult{Status: billing.PaymentUnknown}, nil
	}
	return p.resolve(), nil
}

// told is how the engine is told what became of an attempt, and toldOfDisputes
// of a dispute.
var (
	told = map[billing.PaymentStatus]EventType{
		billing.PaymentSucceeded: EventSucceeded, billing.PaymentDeclined: EventFailed, billing.PaymentRequiresAction: EventWaits,
	}
	toldOfDisputes = map[billing.DisputeStatus]EventType{
		billing.DisputeOpened: EventDisputeOpened, billing.DisputeWon: EventDisputeWon, billing.DisputeLost: EventDisputeLost,
	}
)

// resolve is what became of the attempt prepared last, or of an earlier one
// that succeeded.
func (p *Payment) resolve() billing.ChargeResult {
	a := p.success()
	if a == nil {
		a = p.attempt(p.Prepared)
	}
	if a == nil {
		return billing.ChargeResult{Status: billing.PaymentNotAttempted}
	}
	return a.result()
}

// abandon gives up an attempt that waits for the customer, and says what became
// of the payment.
func (p *Payment) abandon() billing.ChargeResult {
	if a := p.attempt(p.Prepared); a != nil && a.Status == billing.PaymentRequiresAction {
		a.Status = abandoned
	}
	return p.resolve()
}

// settle ends the wait for the customer. Saying the same again is no error.
func (p *Payment) settle(as Attempt) error {
	a := p.attempt(p.Prepared)
	if a != nil && a.Status == as.Status && a.DeclineCode == as.DeclineCode {
		return nil
	}
	if a == nil || a.Status != billing.PaymentRequiresAction {
		return refuse(payments.CodeNoAction, p.ID)
	}
	a.Status, a.DeclineCode, a.Advice = as.Status, as.DeclineCode, as.Advice
	p.tell(told[a.Status], "", a.Amount, a.At)
	return nil
}

// dispute is what a customer and the banks do: a charge is disputed once, and
// settled once.
func (p *Payment) dispute(status billing.DisputeStatus, at time.Time) error {
	s, d := p.success(), p.Dispute
	switch {
	case s == nil, d == nil && status != billing.DisputeOpened, d != nil && d.Status != billing.DisputeOpened:
		return refuse(payments.CodeNoAction, p.ID)
	case d != nil && status == billing.DisputeOpened:
		return nil
	case d == nil:
		d = &Dispute{ID: newID("dp")}
	}
	p.Dispute = &Dispute{d.ID, status}
	p.tell(toldOfDisputes[status], d.ID, s.Amount, at)
	return nil
}

// refund gives back what a credit note says, unless it has been given.
func (p *Payment) refund(r billing.RefundRequest) error {
	if p.Invoice != r.Invoice {
		return refuse(payments.CodeMismatch, p.ID+" is for another invoice")
	}
	if given := p.given(r.CreditNote); given != nil {
		if given.Amount != r.Amount {
			return refuse(payments.CodeMismatch, r.CreditNote+" was refunded with another amount")
		}
		return nil
	}
	s := p.success()
	if d := p.Dispute; d != nil && d.Status != billing.DisputeWon {
		return refuse(payments.CodeNotRefundable, p.ID+" is disputed")
	}
	if s == nil || s.Amount.Currency != r.Amount.Currency || r.Amount.Amount > s.Amount.Amount-p.refunded().Amount {
		return refuse(payments.CodeNotRefundable, p.ID)
	}
	p.Refunds = append(p.Refunds, Refund{CreditNote: r.CreditNote, Amount: r.Amount, At: second(r.At)})
	p.tell(EventRefunded, "", r.Amount, r.At)
	return nil
}

// given is the refund of a credit note, or nil.
func (p *Payment) given(note billing.RefundID) *Refund {
	for i := range p.Refunds {
		if p.Refunds[i].CreditNote == note {
			return &p.Refunds[i]
		}
	}
	return nil
}

// failRefund is what a customer's bank does that cannot book a refund: the money
// comes back to the vendor. Saying the same again is no error.
func (p *Payment) failRefund(note billing.RefundID, at time.Time) error {
	r := p.given(note)
	if r == nil {
		return refuse(payments.CodeNoAction, p.ID)
	}
	if !r.Failed {
		r.Failed = true
		p.tell(EventRefundFailed, "", r.Amount, at)
	}
	return nil
}

// refunded is what has been given back, in the currency of the payment.
func (p *Payment) refunded() billing.Money {
	sum := billing.Money{Currency: p.Amount.Currency}
	for _, r := range p.Refunds {
		if !r.Failed {
			sum = sum.Add(r.Amount)
		}
	}
	return sum
}

func (a Attempt) result() billing.ChargeResult {
	if a.Status == abandoned {
		return billing.ChargeResult{Status: billing.PaymentDeclined, DeclineCode: billing.DeclineAbandoned, Advice: billing.AdviceNeedsCustomer}
	}
	return billing.ChargeResult{Status: a.Status, DeclineCode: a.DeclineCode, Advice: a.Advice}
}

func second(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
