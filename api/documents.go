package api

import (
	"archive/zip"
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/delivery/words"
)

// Document is an issued invoice or credit note.
type Document struct {
	Kind           string        `json:"kind" enum:"invoice,credit_note"`
	Number         string        `json:"number"`
	IssuedAt       time.Time     `json:"issued_at"`
	Total          billing.Money `json:"total" doc:"Of a credit note: what it takes off; positive."`
	Status         *string       `json:"status" enum:"open,paid,void" doc:"Of an invoice; null: a credit note."`
	DueAt          *time.Time    `json:"due_at"`
	Description    string        `json:"description" doc:"Of its first line, or of the invoice's."`
	InvoiceID      string        `json:"invoice_id" doc:"The invoice, or that which the credit note corrects."`
	SubscriptionID string        `json:"subscription_id"`
}

// DocumentQuery narrows documents down.
type DocumentQuery struct {
	Year         int    `query:"year" minimum:"2000" maximum:"9999" doc:"Of the issue, UTC; absent: all."`
	Kind         string `query:"kind" enum:"invoice,credit_note" doc:"Absent: both."`
	Subscription string `query:"subscription" maxLength:"64" doc:"Absent: all of yours."`
}

// paper is a document with what it is written from.
type paper struct {
	Document
	invoice billing.Invoice
	note    billing.CreditNote // zero: it is the invoice itself
}

func (s *invoices) documentRoutes(h huma.API) {
	huma.Register(h, route(http.MethodGet, "/v1/documents", "list-documents", "Your issued invoices and credit notes, those of the newest invoices first", "Account", account(billing.MemberFinance)), s.listDocuments)
	huma.Register(h, route(http.MethodGet, "/v1/documents/{number}/pdf", "download-document", "An issued invoice or credit note as PDF, by its number", "Account", account(billing.MemberFinance), file("application/pdf")), s.documentPDF)
	huma.Register(h, route(http.MethodGet, "/v1/documents/archive", "download-documents", "A year's documents as PDF, in one ZIP", "Account", account(billing.MemberFinance), file("application/zip")), s.archive)
}

// papers are the caller's documents of a page of invoices, and where the next page
// begins; empty: nowhere.
func (s *invoices) papers(ctx context.Context, q DocumentQuery, before string, limit int) (list []paper, next string, err error) {
	rows, err := s.Store.Invoices(ctx, callerOf(ctx).account.ID, billing.SubscriptionID(q.Subscription), before, limit+1)
	if err != nil {
		return nil, "", err
	}
	if len(rows) > limit {
		rows = rows[:limit]
		next = string(rows[limit-1].ID)
	}
	fits := func(kind string, at time.Time) bool {
		return (q.Kind == "" || q.Kind == kind) && (q.Year == 0 || at.UTC().Year() == q.Year)
	}
	for _, inv := range rows {
		// Without a number it is a draft that became void, or another system's, whose credit
		// notes are ours.
		if inv.Number != "" && fits("invoice", inv.IssuedAt) {
			list = append(list, paper{viewDocument(reader(ctx), inv, billing.CreditNote{}), inv, billing.CreditNote{}})
		}
		notes, err := s.Store.CreditNotes(ctx, inv.ID)
		if err != nil {
			return nil, "", err
		}
		for _, n := range notes {
			if fits("credit_note", n.IssuedAt) {
				list = append(list, paper{viewDocument(reader(ctx), inv, n), inv, n})
			}
		}
	}
	return list, next, nil
}

// viewDocument is an invoice, or the credit note that corrects it.
func viewDocument(in *words.Language, inv billing.Invoice, n billing.CreditNote) Document {
	d := Document{Kind: "credit_note", Number: n.Number, IssuedAt: n.IssuedAt.UTC(), Total: n.Total(), InvoiceID: string(inv.ID), SubscriptionID: string(inv.Subscription)}
	if n.ID == "" {
		d.Kind, d.Number, d.IssuedAt, d.Total = "invoice", inv.Number, inv.IssuedAt.UTC(), inv.Total()
		d.Status, d.DueAt = text(string(inv.Status)), instant(inv.DueAt)
	}
	if len(inv.Lines) > 0 {
		d.Description = in.LineOf(inv.Lines[0])
	}
	return d
}

// documentPDF is for its account and operators; for others it is not there.
func (s *invoices) documentPDF(ctx context.Context, in *struct {
	Number string `path:"number" maxLength:"64"`
}) (*fileOutput, error) {
	inv, note, err := s.Store.NumberedDocument(ctx, in.Number)
	if c := callerOf(ctx); err == nil && !c.operator && inv.Account != c.account.ID {
		err = billing.ErrNotFound
	}
	var pdf []byte
	if err == nil {
		pdf, err = s.pdfOf(ctx, paper{invoice: inv, note: note})
	}
	if err != nil {
		return nil, s.answer(err)
	}
	return &fileOutput{"application/pdf", fmt.Sprintf("attachment; filename=%q", in.Number+".pdf"), pdf}, nil
}

func (s *invoices) listDocuments(ctx context.Context, in *struct {
	PageInput
	DocumentQuery
}) (*struct{ Body List[Document] }, error) {
	if !in.isCursor("inv") {
		return nil, invalid("cursor", "is not a cursor of this list")
	}
	out := List[Document]{Data: []Document{}}
	for next := in.Cursor; ; {
		var list []paper
		var err error
		if list, next, err = s.papers(ctx, in.DocumentQuery, next, in.Limit); err != nil {
			return nil, s.answer(err)
		}
		for _, p := range list {
			out.Data = append(out.Data, p.Document)
		}
		if out.NextCursor = text(next); next == "" || len(out.Data) >= in.Limit {
			return &struct{ Body List[Document] }{out}, nil
		}
	}
}

// archive writes each document as soon as it is made, so that a year of them is
// never held in memory. What fails half-way breaks the answer off.
func (s *invoices) archive(ctx context.Context, in *struct {
	Year int `query:"year" minimum:"2000" maximum:"9999" required:"true"`
}) (*huma.StreamResponse, error) {
	if callerOf(ctx).operator {
		return nil, problem(http.StatusForbidden, "forbidden", "an archive is of one account: an operator has none")
	}
	which := DocumentQuery{Year: in.Year}
	list, next, err := s.papers(ctx, which, "", documentsAtOnce)
	if err != nil {
		return nil, s.answer(err)
	}
	return &huma.StreamResponse{Body: func(h huma.Context) {
		h.SetHeader("Content-Type", "application/zip")
		h.SetHeader("Content-Disposition", fmt.Sprintf("attachment; filename=%q", fmt.Sprintf("documents-%d.zip", in.Year)))
		z := zip.NewWriter(h.BodyWriter())
		if err := s.packAll(ctx, z, which, list, next); err != nil {
			s.Log.Error("an archive of documents was broken off", "error", err)
			panic(http.ErrAbortHandler)
		}
		if err := z.Close(); err != nil {
			panic(http.ErrAbortHandler)
		}
	}}, nil
}

// documentsAtOnce is how many invoices are read at a time.
const documentsAtOnce = 50

// packAll adds documents to an archive, and those of the pages that come next.
func (s *invoices) packAll(ctx context.Context, z *zip.Writer, which DocumentQuery, list []paper, next string) error {
	for {
		for _, p := range list {
			if err := s.pack(ctx, z, p); err != nil {
				return err
			}
		}
		if next == "" {
			return nil
		}
		var err error
		if list, next, err = s.papers(ctx, which, next, documentsAtOnce); err != nil {
			return err
		}
	}
}

// pdfOf writes a document.
func (s *invoices) pdfOf(ctx context.Context, p paper) ([]byte, error) {
	b, err := s.Store.Snapshot(ctx, p.invoice.Subscription)
	if err != nil {
		return nil, err
	}
	to := b.Order.BilledTo(p.invoice)
	if p.note.ID != "" {
		return s.Documents.CreditNote(p.note, p.invoice, to)
	}
	return s.Documents.Invoice(p.invoice, to)
}

// pack adds a document to an archive.
func (s *invoices) pack(ctx context.Context, z *zip.Writer, p paper) error {
	pdf, err := s.pdfOf(ctx, p)
	if err != nil {
		return err
	}
	w, err := z.CreateHeader(&zip.FileHeader{Name: p.Number + ".pdf", Method: zip.Deflate, Modified: p.IssuedAt})
	if err == nil {
		_, err = w.Write(pdf)
	}
	return err
}
