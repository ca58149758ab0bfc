package activitiestest

import (
	"context"
	"errors"
	"sync"

	"github.com/okviz/licensing/activities"
	"github.com/okviz/licensing/billing"
)

// ErrFault is what a fault answers.
var ErrFault = errors.New("a fault that a test made")

// A Point is a place at which a step can fail: a call of the store or the
// gateway, before or after it has happened. Freezing and recording are both
// calls of Post.
type Point struct {
	Call  string
	After bool
}

// Faults makes the shop's store and gateway fail where told to.
type Faults struct {
	mu   sync.Mutex
	left map[Point]int
	seen []string
}

// Break puts faults between a shop's steps and its store and gateway.
func (s *Shop) Break() *Faults {
	f := &Faults{left: map[Point]int{}}
	s.Activities.Store = faultyStore{s.Activities.Store, f}
	s.Activities.Gateway = faultyGateway{s.Activities.Gateway, f}
	return f
}

// Fail makes the next calls at a point fail.
func (f *Faults) Fail(p Point, times int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left[p] = times
}

// Left is how many faults of a point have not happened yet.
func (f *Faults) Left(p Point) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.left[p]
}

// Calls counts the calls of one name that have got through.
func (f *Faults) Calls(call string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, s := range f.seen {
		if s == call {
			n++
		}
	}
	return n
}

func (f *Faults) at(p Point) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left[p] > 0 {
		f.left[p]--
		return ErrFault
	}
	if p.After {
		f.seen = append(f.seen, p.Call)
	}
	return nil
}

// call does something between its two points.
func call[T any](f *Faults, name string, do func() (T, error)) (T, error) {
	var none T
	if err := f.at(Point{name, false}); err != nil {
		return none, err
	}
	v, err := do()
	if fault := f.at(Point{name, true}); fault != nil {
		return none, fault
	}
	return v, err
}

func act(f *Faults, name string, do func() error) error {
	_, err := call(f, name, func() (struct{}, error) { return struct{}{}, do() })
	return err
}

type faultyStore struct {
	activities.Store
	f *Faults
}

func (s faultyStore) Fence(ctx context.Context, id billing.SubscriptionID) (billing.Subscription, error) {
	return call(s.f, "Fence", func() (billing.Subscription, error) { return s.Store.Fence(ctx, id) })
}

func (s faultyStore) Snapshot(ctx context.Context, id billing.SubscriptionID) (billing.Snapshot, error) {
	return call(s.f, "Snapshot", func() (billing.Snapshot, error) { return s.Store.Snapshot(ctx, id) })
}

func (s faultyStore) Post(ctx context.Context, p billing.Changeset) error {
	name := "record"
	if p.Invoice != nil && p.Invoice.InFlight != "" {
		name = "reserve"
	}
	return act(s.f, name, func() error { return s.Store.Post(ctx, p) })
}

func (s faultyStore) SetCharge(ctx context.Context, invoice billing.InvoiceID, gateway string, charge billing.ChargeID) error {
	return act(s.f, "SetCharge", func() error { return s.Store.SetCharge(ctx, invoice, gateway, charge) })
}

func (s faultyStore) SaveMethod(ctx context.Context, request billing.RequestID, account billing.AccountID, gateway string, m billing.StoredMethod) error {
	return act(s.f, "SaveMethod", func() error { return s.Store.SaveMethod(ctx, request, account, gateway, m) })
}

func (s faultyStore) NoticeDone(ctx context.Context, id string, failed bool) error {
	return act(s.f, "NoticeDone", func() error { return s.Store.NoticeDone(ctx, id, failed) })
}

type faultyGateway struct {
	activities.Gateway
	f *Faults
}

func (g faultyGateway) EnsureCustomer(ctx context.Context, account billing.AccountID) (string, error) {
	return call(g.f, "EnsureCustomer", func() (string, error) { return g.Gateway.EnsureCustomer(ctx, account) })
}

func (g faultyGateway) AttachMethod(ctx context.Context, customer, token string) (billing.StoredMethod, error) {
	return call(g.f, "AttachMethod", func() (billing.StoredMethod, error) { return g.Gateway.AttachMethod(ctx, customer, token) })
}

func (g faultyGateway) Prepare(ctx context.Context, r billing.ChargeRequest) (billing.ChargeID, error) {
	return call(g.f, "Prepare", func() (billing.ChargeID, error) { return g.Gateway.Prepare(ctx, r) })
}

func (g faultyGateway) Charge(ctx context.Context, charge billing.ChargeID, r billing.ChargeRequest) (billing.ChargeResult, error) {
	return call(g.f, "Charge", func() (billing.ChargeResult, error) { return g.Gateway.Charge(ctx, charge, r) })
}

func (g faultyGateway) Refund(ctx context.Context, r billing.RefundRequest) (billing.RefundStatus, error) {
	return call(g.f, "Refund", func() (billing.RefundStatus, error) { return g.Gateway.Refund(ctx, r) })
}

func (g faultyGateway) Resolve(ctx context.Context, charge billing.ChargeID) (billing.ChargeResult, error) {
	return call(g.f, "Resolve", func() (billing.ChargeResult, error) { return g.Gateway.Resolve(ctx, charge) })
}

func (g faultyGateway) Abandon(ctx context.Context, charge billing.ChargeID) (billing.ChargeResult, error) {
	return call(g.f, "Abandon", func() (billing.ChargeResult, error) { return g.Gateway.Abandon(ctx, charge) })
}
