// Package activities does what workflows may not do themselves: it reads and
// writes rows, calls the payment gateway and sends mail.
//
// Every step of a subscription is one Task and goes the same way (run.go):
// read the book, let billing decide, freeze the amounts, ask the gateway, post
// the result. Any line of it may be the last before a crash: the same Task
// again finds what was done and goes on from there.
//
//	posted already?        → its stored result
//	a payment in flight?   → the gateway is asked what became of it
//	neither                → decide
package activities
