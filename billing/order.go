package billing

import (
	"regexp"
	"time"
	"unicode/utf8"

	"github.com/okviz/licensing/licensing"
)

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
	CC              []string         // get the mails that bring documents, too
	Language        string           // of the customer; empty: English
	Replaced        []BillingDetails // earlier ones, the oldest first: invoices name theirs by its number
	Pay             Pay
	Sites           []string
	// Vouched: an operator ordered it, or somebody of the licensee's organisation
	// who had signed in.
	Vouched bool
	Until   time.Time // of a free licence: its first end
	Reason  string    // of a free licence, in the operator's words
}

// Confirms is whose address an order by a guest waits for: the billing contact's,
// or for a trial the licensee's where only that is of the organisation.
func (o Order) Confirms() Role {
	if o.Pay == PayTrial && Organisation(o.Billing.Email) != Organisation(o.Licensee.Email) {
		return RoleLicensee
	}
	return RoleBilling
}

// Pay is when an order is paid.
type Pay string

const (
	PayNow   Pay = "now"
	PayTrial Pay = "trial"
	// PayNothing is a free licence that an operator gives; it has no billing contact.
	PayNothing Pay = "nothing"
)

// Contact is a person or a team.
type Contact struct {
	Name  string
	Email string
}

// String is the licensee as the licence shows it: "Name <e-mail>".
func (c Contact) String() string { return c.Name + " <" + c.Email + ">" }

var (
	name     = regexp.MustCompile(`^[\pL\pM][\pL\pM '’.,&()-]*$`)
	hostName = regexp.MustCompile(`[\pL\pM\pN]\.[\pL\pM\pN]{2}`)
	link     = regexp.MustCompile(`[@\\]|:/|//|` + hostName.String())
)

// LooksLikeName tells whether a text looks like a person's or a team's name: at
// most 60 letters, marks, spaces and a few signs, and no host name among them.
// What a guest typed is mailed only where it does: it may be an advertisement
// (docs/rules.md, Guests).
func LooksLikeName(s string) bool {
	return utf8.RuneCountInString(s) <= 60 && name.MatchString(s) && !hostName.MatchString(s)
}

// Unconfirmed are the details as a mail to an unconfirmed address may print
// them: without a name that does not look like one, and without lines that mail
// programs make links of.
func (d BillingDetails) Unconfirmed() BillingDetails {
	if !LooksLikeName(d.Name) {
		d.Name = ""
	}
	for _, s := range []*string{&d.Company, &d.VATID, &d.Line1, &d.Line2, &d.City, &d.Postal, &d.Region, &d.PurchaseOrder, &d.CostCenter} {
		if link.MatchString(*s) || utf8.RuneCountInString(*s) > 60 {
			*s = ""
		}
	}
	return d
}

// Unconfirmed is the order as a mail to an unconfirmed address may print it.
func (o Order) Unconfirmed() Order {
	o.Billing = o.Billing.Unconfirmed()
	if !LooksLikeName(o.Licensee.Name) {
		o.Licensee.Name = ""
	}
	return o
}

// BillingDetails are printed on the documents of an order. They do not
// follow later changes of the account's profile; see Amendment.
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

	PurchaseOrder string // the customer's number
	CostCenter    string `json:",omitempty"` // where the customer books it

	VATCheck VATCheck `json:",omitzero"`
}
