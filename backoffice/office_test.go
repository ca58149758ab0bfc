package backoffice_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/okviz/licensing/backoffice"
	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/commands"
	"github.com/okviz/licensing/commands/commandstest"
	"github.com/okviz/licensing/licensing"
)

// books are a few subscriptions and open invoices, and the audit log.
type books struct {
	backoffice.Store
	live, known []billing.SubscriptionID // known: nothing is due for them
	broken      string                   // reading this invoice fails
	audited     []string
	line        billing.KeptLine // the one line of a statement that is kept
}

func (b *books) Live(_ context.Context, after int64, _ int) (subs []billing.Subscription, err error) {
	if after > 0 {
		return nil, nil
	}
	for _, id := range b.live {
		subs = append(subs, billing.Subscription{ID: id, Number: 1})
	}
	return subs, nil
}

func (b *books) Overview(_ context.Context, id billing.SubscriptionID) (billing.Overview, error) {
	for _, live := range b.live {
		if live == id {
			return billing.Overview{Subscription: billing.Subscription{ID: id, Next: billing.Step{At: time.Now()}}}, nil
		}
	}
	for _, known := range b.known {
		if known == id {
			return billing.Overview{Subscription: billing.Subscription{ID: id}}, nil
		}
	}
	return billing.Overview{}, billing.ErrNotFound
}

func (b *books) PendingGatewayEvents(context.Context) (int64, error) { return 3, nil }

func (b *books) InvoiceByNumber(_ context.Context, number string) (billing.Invoice, error) {
	if number == b.broken {
		return billing.Invoice{}, errors.New("the database is away")
	}
	return billing.Invoice{ID: billing.InvoiceID("inv_" + number), Number: number, Subscription: "sub_1", Currency: "EUR"}, nil
}

func (b *books) Invoice(_ context.Context, id billing.InvoiceID) (billing.Invoice, []billing.CreditNote, error) {
	return billing.Invoice{ID: id, Subscription: "sub_1", Currency: "EUR"}, nil, nil
}

func (b *books) KeptLine(context.Context, string) (billing.KeptLine, error) {
	if b.line.ID == "" {
		return billing.KeptLine{}, billing.ErrNotFound
	}
	return b.line, nil
}

func (b *books) TakeLine(_ context.Context, _ string, invoice billing.InvoiceID) (billing.KeptLine, error) {
	b.line.Invoice = invoice
	return b.line, nil
}

func (b *books) ReturnLine(_ context.Context, _ string, from billing.InvoiceID) error {
	if b.line.Invoice == from {
		b.line.Invoice = ""
	}
	return nil
}

func (b *books) KeepLine(context.Context, billing.KeptLine) (billing.KeptLine, error) {
	return b.line, nil
}

func (b *books) SettleLine(_ context.Context, _ string, as billing.Settled, _ string) (bool, error) {
	b.line.Settled = as
	return true, nil
}

func (b *books) Audit(_ context.Context, action, subject string, _, after any) error {
	text, err := json.Marshal(after)
	b.audited = append(b.audited, action+" "+subject+" "+string(text))
	return err
}

func open(b *books, temporal *commandstest.Temporal, rows *commandstest.Requests) *backoffice.Office {
	log := slog.New(slog.DiscardHandler)
	return backoffice.New(b, nil, commands.New(rows, temporal, func(licensing.LicenseID) {}, log, time.Now), log, time.Now)
}

// Temporal's lists lag, and what they lack or still have is looked at by itself.
func TestReconcilingNamesWhatReallyDisagrees(t *testing.T) {
	b := &books{live: []billing.SubscriptionID{"sub_listed", "sub_justbegun", "sub_lost"}, known: []billing.SubscriptionID{"sub_justended", "sub_over"}}
	temporal := &commandstest.Temporal{
		Listed:  []string{"sub_listed", "sub_justended", "sub_over", "sub_removed"},
		Running: []string{"sub_listed", "sub_justbegun", "sub_over", "sub_removed"},
	}
	got, err := open(b, temporal, &commandstest.Requests{}).Reconcile(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := backoffice.Reconciliation{
		Live: 3, WithoutWorkflow: []billing.SubscriptionID{"sub_lost"}, WithoutRows: []billing.SubscriptionID{"sub_over", "sub_removed"}, PendingGatewayEvents: 3,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAStatementThatIsBrokenOffIsAuditedAndMayBeRepeated(t *testing.T) {
	b, rows := &books{broken: "INV-2026-000002"}, &commandstest.Requests{}
	temporal := &commandstest.Temporal{}
	temporal.Workflow = func(_ billing.SubscriptionID, _ string, c billing.Command) (billing.Outcome, error) {
		rows.Answer(c.Request, billing.Outcome{Payment: billing.PaymentOutcome{Status: billing.PaymentSucceeded}})
		return billing.Outcome{}, nil
	}
	office := open(b, temporal, rows)
	file := []byte("date,amount,currency,reference\n2026-02-01,10.00,EUR,INV-2026-000001\n2026-02-01,20.00,EUR,INV-2026-000002\n")
	lines, err := office.ImportStatement(t.Context(), file)
	if err == nil || len(lines) != 1 || lines[0].Result != backoffice.LinePaid {
		t.Errorf("broken off: %+v, %v", lines, err)
	}
	if len(b.audited) != 1 || !strings.Contains(b.audited[0], `"broken_off":true`) || !strings.Contains(b.audited[0], `{"paid":1}`) {
		t.Errorf("the audit log says %q", b.audited)
	}
	b.broken = ""
	lines, err = office.ImportStatement(t.Context(), file)
	if err != nil || len(lines) != 2 || lines[0].Result != backoffice.LineAlready || lines[1].Result != backoffice.LinePaid {
		t.Errorf("repeated: %+v, %v", lines, err)
	}
	if len(b.audited) != 2 || strings.Contains(b.audited[1], "broken_off") {
		t.Errorf("the audit log says %q", b.audited)
	}
	if n := len(temporal.Sent()); n != 2 {
		t.Errorf("%d payments were recorded, want 2", n)
	}
}

func TestALineOfWhichNobodyKnowsYetWhatBecameIsNotSettledAndComesBackWhenItIsRefused(t *testing.T) {
	b, rows := &books{line: billing.KeptLine{ID: "stl_1", Invoice: "inv_1"}}, &commandstest.Requests{}
	var request billing.RequestID
	temporal := &commandstest.Temporal{Workflow: func(_ billing.SubscriptionID, _ string, c billing.Command) (billing.Outcome, error) {
		request = c.Request
		return billing.Outcome{}, nil
	}}
	office := open(b, temporal, rows)
	upload := func() backoffice.LineResult {
		lines, err := office.ImportStatement(t.Context(), []byte("date,amount,currency,reference\n2026-02-01,10.00,EUR,Rent\n"))
		if err != nil || len(lines) != 1 {
			t.Fatalf("%+v, %v", lines, err)
		}
		return lines[0].Result
	}
	for range 2 {
		if got := upload(); got != backoffice.LinePending || b.line.Settled != "" || b.line.Invoice != "inv_1" {
			t.Errorf("unknown: %s, %+v", got, b.line)
		}
	}
	rows.Answer(request, billing.Outcome{Code: billing.CodeMarkedByHand})
	if got := upload(); got != backoffice.LineDoubtful || b.line.Settled != "" || b.line.Invoice != "" {
		t.Errorf("refused: %s, %+v", got, b.line)
	}
	sent := temporal.Sent()
	for _, id := range sent {
		if id != sent[0] {
			t.Errorf("%v were sent, want one id", sent)
		}
	}
}
