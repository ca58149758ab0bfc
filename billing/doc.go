// Package billing holds the rules of selling subscriptions (docs/rules.md) as pure
// functions: no clock, no I/O, no database. Time is an argument.
//
// Everything that happens to a subscription goes through the same stages:
//
//	Snapshot ── Decide(command) or Due(step) ──▶ Decision
//	                                          ├─ Refusal: nothing is done
//	                                          ├─ Changeset: written as it is
//	                                          └─ Bill ── Reserve ─▶ charge ─▶ Paid, Declined or Awaits ─▶ Changeset
//
// A Snapshot is what is on file about a subscription. A Changeset is what one database
// transaction writes.
//
// Where to look:
//
//	commands.go        every command and every step, with its rule
//	status.go          what a customer may ask in which state
//	subscription.go    the state, and which step is due when
//	snapshot.go        what is on file when something is decided
//	changeset.go       what one transaction writes
//
//	buying.go          purchase, and another card; order.go has what was ordered
//	trial.go           one trial per product and organisation, and its end
//	changing.go        another plan or quantity; proration.go has the credit
//	renewing.go        renewals; prepaid.go periods that are paid ahead
//	reminders.go       reminders before a period ends or a card expires
//	cancelling.go      cancel, resume, and the end
//	migrating.go       from an old price to the newest
//
//	drafting.go        a new invoice; invoice.go computes its lines
//	paying.go          what a successful payment leads to
//	declines.go        what a decline leads to, and how many an order may have
//	retry.go           past_due: the schedule of retries after a decline
//	pending.go         payments that wait for the customer or the gateway
//	rejection.go       the gateway rejects our own call
//	transfer.go        invoices paid by bank transfer; statement.go matches them
//	invoiceahead.go    the next period's invoice, mailed ahead
//	dispute.go         chargebacks
//
//	moneyback.go       everything back within 14 days
//	refunds.go         refunds, and what becomes of them
//	reconciling.go     the gateway's list of payments compared with ours
//
//	entitlement.go     until when a licence is valid, with the 72-hour grace
//	file.go            when a fresh file is mailed, and how long it lasts
//	holding.go         suspended and revoked licences
//	calendar.go        periods counted from the anchor
//	catalogue.go       products, plans and prices
//	discount.go        coupons and standing discounts
//	quote.go           quotes
//	tax.go, vatid.go   tax by country, VAT ids
//	money.go           amounts in minor units
//
//	allowance.go       how often guests may do something
//	operator.go        operators, their roles, and who acts
//	audit.go           rows of the audit log
//	retention.go       kinds of rows that are kept for a time only
//	secret.go          credentials that need not be stored
package billing
