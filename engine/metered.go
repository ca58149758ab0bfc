package engine

import (
	"context"
	"errors"

	"github.com/okviz/licensing/activities"
	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/payments"
)

// meteredGateway counts what a gateway answers to charges.
type meteredGateway struct {
	activities.Gateway
	metrics *metrics
}

// A charge that cannot be prepared is none that can be made.
func (g meteredGateway) Prepare(ctx context.Context, r billing.ChargeRequest) (billing.ChargeID, error) {
	charge, err := g.Gateway.Prepare(ctx, r)
	if err != nil {
		g.failed(err)
	}
	return charge, err
}

func (g meteredGateway) Charge(ctx context.Context, charge billing.ChargeID, r billing.ChargeRequest) (billing.ChargeResult, error) {
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
		g.metrics.Charge(refused)
		return
	}
	g.metrics.Charge(failed)
}

// meteredMailer counts what becomes of mails.
type meteredMailer struct {
	activities.Mailer
	metrics *metrics
}

func (m meteredMailer) Deliver(ctx context.Context, l billing.Email) error {
	err := m.Mailer.Deliver(ctx, l)
	var permanent interface{ IsPermanent() bool }
	switch {
	case err == nil:
		m.metrics.Mail(sent)
	case errors.As(err, &permanent) && permanent.IsPermanent():
		m.metrics.Mail(givenUp)
	default:
		m.metrics.Mail(failed)
	}
	return err
}
