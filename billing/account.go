package billing

import "time"

// Account is an e-mail address with all that belongs to it, made by its first
// order (docs/rules.md, Who takes part).
type Account struct {
	ID       AccountID // cus_…
	Email    string
	Language string // of mails about the account; empty: English. Read for these alone
}

// Profile is what an account's owner has had written down for later orders.
// Those that were placed keep the details that they were placed with.
type Profile struct {
	Billing  BillingDetails // its e-mail address is the account's, and empty here
	Licensee Contact        // who usually receives the licences; empty: the owner
	Language string         `json:",omitempty"` // of mails about the account, and of later orders; empty: as the newest order
}

// Profile is what a later order of the same customer begins with.
func (o Order) Profile() Profile {
	p := Profile{Billing: o.Billing}
	p.Billing.Email, p.Billing.PurchaseOrder, p.Billing.CostCenter = "", "", "" // an order's own
	if o.Licensee != o.Billing.Contact {
		p.Licensee = o.Licensee
	}
	return p
}

// VendorDocument is a paper of the vendor's that customers may download: a tax
// form, a certificate, a bank's letter.
type VendorDocument struct {
	Name      string // in its address: w-9
	Title     string
	Size      int // bytes
	UpdatedAt time.Time
}

// StoredCard is a card that an account's subscriptions may be charged to.
type StoredCard struct {
	StoredMethod
	CreatedAt time.Time
	Pays      []Subscription // what is charged to it, by number: ids and numbers only
}

// Session is a browser that has signed in to an account.
type Session struct {
	ID        string
	CreatedAt time.Time
	ExpiresAt time.Time
}

// APIKey is a program's credential. The key itself is shown once and kept as a
// hash.
type APIKey struct {
	ID         string
	Account    AccountID  // whose key it is; empty: an operator's
	Operator   string     // an operator's name; empty: of no named operator
	Member     AccountID  // who made it for an account of others; empty: the account's own address
	Role       MemberRole // of an account's key, when it is used: its member's
	Access     string     // an OperatorRole; of an account's key AccessRead or AccessWrite
	Name       string     // what its owner calls it
	CreatedAt  time.Time
	ExpiresAt  *time.Time // nil: never
	LastUsedAt *time.Time // to the minute; nil: never
}

// What an account's key may do. A key that may write may read, too.
const (
	AccessRead  = "read"
	AccessWrite = "write"
)
