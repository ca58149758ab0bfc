package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing"
)

func (s *operators) refundRoutes(h huma.API) {
	huma.Register(h, route(http.MethodPost, "/v1/operator/invoices/{id}/refund", "refund-invoice", "Refund an invoice, in part or all that is left", "Operator", operator(billing.OperatorFinance)), s.refundInvoice)
	huma.Register(h, route(http.MethodPost, "/v1/operator/subscriptions/{id}/cancel-now", "cancel-now", "End a subscription at once", "Operator", operator(billing.OperatorFinance)), s.cancelNow)
	huma.Register(h, route(http.MethodGet, "/v1/operator/subscriptions/{id}/cancel-now", "preview-cancel-now", "What ending a subscription at once would give back, for each choice of refund", "Operator", operator(billing.OperatorRoles...)), s.previewCancelNow)
	for _, c := range []struct {
		action  billing.Action
		summary string
	}{
		{billing.ActionSuspend, "Suspend a licence until it is reinstated"},
		{billing.ActionRevoke, "Revoke a licence and end its subscription"},
		{billing.ActionReinstate, "Reinstate a suspended or revoked licence"},
	} {
		huma.Register(h, route(http.MethodPost, "/v1/operator/licenses/{id}/"+string(c.action), string(c.action)+"-license", c.summary, "Operator", operator(billing.OperatorSupport)),
			func(ctx context.Context, in *holdInput) (*commandOutput, error) { return s.hold(ctx, in, c.action) })
	}
}

type holdInput struct {
	CommandInput
	LicenseInput
	Body *struct {
		Reason *string `json:"reason,omitempty" maxLength:"500" doc:"For your own records."`
	} `required:"false"`
}

func (s *operators) hold(ctx context.Context, in *holdInput, action billing.Action) (*commandOutput, error) {
	l, err := s.Store.License(ctx, licensing.LicenseID(in.ID))
	if err != nil {
		return nil, s.answer(err)
	}
	if in.Body != nil {
		in.reason = in.Body.Reason
	}
	return s.command(ctx, in.CommandInput, "/v1/operator/licenses/"+in.ID+"/"+string(action), billing.SubscriptionID(l.Subscription), billing.Command{Action: action}, "")
}

func (s *operators) refundInvoice(ctx context.Context, in *struct {
	CommandInput
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Amount *MoneyBody `json:"amount,omitempty" doc:"Tax included, in the invoice's currency. Absent: all that is left."`
		Reason *string    `json:"reason,omitempty" maxLength:"500" doc:"For your own records."`
	}
}) (*commandOutput, error) {
	inv, _, err := s.Store.Invoice(ctx, billing.InvoiceID(in.ID))
	if err != nil {
		return nil, s.answer(err)
	}
	in.reason = in.Body.Reason
	c := billing.Command{Action: billing.ActionRefund, Invoice: inv.ID}
	if amount := in.Body.Amount; amount != nil {
		if amount.Currency != inv.Currency {
			return nil, invalid("amount.currency", "is not the invoice's currency")
		}
		c.Amount = &amount.Amount
	}
	return s.command(ctx, in.CommandInput, "/v1/operator/invoices/"+in.ID+"/refund", inv.Subscription, c, "")
}

func (s *operators) cancelNow(ctx context.Context, in *struct {
	CommandInput
	SubscriptionInput
	Body struct {
		Refund billing.RefundScope `json:"refund" enum:"none,prorated,full"`
		Reason *string             `json:"reason,omitempty" maxLength:"500" doc:"For your own records."`
	}
}) (*commandOutput, error) {
	in.reason = in.Body.Reason
	return s.command(ctx, in.CommandInput, "/v1/operator/subscriptions/"+in.ID+"/cancel-now", billing.SubscriptionID(in.ID),
		billing.Command{Action: billing.ActionCancelNow, Refund: in.Body.Refund}, "")
}

// CancelNowPreview is what a cancellation at once would give back.
type CancelNowPreview struct {
	Prorated *billing.RefundPreview `json:"prorated" doc:"The unused part; null while a payment is disputed."`
	Full     *billing.RefundPreview `json:"full" doc:"The running period, and one that was paid ahead; null while a payment is disputed."`
}

func (s *operators) previewCancelNow(ctx context.Context, in *SubscriptionInput) (*struct{ Body CancelNowPreview }, error) {
	if _, err := s.mine(ctx, billing.SubscriptionID(in.ID)); err != nil {
		return nil, s.answer(err)
	}
	snapshot, err := s.Store.Snapshot(ctx, billing.SubscriptionID(in.ID))
	if err == nil {
		snapshot.Receipts, err = s.Store.Receipts(ctx, snapshot.Subscription.ID)
	}
	if err != nil {
		return nil, s.answer(err)
	}
	now, err := s.now(ctx, snapshot.Subscription.TestClock)
	if err != nil {
		return nil, s.answer(err)
	}
	if _, err := snapshot.PreviewCancelNow(billing.RefundNone, now); err != nil {
		return nil, s.answer(err)
	}
	preview := func(scope billing.RefundScope) *billing.RefundPreview {
		p, err := snapshot.PreviewCancelNow(scope, now)
		if err != nil {
			return nil
		}
		return &p
	}
	return &struct{ Body CancelNowPreview }{CancelNowPreview{preview(billing.RefundProrated), preview(billing.RefundFull)}}, nil
}
