package api_test

import (
	"strings"
	"testing"

	"github.com/okviz/licensing/billing"
)

// openLines are the lines that wait for a person.
func (s *shop) openLines() []map[string]any {
	s.t.Helper()
	var list []map[string]any
	for _, l := range s.ask("GET", "/v1/operator/statement-lines", "", asOperator).want(200, "").at("data").([]any) {
		list = append(list, l.(map[string]any))
	}
	return list
}

// upload sends a statement of three lines, none of which names one invoice, and says
// what became of each.
func (s *shop) upload() string {
	s.t.Helper()
	file := "date;amount;currency;reference\n2026-02-03;4950,00;USD;Contoso without a number\n2026-02-04;10,00;USD;Rent\n2026-02-04;10,00;USD;Rent\n"
	a := s.ask("POST", "/v1/operator/statements", file, asOperator, withKey(), "Content-Type: text/csv").want(200, "")
	var results []string
	for _, l := range a.at("data").([]any) {
		results = append(results, l.(map[string]any)["result"].(string))
	}
	return strings.Join(results, " ")
}

func TestALineThatNoInvoiceIsKnownOfIsSettledByHandOnceAndNeverCountsTwice(t *testing.T) {
	s := newShop(t)
	buy := func() answer {
		return s.ask("POST", "/v1/checkout", order(byInvoice...), asOperator, withKey()).want(201, "")
	}
	first, second := buy(), buy()
	finance, support := s.operatorNamed("fred", billing.OperatorFinance), s.operatorNamed("sue", billing.OperatorSupport)
	if got := s.upload(); got != "unmatched unmatched unmatched" {
		t.Fatalf("uploaded: %s", got)
	}
	s.upload()
	open := s.openLines()
	if len(open) != 3 || open[0]["text"] != "Contoso without a number" || open[0]["why"] != "the text names no invoice" || open[0]["date"] != "2026-02-03" {
		t.Fatalf("open lines: %v", open)
	}
	for _, task := range s.ask("GET", "/v1/operator/today", "", asOperator).want(200, "").at("data").([]any) {
		if k := task.(map[string]any); k["kind"] == "statement_line" && k["count"] != 3.0 {
			t.Errorf("today: %v", k)
		}
	}
	path := func(i int, what string) string {
		return "/v1/operator/statement-lines/" + open[i]["id"].(string) + "/" + what
	}
	s.ask("POST", path(0, "assign"), `{"invoice":"`+first.text("invoice.number")+`"}`, support).want(403, "forbidden")
	s.ask("POST", path(0, "assign"), `{"invoice":"INV-1999-000001"}`, finance).want(404, "")
	for range 2 { // a repeated one is refused, and changes nothing
		if a := s.ask("POST", path(0, "assign"), `{"invoice":"`+first.text("invoice.number")+`"}`, finance); a.status == 200 && a.text("status") != "paid" {
			t.Errorf("assigned: %s", a.body)
		}
	}
	s.ask("POST", path(0, "assign"), `{"invoice":"`+second.text("invoice.id")+`"}`, finance).want(409, "not_possible_now")
	s.ask("POST", path(0, "dismiss"), `{"reason":"no"}`, finance).want(409, "not_possible_now")
	if s.ask("GET", "/v1/invoices/"+first.text("invoice.id"), "", asOperator).text("status") != "paid" || s.ask("GET", "/v1/invoices/"+second.text("invoice.id"), "", asOperator).text("status") != "open" {
		t.Error("the line has not paid the first invoice alone")
	}
	s.ask("POST", path(1, "dismiss"), `{"reason":"our own rent"}`, finance).want(204, "")
	if got := s.upload(); got != "already already unmatched" {
		t.Errorf("uploaded again: %s", got)
	}
	if open := s.openLines(); len(open) != 1 {
		t.Errorf("open lines: %v", open)
	}
	rows, err := s.store.AuditLog(t.Context(), billing.AuditSelection{Actor: "fred"}, 100)
	check(t, err)
	var said []string
	for _, r := range rows {
		said = append(said, r.Action)
	}
	if got := strings.Join(said, " "); !strings.Contains(got, "statement_line.assigned") || !strings.Contains(got, "statement_line.dismissed") {
		t.Errorf("the audit log has %s", got)
	}
	for _, l := range open[:2] {
		kept, err := s.store.KeptLine(t.Context(), l["id"].(string))
		check(t, err)
		if kept.Text != "" || kept.Settled == "" {
			t.Errorf("kept: %+v", kept)
		}
	}
}

// uploaded sends a statement of one line of 4,950.00 USD and says what became of it.
func (s *shop) uploaded(text string) string {
	s.t.Helper()
	a := s.ask("POST", "/v1/operator/statements", "date;amount;currency;reference\n2026-02-03;4950,00;USD;"+text+"\n", asOperator, withKey(), "Content-Type: text/csv").want(200, "")
	return a.at("data").([]any)[0].(map[string]any)["result"].(string)
}

func TestALineThatAnInvoiceRefusesStaysOpenHoweverOftenItIsUploaded(t *testing.T) {
	s := newShop(t)
	buy := func() answer {
		return s.ask("POST", "/v1/checkout", order(byInvoice...), asOperator, withKey()).want(201, "")
	}
	first, second := buy(), buy()
	s.ask("POST", "/v1/operator/invoices/"+first.text("invoice.id")+"/mark-paid", `{"reference":"TRF 1","amount":{"amount":495000,"currency":"USD"},"value_date":"2026-02-03"}`, asOperator, withKey()).want(200, "")
	for i := range 3 { // another transfer, as large, which names the same invoice
		if got := s.uploaded("Contoso " + first.text("invoice.number")); got != "doubtful" {
			t.Errorf("upload %d: %s", i+1, got)
		}
	}
	open := s.openLines()
	if len(open) != 1 {
		t.Fatalf("open lines: %v", open)
	}
	s.ask("POST", "/v1/operator/statement-lines/"+open[0]["id"].(string)+"/assign", `{"invoice":"`+second.text("invoice.number")+`"}`, asOperator).want(200, "")
	if got := s.ask("GET", "/v1/invoices/"+second.text("invoice.id"), "", asOperator).text("status"); got != "paid" {
		t.Errorf("the invoice that the line was assigned to is %s", got)
	}
	if got := s.uploaded("Contoso " + first.text("invoice.number")); got != "already" || len(s.openLines()) != 0 {
		t.Errorf("then: %s, open: %v", got, s.openLines())
	}
}

// A line is taken before its request is made: what stops between the two is finished
// by the next upload.
func TestALineThatWasTakenForAnInvoiceIsRecordedForItByTheNextUpload(t *testing.T) {
	s := newShop(t)
	buy := func() answer {
		return s.ask("POST", "/v1/checkout", order(byInvoice...), asOperator, withKey()).want(201, "")
	}
	first, second := buy(), buy()
	taken := func(text string, invoice answer) {
		t.Helper()
		if got := s.uploaded(text); got != "unmatched" {
			t.Fatalf("uploaded: %s", got)
		}
		_, err := s.store.TakeLine(t.Context(), s.openLines()[0]["id"].(string), billing.InvoiceID(invoice.text("invoice.id")))
		check(t, err)
	}
	taken("Contoso", first)
	if got := s.uploaded("Contoso"); got != "paid" {
		t.Errorf("uploaded again: %s", got)
	}
	if got := s.ask("GET", "/v1/invoices/"+first.text("invoice.id"), "", asOperator).text("status"); got != "paid" {
		t.Errorf("the invoice is %s", got)
	}
	if got := s.uploaded("Contoso"); got != "already" || len(s.openLines()) != 0 {
		t.Errorf("once more: %s, open: %v", got, s.openLines())
	}
	s.ask("POST", "/v1/operator/invoices/"+second.text("invoice.id")+"/mark-paid", `{"reference":"TRF 2","amount":{"amount":495000,"currency":"USD"},"value_date":"2026-02-03"}`, asOperator, withKey()).want(200, "")
	taken("Fabrikam", second)
	if got := s.uploaded("Fabrikam"); got != "doubtful" { // the invoice refuses it
		t.Errorf("refused: %s", got)
	}
	s.ask("POST", "/v1/operator/statement-lines/"+s.openLines()[0]["id"].(string)+"/dismiss", `{"reason":"given back"}`, asOperator).want(204, "")
}
