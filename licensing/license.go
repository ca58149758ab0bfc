package licensing

import "time"

// Type is what a licence counts.
type Type string

const (
	Users    Type = "users"    // people, up to what the tier covers
	Capacity Type = "capacity" // Power BI or Fabric nodes
	Site     Type = "site"     // web sites that embed reports
)

// Activation is how a visual gets to know its licence (docs/rules.md, Licences).
type Activation string

const (
	ActivationNone     Activation = "none"     // the licence is inside the delivered file
	ActivationLicensee Activation = "licensee" // typed in: licence id and licensee
	ActivationEntra    Activation = "entra"    // bound to the customer's Entra tenant
)

// State is where a licence's subscription stands, as far as a check tells it.
type State string

const (
	StateIncomplete State = "incomplete" // waits for its first payment
	StateTrial      State = "trial"
	StateActive     State = "active"
	StatePastDue    State = "past_due"
	StateCanceled   State = "canceled" // runs until its end, and is not renewed
	StateEnded      State = "ended"
)

// LicenseID is a licence's id, lic_….
type LicenseID string

// License is what a check, a lease and a delivered file need to know of a
// licence. The zero License is that of an unknown id.
type License struct {
	ID         LicenseID // lic_…
	Product    string    // the product's id, which is also its tokens' audience
	Activation Activation
	PlanID     string
	Type       Type
	Tier       string // empty where the type has only one
	Cycle      string // billing cycle
	Covers     int64  // people, for Users; 0 is unlimited
	Quantity   int64  // nodes or sites; 1 for Users
	Licensee   string // "Name <e-mail>", exactly as the licence shows it
	Sites      []string
	Tenant     string // Entra tenant id; empty until activated
	State      State
	Trial      bool      // the running period is a trial's, also when it is canceled
	ValidUntil time.Time // exclusive, finite always (docs/rules.md, Licences)
	PeriodEnd  time.Time // without the renewal grace
	Revision   int64     // of the subscription's workflow

	Suspended bool
	Revoked   bool
	OverLimit bool // a warning: more people than the tier covers, in two windows in a row
	Blocked   bool // far more, and an operator has turned blocking on
}

// WithUsage returns the licence with OverLimit and Blocked set for its usage.
// More people than the tier covers in two windows in a row is a warning. If it
// was more than 1.25 times as many in both, a licence is blocked for which an
// operator has turned blocking on, unless more than a quarter of the questions
// named no user (docs/rules.md, Licences). Capacity, site and unlimited licences
// have no such limit.
func (l License) WithUsage(u Usage, blocking bool) License {
	least := min(u.Estimate, u.Before)
	l.OverLimit = l.outgrownBy(least)
	l.Blocked = l.OverLimit && blocking && least-l.Covers > l.Covers/4 && !u.Doubtful()
	return l
}

func (l License) outgrownBy(users int64) bool {
	return l.Type == Users && l.Covers > 0 && users > l.Covers
}

// ExceededIn tells whether more people than the tier covers were counted in the
// running window or the one before it.
func (l License) ExceededIn(u Usage) bool { return l.outgrownBy(max(u.Estimate, u.Before)) }

// Status is what a check answers to a question that itself is in order: the
// status of the licence object in the API.
func (l License) Status(now time.Time) Code {
	switch {
	case l.ID == "":
		return UnknownLicense
	case l.Revoked:
		return Revoked
	case l.Suspended:
		return Suspended
	case l.Activation == ActivationEntra && l.Tenant == "":
		return NotActivated
	case l.State == StateEnded:
		return Expired
	}
	code, running := running[l.State]
	switch {
	case !running:
		return NotActivated
	case !now.Before(l.ValidUntil):
		return Expired
	case l.Blocked:
		return BlockedOverLimit
	case l.OverLimit:
		return OverLimit
	}
	return code
}

// running are the states in which a licence may be valid. StateIncomplete is
// not among them, nor is a State that this package does not know.
var running = map[State]Code{
	StateTrial:    Trial,
	StateActive:   Active,
	StatePastDue:  PastDue,
	StateCanceled: Canceled,
}

// Issued is a licence with what its page shows with it.
type Issued struct {
	License
	Subscription  string // sub_…
	Number        int64  // the subscription's
	ActivationKey string // entra: binds the licence to a tenant; shown to the licensee only
	Usage         Usage  // of a licence for users
	// OverSince is since when more people than the tier covers have been counted
	// in a window; zero while neither the running one nor the one before has more.
	OverSince      time.Time
	BlockOverLimit bool      // an operator has turned blocking on
	MoneyBackUntil time.Time // the window's last instant; zero: there is none
	TestClock      string    // clk_…; empty: real time
	Now            time.Time
	ChangedAt      time.Time // another one after each change, by the database's clock
}

// At is the licence's now: its test clock's instant, or else the instant given.
func (l Issued) At(now time.Time) time.Time {
	if l.TestClock != "" {
		return l.Now
	}
	return now.UTC().Truncate(time.Second)
}
