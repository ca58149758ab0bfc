package api

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/okviz/licensing/billing"
)

const (
	vendorDocumentPath  = "/v1/operator/vendor-documents/{name}"
	vendorDocumentRoute = "/v1/operator/vendor-documents/:name" // the same, as Gin spells it
	maxVendorDocument   = 8 << 20
)

// VendorDocument is a paper of the vendor's: a tax form, a certificate, a bank's
// letter.
type VendorDocument struct {
	Name      string    `json:"name" doc:"In its address."`
	Title     string    `json:"title"`
	Size      int       `json:"size" doc:"In bytes."`
	UpdatedAt time.Time `json:"updated_at" doc:"When it was uploaded."`
}

// VendorDocumentInput names one.
type VendorDocumentInput struct {
	Name string `path:"name" maxLength:"64"`
}

var vendorDocumentName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

func (s *accounts) vendorDocumentRoutes(h huma.API) {
	huma.Register(h, route(http.MethodGet, "/v1/vendor-documents", "list-vendor-documents", "The vendor's own papers: tax forms, certificates, bank letters", "Account", account(billing.MemberFinance)), s.vendorDocuments)
	huma.Register(h, route(http.MethodGet, "/v1/vendor-documents/{name}", "download-vendor-document", "One of them, as PDF", "Account", account(billing.MemberFinance), file("application/pdf")), s.vendorDocument)
	huma.Register(h, route(http.MethodPut, vendorDocumentPath, "put-vendor-document", "Have customers download a paper of yours, in place of the earlier one", "Operator", operator(billing.OperatorFinance, billing.OperatorAdmin)), s.putVendorDocument)
	huma.Register(h, route(http.MethodDelete, vendorDocumentPath, "remove-vendor-document", "Remove a paper", "Operator", operator(billing.OperatorFinance, billing.OperatorAdmin)), s.removeVendorDocument)
}

func (s *accounts) vendorDocuments(ctx context.Context, _ *struct{}) (*struct{ Body List[VendorDocument] }, error) {
	rows, err := s.Store.VendorDocuments(ctx)
	if err != nil {
		return nil, s.answer(err)
	}
	out := List[VendorDocument]{Data: make([]VendorDocument, len(rows))}
	for i, d := range rows {
		out.Data[i] = VendorDocument(d)
	}
	return &struct{ Body List[VendorDocument] }{out}, nil
}

func (s *accounts) vendorDocument(ctx context.Context, in *VendorDocumentInput) (*fileOutput, error) {
	d, content, err := s.Store.VendorDocument(ctx, in.Name)
	if err != nil {
		return nil, s.answer(err)
	}
	return &fileOutput{"application/pdf", fmt.Sprintf("attachment; filename=%q", d.Name+".pdf"), content}, nil
}

func (s *accounts) putVendorDocument(ctx context.Context, in *struct {
	VendorDocumentInput
	Title   string `query:"title" required:"true" minLength:"1" maxLength:"200"`
	RawBody []byte `contentType:"application/pdf"`
}) (*struct{ Body VendorDocument }, error) {
	title := strings.TrimSpace(in.Title)
	switch {
	case !vendorDocumentName.MatchString(in.Name):
		return nil, invalid("name", "is not small letters and digits, with hyphens between them")
	case title == "" || !printable(title):
		return nil, invalid("title", "is empty or has control characters")
	case !bytes.HasPrefix(in.RawBody, []byte("%PDF-")):
		return nil, invalid("body", "is not a PDF file")
	}
	d, err := s.Store.PutVendorDocument(ctx, billing.VendorDocument{Name: in.Name, Title: title}, in.RawBody)
	if err != nil {
		return nil, s.answer(err)
	}
	return &struct{ Body VendorDocument }{VendorDocument(d)}, nil
}

func (s *accounts) removeVendorDocument(ctx context.Context, in *VendorDocumentInput) (*struct{}, error) {
	if err := s.Store.RemoveVendorDocument(ctx, in.Name); err != nil {
		return nil, s.answer(err)
	}
	return nil, nil
}
