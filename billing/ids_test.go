package billing

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// An older copy of a database decides later, with random ids of its own.
func TestAnInvoiceHasTheSameIDWheneverAndWhereverItIsMade(t *testing.T) {
	l := bought(t, "2026-02-01", offer{})
	older := l.onFile()
	older.Subscription.Revision += 7
	step := older.Subscription.Next
	at := func(b Snapshot, at string) InvoiceID { return b.Due(step, instant(at)).Bill.ID }
	id := at(l.onFile(), "2026-03-01")
	is(t, "decided later", at(older, "2026-03-20 08:30"), id)
	other := l.onFile()
	other.Subscription.ID = "sub_2"
	if at(other, "2026-03-01") == id {
		t.Error("two subscriptions have one invoice")
	}
	buy := Command{Action: ActionRenew, Request: "req_01JAAAAAAAAAAAAAAAAAAAAAAA"}
	renewed := l.onFile().Decide(buy, instant("2026-02-10")).Bill.ID
	is(t, "commanded later", older.Decide(buy, instant("2026-02-12")).Bill.ID, renewed)
	buy.Request = "req_01JAAAAAAAAAAAAAAAAAAAAAAB"
	if l.onFile().Decide(buy, instant("2026-02-10")).Bill.ID == renewed {
		t.Error("two requests have one invoice")
	}
}

func TestTheInvoicesOfASubscriptionSortAsTheyWereMade(t *testing.T) {
	l := bought(t, "2026-02-01", offer{})
	l.command(Command{Action: ActionChange, Request: "req_a", Plan: large}) // at the same instant
	l.to("2027-02-01")
	is(t, "invoices", len(l.order), 14)
	if !slices.IsSorted(l.order) {
		t.Errorf("%q", l.order)
	}
}

func TestATimeInAnIDIsThatOfAULID(t *testing.T) {
	is(t, "id", timeOf(time.UnixMilli(1469922850259)), "01ARZ3NDEK") // the example of the ULID specification's libraries
	is(t, "a millisecond later", afterID(InvoiceID("inv_01ARZ3NDEK"+strings.Repeat("0", 16))), "01ARZ3NDEM")
	is(t, "no time", afterID(InvoiceID("inv_1")), "")
}

func TestARefundThatTheBooksHaveLostHasTheSameIDAgain(t *testing.T) {
	l := bought(t, "2026-02-01", offer{})
	refund := func(at string, amount int64) RefundID {
		b := l.onFile()
		d := b.Decide(Command{Action: ActionRefund, Invoice: InvoiceID(l.paid[0]), Amount: &amount}, instant(at))
		return d.Changeset.Refunds[0].ID
	}
	first := refund("2026-02-03", 400)
	is(t, "given again later", refund("2026-02-09", 400), first)
	if refund("2026-02-03", 300) == first {
		t.Error("another amount has the same id")
	}
	amount := int64(400)
	l.command(Command{Action: ActionRefund, Request: "req_r", Invoice: InvoiceID(l.paid[0]), Amount: &amount})
	if refund("2026-02-04", 400) == first {
		t.Error("a second refund of the same amount is the first one")
	}
}

func TestRefundsOfAChargeSortAsTheyWereMade(t *testing.T) {
	r := Receipt{Invoice: Invoice{ID: "inv_1", PaidAt: instant("2026-02-01")}}
	var before RefundID
	for range 20 {
		id := refundID(r, 7)
		if id <= before {
			t.Errorf("%s comes after %s", id, before)
		}
		r.Refunded += 7
		before = id
	}
}
