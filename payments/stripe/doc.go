// Package stripe is Stripe as a payments.Gateway. Stripe holds cards and moves
// money. What is owed, when, and what follows from a payment is decided by the
// engine alone, so only these parts of Stripe are used:
//
//	an account     a Customer with the account's id, and nothing personal
//	a token        a PaymentMethod (pm_…), made by the vendor's page or by Checkout
//	a card form    a Checkout Session in setup mode
//	an invoice     one PaymentIntent, which can succeed only once
//	a credit note  a Refund
//
// # Idempotency keys are not enough
//
// Stripe may forget an idempotency key after 24 hours, but dunning charges one
// invoice over a week, and a worker may be down for longer than a day. So no
// rule depends on a key alone. The references of customers and intents are
// stored by us (References). An attempt is sent only if the intent shows that
// it has not been made, and a refund only if the intent has none for its credit
// note. The keys cover what remains: two calls at the same moment.
//
// # The attempt on file
//
// An intent's metadata names the attempt prepared last, its card, and the
// charge before it. Preparing the next attempt writes all three, so that an
// earlier decline is never mistaken for a later one's.
//
// # 3-D Secure
//
// A renewal is confirmed off session, since the customer is away. If the bank
// then asks for authentication, and for every charge that a customer's command
// makes, the intent is confirmed on session with a return URL. Stripe answers
// requires_action with the address of the bank's page, which becomes ActionURL.
package stripe
