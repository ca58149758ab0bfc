package billing

import (
	"slices"
	"testing"
	"time"
)

// reprice gives a plan a new version of its price, and is the command that
// moves to it.
func (l *ledger) reprice(plan string, amount int64, id string) Command {
	p := &l.snapshot.Product
	p.Plans = slices.Clone(p.Plans)
	for i := range p.Plans {
		if p.Plans[i].ID != plan {
			continue
		}
		p.Plans[i].Prices = slices.Clone(p.Plans[i].Prices)
		for j := range p.Plans[i].Prices {
			if price := &p.Plans[i].Prices[j]; price.Currency == l.s().Price.Currency {
				price.ID, price.Amount = id, amount
				return Command{Action: ActionMigrate, Price: *price}
			}
		}
	}
	panic("no such plan: " + plan)
}

func (l *ledger) amounts() []string {
	list := []string{}
	for _, c := range l.charges {
		list = append(list, date(c.at)+" "+Money{c.amount, l.s().Price.Currency}.String())
	}
	return list
}

func TestANewPriceCountsFromTheNextPeriodThatIsNotPaidFor(t *testing.T) {
	for _, c := range []struct {
		name   string
		start  func(t *testing.T) *ledger
		before func(l *ledger)
		from   string // as the mail says
		after  func(l *ledger)
		want   []string
	}{
		{name: "grandfathering is the rule: without a migration nothing changes",
			start: func(t *testing.T) *ledger { return bought(t, "2026-04-01", offer{}) },
			want:  []string{"2026-04-01 10.00 USD", "2026-05-01 10.00 USD", "2026-06-01 10.00 USD"}},
		{name: "the next renewal is at the new price, and so is every later one", from: "2026-05-01",
			start: func(t *testing.T) *ledger { return bought(t, "2026-04-01", offer{}) },
			want:  []string{"2026-04-01 10.00 USD", "2026-05-01 12.00 USD", "2026-06-01 12.00 USD"}},
		{name: "a period paid ahead keeps its price", from: "2026-06-01",
			start:  func(t *testing.T) *ledger { return bought(t, "2026-04-01", offer{}) },
			before: func(l *ledger) { l.must(Command{Action: ActionRenew}) },
			want:   []string{"2026-04-01 10.00 USD", "2026-04-05 10.00 USD", "2026-06-01 12.00 USD"}},
		{name: "one that is paid ahead after the announcement does not", from: "2026-05-01",
			start: func(t *testing.T) *ledger { return bought(t, "2026-04-01", offer{}) },
			after: func(l *ledger) { l.must(Command{Action: ActionRenew}) },
			want:  []string{"2026-04-01 10.00 USD", "2026-04-10 12.00 USD", "2026-06-01 12.00 USD"}},
		{name: "a trial converts at the new price", from: "2026-05-01",
			start: func(t *testing.T) *ledger { return tried(t, "2026-04-01", "visa", offer{}) },
			want:  []string{"2026-05-01 12.00 USD", "2026-06-01 12.00 USD"}},
		{name: "each unit costs the new price", from: "2026-05-01",
			start: func(t *testing.T) *ledger { return bought(t, "2026-04-01", offer{plan: site, quantity: 3}) },
			want:  []string{"2026-04-01 90.00 USD", "2026-05-01 36.00 USD", "2026-06-01 36.00 USD"}},
		{name: "who cancels and resumes comes back to the new price", from: "2026-05-01",
			start: func(t *testing.T) *ledger { return bought(t, "2026-04-01", offer{}) },
			after: func(l *ledger) { l.must(Command{Action: ActionCancel}); l.must(Command{Action: ActionResume}) },
			want:  []string{"2026-04-01 10.00 USD", "2026-05-01 12.00 USD", "2026-06-01 12.00 USD"}},
		{name: "who cancels and comes back later does so at the new price", from: "2026-05-01",
			start: func(t *testing.T) *ledger { return bought(t, "2026-04-01", offer{}) },
			after: func(l *ledger) {
				l.must(Command{Action: ActionCancel})
				l.to("2026-05-20")
				l.must(Command{Action: ActionRenew})
			},
			want: []string{"2026-04-01 10.00 USD", "2026-05-20 12.00 USD"}},
		{name: "a change of plan takes the new plan's price, and nothing else", from: "2026-05-01",
			start: func(t *testing.T) *ledger { return bought(t, "2026-04-01", offer{}) },
			// Unused of April: 10.00 × 21 ÷ 30 = 7.00, so 20.00 − 7.00 from 10 April on.
			after: func(l *ledger) { l.must(change(large)) },
			want:  []string{"2026-04-01 10.00 USD", "2026-04-10 13.00 USD", "2026-05-10 20.00 USD"}},
		{name: "so does one in a trial", from: "2026-05-01",
			start: func(t *testing.T) *ledger { return tried(t, "2026-04-01", "visa", offer{}) },
			after: func(l *ledger) { l.must(change(large)) },
			want:  []string{"2026-05-01 20.00 USD", "2026-06-01 20.00 USD"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := c.start(t)
			l.to("2026-04-05")
			if c.before != nil {
				c.before(l)
			}
			l.to("2026-04-10")
			move := l.reprice(l.s().Plan.ID, 1200, "pri_2")
			if c.from != "" {
				old := l.s().Price.Money.Times(l.s().Quantity)
				l.must(move)
				l.refused(move, CodeNoChange) // twice changes nothing and mails nothing
				is(t, "announced", l.told(NoticePriceChange), []Notice{{
					Kind: NoticePriceChange, To: RoleBilling, Plan: l.s().Plan, Until: instant(c.from),
					OldAmount: old, Amount: move.Price.Money.Times(l.s().Quantity),
				}})
			}
			if c.after != nil {
				c.after(l)
			}
			l.to("2026-06-01")
			is(t, "charges", l.amounts(), c.want)
			is(t, "announced still", l.s().NextPrice, Price{})
		})
	}
}

func TestADeclinedRenewalIsOwedAtThePriceOfItsInvoice(t *testing.T) {
	l := bought(t, "2026-04-01", offer{})
	l.must(Command{Action: ActionPaymentMethod}, "poor")
	l.to("2026-04-10")
	l.must(l.reprice(small, 1200, "pri_2"))
	l.to("2026-05-02") // declined on the 1st, at 12.00
	l.must(l.reprice(small, 1500, "pri_3"))
	told := l.told(NoticePriceChange)
	is(t, "from", told[len(told)-1].Until, instant("2026-06-01"))
	l.to("2026-05-03")
	l.must(Command{Action: ActionPaymentMethod}, "visa")
	l.to("2026-06-01")
	is(t, "charges", l.amounts(), []string{"2026-04-01 10.00 USD", "2026-05-03 12.00 USD", "2026-06-01 15.00 USD"})
}

// 30.00 a site and month, 60.00 announced from May.
func TestAnAnnouncedPriceIsNotChargedForThePeriodBeforeIt(t *testing.T) {
	l := bought(t, "2026-04-01", offer{plan: site})
	l.to("2026-04-05")
	l.must(l.reprice(site, 6000, "pri_60"))
	l.to("2026-04-10")
	l.must(Command{Action: ActionRenew}) // May, at 60.00
	// Two sites at 30.00, less 21.00 of April's 30.00 and all of May's 60.00:
	// nothing is due, and 21.00 go to the balance.
	l.must(Command{Action: ActionChange, Plan: site, Quantity: 2})
	l.to("2026-05-10") // two at 60.00, less the balance
	want := []string{"2026-04-01 30.00 USD", "2026-04-10 60.00 USD", "2026-05-10 99.00 USD"}
	if got := l.amounts(); !slices.Equal(got, want) {
		t.Errorf("charged %q, want %q", got, want)
	}
}

func TestAnAnnouncedPriceIsInForceOnceItsTimeHasCome(t *testing.T) {
	l := bought(t, "2026-04-01", offer{plan: site})
	l.must(l.reprice(site, 6000, "pri_60"))
	l.to("2026-04-20")
	l.must(Command{Action: ActionRenew}) // May is paid ahead
	is(t, "April's price", l.s().Price.Amount, int64(3000))
	l.to("2026-05-20")
	is(t, "May's price", l.s().Price.Amount, int64(6000))
	l.must(Command{Action: ActionChange, Plan: site, Quantity: 2}) // less 12/31 of 60.00: 23.23
	l.wallet = "poor"
	l.to("2026-06-20")
	l.must(l.reprice(site, 7000, "pri_70")) // while 120.00 are owed
	l.command(Command{Action: ActionPaymentMethod}, "visa")
	l.to("2026-07-20")
	want := []string{"2026-04-01 30.00 USD", "2026-04-20 60.00 USD", "2026-05-20 96.77 USD", "2026-06-20 120.00 USD", "2026-07-20 140.00 USD"}
	if got := l.amounts(); !slices.Equal(got, want) {
		t.Errorf("charged %q, want %q", got, want)
	}
}

func TestANewerAnnouncementLeavesThePriceThatIsOwed(t *testing.T) {
	l := bought(t, "2026-04-01", offer{plan: site})
	l.must(l.reprice(site, 6000, "pri_60"))
	l.wallet = "poor"
	l.to("2026-05-01")
	l.must(l.reprice(site, 7000, "pri_70"))
	l.wallet = "visa"
	l.must(Command{Action: ActionChange, Plan: site, Quantity: 2}) // May's price, in full
	l.to("2026-06-01")
	want := []string{"2026-04-01 30.00 USD", "2026-05-01 120.00 USD", "2026-06-01 140.00 USD"}
	if got := l.amounts(); !slices.Equal(got, want) {
		t.Errorf("charged %q, want %q", got, want)
	}
}

func TestAnInvoiceThatWasMailedKeepsItsPrice(t *testing.T) {
	for name, c := range map[string]struct {
		late, again bool
	}{
		"as it was mailed": {},
		"mailed late":      {late: true},
		"mailed again, after a cancellation that was taken back": {again: true},
	} {
		t.Run(name, func(t *testing.T) {
			l := transferredYear(t, offer{})
			mailed, from := "2027-01-10", "2028-01-31 10:00"
			if c.late { // for the year from January 2029 on
				mailed, from = "2029-06-01", "2030-01-31 10:00"
				l.late(mailed)
			}
			l.to(mailed)
			l.must(l.reprice(largeYear, 24000, "pri_2"))
			is(t, "from", l.told(NoticePriceChange)[0].Until, instant(from))
			if c.again {
				l.must(Command{Action: ActionCancel})
				l.must(Command{Action: ActionResume})
			}
			l.transfer(l.last().ID, "this year's", l.last().AmountDue().Amount)
			l.to(instant(from).Add(-24 * time.Hour).Format(time.RFC3339))
			l.transfer(l.last().ID, "the next year's", l.last().AmountDue().Amount)
			paid := []int64{}
			for _, id := range l.paid {
				paid = append(paid, l.docs[id].Total().Amount)
			}
			is(t, "paid", paid, []int64{20000, 20000, 24000})
		})
	}

	l := transferredYear(t, offer{}) // a card in the mailed invoice's place
	l.to("2027-01-10")
	l.must(l.reprice(largeYear, 24000, "pri_2"))
	l.must(Command{Action: ActionPaymentMethod}, "visa")
	l.must(Command{Action: ActionRenew})
	is(t, "charged", l.charged(), int64(20000))
}

func TestAReminderNamesThePriceThatIsComing(t *testing.T) {
	l := bought(t, "2026-04-01", offer{plan: smallYear})
	l.must(l.reprice(smallYear, 12000, "pri_2"))
	l.to("2027-03-25")
	is(t, "amount", l.told(NoticeRenewalComing)[0].Amount, Money{12000, "USD"})
}

func TestWhatDoesNotGoOnIsLeftAtItsPrice(t *testing.T) {
	for name, c := range map[string]struct {
		status Status
		before func(l *ledger)
	}{
		"an order that is not paid":   {Incomplete, nil},
		"what lapsed unpaid":          {IncompleteExpired, nil},
		"what has ended":              {Canceled, nil},
		"what ends with its period":   {Active, func(l *ledger) { l.must(Command{Action: ActionCancel}) }},
		"a trial that was called off": {Trialing, func(l *ledger) { l.must(Command{Action: ActionCancel}) }},
	} {
		t.Run(name, func(t *testing.T) {
			l := in[c.status](t)
			if c.before != nil {
				c.before(l)
			}
			move := l.reprice(small, 1200, "pri_2")
			l.refused(move, CodeNotPossibleNow)
			_, newer := l.s().NewerPrice(l.snapshot.Product)
			is(t, "listed", newer, false)
		})
	}
}

func TestOnlyTheNewestPriceOfThePlanIsMovedTo(t *testing.T) {
	l := bought(t, "2026-04-01", offer{})
	old := l.reprice(small, 1200, "pri_2")
	newest := l.reprice(small, 1300, "pri_3")
	other := l.reprice(large, 2400, "pri_4")
	forged := newest
	forged.Price.Amount = 1
	for _, c := range []Command{old, other, forged, {Action: ActionMigrate, Price: Price{ID: "pri_9"}}} {
		l.refused(c, CodePriceOutdated)
	}
	price, newer := l.s().NewerPrice(l.snapshot.Product)
	is(t, "listed", newer, true)
	is(t, "price", price, newest.Price)
	l.must(newest)
	_, newer = l.s().NewerPrice(l.snapshot.Product)
	is(t, "listed again", newer, false)
}
