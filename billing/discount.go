package billing

import (
	"regexp"
	"slices"
	"time"
)

// Coupon takes a percentage or an amount off the price for orders that name
// its code, for one invoice, several, or all of them (docs/rules.md, Money).
type Coupon struct {
	Code     string   `json:"code"`
	Percent  int64    `json:"percent,omitempty"` // 1 to 100, or else
	Off      Money    `json:"off,omitzero"`      // an amount, off the price before tax is added
	Invoices int64    `json:"invoices"`          // how many it takes off; 0: all of them
	Products []string `json:"products,omitempty"`

	Expires time.Time `json:"expires,omitzero"` // no order may name it from then on
	Limit   int64     `json:"limit,omitempty"`  // how many orders may name it; 0: any number
}

var couponCode = regexp.MustCompile(`^[A-Z0-9]([A-Z0-9_-]{0,38}[A-Z0-9])?$`)

// ValidCouponCode tells whether a coupon may have this code.
func ValidCouponCode(code string) bool { return couponCode.MatchString(code) }

// Validate checks a coupon's fields.
func (c Coupon) Validate() error {
	switch {
	case !ValidCouponCode(c.Code):
		return refuse(CodeInvalid, "code", "is 1 to 40 capital letters, digits, hyphens and underscores")
	case (c.Percent == 0) == (c.Off == Money{}):
		return refuse(CodeInvalid, "percent", "either percent or off is required")
	case c.Percent < 0 || c.Percent > 100:
		return refuse(CodeInvalid, "percent", "is from 1 to 100")
	case c.Percent == 0 && (c.Off.Amount < 1 || !ValidCurrency(c.Off.Currency)):
		return refuse(CodeInvalid, "off", "is an amount of a currency")
	case c.Invoices < 0:
		return refuse(CodeInvalid, "invoices", "is a number of invoices, or 0 for all of them")
	case c.Limit < 0:
		return refuse(CodeInvalid, "limit", "is a number of orders, or 0 for any number")
	}
	return nil
}

// For is what the coupon gives an order of a product in a currency at an
// instant. Refusals: coupon_expired, coupon_not_applicable.
func (c Coupon) For(product, currency string, at time.Time) (Discount, error) {
	switch {
	case !c.Expires.IsZero() && !at.Before(c.Expires):
		return Discount{}, refuse(CodeCouponExpired, "coupon", "this coupon has expired")
	case len(c.Products) > 0 && !slices.Contains(c.Products, product):
		return Discount{}, refuse(CodeCouponUnfit, "coupon", "this coupon is for another product")
	case c.Percent == 0 && c.Off.Currency != currency:
		return Discount{}, refuse(CodeCouponUnfit, "coupon", "this coupon is for another currency")
	}
	return Discount{Coupon: c.Code, Percent: c.Percent, Off: c.Off.Amount, Left: c.Invoices, Always: c.Invoices == 0}, nil
}

// Discount is the coupon of a subscription, with its terms as of the order.
// The zero Discount takes nothing off.
type Discount struct {
	Coupon  string `json:"coupon"`
	Percent int64  `json:"percent,omitempty"`
	Off     int64  `json:"off,omitempty"`    // minor units of the subscription's currency
	Left    int64  `json:"left,omitempty"`   // invoices that it still takes off
	Always  bool   `json:"always,omitempty"` // or all of them
}

// spent is the discount after an invoice that it has lowered was paid.
func (d Discount) spent() Discount {
	if d.Always {
		return d
	}
	if d.Left--; d.Left <= 0 {
		return Discount{}
	}
	return d
}

// forEver is the discount if it never ends, or else none.
func (d Discount) forEver() Discount {
	if !d.Always {
		return Discount{}
	}
	return d
}

// off is what the discounts take off a price: first the account's standing
// percentage, then the coupon from what is left. Each is rounded once, and
// together they never exceed the price.
func off(gross Money, standing int64, coupon Discount) Money {
	taken := gross.Scale(standing, 100)
	left := gross.Sub(taken)
	if coupon.Percent > 0 {
		return taken.Add(left.Scale(coupon.Percent, 100))
	}
	return taken.Add(Money{min(coupon.Off, left.Amount), gross.Currency})
}
