package billing

import (
	"slices"
	"strings"
	"time"
)

// Adoption is what brings the books nearer to a charge that the gateway has
// made and that they lack: the bill that it was made for, or else a changeset
// that was due before. Cause and Request are those of its changeset.
type Adoption struct {
	Decision
	Cause    string
	Request  RequestID
	Reserved bool // the bill is on file as a draft whose balance is reserved
}

// Adopt finds the bill of a charge. The books are older than the charge:
// asked are the commands on file that have no outcome. ok is false where these
// books do not come to this bill, or to another amount.
func (b Snapshot) Adopt(c MovedCharge, asked []Command) (a Adoption, ok bool) {
	if c.Method != "" {
		b.Method = c.Method
	}
	for _, inv := range []*Invoice{b.InFlight, b.PendingPayment} {
		if inv == nil {
			continue
		}
		request, of := strings.CutPrefix(inv.InFlight, "req_")
		if of {
			a.Request = RequestID("req_" + request)
		}
		a.Decision, a.Cause, a.Reserved = Decision{Bill: inv}, inv.InFlight, true
		return a, a.bills(c)
	}
	s := b.Subscription
	if b.Open != nil && b.Open.ID == c.Invoice && b.Open.Status == InvoiceDraft {
		inv := b.rebuild(*b.Open, b.saleAt(c.At, c.At, c.At))
		if s.Status == PastDue {
			inv = b.owed(c.At)
		}
		a.Decision, a.Cause = Decision{Bill: inv}, "adopt@"+string(c.Charge)
		return a, a.bills(c)
	}
	for _, command := range asked {
		d := b.Decide(command, c.At)
		if a := (Adoption{Decision: d, Cause: command.Cause(s.Revision), Request: command.Request}); a.bills(c) {
			return a, true
		}
	}
	if s.Next.At.IsZero() || s.Next.At.After(c.At) {
		return a, false
	}
	a.Decision, a.Cause = b.Due(s.Next, c.At), s.Next.Cause()
	return a, a.Changeset != nil || a.bills(c)
}

// bills tells whether the bill is what the charge was made for.
func (a Adoption) bills(c MovedCharge) bool {
	return a.Bill != nil && a.Bill.ID == c.Invoice && a.Bill.AmountDue() == c.Amount
}

// AdoptRefund is the changeset of a refund that the gateway has given and the
// books lack, as an answer to the request that asked for it, if there is one; nil
// where they would not give the same refund.
func (b Snapshot) AdoptRefund(r MovedRefund, asked []Command, at time.Time) *Changeset {
	plain := Command{Action: ActionRefund, Invoice: r.Invoice, Amount: &r.Amount.Amount}
	for _, c := range append(slices.Clone(asked), plain) {
		p := b.Decide(c, at).Changeset
		if p != nil && len(p.Refunds) == 1 && p.Refunds[0].ID == r.Refund {
			p.Request = c.Request
			return p
		}
	}
	return nil
}
