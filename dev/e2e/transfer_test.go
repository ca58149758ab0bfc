package e2e

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// byInvoice is an order of Calendar Pro for any number of users, for a year at
// 4,950.00, to be paid by transfer.
func (c customer) byInvoice(clock string) object {
	return c.order(object{
		"plan": object{"type": "users", "tier": "Unlimited", "cycle": "yearly"}, "payment": object{"method": "invoice"}, "test_clock": clock,
	})
}

// transfer marks an invoice as paid, in a part or more than that.
func (s *shop) transfer(t testing.TB, invoice, reference string, amount int64) answer {
	t.Helper()
	return s.post(t, "/v1/operator/invoices/"+invoice+"/mark-paid", newKey(),
		object{"reference": secret(reference), "amount": usd(amount), "value_date": "2026-02-01"})
}

// transferred is what became of a transfer, by the payment's and the subscription's
// status.
func (s *shop) transferred(t testing.TB, invoice, reference string, amount int64) string {
	t.Helper()
	var v checkout
	s.transfer(t, invoice, reference, amount).want(t, http.StatusOK).into(t, &v)
	return v.Payment.Status + ", " + v.Invoice.Status + ", " + v.Subscription.Status
}

// balance is what an account holds in USD.
func (s *shop) balance(t testing.TB, who customer) int64 {
	t.Helper()
	var v struct{ Data []money }
	s.get(t, "/v1/balance?email="+url.QueryEscape(who.email), &v)
	for _, m := range v.Data {
		if m.Currency == "USD" {
			return m.Amount
		}
	}
	return 0
}

func (s *shop) invoice(t testing.TB, id string) invoice {
	t.Helper()
	var v invoice
	s.get(t, "/v1/invoices/"+id, &v)
	return v
}

func TestAPurchaseByInvoiceIsActiveFromTheInstantAtWhichItIsMarkedPaid(t *testing.T) {
	who, clock := newCustomer(), shared.clock(t, "2026-01-31T10:00:00Z")
	c := shared.buy(t, who.byInvoice(clock))
	id, inv := c.Subscription.ID, *c.Invoice
	if c.Payment.Status != "pending" || c.License != nil || c.Subscription.Status != "incomplete" || c.Subscription.Collection != "invoice" {
		t.Fatalf("%+v", c)
	}
	if inv.Status != "open" || inv.Number == nil || deref(inv.DueAt) != "2026-03-02T10:00:00Z" || inv.AmountDue != usd(495000) || inv.Lines[0].Period != nil {
		t.Fatalf("%+v", inv)
	}
	emails := shared.awaitEmails(t, who.email, 1)
	if l := emails[0]; l.Subject != "Invoice "+*inv.Number+" for Calendar Pro: please pay by 2 March 2026" || !strings.Contains(l.Text, "$4,950.00") {
		t.Errorf("%q:\n%s", l.Subject, l.Text)
	}
	if pdf := shared.attached(t, emails[0]); !strings.HasPrefix(string(pdf), "%PDF-") || emails[0].Attachments[0].FileName != *inv.Number+".pdf" {
		t.Errorf("%s is no invoice", emails[0].Attachments[0].FileName)
	}
	// A part, the same part again, and the rest with 1.00 too much.
	shared.advance(t, clock, "2026-02-10T00:00:00Z")
	if got := shared.transferred(t, inv.ID, "Bankbeleg Haelfte", 200000); got != "pending, open, incomplete" || shared.balance(t, who) != 200000 {
		t.Errorf("%s, balance %d", got, shared.balance(t, who))
	}
	shared.transfer(t, inv.ID, " BANKBELEG  haelfte", 200000).wantProblem(t, http.StatusConflict, "already_recorded")
	shared.advance(t, clock, "2026-02-15T12:30:00Z")
	if got := shared.transferred(t, inv.ID, "Bankbeleg Rest", 295100); got != "succeeded, paid, active" || shared.balance(t, who) != 100 {
		t.Errorf("%s, balance %d", got, shared.balance(t, who))
	}
	sub := shared.subscription(t, id)
	if want := (period{"2026-02-15T12:30:00Z", "2027-02-15T12:30:00Z"}); *sub.CurrentPeriod != want {
		t.Errorf("the period is %+v", sub.CurrentPeriod)
	}
	after := shared.invoice(t, inv.ID)
	if after.Status != "paid" || *after.Number != *inv.Number || *after.Lines[0].Period != *sub.CurrentPeriod {
		t.Errorf("%+v", after)
	}
	if v := shared.check(t, *sub.LicenseID); v.Code != "ACTIVE" || deref(v.ValidUntil) != "2027-02-15T12:30:00Z" {
		t.Errorf("%+v", v)
	}
	if l := shared.awaitEmails(t, who.email, 2)[1]; l.Subject != "Receipt for Calendar Pro: "+*inv.Number {
		t.Error(l.Subject)
	}
	if l := shared.awaitEmails(t, who.licenseeEmail, 1)[0]; l.Subject != "Your licence for Calendar Pro" || len(l.Attachments) != 1 {
		t.Error(l.Subject)
	}
	// Once more, by mistake: on the balance, and nothing else.
	if got := shared.transferred(t, inv.ID, "Bankbeleg nochmals", 5000); got != "none, paid, active" || shared.balance(t, who) != 5100 {
		t.Errorf("%s, balance %d", got, shared.balance(t, who))
	}
	shared.wantCharges(t, id)
}

func TestAnOrderByInvoiceHasAThresholdAndIsNoTrial(t *testing.T) {
	clock := shared.clock(t, "2026-01-31T10:00:00Z")
	small := newCustomer().byInvoice(clock)
	small["plan"] = object{"type": "users", "tier": "Unlimited", "cycle": "monthly"} // 495.00
	shared.post(t, "/v1/checkout", newKey(), small).wantProblem(t, http.StatusUnprocessableEntity, "invoice_not_allowed")
	trial := newCustomer().byInvoice(clock)
	trial["pay"] = "trial"
	shared.post(t, "/v1/checkout", newKey(), trial).wantProblem(t, http.StatusUnprocessableEntity, "invoice_not_allowed")
	for tier, allowed := range map[string]bool{"Unlimited": true, "1-20": false} {
		var v struct {
			Allowed bool `json:"invoice_allowed"`
		}
		shared.send(t, http.MethodPost, "/v1/checkout/preview", object{
			"product": "calendar-pro", "plan": object{"type": "users", "tier": tier, "cycle": "yearly"}, "billing": object{"country": "US"},
		}, nil).want(t, http.StatusOK).into(t, &v)
		if v.Allowed != allowed {
			t.Errorf("%s: invoice_allowed %v", tier, v.Allowed)
		}
	}
}

func TestAnUnpaidOrderByInvoiceLapsesAfter30DaysAndItsInvoiceIsCredited(t *testing.T) {
	who, clock := newCustomer(), shared.clock(t, "2026-01-31T10:00:00Z")
	c := shared.buy(t, who.byInvoice(clock))
	inv := *c.Invoice
	shared.advance(t, clock, "2026-03-02T09:59:59Z")
	if sub := shared.subscription(t, c.Subscription.ID); sub.Status != "incomplete" {
		t.Error(sub.Status)
	}
	shared.advance(t, clock, "2026-03-02T10:00:00Z")
	if sub := shared.subscription(t, c.Subscription.ID); sub.Status != "incomplete_expired" || sub.LicenseID != nil {
		t.Errorf("%+v", sub)
	}
	void := shared.invoice(t, inv.ID)
	if void.Status != "void" || *void.Number != *inv.Number || void.Total != inv.Total || len(void.Notes) != 1 || void.Notes[0].Total != inv.Total || void.Notes[0].Reason != "void" {
		t.Errorf("%+v", void)
	}
	if got := shared.balance(t, who); got != 0 {
		t.Errorf("the balance is %d", got)
	}
	emails := shared.awaitEmails(t, who.email, 2)
	if l := emails[1]; l.Subject != "Invoice "+*inv.Number+" is void: please do not pay it" || l.Attachments[0].FileName != void.Notes[0].Number+".pdf" {
		t.Errorf("%q with %+v", l.Subject, l.Attachments)
	}
	// The money comes after all.
	if got := shared.transferred(t, inv.ID, "Bankbeleg spaet", 495000); got != "none, void, incomplete_expired" || shared.balance(t, who) != 495000 {
		t.Errorf("%s, balance %d", got, shared.balance(t, who))
	}
	eventually(t, 20*time.Second, "the operator is told of the late transfer", func() bool {
		return slices.ContainsFunc(shared.emails(t, "licences@okviz.example"), func(l email) bool {
			return strings.Contains(l.Text, inv.ID) && strings.Contains(l.Text, "$4,950.00")
		})
	})
}

// activeByInvoice has paid on 31 January 2026 at ten, for a year.
func activeByInvoice(t *testing.T, who customer) (id, clock string) {
	t.Helper()
	clock = shared.clock(t, "2026-01-31T10:00:00Z")
	c := shared.buy(t, who.byInvoice(clock))
	if got := shared.transferred(t, c.Invoice.ID, "Bankbeleg Kauf", 495000); got != "succeeded, paid, active" {
		t.Fatal(got)
	}
	return c.Subscription.ID, clock
}

func (s *shop) lastInvoice(t *testing.T, sub string, n int) invoice {
	t.Helper()
	all := s.invoices(t, sub)
	if len(all) != n {
		t.Fatalf("%d invoices, want %d", len(all), n)
	}
	return all[n-1]
}

func TestAYearlyRenewalByInvoiceIsMailed30DaysAheadAndCountedFromTheOldEnd(t *testing.T) {
	who := newCustomer()
	id, clock := activeByInvoice(t, who)
	shared.advance(t, clock, "2027-01-01T09:59:59Z")
	shared.lastInvoice(t, id, 1)
	shared.advance(t, clock, "2027-01-01T10:00:00Z")
	inv := shared.lastInvoice(t, id, 2)
	if inv.Status != "open" || deref(inv.DueAt) != "2027-01-31T10:00:00Z" || *inv.Lines[0].Period != (period{"2027-01-31T10:00:00Z", "2028-01-31T10:00:00Z"}) {
		t.Errorf("%+v", inv)
	}
	if got := shared.subjects(t, who.email); got[len(got)-1] != "Invoice "+*inv.Number+" for Calendar Pro: please pay by 31 January 2027" {
		t.Errorf("%q", got)
	}
	// The reminder, seven days before, is one of the invoice.
	shared.advance(t, clock, "2027-01-24T10:00:00Z")
	all := shared.emails(t, who.email)
	if l := all[len(all)-1]; l.Subject != "Calendar Pro renews on 31 January 2027" || !strings.Contains(l.Text, "pay invoice "+*inv.Number) {
		t.Errorf("%q:\n%s", l.Subject, l.Text)
	}
	if got := shared.transferred(t, inv.ID, "Bankbeleg Verlaengerung", 495000); got != "succeeded, paid, active" {
		t.Error(got)
	}
	if v := shared.check(t, *shared.subscription(t, id).LicenseID); deref(v.ValidUntil) != "2028-01-31T10:00:00Z" {
		t.Errorf("%+v", v)
	}
	shared.advance(t, clock, "2027-01-31T10:00:00Z")
	if sub := shared.subscription(t, id); sub.Status != "active" || *sub.CurrentPeriod != (period{"2027-01-31T10:00:00Z", "2028-01-31T10:00:00Z"}) {
		t.Errorf("%+v", sub)
	}
	// The next one is not paid.
	shared.advance(t, clock, "2028-01-31T09:59:59Z")
	license := *shared.subscription(t, id).LicenseID
	if v := shared.check(t, license); v.Code != "ACTIVE" {
		t.Errorf("%+v", v)
	}
	open := shared.lastInvoice(t, id, 3)
	shared.advance(t, clock, "2028-01-31T10:00:00Z")
	sub := shared.subscription(t, id)
	if sub.Status != "canceled" || deref(sub.CancelReason) != "payment_failed" || deref(sub.CanceledAt) != "2028-01-31T10:00:00Z" {
		t.Errorf("%+v", sub)
	}
	if v := shared.check(t, license); v.Code != "EXPIRED" {
		t.Errorf("%+v", v)
	}
	if void := shared.invoice(t, open.ID); void.Status != "void" || len(void.Notes) != 1 || void.Notes[0].Total != open.Total {
		t.Errorf("%+v", void)
	}
	shared.wantCharges(t, id)
}

func TestCancellingVoidsTheAheadInvoiceAndResumingMailsItAgain(t *testing.T) {
	who := newCustomer()
	id, clock := activeByInvoice(t, who)
	shared.advance(t, clock, "2027-01-10T00:00:00Z")
	first := shared.lastInvoice(t, id, 2)
	shared.command(t, id, "cancel", nil).want(t, http.StatusOK)
	if void := shared.invoice(t, first.ID); void.Status != "void" || len(void.Notes) != 1 || void.Notes[0].Total != first.Total {
		t.Errorf("%+v", void)
	}
	var v checkout
	shared.command(t, id, "resume", nil).want(t, http.StatusOK).into(t, &v)
	again := shared.lastInvoice(t, id, 3)
	if v.Payment.Status != "pending" || v.Invoice.ID != again.ID || again.Status != "open" || deref(again.DueAt) != "2027-01-31T10:00:00Z" || *again.Number == *first.Number {
		t.Errorf("%+v", again)
	}
	shared.command(t, id, "renew", nil).wantProblem(t, http.StatusConflict, "not_possible_now")
	// A change makes it void too. What it costs needs a card.
	shared.command(t, id, "change", object{"plan": object{"type": "capacity", "tier": "P3 or F256", "cycle": "yearly"}}).
		wantProblem(t, http.StatusPaymentRequired, "no_payment_method")
	if inv := shared.invoice(t, again.ID); inv.Status != "open" {
		t.Errorf("a refused change left it %s", inv.Status)
	}
	shared.command(t, id, "change", object{"plan": users("1-20")}).want(t, http.StatusOK)
	if void := shared.invoice(t, again.ID); void.Status != "void" || len(void.Notes) != 1 {
		t.Errorf("%+v", void)
	}
	if sub := shared.subscription(t, id); sub.Status != "active" || *sub.CurrentPeriod != (period{"2027-01-10T00:00:00Z", "2027-02-10T00:00:00Z"}) {
		t.Errorf("%+v", sub)
	}
}

func TestRenewNowWithoutACardMailsTheInvoiceAndWithOneChargesIt(t *testing.T) {
	id, clock := activeByInvoice(t, newCustomer())
	shared.advance(t, clock, "2026-05-01T00:00:00Z")
	var v checkout
	shared.command(t, id, "renew", nil).want(t, http.StatusOK).into(t, &v)
	if v.Payment.Status != "pending" || v.Invoice.Status != "open" || deref(v.Invoice.DueAt) != "2027-01-31T10:00:00Z" {
		t.Errorf("%+v", v)
	}
	shared.command(t, id, "renew", nil).wantProblem(t, http.StatusConflict, "not_possible_now")
	shared.command(t, id, "payment-method", object{"token": secret("tok_visa")}).want(t, http.StatusOK)
	shared.command(t, id, "renew", nil).want(t, http.StatusOK)
	shared.wantCharges(t, id, charged("2026-05-01T00:00:00Z", 495000))
	if void := shared.invoice(t, v.Invoice.ID); void.Status != "void" || len(void.Notes) != 1 {
		t.Errorf("%+v", void)
	}
	shared.audit(t, id)
}

// The engine was away from before the invoice was due to be mailed until long
// after the period's end: the period that runs is billed, and there is time to
// pay it.
func TestAnInvoiceThatAnOutageKeptBackIsForThePeriodThatRuns(t *testing.T) {
	id, clock := activeByInvoice(t, newCustomer())
	shared.advanceBy(t, clock, object{"to": "2027-03-01T00:00:00Z", "late": true})
	inv := shared.lastInvoice(t, id, 2)
	if inv.Status != "open" || deref(inv.DueAt) != "2027-03-31T00:00:00Z" || *inv.Lines[0].Period != (period{"2027-01-31T10:00:00Z", "2028-01-31T10:00:00Z"}) {
		t.Errorf("%+v", inv)
	}
	license := *shared.subscription(t, id).LicenseID
	if v := shared.check(t, license); v.Code != "EXPIRED" {
		t.Errorf("%+v", v)
	}
	if got := shared.transferred(t, inv.ID, "Bankbeleg doch noch", 495000); got != "succeeded, paid, active" {
		t.Error(got)
	}
	if v := shared.check(t, license); v.Code != "ACTIVE" || deref(v.ValidUntil) != "2028-01-31T10:00:00Z" {
		t.Errorf("%+v", v)
	}
	if sub := shared.subscription(t, id); *sub.CurrentPeriod != (period{"2027-01-31T10:00:00Z", "2028-01-31T10:00:00Z"}) {
		t.Errorf("%+v", sub.CurrentPeriod)
	}
	shared.wantCharges(t, id)
}

func TestACardMayPayAnOrderByInvoiceInTheEnd(t *testing.T) {
	clock := shared.clock(t, "2026-01-31T10:00:00Z")
	c := shared.buy(t, newCustomer().byInvoice(clock))
	id := c.Subscription.ID
	shared.command(t, id, "payment-method", object{"token": secret("tok_declined")}).wantProblem(t, http.StatusPaymentRequired, "card_declined")
	if inv := shared.invoice(t, c.Invoice.ID); inv.Status != "open" {
		t.Errorf("a decline left it %s", inv.Status)
	}
	shared.command(t, id, "payment-method", object{"token": secret("tok_visa")}).want(t, http.StatusOK)
	if inv := shared.invoice(t, c.Invoice.ID); inv.Status != "void" || len(inv.Notes) != 1 {
		t.Errorf("%+v", inv)
	}
	if sub := shared.subscription(t, id); sub.Status != "active" || sub.Collection != "card" {
		t.Errorf("%+v", sub)
	}
	shared.audit(t, id)
}

func TestATransferIsRecordedOncePerKeyAndOnlyInTheInvoicesCurrency(t *testing.T) {
	who, clock := newCustomer(), shared.clock(t, "2026-01-31T10:00:00Z")
	inv := shared.buy(t, who.byInvoice(clock)).Invoice
	path, key := "/v1/operator/invoices/"+inv.ID+"/mark-paid", newKey()
	body := object{"reference": secret("a part of it"), "amount": usd(1000), "value_date": "2026-02-01"}
	first := shared.post(t, path, key, body).want(t, http.StatusOK)
	if again := shared.post(t, path, key, body); again.same(t) != first.same(t) || shared.balance(t, who) != 1000 {
		t.Errorf("balance %d, answered\n%s\nthen\n%s", shared.balance(t, who), first.body, again.body)
	}
	for _, wrong := range []object{
		{"amount": money{1000, "EUR"}}, {"amount": usd(0)}, {"amount": usd(-5)}, {"amount": 1000}, {"value_date": "1 February"}, {"reference": " "}, {"note": "x"},
	} {
		changed := object{}
		for name, v := range body {
			changed[name] = v
		}
		for name, v := range wrong {
			changed[name] = v
		}
		shared.post(t, path, newKey(), changed).wantProblem(t, http.StatusUnprocessableEntity, "invalid")
	}
	shared.send(t, http.MethodPost, path, body, map[string]string{"Idempotency-Key": newKey()}).want(t, http.StatusUnauthorized)
	if shared.balance(t, who) != 1000 {
		t.Errorf("balance %d", shared.balance(t, who))
	}
}
