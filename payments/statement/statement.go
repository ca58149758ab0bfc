package statement

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/okviz/licensing/billing"
)

// names are what banks call the columns, in lower case and letters alone.
var names = map[string]column{
	"date": dateColumn, "bookingdate": dateColumn, "bookedon": dateColumn, "buchungstag": dateColumn, "buchungsdatum": dateColumn,
	"data": dateColumn, "dataoperazione": dateColumn, "datacontabile": dateColumn,
	"amount": amountColumn, "betrag": amountColumn, "importo": amountColumn,
	"currency": currencyColumn, "währung": currencyColumn, "waehrung": currencyColumn, "divisa": currencyColumn,
	"reference": textColumn, "paymentreference": textColumn, "remittanceinformation": textColumn, "description": textColumn, "details": textColumn,
	"verwendungszweck": textColumn, "causale": textColumn, "descrizione": textColumn,
	"id": idColumn, "transactionid": idColumn, "bankid": idColumn, "bankreference": idColumn,
}

type column int

const (
	unknown column = iota
	dateColumn
	amountColumn
	currencyColumn
	textColumn
	idColumn
)

// MaxLines is the most transfers that a statement has: each is looked up and booked
// by itself.
const MaxLines = 5000

// Parse reads a statement. An error is a *billing.Error whose field names the
// line of the file, "line 7"; it repeats nothing of it.
func Parse(file []byte) ([]billing.StatementLine, error) {
	file = bytes.TrimPrefix(file, []byte("\ufeff"))
	if !utf8.Valid(file) {
		file = fromLatin1(file)
	}
	first, _, _ := bytes.Cut(file, []byte("\n"))
	r := csv.NewReader(bytes.NewReader(file))
	r.Comma = separator(string(first))
	r.TrimLeadingSpace = r.Comma != '\t'
	header, err := r.Read()
	switch {
	case errors.Is(err, io.EOF):
		return nil, wrong(1, "the file is empty")
	case err != nil:
		return nil, unreadable(err)
	}
	columns, err := read(header)
	if err != nil {
		return nil, err
	}
	lines := []billing.StatementLine{}
	for {
		record, err := r.Read()
		switch {
		case errors.Is(err, io.EOF):
			return lines, nil
		case err != nil:
			return nil, unreadable(err)
		}
		at, _ := r.FieldPos(0)
		line, err := parse(at, columns, record)
		if err != nil {
			return nil, err
		}
		if lines = append(lines, line); len(lines) > MaxLines {
			return nil, wrong(at, fmt.Sprintf("is one more than %d: split the file", MaxLines))
		}
	}
}

func fromLatin1(file []byte) []byte {
	runes := make([]rune, len(file))
	for i, b := range file {
		runes[i] = rune(b)
	}
	return []byte(string(runes))
}

// separator is the mark that the header has most of.
func separator(header string) rune {
	best := ','
	for _, mark := range ";\t" {
		if strings.Count(header, string(mark)) > strings.Count(header, string(best)) {
			best = mark
		}
	}
	return best
}

// read says what the columns are.
func read(header []string) ([]column, error) {
	columns, seen := make([]column, len(header)), map[column]bool{}
	for i, name := range header {
		c := names[strings.Map(func(r rune) rune {
			if !unicode.IsLetter(r) {
				return -1
			}
			return unicode.ToLower(r)
		}, name)]
		if c != textColumn && c != unknown && seen[c] {
			return nil, wrong(1, "names two columns that would be the date, the amount, the currency or the id")
		}
		columns[i], seen[c] = c, true
	}
	if !seen[dateColumn] || !seen[amountColumn] || !seen[currencyColumn] || !seen[textColumn] {
		return nil, wrong(1, "does not name the columns date, amount, currency and reference")
	}
	return columns, nil
}

func parse(at int, columns []column, record []string) (billing.StatementLine, error) {
	line := billing.StatementLine{Line: at}
	var amount string
	var texts []string
	for i, c := range columns {
		field := strings.TrimSpace(record[i])
		switch c {
		case dateColumn:
			var ok bool
			if line.Date, ok = parseDate(field); !ok {
				return line, wrong(at, "has no date such as 2026-02-03 or 03.02.2026")
			}
		case amountColumn:
			amount = field
		case currencyColumn:
			line.Amount.Currency = strings.ToUpper(field)
		case textColumn:
			texts = append(texts, field)
		case idColumn:
			line.ID = field
		default: // not read
		}
	}
	line.Text = strings.TrimSpace(strings.Join(texts, " "))
	if !billing.ValidCurrency(line.Amount.Currency) {
		return line, wrong(at, "has no currency such as USD")
	}
	var ok bool
	if line.Amount.Amount, ok = minorUnits(amount, line.Amount.Currency); !ok {
		return line, wrong(at, "has no amount of its currency such as 4950.00")
	}
	return line, nil
}

func parseDate(s string) (time.Time, bool) {
	for _, form := range []string{time.DateOnly, "02.01.2006"} {
		if at, err := time.Parse(form, s); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

func wrong(line int, detail string) error {
	return &billing.Error{Code: billing.CodeInvalid, Field: fmt.Sprintf("line %d", line), Detail: detail}
}

// unreadable says where the file is no CSV.
func unreadable(err error) error {
	var where *csv.ParseError
	if !errors.As(err, &where) {
		return wrong(1, "cannot be read")
	}
	if errors.Is(err, csv.ErrFieldCount) {
		return wrong(where.Line, "has more or fewer columns than the first line")
	}
	return wrong(where.StartLine, "has quotation marks where they do not belong")
}
