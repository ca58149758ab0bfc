package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing"
	"github.com/okviz/licensing/models"
	"github.com/okviz/licensing/visual"
	"github.com/okviz/licensing/workflows"
)

// metronome is a plan that is billed every three seconds, so that renewals can
// be watched on real timers. No document can bring it into a catalogue and no
// order can name it: store and workflow are asked directly.
const metronome = "metronome_users_single_every_3_seconds"

func (s *shop) buyMetronome(t testing.TB, who customer) string {
	t.Helper()
	store, ctx := s.system.Engine.Store, context.Background()
	_, err := store.ApplyCatalogue(ctx, billing.Catalogue{Products: []billing.Product{{
		ID: "metronome", Name: "Metronome", Activation: licensing.ActivationNone, Proration: billing.PerSecond,
		Plans: []billing.Plan{{
			ID: metronome, Type: licensing.Users, Tier: "Single", Covers: 1, Cycle: billing.EverySeconds,
			Prices: []billing.Price{{Money: billing.Money{Amount: 990, Currency: "USD"}, Tax: billing.TaxExclusive}},
		}},
	}}}, false)
	must(t, err)
	must(t, store.PutVersion(ctx, "metronome", billing.Version{Version: "1.0.0"}, visual.Packages()[0].Data))
	product, err := store.Product(ctx, "metronome")
	must(t, err)
	plan := product.Plans[0]
	sub := billing.Subscription{
		ID: billing.SubscriptionID(models.NewID("sub")), Status: billing.Incomplete, Product: product.ID, Plan: plan.Ref(), Quantity: 1,
		Price: plan.Prices[0], Collection: billing.ByCard, CreatedAt: billing.Instant(time.Now()),
	}
	order := billing.Order{
		Subscription: sub.ID, License: licensing.LicenseID(models.NewID("lic")), Pay: billing.PayNow, Sites: []string{},
		Billing: billing.BillingDetails{
			Contact: billing.Contact{Name: who.name, Email: who.email}, Company: who.company, Country: "US", Line1: who.street, City: who.city,
		},
		Licensee: billing.Contact{Name: who.licensee, Email: who.licenseeEmail},
	}
	c := billing.Command{Action: billing.ActionPurchase, Request: billing.RequestID(models.NewID("req")), NotAfter: billing.Instant(time.Now()).Add(time.Minute)}
	_, _, err = store.Begin(ctx, billing.Request{
		ID: c.Request, Caller: "test", Route: "POST /v1/checkout", Key: newKey(), Subscription: sub.ID, Actor: "customer", Command: c,
		Token: secret("tok_visa"),
	}, &order, &sub)
	must(t, err)
	h, err := s.temporal.UpdateWithStartWorkflow(ctx, client.UpdateWithStartWorkflowOptions{
		StartWorkflowOperation: s.temporal.NewWithStartWorkflowOperation(workflows.Options(sub), workflows.Subscription, workflows.Start{ID: sub.ID}),
		UpdateOptions: client.UpdateWorkflowOptions{
			UpdateID: string(c.Request), UpdateName: c.Action.Update(), Args: []any{c}, WaitForStage: client.WorkflowUpdateStageCompleted,
		},
	})
	must(t, err)
	must(t, h.Get(ctx, nil))
	s.mu.Lock()
	s.subscriptions = append(s.subscriptions, string(sub.ID))
	s.mu.Unlock()
	return string(sub.ID)
}

// The most that one timer-driven card renewal with its mails may cost: history
// events bound the length of a run, billable actions are what Temporal Cloud
// charges for.
const (
	budgetEvents  = 17
	budgetActions = 3 // billable: timers, activities, search attributes, signals, updates, markers
)

func TestARenewalWithItsMailsCostsAtMost17EventsAnd3Actions(t *testing.T) {
	s, who := start(t, 0), newCustomer()
	id := s.buyMetronome(t, who)
	const renewals = 4
	eventually(t, time.Minute, fmt.Sprintf("%d renewals are charged and mailed", renewals), func() bool {
		return len(s.charges(t, id)) > renewals && len(s.emails(t, who.email)) > renewals && len(s.emails(t, who.licenseeEmail)) > renewals
	})
	s.audit(t, id)
	s.command(t, id, "cancel", nil).want(t, 200)

	// What lies between one firing of the timer and the next is one renewal.
	var between []*history.HistoryEvent
	counted := 0
	for i, e := range s.history(t, id, "").Events {
		between = append(between, e)
		if e.EventType != enums.EVENT_TYPE_TIMER_FIRED {
			continue
		}
		if counted++; counted == 1 { // before it, the purchase
			between = nil
			continue
		}
		actions := 0
		var names []string
		for _, e := range between {
			names = append(names, e.EventType.String())
			switch e.EventType {
			case enums.EVENT_TYPE_TIMER_STARTED, enums.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
				enums.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES, enums.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED,
				enums.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED, enums.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
				enums.EVENT_TYPE_MARKER_RECORDED, enums.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
				actions++
			default: // costs nothing
			}
		}
		fmt.Printf("renewal %d: %d events, %d actions\n", counted-1, len(between), actions)
		if len(between) > budgetEvents || actions > budgetActions {
			t.Errorf("renewal %d, to event %d, has %d events and %d actions: %v", counted-1, i+1, len(between), actions, names)
		}
		between = nil
	}
	if counted < renewals {
		t.Errorf("%d timers fired", counted)
	}
}

func TestSummariesSayWhatTimersAndActivitiesAreFor(t *testing.T) {
	s, who := start(t, 0), newCustomer()
	id := s.buyMetronome(t, who)
	eventually(t, time.Minute, "it is renewed", func() bool { return len(s.charges(t, id)) > 1 })
	s.command(t, id, "cancel", nil).want(t, 200)
	for _, e := range s.history(t, id, "").Events {
		if e.EventType != enums.EVENT_TYPE_TIMER_STARTED && e.EventType != enums.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED {
			continue
		}
		if len(e.GetUserMetadata().GetSummary().GetData()) < 5 {
			t.Errorf("event %d, %v, says nothing", e.EventId, e.EventType)
		}
	}
}
