package billing

import (
	"slices"
	"time"
)

// Dispute is a chargeback: the customer's bank takes a payment back until it
// has decided who is right (docs/rules.md, When a payment fails).
type Dispute struct {
	ID      string        `json:"id"`      // the gateway's
	Invoice InvoiceID     `json:"invoice"` // that was paid by the charge
	Amount  Money         `json:"amount"`
	Status  DisputeStatus `json:"status"`
}

// DisputeStatus is where a dispute stands. Won and lost are final, even if
// the gateway says something else later.
type DisputeStatus string

const (
	DisputeOpened DisputeStatus = "opened"
	DisputeWon    DisputeStatus = "won"
	DisputeLost   DisputeStatus = "lost"
)

// ReasonDispute is the reason of a credit note for money that a lost dispute
// took: nothing else is given back.
const ReasonDispute = "dispute"

// Disputed tells whether a payment is disputed, which is not decided yet: then the licence is suspended, and
// nothing is charged or given back.
func (s Subscription) Disputed() bool {
	return slices.ContainsFunc(s.Disputes, func(d Dispute) bool { return d.Status == DisputeOpened })
}

// mayBeAsked tells whether a command is possible while a payment is disputed: what
// charges nothing and gives nothing back.
func (s Subscription) mayBeAsked(v Action) bool {
	switch v {
	case ActionScheduleChange, ActionWithdraw, ActionAmend, ActionHandOver, ActionCancel, ActionResume, ActionCancelNow, ActionSuspend, ActionRevoke, ActionReinstate, ActionPaymentMethod:
		return true
	default:
		return false
	}
}

// dispute records what the gateway says about a dispute. What it said before,
// or says after the end, is no_change.
func (b Snapshot) dispute(c Command, at time.Time) Decision {
	s, d := b.Subscription, c.Dispute
	if b.receipt(d.Invoice) < 0 {
		return Decision{Refusal: refuse(CodeInvalid, "invoice", "is not a paid invoice of this subscription")}
	}
	s.Disputes = slices.Clone(s.Disputes)
	if i := slices.IndexFunc(s.Disputes, func(was Dispute) bool { return was.ID == d.ID }); i < 0 {
		s.Disputes = append(s.Disputes, d)
	} else if was := s.Disputes[i].Status; was != DisputeOpened || d.Status == DisputeOpened {
		return Decision{Refusal: refuse(CodeNoChange, "", "this is already recorded")}
	} else {
		s.Disputes[i] = d
	}
	b.Subscription = s
	var p *Changeset
	notice := Notice{To: RoleOperator, InvoiceID: d.Invoice, Amount: d.Amount, Until: at, Plan: s.Plan}
	switch d.Status {
	case DisputeOpened:
		s.DisputeLookAt, notice.Kind = at.Add(b.Policy.DisputeReminder), NoticeDisputeOpened
		p = b.post(s, at, EventDisputed, EventDetails{Amount: d.Amount})
	case DisputeWon:
		notice.Kind = NoticeDisputeWon
		p = b.post(s, at, EventDisputeWon, EventDetails{Amount: d.Amount})
	case DisputeLost:
		notice.Kind = NoticeDisputeLost
		p = b.lose(d, at)
	}
	p.Notices = append(p.Notices, notice)
	return Decision{Changeset: p}
}

// lose ends the subscription, unless it has ended already, and corrects the
// invoice.
func (b Snapshot) lose(d Dispute, at time.Time) *Changeset {
	var p *Changeset
	if s := b.Subscription; s.Status.Ended() {
		p = b.post(s, at, EventDisputeLost, EventDetails{})
	} else {
		p = b.end(at, ReasonDisputed)
	}
	p.Events[0] = NewEvent(at, EventDisputeLost, EventDetails{Amount: d.Amount})
	note := b.lost(p, d, at)
	if note.Total().Amount == 0 {
		return p
	}
	p.CreditNotes = append(p.CreditNotes, note)
	for i := range p.Notices {
		if p.Notices[i].Kind == NoticeEnded {
			p.Notices[i].CreditNotes = append(p.Notices[i].CreditNotes, note.ID)
		}
	}
	return p
}

// lost is the credit note for what a lost dispute took. It draws on the line
// that the invoice sold, and where a change has moved what was left of it, on
// the later ones; on earlier ones only if these are not enough. The money has
// gone already.
func (b Snapshot) lost(p *Changeset, d Dispute, at time.Time) CreditNote {
	own := b.receipt(d.Invoice)
	r := b.Receipts[own]
	note := CreditNote{
		ID: b.NewID("cn"), Invoice: r.ID, Line: r.Service().ID, Currency: r.Currency, Reason: ReasonDispute, IssuedAt: at,
	}
	rest := min(d.Amount.Amount, r.room())
	for _, earlier := range []bool{false, true} {
		for _, s := range b.PaidLines {
			part := s.whole().upTo(rest)
			if (b.receipt(s.Invoice) < own) != earlier || part.gross() <= 0 {
				continue
			}
			rest -= part.gross()
			note.Net, note.Tax = note.Net+part.net, note.Tax+part.tax
			p.CreditAllocations = append(p.CreditAllocations, CreditAllocation{s.Line.ID, part.net, part.tax})
		}
	}
	return note
}

// remindOfDispute tells the operator again of disputes that are not decided.
func (b Snapshot) remindOfDispute(_ Step, at time.Time) Decision {
	s := b.Subscription
	s.DisputeLookAt = at.Add(b.Policy.DisputeReminder)
	p := b.post(s, at, EventStillDisputed, EventDetails{})
	for _, d := range s.Disputes {
		if d.Status == DisputeOpened {
			p.Notices = append(p.Notices, Notice{Kind: NoticeDisputeOpened, To: RoleOperator, InvoiceID: d.Invoice, Amount: d.Amount, Until: at, Plan: s.Plan})
		}
	}
	return Decision{Changeset: p}
}

// takenBack is receipts whose charges have lost to a dispute what cannot be
// refunded any more.
func (s Subscription) takenBack(receipts []Receipt) []Receipt {
	for _, d := range s.Disputes {
		for i := range receipts {
			if d.Status == DisputeLost && receipts[i].ID == d.Invoice {
				receipts[i].Refunded += d.Amount.Amount
			}
		}
	}
	return receipts
}
