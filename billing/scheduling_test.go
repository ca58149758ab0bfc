package billing

import (
	"testing"
	"time"
)

func schedule(plan string) Command { return Command{Action: ActionScheduleChange, Plan: plan} }

func TestAScheduledChangeIsMadeAtTheBoundaryAtTheNewestPriceAndWithoutCredit(t *testing.T) {
	l := bought(t, "2026-01-31 10:00", offer{})
	l.now = instant("2026-02-10")
	l.must(schedule(large))
	is(t, "the plan until then", l.s().Plan.ID, small)
	is(t, "charged for it", l.charged(), int64(1000))
	is(t, "told", l.told(NoticeChangeScheduled)[0].Amount, Money{2000, "USD"})
	for i, p := range l.snapshot.Product.Plans {
		if p.ID == large { // it costs more by then
			l.snapshot.Product.Plans[i].Prices = []Price{{ID: "newest", Money: Money{2500, "USD"}, Tax: TaxExclusive}}
		}
	}
	l.to("2026-02-28T09:59:59Z")
	is(t, "the plan a second before", l.s().Plan.ID, small)
	l.to("2026-02-28 10:00")
	is(t, "the plan from then on", l.s().Plan.ID, large)
	is(t, "scheduled still", l.s().ScheduledChange, ScheduledChange{})
	is(t, "charged", l.last().AmountDue(), Money{2500, "USD"})
	is(t, "credited", l.last().Credit(), Money{0, "USD"})
	is(t, "the licensee's file", len(l.told(NoticeLicenseUpdated)), 1)
	is(t, "the period", l.s().Period, Period{instant("2026-02-28 10:00"), instant("2026-03-31 10:00")}) // the anchor stays
}

func TestAScheduledChangeToAnotherCycleCountsFromTheBoundary(t *testing.T) {
	l := bought(t, "2026-01-31", offer{})
	l.must(schedule(smallYear))
	l.to("2026-02-28")
	is(t, "the first year", l.s().Period, Period{instant("2026-02-28"), instant("2027-02-28")})
	is(t, "charged", l.last().AmountDue().Amount, int64(10000))
	l.must(schedule(small))
	l.to("2027-03-28")
	is(t, "the second month after it", l.s().Period, Period{instant("2027-03-28"), instant("2027-04-28")})
}

func TestAQuantityAloneKeepsThePriceThatWasBought(t *testing.T) {
	l := bought(t, "2026-01-31", offer{plan: site})
	for i := range l.snapshot.Product.Plans {
		l.snapshot.Product.Plans[i].Prices = []Price{{ID: "newest", Money: Money{9900, "USD"}, Tax: TaxExclusive}}
	}
	l.must(Command{Action: ActionScheduleChange, Plan: site, Quantity: 3})
	l.to("2026-02-28")
	is(t, "charged", l.last().AmountDue().Amount, int64(9000))
	is(t, "quantity", l.s().Quantity, int64(3))
}

func TestOneChangeIsScheduledAtATime(t *testing.T) {
	l := bought(t, "2026-04-01", offer{})
	l.must(schedule(large))
	l.refused(schedule(large), CodeNoChange)
	l.refused(schedule(small), CodeNoChange)
	l.must(schedule(smallYear))
	is(t, "the second replaces the first", l.s().ScheduledChange.Plan.ID, smallYear)
	l.must(Command{Action: ActionWithdraw})
	l.refused(Command{Action: ActionWithdraw}, CodeNotPossibleNow)
	l.to("2026-05-01")
	is(t, "the plan after a withdrawal", l.s().Plan.ID, small)
}

func TestACancellationAndAChangeAtOnceDropAScheduledChange(t *testing.T) {
	l := bought(t, "2026-04-01", offer{})
	l.must(schedule(large))
	l.must(Command{Action: ActionCancel})
	l.refused(schedule(large), CodeNotPossibleNow)
	l.must(Command{Action: ActionResume})
	is(t, "after resuming", l.s().ScheduledChange, ScheduledChange{})
	l.must(schedule(large))
	l.must(change(site))
	is(t, "after a change at once", l.s().ScheduledChange, ScheduledChange{})
	l.must(schedule(large))
	l.cards["visa"] = "insufficient_funds"
	l.to("2026-05-01")
	is(t, "a renewal that was declined", l.s().Status, PastDue)
	l.refused(schedule(smallYear), CodeNotPossibleNow)
	l.refused(Command{Action: ActionWithdraw}, CodeNotPossibleNow)
	is(t, "what is owed is of the new plan", l.last().AmountDue().Amount, int64(2000))
	l.must(Command{Action: ActionPaymentMethod}, "amex")
	is(t, "paid", l.s().Plan.ID, large)

	trial := tried(t, "2026-04-01", "visa", offer{})
	trial.must(schedule(large))
	trial.must(change(site))
	is(t, "after a change in the trial", trial.s().ScheduledChange, ScheduledChange{})
}

func TestInATrialAScheduledChangeIsMadeAtItsEnd(t *testing.T) {
	l := tried(t, "2026-04-01", "visa", offer{})
	l.must(schedule(smallYear))
	is(t, "when", l.s().ScheduledChange.At, instant("2026-05-01"))
	l.to("2026-05-01")
	is(t, "the year", l.s().Period, Period{instant("2026-05-01"), instant("2027-05-01")})
	is(t, "charged", l.charged(), int64(10000))
	l.to("2027-05-01")
	is(t, "renewed", l.s().Period.End, instant("2028-05-01"))
}

func TestAPeriodPaidAheadBringsItsScheduledPlanWhenItBegins(t *testing.T) {
	l := bought(t, "2026-04-01", offer{})
	l.must(schedule(large))
	l.must(Command{Action: ActionRenew})
	is(t, "charged", l.last().AmountDue().Amount, int64(2000))
	is(t, "the plan until then", l.s().Plan.ID, small)
	l.refused(Command{Action: ActionWithdraw}, CodeNotPossibleNow)
	l.refused(schedule(site), CodeNotPossibleNow)
	l.must(Command{Action: ActionCancel}) // what is paid for comes all the same
	files := len(l.told(NoticeLicenseUpdated))
	l.to("2026-05-01")
	is(t, "the plan from then on", l.s().Plan.ID, large)
	is(t, "a file of it", len(l.told(NoticeLicenseUpdated)), files+1)
	l.to("2026-06-01")
	is(t, "then it ends", l.s().Status, Canceled)
	is(t, "charges", l.charged(), int64(3000))
}

func TestSchedulingVoidsTheMailedInvoiceAndMailsThatOfTheNewPlan(t *testing.T) {
	l := ordered(t, "2026-01-01", offer{plan: largeYear, by: ByInvoice, country: "IT", balance: 500})
	l.snapshot.Policy.InvoiceFrom = map[string]int64{"USD": 0}
	l.must(Command{Action: ActionPurchase, Request: "req_buy"})
	l.transfer(l.last().ID, "first", l.last().AmountDue().Amount)
	l.balance += 700
	l.to("2026-12-02")
	old := l.last()
	is(t, "mailed for the next year", old.Service().Plan.ID, largeYear)
	is(t, "the balance is reserved for it", old.BalanceApplied, int64(700))
	got := l.command(schedule(smallYear))
	is(t, "the outcome", got.Payment.Status, PaymentPending)
	is(t, "the old one", l.docs[string(old.ID)].Status, InvoiceVoid)
	again := l.last()
	is(t, "the new one's plan", again.Service().Plan.ID, smallYear)
	is(t, "its balance", again.BalanceApplied, int64(700))
	is(t, "due as before", again.DueAt, instant("2027-01-01"))
	is(t, "mails", []int{len(l.told(NoticeInvoiceVoid)), len(l.told(NoticeInvoiceOpen)), len(l.told(NoticeChangeScheduled))}, []int{1, 3, 1})
	l.transfer(again.ID, "second", again.AmountDue().Amount)
	l.to("2027-01-01")
	is(t, "the plan of the second year", l.s().Plan.ID, smallYear)
	audit(l, 1200)
}

func TestThePreviewOfAScheduledChangeIsWhatTheRenewalComesTo(t *testing.T) {
	l := bought(t, "2026-04-01", offer{country: "IT", standing: 10, balance: 0})
	p, err := l.onFile().PreviewScheduled(schedule(large), l.now)
	if err != nil {
		t.Fatal(err)
	}
	is(t, "price, discount, tax, due", []int64{p.Price.Amount, p.Invoice.Discount().Amount, p.Invoice.Tax().Amount, p.Invoice.AmountDue().Amount}, []int64{2000, 200, 396, 2196}) // 22 % of 18.00
	is(t, "credit", p.Invoice.Credit().Amount, int64(0))
	is(t, "from the boundary on", p.Period, Period{instant("2026-05-01"), instant("2026-06-01")})
	wrong := int64(1)
	l.refused(Command{Action: ActionScheduleChange, Plan: large, ExpectedAmountDue: &wrong}, CodeAmountChanged)
	l.must(schedule(large))
	l.to("2026-05-01")
	is(t, "charged then", l.last().AmountDue().Amount, int64(2196))
}

func TestAfterAnOutageAScheduledChangeIsBilledForThePeriodOfNow(t *testing.T) {
	l := bought(t, "2026-01-31", offer{})
	l.must(schedule(smallYear))
	l.late("2028-05-01")
	is(t, "the running year", l.s().Period, Period{instant("2028-02-28"), instant("2029-02-28")})
	is(t, "not charged for", l.last().Lines[0].Period, Period{instant("2026-02-28"), instant("2028-02-28")})
	is(t, "the anchor", l.s().Anchor, time.Date(2026, 2, 28, 0, 0, 0, 0, time.UTC))
}

func TestAWaitingPaymentOfTheNextPeriodIsGivenUpForAnotherSchedule(t *testing.T) {
	l := bought(t, "2026-04-01", offer{})
	l.must(schedule(large))
	l.wallet = asking
	l.must(Command{Action: ActionRenew})
	is(t, "it waits", l.s().PaymentPending(), true)
	l.must(Command{Action: ActionWithdraw})
	is(t, "it waits still", l.s().PaymentPending(), false)
	is(t, "paid", l.charged(), int64(1000))
}
