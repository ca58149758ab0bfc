package billing

import (
	"testing"
	"time"
)

// The figures are worked by hand: April has 30 days, January 31; users 1-20
// cost 10.00 a month and 21-50 cost 20.00.
func TestTheCreditOfAChange(t *testing.T) {
	for _, c := range []struct {
		name          string
		from          offer
		start, at, to string
		bill          [][3]any
		due           int64
		note          [2]int64 // net, tax
		period        string   // the end of the new one
	}{
		{"upgrade in the middle", offer{}, "2026-04-01", "2026-04-16", large,
			[][3]any{{LineService, int64(2000), int64(0)}, {LineCredit, int64(-500), int64(0)}}, 1500, [2]int64{}, "2026-05-16"},
		{"upgrade at the first instant", offer{}, "2026-04-01", "2026-04-01", large,
			[][3]any{{LineService, int64(2000), int64(0)}, {LineCredit, int64(-1000), int64(0)}}, 1000, [2]int64{}, "2026-05-01"},
		{"upgrade in the last second", offer{}, "2026-04-01", "2026-04-30T23:59:59Z", large, // 1000 ÷ 2592000
			[][3]any{{LineService, int64(2000), int64(0)}}, 2000, [2]int64{}, "2026-05-30T23:59:59Z"},
		{"seventeen of thirty-one days", offer{}, "2026-01-01", "2026-01-15", large, // 548.39
			[][3]any{{LineService, int64(2000), int64(0)}, {LineCredit, int64(-548), int64(0)}}, 1452, [2]int64{}, "2026-02-15"},
		{"with tax", offer{country: "IT"}, "2026-04-01", "2026-04-16", large, // 2440 − 610
			[][3]any{{LineService, int64(2000), int64(440)}, {LineCredit, int64(-500), int64(-110)}}, 1830, [2]int64{}, "2026-05-16"},
		{"downgrade within the price", offer{plan: large}, "2026-04-01", "2026-04-21", small, // 666.67
			[][3]any{{LineService, int64(1000), int64(0)}, {LineCredit, int64(-667), int64(0)}}, 333, [2]int64{}, "2026-05-21"},
		{"downgrade beyond the price", offer{plan: large}, "2026-01-01", "2026-01-15", small, // 1096.77
			[][3]any{{LineService, int64(1000), int64(0)}, {LineCredit, int64(-1000), int64(0)}}, 0, [2]int64{97, 0}, "2026-02-15"},
		{"the same with tax", offer{plan: large, country: "IT"}, "2026-01-01", "2026-01-15", small, // 1097 + 241.34
			[][3]any{{LineService, int64(1000), int64(220)}, {LineCredit, int64(-1000), int64(-220)}}, 0, [2]int64{97, 21}, "2026-02-15"},
		{"from a year to a month", offer{plan: smallYear}, "2026-01-01", "2026-07-02", small, // 183 of 365 days: 5013.70
			[][3]any{{LineService, int64(1000), int64(0)}, {LineCredit, int64(-1000), int64(0)}}, 0, [2]int64{4014, 0}, "2026-08-02"},
		{"from a month to three years", offer{}, "2026-04-01", "2026-04-16", smallThree,
			[][3]any{{LineService, int64(27000), int64(0)}, {LineCredit, int64(-500), int64(0)}}, 26500, [2]int64{}, "2029-04-16"},
		{"yen", offer{currency: "JPY"}, "2026-01-01", "2026-01-22", large, // 322.58
			[][3]any{{LineService, int64(2000), int64(0)}, {LineCredit, int64(-323), int64(0)}}, 1677, [2]int64{}, "2026-02-22"},
		{"to what costs a trifle more", offer{plan: large}, "2026-04-01", "2026-04-16 00:12", small, // 999.44: due 1, waived
			[][3]any{{LineService, int64(1000), int64(0)}, {LineCredit, int64(-999), int64(0)}, {LineWaiver, int64(-1), int64(0)}}, 0, [2]int64{}, "2026-05-16 00:12"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := bought(t, c.start, c.from)
			paid := l.charged()
			l.to(c.at)
			l.must(change(c.to))
			is(t, "bill", lines(l.last()), c.bill)
			is(t, "charged", l.charged()-paid, c.due)
			var noted [2]int64
			for _, n := range l.notes {
				noted[0], noted[1] = noted[0]+n.Net, noted[1]+n.Tax
				is(t, "the note corrects the first invoice", [2]string{string(n.Invoice), n.Line}, [2]string{l.order[0], l.order[0] + ".1"})
			}
			is(t, "credit note", noted, c.note)
			is(t, "balance", l.balance, c.note[0]+c.note[1])
			is(t, "plan", l.s().Plan.ID, c.to)
			is(t, "the new period starts at the change", l.s().Period, Period{instant(c.at), instant(c.period)})
			is(t, "the anchor moves there", l.s().Anchor, instant(c.at))
		})
	}
}

func TestAChangeIsProratedByWholeDaysWhereTheProductSaysSo(t *testing.T) {
	days := shelf()
	days.Proration = PerDay
	l := bought(t, "2026-04-01 18:00", offer{product: &days})
	l.to("2026-04-16 23:00") // 1 May − 16 April over 30 days
	l.must(change(large))
	is(t, "credit", l.last().Credit(), Money{500, "USD"})
	l.to("2026-04-16 23:30") // the same day: all comes back
	l.must(change(small))
	is(t, "credit", l.last().Credit(), Money{2000, "USD"})
}

func TestAChangeTellsBothContacts(t *testing.T) {
	l := bought(t, "2026-04-01", offer{})
	old := l.s().Plan
	l.to("2026-04-16")
	l.must(change(large))
	is(t, "billing", l.told(NoticePlanChanged), []Notice{{
		Kind: NoticePlanChanged, To: RoleBilling, InvoiceID: l.last().ID, Amount: Money{1500, "USD"}, Credit: Money{500, "USD"},
		Until: instant("2026-05-16"), Plan: l.s().Plan, OldPlan: old,
	}})
	is(t, "licensee", l.told(NoticeLicenseUpdated), []Notice{{
		Kind: NoticeLicenseUpdated, To: RoleLicensee, Until: instant("2026-05-16"), Plan: l.s().Plan, WithFile: true,
	}})
}

func TestLaterInvoicesUseTheBalanceUpFirst(t *testing.T) {
	l := bought(t, "2026-01-01", offer{plan: smallYear})
	l.to("2026-07-02")
	l.must(change(small)) // 40.14 to the balance
	l.to("2026-11-02")    // four renewals of 10.00
	is(t, "charged", l.charged(), int64(10000))
	is(t, "balance", l.balance, int64(14))
	l.to("2026-12-02")
	is(t, "charged", l.charged(), int64(10986))
	is(t, "balance", l.balance, int64(0))
}

// What 10.00 was still worth, 5.00, is there again: a whole new period of
// 10.00 and 10.00 of balance, for 15.00 paid.
func TestChangingStraightBackGivesTheMoneyBackToTheMinorUnit(t *testing.T) {
	for _, c := range []struct {
		name string
		offer
		want int64 // balance: the other plan's price with tax less this one's
	}{
		{"without tax", offer{}, 1000},
		{"with tax", offer{country: "IT"}, 1220},
		{"with a tax that does not divide", offer{country: "FI", currency: "EUR"}, 1255},
		{"yen", offer{currency: "JPY"}, 1000},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := bought(t, "2026-04-01", c.offer)
			before := l.charged()
			l.to("2026-04-16")
			l.must(change(large))
			up := l.charged() - before
			l.must(change(small))
			is(t, "nothing more is charged", l.charged()-before, up)
			is(t, "balance", l.balance, c.want)
			is(t, "what the first line was worth", l.last().Total().Amount, int64(0))
			unused := 2*before - up // 2 × price − charge = credit, tax included
			is(t, "worth before and after", before+l.balance-up, unused)
			l.must(change(large))
			is(t, "and up again costs nothing", l.charged()-before, up)
			is(t, "balance", l.balance, int64(0))
		})
	}
}

func TestChangesOfOnePeriodCreditOnlyWhatIsLeft(t *testing.T) {
	l := bought(t, "2026-04-01", offer{plan: large})
	l.to("2026-04-11")
	l.must(change(small)) // 1333 of 2000: 333 to the balance
	is(t, "balance", l.balance, int64(333))
	l.to("2026-04-16")
	l.must(change(large)) // 833 of 1000, 1167 less 333
	is(t, "charged", l.charges[1].amount, int64(834))
	is(t, "drawn", []int64{l.sold[0].Credited, l.sold[1].Credited, l.sold[2].Credited}, []int64{1333, 833, 0})
}

// A credit is capped by the line's one remainder, no matter who drew on it before.
func TestACreditNeverTakesMoreThanTheRemainder(t *testing.T) {
	l := bought(t, "2026-04-01", offer{country: "IT"})
	l.sold[0].Credited, l.sold[0].CreditedTax = 700, 154 // a refund
	l.to("2026-04-16")
	l.must(change(large)) // 300 instead of 500; its tax: 220 − 154
	is(t, "bill", lines(l.last()), [][3]any{{LineService, int64(2000), int64(440)}, {LineCredit, int64(-300), int64(-66)}})

	l = bought(t, "2026-04-01", offer{})
	l.sold[0].Credited = 1000
	l.to("2026-04-16")
	l.must(change(large))
	is(t, "nothing is left", l.last().Credit(), Money{0, "USD"})
}

func TestAChangeCreditsAPeriodPaidAheadInFull(t *testing.T) {
	l := bought(t, "2026-04-01", offer{})
	l.to("2026-04-10")
	l.must(Command{Action: ActionRenew})
	l.to("2026-04-16")
	l.must(change(large)) // 2000 − 500 − 1000
	is(t, "charged", l.charges[2].amount, int64(500))
	is(t, "ahead", l.s().PrepaidPeriod, Period{})
	is(t, "period", l.s().Period, Period{instant("2026-04-16"), instant("2026-05-16")})

	l = bought(t, "2026-04-01", offer{plan: large, country: "IT"}) // and beyond the price
	l.must(Command{Action: ActionRenew})
	l.must(change(small))
	is(t, "bill", lines(l.last()), [][3]any{{LineService, int64(1000), int64(220)}, {LineCredit, int64(-1000), int64(-220)}})
	is(t, "notes", len(l.notes), 2)
	is(t, "balance", l.balance, int64(1220+2440))
	is(t, "drawn", []int64{l.sold[0].Credited, l.sold[1].Credited}, []int64{2000, 2000})
}

func TestAChangeInATrialSwapsThePlan(t *testing.T) {
	l := tried(t, "2026-04-01", "visa", offer{})
	l.to("2026-04-10")
	zero, some := int64(0), int64(2000)
	l.refused(Command{Action: ActionChange, Plan: large, ExpectedAmountDue: &some}, CodeAmountChanged)
	l.must(Command{Action: ActionChange, Plan: large, ExpectedAmountDue: &zero})
	is(t, "trial end", l.s().TrialEnd, instant("2026-05-01"))
	is(t, "anchor", l.s().Anchor, instant("2026-04-01"))
	is(t, "invoices", len(l.order), 0)
	l.to("2026-05-01")
	is(t, "charged at its end", l.charged(), int64(2000))

	l = tried(t, "2026-04-01", "visa", offer{}) // with its first period paid
	l.to("2026-04-10")
	l.must(Command{Action: ActionRenew})
	l.must(change(large))
	is(t, "status", l.s().Status, Trialing)
	is(t, "charged the difference", l.charged(), int64(2000))
	is(t, "trial end", l.s().Period.End, instant("2026-05-01"))
	is(t, "ahead", l.s().PrepaidPeriod, Period{instant("2026-05-01"), instant("2026-06-01")})
	l.to("2026-05-01")
	is(t, "status", l.s().Status, Active)
	is(t, "anchor", l.s().Anchor, instant("2026-05-01"))
	is(t, "charged", l.charged(), int64(2000))
}

func TestAChangeWhilePastDueIsWithoutCreditAndFromNow(t *testing.T) {
	l := failing(t, "poor")
	l.to("2026-05-03 09:00")
	unpaid := l.s().OpenInvoice
	dunning := l.s()
	is(t, "a decline", l.command(change(large)).Code, CodeCardDeclined)
	dunning.Revision++
	is(t, "leaves it past due", withoutCause(l.s()), withoutCause(dunning))
	is(t, "the unpaid invoice", l.docs[string(unpaid)].Status, InvoiceDraft)
	l.cards["poor"] = ""
	l.must(change(large))
	is(t, "status", l.s().Status, Active)
	is(t, "bill", lines(l.last()), [][3]any{{LineService, int64(2000), int64(0)}})
	is(t, "period", l.s().Period, Period{instant("2026-05-03 09:00"), instant("2026-06-03 09:00")})
	is(t, "the unpaid invoice", l.docs[string(unpaid)].Status, InvoiceVoid)
	l.to("2026-06-03 09:00")
	is(t, "renewed once", l.charged(), int64(1000+2000+2000))
}

func TestAChangeLeavesTheCancellationAsItIs(t *testing.T) {
	l := bought(t, "2026-04-01", offer{})
	l.must(Command{Action: ActionCancel})
	l.to("2026-04-16")
	l.must(change(large))
	is(t, "cancelled", l.s().CancelAtPeriodEnd, true)
	is(t, "next", l.s().Next, Step{StepEnd, instant("2026-05-16")})
	l.to("2026-12-01")
	is(t, "ended", l.s().CanceledAt, instant("2026-05-16"))
	is(t, "charged", l.charged(), int64(2500))
}

func TestADeclinedChangeLeavesTheSubscriptionExactlyAsItWas(t *testing.T) {
	l := bought(t, "2026-04-01", offer{balance: 1100})
	l.must(Command{Action: ActionRenew}, "") // 100 of balance: 900 charged
	l.wallet = "poor"
	l.to("2026-04-16")
	before, credited := l.s(), append([]PaidLine(nil), l.sold...)
	got := l.command(change(largeYear))
	is(t, "outcome", got, Outcome{
		Code: CodeCardDeclined, Detail: "the card was declined", Invoice: l.last().ID,
		Payment: PaymentOutcome{PaymentDeclined, "insufficient_funds"},
	})
	before.Revision++
	is(t, "subscription", withoutCause(l.s()), withoutCause(before))
	is(t, "remainders", l.sold, credited)
	is(t, "invoice", l.last().Status, InvoiceVoid)
	is(t, "notes", len(l.notes), 0)
	is(t, "mails", len(l.told(NoticePlanChanged)), 0)
}

func TestWhatAChangeIsRefusedFor(t *testing.T) {
	for _, c := range []struct {
		name string
		from offer
		Command
		want Code
	}{
		{"the same plan", offer{}, Command{Plan: small}, CodeNoChange},
		{"the same plan and quantity", offer{plan: site, quantity: 2}, Command{Plan: site, Quantity: 2}, CodeNoChange},
		{"an unknown plan", offer{}, Command{Plan: "calendar-pro_users_9_monthly"}, CodeUnknownPlan},
		{"no plan", offer{}, Command{}, CodeUnknownPlan},
		{"two of users", offer{}, Command{Plan: large, Quantity: 2}, CodeQuantityNotAllowed},
		{"less than one", offer{plan: site}, Command{Plan: site, Quantity: -1}, CodeQuantityNotAllowed},
		{"a plan without a price in the currency", offer{plan: site, currency: "EUR"}, Command{Plan: siteYear}, CodeUnknownCurrency},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := bought(t, "2026-04-01", c.from)
			c.Command.Action = ActionChange
			l.refused(c.Command, c.want)
		})
	}
	l := ordered(t, "2026-04-01", offer{balance: 1000})
	l.pay("")
	l.refused(change(large), CodeNoPaymentMethod)
}

func TestTheQuantityStaysWhereItIsNotNamed(t *testing.T) {
	l := bought(t, "2026-04-01", offer{plan: site, quantity: 3})
	l.must(change(siteYear))
	is(t, "site to site", l.s().Quantity, int64(3))
	is(t, "charged", l.charged(), int64(90000)) // less 9000 of credit
	l.must(change(smallYear))
	is(t, "site to users", l.s().Quantity, int64(1))
	l.must(Command{Action: ActionChange, Plan: site, Quantity: 2})
	is(t, "named", l.s().Quantity, int64(2))
	l.must(Command{Action: ActionChange, Plan: site, Quantity: 5})
	is(t, "another quantity is a change", l.s().Quantity, int64(5))
}

func TestTheProrationTimeOfAPreviewIsHeldTo(t *testing.T) {
	for _, c := range []struct {
		name, at, proration string
		accepted            bool
	}{
		{"now", "2026-04-16 00:10", "2026-04-16 00:10", true},
		{"ten minutes ago", "2026-04-16 00:10", "2026-04-16", true},
		{"a quarter of an hour ago", "2026-04-16 00:15", "2026-04-16", true},
		{"a second more", "2026-04-16T00:15:01Z", "2026-04-16", false},
		{"in the future", "2026-04-16", "2026-04-16T00:00:01Z", false},
		{"before the running period", "2026-05-01 00:05", "2026-04-30 23:55", false},
		{"the period's first instant", "2026-05-01 00:05", "2026-05-01", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := bought(t, "2026-04-01", offer{})
			l.to(c.at)
			command := change(large)
			command.ProrationTime = instant(c.proration)
			if !c.accepted {
				l.refused(command, CodePreviewExpired)
				return
			}
			l.must(command)
			is(t, "the new period starts there", l.s().Period.Start, instant(c.proration))
		})
	}

	l := bought(t, "2026-04-01", offer{})
	l.to("2026-04-16 00:10")
	l.must(change(large))
	late := change(small)
	late.ProrationTime = instant("2026-04-16 00:05") // before a change that came between
	l.refused(late, CodePreviewExpired)

	l = failing(t, "poor") // the paid time is not sold twice
	l.to("2026-05-01 00:05")
	l.cards["poor"] = ""
	late.ProrationTime, late.Plan = instant("2026-04-30 23:55"), large
	l.refused(late, CodePreviewExpired)
	late.ProrationTime = instant("2026-05-01 00:01")
	l.must(late)
	is(t, "from now", l.s().Period.Start, instant("2026-05-01 00:01"))

	l = bought(t, "2026-04-01", offer{}) // instants are UTC in whole seconds, no matter who sends them
	l.to("2026-04-16")
	odd := change(large)
	odd.ProrationTime = instant("2026-04-16").Add(600 * time.Millisecond).In(time.FixedZone("", 3600))
	l.must(odd)
	is(t, "period", l.s().Period, Period{instant("2026-04-16"), instant("2026-05-16")})
}

func TestThePreviewAndTheChargeAgree(t *testing.T) {
	withTax := shelfOf(PerSecond, TaxInclusive)
	for _, c := range []struct {
		name string
		from offer
		to   Command
	}{
		{"upgrade", offer{country: "IT", balance: 1300}, change(large)},
		{"downgrade", offer{country: "IT", plan: largeYear}, change(small)},
		{"quantity", offer{plan: site, quantity: 2}, Command{Action: ActionChange, Plan: site, Quantity: 7}},
		{"tax in the price", offer{country: "IT", product: &withTax}, change(large)},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := bought(t, "2026-04-01", c.from)
			l.to("2026-04-16 11:22")
			paid := l.charged()
			preview, err := l.onFile().PreviewChange(c.to, l.now)
			if err != nil {
				t.Fatal(err)
			}
			c.to.ProrationTime = l.now
			l.to("2026-04-16 11:36")
			wrong := preview.Invoice.AmountDue().Amount + 1
			c.to.ExpectedAmountDue = &wrong
			l.refused(c.to, CodeAmountChanged)
			right := wrong - 1
			c.to.ExpectedAmountDue = &right
			l.must(c.to)
			is(t, "charged", l.charged()-paid, right)
			is(t, "balance", l.balance, preview.BalanceAfter.Amount)
			is(t, "period", l.s().Period, preview.Period)
			is(t, "plan", l.s().Plan, preview.Plan)
			is(t, "price, without its tax", preview.Price, Money{l.last().Service().Amount, "USD"})
			is(t, "lines", lines(l.last()), lines(preview.Invoice))
		})
	}

	l := tried(t, "2026-04-01", "", offer{balance: 300})
	preview, err := l.onFile().PreviewChange(change(large), l.now)
	if err != nil {
		t.Fatal(err)
	}
	is(t, "in a trial nothing is due", preview.Invoice.AmountDue(), Money{0, "USD"})
	is(t, "and the balance stays", preview.BalanceAfter, Money{300, "USD"})
	is(t, "and the trial's end", preview.Period, l.s().Period)
	if _, err := l.onFile().PreviewChange(change(small), l.now); err == nil || err.(*Error).Code != CodeNoChange {
		t.Errorf("the preview of no change: %v", err)
	}
	if _, err := in[Canceled](t).onFile().PreviewChange(change(large), l.now); err == nil || err.(*Error).Code != CodeNotPossibleNow {
		t.Errorf("the preview of what has ended: %v", err)
	}
}
