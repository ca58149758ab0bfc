package e2e

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/okviz/licensing/billing"
)

// A history takes seconds here; -rapid.checks asks for more of them.
func init() {
	if err := flag.Set("rapid.checks", "25"); err != nil {
		panic(err)
	}
}

// act is one thing that happens in a random history.
type act struct {
	what    string
	wait    time.Duration
	plan    object
	count   int64 // quantity; 0: not named
	preview bool  // a change that is held to its preview, which was made wait ago
	token   string
	amount  int64  // of a refund; 0: all that is left
	page    int    // of a bank, which the customer answers: so many before the newest
	answer  string // of the bank, on its page or of a dispute; or what cancel-now gives back
	country string // of an amendment
	signal  bool   // it is told by a signal, as in Temporal's own pages, and not over HTTP
}

func (a act) String() string {
	return fmt.Sprint(a.what, " ", a.wait, " ", a.plan, " ", a.count, " ", a.preview, " ", a.token, " ", a.amount, " ", a.page, " ", a.answer, " ", a.country, " ", a.signal)
}

func acts(t *rapid.T) []act {
	what := rapid.SampledFrom([]string{
		"wait", "wait", "wait", "late", "change", "change", "change", "cancel", "resume", "renew", "card", "card", "refund", "bank", "bank",
		"suspend", "reinstate", "revoke", "dispute", "dispute", "money-back", "cancel-now",
		"schedule", "schedule", "withdraw", "amend", "hand-over", "transfer",
	})
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) act {
		a := act{what: what.Draw(t, "what")}
		switch a.what {
		case "wait", "late":
			a.wait = time.Duration(rapid.IntRange(1, 60*24).Draw(t, "hours")) * time.Hour
		case "amend":
			a.country = rapid.SampledFrom([]string{"US", "IT", "FI"}).Draw(t, "country")
		case "cancel", "resume":
			a.signal = rapid.Bool().Draw(t, "signal")
		case "change", "schedule":
			a.plan = rapid.SampledFrom([]object{
				users("1-20"), users("21-50"), {"type": "users", "tier": "1-20", "cycle": "yearly"}, {"type": "site", "cycle": "monthly"},
			}).Draw(t, "plan")
			if a.plan["type"] == "site" {
				a.count = rapid.Int64Range(1, 3).Draw(t, "quantity")
			}
			if a.what == "schedule" {
				return a
			}
			a.signal = rapid.IntRange(0, 3).Draw(t, "signal") == 0
			if a.preview = !a.signal && rapid.Bool().Draw(t, "preview"); a.preview {
				a.wait = time.Duration(rapid.IntRange(0, 14*60).Draw(t, "seconds")) * time.Second
			}
		case "refund":
			a.count = rapid.Int64Range(0, 5).Draw(t, "invoice")
			a.amount = rapid.SampledFrom([]int64{0, 1, 333}).Draw(t, "amount")
		case "dispute":
			a.count = rapid.Int64Range(0, 3).Draw(t, "charge")
			a.answer = rapid.SampledFrom([]string{"won", "won", "lost"}).Draw(t, "answer")
		case "cancel-now":
			a.answer = rapid.SampledFrom([]string{"none", "prorated", "full"}).Draw(t, "refund")
		case "card":
			a.token = rapid.SampledFrom([]string{"tok_visa", "tok_visa", "tok_visa", "tok_declined", "tok_insufficient_funds", "tok_stolen", "tok_3ds", "tok_3ds"}).Draw(t, "token")
		case "bank":
			a.page = rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(t, "page")
			a.answer = rapid.SampledFrom([]string{"approve", "approve", "fail"}).Draw(t, "answer")
		}
		return a
	}), 6, 18).Draw(t, "acts")
}

// failing lets what fails in a history fail the rapid test, which then looks
// for a shorter one.
type failing struct {
	testing.TB
	rapid *rapid.T
}

func (f failing) Helper()                      { f.rapid.Helper() }
func (f failing) Error(args ...any)            { f.rapid.Error(args...) }
func (f failing) Errorf(s string, args ...any) { f.rapid.Errorf(s, args...) }
func (f failing) Fatal(args ...any)            { f.rapid.Fatal(args...) }
func (f failing) Fatalf(s string, args ...any) { f.rapid.Fatalf(s, args...) }

// document is an invoice with all its figures.
type document struct {
	ID             string  `json:"id"`
	Number         *string `json:"number"`
	Status         string  `json:"status"`
	IssuedAt       string  `json:"issued_at"`
	PaidAt         string  `json:"paid_at"`
	Lines          []line  `json:"lines"`
	Subtotal       money   `json:"subtotal"`
	Discount       money   `json:"discount"`
	Tax            money   `json:"tax"`
	Total          money   `json:"total"`
	BalanceApplied money   `json:"balance_applied"`
	AmountDue      money   `json:"amount_due"`
	CreditNotes    []struct {
		Total  money  `json:"total"`
		Reason string `json:"reason"`
	} `json:"credit_notes"`
}

// sold are the service line and what an outage left uncharged before it.
func (d document) sold() (service, skipped *period) {
	for _, l := range d.Lines {
		switch {
		case l.Period == nil || l.Amount.Amount < 0:
		case l.Amount.Amount == 0:
			skipped = l.Period
		default:
			service = l.Period
		}
	}
	return service, skipped
}

// cause is the command that an invoice was made for; none where time made it.
type cause struct {
	action, status string // of the subscription before
	at             string // whence the change counts
}

// walk is a history as it happens to one subscription.
type walk struct {
	*shop
	t         testing.TB
	clock, id string
	payers    []customer // who have paid for it, one after the other
	currency  string
	now       time.Time
	first     *period // the trial
	causes    map[string]cause
	pages     []string          // on which the bank has asked for the customer, the oldest first
	held      bool              // suspended or revoked by an operator
	disputes  map[string]string // by charge: opened, won or lost
	ends      []string          // when it ended, each time
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// begin places the order of a history.
func begin(t testing.TB, s *shop, now time.Time, changes object) *walk {
	t.Helper()
	who := newCustomer()
	w := &walk{
		shop: s, t: t, clock: s.clock(t, stamp(now)), now: now, causes: map[string]cause{}, disputes: map[string]string{},
		payers: []customer{who}, currency: changes["currency"].(string),
	}
	changes = maps.Clone(changes)
	o := who.order(changes)
	if country, ok := changes["country"]; ok {
		delete(o, "country")
		o["billing"].(object)["country"] = country
	}
	o["test_clock"] = w.clock
	a := s.post(t, "/v1/checkout", newKey(), o)
	if a.status == http.StatusPaymentRequired {
		p := a.wantProblem(t, http.StatusPaymentRequired, "card_declined")
		secret(p.CheckoutToken)
		w.id = p.SubscriptionID
		return w
	}
	var c checkout
	a.want(t, http.StatusCreated).into(t, &c)
	s.know(c)
	w.id = c.Subscription.ID
	if c.Subscription.Status == "trialing" {
		w.first = c.Subscription.CurrentPeriod
	}
	w.asked()
	return w
}

// do lets an act happen, and tells in words what came of it.
func (w *walk) do(a act) string {
	w.t.Helper()
	before := w.subscription(w.t, w.id)
	collected := w.ledger(w.t, w.id)
	said := ""
	switch a.what {
	case "wait", "late":
		w.now = w.now.Add(a.wait)
		w.advanceBy(w.t, w.clock, object{"to": stamp(w.now), "late": a.what == "late"})
	case "change":
		said = w.change(a, before)
	case "schedule":
		body := object{"plan": a.plan, "when": "period_end"}
		if a.count > 0 {
			body["quantity"] = a.count
		}
		said = w.command("change", before, body, stamp(w.now))
	case "withdraw":
		said = w.tell(http.MethodDelete, "/v1/subscriptions/"+w.id+"/scheduled-change", nil)
	case "amend":
		said = w.tell(http.MethodPut, "/v1/subscriptions/"+w.id+"/billing-details", object{"name": w.payers[0].name, "country": a.country})
	case "hand-over":
		if before.LicenseID == nil {
			return "no licence"
		}
		next := newCustomer()
		said = w.tell(http.MethodPut, "/v1/licenses/"+*before.LicenseID+"/licensee", object{"name": next.licensee, "email": next.licenseeEmail})
	case "transfer":
		next := newCustomer()
		if said = w.tell(http.MethodPost, "/v1/operator/subscriptions/"+w.id+"/transfer", object{"email": next.email, "name": next.name}); said == "done" {
			w.payers = append(w.payers, next)
		}
	case "refund":
		said = w.giveBack(a)
	case "suspend", "reinstate", "revoke":
		said = w.hold(a.what, before)
	case "dispute":
		said = w.dispute(a, collected)
	case "cancel-now":
		said = told(w.t, w.shop.cancelNow(w.t, w.id, a.answer))
	case "bank": // whatever it has asked for, long ago too
		if a.page >= len(w.pages) {
			return "nothing was asked"
		}
		page := w.pages[len(w.pages)-1-a.page]
		w.answerBank(w.t, page, a.answer)
		eventually(w.t, patience, "the bank's answer is known", func() bool {
			p := w.waiting(w.t, w.id).Subscription.PendingPayment
			return p == nil || deref(p.ActionURL) != page
		})
	case "cancel", "resume":
		if a.signal {
			said = w.signalled(a.what, before, object{})
			break
		}
		said = w.command(a.what, before, object{}, stamp(w.now))
	case "card":
		said = w.command("payment-method", before, object{"token": secret(a.token)}, stamp(w.now))
	default:
		said = w.command(a.what, before, object{}, stamp(w.now))
	}
	w.refunded()
	if a.what == "dispute" || a.what == "reinstate" { // what had to wait is done
		w.advance(w.t, w.clock, stamp(w.now))
	}
	w.asked()
	w.check(a, before, w.ledger(w.t, w.id)[len(collected):])
	return said + "; " + w.story(w.t, w.id)
}

// asked keeps the page on which the bank asks for the customer now.
func (w *walk) asked() {
	w.t.Helper()
	p := w.waiting(w.t, w.id).Subscription.PendingPayment
	if p != nil && p.ActionURL != nil && !slices.Contains(w.pages, *p.ActionURL) {
		w.pages = append(w.pages, *p.ActionURL)
	}
}

// change moves to another plan, perhaps as a preview some minutes before has
// promised. What falls due in between makes the promise worth nothing.
func (w *walk) change(a act, before subscription) string {
	w.t.Helper()
	body, at := object{"plan": a.plan}, w.now
	if a.count > 0 {
		body["quantity"] = a.count
	}
	if a.preview {
		preview := w.send(w.t, http.MethodPost, "/v1/subscriptions/"+w.id+"/change/preview", body, w.asOperator())
		due := before.NextPaymentAt
		w.now = w.now.Add(a.wait)
		w.advance(w.t, w.clock, stamp(w.now))
		before = w.subscription(w.t, w.id)
		if preview.status == http.StatusOK && deref(due) == deref(before.NextPaymentAt) {
			var p changePreview
			preview.into(w.t, &p)
			body["proration_time"], body["expected_amount_due"] = p.ProrationTime, p.AmountDue.Amount
		} else {
			at = w.now
		}
	}
	if a.signal {
		body["plan"] = planID(a.plan)
		return w.signalled("upgrade", before, body)
	}
	return w.command("change", before, body, stamp(at))
}

// planID is a plan as operators name it in Temporal's own pages.
func planID(p object) string {
	if p["type"] == "site" {
		return fmt.Sprint("calendar-pro_site_", p["cycle"])
	}
	return fmt.Sprint("calendar-pro_users_", p["tier"], "_", p["cycle"])
}

// tell sends a command that makes no invoice, and tells what came of it.
func (w *walk) tell(method, path string, body any) string {
	w.t.Helper()
	h := w.asOperator()
	h["Idempotency-Key"] = newKey()
	return told(w.t, w.send(w.t, method, path, body, h))
}

// signalled gives a command by a signal, and waits until it has been carried out.
func (w *walk) signalled(name string, before subscription, arg object) string {
	w.t.Helper()
	heard := func() (n int) {
		for _, d := range completed(w.t, w.runs(w.t, w.id)) {
			if strings.EqualFold(d.activity, name) || d.activity == "Change" && name == "upgrade" {
				n++
			}
		}
		return n
	}
	earlier, known := heard(), map[string]bool{}
	for _, d := range w.documents() {
		known[d.ID] = true
	}
	if before.CanceledAt != nil || before.Status == "incomplete_expired" { // and its workflow ends, sooner or later
		return "it has ended"
	}
	must(w.t, w.temporal.SignalWorkflow(context.Background(), w.id, "", name, arg))
	eventually(w.t, patience, "the signal "+name+" is carried out", func() bool { return heard() > earlier })
	for _, d := range w.documents() {
		if !known[d.ID] {
			w.causes[d.ID] = cause{"change", before.Status, stamp(w.now)}
		}
	}
	return name
}

// giveBack is an operator's refund of one of the paid invoices, and waits until
// the gateway has confirmed it.
func (w *walk) giveBack(a act) string {
	w.t.Helper()
	paid := slices.DeleteFunc(w.documents(), func(d document) bool { return d.Status != "paid" })
	if len(paid) == 0 {
		return "nothing was paid"
	}
	d, body := paid[int(a.count)%len(paid)], object{"reason": "a test"}
	if a.amount > 0 {
		body["amount"] = money{a.amount, d.Total.Currency}
	}
	answer := w.refund(w.t, d.ID, body)
	if answer.status == http.StatusOK {
		return "refund"
	}
	var p problem
	answer.into(w.t, &p)
	if p.Code != "nothing_to_refund" && p.Code != "amount_too_large" && !(w.disputed() && p.Code == "not_possible_now") {
		w.t.Errorf("a refund of %d: %d %s", a.amount, answer.status, answer.body)
	}
	return "refund " + p.Code
}

// refunded waits until the gateway has confirmed what is given back.
func (w *walk) refunded() {
	w.t.Helper()
	eventually(w.t, patience, "the refunds are confirmed", func() bool {
		snapshot, err := w.store.Snapshot(context.Background(), billing.SubscriptionID(w.id))
		must(w.t, err)
		return snapshot.Subscription.Refunding == 0
	})
}

// hold is an operator's word on the licence.
func (w *walk) hold(action string, before subscription) string {
	w.t.Helper()
	if before.LicenseID == nil {
		return "no licence"
	}
	a := w.post(w.t, "/v1/operator/licenses/"+*before.LicenseID+"/"+action, newKey(), object{})
	if a.status == http.StatusOK {
		w.held = action != "reinstate"
	}
	return told(w.t, a)
}

// told is an operator's answer in words.
func told(t testing.TB, a answer) string {
	t.Helper()
	if a.status == http.StatusOK {
		return "done"
	}
	var p problem
	a.want(t, http.StatusConflict).into(t, &p)
	return p.Code
}

// dispute has the customer's bank dispute one of the charges, or settle that
// dispute, and waits until the engine has heard of it.
func (w *walk) dispute(a act, charges []charge) string {
	w.t.Helper()
	charges = slices.DeleteFunc(slices.Clone(charges), func(c charge) bool { return c.Status != "succeeded" })
	if len(charges) == 0 {
		return "nothing was charged"
	}
	c := charges[int(a.count)%len(charges)]
	status, kind := "opened", "disputed"
	switch w.disputes[c.ID] {
	case "":
	case "opened":
		status, kind = a.answer, "dispute_"+a.answer
	default:
		return "it was settled"
	}
	w.shop.dispute(w.t, w.id, c.Invoice, status, kind)
	w.disputes[c.ID] = status
	return status
}

func (w *walk) disputed() bool {
	return slices.Contains(slices.Collect(maps.Values(w.disputes)), "opened")
}

// command gives a command and keeps what the invoice that came of it is for.
func (w *walk) command(action string, before subscription, body object, at string) string {
	w.t.Helper()
	a := w.shop.command(w.t, w.id, action, body)
	switch a.status {
	case http.StatusOK:
		var v struct{ Invoice *invoice }
		a.into(w.t, &v)
		if v.Invoice != nil {
			w.causes[v.Invoice.ID] = cause{action, before.Status, at}
			return action + " " + v.Invoice.Status
		}
		return action
	case http.StatusPaymentRequired, http.StatusConflict, http.StatusTooManyRequests:
		var p problem
		a.into(w.t, &p)
		if p.Code == "amount_changed" || p.Code == "preview_expired" {
			w.t.Errorf("the change was held to its preview, and %s", p.Code)
		}
		return action + " " + p.Code + " " + p.DeclineCode
	}
	w.t.Fatalf("%s: %d %s", action, a.status, a.body)
	return ""
}

// check holds an act to what is true at any time.
func (w *walk) check(a act, before subscription, charges []charge) {
	w.t.Helper()
	after := w.subscription(w.t, w.id)
	time := a.what == "wait" || a.what == "late"
	if before.Status != "canceled" && after.CanceledAt != nil {
		w.ends = append(w.ends, *after.CanceledAt)
	}
	for _, c := range charges {
		switch {
		case c.Status == "succeeded" && a.what != "bank" && w.disputed():
			w.t.Errorf("%+v was charged while a payment is disputed", c)
		case time && before.CancelAtPeriodEnd:
			w.t.Errorf("%+v is for what was cancelled", c)
		case time && (before.Status == "canceled" || before.Status == "incomplete_expired" || before.Status == "incomplete"):
			w.t.Errorf("%+v is for what is %s", c, before.Status)
		case c.Status == "succeeded" && after.CanceledAt != nil && c.At > *after.CanceledAt:
			w.t.Errorf("%+v comes after the end at %s", c, *after.CanceledAt)
		case before.Status == "incomplete_expired":
			w.t.Errorf("%+v is for an order that has lapsed", c)
		}
	}
	if after.LicenseID != nil && after.Plan.Type != "site" { // whose answer depends on where it is shown
		paid := after.Status == "active" || after.Status == "trialing" || after.Status == "past_due"
		if got := w.shop.check(w.t, *after.LicenseID); got.Valid != (paid && !w.held && !w.disputed()) {
			w.t.Errorf("it is %s, and a visual is told %s until %s", after.Status, got.Code, deref(got.ValidUntil))
		}
	}
	w.balance()
}

// balance is what those who have paid for it hold, together.
func (w *walk) balance() (sum int64) {
	w.t.Helper()
	for _, who := range w.payers {
		var v struct{ Data []money }
		w.get(w.t, "/v1/balance?email="+url.QueryEscape(who.email), &v)
		for _, m := range v.Data {
			if m.Currency != w.currency || m.Amount < 0 {
				w.t.Errorf("somebody holds %v", m)
			}
			sum += m.Amount
		}
	}
	return sum
}

// documents are all invoices, the oldest first.
func (w *walk) documents() []document {
	w.t.Helper()
	var list struct {
		Data       []document
		NextCursor *string `json:"next_cursor"`
	}
	w.get(w.t, "/v1/invoices?limit=100&subscription="+w.id, &list)
	if list.NextCursor != nil {
		w.t.Fatal("more than a hundred invoices")
	}
	slices.Reverse(list.Data)
	return list.Data
}

// settle holds the whole history to what its documents say.
func (w *walk) settle() {
	w.t.Helper()
	w.audit(w.t, w.id)
	docs := w.documents()
	var balance int64
	var paid []document
	for _, d := range docs {
		var sum, noted, lost int64
		for _, l := range d.Lines {
			sum += l.Amount.Amount
		}
		if sum != d.Subtotal.Amount || sum-d.Discount.Amount+d.Tax.Amount != d.Total.Amount || d.Total.Amount-d.BalanceApplied.Amount != d.AmountDue.Amount {
			w.t.Errorf("it does not add up: %+v", d)
		}
		for _, n := range d.CreditNotes {
			if noted += n.Total.Amount; n.Reason == "dispute" { // the bank has taken it
				lost += n.Total.Amount
			}
		}
		if noted > d.Total.Amount {
			w.t.Errorf("credit notes of %d on an invoice of %d", noted, d.Total.Amount)
		}
		if d.Status != "paid" {
			if d.Number != nil {
				w.t.Errorf("an invoice that is %s has a number", d.Status)
			}
			if d.Status == "draft" { // whose payment waits
				balance -= d.BalanceApplied.Amount
			}
			continue
		}
		balance += noted - lost - d.BalanceApplied.Amount
		paid = append(paid, d)
	}
	for _, c := range w.ledger(w.t, w.id) {
		if c.Refunded.Amount > c.Amount.Amount {
			w.t.Errorf("%+v gave back more than was charged", c)
		}
		balance -= c.Refunded.Amount
	}
	if got := w.balance(); got != balance {
		w.t.Errorf("the balance is %d, and documents and refunds leave %d", got, balance)
	}
	w.settlePeriods(paid)
}

// settlePeriods holds the service lines to: no gap and no overlap. A change
// ends the period that runs, and replaces one that is paid ahead; nothing is
// owed between an end and a revival, nor for a debt that a change has replaced.
func (w *walk) settlePeriods(paid []document) {
	w.t.Helper()
	slices.SortStableFunc(paid, func(a, b document) int {
		return cmp.Or(cmp.Compare(a.PaidAt, b.PaidAt), cmp.Compare(deref(a.Number), deref(b.Number)))
	})
	var covered []period
	if w.first != nil {
		covered = []period{*w.first}
	}
	for _, d := range paid {
		service, skipped := d.sold()
		if service == nil {
			w.t.Errorf("nothing is sold by %+v", d)
			continue
		}
		since, end, why := service.Start, service.Start, w.causes[d.ID]
		if skipped != nil {
			if since = skipped.Start; skipped.End != service.Start {
				w.t.Errorf("%+v was not charged before %+v", skipped, service)
			}
		}
		if len(covered) > 0 {
			end = covered[len(covered)-1].End
		}
		for _, at := range w.ends {
			if why.status == "canceled" && at <= service.Start { // some end before their period does
				end = min(end, at)
			}
		}
		switch {
		case why.action == "renew" && why.status == "canceled", why.action == "change" && why.status == "past_due":
			if service.Start != why.at || service.Start < end {
				w.t.Errorf("%s while %s at %s sells %+v; covered until %s", why.action, why.status, why.at, *service, end)
			}
		case why.action == "change" && why.status == "trialing":
			if service.Start != w.first.End {
				w.t.Errorf("a change in the trial until %s sells %+v", w.first.End, *service)
			}
			covered = covered[:1]
		case why.action == "change":
			at := slices.IndexFunc(covered, func(p period) bool { return p.Start <= service.Start && service.Start < p.End })
			if at < 0 || service.Start != why.at {
				w.t.Fatalf("a change at %s sells %+v; covered are %+v", why.at, *service, covered)
			}
			covered = covered[:at+1]
			covered[at].End = service.Start
		case since != end:
			w.t.Errorf("%+v is sold since %s; covered until %s", *service, since, end)
		}
		covered = append(covered, *service)
	}
}

// life is a start, an order and what happens after it.
type life struct {
	start time.Time
	order object
	acts  []act
}

func lives(r *rapid.T) life {
	l := life{
		start: time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 400*24).Draw(r, "start")) * time.Hour),
		order: object{
			"country":  rapid.SampledFrom([]string{"US", "IT", "FI"}).Draw(r, "country"),
			"currency": rapid.SampledFrom([]string{"USD", "EUR"}).Draw(r, "currency"),
		},
	}
	switch rapid.SampledFrom([]string{"now", "now", "now", "asked", "declined", "trial", "trial without a card"}).Draw(r, "order") {
	case "asked":
		l.order["payment"] = card("tok_3ds")
	case "declined":
		l.order["payment"] = card("tok_declined")
	case "trial":
		l.order["pay"] = "trial"
	case "trial without a card":
		l.order["pay"], l.order["payment"] = "trial", nil
	}
	l.acts = acts(r)
	return l
}

// twice lets a life happen to two customers, on a clock of each, and holds both
// to the rules and to the same documents, charges and history in words.
func (l life) twice(t testing.TB, here, there *shop) {
	t.Helper()
	one, other := begin(t, here, l.start, l.order), begin(t, there, l.start, l.order)
	for _, a := range l.acts {
		if said, again := one.do(a), other.do(a); said != again {
			t.Fatalf("%s came to\n%s\nand for the other customer to\n%s", a, said, again)
		}
	}
	one.settle()
	other.settle()
	if diff := gocmp.Diff(one.told(), other.told()); diff != "" {
		t.Errorf("the same commands gave other documents:\n%s", diff)
	}
}

// told is what can be known of a history from outside.
func (w *walk) told() (all []string) {
	w.t.Helper()
	for _, d := range w.documents() {
		d.ID, d.Number = "", nil
		text, err := json.Marshal(d)
		must(w.t, err)
		all = append(all, string(text))
	}
	slices.Sort(all) // drafts that were never issued have no order of their own
	for _, e := range w.events(w.t, w.id) {
		all = append(all, fmt.Sprint(e))
	}
	all = append(all, w.charges(w.t, w.id)...)
	return all
}

func TestRandomHistoriesKeepTheRulesAndRepeatThemselves(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) { lives(r).twice(failing{t, r}, shared, shared) })
}

var underKills = flag.Int("random-kills", 2, "how many random histories are lived while workers are killed")

// One of the two customers is served by workers that are killed, one after the
// other, on either side of what they do to the database, the gateway and the mail
// server, or in between: it makes no difference.
func TestRandomHistoriesComeToTheSameWhereWorkersAreKilled(t *testing.T) {
	t.Parallel()
	seed := *killSeed
	if seed == 0 {
		seed = rand.Uint64() >> 1
	}
	fmt.Printf("histories and kills are drawn from -kill-seed %d\n", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	p := startProcesses(t, "")
	p.mortal = true
	draw := func() []string {
		places := fatal()
		random.Shuffle(len(places), func(i, j int) { places[i], places[j] = places[j], places[i] })
		return places[:len(places)/10]
	}
	over, kills := make(chan struct{}), make(chan int)
	go func() {
		worker, n := p.spawn(t, draw()...), 0
		for {
			worker.begin(t)
			next := p.spawn(t, draw()...) // a start takes a while
			worker.die(t, 4*time.Second+time.Duration(random.IntN(8000))*time.Millisecond)
			n++
			p.lapse(t)
			worker = next
			select {
			case <-over:
				must(t, worker.in.Close())
				kills <- n
				return
			default:
			}
		}
	}()
	peace := sync.OnceValue(func() int { close(over); return <-kills })
	defer peace()
	for i := range *underKills {
		rapid.Custom(lives).Example(int(seed)+i).twice(t, shared, p.shop)
	}
	fmt.Printf("%d workers were killed in %d random histories\n", peace(), *underKills)
}
