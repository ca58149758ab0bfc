package stripe

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/bojanz/currency"
	"github.com/stripe/stripe-go/v85"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/payments"
)

// What the metadata of an intent or a refund tell.
const (
	keyInvoice      = "invoice"
	keySubscription = "subscription"
	keyAttempt      = "attempt" // prepared last
	keyMethod       = "method"  // the card of that attempt
	keyBefore       = "before"  // the charge that the attempt before it had made
	keyCreditNote   = "credit_note"
	keyForm         = "form"
)

func (g *Gateway) Prepare(ctx context.Context, r billing.ChargeRequest) (billing.ChargeID, error) {
	if r.Invoice == "" || r.Subscription == "" || r.Customer == "" || r.Amount.Amount <= 0 || r.Attempt < 1 {
		return "", refuse(payments.CodeInvalid, "the charge of "+r.Invoice+" lacks an id, an attempt or an amount above zero")
	}
	if !countsAlike(r.Amount.Currency) {
		return "", refuse(payments.CodeInvalid, "amounts in "+r.Amount.Currency+" are counted otherwise at the gateway")
	}
	pi, ref, err := g.intent(ctx, r)
	if err != nil || pi == nil {
		return ref, err
	}
	next, err := g.next(pi, r)
	if err != nil || next == nil {
		return ref, err
	}
	if pi, err = g.client.V1PaymentIntents.Update(ctx, string(ref), next); err == nil {
		return ref, g.sameMode(string(ref), pi.Livemode)
	}
	if e := answer(err); e != nil && e.Code == stripe.ErrorCodePaymentIntentUnexpectedState {
		// Another call has charged it in the meantime, or is just doing so.
		if pi, err := g.read(ctx, ref); err == nil && pi.Status == stripe.PaymentIntentStatusSucceeded {
			_, err = g.next(pi, r)
			return ref, err
		}
		return "", fmt.Errorf("stripe: preparing the charge of %s: another attempt is under way", r.Invoice)
	}
	return "", failed("preparing the charge of "+string(r.Invoice), err)
}

// intent is the invoice's intent; nil where it has just been made for this
// attempt. Once an attempt has been given up its intent can never succeed, so
// that the next attempt gets one of its own.
func (g *Gateway) intent(ctx context.Context, r billing.ChargeRequest) (*stripe.PaymentIntent, billing.ChargeID, error) {
	for n := 1; ; n++ {
		object, created := intentOf(r.Invoice, n), false
		kept, err := g.refs.Reference(ctx, object, func() (string, error) {
			created = true
			return g.create(ctx, r, "pi:"+object)
		})
		ref := billing.ChargeID(kept)
		if err != nil || created {
			return nil, ref, err
		}
		pi, err := g.read(ctx, ref)
		if err != nil {
			return nil, "", err
		}
		if pi.Status == stripe.PaymentIntentStatusRequiresAction && r.Attempt > attempt(pi) {
			if _, err := g.Abandon(ctx, ref); err != nil {
				return nil, "", err
			}
			if pi, err = g.read(ctx, ref); err != nil {
				return nil, "", err
			}
		}
		if !abandoned(pi) || r.Attempt <= attempt(pi) {
			return pi, ref, nil
		}
	}
}

// intentOf is the name under which an invoice's nth intent is kept.
func intentOf(invoice billing.InvoiceID, n int) string {
	if n == 1 {
		return string(invoice)
	}
	return string(invoice) + "/" + strconv.Itoa(n)
}

// abandoned tells whether we have given up what the intent waited for.
func abandoned(pi *stripe.PaymentIntent) bool {
	return pi.Status == stripe.PaymentIntentStatusCanceled && pi.CancellationReason == stripe.PaymentIntentCancellationReasonAbandoned
}

// create makes an intent, for the request's attempt.
func (g *Gateway) create(ctx context.Context, r billing.ChargeRequest, key string) (string, error) {
	p := &stripe.PaymentIntentCreateParams{
		Amount: &r.Amount.Amount, Currency: stripe.String(currencyOf(r.Amount)), Customer: &r.Customer,
		PaymentMethodTypes: stripe.StringSlice([]string{"card"}),
		Metadata: map[string]string{
			keyInvoice: string(r.Invoice), keySubscription: string(r.Subscription), keyAttempt: strconv.Itoa(r.Attempt), keyMethod: r.Method,
		},
	}
	p.SetIdempotencyKey(key)
	pi, err := g.client.V1PaymentIntents.Create(ctx, p)
	if err != nil {
		return "", failed("preparing the charge of "+string(r.Invoice), err)
	}
	return pi.ID, g.sameMode(pi.ID, pi.Livemode)
}

// next is what has to be written on an intent for the request's attempt; nil
// where nothing has.
func (g *Gateway) next(pi *stripe.PaymentIntent, r billing.ChargeRequest) (*stripe.PaymentIntentUpdateParams, error) {
	if err := identify(pi, r); err != nil {
		return nil, err
	}
	if pi.Status == stripe.PaymentIntentStatusSucceeded {
		if !asks(pi, r) {
			return nil, refuse(payments.CodeAlreadyCharged, pi.ID)
		}
		return nil, nil // Charge will say so
	}
	prepared := attempt(pi)
	switch {
	case r.Attempt < prepared:
		return nil, nil
	case r.Attempt == prepared && asks(pi, r) && pi.Metadata[keyMethod] == r.Method:
		return nil, nil
	case r.Attempt == prepared && became(pi).Status != billing.PaymentNotAttempted:
		if !asks(pi, r) {
			return nil, refuse(payments.CodeMismatch, pi.ID+" made this attempt with another amount")
		}
		return nil, nil
	}
	before := pi.Metadata[keyBefore]
	if pi.LatestCharge != nil {
		before = pi.LatestCharge.ID
	}
	return &stripe.PaymentIntentUpdateParams{
		Amount: &r.Amount.Amount, Currency: stripe.String(currencyOf(r.Amount)),
		Metadata: map[string]string{keyAttempt: strconv.Itoa(r.Attempt), keyMethod: r.Method, keyBefore: before},
	}, nil
}

func (g *Gateway) Charge(ctx context.Context, charge billing.ChargeID, r billing.ChargeRequest) (billing.ChargeResult, error) {
	if r.Method == "" {
		return billing.ChargeResult{}, refuse(payments.CodeInvalid, "no card to charge for "+r.Invoice)
	}
	pi, err := g.read(ctx, charge)
	if err != nil {
		return billing.ChargeResult{}, err
	}
	if err := prepared(pi, r); err != nil {
		return billing.ChargeResult{}, err
	}
	if made := became(pi); made.Status != billing.PaymentNotAttempted {
		return made, nil
	}
	away := r.OffSession && !wantsCustomer(pi)
	pi, err = g.confirm(ctx, charge, r, away)
	if e := answer(err); e != nil && away && authentication(e) {
		pi, err = g.confirm(ctx, charge, r, false)
	}
	if err == nil {
		return became(pi), g.sameMode(string(charge), pi.Livemode)
	}
	e := answer(err)
	switch {
	case e == nil, e.HTTPStatusCode == http.StatusConflict, e.HTTPStatusCode >= 500,
		e.Code == stripe.ErrorCodePaymentIntentUnexpectedState: // another call charges it, or has
		return billing.ChargeResult{Status: billing.PaymentUnknown}, nil
	case e.HTTPStatusCode == http.StatusPaymentRequired || e.Type == stripe.ErrorTypeCard:
		return g.declined(ctx, charge, e), nil
	}
	return billing.ChargeResult{}, failed("charging "+string(charge), err)
}

// confirm makes an attempt. Where the customer is away Stripe declines what they
// are to confirm, and has a page for it only when it is told that they will come.
func (g *Gateway) confirm(ctx context.Context, charge billing.ChargeID, r billing.ChargeRequest, away bool) (*stripe.PaymentIntent, error) {
	p := &stripe.PaymentIntentConfirmParams{PaymentMethod: &r.Method}
	key := "confirm:" + string(r.Invoice) + ":" + strconv.Itoa(r.Attempt)
	if away {
		p.OffSession = stripe.Bool(true)
	} else {
		p.ReturnURL, key = &r.ReturnURL, key+":here"
	}
	p.SetIdempotencyKey(key)
	return g.client.V1PaymentIntents.Confirm(ctx, string(charge), p)
}

// declined reads a decline where Resolve will read it, so that both say the
// same. The answer itself lacks what the bank advises.
func (g *Gateway) declined(ctx context.Context, charge billing.ChargeID, e *stripe.Error) billing.ChargeResult {
	pi, err := g.read(ctx, charge)
	if err != nil {
		return billing.ChargeResult{Status: billing.PaymentUnknown}
	}
	if made := became(pi); made.Status != billing.PaymentNotAttempted {
		return made
	}
	return decline(e, "")
}

func (g *Gateway) Resolve(ctx context.Context, charge billing.ChargeID) (billing.ChargeResult, error) {
	pi, err := g.read(ctx, charge)
	if err != nil {
		return billing.ChargeResult{}, err
	}
	return became(pi), nil
}

// read is the intent as it is now, with the charge that it made last.
func (g *Gateway) read(ctx context.Context, charge billing.ChargeID) (*stripe.PaymentIntent, error) {
	pi, err := g.client.V1PaymentIntents.Retrieve(ctx, string(charge), &stripe.PaymentIntentRetrieveParams{
		Expand: stripe.StringSlice([]string{"latest_charge"}),
	})
	if err != nil {
		return nil, failed("reading "+string(charge), err)
	}
	return pi, g.sameMode(string(charge), pi.Livemode)
}

// became is what became of the attempt prepared last, or of an earlier one that
// succeeded.
func became(pi *stripe.PaymentIntent) billing.ChargeResult {
	switch pi.Status {
	case stripe.PaymentIntentStatusSucceeded:
		return billing.ChargeResult{Status: billing.PaymentSucceeded}
	case stripe.PaymentIntentStatusRequiresAction:
		r := billing.ChargeResult{Status: billing.PaymentRequiresAction}
		if a := pi.NextAction; a != nil && a.RedirectToURL != nil {
			r.ActionURL = a.RedirectToURL.URL
		}
		return r
	case stripe.PaymentIntentStatusRequiresPaymentMethod, stripe.PaymentIntentStatusRequiresConfirmation:
		e := pi.LastPaymentError
		if e == nil || e.ChargeID != "" && e.ChargeID == pi.Metadata[keyBefore] || wantsCustomer(pi) {
			return billing.ChargeResult{Status: billing.PaymentNotAttempted}
		}
		var advice stripe.ChargeOutcomeAdviceCode
		if c := pi.LatestCharge; c != nil && c.ID == e.ChargeID && c.Outcome != nil {
			advice = c.Outcome.AdviceCode
		}
		return decline(e, advice)
	case stripe.PaymentIntentStatusCanceled:
		if abandoned(pi) {
			return billing.ChargeResult{Status: billing.PaymentDeclined, DeclineCode: billing.DeclineAbandoned, Advice: billing.AdviceNeedsCustomer}
		}
		// by hand, or after too many attempts: it can never succeed
		return billing.ChargeResult{Status: billing.PaymentDeclined, DeclineCode: "canceled", Advice: billing.AdviceNever}
	default:
		return billing.ChargeResult{Status: billing.PaymentProcessing}
	}
}

// wantsCustomer tells whether an attempt that was made without the customer is
// to be made again with them.
func wantsCustomer(pi *stripe.PaymentIntent) bool {
	e := pi.LastPaymentError
	return e != nil && authentication(e) && (e.ChargeID == "" || e.ChargeID != pi.Metadata[keyBefore])
}

func authentication(e *stripe.Error) bool {
	return e.DeclineCode == stripe.DeclineCodeAuthenticationRequired || e.Code == stripe.ErrorCodeAuthenticationRequired
}

func (g *Gateway) Abandon(ctx context.Context, charge billing.ChargeID) (billing.ChargeResult, error) {
	pi, err := g.read(ctx, charge)
	if err != nil || pi.Status != stripe.PaymentIntentStatusRequiresAction {
		return result(pi, err)
	}
	reason := string(stripe.PaymentIntentCancellationReasonAbandoned)
	_, err = g.client.V1PaymentIntents.Cancel(ctx, string(charge), &stripe.PaymentIntentCancelParams{CancellationReason: &reason})
	if e := answer(err); err != nil && (e == nil || e.Code != stripe.ErrorCodePaymentIntentUnexpectedState) {
		return billing.ChargeResult{}, failed("giving up "+string(charge), err)
	}
	return result(g.read(ctx, charge)) // the customer may have been quicker
}

// result is what became of an intent that could be read.
func result(pi *stripe.PaymentIntent, err error) (billing.ChargeResult, error) {
	if err != nil {
		return billing.ChargeResult{}, err
	}
	return became(pi), nil
}

// hopeless are declines after which a bank wants to hear of the card no more.
var hopeless = []string{
	"lost_card", "pickup_card", "stolen_card", "revocation_of_authorization", "revocation_of_all_authorizations", "stop_payment_order",
}

// decline reads an attempt's error, and what the bank advises.
func decline(e *stripe.Error, advice stripe.ChargeOutcomeAdviceCode) billing.ChargeResult {
	code := string(e.DeclineCode)
	if code == "" {
		code = string(e.Code)
	}
	if code == "" || code == string(stripe.ErrorCodeCardDeclined) {
		code = string(stripe.DeclineCodeGenericDecline)
	}
	r := billing.ChargeResult{Status: billing.PaymentDeclined, DeclineCode: code, Advice: billing.AdviceRetryLater}
	switch {
	case advice == stripe.ChargeOutcomeAdviceCodeDoNotTryAgain, slices.Contains(hopeless, code):
		r.Advice = billing.AdviceNever
	case authentication(e), e.Code == stripe.ErrorCodePaymentIntentAuthenticationFailure:
		r.Advice = billing.AdviceNeedsCustomer
	case advice == stripe.ChargeOutcomeAdviceCodeConfirmCardData, code == string(stripe.DeclineCodeIncorrectNumber):
		r.Advice = billing.AdviceNewMethod
	}
	return r
}

// identify makes sure that a request speaks of this intent.
func identify(pi *stripe.PaymentIntent, r billing.ChargeRequest) error {
	if pi.Metadata[keyInvoice] != string(r.Invoice) || pi.Metadata[keySubscription] != string(r.Subscription) || pi.Customer == nil || pi.Customer.ID != r.Customer {
		return refuse(payments.CodeMismatch, pi.ID+" is for another invoice, subscription or customer")
	}
	return nil
}

// prepared makes sure that a request is what the intent was prepared for.
func prepared(pi *stripe.PaymentIntent, r billing.ChargeRequest) error {
	if err := identify(pi, r); err != nil {
		return err
	}
	if pi.Status == stripe.PaymentIntentStatusSucceeded {
		if !asks(pi, r) {
			return refuse(payments.CodeAlreadyCharged, pi.ID)
		}
		return nil
	}
	if r.Attempt != attempt(pi) {
		return refuse(payments.CodeWrongAttempt, pi.ID+" is prepared for another attempt")
	}
	if !asks(pi, r) || pi.Metadata[keyMethod] != r.Method {
		return refuse(payments.CodeMismatch, pi.ID+" is prepared for another card or amount")
	}
	return nil
}

// asks tells whether the intent is for the amount of a request.
func asks(pi *stripe.PaymentIntent, r billing.ChargeRequest) bool {
	return pi.Amount == r.Amount.Amount && string(pi.Currency) == currencyOf(r.Amount)
}

func attempt(pi *stripe.PaymentIntent) int {
	n, err := strconv.Atoi(pi.Metadata[keyAttempt])
	if err != nil {
		return 0 // somebody has edited it: no attempt is the prepared one
	}
	return n
}

func currencyOf(m billing.Money) string { return strings.ToLower(m.Currency) }

// whole are the currencies whose amounts Stripe counts without a minor unit,
// thousands those with three digits of it. All others have two.
var (
	whole = []string{
		"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF",
	}
	thousands = []string{"BHD", "JOD", "KWD", "OMR", "TND"}
)

// countsAlike tells whether an amount in minor units is the same number to
// Stripe. Of ISK, say, it is not: 100 of ours would be 1 of theirs.
func countsAlike(code string) bool {
	digits, ok := currency.GetDigits(code)
	switch {
	case slices.Contains(whole, code):
		return ok && digits == 0
	case slices.Contains(thousands, code):
		return ok && digits == 3
	}
	return ok && digits == 2
}
