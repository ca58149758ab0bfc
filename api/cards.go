package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/commands"
)

// Gateway is the part of the payments' port that opens the pages on which
// customers give their cards.
type Gateway interface {
	Name() string
	EnsureCustomer(ctx context.Context, account billing.AccountID) (customer string, err error)
	OpenForm(ctx context.Context, r billing.FormRequest) (billing.Form, error)
}

// GatewayStore is what the way back from the gateway's pages needs of the
// database. Errors: billing.ErrNotFound.
type GatewayStore interface {
	CardForm(ctx context.Context, id string) (billing.CardForm, error)
	Overview(ctx context.Context, subscription billing.SubscriptionID) (billing.Overview, error)
	LatestEvents(ctx context.Context, subscription billing.SubscriptionID, limit int) ([]billing.Event, error)
}

// gateway takes what the gateway sends: events, and customers who come back from
// its pages.
type gateway struct {
	*server
	Store GatewayStore
}

const (
	returnPath  = "/return/cards/" // where the gateway sends customers back to
	sandboxPath = "/sandbox"

	returnOfCard = "card" // what the signature of such an address is for
)

func (s *gateway) routes(r *gin.Engine) {
	r.POST(webhookRoute, s.webhook)
	r.GET(returnPath+":form/:signature", s.returned)
	r.GET(billing.ReturnPath+":purpose/:subscription/:signature", s.answered)
	if s.Sandbox != nil {
		pages := gin.WrapH(s.Sandbox.Pages(sandboxPath, s.Now))
		r.GET(sandboxPath+"/*page", pages)
		r.POST(sandboxPath+"/*page", pages)
	}
}

// openForm is a payment that waits for a card to be given on the gateway's page:
// the same page for the same key.
func (s *outcomes) openForm(ctx context.Context, subscription billing.SubscriptionID, key string, back billing.FormBack) (Payment, error) {
	form, account, err := s.Store.BeginCardForm(ctx, billing.CardForm{
		ID: commands.NewID("frm"), Key: key, Subscription: subscription, Gateway: s.Gateway.Name(), Back: back,
	})
	if err != nil {
		return Payment{}, err
	}
	customer, err := s.Gateway.EnsureCustomer(ctx, account)
	if err != nil {
		return Payment{}, s.gatewayFailed(err)
	}
	opened, err := s.Gateway.OpenForm(ctx, billing.FormRequest{
		ID: form.ID, Customer: customer, Back: s.PublicURL + pageOf(form, ""),
		Done: s.PublicURL + returnPath + form.ID + "/" + s.Secret.ReturnSignature(returnOfCard, form.ID),
	})
	if err != nil {
		return Payment{}, s.gatewayFailed(err)
	}
	return Payment{Status: string(billing.PaymentRequiresAction), ActionURL: &opened.URL}, s.Store.SetCardForm(ctx, form.ID, opened.Ref)
}

// formAgain is what a stored answer to an order is kept without, as long as the
// order waits for a card.
func (s *outcomes) formAgain(ctx context.Context, r billing.Request) (Payment, error) {
	o, err := s.Store.Overview(ctx, r.Subscription)
	if err != nil || o.Status != billing.Incomplete {
		return Payment{Status: string(billing.PaymentRequiresAction)}, err
	}
	return s.openForm(ctx, r.Subscription, string(r.ID), billing.BackToCheckout)
}

// gatewayFailed is a gateway that could not be asked.
func (s *server) gatewayFailed(err error) error {
	s.Log.Warn("the payment gateway could not be asked", "error", err)
	p := problem(http.StatusServiceUnavailable, "unavailable", "the payment gateway cannot be reached at the moment")
	p.retryAfter = 5
	return p
}

// addCard answers a request for a new card that brings none. Its row keeps the
// answer as a command's does, but for the page's address, which may be a
// credential: the same request gives the same page.
func (s *outcomes) addCard(ctx context.Context, in CommandInput, route string, subscription billing.SubscriptionID) (*commandOutput, error) {
	o, err := s.mine(ctx, subscription)
	if err != nil {
		return nil, s.answer(err)
	}
	r, err := s.request(ctx, in, callerOf(ctx).name(), route, subscription, billing.Command{Action: billing.ActionPaymentMethod})
	if err != nil {
		return nil, s.answer(err)
	}
	if r, err = s.asked(ctx, r, o); err != nil {
		return nil, s.answer(err)
	}
	out := &commandOutput{Status: http.StatusOK}
	if r.Status != 0 {
		if err := json.Unmarshal([]byte(r.Response), &out.Body); err != nil {
			return nil, s.answer(err)
		}
	} else {
		out.Body = commandResult{Subscription: viewSubscription(o), Payment: &Payment{Status: string(billing.PaymentRequiresAction)}}
		kept := out.Body
		kept.Subscription = kept.Subscription.withoutAction()
		s.Commands.Keep(ctx, r, out.Status, kept)
	}
	back := billing.BackToAccount
	if callerOf(ctx).order != "" {
		back = billing.BackToCheckout
	}
	waits, err := s.openForm(ctx, subscription, string(r.ID), back)
	if err == nil {
		err = s.withAction(ctx, &out.Body.Subscription, nil)
	}
	if err != nil {
		return nil, s.answer(err)
	}
	out.Body.Payment = &waits
	return out, nil
}

// asked is the row of a request for a card's page: nobody else has anything to
// do for it. A new one is held to what is possible now.
func (s *outcomes) asked(ctx context.Context, r billing.Request, o billing.Overview) (billing.Request, error) {
	was, err := s.Commands.Find(ctx, r.Caller, r.Route, r.Key)
	if !errors.Is(err, billing.ErrNotFound) {
		return commands.Same(was, r.BodyHash, err)
	}
	now, err := s.now(ctx, o.TestClock)
	if err != nil {
		return r, err
	}
	if !slices.Contains(o.Actions(now), billing.ActionPaymentMethod) {
		return r, refusal(billing.CodeNotPossibleNow, "", "this is not possible in the subscription's present state")
	}
	return s.Commands.Record(ctx, r)
}

// mayReturn tells whether an address to come back to is one that we gave; if not,
// there is no such page.
func (s *gateway) mayReturn(g *gin.Context, purpose, order string) bool {
	if !s.Secret.IsReturn(purpose, order, g.Param("signature")) {
		s.page(g)
		return false
	}
	return true
}

// asking has the gateway asked about an order, unless somebody is doing so at
// this moment, in any process.
func (s *gateway) asking(ctx context.Context, subscription billing.SubscriptionID, ask func(ctx context.Context)) {
	subject, now := "return:"+string(subscription), billing.Instant(s.Now())
	wait, err := s.Stores.Access.Take(ctx, now, billing.Allowance{Subject: subject, Limit: 1, Window: commands.Patience})
	if err != nil {
		s.Log.Warn("a return was not counted", "subscription", subscription, "error", err)
	}
	if wait > 0 || err != nil {
		return
	}
	defer func() {
		if err := s.Stores.Access.GiveBack(context.WithoutCancel(ctx), now, subject); err != nil {
			s.Log.Warn("a return was not counted", "subscription", subscription, "error", err)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, commands.Patience)
	defer cancel()
	ask(ctx)
}

// returned is where the customer comes back to with a card. It works without
// the gateway's event, which may be late, and then shows the page.
func (s *gateway) returned(g *gin.Context) {
	ctx := g.Request.Context()
	if !s.mayReturn(g, returnOfCard, g.Param("form")) {
		return
	}
	form, err := s.Store.CardForm(ctx, g.Param("form"))
	if err != nil {
		s.lost(g, err)
		return
	}
	var outcome *billing.Outcome
	s.asking(ctx, form.Subscription, func(ctx context.Context) {
		settled, used := func(*billing.Outcome) {}, false
		if used, err = s.Events.CardUsed(ctx, form); err == nil && !used {
			settled, err = s.mayDecline(context.WithValue(ctx, sourceKey{}, sourceNetwork(g.ClientIP())))
		}
		if err != nil {
			return
		}
		if outcome, err = s.Events.CardGiven(ctx, form); err == nil {
			settled(cmp.Or(outcome, &billing.Outcome{}))
		}
	})
	switch {
	case err != nil:
		s.Log.Warn("a card that was given waits", "form", form.ID, "error", err)
	case outcome == nil:
	case outcome.Payment.Status == billing.PaymentRequiresAction: // on to the bank
		if o, err := s.Store.Overview(ctx, form.Subscription); err == nil && o.ActionURL != "" {
			lead(g, o.ActionURL)
			return
		}
	case outcome.Code != "":
		lead(g, pageOf(form, cmp.Or(outcome.Payment.DeclineCode, string(outcome.Code))))
		return
	}
	lead(g, pageOf(form, ""))
}

// answered is where the customer comes back to from their bank. It has the
// workflow ask the gateway what they answered, since the gateway's event may be
// late, and then shows the page.
func (s *gateway) answered(g *gin.Context) {
	ctx := g.Request.Context()
	if !s.mayReturn(g, g.Param("purpose"), g.Param("subscription")) {
		return
	}
	o, err := s.Store.Overview(ctx, billing.SubscriptionID(g.Param("subscription")))
	if err != nil {
		s.lost(g, err)
		return
	}
	var outcome billing.Outcome
	if o.PendingPayment.Invoice != "" {
		s.asking(ctx, o.ID, func(ctx context.Context) {
			if outcome, err = s.Commands.Tell(ctx, o.Subscription, billing.Command{Action: billing.ActionSettle}); err != nil {
				s.Log.Warn("a payment that waits could not be looked at", "subscription", o.ID, "error", err)
			}
		})
	}
	declined := outcome.Payment.DeclineCode
	if declined == "" { // the gateway's event may have been quicker
		if events, err := s.Store.LatestEvents(ctx, o.ID, 1); err == nil && len(events) > 0 {
			switch events[0].Kind {
			case billing.EventDeclined:
				declined = "authentication_failed"
			case billing.EventGatewayRejected:
				declined = billing.DeclineRejected
			default: // it was not declined
			}
		}
	}
	form := billing.CardForm{Subscription: o.ID, Back: billing.BackToAccount}
	if g.Param("purpose") == string(billing.ForPurchase) {
		form.Back = billing.BackToCheckout
	}
	lead(g, pageOf(form, declined))
}

// lost answers a browser that comes back from nowhere that is known.
func (s *gateway) lost(g *gin.Context, err error) {
	if errors.Is(err, billing.ErrNotFound) {
		s.page(g)
		return
	}
	writeProblem(g, s.answer(err))
}

// lead sends a browser on.
func lead(g *gin.Context, to string) {
	g.Header("Cache-Control", "no-store")
	g.Redirect(http.StatusSeeOther, to)
}

// pageOf is the page that shows what became of a form's card; declined is the
// bank's reason, or the code of a refusal.
func pageOf(form billing.CardForm, declined string) string {
	query := url.Values{}
	if declined != "" {
		query.Set("declined", declined)
	}
	path := "/account/subscriptions/" + string(form.Subscription)
	if form.Back == billing.BackToCheckout {
		path = "/checkout"
		query.Set("order", string(form.Subscription))
	}
	return strings.TrimSuffix(path+"?"+query.Encode(), "?")
}
