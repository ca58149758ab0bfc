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
	workflow.SetCurrentDetails(ctx, details(s.state, s.recentEvents))
	shown := workflow.GetTypedSearchAttributes(ctx)
	var changed []temporal.SearchAttributeUpdate
	for _, a := range []struct {
		key   temporal.SearchAttributeKeyKeyword
		value string
	}{
		{AttributeStatus, string(s.state.Status)}, {AttributePlan, s.state.Plan.ID}, {AttributeProduct, s.state.Product},
	} {
		if was, _ := shown.GetKeyword(a.key); was != a.value {
			changed = append(changed, a.key.ValueSet(a.value))
		}
	}
	if len(changed) == 0 {
		return
	}
	if err := workflow.UpsertTypedSearchAttributes(ctx, changed...); err != nil {
		workflow.GetLogger(ctx).Error("search attributes were not written")
	}
}

// guide tells an operator who has never seen such a page what it is, and where
// to find what may not stand here: who the customer is.
func guide(s billing.Subscription) string {
	return fmt.Sprintf(`One subscription, from its order to its end. *Current Details* says how it stands, what comes next, and what happened lately.

- Who the customer is: `+"`GET /v1/operator/subscriptions?number=%d`"+`. No names and no addresses stand here.
- Its whole history: `+"`GET /v1/subscriptions/%s/events`"+`.
- *Pending Activities* has what fails and is tried again. The worker's log says why.
- The signals `+"`cancel` and `resume` (input `{}`) and `upgrade` (`{\"plan\": \"…\"}`)"+` do what the customer's buttons do.
- *Request Cancellation* and *Terminate* cancel no subscription. They stop its workflow: nothing is charged, ended or mailed any more, until `+"`okviz recover`"+` starts another.
`, s.Number, s.ID)
}

// details tells the subscription's story: how it stands, as a small table, and
// what happened lately.
func details(s billing.Subscription, recentEvents []string) string {
	var b strings.Builder
	row := func(name, value string) { b.WriteString("| " + name + " | " + value + " |\n") }
	b.WriteString(fmt.Sprintf("**Subscription %d.** Next: %s.\n\n| | |\n|---|---|\n", s.Number, inWords(s)))
	row("status", string(s.Status))
	row("plan", fmt.Sprintf("%s × %d", s.Plan.ID, s.Quantity))
	row("price", s.Price.Money.Times(s.Quantity).String()+" before discounts and tax")
	if s.PriceAnnounced() {
		row("next price", s.NextPrice.Money.Times(s.Quantity).String())
	}
	if c := s.ScheduledChange; !c.IsZero() {
		row("scheduled change", fmt.Sprintf("%s × %d from %s on", c.Plan.ID, c.Quantity, instant(c.At)))
	}
	if !s.Period.End.IsZero() {
		row("period", instant(s.Period.Start)+" – "+instant(s.Period.End))
	}
	if s.Prepaid() {
		row("paid ahead", "until "+instant(s.PrepaidPeriod.End))
	}
	if at := s.NextPaymentAt(); !at.IsZero() {
		row("next payment", instant(at))
	}
	row("paid by", paidBy(s))
	if !s.LastPaymentAt.IsZero() {
		row("last payment", instant(s.LastPaymentAt))
	}
	if d := s.Dunning; s.Status == billing.PastDue {
		row("payment fails", "since "+instant(d.FirstFailure)+", last tried "+instant(d.LastAttempt))
	}
	if s.CancelAtPeriodEnd {
		row("cancelled", "works until "+instant(s.PaidUntil()))
	}
	switch {
	case s.Revoked:
		row("licence", string(s.License)+", revoked by an operator")
	case s.Suspended:
		row("licence", string(s.License)+", suspended by an operator")
	case s.License != "":
		row("licence", string(s.License))
	}
	if s.AwaitsTransfer() {
		row("open invoice", string(s.OpenInvoice)+", due "+instant(s.DueAt))
	}
	if w := s.PendingPayment; s.PaymentPending() {
		row("payment that waits", w.Amount.String()+" for "+string(w.Invoice)+" ("+string(w.Purpose)+"), "+waits(w))
	}
	if s.Dunning.Rejection != "" {
		row("payment", "the gateway rejects our calls: "+s.Dunning.Rejection)
	}
	if s.Refunding > 0 {
		row("refunds", fmt.Sprintf("%d that the gateway has not confirmed yet", s.Refunding))
	}
	for _, d := range s.Disputes {
		row("dispute", d.Amount.String()+" of "+string(d.Invoice)+": "+string(d.Status))
	}
	if s.CancelReason != "" {
		row("ended", instant(s.CanceledAt)+" ("+string(s.CancelReason)+")")
	}
	if s.TestClock != "" {
		row("test clock", s.TestClock+" stands at "+instant(s.Now))
	}
	if len(recentEvents) > 0 {
		b.WriteString("\n**Lately** (UTC)\n\n- " + strings.Join(recentEvents, "\n- ") + "\n")
	}
	return b.String()
}

func paidBy(s billing.Subscription) string {
	switch {
	case s.Comp:
		return "nobody: it is a free licence"
	case s.Collection == billing.ByInvoice:
		return "invoice and transfer"
	case s.HasMethod:
		return "card"
	}
	return "card, and none is stored"
}

// inWords says what a state waits for, and what is done then.
func inWords(s billing.Subscription) string {
	price := "price " + s.RenewalPrice().Money.Times(s.Quantity).String()
	if c := s.ScheduledChange; !c.IsZero() {
		price = fmt.Sprintf("for %s × %d, as it was scheduled", c.Plan.ID, c.Quantity)
	}
	at := instant(s.Next.At)
	switch s.Next.Kind {
	case billing.StepExpireOrder:
		return "waits for the payment of the order until " + at + ", then it lapses"
	case billing.StepInvoice:
		return "mails the invoice of the next period on " + day(s.Next.At) + ", " + price
	case billing.StepRemind:
		return "reminds the billing contact on " + day(s.Next.At) + "; the period ends " + day(s.Period.End)
	case billing.StepFile:
		return "mails the licensee a fresh file on " + day(s.Next.At)
	case billing.StepTrialEnd:
		switch {
		case s.Prepaid():
			return "the trial ends " + day(s.Next.At) + ", then the period begins that is paid for"
		case s.CancelAtPeriodEnd:
			return "the trial ends " + at + ", as the customer asked, and nothing is charged"
		case s.HasMethod:
			return "the trial ends " + day(s.Next.At) + ", then charges the card, price " + price
		}
		return "the trial ends " + at + ", and the subscription with it: no card is stored"
	case billing.StepRenew:
		switch {
		case s.Prepaid():
			return "enters the period that is paid for on " + day(s.Next.At) + ", nothing is charged"
		case s.Collection == billing.ByInvoice && s.OpenInvoice != "":
			return "waits for the transfer for the next period until " + at + ", then it ends"
		}
		return "renews " + day(s.Next.At) + ", charges for " + s.Next.At.Format("2006-01") + ", " + price
	case billing.StepRetry:
		if s.Dunning.Hard {
			return "waits for another card until " + at + ", then it ends"
		}
		return "tries the declined payment again " + at
	case billing.StepSettle:
		return waits(s.PendingPayment)
	case billing.StepDispute:
		return "waits for the end of a dispute; the operator is reminded on " + day(s.Next.At)
	case billing.StepEnd:
		if s.Comp {
			return "ends " + at + ", as the free licence was given"
		}
		return "ends " + at + ", as it was cancelled"
	}
	return "nothing, it is " + string(s.Status)
}

// waits says what a payment waits for.
func waits(w billing.PendingPayment) string {
	if w.Action {
		return "the customer is to confirm a payment at the bank until " + instant(w.Until)
	}
	return "the gateway works on a payment; it is asked again at " + instant(w.Until)
}

// asked says which command an activity carries out.
func asked(c billing.Command) string {
	words := "asked for: " + string(c.Action)
	if c.Plan != "" {
		words += " to " + c.Plan
	}
	if c.Quantity > 0 {
		words += fmt.Sprintf(" × %d", c.Quantity)
	}
	return words
}

func day(t time.Time) string { return t.Format(time.DateOnly) }

func instant(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }
