package billing

import "time"

// Request is a command as it was received: written before it is sent to the
// workflow, so that it happens once in spite of crashes and its answer can be
// given again (docs/integrators.md, Idempotency-Key).
type Request struct {
	ID           RequestID // req_…, and the update's id
	Caller       string    // whose key it is: an account, an API key, or a hash of a public address
	Route        string    // method and path
	Key          string    // Idempotency-Key
	BodyHash     string
	Subscription SubscriptionID
	Actor        string // for the history: ActorCustomer, or an operator's name
	Command      Command
	Token        string // a card's, for the gateway
	Reason       string // why, in the sender's words
	Amendment    *Amendment
	CreatedAt    time.Time

	Outcome  *Outcome // nil while it is not known
	Status   int      // the HTTP answer that was given; 0: none yet
	Response string
}

// Unconfirmed tells whether a request is an order that waits for its address.
func (r Request) Unconfirmed() bool {
	return r.Command.Action == ActionPurchase && r.Command.NotAfter.IsZero()
}

// CardForm is a page of the gateway's on which a customer gives a card for a
// subscription.
type CardForm struct {
	ID           string // frm_…
	Key          string // unique: the same command opens the same form
	Subscription SubscriptionID
	Gateway      string
	Reference    string // the gateway's; empty before the form is open
	Back         FormBack
}

// FormBack is the page to which the customer comes back.
type FormBack string

const (
	BackToCheckout FormBack = "checkout"
	BackToAccount  FormBack = "account"
)

// Overview is a subscription with what its pages show besides its state.
type Overview struct {
	Subscription
	BillingAccount  string // e-mail
	LicenseeAccount string // e-mail
	PurchaseOrder   string
	CostCenter      string
	Language        string // empty: English
	Card            *StoredMethod
	CompReason      string    // of a free licence, in the operator's words
	ActionURL       string    // where the customer answers the bank, while a payment waits for that
	Read            time.Time // real time, when this was so
}

// Search is what subscriptions are looked for by; what is empty does not
// count.
type Search struct {
	Email  string // of the billing contact or the licensee
	Payer  string // of the billing contact
	Domain string // of either one's address
	Number int64
	Before int64 // numbers below this one
}
