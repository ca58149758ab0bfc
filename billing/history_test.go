package billing

import (
	"fmt"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/okviz/licensing/licensing"
)

// act is one thing that happens in a random history.
type act struct {
	What     string
	Wait     time.Duration
	Plan     string
	Quantity int64
	Card     string
	Back     time.Duration // a change's proration_time, this long ago
	Preview  bool          // a change that holds the charge to its preview
	Refund   RefundScope   // with cancel-now
	Invoice  int           // whose refund: the number of a paid one
	Part     int64         // of what an invoice came to, in percent; 0: all that is left
	Percent  int64         // the account's standing discount from now on
	Transfer int           // whose transfer: so many invoices before the newest
	Amount   int64         // of the transfer, besides its share of what is due
	Share    int64         // 1: all that is due, 2: half of it, 0: none
	Dispute  int           // whose dispute: of three
	Status   DisputeStatus // that the gateway tells of it
}

func acts(t *rapid.T) []act {
	what := rapid.SampledFrom([]string{
		"wait", "wait", "wait", "late", "standing", "change", "change", "change", "schedule", "schedule", "withdraw", "cancel", "resume", "renew", "card", "card", "trouble", "reprice",
		"money-back", "cancel-now", "refund", "confirm", "bounce", "send back", "transfer", "transfer", "approve", "approve", "fail", "news",
		"suspend", "reinstate", "reinstate", "revoke", "dispute", "dispute", "dispute",
	})
	plan := rapid.SampledFrom([]string{small, large, smallYear, largeYear, smallThree, site, siteYear, single})
	card := rapid.SampledFrom([]string{"visa", "visa", "visa", "amex", "poor", "stolen", "3ds", asking, asking})
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) act {
		a := act{What: what.Draw(t, "what")}
		switch a.What {
		case "wait", "late":
			unit := rapid.SampledFrom([]time.Duration{time.Second, time.Minute, time.Hour, 24 * time.Hour, 24 * time.Hour, 240 * time.Hour}).Draw(t, "unit")
			a.Wait = time.Duration(rapid.IntRange(1, 40).Draw(t, "units")) * unit
		case "change":
			a.Plan = plan.Draw(t, "plan")
			a.Quantity = rapid.Int64Range(0, 3).Draw(t, "quantity")
			a.Back = time.Duration(rapid.IntRange(0, 20).Draw(t, "back")) * time.Minute
			a.Preview = rapid.Bool().Draw(t, "preview")
		case "schedule":
			a.Plan = plan.Draw(t, "plan")
			a.Quantity = rapid.Int64Range(0, 3).Draw(t, "quantity")
			a.Preview = rapid.Bool().Draw(t, "preview")
		case "standing":
			a.Percent = rapid.SampledFrom([]int64{0, 7, 30, 100}).Draw(t, "percent")
		case "card", "trouble":
			a.Card = card.Draw(t, "card")
		case "cancel-now":
			a.Refund = rapid.SampledFrom([]RefundScope{RefundNone, RefundProrated, RefundFull}).Draw(t, "refund")
		case "dispute":
			a.Invoice = rapid.IntRange(0, 4).Draw(t, "invoice")
			a.Part = rapid.SampledFrom([]int64{33, 100, 100}).Draw(t, "part")
			a.Dispute = rapid.IntRange(0, 2).Draw(t, "dispute")
			a.Status = rapid.SampledFrom([]DisputeStatus{DisputeOpened, DisputeOpened, DisputeWon, DisputeWon, DisputeLost}).Draw(t, "status")
		case "refund":
			a.Invoice = rapid.IntRange(0, 4).Draw(t, "invoice")
			a.Part = rapid.SampledFrom([]int64{0, 1, 7, 33, 50, 99, 100}).Draw(t, "part")
		case "send back":
			a.Invoice = rapid.IntRange(0, 4).Draw(t, "refund")
		case "approve", "fail": // whatever the bank has asked for, long ago too
			a.Invoice = rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(t, "invoice")
		case "transfer":
			a.Transfer = rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(t, "transfer")
			a.Amount = rapid.SampledFrom([]int64{0, 0, 0, 7, 1}).Draw(t, "amount")
			a.Share = rapid.SampledFrom([]int64{1, 1, 1, 2, 0}).Draw(t, "share")
		}
		return a
	}), 8, 60).Draw(t, "acts")
}

// live lets a history happen, each act to the next of the subscriptions.
func live(first string, history []act, of ...*ledger) {
	for _, l := range of {
		l.command(Command{Action: ActionPurchase, Request: "req_buy"}, first)
	}
	for n, a := range history {
		l := of[n%len(of)]
		switch a.What {
		case "transfer":
			if a.Transfer >= len(l.order) {
				continue
			}
			inv := l.docs[l.order[len(l.order)-1-a.Transfer]]
			amount := a.Amount + 1
			if a.Share > 0 {
				amount = a.Amount + max(1, inv.AmountDue().Amount/a.Share)
			}
			l.transfer(inv.ID, fmt.Sprint("transfer ", n), amount)
		case "approve", "fail":
			if a.Invoice >= len(l.order) {
				continue
			}
			answer := PaymentSucceeded
			if a.What == "fail" {
				answer = PaymentDeclined
			}
			l.answer(InvoiceID(l.order[len(l.order)-1-a.Invoice]), answer)
		case "news":
			l.command(Command{Action: ActionSettle})
		case "wait":
			l.until(l.now.Add(a.Wait), false)
		case "late":
			l.until(l.now.Add(a.Wait), true)
		case "change":
			l.command(Command{Action: ActionSettle}) // what a preview could not know
			c := Command{Action: ActionChange, Plan: a.Plan, Quantity: a.Quantity}
			if a.Back > 0 {
				c.ProrationTime = l.now.Add(-a.Back)
			}
			var promised ChangePreview
			if a.Preview {
				at := l.now
				if a.Back > 0 {
					at = c.ProrationTime
				}
				var err error
				if promised, err = l.onFile().PreviewChange(c, at); err == nil {
					due := promised.Invoice.AmountDue().Amount
					c.ExpectedAmountDue = &due
				}
			}
			before := l.charged()
			switch got := l.command(c); {
			case got.Code == CodeAmountChanged:
				l.t.Fatalf("the preview said %+v", promised)
			case got.Payment.Status == PaymentRequiresAction: // nothing has moved yet
			case got.Code == "" && a.Preview:
				if due := promised.Invoice.AmountDue().Amount; l.charged()-before != due || l.balance != promised.BalanceAfter.Amount {
					l.t.Fatalf("charged %d, balance %d; the preview said %+v", l.charged()-before, l.balance, promised)
				}
			}
		case "schedule":
			l.command(Command{Action: ActionSettle})
			c := Command{Action: ActionScheduleChange, Plan: a.Plan, Quantity: a.Quantity}
			if promised, err := l.onFile().PreviewScheduled(c, l.now); a.Preview && err == nil {
				due := promised.Invoice.AmountDue().Amount
				c.ExpectedAmountDue = &due
			}
			before := l.charged()
			if got := l.command(c); got.Code == CodeAmountChanged || l.charged() != before {
				l.t.Fatalf("scheduling charged %d: %+v", l.charged()-before, got)
			}
		case "withdraw":
			l.command(Command{Action: ActionWithdraw})
		case "cancel-now":
			l.command(Command{Action: ActionCancelNow, Refund: a.Refund})
		case "refund":
			if len(l.paid) == 0 {
				continue
			}
			c := Command{Action: ActionRefund, Invoice: InvoiceID(l.paid[a.Invoice%len(l.paid)])}
			if a.Part > 0 {
				part := max(1, l.docs[string(c.Invoice)].Total().Amount*a.Part/100)
				c.Amount = &part
			}
			l.command(c)
		case "confirm":
			l.confirm()
		case "bounce": // a card takes nothing back
			l.confirm(len(l.refunds) - 1)
		case "send back": // whatever became of it before
			if len(l.refunds) > 0 {
				l.sendBack(l.refunds[a.Invoice%len(l.refunds)].ID)
			}
		case "dispute":
			l.disputeAgain(a)
		case "cancel", "resume", "renew", "money-back", "suspend", "revoke", "reinstate":
			l.command(Command{Action: Action(a.What)})
		case "card":
			l.command(Command{Action: ActionPaymentMethod}, a.Card)
		case "standing":
			l.snapshot.Standing = a.Percent
		case "reprice": // and everybody is moved
			l.until(l.now, false)
			was := l.s().RenewalPrice()
			l.command(l.reprice(l.s().Plan.ID, was.Amount+7, was.ID+"+"))
		case "trouble": // the card is emptied, or filled again
			if l.cards[a.Card] == "" {
				l.cards[a.Card] = "insufficient_funds"
			} else {
				l.cards[a.Card] = ""
			}
		}
	}
}

// disputeAgain tells something of a dispute: of one that is known, or of a new one
// over a part of what a charge took and has not given back.
func (l *ledger) disputeAgain(a act) {
	id := fmt.Sprint("dp_", a.Dispute)
	d := Dispute{ID: id, Status: a.Status}
	if i := slices.IndexFunc(l.s().Disputes, func(was Dispute) bool { return was.ID == id }); i >= 0 {
		d.Invoice, d.Amount = l.s().Disputes[i].Invoice, l.s().Disputes[i].Amount
	} else {
		if len(l.charges) == 0 {
			return
		}
		c := l.charges[a.Invoice%len(l.charges)]
		left := c.amount
		for _, r := range l.refunds {
			if r.Invoice == c.invoice && r.Status != RefundFailed {
				left -= r.Amount.Amount
			}
		}
		for _, other := range l.s().Disputes {
			if other.Invoice == c.invoice && other.Status != DisputeWon {
				left -= other.Amount.Amount
			}
		}
		if left <= 0 {
			return
		}
		d.Invoice, d.Amount = c.invoice, Money{max(1, left*a.Part/100), l.s().Price.Currency}
	}
	l.command(Command{Action: ActionDispute, Dispute: d})
}

// share is amount × part ÷ whole, half away from zero, by rational numbers.
func share(amount, part, whole int64) int64 {
	if whole == 0 {
		return 0
	}
	r := new(big.Rat).SetFrac64(amount, whole)
	r.Mul(r, new(big.Rat).SetInt64(part))
	twice := new(big.Int).Add(new(big.Int).Lsh(r.Num(), 1), r.Denom()) // nothing here is negative
	return twice.Quo(twice, new(big.Int).Lsh(r.Denom(), 1)).Int64()
}

// unused is what a change at an instant gives back of a line, by the rule.
func unused(s PaidLine, at time.Time, mode ProrationMode) int64 {
	unit, p := time.Second, s.Line.Period
	if mode == PerDay {
		unit = 24 * time.Hour
		p, at = Period{p.Start.Truncate(unit), p.End.Truncate(unit)}, at.Truncate(unit)
	}
	return share(s.Line.Net(), max(0, int64(p.End.Sub(at)/unit)), int64(p.End.Sub(p.Start)/unit))
}

// audit holds a history to what is true of all of them, where the account had an
// opening balance and has nothing else.
func audit(l *ledger, opening int64) {
	l.t.Helper()
	if change := audited(l); l.balance != opening+change {
		l.t.Errorf("the balance is %d of %d, and the documents change it by %d", l.balance, opening, change)
	}
}

// audited is audit of one of an account's subscriptions, and returns by how much it
// has changed the account's balance.
func audited(l *ledger) (change int64) {
	t := l.t
	t.Helper()
	type line struct{ net, tax int64 }
	given := map[string]line{}     // drawn from each sold line
	odd := map[string]bool{}       // of which a part was given back to the minor unit
	noted := map[string]int64{}    // by notes, from each invoice
	expected := map[string]int64{} // draws, by the rules
	var charged, applied, notes, lost, waived, reserved, transferred int64

	for _, c := range l.charges {
		charged += c.amount
		inv := l.docs[string(c.invoice)]
		if c.was.Status.Ended() && inv.Purpose != ForRevival {
			t.Errorf("%s was charged at %s, after the end", c.invoice, c.at)
		}
		if c.was.Revoked {
			t.Errorf("%s was charged at %s for a licence that is revoked", c.invoice, c.at)
		}
		if c.was.PendingPayment.Invoice != c.invoice && slices.ContainsFunc(c.was.Disputes, func(d Dispute) bool { return d.Status == DisputeOpened }) {
			t.Errorf("%s was charged at %s, while a payment was disputed", c.invoice, c.at)
		}
		back := int64(0)
		for _, r := range l.refunds {
			if r.Invoice == c.invoice && r.Status != RefundFailed {
				back += r.Amount.Amount
			}
		}
		for _, d := range l.s().Disputes {
			if d.Invoice == c.invoice && d.Status == DisputeLost {
				back += d.Amount.Amount
			}
		}
		if back > c.amount {
			t.Errorf("%s charged %d, and %d was given back or lost", c.invoice, c.amount, back)
		}
		if inv.Status != InvoicePaid || inv.AmountDue().Amount != c.amount {
			t.Errorf("%s is %s, due %s, and %d was charged", c.invoice, inv.Status, inv.AmountDue(), c.amount)
		}
	}
	var paid int64
	for _, id := range l.order {
		inv := l.docs[id]
		if inv.InFlight != "" {
			t.Errorf("%s is still in flight", id)
		}
		if inv.Status != InvoicePaid {
			if inv.Status == InvoiceOpen || inv.Waits {
				reserved += inv.BalanceApplied
			}
			if inv.BalanceApplied != 0 && inv.DueAt.IsZero() && !inv.Waits { // what was mailed is not edited
				t.Errorf("%s is %s and holds %d of the balance", id, inv.Status, inv.BalanceApplied)
			}
			continue
		}
		if inv.DueAt.IsZero() {
			paid += inv.AmountDue().Amount
		} else {
			transferred += inv.AmountDue().Amount
		}
		applied += inv.BalanceApplied
		for _, ln := range inv.Lines {
			if ln.Kind == LineWaiver {
				waived -= ln.Amount
			}
		}
	}
	for _, n := range l.notes {
		if n.Reason == ReasonVoid {
			if inv := l.docs[string(n.Invoice)]; inv.Status != InvoiceVoid || inv.DueAt.IsZero() || n.Total() != inv.Total() {
				t.Errorf("%s voids %s over %s, which is %s", n.ID, inv.ID, inv.Total(), inv.Status)
			}
			continue
		}
		if n.Reason == ReasonDispute { // the bank has taken it
			lost += n.Total().Amount
		} else {
			notes += n.Total().Amount
		}
		noted[string(n.Invoice)] += n.Total().Amount
	}
	coupons(l)
	reminders(l)
	if charged != paid {
		t.Errorf("the gateway took %d, and %d was due", charged, paid)
	}
	change = notes - l.refunded() - applied - reserved + l.came - transferred
	if l.backs > 2 {
		t.Errorf("the money was given back %d times", l.backs)
	}

	// Periods, and what the rules give back of them.
	var end time.Time // what is covered so far
	for i, m := range l.history {
		for _, e := range m.Events {
			wantWords(t, e)
		}
		s := m.Subscription
		if m.Events != nil && m.before.Status == Incomplete && s.Status == Trialing {
			end = s.TrialEnd
		}
		var credited, documented, moved int64
		held(l, m)
		if i+1 < len(l.history) && m.at.Before(l.history[i+1].at) && !l.outage {
			filed(l, s, l.history[i+1].at)
		}
		for _, d := range m.CreditAllocations {
			g := given[d.Line]
			given[d.Line] = line{g.net + d.Net, g.tax + d.Tax}
			credited += d.Net + d.Tax
		}
		for _, n := range m.CreditNotes {
			if n.Reason == ReasonVoid {
				continue
			}
			documented += n.Total().Amount
		}
		if m.Invoice == nil || m.Invoice.Status != InvoicePaid {
			for _, r := range m.Refunds {
				if r.Status == RefundPending {
					moved += r.Amount.Amount
				}
			}
			for _, e := range m.Entries {
				if credited > 0 && e.Cause != CauseReleased {
					moved += e.Amount
				}
			}
			if m.asked.Action == ActionDispute { // nothing is given back
				moved += documented
			}
			if credited != documented || credited != moved {
				t.Errorf("at %s %d were drawn, %d noted and %d given back", m.at, credited, documented, moved)
			}
			if given := l.wantBack(m, expected); given != (credited > 0) && m.asked.Refund != RefundProrated {
				t.Errorf("at %s %s drew %d", m.at, m.asked.Action, credited)
			}
			if m.asked.Action == ActionRefund || m.asked.Action == ActionDispute {
				for _, d := range m.CreditAllocations {
					odd[d.Line] = true
				}
			}
			if s.Status == Canceled && m.before.Status != Canceled && slices.Contains([]CancelReason{ReasonOperator, ReasonRefunded, ReasonDisputed}, s.CancelReason) {
				end = m.at
			}
			continue
		}
		for _, ln := range m.Invoice.Lines {
			if ln.Kind == LineCredit {
				documented -= ln.Amount + ln.Tax
			}
		}
		if credited != documented {
			t.Errorf("at %s %d were drawn and %d credited", m.at, credited, documented)
		}
		inv, p, paying := *m.Invoice, m.Invoice.Service().Period, m.before
		if then, ok := l.made[string(inv.ID)]; ok && inv.DueAt.IsZero() { // its amounts were frozen then
			m.at, m.before = then.at, then.before
		}
		if coming := m.before.priceOf(p); inv.Service().Price != coming && inv.Service().Plan == m.before.Plan && inv.ID != m.before.OpenInvoice {
			t.Errorf("%s is at %+v, and %+v was to come", inv.ID, inv.Service().Price, coming)
		}
		anchor := s.Anchor
		if s.Status == Trialing {
			anchor = s.TrialEnd
		}
		scheduled(l, m, inv)
		if c := paying.ScheduledChange; inv.Purpose == ForPrepaid && c.counts(p.Start) && c.Plan.Cycle != s.Plan.Cycle {
			anchor = c.At
		}
		if want, _ := PeriodAt(anchor, inv.Service().Plan.Cycle, p.Start); want != p {
			t.Errorf("%s: %v is no period of the anchor %s", inv.ID, p, anchor)
		}
		since := p.Start
		for _, ln := range inv.Lines {
			if ln.Kind == LineSkipped {
				if ln.Amount != 0 || ln.Tax != 0 || !ln.Period.Start.Before(ln.Period.End) || ln.Period.End != p.Start {
					t.Errorf("%s: the skipped line %+v before %v", inv.ID, ln, p)
				}
				since = ln.Period.Start
			}
		}
		switch inv.Purpose {
		case ForFormer: // of another system: none is here
		case ForPurchase:
			if p.Start != m.at || since != p.Start {
				t.Errorf("%s begins at %s, bought at %s", inv.ID, since, m.at)
			}
		case ForConversion, ForRenewal:
			if since != end || !p.Contains(m.at) {
				t.Errorf("%s at %s is for %v (since %s) after %s", inv.ID, m.at, p, since, end)
			}
			if m.before.CancelAtPeriodEnd {
				t.Errorf("%s renews what was cancelled", inv.ID)
			}
		case ForPrepaid:
			if p.Start != end && m.before.Collection == ByCard || since != end || m.before.PrepaidPeriod != (Period{}) || m.before.CancelAtPeriodEnd {
				t.Errorf("%s pays %v ahead after %s", inv.ID, p, end)
			}
		case ForRevival:
			if p.Start != m.at || p.Start.Before(end) || p.Start.Before(m.before.CanceledAt) || since != p.Start {
				t.Errorf("%s revives at %s what ended at %s", inv.ID, p.Start, m.before.CanceledAt)
			}
		case ForChange:
			at, b := p.Start, m.before
			switch {
			case b.Status == Trialing:
				at = m.at
				if p.Start != b.TrialEnd {
					t.Errorf("%s begins at %s in a trial until %s", inv.ID, p.Start, b.TrialEnd)
				}
			case b.Status == PastDue, !b.DueAt.IsZero() && !m.at.Before(b.Period.End): // an outage kept the invoice back
				if p.Start.Before(end) {
					t.Errorf("%s overlaps what was paid until %s", inv.ID, end)
				}
			case !b.Period.Contains(p.Start):
				t.Errorf("%s begins at %s, outside of %v", inv.ID, p.Start, b.Period)
			}
			if p.Start.After(m.at) && b.Status != Trialing || m.at.Sub(p.Start) > 15*time.Minute {
				t.Errorf("%s begins at %s, changed at %s", inv.ID, p.Start, m.at)
			}
			if s.CancelAtPeriodEnd != paying.CancelAtPeriodEnd { // it may have been cancelled while the payment waited
				t.Errorf("%s changed the cancellation", inv.ID)
			}
			for i, sold := range m.sold {
				switch {
				case b.Status == PastDue:
				case again(m.sold[i:]): // replaced, or revived, within its first second
				case sold.Line.Period == b.Period && b.Status != Trialing:
					expected[sold.Line.ID] += min(unused(sold, at, l.snapshot.Product.Proration), sold.Remainder())
				case sold.Line.Period == b.PrepaidPeriod:
					expected[sold.Line.ID] += sold.Remainder()
				}
			}
		}
		end = p.End
	}

	var kept int64
	for _, s := range l.sold {
		g := given[s.Line.ID]
		kept += s.Line.Net() + s.Line.Tax - g.net - g.tax
		waived, waivedTax := l.docs[string(s.Invoice)].Waived() // drawn from the beginning: nobody paid it
		if g.net != s.Credited-waived || s.Credited > s.Line.Net() || g.net != expected[s.Line.ID] {
			t.Errorf("%d given back of %s, %d drawn of %d, %d waived, %d by the rules", g.net, s.Line.ID, s.Credited, s.Line.Net(), waived, expected[s.Line.ID])
		}
		off := share(s.Line.Tax, s.Credited, s.Line.Net()) - waivedTax - g.tax
		if off != 0 && (s.Credited == s.Line.Net() || off*off > 1 || !odd[s.Line.ID] && waived == 0) {
			t.Errorf("%d of tax given back of %s, %d off", g.tax, s.Line.ID, off)
		}
		if inv := l.docs[string(s.Invoice)]; noted[string(s.Invoice)] > inv.Total().Amount {
			t.Errorf("notes of %d on %s, which came to %s", noted[string(s.Invoice)], inv.ID, inv.Total())
		}
	}
	// What came in, was not given back and not lost to a dispute is what was kept
	// for service, less what was waived, and what is still owed to the customer.
	if charged-l.refunded()-lost+l.came != kept-waived+change+reserved {
		t.Errorf("%d charged − %d refunded − %d lost + %d transferred ≠ %d kept − %d waived + %d to the balance + %d reserved",
			charged, l.refunded(), lost, l.came, kept, waived, change, reserved)
	}
	if owed, closing := l.owed(), l.statement(); closing != owed-change-reserved {
		t.Errorf("the statement closes with %d, and %d is invoiced and open, %d on the balance, %d reserved", closing, owed, change, reserved)
	}
	return change
}

// owed is the total of the invoices that wait for a transfer.
func (l *ledger) owed() (sum int64) {
	for _, inv := range l.docs {
		if inv.Status == InvoiceOpen {
			sum += inv.Total().Amount
		}
	}
	return sum
}

// statement is the closing balance of a statement of account over all of the
// subscription's life, and holds two halves of it to the whole.
func (l *ledger) statement() int64 {
	l.t.Helper()
	var b Ledger
	for _, id := range l.order {
		if inv := l.docs[id]; !inv.IssuedAt.IsZero() {
			b.Invoices = append(b.Invoices, inv)
		}
	}
	b.Notes = l.notes
	for _, r := range l.refunds {
		b.Refunds = append(b.Refunds, PostedRefund{r, l.now})
	}
	for _, e := range l.entries {
		if _, own := l.docs[e.Document]; own || slices.ContainsFunc(l.refunds, func(r Refund) bool { return string(r.ID) == e.Document }) {
			b.Entries = append(b.Entries, PostedEntry{e, l.now})
		}
	}
	currency, begin, end := l.s().Price.Currency, l.s().CreatedAt, l.now.Add(time.Second)
	middle := begin.Add(end.Sub(begin) / 2)
	whole, first, second := b.Statement(currency, begin, end), b.Statement(currency, begin, middle), b.Statement(currency, middle, end)
	if first.Closing != second.Opening || second.Closing != whole.Closing || len(first.Rows)+len(second.Rows) != len(whole.Rows) {
		l.t.Errorf("the halves of a statement do not fit: %+v, %+v, %+v", whole, first, second)
	}
	balance := whole.Opening.Amount
	for _, row := range whole.Rows {
		if balance += row.Amount.Amount; balance != row.Balance.Amount {
			l.t.Errorf("after %+v it is %d", row, balance)
		}
	}
	return whole.Closing.Amount
}

// scheduled holds a paid invoice to what was scheduled before it was made: from its
// boundary on the new plan is sold, at once or not at all, and nothing is credited.
func scheduled(l *ledger, m moment, inv Invoice) {
	l.t.Helper()
	line, c := inv.Service(), m.before.ScheduledChange
	plan, quantity := m.before.Plan, m.before.Quantity
	switch inv.Purpose {
	case ForChange, ForRevival, ForPurchase:
		if m.Subscription.ScheduledChange != (ScheduledChange{}) {
			l.t.Errorf("%s leaves %+v", inv.ID, m.Subscription.ScheduledChange)
		}
		return
	default:
	}
	if c.Quantity > 0 && !line.Period.Start.Before(c.At) {
		plan, quantity = c.Plan, c.Quantity
	}
	if line.Plan != plan || line.Quantity != quantity {
		l.t.Errorf("%s sells %d of %s from %s, and %d of %s was to come", inv.ID, line.Quantity, line.Plan.ID, line.Period.Start, quantity, plan.ID)
	}
	if !inv.Credit().IsZero() {
		l.t.Errorf("%s credits %s at a boundary", inv.ID, inv.Credit())
	}
}

// filed holds a state that lasted until an instant to: the licensee's file did, too,
// unless the licence ended or was suspended.
func filed(l *ledger, s Subscription, until time.Time) {
	l.t.Helper()
	e := s.Entitlement(l.snapshot.Policy)
	if s.Status == Active && !e.Suspended && s.File.Ends.Before(until) && s.File.Ends.Before(e.ValidUntil) {
		l.t.Errorf("the file ended at %s, and its licence went on until %s", s.File.Ends, until)
	}
}

// held holds a changeset to what an operator's word and a dispute mean.
func held(l *ledger, m moment) {
	l.t.Helper()
	s, e := m.Subscription, m.Subscription.Entitlement(l.snapshot.Policy)
	open := slices.ContainsFunc(s.Disputes, func(d Dispute) bool { return d.Status == DisputeOpened })
	if e.Revoked != s.Revoked || e.Suspended != (s.Suspended || open) {
		l.t.Errorf("at %s the licence is %+v of %+v", m.at, e, s)
	}
	if s.Revoked && s.License != "" && !s.Status.Ended() {
		l.t.Errorf("at %s it is revoked and %s", m.at, s.Status)
	}
	for i, was := range m.before.Disputes {
		if was.Status != DisputeOpened && s.Disputes[i].Status != was.Status {
			l.t.Errorf("at %s a dispute that was %s is %s", m.at, was.Status, s.Disputes[i].Status)
		}
	}
	if m.asked.Action != ActionDispute || m.asked.Dispute.Status != DisputeLost || cmp.Equal(m.before.Disputes, s.Disputes) {
		return
	}
	if !s.Status.Ended() {
		l.t.Errorf("at %s a dispute was lost, and it is %s", m.at, s.Status)
	}
	// The note is for what the bank took, as far as the invoice and what is left of
	// its lines and all others allow.
	room := l.docs[string(m.asked.Dispute.Invoice)].Total().Amount
	for _, before := range l.notes {
		if before.Invoice == m.asked.Dispute.Invoice && before.IssuedAt.Before(m.at) {
			room -= before.Total().Amount
		}
	}
	var noted int64
	for _, n := range m.CreditNotes {
		if n.Reason == ReasonDispute {
			noted += n.Total().Amount
		}
	}
	if noted > min(room, m.asked.Dispute.Amount.Amount) {
		l.t.Errorf("at %s %d were noted for a lost dispute over %s, with room for %d", m.at, noted, m.asked.Dispute.Amount, room)
	}
}

// again tells whether the period of the first of the sold lines was sold once
// more: then it is the later line that pays for it.
func again(sold []PaidLine) bool {
	return slices.ContainsFunc(sold[1:], func(s PaidLine) bool { return s.Line.Period == sold[0].Line.Period })
}

// wantBack adds what the rules give back in a changeset without a bill to what is
// expected of each line, and tells whether that is anything.
func (l *ledger) wantBack(m moment, expected map[string]int64) bool {
	l.t.Helper()
	ended := m.Subscription.Status == Canceled && m.before.Status != Canceled
	since, any := false, false
	for i, s := range m.sold {
		since = since || s.Invoice == m.before.MoneyBack.From
		running := s.Line.Period == m.before.Period
		want := int64(0)
		switch {
		case m.asked.Action == ActionMoneyBack && ended:
			if late := m.at.Sub(l.docs[string(m.before.MoneyBack.From)].PaidAt); late > 14*24*time.Hour {
				l.t.Errorf("money back %s after the purchase", late)
			}
			if since {
				want = s.Remainder()
			}
		case m.asked.Action == ActionCancelNow && ended:
			switch {
			case m.asked.Refund == RefundNone, again(m.sold[i:]):
			case s.Line.Period == m.before.PrepaidPeriod, running && m.asked.Refund == RefundFull:
				want = s.Remainder()
			case running && m.at.Before(s.Line.Period.End):
				want = min(unused(s, m.at, l.snapshot.Product.Proration), s.Remainder())
			}
		case m.asked.Action == ActionDispute: // held says how much
			for _, d := range m.CreditAllocations {
				if d.Line == s.Line.ID {
					want += d.Net
				}
			}
		case m.asked.Action == ActionRefund && m.asked.Invoice == s.Invoice && len(m.CreditAllocations) == 1:
			want = m.CreditAllocations[0].Net
			if a := m.asked.Amount; a != nil && *a != want+m.CreditAllocations[0].Tax {
				l.t.Errorf("asked for %d, given %+v", *a, m.CreditAllocations)
			}
		}
		expected[s.Line.ID] += want
		any = any || want > 0
	}
	return any
}

// coupons holds the discounts of a history to the rules: the standing one off
// the price, the coupon off the rest, for as many paid invoices as it was for.
func coupons(l *ledger) {
	t := l.t
	t.Helper()
	given := l.history[0].before.Discount
	left := given.Left
	guest := l.history[0].before.Guest
	mailed := map[string]int64{} // the standing discount when an invoice was mailed, or charged
	for _, m := range l.history {
		if m.Invoice == nil {
			continue
		}
		inv, line := *m.Invoice, m.Invoice.Service()
		if inv.Guest && (inv.BalanceApplied != 0 || !guest) {
			t.Errorf("%s: a guest's bill uses %d of the balance", inv.ID, inv.BalanceApplied)
		}
		if inv.Status == InvoiceOpen || inv.InFlight != "" {
			mailed[string(inv.ID)] = m.standing
		}
		if inv.Status != InvoicePaid {
			continue
		}
		price := line.Price.Amount * line.Quantity
		standing, coupon := m.standing, int64(0)
		if then, ok := mailed[string(inv.ID)]; ok {
			standing = then
		}
		if inv.Guest {
			standing = 0
		}
		taken := share(price, standing, 100)
		switch {
		case !given.Always && left == 0:
			if inv.Coupon != "" {
				t.Errorf("%s has a coupon that was used up", inv.ID)
			}
		case given.Percent > 0:
			coupon = share(price-taken, given.Percent, 100)
		default:
			coupon = min(given.Off, price-taken)
		}
		got := line.Discount
		if line.Price.Tax == TaxInclusive { // of the price with its tax
			got = price - line.Net() - line.Tax
		}
		if got != taken+coupon {
			t.Errorf("%s: %d off %d, want %d and %d", inv.ID, got, price, taken, coupon)
		}
		left = max(0, left-1)
		guest = guest && inv.Guest
	}
	redeemed := 0
	for _, m := range l.history {
		if m.Redeem != "" {
			redeemed++
		}
		if m.Redeem != "" && m.Redeem != given.Coupon || m.Unredeem != "" && m.Subscription.Status != IncompleteExpired {
			t.Errorf("at %s %q was redeemed and %q given back", m.at, m.Redeem, m.Unredeem)
		}
	}
	if first := l.s(); given.Coupon != "" && redeemed == 0 && first.Status != IncompleteExpired && !first.AwaitsCard {
		t.Errorf("%s, and the coupon was never redeemed", first.Status)
	}
}

// reminders holds what a history reminded of to the rules: within the last week
// of a trial or of a long period that goes on unpaid, once, or for a trial's last
// day once more.
func reminders(l *ledger) {
	l.t.Helper()
	told := map[time.Time]int{}
	for _, m := range l.history {
		b := m.before
		for _, n := range m.Notices {
			most := 1
			switch {
			case n.Kind == NoticeTrialEnding && b.Status == Trialing:
				if most = 2; m.at.Before(n.Until.Add(-day)) {
					most = 1
				}
			case n.Kind == NoticeRenewalComing && b.Status == Active && b.Plan.Cycle != Monthly:
			case n.Kind != NoticeTrialEnding && n.Kind != NoticeRenewalComing:
				continue
			default:
				l.t.Errorf("at %s a %s subscription was told of %s", m.at, b.Status, n.Kind)
			}
			if told[n.Until]++; told[n.Until] > most {
				l.t.Errorf("at %s %s is told for the %d. time", m.at, n.Kind, told[n.Until])
			}
			if b.CancelAtPeriodEnd || b.PrepaidPeriod != (Period{}) || n.Until != b.Period.End || m.at.Before(n.Until.Add(-7*day)) || !m.at.Before(n.Until) {
				l.t.Errorf("at %s %s until %s is told of %+v", m.at, n.Kind, n.Until, b)
			}
		}
	}
}

func TestEveryHistoryAddsUp(t *testing.T) {
	for range 5 { // × -rapid.checks
		rapid.Check(t, everyHistoryAddsUp)
	}
}

func everyHistoryAddsUp(t *rapid.T) {
	o := offer{
		plan:     rapid.SampledFrom([]string{small, large, smallYear, site, single}).Draw(t, "plan"),
		currency: rapid.SampledFrom([]string{"USD", "EUR", "JPY"}).Draw(t, "currency"),
		country:  rapid.SampledFrom([]string{"US", "IT", "FI", "LU"}).Draw(t, "country"),
		balance:  rapid.SampledFrom([]int64{0, 0, 1, 960, 5000}).Draw(t, "balance"),
		pay:      rapid.SampledFrom([]Pay{PayNow, PayNow, PayTrial}).Draw(t, "pay"),
		standing: rapid.SampledFrom([]int64{0, 0, 15, 100}).Draw(t, "standing"),
		guest:    rapid.Bool().Draw(t, "guest"),
		discount: rapid.SampledFrom([]Discount{
			{}, {}, {Coupon: "HALF", Percent: 50, Left: 1}, {Coupon: "THIRD", Percent: 33, Always: true},
			{Coupon: "ALL", Percent: 100, Left: 2}, {Coupon: "FIVE", Off: 501, Left: 3}, {Coupon: "TEN", Off: 1000, Always: true},
		}).Draw(t, "discount"),
	}
	product := shelfOf(rapid.SampledFrom([]ProrationMode{PerSecond, PerDay}).Draw(t, "proration"),
		rapid.SampledFrom([]TaxMode{TaxExclusive, TaxInclusive}).Draw(t, "tax"))
	if o.pay == PayNow {
		o.by = rapid.SampledFrom([]Collection{ByCard, ByCard, ByInvoice}).Draw(t, "by")
	}
	o.product = &product
	start := instant("2023-12-31 20:00").Add(time.Duration(rapid.IntRange(0, 800*24*60).Draw(t, "start")) * time.Minute)
	first := rapid.SampledFrom([]string{"visa", "visa", "poor", asking, ""}).Draw(t, "first card")
	history := acts(t)

	file := rapid.SampledFrom([]licensing.FileTerm{{Life: 400 * day}, {Life: 400 * day}, {Life: 60 * day}, {Life: 400 * day, AfterMoneyBack: 7 * day}}).Draw(t, "file")
	both := rapid.Bool().Draw(t, "a second subscription of the account")
	lives := func() (of []*ledger) {
		at := start.Format(time.RFC3339)
		of = []*ledger{ordered(t, at, o)}
		if both {
			of = append(of, of[0].second(at, o))
		}
		for _, l := range of {
			l.snapshot.Policy.File = file
			if o.by == ByInvoice { // of any total
				l.snapshot.Policy.InvoiceFrom = map[string]int64{"USD": 0, "EUR": 0, "JPY": 0}
			}
		}
		return of
	}
	if o.by == ByInvoice {
		first = ""
	}
	one, again := lives(), lives()
	for _, of := range [][]*ledger{one, again} {
		live(first, history, of...)
		for _, l := range of {
			l.command(Command{Action: ActionSettle})
		}
	}
	balance := o.balance
	for _, l := range one {
		balance += audited(l)
	}
	if got := one[0].balance; got != balance {
		t.Errorf("the balance is %d, and %d by the documents", got, balance)
	}
	for i, l := range one {
		if diff := cmp.Diff(l.docs, again[i].docs) + cmp.Diff(l.notes, again[i].notes) + cmp.Diff(l.s(), again[i].s()) +
			cmp.Diff(l.notices, again[i].notices, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("the same commands gave other documents:\n%s", diff)
		}
	}
}

// shelfOf is the shelf with another way of dividing and of taxing. It is made
// anew each time, since a test may change it.
func shelfOf(proration ProrationMode, tax TaxMode) Product {
	p := theShelf
	p.Proration, p.Plans = proration, slices.Clone(p.Plans)
	for i := range p.Plans {
		p.Plans[i].Prices = slices.Clone(p.Plans[i].Prices)
		for j := range p.Plans[i].Prices {
			p.Plans[i].Prices[j].Tax = tax
		}
	}
	return p
}

var theShelf = shelf()

// A history is told by its acts where it fails.
func (a act) String() string {
	return fmt.Sprintf("%s%s %s%s×%d%s%d/%d%% %d%% −%d %d/%d %d%s", a.What, a.Wait, a.Plan, a.Card, a.Quantity, a.Refund, a.Invoice, a.Part, a.Percent, a.Transfer, a.Amount, a.Share, a.Dispute, a.Status)
}
