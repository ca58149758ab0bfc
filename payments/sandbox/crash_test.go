package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/payments"
	"github.com/okviz/licensing/payments/sandbox"
)

// What a crash does to a transaction.
const (
	holds        = iota
	neverStarted // the process was gone before
	answerLost   // committed, and then the process was gone
	ranTwice     // the database gave up on it once
)

// brittle is a ledger whose next transaction meets a fate.
type brittle struct {
	sandbox.Ledger
	fate int
}

var errGone = errors.New("the process is gone")

func (l *brittle) Update(ctx context.Context, payment billing.ChargeID, method string, f func(*sandbox.Payment, *sandbox.Method) error) error {
	fate := l.fate
	l.fate = holds
	switch fate {
	case neverStarted:
		return errGone
	case ranTwice:
		_ = l.Ledger.Update(ctx, payment, method, func(p *sandbox.Payment, m *sandbox.Method) error {
			_ = f(p, m)
			return errGone
		})
	}
	err := l.Ledger.Update(ctx, payment, method, f)
	if err == nil && fate == answerLost {
		return errGone
	}
	return err
}

func TestALedgerThatFailsLeavesTheOutcomeUnknown(t *testing.T) {
	for fate, want := range map[int]billing.PaymentStatus{
		neverStarted: billing.PaymentNotAttempted,
		answerLost:   billing.PaymentSucceeded,
	} {
		l := &brittle{Ledger: sandbox.NewMemory()}
		s := &shop{T: t, Gateway: open(t, l)}
		s.customer, _ = s.EnsureCustomer(t.Context(), "cus_1")
		r := s.request("inv_1", s.card("tok_visa"), 1)
		ref, err := s.Prepare(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		l.fate = fate
		got, err := s.Charge(t.Context(), ref, r)
		if err != nil || got.Status != billing.PaymentUnknown {
			t.Errorf("fate %d: got %+v, %v, want unknown", fate, got, err)
		}
		if got, err := s.Resolve(t.Context(), ref); err != nil || got.Status != want {
			t.Errorf("fate %d: resolved as %+v, %v, want %s", fate, got, err, want)
		}
		if _, got := s.pay(r); got.Status != billing.PaymentSucceeded {
			t.Errorf("fate %d: sent again: %+v", fate, got)
		}
		same(t, s.statuses(), []string{"inv_1 succeeded"})
	}
}

// Whatever is called in whatever order, with a crash in any transaction: an
// invoice is charged at most once, what was once answered as paid stays paid,
// and no more is given back than was charged.
func TestMoneyMovesOnceWhateverHappens(t *testing.T) {
	tokens := []string{
		"tok_visa", "tok_declined", "tok_stolen", "tok_3ds", "tok_timeout_charged", "tok_timeout_lost", "tok_flaky", "tok_later_declined",
	}
	rapid.Check(t, func(rt *rapid.T) {
		ctx := t.Context()
		l := &brittle{Ledger: sandbox.NewMemory()}
		g := open(t, l)
		customer, err := g.EnsureCustomer(ctx, "cus_1")
		if err != nil {
			rt.Fatal(err)
		}
		cards := make([]string, len(tokens))
		for i, token := range tokens {
			m, err := g.AttachMethod(ctx, customer, token)
			if err != nil {
				rt.Fatal(err)
			}
			cards[i] = m.Ref
		}
		charges := map[string]string{}             // invoice → reference
		told := map[string]billing.PaymentStatus{} // invoice/attempt → definite answer
		paid := map[string]bool{}                  // invoices answered as paid
		given := map[string]map[string]int64{}     // invoice → credit note → amount
		invoice := rapid.SampledFrom([]string{"inv_1", "inv_2"})
		request := func(rt *rapid.T) billing.ChargeRequest {
			return billing.ChargeRequest{
				Invoice: billing.InvoiceID(invoice.Draw(rt, "invoice")), Subscription: "sub_1", Customer: customer,
				Method:  rapid.SampledFrom(cards).Draw(rt, "card"),
				Amount:  billing.Money{Amount: rapid.SampledFrom([]int64{100, 250}).Draw(rt, "amount"), Currency: "USD"},
				Attempt: rapid.IntRange(1, 4).Draw(rt, "attempt"),
				At:      noon,
			}
		}
		crash := func(rt *rapid.T) { l.fate = rapid.IntRange(holds, ranTwice).Draw(rt, "fate") }
		definite := func(err error) {
			if _, ok := errors.AsType[*payments.Error](err); err != nil && !ok && !errors.Is(err, errGone) {
				rt.Fatalf("an error of neither kind: %v", err)
			}
		}
		charge := func(rt *rapid.T, r billing.ChargeRequest) {
			got, err := g.Charge(ctx, billing.ChargeID(charges[string(r.Invoice)]), r)
			if _, refused := errors.AsType[*payments.Error](err); err != nil && !refused {
				rt.Fatalf("an error that does not say that nothing moved: %v", err)
			}
			if err != nil {
				return
			}
			key := fmt.Sprintf("%s/%d", r.Invoice, r.Attempt)
			switch got.Status {
			case billing.PaymentSucceeded:
				paid[string(r.Invoice)] = true
			case billing.PaymentDeclined:
			default:
				return
			}
			if before, ok := told[key]; ok && before != got.Status {
				rt.Fatalf("%s was %s and is %s", key, before, got.Status)
			}
			told[key] = got.Status
		}
		rt.Repeat(map[string]func(*rapid.T){
			"prepare": func(rt *rapid.T) {
				r := request(rt)
				crash(rt)
				ref, err := g.Prepare(ctx, r)
				definite(err)
				if err != nil {
					return
				}
				if before, ok := charges[string(r.Invoice)]; ok && before != string(ref) {
					rt.Fatalf("%s is %s and %s", r.Invoice, before, ref)
				}
				charges[string(r.Invoice)] = string(ref)
			},
			"charge": func(rt *rapid.T) {
				r := request(rt)
				crash(rt)
				charge(rt, r)
			},
			"prepare and charge": func(rt *rapid.T) {
				r := request(rt)
				ref, err := g.Prepare(ctx, r)
				definite(err)
				if err == nil {
					charges[string(r.Invoice)] = string(ref)
				}
				crash(rt)
				charge(rt, r)
			},
			"customer": func(rt *rapid.T) {
				ref := charges[invoice.Draw(rt, "invoice")]
				crash(rt)
				if rapid.Bool().Draw(rt, "approves") {
					definite(g.Approve(ctx, billing.ChargeID(ref)))
				} else {
					definite(g.Fail(ctx, billing.ChargeID(ref)))
				}
			},
			"refund": func(rt *rapid.T) {
				inv := invoice.Draw(rt, "invoice")
				note := rapid.SampledFrom([]string{"cn_1", "cn_2", "cn_3"}).Draw(rt, "credit note")
				amount := rapid.Int64Range(1, 150).Draw(rt, "amount")
				crash(rt)
				_, err := g.Refund(ctx, billing.RefundRequest{
					CreditNote: billing.RefundID(note), Invoice: billing.InvoiceID(inv), Charge: billing.ChargeID(charges[inv]), Amount: billing.Money{Amount: amount, Currency: "USD"}, At: noon,
				})
				definite(err)
				if err != nil {
					return
				}
				if given[inv] == nil {
					given[inv] = map[string]int64{}
				}
				if before, ok := given[inv][note]; ok && before != amount {
					rt.Fatalf("%s gave %d and then %d", note, before, amount)
				}
				given[inv][note] = amount
			},
			"": func(rt *rapid.T) {
				l.fate = holds
				lines, err := g.List(ctx, "sub_1")
				if err != nil {
					rt.Fatal(err)
				}
				succeeded := map[string]int{}
				for _, c := range lines {
					if c.Refunded.Amount > c.Amount.Amount || c.Status == billing.PaymentDeclined && c.Refunded.Amount != 0 {
						rt.Fatalf("refunded %s of %s, %s", c.Refunded, c.Amount, c.Status)
					}
					if c.Status != billing.PaymentSucceeded {
						continue
					}
					succeeded[string(c.Invoice)]++
					var sum int64
					for _, amount := range given[string(c.Invoice)] {
						sum += amount
					}
					if sum > c.Refunded.Amount {
						rt.Fatalf("%d were said to be refunded, and %s were", sum, c.Refunded)
					}
				}
				for inv, ref := range charges {
					if succeeded[inv] > 1 || paid[inv] && succeeded[inv] == 0 {
						rt.Fatalf("%s: charged %d times, answered as paid %t", inv, succeeded[inv], paid[inv])
					}
					got, err := g.Resolve(ctx, billing.ChargeID(ref))
					if err != nil {
						rt.Fatal(err)
					}
					if (got.Status == billing.PaymentSucceeded) != (succeeded[inv] == 1) {
						rt.Fatalf("%s is resolved as %s and was charged %d times", inv, got.Status, succeeded[inv])
					}
				}
			},
		})
	})
}
