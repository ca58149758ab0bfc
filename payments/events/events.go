// Package events receives what the payment gateway tells: webhooks are stored,
// acted on, and acted on again until it has worked. It uses the cards that
// customers have given on the gateway's page, and has the gateway forget those
// that were removed here.
package events

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/commands"
	"github.com/okviz/licensing/licensing"
	"github.com/okviz/licensing/payments"
)

// Store is what the events of a gateway need of the database. Errors:
// billing.ErrNotFound.
type Store interface {
	StoreGatewayEvent(ctx context.Context, gateway string, n billing.GatewayEvent) (fresh bool, err error)
	ClaimGatewayEvents(ctx context.Context, gateway string, limit int) ([]billing.GatewayEvent, error)
	GatewayEventDone(ctx context.Context, gateway, event string, ignored bool) error
	DeferGatewayEvent(ctx context.Context, gateway, event string) error
	InvoiceOfCharge(ctx context.Context, gateway, charge string) (billing.Invoice, error)
	Refunds(ctx context.Context, subscription billing.SubscriptionID, invoice billing.InvoiceID) ([]billing.Refund, error)
	Overview(ctx context.Context, subscription billing.SubscriptionID) (billing.Overview, error)
	CardFormOf(ctx context.Context, gateway, reference string) (billing.CardForm, error)
	ClaimRemovedCards(ctx context.Context, gateway string, limit int) ([]string, error)
	CardDetached(ctx context.Context, ref string) error
	CardOwner(ctx context.Context, gateway, ref string) (billing.AccountID, error)
	UpdateCard(ctx context.Context, m billing.StoredMethod) error
}

// Gateway is the part of the payments' port that reads webhooks, and tells what
// became of cards and refunds.
type Gateway interface {
	Name() string
	ParseWebhook(header func(name string) string, body []byte, now time.Time) (billing.GatewayEvent, error)
	FormToken(ctx context.Context, form string) (token string, err error)
	DetachMethod(ctx context.Context, method string) error
	EnsureCustomer(ctx context.Context, account billing.AccountID) (customer string, err error)
	AttachMethod(ctx context.Context, customer, token string) (billing.StoredMethod, error)
	ResolveRefund(ctx context.Context, r billing.RefundRequest) (billing.RefundStatus, error)
}

const (
	// atOnce are acted on at once; what comes on top of them is left to the
	// sweeper.
	atOnce = 16
	every  = time.Second // it is swept
)

// Receiver receives the events of one gateway.
type Receiver struct {
	store    Store
	gateway  Gateway
	commands *commands.Runner
	changed  func(license licensing.LicenseID)
	log      *slog.Logger
	now      func() time.Time
	acting   chan struct{} // holds one thing for each of the events that are acted on
}

// New makes a receiver. changed is told of each licence that an event has
// changed. Run must run, too.
func New(store Store, gateway Gateway, runner *commands.Runner, changed func(license licensing.LicenseID), log *slog.Logger, now func() time.Time) *Receiver {
	return &Receiver{store, gateway, runner, changed, log, now, make(chan struct{}, atOnce)}
}

// Parse reads a webhook, as payments.Gateway does.
func (r *Receiver) Parse(header func(name string) string, body []byte) (billing.GatewayEvent, error) {
	return r.gateway.ParseWebhook(header, body, r.now())
}

// Receive stores an event, and has it acted on aside.
func (r *Receiver) Receive(ctx context.Context, n billing.GatewayEvent) error {
	fresh, err := r.store.StoreGatewayEvent(ctx, r.gateway.Name(), n)
	if err != nil || !fresh {
		return err
	}
	select {
	case r.acting <- struct{}{}:
		ctx := context.WithoutCancel(ctx)
		go func() {
			defer func() { <-r.acting }()
			r.actOn(ctx, n)
		}()
	default:
	}
	return nil
}

// Run acts on events that are left over, and has the gateway forget cards that
// were removed, until the context ends.
func (r *Receiver) Run(ctx context.Context) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			r.sweep(ctx)
			r.detachCards(ctx)
		}
	}
}

// sweep acts on events that have not been acted on: after a crash, or
// because the workflow could not be reached or a payment was under way.
func (r *Receiver) sweep(ctx context.Context) {
	waiting, err := r.store.ClaimGatewayEvents(ctx, r.gateway.Name(), 50)
	if err != nil && ctx.Err() == nil {
		r.log.Warn("the gateway events were not read", "error", err)
	}
	for _, n := range waiting {
		r.actOn(ctx, n)
	}
}

// errUnderWay postpones an event: a step is working on that payment and may
// record it at any moment.
var errUnderWay = errors.New("the payment is under way")

// actOn acts on an event, or defers it.
func (r *Receiver) actOn(ctx context.Context, n billing.GatewayEvent) {
	ctx, cancel := context.WithTimeout(ctx, commands.Patience)
	defer cancel()
	ignored, err := r.follow(ctx, n)
	kept, gateway := context.WithoutCancel(ctx), r.gateway.Name()
	switch {
	case err == nil:
		err = r.store.GatewayEventDone(kept, gateway, n.ID, ignored)
	case errors.Is(err, errUnderWay):
		err = r.store.DeferGatewayEvent(kept, gateway, n.ID)
	default:
		err = errors.Join(err, r.store.DeferGatewayEvent(kept, gateway, n.ID))
	}
	if err != nil {
		r.log.Warn("a gateway event waits to be acted on", "event", n.ID, "kind", string(n.Kind), "error", err)
	}
}

// follow acts on an event; ignored tells that it is about nothing of ours.
func (r *Receiver) follow(ctx context.Context, n billing.GatewayEvent) (ignored bool, err error) {
	switch n.Kind {
	case billing.GatewayEventCharge:
		err = r.ofInvoice(ctx, n, r.lookAt)
	case billing.GatewayEventDisputeOpened, billing.GatewayEventDisputeWon, billing.GatewayEventDisputeLost:
		err = r.ofInvoice(ctx, n, r.disputed)
	case billing.GatewayEventRefund:
		err = r.ofInvoice(ctx, n, r.lookAtRefunds)
	case billing.GatewayEventCard:
		form, e := r.store.CardFormOf(ctx, r.gateway.Name(), n.Reference)
		if err = e; err == nil {
			_, err = r.CardGiven(ctx, form)
		}
	case billing.GatewayEventCardUpdated:
		err = r.cardUpdated(ctx, n.Reference)
	default:
		return true, nil
	}
	if errors.Is(err, billing.ErrNotFound) {
		return true, nil
	}
	return false, err
}

// ofInvoice follows an event that is about an invoice's charge.
func (r *Receiver) ofInvoice(ctx context.Context, n billing.GatewayEvent, follow func(context.Context, billing.GatewayEvent, billing.Invoice) error) error {
	inv, err := r.store.InvoiceOfCharge(ctx, r.gateway.Name(), n.Reference)
	if err != nil {
		return err
	}
	return follow(ctx, n, inv)
}

// tell sends a command whose refusal, but for one that changes nothing, is an
// error: it is sent again later.
func (r *Receiver) tell(ctx context.Context, sub billing.Subscription, c billing.Command) error {
	outcome, err := r.commands.Tell(ctx, sub, c)
	if err == nil && outcome.Code != "" && outcome.Code != billing.CodeNoChange {
		err = fmt.Errorf("%s was refused: %s", c.Action, outcome.Code)
	}
	return err
}

// lookAt makes an invoice's workflow look at its waiting payment. Events
// about a paid or void invoice change nothing.
func (r *Receiver) lookAt(ctx context.Context, _ billing.GatewayEvent, inv billing.Invoice) error {
	if inv.InFlight != "" {
		return errUnderWay
	}
	o, err := r.store.Overview(ctx, inv.Subscription)
	if err != nil || o.PendingPayment.Invoice != inv.ID {
		return err
	}
	_, err = r.commands.Tell(ctx, o.Subscription, billing.Command{Action: billing.ActionSettle})
	return err
}

// disputed makes the workflow record a dispute of an invoice's payment. What
// it refuses for now is delivered again later.
func (r *Receiver) disputed(ctx context.Context, n billing.GatewayEvent, inv billing.Invoice) error {
	if inv.Status != billing.InvoicePaid {
		return errUnderWay
	}
	o, err := r.store.Overview(ctx, inv.Subscription)
	if err != nil {
		return err
	}
	err = r.tell(ctx, o.Subscription, billing.Command{
		Action: billing.ActionDispute, Dispute: billing.Dispute{ID: n.Dispute, Invoice: inv.ID, Amount: n.Amount, Status: n.Kind.Disputed()},
	})
	if err != nil {
		return err
	}
	r.changed(o.License)
	return nil
}

// lookAtRefunds asks the gateway what became of an invoice's refunds, and has the
// workflow record those that have failed after they were confirmed. One that is
// pending is asked about every few minutes in any case.
func (r *Receiver) lookAtRefunds(ctx context.Context, _ billing.GatewayEvent, inv billing.Invoice) error {
	refunds, err := r.store.Refunds(ctx, inv.Subscription, inv.ID)
	if err != nil {
		return err
	}
	for _, refund := range refunds {
		if refund.Status == billing.RefundFailed {
			continue
		}
		now, err := r.gateway.ResolveRefund(ctx, billing.RefundRequest{CreditNote: refund.ID, Invoice: refund.Invoice, Charge: refund.Charge, Amount: refund.Amount})
		switch {
		case billing.GatewayCode(err) == payments.CodeNotFound: // it is yet to be made
		case err != nil:
			return err
		case now != billing.RefundFailed:
		case refund.Status == billing.RefundPending: // that it was confirmed may be about to be recorded
			return errUnderWay
		default:
			if err := r.refundFailed(ctx, inv.Subscription, refund.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Receiver) refundFailed(ctx context.Context, subscription billing.SubscriptionID, refund billing.RefundID) error {
	o, err := r.store.Overview(ctx, subscription)
	if err != nil {
		return err
	}
	return r.tell(ctx, o.Subscription, billing.Command{Action: billing.ActionRefundFailed, RefundID: refund})
}
