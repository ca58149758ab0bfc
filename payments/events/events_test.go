package events_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/commands"
	"github.com/okviz/licensing/commands/commandstest"
	"github.com/okviz/licensing/licensing"
	"github.com/okviz/licensing/payments"
	"github.com/okviz/licensing/payments/events"
)

// ledger knows one invoice, and tells what became of events.
type ledger struct {
	events.Store
	invoice billing.Invoice
	known   map[string]bool
	became  chan string
}

func (l *ledger) StoreGatewayEvent(_ context.Context, _ string, n billing.GatewayEvent) (bool, error) {
	was := l.known[n.ID]
	l.known[n.ID] = true
	return !was, nil
}

func (l *ledger) InvoiceOfCharge(_ context.Context, _, charge string) (billing.Invoice, error) {
	if charge != string(l.invoice.Charge) {
		return billing.Invoice{}, billing.ErrNotFound
	}
	return l.invoice, nil
}

func (l *ledger) Overview(_ context.Context, id billing.SubscriptionID) (billing.Overview, error) {
	sub := billing.Subscription{ID: id, License: "lic_1"}
	sub.PendingPayment.Invoice = l.invoice.ID
	return billing.Overview{Subscription: sub}, nil
}

func (l *ledger) GatewayEventDone(_ context.Context, _, _ string, ignored bool) error {
	if ignored {
		l.became <- "ignored"
	} else {
		l.became <- "done"
	}
	return nil
}

func (l *ledger) DeferGatewayEvent(context.Context, string, string) error {
	l.became <- "deferred"
	return nil
}

type gateway struct{ events.Gateway }

func (gateway) Name() string { return "sandbox" }

func TestWhatBecomesOfAnEvent(t *testing.T) {
	paid := billing.Invoice{ID: "inv_1", Subscription: "sub_1", Charge: "ch_1", Status: billing.InvoicePaid}
	inFlight, draft := paid, paid
	inFlight.InFlight, inFlight.Status, draft.Status = "req_1", billing.InvoiceDraft, billing.InvoiceDraft
	for name, c := range map[string]struct {
		event   billing.GatewayEventKind
		charge  string
		invoice billing.Invoice
		answer  billing.Code
		became  string
		told    billing.Action // what the workflow was told; empty: nothing
		changed bool           // a licence
	}{
		"of a charge that is not ours":                {billing.GatewayEventCharge, "ch_9", draft, "", "ignored", "", false},
		"of a kind that nobody knows":                 {"payout", "ch_1", draft, "", "ignored", "", false},
		"of a payment that waits":                     {billing.GatewayEventCharge, "ch_1", draft, "", "done", billing.ActionSettle, false},
		"while a step is at that payment":             {billing.GatewayEventCharge, "ch_1", inFlight, "", "deferred", "", false},
		"of a dispute":                                {billing.GatewayEventDisputeOpened, "ch_1", paid, "", "done", billing.ActionDispute, true},
		"of a dispute that is recorded":               {billing.GatewayEventDisputeOpened, "ch_1", paid, billing.CodeNoChange, "done", billing.ActionDispute, true},
		"of a dispute that is refused for now":        {billing.GatewayEventDisputeOpened, "ch_1", paid, billing.CodeNotPossibleNow, "deferred", billing.ActionDispute, false},
		"of a dispute before its payment is recorded": {billing.GatewayEventDisputeOpened, "ch_1", draft, "", "deferred", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			l := &ledger{invoice: c.invoice, known: map[string]bool{}, became: make(chan string, 1)}
			var told billing.Action
			temporal := &commandstest.Temporal{Workflow: func(_ billing.SubscriptionID, _ string, sent billing.Command) (billing.Outcome, error) {
				told = sent.Action
				return billing.Outcome{Code: c.answer}, nil
			}}
			changed, log := false, slog.New(slog.DiscardHandler)
			runner := commands.New(&commandstest.Requests{}, temporal, func(licensing.LicenseID) {}, log, time.Now)
			r := events.New(l, gateway{}, runner, func(licensing.LicenseID) { changed = true }, log, time.Now)
			n := billing.GatewayEvent{ID: "evt_1", Kind: c.event, Reference: c.charge}
			if err := r.Receive(t.Context(), n); err != nil {
				t.Fatal(err)
			}
			if became := <-l.became; became != c.became || told != c.told || changed != c.changed {
				t.Errorf("%s, told %q, changed %t; want %s, %q, %t", became, told, changed, c.became, c.told, c.changed)
			}
			// The gateway sends it again: nobody acts on it, and the sweeper has it.
			if err := r.Receive(t.Context(), n); err != nil || len(temporal.Sent()) > 1 {
				t.Errorf("sent again: %v, %d commands", err, len(temporal.Sent()))
			}
		})
	}
}

// vault is a gateway that has one card, and a store that has it, too.
type vault struct {
	ledger
	card    billing.StoredMethod // as the gateway has it
	gone    bool                 // from the gateway
	written *billing.StoredMethod
}

func (v *vault) CardOwner(_ context.Context, gateway, ref string) (billing.AccountID, error) {
	if ref != "pm_1" || gateway != "sandbox" {
		return "", billing.ErrNotFound
	}
	return "cus_1", nil
}

func (v *vault) UpdateCard(_ context.Context, m billing.StoredMethod) error {
	v.written = &m
	return nil
}

type cards struct {
	gateway
	vault *vault
}

func (cards) EnsureCustomer(_ context.Context, account billing.AccountID) (string, error) {
	return "customer of " + string(account), nil
}

func (c cards) AttachMethod(_ context.Context, customer, token string) (billing.StoredMethod, error) {
	if c.vault.gone || customer != "customer of cus_1" || token != c.vault.card.Ref {
		return billing.StoredMethod{}, &payments.Error{Code: payments.CodeUnknownToken}
	}
	return c.vault.card, nil
}

func TestAnUpdatedCardIsReadFromTheGatewayAndWrittenDown(t *testing.T) {
	now := billing.StoredMethod{Ref: "pm_1", Brand: "visa", Last4: "0005", Exp: "2031-05", Fingerprint: "new"}
	for name, c := range map[string]struct {
		ref     string
		gone    bool
		became  string
		written bool
	}{
		"a card that is charged":    {"pm_1", false, "done", true},
		"one that is not ours":      {"pm_9", false, "ignored", false},
		"one that was detached now": {"pm_1", true, "ignored", false},
	} {
		t.Run(name, func(t *testing.T) {
			v := &vault{ledger: ledger{known: map[string]bool{}, became: make(chan string, 1)}, card: now, gone: c.gone}
			log := slog.New(slog.DiscardHandler)
			runner := commands.New(&commandstest.Requests{}, &commandstest.Temporal{}, func(licensing.LicenseID) {}, log, time.Now)
			r := events.New(v, cards{vault: v}, runner, func(licensing.LicenseID) {}, log, time.Now)
			if err := r.Receive(t.Context(), billing.GatewayEvent{ID: "evt_1", Kind: billing.GatewayEventCardUpdated, Reference: c.ref}); err != nil {
				t.Fatal(err)
			}
			became := <-v.became
			if became != c.became || (v.written != nil) != c.written || c.written && *v.written != now {
				t.Errorf("%s; written down: %+v", became, v.written)
			}
		})
	}
}
