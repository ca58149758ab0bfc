package billing

import (
	"testing"
	"time"
)

// 10.00 a month from 1 April, paid by a card whose bank asks each time.
func askedFor(t *testing.T, o offer) *ledger {
	l := ordered(t, "2026-04-01", o)
	l.command(Command{Action: ActionPurchase}, asking)
	is(t, "purchase", l.confirmed(PaymentSucceeded).Payment.Status, PaymentSucceeded)
	return l
}

// waits holds a subscription to the payment that waits.
func (l *ledger) waits(purpose Purpose, amount int64, until string) {
	l.t.Helper()
	w := l.s().PendingPayment
	is(l.t, "waits for", w.Purpose, purpose)
	is(l.t, "amount", w.Amount, Money{amount, "USD"})
	is(l.t, "until", w.Until, instant(until))
	is(l.t, "next", l.s().Next, Step{StepSettle, instant(until)})
}

func TestAnOrderWaitsForTheCustomerUntilItLapses(t *testing.T) {
	l := ordered(t, "2026-04-01 10:00", offer{})
	is(t, "payment", l.command(Command{Action: ActionPurchase}, asking).Payment.Status, PaymentRequiresAction)
	l.waits(ForPurchase, 1000, "2026-04-02 09:00")
	l.refused(Command{Action: ActionPurchase}, CodeNotPossibleNow)
	is(t, "status of an order that was sent again", l.s().Status, Incomplete)

	l.to("2026-04-01 15:00")
	l.confirmed(PaymentSucceeded)
	is(t, "status", l.s().Status, Active)
	is(t, "period, from the order's instant", l.s().Period, Period{instant("2026-04-01 10:00"), instant("2026-05-01 10:00")})
	is(t, "anchor", l.s().Anchor, instant("2026-04-01 10:00"))
	is(t, "paid at", l.last().PaidAt, instant("2026-04-01 15:00"))

	l = ordered(t, "2026-04-01 10:00", offer{})
	l.command(Command{Action: ActionPurchase}, asking)
	l.to("2026-04-02 08:59")
	is(t, "before", l.s().Status, Incomplete)
	l.to("2026-04-02 09:00")
	is(t, "after 23 hours", l.s().Status, IncompleteExpired)
	l.answer(l.last().ID, PaymentSucceeded)
	is(t, "charged", l.charged(), int64(0))
	is(t, "invoice", l.last().Status, InvoiceVoid)
}

// The sixth card of an order is refused, and leaves what waits alone.
func TestACardWhoseActionIsGivenUpCountsAsADecline(t *testing.T) {
	l := ordered(t, "2026-04-01", offer{})
	l.command(Command{Action: ActionPurchase}, asking)
	for range l.snapshot.Policy.MaxDeclines - 1 {
		is(t, "payment", l.command(Command{Action: ActionPaymentMethod}, asking).Payment.Status, PaymentRequiresAction)
	}
	is(t, "given up", l.s().Declines, 4)
	l.refused(Command{Action: ActionPaymentMethod}, CodeTooManyAttempts)
	l.confirmed(PaymentSucceeded)
	is(t, "status", l.s().Status, Active)
	is(t, "charged", l.charged(), int64(1000))

	l = ordered(t, "2026-04-01", offer{})
	l.command(Command{Action: ActionPurchase}, asking)
	is(t, "failed", l.confirmed(PaymentDeclined).Code, CodeCardDeclined)
	is(t, "declines", l.s().Declines, 1)
	l.must(Command{Action: ActionPaymentMethod}, "visa")
	is(t, "status", l.s().Status, Active)
}

// At the middle of April: 20.00 − 5.00.
func TestAChangeWaitsWithItsAmountsFrozenWhileTheOldPlanGoesOn(t *testing.T) {
	for _, c := range []struct {
		name, changed, until string
		due                  int64
	}{
		{"for an hour", "2026-04-16", "2026-04-16 01:00", 1500},
		{"until the next due step", "2026-04-30 23:30", "2026-05-01", 1999}, // 10.00 × 30 min ÷ 30 days = 0.01
	} {
		t.Run(c.name, func(t *testing.T) {
			l := askedFor(t, offer{})
			l.to(c.changed)
			before := l.s()
			is(t, "payment", l.command(change(large)).Payment.Status, PaymentRequiresAction)
			l.waits(ForChange, c.due, c.until)
			is(t, "to", l.s().PendingPayment.Plan.ID, large)
			is(t, "plan", l.s().Plan, before.Plan)
			l.must(Command{Action: ActionCancel})
			l.must(Command{Action: ActionResume})
			l.waits(ForChange, c.due, c.until)

			l.until(instant(c.until).Add(-time.Second), false)
			l.confirmed(PaymentSucceeded)
			is(t, "plan", l.s().Plan.ID, large)
			is(t, "anchor", l.s().Anchor, instant(c.changed))
			is(t, "charged", l.charged(), 1000+c.due)
			is(t, "old plan in the mail", l.told(NoticePlanChanged)[0].OldPlan, before.Plan)
		})
	}
}

func TestAChangeThatIsNotConfirmedChangesNothing(t *testing.T) {
	for name, end := range map[string]func(l *ledger){
		"refused by the customer": func(l *ledger) { l.confirmed(PaymentDeclined) },
		"given up after an hour":  func(l *ledger) { l.to("2026-04-16 01:00") },
	} {
		t.Run(name, func(t *testing.T) {
			l := ordered(t, "2026-04-01", offer{balance: 1100})
			l.pay(asking) // from the balance: 1.00 is left
			l.to("2026-04-16")
			before := l.s()
			l.command(change(large))
			l.waits(ForChange, 1400, "2026-04-16 01:00")
			is(t, "reserved", l.balance, int64(0))
			end(l)
			after := l.s()
			after.Revision = before.Revision
			is(t, "subscription", withoutCause(after), withoutCause(before))
			is(t, "balance", l.balance, int64(100))
			is(t, "invoice", l.last().Status, InvoiceVoid)
			l.answer(l.last().ID, PaymentSucceeded)
			l.command(Command{Action: ActionSettle})
			is(t, "charged", l.charged(), int64(0))
		})
	}
}

// What disturbs a payment gives it up first, and is decided on what is then on
// file; a command that is refused disturbs nothing.
func TestACommandThatDisturbsAPaymentTakesItsPlace(t *testing.T) {
	some := int64(100)
	for name, c := range map[string]struct {
		command Command
		card    string
		stays   bool
		refused Code
	}{
		"another change":     {command: change(smallYear)},
		"the same plan":      {command: change(small), stays: true, refused: CodeNoChange},
		"an unknown plan":    {command: change("none"), stays: true, refused: CodeUnknownPlan},
		"to cancel":          {command: Command{Action: ActionCancel}, stays: true},
		"to pay ahead":       {command: Command{Action: ActionRenew}},
		"another card":       {command: Command{Action: ActionPaymentMethod}, card: "visa"},
		"money back":         {command: Command{Action: ActionMoneyBack}},
		"a refund":           {command: Command{Action: ActionRefund, Amount: &some}},
		"the operator's end": {command: Command{Action: ActionCancelNow, Refund: RefundProrated}},
		"to suspend":         {command: Command{Action: ActionSuspend}, stays: true},
		"to revoke":          {command: Command{Action: ActionRevoke}},
	} {
		for _, quicker := range []bool{false, true} {
			l := askedFor(t, offer{})
			first := l.last()
			l.to("2026-04-10")
			l.command(change(large))
			pending := l.last()
			if quicker { // and nobody has heard of it
				l.answer(pending.ID, PaymentSucceeded)
			}
			if c.command.Action == ActionRefund {
				c.command.Invoice = first.ID
			}
			got := l.command(c.command, c.card)
			stays := l.s().PendingPayment.Invoice == pending.ID
			if stays != c.stays || got.Code != c.refused {
				t.Errorf("%s: it waits still: %t, and the answer is %+v", name, stays, got)
			}
			l.answer(pending.ID, PaymentSucceeded)
			want := InvoiceVoid
			if l.command(Command{Action: ActionSettle}); quicker || c.stays {
				want = InvoicePaid
			}
			is(t, name+": the invoice that waited", l.docs[string(pending.ID)].Status, want)
			for _, ch := range l.charges {
				if l.docs[string(ch.invoice)].Status != InvoicePaid {
					t.Errorf("%s: %s was charged and is %s", name, ch.invoice, l.docs[string(ch.invoice)].Status)
				}
			}
		}
	}
}

func TestARenewalWaitsForTheCustomerUntilTheDeadlineAndIsNotTriedAgain(t *testing.T) {
	renewed := func() *ledger {
		l := askedFor(t, offer{})
		l.to("2026-05-01")
		is(t, "status", l.s().Status, PastDue)
		l.waits(ForRenewal, 1000, "2026-05-08")
		is(t, "mails", l.told(NoticeConfirmPayment), []Notice{{
			Kind: NoticeConfirmPayment, To: RoleBilling, InvoiceID: l.last().ID, Amount: Money{1000, "USD"}, Until: instant("2026-05-08"), Plan: l.s().Plan,
		}})
		is(t, "licence", l.s().Entitlement(l.snapshot.Policy).ValidUntil, instant("2026-05-08"))
		return l
	}
	l := renewed()
	l.to("2026-05-03 12:00")
	l.confirmed(PaymentSucceeded)
	is(t, "status", l.s().Status, Active)
	is(t, "period", l.s().Period, Period{instant("2026-05-01"), instant("2026-06-01")})
	is(t, "anchor", l.s().Anchor, instant("2026-04-01"))
	is(t, "asked", attempts(l, l.last().ID), []string{"2026-05-01"})

	l = renewed()
	l.to("2026-05-08")
	is(t, "status", l.s().Status, Canceled)
	is(t, "why", l.s().CancelReason, ReasonPaymentFailed)
	l.answer(l.last().ID, PaymentSucceeded)
	is(t, "charged", l.charged(), int64(1000))
	is(t, "other mails", len(l.told(NoticePaymentFailed))+len(l.told(NoticeFinalNotice)), 0)

	l = renewed()
	l.to("2026-05-02")
	l.must(Command{Action: ActionPaymentMethod}, "visa")
	is(t, "period, by a new card", l.s().Period, Period{instant("2026-05-01"), instant("2026-06-01")})
	is(t, "charged", l.charged(), int64(2000))
	is(t, "other mails", len(l.told(NoticePaymentFailed))+len(l.told(NoticeFinalNotice)), 0)

	l = renewed()
	l.to("2026-05-02")
	l.confirmed(PaymentDeclined)
	is(t, "next", l.s().Next, Step{StepRetry, instant("2026-05-08")})
	is(t, "before the end", l.told(NoticeFinalNotice)[0].Until, instant("2026-05-08"))
}

func TestATrialsEndDoesNotWaitForTheCustomer(t *testing.T) {
	l := tried(t, "2026-04-01", asking, offer{})
	l.to("2026-05-01")
	is(t, "status", l.s().Status, Canceled)
	is(t, "why", l.s().CancelReason, ReasonPaymentFailed)
	l.answer(l.last().ID, PaymentSucceeded)
	is(t, "charged", l.charged(), int64(0))
}

// A revival keeps what has ended alive until its payment is decided.
func TestARevivalWaitsForAnHour(t *testing.T) {
	l := askedFor(t, offer{})
	l.must(Command{Action: ActionCancel})
	l.to("2026-05-10")
	l.command(Command{Action: ActionRenew})
	l.waits(ForRevival, 1000, "2026-05-10 01:00")
	is(t, "status", l.s().Status, Canceled)
	l.to("2026-05-10 00:30")
	l.confirmed(PaymentSucceeded)
	is(t, "status", l.s().Status, Active)
	is(t, "period", l.s().Period, Period{instant("2026-05-10"), instant("2026-06-10")})
}

// While the gateway works on a payment everything else waits for that.
func TestWhatTheGatewayWorksOnIsAskedAboutEachHour(t *testing.T) {
	l := bought(t, "2026-04-01", offer{})
	l.now = instant("2026-05-01")
	b := l.onFile()
	d := b.Due(l.s().Next, l.now)
	inv, reserve := b.Reserve(*d.Bill, "renewal")
	l.post(reserve)
	l.post(*b.Awaits(inv, ChargeResult{Status: PaymentProcessing}, l.now))
	l.waits(ForRenewal, 1000, "2026-05-01 01:00")
	is(t, "status", l.s().Status, Active)
	is(t, "mails", len(l.told(NoticeConfirmPayment)), 0)
	for _, v := range []Action{ActionCancel, ActionRenew, ActionMoneyBack} {
		b := l.onFile()
		if d := b.Freed().Decide(Command{Action: v}, l.now); d.Refusal == nil && !b.Disturbs(d) {
			t.Errorf("%s goes past it", v)
		}
	}
	b = l.onFile()
	l.now = instant("2026-05-01 01:00")
	p := b.Awaits(*b.PendingPayment, ChargeResult{Status: PaymentProcessing}, l.now)
	l.post(*p)
	is(t, "next", l.s().Next, Step{StepSettle, instant("2026-05-01 02:00")})
	is(t, "told each time", len(p.Events)+len(p.Notices), 0)
	b = l.onFile()
	l.post(*b.Awaits(*b.PendingPayment, ChargeResult{Status: PaymentRequiresAction, ActionURL: "https://bank.example"}, l.now))
	is(t, "status once the bank asks", l.s().Status, PastDue)
	is(t, "mails", len(l.told(NoticeConfirmPayment)), 1)
}
