// Command crashworker is the engine's worker, which kills itself as kill -9 does at
// the first crossing of one of some places between it and the database, the
// gateway or the mail server:
//
//	crashworker -at "Renew: after Charge,Notify: before Deliver"
//
// It is the worker of cmd/okviz but for the ports that are wrapped here, and is
// configured like it. It says "ready" when it has connected to everything, works
// from the first line that it reads, and says the place before it dies there.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"
	sdkworker "go.temporal.io/sdk/worker"

	"github.com/okviz/licensing/activities"
	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/engine"
	"github.com/okviz/licensing/worker"
)

func main() {
	at := flag.String("at", "", `where to die: "<activity>: before|after <call>,…"; empty: nowhere`)
	flag.Parse()
	if err := run(context.Background(), strings.Split(*at, ",")); err != nil {
		fmt.Fprintln(os.Stderr, "crashworker:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, fatal places) error {
	c, err := engine.FromEnvironment()
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	e, err := engine.Open(c, log)
	if err != nil {
		return err
	}
	steps, err := e.Activities()
	if err != nil {
		return errors.Join(err, e.Close())
	}
	steps.Store = store{steps.Store, fatal}
	steps.Gateway = gateway{steps.Gateway, fatal}
	steps.Mailer = mailer{steps.Mailer, fatal}
	fmt.Println("ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		if errors.Is(err, io.EOF) { // it is not needed any more
			err = nil
		}
		return errors.Join(err, e.Close())
	}
	w := worker.New(e.Temporal, steps, worker.Limits{}, sdkworker.WorkerDeploymentVersion{}, log)
	go worker.Sweep(ctx, steps, 2*time.Second, log)
	return errors.Join(w.Run(sdkworker.InterruptCh()), e.Close())
}

// places are crossings: "Renew: after Charge".
type places []string

// cross dies here, where this is one of the places.
func (p places) cross(ctx context.Context, moment, call string) {
	step := "Sweep"
	if activity.IsActivity(ctx) {
		step = activity.GetInfo(ctx).ActivityType.Name
	}
	here := step + ": " + moment + " " + call
	if !slices.Contains(p, here) {
		return
	}
	fmt.Println(here)
	me, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = me.Kill()
	}
	panic(fmt.Sprint("it lives: ", err))
}

// call does something between its two crossings.
func call[T any](ctx context.Context, p places, name string, do func() (T, error)) (T, error) {
	p.cross(ctx, "before", name)
	v, err := do()
	p.cross(ctx, "after", name)
	return v, err
}

func act(ctx context.Context, p places, name string, do func() error) error {
	_, err := call(ctx, p, name, func() (struct{}, error) { return struct{}{}, do() })
	return err
}

type store struct {
	activities.Store
	fatal places
}

// Post freezes where it leaves a payment in flight, and records otherwise.
func (s store) Post(ctx context.Context, p billing.Changeset) error {
	name := "record"
	if p.Invoice != nil && p.Invoice.InFlight != "" {
		name = "reserve"
	}
	return act(ctx, s.fatal, name, func() error { return s.Store.Post(ctx, p) })
}

func (s store) SaveMethod(ctx context.Context, request billing.RequestID, account billing.AccountID, gateway string, m billing.StoredMethod) error {
	return act(ctx, s.fatal, "SaveMethod", func() error { return s.Store.SaveMethod(ctx, request, account, gateway, m) })
}

func (s store) ClaimNotices(ctx context.Context, subscription billing.SubscriptionID, limit int) ([]billing.Envelope, error) {
	return call(ctx, s.fatal, "ClaimNotices", func() ([]billing.Envelope, error) { return s.Store.ClaimNotices(ctx, subscription, limit) })
}

func (s store) NoticeDone(ctx context.Context, id string, failed bool) error {
	return act(ctx, s.fatal, "NoticeDone", func() error { return s.Store.NoticeDone(ctx, id, failed) })
}

type gateway struct {
	activities.Gateway
	fatal places
}

func (g gateway) Prepare(ctx context.Context, r billing.ChargeRequest) (billing.ChargeID, error) {
	return call(ctx, g.fatal, "Prepare", func() (billing.ChargeID, error) { return g.Gateway.Prepare(ctx, r) })
}

func (g gateway) Charge(ctx context.Context, charge billing.ChargeID, r billing.ChargeRequest) (billing.ChargeResult, error) {
	return call(ctx, g.fatal, "Charge", func() (billing.ChargeResult, error) { return g.Gateway.Charge(ctx, charge, r) })
}

func (g gateway) Refund(ctx context.Context, r billing.RefundRequest) (billing.RefundStatus, error) {
	return call(ctx, g.fatal, "Refund", func() (billing.RefundStatus, error) { return g.Gateway.Refund(ctx, r) })
}

type mailer struct {
	activities.Mailer
	fatal places
}

func (m mailer) Deliver(ctx context.Context, l billing.Email) error {
	return act(ctx, m.fatal, "Deliver", func() error { return m.Mailer.Deliver(ctx, l) })
}
