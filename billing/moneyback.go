package billing

import (
	"slices"
	"time"
)

// MoneyBack says from which invoice on all money is refunded on demand, and
// until when: from the first charge of a purchase, a trial's conversion or a
// revival (docs/rules.md, Cancelling).
type MoneyBack struct {
	From  InvoiceID `json:"from"` // inv_…
	Until time.Time `json:"until"`
}

func (m MoneyBack) available(at time.Time) bool { return m.From != "" && !at.After(m.Until) }

// startsMoneyBack tells whether a paid invoice starts the money-back period.
// Paying ahead during a trial counts as its conversion.
func (s Subscription) startsMoneyBack(p Purpose) bool {
	return p == ForPurchase || p == ForConversion || p == ForRevival || p == ForPrepaid && s.Status == Trialing
}

// moneyBack ends the subscription at once and gives back everything that was
// paid since the purchase, the trial's conversion or the revival.
func (b Snapshot) moneyBack(_ Command, at time.Time) Decision {
	s := b.Subscription
	if !s.MoneyBack.available(at) {
		return Decision{Refusal: refuse(CodeMoneyBackOver, "", "the money-back period is over")}
	}
	from := slices.IndexFunc(b.Receipts, func(r Receipt) bool { return r.ID == s.MoneyBack.From })
	var all []credit
	for _, sold := range b.PaidLines {
		if i := b.receipt(sold.Invoice); from >= 0 && i >= from {
			all = append(all, sold.whole())
		}
	}
	p := b.end(at, ReasonRefunded)
	back := b.giveBack(p, all, "money_back", at)
	if back.none() {
		return Decision{Refusal: refuse(CodeNothingToRefund, "", "nothing was paid that could be refunded")}
	}
	p.MoneyBackClaim = true
	p.Events[0] = back.event(at, EventCanceled, ReasonRefunded)
	p.Notices[0] = back.notice(NoticeMoneyBack, p) // in place of the one of the end
	return Decision{Changeset: p}
}
