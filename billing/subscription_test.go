package billing

import (
	"testing"
	"time"
)

func TestALicenceIsValidUntilAFiniteInstant(t *testing.T) {
	april := Period{instant("2026-04-01"), instant("2026-05-01")}
	may := Period{instant("2026-05-01"), instant("2026-06-01")}
	for _, c := range []struct {
		name string
		s    Subscription
		want string
	}{
		{"a trial ends exactly", Subscription{Status: Trialing, Collection: ByCard, Period: april}, "2026-05-01"},
		{"a trial with a card too", Subscription{Status: Trialing, Collection: ByCard, HasMethod: true, Period: april}, "2026-05-01"},
		{"a trial that is cancelled", Subscription{Status: Trialing, Collection: ByCard, CancelAtPeriodEnd: true, Period: april}, "2026-05-01"},
		{"a trial with its first period paid", Subscription{Status: Trialing, Collection: ByCard, Period: april, PrepaidPeriod: may}, "2026-06-04"},
		{"a card's end and 72 hours", Subscription{Status: Active, Collection: ByCard, Period: april}, "2026-05-04"},
		{"a period paid ahead and 72 hours", Subscription{Status: Active, Collection: ByCard, Period: april, PrepaidPeriod: may}, "2026-06-04"},
		{"a cancelled one ends exactly", Subscription{Status: Active, Collection: ByCard, CancelAtPeriodEnd: true, Period: april}, "2026-05-01"},
		{"cancelled with a period ahead", Subscription{Status: Active, Collection: ByCard, CancelAtPeriodEnd: true, Period: april, PrepaidPeriod: may}, "2026-06-01"},
		{"one that is paid by invoice ends exactly", Subscription{Status: Active, Collection: ByInvoice, Period: april}, "2026-05-01"},
		{"past_due until the retry deadline", Subscription{Status: PastDue, Collection: ByCard, Period: april,
			Dunning: Dunning{FirstFailure: instant("2026-05-01 10:00")}}, "2026-05-08 10:00"},
		{"past_due even if no retry is of use", Subscription{Status: PastDue, Collection: ByCard, Period: april,
			Dunning: Dunning{FirstFailure: instant("2026-05-01 10:00"), Hard: true}}, "2026-05-08 10:00"},
		{"ended when it ended", Subscription{Status: Canceled, Collection: ByCard, Period: april, CanceledAt: instant("2026-04-20")}, "2026-04-20"},
		{"an order that was not paid has none", Subscription{Status: Incomplete}, "0001-01-01"},
		{"nor one that lapsed", Subscription{Status: IncompleteExpired, CanceledAt: instant("2026-04-20")}, "0001-01-01"},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := Entitlement{Status: c.s.Status, CancelAtPeriodEnd: c.s.CancelAtPeriodEnd, ValidUntil: instant(c.want)}
			is(t, "entitlement", c.s.Entitlement(DefaultPolicy()), want)
		})
	}
}

func TestWhatIsDueNext(t *testing.T) {
	const (
		reminder7 = "2026-12-25"
		end       = "2027-01-01"
	)
	year := Period{instant("2026-01-01"), instant(end)}
	month := Period{instant("2026-12-01"), instant(end)}
	after := Period{instant(end), instant("2028-01-01")}
	yearly, monthly, three := PlanRef{Cycle: Yearly}, PlanRef{Cycle: Monthly}, PlanRef{Cycle: ThreeYears}
	failed := func(attempt string, hard bool) Dunning {
		return Dunning{FirstFailure: instant(end), LastAttempt: instant(attempt), Hard: hard}
	}
	for _, c := range []struct {
		name string
		s    Subscription
		kind StepKind
		at   string
	}{
		{"an order lapses after 23 hours", Subscription{Status: Incomplete, CreatedAt: instant("2026-01-01 10:00")}, StepExpireOrder, "2026-01-02 09:00"},
		{"a trial is reminded 7 days before", Subscription{Status: Trialing, Period: month, TrialEnd: month.End}, StepRemind, reminder7},
		{"and 1 day before", Subscription{Status: Trialing, Period: month, TrialEnd: month.End, RemindedAt: instant(reminder7)}, StepRemind, "2026-12-31"},
		{"then it ends", Subscription{Status: Trialing, Period: month, TrialEnd: month.End, RemindedAt: instant("2026-12-31")}, StepTrialEnd, end},
		{"a cancelled trial is not reminded", Subscription{Status: Trialing, Period: month, TrialEnd: month.End, CancelAtPeriodEnd: true}, StepTrialEnd, end},
		{"nor one that is paid ahead", Subscription{Status: Trialing, Period: month, TrialEnd: month.End, PrepaidPeriod: after}, StepTrialEnd, end},
		{"a monthly renewal is not reminded", Subscription{Status: Active, Plan: monthly, Period: month}, StepRenew, end},
		{"a yearly renewal is, 7 days before", Subscription{Status: Active, Plan: yearly, Period: year}, StepRemind, reminder7},
		{"one of three years too", Subscription{Status: Active, Plan: three, Period: year}, StepRemind, reminder7},
		{"then it renews", Subscription{Status: Active, Plan: yearly, Period: year, RemindedAt: instant(reminder7)}, StepRenew, end},
		{"a cancelled one ends, unreminded", Subscription{Status: Active, Plan: yearly, Period: year, CancelAtPeriodEnd: true}, StepEnd, end},
		{"one that is paid ahead goes on, unreminded", Subscription{Status: Active, Plan: yearly, Period: year, PrepaidPeriod: after}, StepRenew, end},
		{"paid ahead and cancelled: it enters that period", Subscription{Status: Active, Plan: yearly, Period: year, PrepaidPeriod: after, CancelAtPeriodEnd: true}, StepRenew, end},
		{"a declined one is tried again after a day", Subscription{Status: PastDue, Dunning: failed(end, false)}, StepRetry, "2027-01-02"},
		{"after three days", Subscription{Status: PastDue, Dunning: failed("2027-01-02", false)}, StepRetry, "2027-01-04"},
		{"after five days", Subscription{Status: PastDue, Dunning: failed("2027-01-04", false)}, StepRetry, "2027-01-06"},
		{"after seven days", Subscription{Status: PastDue, Dunning: failed("2027-01-06", false)}, StepRetry, "2027-01-08"},
		{"missed retries are one", Subscription{Status: PastDue, Dunning: failed("2027-01-05 12:00", false)}, StepRetry, "2027-01-06"},
		{"a hard decline waits for the deadline", Subscription{Status: PastDue, Dunning: failed(end, true)}, StepRetry, "2027-01-08"},
		{"nothing after the end", Subscription{Status: Canceled, Period: year, Plan: yearly}, "", "0001-01-01"},
		{"nothing for an order that lapsed", Subscription{Status: IncompleteExpired}, "", "0001-01-01"},
	} {
		t.Run(c.name, func(t *testing.T) {
			is(t, "next", c.s.nextStep(DefaultPolicy()), Step{c.kind, instant(c.at)})
		})
	}
}

func TestWhenTheCustomerIsChargedNext(t *testing.T) {
	for _, c := range []struct {
		name string
		l    func() *ledger
		want string
	}{
		{"at the end of the period", func() *ledger { return bought(t, "2026-04-01", offer{}) }, "2026-05-01"},
		{"at the end of the year, whatever is reminded before", func() *ledger { return bought(t, "2026-04-01", offer{plan: smallYear}) }, "2027-04-01"},
		{"after the period that is paid ahead", func() *ledger {
			l := bought(t, "2026-04-01", offer{})
			l.must(Command{Action: ActionRenew})
			return l
		}, "2026-06-01"},
		{"never, once cancelled", func() *ledger {
			l := bought(t, "2026-04-01", offer{})
			l.must(Command{Action: ActionCancel})
			return l
		}, "0001-01-01"},
		{"at the end of a trial with a card", func() *ledger { return tried(t, "2026-04-01", "visa", offer{}) }, "2026-05-01"},
		{"never, in a trial without", func() *ledger { return tried(t, "2026-04-01", "", offer{}) }, "0001-01-01"},
		{"at the next retry", func() *ledger { return in[PastDue](t) }, "2026-05-02"},
		{"never, where no retry is of use", func() *ledger {
			l := bought(t, "2026-04-01", offer{})
			l.must(Command{Action: ActionPaymentMethod}, "stolen")
			l.to("2026-05-01")
			return l
		}, "0001-01-01"},
		{"never, after the end", func() *ledger { return in[Canceled](t) }, "0001-01-01"},
	} {
		is(t, c.name, c.l().s().NextPaymentAt(), instant(c.want))
	}
}

func TestRemindersAreSentOnceAndNotTooLate(t *testing.T) {
	l := tried(t, "2026-04-01", "", offer{})
	l.to("2026-04-23 23:59")
	is(t, "eight days before", len(l.told(NoticeTrialEnding)), 0)
	l.to("2026-04-24")
	is(t, "seven days before", len(l.told(NoticeTrialEnding)), 1)
	l.to("2026-04-30")
	is(t, "one day before", len(l.told(NoticeTrialEnding)), 2)
	is(t, "to", l.told(NoticeTrialEnding)[1], Notice{Kind: NoticeTrialEnding, To: RoleBilling, Until: instant("2026-05-01"), Plan: l.s().Plan, Amount: Money{1000, "USD"}})

	l = tried(t, "2026-04-01", "", offer{})
	l.late("2026-04-30 12:00")
	is(t, "two that an outage has overtaken are one", len(l.told(NoticeTrialEnding)), 1)

	l = bought(t, "2026-04-01", offer{plan: smallYear})
	l.late("2027-06-01")
	is(t, "a renewal that has passed is not announced", len(l.told(NoticeRenewalComing)), 0)
	is(t, "charged twice", l.charged(), int64(20000))
	l.to("2028-04-01")
	is(t, "the next one is", len(l.told(NoticeRenewalComing)), 1)
}

func TestATestClockStandsStill(t *testing.T) {
	now := time.Date(2026, 4, 1, 12, 0, 0, 500, time.FixedZone("", 7200))
	is(t, "real time", Subscription{}.At(now), instant("2026-04-01 10:00"))
	is(t, "test clock", Subscription{TestClock: "clk_1", Now: instant("2031-01-01")}.At(now), instant("2031-01-01"))
}
