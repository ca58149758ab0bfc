package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/okviz/licensing/billing"
)

// CouponBody is what a coupon gives: percent or off.
type CouponBody struct {
	Percent   int64          `json:"percent,omitempty" minimum:"0" maximum:"100" doc:"Percentage of the price; either percent or off is given."`
	Off       *billing.Money `json:"off,omitempty" doc:"Fixed amount off the price before tax."`
	Invoices  int64          `json:"invoices" minimum:"0" maximum:"1000" doc:"The number of invoices that it applies to; 0 means all of them."`
	Products  []string       `json:"products,omitempty" maxItems:"100" doc:"The products that it is valid for; absent: all."`
	ExpiresAt *time.Time     `json:"expires_at,omitempty" doc:"Orders from this instant on cannot use it."`
	Limit     int64          `json:"limit,omitempty" minimum:"0" maximum:"1000000000" doc:"The number of orders that may use it; 0: any number."`
}

// Coupon as an operator sees it.
type Coupon struct {
	Code string `json:"code"`
	CouponBody
	Redeemed int64 `json:"redeemed" doc:"The number of orders that have used it."`
}

func (s *operators) discountRoutes(h huma.API) {
	huma.Register(h, route(http.MethodGet, "/v1/operator/coupons", "list-coupons", "All coupons, by code", "Operator", operator(billing.OperatorRoles...)), s.listCoupons)
	huma.Register(h, route(http.MethodPut, "/v1/operator/coupons/{code}", "put-coupon", "Create a coupon, or replace its terms for later orders", "Operator", operator(billing.OperatorFinance)), s.putCoupon)
	huma.Register(h, route(http.MethodPut, "/v1/operator/accounts/discount", "set-discount", "Give an account a standing discount", "Operator", operator(billing.OperatorFinance)), s.setDiscount)
}

func viewCoupon(c billing.Coupon, redeemed int64) Coupon {
	v := Coupon{c.Code, CouponBody{Percent: c.Percent, Invoices: c.Invoices, Products: c.Products, ExpiresAt: instant(c.Expires), Limit: c.Limit}, redeemed}
	if !c.Off.IsZero() {
		v.Off = &c.Off
	}
	return v
}

func (s *operators) listCoupons(ctx context.Context, in *PageInput) (*struct{ Body List[Coupon] }, error) {
	if !billing.ValidCouponCode(in.Cursor) && in.Cursor != "" {
		return nil, invalid("cursor", "is not a cursor of this list")
	}
	rows, redeemed, err := s.Store.Coupons(ctx, in.Cursor, in.Limit+1)
	if err != nil {
		return nil, s.answer(err)
	}
	views := make([]Coupon, len(rows))
	for i, c := range rows {
		views[i] = viewCoupon(c, redeemed[i])
	}
	list := listed(views, in.Limit, func(c Coupon) string { return c.Code }, func(c Coupon) Coupon { return c })
	return &struct{ Body List[Coupon] }{list}, nil
}

func (s *operators) putCoupon(ctx context.Context, in *struct {
	Code string `path:"code" maxLength:"40"`
	Body CouponBody
}) (*struct{ Body Coupon }, error) {
	b := in.Body
	c := billing.Coupon{Code: strings.ToUpper(in.Code), Percent: b.Percent, Invoices: b.Invoices, Products: b.Products, Limit: b.Limit}
	if b.Off != nil {
		c.Off = *b.Off
	}
	if b.ExpiresAt != nil {
		c.Expires = billing.Instant(*b.ExpiresAt)
	}
	if err := c.Validate(); err != nil {
		return nil, s.answer(err)
	}
	if err := s.Store.PutCoupon(ctx, c); err != nil {
		return nil, s.answer(err)
	}
	kept, redeemed, err := s.Store.Coupon(ctx, c.Code)
	if err != nil {
		return nil, s.answer(err)
	}
	return &struct{ Body Coupon }{viewCoupon(kept, redeemed)}, nil
}

// StandingDiscount is what an account has off every invoice.
type StandingDiscount struct {
	Email   string `json:"email" minLength:"3" maxLength:"254"`
	Percent int64  `json:"percent" minimum:"0" maximum:"100" doc:"0 removes it."`
}

func (s *operators) setDiscount(ctx context.Context, in *struct{ Body StandingDiscount }) (*struct{ Body StandingDiscount }, error) {
	who, err := contact("", ContactBody{Name: "-", Email: in.Body.Email})
	if err != nil {
		return nil, invalid("email", "is not an e-mail address")
	}
	if err := s.Store.SetStanding(ctx, who.Email, in.Body.Percent); err != nil {
		return nil, s.answer(err)
	}
	return &struct{ Body StandingDiscount }{in.Body}, nil
}
