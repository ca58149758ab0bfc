package billing

import (
	"encoding/base64"
	"testing"
	"time"
)

func TestAQuoteStandsUntilTheSecondOfItsEndAndIsAcceptedOnce(t *testing.T) {
	q := Quote{CreatedAt: instant("2026-01-31 10:00"), ExpiresAt: instant("2026-03-02 10:00")}
	for _, c := range []struct {
		name     string
		accepted SubscriptionID
		at       time.Time
		want     QuoteStatus
		refused  Code
	}{
		{"at once", "", q.CreatedAt, QuoteOpen, ""},
		{"in its last second", "", q.ExpiresAt.Add(-time.Second), QuoteOpen, ""},
		{"at its end", "", q.ExpiresAt, QuoteExpired, CodeQuoteExpired},
		{"accepted", "sub_1", q.CreatedAt, QuoteAccepted, CodeQuoteAccepted},
		{"accepted, and past its end", "sub_1", q.ExpiresAt, QuoteAccepted, CodeQuoteAccepted},
	} {
		t.Run(c.name, func(t *testing.T) {
			q.Accepted = c.accepted
			is(t, "status", q.Status(c.at), c.want)
			code := Code("")
			if r := q.Refusal(c.at); r != nil {
				code = r.Code
			}
			is(t, "refusal", code, c.refused)
		})
	}
}

// 1000 less 20 % are 800; 22 % of that are 176. Later 1000 and 220. The
// account's 10 % and its balance are not a guest's.
func TestAQuoteIsPricedAsForAGuestAndKeepsItsCoupon(t *testing.T) {
	l := ordered(t, "2026-01-31 10:00", offer{country: "IT"})
	l.snapshot.Standing, l.snapshot.Balance, l.snapshot.Subscription.Discount = 10, Money{5000, "USD"}, percent(20, 1)
	q := l.snapshot.Quote(l.now)
	is(t, "discount", q.Bill.Discount(), Money{200, "USD"})
	is(t, "tax", q.Bill.Tax(), Money{176, "USD"})
	is(t, "total", q.Bill.Total(), Money{976, "USD"})
	is(t, "due", q.Bill.AmountDue(), Money{976, "USD"})
	is(t, "later", q.Renewal, Money{1220, "USD"})
	is(t, "no period", q.Bill.Service().Period, Period{})
	is(t, "until", q.ExpiresAt, instant("2026-03-02 10:00"))

	// The price has risen since.
	l.snapshot.Product.Plans[0].Prices[0].Amount = 5000
	l.snapshot.Order, l.snapshot.Subscription = q.Ordered("sub_7", "lic_7", ByInvoice, instant("2026-02-10 12:00"))
	is(t, "its quote", l.snapshot.Order.Quote, q.ID)
	is(t, "its subscription", SubscriptionID(string(l.snapshot.Order.Subscription)+" "+string(l.snapshot.Subscription.ID)), "sub_7 sub_7")
	is(t, "its licence", l.snapshot.Order.License, "lic_7")
	is(t, "collection", l.snapshot.Subscription.Collection, ByInvoice)
	is(t, "it begins then", l.snapshot.Subscription.CreatedAt, instant("2026-02-10 12:00"))
	bill := l.snapshot.PreviewPurchase(instant("2026-02-10 12:00"))
	is(t, "ordered at", bill.AmountDue(), q.Bill.Total())
	is(t, "its price version", bill.Service().Price, q.Subscription.Price)
}

func TestAQuotesTokenOpensThatQuoteAlone(t *testing.T) {
	secret := Secret{"0123456789abcdef0123456789abcdef"}
	token := secret.QuoteToken("quo_1")
	raw, err := base64.RawURLEncoding.DecodeString(token[len("qot_"):])
	if err != nil || len(raw) != 16+len("quo_1") {
		t.Fatalf("%d bytes, %v", len(raw), err)
	}
	forged := func(change func(b []byte) []byte) string {
		return "qot_" + base64.RawURLEncoding.EncodeToString(change(append([]byte{}, raw...)))
	}
	for _, c := range []struct {
		name, token   string
		isQuote, good bool
	}{
		{"its own", token, true, true},
		{"another quote's", forged(func(b []byte) []byte { b[len(b)-1] = '2'; return b }), true, false},
		{"another signature", forged(func(b []byte) []byte { b[15] ^= 1; return b }), true, false},
		{"without a quote", forged(func(b []byte) []byte { return b[:16] }), true, false},
		{"too short", forged(func(b []byte) []byte { return b[:3] }), true, false},
		{"nothing", "qot_", true, false},
		{"padded", token + "=", true, false},
		{"an order's", "cot_" + token[4:], false, false},
		{"an API key", "okv_1", false, false},
		{"of another server", Secret{"another"}.QuoteToken("quo_1"), true, false},
		{"a login's", "qot_" + secret.LoginToken("quo_1"), true, false},
	} {
		quote, isQuote, good := secret.QuoteOf(c.token)
		if isQuote != c.isQuote || good != c.good || good && quote != "quo_1" {
			t.Errorf("%s: %q, %t, %t", c.name, quote, isQuote, good)
		}
	}
}
