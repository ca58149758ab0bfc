package workflows

import (
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/okviz/licensing/billing"
)

// show keeps what an operator sees in the Temporal UI up to date: the details
// cost no event, a search attribute is written only when it has changed.
func (s *subscription) show(ctx workflow.Context) {
	workflow.SetCurrentDetails(ctx, details(s.state))
	shown := workflow.GetTypedSearchAttributes(ctx)
	var updates []temporal.SearchAttributeUpdate
	for _, a := range []struct {
		key   temporal.SearchAttributeKeyKeyword
		value string
	}{
		{AttributeStatus, string(s.state.Status)}, {AttributePlan, s.state.Plan.ID}, {AttributeProduct, s.state.Product},
	} {
		if was, _ := shown.GetKeyword(a.key); was != a.value {
			updates = append(updates, a.key.ValueSet(a.value))
		}
	}
	if len(updates) == 0 {
		return
	}
	if err := workflow.UpsertTypedSearchAttributes(ctx, updates...); err != nil {
		workflow.GetLogger(ctx).Error("search attributes were not written")
	}
}

// details tells the subscription's story as a small table.
func details(s billing.Subscription) string {
	var b strings.Builder
	row := func(name, value string) { b.WriteString("| " + name + " | " + value + " |\n") }
	b.WriteString(fmt.Sprintf("**Subscription %d** waits for: %s\n\n| | |\n|---|---|\n", s.Number, inWords(s)))
	row("status", string(s.Status))
	row("plan", fmt.Sprintf("%s × %d", s.Plan.ID, s.Quantity))
	row("price", s.Price.Money.Times(s.Quantity).String())
	if s.NextPrice != (billing.Price{}) {
		row("next price", s.NextPrice.Money.Times(s.Quantity).String())
	}
	if !s.Period.End.IsZero() {
		row("period", day(s.Period.Start)+" – "+s.Period.End.Format(time.RFC3339))
	}
	if s.License != "" {
		row("licence", s.License)
	}
	if !s.DueAt.IsZero() {
		row("open invoice", s.OpenInvoice+", due "+s.DueAt.Format(time.RFC3339))
	}
	if w := s.Waiting; w.Invoice != "" {
		row("payment that waits", w.Amount.String()+" for "+w.Invoice+" ("+string(w.Purpose)+"), "+waits(w))
	}
	if s.Dunning.Refusal != "" {
		row("payment", "the gateway refuses our calls: "+s.Dunning.Refusal)
	}
	for _, d := range s.Disputes {
		row("dispute", d.Amount.String()+" of "+d.Invoice+": "+string(d.Status))
	}
	if s.CancelReason != "" {
		row("ended", s.CanceledAt.Format(time.RFC3339)+" ("+string(s.CancelReason)+")")
	}
	if s.TestClock != "" {
		row("test clock", s.TestClock+" stands at "+s.Now.Format(time.RFC3339))
	}
	return b.String()
}

// inWords says what a state waits for.
func inWords(s billing.Subscription) string {
	price := s.RenewalPrice().Money.Times(s.Quantity).String()
	switch s.Next.Kind {
	case billing.StepExpireOrder:
		return "the payment of the order, until " + s.Next.At.Format(time.RFC3339)
	case billing.StepInvoice:
		return "mails the invoice of the next period on " + day(s.Next.At) + ", " + price
	case billing.StepRemind:
		return "the reminder of " + day(s.Next.At)
	case billing.StepTrialEnd:
		if s.HasMethod && !s.CancelAtPeriodEnd {
			return "the trial's end on " + day(s.Next.At) + ", then charge " + price
		}
		return "the trial's end on " + day(s.Next.At)
	case billing.StepRenew:
		if s.Collection == billing.ByInvoice && s.OpenInvoice != "" {
			return "the transfer for the next period, until " + s.Next.At.Format(time.RFC3339)
		}
		return "renews " + day(s.Next.At) + ", charge " + price + " for " + s.Next.At.Format("2006-01")
	case billing.StepRetry:
		return "tries the declined payment again on " + s.Next.At.Format(time.RFC3339)
	case billing.StepSettle:
		return waits(s.Waiting)
	case billing.StepDispute:
		return "the end of a dispute; the operator is reminded on " + day(s.Next.At)
	case billing.StepEnd:
		return "cancelled, ends " + s.Next.At.Format(time.RFC3339)
	}
	return "nothing: " + string(s.Status)
}

// waits says what a payment waits for.
func waits(w billing.Waiting) string {
	if w.Action {
		return "the customer is to confirm a payment at the bank until " + w.Until.Format(time.RFC3339)
	}
	return "the gateway works on a payment; it is asked again at " + w.Until.Format(time.RFC3339)
}

func day(t time.Time) string { return t.Format(time.DateOnly) }
