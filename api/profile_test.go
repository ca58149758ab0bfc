package api_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/okviz/licensing/payments/events"
	"github.com/okviz/licensing/payments/sandbox"
)

func TestDetailsAreWrittenDownForLaterOrders(t *testing.T) {
	s := newShop(t)
	s.buy().want(201, "")
	ada := s.signIn("ada@contoso.example")
	edit := func(body string) answer {
		t.Helper()
		return s.ask("PATCH", "/v1/me", body, ada)
	}
	if me := s.ask("GET", "/v1/me", "", ada).want(200, ""); me.text("name") != "Ada Rossi" || me.text("company") != "Contoso" || me.at("licensee") != nil {
		t.Errorf("the order that a guest has paid begins the next one with %s", me.body)
	}
	edit(`{"name":" Ada Rossi ","country":"DE","vat_id":"de 136695976","address":{"line1":"Hauptstr. 1","city":"Berlin"}}`).want(200, "")
	edit(`{"company":"Contoso","licensee":{"name":"BI team","email":"bi@contoso.example"}}`).want(200, "")
	me := s.ask("GET", "/v1/me", "", ada).want(200, "")
	for path, want := range map[string]string{
		"email": "ada@contoso.example", "name": "Ada Rossi", "company": "Contoso", "country": "DE", "vat_id": "DE136695976",
		"address.line1": "Hauptstr. 1", "address.city": "Berlin", "licensee.email": "bi@contoso.example",
	} {
		if got := me.text(path); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
	for _, c := range []struct{ body, code, field string }{
		{`{"country":"XX"}`, "invalid", "country"},
		{`{"country":""}`, "invalid", "country"}, // the VAT id's
		{`{"country":"FR"}`, "invalid_vat_id", "vat_id"},
		{`{"vat_id":"DE136695977"}`, "invalid_vat_id", "vat_id"},
		{`{"name":"a\u0000b"}`, "invalid", "name"},
		{`{"licensee":{"name":"BI team","email":"nowhere"}}`, "invalid", "licensee.email"},
		{`{"licensee":{"name":"","email":"bi@contoso.example"}}`, "invalid", "licensee.name"},
		{`{"email":"else@contoso.example"}`, "invalid", "email"},
	} {
		a := edit(c.body).want(422, c.code)
		if field := a.at("errors").([]any)[0].(map[string]any)["field"]; field != c.field {
			t.Errorf("%s is told at %v, want %s", c.body, field, c.field)
		}
	}
	if again := s.ask("GET", "/v1/me", "", ada).want(200, ""); string(again.body) != string(me.body) {
		t.Errorf("what was refused changed %s", again.body)
	}
	if me := edit(`{"licensee":{"name":"","email":""},"vat_id":"","address":{}}`).want(200, ""); me.at("licensee") != nil || me.at("address.city") != nil || me.text("name") != "Ada Rossi" {
		t.Errorf("cleared: %s", me.body)
	}
	if bea := s.ask("GET", "/v1/me", "", s.signIn("bea@contoso.example")).want(200, ""); bea.text("name") != "" {
		t.Errorf("the licensee sees %s", bea.body)
	}
}

func TestACardIsRemovedOnceNothingIsChargedToIt(t *testing.T) {
	s := newShop(t)
	id := s.buy().want(201, "").text("subscription.id")
	ada := s.signIn("ada@contoso.example")
	cards := func() []any { return s.ask("GET", "/v1/payment-methods", "", ada).want(200, "").at("data").([]any) }
	first := cards()[0].(map[string]any)
	if len(cards()) != 1 || first["last4"] != "4242" || first["subscriptions"].([]any)[0].(map[string]any)["id"] != id {
		t.Fatalf("stored: %v", cards())
	}
	remove := func(id any, who string) answer { return s.ask("DELETE", "/v1/payment-methods/"+id.(string), "", who) }
	remove(first["id"], ada).want(409, "method_in_use")
	s.ask("POST", "/v1/subscriptions/"+id+"/payment-method", `{"token":"tok_visa"}`, ada, withKey()).want(200, "")
	remove(first["id"], s.signIn("bea@contoso.example")).want(404, "not_found")
	remove(first["id"], ada).want(204, "")
	remove(first["id"], ada).want(404, "not_found")
	second := cards()[0].(map[string]any)
	if len(cards()) != 1 || second["id"] == first["id"] {
		t.Errorf("left: %v", cards())
	}
	// Of an ended subscription it may go; nothing can then be charged to it.
	s.ask("POST", "/v1/subscriptions/"+id+"/money-back", "{}", ada, withKey()).want(200, "")
	remove(second["id"], ada).want(204, "")
	s.ask("POST", "/v1/subscriptions/"+id+"/renew", "{}", ada, withKey()).want(402, "no_payment_method")
	if v := s.ask("GET", "/v1/subscriptions/"+id, "", ada).want(200, ""); v.at("payment_method") != nil {
		t.Errorf("removed, it still shows %s", v.body)
	}
}

// forgetful is a gateway that is away the first time that it is to forget a card.
type forgetful struct {
	*sandbox.Gateway
	asked atomic.Int32
}

func (g *forgetful) DetachMethod(ctx context.Context, method string) error {
	if g.asked.Add(1) == 1 {
		return errors.New("the gateway is away")
	}
	return g.Gateway.DetachMethod(ctx, method)
}

// hasty is a store whose minute is over at once.
type hasty struct {
	events.Store
	mu    sync.Mutex
	cards []string
	done  []string
}

func (h *hasty) ClaimRemovedCards(ctx context.Context, gateway string, limit int) ([]string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	claimed, err := h.Store.ClaimRemovedCards(ctx, gateway, limit)
	h.cards = append(h.cards, claimed...)
	return h.cards, err
}

func (h *hasty) CardDetached(ctx context.Context, ref string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cards, h.done = nil, append(h.done, ref)
	return h.Store.CardDetached(ctx, ref)
}

func TestARemovedCardIsForgottenByTheGatewayToo(t *testing.T) {
	g, h := &forgetful{}, &hasty{}
	s := newShop(t, func(c *parts) {
		g.Gateway, h.Store = c.gateway.(*sandbox.Gateway), c.events
		c.gateway, c.events = g, h
	})
	id := s.buy().want(201, "").text("subscription.id")
	ada := s.signIn("ada@contoso.example")
	first := s.ask("GET", "/v1/payment-methods", "", ada).want(200, "").at("data").([]any)[0].(map[string]any)["id"].(string)
	s.ask("POST", "/v1/subscriptions/"+id+"/payment-method", `{"token":"tok_visa"}`, ada, withKey()).want(200, "")
	s.ask("DELETE", "/v1/payment-methods/"+first, "", ada).want(204, "")
	stop := s.sweeping()
	s.eventually("the gateway has forgotten it", func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return len(h.done) > 0
	})
	stop()
	if n := g.asked.Load(); n != 2 || !slices.Equal(h.done, []string{first}) {
		t.Errorf("asked %d times, and %v are done", n, h.done)
	}
}
