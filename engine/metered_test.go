package engine

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/okviz/licensing/activities"
	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/payments"
)

// answering is a gateway and a mailer with one answer.
type answering struct {
	activities.Gateway
	result billing.ChargeResult
	err    error
}

func (a answering) Prepare(context.Context, billing.ChargeRequest) (billing.ChargeID, error) {
	return "", a.err
}

func (a answering) Charge(context.Context, billing.ChargeID, billing.ChargeRequest) (billing.ChargeResult, error) {
	return a.result, a.err
}

func (a answering) Deliver(context.Context, billing.Email) error { return a.err }

type hopeless struct{ error }

func (hopeless) IsPermanent() bool { return true }

func TestEveryChargeAndMailIsCountedByWhatBecameOfIt(t *testing.T) {
	m := newMetrics()
	away, refusal := errors.New("away"), fmt.Errorf("charging: %w", &payments.Error{Code: payments.CodeRefused})
	for _, a := range []answering{
		{result: billing.ChargeResult{Status: billing.PaymentSucceeded}}, {result: billing.ChargeResult{Status: billing.PaymentDeclined}},
		{result: billing.ChargeResult{Status: billing.PaymentUnknown}}, {err: away}, {err: refusal},
	} {
		g := meteredGateway{a, m}
		if _, err := g.Prepare(t.Context(), billing.ChargeRequest{}); !errors.Is(err, a.err) {
			t.Errorf("Prepare: %v", err)
		}
		if r, err := g.Charge(t.Context(), "", billing.ChargeRequest{}); !errors.Is(err, a.err) || r != a.result {
			t.Errorf("%+v, %v", r, err)
		}
	}
	for _, err := range []error{nil, nil, away, hopeless{away}} {
		if got := (meteredMailer{answering{err: err}, m}).Deliver(t.Context(), billing.Email{}); !errors.Is(got, err) {
			t.Errorf("%v", got)
		}
	}
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, line := range []string{
		`okviz_charges_total{outcome="succeeded"} 1`, `okviz_charges_total{outcome="declined"} 1`, `okviz_charges_total{outcome="unknown"} 1`,
		`okviz_charges_total{outcome="failed"} 2`, `okviz_charges_total{outcome="refused"} 2`,
		`okviz_mails_total{outcome="sent"} 2`, `okviz_mails_total{outcome="failed"} 1`, `okviz_mails_total{outcome="given_up"} 1`,
	} {
		if !strings.Contains(w.Body.String(), line+"\n") {
			t.Errorf("there is no line %s", line)
		}
	}
}
