// Package activities does what workflows may not do themselves: it reads and
// writes rows, calls the payment gateway and sends mail.
//
// Every step of a subscription is one Task and runs the same way (run.go): read
// the snapshot, let package billing decide, reserve the amounts, charge the card, post
// the result. The process may crash after any line. When Temporal runs the same
// Task again, it finds what was already done and continues from there:
//
//	posted already?        → return the stored result
//	a payment in flight?   → ask the gateway what became of it
//	neither                → decide
package activities
