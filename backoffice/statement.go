package backoffice

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/commands"
	"github.com/okviz/licensing/payments/statement"
)

// statementCaller is who marks invoices as paid by statements: no matter who uploads
// them, a line that was there before is the same command.
const statementCaller = "statement"

// StatementLine is what became of a line of a bank's statement.
type StatementLine struct {
	Line           int           `json:"line" doc:"The line number in the file, from 1."`
	Date           string        `json:"date"`
	Amount         billing.Money `json:"amount" doc:"As on the statement; negative for money that left the account."`
	Result         LineResult    `json:"result" enum:"paid,partial,unused,already,outgoing,unmatched,doubtful,pending" doc:"paid, partial, unused: recorded by this upload; the invoice is paid, the amount is not enough, or the money was not needed any more and stays on the balance. already: recorded before. outgoing, unmatched, doubtful: nothing was done. pending: not known yet, send the statement again."`
	Detail         string        `json:"detail,omitempty"`
	Invoice        *string       `json:"invoice" doc:"The number of the invoice named by the line."`
	InvoiceID      *string       `json:"invoice_id"`
	SubscriptionID *string       `json:"subscription_id"`
}

// LineResult is what became of a line, in a word.
type LineResult string

// What may become of a line.
const (
	LinePaid      LineResult = "paid"
	LinePartial   LineResult = "partial"
	LineUnused    LineResult = "unused"
	LineAlready   LineResult = "already"
	LineOutgoing  LineResult = "outgoing"
	LineUnmatched LineResult = "unmatched"
	LineDoubtful  LineResult = "doubtful"
	LinePending   LineResult = "pending"
)

// ImportStatement records the transfers that a bank's statement tells of, each
// as mark-paid does, and says of every line what became of it. A line that was
// in an earlier statement is not recorded again; where an import was broken
// off, it may simply be repeated: after an error, the lines tell of what was done
// before it. A statement that cannot be read is a *billing.Error that names the
// line, and nothing is done.
func (o *Office) ImportStatement(ctx context.Context, file []byte) ([]StatementLine, error) {
	lines, err := statement.Parse(file)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	out := []StatementLine{}
	for _, l := range lines {
		line := StatementLine{Line: l.Line, Date: l.Date.Format(time.DateOnly), Amount: l.Amount}
		if err = o.transfer(ctx, l, seen, &line); err != nil {
			break
		}
		out = append(out, line)
	}
	results := map[LineResult]int{}
	for _, l := range out {
		results[l.Result]++
	}
	after := map[string]any{"sha256": digest(file), "lines": results}
	if err != nil {
		after["broken_off"] = true
	}
	return out, errors.Join(err, o.store.Audit(context.WithoutCancel(ctx), "statement.import", "statement", nil, after))
}

// digest is what the audit log knows a file by.
func digest(file []byte) string { return fmt.Sprintf("%x", sha256.Sum256(file)) }

// transfer does a line, if it is certain what it is for.
func (o *Office) transfer(ctx context.Context, l billing.StatementLine, seen map[string]bool, out *StatementLine) error {
	say := func(r LineResult, detail string) error {
		out.Result, out.Detail = r, detail
		return nil
	}
	if l.Amount.Amount <= 0 {
		return say(LineOutgoing, "")
	}
	numbers := l.Invoices()
	switch {
	case len(numbers) == 0:
		return say(LineUnmatched, "the text names no invoice")
	case len(numbers) > 1:
		return say(LineDoubtful, "the text names several invoices")
	case ctx.Err() != nil:
		return say(LinePending, "there was no time for it")
	}
	inv, err := o.store.InvoiceByNumber(ctx, numbers[0])
	if errors.Is(err, billing.ErrNotFound) {
		return say(LineUnmatched, "there is no invoice of the number that the text names")
	}
	if err != nil {
		return err
	}
	out.Invoice, out.InvoiceID, out.SubscriptionID = &inv.Number, (*string)(&inv.ID), (*string)(&inv.Subscription)
	key := l.Key()
	switch {
	case l.Amount.Currency != inv.Currency:
		return say(LineDoubtful, "the invoice is in another currency")
	case seen[key]:
		return say(LineDoubtful, "the statement has this line twice")
	}
	seen[key] = true
	r := commands.NewRequest(statementCaller, "POST /v1/operator/invoices/"+string(inv.ID)+"/mark-paid", key, inv.Subscription, billing.ActorName(ctx),
		billing.Command{Action: billing.ActionMarkPaid, Invoice: inv.ID, Amount: &l.Amount.Amount, ValueDate: l.Date})
	r.BodyHash, r.Token = key, key
	if was, err := o.commands.Find(ctx, r.Caller, r.Route, r.Key); err == nil && was.Outcome != nil && was.Outcome.Code == "" {
		return say(LineAlready, "")
	} else if err != nil && !errors.Is(err, billing.ErrNotFound) {
		return err
	}
	if r, err = o.commands.Do(ctx, r); err != nil {
		return err
	}
	switch done := r.Outcome; {
	case done == nil:
		return say(LinePending, "")
	case done.Code == billing.CodeAlreadyRecorded:
		return say(LineAlready, "")
	case done.Code != "":
		return say(LineDoubtful, done.Detail)
	case done.Payment.Status == billing.PaymentSucceeded:
		if due := inv.AmountDue().Amount; l.Amount.Amount > due {
			return say(LinePaid, "more has come than was due: the rest is on the balance")
		}
		return say(LinePaid, "")
	case done.Payment.Status == billing.PaymentPending:
		return say(LinePartial, "it does not suffice, and is on the balance")
	}
	return say(LineUnused, "the invoice is paid or void already: it is on the balance")
}
