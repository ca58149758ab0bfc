package api

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/payments/sandbox"
)

const cataloguePath = "/v1/operator/catalog"

func (s *server) operatorRoutes(h huma.API) {
	huma.Register(h, route(http.MethodGet, "/v1/operator/subscriptions", "find-subscriptions", "Find subscriptions by e-mail address, domain or number", "Operator", operator), s.findSubscriptions)
	huma.Register(h, route(http.MethodPost, cataloguePath, "apply-catalog", "Apply a catalogue document", "Operator", operator), s.applyCatalogue)
	huma.Register(h, route(http.MethodPost, "/v1/operator/invoices/{id}/mark-paid", "mark-paid", "Record a bank transfer for an invoice", "Operator", operator), s.markPaid)
	huma.Register(h, route(http.MethodPost, statementPath, "import-statement", "Record the transfers of a bank statement", "Operator", operator), s.importStatement)
	huma.Register(h, route(http.MethodPost, cataloguePath+"/migrate", "migrate-catalog", "Move subscriptions to the newest price of their plan, from their next renewal on", "Operator", operator), s.migratePrices)
	huma.Register(h, route(http.MethodGet, "/v1/operator/reconcile", "reconcile", "Find subscriptions whose rows and workflows disagree", "Operator", operator), s.reconcile)
	huma.Register(h, route(http.MethodGet, "/v1/operator/reconcile/money", "reconcile-money", "Find differences between the gateway's charges and refunds and the books", "Operator", operator), s.reconcileMoney)
	if s.Sandbox != nil {
		huma.Register(h, route(http.MethodPost, "/v1/operator/sandbox/disputes", "dispute-charge", "Dispute an invoice's charge at the sandbox gateway, as a bank would", "Operator", operator, status(http.StatusAccepted)), s.disputeCharge)
		huma.Register(h, route(http.MethodPost, "/v1/operator/sandbox/refunds", "fail-refund", "Have the sandbox's bank send an invoice's newest refund back", "Operator", operator, status(http.StatusAccepted)), s.failRefund)
		huma.Register(h, route(http.MethodGet, "/v1/operator/sandbox/charges", "list-charges", "List what the sandbox gateway really charged", "Operator", operator), s.listCharges)
	}
}

func (s *server) findSubscriptions(ctx context.Context, in *struct {
	PageInput
	Email  string `query:"email" maxLength:"254"`
	Domain string `query:"domain" maxLength:"254"`
	Number int64  `query:"number" minimum:"1"`
}) (*struct{ Body List[Subscription] }, error) {
	return s.subscriptions(ctx, in.PageInput, billing.Search{Email: in.Email, Domain: in.Domain, Number: in.Number})
}

// Reconciliation names the subscriptions whose rows and workflows disagree.
type Reconciliation struct {
	Live            int      `json:"live" doc:"Number of subscriptions for which some step is still due."`
	WithoutWorkflow []string `json:"without_workflow" doc:"Live subscriptions without a running workflow; okviz recover starts one."`
	WithoutRows     []string `json:"without_rows" doc:"Running workflows of subscriptions that do not exist or for which nothing is due."`
	WaitingNews     int64    `json:"waiting_news" doc:"Number of stored gateway events that have not been acted on yet."`
}

// reconcile compares the live rows with the running workflows. Temporal's lists
// lag, and a step may be under way: what the first look finds is looked at
// again, by itself.
func (s *server) reconcile(ctx context.Context, _ *struct{}) (*struct{ Body Reconciliation }, error) {
	running := map[string]bool{}
	var next []byte
	for {
		page, err := s.Temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
			Query: "WorkflowType = 'Subscription' AND ExecutionStatus = 'Running'", NextPageToken: next, PageSize: 1000,
		})
		if err != nil {
			return nil, s.answer(err)
		}
		for _, e := range page.Executions {
			running[e.Execution.WorkflowId] = true
		}
		if next = page.NextPageToken; len(next) == 0 {
			break
		}
	}
	live, err := s.Store.Live(ctx)
	if err != nil {
		return nil, s.answer(err)
	}
	out := Reconciliation{Live: len(live), WithoutWorkflow: []string{}, WithoutRows: []string{}}
	for _, sub := range live {
		if !running[sub.ID] {
			agree, err := s.agree(ctx, sub.ID)
			if err != nil {
				return nil, s.answer(err)
			}
			if !agree {
				out.WithoutWorkflow = append(out.WithoutWorkflow, sub.ID)
			}
		}
		delete(running, sub.ID)
	}
	for _, id := range slices.Sorted(maps.Keys(running)) {
		agree, err := s.agree(ctx, id)
		if err != nil {
			return nil, s.answer(err)
		}
		if !agree {
			out.WithoutRows = append(out.WithoutRows, id)
		}
	}
	if out.WaitingNews, err = s.Store.WaitingNews(ctx); err != nil {
		return nil, s.answer(err)
	}
	return &struct{ Body Reconciliation }{out}, nil
}

// agree looks whether a subscription is live exactly where its workflow runs.
func (s *server) agree(ctx context.Context, id string) (bool, error) {
	runs := false
	run, err := s.Temporal.DescribeWorkflowExecution(ctx, id, "")
	var none *serviceerror.NotFound
	switch {
	case err == nil:
		runs = run.WorkflowExecutionInfo.Status == enums.WORKFLOW_EXECUTION_STATUS_RUNNING
	case !errors.As(err, &none):
		return false, err
	}
	o, err := s.Store.Overview(ctx, id)
	if err != nil && !errors.Is(err, billing.ErrNotFound) {
		return false, err
	}
	return runs == !o.Next.At.IsZero(), nil
}

type changesOutput struct {
	Body struct {
		Changes []string `json:"changes"`
	}
}

func (s *server) applyCatalogue(ctx context.Context, in *struct {
	DryRun  bool   `query:"dry_run" default:"false"`
	RawBody []byte `contentType:"application/yaml"` // or JSON, which is YAML too
}) (*changesOutput, error) {
	c, err := billing.ParseCatalogue(in.RawBody)
	if err != nil {
		return nil, s.answer(placed(err))
	}
	out := &changesOutput{}
	if out.Body.Changes, err = s.Store.ApplyCatalogue(ctx, c, in.DryRun); err != nil {
		return nil, s.answer(err)
	}
	return out, nil
}

var place = regexp.MustCompile(`\[(\d+):(\d+)\]`)

// placed keeps the place of what the YAML reader did not understand, and drops
// its words, which quote the document.
func placed(err error) error {
	var b *billing.Error
	if !errors.As(err, &b) || b.Field != "" {
		return err
	}
	if at := place.FindStringSubmatch(b.Detail); at != nil {
		return &billing.Error{Code: b.Code, Field: "line " + at[1] + ", column " + at[2], Detail: "is not allowed here in a catalogue"}
	}
	if line, detail, ok := strings.Cut(b.Detail, ": "); ok && strings.HasPrefix(line, "line ") {
		return &billing.Error{Code: b.Code, Field: line, Detail: detail}
	}
	return &billing.Error{Code: b.Code, Field: "body", Detail: "is not one catalogue document"}
}

func (s *server) listCharges(ctx context.Context, in *struct {
	Subscription string `query:"subscription" required:"true" maxLength:"64"`
}) (*struct{ Body List[sandbox.Charge] }, error) {
	charges, err := s.Sandbox.List(ctx, in.Subscription)
	if err != nil {
		return nil, s.answer(err)
	}
	return &struct{ Body List[sandbox.Charge] }{List[sandbox.Charge]{Data: charges}}, nil
}

// DisputedCharge is where the dispute of an invoice's charge stands.
type DisputedCharge struct {
	Invoice string                `json:"invoice"`
	Status  billing.DisputeStatus `json:"status"`
}

// disputeCharge has the sandbox's bank dispute a charge, or settle the dispute.
// The engine hears of it by a webhook, as from a real gateway.
func (s *server) disputeCharge(ctx context.Context, in *struct {
	Body struct {
		Invoice string                `json:"invoice" maxLength:"64"`
		Status  billing.DisputeStatus `json:"status" enum:"opened,won,lost"`
	}
}) (*struct{ Body DisputedCharge }, error) {
	inv, _, err := s.Store.Invoice(ctx, in.Body.Invoice)
	if err != nil {
		return nil, s.answer(err)
	}
	err = s.Sandbox.Dispute(ctx, inv.Charge, in.Body.Status, billing.Instant(s.Now()))
	var coded interface{ ErrorCode() string }
	if errors.As(err, &coded) {
		return nil, refusal(billing.CodeNotPossibleNow, "", "this charge cannot be disputed or settled this way")
	}
	if err != nil {
		return nil, s.answer(err)
	}
	return &struct{ Body DisputedCharge }{DisputedCharge{inv.ID, in.Body.Status}}, nil
}

// FailedRefund is a refund that the card's bank has sent back.
type FailedRefund struct {
	Invoice string        `json:"invoice"`
	Refund  string        `json:"refund"`
	Amount  billing.Money `json:"amount"`
}

// failRefund has the sandbox's bank send back the newest refund of an invoice
// that it has not sent back yet. The engine hears of it by a webhook.
func (s *server) failRefund(ctx context.Context, in *struct {
	Body struct {
		Invoice string               `json:"invoice" maxLength:"64"`
		Status  billing.RefundStatus `json:"status" enum:"failed"`
	}
}) (*struct{ Body FailedRefund }, error) {
	inv, _, err := s.Store.Invoice(ctx, in.Body.Invoice)
	if err != nil {
		return nil, s.answer(err)
	}
	refunds, err := s.Store.Refunds(ctx, inv.Subscription, inv.ID)
	if err != nil {
		return nil, s.answer(err)
	}
	for _, r := range slices.Backward(refunds) {
		if r.Status == billing.RefundFailed {
			continue
		}
		err := s.Sandbox.FailRefund(ctx, r.Charge, r.ID, billing.Instant(s.Now()))
		var coded interface{ ErrorCode() string }
		if errors.As(err, &coded) {
			break // it has not been given yet
		}
		if err != nil {
			return nil, s.answer(err)
		}
		return &struct{ Body FailedRefund }{FailedRefund{inv.ID, r.ID, r.Amount}}, nil
	}
	return nil, refusal(billing.CodeNotPossibleNow, "", "nothing of this invoice was given back to a card")
}
