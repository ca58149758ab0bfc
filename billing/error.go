package billing

import "errors"

// What a store answers apart from its own failures.
var (
	// ErrNotFound says that there is no such row.
	ErrNotFound = errors.New("not found")
	// ErrStale refuses a changeset that was decided on an older revision: another
	// run has gone on from there.
	ErrStale = errors.New("the subscription has moved on")
	// ErrConflict refuses a changeset because something that subscriptions share
	// (a balance, a remainder) was taken in the meantime: decide again.
	ErrConflict = errors.New("something shared has changed meanwhile")
	// ErrBusy says that a test clock is being advanced already.
	ErrBusy = errors.New("the clock is being advanced")
	// ErrNotMigrated says that the database lacks tables or columns of this
	// release.
	ErrNotMigrated = errors.New("the database is not migrated: run okviz migrate")
	// ErrNewerRelease says that a newer release has written something that this one
	// does not know and would lose: that one must do it.
	ErrNewerRelease = errors.New("a newer release has written this: let that one go on with it")
	// ErrNotWritable says that the database's disk is full, or that it only reads.
	ErrNotWritable = errors.New("the database cannot be written to: its disk is full, or it only reads")
)

// Code is a stable name of a refusal that callers may rely on. It is the
// `code` of the API's problem documents and of a command's outcome.
type Code string

const (
	CodeInvalid            Code = "invalid"
	CodeUnknownProduct     Code = "unknown_product"
	CodeUnknownPlan        Code = "unknown_plan"
	CodeUnknownCurrency    Code = "unknown_currency"
	CodeInvalidVATID       Code = "invalid_vat_id"
	CodeUnknownToken       Code = "unknown_token"
	CodeQuantityNotAllowed Code = "quantity_not_allowed"
	CodeCountryNotServed   Code = "country_not_served"
	CodeTermsNotAccepted   Code = "terms_not_accepted"
	CodeTrialNotOffered    Code = "trial_not_offered"
	CodeTrialAlreadyUsed   Code = "trial_already_used"
	CodeCardDeclined       Code = "card_declined"
	CodeNoPaymentMethod    Code = "no_payment_method"
	CodeMethodInUse        Code = "method_in_use"
	CodeAddressTaken       Code = "address_taken"
	CodeTooManyAttempts    Code = "too_many_attempts"
	CodeNotPossibleNow     Code = "not_possible_now"
	CodeNoChange           Code = "no_change"
	CodePreviewExpired     Code = "preview_expired"
	CodeAmountChanged      Code = "amount_changed"
	CodePriceOutdated      Code = "price_outdated"
	CodeRequestExpired     Code = "request_expired"
	CodeMoneyBackOver      Code = "money_back_over"
	CodeMoneyBackUsedUp    Code = "money_back_used_up"
	CodeNothingToRefund    Code = "nothing_to_refund"
	CodeAmountTooLarge     Code = "amount_too_large"
	CodeUnknownCoupon      Code = "unknown_coupon"
	CodeCouponExpired      Code = "coupon_expired"
	CodeCouponUsedUp       Code = "coupon_used_up"
	CodeCouponUnfit        Code = "coupon_not_applicable"
	CodeQuoteExpired       Code = "quote_expired"
	CodeQuoteAccepted      Code = "quote_accepted"
	CodeInvoiceNotAllowed  Code = "invoice_not_allowed"
	CodeAlreadyRecorded    Code = "already_recorded"
	CodeMarkedByHand       Code = "marked_by_hand"
	CodeTooManyEndpoints   Code = "too_many_endpoints"
	CodeTooManyEvents      Code = "too_many_events"
	CodeTooManySiteEdits   Code = "too_many_site_edits"
	CodeGatewayRejected    Code = "gateway_rejected"
	CodePaymentProcessing  Code = "payment_processing"
	CodePackageWithoutKey  Code = "package_without_key"
	CodePackageWrongGUID   Code = "package_wrong_guid"
	CodeInvalidEntraToken  Code = "invalid_entra_token"
	CodeUnknownActivation  Code = "unknown_activation_key"
	CodeAlreadyActivated   Code = "already_activated"
	CodeSubscriptionsRun   Code = "subscriptions_running"
	CodeMoneyOpen          Code = "money_open"
)

// Error is a refusal: a code, the field of the input that it is about (in the
// API's spelling, or empty), and words that never repeat what was submitted.
type Error struct {
	Code   Code
	Field  string
	Detail string
}

func (e *Error) Error() string {
	if e.Field != "" {
		return string(e.Code) + ": " + e.Field + ": " + e.Detail
	}
	return string(e.Code) + ": " + e.Detail
}

func refuse(code Code, field, detail string) *Error { return &Error{code, field, detail} }
