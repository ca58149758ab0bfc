package billing

import (
	"testing"

	"pgregory.net/rapid"
)

func TestTheBalanceIsUsedUpBeforeTheCard(t *testing.T) {
	for _, c := range []struct {
		name                       string
		balance                    int64
		charged, applied, left, wv int64
	}{
		{"no balance", 0, 1000, 0, 0, 0},
		{"a part", 300, 700, 300, 0, 0},
		{"the gateway's minimum is still charged", 950, 50, 950, 0, 0},
		{"below the minimum the rest is waived", 951, 0, 951, 0, 49},
		{"all of it", 1000, 0, 1000, 0, 0},
		{"more than it takes", 5000, 0, 1000, 4000, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := bought(t, "2026-04-01", offer{balance: c.balance})
			is(t, "charged", l.charged(), c.charged)
			is(t, "applied", l.last().BalanceApplied, c.applied)
			is(t, "left", l.balance, c.left)
			var waived int64
			for _, line := range l.last().Lines {
				if line.Kind == LineWaiver {
					waived -= line.Amount
					if line.Description == "" || line.Tax != 0 {
						t.Errorf("the waiver says %+v", line)
					}
				}
			}
			is(t, "waived", waived, c.wv)
			is(t, "status", l.s().Status, Active)
		})
	}
}

func TestNoGatewayIsCalledWhereNothingIsDue(t *testing.T) {
	l := ordered(t, "2026-04-01", offer{balance: 1000})
	l.pay("") // without a card
	is(t, "status", l.s().Status, Active)
	is(t, "charges", len(l.charges), 0)
	is(t, "has a card", l.s().HasMethod, false)
	is(t, "last payment", l.s().LastPaymentAt.IsZero(), true)

	l = bought(t, "2026-04-01", offer{plan: single, currency: "EUR"}) // 0.33
	is(t, "charged for 33 cents", l.charged(), int64(0))
	is(t, "the waiver", l.last().Lines[1].Amount, int64(-33))
	l = bought(t, "2026-04-01", offer{plan: single, currency: "JPY"}) // 7 yen
	is(t, "the waiver in yen", l.last().Lines[1].Amount, int64(-7))
}

func TestADeclineReleasesTheBalanceItHadReserved(t *testing.T) {
	l := ordered(t, "2026-04-01", offer{balance: 300})
	is(t, "outcome", l.command(Command{Action: ActionPurchase, Request: "req_buy"}, "poor").Code, CodeCardDeclined)
	is(t, "balance", l.balance, int64(300))
	is(t, "reserved by the draft", l.last().BalanceApplied, int64(0))
	is(t, "the attempt was for", l.history[len(l.history)-1].Events[0].Text, "A payment of 7.00 USD was declined: insufficient_funds.")
	l.must(Command{Action: ActionPaymentMethod}, "visa")
	is(t, "charged", l.charged(), int64(700))
	is(t, "balance used up", l.balance, int64(0))
	is(t, "invoices", len(l.order), 1)
	is(t, "attempts", l.last().Attempt, 2)
}

// lines is a bill's amounts by kind.
func lines(inv Invoice) [][3]any {
	var all [][3]any
	for _, l := range inv.Lines {
		all = append(all, [3]any{l.Kind, l.Amount, l.Tax})
	}
	return all
}

func TestTheOrderOfABill(t *testing.T) {
	from := func(net, tax, credited int64) PaidLine {
		return PaidLine{Invoice: "inv_0", Credited: credited, CreditedTax: mulDiv(tax, credited, net), Line: Line{ID: "inv_0.1", Amount: net, Tax: tax}}
	}
	for _, c := range []struct {
		name     string
		price    int64
		quantity int64
		credits  []credit
		want     [][3]any
		excess   [][2]int64 // net, tax
	}{
		{"price × quantity, then tax", 990, 3, nil, [][3]any{{LineService, int64(2970), int64(653)}}, nil}, // 653.4
		{"a credit is taxed like the line it credits", 2000, 1, []credit{from(1000, 220, 0).credit(500)},
			[][3]any{{LineService, int64(2000), int64(440)}, {LineCredit, int64(-500), int64(-110)}}, nil},
		{"a credit as large as the price", 1000, 1, []credit{from(1000, 220, 0).credit(1000)},
			[][3]any{{LineService, int64(1000), int64(220)}, {LineCredit, int64(-1000), int64(-220)}}, nil},
		{"credit beyond the price is a credit note, tax included", 1000, 1, []credit{from(2000, 440, 0).credit(2000)},
			[][3]any{{LineService, int64(1000), int64(220)}, {LineCredit, int64(-1000), int64(-220)}}, [][2]int64{{1000, 220}}},
		{"a second credit that finds no room is a note alone", 1000, 1, []credit{from(2000, 440, 0).credit(1000), from(2000, 440, 0).credit(2000)},
			[][3]any{{LineService, int64(1000), int64(220)}, {LineCredit, int64(-1000), int64(-220)}}, [][2]int64{{2000, 440}}},
		{"a credit of nothing is no line", 1000, 1, []credit{from(2000, 440, 0).credit(0)},
			[][3]any{{LineService, int64(1000), int64(220)}}, nil},
		// The line's tax is 440; 1 of 2000 has been drawn with round(0.22) = 0 of it,
		// so 999 more bring it to 220.
		{"shares of tax follow what was drawn before", 5000, 1, []credit{from(2000, 440, 1).credit(999)},
			[][3]any{{LineService, int64(5000), int64(1100)}, {LineCredit, int64(-999), int64(-220)}}, nil},
		{"a line that was sold without tax is credited without", 5000, 1, []credit{from(2000, 0, 0).credit(2000)},
			[][3]any{{LineService, int64(5000), int64(1100)}, {LineCredit, int64(-2000), int64(0)}}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := sale{Price: Price{Money: Money{c.price, "EUR"}, Tax: TaxExclusive}, Quantity: c.quantity, Tax: Tax{Rate: 2200}, Credits: c.credits}
			got, excess := s.bill()
			is(t, "lines", lines(Invoice{Lines: got}), c.want)
			var notes [][2]int64
			for _, n := range excess {
				notes = append(notes, [2]int64{n.Net, n.Tax})
			}
			is(t, "notes", notes, c.excess)
		})
	}
}

func TestDocumentsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.SampledFrom([]int64{0, 1700, 2200, 2550}).Draw(t, "rate")
		mode := rapid.SampledFrom([]TaxMode{TaxExclusive, TaxInclusive}).Draw(t, "mode")
		s := sale{
			Price:    Price{Money: Money{rapid.Int64Range(1, 5000).Draw(t, "price"), "EUR"}, Tax: mode},
			Quantity: rapid.Int64Range(1, 3).Draw(t, "quantity"), Tax: Tax{Rate: rate},
		}
		credited := map[string]int64{}
		for range rapid.IntRange(0, 2).Draw(t, "credits") {
			net, tax := Tax{Rate: rate}.split(Money{rapid.Int64Range(1, 5000).Draw(t, "sold"), "EUR"}, mode)
			if net.Amount == 0 {
				continue
			}
			from := PaidLine{Line: Line{ID: rapid.StringN(4, 4, 4).Draw(t, "id"), Amount: net.Amount, Tax: tax.Amount}}
			from.Credited = rapid.Int64Range(0, net.Amount).Draw(t, "drawn")
			from.CreditedTax = mulDiv(tax.Amount, from.Credited, net.Amount)
			c := from.credit(rapid.Int64Range(0, from.Remainder()).Draw(t, "credit"))
			credited[from.Line.ID] += c.net + from.taxOn(c.net)
			s.Credits = append(s.Credits, c)
		}
		inv := Invoice{ID: "inv_1", Currency: "EUR"}
		inv.Lines, inv.Excess = s.bill()
		balance := rapid.Int64Range(0, 3000).Draw(t, "balance")
		inv = inv.applyBalance(Money{balance, "EUR"}, DefaultPolicy())
		if problem := addsUp(inv); problem != "" {
			t.Fatal(problem)
		}
		if due := inv.AmountDue().Amount; due > 0 && due < 50 || inv.BalanceApplied > balance {
			t.Fatalf("due %d, of the balance %d", due, inv.BalanceApplied)
		}
		for _, l := range inv.Lines {
			if l.Kind == LineCredit {
				if l.Amount > 0 || l.Tax > 0 {
					t.Fatalf("credit %+v", l)
				}
				credited[l.CreditedLine] += l.Amount + l.Tax
			}
		}
		for _, n := range inv.Excess {
			if n.Net < 0 || n.Tax < 0 {
				t.Fatalf("note %+v", n)
			}
			credited[n.Line] -= n.Total().Amount
		}
		for line, left := range credited {
			if left != 0 {
				t.Fatalf("%d of the credit of %s is lost", left, line)
			}
		}
		if again := inv.applyBalance(Money{balance, "EUR"}, DefaultPolicy()); addsUp(again) != "" || again.Total() != inv.Total() || len(again.Lines) != len(inv.Lines) {
			t.Fatalf("applied twice: %+v, %+v", inv, again)
		}
	})
}

// Of a credit of 1 with a tax of 1, the net may fit and the tax be left.
func TestANoteOfTaxAloneDrawsTaxAlone(t *testing.T) {
	from := PaidLine{Invoice: "inv_0", Credited: 2, Line: Line{ID: "inv_0.1", Amount: 1000, Tax: 220}}
	s := sale{Price: Price{Money: Money{1, "EUR"}, Tax: TaxExclusive}, Quantity: 1, Tax: Tax{Rate: 2200}, Credits: []credit{from.credit(1)}}
	inv := Invoice{ID: "inv_1", Currency: "EUR", Account: "cus_1"}
	inv.Lines, inv.Excess = s.bill()
	is(t, "lines", lines(inv), [][3]any{{LineService, int64(1), int64(0)}, {LineCredit, int64(-1), int64(0)}})
	p := Changeset{Invoice: &inv}
	p.issueExcess(instant("2026-04-01"))
	is(t, "notes", []int64{p.CreditNotes[0].Net, p.CreditNotes[0].Tax}, []int64{0, 1})
	is(t, "credit allocations", p.CreditAllocations, []CreditAllocation{{"inv_0.1", 1, 0}, {"inv_0.1", 0, 1}})
	is(t, "to the balance", p.Entries[0].Amount, int64(1))
}

func TestWhatWasWaivedIsNotCreditedLater(t *testing.T) {
	service := func(net, tax int64) Line { return Line{Kind: LineService, Amount: net, Tax: tax} }
	waiver := Line{Kind: LineWaiver, Amount: -40}
	for name, c := range map[string]struct {
		lines    []Line
		net, tax int64
	}{
		"nothing waived":             {[]Line{service(1000, 220)}, 0, 0},
		"without tax":                {[]Line{service(1000, 0), waiver}, 40, 0},
		"the net part of 0.40 gross": {[]Line{service(1000, 220), waiver}, 33, 7}, // 40 ÷ 1.22 = 32.79
		"never more than the line":   {[]Line{service(30, 0), waiver}, 30, 0},
	} {
		if net, tax := (Invoice{Lines: c.lines}).Waived(); net != c.net || tax != c.tax {
			t.Errorf("%s: %d and %d of tax, want %d and %d", name, net, tax, c.net, c.tax)
		}
	}
}
