package words

import (
	"bytes"
	"cmp"
	"embed"
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bojanz/currency"
	"go.yaml.in/yaml/v3"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing"
)

//go:embed *.yaml
var files embed.FS

// Default is the language of customers who have chosen none.
const Default = "en"

// Language is what one language says.
type Language struct {
	Tag string `yaml:"-"` // ISO 639: en

	// Date and Minute are how a day and an instant in UTC are written, of {day},
	// {month}, {year}, and {date}, {time}.
	Date        string     `yaml:"date"`
	Minute      string     `yaml:"minute"`
	Months      [12]string `yaml:"months"`
	ShortMonths [12]string `yaml:"short_months"`

	Plan      Plan                            `yaml:"plan"`
	Line      Line                            `yaml:"line"`
	Document  Document                        `yaml:"document"`
	Movements map[billing.MovementKind]string `yaml:"movements"` // a statement's rows; %s: the document's number
	Reasons   map[string]string               `yaml:"reasons"`   // of a credit note
	Notes     map[string]string               `yaml:"notes"`     // about tax, by the rules' own words
	Countries map[string]string               `yaml:"countries"` // whose name is newer than the tables of x/text
}

// Plan are the words for a plan, of {tier}, {what}, {cycle} and {quantity}.
type Plan struct {
	Users     string                   `yaml:"users"`
	Single    string                   `yaml:"single"`
	Unlimited string                   `yaml:"unlimited"`
	Capacity  string                   `yaml:"capacity"`
	Site      string                   `yaml:"site"`
	Or        string                   `yaml:"or"` // between the two names of a capacity
	Several   string                   `yaml:"several"`
	Billed    string                   `yaml:"billed"`
	Cycle     map[billing.Cycle]string `yaml:"cycle"`
}

// Line are the words for an invoice's line, of {product}, {plan} and {line}.
type Line struct {
	Service string `yaml:"service"`
	Skipped string `yaml:"skipped"`
	Credit  string `yaml:"credit"`
	Waiver  string `yaml:"waiver"`
	Note    string `yaml:"note"` // a credit note's
}

// Document are a document's words. Those with a verb of fmt say in their comment
// what stands there.
type Document struct {
	Invoice         string `yaml:"invoice"`
	DraftInvoice    string `yaml:"draft_invoice"`
	CreditNote      string `yaml:"credit_note"`
	DraftCreditNote string `yaml:"draft_credit_note"`
	Quote           string `yaml:"quote"`
	ProForma        string `yaml:"pro_forma"`
	Statement       string `yaml:"statement"`
	Record          string `yaml:"record"` // of another system's invoice
	RecordStamp     string `yaml:"record_stamp"`
	Void            string `yaml:"void"`
	Draft           string `yaml:"draft"`
	PaidStamp       string `yaml:"paid_stamp"`

	Customer      string `yaml:"customer"`
	VATNumber     string `yaml:"vat_number"` // the number
	Issued        string `yaml:"issued"`
	Due           string `yaml:"due"`
	Paid          string `yaml:"paid"`
	ValidUntil    string `yaml:"valid_until"`
	ForInvoice    string `yaml:"for_invoice"`
	InvoiceIssued string `yaml:"invoice_issued"`
	CreditIssued  string `yaml:"credit_issued"`
	PurchaseOrder string `yaml:"purchase_order"`
	CostCenter    string `yaml:"cost_center"`
	Description   string `yaml:"description"`
	Quantity      string `yaml:"quantity"`
	Amount        string `yaml:"amount"` // the currency
	Subtotal      string `yaml:"subtotal"`
	Discount      string `yaml:"discount"`
	VAT           string `yaml:"vat"`
	Total         string `yaml:"total"`
	TotalCredit   string `yaml:"total_credit"`
	FromBalance   string `yaml:"from_balance"`
	AmountDue     string `yaml:"amount_due"`
	AmountPaid    string `yaml:"amount_paid"`
	PayByTransfer string `yaml:"pay_by_transfer"`
	Reference     string `yaml:"reference"` // the invoice's number
	PeriodToCome  string `yaml:"period_to_come"`
	Offer         string `yaml:"offer"`
	NotDue        string `yaml:"not_due"`
	Licensee      string `yaml:"licensee"`    // the name
	EachPeriod    string `yaml:"each_period"` // the amount
	Reason        string `yaml:"reason"`      // the reason
	Page          string `yaml:"page"`        // this page, of so many
	Balance       string `yaml:"balance"`     // after a statement's row: the currency
	From          string `yaml:"from"`        // of a statement
	Until         string `yaml:"until"`       // of a statement
	Opening       string `yaml:"opening"`     // of a statement
	Closing       string `yaml:"closing"`     // of a statement
	StatementNote string `yaml:"statement_note"`
}

var all = sync.OnceValue(func() map[string]*Language {
	names, err := fs.Glob(files, "*.yaml")
	if err != nil {
		panic("words: " + err.Error())
	}
	read := map[string]*Language{}
	for _, name := range names {
		source, err := files.ReadFile(name)
		l := &Language{Tag: strings.TrimSuffix(name, ".yaml")}
		if err == nil {
			d := yaml.NewDecoder(bytes.NewReader(source))
			d.KnownFields(true)
			err = d.Decode(l)
		}
		if err != nil { // it is in the binary, or the build is broken
			panic(fmt.Sprintf("words: reading %s: %v", name, err))
		}
		read[l.Tag] = l
	}
	return read
})

// Tags are the languages, the default one first.
func Tags() []string {
	var tags []string
	for tag := range all() {
		tags = append(tags, tag)
	}
	slices.SortFunc(tags, func(a, b string) int {
		return cmp.Or(btoi(b == Default)-btoi(a == Default), cmp.Compare(a, b))
	})
	return tags
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// In is a language, or the default one where there is none of that tag.
func In(tag string) *Language {
	if l, ok := all()[tag]; ok {
		return l
	}
	return all()[Default]
}

// Accepted is the language that an Accept-Language header asks for.
func Accepted(header string) string {
	wanted, _, err := language.ParseAcceptLanguage(header)
	if err != nil {
		return Default
	}
	for _, w := range wanted {
		base, _ := w.Base()
		if _, ok := all()[base.String()]; ok {
			return base.String()
		}
	}
	return Default
}

// Lacks are the texts that a language does not have and the default one has.
func (l *Language) Lacks() []string {
	var missing []string
	var look func(path string, v, model reflect.Value)
	look = func(path string, v, model reflect.Value) {
		switch model.Kind() {
		case reflect.Struct:
			for i := range model.NumField() {
				if name := model.Type().Field(i).Tag.Get("yaml"); name != "-" {
					look(path+"."+name, v.Field(i), model.Field(i))
				}
			}
		case reflect.Array:
			for i := range model.Len() {
				look(path+"."+strconv.Itoa(i), v.Index(i), model.Index(i))
			}
		case reflect.Map:
			for _, key := range model.MapKeys() {
				look(path+"."+key.String(), v.MapIndex(key), model.MapIndex(key))
			}
		case reflect.String:
			if !v.IsValid() || v.String() == "" || strings.Count(v.String(), "%") != strings.Count(model.String(), "%") {
				missing = append(missing, strings.TrimPrefix(path, "."))
			}
		default:
			panic("words: a text is not a string: " + path)
		}
	}
	look("", reflect.ValueOf(*l), reflect.ValueOf(*In(Default)))
	return missing
}

// fill puts values in the place of their names: "{tier}", "1-20".
func fill(text string, pairs ...string) string { return strings.NewReplacer(pairs...).Replace(text) }

func (l *Language) dateOf(t time.Time, months [12]string) string {
	y, m, d := t.UTC().Date()
	return fill(l.Date, "{day}", strconv.Itoa(d), "{month}", months[m-1], "{year}", strconv.Itoa(y))
}

func (l *Language) minuteOf(t time.Time, months [12]string) string {
	return fill(l.Minute, "{date}", l.dateOf(t, months), "{time}", t.UTC().Format("15:04"))
}

// Day is a date in UTC: "31 January 2026".
func (l *Language) Day(t time.Time) string { return l.dateOf(t, l.Months) }

// Instant is an instant to the minute: "31 January 2026, 10:00 UTC".
func (l *Language) Instant(t time.Time) string { return l.minuteOf(t, l.Months) }

// ShortDay is a date for a table: "31 Jan 2026".
func (l *Language) ShortDay(t time.Time) string { return l.dateOf(t, l.ShortMonths) }

// ShortInstant is an instant for a table: "31 Jan 2026, 10:00 UTC".
func (l *Language) ShortInstant(t time.Time) string { return l.minuteOf(t, l.ShortMonths) }

// Money writes an amount as the language does: "$9.90", "9,90 €".
func (l *Language) Money(m billing.Money) string {
	a, err := currency.NewAmountFromInt64(m.Amount, m.Currency)
	if err != nil {
		return m.String()
	}
	return l.Formatter().Format(a)
}

// Formatter writes amounts as the language does.
func (l *Language) Formatter() *currency.Formatter {
	return currency.NewFormatter(currency.NewLocale(l.Tag))
}

// PlanOf names a plan: "Users 1-20, billed monthly", "2 × Capacity P1 or F64,
// billed yearly". No plan has no words.
func (l *Language) PlanOf(p billing.PlanRef, quantity int64) string {
	if p.Type == "" {
		return ""
	}
	text := l.Plan.Users
	switch {
	case p.Type == licensing.Capacity:
		text = l.Plan.Capacity
	case p.Type == licensing.Site:
		text = l.Plan.Site
	case p.Tier == "Single":
		text = l.Plan.Single
	case p.Tier == "Unlimited":
		text = l.Plan.Unlimited
	}
	what := strings.TrimSpace(fill(text, "{tier}", strings.ReplaceAll(p.Tier, " or ", l.Plan.Or)))
	if quantity > 1 {
		what = fill(l.Plan.Several, "{quantity}", strconv.FormatInt(quantity, 10), "{what}", what)
	}
	if cycle := l.Plan.Cycle[p.Cycle]; cycle != "" { // others are for tests alone
		what = fill(l.Plan.Billed, "{what}", what, "{cycle}", cycle)
	}
	return what
}

// LineOf describes an invoice's line. In the default language it is the text that
// is stored with it; others are made from what was sold.
func (l *Language) LineOf(line billing.Line) string {
	if l.Tag == Default {
		return line.Description
	}
	service := fill(l.Line.Service, "{product}", line.Product, "{plan}", l.PlanOf(line.Plan, 1))
	switch {
	case line.Kind == billing.LineWaiver:
		return l.Line.Waiver
	case line.Product == "": // stored before it was kept apart
		return line.Description
	case line.Kind == billing.LineSkipped:
		return fill(l.Line.Skipped, "{product}", line.Product)
	case line.Kind == billing.LineCredit:
		return fill(l.Line.Credit, "{line}", service)
	}
	return service
}

// NoteOf describes a credit note's one line.
func (l *Language) NoteOf(line billing.Line) string {
	return fill(l.Line.Note, "{line}", l.LineOf(line))
}

// ReasonOf says why a credit was given.
func (l *Language) ReasonOf(code string) string {
	if code == "" {
		return ""
	}
	return fmt.Sprintf(l.Document.Reason, cmp.Or(l.Reasons[code], strings.ReplaceAll(code, "_", " ")+"."))
}

// MovementOf says what a statement's row is about.
func (l *Language) MovementOf(m billing.Movement) string {
	return strings.ReplaceAll(l.Movements[m.Kind], "%s", m.Document)
}

// TaxNote is a legal note of the rules.
func (l *Language) TaxNote(note string) string { return cmp.Or(l.Notes[note], note) }

// Country is the name of an ISO 3166-1 alpha-2 code, or the code.
func (l *Language) Country(code string) string {
	region, err := language.ParseRegion(code)
	if err != nil || l.Countries[code] != "" {
		return cmp.Or(l.Countries[code], code)
	}
	return cmp.Or(display.Regions(language.Make(l.Tag)).Name(region), code)
}

// DecimalSign stands before a number's fraction.
func (l *Language) DecimalSign() string {
	if written := l.Money(billing.Money{Amount: 150, Currency: "EUR"}); strings.Contains(written, "1,50") {
		return ","
	}
	return "."
}
