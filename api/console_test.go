package api_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing"
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

func TestReportsAreTablesAndCSV(t *testing.T) {
	s := newShop(t)
	s.buy().want(201, "")
	s.buy(`billing.email="eve@other.example"`, `currency="EUR"`, `plan={"type":"users","tier":"1-20","cycle":"yearly"}`).want(201, "")
	s.ask("POST", "/v1/operator/comps", samples["give-license"], asOperator, withKey()).want(201, "")
	from, to := time.Now().UTC().AddDate(0, 0, -1).Format(time.RFC3339), time.Now().UTC().AddDate(0, 0, 1).Format(time.RFC3339)
	report := func(name, more string) []any {
		return s.ask("GET", "/v1/operator/reports/"+name+"?from="+from+"&to="+to+more, "", asOperator).want(200, "").at("data").([]any)
	}
	last := func(rows []any) map[string]any { return rows[len(rows)-1].(map[string]any) }
	money := func(v any) string { m := v.(map[string]any); return fmt.Sprint(m["amount"], m["currency"]) }
	row := last(report("mrr", "&currency=usd"))
	if money(row["mrr"]) != "990USD" || money(row["arr"]) != "11880USD" || row["subscriptions"] != 1.0 || row["product"] != "calendar-pro" {
		t.Errorf("MRR in dollars: %v", row)
	}
	row = last(report("movements", "&currency=USD"))
	if money(row["new"]) != "990USD" && money(report("movements", "&currency=USD")[0].(map[string]any)["new"]) != "990USD" {
		t.Errorf("movements in dollars: %v", row)
	}
	if row = last(report("cohorts", "&currency=USD")); row["size"] != 1.0 || row["subscriptions"] != 1.0 {
		t.Errorf("cohorts: %v", row)
	}
	if rows := report("recovery", ""); len(rows) != 0 {
		t.Errorf("recovery: %v", rows)
	}
	coming := s.ask("GET", "/v1/operator/reports/upcoming", "", asOperator).want(200, "").at("data").([]any)
	if len(coming) < 2 || money(coming[0].(map[string]any)["amount"]) != "990USD" { // monthly, for 90 days; no free licence, no year
		t.Errorf("upcoming: %v", coming)
	}
	for _, name := range []string{"mrr", "movements", "cohorts", "recovery", "upcoming"} {
		a := s.ask("GET", "/v1/operator/reports/"+name, "", asOperator, "Accept: text/csv")
		if a.status != 200 || a.header.Get("Content-Type") != "text/csv; charset=utf-8" {
			t.Errorf("%s as CSV: %d %s %s", name, a.status, a.header.Get("Content-Type"), a.body)
			continue
		}
		records, err := csv.NewReader(bytes.NewReader(a.body)).ReadAll()
		check(t, err)
		if len(records[0]) < 6 || !slices.Contains(records[0], "currency") {
			t.Errorf("%s begins with %v", name, records[0])
		}
		if name == "mrr" && !slices.ContainsFunc(records, func(r []string) bool { return slices.Contains(r, "9.90") }) {
			t.Errorf("no row has 9.90: %v", records)
		}
	}
	s.ask("GET", "/v1/operator/reports/mrr?from="+to+"&to="+from, "", asOperator, "Accept: text/csv").want(422, "invalid")
	s.ask("GET", "/v1/operator/reports/mrr?from=1990-01-01T00:00:00Z", "", asOperator).want(422, "invalid")
	s.ask("GET", "/v1/operator/search?q=ada", "", asOperator, "Accept: text/csv").want(200, "")
}

func TestTodayListsWhatNeedsAPerson(t *testing.T) {
	s := newShop(t)
	clock := s.ask("POST", "/v1/operator/test-clocks", `{"now":"2026-01-31T10:00:00Z"}`, asOperator).want(201, "").text("id")
	late := s.buy(`payment.token="tok_later_declined"`, `test_clock="`+clock+`"`)
	if late.status == 403 { // a clock is for operators
		late = s.ask("POST", "/v1/checkout", order(`payment.token="tok_later_declined"`, `test_clock="`+clock+`"`), asOperator, withKey()).want(201, "")
	}
	s.ask("POST", "/v1/operator/test-clocks/"+clock+"/advance", `{"to":"2026-03-01T10:00:00Z"}`, asOperator).want(200, "")
	soon := time.Now().AddDate(0, 0, 7)
	key, err := s.store.PutAPIKey(t.Context(), "okv_"+strings.Repeat("9", 40), billing.APIKey{Access: "read", ExpiresAt: &soon})
	check(t, err)
	today := func() map[string][]any {
		of := map[string][]any{}
		for _, row := range s.ask("GET", "/v1/operator/today", "", asOperator).want(200, "").at("data").([]any) {
			task := row.(map[string]any)
			if of[task["kind"].(string)] = task["ids"].([]any); int(task["count"].(float64)) != len(task["ids"].([]any)) {
				t.Errorf("%v", task)
			}
		}
		return of
	}
	got := today()
	for kind, want := range map[string]string{"past_due": late.text("subscription.id"), "expiring_key": key} {
		if ids := got[kind]; len(ids) != 1 || ids[0] != want {
			t.Errorf("%s: %v, want %s", kind, ids, want)
		}
	}
	for _, kind := range []string{"gateway_rejected", "dispute", "transfer", "pending_refund", "given_up_mail", "late_step", "orphaned_build", "outdated_build"} {
		if ids, listed := got[kind]; !listed || len(ids) != 0 {
			t.Errorf("%s: %v", kind, ids)
		}
	}
	// The next key is one that no build knows.
	strange, err := licensing.GenerateKey(strings.NewReader(strings.Repeat("x", 32)))
	check(t, err)
	s.parts.keys.Next = strange
	s.assemble(s.parts)
	if ids := today()["orphaned_build"]; len(ids) == 0 {
		t.Error("a rotation would orphan no build")
	}
	s.parts.keys.Current = strange
	s.assemble(s.parts)
	if got := today(); len(got["outdated_build"]) == 0 || len(got["orphaned_build"]) != 0 {
		t.Errorf("builds without a key: %v", got)
	}
}
