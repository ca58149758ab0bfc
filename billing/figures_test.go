package billing

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// life is what the books of a test say.
func (l *ledger) life() Life {
	s := l.s()
	out := Life{Subscription: s.ID, Product: s.Product, Currency: s.Price.Currency}
	for i, id := range l.paid {
		inv := l.docs[id]
		inv.Number = fmt.Sprintf("INV-2026-%06d", i+1)
		out.Invoices = append([]Invoice{inv}, out.Invoices...)
	}
	for _, id := range l.order {
		if inv := l.docs[id]; inv.Status != InvoicePaid {
			out.Invoices = append(out.Invoices, inv)
		}
	}
	var events []Event
	for _, m := range l.history {
		for _, e := range m.Events {
			if events = append(events, e); e.Kind == EventTrialStarted {
				out.Trial = e.At
			}
		}
	}
	out.Ends = Ends(events)
	return out
}

func reports(from, to string, of ...*ledger) *Figures {
	f := NewFigures(instant(from), instant(to))
	for _, l := range of {
		f.Add(l.life())
	}
	return f
}

// total are the rows of all products.
func total(rows []MovementRow) []MovementRow {
	var list []MovementRow
	for _, r := range rows {
		if r.Product == "" {
			list = append(list, r)
		}
	}
	return list
}

func mrrOf(l *ledger, at string) int64 {
	f := reports(at, "2099-01-01", l)
	return f.MRR()[0].MRR.Amount
}

func TestMRRIsTheRecurringNetPriceOfAMonth(t *testing.T) {
	for name, c := range map[string]struct {
		offer offer
		mrr   int64
	}{
		"monthly":                         {offer{}, 1000},
		"a year at 100.00":                {offer{plan: smallYear}, 833}, // 8.3333
		"three years at 270.00":           {offer{plan: smallThree}, 750},
		"two sites":                       {offer{plan: site, quantity: 2}, 6000},
		"a coupon for one invoice":        {offer{discount: Discount{Coupon: "HALF", Percent: 50, Left: 1}}, 1000},
		"a coupon for ever":               {offer{discount: Discount{Coupon: "FIFTH", Percent: 20, Always: true}}, 800},
		"the account's standing discount": {offer{standing: 30}, 700},
		"before tax":                      {offer{country: "IT", currency: "EUR"}, 1000},
	} {
		l := bought(t, "2026-04-01", c.offer)
		is(t, name, mrrOf(l, "2026-04-15"), c.mrr)
		is(t, name+", before it", mrrOf(l, "2026-03-31"), 0)
	}
	l := bought(t, "2026-04-01", offer{plan: smallYear})
	is(t, "ARR of a year at 100.00", reports("2026-04-15", "2026-05-01", l).MRR()[0].ARR, Money{10000, "USD"})
}

func TestTrialsFreeLicencesAndUnpaidOrdersBringNothing(t *testing.T) {
	trial := tried(t, "2026-04-01", "visa", offer{})
	is(t, "in the trial", mrrOf(trial, "2026-04-30"), 0)
	trial.to("2026-05-02")
	is(t, "after it", mrrOf(trial, "2026-05-01"), 1000)
	is(t, "a free licence", mrrOf(comped(t, "2026-04-01", "2027-04-01"), "2026-05-01"), 0)
	declined := ordered(t, "2026-04-01", offer{})
	declined.command(Command{Action: ActionPurchase, Request: "req_buy"}, "poor")
	is(t, "an order that was declined", mrrOf(declined, "2026-04-01 12:00"), 0)
	paidAhead := tried(t, "2026-04-01", "visa", offer{})
	paidAhead.must(Command{Action: ActionRenew})
	is(t, "paid ahead, in the trial", mrrOf(paidAhead, "2026-04-20"), 0)
}

func TestWhatIsOverdueCountsUntilItEnds(t *testing.T) {
	l := in[PastDue](t)
	l.wallet = "poor"
	l.to("2026-05-10")
	is(t, "overdue", mrrOf(l, "2026-05-07 23:59"), 1000)
	is(t, "after its end", mrrOf(l, "2026-05-08"), 0)
}

// A change in April replaces the May that was paid ahead.
func TestAChangeCountsInPlaceOfWhatWasPaidAhead(t *testing.T) {
	l := bought(t, "2026-04-01", offer{})
	l.must(Command{Action: ActionRenew})
	l.to("2026-04-11")
	l.must(change(large))
	is(t, "in April", mrrOf(l, "2026-04-20"), 2000)
	is(t, "in May", mrrOf(l, "2026-05-05"), 2000)
}

// 10.00 a month from January, 20.00 in February, 100.00 a year (8.33) in March,
// ended in April and bought again in June at 8.33.
func TestMovementsTellTheStoryOfASubscription(t *testing.T) {
	l := bought(t, "2026-01-10", offer{})
	l.to("2026-02-05")
	l.must(change(large))
	l.to("2026-03-05")
	l.must(change(smallYear))
	l.to("2026-04-20")
	l.must(Command{Action: ActionCancelNow, Refund: RefundNone})
	l.to("2026-06-15")
	l.must(Command{Action: ActionRenew})
	l.to("2026-07-01")
	rows := total(reports("2026-01-01", "2026-07-01", l).Movements())
	type row struct{ start, new, again, more, less, churn, end int64 }
	want := []row{
		{0, 1000, 0, 0, 0, 0, 1000},
		{1000, 0, 0, 1000, 0, 0, 2000},
		{2000, 0, 0, 0, -1167, 0, 833},
		{833, 0, 0, 0, 0, -833, 0},
		{0, 0, 0, 0, 0, 0, 0},
		{0, 0, 833, 0, 0, 0, 833},
	}
	is(t, "months", len(rows), len(want))
	for i, r := range rows {
		got := row{r.Start.Amount, r.New.Amount, r.Reactivation.Amount, r.Expansion.Amount, r.Contraction.Amount, r.Churn.Amount, r.End.Amount}
		if got != want[i] {
			t.Errorf("%s: %+v, want %+v", r.From, got, want[i])
		}
	}
	one := total(reports("2026-01-01", "2026-07-01", l).Movements())
	if first := one[0]; first.Started != 1 || first.Subscriptions != 0 || one[3].Ended != 1 {
		t.Errorf("counts: %+v", one)
	}
}

// Two of January, one of them gone in February; one of February from a trial of
// January.
func TestCohortsTellHowManyAreLeft(t *testing.T) {
	stays, leaves := bought(t, "2026-01-10", offer{}), bought(t, "2026-01-20", offer{plan: large})
	leaves.to("2026-02-10")
	leaves.must(Command{Action: ActionCancelNow, Refund: RefundNone})
	stays.to("2026-03-20")
	trial := tried(t, "2026-01-15", "visa", offer{})
	trial.to("2026-03-20")
	lost := tried(t, "2026-01-16", "", offer{})
	lost.to("2026-03-20")
	rows := reports("2026-01-01", "2026-03-20", stays, leaves, trial, lost).Cohorts()
	type row struct {
		month                             string
		age, size, left, mrr, trials, won int64
	}
	want := []row{
		{"2026-01", 0, 2, 2, 3000, 2, 1}, {"2026-01", 1, 2, 1, 1000, 2, 1}, {"2026-01", 2, 2, 1, 1000, 2, 1},
		{"2026-02", 0, 1, 1, 1000, 0, 0}, {"2026-02", 1, 1, 1, 1000, 0, 0},
	}
	var got []row
	for _, r := range rows {
		got = append(got, row{r.Month, r.Age, r.Size, r.Subscriptions, r.MRR.Amount, r.Trials, r.TrialsConverted})
	}
	is(t, "rows", len(got), len(want))
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Errorf("row %d: %+v, want %+v", i, got[i], want[i])
		}
	}
}

func TestRecoveryTellsWhatBecameOfFailedRenewals(t *testing.T) {
	recovered, lost, open, changed, fine := in[PastDue](t), in[PastDue](t), in[PastDue](t), in[PastDue](t), bought(t, "2026-04-01", offer{})
	recovered.to("2026-05-03") // the card has money again
	lost.wallet = "poor"
	lost.to("2026-05-20")
	open.wallet = "poor"
	open.to("2026-05-03")
	changed.must(change(large))
	fine.to("2026-05-20")
	rows := reports("2026-05-01", "2026-06-01", recovered, lost, open, changed, fine).Recovery()
	usd := func(n int64) Money { return Money{n, "USD"} }
	is(t, "recovery", rows, []RecoveryRow{{
		Month: "2026-05", Currency: "USD", Failed: 4, FailedAmount: usd(4000), Recovered: 2, RecoveredAmount: usd(2000), Lost: 1, LostAmount: usd(1000), Open: 1, OpenAmount: usd(1000),
	}})
}

func TestUpcomingPaymentsAreThoseThatWillBeCharged(t *testing.T) {
	from, to := instant("2026-04-15"), instant("2026-07-14")
	type payment struct {
		at     string
		amount int64
	}
	expected := func(l *ledger) (list []payment) {
		for _, r := range l.onFile().Upcoming(from, to) {
			list = append(list, payment{r.At.Format(time.DateOnly), r.Amount.Amount})
		}
		return list
	}
	for name, c := range map[string]struct {
		l    *ledger
		want []payment
	}{
		"monthly, from the 31st":        {bought(t, "2026-03-31", offer{}), []payment{{"2026-04-30", 1000}, {"2026-05-31", 1000}, {"2026-06-30", 1000}}},
		"with tax, after balance":       {bought(t, "2026-04-01", offer{country: "IT", currency: "EUR", balance: 1500}), []payment{{"2026-05-01", 940}, {"2026-06-01", 1220}, {"2026-07-01", 1220}}},
		"a trial with a card":           {tried(t, "2026-04-10", "visa", offer{plan: smallYear}), []payment{{"2026-05-10", 10000}}},
		"a trial without one":           {tried(t, "2026-04-10", "", offer{}), nil},
		"a free licence":                {comped(t, "2026-04-01", "2026-05-01"), nil},
		"a year, later than the report": {bought(t, "2026-04-01", offer{plan: smallYear}), nil},
	} {
		got := expected(c.l)
		if len(got) != len(c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: %v, want %v", name, got, c.want)
			}
		}
		before := len(c.l.charges)
		for _, w := range c.want { // and so it comes
			c.l.to(w.at)
		}
		for i, w := range c.want {
			if paid := c.l.charges[before+i]; paid.amount != w.amount {
				t.Errorf("%s: charged %d on %s, expected %d", name, paid.amount, paid.at, w.amount)
			}
		}
	}
	cancelled := bought(t, "2026-04-01", offer{})
	cancelled.must(Command{Action: ActionCancel})
	is(t, "cancelled", len(cancelled.onFile().Upcoming(from, to)), 0)
}

// stands is the MRR that a state tells of: an oracle beside the ledger, for who has
// no standing discount and no new price.
func stands(s Subscription) perMonth {
	if s.Comp || s.Status != Active && s.Status != PastDue || !s.Plan.Cycle.Valid() {
		return 0
	}
	gross := s.Price.Money.Times(s.Quantity)
	net := gross.Sub(off(gross, 0, s.Discount.forEver()))
	return perMonth(net.Amount * int64(36/s.Plan.Cycle.months()))
}

func TestTheLedgersMRRIsThatOfTheStateInRandomHistories(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := offer{}
		if rapid.Bool().Draw(t, "trial") {
			o.pay = PayTrial
		} else if rapid.Bool().Draw(t, "by invoice") {
			o.by, o.plan = ByInvoice, largeYear
		}
		if rapid.Bool().Draw(t, "coupon") {
			o.discount = Discount{Coupon: "C", Percent: 30, Always: rapid.Bool().Draw(t, "for ever"), Left: 2}
		}
		l := ordered(t, "2026-01-31 10:00", o)
		l.snapshot.Policy.InvoiceFrom = map[string]int64{"USD": 1}
		live("visa", nil, l)
		for _, a := range acts(t) {
			if a.What == "standing" || a.What == "reprice" {
				continue
			}
			// What happens within a second has no order in the ledger.
			live("visa", []act{{What: "wait", Wait: time.Second}, a}, l)
			if l.s().Disputed() {
				continue // the state stands still
			}
			books := l.life()
			books.paid = books.sales()
			if got, want := books.mrr(l.now), stands(l.s()); got != want {
				t.Fatalf("after %+v at %s: the ledger says %d, the state %s of %s %d", a, l.now, got, l.s().Status, l.s().Plan.ID, want)
			}
		}
	})
}

func TestMovementsAddUpToTheDifferenceOfMRRInRandomHistories(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var lives []*ledger
		last := instant("2026-01-01")
		for range rapid.IntRange(1, 3).Draw(t, "subscriptions") {
			l := ordered(t, "2026-01-31 10:00", offer{plan: rapid.SampledFrom([]string{small, smallYear, smallThree}).Draw(t, "plan")})
			live("visa", acts(t), l)
			lives = append(lives, l)
			if l.now.After(last) {
				last = l.now
			}
		}
		days := int(last.Sub(instant("2026-01-01"))/day) + 2
		start := instant("2026-01-01").AddDate(0, 0, rapid.IntRange(0, days-1).Draw(t, "from"))
		f := NewFigures(start, start.AddDate(0, 0, rapid.IntRange(1, days).Draw(t, "days")))
		for _, l := range lives {
			f.Add(l.life())
		}
		levels := map[time.Time]map[string]Money{}
		for _, r := range f.MRR() {
			if levels[r.At] == nil {
				levels[r.At] = map[string]Money{}
			}
			levels[r.At][r.Currency+r.Product] = r.MRR
		}
		for _, m := range f.Movements() {
			sum := m.Start.Add(m.New).Add(m.Reactivation).Add(m.Expansion).Add(m.Contraction).Add(m.Churn)
			if sum != m.End || m.Start != levels[m.From][m.Currency+m.Product] || m.End != levels[m.To][m.Currency+m.Product] {
				t.Fatalf("%+v comes to %s, between %v and %v", m, sum, levels[m.From], levels[m.To])
			}
			if m.New.Amount < 0 || m.Reactivation.Amount < 0 || m.Expansion.Amount < 0 || m.Contraction.Amount > 0 || m.Churn.Amount > 0 {
				t.Fatalf("a cause has the wrong sign: %+v", m)
			}
		}
	})
}
