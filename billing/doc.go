// Package billing holds the rules of selling subscriptions (docs/rules.md) as pure
// functions: no clock, no I/O, no database. Time is an argument.
//
// Everything that happens to a subscription goes through the same stages:
//
//	Book ── Decide(command) or Due(step) ──▶ Decision
//	                                          ├─ Refusal: nothing happens
//	                                          ├─ Posting: written as it is
//	                                          └─ Bill ── Freeze ─▶ charge ─▶ Paid, Declined or Awaits ─▶ Posting
//
// A Book is what is on file about a subscription. A Posting is what one database
// transaction writes.
//
// Where to look:
//
//	status.go          which command is possible in which state
//	subscription.go    the state, and which step is due when
//	commands.go        every command and step with its rule
//	book.go, order.go  what is on file
//	drafting.go        a new invoice; paying.go has what a payment's outcome leads to
//	buying.go          purchase, and another card
//	cancelling.go      cancel, resume, and the end
//	trial.go           one trial per product and organisation
//	renewing.go        renewals, retries, reminders, the end of a trial
//	changing.go        another plan; proration.go has its credit
//	retry.go           the schedule after a declined payment
//	waiting.go         payments that wait for the customer or the gateway
//	transfer.go        invoices paid by bank transfer; statement.go matches them
//	refunding.go       money back and refunds
//	dispute.go         chargebacks
//	holding.go         suspended and revoked licences
//	invoice.go         invoices, credit notes and the order of a bill
//	discount.go        coupons and standing discounts
//	quote.go           quotes
//	tax.go, vatid.go   tax by country, VAT ids
//	calendar.go        periods counted from the anchor
//	catalogue.go       products, plans and prices; migrating.go moves to a new price
//	reconciling.go     the gateway's list of payments against the books
//	money.go           amounts in minor units
package billing
