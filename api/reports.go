package api

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/okviz/licensing/billing"
)

const csvType = "text/csv; charset=utf-8"

// Report is a table of figures.
type Report[T any] struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	Data []T       `json:"data"`
	csv  bool      // it was asked for as CSV
}

// ContentType makes Huma send the report as it was asked for.
func (r Report[T]) ContentType(other string) string {
	if r.csv {
		return csvType
	}
	return other
}

func (r Report[T]) records() [][]string {
	columns := reflect.TypeFor[T]()
	header := make([]string, columns.NumField())
	for i := range header {
		header[i], _, _ = strings.Cut(columns.Field(i).Tag.Get("json"), ",")
	}
	records := [][]string{header}
	for _, row := range r.Data {
		record := make([]string, len(header))
		for i := range record {
			record[i] = cell(reflect.ValueOf(row).Field(i).Interface())
		}
		records = append(records, record)
	}
	return records
}

// cell is a value in CSV: an amount without its currency, which has a column.
func cell(v any) string {
	switch v := v.(type) {
	case billing.Money:
		n, _, _ := strings.Cut(v.String(), " ")
		return n
	case time.Time:
		return v.Format(time.RFC3339)
	default:
		return fmt.Sprint(v)
	}
}

// csvFormat writes reports as CSV.
var csvFormat = huma.Format{
	Marshal: func(w io.Writer, v any) error {
		table, ok := v.(interface{ records() [][]string })
		if !ok {
			return errors.New("this is no table")
		}
		return csv.NewWriter(w).WriteAll(table.records())
	},
	Unmarshal: func([]byte, any) error { return huma.ErrUnknownContentType },
}

// ReportInput says what a report is about.
type ReportInput struct {
	From     time.Time `query:"from" doc:"Absent: a year before to; of upcoming, now."`
	To       time.Time `query:"to" doc:"Absent: now; of upcoming, 90 days after from."`
	Currency string    `query:"currency" maxLength:"3" doc:"Absent: all."`
	Accept   string    `header:"Accept" doc:"text/csv: as CSV."`
}

// longestReport is the longest time that a report may be about.
const longestReport = 5 * 366 * 24 * time.Hour

// check holds a report to a time. ahead: it is about what is to come.
func (in *ReportInput) check(now time.Time, ahead bool) error {
	if ahead {
		in.From = billing.Instant(orElse(in.From, now))
		in.To = billing.Instant(orElse(in.To, in.From.AddDate(0, 0, 90)))
	} else {
		in.To = billing.Instant(orElse(in.To, now))
		in.From = billing.Instant(orElse(in.From, in.To.AddDate(-1, 0, 0)))
	}
	if !in.From.Before(in.To) || in.To.Sub(in.From) > longestReport {
		return invalid("to", "is not within five years after from")
	}
	in.Currency = strings.ToUpper(in.Currency)
	return nil
}

func orElse(t, other time.Time) time.Time {
	if t.IsZero() {
		return other
	}
	return t
}

// asCSV tells whether CSV is asked for, and not JSON before it.
func (in *ReportInput) asCSV() bool {
	for part := range strings.SplitSeq(in.Accept, ",") {
		kind, _, err := mime.ParseMediaType(strings.TrimSpace(part))
		if err == nil && (kind == "text/csv" || kind == "application/json") {
			return kind == "text/csv"
		}
	}
	return false
}

func (s *operators) reportRoutes(h huma.API) {
	all := operator(billing.OperatorRoles...)
	at := func(name, summary string) huma.Operation {
		return route(http.MethodGet, "/v1/operator/reports/"+name, "report-"+name, summary, "Operator", all)
	}
	huma.Register(h, at("mrr", "Recurring revenue at the start, at each month's first instant and at the end, by currency and product"),
		report(s, func(f *billing.Figures) []billing.MRRRow { return f.MRR() }, func(r billing.MRRRow) string { return r.Currency }))
	huma.Register(h, at("movements", "Why recurring revenue changed, by month, currency and product"),
		report(s, func(f *billing.Figures) []billing.MovementRow { return f.Movements() }, func(r billing.MovementRow) string { return r.Currency }))
	huma.Register(h, at("cohorts", "What is left of the subscriptions that were first bought in each month, and trials and their conversion"),
		report(s, func(f *billing.Figures) []billing.CohortRow { return f.Cohorts() }, func(r billing.CohortRow) string { return r.Currency }))
	huma.Register(h, at("recovery", "What became of renewals whose first payment failed, by month"),
		report(s, func(f *billing.Figures) []billing.RecoveryRow { return f.Recovery() }, func(r billing.RecoveryRow) string { return r.Currency }))
	huma.Register(h, at("upcoming", "The payments that are expected if nothing changes, the soonest first"), s.upcoming)
	for path, ops := range h.OpenAPI().Paths {
		if strings.HasPrefix(path, "/v1/operator/reports/") {
			ops.Get.Responses["200"].Content["text/csv"] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
		}
	}
}

// report makes a report of all lives.
func report[T any](s *operators, rows func(*billing.Figures) []T, currency func(T) string) func(context.Context, *ReportInput) (*struct{ Body Report[T] }, error) {
	return func(ctx context.Context, in *ReportInput) (*struct{ Body Report[T] }, error) {
		if err := in.check(s.Now(), false); err != nil {
			return nil, err
		}
		figures := billing.NewFigures(in.From, in.To)
		if err := s.Store.Lives(ctx, figures.Add); err != nil {
			return nil, s.answer(err)
		}
		return table(in, rows(figures), currency), nil
	}
}

func (s *operators) upcoming(ctx context.Context, in *ReportInput) (*struct {
	Body Report[billing.UpcomingRow]
}, error) {
	if err := in.check(s.Now(), true); err != nil {
		return nil, err
	}
	rows := []billing.UpcomingRow{}
	if err := s.Store.Upcoming(ctx, in.From, in.To, func(some []billing.UpcomingRow) { rows = append(rows, some...) }); err != nil {
		return nil, s.answer(err)
	}
	slices.SortStableFunc(rows, func(a, b billing.UpcomingRow) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Number, b.Number)) })
	return table(in, rows, func(r billing.UpcomingRow) string { return r.Currency }), nil
}

// table is a report of the rows of the currency that was asked for.
func table[T any](in *ReportInput, rows []T, currency func(T) string) *struct{ Body Report[T] } {
	rows = slices.DeleteFunc(rows, func(r T) bool { return in.Currency != "" && currency(r) != in.Currency })
	return &struct{ Body Report[T] }{Report[T]{in.From, in.To, rows, in.asCSV()}}
}
