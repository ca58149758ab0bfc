package moving

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/okviz/licensing/billing"
)

// Customer is a line of type customer: who pays.
type Customer struct {
	ID               string          `json:"id"`
	Name             string          `json:"name"`
	Email            string          `json:"email"`
	Company          string          `json:"company,omitempty"`
	Country          string          `json:"country"`
	VATID            string          `json:"vat_id,omitempty"`
	Address          *Address        `json:"address,omitempty"`
	Language         string          `json:"language,omitempty"`
	StandingDiscount int64           `json:"standing_discount,omitempty"` // percent
	Balances         []billing.Money `json:"balances,omitempty"`
}

// Address is a postal address.
type Address struct {
	Line1      string `json:"line1,omitempty"`
	Line2      string `json:"line2,omitempty"`
	City       string `json:"city,omitempty"`
	PostalCode string `json:"postal_code,omitempty"`
	Region     string `json:"region,omitempty"`
}

// Subscription is a line of type subscription.
type Subscription struct {
	ID                string    `json:"id"`
	Customer          string    `json:"customer"` // its id
	Licensee          *Licensee `json:"licensee,omitempty"`
	Product           string    `json:"product"`
	Plan              Plan      `json:"plan"`
	Quantity          int64     `json:"quantity,omitempty"`
	Price             Price     `json:"price"`
	Collection        string    `json:"collection,omitempty"`
	Card              *Card     `json:"card,omitempty"`
	CreatedAt         time.Time `json:"created_at,omitzero"`
	Anchor            time.Time `json:"anchor,omitzero"`
	Period            *Period   `json:"period,omitempty"`
	TrialEnd          time.Time `json:"trial_end,omitzero"`
	CancelAtPeriodEnd bool      `json:"cancel_at_period_end,omitempty"`
	License           string    `json:"license,omitempty"`
	Sites             []string  `json:"sites,omitempty"`
	Coupon            *Coupon   `json:"coupon,omitempty"`
	PurchaseOrder     string    `json:"purchase_order,omitempty"`
}

// Licensee is who has the licence.
type Licensee struct {
	Name  string `json:"name"`
	Email string `json:"email"`
}

// Plan is a plan as a customer names it.
type Plan struct {
	Type  string `json:"type"`
	Tier  string `json:"tier,omitempty"`
	Cycle string `json:"cycle"`
}

// Price is the price of one, as it was sold.
type Price struct {
	Amount   int64  `json:"amount"` // minor units
	Currency string `json:"currency"`
	Tax      string `json:"tax,omitempty"`
}

// Card is a card that the gateway keeps.
type Card struct {
	Customer  string `json:"customer"`  // the gateway's reference
	Reference string `json:"reference"` // likewise
}

// Period is a span of time.
type Period struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// Coupon is a coupon of the catalogue that was used.
type Coupon struct {
	Code         string `json:"code"`
	InvoicesLeft int64  `json:"invoices_left,omitempty"`
}

// Invoice is a line of type invoice: a paid one.
type Invoice struct {
	ID           string    `json:"id"`
	Subscription string    `json:"subscription"` // its id
	Number       string    `json:"number"`
	IssuedAt     time.Time `json:"issued_at"`
	PaidAt       time.Time `json:"paid_at,omitzero"`
	Period       Period    `json:"period"`
	Net          int64     `json:"net"`           // minor units of the subscription's currency
	Tax          int64     `json:"tax,omitempty"` // likewise
}

// Error is what is wrong with a line.
type Error struct {
	Line int    `json:"line"` // from 1
	What string `json:"what"` // without a value of the line
}

func (e Error) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.What) }

// File is a file that has been read.
type File struct {
	customers     []at[Customer]
	subscriptions []at[Subscription]
	invoices      []at[Invoice]
	errs          []Error
}

// at is a record with its line, and what was written there.
type at[T any] struct {
	line int
	text []byte
	rec  T
}

// Largest is how many bytes a line has at most.
const Largest = 64 << 10

// Read reads JSON lines. What is wrong with them, Check says.
func Read(text []byte) File {
	var f File
	for i, line := range bytes.Split(text, []byte("\n")) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if err := f.read(i+1, line); err != nil {
			f.errs = append(f.errs, Error{i + 1, err.Error()})
		}
	}
	if len(f.customers)+len(f.subscriptions)+len(f.invoices)+len(f.errs) == 0 {
		f.errs = append(f.errs, Error{1, "the file is empty"})
	}
	return f
}

func (f *File) read(n int, line []byte) error {
	if len(line) > Largest {
		return errors.New("is longer than 64 KiB")
	}
	var kind struct {
		Type string `json:"type"`
	}
	if json.Unmarshal(line, &kind) != nil {
		return errors.New("is not a JSON object with a type")
	}
	switch kind.Type {
	case "customer":
		return decode(&f.customers, n, line)
	case "subscription":
		return decode(&f.subscriptions, n, line)
	case "invoice":
		return decode(&f.invoices, n, line)
	}
	return errors.New("type: is customer, subscription or invoice")
}

// decode reads a line strictly.
func decode[T any](into *[]at[T], n int, line []byte) error {
	d := json.NewDecoder(bytes.NewReader(line))
	var fields map[string]json.RawMessage
	if err := d.Decode(&fields); err != nil {
		return errors.New("is not a JSON object")
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("has more than one object")
	}
	delete(fields, "type")
	rest, err := json.Marshal(fields)
	if err != nil {
		return errors.New("is not a JSON object")
	}
	var v T
	d = json.NewDecoder(bytes.NewReader(rest))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		return inWords(err)
	}
	*into = append(*into, at[T]{n, line, v})
	return nil
}

// inWords says what a decoder found, without the value that it found.
func inWords(err error) error {
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
		return fmt.Errorf("%s: is not of the kind that it should be", wrong.Field)
	}
	if wrong := (*time.ParseError)(nil); errors.As(err, &wrong) {
		return errors.New("an instant is not like 2026-01-31T10:00:00Z")
	}
	if field, is := strings.CutPrefix(err.Error(), "json: unknown field "); is {
		return fmt.Errorf("%s: is not a field of this type", strings.Trim(field, `"`))
	}
	return errors.New("a field is not of the kind that it should be")
}

// hash is of all that was written.
func hash(texts ...[]byte) string {
	sum := sha256.New()
	for _, t := range texts {
		sum.Write(t)
		sum.Write([]byte{'\n'})
	}
	return hex.EncodeToString(sum.Sum(nil))
}
