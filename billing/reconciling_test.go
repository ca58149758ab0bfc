package billing

import "testing"

// tally is a gateway's list and books that agree: an invoice of 10.00 that a
// card has paid on 3 February, of which 4.00 were given back on the 5th.
func tally() (Moved, Books) {
	inv := Invoice{
		ID: "inv_1", Subscription: "sub_1", Status: InvoicePaid, Currency: "USD", PaidAt: instant("2026-02-03"), Method: "pm_1", Charge: "pi_1",
		Lines: []Line{{Amount: 1000}},
	}
	refund := Refund{ID: "re_1", Invoice: "inv_1", Charge: "pi_1", Amount: Money{400, "USD"}, Status: RefundSucceeded}
	return Moved{
			Charges: []MovedCharge{{Charge: "pi_1", Invoice: "inv_1", Subscription: "sub_1", Amount: Money{1000, "USD"}, At: instant("2026-02-03")}},
			Refunds: []MovedRefund{{Refund: "re_1", Charge: "pi_1", Invoice: "inv_1", Amount: Money{400, "USD"}, Status: RefundSucceeded, At: instant("2026-02-05")}},
		}, Books{
			Invoices: map[InvoiceID]Invoice{"inv_1": inv},
			Refunds:  map[RefundID]BookedRefund{"re_1": {refund, "sub_1", instant("2026-02-05")}},
		}
}

func TestAGatewaysListAndTheBooksAreComparedBothWays(t *testing.T) {
	invoice := func(b Books, change func(*Invoice)) {
		inv := b.Invoices["inv_1"]
		change(&inv)
		b.Invoices["inv_1"] = inv
	}
	refund := func(b Books, change func(*BookedRefund)) {
		r := b.Refunds["re_1"]
		change(&r)
		b.Refunds["re_1"] = r
	}
	for name, c := range map[string]struct {
		change func(*Moved, Books)
		want   []string
	}{
		"all agrees": {func(*Moved, Books) {}, nil},
		"a charge that nobody here asked for": {func(m *Moved, _ Books) {
			m.Charges = append(m.Charges, MovedCharge{Charge: "pi_9", Invoice: "", Amount: Money{700, "EUR"}, At: instant("2026-02-03")})
		}, []string{"charge_unknown: pi_9: moved 7.00 EUR"}},
		"a charge of an invoice that is not on file": {func(_ *Moved, b Books) { delete(b.Invoices, "inv_1") },
			[]string{"charge_unknown: inv_1, pi_1: moved 10.00 USD (sub_1)"}},
		"a charge whose invoice is a draft": {func(_ *Moved, b Books) { invoice(b, func(inv *Invoice) { inv.Status = InvoiceDraft }) },
			[]string{"charge_unbooked: inv_1, pi_1: moved 10.00 USD (sub_1)"}},
		"a charge whose invoice is void": {func(_ *Moved, b Books) { invoice(b, func(inv *Invoice) { inv.Status = InvoiceVoid }) },
			[]string{"charge_unbooked: inv_1, pi_1: moved 10.00 USD (sub_1)"}},
		"an invoice that was paid by a transfer besides its charge": {func(_ *Moved, b Books) { invoice(b, func(inv *Invoice) { inv.Method, inv.Charge = "", "" }) },
			[]string{"charge_unbooked: inv_1, pi_1: moved 10.00 USD (sub_1)"}},
		"two charges for one invoice": {func(m *Moved, _ Books) {
			m.Charges = append(m.Charges, MovedCharge{Charge: "pi_2", Invoice: "inv_1", Amount: Money{1000, "USD"}, At: instant("2026-02-04")})
		}, []string{"charge_twice: inv_1, pi_1: booked 10.00 USD, moved 10.00 USD (sub_1)", "charge_twice: inv_1, pi_2: booked 10.00 USD, moved 10.00 USD (sub_1)"}},
		"another amount": {func(m *Moved, _ Books) { m.Charges[0].Amount.Amount = 999 },
			[]string{"charge_amount: inv_1, pi_1: booked 10.00 USD, moved 9.99 USD (sub_1)"}},
		"the amount of another currency": {func(m *Moved, _ Books) { m.Charges[0].Amount.Currency = "EUR" },
			[]string{"charge_amount: inv_1, pi_1: booked 10.00 USD, moved 10.00 EUR (sub_1)"}},
		"what the balance has paid was not charged": {func(_ *Moved, b Books) { invoice(b, func(inv *Invoice) { inv.BalanceApplied = 100 }) },
			[]string{"charge_amount: inv_1, pi_1: booked 9.00 USD, moved 10.00 USD (sub_1)"}},
		"an invoice that is paid by card and was not charged": {func(m *Moved, _ Books) { m.Charges = nil },
			[]string{"charge_missing: inv_1, pi_1: booked 10.00 USD (sub_1)"}},
		"an invoice that a transfer has paid": {func(m *Moved, b Books) {
			m.Charges = nil
			invoice(b, func(inv *Invoice) { inv.Method, inv.Charge = "", "" })
		}, nil},
		"an invoice of which nothing was due": {func(m *Moved, b Books) {
			m.Charges = nil
			invoice(b, func(inv *Invoice) { inv.BalanceApplied = 1000 })
		}, nil},
		"a refund that nobody here asked for": {func(m *Moved, _ Books) {
			m.Refunds = append(m.Refunds, MovedRefund{Refund: "", Charge: "pi_1", Amount: Money{100, "USD"}, Status: RefundSucceeded, At: instant("2026-02-05")})
		}, []string{"refund_unknown: pi_1: moved 1.00 USD"}},
		"a refund that is not on file": {func(_ *Moved, b Books) { delete(b.Refunds, "re_1") },
			[]string{"refund_unknown: inv_1, pi_1, re_1: moved 4.00 USD (sub_1)"}},
		"a refund that the books have given up": {func(_ *Moved, b Books) { refund(b, func(r *BookedRefund) { r.Status = RefundFailed }) },
			[]string{"refund_unbooked: inv_1, pi_1, re_1: moved 4.00 USD (sub_1)"}},
		"a refund that is not recorded": {func(_ *Moved, b Books) { refund(b, func(r *BookedRefund) { r.Status = RefundPending }) },
			[]string{"refund_unbooked: inv_1, pi_1, re_1: moved 4.00 USD (sub_1)"}},
		"a refund that both wait for": {func(m *Moved, b Books) {
			m.Refunds[0].Status = RefundPending
			refund(b, func(r *BookedRefund) { r.Status = RefundPending })
		}, nil},
		"a refund that both know to have failed": {func(m *Moved, b Books) {
			m.Refunds[0].Status = RefundFailed
			refund(b, func(r *BookedRefund) { r.Status = RefundFailed })
		}, nil},
		"another amount given back": {func(m *Moved, _ Books) { m.Refunds[0].Amount.Amount = 500 },
			[]string{"refund_amount: inv_1, pi_1, re_1: booked 4.00 USD, moved 5.00 USD (sub_1)"}},
		"a refund that is missing": {func(m *Moved, _ Books) { m.Refunds = nil },
			[]string{"refund_missing: inv_1, pi_1, re_1: booked 4.00 USD (sub_1)"}},
		"a refund that has failed after all": {func(m *Moved, _ Books) { m.Refunds[0].Status = RefundFailed },
			[]string{"refund_missing: inv_1, pi_1, re_1: booked 4.00 USD (sub_1)"}},
		"a refund that the books begin to wait for": {func(m *Moved, b Books) {
			m.Refunds = nil
			refund(b, func(r *BookedRefund) { r.Status = RefundPending })
		}, nil},
		"before the time": {func(m *Moved, b Books) {
			m.Charges[0].At, m.Charges[0].Amount.Amount = instant("2026-01-31 23:59"), 1
			m.Refunds[0].At, m.Refunds[0].Amount.Amount = instant("2026-01-31 23:59"), 1
		}, nil},
		"after the time": {func(m *Moved, b Books) {
			m.Charges, m.Refunds = nil, nil
			invoice(b, func(inv *Invoice) { inv.PaidAt = instant("2026-03-01") })
			refund(b, func(r *BookedRefund) { r.At = instant("2026-03-01") })
		}, nil},
	} {
		moved, books := tally()
		c.change(&moved, books)
		var got []string
		for _, d := range Reconcile(moved, books, instant("2026-02-01"), instant("2026-03-01")) {
			got = append(got, d.String())
		}
		is(t, name, got, c.want)
	}
}

func TestARefundThatFailedUnheardIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		moved, booked RefundStatus
		want          int
	}{
		"both say that it was given":     {RefundSucceeded, RefundSucceeded, 0},
		"it has failed, unheard":         {RefundFailed, RefundSucceeded, 1},
		"it has failed, and is recorded": {RefundFailed, RefundFailed, 0},
		"the one who asks will hear":     {RefundFailed, RefundPending, 0},
	} {
		moved, books := tally()
		moved.Refunds[0].Status = c.moved
		booked := books.Refunds["re_1"]
		booked.Status = c.booked
		books.Refunds["re_1"] = booked
		found := FailedSince(moved, books)
		is(t, name, len(found), c.want)
	}
	moved, _ := tally()
	moved.Refunds[0].Status = RefundFailed
	is(t, "of nothing that is known", len(FailedSince(moved, Books{})), 0)
}
