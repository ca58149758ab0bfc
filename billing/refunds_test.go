package billing

import "testing"

func cancelNow(scope RefundScope) Command { return Command{Action: ActionCancelNow, Refund: scope} }

func refundOf(invoice InvoiceID, amount int64) Command {
	c := Command{Action: ActionRefund, Invoice: invoice}
	if amount > 0 {
		c.Amount = &amount
	}
	return c
}

// sums are what each invoice's credit notes come to, by the order of payment.
func (l *ledger) sums() []int64 {
	sums := make([]int64, len(l.paid))
	for i, id := range l.paid {
		for _, n := range l.notes {
			if string(n.Invoice) == id {
				sums[i] += n.Total().Amount
			}
		}
	}
	return sums
}

func TestMoneyBackGivesBackWhatWasChargedInAll(t *testing.T) {
	for _, c := range []struct {
		name          string
		sells         offer
		live          func(l *ledger)
		card, balance int64
		notes         []int64
		emailAttaches int
	}{
		{"a purchase", offer{}, func(*ledger) {}, 1000, 0, []int64{1000}, 1},
		{"with its tax", offer{country: "IT"}, func(*ledger) {}, 1220, 0, []int64{1220}, 1},
		// 20.00 less 20 of 30 days of 10.00: 13.33. Each invoice is corrected by its own total.
		{"and an upgrade", offer{}, func(l *ledger) { l.to("2026-04-11"); l.must(change(large)) },
			1000 + 1333, 0, []int64{1000, 1333}, 2},
		{"and a period paid ahead", offer{}, func(l *ledger) { l.must(Command{Action: ActionRenew}) },
			2000, 0, []int64{1000, 1000}, 2},
		// 1333 of 2000 come back, of which 333 are on the balance; they stay there.
		{"and a downgrade", offer{plan: large}, func(l *ledger) { l.to("2026-04-11"); l.must(change(small)) },
			1667, 333, []int64{333 + 1667, 0}, 1},
		// The balance that the downgrade left was used up by the upgrade: all of it is the cards'.
		{"and down and up again", offer{plan: large}, func(l *ledger) {
			l.to("2026-04-11")
			l.must(change(small))
			l.must(change(large))
		}, 2667, 0, nil, -1},
		{"paid in part by the balance", offer{balance: 300}, func(*ledger) {}, 700, 300, []int64{1000}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := bought(t, "2026-04-01", c.sells)
			c.live(l)
			l.to("2026-04-15") // fourteen days after, to the second
			l.must(Command{Action: ActionMoneyBack})
			is(t, "next payment", l.s().NextPaymentAt().IsZero(), true)
			is(t, "card", l.refunded(), c.card)
			if c.emailAttaches >= 0 {
				is(t, "balance", l.balance, c.balance)
				is(t, "credit notes", l.sums(), c.notes)
				is(t, "attached", len(l.told(NoticeMoneyBack)[0].CreditNotes), c.emailAttaches)
			}
			is(t, "not told that it ended as well", len(l.told(NoticeEnded)), 0)
			is(t, "valid until", l.s().Entitlement(l.snapshot.Policy).ValidUntil, instant("2026-04-15"))
			is(t, "reason", l.s().CancelReason, ReasonRefunded)
			is(t, "pending", l.s().Refunding, len(l.refunds))
			l.confirm()
			is(t, "pending afterwards", l.s().Refunding, 0)
			audit(l, c.sells.balance)
		})
	}
}

func TestMoneyBackIsForFourteenDaysFromTheFirstCharge(t *testing.T) {
	over := Command{Action: ActionMoneyBack}
	l := bought(t, "2026-04-01", offer{})
	l.to("2026-04-11")
	l.must(change(large)) // which begins nothing anew
	l.until(instant("2026-04-15").Add(1e9), false)
	l.refused(over, CodeMoneyBackOver)

	l = bought(t, "2026-04-01", offer{})
	l.to("2026-05-01")
	l.refused(over, CodeMoneyBackOver)

	l = tried(t, "2026-04-01", "visa", offer{})
	l.to("2026-05-15") // converted on 1 May
	l.must(over)
	is(t, "a conversion's", l.refunded(), int64(1000))

	l = tried(t, "2026-04-01", "visa", offer{})
	l.must(Command{Action: ActionRenew}) // pays for May
	l.to("2026-04-15")
	l.must(over)
	is(t, "a trial's that was paid ahead", l.refunded(), int64(1000))

	l = bought(t, "2026-04-01", offer{})
	l.must(cancelNow(RefundNone))
	l.must(Command{Action: ActionRenew}) // revived in the same second
	l.must(over)
	is(t, "a revival's, and nothing of before", l.sums(), []int64{0, 1000})
}

func TestMoneyBackOfNothingIsRefused(t *testing.T) {
	l := bought(t, "2026-04-01", offer{})
	l.must(refundOf(InvoiceID(l.paid[0]), 0))
	l.refused(Command{Action: ActionMoneyBack}, CodeNothingToRefund)
}

func TestCancelNowGivesBackNothingTheUnusedPartOrAll(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepaid bool
		scope   RefundScope
		want    int64
	}{
		{"none", false, RefundNone, 0},
		{"prorated: 10 of 30 days", false, RefundProrated, 406}, // 333 and 22 %: 73.26
		{"full", false, RefundFull, 1220},
		{"prorated, and the period ahead", true, RefundProrated, 406 + 1220},
		{"full, and the period ahead", true, RefundFull, 2440},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := bought(t, "2026-04-01", offer{country: "IT"})
			if c.prepaid {
				l.must(Command{Action: ActionRenew})
			}
			l.to("2026-04-21")
			preview, err := l.onFile().PreviewCancelNow(c.scope, instant("2026-04-21"))
			is(t, "the preview's refusal", err, nil)
			is(t, "previewed", preview.Card.Amount, c.want)
			l.must(cancelNow(c.scope))
			is(t, "given back", l.refunded(), c.want)
			is(t, "ended", l.s().CanceledAt, instant("2026-04-21"))
			is(t, "reason", l.s().CancelReason, ReasonOperator)
			audit(l, 0)
		})
	}
}

func TestCancelNowEndsATrialADebtAndAnOrder(t *testing.T) {
	for _, status := range []Status{Incomplete, Trialing, PastDue} {
		l := in[status](t)
		l.must(cancelNow(RefundFull))
		if !l.s().Status.Ended() || l.s().CancelReason != ReasonOperator {
			t.Errorf("%s became %+v", status, l.s())
		}
	}
	for _, status := range []Status{Canceled, IncompleteExpired} {
		in[status](t).refused(cancelNow(RefundNone), CodeNotPossibleNow)
	}
}

func TestAnInvoiceIsRefundedInPartsUpToItsTotal(t *testing.T) {
	l := bought(t, "2026-04-01", offer{country: "IT"}) // 10.00 and 22 %: 12.20
	id := l.paid[0]
	l.refused(refundOf(InvoiceID(id), 1221), CodeAmountTooLarge)
	for _, amount := range []int64{3, 500, 1, 700} {
		l.must(refundOf(InvoiceID(id), amount))
	}
	is(t, "given back", l.refunded(), int64(1204))
	l.refused(refundOf(InvoiceID(id), 17), CodeAmountTooLarge)
	l.must(refundOf(InvoiceID(id), 0))
	is(t, "given back", l.refunded(), int64(1220))
	is(t, "net and tax", []int64{l.sold[0].Credited, l.sold[0].CreditedTax}, []int64{1000, 220})
	l.refused(refundOf(InvoiceID(id), 1), CodeNothingToRefund)
	is(t, "status", l.s().Status, Active)
	l.refused(refundOf("inv_none", 0), CodeNothingToRefund)
	audit(l, 0)
}

func TestARefundReachesAnEndedSubscription(t *testing.T) {
	l := in[Canceled](t)
	l.must(refundOf(InvoiceID(l.paid[0]), 0))
	is(t, "given back", l.refunded(), int64(1000))
	is(t, "reason", l.s().CancelReason, ReasonRequested)
	l.confirm()
	is(t, "status", l.s().Status, Canceled)
}

// Only the card's part can go back to the card: first the card, then the rest.
func TestTheCardComesBeforeTheBalance(t *testing.T) {
	l := bought(t, "2026-04-01", offer{balance: 300})
	l.must(refundOf(InvoiceID(l.paid[0]), 600))
	is(t, "card, balance", []int64{l.refunded(), l.balance}, []int64{600, 0})
	l.must(refundOf(InvoiceID(l.paid[0]), 0))
	is(t, "card, balance", []int64{l.refunded(), l.balance}, []int64{700, 300})
}

func TestARefundThatFailsGoesToTheBalanceAndTheOperatorIsTold(t *testing.T) {
	l := bought(t, "2026-04-01", offer{})
	l.must(refundOf(InvoiceID(l.paid[0]), 400))
	l.confirm(0)
	is(t, "card, balance", []int64{l.refunded(), l.balance}, []int64{0, 400})
	is(t, "told", len(l.told(NoticeRefundFailed)), 1)
	is(t, "whom", l.told(NoticeRefundFailed)[0].To, RoleOperator)
	is(t, "event", l.history[len(l.history)-1].Events[0].Kind, "refund_failed")
	audit(l, 0)
}

// Banks send refunds back days after gateways have called them given.
func TestARefundThatFailsLaterGoesToTheBalanceOnce(t *testing.T) {
	l := bought(t, "2026-04-01", offer{country: "IT"}) // 12.20
	l.must(refundOf(InvoiceID(l.paid[0]), 400))
	l.refusedRefund(l.refunds[0].ID, CodeNotPossibleNow) // which nobody has confirmed
	l.confirm()
	l.must(refundOf(InvoiceID(l.paid[0]), 300))
	l.confirm()
	is(t, "card, balance", []int64{l.refunded(), l.balance}, []int64{700, 0})
	for i := range 3 {
		if got := l.sendBack(l.refunds[0].ID); (got.Code != "") != (i > 0) {
			t.Errorf("told %d times: %+v", i+1, got)
		}
	}
	is(t, "card, balance", []int64{l.refunded(), l.balance}, []int64{300, 400})
	is(t, "credit notes", l.sums(), []int64{700})
	is(t, "told", len(l.told(NoticeRefundFailed)), 1)
	is(t, "whom", l.told(NoticeRefundFailed)[0].To, RoleOperator)
	is(t, "how much", l.told(NoticeRefundFailed)[0].Amount, Money{400, "USD"})
	is(t, "pending", l.s().Refunding, 0)
	l.refusedRefund("re_other", CodeInvalid)

	l.must(refundOf(InvoiceID(l.paid[0]), 0)) // the card is not asked for it again
	is(t, "card, balance", []int64{l.refunded(), l.balance}, []int64{300 + 520, 400})
	is(t, "credit notes", l.sums(), []int64{1220})
	l.confirm()
	audit(l, 0)
}

func (l *ledger) refusedRefund(id RefundID, code Code) {
	l.t.Helper()
	is(l.t, string(id), l.sendBack(id).Code, code)
}

func TestARefundThatFailsLaterReachesAnEndedSubscription(t *testing.T) {
	l := bought(t, "2026-04-01", offer{})
	l.must(Command{Action: ActionMoneyBack})
	l.confirm()
	is(t, "outcome", l.sendBack(l.refunds[0].ID).Code, "")
	is(t, "balance", l.balance, int64(1000))
	is(t, "status", l.s().Status, Canceled)
	is(t, "nothing is due", l.s().Next, Step{})
	audit(l, 0)
}

// A change whose credit is larger than the invoice that it credits corrects the
// earlier one that had paid for the rest.
func TestCreditNotesOfAChangeStayWithinTheirInvoices(t *testing.T) {
	l := bought(t, "2026-04-01", offer{plan: large})
	l.to("2026-04-16")
	l.must(change(largeYear)) // 200.00 less 10.00
	l.must(change(single))    // 200.00 come back, less 0.01; the second came to 190.00
	is(t, "balance", l.balance, int64(19999))
	is(t, "credit notes", l.sums(), []int64{999, 19000, 0})
	l.must(cancelNow(RefundFull))
	is(t, "credit notes", l.sums(), []int64{1000, 19000, 0}) // the cent
	audit(l, 0)
}

// A bill that an earlier one has paid in part gives back no more than it came
// to, although its service is worth more.
func TestARefundOfAnInvoiceStaysWithinIt(t *testing.T) {
	l := bought(t, "2026-04-01", offer{})
	l.to("2026-04-11")
	l.must(change(large)) // 20.00 less 6.67
	l.refused(refundOf(InvoiceID(l.paid[1]), 1334), CodeAmountTooLarge)
	l.must(refundOf(InvoiceID(l.paid[1]), 0))
	is(t, "given back", l.refunded(), int64(1333))
	audit(l, 0)
}
