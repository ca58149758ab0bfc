package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"math"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/commands"
	"github.com/okviz/licensing/licensing"
)

// SubscriptionInput names a subscription.
type SubscriptionInput struct {
	ID string `path:"id" maxLength:"64"`
}

type emptyCommand struct {
	CommandInput
	SubscriptionInput
	Body *struct {
		Reason *string `json:"reason,omitempty" maxLength:"500"`
	} `required:"false"`
}

// ChangeBody names another plan, or another quantity.
type ChangeBody struct {
	Plan              planChoice      `json:"plan"`
	Quantity          int64           `json:"quantity,omitempty" minimum:"1" maximum:"1000" doc:"Absent: unchanged."`
	When              string          `json:"when,omitempty" enum:"now,period_end" default:"now" doc:"period_end: once all that is paid is over, without proration. In a trial, at its end."`
	Sites             []string        `json:"sites,omitempty" maxItems:"1000" doc:"The sites of a site licence from now on; absent or empty: unchanged. A change at period_end names none."`
	ProrationTime     *time.Time      `json:"proration_time,omitempty" doc:"The preview's proration_time, so that the change costs what the preview said. A change at period_end does not depend on it."`
	ExpectedAmountDue *ExpectedAmount `json:"expected_amount_due,omitempty" doc:"The preview's, or its minor units alone: another cost is refused."`
}

func (b ChangeBody) scheduled() bool { return b.When == "period_end" }

// ExpectedAmount is an amount as the preview tells it, or its minor units, with
// no currency then.
type ExpectedAmount struct{ billing.Money }

// UnmarshalJSON reads either.
func (e *ExpectedAmount) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte("{")) {
		return json.Unmarshal(data, &e.Money)
	}
	return json.Unmarshal(data, &e.Amount)
}

// Schema describes either.
func (e ExpectedAmount) Schema(r huma.Registry) *huma.Schema {
	least := 0.0
	units := &huma.Schema{Type: huma.TypeInteger, Format: "int64", Minimum: &least}
	units.PrecomputeMessages()
	return &huma.Schema{OneOf: []*huma.Schema{r.Schema(reflect.TypeFor[billing.Money](), true, ""), units}}
}

// ChangePreview is what a change would cost: now, or when the new period begins
// where it is scheduled. All money is positive; credit is taken off.
type ChangePreview struct {
	Current        Plan          `json:"current"`
	Plan           Plan          `json:"plan"`
	Price          billing.Money `json:"price"`
	Credit         billing.Money `json:"credit"`
	Discount       billing.Money `json:"discount"`
	Tax            billing.Money `json:"tax"`
	Total          billing.Money `json:"total"`
	BalanceApplied billing.Money `json:"balance_applied"`
	AmountDue      billing.Money `json:"amount_due"`
	BalanceAfter   billing.Money `json:"balance_after"`
	NewPeriod      Period        `json:"new_period"`
	ProrationTime  time.Time     `json:"proration_time"`
	LastPaymentAt  *time.Time    `json:"last_payment_at"`
}

// SubscriptionStore is what the routes of subscriptions need of the database.
type SubscriptionStore interface {
	Overviews(ctx context.Context, q billing.Search, limit int) ([]billing.Overview, error)
	Events(ctx context.Context, subscription billing.SubscriptionID) ([]billing.Event, error)
	Snapshot(ctx context.Context, subscription billing.SubscriptionID) (billing.Snapshot, error)
	SetSites(ctx context.Context, id licensing.LicenseID, sites []string, limit int64) error
	// OpenAccount finds the account of an address, or opens it.
	OpenAccount(ctx context.Context, email string) (billing.Account, error)
}

// subscriptions shows subscriptions, and carries out their owners' commands.
type subscriptions struct {
	*outcomes
	Store SubscriptionStore
}

func (s *subscriptions) routes(h huma.API) {
	const at = "/v1/subscriptions/{id}"
	huma.Register(h, route(http.MethodGet, "/v1/subscriptions", "list-subscriptions", "Your subscriptions, the newest first", "Account", account(billing.MemberFinance)), s.listSubscriptions)
	huma.Register(h, route(http.MethodGet, "/v1/operator/subscriptions", "find-subscriptions", "Find subscriptions by e-mail address, domain or number", "Operator", operator(billing.OperatorRoles...)), s.findSubscriptions)
	huma.Register(h, route(http.MethodGet, at, "get-subscription", "One subscription", "Account", order(billing.MemberFinance)), s.getSubscription)
	huma.Register(h, route(http.MethodGet, at+"/events", "list-events", "A subscription's history", "Account", account(billing.MemberFinance)), s.listEvents)
	huma.Register(h, route(http.MethodPost, at+"/change/preview", "preview-change", "Preview what a change of plan costs", "Account", account(), by(billing.OperatorRoles...)), s.previewChange)
	huma.Register(h, route(http.MethodPost, at+"/change", "change", "Change plan or quantity, at once or at the end of the period", "Account", account()), s.change)
	huma.Register(h, route(http.MethodDelete, at+"/scheduled-change", "withdraw-change", "Withdraw a scheduled change", "Account", account()), s.withdrawChange)
	huma.Register(h, route(http.MethodPost, at+"/payment-method", "store-payment-method", "Use another card", "Account", order(billing.MemberFinance)), s.storeMethod)
	for _, c := range []struct {
		action  billing.Action
		summary string
		role    billing.OperatorRole
	}{
		{billing.ActionCancel, "Cancel at the end of the period", billing.OperatorSupport},
		{billing.ActionResume, "Undo a cancellation", billing.OperatorSupport},
		{billing.ActionRenew, "Pay the next period now, pay what is owed, or revive", billing.OperatorSupport},
		{billing.ActionMoneyBack, "End at once with a full refund, within 14 days of the first charge", billing.OperatorFinance},
	} {
		huma.Register(h, route(http.MethodPost, at+"/"+string(c.action), string(c.action), c.summary, "Account", account(), by(c.role)),
			func(ctx context.Context, in *emptyCommand) (*commandOutput, error) {
				if in.Body != nil {
					in.reason = in.Body.Reason
				}
				return s.command(ctx, in.CommandInput, "/v1/subscriptions/"+in.ID+"/"+string(c.action), billing.SubscriptionID(in.ID), billing.Command{Action: c.action}, "")
			})
	}
}

func (s *subscriptions) listSubscriptions(ctx context.Context, in *struct {
	PageInput
	AccountInput
}) (*struct{ Body List[Subscription] }, error) {
	if err := in.check(ctx); err != nil {
		return nil, err
	}
	return s.list(ctx, in.PageInput, billing.Search{Payer: cmp.Or(in.Email, callerOf(ctx).account.Email)})
}

// list lists what is looked for.
func (s *subscriptions) list(ctx context.Context, in PageInput, q billing.Search) (*struct{ Body List[Subscription] }, error) {
	if in.Cursor != "" {
		var err error
		if q.Before, err = strconv.ParseInt(in.Cursor, 10, 64); err != nil || q.Before < 1 {
			return nil, invalid("cursor", "is not a cursor of this list")
		}
	}
	rows, err := s.Store.Overviews(ctx, q, in.Limit+1)
	if err != nil {
		return nil, s.answer(err)
	}
	list := listed(rows, in.Limit, func(o billing.Overview) string { return strconv.FormatInt(o.Number, 10) },
		func(o billing.Overview) Subscription { return viewSubscription(o).seenBy(callerOf(ctx)) })
	return &struct{ Body List[Subscription] }{list}, nil
}

func (s *subscriptions) getSubscription(ctx context.Context, in *SubscriptionInput) (*struct{ Body Subscription }, error) {
	o, err := s.mine(ctx, billing.SubscriptionID(in.ID))
	if err != nil {
		return nil, s.answer(err)
	}
	v := viewSubscription(o).seenBy(callerOf(ctx))
	if callerOf(ctx).order != "" {
		v = v.withoutNames()
	}
	return &struct{ Body Subscription }{v}, nil
}

func (s *subscriptions) listEvents(ctx context.Context, in *SubscriptionInput) (*struct{ Body List[billing.Event] }, error) {
	if _, err := s.mine(ctx, billing.SubscriptionID(in.ID)); err != nil {
		return nil, s.answer(err)
	}
	events, err := s.Store.Events(ctx, billing.SubscriptionID(in.ID))
	if err != nil {
		return nil, s.answer(err)
	}
	if !callerOf(ctx).operator { // operators' names are for operators
		for i := range events {
			events[i].Actor = billing.KindOfActor(events[i].Actor)
		}
	}
	return &struct{ Body List[billing.Event] }{List[billing.Event]{Data: events}}, nil
}

// snapshot reads a subscription that the caller pays for.
func (s *subscriptions) snapshot(ctx context.Context, id billing.SubscriptionID) (billing.Snapshot, error) {
	if _, err := s.mine(ctx, id); err != nil {
		return billing.Snapshot{}, err
	}
	return s.Store.Snapshot(ctx, id)
}

// changeOf makes a command of a change, for the subscription's own product.
func (s *subscriptions) changeOf(ctx context.Context, id billing.SubscriptionID, b ChangeBody) (billing.Command, billing.Snapshot, error) {
	snapshot, err := s.snapshot(ctx, id)
	if err != nil {
		return billing.Command{}, snapshot, err
	}
	plan, err := snapshot.Product.Choose(b.Plan.choice())
	if err != nil {
		return billing.Command{}, snapshot, err
	}
	c := billing.Command{Action: billing.ActionChange, Plan: plan.ID, Quantity: b.Quantity}
	if b.scheduled() {
		c.Action = billing.ActionScheduleChange
		if len(b.Sites) > 0 {
			return c, snapshot, invalid("sites", "are named once the change has been made")
		}
	}
	return c, snapshot, nil
}

func (s *subscriptions) previewChange(ctx context.Context, in *struct {
	SubscriptionInput
	Body ChangeBody
}) (*struct{ Body ChangePreview }, error) {
	c, snapshot, err := s.changeOf(ctx, billing.SubscriptionID(in.ID), in.Body)
	if err != nil {
		return nil, s.answer(err)
	}
	now, err := s.now(ctx, snapshot.Subscription.TestClock)
	if err != nil {
		return nil, s.answer(err)
	}
	preview := snapshot.PreviewChange
	if in.Body.scheduled() {
		preview = snapshot.PreviewScheduled
	}
	p, err := preview(c, now)
	if err != nil {
		return nil, s.answer(err)
	}
	inv := p.Invoice
	v := ChangePreview{
		Current: viewPlan(snapshot.Subscription.Plan), Plan: viewPlan(p.Plan), Price: p.Price, Credit: inv.Credit(), Discount: inv.Discount(),
		Tax: inv.Tax(), Total: inv.Total(), BalanceApplied: billing.Money{Amount: inv.BalanceApplied, Currency: inv.Currency},
		AmountDue: inv.AmountDue(), BalanceAfter: p.BalanceAfter, NewPeriod: *viewPeriod(p.Period), ProrationTime: now,
		LastPaymentAt: instant(snapshot.Subscription.LastPaymentAt),
	}
	return &struct{ Body ChangePreview }{v}, nil
}

func (s *subscriptions) change(ctx context.Context, in *struct {
	CommandInput
	SubscriptionInput
	Body ChangeBody
}) (*commandOutput, error) {
	c, snapshot, err := s.changeOf(ctx, billing.SubscriptionID(in.ID), in.Body)
	if err != nil {
		return nil, s.answer(err)
	}
	var sites []string
	if len(in.Body.Sites) > 0 {
		if sites, err = checkSites(in.Body.Sites, in.Body.Plan.Type, snapshot.ChangedQuantity(c)); err != nil {
			return nil, s.answer(err)
		}
	}
	if t := in.Body.ProrationTime; t != nil && !in.Body.scheduled() {
		c.ProrationTime = billing.Instant(*t)
	}
	if e := in.Body.ExpectedAmountDue; e != nil {
		if e.Currency != "" && e.Currency != snapshot.Subscription.Price.Currency {
			return nil, invalid("expected_amount_due.currency", "is not the subscription's")
		}
		c.ExpectedAmountDue = &e.Amount
	}
	return s.command(ctx, in.CommandInput, "/v1/subscriptions/"+in.ID+"/change", billing.SubscriptionID(in.ID), c, "", func() error {
		if sites == nil {
			return nil
		}
		return s.Store.SetSites(ctx, snapshot.Order.License, sites, math.MaxInt64) // a change is no edit
	})
}

// withdrawChange needs no key: what has been withdrawn is not withdrawn again.
func (s *subscriptions) withdrawChange(ctx context.Context, in *SubscriptionInput) (*commandOutput, error) {
	once := CommandInput{Key: commands.NewID("once")}
	return s.command(ctx, once, "/v1/subscriptions/"+in.ID+"/scheduled-change", billing.SubscriptionID(in.ID), billing.Command{Action: billing.ActionWithdraw}, "")
}

func (s *subscriptions) storeMethod(ctx context.Context, in *struct {
	CommandInput
	SubscriptionInput
	Body struct {
		Token string `json:"token,omitempty" maxLength:"255" doc:"The gateway's card token. Absent: payment.action_url is the gateway's page for entering a card."`
	}
}) (out *commandOutput, err error) {
	path := "/v1/subscriptions/" + in.ID + "/payment-method"
	if in.Body.Token == "" {
		out, err = s.addCard(ctx, in.CommandInput, "POST "+path, billing.SubscriptionID(in.ID))
	} else {
		out, err = s.command(ctx, in.CommandInput, path, billing.SubscriptionID(in.ID), billing.Command{Action: billing.ActionPaymentMethod}, in.Body.Token)
	}
	if out != nil && callerOf(ctx).order != "" {
		out.Body.Subscription = out.Body.Subscription.withoutNames()
	}
	return out, err
}

func (s *subscriptions) findSubscriptions(ctx context.Context, in *struct {
	PageInput
	Email  string `query:"email" maxLength:"254"`
	Domain string `query:"domain" maxLength:"254"`
	Number int64  `query:"number" minimum:"1"`
}) (*struct{ Body List[Subscription] }, error) {
	return s.list(ctx, in.PageInput, billing.Search{Email: in.Email, Domain: in.Domain, Number: in.Number})
}
