package api_test

import (
	"bytes"
	"testing"
)

func TestAnInvoiceIsGivenAsPDFToWhoMaySeeIt(t *testing.T) {
	s := newShop(t)
	bought := s.buy().want(201, "")
	invoice := bought.text("invoice.id")
	file := s.ask("GET", "/v1/invoices/"+invoice+"/pdf", "", asOperator).want(200, "")
	if !bytes.HasPrefix(file.body, []byte("%PDF-")) || file.header.Get("Content-Type") != "application/pdf" ||
		file.header.Get("Content-Disposition") != `attachment; filename="`+bought.text("invoice.number")+`.pdf"` {
		t.Errorf("%d bytes with %v", len(file.body), file.header)
	}
	s.ask("GET", "/v1/invoices/"+invoice+"/pdf", "").want(401, "unauthorized")
	s.ask("GET", "/v1/invoices/inv_none/pdf", "", asOperator).want(404, "not_found")
}
