package billing

import (
	"strconv"
	"time"
)

// Posting is everything that one step writes, in one transaction or not at
// all. The store refuses it unless the subscription's row still has revision
// From.
type Posting struct {
	From         int64
	Subscription Subscription // Revision = From: nothing of it has changed

	Invoice     *Invoice // inserted, or rewritten while a draft; numbered here when paid
	Void        string   // an unpaid invoice that is void now
	CreditNotes []CreditNote
	Entries     []BalanceEntry
	Draws       []Draw
	Refunds     []Refund // pending ones are new; others were pending
	Redeem      string   // the coupon that the order uses, or is refused: coupon_used_up
	Unredeem    string   // the coupon of an order that came to nothing
	TrialClaim  string   // taken for the subscription's product, or refused: trial_already_used
	// MoneyBackClaim counts a money-back of the product and the billing account,
	// or is refused: money_back_used_up.
	MoneyBackClaim bool
	Method         string // the gateway's reference of the card that is used from now on

	Notices []Notice
	Events  []Event

	Request string // whose answer Outcome is; empty for steps and signals
	Outcome Outcome
}

// BalanceEntry moves an account's balance. The ledger is append-only and
// never falls below zero; Key makes an entry happen once.
type BalanceEntry struct {
	Key      string
	Account  string
	Currency string
	Amount   int64 // signed, minor units
}

// Draw takes minor units from a sold line's remainder: Net of its price, and
// the Tax that was given back with it.
type Draw struct {
	Line string
	Net  int64
	Tax  int64
}

// Event is one line of a subscription's audit history, in words and without
// personal data.
type Event struct {
	At    time.Time `json:"at"`
	Kind  string    `json:"kind"`
	Actor string    `json:"actor"` // "customer", "operator", "engine"; the store knows it
	Text  string    `json:"text"`
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
