package billing

import (
	"testing"
)

func TestACardIsChargedAtOnce(t *testing.T) {
	l := bought(t, "2026-01-31 10:00", offer{})
	s := l.s()
	is(t, "status", s.Status, Active)
	is(t, "licence", s.License, "lic_1")
	is(t, "anchor", s.Anchor, instant("2026-01-31 10:00"))
	is(t, "period", s.Period, Period{instant("2026-01-31 10:00"), instant("2026-02-28 10:00")})
	is(t, "last payment", s.LastPaymentAt, l.now)
	is(t, "invoice", l.last().Status, InvoicePaid)
	is(t, "charged", l.charged(), int64(1000))
	is(t, "the billing contact gets the invoice", l.told(NoticeReceipt), []Notice{{
		Kind: NoticeReceipt, To: RoleBilling, InvoiceID: l.last().ID, Amount: Money{1000, "USD"}, Until: s.Period.End, Plan: s.Plan,
	}})
	is(t, "the licensee gets the file, and no price", l.told(NoticeLicense), []Notice{{
		Kind: NoticeLicense, To: RoleLicensee, Until: s.Period.End, Plan: s.Plan, WithFile: true,
	}})
	l.refused(Command{Action: ActionPurchase}, CodeNotPossibleNow)
}

func TestADeclinedOrderMayTryAnotherCard(t *testing.T) {
	l := ordered(t, "2026-04-01 10:00", offer{})
	l.command(Command{Action: ActionPurchase, Request: "req_buy"}, "poor")
	is(t, "status", l.s().Status, Incomplete)
	is(t, "licence", l.s().License, "")
	l.to("2026-04-01 15:00")
	l.refused(Command{Action: ActionPurchase, Request: "req_again"}, CodeNotPossibleNow)
	l.must(Command{Action: ActionPaymentMethod}, "visa")
	is(t, "status", l.s().Status, Active)
	is(t, "the period begins when it is paid", l.s().Period, Period{instant("2026-04-01 15:00"), instant("2026-05-01 15:00")})
	is(t, "one invoice", len(l.order), 1)
	is(t, "charged", l.charged(), int64(1000))
}

func TestAnOrderHasFiveDeclines(t *testing.T) {
	l := ordered(t, "2026-04-01", offer{})
	l.command(Command{Action: ActionPurchase, Request: "req_buy"}, "poor")
	for range 4 {
		is(t, "outcome", l.command(Command{Action: ActionPaymentMethod}, "poor").Code, CodeCardDeclined)
	}
	is(t, "declines", l.s().Declines, 5)
	is(t, "a sixth", l.command(Command{Action: ActionPaymentMethod}, "visa").Code, CodeTooManyAttempts)
	is(t, "charged", l.charged(), int64(0))
	l.to("2026-04-01 23:00")
	is(t, "status", l.s().Status, IncompleteExpired)
	is(t, "invoice", l.last().Status, InvoiceVoid)
}

func TestAnOrderLapsesAfter23Hours(t *testing.T) {
	l := ordered(t, "2026-04-01 10:00", offer{})
	l.to("2026-04-02 08:59")
	is(t, "status", l.s().Status, Incomplete)
	l.to("2026-04-02 09:00")
	is(t, "status", l.s().Status, IncompleteExpired)
	for _, action := range append(actions, ActionPurchase) {
		l.refused(Command{Action: action}, CodeNotPossibleNow)
	}
}

// The card of an order comes later, from the gateway's page.
func TestAnOrderWithoutACardWaitsForOne(t *testing.T) {
	l := ordered(t, "2026-04-01 10:00", offer{})
	o := l.command(Command{Action: ActionPurchase})
	is(t, "code", o.Code, "")
	is(t, "payment", o.Payment.Status, PaymentRequiresAction)
	is(t, "invoice", o.Invoice, "")
	is(t, "status", l.s().Status, Incomplete)
	l.refused(Command{Action: ActionPurchase}, CodeNotPossibleNow)
	is(t, "status of an order that was sent again", l.s().Status, Incomplete)

	l.to("2026-04-01 12:00")
	is(t, "with a card", l.command(Command{Action: ActionPaymentMethod}, "visa").Code, "")
	is(t, "status", l.s().Status, Active)
	is(t, "anchor", l.s().Anchor, instant("2026-04-01 12:00"))

	l = ordered(t, "2026-04-01 10:00", offer{})
	l.command(Command{Action: ActionPurchase})
	l.to("2026-04-02 09:00")
	is(t, "without one after 23 hours", l.s().Status, IncompleteExpired)
}

func TestARefusedOrderHasLapsed(t *testing.T) {
	none := shelf()
	none.Trial = false
	l := ordered(t, "2026-04-01", offer{product: &none, pay: PayTrial})
	is(t, "without a trial", l.command(Command{Action: ActionPurchase}).Code, CodeTrialNotOffered)
	is(t, "status", l.s().Status, IncompleteExpired)
}

func TestATrialIsOneMonthAndAsksForNoPayment(t *testing.T) {
	l := tried(t, "2026-01-31 10:00", "", offer{})
	is(t, "status", l.s().Status, Trialing)
	is(t, "period", l.s().Period, Period{instant("2026-01-31 10:00"), instant("2026-02-28 10:00")})
	is(t, "trial end", l.s().TrialEnd, instant("2026-02-28 10:00"))
	is(t, "claim", l.history[0].TrialClaim, "contoso.example")
	is(t, "licence", l.s().License, "lic_1")
	is(t, "the licensee gets the file", len(l.told(NoticeTrialLicense)), 1)
	l.to("2026-02-28 09:59")
	is(t, "status", l.s().Status, Trialing)
	l.to("2026-02-28 10:00")
	is(t, "status", l.s().Status, Canceled)
	is(t, "reason", l.s().CancelReason, ReasonTrialEnded)
	is(t, "ended", l.s().CanceledAt, instant("2026-02-28 10:00"))
	is(t, "invoices", len(l.order), 0)
}

func TestATrialWithACardIsBoughtAtItsEnd(t *testing.T) {
	l := tried(t, "2026-01-31 10:00", "", offer{})
	l.now = instant("2026-02-10")
	l.must(Command{Action: ActionPaymentMethod}, "visa")
	l.to("2026-02-28 09:59")
	is(t, "charged before", l.charged(), int64(0))
	l.to("2026-02-28 10:00")
	is(t, "status", l.s().Status, Active)
	is(t, "charged", l.charged(), int64(1000))
	is(t, "licence", l.s().License, "lic_1")
	is(t, "anchor", l.s().Anchor, instant("2026-02-28 10:00"))
	l.to("2026-03-28 10:00")
	is(t, "charged", l.charged(), int64(2000))
}

func TestADeclineAtTheTrialsEndEndsIt(t *testing.T) {
	l := tried(t, "2026-04-01", "poor", offer{})
	l.to("2026-06-01")
	is(t, "status", l.s().Status, Canceled)
	is(t, "reason", l.s().CancelReason, ReasonPaymentFailed)
	is(t, "ended", l.s().CanceledAt, instant("2026-05-01"))
	is(t, "no dunning", attempts(l, l.last().ID), []string{"2026-05-01"})
	is(t, "invoice", l.last().Status, InvoiceVoid)
}

func TestACancelledTrialIsNeverBilled(t *testing.T) {
	l := tried(t, "2026-04-01", "visa", offer{})
	l.now = instant("2026-04-10")
	l.must(Command{Action: ActionCancel})
	is(t, "works until", l.told(NoticeCancelScheduled)[0].Until, instant("2026-05-01"))
	l.to("2027-04-01")
	is(t, "status", l.s().Status, Canceled)
	is(t, "reason", l.s().CancelReason, ReasonRequested)
	is(t, "invoices", len(l.order), 0)
	is(t, "charges", len(l.charges), 0)
}

func TestAWithdrawnOrderIsNeverCharged(t *testing.T) {
	l := ordered(t, "2026-04-01", offer{})
	l.command(Command{Action: ActionPurchase}, "poor")
	l.must(Command{Action: ActionCancel})
	is(t, "status", l.s().Status, IncompleteExpired)
	is(t, "invoice", l.last().Status, InvoiceVoid)
	l.refused(Command{Action: ActionPaymentMethod}, CodeNotPossibleNow)
}

func TestThePreviewOfAnOrderIsItsBill(t *testing.T) {
	l := ordered(t, "2026-04-01", offer{country: "IT", balance: 300})
	preview := l.onFile().PreviewPurchase(l.now)
	l.pay("visa")
	is(t, "amount due", Money{l.charged(), "USD"}, preview.AmountDue())
	is(t, "total", preview.Total(), Money{1220, "USD"})
	is(t, "lines", lines(preview), lines(l.last()))
}

func TestNoCardIsNoMethodToStore(t *testing.T) {
	l := ordered(t, "2026-04-01", offer{balance: 1000})
	l.pay("") // the balance paid
	l.refused(Command{Action: ActionPaymentMethod}, CodeNoPaymentMethod)
	is(t, "has a card", l.s().HasMethod, false)
}

func TestAnOrderThatWaitsForItsAddressLapsesInTime(t *testing.T) {
	l := ordered(t, "2026-04-01 10:00", offer{})
	s := l.s()
	s.ConfirmBy = instant("2026-04-08 10:00")
	is(t, "waits", s.AwaitsConfirmation(), true)
	is(t, "next", s.nextStep(DefaultPolicy()), Step{StepExpireOrder, instant("2026-04-08 10:00")})
	is(t, "possible", s.Actions(l.now), []Action{ActionCancel})
	s.expire()
	refusal := Snapshot{Subscription: s}.Decide(Command{Action: ActionPurchase}, l.now).Refusal
	is(t, "afterwards", refusal.Code, CodeRequestExpired)
}

func TestWhoConfirmsAnOrder(t *testing.T) {
	of := func(pay Pay, payer, licensee string) Role {
		return Order{Pay: pay, Billing: BillingDetails{Contact: Contact{Email: payer}}, Licensee: Contact{Email: licensee}}.Confirms()
	}
	is(t, "by invoice", of(PayNow, "ada@reseller.example", "bea@contoso.example"), RoleBilling)
	is(t, "a trial of the same organisation", of(PayTrial, "ada@it.contoso.example", "bea@contoso.example"), RoleBilling)
	is(t, "a trial of another organisation", of(PayTrial, "ada@reseller.example", "bea@contoso.example"), RoleLicensee)
	is(t, "a trial at a free-mail provider", of(PayTrial, "ada@gmail.com", "bea@gmail.com"), RoleLicensee)
}

func TestAnOrderToBeConfirmedPrintsNoNameThatIsNone(t *testing.T) {
	o := Order{Billing: BillingDetails{Contact: Contact{Name: "Ada Rossi"}, Company: "https://evil.example"}, Licensee: Contact{"VERIFY AT evil.example", "bea@contoso.example"}}.Unconfirmed()
	is(t, "printed", o.Billing.Name+", "+o.Billing.Company+", "+o.Licensee.String(), "Ada Rossi, ,  <bea@contoso.example>")
}
