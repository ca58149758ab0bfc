// Example buys a subscription, changes its plan and cancels it:
//
//	OKVIZ_URL=http://127.0.0.1:8080 OKVIZ_KEY=… go run ./client/example
//
// The key is an operator's: an account's own could only change and cancel.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/okviz/licensing/client"
)

func main() {
	if err := run(context.Background(), client.New(os.Getenv("OKVIZ_URL"), os.Getenv("OKVIZ_KEY"))); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, okviz *client.Client) error {
	order, err := okviz.Checkout(ctx, client.CheckoutBody{
		Product: "calendar-pro", Plan: client.PlanChoice{Type: "users", Tier: "1-20", Cycle: "monthly"},
		Billing: client.BillingBody{Name: "Ada Rossi", Email: "ada@contoso.example", Company: "Contoso", Country: "US"},
		Pay:     "now", Payment: client.PaymentBody{Method: "card", Token: "tok_visa"}, AcceptTerms: true,
	})
	if err != nil {
		return err
	}
	id := order.Subscription.ID
	fmt.Println("bought:", order.Subscription.Status, order.Invoice.Number)

	body := client.ChangeBody{Plan: client.PlanChoice{Type: "users", Tier: "21-50", Cycle: "monthly"}}
	preview, err := okviz.PreviewChange(ctx, id, body)
	if err != nil {
		return err
	}
	body.ExpectedAmountDue, body.ProrationTime = preview.AmountDue, preview.ProrationTime
	changed, err := okviz.Change(ctx, id, body)
	if err != nil {
		return err
	}
	fmt.Println("changed:", changed.Subscription.Plan.Tier)

	ended, err := okviz.Cancel(ctx, id, client.EmptyCommandBody{Reason: "no longer needed"})
	if err != nil {
		return err
	}
	fmt.Println("cancelled:", ended.Subscription.CancelAtPeriodEnd)

	invoices := 0
	for _, err := range okviz.ListInvoicesAll(ctx, client.ListInvoicesParams{Subscription: id, Limit: 1}) {
		if err != nil {
			return err
		}
		invoices++
	}
	fmt.Println("invoices:", invoices)
	return nil
}
