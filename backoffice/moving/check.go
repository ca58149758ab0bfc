package moving

import (
	"cmp"
	"fmt"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/delivery/words"
	"github.com/okviz/licensing/licensing"
)

// World is what a file is held to.
type World struct {
	Products []billing.Product
	Coupons  []billing.Coupon
	Now      time.Time       // the test clock's, where the subscriptions are to be on one
	AsOf     time.Time       // until when the other system has charged what was due
	Before   map[string]bool // the subscriptions, by their ids there, that were moved in before: their times may be over
	Clock    string          // its id; empty: none
	Mail     bool            // the licensees are to be mailed their licences
	NewID    func(prefix string) string
}

// Planned is a customer with all that it has. Nothing of it has been written.
type Planned struct {
	Line          int
	Account       billing.MovedAccount
	Language      string
	Subscriptions []PlannedSubscription
}

// PlannedSubscription is a subscription that is to be moved in.
type PlannedSubscription struct {
	billing.MovedIn
	Line     int
	Card     *Card
	Warnings []string
}

// Check holds a whole file to the catalogue and to itself. It returns what is to be
// done, or everything that is wrong, by line.
func (f File) Check(w World) ([]Planned, []Error) {
	c := checking{World: w, errs: slices.Clone(f.errs), customers: map[string]int{}, subscriptions: map[string]*at[Subscription]{}, seen: map[string]bool{}, invoices: map[string][]at[Invoice]{}}
	c.Now, c.AsOf = billing.Instant(w.Now), billing.Instant(w.AsOf)
	var plan []Planned
	for _, r := range f.customers {
		c.line = r.line
		if !c.id("customer", r.rec.ID) {
			continue
		}
		c.customers[r.rec.ID] = len(plan)
		plan = append(plan, c.customer(r))
	}
	for i, r := range f.subscriptions {
		c.line = r.line
		if c.id("subscription", r.rec.ID) {
			c.subscriptions[r.rec.ID] = &f.subscriptions[i]
		}
	}
	for _, r := range f.invoices {
		c.line = r.line
		c.invoice(r)
	}
	for _, r := range f.subscriptions {
		c.line = r.line
		if c.subscriptions[r.rec.ID] == nil || c.subscriptions[r.rec.ID].line != r.line {
			continue
		}
		i, known := c.customers[r.rec.Customer]
		if !known {
			c.wrong("customer: the file has no customer of this id")
			continue
		}
		plan[i].Subscriptions = append(plan[i].Subscriptions, c.subscription(r, plan[i]))
	}
	slices.SortStableFunc(c.errs, func(a, b Error) int { return cmp.Compare(a.Line, b.Line) })
	return plan, c.errs
}

type checking struct {
	World
	line          int
	errs          []Error
	customers     map[string]int
	subscriptions map[string]*at[Subscription]
	invoices      map[string][]at[Invoice] // by subscription
	seen          map[string]bool          // ids, by what they are of
}

func (c *checking) wrong(format string, args ...any) {
	c.errs = append(c.errs, Error{c.line, fmt.Sprintf(format, args...)})
}

// must says what is wrong with a field, unless it is right.
func (c *checking) must(right bool, field, what string) {
	if !right {
		c.wrong("%s: %s", field, what)
	}
}

var visible = regexp.MustCompile(`^[!-~]{1,100}$`)

// id tells whether an id can be one, and is the first of its kind.
func (c *checking) id(kind, id string) bool {
	if !visible.MatchString(id) {
		c.wrong("id: is 1 to 100 visible characters")
		return false
	}
	if c.seen[kind+" "+id] {
		c.wrong("id: another %s of the file has it", kind)
		return false
	}
	c.seen[kind+" "+id] = true
	return true
}

// text is a text of so many letters at most.
func (c *checking) text(field, s string, most int, needed bool) string {
	s = strings.TrimSpace(s)
	c.must(s != "" || !needed, field, "is missing")
	c.must(utf8.RuneCountInString(s) <= most && !strings.ContainsAny(s, "\r\n\x00"), field, fmt.Sprintf("is one line of at most %d letters", most))
	return s
}

func (c *checking) email(field, s string) string {
	s = strings.TrimSpace(s)
	a, err := mail.ParseAddress(s)
	c.must(err == nil && a.Address == s && len(s) <= 254, field, "is not an e-mail address")
	return s
}

func (c *checking) customer(r at[Customer]) Planned {
	v := r.rec
	d := billing.BillingDetails{
		Contact: billing.Contact{Name: c.text("name", v.Name, 100, true), Email: c.email("email", v.Email)},
		Company: c.text("company", v.Company, 100, false), Country: v.Country,
	}
	c.must(billing.ValidCountry(v.Country), "country", "is not a country's two letters")
	var err error
	d.VATID, err = billing.NormalVATID(v.Country, c.text("vat_id", v.VATID, 30, false))
	c.must(err == nil, "vat_id", "is not a VAT id of the country")
	if a := v.Address; a != nil {
		d.Line1, d.Line2, d.City = c.text("address.line1", a.Line1, 100, false), c.text("address.line2", a.Line2, 100, false), c.text("address.city", a.City, 100, false)
		d.Postal, d.Region = c.text("address.postal_code", a.PostalCode, 30, false), c.text("address.region", a.Region, 100, false)
	}
	c.must(v.Language == "" || slices.Contains(words.Tags(), v.Language), "language", "is not one that customers may choose")
	if v.Language == words.Default { // which has no name in an order
		v.Language = ""
	}
	c.must(v.StandingDiscount >= 0 && v.StandingDiscount <= 100, "standing_discount", "is a percentage from 0 to 100")
	var currencies []string
	for _, b := range v.Balances {
		c.must(billing.ValidCurrency(b.Currency) && b.Amount > 0 && b.Amount < 1e12, "balances", "is an amount above 0 of a currency, in minor units")
		c.must(!slices.Contains(currencies, b.Currency), "balances", "has a currency twice")
		currencies = append(currencies, b.Currency)
	}
	profile := billing.Profile{Billing: d}
	profile.Billing.Email = ""
	return Planned{r.line, billing.MovedAccount{
		Ref: v.ID, Hash: hash(r.text), Email: d.Email, Profile: profile, Standing: v.StandingDiscount, Balances: v.Balances,
	}, v.Language, nil}
}

func (c *checking) invoice(r at[Invoice]) {
	v := r.rec
	if !c.id("invoice", v.ID) {
		return
	}
	s := c.subscriptions[v.Subscription]
	if s == nil {
		c.wrong("subscription: the file has no subscription of this id")
		return
	}
	v.IssuedAt, v.PaidAt = billing.Instant(v.IssuedAt), billing.Instant(v.PaidAt)
	if r.rec.PaidAt.IsZero() {
		v.PaidAt = v.IssuedAt
	}
	v.Period = Period{billing.Instant(v.Period.Start), billing.Instant(v.Period.End)}
	c.text("number", v.Number, 50, true)
	c.must(!r.rec.IssuedAt.IsZero() && !v.IssuedAt.After(c.Now), "issued_at", "is an instant that is over")
	c.must(!v.PaidAt.After(c.Now), "paid_at", "is an instant that is over: only paid invoices are moved in")
	c.must(v.Period.Start.Before(v.Period.End), "period", "starts before it ends")
	c.must(v.Net >= 0 && v.Tax >= 0 && v.Net < 1e12 && v.Tax < 1e12, "net", "is an amount in minor units, and so is tax")
	r.rec = v
	c.invoices[v.Subscription] = append(c.invoices[v.Subscription], r)
}

func (c *checking) subscription(r at[Subscription], of Planned) PlannedSubscription {
	v := r.rec
	out := PlannedSubscription{Line: r.line, Card: v.Card}
	warn := func(what string) { out.Warnings = append(out.Warnings, what) }

	product, plan := c.plan(v)
	quantity := cmp.Or(v.Quantity, 1)
	c.must(billing.CheckQuantity(plan.Type, quantity) == nil, "quantity", "is from 1 to 1000, and 1 for users")
	here, _ := plan.PriceIn(v.Price.Currency) // zero: it is not sold in this currency
	price := billing.Price{ID: "former", Money: billing.Money{Amount: v.Price.Amount, Currency: v.Price.Currency}, Tax: cmp.Or(billing.TaxMode(v.Price.Tax), here.Tax, billing.TaxExclusive)}
	c.must(v.Price.Amount > 0 && v.Price.Amount < 1e12, "price.amount", "is the price of one in minor units")
	c.must(billing.ValidCurrency(v.Price.Currency), "price.currency", "is not a currency")
	c.must(price.Tax == billing.TaxExclusive || price.Tax == billing.TaxInclusive, "price.tax", "is exclusive or inclusive")
	if here.Money == price.Money && here.Tax == price.Tax {
		price = here // the catalogue's own
	}
	collection := cmp.Or(billing.Collection(v.Collection), billing.ByCard)
	c.must(collection == billing.ByCard || collection == billing.ByInvoice, "collection", "is card or invoice")
	trial := !v.TrialEnd.IsZero()
	c.must(!trial || collection == billing.ByCard, "trial_end", "a trial cannot be paid by invoice")
	switch {
	case v.Card != nil:
		c.must(visible.MatchString(v.Card.Reference) && visible.MatchString(v.Card.Customer), "card", "has the gateway's references of a customer and of its card")
		c.must(collection == billing.ByCard, "card", "is of a subscription that is paid by card")
	case collection == billing.ByCard && !v.CancelAtPeriodEnd && trial:
		warn("has no card: the trial ends without a charge")
	case collection == billing.ByCard && !v.CancelAtPeriodEnd:
		warn("has no card: it will be past due at its renewal, until the customer gives one")
	}
	licensee := billing.Contact{Name: of.Account.Profile.Billing.Name, Email: of.Account.Email}
	if l := v.Licensee; l != nil {
		licensee = billing.Contact{Name: c.text("licensee.name", l.Name, 100, true), Email: c.email("licensee.email", l.Email)}
	}
	license := licensing.LicenseID(cmp.Or(v.License, c.NewID("lic")))
	c.must(billing.MovedLicense(license), "license", "is 4 to 64 letters, digits, hyphens and underscores")
	c.must(!c.seen["license "+string(license)], "license", "another subscription of the file has it")
	c.seen["license "+string(license)] = true
	sites, err := licensing.CheckSites(v.Sites, quantity)
	c.must(err == nil && (len(sites) == 0 || plan.Type == licensing.Site), "sites", "are at most as many host names as the quantity, for a site licence only")

	detail := of.Account.Profile.Billing
	detail.Email, detail.PurchaseOrder = of.Account.Email, c.text("purchase_order", v.PurchaseOrder, 60, false)
	id := billing.SubscriptionID(c.NewID("sub"))
	order := billing.Order{
		Subscription: id, License: license, Billing: detail, Licensee: licensee, Language: of.Language, Pay: billing.PayNow, Sites: sites, Vouched: true,
	}
	if trial {
		order.Pay = billing.PayTrial
	}
	out.MovedIn = billing.MovedIn{
		Ref: v.ID, Order: order, Product: product, Trial: trial, CancelAtPeriodEnd: v.CancelAtPeriodEnd, Mail: c.Mail,
		Subscription: billing.Subscription{
			ID: id, Status: billing.Incomplete, Product: product.ID, Plan: plan.Ref(), Quantity: quantity, Price: price, Collection: collection,
			Discount: c.coupon(v), CreatedAt: c.Now, TestClock: c.Clock, Now: c.Now,
		},
	}
	if c.Clock == "" {
		out.Subscription.Now = time.Time{}
	}
	c.times(v, plan, &out)
	texts := [][]byte{r.text}
	invoices := c.invoices[v.ID]
	slices.SortStableFunc(invoices, func(a, b at[Invoice]) int { return a.rec.IssuedAt.Compare(b.rec.IssuedAt) })
	for _, inv := range invoices {
		texts = append(texts, inv.text)
		p := billing.Period{Start: inv.rec.Period.Start, End: inv.rec.Period.End}
		out.Invoices = append(out.Invoices, billing.FormerInvoice{
			Ref: inv.rec.ID, Number: strings.TrimSpace(inv.rec.Number), IssuedAt: inv.rec.IssuedAt, PaidAt: inv.rec.PaidAt, Period: p, Net: inv.rec.Net, Tax: inv.rec.Tax,
		})
	}
	if _, paid := out.PaidBy(); !paid && !trial {
		warn("has not one invoice of exactly its running period: a change will credit nothing of it")
	}
	out.Hash = hash(texts...)
	return out
}

// plan finds what is sold in the catalogue.
func (c *checking) plan(v Subscription) (product billing.Product, plan billing.Plan) {
	i := slices.IndexFunc(c.Products, func(p billing.Product) bool { return p.ID == v.Product })
	if i < 0 {
		c.wrong("product: the catalogue does not have it")
		return product, plan
	}
	product = c.Products[i]
	plan, err := product.Choose(billing.PlanChoice{Type: licensing.Type(v.Plan.Type), Tier: v.Plan.Tier, Cycle: billing.Cycle(v.Plan.Cycle)})
	c.must(err == nil, "plan", "the product has no such plan")
	return product, plan
}

// coupon is the discount that is left of a coupon.
func (c *checking) coupon(v Subscription) billing.Discount {
	if v.Coupon == nil {
		return billing.Discount{}
	}
	i := slices.IndexFunc(c.Coupons, func(p billing.Coupon) bool { return p.Code == v.Coupon.Code })
	if i < 0 {
		c.wrong("coupon.code: there is no such coupon; make it first")
		return billing.Discount{}
	}
	of := c.Coupons[i]
	of.Expires = time.Time{} // it was used while it was good
	d, err := of.For(v.Product, v.Price.Currency, c.Now)
	c.must(err == nil, "coupon.code", "is for another product or currency")
	c.must(d.Always == (v.Coupon.InvoicesLeft == 0), "coupon.invoices_left", "is the number of invoices that the coupon still lowers, and is left out where it lowers all")
	c.must(v.Coupon.InvoicesLeft >= 0 && (d.Always || v.Coupon.InvoicesLeft <= of.Invoices), "coupon.invoices_left", "is more than the coupon has")
	d.Left = v.Coupon.InvoicesLeft
	return d
}

// times sets the period that ran when the other system stopped, and what its
// boundaries are counted from.
func (c *checking) times(v Subscription, plan billing.Plan, out *PlannedSubscription) {
	if !plan.Cycle.Valid() || c.Before[v.ID] {
		return // said before, or nothing is written
	}
	var period billing.Period
	if v.Period != nil {
		period = billing.Period{Start: billing.Instant(v.Period.Start), End: billing.Instant(v.Period.End)}
	}
	anchor, trialEnd := billing.Instant(v.Anchor), billing.Instant(v.TrialEnd)
	switch {
	case out.Trial:
		start := period.Start
		if v.Period == nil {
			start = billing.Instant(v.CreatedAt)
		}
		c.must(trialEnd.After(c.AsOf), "trial_end", "is over")
		c.must((v.Period == nil || period.End.Equal(trialEnd)) && !start.IsZero() && start.Before(trialEnd), "period", "of a trial ends with it, and starts with created_at where it is left out")
		period = billing.Period{Start: start, End: trialEnd}
		anchor = start
	case v.Anchor.IsZero() && v.Period == nil:
		c.wrong("anchor: is needed, or the running period")
		return
	case v.Period == nil:
		if anchor.After(c.AsOf) {
			c.wrong("anchor: is in the future; name the running period too")
			return
		}
		period, _ = billing.PeriodAt(anchor, plan.Cycle, c.AsOf)
	case !period.Start.Before(period.End):
		c.wrong("period: starts before it ends")
		return
	case v.Anchor.IsZero():
		anchor = period.End // as after days that were given
	default:
		next, _ := billing.PeriodAt(anchor, plan.Cycle, period.End)
		c.must(next.Start.Equal(period.End), "period", "does not end at a boundary that is counted from the anchor; leave the anchor out, and later ones are counted from the period's end")
	}
	c.must(period.End.After(c.AsOf), "period", "was over when the former system stopped: it had the next payment to make; export it again, or say with --as-of when it stopped")
	c.must(!period.Start.After(c.AsOf), "period", "is not the running one")
	if created := billing.Instant(v.CreatedAt); v.CreatedAt.IsZero() {
		out.CreatedAt = period.Start
	} else {
		c.must(!created.After(c.Now), "created_at", "is in the future")
		out.CreatedAt = created
	}
	out.Period, out.Anchor = period, anchor
}
