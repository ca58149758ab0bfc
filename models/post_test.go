package models

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
)

func TestAStaleChangesetWritesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		_, paid := s.reserved(newOrder("ada@contoso.example"))
		_, err := s.Fence(t.Context(), paid.Subscription.ID)
		must(t, err)
		before := s.snapshot(paid.Subscription.ID)
		paid.TrialClaim = "contoso.example"
		paid.Entries = []billing.BalanceEntry{{Key: "gift", Account: "cus_1", Currency: "USD", Amount: 5}}
		if err := s.Post(t.Context(), paid); !errors.Is(err, billing.ErrStale) {
			t.Fatalf("got %v, want ErrStale", err)
		}
		after := s.snapshot(paid.Subscription.ID)
		before.NewID, after.NewID = nil, nil
		if diff := cmp.Diff(before, after); diff != "" {
			t.Error(diff)
		}
		for _, table := range []string{"licenses", "events", "outbox", "paid_lines", "counters", "trial_claims", "balance_entries"} {
			if want := map[string]int{"counters": 3}[table]; s.rows(table) != want { // of subscriptions, of changes of the catalogue, and of events
				t.Errorf("%d %s", s.rows(table), table)
			}
		}
		if err := s.Post(t.Context(), billing.Changeset{Subscription: billing.Subscription{ID: "sub_none"}}); !errors.Is(err, billing.ErrNotFound) {
			t.Errorf("an unknown subscription: %v", err)
		}
	})
}

func TestACauseHasOneInvoice(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		o := newOrder("ada@contoso.example")
		inv, paid := s.reserved(o)
		must(t, s.Post(t.Context(), paid))
		b := s.snapshot(o.sub.ID)
		again := inv
		again.ID = billing.InvoiceID(NewID("inv"))
		_, reserve := b.Reserve(again, string(o.request.ID))
		if err := s.Post(t.Context(), reserve); !errors.Is(err, gorm.ErrDuplicatedKey) {
			t.Errorf("a second invoice for %s: %v", inv.Key, err)
		}
		if n := s.rows("invoices"); n != 1 {
			t.Errorf("%d invoices", n)
		}
	})
}

func TestFreezingABillReservesTheBalanceAndChangesNoState(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		o := newOrder("ada@contoso.example")
		s.place(o)
		b := s.snapshot(o.sub.ID)
		account := b.Order.BillingAccount
		s.give(account, "USD", 300)
		b = s.snapshot(o.sub.ID)
		inv, reserve := b.Reserve(*b.Decide(o.request.Command, opening).Bill, string(o.request.ID))
		must(t, s.Post(t.Context(), reserve))
		if got := s.balance(account); got != 0 {
			t.Errorf("balance %d, want 0", got)
		}
		after := s.snapshot(o.sub.ID)
		if diff := cmp.Diff(b.Subscription, after.Subscription); diff != "" {
			t.Errorf("the state changed:\n%s", diff)
		}
		if after.InFlight == nil || after.InFlight.ID != inv.ID || after.InFlight.AmountDue().Amount != 690 {
			t.Errorf("in flight: %+v", after.InFlight)
		}
		if n := s.rows("events") + s.rows("outbox") + s.rows("licenses"); n != 0 {
			t.Errorf("%d events, mails and licences", n)
		}

		// Another try of the same step, which read the snapshot before the first
		// one reserved its bill, must not send off a second payment.
		_, again := b.Reserve(*b.Decide(o.request.Command, opening).Bill, string(o.request.ID))
		if err := s.Post(t.Context(), again); !errors.Is(err, billing.ErrConflict) {
			t.Errorf("frozen twice: %v", err)
		}
		// Nor may it write the same draft anew, with another reservation.
		rewritten := reserve
		draft := *reserve.Invoice
		draft.BalanceApplied = 0
		rewritten.Invoice, rewritten.Entries = &draft, nil
		if err := s.Post(t.Context(), rewritten); !errors.Is(err, billing.ErrConflict) {
			t.Errorf("rewritten in flight: %v", err)
		}

		// A decline gives the reservation back, once.
		declined := b.Declined(inv, billing.ChargeResult{Status: billing.PaymentDeclined, DeclineCode: "generic_decline"}, opening)
		must(t, s.Post(t.Context(), *declined))
		if got := s.balance(account); got != 300 {
			t.Errorf("balance %d after the decline, want 300", got)
		}
		b = s.snapshot(o.sub.ID)
		if b.InFlight != nil || b.Open == nil || b.Open.ID != inv.ID {
			t.Errorf("in flight %v, open %v", b.InFlight, b.Open)
		}

		// The next card is charged for the same draft.
		second, reserve := b.Reserve(*b.Decide(billing.Command{Action: billing.ActionPaymentMethod}, opening).Bill, "again")
		must(t, s.Post(t.Context(), reserve))
		must(t, s.Post(t.Context(), *b.Paid(second, opening)))
		got, _, err := s.Invoice(t.Context(), inv.ID)
		must(t, err)
		if got.Status != billing.InvoicePaid || got.Attempt != 2 || got.BalanceApplied != 300 || got.Number != "INV-2026-000001" {
			t.Errorf("got %+v", got)
		}
		if s.balance(account) != 0 || s.rows("invoices") != 1 {
			t.Errorf("balance %d, %d invoices", s.balance(account), s.rows("invoices"))
		}
	})
}

func TestAPurchaseIsWrittenAsAWhole(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		o := newOrder("ada@contoso.example")
		sub := s.buy(o)
		end := time.Date(2026, 2, 28, 10, 0, 0, 0, time.UTC)

		r, err := s.Request(t.Context(), o.request.ID)
		must(t, err)
		if r.Outcome == nil || r.Outcome.Payment.Status != billing.PaymentSucceeded || r.Outcome.Code != "" {
			t.Fatalf("outcome %+v", r.Outcome)
		}
		inv, notes, err := s.Invoice(t.Context(), r.Outcome.Invoice)
		must(t, err)
		if inv.Number != "INV-2026-000001" || inv.Status != billing.InvoicePaid || !inv.PaidAt.Equal(opening) || len(notes) != 0 {
			t.Errorf("invoice %+v, notes %v", inv, notes)
		}
		l, err := s.License(t.Context(), o.detail.License)
		must(t, err)
		if !l.ValidUntil.Equal(end.Add(72*time.Hour)) || l.Licensee != "BI team <ada@contoso.example>" || l.Number != 1 || l.Revision != 1 {
			t.Errorf("licence %+v", l)
		}
		events, err := s.Events(t.Context(), o.sub.ID)
		must(t, err)
		want := []billing.Event{{At: opening, Kind: "purchase", Actor: "customer", Text: "Bought until 2026-02-28; 9.90 USD charged.",
			Details: &billing.EventDetails{Amount: billing.Money{Amount: 990, Currency: "USD"}, By: billing.ByCard, Until: end}}}
		if diff := cmp.Diff(want, events); diff != "" {
			t.Error(diff)
		}
		if s.rows("outbox") != 2 {
			t.Errorf("%d mails", s.rows("outbox"))
		}
		b := s.snapshot(o.sub.ID)
		if b.Method != "pm_"+string(o.sub.ID) || b.Subscription.Next.At != end {
			t.Errorf("method %q, next %v", b.Method, b.Subscription.Next)
		}

		// A changeset that was written already is refused, so nothing is there
		// twice; and an answer stays as it was given.
		again := billing.Changeset{From: 0, Subscription: sub, Request: o.request.ID, Outcome: billing.Outcome{Code: billing.CodeCardDeclined}}
		if err := s.Post(t.Context(), again); !errors.Is(err, billing.ErrStale) {
			t.Errorf("posted again: %v", err)
		}
		again.From = sub.Revision
		must(t, s.Post(t.Context(), again))
		if r, err = s.Request(t.Context(), o.request.ID); err != nil || r.Outcome.Code != "" {
			t.Errorf("the answer is now %+v, %v", r.Outcome, err)
		}
		if s.rows("events") != 1 || s.rows("outbox") != 2 {
			t.Errorf("%d events, %d mails", s.rows("events"), s.rows("outbox"))
		}
	})
}

// 30 purchases are paid at once. A third of them fail at their last write,
// when they have taken their number.
func TestInvoiceNumbersHaveNoGapsWhateverFails(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		const n, failing = 30, 10
		var paid [n]billing.Changeset
		for i := range paid {
			_, paid[i] = s.reserved(newOrder(fmt.Sprintf("ada%d@contoso.example", i)))
		}
		var taken []paidLineRow
		for i := range failing {
			inv := *paid[i].Invoice
			taken = append(taken, paidLineRow{ID: inv.Lines[0].ID, Invoice: "inv_other", Subscription: "sub_other"})
		}
		must(t, s.db.Create(&taken).Error)
		errs := together(n, func(i int) error { return s.Post(t.Context(), paid[i]) })
		for i, err := range errs {
			if (err != nil) != (i < failing) {
				t.Errorf("posting %d: %v", i, err)
			}
		}
		numbers := s.numbers("invoices")
		var want []string
		for i := range n - failing {
			want = append(want, fmt.Sprintf("INV-2026-%06d", i+1))
		}
		if diff := cmp.Diff(want, numbers); diff != "" {
			t.Error(diff)
		}
		// What failed is whole, and goes through later.
		must(t, s.db.Where("invoice = ?", "inv_other").Delete(&paidLineRow{}).Error)
		for i := range failing {
			must(t, s.Post(t.Context(), paid[i]))
		}
		if numbers := s.numbers("invoices"); len(numbers) != n || numbers[n-1] != "INV-2026-000030" {
			t.Errorf("numbers %v", numbers)
		}
	})
}

func (s shop) numbers(table string) (numbers []string) {
	s.Helper()
	must(s, s.db.Table(table).Where("number IS NOT NULL").Order("number").Pluck("number", &numbers).Error)
	return numbers
}

func TestAYearHasASeriesOfItsOwn(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		sub := s.buy(newOrder("ada@contoso.example"))
		for range 11 { // until the end of December
			sub = s.due(sub.ID)
		}
		s.due(sub.ID)
		numbers := s.numbers("invoices")
		if len(numbers) != 13 || numbers[11] != "INV-2026-000012" || numbers[12] != "INV-2027-000001" {
			t.Errorf("numbers %v", numbers)
		}
	})
}

func TestANumberedInvoiceIsNeverWrittenAgain(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		sub := s.buy(newOrder("ada@contoso.example"))
		invoices, err := s.Invoices(t.Context(), "", sub.ID, "", 10)
		must(t, err)
		paid := invoices[0]
		next := sub
		next.Revision++
		draft, again := paid, paid
		draft.Status, draft.Number = billing.InvoiceDraft, ""
		for name, p := range map[string]billing.Changeset{
			"as a draft":  {Invoice: &draft},
			"paid again":  {Invoice: &again},
			"void":        {Void: paid.ID},
			"as it fails": {Invoice: &draft, Void: paid.ID},
		} {
			p.From, p.Subscription = sub.Revision, next
			if err := s.Post(t.Context(), p); err == nil {
				t.Errorf("%s: it was written", name)
			}
		}
		if err := s.SetCharge(t.Context(), paid.ID, "sandbox", "pay_other"); err == nil {
			t.Error("a charge was set")
		}
		got, _, err := s.Invoice(t.Context(), paid.ID)
		must(t, err)
		if diff := cmp.Diff(paid, got); diff != "" {
			t.Error(diff)
		}
		if after := s.snapshot(sub.ID).Subscription.Revision; after != sub.Revision {
			t.Errorf("revision %d, want %d", after, sub.Revision)
		}
		if numbers := s.numbers("invoices"); !slices.Equal(numbers, []string{"INV-2026-000001"}) {
			t.Errorf("numbers %v", numbers)
		}
	})
}

func TestAChargesReferenceIsKeptWithTheDraft(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		inv, _ := s.reserved(newOrder("ada@contoso.example"))
		must(t, s.SetCharge(t.Context(), inv.ID, "sandbox", "pay_1"))
		got := s.snapshot(inv.Subscription).InFlight
		if got == nil || got.Gateway != "sandbox" || got.Charge != "pay_1" || got.AmountDue() != inv.AmountDue() {
			t.Errorf("in flight %+v", got)
		}
		if err := s.SetCharge(t.Context(), "inv_none", "sandbox", "pay_1"); !errors.Is(err, billing.ErrNotFound) {
			t.Errorf("an unknown invoice: %v", err)
		}
	})
}

// A change to a cheaper plan at its first instant gives all of 19.80 back:
// 2.50 pays for the new plan, 17.30 goes to the balance by a credit note.
func TestACreditNoteHasItsOwnSeriesAndItsMoneyGoesToTheBalance(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		for n := range 2 {
			o := newOrder(fmt.Sprintf("ada%d@contoso.example", n))
			sub := s.buy(o)
			s.command(sub.ID, billing.Command{Action: billing.ActionChange, Plan: upTo50}, opening)
			s.command(sub.ID, billing.Command{Action: billing.ActionChange, Plan: single}, opening)
			account := s.snapshot(sub.ID).Order.BillingAccount
			if got := s.balance(account); got != 1730 {
				t.Errorf("balance %d, want 1730", got)
			}
			balances, err := s.Balance(t.Context(), account)
			must(t, err)
			if diff := cmp.Diff([]billing.Money{{Amount: 1730, Currency: "USD"}}, balances); diff != "" {
				t.Error(diff)
			}
			invoices, err := s.Invoices(t.Context(), "", sub.ID, "", 10)
			must(t, err)
			var credited billing.CreditNote
			for _, inv := range invoices {
				_, notes, err := s.Invoice(t.Context(), inv.ID)
				must(t, err)
				for _, note := range notes {
					credited = note
				}
			}
			if want := fmt.Sprintf("CN-2026-%06d", n+1); credited.Number != want || credited.Net != 1730 || !credited.IssuedAt.Equal(opening) {
				t.Errorf("note %+v, want number %s", credited, want)
			}
			b := s.snapshot(sub.ID)
			if len(b.PaidLines) != 1 || b.PaidLines[0].Remainder() != 250 {
				t.Errorf("sold %+v", b.PaidLines)
			}
		}
		if numbers := s.numbers("invoices"); len(numbers) != 6 || numbers[5] != "INV-2026-000006" {
			t.Errorf("numbers %v", numbers)
		}
	})
}

func TestDrawsNeverTakeMoreThanALineWasSoldFor(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		sub := s.buy(newOrder("ada@contoso.example"))
		line := s.snapshot(sub.ID).PaidLines[0].Line.ID
		allocateCredits := func(net ...int64) error {
			p := billing.Changeset{From: sub.Revision, Subscription: sub}
			for _, n := range net {
				p.CreditAllocations = append(p.CreditAllocations, billing.CreditAllocation{Line: line, Net: n})
			}
			p.Entries = []billing.BalanceEntry{{Key: NewID("test"), Account: "cus_1", Currency: "USD", Amount: 1}}
			return s.Post(t.Context(), p)
		}
		must(t, allocateCredits(400))
		must(t, allocateCredits(0)) // a credit that had no room on the new invoice
		for _, net := range [][]int64{{591}, {590, 1}, {1 << 60}} {
			if err := allocateCredits(net...); !errors.Is(err, billing.ErrConflict) {
				t.Errorf("drawing %v of 590: %v", net, err)
			}
		}
		if sold := s.snapshot(sub.ID).PaidLines; len(sold) != 1 || sold[0].Credited != 400 || s.balance("cus_1") != 2 {
			t.Errorf("sold %+v, balance %d", sold, s.balance("cus_1"))
		}
		// Of 20 at once that want 100 each, 5 get it.
		granted := 0
		for _, err := range together(20, func(int) error { return allocateCredits(100) }) {
			switch {
			case err == nil:
				granted++
			case !errors.Is(err, billing.ErrConflict):
				t.Error(err)
			}
		}
		if granted != 5 {
			t.Errorf("%d draws of 100 from 590", granted)
		}
		must(t, allocateCredits(90))
		if sold := s.snapshot(sub.ID).PaidLines; len(sold) != 0 {
			t.Errorf("a line without a remainder is still on the book: %+v", sold)
		}
	})
}

func TestABalanceEntryHappensOnceAndABalanceStaysAboveZero(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		sub := s.buy(newOrder("ada@contoso.example"))
		move := func(key, currency string, amount int64) error {
			return s.Post(t.Context(), billing.Changeset{From: sub.Revision, Subscription: sub, Entries: []billing.BalanceEntry{
				{Key: key, Account: "cus_1", Currency: currency, Amount: amount},
			}})
		}
		must(t, move("a", "USD", 500))
		must(t, move("a", "USD", 500))
		must(t, move("b", "EUR", 7))
		if err := move("c", "USD", -501); !errors.Is(err, billing.ErrConflict) {
			t.Errorf("501 of 500: %v", err)
		}
		must(t, move("c", "USD", -500)) // refused before, so it has not happened
		must(t, move("c", "USD", -500))
		if got := s.balance("cus_1"); got != 0 {
			t.Errorf("balance %d, want 0", got)
		}
		if err := move("d", "JPY", -1); !errors.Is(err, billing.ErrConflict) {
			t.Errorf("of a balance that never was: %v", err)
		}
		if n := s.rows("balance_entries"); n != 3 {
			t.Errorf("%d entries, want 3", n)
		}
		for _, err := range together(20, func(int) error { return move("e", "GBP", 5) }) {
			must(t, err)
		}
		b, err := balance(s.db, "cus_1", "GBP")
		must(t, err)
		if b.Amount != 5 {
			t.Errorf("one entry written 20 times at once: %d", b.Amount)
		}
	})
}

// 20 orders of one account see 10.00 on its balance at the same time.
func TestABalanceIsNeverSpentTwice(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		const n = 20
		var reserves [n]billing.Changeset
		var bills [n]billing.Invoice
		var account billing.AccountID
		for i := range n {
			o := newOrder("ada@contoso.example")
			s.place(o)
			if i == 0 {
				account = s.snapshot(o.sub.ID).Order.BillingAccount
				s.give(account, "USD", 1000)
			}
			b := s.snapshot(o.sub.ID)
			bills[i], reserves[i] = b.Reserve(*b.Decide(o.request.Command, opening).Bill, string(o.request.ID))
		}
		reserved := 0
		for i, err := range together(n, func(i int) error { return s.Post(t.Context(), reserves[i]) }) {
			switch {
			case err == nil:
				reserved++
			case !errors.Is(err, billing.ErrConflict):
				t.Error(err)
			case s.snapshot(bills[i].Subscription).InFlight != nil:
				t.Error("a refused bill was written")
			}
		}
		if reserved != 1 || s.balance(account) != 10 {
			t.Errorf("%d orders have reserved 9.90 of 10.00; %d are left", reserved, s.balance(account))
		}
	})
}

func TestAnOrganisationTriesAProductOnce(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		const n = 20
		var trials [n]billing.Changeset
		for i := range n {
			o := newOrder(fmt.Sprintf("ada%d@contoso.example", i))
			o.detail.Pay = billing.PayTrial
			s.place(o)
			b := s.snapshot(o.sub.ID)
			b.Method = ""
			trials[i] = *b.Decide(o.request.Command, opening).Changeset
			trials[i].Request = o.request.ID
		}
		started := 0
		for i, err := range together(n, func(i int) error { return s.Post(t.Context(), trials[i]) }) {
			var refusal *billing.Error
			switch {
			case err == nil:
				started++
			case !errors.As(err, &refusal) || refusal.Code != billing.CodeTrialAlreadyUsed:
				t.Error(err)
			case s.snapshot(trials[i].Subscription.ID).Subscription.Status != billing.Incomplete:
				t.Error("a refused trial was written")
			}
		}
		if started != 1 || s.rows("licenses") != 1 {
			t.Errorf("%d trials, %d licences", started, s.rows("licenses"))
		}

		// Another product is another trial; the same one for somebody else too.
		other := newOrder("eve@contoso.example")
		other.sub.Product, other.detail.Pay = "smart-filter-pro", billing.PayTrial
		other.sub.Plan.ID = "smart-filter-pro_users_1-20_monthly"
		if sub := s.buy(other); sub.Status != billing.Trialing {
			t.Errorf("another product: %s", sub.Status)
		}
		friend := newOrder("eve@fabrikam.example")
		friend.detail.Pay = billing.PayTrial
		if sub := s.buy(friend); sub.Status != billing.Trialing {
			t.Errorf("another organisation: %s", sub.Status)
		}
	})
}

func TestARefusalIsAnAnswerAndChangesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		sub := s.buy(newOrder("ada@contoso.example"))
		r := billing.Request{ID: billing.RequestID(NewID("req")), Caller: "cal_1", Route: "POST change", Key: NewID("key"), Subscription: sub.ID, Actor: "operator"}
		_, _, err := s.Begin(t.Context(), r, nil, nil)
		must(t, err)
		c := billing.Command{Action: billing.ActionChange, Plan: upTo20, Request: r.ID}
		b := s.snapshot(sub.ID)
		d := b.Decide(c, opening.Add(time.Hour))
		s.post(*b.Refused(c, d.Refusal, opening), r.ID)
		got, err := s.Request(t.Context(), r.ID)
		must(t, err)
		if got.Outcome == nil || got.Outcome.Code != billing.CodeNoChange {
			t.Errorf("outcome %+v", got.Outcome)
		}
		if diff := cmp.Diff(sub, s.snapshot(sub.ID).Subscription); diff != "" || s.rows("events") != 1 {
			t.Errorf("%d events; %s", s.rows("events"), diff)
		}
		// The history tells who it was.
		s.command(sub.ID, billing.Command{Action: billing.ActionCancel, Request: r.ID}, opening.Add(time.Hour))
		s.command(sub.ID, billing.Command{Action: billing.ActionResume}, opening.Add(2*time.Hour))
		events, err := s.Events(t.Context(), sub.ID)
		must(t, err)
		var actors []string
		for _, e := range events {
			actors = append(actors, string(e.Kind)+" by "+e.Actor)
		}
		if got := strings.Join(actors, ", "); got != "purchase by customer, cancel_scheduled by operator, resumed by engine" {
			t.Error(got)
		}
	})
}
