package billing

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// ledger is the database and the gateway of these tests, for one subscription:
// it writes changesets as a store must, and fails the test where one of them
// could not be written or does not add up.
type ledger struct {
	t rapid.TB
	*account
	snapshot Snapshot // PaidLines, Open and Balance are filled in by onFile
	now      time.Time
	cards    map[string]string // card → decline code; absent: it pays
	advice   map[string]Advice
	bank     map[string]PaymentStatus // by invoice: what became of an action, where a card's bank asked for one
	made     map[string]made          // by invoice: how things were when it was charged last
	ids      int
	order    []string // of invoices, as they were written first
	paid     []string // of invoices, as they were paid
	docs     map[string]Invoice
	sold     []PaidLine
	notes    []CreditNote
	refunds  []Refund
	notices  []Notice
	charges  []charge
	came     int64 // by transfer
	history  []moment
	asked    Command
	outage   bool // the engine was away once
}

// account is what the subscriptions of one account share.
type account struct {
	wallet  string
	entries map[string]BalanceEntry
	balance int64
	backs   int64 // money-backs of the product
}

// charge is money that has really moved.
type charge struct {
	invoice InvoiceID
	amount  int64
	at      time.Time
	was     Subscription // when it was charged
}

// asking is a card whose bank asks for the customer each time.
const asking = "asking"

// givenUp is an action that can have no answer any more.
const givenUp PaymentStatus = DeclineAbandoned

// made is when an invoice was charged, and for whom.
type made struct {
	at     time.Time
	before Subscription
}

// moment is a changeset with the state before it.
type moment struct {
	at     time.Time
	before Subscription
	sold   []PaidLine // on file before
	asked  Command    // what is being handled; none: a step
	Changeset
	standing int64 // the account's discount then
}

func instant(s string) time.Time {
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	panic("no instant: " + s)
}

// shelf is the product that most of these tests sell, at round prices:
// users 1-20 at 10.00 and 21-50 at 20.00 a month, 100.00 and 200.00 a year,
// 270.00 for three years; a site at 30.00 a month.
func shelf() Product {
	c, err := ParseCatalogue([]byte(`
products:
  - id: calendar-pro
    name: Calendar Pro
    trial: true
    plans:
      - {type: users, tier: "1-20", covers: 20, cycle: monthly, prices: [{amount: 1000, currency: USD}, {amount: 1000, currency: EUR}, {amount: 1000, currency: JPY}]}
      - {type: users, tier: "21-50", covers: 50, cycle: monthly, prices: [{amount: 2000, currency: USD}, {amount: 2000, currency: EUR}, {amount: 2000, currency: JPY}]}
      - {type: users, tier: "1-20", covers: 20, cycle: yearly, prices: [{amount: 10000, currency: USD}, {amount: 10000, currency: EUR}, {amount: 10000, currency: JPY}]}
      - {type: users, tier: "21-50", covers: 50, cycle: yearly, prices: [{amount: 20000, currency: USD}, {amount: 20000, currency: EUR}, {amount: 20000, currency: JPY}]}
      - {type: users, tier: "1-20", covers: 20, cycle: three_years, prices: [{amount: 27000, currency: USD}, {amount: 27000, currency: EUR}, {amount: 27000, currency: JPY}]}
      - {type: site, cycle: monthly, prices: [{amount: 3000, currency: USD}, {amount: 3000, currency: EUR}, {amount: 3000, currency: JPY}]}
      - {type: site, cycle: yearly, prices: [{amount: 30000, currency: USD}]}
      - {type: users, tier: "Single", covers: 1, cycle: monthly, prices: [{amount: 1, currency: USD}, {amount: 33, currency: EUR}, {amount: 7, currency: JPY}]}
`))
	if err != nil {
		panic(err)
	}
	return c.Products[0]
}

const (
	small      = "calendar-pro_users_1-20_monthly"
	large      = "calendar-pro_users_21-50_monthly"
	smallYear  = "calendar-pro_users_1-20_yearly"
	largeYear  = "calendar-pro_users_21-50_yearly"
	smallThree = "calendar-pro_users_1-20_three_years"
	site       = "calendar-pro_site_monthly"
	siteYear   = "calendar-pro_site_yearly"
	single     = "calendar-pro_users_single_monthly"
)

// offer is what an order of these tests may differ in. The zero offer is
// users 1-20, monthly, in USD, from a country without VAT.
type offer struct {
	plan, currency, country, vatID string
	quantity                       int64
	balance                        int64
	pay                            Pay
	by                             Collection
	product                        *Product
	standing                       int64 // the account's discount, percent
	guest                          bool
	discount                       Discount
}

// ordered is an order that has been written and not yet handled.
func ordered(t rapid.TB, at string, o offer) *ledger {
	t.Helper()
	now := instant(at)
	product := shelf()
	if o.product != nil {
		product = *o.product
	}
	if o.plan == "" {
		o.plan = small
	}
	if o.currency == "" {
		o.currency = "USD"
	}
	if o.country == "" {
		o.country = "US"
	}
	if o.pay == "" {
		o.pay = PayNow
	}
	if o.by == "" {
		o.by = ByCard
	}
	plan, err := product.Plan(o.plan)
	if err != nil {
		t.Fatal(err)
	}
	price, err := plan.PriceIn(o.currency)
	if err != nil {
		t.Fatal(err)
	}
	l := &ledger{
		t: t, account: &account{entries: map[string]BalanceEntry{}, balance: o.balance}, now: now, docs: map[string]Invoice{},
		bank: map[string]PaymentStatus{}, made: map[string]made{},
		cards:  map[string]string{"poor": "insufficient_funds", "stolen": "stolen_card", "3ds": "authentication_required"},
		advice: map[string]Advice{"poor": AdviceRetryLater, "stolen": AdviceNever, "3ds": AdviceNeedsCustomer},
	}
	l.snapshot = Snapshot{
		Subscription: Subscription{
			ID: "sub_1", Number: 1, Status: Incomplete, Product: product.ID, Plan: plan.Ref(), Quantity: max(1, o.quantity),
			Price: price, Collection: o.by, CreatedAt: now, Discount: o.discount, Guest: o.guest,
		},
		Order: Order{
			Subscription: "sub_1", License: "lic_1", BillingAccount: "cus_1", LicenseeAccount: "cus_2", Pay: o.pay,
			Billing:  BillingDetails{Contact: Contact{"Ada", "ada@contoso.example"}, Country: o.country, VATID: o.vatID},
			Licensee: Contact{"Bea", "bea@bi.contoso.example"},
		},
		Product: product, Policy: DefaultPolicy(), Standing: o.standing,
		NewID: func(prefix string) string { l.ids++; return fmt.Sprintf("%s_%03d", prefix, l.ids) },
	}
	l.snapshot.Subscription.Next = l.snapshot.Subscription.nextStep(l.snapshot.Policy)
	return l
}

// second is another subscription of the same account.
func (l *ledger) second(at string, o offer) *ledger {
	l.t.Helper()
	other := ordered(l.t, at, o)
	other.account = l.account
	other.snapshot.Subscription.ID, other.snapshot.Subscription.Number = "sub_2", 2
	other.snapshot.Order.Subscription, other.snapshot.Order.License = "sub_2", "lic_2"
	other.snapshot.NewID = func(prefix string) string { other.ids++; return fmt.Sprintf("%s_2%03d", prefix, other.ids) }
	return other
}

// bought is a subscription that was paid with a good card.
func bought(t rapid.TB, at string, o offer) *ledger {
	t.Helper()
	l := ordered(t, at, o)
	l.pay("visa")
	return l
}

// tried is a running trial; card may be empty.
func tried(t rapid.TB, at, card string, o offer) *ledger {
	t.Helper()
	o.pay = PayTrial
	l := ordered(t, at, o)
	l.pay(card)
	return l
}

// pay handles the order with a card.
func (l *ledger) pay(card string) {
	l.t.Helper()
	if got := l.command(Command{Action: ActionPurchase, Request: "req_buy"}, card); got.Code != "" {
		l.t.Fatalf("purchase: %+v", got)
	}
}

func (l *ledger) s() Subscription { return l.snapshot.Subscription }

// onFile is the snapshot as a store would read it.
func (l *ledger) onFile() Snapshot {
	b := l.snapshot
	b.Method = l.wallet
	b.Balance = Money{l.balance, b.Subscription.Price.Currency}
	b.PaidLines = nil
	for _, s := range l.sold {
		if s.Credited < s.Line.Net() {
			b.PaidLines = append(b.PaidLines, s)
		}
	}
	b.Receipts = nil
	for _, id := range l.paid {
		r := Receipt{Invoice: l.docs[id]}
		for _, n := range l.notes {
			if string(n.Invoice) == id {
				r.Noted += n.Total().Amount
			}
		}
		for _, back := range l.refunds {
			if string(back.Invoice) == id {
				r.Refunded += back.Amount.Amount
			}
		}
		b.Receipts = append(b.Receipts, r)
	}
	if id := b.Subscription.OpenInvoice; id != "" {
		open := l.docs[string(id)]
		b.Open = &open
	}
	if id := b.Subscription.PendingPayment.Invoice; id != "" {
		pending := l.docs[string(id)]
		b.PendingPayment = &pending
	}
	return b
}

// command gives a command now, after what is due. card is the card that it
// brings, if any.
func (l *ledger) command(c Command, card ...string) Outcome {
	l.t.Helper()
	l.until(l.now, false)
	l.asked = c
	defer func() { l.asked = Command{} }()
	b := l.onFile()
	if len(card) > 0 && card[0] != "" {
		b.Method = card[0]
	}
	if c.Action == ActionMarkPaid {
		b.Transferred = l.transferred(c.Invoice)
	}
	for _, r := range l.refunds {
		if r.ID == c.RefundID {
			b.Returned = r
		}
	}
	if b.PendingPayment != nil && c.Action == ActionSettle {
		return l.settle(false)
	}
	d := b.Freed().Decide(c, l.now)
	if b.PendingPayment != nil && d.Refusal == nil {
		if b.Disturbs(d) {
			l.settle(true)
			return l.command(c, card...)
		}
		d = b.Decide(c, l.now)
	}
	if d.Refusal != nil {
		p := b.Refused(c, d.Refusal, l.now)
		l.post(*p)
		return p.Outcome
	}
	if d.Changeset != nil && d.Changeset.MoneyBackClaim && l.backs == b.Policy.MoneyBacks {
		p := b.Refused(c, refuse(CodeMoneyBackUsedUp, "", "used up"), l.now)
		l.post(*p)
		return p.Outcome
	}
	return l.apply(b, d, c.Cause(b.Subscription.Revision))
}

// answer is what a customer does on the page of their bank. Where nothing waits
// there any more nothing happens.
func (l *ledger) answer(invoice InvoiceID, answer PaymentStatus) {
	l.t.Helper()
	if l.bank[string(invoice)] != PaymentRequiresAction {
		return
	}
	l.bank[string(invoice)] = answer
	if answer == PaymentSucceeded {
		l.take(l.docs[string(invoice)], l.s())
	}
}

// confirmed has the customer answer the bank, and the engine hear of it.
func (l *ledger) confirmed(answer PaymentStatus) Outcome {
	l.t.Helper()
	id := l.s().PendingPayment.Invoice
	if id == "" {
		l.t.Fatalf("nothing waits at %s", l.now)
	}
	l.answer(id, answer)
	return l.command(Command{Action: ActionSettle})
}

// settle asks what became of the payment that waits, and posts it. Where its
// wait is to end it is given up first.
func (l *ledger) settle(end bool) Outcome {
	l.t.Helper()
	b := l.onFile()
	inv := *b.PendingPayment
	b.Method = inv.Method
	if end && l.bank[string(inv.ID)] == PaymentRequiresAction {
		l.bank[string(inv.ID)] = givenUp
	}
	p := &Changeset{}
	switch l.bank[string(inv.ID)] {
	case PaymentRequiresAction:
		return Outcome{}
	case PaymentSucceeded:
		p = b.Paid(inv, l.now)
	case PaymentDeclined:
		p = b.Declined(inv, ChargeResult{Status: PaymentDeclined, DeclineCode: "authentication_failed", Advice: AdviceNeedsCustomer}, l.now)
	default:
		p = b.Declined(inv, ChargeResult{Status: PaymentDeclined, DeclineCode: DeclineAbandoned, Advice: AdviceNeedsCustomer}, l.now)
	}
	l.post(*p)
	return p.Outcome
}

// take is the gateway's: the money of an invoice moves.
func (l *ledger) take(inv Invoice, s Subscription) {
	l.charges = append(l.charges, charge{inv.ID, inv.AmountDue().Amount, l.now, s})
}

// transferred is what a store reads for a mark-paid.
func (l *ledger) transferred(invoice InvoiceID) Transferred {
	t := Transferred{Invoice: l.docs[string(invoice)]}
	for key, e := range l.entries {
		if strings.HasPrefix(key, TransferKeys(invoice)) {
			t.Keys, t.Amounts = append(t.Keys, key), append(t.Amounts, e.Amount)
			t.Received += e.Amount
		}
	}
	return t
}

// transfer marks an invoice as paid, in a part or more than that.
func (l *ledger) transfer(invoice InvoiceID, reference string, amount int64) Outcome {
	l.t.Helper()
	got := l.command(Command{Action: ActionMarkPaid, Invoice: invoice, Reference: reference, Amount: &amount})
	if got.Code == "" {
		l.came += amount
	}
	return got
}

// must gives a command that is not to be refused or declined.
func (l *ledger) must(c Command, card ...string) {
	l.t.Helper()
	if got := l.command(c, card...); got.Code != "" {
		l.t.Fatalf("%s at %s: %+v", c.Action, l.now, got)
	}
}

// refused gives a command and holds it to a refusal that changes nothing.
func (l *ledger) refused(c Command, want Code) {
	l.t.Helper()
	before := l.s()
	if got := l.command(c); got.Code != want {
		l.t.Errorf("%s at %s: %+v, want %s", c.Action, l.now, got, want)
	}
	if diff := cmp.Diff(before, l.s()); diff != "" {
		l.t.Errorf("the refused %s changed the subscription:\n%s", c.Action, diff)
	}
}

func (l *ledger) apply(b Snapshot, d Decision, cause string) Outcome {
	l.t.Helper()
	if d.Changeset != nil {
		l.post(*d.Changeset)
		return d.Changeset.Outcome
	}
	if d.Bill == nil {
		l.t.Fatalf("a decision without anything: %+v", d)
	}
	inv, reserve := b.Reserve(*d.Bill, cause)
	l.post(reserve)
	due := inv.AmountDue().Amount
	l.made[string(inv.ID)] = made{l.now, b.Subscription}
	if due > 0 {
		if due < b.Policy.Minimum[inv.Currency] {
			l.t.Errorf("the gateway is asked for %d, less than its minimum", due)
		}
		if code := l.cards[inv.Method]; code != "" || inv.Method == "" {
			p := b.Declined(inv, ChargeResult{Status: PaymentDeclined, DeclineCode: code, Advice: l.advice[inv.Method]}, l.now)
			l.post(*p)
			return p.Outcome
		}
		inv.Gateway, inv.Charge = "sandbox", ChargeID("pay_"+string(inv.ID))
		if inv.Method == asking {
			p := b.Awaits(inv, ChargeResult{Status: PaymentRequiresAction, ActionURL: "https://bank.example/" + string(inv.ID)}, l.now)
			if l.bank[string(inv.ID)] = PaymentRequiresAction; !b.MayWait(inv, l.now) {
				l.bank[string(inv.ID)] = givenUp
				p = b.Declined(inv, ChargeResult{Status: PaymentDeclined, DeclineCode: DeclineAbandoned, Advice: AdviceNeedsCustomer}, l.now)
			}
			l.post(*p)
			return p.Outcome
		}
		l.take(inv, b.Subscription)
	}
	p := b.Paid(inv, l.now)
	l.post(*p)
	return p.Outcome
}

// to lets time pass: every step is done at its own instant.
func (l *ledger) to(at string) { l.t.Helper(); l.until(instant(at), false) }

// late lets time pass without the engine, which then does what is due.
func (l *ledger) late(at string) { l.t.Helper(); l.until(instant(at), true) }

func (l *ledger) until(at time.Time, late bool) {
	l.t.Helper()
	for range 10_000 {
		next := l.s().Next
		if next.At.IsZero() || next.At.After(at) {
			l.now = at
			return
		}
		if late {
			l.now, l.outage = at, true
		} else if next.At.After(l.now) { // what has come due meanwhile is done now
			l.now = next.At
		}
		b := l.onFile()
		if b.PendingPayment != nil {
			l.settle(true)
			continue
		}
		d := b.Due(next, l.now)
		if d.Refusal != nil {
			l.t.Fatalf("%s at %s: a step was refused: %v", next.Kind, l.now, d.Refusal)
		}
		l.apply(b, d, next.Cause())
	}
	l.t.Fatalf("at %s the steps do not come to an end: %+v", at, l.s())
}

// entryShapes says of each cause of a balance entry whether the account
// gains by it, and what document it belongs to.
var entryShapes = map[EntryCause]struct {
	document          string
	refundingCommands bool
}{
	"transfer": {"inv_", true}, "payment": {"inv_", false}, "reserved": {"inv_", false}, "released": {"inv_", true},
	"credit_note": {"cn_", true}, "refund": {"re_", true},
}

// post writes a changeset as the store must.
func (l *ledger) post(p Changeset) {
	l.t.Helper()
	fail := func(format string, args ...any) {
		l.t.Helper()
		l.t.Fatalf("at %s: %s\nposting: %+v", l.now, fmt.Sprintf(format, args...), p)
	}
	if before := l.s(); p.From != before.Revision {
		fail("from revision %d of %d", p.From, before.Revision)
	} else if changed := p.Subscription.Revision != p.From; changed && p.Subscription.Revision != p.From+1 {
		fail("to revision %d", p.Subscription.Revision)
	} else if !changed && !cmp.Equal(before, p.Subscription) {
		fail("the state changed without its revision")
	}
	l.history = append(l.history, moment{l.now, l.s(), append([]PaidLine(nil), l.sold...), l.asked, p, l.snapshot.Standing})
	for _, d := range p.CreditAllocations {
		if err := l.draw(d); err != nil {
			fail("%v", err)
		}
	}
	for _, e := range p.Entries {
		if e.Account != "cus_1" || e.Currency != l.s().Price.Currency || e.Key == "" {
			fail("entry %+v", e)
		}
		if _, twice := l.entries[e.Key]; twice {
			fail("entry %s is there twice", e.Key)
		}
		l.entries[e.Key] = e
		if want := entryShapes[e.Cause]; want.document == "" || !strings.HasPrefix(e.Document, want.document) || (e.Amount > 0) != want.refundingCommands {
			fail("an entry of %d is %q of %q", e.Amount, e.Cause, e.Document)
		}
		if l.balance += e.Amount; l.balance < 0 {
			fail("the balance is %d", l.balance)
		}
	}
	if p.Void != "" {
		inv, ok := l.docs[string(p.Void)]
		if !ok || inv.Status != InvoiceDraft && inv.Status != InvoiceOpen {
			fail("void of %s, which is %q", p.Void, inv.Status)
		}
		whole := func(n CreditNote) bool { return n.Invoice == inv.ID && n.Total() == inv.Total() }
		if inv.Status == InvoiceOpen && !slices.ContainsFunc(p.CreditNotes, whole) {
			fail("%s was mailed over %s, and its notes are %+v", inv.ID, inv.Total(), p.CreditNotes)
		}
		inv.Status = InvoiceVoid
		l.docs[string(p.Void)] = inv
	}
	if p.Invoice != nil {
		l.write(*p.Invoice, fail)
	}
	for _, n := range p.CreditNotes {
		l.notes = append(l.notes, n)
		if n.IssuedAt.IsZero() || n.Net < 0 || n.Tax < 0 || n.Total().Amount <= 0 {
			fail("credit note %+v", n)
		}
	}
	if p.MoneyBackClaim {
		l.backs++
	}
	for _, r := range p.Refunds {
		l.refund(r, fail)
	}
	if p.Method != "" {
		l.wallet = p.Method
	}
	for _, n := range p.Notices {
		var kept Notice // as it is read again when its email is written
		if data, err := json.Marshal(n); err != nil || json.Unmarshal(data, &kept) != nil || !reflect.DeepEqual(kept, n) {
			fail("a notice is kept as %+v, error %v", kept, err)
		}
	}
	l.notices = append(l.notices, p.Notices...)
	l.snapshot.Subscription = p.Subscription
	l.holds(fail)
}

func (l *ledger) draw(d CreditAllocation) error {
	if d.Net < 0 || d.Tax < 0 || d.Net+d.Tax == 0 {
		return fmt.Errorf("a draw of %d and %d", d.Net, d.Tax) // where no row changes, a store may take it for a conflict
	}
	for i := range l.sold {
		if s := &l.sold[i]; s.Line.ID == d.Line {
			s.Credited, s.CreditedTax = s.Credited+d.Net, s.CreditedTax+d.Tax
			if s.Credited > s.Line.Net() || s.CreditedTax > s.Line.Tax {
				return fmt.Errorf("%d and %d drawn from %s of %d and %d", s.Credited, s.CreditedTax, d.Line, s.Line.Net(), s.Line.Tax)
			}
			return nil
		}
	}
	return fmt.Errorf("no line %s", d.Line)
}

func (l *ledger) write(inv Invoice, fail func(string, ...any)) {
	l.t.Helper()
	old, known := l.docs[string(inv.ID)]
	if known && old.Status != InvoiceDraft && !(old.Status == InvoiceOpen && inv.OnlyPays(old)) {
		fail("%s is %s and was written again", inv.ID, old.Status)
	}
	if !known {
		for _, other := range l.docs {
			if other.Key == inv.Key {
				fail("two invoices have the key %s", inv.Key)
			}
		}
		l.order = append(l.order, string(inv.ID))
	}
	if problem := addsUp(inv); problem != "" {
		fail("%s", problem)
	}
	if l.docs[string(inv.ID)] = inv; inv.Status == InvoicePaid {
		l.paid = append(l.paid, string(inv.ID))
		waived, waivedTax := inv.Waived()
		for _, line := range inv.Lines {
			if line.Kind == LineService {
				l.sold = append(l.sold, PaidLine{Invoice: inv.ID, Line: line, Credited: waived, CreditedTax: waivedTax})
			}
		}
	}
}

// refund writes a refund, or what became of it.
func (l *ledger) refund(r Refund, fail func(string, ...any)) {
	l.t.Helper()
	if r.Status == RefundPending {
		if inv := l.docs[string(r.Invoice)]; r.Amount.Amount <= 0 || inv.Charge == "" || r.Charge != inv.Charge {
			fail("refund %+v of the charge %q", r, inv.Charge)
		}
		l.refunds = append(l.refunds, r)
		var asked int64
		for _, other := range l.refunds {
			if other.Invoice == r.Invoice {
				asked += other.Amount.Amount
			}
		}
		if due := l.docs[string(r.Invoice)].AmountDue().Amount; asked > due {
			fail("%d asked back of %s, which charged %d", asked, r.Invoice, due)
		}
		return
	}
	i := slices.IndexFunc(l.refunds, func(known Refund) bool { return known.ID == r.ID })
	if i < 0 || l.refunds[i].Status == RefundFailed || l.refunds[i].Status == r.Status {
		fail("%s was not pending, nor has it failed since", r.ID)
	}
	l.refunds[i] = r
}

// confirm is the gateway's answer to all pending refunds: those for which it
// fails are told by their number.
func (l *ledger) confirm(failing ...int) {
	l.t.Helper()
	var answered []Refund
	for i, r := range l.refunds {
		if r.Status == RefundPending {
			if r.Status = RefundSucceeded; slices.Contains(failing, i) {
				r.Status = RefundFailed
			}
			answered = append(answered, r)
		}
	}
	if len(answered) > 0 {
		l.post(*l.onFile().RefundsAnswered(answered, l.now))
	}
}

// sendBack has the engine hear that a refund has failed after all.
func (l *ledger) sendBack(refund RefundID) Outcome {
	l.t.Helper()
	return l.command(Command{Action: ActionRefundFailed, RefundID: refund})
}

// refunded is the sum of what the cards got back, or will.
func (l *ledger) refunded() int64 {
	var sum int64
	for _, r := range l.refunds {
		if r.Status != RefundFailed {
			sum += r.Amount.Amount
		}
	}
	return sum
}

// addsUp says what is wrong with a document's sums.
func addsUp(inv Invoice) string {
	var amount, discount, tax int64
	for i, line := range inv.Lines {
		if want := fmt.Sprintf("%s.%d", inv.ID, i+1); line.ID != want {
			return fmt.Sprintf("line %s, want %s", line.ID, want)
		}
		amount, discount, tax = amount+line.Amount, discount+line.Discount, tax+line.Tax
	}
	switch {
	case inv.Subtotal().Amount != amount, inv.Discount().Amount != discount, inv.Tax().Amount != tax:
		return "the lines do not add up to the sums"
	case inv.Total().Amount != amount-discount+tax:
		return "the total is not subtotal − discount + tax"
	case inv.AmountDue().Amount != inv.Total().Amount-inv.BalanceApplied:
		return "the amount due is not total − balance"
	case inv.Total().Amount < 0, inv.BalanceApplied < 0, inv.AmountDue().Amount < 0:
		return fmt.Sprintf("a negative document: total %s, balance %d", inv.Total(), inv.BalanceApplied)
	}
	return ""
}

// holds checks what is true of every state.
func (l *ledger) holds(fail func(string, ...any)) {
	l.t.Helper()
	s := l.s()
	data, err := json.Marshal(s)
	if err != nil {
		fail("%v", err)
	}
	var back Subscription
	if err := json.Unmarshal(data, &back); err != nil {
		fail("%v", err)
	}
	if !reflect.DeepEqual(back, s) {
		fail("JSON changed the subscription:\n%s", cmp.Diff(s, back))
	}
	if next := s.nextStep(l.snapshot.Policy); next != s.Next {
		fail("next is %+v, and stored is %+v", next, s.Next)
	}
	if line := l.docs[string(s.PaidBy)].Service(); s.Status == Active && (line.Plan != s.Plan || line.Quantity != s.Quantity || line.Price.Currency != s.Price.Currency) {
		fail("%d of %s were paid for, and it is %d of %s", line.Quantity, line.Plan.ID, s.Quantity, s.Plan.ID)
	}
	if c := s.ScheduledChange; c.Quantity > 0 && (s.CancelAtPeriodEnd && !s.Prepaid() || s.Status.Ended() || s.Status == Incomplete) {
		fail("%s, cancelled %t, with %+v to come", s.Status, s.CancelAtPeriodEnd, c)
	}
	pending := 0
	for _, r := range l.refunds {
		if r.Status == RefundPending {
			pending++
		}
	}
	if pending != s.Refunding {
		fail("%d refunds are pending, and the state says %d", pending, s.Refunding)
	}
	for id, inv := range l.docs {
		if waits := string(s.PendingPayment.Invoice) == id; inv.Waits != waits || waits && (inv.Status != InvoiceDraft || inv.AmountDue() != s.PendingPayment.Amount) ||
			!waits && inv.ActionURL != "" {
			fail("%+v waits, and %+v", s.PendingPayment, inv)
		}
	}
	if (s.Status.Ended() && s.PendingPayment.Invoice == "") != s.Next.At.IsZero() {
		fail("%s waits for %+v", s.Status, s.Next)
	}
	if open := l.docs[string(s.OpenInvoice)]; !s.DueAt.IsZero() {
		if open.Status != InvoiceOpen || open.DueAt != s.DueAt || s.Status != Incomplete && s.Status != Active {
			fail("%s waits until %s for %s, due %s", s.Status, s.DueAt, open.Status, open.DueAt)
		}
	} else if (s.OpenInvoice == "") != (s.Status != PastDue && (s.Status != Incomplete || !s.HasMethod)) {
		fail("%s with the open invoice %q", s.Status, s.OpenInvoice)
	}
	until := s.Entitlement(l.snapshot.Policy).ValidUntil
	if granted := s.License != ""; granted == until.IsZero() {
		fail("%s with licence %q is valid until %s", s.Status, s.License, until)
	}
}

// last is the newest invoice.
func (l *ledger) last() Invoice {
	if len(l.order) == 0 {
		return Invoice{}
	}
	return l.docs[l.order[len(l.order)-1]]
}

// charged is the sum of what the gateway took.
func (l *ledger) charged() int64 {
	var sum int64
	for _, c := range l.charges {
		sum += c.amount
	}
	return sum
}

// told is the notices of a kind.
func (l *ledger) told(kind NoticeKind) []Notice {
	var found []Notice
	for _, n := range l.notices {
		if n.Kind == kind {
			found = append(found, n)
		}
	}
	return found
}

// is compares two values.
func is[T any](t rapid.TB, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (−want +got):\n%s", what, diff)
	}
}

// withoutCause is a state without what only says where it comes from.
func withoutCause(s Subscription) Subscription { s.Cause = ""; return s }

func change(plan string) Command { return Command{Action: ActionChange, Plan: plan} }
