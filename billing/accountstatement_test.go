package billing

import (
	"testing"
	"time"
)

func TestAStatementTellsEachMovementOnceInItsOrder(t *testing.T) {
	day := func(m time.Month, d int) time.Time { return time.Date(2026, m, d, 10, 0, 0, 0, time.UTC) }
	sold := func(id InvoiceID, number string, amount, balance int64, at time.Time) Invoice {
		return Invoice{ID: id, Number: number, Status: InvoicePaid, Currency: "EUR", Lines: []Line{{Kind: LineService, Amount: amount}}, BalanceApplied: balance, IssuedAt: at, PaidAt: at}
	}
	carried := sold("inv_3", "INV-3", 5000, 0, day(3, 1))
	carried.PaidAt = day(3, 10)
	open := sold("inv_4", "INV-4", 7000, 0, day(4, 1))
	open.Status = InvoiceOpen
	b := Ledger{
		Invoices: []Invoice{
			sold("inv_1", "INV-1", 1000, 0, day(1, 5)), // by card
			sold("inv_2", "INV-2", 1500, 300, day(2, 5)),
			carried, open,
			{ID: "inv_5", Number: "INV-5", Status: InvoicePaid, Currency: "USD", Lines: []Line{{Amount: 99}}, IssuedAt: day(2, 1), PaidAt: day(2, 1)},
		},
		Notes: []CreditNote{
			{ID: "cn_1", Number: "CN-1", Invoice: "inv_1", Currency: "EUR", Net: 300, Reason: "change", IssuedAt: day(2, 5)},
			{ID: "cn_2", Number: "CN-2", Invoice: "inv_1", Currency: "EUR", Net: 400, Reason: "refund", IssuedAt: day(2, 20)},
			{ID: "cn_3", Number: "CN-3", Invoice: "inv_2", Currency: "EUR", Net: 1200, Reason: ReasonDispute, IssuedAt: day(5, 1)},
		},
		Refunds: []PostedRefund{{Refund{ID: "re_1", Invoice: "inv_1", Amount: Money{400, "EUR"}}, day(2, 20)}},
		Entries: []PostedEntry{
			{BalanceEntry{Currency: "EUR", Amount: 300, Cause: CauseCreditNote, Document: "cn_1"}, day(2, 5)},
			{BalanceEntry{Currency: "EUR", Amount: 400, Cause: CauseRefund, Document: "re_1"}, day(2, 25)},
			{BalanceEntry{Currency: "EUR", Amount: 5200, Cause: CauseTransfer, Document: "inv_3"}, day(3, 10)},
			{BalanceEntry{Currency: "EUR", Amount: -5000, Cause: CausePayment, Document: "inv_3"}, day(3, 10)},
		},
	}
	st := b.Statement("EUR", day(2, 1), day(4, 2))
	type row struct {
		Kind     MovementKind
		Document string
		Amount   int64
		Balance  int64
	}
	var got []row
	for _, m := range st.Rows {
		got = append(got, row{m.Kind, m.Document, m.Amount.Amount, m.Balance.Amount})
	}
	is(t, "rows", got, []row{
		{MovedByInvoice, "INV-2", 1500, 1500},
		{MovedByPayment, "INV-2", -1200, 300}, // 300 came from the balance, which CN-1 has filled
		{MovedByCreditNote, "CN-1", -300, 0},
		{MovedByCreditNote, "CN-2", -400, -400},
		{MovedByRefund, "INV-1", 400, 0},
		{MovedByReturn, "INV-1", -400, -400},
		{MovedByInvoice, "INV-3", 5000, 4600},
		{MovedByPayment, "INV-3", -5200, -600},
		{MovedByInvoice, "INV-4", 7000, 6400},
	})
	is(t, "balances", []Money{st.Opening, st.Closing}, []Money{{0, "EUR"}, {6400, "EUR"}})
	is(t, "a lost dispute changes nothing that is owed", b.Statement("EUR", day(5, 1), day(6, 1)).Closing, Money{6400, "EUR"})
	// Another system owed 8.00, of which an invoice of 5.00 is paid: 3.00 are left.
	moved := Ledger{
		Invoices: []Invoice{sold("inv_6", "INV-6", 500, 500, day(2, 3))},
		Entries: []PostedEntry{
			{BalanceEntry{Currency: "EUR", Amount: 800, Cause: CauseMovedIn}, day(2, 2)},
			{BalanceEntry{Currency: "EUR", Amount: -500, Cause: CauseReserved, Document: "inv_6"}, day(2, 3)},
		},
	}.Statement("EUR", day(2, 1), day(3, 1))
	is(t, "what was moved in", moved.Rows, []Movement{
		{day(2, 2), MovedByMovingIn, "", Money{-800, "EUR"}, Money{-800, "EUR"}},
		{day(2, 3), MovedByInvoice, "INV-6", Money{500, "EUR"}, Money{-300, "EUR"}},
	})
	is(t, "and what is left of it", moved.Closing, Money{-300, "EUR"})
	is(t, "currencies", b.Currencies(), []string{"EUR", "USD"})
}
