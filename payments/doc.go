// Package payments is the port through which money moves: the sandbox and
// Stripe stand behind it. (A bank transfer is not a gateway but a way of
// collection, and belongs to billing.)
//
// # Never charging twice
//
// An invoice has one charge at the gateway, which can succeed only once. It is
// made in three steps, so that a crash between any two lines is harmless:
//
//  1. Prepare: moves no money and returns the charge's reference, which is
//     stored before going on. Called before every attempt: it tells the gateway
//     which attempt comes next and what it asks for. Repeating it changes
//     nothing.
//  2. Charge: makes the attempt. Invoice and attempt are its key: repeated with
//     the same two it gives the outcome of the first call, and never a second
//     success.
//  3. Resolve: after PaymentUnknown, or after a crash that left no outcome on
//     file. It reads what became of the attempt last prepared. Where it says
//     PaymentNotAttempted, go back to step 2 with the *same* attempt. The
//     attempt is raised only after a definite decline: where an action waits,
//     Abandon makes one of it.
//
// # What became of a charge
//
//	succeeded        the money moved. Final; every later attempt at the same
//	                 amount is answered with it.
//	declined         this attempt is over and moved nothing. DeclineCode says
//	                 why, Advice what may help. Another attempt may be prepared.
//	requires_action  nothing moved yet; the bank waits for the customer at
//	                 ActionURL; empty where the gateway has no page for that.
//	                 Becomes succeeded or declined when they have answered.
//	                 Abandon gives it up, and so does preparing another attempt.
//	processing       the gateway works on it and will say: Resolve later.
//	                 Nothing can stop it.
//	unknown          no answer: the money may have moved. Resolve, never raise
//	                 the attempt.
//	not_attempted    prepared, and nothing moved. Only Resolve says so.
//
// # What an error means
//
// An error of Charge means that the call certainly moved nothing; a lost
// answer is never an error but PaymentUnknown. An *Error is the gateway's
// considered refusal: asking again the same way is of no use. Any other error
// (the gateway is busy or away) may be cured by the same call later; that holds
// for the other methods too, all of which may be repeated. An error of Refund
// that is not an *Error leaves open whether money moved: only the same credit
// note again can tell.
//
// A decline is a result and never an error.
package payments
