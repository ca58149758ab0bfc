package billing

import "time"

// MemberRole is what a member may do for an account.
type MemberRole string

const (
	MemberOwner     MemberRole = "owner"     // everything
	MemberFinance   MemberRole = "finance"   // documents, quotes, billing details and payment methods
	MemberTechnical MemberRole = "technical" // licences, their files, sites and use
)

// MemberRoles are all roles of members.
var MemberRoles = []MemberRole{MemberOwner, MemberFinance, MemberTechnical}

// Member is somebody who may use an account, or has been invited to. The account's
// own address is its first owner, and stays for as long as it is the address.
type Member struct {
	ID        string // mem_…, or of the account's own address the account's
	Account   AccountID
	Person    AccountID // the member's own account; empty: has not accepted yet
	Email     string    // the member's own address
	Role      MemberRole
	InvitedAt time.Time
	ExpiresAt time.Time  // of the invitation
	JoinedAt  *time.Time // nil: has not accepted yet
}

// Membership is an account that somebody may use.
type Membership struct {
	Account Account
	Company string // as its profile has it
	Role    MemberRole
}

// SignedIn is a session: who has signed in, and which account they look at.
type SignedIn struct {
	Session string // ses_…
	Person  Account
	Account Account
	Role    MemberRole // of the person in the account
}

// EmailChange moves an account to another address, once both have confirmed it.
type EmailChange struct {
	ID        string // emc_…
	Account   AccountID
	Former    string
	Email     string
	ExpiresAt time.Time
	Done      bool
}

// AddressSide is one of the two addresses of an EmailChange.
type AddressSide string

const (
	FormerAddress AddressSide = "former"
	NewAddress    AddressSide = "new"
)
