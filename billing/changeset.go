package billing

import (
	"strconv"
	"time"
)

// Changeset is everything that one step writes, in one transaction or not at
// all. The store refuses it unless the subscription's row still has revision
// From.
type Changeset struct {
	From         int64
	Subscription Subscription // Revision = From: nothing of it has changed

	Invoice           *Invoice  // inserted, or rewritten while a draft; numbered here when paid
	Void              InvoiceID // an unpaid invoice that is void now
	Former            []Invoice // of another system, kept as history
	CreditNotes       []CreditNote
	Entries           []BalanceEntry
	CreditAllocations []CreditAllocation
	Refunds           []Refund // pending ones are new; others were pending, or had succeeded and have failed
	Redeem            string   // the coupon that the order uses, or is refused: coupon_used_up
	Unredeem          string   // the coupon of an order that came to nothing
	TrialClaim        string   // taken for the subscription's product, or refused: trial_already_used
	// TrialUsed: TrialClaim is somebody's of the organisation, who may take it from
	// a trial that nobody has used; from now on it counts as used.
	TrialUsed bool
	// MoneyBackClaim counts a money-back of the product and the billing account,
	// or is refused: money_back_used_up.
	MoneyBackClaim bool
	Method         string // the gateway's reference of the card that is used from now on
	ForgetMethod   bool   // no card is used from now on
	Order          *Order // amended

	Notices []Notice
	Events  []Event

	Request RequestID // whose answer Outcome is; empty for steps and signals
	Outcome Outcome
}

// BalanceEntry moves an account's balance. The ledger is append-only and
// never falls below zero; Key makes an entry happen once.
type BalanceEntry struct {
	Key      string
	Account  AccountID
	Currency string
	Amount   int64 // signed, minor units
	Cause    EntryCause
	Document string // inv_…, cn_… or re_…: what the entry belongs to
}

// EntryCause says what moved an account's balance.
type EntryCause string

const (
	CauseTransfer   EntryCause = "transfer"    // a transfer came for an invoice
	CausePayment    EntryCause = "payment"     // an invoice was paid from earlier transfers
	CauseReserved   EntryCause = "reserved"    // an invoice uses it, if its payment succeeds
	CauseReleased   EntryCause = "released"    // that payment did not
	CauseCreditNote EntryCause = "credit_note" // the part of a correction that does not go to a card
	CauseMovedIn    EntryCause = "moved_in"    // what another system owed
	CauseRefund     EntryCause = "refund"      // what a card did not take back
)

// PostedEntry is an entry with the real time at which it was posted.
type PostedEntry struct {
	BalanceEntry
	At time.Time
}

// CreditAllocation takes minor units from a sold line's remainder: Net of its price, and
// the Tax that was given back with it.
type CreditAllocation struct {
	Line string
	Net  int64
	Tax  int64
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
