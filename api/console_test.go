package api_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/okviz/licensing/billing"
)

// ids are those of a list's rows.
func (a answer) ids() []string {
	a.t.Helper()
	var ids []string
	list, _ := a.at("data").([]any)
	for _, row := range list {
		ids = append(ids, row.(map[string]any)["id"].(string))
	}
	return ids
}

func TestAnOperatorFindsACustomerByAPartOfTheAddress(t *testing.T) {
	s := newShop(t)
	bought := s.buy().want(201, "")
	found := s.ask("GET", "/v1/operator/search?q=ada%40cont", "", asOperator).want(200, "").at("data").([]any)
	if len(found) != 2 || found[0].(map[string]any)["kind"] != "customer" || found[1].(map[string]any)["id"] != bought.text("subscription.id") {
		t.Errorf("found %v", found)
	}
	number := s.ask("GET", "/v1/invoices/"+bought.text("invoice.id"), "", asOperator).text("number")
	if got := s.ask("GET", "/v1/operator/search?q="+number, "", asOperator).ids(); len(got) != 1 || got[0] != bought.text("invoice.id") {
		t.Errorf("%s finds %v", number, got)
	}
	s.ask("GET", "/v1/operator/search?q=a", "", asOperator).want(422, "invalid")
	s.ask("GET", "/v1/operator/search?q=ada", "", "Authorization: Bearer "+s.accountKey("ada@contoso.example")).want(403, "forbidden")
}

func TestOperatorsListWhatAnAddressHasAndNobodyElseDoes(t *testing.T) {
	s := newShop(t)
	bought := s.buy().want(201, "")
	s.buy(`billing.email="eve@other.example"`).want(201, "")
	ada := "Authorization: Bearer " + s.accountKey("ada@contoso.example")
	for _, list := range []string{"subscriptions", "invoices"} {
		got := s.ask("GET", "/v1/"+list+"?email=ADA%40contoso.example", "", asOperator).want(200, "").ids()
		want := bought.text(list[:len(list)-1] + ".id")
		if len(got) != 1 || got[0] != want {
			t.Errorf("%s of the address: %v, want %s", list, got, want)
		}
	}
	if got := s.ask("GET", "/v1/licenses?email=bea%40contoso.example", "", asOperator).want(200, "").ids(); len(got) != 2 {
		t.Errorf("the licensee of both has the licences %v", got)
	}
	for _, list := range []string{"subscriptions", "invoices", "licenses"} {
		if got := s.ask("GET", "/v1/"+list+"?email=nobody%40contoso.example", "", asOperator).want(200, "").ids(); len(got) != 0 {
			t.Errorf("%s of nobody: %v", list, got)
		}
		s.ask("GET", "/v1/"+list+"?email=eve%40other.example", "", ada).want(403, "forbidden")
	}
}

func TestANoteIsForOperatorsAlone(t *testing.T) {
	s := newShop(t)
	id := s.buy().want(201, "").text("subscription.id")
	path := "/v1/operator/subscriptions/" + id + "/notes"
	anna := s.operatorNamed("anna", "support")
	for _, text := range []string{"called", "wants another\\ninvoice"} {
		s.ask("POST", path, `{"text":"`+text+`"}`, anna).want(201, "")
	}
	list := s.ask("GET", path, "", asOperator).want(200, "").at("data").([]any)
	if len(list) != 2 || list[0].(map[string]any)["text"] != "wants another\ninvoice" || list[1].(map[string]any)["actor"] != "anna" {
		t.Errorf("notes: %v", list)
	}
	s.ask("GET", path, "", "Authorization: Bearer "+s.accountKey("ada@contoso.example")).want(403, "forbidden")
	s.ask("POST", "/v1/operator/subscriptions/sub_none/notes", `{"text":"x"}`, anna).want(404, "")
	s.ask("POST", path, `{"text":" "}`, anna).want(422, "invalid")
}

func TestAMailIsSentOnceMore(t *testing.T) {
	s := newShop(t)
	id := s.buy().want(201, "").text("subscription.id")
	s.ask("POST", "/v1/operator/mails/ntc_none/resend", "", asOperator).want(404, "")
	list := func(query string) []any {
		return s.ask("GET", "/v1/operator/mails?"+query, "", asOperator).want(200, "").at("data").([]any)
	}
	receipt := ""
	for _, m := range list("subject=" + id) {
		if row := m.(map[string]any); row["kind"] == "receipt" {
			receipt = row["id"].(string)
		}
	}
	before := len(s.mailbox.Emails())
	s.ask("POST", "/v1/operator/mails/"+receipt+"/resend", "", asOperator).want(409, "not_possible_now") // it waits
	check(t, s.temporal.steps.Notify(t.Context(), billing.SubscriptionID(id)))
	first := len(s.mailbox.Emails())
	again := s.ask("POST", "/v1/operator/mails/"+receipt+"/resend", "", asOperator).want(202, "")
	if again.text("kind") != "receipt" || again.text("id") == receipt || len(s.mailbox.Emails()) != first+1 || first == before {
		t.Errorf("sent %d, then %d, then %d mails; answered %s", before, first, len(s.mailbox.Emails()), again.body)
	}
	s.ask("POST", "/v1/operator/mails/"+receipt+"/resend", "", asOperator).want(409, "not_possible_now")
	s.ask("POST", "/v1/operator/mails/"+again.text("id")+"/resend", "", asOperator).want(202, "")
	if got := list("email=ada%40contoso.example"); len(got) < 3 {
		t.Errorf("mails of the payer: %v", got)
	}
	for _, m := range list("email=bea%40contoso.example") {
		if to := m.(map[string]any)["to"]; to != "licensee" {
			t.Errorf("the licensee has a mail to %v", to)
		}
	}
}

func TestAFreeLicenceIsGivenWithoutACustomer(t *testing.T) {
	s := newShop(t)
	until := time.Now().AddDate(0, 6, 0).UTC().Truncate(time.Second).Format(time.RFC3339)
	body := func(until string) string {
		return fmt.Sprintf(`{"product":"calendar-pro",%s,"licensee":{"name":"Press desk","email":"press@daily.example"},"until":%q,"reason":"a review"}`, plan, until)
	}
	key := withKey()
	given := s.ask("POST", "/v1/operator/comps", body(until), asOperator, key).want(201, "")
	if given.at("invoice") != nil || given.text("payment.status") != "none" || given.text("subscription.status") != "active" ||
		given.text("subscription.comp.until") != until || given.text("subscription.comp.reason") != "a review" ||
		given.at("subscription.billing_account") != nil || given.text("license.status") != "ACTIVE" || given.text("license.valid_until") != until {
		t.Errorf("given: %s", given.body)
	}
	id := given.text("subscription.id")
	if again := s.ask("POST", "/v1/operator/comps", body(until), asOperator, key).want(201, ""); again.text("subscription.id") != id {
		t.Error("the same key gives a second licence")
	}
	token := `{"v":1,"license":"` + given.text("license.id") + `","product":"calendar-pro"}`
	if code := s.ask("POST", "/v1/licenses/check", token).text("code"); code != "ACTIVE" {
		t.Errorf("a check says %s", code)
	}
	s.ask("GET", "/v1/licenses/"+given.text("license.id"), "", "Authorization: Bearer "+s.accountKey("press@daily.example")).want(200, "")
	s.ask("GET", "/v1/subscriptions/"+id, "", "Authorization: Bearer "+s.accountKey("press@daily.example")).want(404, "")
	longer := s.ask("POST", "/v1/operator/subscriptions/"+id+"/extend", `{"days":10,"reason":"they need longer"}`, asOperator, withKey()).want(200, "")
	want, err := time.Parse(time.RFC3339, until)
	check(t, err)
	if got := longer.text("subscription.comp.until"); got != want.Add(240*time.Hour).Format(time.RFC3339) {
		t.Errorf("extended until %s", got)
	}
	for _, until := range []string{time.Now().Add(-time.Hour).UTC().Format(time.RFC3339), time.Now().AddDate(3, 0, 2).UTC().Format(time.RFC3339)} {
		s.ask("POST", "/v1/operator/comps", body(until), asOperator, withKey()).want(422, "invalid")
	}
	s.ask("POST", "/v1/operator/comps", body(until), asOperator).want(400, "idempotency_key_required")
	if found := s.ask("GET", "/v1/operator/search?q=press", "", asOperator).want(200, "").ids(); len(found) != 2 {
		t.Errorf("press finds %v", found)
	}
}
