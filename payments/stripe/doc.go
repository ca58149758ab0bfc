// Package stripe is Stripe as a payments.Gateway. Stripe holds cards and moves
// money; what is owed, when, and what follows from it is the engine's alone, so
// that of Stripe's products only these are used:
//
//	an account     a Customer with the account's id, and nothing personal
//	a token        a PaymentMethod (pm_…), which the vendor's page has made
//	an invoice     one PaymentIntent, which can succeed only once
//	a credit note  a Refund
//
// # Keys that are forgotten
//
// Stripe may forget an idempotency key after 24 hours, but dunning charges one
// invoice over a week, and a worker may be down for longer than a day. So no
// rule rests on a key alone. The references of customers and intents are
// remembered by us (References). An attempt is sent only where the intent shows
// that it has not been made, and a refund only where the intent has none for
// its credit note. The keys close what is left: two calls at the same moment.
//
// # The attempt on file
//
// An intent's metadata name the attempt prepared last, its card, and the charge
// before it. Preparing the next attempt writes all three, so that an earlier
// decline is never taken for a later one's.
//
// # 3-D Secure
//
// Every attempt is made as if the customer were away, since the engine has no
// page yet to send one to. A bank that wants to see the customer answers
// authentication_required, which is payments' requires_action without an
// ActionURL.
package stripe
