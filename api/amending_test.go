package api_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/okviz/licensing/backoffice"
	"github.com/okviz/licensing/billing"
)

func TestAChangeCanWaitForThePeriodsEnd(t *testing.T) {
	s := newShop(t)
	s.buy(`billing.email="dee@other.example"`).want(201, "")
	id := s.buy().want(201, "").text("subscription.id")
	p := s.on(id, "change/preview", `{`+plan+`,"when":"period_end","sites":[],"expected_amount_due":1}`).want(200, "")
	if p.text("new_period.start") != s.ask("GET", "/v1/subscriptions/"+id, "", asOperator).text("current_period.end") || fmt.Sprint(p.at("credit.amount")) != "0" {
		t.Errorf("the preview is %s", p.body)
	}
	s.on(id, "change", `{`+plan+`,"when":"period_end","sites":["a.example"]}`).want(422, "invalid")
	s.on(id, "change", `{`+plan+`,"when":"later"}`).want(422, "invalid")
	a := s.on(id, "change", `{`+plan+`,"when":"period_end","expected_amount_due":`+fmt.Sprint(p.at("amount_due.amount"))+`}`).want(200, "")
	if a.text("subscription.plan.tier") != "1-20" || a.text("subscription.scheduled_change.plan.tier") != "21-50" ||
		a.text("subscription.scheduled_change.at") != a.text("subscription.current_period.end") || a.at("invoice") != nil {
		t.Errorf("scheduled: %s", a.body)
	}
	if got := fmt.Sprint(a.at("subscription.actions")); got != `[change scheduled-change cancel renew payment-method money-back]` {
		t.Errorf("actions: %s", got)
	}
	s.ask("DELETE", "/v1/subscriptions/"+id+"/scheduled-change", "", s.signIn("dee@other.example")).want(404, "")
	if a := s.ask("DELETE", "/v1/subscriptions/"+id+"/scheduled-change", "", s.signIn("ada@contoso.example")).want(200, ""); a.at("subscription.scheduled_change") != nil {
		t.Errorf("withdrawn: %s", a.body)
	}
	s.ask("DELETE", "/v1/subscriptions/"+id+"/scheduled-change", "", asOperator).want(409, "not_possible_now")
}

func TestBillingDetailsCountForTheNextDocumentAndChangeNoOther(t *testing.T) {
	s := newShop(t)
	s.buy(`billing.email="dee@other.example"`).want(201, "")
	bought := s.buy(`billing.country="US"`, `billing.company="Old Name Ltd"`).want(201, "")
	id, invoice := bought.text("subscription.id"), bought.text("invoice.id")
	ada := s.signIn("ada@contoso.example")
	const details = `{"name":"Ada Rossi","company":"New Name SpA","country":"IT","address":{"line1":"Via Roma 1","city":"Roma"},"cc":["books@contoso.example"],"purchase_order":"PO 4711","language":"it"}`
	at := "/v1/subscriptions/" + id + "/billing-details"
	p := s.ask("POST", at+"/preview", details, ada).want(200, "")
	if fmt.Sprint(p.at("subtotal.amount")) != "990" || fmt.Sprint(p.at("tax.amount")) != "218" || fmt.Sprint(p.at("total.amount")) != "1208" { // 22 % of 9.90
		t.Errorf("the preview is %s", p.body)
	}
	a := s.ask("PUT", at, details, ada).want(200, "")
	if a.text("subscription.purchase_order") != "PO 4711" || a.text("subscription.language") != "it" {
		t.Errorf("amended: %s", a.body)
	}
	s.ask("PUT", at, details, ada).want(200, "") // again
	if b := s.ask("GET", at, "", ada).want(200, ""); b.text("company") != "New Name SpA" || b.text("purchase_order") != "PO 4711" || fmt.Sprint(b.at("cc")) != `[books@contoso.example]` {
		t.Errorf("the details are %s", b.body)
	}
	b, err := s.store.Snapshot(t.Context(), billing.SubscriptionID(id))
	check(t, err)
	inv, _, err := s.store.Invoice(t.Context(), billing.InvoiceID(invoice))
	check(t, err)
	if old := b.Order.BilledTo(inv); old.Company != "Old Name Ltd" || old.PurchaseOrder != "" || old.Country != "US" || inv.Language != "" {
		t.Errorf("the issued invoice is addressed to %+v, in %q", old, inv.Language)
	}
	renewed := s.on(id, "renew", "{}").want(200, "")
	if fmt.Sprint(renewed.at("invoice.tax.amount")) != "218" {
		t.Errorf("renewed: %s", renewed.body)
	}
	inv, _, err = s.store.Invoice(t.Context(), billing.InvoiceID(renewed.text("invoice.id")))
	check(t, err)
	if next := b.Order.BilledTo(inv); next.Company != "New Name SpA" || next.Email != "ada@contoso.example" || inv.Language != "it" {
		t.Errorf("the next invoice is addressed to %+v, in %q", next, inv.Language)
	}
	for _, who := range []string{s.signIn("bea@contoso.example"), s.signIn("dee@other.example")} { // the licensee, and a stranger
		s.ask("GET", at, "", who).want(404, "")
		s.ask("PUT", at, details, who).want(404, "")
	}
	s.ask("PUT", at, strings.Replace(details, `"books@contoso.example"`, `"no address"`, 1), ada).want(422, "invalid")
	s.ask("PUT", at, strings.Replace(details, `"country":"IT"`, `"country":"IT","vat_id":"IT123"`, 1), ada).want(422, "invalid_vat_id")
}

func TestALicenceIsHandedOverUnderItsId(t *testing.T) {
	s := newShop(t)
	bought := s.buy(`licensee={"name":"Bea Bianchi","email":"bea@contoso.example"}`).want(201, "")
	id := bought.text("license.id")
	ada, bea := s.signIn("ada@contoso.example"), s.signIn("bea@contoso.example")
	s.ask("GET", "/v1/licenses/"+id, "", bea).want(200, "")
	const to = `{"name":"Cy Corti","email":"cy@contoso.example"}`
	s.ask("PUT", "/v1/licenses/"+id+"/licensee", to, bea).want(404, "") // gives no commands
	l := s.ask("PUT", "/v1/licenses/"+id+"/licensee", to, ada).want(200, "")
	if l.text("id") != id || l.text("licensee") != "Cy Corti <cy@contoso.example>" || l.text("status") != "ACTIVE" {
		t.Errorf("handed over: %s", l.body)
	}
	s.ask("GET", "/v1/licenses/"+id, "", bea).want(404, "")
	s.ask("GET", "/v1/licenses/"+id+"/download", "", bea).want(404, "")
	s.ask("GET", "/v1/licenses/"+id+"/download", "", s.signIn("cy@contoso.example")).want(200, "")
	s.ask("PUT", "/v1/licenses/"+id+"/licensee", to, ada).want(200, "") // again
	s.ask("PUT", "/v1/licenses/"+id+"/licensee", `{"name":"Cy","email":"cy"}`, ada).want(422, "invalid")
}

func TestAnOperatorMovesASubscriptionToAnotherCustomer(t *testing.T) {
	s := newShop(t)
	bought := s.buy().want(201, "")
	id := bought.text("subscription.id")
	ada := s.signIn("ada@contoso.example")
	s.ask("POST", "/v1/operator/subscriptions/"+id+"/transfer", `{"email":"dee@other.example"}`, ada, withKey()).want(403, "")
	a := s.ask("POST", "/v1/operator/subscriptions/"+id+"/transfer", `{"email":"dee@other.example"}`, asOperator, withKey()).want(200, "")
	if a.text("subscription.billing_account") != "dee@other.example" || a.at("subscription.payment_method") != nil {
		t.Errorf("moved: %s", a.body)
	}
	dee := s.signIn("dee@other.example")
	s.ask("GET", "/v1/subscriptions/"+id, "", ada).want(404, "")
	s.ask("GET", "/v1/subscriptions/"+id, "", dee).want(200, "")
	s.ask("GET", "/v1/invoices/"+bought.text("invoice.id"), "", ada).want(200, "") // what was issued stays hers
	s.ask("GET", "/v1/invoices/"+bought.text("invoice.id"), "", dee).want(404, "")
	s.ask("POST", "/v1/subscriptions/"+id+"/renew", `{}`, dee, withKey()).want(402, "no_payment_method")
	audit := s.ask("GET", "/v1/operator/audit?subject="+id, "", asOperator).want(200, "")
	if !strings.Contains(string(audit.body), "subscription.transfer") || strings.Contains(string(audit.body), "dee@") {
		t.Errorf("the audit log says %s", audit.body)
	}
	s.ask("POST", "/v1/operator/subscriptions/"+id+"/transfer", `{"email":"dee@other.example"}`, asOperator, withKey()).want(409, "no_change")
}

func TestAYearsDocumentsAreListedAndInOneArchive(t *testing.T) {
	s := newShop(t)
	bought := s.buy().want(201, "")
	s.buy(`billing.email="dee@other.example"`).want(201, "")
	s.on(bought.text("subscription.id"), "money-back", "{}").want(200, "")
	ada := s.signIn("ada@contoso.example")
	year := bought.text("invoice.issued_at")[:4]
	all := s.ask("GET", "/v1/documents?year="+year, "", ada).want(200, "")
	if n := len(all.at("data").([]any)); n != 2 {
		t.Errorf("%d documents: %s", n, all.body)
	}
	notes := s.ask("GET", "/v1/documents?kind=credit_note&subscription="+bought.text("subscription.id"), "", ada).want(200, "")
	if n := len(notes.at("data").([]any)); n != 1 || !strings.Contains(string(notes.body), "CN-"+year) {
		t.Errorf("credit notes: %s", notes.body)
	}
	if other := s.ask("GET", "/v1/documents?year=2001", "", ada).want(200, ""); len(other.at("data").([]any)) != 0 {
		t.Errorf("another year: %s", other.body)
	}
	a := s.ask("GET", "/v1/documents/archive?year="+year, "", ada).want(200, "")
	z, err := zip.NewReader(bytes.NewReader(a.body), int64(len(a.body)))
	check(t, err)
	if len(z.File) != 2 || z.File[0].Name != bought.text("invoice.number")+".pdf" || !strings.HasPrefix(z.File[1].Name, "CN-") {
		t.Errorf("%d files of %s", len(z.File), year)
	}
	s.ask("GET", "/v1/documents/archive?year="+year, "", asOperator).want(403, "forbidden")
	s.ask("POST", "/v1/quotes", quoted(), withKey()).want(201, "")
	if q := s.ask("GET", "/v1/quotes", "", ada).want(200, ""); len(q.at("data").([]any)) != 1 {
		t.Errorf("quotes: %s", q.body)
	}
	if q := s.ask("GET", "/v1/quotes", "", s.signIn("dee@other.example")).want(200, ""); len(q.at("data").([]any)) != 0 {
		t.Errorf("another's quotes: %s", q.body)
	}
}

// The former invoice is history, and the credit note that corrects it is of our own series.
func TestACreditNoteOfAFormerInvoiceIsListedAndInTheYearsArchive(t *testing.T) {
	s := newShop(t)
	start, end := time.Now().UTC().AddDate(0, 0, -10).Format(time.RFC3339), time.Now().UTC().AddDate(0, 0, 20).Format(time.RFC3339)
	period := fmt.Sprintf(`{"start":%q,"end":%q}`, start, end)
	file := `{"type":"customer","id":"c1","name":"Ada Rossi","email":"ada@contoso.example","country":"US"}
{"type":"subscription","id":"s1","customer":"c1","product":"calendar-pro","plan":{"type":"users","tier":"1-20","cycle":"monthly"},"price":{"amount":900,"currency":"USD"},"period":` + period + `}
{"type":"invoice","id":"i1","subscription":"s1","number":"OLD-1","issued_at":"` + start + `","period":` + period + `,"net":900}`
	done, err := s.parts.Office.Import(t.Context(), []byte(file), backoffice.ImportOptions{}, func(int, int) {})
	if err != nil || len(done.Charges) != 1 {
		t.Fatalf("%v: %+v", err, done)
	}
	s.ask("POST", "/v1/operator/subscriptions/"+string(done.Charges[0].Subscription)+"/cancel-now", `{"refund":"prorated"}`, asOperator, withKey()).want(200, "")
	ada, year := s.signIn("ada@contoso.example"), time.Now().UTC().Format("2006")
	list := s.ask("GET", "/v1/documents?year="+year, "", ada).want(200, "")
	if n := len(list.at("data").([]any)); n != 1 || !strings.Contains(string(list.body), `"CN-`+year+`-000001"`) {
		t.Errorf("%d documents: %s", n, list.body)
	}
	a := s.ask("GET", "/v1/documents/archive?year="+year, "", ada).want(200, "")
	z, err := zip.NewReader(bytes.NewReader(a.body), int64(len(a.body)))
	check(t, err)
	if len(z.File) != 1 || z.File[0].Name != "CN-"+year+"-000001.pdf" {
		t.Errorf("%d files", len(z.File))
	}
}
