package billing

import "time"

// Command is a command on a subscription. It is stored in workflow
// histories, so it names its request row and holds nothing personal.
type Command struct {
	Action  Action    `json:"action,omitempty"`
	Request RequestID `json:"request,omitempty"` // req_…; empty for a signal: nobody waits for an answer

	// Purchases only: no money moves after this instant of real time. Zero: its
	// address has not been confirmed, and it is not sent.
	NotAfter time.Time `json:"not_after,omitzero"`

	// Changes only; of a scheduled one without the proration_time.
	Plan              string    `json:"plan,omitempty"` // plan id
	Quantity          int64     `json:"quantity,omitempty"`
	ProrationTime     time.Time `json:"proration_time,omitzero"`
	ExpectedAmountDue *int64    `json:"expected_amount_due,omitempty"`

	// An operator's only: mark-paid, refund and cancel-now. The reference stays in
	// the request row.
	Invoice   InvoiceID   `json:"invoice,omitempty"`
	Amount    *int64      `json:"amount,omitempty"` // minor units of the invoice's currency; a refund's with its tax, nil: all that is left
	ValueDate time.Time   `json:"value_date,omitzero"`
	Reference string      `json:"-"`
	Refund    RefundScope `json:"refund,omitempty"`
	// Disputes only.
	Dispute Dispute `json:"dispute,omitzero"`
	// Refunds that failed only: re_….
	RefundID RefundID `json:"refund_id,omitempty"`
	// Migrations only: the plan's newest price.
	Price Price `json:"price,omitzero"`
}

// Cause names what an attempt at a payment was made for: the request, or for
// a signal the revision that it was handled at.
func (c Command) Cause(revision int64) string {
	if c.Request != "" {
		return string(c.Request)
	}
	return string(c.Action) + "@" + itoa(revision)
}

// Cause names what an attempt at a payment was made for.
func (s Step) Cause() string { return string(s.Kind) + "@" + s.At.Format(time.RFC3339) }

// Outcome is what became of a command. Code is empty where it was done.
type Outcome struct {
	Code    Code           `json:"code,omitempty"`
	Field   string         `json:"field,omitempty"`
	Detail  string         `json:"detail,omitempty"`
	Invoice InvoiceID      `json:"invoice,omitempty"`
	Payment PaymentOutcome `json:"payment,omitzero"`
}

// PaymentOutcome is the payment's part of an Outcome; zero where no payment
// was asked for.
type PaymentOutcome struct {
	Status      PaymentStatus `json:"status,omitempty"`
	DeclineCode string        `json:"decline_code,omitempty"`
}

// Decision is the result of a command or a due step: a refusal, a complete
// changeset, or a bill that must be charged first.
type Decision struct {
	Refusal   *Error
	Changeset *Changeset
	Bill      *Invoice
}
