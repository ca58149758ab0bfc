package activities_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/okviz/licensing/activities"
	"github.com/okviz/licensing/activities/activitiestest"
	"github.com/okviz/licensing/billing"
)

// GatewayEvent of a payment may come as often as a gateway likes.
func TestSettlingWhereNothingWaitsWritesNothing(t *testing.T) {
	s := newShop(t)
	f := s.Break()
	sub := s.buy(activitiestest.Order{Token: "tok_visa"})
	before, written := s.State(t, sub), f.Calls("record")
	for range 3 {
		r := s.must(s.Do(t.Context(), s.command(sub, billing.Command{Action: billing.ActionSettle})))
		if diff := cmp.Diff(before, r.Subscription); diff != "" {
			t.Errorf("it changed (-before +after):\n%s", diff)
		}
	}
	if n := f.Calls("record"); n != written {
		t.Errorf("%d postings were written", n-written)
	}
	s.wantCharged(sub, charge("2026-01-01 00:00:00", 990))
}

// waiting is a subscription whose payment waits for the customer.
func (s *shop) pending(o activitiestest.Order) billing.SubscriptionID {
	s.Helper()
	o.Token = "tok_3ds"
	sub := s.buy(o)
	s.wantPending(sub, billing.ForPurchase)
	return sub
}

// confirmed is one that was bought by a card whose bank asks for the customer
// each time.
func (s *shop) confirmed() billing.SubscriptionID {
	s.Helper()
	sub := s.pending(activitiestest.Order{})
	s.approve(sub)
	s.must(s.do(s.gatewayEvent(sub)))
	return sub
}

func (s *shop) gatewayEvent(sub billing.SubscriptionID) activities.Task {
	return s.command(sub, billing.Command{Action: billing.ActionSettle})
}

func (s *shop) ask(sub billing.SubscriptionID, c billing.Command, token string) activities.Task {
	s.Helper()
	return s.command(sub, s.Ask(s, sub, c, token))
}

func (s *shop) change(sub billing.SubscriptionID, plan string) activities.Task {
	s.Helper()
	return s.ask(sub, billing.Command{Action: billing.ActionChange, Plan: plan}, "")
}

func (s *shop) bill(sub billing.SubscriptionID) billing.Invoice {
	s.Helper()
	snapshot, err := s.DB.Snapshot(s.Context(), sub)
	if err != nil || snapshot.PendingPayment == nil {
		s.Fatalf("nothing waits: %+v, %v", snapshot.Subscription, err)
	}
	return *snapshot.PendingPayment
}

func (s *shop) approve(sub billing.SubscriptionID) {
	s.Helper()
	if err := s.Sandbox.Approve(s.Context(), s.bill(sub).Charge); err != nil {
		s.Fatal(err)
	}
}

func (s *shop) fail(sub billing.SubscriptionID) {
	s.Helper()
	if err := s.Sandbox.Fail(s.Context(), s.bill(sub).Charge); err != nil {
		s.Fatal(err)
	}
}

// wantPending holds a subscription to a payment that waits for the customer at
// an address that stands in the invoice's row alone.
func (s *shop) wantPending(sub billing.SubscriptionID, purpose billing.Purpose) {
	s.Helper()
	w, inv := s.State(s, sub).PendingPayment, s.bill(sub)
	if !w.Action || w.Purpose != purpose || w.Invoice != inv.ID || w.Amount != inv.AmountDue() || inv.Status != billing.InvoiceDraft || inv.InFlight != "" {
		s.Errorf("%+v waits for %+v", w, inv)
	}
	if want := "https://shop.example/sandbox/" + string(inv.Charge); inv.ActionURL != want {
		s.Errorf("the action is at %q, want %q", inv.ActionURL, want)
	}
}

func first(more ...activitiestest.Charge) []activitiestest.Charge {
	return slices.Concat([]activitiestest.Charge{charge("2026-01-01 00:00:00", 990)}, more)
}

func init() {
	scenarios = append(scenarios, []scenario{
		{"purchase that the bank asks for", func(s *shop) (billing.SubscriptionID, activities.Task) {
			sub, c := s.Place(s, activitiestest.Order{Token: "tok_3ds"})
			return sub, s.command(sub, c)
		}, []activitiestest.Charge{}, billing.Incomplete, 0},
		{"approved purchase", func(s *shop) (billing.SubscriptionID, activities.Task) {
			sub := s.pending(activitiestest.Order{})
			s.approve(sub)
			return sub, s.gatewayEvent(sub)
		}, first(), billing.Active, 6},
		{"failed purchase", func(s *shop) (billing.SubscriptionID, activities.Task) {
			sub := s.pending(activitiestest.Order{})
			s.fail(sub)
			return sub, s.gatewayEvent(sub)
		}, []activitiestest.Charge{charge("2026-01-01 00:00:00", -990)}, billing.Incomplete, 6},
		{"purchase that is given up", func(s *shop) (billing.SubscriptionID, activities.Task) {
			sub := s.pending(activitiestest.Order{})
			return sub, s.due(sub)
		}, []activitiestest.Charge{}, billing.Incomplete, 6},
		{"purchase that was approved too late to be told", func(s *shop) (billing.SubscriptionID, activities.Task) {
			sub := s.pending(activitiestest.Order{})
			s.approve(sub)
			return sub, s.due(sub)
		}, first(), billing.Active, 6},
		{"another card in place of an action", func(s *shop) (billing.SubscriptionID, activities.Task) {
			sub := s.pending(activitiestest.Order{})
			s.now = instant("2026-01-01 05:00:00")
			return sub, s.ask(sub, billing.Command{Action: billing.ActionPaymentMethod}, "tok_visa")
		}, []activitiestest.Charge{charge("2026-01-01 05:00:00", 990)}, billing.Active, 0},
		{"cancellation of an order that waits", func(s *shop) (billing.SubscriptionID, activities.Task) {
			sub := s.pending(activitiestest.Order{})
			return sub, s.ask(sub, billing.Command{Action: billing.ActionCancel}, "")
		}, []activitiestest.Charge{}, billing.IncompleteExpired, 0},
		{"change that the bank asks for", func(s *shop) (billing.SubscriptionID, activities.Task) {
			sub := s.confirmed()
			s.now = instant("2026-01-16 12:00:00")
			return sub, s.change(sub, activitiestest.Bigger)
		}, first(), billing.Active, 0},
		{"change in place of one that waits", func(s *shop) (billing.SubscriptionID, activities.Task) {
			sub := s.confirmed()
			s.now = instant("2026-01-16 12:00:00")
			s.must(s.do(s.change(sub, activitiestest.Bigger)))
			return sub, s.change(sub, activitiestest.Yearly)
		}, first(), billing.Active, 0},
		{"change in place of one that was approved", func(s *shop) (billing.SubscriptionID, activities.Task) {
			sub := s.confirmed()
			s.now = instant("2026-01-16 12:00:00")
			s.must(s.do(s.change(sub, activitiestest.Bigger)))
			s.approve(sub)
			return sub, s.change(sub, activitiestest.Yearly)
		}, first(charge("2026-01-16 12:00:00", 1495)), billing.Active, 0},
		{"renewal that the bank asks for", func(s *shop) (billing.SubscriptionID, activities.Task) {
			sub := s.confirmed()
			return sub, s.due(sub)
		}, first(), billing.PastDue, 0},
		{"renewal that is given up", func(s *shop) (billing.SubscriptionID, activities.Task) {
			sub := s.confirmed()
			s.must(s.do(s.due(sub)))
			return sub, s.due(sub)
		}, first(), billing.Canceled, 6},
		{"conversion that the bank asks for", func(s *shop) (billing.SubscriptionID, activities.Task) {
			sub := s.buy(activitiestest.Order{Token: "tok_3ds", Trial: true})
			for s.State(s, sub).Next.Kind == billing.StepRemind {
				s.must(s.Do(s.Context(), s.due(sub)))
			}
			return sub, s.due(sub)
		}, []activitiestest.Charge{}, billing.Canceled, 0},
	}...)
}

func TestLateApprovalMovesNoMoney(t *testing.T) {
	s := newShop(t)
	sub := s.confirmed()
	s.now = instant("2026-01-16 12:00:00")
	s.must(s.do(s.change(sub, activitiestest.Bigger)))
	s.wantPending(sub, billing.ForChange)
	bill := s.bill(sub)
	before := s.State(t, sub)
	task := s.due(sub)
	if want := instant("2026-01-16 13:00:00"); !s.now.Equal(want) {
		t.Errorf("it waits until %s, want %s", s.now, want)
	}
	if _, err := s.do(task); err != nil {
		t.Fatal(err)
	}
	if err := s.Sandbox.Approve(t.Context(), bill.Charge); err == nil {
		t.Error("what was given up was approved")
	}
	s.must(s.do(s.gatewayEvent(sub)))
	s.wantCharged(sub, first()...)
	after := s.State(t, sub)
	if after.Plan != before.Plan || after.Period != before.Period || after.PendingPayment != (billing.PendingPayment{}) {
		t.Errorf("it is %+v, and was %+v", after, before)
	}
	if inv, _, err := s.DB.Invoice(t.Context(), bill.ID); err != nil || inv.Status != billing.InvoiceVoid || inv.ActionURL != "" {
		t.Errorf("the invoice is %+v, %v", inv, err)
	}
}

// working is a gateway that works on charges until it is told what became of
// them.
type working struct {
	activities.Gateway
	became billing.ChargeResult
}

func (g *working) Charge(context.Context, billing.ChargeID, billing.ChargeRequest) (billing.ChargeResult, error) {
	return g.became, nil
}
func (g *working) Resolve(context.Context, billing.ChargeID) (billing.ChargeResult, error) {
	return g.became, nil
}
func (g *working) Abandon(context.Context, billing.ChargeID) (billing.ChargeResult, error) {
	return g.became, nil
}

// While the gateway works on a payment nothing else is decided, and it is asked
// again each hour.
func TestPaymentThatTheGatewayWorksOnIsLookedAtAgainAndHoldsEverythingUp(t *testing.T) {
	for _, end := range []billing.ChargeResult{
		{Status: billing.PaymentSucceeded},
		{Status: billing.PaymentDeclined, DeclineCode: "insufficient_funds", Advice: billing.AdviceRetryLater},
	} {
		t.Run(string(end.Status), func(t *testing.T) {
			s := newShop(t)
			sub := s.buy(activitiestest.Order{Token: "tok_visa"})
			g := &working{s.Activities.Gateway, billing.ChargeResult{Status: billing.PaymentProcessing}}
			s.Activities.Gateway = g
			s.must(s.do(s.due(sub)))
			for hour := 1; hour <= 30; hour++ {
				state := s.State(t, sub)
				if at := instant("2026-02-01 00:00:00").Add(time.Duration(hour) * time.Hour); state.Status != billing.Active ||
					state.Next != (billing.Step{Kind: billing.StepSettle, At: at}) || state.PendingPayment.Action {
					t.Fatalf("hour %d: %s waits for %+v: %+v", hour, state.Status, state.Next, state.PendingPayment)
				}
				s.must(s.do(s.due(sub)))
			}
			if r, err := s.do(s.ask(sub, billing.Command{Action: billing.ActionCancel}, "")); err != nil || r.Outcome.Code != billing.CodePaymentProcessing {
				t.Errorf("cancelling came to %+v, %v", r.Outcome, err)
			}
			if r, err := s.do(s.change(sub, activitiestest.Bigger)); err != nil || r.Outcome.Code != billing.CodePaymentProcessing {
				t.Errorf("a change came to %+v, %v", r.Outcome, err)
			}
			events, err := s.DB.Events(t.Context(), sub)
			if err != nil || len(events) != 2 {
				t.Errorf("events %+v, %v", events, err)
			}
			g.became = end
			r, err := s.do(s.gatewayEvent(sub))
			if err != nil || (end.Status == billing.PaymentSucceeded) != (r.Subscription.Status == billing.Active) || r.Subscription.PendingPayment.Invoice != "" {
				t.Fatalf("it is %+v, %v", r.Subscription, err)
			}
			if end.Status == billing.PaymentSucceeded && !r.Subscription.Period.End.Equal(instant("2026-03-01 00:00:00")) {
				t.Errorf("renewed until %s", r.Subscription.Period.End)
			}
		})
	}
}

// Whatever goes wrong in between, the store lets no second payment begin.
func TestNothingIsFrozenBesideAPaymentThatWaits(t *testing.T) {
	s := newShop(t)
	sub := s.pending(activitiestest.Order{})
	snapshot, err := s.DB.Snapshot(t.Context(), sub)
	if err != nil {
		t.Fatal(err)
	}
	other := *snapshot.PendingPayment
	other.ID, other.Key = "inv_other", "other"
	if _, reserve := snapshot.Reserve(other, "other"); !errors.Is(s.DB.Post(t.Context(), reserve), billing.ErrConflict) {
		t.Error("another payment was begun")
	}
}

// To resume may bring a step forward: it ends the wait, and is done then.
func TestAStepThatComesBeforeTheEndOfAWaitEndsIt(t *testing.T) {
	s := newShop(t)
	sub := s.pending(activitiestest.Order{Plan: activitiestest.Yearly})
	s.approve(sub)
	s.must(s.do(s.gatewayEvent(sub)))
	s.must(s.do(s.ask(sub, billing.Command{Action: billing.ActionCancel}, "")))
	s.now = instant("2026-12-24 23:50:00") // the reminder's is ten minutes later
	s.must(s.do(s.change(sub, activitiestest.Bigger)))
	bill := s.bill(sub)
	s.must(s.Do(t.Context(), s.ask(sub, billing.Command{Action: billing.ActionResume}, "")))
	s.wantPending(sub, billing.ForChange)
	task := s.due(sub)
	if want := (billing.Step{Kind: billing.StepRemind, At: instant("2026-12-25 00:00:00")}); *task.Step != want {
		t.Fatalf("next is %+v, want %+v", *task.Step, want)
	}
	for range 2 { // the second time its answer was lost
		r, err := s.Do(t.Context(), task)
		if err != nil || !r.Again || r.Subscription.PendingPayment.Invoice != "" || r.Subscription.Next != *task.Step {
			t.Fatalf("got %+v, %v", r, err)
		}
	}
	s.must(s.Do(t.Context(), s.due(sub)))
	if err := s.Sandbox.Approve(t.Context(), bill.Charge); err == nil {
		t.Error("what was given up was approved")
	}
	s.wantCharged(sub, charge("2026-01-01 00:00:00", 9900))
}
