package billing

import (
	"strings"
	"testing"
)

// discounted is a subscription that was bought with discounts.
func discounted(t *testing.T, at string, standing int64, d Discount, o offer) *ledger {
	t.Helper()
	l := ordered(t, at, o)
	l.snapshot.Standing, l.snapshot.Subscription.Discount = standing, d
	l.pay("visa")
	return l
}

func percent(n, invoices int64) Discount {
	return Discount{Coupon: "SPRING", Percent: n, Left: invoices, Always: invoices == 0}
}

func TestTheStandingDiscountComesBeforeTheCouponAndEachIsRoundedOnce(t *testing.T) {
	for _, c := range []struct {
		name                  string
		gross, standing, want int64
		coupon                Discount
	}{
		{"none", 1000, 0, 0, Discount{}},
		{"a standing discount", 1000, 10, 100, Discount{}},
		{"a coupon", 1000, 0, 200, percent(20, 1)},
		{"both: 100, then 180 of 900", 1000, 10, 280, percent(20, 1)},
		{"149.85 is 150, then 33 % of 849 is 280.17", 999, 15, 430, percent(33, 1)},
		{"half a cent goes up", 1, 50, 1, Discount{}},
		{"all of it", 1000, 100, 1000, percent(50, 1)},
		{"an amount", 1000, 0, 300, Discount{Coupon: "X", Off: 300, Left: 1}},
		{"an amount of what is left, never more", 1000, 90, 1000, Discount{Coupon: "X", Off: 300, Left: 1}},
	} {
		if got := off(Money{c.gross, "USD"}, c.standing, c.coupon).Amount; got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

func TestTaxIsOnWhatTheDiscountsLeave(t *testing.T) {
	// 1000 − 100 − 180 = 720; 22 % of it is 158.4.
	l := discounted(t, "2026-04-01", 10, percent(20, 1), offer{country: "IT"})
	inv := l.last()
	is(t, "subtotal", inv.Subtotal().Amount, int64(1000))
	is(t, "discount", inv.Discount().Amount, int64(280))
	is(t, "tax", inv.Tax().Amount, int64(158))
	is(t, "charged", l.charged(), int64(878))

	// A price of 12.20 with its tax: half of it is 6.10, of which 1.10 is tax.
	product := shelf()
	product.Plans[0].Prices[0] = Price{Money: Money{1220, "USD"}, Tax: TaxInclusive}
	l = discounted(t, "2026-04-01", 0, percent(50, 1), offer{country: "IT", product: &product})
	inv = l.last()
	is(t, "subtotal of an inclusive price", inv.Subtotal().Amount, int64(1000))
	is(t, "its discount", inv.Discount().Amount, int64(500))
	is(t, "its tax", inv.Tax().Amount, int64(110))
	is(t, "its charge", l.charged(), int64(610))
}

func TestACouponTakesOffAsManyInvoicesAsItSays(t *testing.T) {
	for _, c := range []struct {
		name     string
		coupon   Discount
		invoices []int64
	}{
		{"once", percent(50, 1), []int64{500, 1000, 1000, 1000}},
		{"three", percent(50, 3), []int64{500, 500, 500, 1000}},
		{"for ever", percent(50, 0), []int64{500, 500, 500, 500}},
		{"an amount, twice", Discount{Coupon: "X", Off: 300, Left: 2}, []int64{700, 700, 1000, 1000}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := discounted(t, "2026-04-01", 0, c.coupon, offer{})
			total := l.charged()
			is(t, "the purchase", total, c.invoices[0])
			for i, at := range []string{"2026-05-01", "2026-06-01", "2026-07-01"} {
				l.to(at)
				is(t, "renewal on "+at, l.charged()-total, c.invoices[i+1])
				total = l.charged()
			}
		})
	}
}

func TestADeclineSpendsNoCouponAndATrialsWaitsForItsEnd(t *testing.T) {
	l := ordered(t, "2026-04-01", offer{})
	l.snapshot.Subscription.Discount = percent(50, 1)
	l.command(Command{Action: ActionPurchase, Request: "req_buy"}, "poor")
	l.must(Command{Action: ActionPaymentMethod, Request: "req_card"}, "visa")
	is(t, "with another card", l.charged(), int64(500))
	l.to("2026-05-01")
	is(t, "and the renewal", l.charged(), int64(1500))

	l = ordered(t, "2026-04-01", offer{pay: PayTrial})
	l.snapshot.Subscription.Discount = percent(50, 1)
	l.pay("visa")
	is(t, "in the trial", l.charged(), int64(0))
	l.to("2026-05-01")
	is(t, "its conversion", l.charged(), int64(500))
	l.to("2026-06-01")
	is(t, "the renewal after it", l.charged(), int64(1500))
}

func TestAChangeCreditsWhatWasPaidAndNotWhatACouponTookOff(t *testing.T) {
	l := discounted(t, "2026-04-01", 0, percent(50, 1), offer{})
	l.to("2026-04-16")
	l.must(change(large)) // half of the 500 that was paid
	is(t, "credit", l.last().Credit().Amount, int64(250))
	is(t, "charged", l.charged(), int64(500+1750))
	l.must(change(small)) // straight back: the coupon is spent
	is(t, "balance", l.balance, int64(1000))
	is(t, "charged again", l.charged(), int64(2250))
}

func TestAGuestsOrderUsesNothingOfTheAccountUntilTheAccountCommands(t *testing.T) {
	l := ordered(t, "2026-04-01", offer{balance: 5000})
	l.snapshot.Standing, l.snapshot.Subscription.Guest = 10, true
	l.pay("visa")
	is(t, "the purchase", l.charged(), int64(1000))
	l.to("2026-05-01")
	is(t, "the renewal", l.charged(), int64(2000))
	is(t, "balance", l.balance, int64(5000))
	l.must(Command{Action: ActionPaymentMethod, Request: "req_card"}, "amex") // the order's token may do so
	l.to("2026-06-01")
	is(t, "the next renewal", l.charged(), int64(3000))
	l.must(Command{Action: ActionSuspend}) // what an operator does says nothing of the account
	l.must(Command{Action: ActionReinstate})
	l.must(refundOf(InvoiceID(l.paid[0]), 1))
	is(t, "a guest after the operator's commands", l.s().Guest, true)
	l.must(change(large)) // on the boundary: the new period's credit is all of it
	is(t, "charged by the account's change", l.charged(), int64(3000))
	is(t, "balance: 2000 − 200 − 1000 came out of it", l.balance, int64(4200))
	l.to("2026-07-01")
	is(t, "balance after the renewal at 1800", l.balance, int64(2400))
}

func TestACouponIsForWhatItSaysUntilItExpires(t *testing.T) {
	c := Coupon{Code: "SPRING", Percent: 20, Invoices: 1, Products: []string{"calendar-pro"}, Expires: instant("2026-05-01")}
	for _, bad := range []struct {
		name, product, currency, at string
		coupon                      Coupon
		code                        Code
	}{
		{"on its last instant", "calendar-pro", "USD", "2026-05-01", c, CodeCouponExpired},
		{"another product", "bullet-chart", "USD", "2026-04-01", c, CodeCouponUnfit},
		{"another currency", "calendar-pro", "EUR", "2026-04-01", Coupon{Code: "TEN", Off: Money{1000, "USD"}}, CodeCouponUnfit},
	} {
		if _, err := bad.coupon.For(bad.product, bad.currency, instant(bad.at)); err == nil || !strings.HasPrefix(err.Error(), string(bad.code)) {
			t.Errorf("%s: %v", bad.name, err)
		}
	}
	if d, err := c.For("calendar-pro", "EUR", instant("2026-04-30")); err != nil || d != percent(20, 1) {
		t.Errorf("%+v, %v", d, err)
	}
	for _, bad := range []Coupon{
		{Code: "spring", Percent: 20}, {Code: "A B", Percent: 20}, {Code: "", Percent: 20}, {Code: "X"}, {Code: "X", Percent: 101}, {Code: "X", Percent: -1},
		{Code: "X", Percent: 20, Off: Money{100, "USD"}}, {Code: "X", Off: Money{100, "XYZ"}}, {Code: "X", Off: Money{0, "USD"}},
		{Code: "X", Off: Money{-5, "USD"}}, {Code: "X", Percent: 20, Invoices: -1}, {Code: "X", Percent: 20, Limit: -1},
	} {
		if bad.Validate() == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}

func TestACouponIsRedeemedWithTheFreezeAndGivenBackWithTheOrder(t *testing.T) {
	l := ordered(t, "2026-04-01", offer{})
	l.snapshot.Subscription.Discount = percent(50, 1)
	b := l.onFile()
	b.Method = "visa"
	_, reserve := b.Reserve(*b.Decide(Command{Action: ActionPurchase, Request: "req_buy"}, l.now).Bill, "req_buy")
	is(t, "redeemed", reserve.Redeem, "SPRING")
	b.Subscription.Collection, b.Policy.InvoiceFrom = ByInvoice, map[string]int64{"USD": 1}
	is(t, "redeemed by an invoice", b.Decide(Command{Action: ActionPurchase, Request: "req_buy"}, l.now).Changeset.Redeem, "SPRING")
	is(t, "given back", b.Due(Step{StepExpireOrder, l.now}, l.now).Changeset.Unredeem, "SPRING")
	is(t, "given back when refused", b.Refused(Command{Action: ActionPurchase}, refuse(CodeInvalid, "", ""), l.now).Unredeem, "SPRING")
}

// The engine mails the next period's invoice by itself: paying it says nothing
// of who has ordered. Paying what is owed is a command of the account's.
func TestAGuestsInvoiceLeavesAGuestAndTheAccountsOwnPaymentDoesNot(t *testing.T) {
	l := ordered(t, "2026-04-01", offer{balance: 5000})
	l.snapshot.Subscription.Guest = true
	l.pay("visa")
	b := l.onFile()
	b.Subscription.Collection = ByInvoice
	inv, _ := b.invoiceNext(instant("2026-04-24"))
	is(t, "of the balance", inv.BalanceApplied, int64(0))
	inv.Status = InvoiceOpen
	is(t, "a guest after the ahead-invoice", b.Paid(*inv, instant("2026-04-25")).Subscription.Guest, true)

	l.cards["visa"] = "insufficient_funds"
	l.to("2026-05-01")
	is(t, "a guest after the decline", l.s().Guest, true)
	l.must(Command{Action: ActionRenew})
	is(t, "a guest after the account's payment", l.s().Guest, false)
	is(t, "balance", l.balance, int64(4000))
}

func TestTheRecurringPriceIsWithoutACouponThatIsUsedUp(t *testing.T) {
	for _, c := range []struct {
		name     string
		discount Discount
		want     int64
	}{
		{"one invoice", percent(50, 1), 900},
		{"three invoices", percent(50, 3), 900},
		{"for ever", percent(50, 0), 450},
	} {
		b := ordered(t, "2026-04-01", offer{balance: 5000, standing: 10, discount: c.discount}).onFile()
		is(t, c.name, b.PreviewRenewal(b.Subscription.CreatedAt).AmountDue().Amount, c.want)
	}
}
