package api

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/danielgtaylor/huma/v2"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/commands"
	"github.com/okviz/licensing/licensing"
)

type planChoice struct {
	Type      licensing.Type `json:"type" enum:"users,capacity,site"`
	Tier      string         `json:"tier,omitempty" maxLength:"40" doc:"The tier's name; for capacity also any SKU of the node's size."`
	Cycle     billing.Cycle  `json:"cycle" enum:"monthly,yearly,three_years"`
	Designers int64          `json:"designers,omitempty" minimum:"0" maximum:"10000000" doc:"With viewers, instead of a tier: the smallest tier that covers both is chosen."`
	Viewers   int64          `json:"viewers,omitempty" minimum:"0" maximum:"10000000"`
}

func (p planChoice) choice() billing.PlanChoice {
	return billing.PlanChoice{Type: p.Type, Tier: p.Tier, Cycle: p.Cycle, Designers: p.Designers, Viewers: p.Viewers}
}

// TaxBody is what decides the tax.
type TaxBody struct {
	Country string  `json:"country" minLength:"2" maxLength:"2" doc:"ISO 3166-1 alpha-2"`
	VATID   *string `json:"vat_id,omitempty" maxLength:"20" nullable:"true" doc:"In the European Union a well-formed VAT id of the same country, with or without prefix; elsewhere any text."`
}

type previewInput struct {
	Body struct {
		Product  string      `json:"product" maxLength:"64"`
		Plan     planChoice  `json:"plan"`
		Quantity int64       `json:"quantity,omitempty" minimum:"1" maximum:"1000" default:"1"`
		Currency string      `json:"currency,omitempty" maxLength:"3" default:"USD"`
		Billing  TaxBody     `json:"billing"`
		Coupon   *string     `json:"coupon,omitempty" maxLength:"64" nullable:"true"`
		Pay      billing.Pay `json:"pay,omitempty" enum:"now,trial" default:"now"`
	}
}

// Preview is what an order would cost.
type Preview struct {
	Plan           Plan          `json:"plan"`
	Lines          []Line        `json:"lines"`
	Subtotal       billing.Money `json:"subtotal"`
	Discount       billing.Money `json:"discount"`
	Tax            billing.Money `json:"tax"`
	TaxNote        *string       `json:"tax_note"`
	Total          billing.Money `json:"total"`
	BalanceApplied billing.Money `json:"balance_applied"`
	AmountDue      billing.Money `json:"amount_due"`
	Recurring      Recurring     `json:"recurring"`
	Trial          TrialOffer    `json:"trial"`
	InvoiceAllowed bool          `json:"invoice_allowed"`
	VATCheck       *VATCheck     `json:"vat_check" doc:"null: no VAT id, or no register is asked."`
}

// Recurring is what each later period costs.
type Recurring struct {
	Total        billing.Money `json:"total"`
	Cycle        billing.Cycle `json:"cycle"`
	FirstRenewal time.Time     `json:"first_renewal"`
}

// TrialOffer says whether the product can be tried, and until when.
type TrialOffer struct {
	Available bool       `json:"available"`
	Until     *time.Time `json:"until"`
}

// ContactBody is a person or a team.
type ContactBody struct {
	Name  string `json:"name" minLength:"1" maxLength:"200"`
	Email string `json:"email" minLength:"3" maxLength:"254"`
}

type addressBody struct {
	Line1      string `json:"line1,omitempty" maxLength:"200"`
	Line2      string `json:"line2,omitempty" maxLength:"200"`
	City       string `json:"city,omitempty" maxLength:"100"`
	PostalCode string `json:"postal_code,omitempty" maxLength:"20"`
	Region     string `json:"region,omitempty" maxLength:"100"`
}

type billingBody struct {
	ContactBody
	TaxBody
	Company string       `json:"company,omitempty" maxLength:"200"`
	Address *addressBody `json:"address,omitempty"`
	BooksBody
}

type paymentBody struct {
	Method billing.Collection `json:"method" enum:"card,invoice"`
	Token  *string            `json:"token,omitempty" maxLength:"255" nullable:"true"`
}

// OrderBody is what is ordered, and for whom.
type OrderBody struct {
	Product   string       `json:"product" maxLength:"64"`
	Plan      planChoice   `json:"plan"`
	Quantity  int64        `json:"quantity,omitempty" minimum:"1" maximum:"1000" default:"1"`
	Currency  string       `json:"currency,omitempty" maxLength:"3" default:"USD"`
	Billing   billingBody  `json:"billing"`
	Licensee  *ContactBody `json:"licensee,omitempty" doc:"Who receives the licence; absent: the billing contact."`
	Coupon    *string      `json:"coupon,omitempty" maxLength:"64" nullable:"true"`
	Sites     []string     `json:"sites,omitempty" maxItems:"1000"`
	Language  Language     `json:"language,omitempty" doc:"Absent: the account's, or that of Accept-Language."`
	TestClock *string      `json:"test_clock,omitempty" maxLength:"64" nullable:"true" doc:"For operators only: the test clock to live by."`
}

// CheckoutBody is an order with its payment.
type CheckoutBody struct {
	OrderBody
	Pay         billing.Pay  `json:"pay" enum:"now,trial"`
	Payment     *paymentBody `json:"payment,omitempty"`
	AcceptTerms bool         `json:"accept_terms"`
}

type checkoutInput struct {
	CommandInput
	Body CheckoutBody
}

type fieldText struct{ field, value string }

// texts are the free texts that documents print.
func (b OrderBody) texts() []fieldText {
	list := []fieldText{{"billing.company", b.Billing.Company}, {"billing.purchase_order", b.Billing.PurchaseOrder}, {"billing.cost_center", b.Billing.CostCenter}}
	if v := b.Billing.VATID; v != nil {
		list = append(list, fieldText{"billing.vat_id", *v})
	}
	if a := b.Billing.Address; a != nil {
		list = append(list, fieldText{"billing.address.line1", a.Line1}, fieldText{"billing.address.line2", a.Line2},
			fieldText{"billing.address.city", a.City}, fieldText{"billing.address.postal_code", a.PostalCode}, fieldText{"billing.address.region", a.Region})
	}
	return list
}

// CheckoutResult is what an order came to.
type CheckoutResult struct {
	Subscription  Subscription `json:"subscription"`
	License       *License     `json:"license"`
	Invoice       *Invoice     `json:"invoice"`
	Payment       Payment      `json:"payment"`
	CheckoutToken string       `json:"checkout_token,omitempty"`
}

type checkoutOutput struct {
	Status     int
	RetryAfter string `header:"Retry-After"`
	Body       CheckoutResult
}

// ShopStore is what the routes of the shop need of the database. Errors:
// billing.ErrNotFound.
type ShopStore interface {
	Products(ctx context.Context) ([]billing.Product, error)
	Product(ctx context.Context, id string) (billing.Product, error)
	Versions(ctx context.Context, product string) ([]billing.Version, error)
	Picture(ctx context.Context, product, name string) (contentType string, data []byte, err error)
	Coupon(ctx context.Context, code string) (c billing.Coupon, redeemed int64, err error)
	Profile(ctx context.Context, account billing.AccountID) (billing.Profile, error)
	Standing(ctx context.Context, account billing.AccountID) (int64, error)
	BalanceIn(ctx context.Context, account billing.AccountID, currency string) (billing.Money, error)
	BeginQuote(ctx context.Context, r billing.Request, q billing.Quote) (request billing.Request, fresh bool, err error)
	Quote(ctx context.Context, id string) (billing.Quote, error)
	Quotes(ctx context.Context, account billing.AccountID, before string, limit int) ([]billing.Quote, error)
	UnusedTrial(ctx context.Context, product, organisation string) (bool, error)
	FirstInvoice(ctx context.Context, subscription billing.SubscriptionID) (billing.Invoice, []billing.CreditNote, error)
}

// shop shows what is sold, quotes it and sells it.
type shop struct {
	*outcomes
	Store    ShopStore
	licenses *licenses
}

func (s *shop) routes(h huma.API) {
	s.catalogueRoutes(h)
	s.quoteRoutes(h)
	s.compRoute(h)
	huma.Register(h, route(http.MethodPost, "/v1/checkout/preview", "preview-checkout", "Preview what an order costs", "Checkout", by(billing.OperatorRoles...)), s.previewCheckout)
	huma.Register(h, route(http.MethodPost, "/v1/checkout", "checkout", "Order a subscription or a trial", "Checkout", status(http.StatusCreated)), s.checkout)
	huma.Register(h, route(http.MethodGet, "/v1/subscriptions/{id}/receipt", "get-receipt", "What an order has come to by now", "Checkout", order(billing.MemberFinance)), s.receipt)
	huma.Register(h, route(http.MethodPost, "/v1/checkout/confirm", "confirm-order", "Confirm the address of an order, with the mailed link's token", "Checkout", status(http.StatusCreated)), s.confirmOrder)
}

// offer is a plan at its price, as an order names it.
func (s *shop) offer(ctx context.Context, productID string, choice billing.PlanChoice, quantity int64, currency string) (billing.Product, billing.Plan, billing.Price, error) {
	product, err := s.Store.Product(ctx, productID)
	if err != nil {
		return product, billing.Plan{}, billing.Price{}, orUnknown(err, billing.CodeUnknownProduct, "product", "no such product is sold")
	}
	plan, err := product.Choose(choice)
	if err != nil {
		return product, plan, billing.Price{}, err
	}
	price, err := plan.PriceIn(strings.ToUpper(currency))
	if err == nil {
		err = billing.CheckQuantity(plan.Type, quantity)
	}
	return product, plan, price, err
}

// discount is what a coupon gives an order.
func (s *shop) discount(ctx context.Context, coupon *string, product, currency string, now time.Time) (billing.Discount, error) {
	if coupon == nil || *coupon == "" {
		return billing.Discount{}, nil
	}
	c, redeemed, err := s.Store.Coupon(ctx, strings.ToUpper(strings.TrimSpace(*coupon)))
	if err != nil {
		return billing.Discount{}, orUnknown(err, billing.CodeUnknownCoupon, "coupon", "there is no such coupon")
	}
	if c.Limit > 0 && redeemed >= c.Limit { // who comes last is told when the order is carried out
		return billing.Discount{}, refusal(billing.CodeCouponUsedUp, "coupon", "this coupon has reached its limit")
	}
	return c.For(product, currency, now)
}

// checkCountry checks that a country can be billed, and that something may be sold
// there.
func (s *server) checkCountry(country string) error {
	switch {
	case !billing.ValidCountry(country):
		return invalid("billing.country", "is not a country")
	case slices.Contains(s.Policy.BlockedCountries, country):
		return refusal(billing.CodeCountryNotServed, "billing.country", "nothing is sold in this country")
	}
	return nil
}

func (s *shop) previewCheckout(ctx context.Context, in *previewInput) (*struct{ Body Preview }, error) {
	b := in.Body
	if err := s.checkCountry(b.Billing.Country); err != nil {
		return nil, err
	}
	product, plan, price, err := s.offer(ctx, b.Product, b.Plan.choice(), b.Quantity, b.Currency)
	if err != nil {
		return nil, s.answer(err)
	}
	details := billing.BillingDetails{Country: b.Billing.Country}
	company, err := s.vatID(ctx, b.Billing, &details)
	if err != nil {
		return nil, s.answer(err)
	}
	now := billing.Instant(s.Now())
	discount, err := s.discount(ctx, b.Coupon, product.ID, price.Currency, now)
	if err != nil {
		return nil, s.answer(err)
	}
	snapshot := billing.Snapshot{
		Product: product, Policy: s.Policy, NewID: commands.NewID, Balance: billing.Money{Currency: price.Currency},
		Subscription: billing.Subscription{Plan: plan.Ref(), Price: price, Quantity: b.Quantity, Discount: discount},
		Order:        billing.Order{Billing: details},
	}
	if a := callerOf(ctx).account; a.ID != "" { // a guest is shown nothing of an account
		if snapshot.Standing, err = s.Store.Standing(ctx, a.ID); err == nil {
			snapshot.Balance, err = s.Store.BalanceIn(ctx, a.ID, price.Currency)
		}
		if err != nil {
			return nil, s.answer(err)
		}
	}
	inv := snapshot.PreviewPurchase(now)
	v := Preview{Plan: viewPlan(plan.Ref()), VATCheck: viewVATCheck(details.VATCheck)}
	if v.VATCheck != nil {
		v.VATCheck.Company, v.VATCheck.Consultation = company, ""
	}
	v.Recurring.Total, v.Recurring.Cycle, v.Recurring.FirstRenewal = snapshot.PreviewRenewal(now).Total(), plan.Cycle, inv.Service().Period.End
	if v.Trial.Available = product.Trial; product.Trial {
		v.Trial.Until = instant(billing.TrialEnd(now))
	}
	if b.Pay == billing.PayTrial {
		v.Recurring.FirstRenewal = billing.TrialEnd(now)
		inv.Lines, inv.BalanceApplied = nil, 0 // nothing is due for a trial
	}
	v.InvoiceAllowed = b.Pay == billing.PayNow && s.Policy.InvoiceAllowed(inv)
	v.Lines, v.Subtotal, v.Discount, v.Tax, v.TaxNote = viewLines(reader(ctx), inv), inv.Subtotal(), inv.Discount(), inv.Tax(), text(reader(ctx).TaxNote(inv.TaxNote))
	v.Total, v.AmountDue, v.BalanceApplied = inv.Total(), inv.AmountDue(), billing.Money{Amount: inv.BalanceApplied, Currency: inv.Currency}
	return &struct{ Body Preview }{v}, nil
}

func (s *shop) checkout(ctx context.Context, in *checkoutInput) (*checkoutOutput, error) {
	b := in.Body
	caller, err := s.orderer(ctx, checkoutRoute, in.Key, b.Billing.Email)
	if err != nil {
		return nil, s.answer(err)
	}
	return s.place(ctx, in.CommandInput, caller, checkoutRoute, func() (commands.Purchase, error) {
		token, by, err := payment(b.Pay, b.Payment, b.AcceptTerms)
		if err != nil {
			return commands.Purchase{}, err
		}
		p, err := s.order(ctx, b.OrderBody, b.Pay)
		if p.sub.Collection = by; err == nil {
			p.sub.ConfirmBy, err = s.confirmBy(ctx, p)
		}
		return commands.Purchase{Order: p.order, Subscription: p.sub, Token: token}, err
	})
}

// confirmBy is until when an order waits for its address to be confirmed: one by
// invoice, and one of a trial that the organisation has had already, but not
// used. Others do not wait, and neither does what is refused anyway.
func (s *shop) confirmBy(ctx context.Context, p placement) (until time.Time, err error) {
	waits := p.sub.Collection == billing.ByInvoice && p.sub.Guest
	if p.order.Pay == billing.PayTrial && !p.order.Vouched {
		waits, err = s.Store.UnusedTrial(ctx, p.product.ID, billing.Organisation(p.order.Licensee.Email))
	}
	b := billing.Snapshot{Product: p.product, Policy: s.Policy, NewID: commands.NewID, Subscription: p.sub, Order: p.order, Balance: billing.Money{Currency: p.sub.Price.Currency}}
	if err != nil || !waits || b.MayProceed(p.sub.CreatedAt) != nil {
		return until, err
	}
	return p.sub.CreatedAt.Add(s.Policy.ConfirmLife), nil
}

// confirmOrder has an order carried out that waited for its address. It tells
// what an order's own answer would have told.
func (s *shop) confirmOrder(ctx context.Context, in *TokenInput) (*checkoutOutput, error) {
	over := problem(http.StatusForbidden, "confirmation_expired", "this link has expired: order again")
	id, good := s.Secret.ConfirmationOf(in.Body.Token)
	if !good {
		return nil, over
	}
	r, err := s.Commands.Confirm(ctx, id)
	if errors.Is(err, billing.ErrNotFound) {
		return nil, over
	}
	var out *checkoutOutput
	if err == nil {
		out, err = s.checkoutAnswer(ctx, r)
	}
	if err != nil {
		return nil, s.answer(err)
	}
	return out, nil
}

// receipt is an order as its answer would tell it now. Of one that waits for a
// mail to be answered, its token tells the state alone.
func (s *shop) receipt(ctx context.Context, in *SubscriptionInput) (*struct{ Body CheckoutResult }, error) {
	o, err := s.mine(ctx, billing.SubscriptionID(in.ID))
	if err != nil {
		return nil, s.answer(err)
	}
	c := callerOf(ctx)
	out := CheckoutResult{Subscription: viewSubscription(o), Payment: Payment{Status: "none"}}
	if p := out.Subscription.PendingPayment; p != nil {
		out.Payment = Payment{Status: p.Status, ActionURL: p.ActionURL}
	}
	if c.order != "" {
		out.Subscription = out.Subscription.withoutNames()
	}
	if c.order != "" && !c.bought(o) {
		return &struct{ Body CheckoutResult }{out}, nil
	}
	inv, notes, err := s.Store.FirstInvoice(ctx, o.ID)
	if err == nil && inv.Purpose == billing.ForPurchase && (c.operator || c.order != "" || inv.Account == c.account.ID) {
		v := viewInvoice(reader(ctx), inv, notes)
		out.Invoice = &v
		if inv.Status == billing.InvoicePaid {
			out.Payment.Status = string(billing.PaymentSucceeded)
		}
	}
	if errors.Is(err, billing.ErrNotFound) {
		err = nil
	}
	if id := out.Subscription.LicenseID; err == nil && id != nil {
		if out.License, err = s.licenseShown(ctx, licensing.LicenseID(*id)); err == nil && c.order != "" {
			out.License.Licensee = "" // handed over to somebody else, perhaps
		}
	}
	if err != nil {
		return nil, s.answer(err)
	}
	return &struct{ Body CheckoutResult }{out}, nil
}

// place carries an order out and answers with what became of it and the order's
// checkout token, which no row holds.
func (s *shop) place(ctx context.Context, in CommandInput, caller, route string, ordered func() (commands.Purchase, error)) (*checkoutOutput, error) {
	settled := func(*billing.Outcome) {}
	r, err := s.Commands.Buy(ctx, in.row(ctx, caller, route), func() (commands.Purchase, error) {
		p, err := ordered()
		if err == nil {
			err = in.check()
		}
		switch {
		case err != nil:
		case p.Order.Pay == billing.PayTrial || p.Subscription.Collection == billing.ByInvoice: // mailed before anything is paid
			err = s.mayMail(ctx, p.Order.Billing.Email, p.Order.Licensee.Email)
		case p.Token != "":
			settled, err = s.mayDecline(ctx)
		}
		return p, err
	})
	if err == nil {
		settled(r.Outcome)
	}
	if err != nil {
		return nil, s.answer(err)
	}
	token := s.checkoutToken(r.Subscription, r.CreatedAt)
	out, err := s.checkoutAnswer(ctx, r)
	if err != nil {
		p := s.answer(err)
		if p.SubscriptionID != "" {
			p.CheckoutToken = token
		}
		return nil, p
	}
	out.Body.CheckoutToken = token
	if who := callerOf(ctx); !who.operator && who.account.ID == "" {
		out.Body = out.Body.withoutTrial()
	}
	return out, nil
}

// withoutTrial is what somebody may see who has proved no address: whoever knows
// the id of a trial's licence can have it checked, and so make it used.
func (r CheckoutResult) withoutTrial() CheckoutResult {
	if r.Subscription.Status == billing.Trialing {
		r.Subscription.LicenseID, r.License = nil, nil
	}
	return r
}

// checkoutAnswer is the answer to an order that was carried out: the first one
// again if there was one, or else one made from its outcome. An error may be
// the problem that is the answer.
func (s *shop) checkoutAnswer(ctx context.Context, r billing.Request) (*checkoutOutput, error) {
	switch {
	case r.Status >= 400:
		return nil, replayed(r)
	case r.Status != 0:
		return s.checkoutAgain(ctx, r)
	case r.Outcome != nil && r.Outcome.Code != "":
		return nil, s.orderRefused(ctx, r)
	}
	out := &checkoutOutput{Status: http.StatusCreated}
	var err error
	if out.Body, err = s.checkoutResult(ctx, r); err != nil {
		return nil, err
	}
	switch {
	case r.Outcome != nil:
	case r.Unconfirmed():
		out.Status, out.Body.Payment.Status = http.StatusAccepted, "awaiting_confirmation"
		return out, nil
	default:
		out.Status, out.RetryAfter = http.StatusAccepted, "2"
		return out, nil
	}
	kept := out.Body // anybody with the address of a form or of a bank's page may use it
	kept.Subscription, kept.Payment.ActionURL = kept.Subscription.withoutAction(), nil
	s.Commands.Keep(ctx, r, out.Status, kept)
	return out, nil
}

// checkoutAgain is the answer that was given before, with the address that it
// was stored without.
func (s *shop) checkoutAgain(ctx context.Context, r billing.Request) (*checkoutOutput, error) {
	out := &checkoutOutput{Status: r.Status}
	if err := json.Unmarshal([]byte(r.Response), &out.Body); err != nil {
		return nil, err
	}
	if l := out.Body.License; l != nil { // who confirms an order and who placed it may be two
		shown := l.seenBy(callerOf(ctx))
		out.Body.License = &shown
	}
	if err := s.withAction(ctx, &out.Body.Subscription, &out.Body.Payment); err != nil {
		return nil, err
	}
	if out.Body.Invoice == nil && out.Body.Payment.Status == string(billing.PaymentRequiresAction) {
		var err error
		if out.Body.Payment, err = s.formAgain(ctx, r); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// orderRefused is the problem of an order that was refused or declined.
func (s *shop) orderRefused(ctx context.Context, r billing.Request) *Problem {
	p := refused(*r.Outcome)
	if len(p.Errors) > 0 && p.Errors[0].Field == "token" {
		p.Errors[0].Field = "payment.token" // where an order has it
	}
	if r.Outcome.Code == billing.CodeCardDeclined {
		p.SubscriptionID = string(r.Subscription)
	}
	s.Commands.Keep(ctx, r, p.Status, p)
	return p
}

// checkoutResult reads what an order came to.
func (s *shop) checkoutResult(ctx context.Context, r billing.Request) (CheckoutResult, error) {
	result, err := s.result(ctx, r)
	if err != nil {
		return CheckoutResult{}, err
	}
	out := CheckoutResult{Subscription: result.Subscription, Invoice: result.Invoice, Payment: Payment{Status: "none"}}
	if result.Payment != nil {
		out.Payment = *result.Payment
	}
	if id := result.Subscription.LicenseID; id != nil {
		if out.License, err = s.licenseShown(ctx, licensing.LicenseID(*id)); err != nil {
			return out, err
		}
	}
	if r.Outcome != nil && r.Outcome.Payment.Status == billing.PaymentRequiresAction && r.Outcome.Invoice == "" {
		out.Payment, err = s.openForm(ctx, r.Subscription, string(r.ID), billing.BackToCheckout)
	}
	return out, err
}

// licenseShown is an order's licence, as far as the caller may see it.
func (s *shop) licenseShown(ctx context.Context, id licensing.LicenseID) (*License, error) {
	l, err := s.licenses.Store.License(ctx, id)
	if err != nil {
		return nil, err
	}
	shown, err := s.licenses.license(ctx, l)
	shown = shown.seenBy(callerOf(ctx))
	return &shown, err
}

// payment validates an order's payment, and that the terms were accepted.
func payment(pay billing.Pay, by *paymentBody, terms bool) (token string, collection billing.Collection, err error) {
	collection = billing.ByCard
	switch {
	case !terms:
		err = refusal(billing.CodeTermsNotAccepted, "accept_terms", "the terms must be accepted")
	case by != nil && by.Method == billing.ByInvoice:
		collection = billing.ByInvoice
	case by != nil && by.Token != nil:
		if token = *by.Token; token == "" {
			err = invalid("payment.token", "is empty")
		}
	case pay == billing.PayNow && by == nil:
		err = invalid("payment", "is required to pay now")
	}
	return token, collection, err
}

// placement is an order with its product and the subscription that it asks for.
type placement struct {
	product billing.Product
	order   billing.Order
	sub     billing.Subscription
}

// order reads what is ordered, and refuses what cannot be.
func (s *shop) order(ctx context.Context, b OrderBody, pay billing.Pay) (placement, error) {
	details, licensee, err := s.parties(b)
	if err != nil {
		return placement{}, err
	}
	product, plan, price, err := s.offer(ctx, b.Product, b.Plan.choice(), b.Quantity, b.Currency)
	if err != nil {
		return placement{}, err
	}
	sites := []string{}
	if len(b.Sites) > 0 {
		if sites, err = checkSites(b.Sites, plan.Type, b.Quantity); err != nil {
			return placement{}, err
		}
	}
	for _, text := range b.texts() {
		if !printable(text.value) {
			return placement{}, invalid(text.field, "has characters that cannot be printed")
		}
	}
	if _, err = s.vatID(ctx, b.Billing.TaxBody, &details); err != nil {
		return placement{}, err
	}
	clock, now, err := s.clockOf(ctx, b.TestClock)
	if err != nil {
		return placement{}, err
	}
	discount, err := s.discount(ctx, b.Coupon, product.ID, price.Currency, now)
	if err != nil {
		return placement{}, err
	}
	spoken, err := s.spoken(ctx, b.Language)
	if err != nil {
		return placement{}, err
	}
	who := callerOf(ctx)
	sub := billing.Subscription{
		ID: billing.SubscriptionID(commands.NewID("sub")), Status: billing.Incomplete, Product: product.ID, Plan: plan.Ref(), Quantity: b.Quantity,
		Price: price, CreatedAt: billing.Instant(s.Now()), TestClock: clock,
		Discount: discount, Guest: !who.operator && who.account.Email != strings.ToLower(details.Email),
	}
	order := billing.Order{
		Subscription: sub.ID, License: licensing.LicenseID(commands.NewID("lic")), Licensee: licensee, Pay: pay, Sites: sites, Billing: details, Language: spoken.stored(),
		Vouched: who.operator || who.account.ID != "" && billing.Organisation(who.account.Email) == billing.Organisation(licensee.Email),
	}
	return placement{product, order, sub}, nil
}

// spoken is the language of an order that may say which.
func (s *shop) spoken(ctx context.Context, asked Language) (Language, error) {
	if id := callerOf(ctx).account.ID; asked == "" && id != "" {
		p, err := s.Store.Profile(ctx, id)
		if err != nil || p.Language != "" {
			return Language(p.Language), err
		}
	}
	return Language(cmp.Or(string(asked), acceptedLanguage(ctx))), nil
}

// parties reads who pays, but for the VAT id, and who receives the licence.
func (s *shop) parties(b OrderBody) (details billing.BillingDetails, licensee billing.Contact, err error) {
	if err := s.checkCountry(b.Billing.Country); err != nil {
		return details, licensee, err
	}
	buyer, err := contact("billing", b.Billing.ContactBody)
	if err != nil {
		return details, licensee, err
	}
	details = billing.BillingDetails{Contact: buyer, Company: b.Billing.Company, Country: b.Billing.Country,
		PurchaseOrder: strings.TrimSpace(b.Billing.PurchaseOrder), CostCenter: strings.TrimSpace(b.Billing.CostCenter)}
	if a := b.Billing.Address; a != nil {
		details.Line1, details.Line2, details.City, details.Postal, details.Region = a.Line1, a.Line2, a.City, a.PostalCode, a.Region
	}
	if b.Licensee == nil {
		return details, buyer, nil
	}
	licensee, err = contact("licensee", *b.Licensee)
	return details, licensee, err
}

const checkoutRoute = "POST /v1/checkout"

// orderer is the scope of an order's Idempotency-Key. A guest's is a hash
// of the billing address, so that nobody can block or read another's orders: the
// one that has this key already, where the secret has been changed since.
func (s *shop) orderer(ctx context.Context, route, key, email string) (string, error) {
	if who := callerOf(ctx); who.key != "" || who.session != "" {
		return who.name(), nil
	}
	current := ""
	for i, mac := range s.Secret.SignAll("caller", []byte(strings.ToLower(strings.TrimSpace(email)))) {
		caller := "mail:" + hex.EncodeToString(mac)
		if i == 0 {
			current = caller
		}
		if len(s.Secret) == 1 {
			break
		}
		switch _, err := s.Commands.Find(ctx, caller, route, key); {
		case err == nil:
			return caller, nil
		case !errors.Is(err, billing.ErrNotFound):
			return "", err
		}
	}
	return current, nil
}

// mailbox is an address that mail servers agree about: 64 characters without
// quotes before the @, and a host name with a dot behind it.
var mailbox = regexp.MustCompile(`^[A-Za-z0-9.!#$%&'*+/=?^_{|}~` + "`" + `-]{1,64}@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])$`)

// printable tells whether a text has no control characters but those allowed.
func printable(s string, allowed ...rune) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && !slices.Contains(allowed, r) })
}

// contact validates a person's name and e-mail address.
func contact(field string, c ContactBody) (billing.Contact, error) {
	name := strings.TrimSpace(c.Name)
	if name == "" || !printable(name) {
		return billing.Contact{}, invalid(field+".name", "is empty or has control characters")
	}
	email, err := emailAddress(field+".email", c.Email)
	if err != nil {
		return billing.Contact{}, err
	}
	return billing.Contact{Name: name, Email: email}, nil
}

// emailAddress validates an e-mail address.
func emailAddress(field, typed string) (string, error) {
	email := strings.TrimSpace(typed)
	a, err := mail.ParseAddress(email)
	if err != nil || a.Address != email || !mailbox.MatchString(email) {
		return "", invalid(field, "is not an e-mail address")
	}
	return email, nil
}
