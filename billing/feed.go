package billing

import (
	"slices"
	"strings"
	"time"

	"github.com/okviz/licensing/licensing"
)

// FeedType says what an event of the feed is about, and what happened to it.
type FeedType string

const (
	FeedSubscriptionCreated         FeedType = "subscription.created"
	FeedSubscriptionActivated       FeedType = "subscription.activated"
	FeedSubscriptionRenewed         FeedType = "subscription.renewed"
	FeedSubscriptionChanged         FeedType = "subscription.changed"
	FeedSubscriptionChangeScheduled FeedType = "subscription.change_scheduled"
	FeedSubscriptionCancelScheduled FeedType = "subscription.cancel_scheduled"
	FeedSubscriptionResumed         FeedType = "subscription.resumed"
	FeedSubscriptionPastDue         FeedType = "subscription.past_due"
	FeedSubscriptionEnded           FeedType = "subscription.ended"
	FeedSubscriptionAmended         FeedType = "subscription.amended"
	FeedTrialEnding                 FeedType = "trial.ending"
	FeedLicenseIssued               FeedType = "license.issued"
	FeedLicenseUpdated              FeedType = "license.updated"
	FeedLicenseSuspended            FeedType = "license.suspended"
	FeedLicenseReinstated           FeedType = "license.reinstated"
	FeedLicenseRevoked              FeedType = "license.revoked"
	FeedLicenseOverLimit            FeedType = "license.over_limit"
	FeedInvoiceOpened               FeedType = "invoice.opened"
	FeedInvoicePaid                 FeedType = "invoice.paid"
	FeedInvoiceVoided               FeedType = "invoice.voided"
	FeedCreditNoteIssued            FeedType = "credit_note.issued"
	FeedRefundSucceeded             FeedType = "refund.succeeded"
	FeedRefundFailed                FeedType = "refund.failed"
	FeedPaymentFailed               FeedType = "payment.failed"
	FeedPaymentActionRequired       FeedType = "payment.action_required"
	FeedQuoteCreated                FeedType = "quote.created"
	FeedQuoteAccepted               FeedType = "quote.accepted"
	FeedDisputeOpened               FeedType = "dispute.opened"
	FeedDisputeWon                  FeedType = "dispute.won"
	FeedDisputeLost                 FeedType = "dispute.lost"
	FeedVersionPublished            FeedType = "product.version_published"
)

// FeedTypes are all types of events, as the documentation lists them.
func FeedTypes() []FeedType {
	return []FeedType{
		FeedSubscriptionCreated, FeedSubscriptionActivated, FeedSubscriptionRenewed, FeedSubscriptionChanged, FeedSubscriptionChangeScheduled,
		FeedSubscriptionCancelScheduled, FeedSubscriptionResumed, FeedSubscriptionPastDue, FeedSubscriptionEnded, FeedSubscriptionAmended,
		FeedTrialEnding,
		FeedLicenseIssued, FeedLicenseUpdated, FeedLicenseSuspended, FeedLicenseReinstated, FeedLicenseRevoked, FeedLicenseOverLimit,
		FeedInvoiceOpened, FeedInvoicePaid, FeedInvoiceVoided, FeedCreditNoteIssued, FeedRefundSucceeded, FeedRefundFailed,
		FeedPaymentFailed, FeedPaymentActionRequired, FeedQuoteCreated, FeedQuoteAccepted,
		FeedDisputeOpened, FeedDisputeWon, FeedDisputeLost, FeedVersionPublished,
	}
}

// Of tells what an event is about: "subscription" of "subscription.created".
func (t FeedType) Of() string {
	of, _, _ := strings.Cut(string(t), ".")
	return of
}

// FeedPattern picks types: one of them, all of one kind ("invoice.*"), or all
// ("*").
type FeedPattern string

// Matches tells whether a type is picked.
func (p FeedPattern) Matches(t FeedType) bool {
	return p == "*" || string(p) == string(t) || string(p) == t.Of()+".*"
}

// Known tells whether the pattern picks anything.
func (p FeedPattern) Known() bool { return slices.ContainsFunc(FeedTypes(), p.Matches) }

// FeedEvent is one event of the feed: what a program of an account or of the vendor
// is told. A subscription's history (Event) is for people, and has other lines.
type FeedEvent struct {
	ID           string // evt_…
	Seq          int64  // its place in the feed: the order of commits
	Type         FeedType
	At           time.Time // on the subscription's clock
	Subscription SubscriptionID
	Account      AccountID // the billing contact, who may read it
	Licensee     AccountID // who may read it where it is about the licence
	FeedObject

	// Added when it is read.
	Overview Overview         // of Subscription
	Issued   licensing.Issued // of License
	Versions []Version        // of License, those that were released by then
	Quoted   Quote            // of Quote
}

// FeedObject is what an event is about, as it was when it happened: one of these. It
// is kept without personal data, which is read with the event.
type FeedObject struct {
	State      *Subscription      `json:"state,omitempty"`
	Method     string             `json:"method,omitempty"` // the gateway's reference of State's card
	License    *licensing.License `json:"license,omitempty"`
	Tally      licensing.Tally    `json:"tally,omitzero"` // of License
	Invoice    *Invoice           `json:"invoice,omitempty"`
	CreditNote *CreditNote        `json:"credit_note,omitempty"`
	Refund     *Refund            `json:"refund,omitempty"`
	Payment    *FeedPayment       `json:"payment,omitempty"`
	Dispute    *Dispute           `json:"dispute,omitempty"`
	Quote      string             `json:"quote,omitempty"` // quo_…
	Product    string             `json:"product,omitempty"`
	Version    *Version           `json:"version,omitempty"` // of Product
}

// FeedPayment is a payment that failed or waits for the customer.
type FeedPayment struct {
	Amount Money     `json:"amount"`
	Code   string    `json:"code,omitempty"` // why it failed
	Until  time.Time `json:"until,omitzero"` // when it is given up
}

// FeedSelection picks events of the feed.
type FeedSelection struct {
	Account AccountID     // empty: all
	After   int64         // those with a higher Seq
	Types   []FeedPattern // any of them; empty: all
}

// Feed is what a changeset tells programs, in this order: of the subscription, the
// licence, documents, money. before is the state that it starts from.
func (p Changeset) Feed(before Subscription, policy Policy) []FeedEvent {
	after, at := p.Subscription, p.At()
	var list []FeedEvent
	tell := func(t FeedType, o FeedObject) { list = append(list, FeedEvent{Type: t, At: at, FeedObject: o}) }
	if after.Revision != p.From {
		for _, t := range p.subscriptionTypes(before) {
			tell(t, FeedObject{State: &after})
		}
		if t := licenseType(before, after, policy); t != "" {
			tell(t, FeedObject{License: &licensing.License{ID: after.License}})
		}
	}
	if inv := p.Invoice; inv != nil && inv.Status == InvoiceOpen {
		tell(FeedInvoiceOpened, FeedObject{Invoice: inv})
	} else if inv != nil && inv.Status == InvoicePaid {
		tell(FeedInvoicePaid, FeedObject{Invoice: inv})
	}
	for _, n := range p.CreditNotes {
		tell(FeedCreditNoteIssued, FeedObject{CreditNote: &n})
	}
	for _, r := range p.Refunds {
		switch r.Status {
		case RefundSucceeded:
			tell(FeedRefundSucceeded, FeedObject{Refund: &r})
		case RefundFailed:
			tell(FeedRefundFailed, FeedObject{Refund: &r})
		default: // it has only begun
		}
	}
	for _, e := range p.Events {
		switch {
		case e.Kind == EventDeclined, e.Kind == EventGatewayRejected && e.Details.Amount != Money{}:
			tell(FeedPaymentFailed, FeedObject{Payment: &FeedPayment{Amount: e.Details.Amount, Code: e.Details.Code}})
		case e.Kind == EventPaymentWaits:
			tell(FeedPaymentActionRequired, FeedObject{Payment: &FeedPayment{Amount: e.Details.Amount, Until: e.Details.Until}})
		}
	}
	for _, d := range after.Disputes {
		if !slices.Contains(before.Disputes, d) {
			tell(map[DisputeStatus]FeedType{DisputeOpened: FeedDisputeOpened, DisputeWon: FeedDisputeWon, DisputeLost: FeedDisputeLost}[d.Status], FeedObject{Dispute: &d})
		}
	}
	return list
}

// At is when the changeset's step happened, on the subscription's clock; zero: it
// does not tell.
func (p Changeset) At() time.Time {
	if len(p.Events) > 0 {
		return p.Events[0].At
	}
	return p.Subscription.Now
}

// subscriptionTypes are what has happened to the subscription itself.
func (p Changeset) subscriptionTypes(before Subscription) []FeedType {
	after := p.Subscription
	has := func(kinds ...EventKind) bool {
		return slices.ContainsFunc(p.Events, func(e Event) bool { return slices.Contains(kinds, e.Kind) })
	}
	began := func(s Status) bool { return before.Status != s && after.Status == s }
	var list []FeedType
	for _, c := range []struct {
		of FeedType
		is bool
	}{
		{FeedSubscriptionActivated, began(Trialing) || began(Active) && before.Status != PastDue},
		{FeedSubscriptionRenewed, has(EventRenewal, EventRenewed, EventPrepaid)},
		{FeedSubscriptionChanged, before.Plan != after.Plan || before.Quantity != after.Quantity},
		{FeedSubscriptionChangeScheduled, after.ScheduledChange != before.ScheduledChange && !after.ScheduledChange.IsZero()},
		{FeedSubscriptionCancelScheduled, after.CancelAtPeriodEnd && !before.CancelAtPeriodEnd},
		{FeedSubscriptionResumed, has(EventResumed)},
		{FeedSubscriptionPastDue, began(PastDue)},
		{FeedSubscriptionEnded, began(Canceled) || began(IncompleteExpired)},
		{FeedSubscriptionAmended, has(EventPaymentMethod, EventPriceChange) || p.Order != nil},
		{FeedTrialEnding, after.Status == Trialing && has(EventReminded)},
	} {
		if c.is {
			list = append(list, c.of)
		}
	}
	return list
}

// licenseType is what has happened to what a subscription grants its licence;
// empty: nothing.
func licenseType(before, after Subscription, policy Policy) FeedType {
	was, is := before.Entitlement(policy), after.Entitlement(policy)
	switch {
	case after.License == "":
		return ""
	case before.License == "":
		return FeedLicenseIssued
	case is.Revoked && !was.Revoked:
		return FeedLicenseRevoked
	case is.Suspended && !was.Suspended:
		return FeedLicenseSuspended
	case is.Suspended != was.Suspended || is.Revoked != was.Revoked:
		return FeedLicenseReinstated
	case was != is || before.Plan != after.Plan || before.Quantity != after.Quantity:
		return FeedLicenseUpdated
	}
	return ""
}
