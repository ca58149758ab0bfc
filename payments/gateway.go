package payments

import (
	"context"
	"time"

	"github.com/okviz/licensing/billing"
)

// Gateway holds cards and moves money. Package gatewaytest holds every
// implementation to this contract. All methods are safe to call from several
// processes at once.
type Gateway interface {
	// Name is stored with every reference that the gateway gives: "sandbox".
	Name() string

	// EnsureCustomer returns the gateway's reference of an account (cus_…),
	// always the same one for the same account.
	EnsureCustomer(ctx context.Context, account billing.AccountID) (customer string, err error)

	// AttachMethod stores the card behind a token with the customer. A token
	// that the gateway does not know is an *Error with CodeUnknownToken. No
	// error contains the token. Attaching a token again may store the card a
	// second time under another reference, with the same fingerprint; it moves
	// nothing. The reference of a card that the customer has is a token of it,
	// too, and stores nothing.
	AttachMethod(ctx context.Context, customer, token string) (billing.StoredMethod, error)

	// DetachMethod forgets a card, which can never be charged again; what became
	// of its charges stays, and can be given back. One that is not there, or not
	// any more, is no error.
	DetachMethod(ctx context.Context, method string) error

	// OpenForm opens a page of the gateway's on which the customer gives a card;
	// the same form, whose page it may be given again, for the same id. It
	// stores nothing else and moves nothing.
	OpenForm(ctx context.Context, r billing.FormRequest) (billing.Form, error)

	// FormToken is the token of the card that was given in a form, for
	// AttachMethod; empty as long as none was.
	FormToken(ctx context.Context, form string) (token string, err error)

	// Prepare returns the reference of the invoice's charge and moves no
	// money. It is called before every attempt; the amount may differ from
	// that of an earlier attempt, unless one has succeeded (CodeAlreadyCharged).
	// A repeat for an attempt that is over changes nothing.
	Prepare(ctx context.Context, r billing.ChargeRequest) (charge billing.ChargeID, err error)

	// Charge makes the prepared attempt. The request says what Prepare was
	// told; CodeMismatch or CodeWrongAttempt otherwise.
	Charge(ctx context.Context, charge billing.ChargeID, r billing.ChargeRequest) (billing.ChargeResult, error)

	// Resolve reads what became of the attempt last prepared. It is
	// authoritative as of the instant at which the gateway answers.
	Resolve(ctx context.Context, charge billing.ChargeID) (billing.ChargeResult, error)

	// Abandon makes certain that an attempt which waits for the customer can
	// never succeed, and says what became of the charge: declined with
	// billing.DeclineAbandoned, also when it is asked again; succeeded, where the
	// customer was quicker; processing, which cannot be given up; whatever
	// Resolve says, where nothing waits. Another attempt may be prepared after
	// it, and may have another reference. It moves nothing: an error is cured
	// by the same call later.
	Abandon(ctx context.Context, charge billing.ChargeID) (billing.ChargeResult, error)

	// Refund gives money of a succeeded charge back, once per credit note and
	// never more than was charged (CodeNotRefundable).
	Refund(ctx context.Context, r billing.RefundRequest) (billing.RefundStatus, error)

	// ResolveRefund reads what has become of a refund by now: one that succeeded
	// may fail later, when the bank sends the money back. It moves nothing.
	// CodeNotFound if there is none of that credit note.
	ResolveRefund(ctx context.Context, r billing.RefundRequest) (billing.RefundStatus, error)

	// Moved lists what the gateway has moved in [from, to) by its own books, for
	// whomever: every charge that succeeded, and every refund.
	Moved(ctx context.Context, from, to time.Time) (billing.Moved, error)

	// Remember makes Prepare and EnsureCustomer find a listed charge and its
	// customer again, where the engine's database is older than they are. The
	// charges of an invoice are given in the order in which they were made. Without
	// an invoice it is the customer alone: one that another system has made.
	Remember(ctx context.Context, account billing.AccountID, c billing.MovedCharge) error

	// ParseWebhook reads what the gateway has sent to the engine's webhook
	// address, by its header and its body as they came. now is real time: a
	// signature is good for some minutes. Errors are CodeBadSignature,
	// CodeWrongMode and CodeInvalid, and repeat nothing of it. What it tells of
	// may have been overtaken, and is told again until it is answered.
	ParseWebhook(header func(name string) string, body []byte, now time.Time) (billing.GatewayEvent, error)
}

// WebhookTolerance is how old the signature of a webhook may be.
const WebhookTolerance = 5 * time.Minute

// Codes of an Error.
const (
	CodeUnknownToken   = "unknown_token"   // the customer's input: no such card
	CodeNotFound       = "not_found"       // no such customer, method or charge
	CodeInvalid        = "invalid"         // an amount of zero, a missing id
	CodeMismatch       = "mismatch"        // the key of one thing used for another
	CodeWrongAttempt   = "wrong_attempt"   // an attempt that is over, or was not prepared
	CodeAlreadyCharged = "already_charged" // the invoice has been paid with another amount
	CodeNotRefundable  = "not_refundable"  // not charged, or more than is left of it
	CodeNoAction       = "no_action"       // nothing waits for the customer
	CodeRefused        = "refused"         // it takes no such call from us: a wrong key, say

	CodeBadSignature = "invalid_signature" // a webhook that the gateway did not sign, or too long ago
	CodeWrongMode    = "wrong_mode"        // a webhook of test mode in live mode, or the other way round
)

// Error is a gateway's refusal of a call, which moved no money and is not
// cured by repeating it. But for CodeUnknownToken it is a mistake of ours.
type Error struct {
	Code   string
	Detail string // ids at most: no token, no personal data
}

func (e *Error) Error() string {
	if e.Detail == "" {
		return "payment gateway: " + e.Code
	}
	return "payment gateway: " + e.Code + ": " + e.Detail
}

// ErrorCode is the code, for callers that know no more than that there is one.
func (e *Error) ErrorCode() string { return e.Code }
