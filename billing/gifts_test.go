package billing

import (
	"slices"
	"testing"
	"time"
)

func extended(days int64) Command { return Command{Action: ActionExtend, Days: days} }

// comped is a free licence from an instant until another.
func comped(t *testing.T, at, until string) *ledger {
	t.Helper()
	l := ordered(t, at, offer{pay: PayNothing})
	l.snapshot.Order.Billing, l.snapshot.Order.BillingAccount = BillingDetails{}, ""
	l.snapshot.Order.Until = instant(until)
	l.snapshot.Subscription.Comp, l.snapshot.Subscription.Price = true, Price{Money: Money{0, "USD"}}
	l.must(Command{Action: ActionPurchase, Request: "req_give"})
	return l
}

func TestAnExtendedTrialEndsLaterAndIsChargedThen(t *testing.T) {
	l := tried(t, "2026-04-01", "visa", offer{})
	l.must(extended(14)) // of 1 May
	is(t, "trial end", l.s().TrialEnd, instant("2026-05-15"))
	is(t, "valid until", l.s().Entitlement(l.snapshot.Policy).ValidUntil, instant("2026-05-15"))
	is(t, "the licensee's new file ends", l.told(NoticeFileRenewed)[0].Until, instant("2026-05-15"))
	l.to("2026-05-14")
	is(t, "charged in the trial", l.charged(), 0)
	l.to("2026-05-15")
	is(t, "charged at its end", l.charged(), 1000)
	is(t, "period", l.s().Period, Period{instant("2026-05-15"), instant("2026-06-15")})
}

func TestGivenDaysMoveTheNextRenewalAndAllLaterOnes(t *testing.T) {
	l := bought(t, "2026-04-01", offer{})
	l.must(extended(10))
	is(t, "period", l.s().Period, Period{instant("2026-04-01"), instant("2026-05-11")})
	l.to("2026-05-10")
	is(t, "charged before", l.charged(), 1000)
	l.to("2026-07-01")
	var at []time.Time
	for _, c := range l.charges {
		at = append(at, c.at)
	}
	is(t, "charges", at, []time.Time{instant("2026-04-01"), instant("2026-05-11"), instant("2026-06-11")})
}

// 30 days for 10.00: after 15 days half of it is unused, however many days were
// given; in the given days nothing is.
func TestAChangeCreditsWhatWasPaidAndNotWhatWasGiven(t *testing.T) {
	for _, c := range []struct {
		at     string
		credit int64
	}{{"2026-04-16", 500}, {"2026-05-01", 0}, {"2026-05-08", 0}} {
		l := bought(t, "2026-04-01", offer{})
		l.must(extended(10))
		l.to(c.at)
		l.must(change(large))
		is(t, "credit at "+c.at, l.last().Credit().Amount, c.credit)
	}
}

// After the next period has begun, nothing is left of the days that were given.
func TestACreditOfALaterPeriodIsItsOwn(t *testing.T) {
	l := bought(t, "2026-04-01", offer{})
	l.must(extended(10))
	l.to("2026-05-26 12:00") // half of 11 May to 11 June
	l.must(change(large))
	is(t, "credit", l.last().Credit().Amount, 500)
}

func TestAnInvoiceThatWasMailedAheadIsVoidAndMailedAgainAfterAnExtension(t *testing.T) {
	l := ordered(t, "2026-04-01", offer{plan: largeYear, quantity: 1, by: ByInvoice, discount: Discount{}})
	l.snapshot.Policy.InvoiceFrom = map[string]int64{"USD": 1}
	l.command(Command{Action: ActionPurchase, Request: "req_buy"})
	l.transfer(l.last().ID, "first", 20000)
	l.to("2027-03-15") // 30 days before the end it was mailed
	ahead := l.last()
	is(t, "mailed ahead", ahead.Status, InvoiceOpen)
	l.must(extended(7))
	is(t, "the old one", l.docs[string(ahead.ID)].Status, InvoiceVoid)
	again := l.last()
	is(t, "the new one's period starts", again.Service().Period.Start, instant("2027-04-08"))
	is(t, "and is due", again.DueAt, instant("2027-04-08"))
	l.must(extended(300)) // far ahead: no invoice is due now
	is(t, "no invoice is open", l.s().OpenInvoice, "")
	is(t, "next", l.s().Next, Step{StepInvoice, l.s().Period.End.Add(-30 * day)})
}

func TestAnExtensionLeavesTheBalanceInTheInvoiceThatIsMailedAgain(t *testing.T) {
	l := ordered(t, "2026-04-01", offer{plan: largeYear, quantity: 1, by: ByInvoice, discount: Discount{}})
	l.snapshot.Policy.InvoiceFrom = map[string]int64{"USD": 1}
	l.command(Command{Action: ActionPurchase, Request: "req_buy"})
	l.transfer(l.last().ID, "first", 20000)
	l.balance = 5000
	l.to("2027-03-15")
	is(t, "mailed ahead", []int64{l.last().BalanceApplied, l.last().AmountDue().Amount}, []int64{5000, 15000})
	l.must(extended(7))
	is(t, "mailed again", []int64{l.last().BalanceApplied, l.last().AmountDue().Amount, l.balance}, []int64{5000, 15000, 0})
}

func TestDaysAreGivenToWhatRunsAndNothingElse(t *testing.T) {
	for status, make := range in {
		l := make(t)
		if status == Trialing || status == Active {
			l.must(extended(1))
			continue
		}
		l.refused(extended(1), CodeNotPossibleNow)
	}
	l := bought(t, "2026-04-01", offer{})
	l.must(Command{Action: ActionRenew})
	l.refused(extended(1), CodeNotPossibleNow)
	for _, days := range []int64{0, -1, 367} {
		if Action.kind(ActionExtend).Check(extended(days)) == nil {
			t.Errorf("%d days can be given", days)
		}
	}
}

func TestAFreeLicenceIsActiveUntilItsEndAndTellsNobodyOfMoney(t *testing.T) {
	l := comped(t, "2026-04-01", "2028-04-01")
	s := l.s()
	is(t, "status", s.Status, Active)
	is(t, "licence", s.License, "lic_1")
	is(t, "valid until", s.Entitlement(l.snapshot.Policy).ValidUntil, instant("2028-04-01"))
	is(t, "next payment", s.NextPaymentAt(), time.Time{})
	is(t, "actions", len(s.Actions(l.now)), 0)
	for _, c := range []Command{change(large), {Action: ActionCancel}, {Action: ActionRenew}, {Action: ActionMoneyBack}, {Action: ActionPaymentMethod}} {
		l.refused(c, CodeNotPossibleNow)
	}
	l.to("2028-03-31")
	is(t, "the day before", l.s().Status, Active)
	l.to("2028-04-01")
	is(t, "at its end", l.s().Status, Canceled)
	is(t, "why", l.s().CancelReason, ReasonOperator)
	is(t, "ended", l.s().CanceledAt, instant("2028-04-01"))
	is(t, "documents", len(l.docs), 0)
	is(t, "charges", len(l.charges), 0)
	var told []NoticeKind
	for _, n := range l.notices {
		if told = append(told, n.Kind); n.To != RoleLicensee {
			t.Errorf("%s is told of %s", n.To, n.Kind)
		}
	}
	is(t, "told", told, []NoticeKind{NoticeLicense, NoticeFileRenewed}) // a file lasts 400 days
	l.refused(Command{Action: ActionRenew}, CodeNotPossibleNow)
}

func TestAFreeLicenceIsExtendedAndEndedByOperators(t *testing.T) {
	l := comped(t, "2026-04-01", "2026-05-01")
	l.must(extended(31))
	l.to("2026-05-31")
	is(t, "extended", l.s().Status, Active)
	is(t, "next", l.s().Next, Step{StepEnd, instant("2026-06-01")})
	l.must(Command{Action: ActionCancelNow, Refund: RefundFull})
	is(t, "ended", l.s().Status, Canceled)
	if slices.ContainsFunc(l.notices, func(n Notice) bool { return n.To == RoleBilling }) {
		t.Error("somebody who pays is told")
	}
}

func TestAFreeLicenceIsNotGivenForThePast(t *testing.T) {
	l := ordered(t, "2026-04-01", offer{pay: PayNothing})
	l.snapshot.Order.Until = instant("2026-04-01")
	is(t, "refusal", l.command(Command{Action: ActionPurchase, Request: "req_give"}).Code, CodeInvalid)
}
