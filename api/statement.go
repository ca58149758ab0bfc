package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/okviz/licensing/backoffice"
	"github.com/okviz/licensing/billing"
)

const statementPath = "/v1/operator/statements"

// statementTime is how long a request may take; okviz payments import takes all
// the time that it needs.
const statementTime = 50 * time.Second

type statementOutput struct {
	Status     int
	RetryAfter string `header:"Retry-After"`
	Body       List[backoffice.StatementLine]
}

func (s *operators) importStatement(ctx context.Context, in *struct {
	CommandInput
	RawBody []byte `contentType:"text/csv"`
}) (*statementOutput, error) {
	r, err := s.request(ctx, in.CommandInput, callerOf(ctx).name(), "POST "+statementPath, "", billing.Command{})
	if err != nil {
		return nil, s.answer(err)
	}
	if r, err = s.Commands.Record(ctx, r); err != nil { // each line is a request of its own
		return nil, s.answer(err)
	}
	out := &statementOutput{Status: http.StatusOK}
	switch {
	case r.Status >= 400:
		return nil, replayed(r)
	case r.Status != 0:
		return out, json.Unmarshal([]byte(r.Response), &out.Body)
	}
	within, cancel := context.WithTimeout(ctx, statementTime)
	defer cancel()
	out.Body.Data, err = s.Office.ImportStatement(within, in.RawBody)
	var unreadable *billing.Error
	switch {
	case errors.As(err, &unreadable):
		p := s.answer(err)
		s.Commands.Keep(ctx, r, p.Status, p)
		return nil, p
	case err != nil:
		return nil, s.answer(err)
	}
	for _, l := range out.Body.Data {
		if l.Result == backoffice.LinePending {
			out.Status, out.RetryAfter = http.StatusAccepted, "2"
			return out, nil
		}
	}
	s.Commands.Keep(ctx, r, out.Status, out.Body)
	return out, nil
}

const statementLinesPath = "/v1/operator/statement-lines"

// KeptLine is a line of a bank's statement that a person must settle.
type KeptLine struct {
	ID     string        `json:"id"`
	Date   string        `json:"date" format:"date" doc:"The bank's value date."`
	Amount billing.Money `json:"amount"`
	Text   string        `json:"text" doc:"As the bank wrote it. It is forgotten when the line is settled."`
	Why    string        `json:"why" doc:"Why it was not recorded by itself."`
}

func (s *operators) statementLineRoutes(h huma.API) {
	finance := operator(billing.OperatorFinance)
	huma.Register(h, route(http.MethodGet, statementLinesPath, "list-statement-lines", "Lines of bank statements that nobody has settled, the oldest first", "Operator", finance), s.listLines)
	huma.Register(h, route(http.MethodPost, statementLinesPath+"/{id}/assign", "assign-statement-line", "Record a line for an invoice, as mark-paid does; it may be repeated", "Operator", finance), s.assignLine)
	huma.Register(h, route(http.MethodPost, statementLinesPath+"/{id}/dismiss", "dismiss-statement-line", "Say that a line is for no invoice", "Operator", finance, status(http.StatusNoContent)), s.dismissLine)
}

func (s *operators) listLines(ctx context.Context, in *struct {
	PageInput
}) (*struct{ Body List[KeptLine] }, error) {
	if !in.isCursor("stl") {
		return nil, invalid("cursor", "is not a next_cursor of this list")
	}
	lines, err := s.Store.KeptLines(ctx, in.Cursor, in.Limit+1)
	if err != nil {
		return nil, s.answer(err)
	}
	out := List[KeptLine]{Data: []KeptLine{}}
	if len(lines) > in.Limit {
		lines = lines[:in.Limit]
		out.NextCursor = &lines[in.Limit-1].ID
	}
	for _, l := range lines {
		out.Data = append(out.Data, KeptLine{l.ID, l.Date.Format(time.DateOnly), l.Amount, l.Text, l.Why})
	}
	return &struct{ Body List[KeptLine] }{out}, nil
}

type assignedOutput struct {
	Status     int
	RetryAfter string `header:"Retry-After"`
	Body       Invoice
}

// assignLine needs no key: the line is one.
func (s *operators) assignLine(ctx context.Context, in *struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Invoice string `json:"invoice" minLength:"1" maxLength:"64" doc:"Its number, or inv_…"`
	}
}) (*assignedOutput, error) {
	id := billing.InvoiceID(in.Body.Invoice)
	if byNumber, err := s.Store.InvoiceByNumber(ctx, in.Body.Invoice); err == nil {
		id = byNumber.ID
	} else if !errors.Is(err, billing.ErrNotFound) {
		return nil, s.answer(err)
	}
	done, err := s.Office.AssignLine(ctx, in.ID, id)
	if err != nil {
		return nil, s.answer(err)
	}
	inv, notes, err := s.Store.Invoice(ctx, id)
	if err != nil {
		return nil, s.answer(err)
	}
	out := &assignedOutput{Status: http.StatusOK, Body: viewInvoice(inv, notes)}
	if !done {
		out.Status, out.RetryAfter = http.StatusAccepted, "2"
	}
	return out, nil
}

func (s *operators) dismissLine(ctx context.Context, in *struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"500"`
	}
}) (*struct{}, error) {
	if err := s.Office.DismissLine(ctx, in.ID, in.Body.Reason); err != nil {
		return nil, s.answer(err)
	}
	return &struct{}{}, nil
}
