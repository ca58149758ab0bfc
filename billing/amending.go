package billing

import (
	"slices"
	"time"
)

// What a running subscription says of people and companies can be amended
// (docs/rules.md, Amendments). It counts for documents that are numbered after
// that. It is personal, so a command names its request, whose row has it.

// Amendment is what a request changes.
type Amendment struct {
	Billing  BillingDetails `json:"billing,omitzero"` // whole; the e-mail address is the account's, and stays
	CC       []string       `json:"cc,omitempty"`
	Language string         `json:"language,omitempty"`
	// The new licensee, or who pays from now on, with their account.
	Contact Contact   `json:"contact,omitzero"`
	Account AccountID `json:"account,omitempty"`
}

// BilledTo is what an invoice, and what corrects it, is addressed to: the details
// that counted when its amounts were fixed.
func (o Order) BilledTo(inv Invoice) BillingDetails {
	if inv.Details < len(o.Replaced) {
		return o.Replaced[inv.Details]
	}
	return o.Billing
}

// amended is the order with an amendment of its billing details.
func (o Order) amended(a Amendment) Order {
	details := a.Billing
	details.Email = o.Billing.Email
	if was := o.Billing; was.VATCheck.Status == VATVerified && details.VATCheck.Status == VATUnverified && details.Country == was.Country && details.VATID == was.VATID {
		details.VATCheck = was.VATCheck // that the register is away unsays nothing
	}
	if !details.sameAs(o.Billing) {
		o.replaceBilling(details)
	}
	o.CC, o.Language = a.CC, a.Language
	return o
}

func (o *Order) replaceBilling(with BillingDetails) {
	o.Replaced = append(slices.Clone(o.Replaced), o.Billing)
	o.Billing = with
}

// amend changes the billing details. Refusals: no_change, request_expired.
func (b Snapshot) amend(_ Command, at time.Time) Decision {
	o := b.Order.amended(b.Amendment)
	if len(o.Replaced) == len(b.Order.Replaced) && slices.Equal(o.CC, b.Order.CC) && o.Language == b.Order.Language {
		return Decision{Refusal: refuse(CodeNoChange, "", "these are already the billing details")}
	}
	printed := len(o.Replaced) > len(b.Order.Replaced) || o.Language != b.Order.Language
	b.Order = o
	var p *Changeset
	if printed {
		p = b.rebilled(at, EventAmended, EventDetails{})
	} else {
		p = b.post(b.Subscription, at, EventAmended, EventDetails{})
	}
	p.Order = &o
	return Decision{Changeset: p}
}

// PreviewAmended is the next period's bill with other billing details.
func (b Snapshot) PreviewAmended(a Amendment) Invoice {
	b = b.Freed()
	b.Subscription.Guest = false // who asks is not
	b.Order = b.Order.amended(a)
	return *b.nextBill()
}

// handOver gives the licence to another licensee, under its id. The old one's
// access ends with the changeset; a file that was delivered is good until its
// own end. Refusals: no_change, not_possible_now, request_expired.
func (b Snapshot) handOver(_ Command, at time.Time) Decision {
	s, o, to := b.Subscription, b.Order, b.Amendment
	switch {
	case to.Contact == o.Licensee:
		return Decision{Refusal: refuse(CodeNoChange, "", "this is already the licensee")}
	case s.Status == Trialing && Organisation(to.Contact.Email) != Organisation(o.Licensee.Email):
		return Decision{Refusal: refuse(CodeNotPossibleNow, "email", "a trial stays with its organisation")}
	}
	o.Licensee, o.LicenseeAccount = to.Contact, to.Account
	file := !s.Suspended && !s.Revoked && !s.Disputed()
	if file {
		s.File = s.deliver(b.Policy, at)
	}
	p := b.post(s, at, EventHandedOver, EventDetails{})
	p.Order = &o
	p.Notices = []Notice{{Kind: NoticeLicense, To: RoleLicensee, Until: s.PaidUntil(), Plan: s.Plan, WithFile: file}}
	return Decision{Changeset: p}
}

// transfer has another account pay from now on. What was issued stays the former
// one's, and so does its card; of its details only the country goes on. Refusals: no_change, not_possible_now,
// request_expired.
func (b Snapshot) transfer(_ Command, at time.Time) Decision {
	to := b.Amendment
	if b.Subscription.Comp || b.Subscription.Disputed() { // nobody pays, or it is not clear who has
		return Decision{Refusal: notPossibleNow()}
	}
	if to.Account == b.Order.BillingAccount {
		return Decision{Refusal: refuse(CodeNoChange, "", "this account pays already")}
	}
	switch b.Subscription.Status {
	case Trialing, Active, Canceled:
	default: // something is owed
		return Decision{Refusal: notPossibleNow()}
	}
	o, former := b.Order, b
	// Another's VAT number would change the tax; the new payer may give its own.
	o.replaceBilling(BillingDetails{Contact: to.Contact, Country: o.Billing.Country})
	o.BillingAccount, o.CC = to.Account, nil
	b.Order, b.Method, b.Balance.Amount = o, "", 0
	b.Subscription.HasMethod, b.Subscription.CardExpires, b.Subscription.MoneyBack = false, time.Time{}, MoneyBack{}
	s, open := b.Subscription, b.Subscription.AwaitsTransfer()
	if open { // the step that is due now mails the new payer's
		s.clearOpenInvoice()
	}
	p := b.post(s, at, EventTransferred, EventDetails{})
	if open {
		former.void(p, at)
	}
	p.Order, p.ForgetMethod = &o, true
	p.Notices = append(p.Notices, Notice{Kind: NoticeTransferred, To: RoleBilling, Until: s.PaidUntil(), Plan: s.Plan})
	return Decision{Changeset: p}
}
