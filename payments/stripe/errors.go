package stripe

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/stripe/stripe-go/v85"

	"github.com/okviz/licensing/payments"
)

// Errors of the SDK are never wrapped: they repeat Stripe's messages, which
// quote tokens, and the addresses of requests, which contain them.

// answer is what Stripe said; nil where it said nothing that can be read, as
// after a timeout or from a proxy in between.
func answer(err error) *stripe.Error {
	e, _ := errors.AsType[*stripe.Error](err)
	return e
}

// failed makes of a failed call an error of ours. It is a *payments.Error where
// the same call would fail again. All calls but Confirm and a refund's Create
// move nothing whatever comes of them.
func failed(doing string, err error) error {
	e := answer(err)
	switch {
	case e == nil:
		return fmt.Errorf("stripe: %s: %w", doing, silence(err))
	case e.HTTPStatusCode >= 500 || e.HTTPStatusCode == http.StatusTooManyRequests || e.HTTPStatusCode == http.StatusConflict:
		return fmt.Errorf("stripe: %s: %s", doing, words(e))
	case e.Type == stripe.ErrorTypeIdempotency:
		return refuse(payments.CodeMismatch, doing+": "+words(e))
	case e.HTTPStatusCode == http.StatusNotFound || e.Code == stripe.ErrorCodeResourceMissing:
		return refuse(payments.CodeNotFound, doing)
	case e.Code == stripe.ErrorCodeAmountTooSmall || e.Code == stripe.ErrorCodeAmountTooLarge:
		return refuse(payments.CodeInvalid, doing+": "+words(e))
	}
	return refuse(payments.CodeRefused, doing+": "+words(e))
}

// undecided keeps a refund open where Stripe could not be asked, or did not know
// what it once gave us: after a *payments.Error the refund would be given up, and
// its money given otherwise. The key of another account is enough for that.
func undecided(doing string, err error) error {
	if refusal, ok := errors.AsType[*payments.Error](err); ok {
		return fmt.Errorf("stripe: %s: %s: %s", doing, refusal.Code, refusal.Detail)
	}
	return err
}

// refundFailed reads why a refund was not made. What certainly will never be
// made is a *payments.Error; everything else leaves it open.
func refundFailed(doing, charge string, err error) error {
	e := answer(err)
	if e != nil && e.Type == stripe.ErrorTypeInvalidRequest && e.HTTPStatusCode == http.StatusBadRequest {
		switch {
		case e.Param == "amount", e.Code == stripe.ErrorCodeChargeAlreadyRefunded, e.Code == stripe.ErrorCodeChargeDisputed,
			e.Code == stripe.ErrorCodeRefundDisputedPayment:
			return refuse(payments.CodeNotRefundable, charge)
		}
	}
	if e != nil && e.Type == stripe.ErrorTypeIdempotency {
		return failed(doing, err)
	}
	return undecided(doing, failed(doing, err))
}

// words names an answer by its codes, without its message.
func words(e *stripe.Error) string {
	s := fmt.Sprintf("the gateway answered %d %s", e.HTTPStatusCode, e.Type)
	if e.Code != "" {
		s += " " + string(e.Code)
	}
	if e.RequestID != "" {
		s += " (" + e.RequestID + ")"
	}
	return s
}

// silence says in words of ours that no answer came.
func silence(err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded
	}
	return errors.New("the gateway gave no answer that can be read")
}
