package stripe_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/payments"
	"github.com/okviz/licensing/payments/gatewaytest"
	"github.com/okviz/licensing/payments/stripe"
	"github.com/okviz/licensing/payments/stripe/stripetest"
)

func TestStripeIsAGateway(t *testing.T) {
	gatewaytest.Run(t, func(t *testing.T) gatewaytest.Subject { return stripetest.New(t).Subject(nil) })
}

// shop is one customer, one invoice and one card at a Stripe of tests.
type shop struct {
	*testing.T
	*stripetest.Server
	*stripe.Gateway
	customer string
	ref      billing.ChargeID
}

func newShop(t *testing.T) *shop {
	s := stripetest.New(t)
	g := s.Gateway(nil)
	customer, err := g.EnsureCustomer(t.Context(), "cus_1")
	must(t, err)
	return &shop{T: t, Server: s, Gateway: g, customer: customer}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// request prepares an attempt with a card.
func (s *shop) request(token string, attempt int) billing.ChargeRequest {
	s.Helper()
	m, err := s.AttachMethod(s.Context(), s.customer, token)
	must(s.T, err)
	r := billing.ChargeRequest{
		Invoice: "inv_1", Subscription: "sub_1", Customer: s.customer, Method: m.Ref, Amount: eur(990), Attempt: attempt,
		OffSession: true, ReturnURL: "https://shop.example/back",
	}
	s.ref, err = s.Prepare(s.Context(), r)
	must(s.T, err)
	return r
}

func (s *shop) charge(r billing.ChargeRequest) billing.ChargeResult {
	s.Helper()
	got, err := s.Charge(s.Context(), s.ref, r)
	must(s.T, err)
	return got
}

func (s *shop) resolve() billing.ChargeResult {
	s.Helper()
	got, err := s.Resolve(s.Context(), s.ref)
	must(s.T, err)
	return got
}

func (s *shop) refund(note billing.RefundID, cents int64) (billing.RefundStatus, error) {
	return s.Refund(s.Context(), billing.RefundRequest{CreditNote: note, Invoice: "inv_1", Charge: s.ref, Amount: eur(cents)})
}

// asked counts the requests whose method and path end like this.
func (s *shop) asked(request string) (n int) {
	method, end, _ := strings.Cut(request, " ")
	for _, r := range s.Requests {
		if f := strings.Fields(r); f[0] == method && strings.HasSuffix(f[1], end) {
			n++
		}
	}
	return n
}

func eur(cents int64) billing.Money { return billing.Money{Amount: cents, Currency: "EUR"} }

func same(t *testing.T, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("not as expected (-want +got):\n%s", diff)
	}
}

// refused holds an error to its code; "" is one that the same call may cure.
// None repeats a key or a card.
func refused(t *testing.T, err error, code string) {
	t.Helper()
	got := ""
	if refusal, ok := errors.AsType[*payments.Error](err); ok {
		got = refusal.Code
	}
	if err == nil || got != code {
		t.Errorf("got %v, want the code %q", err, code)
	}
	if err != nil && (strings.Contains(err.Error(), stripetest.Key) || strings.Contains(err.Error(), "pm_")) {
		t.Errorf("the error tells a secret: %v", err)
	}
}

// silent breaks the connection amid the answer. (What has no answer at all, Go's
// own transport repeats under the same key.)
func silent(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	_, _ = w.Write([]byte("{"))
}

func badGateway(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusBadGateway)
	_, _ = w.Write([]byte("<html>pm_visa: bad gateway</html>"))
}

func TestEveryAnswerToAChargeIsTakenAsItIsMeant(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   billing.ChargeResult
		code   string // of the error
		err    bool
	}{
		"402 a decline":                {stripetest.Fault(402, "card_error", "card_declined"), billing.ChargeResult{Status: billing.PaymentDeclined, DeclineCode: "generic_decline", Advice: billing.AdviceRetryLater}, "", false},
		"402 a wrong card number":      {stripetest.Fault(402, "card_error", "incorrect_number"), billing.ChargeResult{Status: billing.PaymentDeclined, DeclineCode: "incorrect_number", Advice: billing.AdviceNewMethod}, "", false},
		"400 a key used otherwise":     {stripetest.Fault(400, "idempotency_error", ""), billing.ChargeResult{}, payments.CodeMismatch, true},
		"400 a wrong request":          {stripetest.Fault(400, "invalid_request_error", "parameter_unknown"), billing.ChargeResult{}, payments.CodeRefused, true},
		"400 charged by another call":  {stripetest.Fault(400, "invalid_request_error", "payment_intent_unexpected_state"), billing.ChargeResult{Status: billing.PaymentUnknown}, "", false},
		"401 a wrong key":              {stripetest.Fault(401, "invalid_request_error", ""), billing.ChargeResult{}, payments.CodeRefused, true},
		"403 a key without the right":  {stripetest.Fault(403, "invalid_request_error", ""), billing.ChargeResult{}, payments.CodeRefused, true},
		"404 a card that was removed":  {stripetest.Fault(404, "invalid_request_error", "resource_missing"), billing.ChargeResult{}, payments.CodeNotFound, true},
		"409 the key is in use":        {stripetest.Fault(409, "idempotency_error", "idempotency_key_in_use"), billing.ChargeResult{Status: billing.PaymentUnknown}, "", false},
		"429 too many requests":        {stripetest.Fault(429, "invalid_request_error", "rate_limit"), billing.ChargeResult{}, "", true},
		"429 somebody holds the lock":  {stripetest.Fault(429, "invalid_request_error", "lock_timeout"), billing.ChargeResult{}, "", true},
		"500":                          {stripetest.Fault(500, "api_error", ""), billing.ChargeResult{Status: billing.PaymentUnknown}, "", false},
		"502 that is not JSON":         {badGateway, billing.ChargeResult{Status: billing.PaymentUnknown}, "", false},
		"no answer":                    {silent, billing.ChargeResult{Status: billing.PaymentUnknown}, "", false},
		"an answer that is not Stripe": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }, billing.ChargeResult{Status: billing.PaymentUnknown}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			r := s.request("pm_visa", 1)
			s.Script("POST /confirm", c.answer)
			got, err := s.Charge(t.Context(), s.ref, r)
			same(t, got, c.want)
			if c.err {
				refused(t, err, c.code)
			} else {
				must(t, err)
			}
			if n := s.asked("POST /confirm"); n != 1 {
				t.Errorf("%d attempts were sent, want 1", n)
			}
			same(t, s.resolve(), billing.ChargeResult{Status: billing.PaymentNotAttempted})

			s.Script("POST /confirm", nil)
			same(t, s.charge(r), billing.ChargeResult{Status: billing.PaymentSucceeded})
			same(t, s.Succeeded("inv_1"), 1)
			keys := map[string]bool{}
			for _, request := range s.Requests {
				if f := strings.Fields(request); strings.HasSuffix(f[1], "/confirm") {
					keys[f[2]] = true
				}
			}
			same(t, keys, map[string]bool{"confirm:inv_1:1": true})
		})
	}
}

func TestACallThatIsGivenUpIsUnknown(t *testing.T) {
	s := newShop(t)
	r := s.request("pm_visa", 1)
	ctx, cancel := context.WithCancel(t.Context())
	s.Script("POST /confirm", func(w http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	got, err := s.Charge(ctx, s.ref, r)
	must(t, err)
	same(t, got, billing.ChargeResult{Status: billing.PaymentUnknown})
}

func TestWhatTheBankAdvisesRefinesADecline(t *testing.T) {
	for token, want := range map[string]billing.ChargeResult{
		"pm_insufficient_funds": {Status: billing.PaymentDeclined, DeclineCode: "insufficient_funds", Advice: billing.AdviceRetryLater},
		"pm_confirm_card_data":  {Status: billing.PaymentDeclined, DeclineCode: "do_not_honor", Advice: billing.AdviceNewMethod},
		"pm_stolen":             {Status: billing.PaymentDeclined, DeclineCode: "stolen_card", Advice: billing.AdviceNever},
		"pm_lost":               {Status: billing.PaymentDeclined, DeclineCode: "lost_card", Advice: billing.AdviceNever},
		"pm_do_not_try_again":   {Status: billing.PaymentDeclined, DeclineCode: "do_not_honor", Advice: billing.AdviceNever},
		"pm_expired_card":       {Status: billing.PaymentDeclined, DeclineCode: "expired_card", Advice: billing.AdviceRetryLater},
	} {
		s := newShop(t)
		same(t, s.charge(s.request(token, 1)), want)
	}
}

func TestNothingRestsOnAKeyThatIsForgotten(t *testing.T) {
	s := newShop(t)
	first := s.request("pm_declined", 1)
	declined := s.charge(first)
	s.ForgetKeys()
	ref := s.ref
	same(t, s.charge(s.request("pm_declined", 1)), declined)
	same(t, s.asked("POST /confirm"), 1)

	s.ForgetKeys()
	r := s.request("pm_visa", 2)
	same(t, s.charge(r).Status, billing.PaymentSucceeded)
	s.ForgetKeys()
	same(t, s.charge(r).Status, billing.PaymentSucceeded)
	same(t, s.ref, ref)

	for range 3 {
		if _, err := s.refund("re_1", 600); err != nil {
			t.Error(err)
		}
		s.ForgetKeys()
	}
	same(t, s.asked("POST /refunds"), 1)
	_, err := s.refund("re_1", 300)
	refused(t, err, payments.CodeMismatch)

	customer, err := s.EnsureCustomer(t.Context(), "cus_1")
	must(t, err)
	same(t, customer, s.customer)
	same(t, s.asked("POST /customers"), 1)
}

func TestAnEarlierDeclineIsNotTheNextAttempts(t *testing.T) {
	s := newShop(t)
	s.charge(s.request("pm_declined", 1))
	decline := map[string]any{"last_payment_error": map[string]any{"type": "card_error", "code": "card_declined", "charge": "ch_3"}}
	s.request("pm_visa", 2)
	s.Edit(string(s.ref), decline) // as if preparing had not cleared it
	same(t, s.resolve(), billing.ChargeResult{Status: billing.PaymentNotAttempted})
}

// A crash may leave a charge between the two: Stripe has said that the bank wants
// the customer, and has not been asked for a page yet.
func TestAChargeThatWantsTheCustomerIsNotDoneBeforeItHasAPage(t *testing.T) {
	s := newShop(t)
	r := s.request("pm_3ds", 1)
	s.Edit(string(s.ref), map[string]any{"last_payment_error": map[string]any{"type": "card_error", "code": "authentication_required", "charge": "ch_9"}})
	same(t, s.resolve(), billing.ChargeResult{Status: billing.PaymentNotAttempted})
	if got := s.charge(r); got.Status != billing.PaymentRequiresAction || !strings.HasPrefix(got.ActionURL, "https://") {
		t.Errorf("got %+v", got)
	}
	same(t, s.asked("POST /confirm"), 1)
}

// Only an intent that we have given up is followed by another one.
func TestAnIntentThatSomebodyCancelledIsNotReplaced(t *testing.T) {
	s := newShop(t)
	s.request("pm_visa", 1)
	before := s.ref
	s.Edit(string(before), map[string]any{"status": "canceled", "cancellation_reason": "fraudulent"})
	if r := s.request("pm_visa", 1); s.ref != before || s.charge(r).Status != billing.PaymentDeclined {
		t.Errorf("%s follows %s", s.ref, before)
	}
	s.Edit(string(before), map[string]any{"cancellation_reason": "abandoned"})
	if s.request("pm_visa", 1); s.ref != before {
		t.Error("the attempt that was given up has another intent")
	}
	if r := s.request("pm_visa", 2); s.ref == before || s.charge(r).Status != billing.PaymentSucceeded {
		t.Errorf("%s follows %s", s.ref, before)
	}
	same(t, s.Succeeded("inv_1"), 1)
}

func TestStatesThatOnlyStripeCanBring(t *testing.T) {
	for status, want := range map[string]billing.ChargeResult{
		"processing":            {Status: billing.PaymentProcessing},
		"requires_action":       {Status: billing.PaymentRequiresAction},
		"requires_confirmation": {Status: billing.PaymentNotAttempted},
		"canceled":              {Status: billing.PaymentDeclined, DeclineCode: "canceled", Advice: billing.AdviceNever},
		"something new":         {Status: billing.PaymentProcessing},
	} {
		s := newShop(t)
		s.request("pm_visa", 1)
		s.Edit(string(s.ref), map[string]any{"status": status})
		same(t, s.resolve(), want)
	}
}

// tooMuch is what Stripe says of a refund that another one has overtaken.
func tooMuch(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusBadRequest)
	_, _ = w.Write([]byte(`{"error": {"type": "invalid_request_error", "param": "amount", "message": "greater than unrefunded amount"}}`))
}

func TestEveryAnswerToARefundIsTakenAsItIsMeant(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		code   string // of a *payments.Error, after which the refund is given up
	}{
		"all of it was given back":   {stripetest.Fault(400, "invalid_request_error", "charge_already_refunded"), payments.CodeNotRefundable},
		"the bank has taken it back": {stripetest.Fault(400, "invalid_request_error", "charge_disputed"), payments.CodeNotRefundable},
		"more than is left":          {tooMuch, payments.CodeNotRefundable},
		"a key used otherwise":       {stripetest.Fault(400, "idempotency_error", ""), payments.CodeMismatch},
		"no money is there":          {stripetest.Fault(400, "invalid_request_error", "balance_insufficient"), ""},
		"a wrong key":                {stripetest.Fault(401, "invalid_request_error", ""), ""},
		"no right":                   {stripetest.Fault(403, "invalid_request_error", ""), ""},
		"another account's key":      {stripetest.Fault(404, "invalid_request_error", "resource_missing"), ""},
		"the key is in use":          {stripetest.Fault(409, "invalid_request_error", "idempotency_key_in_use"), ""},
		"too many requests":          {stripetest.Fault(429, "invalid_request_error", "rate_limit"), ""},
		"500":                        {stripetest.Fault(500, "api_error", ""), ""},
		"502 that is not JSON":       {badGateway, ""},
		"no answer":                  {silent, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			s.charge(s.request("pm_visa", 1))
			s.Script("POST /refunds", c.answer)
			_, err := s.refund("re_1", 600)
			refused(t, err, c.code)
			s.Script("POST /refunds", nil)
			got, err := s.refund("re_1", 600)
			must(t, err)
			same(t, got, billing.RefundSucceeded)
		})
	}
	for name, call := range map[string]string{"the intent": "GET " /* its id is appended */, "the list": "GET /refunds"} {
		t.Run("without the right to read "+name, func(t *testing.T) {
			s := newShop(t)
			s.charge(s.request("pm_visa", 1))
			if call == "GET " {
				call += string(s.ref)
			}
			s.Script(call, stripetest.Fault(401, "invalid_request_error", ""))
			_, err := s.refund("re_1", 600)
			refused(t, err, "")
		})
	}
}

func TestAPendingRefundIsAskedAbout(t *testing.T) {
	for status, want := range map[string]billing.RefundStatus{
		"pending": billing.RefundPending, "requires_action": billing.RefundPending, "succeeded": billing.RefundSucceeded,
		"failed": billing.RefundFailed, "canceled": billing.RefundFailed,
	} {
		s := newShop(t)
		s.charge(s.request("pm_visa", 1))
		_, err := s.refund("re_1", 600)
		must(t, err)
		s.Edit("re_4", map[string]any{"status": status})
		got, err := s.refund("re_1", 600)
		must(t, err)
		if got != want {
			t.Errorf("%s is taken as %s, want %s", status, got, want)
		}
	}
}

func TestTheWallBetweenTestAndLiveModeHolds(t *testing.T) {
	s := newShop(t)
	r := s.request("pm_visa", 1)
	s.Edit(string(s.ref), map[string]any{"livemode": true})
	_, err := s.Charge(t.Context(), s.ref, r)
	refused(t, err, payments.CodeMismatch)
	_, err = s.Resolve(t.Context(), s.ref)
	refused(t, err, payments.CodeMismatch)
	_, err = s.Prepare(t.Context(), r)
	refused(t, err, payments.CodeMismatch)
	same(t, s.Succeeded("inv_1"), 0)
	s.Edit("pm_visa", map[string]any{"livemode": true})
	_, err = s.AttachMethod(t.Context(), s.customer, "pm_visa")
	refused(t, err, payments.CodeMismatch)
}

// The bank has sent the customer a new card, and told Stripe its number and end.
func TestACardThatTheBankRenewedIsReadAsItIsNow(t *testing.T) {
	s := newShop(t)
	m, err := s.AttachMethod(t.Context(), s.customer, "pm_visa")
	must(t, err)
	s.Edit(m.Ref, map[string]any{"card": map[string]any{"brand": "visa", "last4": "0005", "fingerprint": "new", "exp_month": 5, "exp_year": 2031}})
	now, err := s.AttachMethod(t.Context(), s.customer, m.Ref)
	must(t, err)
	same(t, now, billing.StoredMethod{Ref: m.Ref, Brand: "visa", Last4: "0005", Exp: "2031-05", Fingerprint: "new"})
	must(t, s.DetachMethod(t.Context(), m.Ref))
	_, err = s.AttachMethod(t.Context(), s.customer, m.Ref)
	refused(t, err, payments.CodeUnknownToken)
}

func TestACardThatCannotBeStoredIsTheCustomersInput(t *testing.T) {
	s := newShop(t)
	for _, token := range []string{"", "tok_visa", "src_1", "pm_nonesuch", "pm_../../customers"} {
		_, err := s.AttachMethod(t.Context(), s.customer, token)
		refused(t, err, payments.CodeUnknownToken)
	}
	other, err := s.EnsureCustomer(t.Context(), "cus_2")
	must(t, err)
	for range 2 { // the second time its answer was lost
		_, err = s.AttachMethod(t.Context(), other, "pm_visa")
		must(t, err)
	}
	_, err = s.AttachMethod(t.Context(), s.customer, "pm_visa")
	refused(t, err, payments.CodeUnknownToken)

	for name, c := range map[string]struct {
		answer http.HandlerFunc
		code   string
	}{
		"declined by its bank": {stripetest.Fault(402, "card_error", "card_declined"), payments.CodeUnknownToken},
		"a wrong key":          {stripetest.Fault(401, "invalid_request_error", ""), payments.CodeRefused},
		"too many requests":    {stripetest.Fault(429, "invalid_request_error", "rate_limit"), ""},
		"500":                  {stripetest.Fault(500, "api_error", ""), ""},
		"502":                  {badGateway, ""},
		"no answer":            {silent, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s.Script("POST /attach", c.answer)
			_, err := s.AttachMethod(t.Context(), s.customer, "pm_stolen")
			refused(t, err, c.code)
		})
	}
}

func TestAmountsAreTheSameNumberToStripeOrRefused(t *testing.T) {
	s := newShop(t)
	for code, ok := range map[string]bool{
		"EUR": true, "USD": true, "GBP": true, "JPY": true, "HUF": true, "KWD": true,
		"ISK": false, "UGX": false, "MGA": false, "XXX": false, "": false,
	} {
		_, err := s.Prepare(t.Context(), billing.ChargeRequest{
			Invoice: billing.InvoiceID("inv_" + code), Subscription: "sub_1", Customer: s.customer, Method: "pm_visa",
			Amount: billing.Money{Amount: 990, Currency: code}, Attempt: 1,
		})
		if ok != (err == nil) {
			t.Errorf("%q: %v", code, err)
		}
		if !ok {
			refused(t, err, payments.CodeInvalid)
		}
	}
}

func TestOnlySecretKeysAreTaken(t *testing.T) {
	for key, mode := range map[string]string{
		"sk_live_1": stripe.Live, "rk_live_1": stripe.Live, "sk_test_1": stripe.Test, "rk_test_1": stripe.Test,
		"": "", "sk_live_": "", "pk_live_1": "", "pk_test_1": "", "whsec_1": "", "live": "",
	} {
		same(t, stripe.ModeOf(key), mode)
		_, err := stripe.New(stripe.Config{Key: key, References: &stripetest.Memory{}})
		if (err == nil) != (mode != "") {
			t.Errorf("%q: %v", key, err)
		}
	}
}
