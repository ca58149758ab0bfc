// Package sandbox is the development gateway. It keeps its own books in a
// Ledger, as a real gateway would: the engine changes them through
// payments.Gateway only, and a test counts in List what was really charged.
//
// What a card does is decided by the token that it was stored with:
//
//	tok_visa                succeeds
//	tok_declined            generic_decline
//	tok_insufficient_funds  insufficient_funds
//	tok_stolen              stolen_card, not to be tried again
//	tok_expired_card        expired_card
//	tok_3ds                 requires action: Approve or Fail decides
//	tok_timeout_charged     no answer once per charge, but the money moved
//	tok_timeout_lost        no answer once per charge, and it did not move
//	tok_flaky               two faults of the gateway per charge, then succeeds
//	tok_later_declined      the first charge succeeds, later ones generic_decline
//
// "No answer" comes at once, as billing.PaymentUnknown: nobody waits.
//
// Every call changes the ledger in at most one transaction that matters, and
// every answer can be had again from what that transaction stored. So a process
// may be killed between any two lines.
package sandbox
