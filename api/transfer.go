package api

import (
	"context"
	"strings"
	"time"

	"github.com/okviz/licensing/billing"
)

// TransferBody is a transfer as the operator sees it on the bank's statement.
type TransferBody struct {
	Reference string    `json:"reference" minLength:"1" maxLength:"140" doc:"The bank's reference of the transfer. The same reference for the same invoice counts as the same transfer."`
	Amount    MoneyBody `json:"amount" doc:"The amount received, in the invoice's currency."`
	ValueDate string    `json:"value_date" format:"date" example:"2026-03-02" doc:"The bank's value date. The invoice is paid at the instant of this call."`
}

// MoneyBody is an amount of more than nothing, in minor units.
type MoneyBody struct {
	Amount   int64  `json:"amount" minimum:"1" maximum:"1000000000000"`
	Currency string `json:"currency" minLength:"3" maxLength:"3"`
}

// markPaid records a transfer for an invoice. Whatever the invoice needs is
// taken, the rest stays on the account's balance.
func (s *operators) markPaid(ctx context.Context, in *struct {
	CommandInput
	ID   string `path:"id" maxLength:"64"`
	Body TransferBody
}) (*commandOutput, error) {
	inv, _, err := s.Store.Invoice(ctx, billing.InvoiceID(in.ID))
	if err != nil {
		return nil, s.answer(err)
	}
	reference := strings.TrimSpace(in.Body.Reference)
	if reference == "" || !printable(reference) {
		return nil, invalid("reference", "is empty or has control characters")
	}
	if in.Body.Amount.Currency != inv.Currency {
		return nil, invalid("amount.currency", "is not the invoice's currency")
	}
	date, err := time.Parse(time.DateOnly, in.Body.ValueDate)
	if err != nil {
		return nil, invalid("value_date", "is not a date such as 2026-03-02")
	}
	c := billing.Command{Action: billing.ActionMarkPaid, Invoice: inv.ID, Amount: &in.Body.Amount.Amount, ValueDate: date}
	return s.command(ctx, in.CommandInput, "/v1/operator/invoices/"+string(inv.ID)+"/mark-paid", inv.Subscription, c, reference)
}
