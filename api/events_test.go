package api_test

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestAnEventCarriesTheObjectOfTheAPIAsItWasThen(t *testing.T) {
	s := newShop(t)
	bought := s.buy().want(201, "")
	id := bought.text("subscription.id")
	ada, bea := "Authorization: Bearer "+s.accountKey("ada@contoso.example"), "Authorization: Bearer "+s.accountKey("bea@contoso.example")
	page := s.ask("GET", "/v1/events", "", ada).want(200, "")
	var events struct {
		Data []struct {
			ID, Type       string
			SubscriptionID string `json:"subscription_id"`
			Data           map[string]any
		}
	}
	check(t, json.Unmarshal(page.body, &events))
	var types []string
	objects := map[string]map[string]any{}
	for _, e := range events.Data {
		types, objects[e.Type] = append(types, e.Type), e.Data
		if e.SubscriptionID != id {
			t.Errorf("%s is of %s", e.Type, e.SubscriptionID)
		}
	}
	if want := []string{"subscription.created", "subscription.activated", "license.issued", "invoice.paid"}; !reflect.DeepEqual(types, want) {
		t.Fatalf("types: %v", types)
	}
	if got := objects["subscription.created"]["status"]; got != "incomplete" {
		t.Errorf("created %v", got)
	}
	for typ, path := range map[string]string{
		"subscription.activated": "/v1/subscriptions/" + id,
		"invoice.paid":           "/v1/invoices/" + bought.text("invoice.id"),
		"license.issued":         "/v1/licenses/" + bought.text("license.id"),
	} {
		now := s.ask("GET", path, "", ada).want(200, "").json()
		if !reflect.DeepEqual(objects[typ], now) {
			t.Errorf("%s: %v\nand %s is %v", typ, objects[typ], path, now)
		}
	}

	// Who uses the licence reads of the licence alone, and others nothing.
	if a := s.ask("GET", "/v1/events", "", bea).want(200, ""); len(a.list()) != 1 || a.list()[0]["type"] != "license.issued" {
		t.Errorf("the licensee reads %s", a.body)
	}
	s.buy(`billing.email="else@fabrikam.example"`, `licensee=null`).want(201, "")
	if a := s.ask("GET", "/v1/events?limit=100", "", ada).want(200, ""); string(a.body) != string(page.body) {
		t.Errorf("with another's order: %s", a.body)
	}
	if a := s.ask("GET", "/v1/events?email=ada@contoso.example", "", asOperator).want(200, ""); string(a.body) != string(page.body) {
		t.Errorf("an operator reads %s", a.body)
	}
}

func TestTheFeedIsReadOnFromTheLastEventThatOneHas(t *testing.T) {
	s := newShop(t)
	id := s.buy().want(201, "").text("subscription.id")
	var seen []string
	next := func(path string) string {
		a := s.ask("GET", path, "", asOperator).want(200, "")
		for _, e := range a.list() {
			seen = append(seen, e["type"].(string))
		}
		cursor, _ := a.at("next_cursor").(string)
		return cursor
	}
	cursor := next("/v1/events?email=ada@contoso.example&limit=3&type=*")
	rest := s.ask("GET", "/v1/events?email=ada@contoso.example&limit=3&after="+cursor, "", asOperator).want(200, "")
	last := rest.list()[0]["id"].(string)
	if rest.at("next_cursor") != nil {
		t.Errorf("more than there is: %s", rest.body)
	}
	if next("/v1/events?after=" + last); len(seen) != 3 {
		t.Errorf("read: %v", seen)
	}
	s.on(id, "cancel", `{}`).want(200, "")
	next("/v1/events?after=" + last + "&type=subscription.*")
	if want := []string{"subscription.created", "subscription.activated", "license.issued", "subscription.cancel_scheduled"}; !reflect.DeepEqual(seen, want) {
		t.Errorf("read: %v", seen)
	}
	s.ask("GET", "/v1/events?type=invoice.eaten", "", asOperator).want(422, "invalid")
	s.ask("GET", "/v1/events?after=evt_"+marker, "", asOperator).want(422, "invalid")
	s.ask("GET", "/v1/events", "").want(401, "unauthorized")
}

// list is the data of a list.
func (a answer) list() (list []map[string]any) {
	a.t.Helper()
	var l struct{ Data []map[string]any }
	check(a.t, json.Unmarshal(a.body, &l))
	return l.Data
}
