package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/okviz/licensing/activities/activitiestest"
	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/workflows"
)

// refunded is what the gateway has given back of a subscription's charges.
func (l *life) refunded() (sum int64) {
	l.Helper()
	charges, err := l.Sandbox.List(context.Background(), l.sub)
	if err != nil {
		l.Fatal(err)
	}
	for _, c := range charges {
		sum += c.Refunded.Amount
	}
	return sum
}

func (l *life) refund() *answer {
	l.Helper()
	invoices, err := l.DB.Invoices(context.Background(), "", l.sub, "", 1)
	if err != nil {
		l.Fatal(err)
	}
	return l.update(billing.Command{Action: billing.ActionRefund, Invoice: invoices[0].ID}, "")
}

func TestMoneyBackEndsTheRunWhenTheCardHasItsMoney(t *testing.T) {
	l := newLife(t, "2026-01-01 00:00:00")
	buy := l.order(activitiestest.Order{Token: "tok_visa"})
	var back *answer
	l.ends("2026-01-10 00:00:00", func() {
		buy()
		l.at("2026-01-10 00:00:00", func() { back = l.do(billing.ActionMoneyBack) })
	})
	l.wantDone("money back", back)
	if s := l.wantStatus(billing.Canceled, billing.ReasonRefunded); s.Refunding != 0 {
		t.Errorf("%d refunds are pending", s.Refunding)
	}
	if got := l.refunded(); got != 990 {
		t.Errorf("%d were given back", got)
	}
	l.wantCharged(charge("2026-01-01 00:00:00", 990))
}

// A gateway that is away: the command is answered, what is due is done, and the
// money comes when the gateway is there again.
func TestAGatewayThatIsAwayDelaysNoStepAndLosesNoRefund(t *testing.T) {
	l := newLife(t, "2026-01-01 00:00:00")
	buy := l.order(activitiestest.Order{Token: "tok_visa"})
	faults := l.Break()
	var back *answer
	l.lives("2026-02-02 00:00:00", func() {
		buy()
		l.at("2026-01-31 23:00:00", func() {
			faults.Fail(activitiestest.Point{Call: "Refund"}, 50)
			back = l.refund()
		})
		l.at("2026-01-31 23:00:06", func() {
			l.wantDone("refund", back)
			if s := l.State(l, l.sub); s.Refunding != 1 {
				t.Errorf("%d refunds are pending", s.Refunding)
			}
		})
		l.at("2026-02-01 00:00:01", func() {
			if n := l.refunded(); n != 0 || faults.Left(activitiestest.Point{Call: "Refund"}) == 0 {
				t.Errorf("the gateway was not away: %d", n)
			}
			l.wantCharged(charge("2026-01-01 00:00:00", 990), charge("2026-02-01 00:00:00", 990))
		})
	})
	if s := l.wantStatus(billing.Active, ""); s.Refunding != 0 || l.refunded() != 990 {
		t.Errorf("%d refunds are pending, %d were given back", s.Refunding, l.refunded())
	}
}

func TestARunStaysUntilARefundIsConfirmed(t *testing.T) {
	l := newLife(t, "2026-01-01 00:00:00")
	buy := l.order(activitiestest.Order{Token: "tok_visa"})
	faults := l.Break()
	var back *answer
	err := l.run(workflows.Start{ID: l.sub}, func() {
		buy()
		l.at("2026-01-10 00:00:00", func() {
			faults.Fail(activitiestest.Point{Call: "Refund", After: true}, 12)
			back = l.do(billing.ActionMoneyBack)
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	l.wantDone("money back", back)
	if s := l.wantStatus(billing.Canceled, billing.ReasonRefunded); s.Refunding != 0 || l.refunded() != 990 {
		t.Errorf("%d refunds are pending, %d were given back", s.Refunding, l.refunded())
	}
	if ended := time.Unix(l.now.Load(), 0).UTC(); ended.Before(instant("2026-01-10 00:10:00")) {
		t.Errorf("the run ended at %s", ended)
	}
}

// The run that made the refund is gone; a new one has only the rows.
func TestANewRunAsksForWhatAnOldOneLeft(t *testing.T) {
	l := newLife(t, "2026-01-01 00:00:00")
	buy := l.order(activitiestest.Order{Token: "tok_visa"})
	faults := l.Break()
	l.lives("2026-01-10 00:01:00", func() {
		buy()
		l.at("2026-01-10 00:00:00", func() {
			faults.Fail(activitiestest.Point{Call: "Refund"}, 1000)
			l.do(billing.ActionMoneyBack)
		})
	})
	l.wantStatus(billing.Canceled, billing.ReasonRefunded)
	faults.Fail(activitiestest.Point{Call: "Refund"}, 0)
	if err := l.run(workflows.Start{ID: l.sub}, func() {}); err != nil {
		t.Fatal(err)
	}
	if s := l.State(t, l.sub); s.Refunding != 0 || l.refunded() != 990 {
		t.Errorf("%d refunds are pending, %d were given back", s.Refunding, l.refunded())
	}
}

func TestARefundOnAnEndedSubscriptionLeavesItEnded(t *testing.T) {
	l := newLife(t, "2026-01-01 00:00:00")
	buy := l.order(activitiestest.Order{Token: "tok_visa"})
	l.ends("2026-02-01 00:00:00", func() {
		buy()
		l.at("2026-01-10 00:00:00", func() { l.do(billing.ActionCancel) })
	})
	var back *answer
	if err := l.run(workflows.Start{ID: l.sub}, func() {
		l.env.RegisterDelayedCallback(func() { back = l.refund() }, 0)
	}); err != nil {
		t.Fatal(err)
	}
	l.wantDone("refund", back)
	if s := l.wantStatus(billing.Canceled, billing.ReasonRequested); s.Refunding != 0 || l.refunded() != 990 {
		t.Errorf("%d refunds are pending, %d were given back", s.Refunding, l.refunded())
	}
}
