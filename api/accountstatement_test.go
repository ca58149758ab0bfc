package api_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestAStatementIsOfItsAccountAlone(t *testing.T) {
	s := newShop(t)
	number := s.buy().want(201, "").text("invoice.number")
	s.buy(`billing.email="dee@other.example"`, `currency="EUR"`).want(201, "")
	today := time.Now().UTC().Format(time.DateOnly)
	span := "?from=" + today + "&until=" + today
	ada, dee := s.signIn("ada@contoso.example"), s.signIn("dee@other.example")
	a := s.ask("GET", "/v1/statement"+span, "", ada).want(200, "")
	list := a.at("data").([]any)
	if len(list) != 1 {
		t.Fatalf("Ada's statement: %s", a.body)
	}
	st := list[0].(map[string]any)
	rows := st["rows"].([]any)
	told := ""
	for _, r := range rows {
		m := r.(map[string]any)
		told += fmt.Sprint(m["kind"], " ", m["document"], " ", m["amount"].(map[string]any)["amount"], "; ")
	}
	if want := "invoice " + number + " 990; payment " + number + " -990; "; told != want || st["currency"] != "USD" || fmt.Sprint(st["closing"].(map[string]any)["amount"]) != "0" {
		t.Errorf("it tells %q, want %q: %s", told, want, a.body)
	}
	if b := s.ask("GET", "/v1/statement"+span, "", dee).want(200, ""); strings.Contains(string(b.body), number) || !strings.Contains(string(b.body), "EUR") {
		t.Errorf("Dee's statement: %s", b.body)
	}
	if c := s.ask("GET", "/v1/statement"+span+"&email=ada%40contoso.example", "", asOperator).want(200, ""); string(c.body) != string(a.body) {
		t.Errorf("an operator's: %s", c.body)
	}
	if pdf := s.ask("GET", "/v1/statement/pdf"+span+"&currency=usd", "", ada).want(200, ""); !bytes.HasPrefix(pdf.body, []byte("%PDF")) {
		t.Errorf("the PDF begins with %.20q", pdf.body)
	}
	s.ask("GET", "/v1/statement"+span+"&email=ada%40contoso.example", "", dee).want(403, "forbidden")
	s.ask("GET", "/v1/statement?from=2026-02-01&until=2026-01-31", "", ada).want(422, "invalid")
	s.ask("GET", "/v1/statement"+span, "").want(401, "unauthorized")
}

func TestADocumentIsDownloadedByItsNumberByWhoseItIs(t *testing.T) {
	s := newShop(t)
	bought := s.buy().want(201, "")
	s.buy(`billing.email="dee@other.example"`).want(201, "")
	s.on(bought.text("subscription.id"), "money-back", "{}").want(200, "")
	ada, dee := s.signIn("ada@contoso.example"), s.signIn("dee@other.example")
	list := s.ask("GET", "/v1/documents", "", ada).want(200, "").at("data").([]any)
	if len(list) != 2 {
		t.Fatalf("documents: %v", list)
	}
	for _, d := range list {
		number := d.(map[string]any)["number"].(string)
		if status := d.(map[string]any)["status"]; (status == "paid") != strings.HasPrefix(number, "INV") {
			t.Errorf("%s is %v", number, status)
		}
		a := s.ask("GET", "/v1/documents/"+number+"/pdf", "", ada).want(200, "")
		if !bytes.HasPrefix(a.body, []byte("%PDF")) {
			t.Errorf("%s begins with %.20q", number, a.body)
		}
		s.ask("GET", "/v1/documents/"+number+"/pdf", "", dee).want(404, "")
		s.ask("GET", "/v1/documents/"+number+"/pdf", "", asOperator).want(200, "")
	}
}

func TestAnAccountDownloadsWhatTheVendorUploads(t *testing.T) {
	s := newShop(t)
	s.buy().want(201, "")
	ada := s.signIn("ada@contoso.example")
	const pdf, at = "Content-Type: application/pdf", "/v1/operator/vendor-documents/"
	s.ask("PUT", at+"w-9?title=W-9", "%PDF-1.7 \xff", pdf, asOperator).want(200, "")
	if a := s.ask("GET", "/v1/vendor-documents", "", ada).want(200, ""); !strings.Contains(string(a.body), `"name":"w-9","title":"W-9","size":10`) {
		t.Errorf("listed: %s", a.body)
	}
	if a := s.ask("GET", "/v1/vendor-documents/w-9", "", ada).want(200, ""); string(a.body) != "%PDF-1.7 \xff" {
		t.Errorf("downloaded: %q", a.body)
	}
	s.ask("GET", "/v1/vendor-documents", "").want(401, "unauthorized")
	s.ask("PUT", at+"w-9?title=W-9", "%PDF-1.7", pdf, ada).want(403, "forbidden")
	s.ask("PUT", at+"w-9?title=W-9", "<html>", pdf, asOperator).want(422, "invalid")
	s.ask("PUT", at+"W_9?title=W-9", "%PDF-1.7", pdf, asOperator).want(422, "invalid")
	s.ask("PUT", at+"w-9?title=W-9", "%PDF-"+strings.Repeat("x", 8<<20), pdf, asOperator).want(413, "too_large")
	s.ask("DELETE", at+"w-9", "", asOperator).want(204, "")
	s.ask("GET", "/v1/vendor-documents/w-9", "", ada).want(404, "")
}
