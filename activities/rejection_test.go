package activities_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/okviz/licensing/activities"
	"github.com/okviz/licensing/activities/activitiestest"
	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/payments"
	"github.com/okviz/licensing/payments/stripe/stripetest"
)

// stripeShop is a shop whose gateway is Stripe.
func stripeShop(t *testing.T) (*shop, *stripetest.Server) {
	s, server := newShop(t), stripetest.New(t)
	s.Activities.Gateway = server.Gateway(nil)
	return s, server
}

func (s *shop) outbox(sub billing.SubscriptionID) []billing.NoticeKind {
	s.Helper()
	envelopes, err := s.DB.ClaimNotices(s.Context(), sub, 50)
	if err != nil {
		s.Fatal(err)
	}
	kinds := []billing.NoticeKind{}
	for _, e := range envelopes {
		kinds = append(kinds, e.Notice.Kind)
	}
	return kinds
}

// Whatever Stripe calls a mistake of ours ends the attempt, is told to the
// operator alone, and is tried again by the retry schedule.
func TestARenewalThatTheGatewayRefusesIsPastDueAndPaidByALaterTry(t *testing.T) {
	for _, c := range []struct {
		name, request string
		answer        http.HandlerFunc
		code          string
	}{
		{"a withdrawn key", "POST /payment_intents", stripetest.Fault(401, "invalid_request_error", ""), payments.CodeRefused},
		{"a key that may not", "POST /payment_intents", stripetest.Fault(403, "invalid_request_error", ""), payments.CodeRefused},
		{"an amount below its minimum", "POST /payment_intents", stripetest.Fault(400, "invalid_request_error", "amount_too_small"), payments.CodeInvalid},
		{"a key of a call with other words", "POST /confirm", stripetest.Fault(400, "idempotency_error", ""), payments.CodeMismatch},
		{"a card that is gone", "POST /confirm", stripetest.Fault(404, "invalid_request_error", "resource_missing"), payments.CodeNotFound},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, server := stripeShop(t)
			sub := s.buy(activitiestest.Order{Token: "pm_visa"})
			s.outbox(sub)
			server.Script(c.request, c.answer)
			r, err := s.Do(t.Context(), s.due(sub))
			if err != nil || r.Subscription.Status != billing.PastDue || r.Outcome.Payment.DeclineCode != billing.DeclineRejected {
				t.Fatalf("%+v, %v", r, err)
			}
			if diff := cmp.Diff([]billing.NoticeKind{billing.NoticeChargeRejected}, s.outbox(sub)); diff != "" {
				t.Errorf("mails:\n%s", diff)
			}
			if events, err := s.DB.Events(t.Context(), sub); err != nil || !strings.HasSuffix(events[len(events)-1].Text, ": "+c.code+".") {
				t.Errorf("%+v, %v", events, err)
			}
			if server.Succeeded(r.Outcome.Invoice) != 0 {
				t.Error("money moved")
			}
			server.Script(c.request, nil)
			server.ForgetKeys() // a day is over
			r = s.must(s.Do(t.Context(), s.due(sub)))
			if r.Subscription.Status != billing.Active || server.Succeeded(r.Outcome.Invoice) != 1 {
				t.Errorf("%+v, charged %d times", r, server.Succeeded(r.Outcome.Invoice))
			}
		})
	}
}

func TestAFaultOfTheGatewayIsTriedAgainAndIsNoRefusal(t *testing.T) {
	for name, status := range map[string]int{"it is busy": 429, "it has a fault": 500, "the key is in use": 409} {
		t.Run(name, func(t *testing.T) {
			s, server := stripeShop(t)
			sub := s.buy(activitiestest.Order{Token: "pm_visa"})
			server.Script("POST /payment_intents", stripetest.Fault(status, "api_error", ""))
			task := s.due(sub)
			r, err := s.Do(t.Context(), task)
			var from interface{ Part() string } // which an operator reads
			if !errors.As(err, &from) || from.Part() != "gateway" {
				t.Fatalf("%+v, %v", r, err)
			}
			server.Script("POST /payment_intents", nil)
			s.must(s.Do(t.Context(), task))
		})
	}
}

// refusing is a gateway that refuses one kind of call.
type refusing struct {
	activities.Gateway
	resolve, attach, charge bool
}

var errRefused = &payments.Error{Code: payments.CodeRefused}

func (g *refusing) Resolve(ctx context.Context, charge billing.ChargeID) (billing.ChargeResult, error) {
	if g.resolve {
		return billing.ChargeResult{}, errRefused
	}
	return g.Gateway.Resolve(ctx, charge)
}

func (g *refusing) Charge(ctx context.Context, charge billing.ChargeID, r billing.ChargeRequest) (billing.ChargeResult, error) {
	if g.charge {
		return billing.ChargeResult{}, errRefused
	}
	return g.Gateway.Charge(ctx, charge, r)
}

func (g *refusing) AttachMethod(ctx context.Context, customer, token string) (billing.StoredMethod, error) {
	if g.attach {
		return billing.StoredMethod{}, errRefused
	}
	return g.Gateway.AttachMethod(ctx, customer, token)
}

// The money has moved, and nobody may be told that it has not.
func TestARefusalToSayWhatBecameOfAPaymentIsNoDecline(t *testing.T) {
	for _, token := range []string{"tok_timeout_charged", "tok_visa"} {
		t.Run(token, func(t *testing.T) {
			s := newShop(t)
			f := s.Break()
			g := &refusing{Gateway: s.Activities.Gateway, resolve: true}
			s.Activities.Gateway = g
			sub, c := s.Place(t, activitiestest.Order{Token: token})
			task := s.command(sub, c)
			if token == "tok_visa" { // a crash in place of the gateway's silence
				f.Fail(activitiestest.Point{Call: "record"}, 1)
			}
			for range 2 {
				if r, err := s.Do(t.Context(), task); err == nil {
					t.Fatalf("%+v", r)
				} else if !errors.Is(err, errRefused) && !errors.Is(err, activitiestest.ErrFault) {
					t.Errorf("the cause is lost: %v", err)
				}
			}
			g.resolve = false
			s.must(s.Do(t.Context(), task))
			s.wantCharged(sub, charge("2026-01-01 00:00:00", 990))
		})
	}
}

// The look that comes after a crash finds that nothing was attempted.
func TestARefusalAfterACrashIsADeclineOnceItIsKnownThatNothingMoved(t *testing.T) {
	s := newShop(t)
	f := s.Break()
	s.Activities.Gateway = &refusing{Gateway: s.Activities.Gateway, charge: true}
	sub, c := s.Place(t, activitiestest.Order{Token: "tok_visa"})
	task := s.command(sub, c)
	f.Fail(activitiestest.Point{Call: "SetCharge"}, 1)
	if _, err := s.Do(t.Context(), task); !errors.Is(err, activitiestest.ErrFault) {
		t.Fatal(err)
	}
	if r, err := s.Do(t.Context(), task); err != nil || r.Outcome.Payment.DeclineCode != billing.DeclineRejected {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestACardThatTheGatewayRefusesToStoreRefusesTheCommandAndTellsTheOperator(t *testing.T) {
	s := newShop(t)
	g := &refusing{Gateway: s.Activities.Gateway, attach: true}
	s.Activities.Gateway = g
	sub, c := s.Place(t, activitiestest.Order{Token: "tok_visa"})
	r, err := s.Do(t.Context(), s.command(sub, c))
	if err != nil || r.Outcome.Code != billing.CodeGatewayRejected || r.Subscription.Status != billing.IncompleteExpired {
		t.Fatalf("%+v, %v", r, err)
	}
	if diff := cmp.Diff([]billing.NoticeKind{billing.NoticeChargeRejected}, s.outbox(sub)); diff != "" {
		t.Errorf("mails:\n%s", diff)
	}
	g.attach = false
	sub = s.buy(activitiestest.Order{Token: "tok_visa"})
	s.outbox(sub)
	g.attach = true
	task := s.command(sub, s.Ask(t, sub, billing.Command{Action: billing.ActionPaymentMethod}, "tok_visa"))
	for range 2 { // the second finds the answer
		r, err = s.Do(t.Context(), task)
		if err != nil || r.Outcome.Code != billing.CodeGatewayRejected || r.Subscription.Status != billing.Active {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	if diff := cmp.Diff([]billing.NoticeKind{billing.NoticeChargeRejected}, s.outbox(sub)); diff != "" {
		t.Errorf("mails:\n%s", diff)
	}
}
