package billing

import "time"

// purchase decides about the order itself: a trial starts at once, a card is
// charged (docs/rules.md, Buying). A refused order has expired, and its run
// ends.
func (b Snapshot) purchase(c Command, at time.Time) Decision {
	s := b.Subscription
	if s.Status == IncompleteExpired && !s.ConfirmBy.IsZero() {
		return Decision{Refusal: refuse(CodeRequestExpired, "", "this order has lapsed")}
	}
	if !s.unprocessed() {
		return Decision{Refusal: refuse(CodeNotPossibleNow, "", "this order has already been processed")}
	}
	if b.Order.Pay == PayNothing {
		return b.giveLicense(at)
	}
	if s.Collection == ByInvoice {
		if b.Order.Pay == PayTrial {
			return Decision{Refusal: refuse(CodeInvoiceNotAllowed, "payment.method", "a trial cannot be paid by invoice")}
		}
		return b.order(c, at)
	}
	if b.Order.Pay == PayTrial {
		if !b.Product.Trial {
			return Decision{Refusal: refuse(CodeTrialNotOffered, "pay", "this product has no trial")}
		}
		s.Status, s.TrialEnd, s.License = Trialing, TrialEnd(at), b.Order.License
		s.Anchor, s.Period, s.HasMethod = at, Period{at, s.TrialEnd}, b.Method != ""
		p := b.post(s, at, EventTrialStarted, EventDetails{Until: s.TrialEnd})
		p.Method = b.Method
		p.TrialClaim, p.Redeem = Organisation(b.Order.Licensee.Email), s.Discount.Coupon
		p.TrialUsed = b.Order.Vouched || !s.ConfirmBy.IsZero()
		p.Notices = []Notice{
			{Kind: NoticeTrialStarted, To: RoleBilling, Until: s.TrialEnd, Plan: s.Plan},
			{Kind: NoticeTrialLicense, To: RoleLicensee, Until: s.TrialEnd, Plan: s.Plan, WithFile: true},
		}
		return Decision{Changeset: p}
	}
	inv := b.draft(ForPurchase, c.Cause(s.Revision), at, b.saleAt(at, at, at))
	if inv.AmountDue().Amount > 0 && b.Method == "" {
		s.AwaitsCard = true
		p := b.post(s, at, EventAwaitsCard, EventDetails{})
		p.Outcome = Outcome{Payment: PaymentOutcome{Status: PaymentRequiresAction}}
		return Decision{Changeset: p}
	}
	return b.collect(inv)
}

// PreviewPurchase is what the order would be billed at an instant; nothing is
// written.
func (b Snapshot) PreviewPurchase(at time.Time) Invoice {
	return *b.draft(ForPurchase, "preview", at, b.saleAt(at, at, at))
}

// PreviewRenewal is what each period costs in the long run: less the standing
// discount and a coupon for ever, but not one that some invoices use up, and
// without the balance.
func (b Snapshot) PreviewRenewal(at time.Time) Invoice {
	b.Subscription.Discount = b.Subscription.Discount.forEver()
	b.Balance.Amount = 0
	return b.PreviewPurchase(at)
}

// unprocessed tells whether an order's purchase has not been decided yet.
func (s Subscription) unprocessed() bool {
	return s.Status == Incomplete && s.OpenInvoice == "" && !s.AwaitsCard
}

// AwaitsConfirmation tells whether an order's address has not been confirmed yet,
// or its purchase is not decided yet.
func (s Subscription) AwaitsConfirmation() bool { return s.unprocessed() && !s.ConfirmBy.IsZero() }

// MayProceed tells why the order would be refused at an instant; nil: as far as
// is known without an account and without other orders, it would not.
func (b Snapshot) MayProceed(at time.Time) *Error {
	return b.purchase(Command{Action: ActionPurchase}, at).Refusal
}

// expire ends an order that was never paid.
func (s *Subscription) expire() {
	s.Status = IncompleteExpired
	s.clearOpenInvoice()
}

// expireOrder lets an unpaid order lapse.
func (b Snapshot) expireOrder(_ Step, at time.Time) Decision {
	s := b.Subscription
	s.expire()
	p := b.post(s, at, EventOrderExpired, EventDetails{})
	b.void(p, at)
	return Decision{Changeset: p}
}

// Refused is the changeset of a command that was refused: nothing changes but
// the answer. A refused purchase has lapsed.
func (b Snapshot) Refused(c Command, r *Error, at time.Time) *Changeset {
	s := b.Subscription
	p := &Changeset{From: s.Revision, Subscription: s}
	if c.Action == ActionPurchase && s.unprocessed() {
		s.expire()
		p = b.post(s, at, EventOrderRefused, EventDetails{Code: string(r.Code)})
	}
	p.Outcome = Outcome{Code: r.Code, Field: r.Field, Detail: r.Detail}
	return p
}

// storeMethod uses a new card from now on. If money is owed, it is charged
// at once: for an order from now on, for a renewal for its own period.
func (b Snapshot) storeMethod(c Command, at time.Time) Decision {
	s := b.Subscription
	if b.Method == "" {
		return Decision{Refusal: refuse(CodeNoPaymentMethod, "", "there is no card to store")}
	}
	switch s.Status {
	case Incomplete:
		if b.declinesUsedUp() {
			return Decision{Refusal: refuse(CodeTooManyAttempts, "", "too many cards were declined for this order")}
		}
		if b.Open == nil && s.AwaitsCard {
			return b.collect(b.draft(ForPurchase, c.Cause(s.Revision), at, b.saleAt(at, at, at)))
		}
		if b.Open == nil {
			return Decision{Refusal: refuse(CodeNotPossibleNow, "", "this order has not been processed yet")}
		}
		if b.Open.Status == InvoiceOpen { // it was mailed: a card pays a new invoice instead
			return b.collect(b.draft(ForPurchase, c.Cause(s.Revision), at, b.saleAt(at, at, at)))
		}
		return b.collect(b.rebuild(*b.Open, b.saleAt(at, at, at)))
	case PastDue:
		if !s.Disputed() {
			return b.collect(b.owed(at))
		}
		s.Dunning.Hard = false // it is tried when the dispute has been won
	default: // nothing is owed
	}
	s.HasMethod = true
	p := b.post(s, at, EventPaymentMethod, EventDetails{})
	p.Method = b.Method
	return Decision{Changeset: p}
}
