package billing

import (
	"testing"
	"time"
)

// lost is a charge that the books have lost: what the ledger charged last.
func (l *ledger) lost() MovedCharge {
	inv := l.last()
	return MovedCharge{Charge: "ch_1", Invoice: inv.ID, Subscription: "sub_1", Method: inv.Method, Amount: inv.AmountDue(), At: inv.PaidAt}
}

// adopted are the bills and the events by which older books come to a charge.
func adopted(t *testing.T, b Snapshot, c MovedCharge, asked ...Command) (events []EventKind, bill *Invoice, a Adoption) {
	t.Helper()
	for range 10 {
		var ok bool
		if a, ok = b.Adopt(c, asked); !ok {
			return events, nil, a
		}
		if a.Bill != nil {
			return events, a.Bill, a
		}
		events = append(events, a.Changeset.Events[0].Kind)
		b.Subscription = a.Changeset.Subscription
	}
	t.Fatalf("it does not end: %q", events)
	return events, nil, a
}

func TestOlderBooksComeToTheBillOfARenewalThatWasCharged(t *testing.T) {
	l := bought(t, "2026-02-01", offer{plan: smallYear})
	older := l.onFile()
	l.to("2027-02-01")
	events, bill, a := adopted(t, older, l.lost())
	if bill == nil || bill.ID != l.last().ID || a.Reserved || a.Cause != "renew@2027-02-01T00:00:00Z" {
		t.Fatalf("%+v %+v", bill, a)
	}
	is(t, "what came before it", events, []EventKind{EventReminded})
	is(t, "period", bill.Service().Period, Period{instant("2027-02-01"), instant("2028-02-01")})

	other := l.lost()
	other.Amount.Amount--
	if _, bill, _ := adopted(t, older, other); bill != nil {
		t.Error("another amount is adopted")
	}
	other = l.lost()
	other.Invoice = "inv_other"
	if _, bill, _ := adopted(t, older, other); bill != nil {
		t.Error("another invoice's charge is adopted")
	}
	other = l.lost()
	other.At = other.At.Add(-time.Second)
	if _, bill, _ := adopted(t, older, other); bill != nil {
		t.Error("it is adopted before it is due")
	}
}

func TestOlderBooksComeToARenewalThatARetryPaid(t *testing.T) {
	l := bought(t, "2026-02-01", offer{})
	l.wallet = "poor"
	l.to("2026-03-01")
	pastDue := l.onFile()
	is(t, "status", pastDue.Subscription.Status, PastDue)
	l.command(Command{Action: ActionPaymentMethod, Request: "req_card"}, "visa")
	_, bill, a := adopted(t, pastDue, l.lost())
	if bill == nil || bill.ID != l.last().ID || a.Reserved {
		t.Fatalf("%+v", a)
	}
	inv, reserve := pastDue.Reserve(*bill, a.Cause)
	is(t, "attempt", inv.Attempt, 2)
	inFlight := pastDue
	inFlight.InFlight = reserve.Invoice
	if _, bill, a := adopted(t, inFlight, l.lost()); bill == nil || !a.Reserved || bill.Attempt != 2 {
		t.Errorf("after a crash in the middle: %+v", a)
	}
}

func TestOlderBooksComeToAPurchaseWhoseRequestTheyHave(t *testing.T) {
	l := ordered(t, "2026-02-01", offer{})
	older := l.onFile()
	l.pay("visa")
	if _, bill, _ := adopted(t, older, l.lost()); bill != nil {
		t.Error("nobody asked for it")
	}
	_, bill, a := adopted(t, older, l.lost(), Command{Action: ActionPurchase, Request: "req_other"}, Command{Action: ActionPurchase, Request: "req_buy"})
	if bill == nil || bill.ID != l.last().ID || a.Request != "req_buy" {
		t.Errorf("%+v", a)
	}
}

func TestARefundIsAdoptedOnlyAsTheOneThatTheBooksWouldGive(t *testing.T) {
	l := bought(t, "2026-02-01", offer{})
	older := l.onFile()
	amount := int64(400)
	l.must(Command{Action: ActionRefund, Request: "req_r", Invoice: l.last().ID, Amount: &amount})
	given := MovedRefund{Refund: l.refunds[0].ID, Invoice: l.last().ID, Amount: Money{400, "USD"}, Status: RefundSucceeded}
	p := older.AdoptRefund(given, nil, l.now)
	if p == nil || len(p.Refunds) != 1 || p.Refunds[0].ID != given.Refund || len(p.CreditNotes) != 1 {
		t.Fatalf("%+v", p)
	}
	// The request that asked for it is answered by it, and gives nothing a second time.
	asked := []Command{{Action: ActionRefund, Request: "req_other", Invoice: l.last().ID}, {Action: ActionRefund, Request: "req_r", Invoice: l.last().ID, Amount: &amount}}
	if p := older.AdoptRefund(given, asked, l.now); p == nil || p.Request != "req_r" {
		t.Errorf("%+v", p)
	}
	if l.onFile().AdoptRefund(given, nil, l.now) != nil {
		t.Error("it is adopted twice")
	}
	given.Amount.Amount = 300
	if older.AdoptRefund(given, nil, l.now) != nil {
		t.Error("another amount is adopted")
	}
}
