package billing

import (
	"slices"
	"testing"
	"time"
)

func TestALineOfAStatementNamesInvoicesHoweverItsBankWritesThem(t *testing.T) {
	for text, want := range map[string][]string{
		"INV-2026-000123": {"INV-2026-000123"},
		"Contoso Ltd, invoice inv 2026 000123, thanks": {"INV-2026-000123"},
		"RF:INV2026000123/20260203":                    {"INV-2026-000123"},
		"INV-2026–000123 INV-2026-000123":              {"INV-2026-000123"},
		"INV-2026-000124 and INV-2026-000123":          {"INV-2026-000123", "INV-2026-000124"},
		"INV-2026-1000123":                             {"INV-2026-1000123"},
		"INV-2026-00012":                               nil,
		"2026-000123":                                  nil,
		"CN-2026-000123":                               nil,
		"":                                             nil,
	} {
		is(t, text, StatementLine{Text: text}.Invoices(), want)
	}
}

func TestALineIsKnownByItsBanksIDOrItsTextWithDateAndAmount(t *testing.T) {
	l := StatementLine{Line: 2, Date: instant("2026-02-03"), Amount: Money{495000, "USD"}, Text: "Contoso INV-2026-000123", ID: "B1"}
	bare := l
	bare.ID = ""
	keys := []string{l.Key(), bare.Key()}
	for _, change := range []func(*StatementLine){
		func(l *StatementLine) { l.Date = l.Date.Add(24 * time.Hour) }, func(l *StatementLine) { l.Amount.Amount++ },
		func(l *StatementLine) { l.Amount.Currency = "EUR" }, func(l *StatementLine) { l.ID = "B2" },
	} {
		other := l
		change(&other)
		keys = append(keys, other.Key())
	}
	bare.Text = "Contoso INV-2026-000124"
	keys = append(keys, bare.Key())
	slices.Sort(keys)
	is(t, "all differ", len(slices.Compact(keys)), 7)
	same := l
	same.Line, same.Text = 9, "CONTOSO" // cut off in another export
	is(t, "the bank's id", same.Key(), l.Key())
	bare.Text = " contoso  inv-2026-000124"
	is(t, "the text", bare.Key(), StatementLine{Date: l.Date, Amount: l.Amount, Text: "Contoso INV-2026-000124"}.Key())
}

// of is the reference of a statement's line about an amount.
func of(amount int64, id string) string {
	return StatementLine{Date: instant("2026-02-03"), Amount: Money{amount, "USD"}, ID: id}.Key()
}

func TestAStatementsLineIsRecordedOnceAndNotBesideTheSameTransferMarkedByHand(t *testing.T) {
	l := invoiced(t, "2026-01-31 10:00", offer{})
	inv := l.last().ID
	is(t, "a half", l.transfer(inv, of(10000, "B1"), 10000).Payment.Status, PaymentPending)
	is(t, "again", l.transfer(inv, of(10000, "B1"), 10000).Code, CodeAlreadyRecorded)
	is(t, "the other half, as large", l.transfer(inv, of(10000, "B2"), 10000).Payment.Status, PaymentSucceeded)
	is(t, "balance", l.balance, int64(0))

	l = invoiced(t, "2026-01-31 10:00", offer{})
	inv = l.last().ID
	is(t, "by hand", l.transfer(inv, "TRF 1", 10000).Payment.Status, PaymentPending)
	is(t, "then on a statement", l.transfer(inv, of(10000, "B1"), 10000).Code, CodeMarkedByHand)
	is(t, "another amount", l.transfer(inv, of(9000, "B2"), 9000).Payment.Status, PaymentPending)
	is(t, "by hand after all", l.transfer(inv, "TRF 2", 10000).Payment.Status, PaymentSucceeded)
	is(t, "balance", l.balance, int64(9000))
}
