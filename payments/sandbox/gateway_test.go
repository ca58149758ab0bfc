package sandbox_test

import (
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/payments"
	"github.com/okviz/licensing/payments/gatewaytest"
	"github.com/okviz/licensing/payments/sandbox"
	"github.com/okviz/licensing/payments/sandbox/ledgertest"
)

const (
	pages  = "http://127.0.0.1:8080/sandbox"
	secret = "whsec_test"
)

func open(t *testing.T, l sandbox.Ledger) *sandbox.Gateway {
	t.Helper()
	g, err := sandbox.New(l, pages, secret)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestMemoryIsALedger(t *testing.T) {
	ledgertest.Run(t, func(*testing.T) sandbox.Ledger { return sandbox.NewMemory() })
}

func TestSandboxIsAGateway(t *testing.T) {
	gatewaytest.Run(t, func(t *testing.T) gatewaytest.Subject {
		g := open(t, sandbox.NewMemory())
		return gatewaytest.Subject{
			Gateway: g,
			Succeeded: func(t *testing.T, subscription billing.SubscriptionID, invoice billing.InvoiceID) (n int) {
				for _, c := range list(t, g, subscription) {
					if c.Invoice == invoice && c.Status == billing.PaymentSucceeded {
						n++
					}
				}
				return n
			},
			Visa:              "tok_visa",
			GenericDecline:    "tok_declined",
			InsufficientFunds: "tok_insufficient_funds",
			Stolen:            "tok_stolen",
			ExpiredCard:       "tok_expired_card",
			RequiresAction:    "tok_3ds",
			TimeoutCharged:    "tok_timeout_charged",
			TimeoutLost:       "tok_timeout_lost",
			Flaky:             "tok_flaky",
			Unknown:           "tok_nonesuch",
			Fill: func(t *testing.T, form string) {
				if _, err := g.FillForm(t.Context(), form, "4242-4242 42424242", noon); err != nil {
					t.Fatal(err)
				}
			},
			Approve: func(t *testing.T, charge billing.ChargeID) {
				err := g.Approve(t.Context(), charge)
				if refusal, ok := errors.AsType[*payments.Error](err); err != nil && (!ok || refusal.Code != payments.CodeNoAction) {
					t.Error(err)
				}
			},
			FailRefund: func(t *testing.T, charge billing.ChargeID, note billing.RefundID) {
				if err := g.FailRefund(t.Context(), charge, note, noon); err != nil {
					t.Error(err)
				}
			},
			Webhook: webhook,
		}
	})
}

func TestPagesNeedAnAbsoluteAddress(t *testing.T) {
	for _, pages := range []string{"", "/sandbox", "127.0.0.1:8080/sandbox", "http://"} {
		if _, err := sandbox.New(sandbox.NewMemory(), pages, secret); err == nil {
			t.Errorf("%q was taken", pages)
		}
	}
}

// shop is one customer and one subscription at a sandbox.
type shop struct {
	*testing.T
	*sandbox.Gateway
	customer string
}

func newShop(t *testing.T) *shop { return shopOn(t, sandbox.NewMemory()) }

func shopOn(t *testing.T, l sandbox.Ledger) *shop {
	t.Helper()
	g := open(t, l)
	customer, err := g.EnsureCustomer(t.Context(), "cus_1")
	if err != nil {
		t.Fatal(err)
	}
	return &shop{t, g, customer}
}

func (s *shop) card(token string) string {
	s.Helper()
	m, err := s.AttachMethod(s.Context(), s.customer, token)
	if err != nil {
		s.Fatal(err)
	}
	return m.Ref
}

var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

func (s *shop) request(invoice billing.InvoiceID, card string, attempt int) billing.ChargeRequest {
	return billing.ChargeRequest{
		Invoice: invoice, Subscription: "sub_1", Customer: s.customer, Method: card,
		Amount: billing.Money{Amount: 990, Currency: "EUR"}, Attempt: attempt, At: noon,
	}
}

func (s *shop) pay(r billing.ChargeRequest) (billing.ChargeID, billing.ChargeResult) {
	s.Helper()
	ref, err := s.Prepare(s.Context(), r)
	if err != nil {
		s.Fatal(err)
	}
	got, err := s.Charge(s.Context(), ref, r)
	if err != nil {
		s.Fatal(err)
	}
	return ref, got
}

func list(t *testing.T, g *sandbox.Gateway, subscription billing.SubscriptionID) []sandbox.Charge {
	t.Helper()
	charges, err := g.List(t.Context(), subscription)
	if err != nil {
		t.Fatal(err)
	}
	return charges
}

func (s *shop) statuses() (got []string) {
	s.Helper()
	for _, c := range list(s.T, s.Gateway, "sub_1") {
		got = append(got, string(c.Invoice)+" "+string(c.Status))
	}
	return got
}

func same(t *testing.T, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("not as expected (-want +got):\n%s", diff)
	}
}

func refused(t *testing.T, err error, code string) {
	t.Helper()
	if refusal, ok := errors.AsType[*payments.Error](err); !ok || refusal.Code != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

func TestEveryTokenDoesWhatTheContractSays(t *testing.T) {
	const (
		ok, declined, action, unknown = billing.PaymentSucceeded, billing.PaymentDeclined, billing.PaymentRequiresAction, billing.PaymentUnknown
	)
	for token, c := range map[string]struct {
		last4 string
		calls []billing.PaymentStatus // of one attempt, again and again
		code  string
		moved bool
	}{
		"tok_visa":               {"4242", []billing.PaymentStatus{ok, ok}, "", true},
		"tok_declined":           {"0002", []billing.PaymentStatus{declined, declined}, "generic_decline", false},
		"tok_insufficient_funds": {"9995", []billing.PaymentStatus{declined, declined}, "insufficient_funds", false},
		"tok_stolen":             {"9979", []billing.PaymentStatus{declined, declined}, "stolen_card", false},
		"tok_expired_card":       {"0069", []billing.PaymentStatus{declined, declined}, "expired_card", false},
		"tok_3ds":                {"3155", []billing.PaymentStatus{action, action}, "", false},
		"tok_timeout_charged":    {"4444", []billing.PaymentStatus{unknown, ok, ok}, "", true},
		"tok_timeout_lost":       {"3222", []billing.PaymentStatus{unknown, ok, ok}, "", true},
		"tok_flaky":              {"0005", []billing.PaymentStatus{unknown, unknown, ok, ok}, "", true},
		"tok_later_declined":     {"0341", []billing.PaymentStatus{ok, ok}, "", true},
	} {
		t.Run(token, func(t *testing.T) {
			s := newShop(t)
			m, err := s.AttachMethod(t.Context(), s.customer, token)
			if err != nil {
				t.Fatal(err)
			}
			if m.Last4 != c.last4 || m.Brand == "" || m.Exp < "2090-01" {
				t.Errorf("stored as %+v", m)
			}
			for i, want := range c.calls {
				_, got := s.pay(s.request("inv_1", m.Ref, 1))
				if got.Status != want || got.DeclineCode != c.code {
					t.Fatalf("call %d: got %+v, want %s %s", i+1, got, want, c.code)
				}
			}
			succeeded := 0
			for _, c := range list(t, s.Gateway, "sub_1") {
				if c.Status == ok {
					succeeded++
				}
			}
			if (succeeded == 1) != c.moved || succeeded > 1 {
				t.Errorf("%d successful charges, moved %t", succeeded, c.moved)
			}
		})
	}
}

func TestFaultsComeAgainWithTheNextCharge(t *testing.T) {
	s := newShop(t)
	card := s.card("tok_timeout_charged")
	for _, invoice := range []string{"inv_1", "inv_2"} {
		if _, got := s.pay(s.request(billing.InvoiceID(invoice), card, 1)); got.Status != billing.PaymentUnknown {
			t.Errorf("%s: got %s, want a timeout", invoice, got.Status)
		}
	}
}

func TestLaterDeclinedIsGoodOncePerStoredCard(t *testing.T) {
	s := newShop(t)
	card, fresh := s.card("tok_later_declined"), s.card("tok_later_declined")
	s.pay(s.request("inv_1", card, 1))
	_, got := s.pay(s.request("inv_2", card, 1))
	same(t, got, billing.ChargeResult{Status: billing.PaymentDeclined, DeclineCode: "generic_decline", Advice: billing.AdviceRetryLater})
	s.pay(s.request("inv_2", card, 2))
	s.pay(s.request("inv_1", card, 1)) // still paid
	s.pay(s.request("inv_3", fresh, 1))
	same(t, s.statuses(), []string{"inv_1 succeeded", "inv_2 declined", "inv_2 declined", "inv_3 succeeded"})
}

func TestLaterDeclinedIsGoodOnceAmongChargesOfOneInstant(t *testing.T) {
	s := newShop(t)
	card := s.card("tok_later_declined")
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() { s.pay(s.request(billing.InvoiceID("inv_"+string(rune('a'+i))), card, 1)) })
	}
	wg.Wait()
	succeeded := 0
	for _, c := range list(t, s.Gateway, "sub_1") {
		if c.Status == billing.PaymentSucceeded {
			succeeded++
		}
	}
	if succeeded != 1 {
		t.Errorf("%d charges succeeded, want 1", succeeded)
	}
}

func TestCustomerAnswersTheBank(t *testing.T) {
	for name, c := range map[string]struct {
		answer, other func(*shop, billing.ChargeID) error
		want          billing.ChargeResult
		listed        []string
	}{
		"approved": {approve, fail, billing.ChargeResult{Status: billing.PaymentSucceeded}, []string{"inv_1 succeeded"}},
		"failed": {fail, approve, billing.ChargeResult{
			Status: billing.PaymentDeclined, DeclineCode: "authentication_failed", Advice: billing.AdviceNeedsCustomer,
		}, []string{"inv_1 declined"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			r := s.request("inv_1", s.card("tok_3ds"), 1)
			ref, got := s.pay(r)
			same(t, got, billing.ChargeResult{Status: billing.PaymentRequiresAction, ActionURL: pages + "/" + string(ref)})
			same(t, s.statuses(), []string(nil))
			for range 2 { // the button is pressed twice
				if err := c.answer(s, ref); err != nil {
					t.Fatal(err)
				}
			}
			refused(t, c.other(s, ref), payments.CodeNoAction)
			_, got = s.pay(r)
			same(t, got, c.want)
			same(t, s.statuses(), c.listed)
		})
	}
}

func approve(s *shop, charge billing.ChargeID) error { return s.Approve(s.Context(), charge) }
func fail(s *shop, charge billing.ChargeID) error    { return s.Fail(s.Context(), charge) }

func TestAnActionThatWasReplacedCannotBeApproved(t *testing.T) {
	s := newShop(t)
	first := s.request("inv_1", s.card("tok_3ds"), 1)
	ref, _ := s.pay(first)
	second := s.request("inv_1", s.card("tok_declined"), 2)
	if _, err := s.Prepare(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Prepare(t.Context(), first); err != nil { // late, and of no effect
		t.Fatal(err)
	}
	refused(t, s.Approve(t.Context(), ref), payments.CodeNoAction)
	_, err := s.Charge(t.Context(), ref, first)
	refused(t, err, payments.CodeWrongAttempt)
	s.pay(second)
	refused(t, s.Approve(t.Context(), ref), payments.CodeNoAction)
	same(t, s.statuses(), []string{"inv_1 declined"})
}

func TestApprovalInTheSameInstantAsAnotherCardChargesOnce(t *testing.T) {
	for range 50 {
		s := newShop(t)
		ref, _ := s.pay(s.request("inv_1", s.card("tok_3ds"), 1))
		other := s.request("inv_1", s.card("tok_visa"), 2)
		var wg sync.WaitGroup
		wg.Go(func() { _ = s.Approve(t.Context(), ref) })
		wg.Go(func() { s.pay(other) })
		wg.Wait()
		same(t, s.statuses(), []string{"inv_1 succeeded"})
	}
}

func TestNothingWaitsWhereNothingWasAsked(t *testing.T) {
	s := newShop(t)
	refused(t, s.Approve(t.Context(), "pay_none"), payments.CodeNotFound)
	ref, err := s.Prepare(t.Context(), s.request("inv_1", "", 1))
	if err != nil {
		t.Fatal(err)
	}
	refused(t, s.Approve(t.Context(), ref), payments.CodeNoAction)
	refused(t, s.Fail(t.Context(), ref), payments.CodeNoAction)
}

func TestAnAttemptThatIsOverKeepsItsOutcome(t *testing.T) {
	s := newShop(t)
	first := s.request("inv_1", s.card("tok_declined"), 1)
	_, want := s.pay(first)
	s.pay(s.request("inv_1", s.card("tok_visa"), 2))
	_, got := s.pay(first)
	same(t, got, want)
	same(t, s.statuses(), []string{"inv_1 declined", "inv_1 succeeded"})
}

func TestAnothersCardIsNotCharged(t *testing.T) {
	s := newShop(t)
	other, err := s.EnsureCustomer(t.Context(), "cus_2")
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.AttachMethod(t.Context(), other, "tok_visa")
	if err != nil {
		t.Fatal(err)
	}
	r := s.request("inv_1", m.Ref, 1)
	ref, err := s.Prepare(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Charge(t.Context(), ref, r)
	refused(t, err, payments.CodeMismatch)
	r.Customer = other
	_, err = s.Charge(t.Context(), ref, r)
	refused(t, err, payments.CodeMismatch)
	_, err = s.Prepare(t.Context(), r)
	refused(t, err, payments.CodeMismatch)
	same(t, s.statuses(), []string(nil))
}

func TestTheListIsWhatReallyHappenedOldestFirst(t *testing.T) {
	s := newShop(t)
	later := s.request("inv_1", s.card("tok_visa"), 2)
	later.At = noon.Add(49*time.Hour + 300*time.Millisecond)
	s.pay(s.request("inv_1", s.card("tok_declined"), 1))
	early := s.request("inv_2", s.card("tok_visa"), 1)
	early.At = noon.Add(24 * time.Hour).In(time.FixedZone("Rome", 3600))
	ref, _ := s.pay(early)
	s.pay(later)
	s.pay(s.request("inv_3", s.card("tok_3ds"), 1))
	s.pay(s.request("inv_4", s.card("tok_timeout_lost"), 1))
	_, err := s.Refund(t.Context(), billing.RefundRequest{
		CreditNote: "cn_1", Invoice: "inv_2", Charge: ref, Amount: billing.Money{Amount: 90, Currency: "EUR"}, At: noon,
	})
	if err != nil {
		t.Fatal(err)
	}

	charges := list(t, s.Gateway, "sub_1")
	for i := range charges {
		charges[i].ID = ""
	}
	got, err := json.MarshalIndent(charges, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	const want = `[
 {
  "id": "",
  "subscription": "sub_1",
  "invoice": "inv_1",
  "amount": {
   "amount": 990,
   "currency": "EUR"
  },
  "refunded": {
   "amount": 0,
   "currency": "EUR"
  },
  "status": "declined",
  "at": "2026-01-31T12:00:00Z"
 },
 {
  "id": "",
  "subscription": "sub_1",
  "invoice": "inv_2",
  "amount": {
   "amount": 990,
   "currency": "EUR"
  },
  "refunded": {
   "amount": 90,
   "currency": "EUR"
  },
  "status": "succeeded",
  "at": "2026-02-01T12:00:00Z"
 },
 {
  "id": "",
  "subscription": "sub_1",
  "invoice": "inv_1",
  "amount": {
   "amount": 990,
   "currency": "EUR"
  },
  "refunded": {
   "amount": 0,
   "currency": "EUR"
  },
  "status": "succeeded",
  "at": "2026-02-02T13:00:00Z"
 }
]`
	same(t, string(got), want)

	if got, err := json.Marshal(list(t, s.Gateway, "sub_none")); err != nil || string(got) != "[]" {
		t.Errorf("of another subscription: %s, %v", got, err)
	}
}
