package billing

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestMoneyIsRoundedHalfAwayFromZero(t *testing.T) {
	for _, c := range []struct{ amount, num, den, want int64 }{
		{1, 1, 2, 1}, {-1, 1, 2, -1}, {3, 1, 2, 2}, {-3, 1, 2, -2}, {5, 1, 2, 3}, // 2.5
		{1, 1, 3, 0}, {2, 1, 3, 1}, {-2, 1, 3, -1}, {-1, 1, 3, 0},
		{100, 1, -8, -13}, {-100, 1, -8, 13}, // 12.5
		{0, 5, 7, 0}, {7, 0, 3, 0}, {7, 3, 3, 7},
		{149, 1, 100, 1}, {150, 1, 100, 2}, {249, 1, 100, 2}, {-150, 1, 100, -2},
	} {
		if got := (Money{c.amount, "USD"}).Scale(c.num, c.den); got != (Money{c.want, "USD"}) {
			t.Errorf("%d × %d ÷ %d = %s, want %d", c.amount, c.num, c.den, got, c.want)
		}
	}
}

func TestMoneyDoesNotOverflowOnTheWay(t *testing.T) {
	const most = math.MaxInt64
	for _, c := range []struct{ amount, num, den, want int64 }{
		{most, most, most, most},
		{-most, most, most, -most},
		{most, 2, 2, most},
		{math.MinInt64, 3, 3, math.MinInt64},
		{1e18, 94_608_000, 94_608_001, 999999989430069450}, // ….47
	} {
		if got := (Money{c.amount, "USD"}).Scale(c.num, c.den).Amount; got != c.want {
			t.Errorf("%d × %d ÷ %d = %d, want %d", c.amount, c.num, c.den, got, c.want)
		}
	}
}

func TestAddingTwoCurrenciesIsAnError(t *testing.T) {
	for name, add := range map[string]func(){
		"add": func() { Money{1, "USD"}.Add(Money{1, "EUR"}) },
		"sub": func() { Money{1, "USD"}.Sub(Money{0, "EUR"}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s went through", name)
				}
			}()
			add()
		}()
	}
	is(t, "a sum that begins with nothing", Money{}.Add(Money{5, "EUR"}), Money{5, "EUR"})
	is(t, "nothing added", Money{5, "EUR"}.Sub(Money{}), Money{5, "EUR"})
	is(t, "difference", Money{5, "EUR"}.Sub(Money{7, "EUR"}), Money{-2, "EUR"})
	is(t, "product", Money{-990, "JPY"}.Times(3), Money{-2970, "JPY"})
}

func TestMoneyIsWrittenInItsCurrencysDigits(t *testing.T) {
	for want, m := range map[string]Money{
		"9.90 USD": {990, "USD"}, "990 JPY": {990, "JPY"}, "-0.05 EUR": {-5, "EUR"}, "1.234 KWD": {1234, "KWD"}, "7 ": {7, ""},
	} {
		is(t, "text", m.String(), want)
	}
	for code, want := range map[string]bool{"USD": true, "EUR": true, "JPY": true, "usd": false, "": false, "XYZ": false, "EURO": false} {
		is(t, "currency "+code, ValidCurrency(code), want)
	}
}

func TestProrationStaysWithinTheAmount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := instant("2024-01-31T10:00:00Z").Add(rapid.Custom(seconds).Draw(t, "start"))
		p := Period{start, Boundary(start, rapid.SampledFrom([]Cycle{Monthly, Yearly, ThreeYears}).Draw(t, "cycle"), 1)}
		amount := Money{rapid.Int64Range(0, 1e15).Draw(t, "amount"), "USD"}
		mode := rapid.SampledFrom([]ProrationMode{PerSecond, PerDay}).Draw(t, "mode")
		a := start.Add(rapid.Custom(seconds).Draw(t, "a"))
		b := a.Add(rapid.Custom(seconds).Draw(t, "b"))
		first, later := Prorate(amount, p, a, mode).Amount, Prorate(amount, p, b, mode).Amount
		if first > amount.Amount || later < 0 || later > first {
			t.Fatalf("of %d at %s %d, at %s %d", amount.Amount, a, first, b, later)
		}
		if !b.Before(p.End) && later != 0 {
			t.Fatalf("%d after the end", later)
		}
	})
}
