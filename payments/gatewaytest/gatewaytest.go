// Package gatewaytest is the contract of payments.Gateway as tests. Every
// gateway runs them.
package gatewaytest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/oklog/ulid/v2"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/payments"
)

// Subject is a gateway under test, with tokens of cards that behave in known
// ways. A test whose card the gateway does not have is skipped by name.
type Subject struct {
	Gateway payments.Gateway

	// Succeeded counts, in the gateway's own books, the charges of an invoice
	// that moved money.
	Succeeded func(t *testing.T, subscription billing.SubscriptionID, invoice billing.InvoiceID) int

	Visa              string // always succeeds
	GenericDecline    string
	InsufficientFunds string
	Stolen            string
	ExpiredCard       string
	RequiresAction    string
	TimeoutCharged    string // no answer once per charge; the money moved
	TimeoutLost       string // no answer once per charge; it did not move
	Flaky             string // two faults per charge, then succeeds
	Unknown           string // a token that the gateway does not know

	// Fill is what a customer does on a form's page: give the card that always
	// succeeds.
	Fill func(t *testing.T, form string)

	// Approve is what the customer does on the page of a charge that requires
	// action. Where nothing waits any more it does nothing.
	Approve func(t *testing.T, charge billing.ChargeID)

	// FailRefund is what the customer's bank does with a refund, after it has
	// succeeded.
	FailRefund func(t *testing.T, charge billing.ChargeID, note billing.RefundID)

	// Webhook is how the gateway tells an event, signed at an instant.
	Webhook func(t *testing.T, n billing.GatewayEvent, at time.Time) (header func(string) string, body []byte)
}

var at = time.Date(2026, 1, 31, 10, 0, 0, 0, time.UTC)

// Run holds the gateways that newSubject makes to the contract.
func Run(t *testing.T, newSubject func(t *testing.T) Subject) {
	for name, test := range map[string]func(*order){
		"an account has one customer":                                    oneCustomer,
		"a stored card is recognisable":                                  storedCard,
		"a card that was detached is charged no more":                    detachedCard,
		"an unknown token is refused without repeating it":               unknownToken,
		"a form is one per id, and empty before a card was given":        formIsEmpty,
		"a card that was given in a form can be stored":                  formIsFilled,
		"a form that nobody opened is refused":                           unknownForm,
		"an unknown customer is refused":                                 unknownCustomer,
		"preparing moves nothing and gives one reference":                prepareMovesNothing,
		"an amount of zero is refused":                                   zeroIsRefused,
		"a good card succeeds once, however often it is asked":           succeedsOnce,
		"a paid invoice answers later attempts with its success":         paidStaysPaid,
		"a paid invoice takes no other amount":                           paidTakesNoOtherAmount,
		"a decline moves nothing and another card may pay another price": declineThenPay,
		"a prepared attempt does not inherit the decline before it":      declineIsNotInherited,
		"a preparation that comes late changes nothing":                  latePreparation,
		"an attempt repeated with another amount is refused":             otherAmountIsRefused,
		"an attempt that nobody prepared is refused":                     unpreparedIsRefused,
		"another invoice's charge is refused":                            otherInvoiceIsRefused,
		"an unknown charge is refused":                                   unknownCharge,
		"the bank may ask for the customer":                              requiresAction,
		"another card may take the place of an action":                   actionIsReplaced,
		"an action that was answered has succeeded":                      actionIsAnswered,
		"an action that was given up can never succeed":                  actionIsAbandoned,
		"an action that was answered is not given up":                    answeredIsKept,
		"an action is either answered or given up":                       answeredOrAbandoned,
		"where nothing waits nothing is given up":                        nothingIsAbandoned,
		"a timeout that charged is resolved as succeeded":                timeoutCharged,
		"a timeout that was lost is resolved and sent again":             timeoutLost,
		"a gateway's faults end in one success":                          flaky,
		"40 equal calls charge once":                                     manyEqualCalls,
		"40 calls that differ in their attempt charge once":              manyAttempts,
		"a credit note is refunded once":                                 refundOnce,
		"refunds never exceed the charge":                                refundsNeverExceed,
		"40 refunds at once never exceed the charge":                     manyRefunds,
		"what was not charged is not refunded":                           unchargedIsNotRefunded,
		"a refund may fail after it has succeeded":                       refundFailsLater,
		"what has moved is listed, and nothing else":                     movedIsListed,
		"a webhook is read as what it tells":                             webhookIsRead,
		"a webhook that the gateway did not sign is refused":             unsignedWebhook,
		"a webhook of the other mode is refused":                         otherModesWebhook,
	} {
		t.Run(name, func(t *testing.T) { test(newOrder(t, newSubject(t))) })
	}

	declines := map[string]struct {
		token func(Subject) string
		hard  bool
	}{
		"generic_decline":    {func(s Subject) string { return s.GenericDecline }, false},
		"insufficient_funds": {func(s Subject) string { return s.InsufficientFunds }, false},
		"stolen_card":        {func(s Subject) string { return s.Stolen }, true},
		"expired_card":       {func(s Subject) string { return s.ExpiredCard }, false},
	}
	for code, d := range declines {
		t.Run("declined as "+code, func(t *testing.T) {
			s := newSubject(t)
			o := newOrder(t, s)
			r := o.request(o.card(d.token(s)), 1)
			got := o.charge(r)
			if got.Status != billing.PaymentDeclined || got.DeclineCode != code || got.Hard() != d.hard || got.Advice == "" {
				t.Errorf("got %+v (hard %t), want declined, %s, hard %t, with advice", got, got.Hard(), code, d.hard)
			}
			o.same(o.charge(r), got)
			o.same(o.resolve(), got)
			o.succeeded(0)
		})
	}
}

// order is one invoice of one customer on its way to be paid.
type order struct {
	*testing.T
	Subject
	customer     string
	subscription billing.SubscriptionID
	invoice      billing.InvoiceID
	ref          billing.ChargeID
}

func newOrder(t *testing.T, s Subject) *order {
	o := &order{T: t, Subject: s, subscription: billing.SubscriptionID(newID("sub")), invoice: newInvoice()}
	var err error
	if o.customer, err = s.Gateway.EnsureCustomer(t.Context(), billing.AccountID(newID("cus"))); err != nil {
		t.Fatal(err)
	}
	return o
}

func newInvoice() billing.InvoiceID { return billing.InvoiceID(newID("inv")) }

func newRefund(prefix string) billing.RefundID { return billing.RefundID(newID(prefix)) }

func newID(prefix string) string { return prefix + "_" + ulid.Make().String() }

func usd(cents int64) billing.Money { return billing.Money{Amount: cents, Currency: "USD"} }

func (o *order) card(token string) string {
	o.Helper()
	if token == "" {
		o.Skip("not run: " + o.Gateway.Name() + " has no card that behaves like this")
	}
	m, err := o.Gateway.AttachMethod(o.Context(), o.customer, token)
	if err != nil {
		o.Fatal(err)
	}
	return m.Ref
}

// request asks for 9.90 USD.
func (o *order) request(method string, attempt int) billing.ChargeRequest {
	return billing.ChargeRequest{
		Invoice: o.invoice, Subscription: o.subscription, Customer: o.customer, Method: method,
		Amount: usd(990), Attempt: attempt, OffSession: true, ReturnURL: "https://shop.example/back", At: at.Add(time.Duration(attempt) * time.Hour),
	}
}

func (o *order) form(id string) billing.Form {
	o.Helper()
	f, err := o.Gateway.OpenForm(o.Context(), billing.FormRequest{
		ID: id, Customer: o.customer, Done: "https://shop.example/done", Back: "https://shop.example/back",
	})
	if err != nil || f.Ref == "" || !strings.HasPrefix(f.URL, "http") {
		o.Fatalf("the form %+v, %v", f, err)
	}
	return f
}

func formIsEmpty(o *order) {
	id := newID("frm")
	first := o.form(id)
	if again := o.form(id); again != first {
		o.Errorf("the same form is %+v and %+v", first, again)
	}
	if other := o.form(newID("frm")); other.Ref == first.Ref {
		o.Error("two forms are one")
	}
	if token, err := o.Gateway.FormToken(o.Context(), first.Ref); token != "" || err != nil {
		o.Errorf("an empty form has %t, %v", token != "", err)
	}
}

func formIsFilled(o *order) {
	f := o.form(newID("frm"))
	o.Fill(o.T, f.Ref)
	token, err := o.Gateway.FormToken(o.Context(), f.Ref)
	if err != nil {
		o.Fatal(err)
	}
	o.same(o.charge(o.request(o.card(token), 1)), billing.ChargeResult{Status: billing.PaymentSucceeded})
	o.succeeded(1)
	if again, err := o.Gateway.FormToken(o.Context(), f.Ref); again != token || err != nil {
		o.Errorf("asked again it has another card, or %v", err)
	}
}

func unknownForm(o *order) {
	_, err := o.Gateway.FormToken(o.Context(), "form_nonesuch")
	o.refused(err, payments.CodeNotFound)
}

// charge prepares and makes an attempt.
func (o *order) charge(r billing.ChargeRequest) billing.ChargeResult {
	o.Helper()
	o.prepare(r)
	return o.chargeOnly(r)
}

func (o *order) prepare(r billing.ChargeRequest) {
	o.Helper()
	ref, err := o.Gateway.Prepare(o.Context(), r)
	if err != nil {
		o.Fatal(err)
	}
	if ref == "" || o.ref != "" && ref != o.ref {
		o.Fatalf("prepared as %q, before as %q", ref, o.ref)
	}
	o.ref = ref
}

func (o *order) chargeOnly(r billing.ChargeRequest) billing.ChargeResult {
	o.Helper()
	got, err := o.Gateway.Charge(o.Context(), o.ref, r)
	if err != nil {
		o.Fatal(err)
	}
	return got
}

func (o *order) resolve() billing.ChargeResult {
	o.Helper()
	got, err := o.Gateway.Resolve(o.Context(), o.ref)
	if err != nil {
		o.Fatal(err)
	}
	return got
}

func (o *order) abandon() billing.ChargeResult {
	o.Helper()
	got, err := o.Gateway.Abandon(o.Context(), o.ref)
	if err != nil {
		o.Fatal(err)
	}
	return got
}

func (o *order) refund(note billing.RefundID, cents int64) error {
	o.Helper()
	status, err := o.Gateway.Refund(o.Context(), o.refundRequest(note, cents))
	if err == nil && status != billing.RefundSucceeded && status != billing.RefundPending {
		o.Errorf("the refund %s is %q", note, status)
	}
	return err
}

func (o *order) refundRequest(note billing.RefundID, cents int64) billing.RefundRequest {
	return billing.RefundRequest{CreditNote: note, Invoice: o.invoice, Charge: o.ref, Amount: usd(cents), At: at.Add(24 * time.Hour)}
}

func (o *order) status(got billing.ChargeResult, want billing.PaymentStatus) {
	o.Helper()
	if got.Status != want {
		o.Fatalf("got %+v, want %s", got, want)
	}
}

func (o *order) same(got, want billing.ChargeResult) {
	o.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		o.Errorf("the outcome changed:\n%s", diff)
	}
}

func (o *order) succeeded(want int) {
	o.Helper()
	if got := o.Subject.Succeeded(o.T, o.subscription, o.invoice); got != want {
		o.Errorf("%d successful charges, want %d", got, want)
	}
}

func (o *order) refused(err error, code string) {
	o.Helper()
	refusal, ok := errors.AsType[*payments.Error](err)
	if !ok || refusal.Code != code {
		o.Errorf("got error %v, want %s", err, code)
	}
}

// together runs f n times at once.
func together(n int, f func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	wg.Wait()
}

func oneCustomer(o *order) {
	account := newID("cus")
	got := make([]string, 10)
	together(len(got), func(i int) {
		var err error
		if got[i], err = o.Gateway.EnsureCustomer(o.Context(), billing.AccountID(account)); err != nil {
			o.Error(err)
		}
	})
	for _, c := range got {
		if c == "" || c != got[0] || c == o.customer {
			o.Fatalf("customers %q, and another account's %q", got, o.customer)
		}
	}
}

func storedCard(o *order) {
	m, err := o.Gateway.AttachMethod(o.Context(), o.customer, o.Visa)
	if err != nil {
		o.Fatal(err)
	}
	if _, err := time.Parse("2006-01", m.Exp); err != nil || m.Ref == "" || m.Brand != "visa" || m.Last4 != "4242" {
		o.Errorf("stored as %+v", m)
	}
	again, err := o.Gateway.AttachMethod(o.Context(), o.customer, o.Visa)
	if err != nil {
		o.Fatal(err)
	}
	if m.Fingerprint == "" || again.Fingerprint != m.Fingerprint {
		o.Errorf("the same card has the fingerprints %q and %q", m.Fingerprint, again.Fingerprint)
	}
	if same, err := o.Gateway.AttachMethod(o.Context(), o.customer, m.Ref); err != nil || same != m {
		o.Errorf("by its reference it is %+v, %v, want %+v", same, err, m)
	}
	_, err = o.Gateway.AttachMethod(o.Context(), o.another(), m.Ref)
	o.refused(err, payments.CodeUnknownToken)
}

// another is another customer.
func (o *order) another() string {
	customer, err := o.Gateway.EnsureCustomer(o.Context(), billing.AccountID(newID("cus")))
	if err != nil {
		o.Fatal(err)
	}
	return customer
}

func unknownToken(o *order) {
	_, err := o.Gateway.AttachMethod(o.Context(), o.customer, o.Unknown)
	o.refused(err, payments.CodeUnknownToken)
	if err != nil && strings.Contains(err.Error(), o.Unknown) {
		o.Error("the error repeats the token")
	}
}

func unknownCustomer(o *order) {
	_, err := o.Gateway.AttachMethod(o.Context(), "cus_nobody", o.Visa)
	o.refused(err, payments.CodeNotFound)
	if err != nil && strings.Contains(err.Error(), o.Visa) {
		o.Error("the error repeats the token")
	}
}

func prepareMovesNothing(o *order) {
	r := o.request(o.card(o.Visa), 1)
	for range 3 {
		o.prepare(r) // checks that the reference stays
	}
	refs := make([]billing.ChargeID, 10)
	other := r
	other.Invoice = newInvoice()
	together(len(refs), func(i int) {
		var err error
		if refs[i], err = o.Gateway.Prepare(o.Context(), other); err != nil {
			o.Error(err)
		}
	})
	for _, ref := range refs {
		if ref != refs[0] || ref == o.ref {
			o.Fatalf("references %q, and another invoice's %q", refs, o.ref)
		}
	}
	o.same(o.resolve(), billing.ChargeResult{Status: billing.PaymentNotAttempted})
	o.succeeded(0)
}

func detachedCard(o *order) {
	card := o.card(o.Visa)
	paid := o.request(card, 1)
	o.status(o.charge(paid), billing.PaymentSucceeded)
	for _, method := range []string{card, card, "pm_nonesuch"} {
		if err := o.Gateway.DetachMethod(o.Context(), method); err != nil {
			o.Errorf("detaching %s: %v", method, err)
		}
	}
	o.status(o.charge(paid), billing.PaymentSucceeded) // which it has been
	if err := o.refund(newRefund("cn"), 990); err != nil {
		o.Errorf("giving back what it has paid: %v", err)
	}
	o.invoice, o.ref = newInvoice(), ""
	r := o.request(card, 1)
	o.prepare(r)
	_, err := o.Gateway.Charge(o.Context(), o.ref, r)
	o.refused(err, payments.CodeNotFound)
	o.status(o.resolve(), billing.PaymentNotAttempted)
	o.succeeded(0)
}

func zeroIsRefused(o *order) {
	r := o.request(o.card(o.Visa), 1)
	r.Amount = usd(0)
	_, err := o.Gateway.Prepare(o.Context(), r)
	o.refused(err, payments.CodeInvalid)
}

func succeedsOnce(o *order) {
	r := o.request(o.card(o.Visa), 1)
	for range 3 {
		o.same(o.charge(r), billing.ChargeResult{Status: billing.PaymentSucceeded})
		o.same(o.resolve(), billing.ChargeResult{Status: billing.PaymentSucceeded})
	}
	o.succeeded(1)
}

func paidStaysPaid(o *order) {
	o.status(o.charge(o.request(o.card(o.Visa), 1)), billing.PaymentSucceeded)
	o.status(o.charge(o.request(o.card(o.GenericDecline), 2)), billing.PaymentSucceeded)
	o.status(o.charge(o.request(o.card(o.Visa), 3)), billing.PaymentSucceeded)
	o.status(o.resolve(), billing.PaymentSucceeded)
	o.succeeded(1)
}

func paidTakesNoOtherAmount(o *order) {
	o.status(o.charge(o.request(o.card(o.Visa), 1)), billing.PaymentSucceeded)
	r := o.request(o.card(o.Visa), 2)
	r.Amount = usd(2900)
	_, err := o.Gateway.Prepare(o.Context(), r)
	o.refused(err, payments.CodeAlreadyCharged)
	_, err = o.Gateway.Charge(o.Context(), o.ref, r)
	o.refused(err, payments.CodeAlreadyCharged)
	o.succeeded(1)
}

func declineThenPay(o *order) {
	o.status(o.charge(o.request(o.card(o.GenericDecline), 1)), billing.PaymentDeclined)
	o.succeeded(0)
	r := o.request(o.card(o.Visa), 2)
	r.Amount = usd(2900)
	o.status(o.charge(r), billing.PaymentSucceeded)
	o.status(o.resolve(), billing.PaymentSucceeded)
	o.succeeded(1)
	if err := o.refund(newRefund("cn"), 2900); err != nil {
		o.Errorf("giving back what the second attempt charged: %v", err)
	}
}

func declineIsNotInherited(o *order) {
	o.status(o.charge(o.request(o.card(o.GenericDecline), 1)), billing.PaymentDeclined)
	r := o.request(o.card(o.Visa), 2)
	o.prepare(r)
	o.same(o.resolve(), billing.ChargeResult{Status: billing.PaymentNotAttempted})
	o.status(o.chargeOnly(r), billing.PaymentSucceeded)
	o.succeeded(1)
}

func latePreparation(o *order) {
	first := o.request(o.card(o.GenericDecline), 1)
	o.prepare(first)
	second := o.request(o.card(o.Visa), 2)
	second.Amount = usd(2900)
	o.prepare(second)
	o.prepare(first)
	o.status(o.resolve(), billing.PaymentNotAttempted)
	o.status(o.chargeOnly(second), billing.PaymentSucceeded)
	o.succeeded(1)
}

func otherAmountIsRefused(o *order) {
	r := o.request(o.card(o.GenericDecline), 1)
	o.status(o.charge(r), billing.PaymentDeclined)
	r.Amount = usd(2900)
	_, err := o.Gateway.Charge(o.Context(), o.ref, r)
	o.refused(err, payments.CodeMismatch)
	o.status(o.resolve(), billing.PaymentDeclined)
	o.succeeded(0)
}

func unpreparedIsRefused(o *order) {
	card := o.card(o.Visa)
	o.prepare(o.request(card, 1))
	_, err := o.Gateway.Charge(o.Context(), o.ref, o.request(card, 2))
	o.refused(err, payments.CodeWrongAttempt)
	o.status(o.resolve(), billing.PaymentNotAttempted)
	o.succeeded(0)
}

func otherInvoiceIsRefused(o *order) {
	r := o.request(o.card(o.Visa), 1)
	o.prepare(r)
	r.Invoice = newInvoice()
	_, err := o.Gateway.Charge(o.Context(), o.ref, r)
	o.refused(err, payments.CodeMismatch)
	o.succeeded(0)
}

func unknownCharge(o *order) {
	_, err := o.Gateway.Charge(o.Context(), "nothing", o.request(o.card(o.Visa), 1))
	o.refused(err, payments.CodeNotFound)
	_, err = o.Gateway.Resolve(o.Context(), "nothing")
	o.refused(err, payments.CodeNotFound)
	o.ref = "nothing"
	o.refused(o.refund(newRefund("cn"), 1), payments.CodeNotFound)
}

func requiresAction(o *order) {
	r := o.request(o.card(o.RequiresAction), 1)
	got := o.charge(r)
	o.status(got, billing.PaymentRequiresAction)
	if !strings.HasPrefix(got.ActionURL, "http") {
		o.Errorf("the action is at %q", got.ActionURL)
	}
	o.same(o.charge(r), got)
	o.same(o.resolve(), got)
	o.succeeded(0)

	r.Invoice, r.OffSession, o.ref = newInvoice(), false, "" // while the customer is there
	o.invoice = r.Invoice
	o.status(o.charge(r), billing.PaymentRequiresAction)
	o.succeeded(0)
}

func actionIsAnswered(o *order) {
	r := o.request(o.card(o.RequiresAction), 1)
	o.status(o.charge(r), billing.PaymentRequiresAction)
	o.Approve(o.T, o.ref)
	o.same(o.resolve(), billing.ChargeResult{Status: billing.PaymentSucceeded})
	o.same(o.charge(r), billing.ChargeResult{Status: billing.PaymentSucceeded})
	o.succeeded(1)
	if err := o.refund(newRefund("cn"), 990); err != nil {
		o.Errorf("giving back what was approved: %v", err)
	}
}

var givenUp = billing.ChargeResult{
	Status: billing.PaymentDeclined, DeclineCode: billing.DeclineAbandoned, Advice: billing.AdviceNeedsCustomer,
}

func actionIsAbandoned(o *order) {
	r := o.request(o.card(o.RequiresAction), 1)
	o.status(o.charge(r), billing.PaymentRequiresAction)
	for range 3 {
		o.same(o.abandon(), givenUp)
		o.same(o.resolve(), givenUp)
		o.same(o.charge(r), givenUp)
	}
	o.Approve(o.T, o.ref)
	o.same(o.resolve(), givenUp)
	o.succeeded(0)

	old := o.ref
	o.ref = "" // the next attempt's may be another one
	next := o.request(o.card(o.Visa), 2)
	next.Amount = usd(2900)
	o.prepare(next)
	o.status(o.resolve(), billing.PaymentNotAttempted)
	o.status(o.chargeOnly(next), billing.PaymentSucceeded)
	o.status(o.resolve(), billing.PaymentSucceeded)
	if got, err := o.Gateway.Charge(o.Context(), old, r); err == nil && got.Status == billing.PaymentSucceeded && old != o.ref {
		o.Error("what was given up has succeeded after all")
	}
	o.succeeded(1)
	if err := o.refund(newRefund("cn"), 2900); err != nil {
		o.Errorf("giving back what the next attempt charged: %v", err)
	}
}

func answeredIsKept(o *order) {
	o.status(o.charge(o.request(o.card(o.RequiresAction), 1)), billing.PaymentRequiresAction)
	o.Approve(o.T, o.ref)
	o.same(o.abandon(), billing.ChargeResult{Status: billing.PaymentSucceeded})
	o.succeeded(1)
}

func answeredOrAbandoned(o *order) {
	o.status(o.charge(o.request(o.card(o.RequiresAction), 1)), billing.PaymentRequiresAction)
	got := make([]billing.ChargeResult, 20)
	together(2*len(got), func(i int) {
		if i%2 == 0 {
			o.Approve(o.T, o.ref)
			return
		}
		var err error
		if got[i/2], err = o.Gateway.Abandon(o.Context(), o.ref); err != nil {
			o.Error(err)
		}
	})
	want, moved := givenUp, 0
	if o.resolve().Status == billing.PaymentSucceeded {
		want, moved = billing.ChargeResult{Status: billing.PaymentSucceeded}, 1
	}
	for _, g := range got {
		o.same(g, want)
	}
	o.succeeded(moved)
}

func nothingIsAbandoned(o *order) {
	r := o.request(o.card(o.Visa), 1)
	o.prepare(r)
	o.same(o.abandon(), billing.ChargeResult{Status: billing.PaymentNotAttempted})
	o.status(o.chargeOnly(r), billing.PaymentSucceeded)
	o.same(o.abandon(), billing.ChargeResult{Status: billing.PaymentSucceeded})
	o.succeeded(1)

	o.invoice, o.ref = newInvoice(), ""
	o.status(o.charge(o.request(o.card(o.GenericDecline), 1)), billing.PaymentDeclined)
	o.same(o.abandon(), o.resolve())
	_, err := o.Gateway.Abandon(o.Context(), "nothing")
	o.refused(err, payments.CodeNotFound)
}

func actionIsReplaced(o *order) {
	o.status(o.charge(o.request(o.card(o.RequiresAction), 1)), billing.PaymentRequiresAction)
	old := o.ref
	r := o.request(o.card(o.Visa), 2)
	r.Amount, o.ref = usd(2900), "" // the reference may be another one
	o.prepare(r)
	o.Approve(o.T, old)
	o.status(o.resolve(), billing.PaymentNotAttempted)
	o.status(o.chargeOnly(r), billing.PaymentSucceeded)
	o.status(o.resolve(), billing.PaymentSucceeded)
	o.succeeded(1)
}

func timeoutCharged(o *order) {
	r := o.request(o.card(o.TimeoutCharged), 1)
	o.same(o.charge(r), billing.ChargeResult{Status: billing.PaymentUnknown})
	o.same(o.resolve(), billing.ChargeResult{Status: billing.PaymentSucceeded})
	o.same(o.charge(r), billing.ChargeResult{Status: billing.PaymentSucceeded})
	o.succeeded(1)
}

func timeoutLost(o *order) {
	r := o.request(o.card(o.TimeoutLost), 1)
	o.same(o.charge(r), billing.ChargeResult{Status: billing.PaymentUnknown})
	o.same(o.resolve(), billing.ChargeResult{Status: billing.PaymentNotAttempted})
	o.succeeded(0)
	o.same(o.charge(r), billing.ChargeResult{Status: billing.PaymentSucceeded})
	o.succeeded(1)
}

func flaky(o *order) {
	r := o.request(o.card(o.Flaky), 1)
	for range 2 {
		o.same(o.charge(r), billing.ChargeResult{Status: billing.PaymentUnknown})
		o.same(o.resolve(), billing.ChargeResult{Status: billing.PaymentNotAttempted})
	}
	o.same(o.charge(r), billing.ChargeResult{Status: billing.PaymentSucceeded})
	o.succeeded(1)
}

func manyEqualCalls(o *order) {
	r := o.request(o.card(o.Visa), 1)
	o.prepare(r)
	together(40, func(int) {
		got, err := o.Gateway.Charge(context.WithoutCancel(o.Context()), o.ref, r)
		if err != nil || got.Status != billing.PaymentSucceeded && got.Status != billing.PaymentUnknown {
			o.Errorf("got %+v, %v", got, err)
		}
	})
	o.status(o.charge(r), billing.PaymentSucceeded)
	o.succeeded(1)
}

func manyAttempts(o *order) {
	card := o.card(o.Visa)
	o.prepare(o.request(card, 1))
	together(40, func(i int) {
		r := o.request(card, 1+i)
		if _, err := o.Gateway.Prepare(o.Context(), r); err != nil {
			o.Error(err)
		}
		_, _ = o.Gateway.Charge(o.Context(), o.ref, r) // one that was overtaken is refused
	})
	o.status(o.charge(o.request(card, 41)), billing.PaymentSucceeded)
	o.succeeded(1)
}

func refundOnce(o *order) {
	o.status(o.charge(o.request(o.card(o.Visa), 1)), billing.PaymentSucceeded)
	note := newRefund("cn")
	together(10, func(int) {
		if err := o.refund(note, 600); err != nil {
			o.Error(err)
		}
	})
	o.refused(o.refund(note, 390), payments.CodeMismatch)
	if err := o.refund(newRefund("cn"), 390); err != nil {
		o.Errorf("the rest: %v", err)
	}
	if err := o.refund(note, 600); err != nil {
		o.Errorf("the first one again, when nothing is left: %v", err)
	}
	o.status(o.resolve(), billing.PaymentSucceeded)
}

func refundsNeverExceed(o *order) {
	o.status(o.charge(o.request(o.card(o.Visa), 1)), billing.PaymentSucceeded)
	o.refused(o.refund(newRefund("cn"), 991), payments.CodeNotRefundable)
	o.refused(o.refund(newRefund("cn"), 0), payments.CodeInvalid)
	if err := o.refund(newRefund("cn"), 500); err != nil {
		o.Fatal(err)
	}
	o.refused(o.refund(newRefund("cn"), 491), payments.CodeNotRefundable)
	if err := o.refund(newRefund("cn"), 490); err != nil {
		o.Fatal(err)
	}
	o.refused(o.refund(newRefund("cn"), 1), payments.CodeNotRefundable)
}

func manyRefunds(o *order) {
	o.status(o.charge(o.request(o.card(o.Visa), 1)), billing.PaymentSucceeded)
	var mu sync.Mutex
	given := 0
	together(40, func(int) {
		if err := o.refund(newRefund("cn"), 90); err == nil {
			mu.Lock()
			given++
			mu.Unlock()
		}
	})
	if given != 11 { // 11 × 0.90 = 9.90
		o.Errorf("%d refunds of 0.90 out of 9.90, want 11", given)
	}
}

func refundFailsLater(o *order) {
	o.status(o.charge(o.request(o.card(o.Visa), 1)), billing.PaymentSucceeded)
	note, other := newRefund("re"), newRefund("re")
	_, err := o.resolveRefund(note)
	o.refused(err, payments.CodeNotFound)
	for _, n := range []billing.RefundID{note, other} {
		if err := o.refund(n, 400); err != nil {
			o.Fatal(err)
		}
		if got, err := o.resolveRefund(n); got != billing.RefundSucceeded || err != nil {
			o.Errorf("%s, %v", got, err)
		}
	}
	o.FailRefund(o.T, o.ref, note)
	for range 2 {
		if got, err := o.resolveRefund(note); got != billing.RefundFailed || err != nil {
			o.Errorf("it is told as %s, %v", got, err)
		}
		if got, err := o.Gateway.Refund(o.Context(), o.refundRequest(note, 400)); got != billing.RefundFailed || err != nil {
			o.Errorf("asked for again it is %s, %v", got, err)
		}
	}
	if got, err := o.resolveRefund(other); got != billing.RefundSucceeded || err != nil {
		o.Errorf("the other one is %s, %v", got, err)
	}
	moved, err := o.Gateway.Moved(o.Context(), at.AddDate(-1, 0, 0), at.AddDate(100, 0, 0))
	if err != nil {
		o.Fatal(err)
	}
	for _, r := range moved.Refunds {
		if failed := r.Refund == note; failed != (r.Status == billing.RefundFailed) {
			o.Errorf("%s is listed as %s", r.Refund, r.Status)
		}
	}
	if err := o.refund(newRefund("re"), 590); err != nil {
		o.Errorf("what came back cannot be given again: %v", err)
	}
	_, err = o.Gateway.ResolveRefund(o.Context(), billing.RefundRequest{CreditNote: note, Charge: "nothing"})
	o.refused(err, payments.CodeNotFound)
}

func (o *order) resolveRefund(note billing.RefundID) (billing.RefundStatus, error) {
	return o.Gateway.ResolveRefund(o.Context(), o.refundRequest(note, 400))
}

func unchargedIsNotRefunded(o *order) {
	r := o.request(o.card(o.GenericDecline), 1)
	o.prepare(r)
	o.refused(o.refund(newRefund("cn"), 1), payments.CodeNotRefundable)
	o.status(o.chargeOnly(r), billing.PaymentDeclined)
	o.refused(o.refund(newRefund("cn"), 1), payments.CodeNotRefundable)
}

// One order is declined; of six that are paid, five get a part back.
func movedIsListed(o *order) {
	var want billing.Moved
	visa, declined := o.card(o.Visa), o.card(o.GenericDecline)
	for i := range 7 {
		next := &order{T: o.T, Subject: o.Subject, customer: o.customer, subscription: billing.SubscriptionID(newID("sub")), invoice: newInvoice()}
		if i == 0 {
			o.status(next.charge(next.request(declined, 1)), billing.PaymentDeclined)
			continue
		}
		o.status(next.charge(next.request(visa, 1)), billing.PaymentSucceeded)
		want.Charges = append(want.Charges, billing.MovedCharge{
			Charge: next.ref, Invoice: next.invoice, Subscription: next.subscription, Customer: next.customer, Method: visa, Amount: usd(990),
		})
		if i == 1 {
			continue
		}
		note, part := newRefund("re"), int64(100+i)
		if err := next.refund(note, part); err != nil {
			o.Fatal(err)
		}
		want.Refunds = append(want.Refunds, billing.MovedRefund{Refund: note, Charge: next.ref, Invoice: next.invoice, Amount: usd(part), Status: billing.RefundSucceeded})
	}
	got, err := o.Gateway.Moved(o.Context(), at.AddDate(-1, 0, 0), at.AddDate(100, 0, 0))
	if err != nil {
		o.Fatal(err)
	}
	got.Prepared = nil // some gateways find them by themselves
	when := cmpopts.IgnoreTypes(time.Time{})
	charges := cmpopts.SortSlices(func(a, b billing.MovedCharge) bool { return a.Invoice < b.Invoice })
	refunds := cmpopts.SortSlices(func(a, b billing.MovedRefund) bool { return a.Refund < b.Refund })
	if diff := cmp.Diff(want, got, when, charges, refunds); diff != "" {
		o.Error(diff)
	}
	for _, c := range got.Charges { // half open, to the second
		for _, in := range [][2]time.Time{{c.At, c.At.Add(time.Second)}, {c.At.Add(-time.Second), c.At}} {
			found, err := o.Gateway.Moved(o.Context(), in[0], in[1])
			is := slices.ContainsFunc(found.Charges, func(f billing.MovedCharge) bool { return f.Charge == c.Charge })
			if err != nil || is != in[0].Equal(c.At) {
				o.Errorf("a charge at %s is listed from %s to %s: %t, %v", c.At, in[0], in[1], is, err)
			}
		}
	}
}

// told is every kind of event, as it is to be read.
func told() (all []billing.GatewayEvent) {
	for _, kind := range []billing.GatewayEventKind{
		billing.GatewayEventCharge, billing.GatewayEventRefund, billing.GatewayEventCard,
		billing.GatewayEventDisputeOpened, billing.GatewayEventDisputeWon, billing.GatewayEventDisputeLost, billing.GatewayEventOther,
	} {
		n := billing.GatewayEvent{ID: newID("evt"), Kind: kind, Reference: newID("ref"), Created: at}
		switch kind {
		case billing.GatewayEventDisputeOpened, billing.GatewayEventDisputeWon, billing.GatewayEventDisputeLost:
			n.Dispute, n.Amount = newID("dp"), usd(990)
		case billing.GatewayEventOther:
			n.Reference = ""
		default: // by its reference alone
		}
		all = append(all, n)
	}
	return all
}

func webhookIsRead(o *order) {
	for _, n := range told() {
		header, body := o.Webhook(o.T, n, at)
		got, err := o.Gateway.ParseWebhook(header, body, at.Add(payments.WebhookTolerance))
		if err != nil {
			o.Errorf("%s: %v", n.Kind, err)
		}
		if diff := cmp.Diff(n, got); diff != "" {
			o.Errorf("not what was told:\n%s", diff)
		}
	}
}

func unsignedWebhook(o *order) {
	for _, n := range told() {
		header, body := o.Webhook(o.T, n, at)
		none := func(string) string { return "" }
		broken := func(name string) string { return strings.Replace(header(name), "v1=", "v1=00", 1) }
		signed := func(name string) string { return strings.Replace(header(name), "t=", "t=1", 1) }
		other := []byte(strings.Replace(string(body), "evt_", "evt_X", 1))
		for what, c := range map[string]struct {
			header func(string) string
			body   []byte
			now    time.Time
		}{
			"unsigned":          {none, body, at},
			"a broken one":      {broken, body, at},
			"another instant":   {signed, body, at},
			"another body":      {header, other, at},
			"no body":           {header, nil, at},
			"signed long ago":   {header, body, at.Add(payments.WebhookTolerance + time.Second)},
			"signed in advance": {header, body, at.Add(-payments.WebhookTolerance - time.Second)},
		} {
			got, err := o.Gateway.ParseWebhook(c.header, c.body, c.now)
			o.refused(err, payments.CodeBadSignature)
			if err != nil && (got != billing.GatewayEvent{} || strings.Contains(err.Error(), n.ID)) {
				o.Errorf("%s: got %+v, %v", what, got, err)
			}
		}
	}
}

func otherModesWebhook(o *order) {
	for _, n := range told() {
		n.Live = true // every subject is in test mode
		header, body := o.Webhook(o.T, n, at)
		_, err := o.Gateway.ParseWebhook(header, body, at)
		o.refused(err, payments.CodeWrongMode)
	}
}
