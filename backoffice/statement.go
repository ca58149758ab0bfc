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
	ID             *string       `json:"id" doc:"Of an unmatched or doubtful line: stl_…, by which it is settled (/v1/operator/statement-lines)."`
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
	seen := map[string]int{}
	out := []StatementLine{}
	for _, l := range lines {
		line := StatementLine{Line: l.Line, Date: l.Date.Format(time.DateOnly), Amount: l.Amount}
		if err = o.transfer(ctx, l, seen, &line); err == nil {
			err = o.keep(ctx, l, seen, &line)
		}
		if err != nil {
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
func (o *Office) transfer(ctx context.Context, l billing.StatementLine, seen map[string]int, out *StatementLine) error {
	say := func(r LineResult, detail string) error {
		out.Result, out.Detail = r, detail
		return nil
	}
	if l.Amount.Amount <= 0 {
		return say(LineOutgoing, "")
	}
	if ctx.Err() != nil {
		return say(LinePending, "there was no time for it")
	}
	seen[l.Key()]++
	key := lineKey(l.Key(), seen[l.Key()])
	was, err := o.store.KeptLine(ctx, key)
	if err != nil && !errors.Is(err, billing.ErrNotFound) {
		return err
	}
	if was.Settled == billing.SettledAssigned || was.Settled == billing.SettledDismissed {
		return say(LineAlready, "it was settled by hand")
	}
	inv, refused, err := o.invoiceOf(ctx, l, was)
	if err != nil {
		return err
	}
	if inv.ID != "" {
		out.Invoice, out.InvoiceID, out.SubscriptionID = &inv.Number, (*string)(&inv.ID), (*string)(&inv.Subscription)
	}
	refuse := func(r LineResult, detail string) error { // and whoever has the line lets go of it
		if was.Invoice != "" && was.Settled == "" {
			if err := o.store.ReturnLine(context.WithoutCancel(ctx), was.ID, was.Invoice); err != nil {
				return err
			}
		}
		return say(r, detail)
	}
	switch {
	case refused.Result != "":
		return refuse(refused.Result, refused.Detail)
	case l.Amount.Currency != inv.Currency:
		return refuse(LineDoubtful, "the invoice is in another currency")
	case seen[l.Key()] > 1 && was.Invoice == "":
		return say(LineDoubtful, "the statement has this line twice")
	}
	if was.ID != "" && was.Settled == "" { // nobody assigns it meanwhile
		if was, err = o.store.TakeLine(ctx, was.ID, inv.ID); errors.Is(err, billing.ErrConflict) {
			return say(LinePending, "it is being settled by hand")
		} else if err != nil {
			return err
		}
	}
	r := markPaid(ctx, inv, key, l.Amount.Amount, l.Date)
	if before, err := o.commands.Find(ctx, r.Caller, r.Route, r.Key); err == nil && before.Outcome != nil && before.Outcome.Code == "" {
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
		return refuse(LineDoubtful, done.Detail)
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

// invoiceOf is the invoice that has a line in its hands, whatever the text says, or
// else the one that the text names; or refused says why it is none.
func (o *Office) invoiceOf(ctx context.Context, l billing.StatementLine, was billing.KeptLine) (inv billing.Invoice, refused StatementLine, err error) {
	numbers := l.Invoices()
	switch {
	case was.Invoice != "":
		inv, _, err = o.store.Invoice(ctx, was.Invoice)
	case len(numbers) == 0:
		return inv, StatementLine{Result: LineUnmatched, Detail: "the text names no invoice"}, nil
	case len(numbers) > 1:
		return inv, StatementLine{Result: LineDoubtful, Detail: "the text names several invoices"}, nil
	default:
		inv, err = o.store.InvoiceByNumber(ctx, numbers[0])
	}
	if errors.Is(err, billing.ErrNotFound) {
		return inv, StatementLine{Result: LineUnmatched, Detail: "there is no invoice of the number that the text names"}, nil
	}
	return inv, refused, err
}

// markPaid is the request that records a statement's line for an invoice, once.
func markPaid(ctx context.Context, inv billing.Invoice, key string, amount int64, date time.Time) billing.Request {
	r := commands.NewRequest(statementCaller, "POST /v1/operator/invoices/"+string(inv.ID)+"/mark-paid", key, inv.Subscription, billing.ActorName(ctx),
		billing.Command{Action: billing.ActionMarkPaid, Invoice: inv.ID, Amount: &amount, ValueDate: date})
	r.BodyHash, r.Token = key, key
	return r
}

// StatementStore is what settling statements needs of the database. Errors:
// billing.ErrNotFound, ErrConflict.
type StatementStore interface {
	KeepLine(ctx context.Context, l billing.KeptLine) (billing.KeptLine, error)
	KeptLine(ctx context.Context, idOrKey string) (billing.KeptLine, error)
	TakeLine(ctx context.Context, id string, invoice billing.InvoiceID) (billing.KeptLine, error)
	ReturnLine(ctx context.Context, id string, from billing.InvoiceID) error
	SettleLine(ctx context.Context, idOrKey string, as billing.Settled, reason string) (settled bool, err error)
	Invoice(ctx context.Context, id billing.InvoiceID) (billing.Invoice, []billing.CreditNote, error)
}

// lineKey is what a line is kept under: of lines that are alike in one statement, each
// is another.
func lineKey(key string, nth int) string {
	if nth > 1 {
		return fmt.Sprintf("%s#%d", key, nth)
	}
	return key
}

// keep keeps a line that a person must settle, and closes one that needs nobody any
// more.
func (o *Office) keep(ctx context.Context, l billing.StatementLine, seen map[string]int, out *StatementLine) error {
	key := lineKey(l.Key(), seen[l.Key()])
	switch out.Result {
	case LineUnmatched, LineDoubtful:
		kept, err := o.store.KeepLine(ctx, billing.KeptLine{Key: key, Date: l.Date, Amount: l.Amount, Text: l.Text, Why: out.Detail})
		out.ID = &kept.ID
		return err
	case LinePaid, LinePartial, LineUnused, LineAlready:
		_, err := o.store.SettleLine(ctx, key, billing.SettledRecorded, "")
		return err
	default: // nothing has come, or it is not known yet
		return nil
	}
}

// AssignLine records a kept line for an invoice, as mark-paid does. It may be
// repeated with the same invoice: the money counts once. Where done is false, what
// became of it is not known yet. Errors: billing.ErrNotFound, and a *billing.Error
// where the line is settled, or in another currency, or the invoice refuses it.
func (o *Office) AssignLine(ctx context.Context, id string, invoice billing.InvoiceID) (done bool, err error) {
	inv, _, err := o.store.Invoice(ctx, invoice)
	if err != nil {
		return false, err
	}
	line, err := o.store.TakeLine(ctx, id, invoice)
	if errors.Is(err, billing.ErrConflict) {
		return false, &billing.Error{Code: billing.CodeNotPossibleNow, Detail: "this line is settled, or is being assigned to another invoice"}
	}
	if err != nil {
		return false, err
	}
	refuse := func(refusal *billing.Error) (bool, error) {
		return false, errors.Join(refusal, o.store.ReturnLine(context.WithoutCancel(ctx), id, invoice))
	}
	if line.Amount.Currency != inv.Currency {
		return refuse(&billing.Error{Code: billing.CodeInvalid, Field: "invoice", Detail: "is in another currency"})
	}
	r, err := o.commands.Do(ctx, markPaid(ctx, inv, line.Key, line.Amount.Amount, line.Date))
	switch {
	case err != nil || r.Outcome == nil:
		return false, err
	case r.Outcome.Code != "" && r.Outcome.Code != billing.CodeAlreadyRecorded:
		return refuse(&billing.Error{Code: r.Outcome.Code, Field: r.Outcome.Field, Detail: r.Outcome.Detail})
	}
	_, err = o.store.SettleLine(ctx, id, billing.SettledAssigned, "")
	return err == nil, err
}

// DismissLine notes that a kept line is for no invoice. Errors: billing.ErrNotFound,
// and a *billing.Error where it is settled, or being assigned.
func (o *Office) DismissLine(ctx context.Context, id, reason string) error {
	line, err := o.store.KeptLine(ctx, id)
	if err != nil {
		return err
	}
	var settled bool
	if settled, err = o.store.SettleLine(ctx, line.ID, billing.SettledDismissed, reason); err == nil && !settled {
		err = &billing.Error{Code: billing.CodeNotPossibleNow, Detail: "this line is settled, or is being assigned to an invoice"}
	}
	return err
}
