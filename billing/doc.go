// Package billing holds the rules of selling subscriptions, and nothing else:
// no clock, no I/O, no database. Time comes in as an argument.
//
// Everything that happens to a subscription goes the same way:
//
//	Book ── Decide(command) or Due(step) ──▶ Decision
//	                                          ├─ Refusal: nothing happens
//	                                          ├─ Posting: written as it is
//	                                          └─ Bill ── Freeze ─▶ charge ─▶ Paid, Declined or Awaits ─▶ Posting
//
// A Book is what is on file, a Posting is what one transaction writes. The
// state machine's table of commands stands in status.go, what falls due when
// in subscription.go, and each rule in the file of its name: calendar.go,
// proration.go, invoice.go, retry.go, tax.go, trial.go, buying.go,
// changing.go, renewing.go, waiting.go, refunding.go, holding.go, transfer.go,
// statement.go, reconciling.go, discount.go, migrating.go, quote.go, vatid.go.
package billing
