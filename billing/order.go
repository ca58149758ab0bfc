package billing

import "github.com/okviz/licensing/licensing"

// Order is what was asked for at checkout. It keeps the personal data that
// states and histories must not hold.
type Order struct {
	Subscription    SubscriptionID
	Quote           string              // quo_… that was accepted; empty: placed at checkout
	License         licensing.LicenseID // the id that the licence will have
	BillingAccount  AccountID           // cus_…
	LicenseeAccount AccountID
	Billing         BillingDetails
	Licensee        Contact
	Pay             Pay
	Sites           []string
}

// Pay is when an order is paid.
type Pay string

const (
	PayNow   Pay = "now"
	PayTrial Pay = "trial"
)

// Contact is a person or a team.
type Contact struct {
	Name  string
	Email string
}

// String is the licensee as the licence shows it: "Name <e-mail>".
func (c Contact) String() string { return c.Name + " <" + c.Email + ">" }

// BillingDetails are printed on the documents of an order. They do not
// follow later changes of the account's profile.
type BillingDetails struct {
	Contact
	Company string
	Country string // ISO 3166-1 alpha-2
	VATID   string
	Line1   string
	Line2   string
	City    string
	Postal  string
	Region  string
}
