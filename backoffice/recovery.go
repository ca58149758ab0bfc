package backoffice

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/commands"
)

// Reconciliation names the subscriptions whose rows and workflows disagree.
type Reconciliation struct {
	Live                 int                      `json:"live" doc:"Number of subscriptions for which some step is still due, or whose refund is pending."`
	WithoutWorkflow      []billing.SubscriptionID `json:"without_workflow" doc:"Live subscriptions without a running workflow; a worker starts one within ten minutes, okviz recover at once."`
	WithoutRows          []billing.SubscriptionID `json:"without_rows" doc:"Running workflows of subscriptions that do not exist or for which nothing is due."`
	PendingGatewayEvents int64                    `json:"pending_gateway_events" doc:"Number of stored gateway events that have not been acted on yet."`
}

// How many subscriptions are read at once, and how many workflows are asked
// about or started at once.
const (
	pageSize = 200
	abreast  = 32
)

// eachLive reads the live subscriptions page by page, from above a number.
func (o *Office) eachLive(ctx context.Context, after int64, f func(page []billing.Subscription) error) error {
	for {
		page, err := o.store.Live(ctx, after, pageSize)
		if err != nil || len(page) == 0 {
			return err
		}
		if err := f(page); err != nil {
			return err
		}
		after = page[len(page)-1].Number
	}
}

// sideBySide does something with each of a list, so many at once, and says what
// became of each.
func sideBySide[T any](abreast int, list []T, f func(i int, item T) error) []error {
	errs := make([]error, len(list))
	var work errgroup.Group
	work.SetLimit(abreast)
	for i, item := range list {
		work.Go(func() error {
			errs[i] = f(i, item)
			return nil
		})
	}
	_ = work.Wait() // each has its own
	return errs
}

// Reconcile compares the live rows with the running workflows. Temporal's lists
// lag, and a step may be under way: what the first look finds is looked at
// again, by itself.
func (o *Office) Reconcile(ctx context.Context) (Reconciliation, error) {
	out := Reconciliation{WithoutRows: []billing.SubscriptionID{}}
	running, err := o.commands.Running(ctx)
	if err != nil {
		return out, err
	}
	missing := []billing.SubscriptionID{}
	err = o.eachLive(ctx, 0, func(page []billing.Subscription) error {
		out.Live += len(page)
		for _, s := range page {
			if !running[s.ID] {
				missing = append(missing, s.ID)
			}
			delete(running, s.ID)
		}
		return nil
	})
	if err != nil {
		return out, err
	}
	if out.WithoutWorkflow, err = o.disagreeing(ctx, missing); err != nil {
		return out, err
	}
	if out.WithoutRows, err = o.disagreeing(ctx, slices.Sorted(maps.Keys(running))); err != nil {
		return out, err
	}
	out.PendingGatewayEvents, err = o.store.PendingGatewayEvents(ctx)
	return out, err
}

// Watch has one process at a time compare the rows with the workflows, start those
// that are missing (of live subscriptions, of orders whose workflow never began, of
// pending refunds), and once an hour compare the gateway's money of the two days
// before today with the books, until the context ends. tell hears what was found
// before it was mended; rest, that another process looks. Where that one goes away,
// another takes over.
func (o *Office) Watch(ctx context.Context, every time.Duration, tell func(Reconciliation, []billing.Difference), rest func()) {
	me := commands.NewID("wrk")
	var money []billing.Difference
	var compared time.Time
	for wait := min(every, time.Minute); pause(ctx, wait); wait = every {
		held, err := o.store.Lease(ctx, "watch", me, every)
		if err == nil && !held {
			rest()
			continue
		}
		var found Reconciliation
		if err == nil {
			found, err = o.heal(ctx)
		}
		if err == nil && time.Since(compared) > time.Hour {
			today := time.Now().UTC().Truncate(24 * time.Hour)
			if money, err = o.ReconcileMoney(ctx, today.AddDate(0, 0, -2), today); err == nil {
				compared = time.Now()
			}
		}
		if err == nil {
			tell(found, money)
		} else if ctx.Err() == nil {
			o.log.Warn("rows, workflows and money were not compared", "error", err)
		}
	}
}

// disagreeing are those that are live where no workflow runs, or the other way
// round.
func (o *Office) disagreeing(ctx context.Context, ids []billing.SubscriptionID) ([]billing.SubscriptionID, error) {
	found := make([]bool, len(ids))
	err := errors.Join(sideBySide(abreast, ids, func(i int, id billing.SubscriptionID) error {
		runs, err := o.commands.Runs(ctx, id)
		if err != nil {
			return err
		}
		s, err := o.store.Overview(ctx, id)
		if err != nil && !errors.Is(err, billing.ErrNotFound) {
			return err
		}
		found[i] = runs == (s.Next.At.IsZero() && s.Refunding == 0)
		return nil
	})...)
	list := []billing.SubscriptionID{}
	for i, id := range ids {
		if found[i] {
			list = append(list, id)
		}
	}
	return list, err
}

// Recovery is what has become of a recovery so far.
type Recovery struct {
	Live   int     // subscriptions that were looked at
	Last   int64   // the highest number among them
	Failed []error // each names its subscription
}

// Recover starts a workflow for every live subscription that has none, as
// after the loss of Temporal's database: it loads its rows and goes on. With
// restart, running workflows are replaced, as after the restore of an older
// database: they wait for instants that its rows do not know. It begins above
// a number, tells of its progress page by page, and goes on after errors,
// except where nothing of a page can be started.
func (o *Office) Recover(ctx context.Context, after int64, restart bool, progress func(Recovery)) (Recovery, error) {
	start := o.commands.Start
	if restart {
		start = o.commands.Restart
	}
	done := Recovery{Last: after}
	err := o.eachLive(ctx, after, func(page []billing.Subscription) error {
		failed := slices.DeleteFunc(sideBySide(abreast, page, func(_ int, s billing.Subscription) error { return start(ctx, s) }), func(err error) bool { return err == nil })
		if len(failed) == len(page) {
			return fmt.Errorf("no workflow can be started: %w", failed[0])
		}
		done.Live += len(page)
		done.Last = page[len(page)-1].Number
		done.Failed = append(done.Failed, failed...)
		progress(done)
		return ctx.Err()
	})
	return done, err
}

// heal starts the workflows that are missing, and says what was.
func (o *Office) heal(ctx context.Context) (Reconciliation, error) {
	found, err := o.Reconcile(ctx)
	if err != nil {
		return found, err
	}
	return found, errors.Join(sideBySide(abreast, found.WithoutWorkflow, func(_ int, id billing.SubscriptionID) error {
		s, err := o.store.Overview(ctx, id)
		if err != nil {
			return err
		}
		if err := o.commands.Start(ctx, s.Subscription); err != nil {
			return err
		}
		o.log.Warn("a workflow was missing, and has been started", "subscription", id)
		return nil
	})...)
}
