package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/commands"
	"github.com/okviz/licensing/licensing"
)

const compsRoute = "/v1/operator/comps"

func (s *shop) compRoute(h huma.API) {
	huma.Register(h, route(http.MethodPost, compsRoute, "give-license", "Give a free licence, which ends by itself", "Operator", operator(billing.OperatorSupport, billing.OperatorFinance), status(http.StatusCreated)), s.giveLicense)
}

// CompBody is a free licence.
type CompBody struct {
	Product   string      `json:"product" maxLength:"64"`
	Plan      planChoice  `json:"plan" doc:"What it covers; the cycle makes no difference."`
	Quantity  int64       `json:"quantity,omitempty" minimum:"1" maximum:"1000" default:"1"`
	Licensee  ContactBody `json:"licensee"`
	Sites     []string    `json:"sites,omitempty" maxItems:"1000"`
	Until     time.Time   `json:"until" doc:"When it ends, at most three years from now. It can be extended."`
	Reason    string      `json:"reason" minLength:"1" maxLength:"500" doc:"Why it is given, for operators."`
	TestClock *string     `json:"test_clock,omitempty" maxLength:"64" nullable:"true" doc:"The test clock to live by."`
}

// giveLicense gives a free licence: a subscription without a billing contact, an
// invoice or a card.
func (s *shop) giveLicense(ctx context.Context, in *struct {
	CommandInput
	Body CompBody
}) (*checkoutOutput, error) {
	r, err := s.Commands.Buy(ctx, in.row(ctx, callerOf(ctx).name(), "POST "+compsRoute), func() (commands.Purchase, error) {
		if err := in.check(); err != nil {
			return commands.Purchase{}, err
		}
		return s.comp(ctx, in.Body)
	})
	if err != nil {
		return nil, s.answer(err)
	}
	out, err := s.checkoutAnswer(ctx, r)
	if err != nil {
		return nil, s.answer(err)
	}
	return out, nil
}

// comp reads what is given, and refuses what cannot be.
func (s *shop) comp(ctx context.Context, b CompBody) (commands.Purchase, error) {
	licensee, err := contact("licensee", b.Licensee)
	if err != nil {
		return commands.Purchase{}, err
	}
	if !printable(b.Reason, '\n') {
		return commands.Purchase{}, invalid("reason", "has control characters")
	}
	product, err := s.Store.Product(ctx, b.Product)
	if err != nil {
		return commands.Purchase{}, orUnknown(err, billing.CodeUnknownProduct, "product", "no such product is sold")
	}
	plan, err := product.Choose(b.Plan.choice())
	if err == nil {
		err = billing.CheckQuantity(plan.Type, b.Quantity)
	}
	if err != nil {
		return commands.Purchase{}, err
	}
	sites := []string{}
	if len(b.Sites) > 0 {
		if sites, err = checkSites(b.Sites, plan.Type, b.Quantity); err != nil {
			return commands.Purchase{}, err
		}
	}
	clock, now, err := s.clockOf(ctx, b.TestClock)
	if err != nil {
		return commands.Purchase{}, err
	}
	until := billing.Instant(b.Until)
	if !until.After(now) || until.After(billing.Boundary(now, billing.ThreeYears, 1)) {
		return commands.Purchase{}, invalid("until", "is not within the next three years")
	}
	sub := billing.Subscription{
		ID: billing.SubscriptionID(commands.NewID("sub")), Status: billing.Incomplete, Product: product.ID, Plan: plan.Ref(), Quantity: b.Quantity,
		Price: plan.Free(), Collection: billing.ByCard, CreatedAt: billing.Instant(s.Now()), TestClock: clock, Comp: true,
	}
	order := billing.Order{
		Subscription: sub.ID, License: licensing.LicenseID(commands.NewID("lic")), Licensee: licensee, Pay: billing.PayNothing, Sites: sites,
		Vouched: true, Until: until, Reason: b.Reason,
	}
	return commands.Purchase{Order: order, Subscription: sub}, nil
}

// extend gives days.
func (s *operators) extend(ctx context.Context, in *struct {
	CommandInput
	SubscriptionInput
	Body struct {
		Days   int64  `json:"days" minimum:"1" maximum:"366" doc:"How much later the running trial, period or free licence ends."`
		Reason string `json:"reason" minLength:"1" maxLength:"500" doc:"For your own records."`
	}
}) (*commandOutput, error) {
	in.reason = &in.Body.Reason
	return s.command(ctx, in.CommandInput, "/v1/operator/subscriptions/"+in.ID+"/extend", billing.SubscriptionID(in.ID),
		billing.Command{Action: billing.ActionExtend, Days: in.Body.Days}, "")
}
