package billing

import (
	"fmt"
	"math/big"

	"github.com/bojanz/currency"
)

// Money is an amount in the minor unit of its currency (cents; whole yen),
// never a float (docs/rules.md, Money). The zero Money has no currency and may be
// added to any other.
type Money struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

// Add returns m + n. Adding two currencies is a defect of the caller, not an
// input to be answered, so it panics, and the step that did it fails unposted.
func (m Money) Add(n Money) Money {
	switch {
	case m.Currency == "":
		return Money{m.Amount + n.Amount, n.Currency}
	case n.Currency == "" || n.Currency == m.Currency:
		return Money{m.Amount + n.Amount, m.Currency}
	}
	panic(fmt.Sprintf("billing: adding %s to %s", n.Currency, m.Currency))
}

// Sub returns m − n.
func (m Money) Sub(n Money) Money { return m.Add(n.Neg()) }

// Neg returns −m.
func (m Money) Neg() Money { return Money{-m.Amount, m.Currency} }

// Times returns m × n.
func (m Money) Times(n int64) Money { return Money{m.Amount * n, m.Currency} }

// Scale returns m × num ÷ den, rounded once, half away from zero
// (docs/rules.md, Changing plan). den must not be zero.
func (m Money) Scale(num, den int64) Money {
	return Money{mulDiv(m.Amount, num, den), m.Currency}
}

// IsZero tells whether the amount is zero, in any currency.
func (m Money) IsZero() bool { return m.Amount == 0 }

// String formats for people and logs: "9.90 USD", "990 JPY".
func (m Money) String() string {
	a, err := currency.NewAmountFromInt64(m.Amount, m.Currency)
	if err != nil {
		return fmt.Sprintf("%d %s", m.Amount, m.Currency)
	}
	return a.Number() + " " + a.CurrencyCode()
}

// ValidCurrency tells whether code is an ISO 4217 currency known to CLDR.
func ValidCurrency(code string) bool { return code != "" && currency.IsValid(code) }

// mulDiv returns a × num ÷ den, half away from zero, without overflow between.
func mulDiv(a, num, den int64) int64 {
	n := new(big.Int).Mul(big.NewInt(a), big.NewInt(num))
	d := big.NewInt(den)
	if d.Sign() < 0 {
		n.Neg(n)
		d.Neg(d)
	}
	negative := n.Sign() < 0
	n.Abs(n).Lsh(n, 1).Add(n, d).Quo(n, d.Lsh(d, 1)) // ⌊(2n + d) ÷ 2d⌋
	if negative {
		n.Neg(n)
	}
	return n.Int64()
}
