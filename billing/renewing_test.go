package billing

import (
	"testing"
	"time"
)

func TestTenYearsOfRenewalsFallOnTheAnchorsDay(t *testing.T) {
	lastDay := map[time.Month]int{
		1: 31, 2: 28, 3: 31, 4: 30, 5: 31, 6: 30, 7: 31, 8: 31, 9: 30, 10: 31, 11: 30, 12: 31,
	}
	l := bought(t, "2026-01-31 10:00", offer{})
	l.to("2036-01-31 09:59")
	is(t, "charges", len(l.charges), 120)
	year, month := 2026, time.Month(1)
	for i, id := range l.order {
		day := lastDay[month]
		if month == 2 && year%4 == 0 {
			day = 29
		}
		want := time.Date(year, month, day, 10, 0, 0, 0, time.UTC)
		is(t, id, l.docs[id].Service().Period.Start, want)
		is(t, id+" is charged then", l.charges[i].at, want)
		if i > 0 {
			is(t, "the period before ends there", l.docs[l.order[i-1]].Service().Period.End, want)
		}
		if month++; month > 12 {
			year, month = year+1, 1
		}
	}

	l = bought(t, "2024-02-29", offer{plan: smallYear})
	l.to("2034-01-01")
	var starts []string
	for _, id := range l.order {
		starts = append(starts, l.docs[id].Service().Period.Start.Format(time.DateOnly))
	}
	is(t, "yearly from a leap day", starts, []string{
		"2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29", "2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29", "2033-02-28",
	})

	l = bought(t, "2026-01-01", offer{plan: smallThree})
	l.to("2036-01-01")
	is(t, "three years", len(l.charges), 4)
}

func TestARenewalTellsBothContacts(t *testing.T) {
	l := bought(t, "2026-04-01", offer{})
	l.to("2026-05-01")
	is(t, "invoices", len(l.told(NoticeReceipt)), 2)
	is(t, "files", l.told(NoticeLicenseUpdated), []Notice{{
		Kind: NoticeLicenseUpdated, To: RoleLicensee, Until: instant("2026-06-01"), Plan: l.s().Plan, WithFile: true,
	}})
}

func TestRenewNowIsCountedFromTheCurrentEnd(t *testing.T) {
	l := bought(t, "2026-01-31", offer{})
	l.now = instant("2026-02-10")
	l.must(Command{Action: ActionRenew})
	is(t, "ahead", l.s().PrepaidPeriod, Period{instant("2026-02-28"), instant("2026-03-31")})
	is(t, "charged", l.charged(), int64(2000))
	l.to("2026-02-28")
	is(t, "period", l.s().Period, Period{instant("2026-02-28"), instant("2026-03-31")})
	is(t, "not charged again", l.charged(), int64(2000))
	l.to("2026-03-31")
	is(t, "the one after is", l.charged(), int64(3000))
	is(t, "anchor", l.s().Anchor, instant("2026-01-31"))
}

func TestADeclineOfAPeriodAheadLeavesEverythingAsItWas(t *testing.T) {
	l := bought(t, "2026-04-01", offer{balance: 1200})
	before := l.s()
	l.wallet = "poor"
	is(t, "outcome", l.command(Command{Action: ActionRenew}).Code, CodeCardDeclined)
	before.Revision++
	is(t, "subscription", withoutCause(l.s()), withoutCause(before))
	is(t, "balance", l.balance, int64(200))
	is(t, "invoice", l.last().Status, InvoiceVoid)
}

func TestAPeriodPaidAheadInATrialFollowsIt(t *testing.T) {
	l := tried(t, "2026-04-01", "visa", offer{})
	l.must(Command{Action: ActionRenew})
	l.to("2026-05-01")
	is(t, "status", l.s().Status, Active)
	is(t, "anchor", l.s().Anchor, instant("2026-05-01"))
	is(t, "period", l.s().Period, Period{instant("2026-05-01"), instant("2026-06-01")})
	is(t, "charged", l.charged(), int64(1000))
	l.to("2026-06-01")
	is(t, "charged", l.charged(), int64(2000))
}

func TestCancellingWithAPeriodAheadEndsAfterIt(t *testing.T) {
	l := bought(t, "2026-04-01", offer{})
	l.must(Command{Action: ActionRenew})
	l.must(Command{Action: ActionCancel})
	is(t, "works until", l.told(NoticeCancelScheduled)[0].Until, instant("2026-06-01"))
	l.to("2026-05-31")
	is(t, "status", l.s().Status, Active)
	l.to("2026-12-01")
	is(t, "ended", l.s().CanceledAt, instant("2026-06-01"))
	is(t, "charged", l.charged(), int64(2000))
}

func TestRevivalKeepsTheLicenceAndCountsFromNow(t *testing.T) {
	l := bought(t, "2026-01-31", offer{})
	l.must(Command{Action: ActionCancel})
	l.to("2026-07-15 12:00")
	is(t, "status", l.s().Status, Canceled)
	l.must(Command{Action: ActionRenew})
	s := l.s()
	is(t, "licence", s.License, "lic_1")
	is(t, "anchor", s.Anchor, instant("2026-07-15 12:00"))
	is(t, "period", s.Period, Period{instant("2026-07-15 12:00"), instant("2026-08-15 12:00")})
	is(t, "cancelled", s.CancelAtPeriodEnd, false)
	is(t, "ended", [2]any{s.CanceledAt.IsZero(), s.CancelReason}, [2]any{true, CancelReason("")})
	is(t, "nothing of the time between is charged", lines(l.last()), [][3]any{{LineService, int64(1000), int64(0)}})
	l.to("2026-08-15 12:00")
	is(t, "it renews again", l.charged(), int64(3000))

	l = tried(t, "2026-04-01", "", offer{}) // a trial that ended is revived too
	l.to("2026-06-01")
	l.refused(Command{Action: ActionRenew}, CodeNoPaymentMethod)
	l.must(Command{Action: ActionPaymentMethod}, "visa")
	l.must(Command{Action: ActionRenew})
	is(t, "licence", l.s().License, "lic_1")
	is(t, "trial", l.s().TrialEnd.IsZero(), true)

	l = bought(t, "2026-04-01", offer{})
	l.must(Command{Action: ActionCancel})
	l.to("2026-06-01")
	l.wallet = "poor"
	is(t, "a decline", l.command(Command{Action: ActionRenew}).Code, CodeCardDeclined)
	is(t, "status", l.s().Status, Canceled)
	is(t, "ended", l.s().CanceledAt, instant("2026-05-01"))
}

// A clock that stands still makes the two periods the same.
func TestARevivalWithinTheSameSecondIsCreditedForItselfAlone(t *testing.T) {
	again := func() *ledger {
		l := bought(t, "2026-04-01", offer{})
		l.must(Command{Action: ActionRenew})
		l.must(cancelNow(RefundNone))
		l.must(Command{Action: ActionRenew})
		l.must(Command{Action: ActionRenew})
		is(t, "charged", l.charged(), int64(4000))
		return l
	}
	l := again()
	preview, err := l.onFile().PreviewChange(Command{Action: ActionChange, Plan: smallYear}, l.now)
	is(t, "preview", [2]any{preview.Invoice.Credit().Amount, err}, [2]any{int64(2000), nil})
	l.must(Command{Action: ActionChange, Plan: smallYear})
	is(t, "charged", l.charged(), int64(4000+10000-2000))
	audit(l, 0)

	for _, scope := range []RefundScope{RefundProrated, RefundFull} {
		l = again()
		l.must(cancelNow(scope))
		is(t, string(scope), l.refunded(), int64(2000))
		audit(l, 0)
	}

	l = again() // what is left of the first life stays out of it
	l.must(refundOf(InvoiceID(l.paid[2]), 0))
	l.must(Command{Action: ActionChange, Plan: large})
	is(t, "the period ahead alone", l.last().Credit().Amount, int64(1000))
	audit(l, 0)
}

func TestAStepHandledLateChargesOnlyThePeriodThatContainsIt(t *testing.T) {
	l := bought(t, "2026-01-31", offer{country: "IT"})
	l.late("2026-06-15 08:00")
	is(t, "charges", len(l.charges), 2)
	is(t, "period", l.s().Period, Period{instant("2026-05-31"), instant("2026-06-30")})
	is(t, "anchor", l.s().Anchor, instant("2026-01-31"))
	is(t, "bill", lines(l.last()), [][3]any{{LineSkipped, int64(0), int64(0)}, {LineService, int64(1000), int64(220)}})
	skipped := l.last().Lines[0]
	is(t, "the line of zero says for when", skipped.Period, Period{instant("2026-02-28"), instant("2026-05-31")})
	if skipped.Description == "" {
		t.Error("the line of zero says nothing")
	}
	is(t, "first failure is none", l.s().Status, Active)

	l = bought(t, "2026-01-31", offer{}) // late, but within the period: nothing was skipped
	l.late("2026-03-30")
	is(t, "bill", lines(l.last()), [][3]any{{LineService, int64(1000), int64(0)}})

	l = tried(t, "2026-01-31", "visa", offer{})
	l.late("2026-05-01")
	is(t, "a trial's period", l.s().Period, Period{instant("2026-04-28"), instant("2026-05-28")})
	is(t, "a trial's anchor", l.s().Anchor, instant("2026-02-28"))
	is(t, "a trial's bill", lines(l.last()), [][3]any{{LineSkipped, int64(0), int64(0)}, {LineService, int64(1000), int64(0)}})

	l = bought(t, "2026-01-31", offer{}) // a period that was paid ahead is not charged again
	l.must(Command{Action: ActionRenew})
	l.late("2026-05-10")
	is(t, "charges", len(l.charges), 3)
	is(t, "skipped", l.last().Lines[0].Period, Period{instant("2026-03-31"), instant("2026-04-30")})

	l = failing(t, "poor") // a retry, when the card has money again
	l.to("2026-05-02")
	l.cards["poor"] = ""
	l.late("2026-07-10")
	is(t, "a retry's period", l.s().Period, Period{instant("2026-07-01"), instant("2026-08-01")})
	is(t, "a retry's charges", l.charged(), int64(2000))
	is(t, "a retry's skipped time", l.last().Lines[0].Period, Period{instant("2026-05-01"), instant("2026-07-01")})

	l = bought(t, "2026-04-01", offer{}) // what was cancelled ended when it was to end
	l.must(Command{Action: ActionCancel})
	l.late("2026-09-01")
	is(t, "ended", l.s().CanceledAt, instant("2026-05-01"))
	is(t, "charged", l.charged(), int64(1000))
}

func TestResumeUndoesACancellation(t *testing.T) {
	l := bought(t, "2026-04-01", offer{})
	before := l.s()
	l.must(Command{Action: ActionCancel})
	is(t, "valid to the exact end", l.s().Entitlement(l.snapshot.Policy).ValidUntil, instant("2026-05-01"))
	l.must(Command{Action: ActionResume})
	before.Revision = l.s().Revision
	is(t, "subscription", withoutCause(l.s()), withoutCause(before))
	is(t, "told", len(l.told(NoticeResumed)), 1)
	l.to("2026-05-01")
	is(t, "charged", l.charged(), int64(2000))
}

func TestAPriceIsKeptUntilThePlanChanges(t *testing.T) {
	l := bought(t, "2026-04-01", offer{})
	for i := range l.snapshot.Product.Plans {
		for j := range l.snapshot.Product.Plans[i].Prices {
			l.snapshot.Product.Plans[i].Prices[j].Amount *= 3
		}
	}
	l.to("2026-05-01")
	is(t, "the renewal", l.charges[1].amount, int64(1000))
	l.must(Command{Action: ActionRenew})
	is(t, "the period ahead", l.charges[2].amount, int64(1000))
	l.must(Command{Action: ActionChange, Plan: large}) // 60.00 − 10.00 − 10.00
	is(t, "the change", l.charges[3].amount, int64(4000))

	for name, c := range map[string]struct {
		start  func() *ledger
		prices []int64 // of each sale, before credits
	}{
		"a larger quantity is no other plan": {func() *ledger { return bought(t, "2026-04-01", offer{plan: site}) }, []int64{3000, 6000, 6000, 10000}},
		"nor is it in a trial":               {func() *ledger { return tried(t, "2026-04-01", "visa", offer{plan: site}) }, []int64{6000, 10000}},
	} {
		t.Run(name, func(t *testing.T) {
			l := c.start()
			l.to("2026-04-10")
			move := l.reprice(site, 5000, "pri_2")
			preview, err := l.onFile().PreviewChange(Command{Action: ActionChange, Plan: site, Quantity: 2}, l.now)
			is(t, "preview", [2]any{preview.Price.Amount, err}, [2]any{int64(6000), nil})
			l.must(Command{Action: ActionChange, Plan: site, Quantity: 2})
			l.to("2026-05-20")
			l.must(move) // which is still to come, whatever the quantity
			l.to("2026-06-15")
			prices := []int64{}
			for _, id := range l.paid {
				prices = append(prices, l.docs[id].Service().Amount)
			}
			is(t, "prices", prices, c.prices)
		})
	}

	l = bought(t, "2026-04-01", offer{plan: site})
	l.must(l.reprice(site, 5000, "pri_2"))
	l.to("2026-04-10")
	l.must(Command{Action: ActionChange, Plan: site, Quantity: 2})
	is(t, "what was announced for May is not for April", l.last().Service().Amount, int64(6000))
	l.to("2026-05-10")
	is(t, "and comes with the next period", l.last().Service().Amount, int64(10000))
}
