package moving

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bojanz/currency"

	"github.com/okviz/licensing/billing"
)

// Sold says what a plan of another system is here.
type Sold struct {
	Product string `json:"product"`
	Tax     string `json:"tax"` // of its price there: exclusive or inclusive; empty: as here
	Plan
}

// export is how a system exports its subscriptions: the columns that it has for
// ours, the likeliest first, and what its words mean.
type export struct {
	columns  map[string][]string
	required []string
	status   map[string]string // to active, trialing or canceling; all others are left out
	fix      func(row map[string]string)
}

// exports are those that are known, by name.
var exports = map[string]export{
	"stripe": {
		columns: map[string][]string{
			"id": {"id", "Subscription ID"}, "customer": {"Customer ID"}, "email": {"Customer Email"}, "name": {"Customer Name", "Customer Description"},
			"company": {"Customer Business Name"}, "country": {"Customer Address Country", "Customer Country"}, "vat_id": {"Customer Tax ID"},
			"plan": {"Price ID", "Plan"}, "quantity": {"Quantity"}, "currency": {"Currency"}, "price": {"Amount"},
			"status": {"Status"}, "created": {"Created (UTC)"}, "anchor": {"Billing Cycle Anchor (UTC)", "Start Date (UTC)", "Start (UTC)"},
			"start": {"Current Period Start (UTC)"}, "end": {"Current Period End (UTC)"}, "trial_end": {"Trial End (UTC)"},
			"canceling": {"Cancel At Period End"}, "coupon": {"Coupon"}, "card": {"Default Payment Method"}, "collection": {"Collection Method"},
		},
		required: []string{"id", "customer", "email", "plan", "currency", "price", "status", "start", "end"},
		status:   map[string]string{"active": "active", "trialing": "trialing"},
		fix: func(row map[string]string) {
			row["gateway_customer"] = row["customer"]
			if row["collection"] != "send_invoice" {
				row["collection"] = ""
			} else {
				row["collection"] = "invoice"
			}
		},
	},
	"woocommerce": {
		columns: map[string][]string{
			"id": {"subscription_id"}, "customer": {"customer_id"}, "email": {"billing_email", "customer_email"}, "first": {"billing_first_name"}, "last": {"billing_last_name"},
			"company": {"billing_company"}, "country": {"billing_country"}, "line1": {"billing_address_1"}, "line2": {"billing_address_2"}, "city": {"billing_city"},
			"postal": {"billing_postcode"}, "region": {"billing_state"}, "items": {"order_items"}, "currency": {"order_currency"},
			"status": {"subscription_status"}, "created": {"start_date"}, "anchor": {"start_date"}, "start": {"last_payment_date"}, "end": {"next_payment_date"},
			"ends": {"end_date"}, "trial_end": {"trial_end_date"}, "method": {"payment_method"}, "meta": {"payment_method_post_meta"},
		},
		required: []string{"id", "customer", "email", "items", "currency", "status", "created"},
		status:   map[string]string{"active": "active", "pending-cancel": "canceling"},
		fix:      fixWooCommerce,
	},
}

// fixWooCommerce reads the columns that hold several values.
func fixWooCommerce(row map[string]string) {
	row["status"] = strings.TrimPrefix(row["status"], "wc-")
	row["name"] = strings.TrimSpace(row["first"] + " " + row["last"])
	if row["status"] == "pending-cancel" {
		row["end"] = row["ends"]
	}
	items := strings.Split(row["items"], ";")
	if len(items) > 1 {
		row["wrong"] = "order_items: has several items; a subscription here is of one"
	}
	item := values(items[0], "|")
	row["plan"] = cmp.Or(item["variation_id"], item["product_id"], item["name"])
	row["quantity"], row["total"] = item["quantity"], item["total"]
	meta := values(row["meta"], "|")
	row["gateway_customer"], row["card"] = meta["_stripe_customer_id"], meta["_stripe_source_id"]
	if row["method"] == "bacs" {
		row["collection"] = "invoice"
	}
}

// values reads "key:value" pairs.
func values(text, between string) map[string]string {
	m := map[string]string{}
	for pair := range strings.SplitSeq(text, between) {
		key, value, _ := strings.Cut(pair, ":")
		m[strings.TrimSpace(key)] = strings.TrimSpace(value)
	}
	return m
}

// Exports are the names of the systems whose exports Convert knows.
func Exports() []string { return []string{"stripe", "woocommerce"} }

// Convert makes JSON lines of another system's export, a CSV file with a line for
// each subscription. plans says what its plans are here. What is over there, or is
// not paid, is left out and named in left; what cannot be read, in wrong.
func Convert(from string, file []byte, plans map[string]Sold) (lines []byte, left, wrong []Error) {
	x, known := exports[from]
	if !known {
		return nil, nil, []Error{{1, "the export is of " + strings.Join(Exports(), " or ")}}
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(file, []byte("\ufeff"))))
	head, err := r.Read()
	if err != nil {
		return nil, nil, []Error{{1, "is not a CSV file with a line of names"}}
	}
	column := map[string]int{}
	for ours, names := range x.columns {
		for _, name := range slices.Backward(names) {
			if i := slices.IndexFunc(head, func(h string) bool { return strings.EqualFold(strings.TrimSpace(h), name) }); i >= 0 {
				column[ours] = i
			}
		}
	}
	for _, ours := range x.required {
		if _, there := column[ours]; !there {
			wrong = append(wrong, Error{1, "has no column " + strings.Join(x.columns[ours], " or ")})
		}
	}
	if len(wrong) > 0 {
		return nil, nil, wrong
	}
	var out bytes.Buffer
	written := map[string]bool{}
	for {
		cells, err := r.Read()
		if cells == nil && err != nil {
			if n := 0; !errors.Is(err, io.EOF) {
				n, _ = r.FieldPos(0)
				wrong = append(wrong, Error{max(1, n), "is not a line of a CSV file"})
			}
			return out.Bytes(), left, wrong
		}
		n, _ := r.FieldPos(0)
		if err != nil {
			wrong = append(wrong, Error{n, "has another number of columns than the first line"})
			continue
		}
		row := map[string]string{}
		for ours, i := range column {
			row[ours] = strings.TrimSpace(cells[i])
		}
		x.fix(row)
		if x.status[row["status"]] == "" {
			left = append(left, Error{n, "is neither active nor in a trial there"})
			continue
		}
		customer, sub, err := convert(row, x.status[row["status"]], plans)
		if err != nil {
			wrong = append(wrong, Error{n, err.Error()})
			continue
		}
		if !written[customer.ID] {
			written[customer.ID] = true
			write(&out, "customer", customer)
		}
		write(&out, "subscription", sub)
	}
}

func write(out *bytes.Buffer, kind string, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // texts, numbers and instants
	}
	fmt.Fprintf(out, `{"type":%q,%s`+"\n", kind, text[1:])
}

// convert makes a customer and a subscription of a line.
func convert(row map[string]string, status string, plans map[string]Sold) (Customer, Subscription, error) {
	if row["wrong"] != "" {
		return Customer{}, Subscription{}, errors.New(row["wrong"])
	}
	c := Customer{
		ID: row["customer"], Name: cmp.Or(row["name"], row["company"], row["email"]), Email: row["email"], Company: row["company"],
		Country: strings.ToUpper(row["country"]), VATID: row["vat_id"],
	}
	if a := (Address{row["line1"], row["line2"], row["city"], row["postal"], row["region"]}); a != (Address{}) {
		c.Address = &a
	}
	s := Subscription{ID: row["id"], Customer: c.ID, Collection: row["collection"], CancelAtPeriodEnd: status == "canceling" || strings.EqualFold(row["canceling"], "true")}
	sold, known := plans[row["plan"]]
	if !known {
		return c, s, errors.New("plan: is not in the file of plans")
	}
	s.Product, s.Plan, s.Price.Tax = sold.Product, sold.Plan, sold.Tax
	var err error
	if row["quantity"] != "" {
		if s.Quantity, err = strconv.ParseInt(row["quantity"], 10, 64); err != nil || s.Quantity < 1 {
			return c, s, errors.New("quantity: is not a number above 0")
		}
	}
	s.Price.Currency = strings.ToUpper(row["currency"])
	amount, right := minorUnits(cmp.Or(row["price"], row["total"]), s.Price.Currency)
	if row["price"] == "" && s.Quantity > 1 { // a line's total
		right = right && amount%s.Quantity == 0
		amount /= s.Quantity
	}
	if !right {
		return c, s, errors.New("price: is not an amount of its currency, with a point before the minor unit, that the quantity divides")
	}
	s.Price.Amount = amount
	if row["coupon"] != "" {
		return c, s, errors.New("coupon: its terms are not in the export; write this line by hand")
	}
	if row["card"] != "" && row["gateway_customer"] != "" {
		s.Card = &Card{Customer: row["gateway_customer"], Reference: row["card"]}
	}
	return c, s, s.convertTimes(row, status)
}

// convertTimes reads the running period. Where its end is a boundary that is counted from
// the start of all, later ones are, too.
func (s *Subscription) convertTimes(row map[string]string, status string) error {
	at := map[string]time.Time{}
	for _, name := range []string{"created", "anchor", "start", "end", "trial_end"} {
		t, err := readTime(row[name])
		if err != nil {
			return fmt.Errorf("%s: is not an instant like 2026-01-31 10:00:00", name)
		}
		at[name] = t
	}
	s.CreatedAt = at["created"]
	if status == "trialing" || status == "active" && row["trial_end"] != "" && at["trial_end"].Equal(at["end"]) {
		s.TrialEnd = at["trial_end"]
		s.CreatedAt = earlier(at["created"], at["start"])
		return nil
	}
	cycle := billing.Cycle(s.Plan.Cycle)
	if at["end"].IsZero() || !cycle.Valid() {
		return errors.New("end: the running period has none, or the plan's cycle is not known")
	}
	start := at["start"]
	if start.IsZero() {
		start = at["created"]
	}
	s.Period = &Period{start, at["end"]}
	if a := at["anchor"]; !a.IsZero() && !a.After(at["end"]) {
		if next, _ := billing.PeriodAt(a, cycle, at["end"]); next.Start.Equal(at["end"]) {
			s.Anchor = a
		}
	}
	return nil
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// readTime reads an instant in UTC; "0" and nothing are none.
func readTime(text string) (time.Time, error) {
	if text == "" || text == "0" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05", "2006-01-02 15:04"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, errors.New("no instant")
}

// minorUnits reads an amount that is written with a point before its minor unit.
func minorUnits(text, code string) (int64, bool) {
	digits, known := currency.GetDigits(code)
	whole, rest, _ := strings.Cut(text, ".")
	if !known || len(whole) > 12 || strings.Trim(whole+rest, "0123456789") != "" || whole == "" {
		return 0, false
	}
	if d := int(digits); len(rest) > d {
		if strings.Trim(rest[d:], "0") != "" {
			return 0, false
		}
		rest = rest[:d]
	}
	n, err := strconv.ParseInt(whole+rest+strings.Repeat("0", int(digits)-len(rest)), 10, 64)
	return n, err == nil
}
