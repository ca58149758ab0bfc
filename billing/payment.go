package billing

import "time"

// PaymentStatus is what became of a payment, as gateways and the API say it.
type PaymentStatus string

const (
	PaymentSucceeded      PaymentStatus = "succeeded"
	PaymentDeclined       PaymentStatus = "declined"
	PaymentRequiresAction PaymentStatus = "requires_action" // the bank asks for the customer
	PaymentProcessing     PaymentStatus = "processing"      // the gateway works on it and will say
	PaymentPending        PaymentStatus = "pending"         // an invoice is out, to be paid by transfer
	PaymentUnknown        PaymentStatus = "unknown"         // no answer: it may have happened
	PaymentNotAttempted   PaymentStatus = "not_attempted"   // prepared, and certainly nothing moved
)

// Advice is what a gateway says may help after a decline.
type Advice string

const (
	AdviceRetryLater    Advice = "retry_later"
	AdviceNewMethod     Advice = "new_method"
	AdviceNeedsCustomer Advice = "needs_customer"
	AdviceNever         Advice = "never"
	AdviceOperator      Advice = "operator" // the gateway rejected our call: see rejection.go
)

// FormRequest asks for a form for a card.
type FormRequest struct {
	ID       string // frm_…, the engine's: one form per id
	Customer string // the gateway's reference, from EnsureCustomer
	Done     string // absolute URL to which the customer comes back with a card
	Back     string // and without one
}

// Form is where a customer gives a card.
type Form struct {
	Ref string // the gateway's reference
	URL string // of its page
}

// ChargeRequest asks a gateway for the money of one invoice. Amount is above
// zero.
type ChargeRequest struct {
	Invoice      InvoiceID      // inv_…: one successful charge at most
	Subscription SubscriptionID // sub_…
	Customer     string         // the gateway's reference, from EnsureCustomer
	Method       string         // the gateway's reference of the stored card
	Amount       Money
	Attempt      int       // raised only after a definite decline
	OffSession   bool      // the customer is not there (renewals)
	ReturnURL    string    // where the customer comes back to from the bank's page
	At           time.Time // the engine's now (a test clock's, where one is attached)
}

// ChargeResult is what became of a charge. An error with it means that
// certainly nothing moved.
type ChargeResult struct {
	Status      PaymentStatus `json:"status"`
	DeclineCode string        `json:"decline_code,omitempty"` // "insufficient_funds"
	Advice      Advice        `json:"advice,omitempty"`
	ActionURL   string        `json:"action_url,omitempty"` // with PaymentRequiresAction
	Rejection   string        `json:"rejection,omitempty"`  // with DeclineRejected: the gateway's own code
}

// StoredMethod is a payment method that the gateway holds; we keep what a
// person recognises it by.
type StoredMethod struct {
	Ref   string `json:"ref"`
	Brand string `json:"brand"`
	Last4 string `json:"last4"`
	Exp   string `json:"exp"` // "2029-12"
	// Fingerprint is the same whenever the same card is given, by whomever.
	Fingerprint string `json:"-"`
}

// RefundRequest gives money of a charge back, once per key.
type RefundRequest struct {
	// CreditNote is the idempotency key. A credit note may need the charges of
	// two invoices, so the engine gives the id of the refund, re_….
	CreditNote RefundID
	Invoice    InvoiceID
	Charge     ChargeID // the gateway's reference of the charge
	Amount     Money
	At         time.Time
}

// RefundStatus is what became of a refund.
type RefundStatus string

const (
	RefundPending   RefundStatus = "pending"
	RefundSucceeded RefundStatus = "succeeded"
	RefundFailed    RefundStatus = "failed"
)
