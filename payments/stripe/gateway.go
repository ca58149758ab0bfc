package stripe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v85"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/payments"
)

// timeout is how long Stripe may take to answer. Its own limit is longer; what
// is still unknown then is looked up.
const timeout = 30 * time.Second

// References remembers what Stripe calls our objects.
type References interface {
	// Reference returns the reference of an object (an account or an invoice).
	// Where there is none yet it asks create for one and keeps it; of several
	// created at once, all callers get the one that was kept.
	Reference(ctx context.Context, object string, create func() (string, error)) (string, error)
}

// Config is what the gateway needs. Transport may be nil.
type Config struct {
	Key           string // the secret key (sk_…) or a restricted one (rk_…)
	WebhookSecret string // of the endpoint (whsec_…); empty: every webhook is refused
	References    References
	Transport     http.RoundTripper
}

// Gateway is Stripe as a payments.Gateway.
type Gateway struct {
	client        *stripe.Client
	refs          References
	live          bool
	webhookSecret string
}

var _ payments.Gateway = (*Gateway)(nil)

// New returns the gateway of the account that the key belongs to. It calls
// nobody.
func New(c Config) (*Gateway, error) {
	mode := ModeOf(c.Key)
	if mode == "" {
		return nil, errors.New("stripe gateway: the key is no secret key of Stripe's")
	}
	if c.References == nil {
		return nil, errors.New("stripe gateway: nothing remembers its references")
	}
	backends := stripe.NewBackendsWithConfig(&stripe.BackendConfig{
		HTTPClient: &http.Client{Timeout: timeout, Transport: c.Transport},
		// Temporal tries again, under the same key and after a look.
		MaxNetworkRetries: stripe.Int64(0),
		EnableTelemetry:   stripe.Bool(false),
		// Its messages repeat tokens.
		LeveledLogger: &stripe.LeveledLogger{Level: stripe.LevelNull},
	})
	return &Gateway{stripe.NewClient(c.Key, stripe.WithBackends(backends)), c.References, mode == Live, c.WebhookSecret}, nil
}

// Modes of a key.
const (
	Live = "live"
	Test = "test"
)

// ModeOf tells by a secret key whether it moves real money: Live or Test; ""
// for anything that is not a secret key.
func ModeOf(key string) string {
	for _, kind := range []string{"sk_", "rk_"} {
		for _, mode := range []string{Live, Test} {
			if rest, ok := strings.CutPrefix(key, kind+mode+"_"); ok && rest != "" {
				return mode
			}
		}
	}
	return ""
}

// Name is "stripe".
func (g *Gateway) Name() string { return "stripe" }

func (g *Gateway) EnsureCustomer(ctx context.Context, account billing.AccountID) (string, error) {
	if account == "" {
		return "", refuse(payments.CodeInvalid, "no account")
	}
	return g.refs.Reference(ctx, string(account), func() (string, error) {
		p := &stripe.CustomerCreateParams{Metadata: map[string]string{"account": string(account)}}
		p.SetIdempotencyKey("cus:" + string(account))
		c, err := g.client.V1Customers.Create(ctx, p)
		if err != nil {
			return "", failed("making the customer of "+string(account), err)
		}
		return c.ID, g.sameMode(c.ID, c.Livemode)
	})
}

// tokens are what a page of the vendor's makes of a card, by Stripe.js.
var tokens = regexp.MustCompile(`^pm_[A-Za-z0-9_]{1,250}$`)

func (g *Gateway) AttachMethod(ctx context.Context, customer, token string) (billing.StoredMethod, error) {
	if !tokens.MatchString(token) {
		return billing.StoredMethod{}, refuse(payments.CodeUnknownToken, "")
	}
	m, err := g.client.V1PaymentMethods.Attach(ctx, token, &stripe.PaymentMethodAttachParams{Customer: &customer})
	if e := answer(err); e != nil && ofTheCustomersMaking(e) {
		if e.Param == "customer" {
			return billing.StoredMethod{}, refuse(payments.CodeNotFound, "the customer "+customer)
		}
		if e.HTTPStatusCode != http.StatusBadRequest {
			return billing.StoredMethod{}, refuse(payments.CodeUnknownToken, "")
		}
		// Perhaps an earlier call attached it, whose answer was lost.
		m, err = g.client.V1PaymentMethods.Retrieve(ctx, token, nil)
		if e := answer(err); e != nil && ofTheCustomersMaking(e) || err == nil && (m.Customer == nil || m.Customer.ID != customer) {
			return billing.StoredMethod{}, refuse(payments.CodeUnknownToken, "")
		}
	}
	if err != nil {
		return billing.StoredMethod{}, failed("storing a card of "+customer, err)
	}
	if err := g.sameMode("a card", m.Livemode); err != nil {
		return billing.StoredMethod{}, err
	}
	if m.Card == nil {
		return billing.StoredMethod{}, refuse(payments.CodeUnknownToken, "")
	}
	return billing.StoredMethod{
		Ref: m.ID, Brand: string(m.Card.Brand), Last4: m.Card.Last4, Exp: fmt.Sprintf("%04d-%02d", m.Card.ExpYear, m.Card.ExpMonth),
		Fingerprint: m.Card.Fingerprint,
	}, nil
}

func (g *Gateway) DetachMethod(ctx context.Context, method string) error {
	_, err := g.client.V1PaymentMethods.Detach(ctx, method, nil)
	e := answer(err)
	switch {
	case e == nil:
	case e.HTTPStatusCode == http.StatusNotFound || e.Code == stripe.ErrorCodeResourceMissing:
		return nil
	case e.Type == stripe.ErrorTypeInvalidRequest && e.HTTPStatusCode == http.StatusBadRequest:
		// Perhaps an earlier call detached it, whose answer was lost.
		if m, err := g.client.V1PaymentMethods.Retrieve(ctx, method, nil); err == nil && m.Customer == nil {
			return nil
		}
	}
	if err != nil {
		return failed("detaching "+method, err)
	}
	return nil
}

// OpenForm opens a Checkout session that only stores a card. Its page can be
// given again for as long as Stripe keeps the key and the session, a day.
func (g *Gateway) OpenForm(ctx context.Context, r billing.FormRequest) (billing.Form, error) {
	if r.ID == "" || r.Done == "" || r.Back == "" {
		return billing.Form{}, refuse(payments.CodeInvalid, "a form lacks its id or an address")
	}
	p := &stripe.CheckoutSessionCreateParams{
		Mode: stripe.String(string(stripe.CheckoutSessionModeSetup)), Customer: &r.Customer, PaymentMethodTypes: stripe.StringSlice([]string{"card"}),
		SuccessURL: &r.Done, CancelURL: &r.Back, Metadata: map[string]string{keyForm: r.ID},
	}
	p.SetIdempotencyKey("cs:" + r.ID)
	c, err := g.client.V1CheckoutSessions.Create(ctx, p)
	if err != nil {
		return billing.Form{}, failed("opening the form "+r.ID, err)
	}
	return billing.Form{Ref: c.ID, URL: c.URL}, g.sameMode(c.ID, c.Livemode)
}

func (g *Gateway) FormToken(ctx context.Context, form string) (string, error) {
	if !strings.HasPrefix(form, "cs_") {
		return "", refuse(payments.CodeNotFound, form)
	}
	c, err := g.client.V1CheckoutSessions.Retrieve(ctx, form, &stripe.CheckoutSessionRetrieveParams{Expand: stripe.StringSlice([]string{"setup_intent"})})
	if err != nil {
		return "", failed("reading "+form, err)
	}
	if c.Status != stripe.CheckoutSessionStatusComplete || c.SetupIntent == nil || c.SetupIntent.PaymentMethod == nil {
		return "", g.sameMode(form, c.Livemode)
	}
	return c.SetupIntent.PaymentMethod.ID, g.sameMode(form, c.Livemode)
}

// ofTheCustomersMaking tells whether an answer is about the card that was
// given: not known, used up, or declined by its bank when it was to be stored.
func ofTheCustomersMaking(e *stripe.Error) bool {
	return e.Type == stripe.ErrorTypeCard || e.Type == stripe.ErrorTypeInvalidRequest &&
		(e.HTTPStatusCode == http.StatusBadRequest || e.HTTPStatusCode == http.StatusNotFound)
}

func (g *Gateway) Refund(ctx context.Context, r billing.RefundRequest) (billing.RefundStatus, error) {
	if r.CreditNote == "" || r.Amount.Amount <= 0 {
		return "", refuse(payments.CodeInvalid, "the refund of "+r.Charge+" lacks a credit note or an amount above zero")
	}
	doing := "refunding " + string(r.CreditNote)
	if !strings.HasPrefix(string(r.Charge), "pi_") {
		return "", refuse(payments.CodeNotFound, doing)
	}
	pi, err := g.read(ctx, r.Charge)
	if err != nil {
		return "", undecided(doing, err)
	}
	if pi.Metadata[keyInvoice] != string(r.Invoice) {
		return "", refuse(payments.CodeMismatch, pi.ID+" is for another invoice")
	}
	given, err := g.given(ctx, r)
	if err != nil {
		return "", undecided(doing, err)
	}
	if given == nil {
		if pi.Status != stripe.PaymentIntentStatusSucceeded || pi.LatestCharge == nil || string(pi.Currency) != currencyOf(r.Amount) ||
			r.Amount.Amount > pi.AmountReceived-pi.LatestCharge.AmountRefunded {
			return "", refuse(payments.CodeNotRefundable, pi.ID)
		}
		p := &stripe.RefundCreateParams{
			PaymentIntent: &pi.ID, Amount: &r.Amount.Amount,
			Metadata: map[string]string{keyCreditNote: string(r.CreditNote), keyInvoice: string(r.Invoice)},
		}
		p.SetIdempotencyKey("re:" + string(r.CreditNote))
		if given, err = g.client.V1Refunds.Create(ctx, p); err != nil {
			return "", refundFailed(doing, pi.ID, err)
		}
	}
	if given.Amount != r.Amount.Amount {
		return "", refuse(payments.CodeMismatch, r.CreditNote+" was refunded with another amount")
	}
	return refundStatus(given), nil
}

func (g *Gateway) ResolveRefund(ctx context.Context, r billing.RefundRequest) (billing.RefundStatus, error) {
	if !strings.HasPrefix(string(r.Charge), "pi_") {
		return "", refuse(payments.CodeNotFound, r.CreditNote)
	}
	given, err := g.given(ctx, r)
	if err != nil {
		return "", err
	}
	if given == nil {
		return "", refuse(payments.CodeNotFound, r.CreditNote)
	}
	return refundStatus(given), nil
}

func refundStatus(r *stripe.Refund) billing.RefundStatus {
	switch r.Status {
	case stripe.RefundStatusSucceeded:
		return billing.RefundSucceeded
	case stripe.RefundStatusFailed, stripe.RefundStatusCanceled:
		return billing.RefundFailed
	default:
		return billing.RefundPending
	}
}

// given finds the refund of a credit note; nil where there is none. It is how a
// pending one is asked about, too: the key would repeat its first answer.
func (g *Gateway) given(ctx context.Context, r billing.RefundRequest) (*stripe.Refund, error) {
	p := &stripe.RefundListParams{PaymentIntent: (*string)(&r.Charge)}
	p.Limit = stripe.Int64(100)
	for refund, err := range g.client.V1Refunds.List(ctx, p).All(ctx) {
		if err != nil {
			return nil, failed("listing the refunds of "+string(r.Charge), err)
		}
		if refund.Metadata[keyCreditNote] == string(r.CreditNote) {
			return refund, nil
		}
	}
	return nil, nil
}

// sameMode refuses what is from the other side of the wall between test and
// live mode.
func (g *Gateway) sameMode(object string, live bool) error {
	if live != g.live {
		return refuse(payments.CodeMismatch, object+" is of the other mode, live or test, than the key")
	}
	return nil
}

func refuse[S ~string](code string, detail S) error {
	return &payments.Error{Code: code, Detail: string(detail)}
}
