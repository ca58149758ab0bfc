package api_test

import (
	"strings"
	"testing"

	"github.com/okviz/licensing/billing"
)

func TestAnOrderKeepsTheLanguageThatItWasPlacedIn(t *testing.T) {
	s := newShop(t)
	for _, c := range []struct {
		body, accepts, want string
	}{
		{order(`language="it"`, `billing.email="a@contoso.example"`), "en", "it"},
		{order(`billing.email="b@contoso.example"`), "it-CH,en;q=0.8", "it"},
		{order(`billing.email="c@contoso.example"`), "fr", "en"},
		{order(`language="en"`, `billing.email="d@contoso.example"`), "it", "en"},
	} {
		a := s.ask("POST", "/v1/checkout", c.body, withKey(), "Accept-Language: "+c.accepts).want(201, "")
		if got := a.text("subscription.language"); got != c.want {
			t.Errorf("with %s: %s, want %s", c.accepts, got, c.want)
		}
		inv, _, err := s.store.Invoice(t.Context(), billing.InvoiceID(a.text("invoice.id")))
		check(t, err)
		if stored := strings.TrimSuffix(c.want, "en"); inv.Language != stored {
			t.Errorf("the invoice is in %q, want %q", inv.Language, stored)
		}
	}
	s.ask("POST", "/v1/checkout", order(`language="xx"`), withKey()).want(422, "invalid")
}

func TestLinesAreDescribedInTheReadersLanguage(t *testing.T) {
	s := newShop(t)
	body := `{"product":"calendar-pro","plan":{"type":"users","tier":"1-20","cycle":"monthly"},"billing":{"country":"US"}}`
	for accepts, want := range map[string]string{"it": "Calendar Pro – Utenti 1-20, fatturazione mensile", "": "Calendar Pro, users 1-20, monthly"} {
		if a := s.ask("POST", "/v1/checkout/preview", body, "Accept-Language: "+accepts).want(200, ""); !strings.Contains(string(a.body), want) {
			t.Errorf("with %q: %s, want %q", accepts, a.body, want)
		}
	}
}

func TestMailsAboutAnAccountAreInItsOwnLanguageOrItsNewestOrders(t *testing.T) {
	s := newShop(t)
	ordered := s.ask("POST", "/v1/checkout", order(`language="it"`), withKey()).want(201, "")
	b, err := s.store.Snapshot(t.Context(), billing.SubscriptionID(ordered.text("subscription.id")))
	check(t, err)
	check(t, s.store.BeginLogin(t.Context(), "lgn_1", "token", b.Order.BillingAccount))
	told := func() string {
		a, _, err := s.store.NoticeAccount(t.Context(), "lgn_1", []string{"token"})
		check(t, err)
		return a.Language
	}
	if got := told(); got != "it" {
		t.Errorf("with an Italian order: %q", got)
	}
	ada := s.signIn(b.Order.Billing.Email)
	if a := s.ask("PATCH", "/v1/me", `{"language":"en"}`, ada).want(200, ""); a.text("language") != "en" {
		t.Errorf("the account has %s", a.body)
	}
	if got := told(); got != "en" {
		t.Errorf("of an account that chose English: %q", got)
	}
	if a := s.ask("POST", "/v1/checkout", order(), withKey(), "Accept-Language: it", ada).want(201, ""); a.text("subscription.language") != "en" {
		t.Errorf("a later order of it: %s", a.body)
	}
}

func TestAPurchaseOrderAndACostCentreAreOnTheOrderItsQuoteAndItsDocuments(t *testing.T) {
	s := newShop(t)
	books := []string{`billing.purchase_order=" PO 4711 "`, `billing.cost_center="CC 12"`}
	a := s.buy(books...).want(201, "")
	if a.text("subscription.purchase_order") != "PO 4711" || a.text("subscription.cost_center") != "CC 12" {
		t.Errorf("the order: %s", a.body)
	}
	b, err := s.store.Snapshot(t.Context(), billing.SubscriptionID(a.text("subscription.id")))
	check(t, err)
	inv, _, err := s.store.Invoice(t.Context(), billing.InvoiceID(a.text("invoice.id")))
	check(t, err)
	if to := b.Order.BilledTo(inv); to.PurchaseOrder != "PO 4711" || to.CostCenter != "CC 12" {
		t.Errorf("the invoice is addressed to %+v", to)
	}
	asked := s.ask("POST", "/v1/quotes", quoted(books...), withKey()).want(201, "")
	q, err := s.store.Quote(t.Context(), asked.text("id"))
	check(t, err)
	if to := q.Order.Billing; to.PurchaseOrder != "PO 4711" || to.CostCenter != "CC 12" {
		t.Errorf("the quote is addressed to %+v", to)
	}
	s.ask("POST", "/v1/checkout", order(`billing.purchase_order="a\u0007b"`), withKey()).want(422, "invalid")
}
