package backoffice

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/okviz/licensing/billing"
)

// Reconciliation names the subscriptions whose rows and workflows disagree.
type Reconciliation struct {
	Live                 int                      `json:"live" doc:"Number of subscriptions for which some step is still due."`
	WithoutWorkflow      []billing.SubscriptionID `json:"without_workflow" doc:"Live subscriptions without a running workflow; okviz recover starts one."`
	WithoutRows          []billing.SubscriptionID `json:"without_rows" doc:"Running workflows of subscriptions that do not exist or for which nothing is due."`
	PendingGatewayEvents int64                    `json:"pending_gateway_events" doc:"Number of stored gateway events that have not been acted on yet."`
}

// Reconcile compares the live rows with the running workflows. Temporal's lists
// lag, and a step may be under way: what the first look finds is looked at
// again, by itself.
func (o *Office) Reconcile(ctx context.Context) (Reconciliation, error) {
	running, err := o.commands.Running(ctx)
	if err != nil {
		return Reconciliation{}, err
	}
	live, err := o.store.Live(ctx)
	if err != nil {
		return Reconciliation{}, err
	}
	out := Reconciliation{Live: len(live), WithoutWorkflow: []billing.SubscriptionID{}, WithoutRows: []billing.SubscriptionID{}}
	for _, sub := range live {
		if !running[sub.ID] {
			agree, err := o.agree(ctx, sub.ID)
			if err != nil {
				return Reconciliation{}, err
			}
			if !agree {
				out.WithoutWorkflow = append(out.WithoutWorkflow, sub.ID)
			}
		}
		delete(running, sub.ID)
	}
	for _, id := range slices.Sorted(maps.Keys(running)) {
		agree, err := o.agree(ctx, id)
		if err != nil {
			return Reconciliation{}, err
		}
		if !agree {
			out.WithoutRows = append(out.WithoutRows, id)
		}
	}
	out.PendingGatewayEvents, err = o.store.PendingGatewayEvents(ctx)
	return out, err
}

// Watch reconciles after some time and then again and again, until the context
// ends, and tells what it finds: the money is that of the two days before today.
func (o *Office) Watch(ctx context.Context, first, every time.Duration, tell func(Reconciliation, []billing.Difference)) {
	for wait := first; pause(ctx, wait); wait = every {
		today := time.Now().UTC().Truncate(24 * time.Hour)
		found, err := o.Reconcile(ctx)
		if err != nil {
			o.log.Warn("rows and workflows were not compared", "error", err)
			continue
		}
		money, err := o.ReconcileMoney(ctx, today.AddDate(0, 0, -2), today)
		if err != nil {
			o.log.Warn("the gateway's list was not compared with the books", "error", err)
			continue
		}
		tell(found, money)
	}
}

// agree looks whether a subscription is live exactly where its workflow runs.
func (o *Office) agree(ctx context.Context, id billing.SubscriptionID) (bool, error) {
	runs, err := o.commands.Runs(ctx, id)
	if err != nil {
		return false, err
	}
	sub, err := o.store.Overview(ctx, id)
	if err != nil && !errors.Is(err, billing.ErrNotFound) {
		return false, err
	}
	return runs == !sub.Next.At.IsZero(), nil
}

// Recover starts a workflow for every live subscription that has none, as
// after the loss of Temporal's database: it loads its rows and goes on.
func (o *Office) Recover(ctx context.Context) (live int, err error) {
	subs, err := o.store.Live(ctx)
	if err != nil {
		return 0, err
	}
	for _, s := range subs {
		if err := o.commands.Start(ctx, s); err != nil {
			return 0, err
		}
	}
	return len(subs), nil
}
