package engine

import (
	"context"
	"errors"

	"github.com/okviz/licensing/activities"
	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/metrics"
	"github.com/okviz/licensing/payments"
)

// meteredGateway counts what a gateway answers to charges.
type meteredGateway struct {
	activities.Gateway
	metrics *metrics.Metrics
}

// A charge that cannot be prepared is none that can be made.
func (g meteredGateway) Prepare(ctx context.Context, r billing.ChargeRequest) (string, error) {
	charge, err := g.Gateway.Prepare(ctx, r)
	if err != nil {
		g.failed(err)
	}
	return charge, err
}

func (g meteredGateway) Charge(ctx context.Context, charge string, r billing.ChargeRequest) (billing.ChargeResult, error) {
	result, err := g.Gateway.Charge(ctx, charge, r)
	if err != nil {
		g.failed(err)
	} else {
		g.metrics.Charge(string(result.Status))
	}
	return result, err
}

func (g meteredGateway) failed(err error) {
	if refusal := (*payments.Error)(nil); errors.As(err, &refusal) {
		g.metrics.Charge(metrics.Refused)
		return
	}
	g.metrics.Charge(metrics.Failed)
}

// meteredMailer counts what becomes of mails.
type meteredMailer struct {
	activities.Mailer
	metrics *metrics.Metrics
}

func (m meteredMailer) Deliver(ctx context.Context, l billing.Letter) error {
	err := m.Mailer.Deliver(ctx, l)
	var permanent interface{ IsPermanent() bool }
	switch {
	case err == nil:
		m.metrics.Mail(metrics.Sent)
	case errors.As(err, &permanent) && permanent.IsPermanent():
		m.metrics.Mail(metrics.GivenUp)
	default:
		m.metrics.Mail(metrics.Failed)
	}
	return err
}
