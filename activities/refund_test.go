package activities_test

import (
	"context"
	"errors"
	"testing"

	"github.com/okviz/licensing/activities"
	"github.com/okviz/licensing/activities/activitiestest"
	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/payments"
)

// moneyBack is a subscription whose money is on its way back.
func (s *shop) moneyBack() billing.SubscriptionID {
	s.Helper()
	sub := s.buy(activitiestest.Order{Token: "tok_visa"})
	if err := s.Notify(s.Context(), sub); err != nil { // the files are made while it lasts
		s.Fatal(err)
	}
	c := s.Ask(s, sub, billing.Command{Action: billing.ActionMoneyBack}, "")
	s.must(s.Do(s.Context(), s.command(sub, c)))
	if n := s.State(s, sub).Refunding; n != 1 {
		s.Fatalf("%d refunds are pending", n)
	}
	return sub
}

// record is the Task that records what the gateway has said.
func (s *shop) record(sub billing.SubscriptionID, answered []billing.Refund) activities.Task {
	state := s.State(s, sub)
	return activities.Task{Subscription: sub, Revision: state.Revision, At: state.At(s.now), Refunds: answered}
}

func (s *shop) refunded(sub billing.SubscriptionID) (sum int64) {
	s.Helper()
	charges, err := s.Sandbox.List(s.Context(), sub)
	if err != nil {
		s.Fatal(err)
	}
	for _, c := range charges {
		sum += c.Refunded.Amount
	}
	return sum
}

// Wherever a worker dies, the next one goes on, and the card gets its money
// once.
func TestARefundHappensOnceWhereverItIsCutOff(t *testing.T) {
	for _, p := range []activitiestest.Point{{Call: "Refund", After: false}, {Call: "Refund", After: true}, {Call: "record", After: false}, {Call: "record", After: true}} {
		s := newShop(t)
		sub := s.moneyBack()
		s.Break().Fail(p, 1)
		for range 5 {
			answered, err := s.Refund(s.Context(), sub)
			if errors.Is(err, activitiestest.ErrFault) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(answered) == 0 {
				break
			}
			task := s.record(sub, answered)
			for {
				if _, err = s.Do(s.Context(), task); err == nil {
					break // an activity is tried again with the same input
				}
			}
		}
		if got := s.refunded(sub); got != 990 {
			t.Errorf("%+v: %d were given back", p, got)
		}
		if left := s.State(t, sub).Refunding; left != 0 {
			t.Errorf("%+v: %d refunds are pending", p, left)
		}
		if balance := s.balanceOf(sub); balance != 0 {
			t.Errorf("%+v: the balance is %d", p, balance)
		}
		s.Audit(t, sub)
	}
}

func (s *shop) balanceOf(sub billing.SubscriptionID) int64 {
	s.Helper()
	snapshot, err := s.DB.Snapshot(s.Context(), sub)
	if err != nil {
		s.Fatal(err)
	}
	return snapshot.Balance.Amount
}

// answering is a gateway that answers every refund alike.
type answering struct {
	activities.Gateway
	status billing.RefundStatus
	err    error
}

func (g answering) Refund(context.Context, billing.RefundRequest) (billing.RefundStatus, error) {
	return g.status, g.err
}

func TestACardThatTakesNothingBackLeavesItToTheBalance(t *testing.T) {
	for name, g := range map[string]answering{
		"the gateway says so":  {status: billing.RefundFailed},
		"the gateway will not": {err: &payments.Error{Code: payments.CodeNotRefundable}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			sub := s.moneyBack()
			g.Gateway = s.Gateway
			s.Gateway = g
			answered, err := s.Refund(s.Context(), sub)
			if err != nil {
				t.Fatal(err)
			}
			s.must(s.Do(s.Context(), s.record(sub, answered)))
			if balance := s.balanceOf(sub); balance != 990 {
				t.Errorf("the balance is %d", balance)
			}
			if err := s.Notify(s.Context(), sub); err != nil {
				t.Fatal(err)
			}
			emails := s.Mailbox.Emails()
			if l := emails[len(emails)-1]; l.Kind != billing.NoticeRefundFailed || l.Email != s.OperatorEmail || l.Amount.Amount != 990 {
				t.Errorf("the last letter is %+v", l)
			}
		})
	}
}

// Wherever a worker dies, the next one goes on, and the balance gets it once.
func TestARefundThatFailsLaterIsKeptOnceWhereverItIsCutOff(t *testing.T) {
	for _, after := range []bool{false, true} {
		s := newShop(t)
		sub := s.moneyBack()
		answered, err := s.Refund(s.Context(), sub)
		if err != nil {
			t.Fatal(err)
		}
		s.must(s.Do(s.Context(), s.record(sub, answered)))
		task := s.command(sub, billing.Command{Action: billing.ActionRefundFailed, RefundID: answered[0].ID})
		s.Break().Fail(activitiestest.Point{Call: "record", After: after}, 1)
		if _, err := s.Do(s.Context(), task); err == nil {
			t.Fatal("it was not cut off")
		}
		for range 2 { // an activity is tried again with the same input
			s.must(s.Do(s.Context(), task))
		}
		told, err := s.Do(s.Context(), s.command(sub, *task.Command))
		if err != nil || told.Outcome.Code != billing.CodeNoChange {
			t.Errorf("told again: %+v, %v", told.Outcome, err)
		}
		if balance := s.balanceOf(sub); balance != 990 {
			t.Errorf("cut off after %t: the balance is %d", after, balance)
		}
		s.Audit(t, sub)
	}
}

func TestARefundThatTheGatewayStillWorksOnIsAskedForAgain(t *testing.T) {
	s := newShop(t)
	sub := s.moneyBack()
	real := s.Gateway
	s.Gateway = answering{Gateway: real, status: billing.RefundPending}
	if answered, err := s.Refund(s.Context(), sub); err == nil || len(answered) > 0 {
		t.Fatalf("%+v, %v", answered, err)
	}
	s.Gateway = real
	answered, err := s.Refund(s.Context(), sub)
	if err != nil || len(answered) != 1 || answered[0].Status != billing.RefundSucceeded {
		t.Fatalf("%+v, %v", answered, err)
	}
}

func TestMoneyBackIsToldWithItsCreditNote(t *testing.T) {
	s := newShop(t)
	sub := s.moneyBack()
	if err := s.Notify(s.Context(), sub); err != nil {
		t.Fatal(err)
	}
	for _, l := range s.Mailbox.Emails() {
		if l.Kind != billing.NoticeMoneyBack {
			continue
		}
		if l.Email != activitiestest.BillingEmail || len(l.Attachments) != 1 || l.Attachments[0].Name != "CN-2026-000001.pdf" || l.CreditNoteNumbers[0] != "CN-2026-000001" {
			t.Errorf("%+v", l)
		}
		return
	}
	t.Error("nobody was told")
}
