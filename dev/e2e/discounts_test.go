package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// coupon makes a coupon with a code of its own.
func (s *shop) coupon(t testing.TB, terms object) string {
	t.Helper()
	code := strings.ToUpper(newCustomer().name[len("Bianka Zwetschge "):])
	s.send(t, http.MethodPut, "/v1/operator/coupons/"+code, terms, s.asOperator()).want(t, http.StatusOK)
	return code
}

// held is what an address's account holds.
func (s *shop) held(t testing.TB, email string) []money {
	t.Helper()
	var list struct{ Data []money }
	s.get(t, "/v1/balance?email="+email, &list)
	return list.Data
}

type orderPreview struct {
	Subtotal       money `json:"subtotal"`
	Discount       money `json:"discount"`
	Total          money `json:"total"`
	BalanceApplied money `json:"balance_applied"`
	AmountDue      money `json:"amount_due"`
	Recurring      struct{ Total money }
}

func (s *shop) preview(t testing.TB, coupon any) orderPreview {
	t.Helper()
	var p orderPreview
	s.send(t, http.MethodPost, "/v1/checkout/preview", object{
		"product": "calendar-pro", "plan": users("1-20"), "currency": "USD", "billing": object{"country": "US"}, "coupon": coupon,
	}, nil).want(t, http.StatusOK).into(t, &p)
	return p
}

func TestACouponForOneInvoiceLowersThePurchaseAndNoRenewal(t *testing.T) {
	who, clock := newCustomer(), shared.clock(t, "2026-04-01T00:00:00Z")
	code := shared.coupon(t, object{"percent": 20, "invoices": 1, "limit": 1})
	want := orderPreview{Subtotal: usd(990), Discount: usd(198), Total: usd(792), BalanceApplied: usd(0), AmountDue: usd(792)}
	want.Recurring.Total = usd(990)
	if diff := cmp.Diff(want, shared.preview(t, strings.ToLower(code))); diff != "" {
		t.Error(diff)
	}
	key, order := newKey(), who.order(object{"test_clock": clock, "coupon": code})
	first := shared.post(t, "/v1/checkout", key, order).want(t, http.StatusCreated)
	var c checkout
	first.into(t, &c)
	shared.know(c)
	shared.wantCharges(t, c.Subscription.ID, charged("2026-04-01T00:00:00Z", 792))
	if l := shared.awaitEmails(t, who.email, 1)[0]; !strings.Contains(l.Text, "$7.92") || !strings.Contains(l.Text, "$1.98") {
		t.Errorf("%q:\n%s", l.Subject, l.Text)
	}

	// It was for one order alone; that order's own key still has its answer.
	shared.post(t, "/v1/checkout", newKey(), newCustomer().order(object{"coupon": code})).wantProblem(t, http.StatusUnprocessableEntity, "coupon_used_up")
	if again := shared.post(t, "/v1/checkout", key, order); again.same(t) != first.same(t) {
		t.Errorf("%s, and again %s", first.same(t), again.same(t))
	}
	shared.advance(t, clock, "2026-05-01T00:00:00Z")
	shared.wantCharges(t, c.Subscription.ID, charged("2026-04-01T00:00:00Z", 792), charged("2026-05-01T00:00:00Z", 990))
	shared.audit(t, c.Subscription.ID)
}

func TestACouponIsGivenBackByAnOrderThatLapsesAndRedeemedOnceByItsRetries(t *testing.T) {
	clock := shared.clock(t, "2026-04-01T00:00:00Z")
	code := shared.coupon(t, object{"off": usd(300), "invoices": 0, "limit": 1})
	declined := newCustomer().order(object{"coupon": code, "test_clock": clock, "payment": card("tok_declined")})
	p := shared.post(t, "/v1/checkout", newKey(), declined).wantProblem(t, http.StatusPaymentRequired, "card_declined")
	secret(p.CheckoutToken)
	shared.command(t, p.SubscriptionID, "payment-method", object{"token": secret("tok_insufficient_funds")}).
		wantProblem(t, http.StatusPaymentRequired, "card_declined") // the coupon is its own
	shared.post(t, "/v1/checkout", newKey(), newCustomer().order(object{"coupon": code})).wantProblem(t, http.StatusUnprocessableEntity, "coupon_used_up")
	shared.advance(t, clock, "2026-04-01T23:00:00Z") // the order has lapsed
	c := shared.buy(t, newCustomer().order(object{"coupon": code, "test_clock": clock}))
	shared.wantCharges(t, c.Subscription.ID, charged("2026-04-01T23:00:00Z", 690))
	shared.advance(t, clock, "2026-05-01T23:00:00Z")
	shared.wantCharges(t, c.Subscription.ID, charged("2026-04-01T23:00:00Z", 690), charged("2026-05-01T23:00:00Z", 690))
	shared.audit(t, c.Subscription.ID)
}

func TestTwoRenewalsAtTheSameInstantSpendTheBalanceOnce(t *testing.T) {
	who, clock := newCustomer(), shared.clock(t, "2026-04-01T00:00:00Z")
	buy := func() string {
		return shared.buy(t, who.order(object{"test_clock": clock})).Subscription.ID
	}
	one, two, third := buy(), buy(), buy()
	// 19.80 paid and given back but for 9.90, at one instant: 9.90 stay.
	shared.command(t, third, "change", object{"plan": users("21-50")}).want(t, http.StatusOK)
	shared.command(t, third, "change", object{"plan": users("1-20")}).want(t, http.StatusOK)
	shared.command(t, third, "cancel", nil).want(t, http.StatusOK)
	if diff := cmp.Diff([]money{usd(990)}, shared.held(t, who.email)); diff != "" {
		t.Error(diff)
	}
	// Somebody who orders without having signed in does not get at it.
	var guest checkout
	h := map[string]string{"Idempotency-Key": newKey()}
	shared.send(t, http.MethodPost, "/v1/checkout", who.order(nil), h).want(t, http.StatusCreated).into(t, &guest)
	shared.know(guest)
	if got := guest.Invoice.AmountDue; got != usd(990) {
		t.Errorf("the guest paid %+v", got)
	}
	shared.advance(t, clock, "2026-05-01T00:00:00Z")
	if paid := len(shared.charges(t, one)) + len(shared.charges(t, two)); paid != 3 {
		t.Errorf("%d charges, want two purchases and one renewal", paid)
	}
	if diff := cmp.Diff([]money{usd(0)}, shared.held(t, who.email)); diff != "" {
		t.Error(diff)
	}
	for _, id := range []string{one, two, third} {
		shared.audit(t, id)
	}
}

func TestAStandingDiscountIsTheAccountsAndNotAGuests(t *testing.T) {
	who, clock := newCustomer(), shared.clock(t, "2026-04-01T00:00:00Z")
	set := object{"email": who.email, "percent": 50}
	shared.send(t, http.MethodPut, "/v1/operator/accounts/discount", set, shared.asOperator()).want(t, http.StatusOK)
	id := shared.buy(t, who.order(object{"test_clock": clock})).Subscription.ID
	shared.advance(t, clock, "2026-05-01T00:00:00Z")
	want := []string{charged("2026-04-01T00:00:00Z", 495), charged("2026-05-01T00:00:00Z", 495)}
	shared.wantCharges(t, id, want...)
	set["percent"] = 0
	shared.send(t, http.MethodPut, "/v1/operator/accounts/discount", set, shared.asOperator()).want(t, http.StatusOK)
	shared.advance(t, clock, "2026-06-01T00:00:00Z")
	shared.wantCharges(t, id, append(want, charged("2026-06-01T00:00:00Z", 990))...)
	shared.audit(t, id)
}
