package billing

import "time"

// fileAhead is how long before a file's end a fresh one is mailed.
const fileAhead = 30 * day

// DeliveredFile is the newest file that was mailed to the licensee.
type DeliveredFile struct {
	Ends time.Time `json:"ends"` // exclusive
	// RenewAt is when a fresh one is mailed; zero: it lasts as long as the
	// licence did when it was made.
	RenewAt time.Time `json:"renew_at,omitzero"`
}

// deliver is the file that is mailed at an instant. Where the licence outlives
// it, a fresh one follows 30 days before its end, or once the money-back window
// has closed (docs/rules.md, Licences).
func (s Subscription) deliver(p Policy, at time.Time) DeliveredFile {
	until := s.Entitlement(p).ValidUntil
	f := DeliveredFile{Ends: p.File.Ends(until, s.MoneyBack.Until, at)}
	switch {
	case !f.Ends.Before(until):
	case p.File.Short(s.MoneyBack.Until, at):
		f.RenewAt = s.MoneyBack.Until.Add(time.Second) // the window's end is a part of it
	default:
		f.RenewAt = f.Ends.Add(-fileAhead)
	}
	return f
}

// fileBefore tells whether a fresh file is due before another step. While a
// licence is suspended, by an operator or a dispute, its file waits.
func (s Subscription) fileBefore(step Step) bool {
	return !s.File.RenewAt.IsZero() && (s.Status == Active || s.Status == Trialing) && !s.Suspended && !s.Revoked && !s.Disputed() &&
		(step.At.IsZero() || s.File.RenewAt.Before(step.At))
}

// renewFile mails a fresh file in place of one that ends before its licence. A
// licence that has been cancelled since may end no later than its file.
func (b Snapshot) renewFile(_ Step, at time.Time) Decision {
	s := b.Subscription
	needed := s.File.Ends.Before(s.Entitlement(b.Policy).ValidUntil)
	if !needed {
		s.File.RenewAt = time.Time{}
		return Decision{Changeset: b.post(s, at, EventNothingDue, EventDetails{})}
	}
	s.File = s.deliver(b.Policy, at)
	p := b.post(s, at, EventFileRenewed, EventDetails{Until: s.File.Ends})
	p.Notices = []Notice{{Kind: NoticeFileRenewed, To: RoleLicensee, Until: s.File.Ends, Plan: s.Plan, WithFile: true}}
	return Decision{Changeset: p}
}
