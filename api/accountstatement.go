package api

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/okviz/licensing/billing"
)

// StatementRow is what has moved an account's money.
type StatementRow struct {
	At       time.Time            `json:"at"`
	Kind     billing.MovementKind `json:"kind" enum:"invoice,payment,credit_note,refund,refund_returned,chargeback,moved_in"`
	Document string               `json:"document" doc:"The number of the invoice or credit note; empty of moved_in, what another system owed."`
	Amount   billing.Money        `json:"amount" doc:"Positive: more is owed to the vendor."`
	Balance  billing.Money        `json:"balance" doc:"What is owed after it; negative: the account has it."`
}

// AccountStatement is a span of an account's movements in one currency.
type AccountStatement struct {
	Currency string         `json:"currency"`
	From     string         `json:"from" format:"date"`
	Until    string         `json:"until" format:"date"`
	Opening  billing.Money  `json:"opening" doc:"What was owed to the vendor before the first day; negative: the account had it."`
	Rows     []StatementRow `json:"rows"`
	Closing  billing.Money  `json:"closing" doc:"What is owed after the last day, likewise."`
}

// SpanInput is a span of whole days, UTC.
type SpanInput struct {
	AccountInput
	From  string `query:"from" format:"date" required:"true" doc:"Its first day."`
	Until string `query:"until" format:"date" required:"true" doc:"Its last day."`
}

// span is the span as [from, to).
func (in SpanInput) span() (from, to time.Time, err error) {
	if from, err = time.Parse(time.DateOnly, in.From); err != nil {
		return from, to, invalid("from", "is not a day")
	}
	if to, err = time.Parse(time.DateOnly, in.Until); err != nil || to.Before(from) {
		return from, to, invalid("until", "is not a day from the first one on")
	}
	return from, to.AddDate(0, 0, 1), nil
}

func (s *accounts) statementRoutes(h huma.API) {
	huma.Register(h, route(http.MethodGet, "/v1/statement", "get-statement", "What was invoiced, paid and credited in a span of days, by currency", "Account", account(billing.MemberFinance)), s.statement)
	huma.Register(h, route(http.MethodGet, "/v1/statement/pdf", "download-statement", "The same in one currency, as PDF", "Account", account(billing.MemberFinance), file("application/pdf")), s.statementPDF)
}

// ledger reads what has moved the money of the account that is meant.
func (s *accounts) ledger(ctx context.Context, in SpanInput) (a billing.Account, b billing.Ledger, from, to time.Time, err error) {
	if from, to, err = in.span(); err != nil {
		return a, b, from, to, err
	}
	if a, err = s.accountOf(ctx, in.AccountInput); err == nil {
		b, err = s.Store.Ledger(ctx, a.ID)
	}
	return a, b, from, to, err
}

func (s *accounts) statement(ctx context.Context, in *SpanInput) (*struct{ Body List[AccountStatement] }, error) {
	_, b, from, to, err := s.ledger(ctx, *in)
	if err != nil {
		return nil, s.answer(err)
	}
	out := List[AccountStatement]{Data: []AccountStatement{}}
	for _, currency := range b.Currencies() {
		st := b.Statement(currency, from, to)
		v := AccountStatement{currency, in.From, in.Until, st.Opening, make([]StatementRow, len(st.Rows)), st.Closing}
		for i, m := range st.Rows {
			v.Rows[i] = StatementRow(m)
		}
		out.Data = append(out.Data, v)
	}
	return &struct{ Body List[AccountStatement] }{out}, nil
}

func (s *accounts) statementPDF(ctx context.Context, in *struct {
	SpanInput
	Currency string `query:"currency" minLength:"3" maxLength:"3" required:"true"`
}) (*fileOutput, error) {
	a, b, from, to, err := s.ledger(ctx, in.SpanInput)
	if err != nil {
		return nil, s.answer(err)
	}
	currency := strings.ToUpper(in.Currency)
	if !billing.ValidCurrency(currency) {
		return nil, invalid("currency", "is not a currency")
	}
	p, err := s.Store.Profile(ctx, a.ID)
	if err != nil {
		return nil, s.answer(err)
	}
	payer := p.Billing
	if payer.Name == "" && payer.Company == "" {
		payer.Name = a.Email
	}
	pdf, err := s.Documents.Statement(b.Statement(currency, from, to), cmp.Or(p.Language, acceptedLanguage(ctx)), payer)
	if err != nil {
		return nil, s.answer(err)
	}
	return &fileOutput{"application/pdf", fmt.Sprintf("attachment; filename=%q", "statement-"+in.From+"-"+in.Until+"-"+currency+".pdf"), pdf}, nil
}
