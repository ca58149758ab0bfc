package billing

import "time"

// Decide decides about a command. Every step that is due by at has been done
// before.
func (b Book) Decide(c Command, at time.Time) Decision {
	s := b.Subscription
	switch c.Verb {
	case VerbPurchase:
		return b.purchase(c, at)
	case VerbMigrate:
		return b.migrate(c, at)
	case VerbMarkPaid:
		return b.markPaid(c, at)
	case VerbDispute:
		return b.dispute(c.Dispute, at)
	case VerbRefundFailed:
		return b.refundFailed(at)
	}
	if !s.allows(c.Verb) {
		return Decision{Refusal: refuse(CodeNotPossibleNow, "", "this is not possible in the subscription's present state")}
	}
	if c.Verb == VerbPaymentMethod { // an order's token gives it too
		return b.storeMethod(c, at)
	}
	if !c.Verb.isOperators() { // which says nothing of the account
		b.Subscription.Stranger, s.Stranger = false, false
	}
	switch c.Verb {
	case VerbChange:
		return b.change(c, at)
	case VerbCancel:
		return Decision{Posting: b.cancel(at)}
	case VerbResume:
		return Decision{Posting: b.resume(at)}
	case VerbRenew:
		return b.renewNow(c, at)
	case VerbMoneyBack:
		return b.moneyBack(at)
	case VerbCancelNow:
		return b.cancelNow(c.Refund, at)
	case VerbRefund:
		return b.refundInvoice(c.Invoice, c.Amount, at)
	case VerbSuspend, VerbRevoke, VerbReinstate:
		return b.hold(c.Verb, at)
	}
	return Decision{Refusal: refuse(CodeInvalid, "", "there is no such command")}
}

// Due decides about a step that is due. at is the instant of handling: the
// step's own, or later after an outage.
func (b Book) Due(step Step, at time.Time) Decision {
	s := b.Subscription
	switch step.Kind {
	case StepExpireOrder:
		s.Status, s.OpenInvoice, s.DueAt = IncompleteExpired, "", time.Time{}
		p := b.post(s, at, EventOrderExpired, EventDetails{})
		b.void(p, at)
		return Decision{Posting: p}
	case StepInvoice:
		return b.sendNext(at)
	case StepRemind:
		return Decision{Posting: b.remind(step, at)}
	case StepTrialEnd:
		return b.endTrial(step, at)
	case StepEnd:
		return Decision{Posting: b.end(s.Period.End, ReasonRequested)}
	case StepRenew:
		return b.renew(step, at)
	case StepRetry:
		return b.retry(at)
	case StepDispute:
		return Decision{Posting: b.remindOfDispute(at)}
	}
	return Decision{Posting: b.post(s, at, EventNothingDue, EventDetails{})}
}
