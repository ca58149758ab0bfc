package api

import (
	"cmp"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/delivery/words"
	"github.com/okviz/licensing/licensing"
)

// The objects of the contract, and how they are made of what the store keeps.

// Plan names what a subscription is for.
type Plan struct {
	ID    string         `json:"id"`
	Type  licensing.Type `json:"type" enum:"users,capacity,site"`
	Tier  *string        `json:"tier"`
	Cycle billing.Cycle  `json:"cycle" enum:"monthly,yearly,three_years"`
}

// Period is half open: its end is not a part of it.
type Period struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// Card is what a person recognises a card by.
type Card struct {
	Brand string `json:"brand"`
	Last4 string `json:"last4"`
	Exp   string `json:"exp" example:"2029-12"`
}

// Payment is what became of a payment.
type Payment struct {
	Status      string  `json:"status" enum:"succeeded,requires_action,declined,pending,awaiting_confirmation,none" doc:"awaiting_confirmation: the order is carried out once its address has been confirmed by the mailed link."`
	ActionURL   *string `json:"action_url"`
	DeclineCode *string `json:"decline_code"`
}

// PendingPayment is a payment whose outcome is still to come.
type PendingPayment struct {
	Status    string        `json:"status" enum:"requires_action,pending" doc:"requires_action: the customer must confirm; pending: the gateway is working on it."`
	Amount    billing.Money `json:"amount"`
	ActionURL *string       `json:"action_url" doc:"The page on which the customer confirms the payment."`
	ExpiresAt *time.Time    `json:"expires_at" doc:"When the payment is given up if the customer has not confirmed it."`
}

// PendingChange is a change whose payment waits for the customer.
type PendingChange struct {
	Plan      Plan          `json:"plan"`
	Quantity  int64         `json:"quantity"`
	AmountDue billing.Money `json:"amount_due"`
	ActionURL *string       `json:"action_url"`
	ExpiresAt *time.Time    `json:"expires_at"`
}

// ScheduledChange is a change that is made at the end of what is paid.
type ScheduledChange struct {
	Plan     Plan      `json:"plan"`
	Quantity int64     `json:"quantity"`
	At       time.Time `json:"at" doc:"The first period of the new plan begins here, at the price that the plan has then."`
}

// Subscription as its owner sees it.
type Subscription struct {
	ID                string                `json:"id"`
	Number            int64                 `json:"number"`
	Status            billing.Status        `json:"status" enum:"incomplete,incomplete_expired,trialing,active,past_due,canceled"`
	Product           string                `json:"product"`
	Plan              Plan                  `json:"plan"`
	Quantity          int64                 `json:"quantity"`
	Price             billing.Money         `json:"price" doc:"The price of one unit for one cycle, as of when the plan was chosen."`
	Collection        billing.Collection    `json:"collection" enum:"card,invoice"`
	CreatedAt         time.Time             `json:"created_at"`
	ConfirmBy         *time.Time            `json:"confirm_by" doc:"Until when an order waits for its address to be confirmed; null: it does not."`
	CurrentPeriod     *Period               `json:"current_period"`
	TrialEnd          *time.Time            `json:"trial_end"`
	NextPaymentAt     *time.Time            `json:"next_payment_at"`
	LastPaymentAt     *time.Time            `json:"last_payment_at"`
	CancelAtPeriodEnd bool                  `json:"cancel_at_period_end"`
	CanceledAt        *time.Time            `json:"canceled_at"`
	CancelReason      *billing.CancelReason `json:"cancel_reason"`
	PendingChange     *PendingChange        `json:"pending_change"`
	ScheduledChange   *ScheduledChange      `json:"scheduled_change"`
	PendingPayment    *PendingPayment       `json:"pending_payment,omitempty" doc:"Absent if no change is pending."`
	PaymentMethod     *Card                 `json:"payment_method"`
	Actions           []billing.Action      `json:"actions" doc:"The commands that are possible now, in the order of the page's buttons."`
	PurchaseOrder     string                `json:"purchase_order"`
	CostCenter        string                `json:"cost_center" doc:"Where your own books have the order."`
	Language          Language              `json:"language"`
	LicenseID         *string               `json:"license_id"`
	BillingAccount    *string               `json:"billing_account"`
	LicenseeAccount   *string               `json:"licensee_account"`
	TestClock         *string               `json:"test_clock"`
	Comp              *Comp                 `json:"comp" doc:"Of a free licence; null for others."`
}

// Comp is a free licence that an operator has given.
type Comp struct {
	Until  time.Time `json:"until"`
	Reason string    `json:"reason" doc:"In the operator's words; only operators see it."`
}

// License as its licensee sees it: no prices.
type License struct {
	ID                 string               `json:"id"`
	SubscriptionID     string               `json:"subscription_id"`
	SubscriptionNumber int64                `json:"subscription_number"`
	Product            string               `json:"product"`
	Plan               Plan                 `json:"plan"`
	Quantity           int64                `json:"quantity"`
	Status             licensing.Code       `json:"status"`
	ValidUntil         time.Time            `json:"valid_until"`
	Licensee           string               `json:"licensee"`
	Sites              []string             `json:"sites"`
	SitesAllowed       int64                `json:"sites_allowed"`
	Activation         licensing.Activation `json:"activation" enum:"none,licensee,entra"`
	ActivationKey      *string              `json:"activation_key"`
	Tenant             *string              `json:"tenant"`
	Usage              *Usage               `json:"usage" doc:"Of licences for users; null for others."`
	Versions           []LicenseVersion     `json:"versions"`
}

// Usage is how many people have used a licence for users.
type Usage struct {
	Estimate       int64      `json:"estimate" doc:"Distinct users in the window. Each is an anonymous id that their visual made up."`
	WindowDays     int        `json:"window_days" doc:"How long the window is at most: the running calendar week and the three before it."`
	WithoutIDShare float64    `json:"without_id_share" minimum:"0" maximum:"1" doc:"The share of the window's questions that named no user, and so are not in the estimate."`
	OverSince      *time.Time `json:"over_since" doc:"Since when more people than the plan covers have been counted in a window; null while neither this window nor the one before it has more."`
}

func viewUsage(l licensing.Issued) *Usage {
	if l.Type != licensing.Users {
		return nil
	}
	share := math.Round(l.Usage.WithoutIDShare()*100) / 100
	return &Usage{l.Usage.Estimate, licensing.WindowDays, share, instant(l.OverSince)}
}

// LicenseVersion is a version that a licence's file can be downloaded of.
type LicenseVersion struct {
	billing.Version
	Outdated bool `json:"outdated,omitempty" doc:"The build knows none of the keys that sign: there are no files and leases for it."`
}

// Invoice adds up: the lines' amounts are the subtotal; less discount, plus
// tax, they are the total; less the balance they are the amount due.
type Invoice struct {
	ID             string                `json:"id"`
	Number         *string               `json:"number"`
	Status         billing.InvoiceStatus `json:"status" enum:"draft,open,paid,void"`
	SubscriptionID string                `json:"subscription_id"`
	IssuedAt       *time.Time            `json:"issued_at"`
	DueAt          *time.Time            `json:"due_at"`
	PaidAt         *time.Time            `json:"paid_at"`
	Lines          []Line                `json:"lines"`
	Subtotal       billing.Money         `json:"subtotal"`
	Discount       billing.Money         `json:"discount"`
	Tax            billing.Money         `json:"tax"`
	TaxNote        *string               `json:"tax_note"`
	Total          billing.Money         `json:"total"`
	BalanceApplied billing.Money         `json:"balance_applied"`
	AmountDue      billing.Money         `json:"amount_due"`
	CreditNotes    []CreditNote          `json:"credit_notes"`
}

// Line of an invoice, without tax. A credit's amount is negative here, so that
// lines add up.
type Line struct {
	Description string        `json:"description"`
	Quantity    int64         `json:"quantity"`
	Amount      billing.Money `json:"amount"`
	Period      *Period       `json:"period"`
}

// CreditNote corrects an invoice.
type CreditNote struct {
	Number string        `json:"number"`
	Total  billing.Money `json:"total"`
	Reason string        `json:"reason"`
}

// instant is nil for the zero time.
func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// text is nil for the empty string.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func viewPlan(p billing.PlanRef) Plan { return Plan{p.ID, p.Type, text(p.Tier), p.Cycle} }

func viewPeriod(p billing.Period) *Period {
	if p.Start.IsZero() {
		return nil
	}
	return &Period{p.Start.UTC(), p.End.UTC()}
}

func viewSubscription(o billing.Overview) Subscription {
	v := Subscription{
		ID: string(o.ID), Number: o.Number, Status: o.Status, Product: o.Product, Plan: viewPlan(o.Plan), Quantity: o.Quantity,
		Price: o.Price.Money, Collection: o.Collection, CreatedAt: o.CreatedAt.UTC(), CurrentPeriod: viewPeriod(o.Period),
		TrialEnd: instant(o.TrialEnd), NextPaymentAt: instant(o.NextPaymentAt()), LastPaymentAt: instant(o.LastPaymentAt),
		CancelAtPeriodEnd: o.CancelAtPeriodEnd, CanceledAt: instant(o.CanceledAt), Actions: o.Actions(o.At(o.Read)),
		LicenseID: text(string(o.License)), BillingAccount: text(o.BillingAccount), LicenseeAccount: text(o.LicenseeAccount),
		TestClock: text(o.TestClock), PurchaseOrder: o.PurchaseOrder, CostCenter: o.CostCenter, Language: viewLanguage(o.Language),
	}
	if o.Comp {
		v.Comp = &Comp{o.PaidUntil().UTC(), o.CompReason}
	}
	if o.AwaitsConfirmation() {
		v.ConfirmBy = instant(o.ConfirmBy)
	}
	if c := o.ScheduledChange; c != (billing.ScheduledChange{}) {
		v.ScheduledChange = &ScheduledChange{viewPlan(c.Plan), c.Quantity, c.At.UTC()}
	}
	if o.CancelReason != "" {
		v.CancelReason = &o.CancelReason
	}
	if w := o.PendingPayment; w.Invoice != "" {
		p := PendingPayment{Status: paymentStatus(billing.PaymentProcessing), Amount: w.Amount}
		if w.Action {
			p.Status, p.ActionURL, p.ExpiresAt = paymentStatus(billing.PaymentRequiresAction), text(o.ActionURL), instant(w.Until)
		}
		v.PendingPayment = &p
		if w.Purpose == billing.ForChange {
			v.PendingChange = &PendingChange{viewPlan(w.Plan), w.Quantity, w.Amount, p.ActionURL, p.ExpiresAt}
		}
	}
	if o.Card != nil {
		v.PaymentMethod = &Card{o.Card.Brand, o.Card.Last4, o.Card.Exp}
	}
	return v
}

// paymentStatus is a payment's status as the API says it.
func paymentStatus(s billing.PaymentStatus) string {
	if s == billing.PaymentProcessing {
		s = billing.PaymentPending
	}
	return string(s)
}

// withoutAction is what is kept of an answer: where the customer answers the bank
// may be a credential, and stands in the invoice's row alone.
func (v Subscription) withoutAction() Subscription {
	if v.PendingPayment != nil {
		p := *v.PendingPayment
		p.ActionURL, v.PendingPayment = nil, &p
	}
	if v.PendingChange != nil {
		c := *v.PendingChange
		c.ActionURL, v.PendingChange = nil, &c
	}
	return v
}

// waitsLike tells whether the same payment waits in both.
func (v Subscription) waitsLike(o Subscription) bool {
	p, q := v.PendingPayment, o.PendingPayment
	return p != nil && q != nil && p.Status == q.Status && p.Amount == q.Amount && (p.ExpiresAt == nil) == (q.ExpiresAt == nil) &&
		(p.ExpiresAt == nil || p.ExpiresAt.Equal(*q.ExpiresAt))
}

// withoutNames is what the holder of a checkout token may see.
func (v Subscription) withoutNames() Subscription {
	v.BillingAccount, v.LicenseeAccount, v.PaymentMethod, v.PurchaseOrder, v.CostCenter = nil, nil, nil, "", ""
	if v.Status == billing.Trialing { // see withoutTrial
		v.LicenseID = nil
	}
	return v
}

func (s *server) viewLicense(l licensing.Issued, versions []billing.Version, now time.Time) License {
	allowed := int64(0)
	if l.Type == licensing.Site {
		allowed = l.Quantity
	}
	v := License{
		ID: string(l.ID), SubscriptionID: l.Subscription, SubscriptionNumber: l.Number, Product: l.Product,
		Plan:     Plan{ID: l.PlanID, Type: l.Type, Tier: text(l.Tier), Cycle: billing.Cycle(l.Cycle)},
		Quantity: l.Quantity, Status: l.Status(now), ValidUntil: l.ValidUntil.UTC(), Licensee: l.Licensee,
		Sites: l.Sites, SitesAllowed: allowed, Activation: l.Activation, Tenant: text(l.Tenant), Usage: viewUsage(l), Versions: make([]LicenseVersion, len(versions)),
	}
	for i, version := range versions {
		v.Versions[i] = LicenseVersion{version, !s.Keys.SignsFor(version.Build.Kids)}
	}
	if v.Sites == nil {
		v.Sites = []string{}
	}
	if l.Activation == licensing.ActivationEntra {
		v.ActivationKey = text(l.ActivationKey)
	}
	return v
}

// seenBy takes the commands from a subscription that a member of the account may
// not give.
func (v Subscription) seenBy(c caller) Subscription {
	if c.member == billing.MemberFinance {
		v.Actions = slices.DeleteFunc(v.Actions, func(a billing.Action) bool { return a != billing.ActionPaymentMethod })
	}
	return v
}

// seenBy takes the activation key from a licence that another than its
// licensee or an operator looks at, or a member for finance. The licence shows the licensee's address.
func (v License) seenBy(c caller) License {
	if !v.isOf(c) || c.member == billing.MemberFinance {
		v.ActivationKey = nil
	}
	return v
}

// isOf tells whether the caller is the licensee, or an operator.
func (v License) isOf(c caller) bool {
	return c.operator || strings.HasSuffix(strings.ToLower(v.Licensee), "<"+c.account.Email+">")
}

func viewInvoice(in *words.Language, inv billing.Invoice, notes []billing.CreditNote) Invoice {
	v := Invoice{
		ID: string(inv.ID), Number: text(cmp.Or(inv.Number, inv.Former)), Status: inv.Status, SubscriptionID: string(inv.Subscription),
		IssuedAt: instant(inv.IssuedAt), DueAt: instant(inv.DueAt), PaidAt: instant(inv.PaidAt), Lines: viewLines(in, inv),
		Subtotal: inv.Subtotal(), Discount: inv.Discount(), Tax: inv.Tax(), TaxNote: text(in.TaxNote(inv.TaxNote)), Total: inv.Total(),
		BalanceApplied: billing.Money{Amount: inv.BalanceApplied, Currency: inv.Currency}, AmountDue: inv.AmountDue(),
		CreditNotes: []CreditNote{},
	}
	for _, n := range notes {
		v.CreditNotes = append(v.CreditNotes, CreditNote{n.Number, n.Total(), n.Reason})
	}
	return v
}

func viewLines(in *words.Language, inv billing.Invoice) []Line {
	lines := []Line{}
	for _, l := range inv.Lines {
		lines = append(lines, Line{in.LineOf(l), l.Quantity, billing.Money{Amount: l.Amount, Currency: inv.Currency}, viewPeriod(l.Period)})
	}
	return lines
}

// List is a part of a list. NextCursor is null at its end.
type List[T any] struct {
	Data       []T     `json:"data"`
	NextCursor *string `json:"next_cursor"`
}

// PageInput asks for a part of a list.
type PageInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"20"`
	Cursor string `query:"cursor" maxLength:"64" doc:"The next_cursor of the previous page."`
}

var idCursor = regexp.MustCompile(`^[a-z]{3}_[0-9A-Z]{26}$`)

// isCursor holds the cursor of a list by id to ids of its kind.
func (p PageInput) isCursor(prefix string) bool {
	return p.Cursor == "" || idCursor.MatchString(p.Cursor) && strings.HasPrefix(p.Cursor, prefix+"_")
}

// listed makes a list of one row more than was asked for.
func listed[T, V any](rows []T, limit int, cursor func(T) string, view func(T) V) List[V] {
	out := List[V]{Data: []V{}}
	for i, row := range rows {
		if i == limit {
			out.NextCursor = text(cursor(rows[i-1]))
			break
		}
		out.Data = append(out.Data, view(row))
	}
	return out
}
