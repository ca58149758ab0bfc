package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/commands"
	"github.com/okviz/licensing/licensing"
)

// amendments change what running subscriptions say of people and companies.
type amendments struct {
	*subscriptions
	licenses *licenses
}

func (s *amendments) routes(h huma.API) {
	const at = "/v1/subscriptions/{id}/billing-details"
	huma.Register(h, route(http.MethodGet, at, "get-billing-details", "Whom the next documents are addressed to", "Account", account(billing.MemberFinance)), s.details)
	huma.Register(h, route(http.MethodPut, at, "amend-billing-details", "Change the billing details, for documents that are numbered after this", "Account", account(billing.MemberFinance)), s.amend)
	huma.Register(h, route(http.MethodPost, at+"/preview", "preview-billing-details", "Preview the next document with other billing details", "Account", account(billing.MemberFinance), by(billing.OperatorRoles...)), s.preview)
	huma.Register(h, route(http.MethodPut, "/v1/licenses/{id}/licensee", "hand-over-license", "Hand the licence over to another licensee, who gets the file by mail", "Account", account(billing.MemberTechnical)), s.handOver)
	huma.Register(h, route(http.MethodPost, "/v1/operator/subscriptions/{id}/transfer", "transfer-subscription", "Have another account pay for a subscription from now on", "Operator", operator(billing.OperatorSupport)), s.transfer)
}

// DetailsBody is whom documents are addressed to, and who gets them.
type DetailsBody struct {
	Name    string       `json:"name" minLength:"1" maxLength:"200"`
	Company string       `json:"company,omitempty" maxLength:"200"`
	TaxBody              // country and vat_id
	Address *addressBody `json:"address,omitempty"`
	CC      []string     `json:"cc,omitempty" maxItems:"5" doc:"E-mail addresses that get the mails that bring documents, too."`
	BooksBody
	Language Language `json:"language,omitempty" doc:"Absent: en."`
}

// BooksBody is what a customer's own books know an order by: documents print it.
type BooksBody struct {
	PurchaseOrder string `json:"purchase_order,omitempty" maxLength:"60" doc:"Your own number of the order: documents print it."`
	CostCenter    string `json:"cost_center,omitempty" maxLength:"60" doc:"Where your own books have it: documents print it."`
}

func viewDetails(o billing.Order) DetailsBody {
	b := o.Billing
	v := DetailsBody{
		Name: b.Name, Company: b.Company, TaxBody: TaxBody{b.Country, text(b.VATID)}, Address: &addressBody{b.Line1, b.Line2, b.City, b.Postal, b.Region},
		CC: o.CC, BooksBody: BooksBody{b.PurchaseOrder, b.CostCenter}, Language: viewLanguage(o.Language),
	}
	if v.CC == nil {
		v.CC = []string{}
	}
	return v
}

// Details are billing details with the evidence of their VAT id.
type Details struct {
	DetailsBody
	VATCheck *VATCheck `json:"vat_check" doc:"null: no VAT id, or no register was asked."`
}

func (s *amendments) details(ctx context.Context, in *SubscriptionInput) (*struct{ Body Details }, error) {
	b, err := s.snapshot(ctx, billing.SubscriptionID(in.ID))
	if err != nil {
		return nil, s.answer(err)
	}
	v := Details{viewDetails(b.Order), viewVATCheck(b.Order.Billing.VATCheck)}
	if v.VATCheck != nil && !callerOf(ctx).operator {
		v.VATCheck.Consultation = ""
	}
	return &struct{ Body Details }{v}, nil
}

// amendment reads what is to be amended.
func (s *amendments) amendment(ctx context.Context, in DetailsBody) (billing.Amendment, error) {
	var a billing.Amendment
	if err := s.checkCountry(in.Country); err != nil {
		return a, err
	}
	d := billing.BillingDetails{Company: in.Company, Country: in.Country, PurchaseOrder: in.PurchaseOrder, CostCenter: in.CostCenter}
	d.Name = in.Name
	if x := in.Address; x != nil {
		d.Line1, d.Line2, d.City, d.Postal, d.Region = x.Line1, x.Line2, x.City, x.PostalCode, x.Region
	}
	for _, f := range []struct {
		field string
		text  *string
	}{
		{"name", &d.Name}, {"company", &d.Company}, {"purchase_order", &d.PurchaseOrder}, {"cost_center", &d.CostCenter}, {"address.line1", &d.Line1}, {"address.line2", &d.Line2},
		{"address.city", &d.City}, {"address.postal_code", &d.Postal}, {"address.region", &d.Region},
	} {
		if *f.text = strings.TrimSpace(*f.text); !printable(*f.text) {
			return a, invalid(f.field, "has characters that cannot be printed")
		}
	}
	if d.Name == "" {
		return a, invalid("name", "is empty")
	}
	for _, address := range in.CC {
		cc, err := emailAddress("cc", address)
		if err != nil {
			return a, invalid("cc", "is not a list of e-mail addresses")
		}
		if !slices.Contains(a.CC, cc) {
			a.CC = append(a.CC, cc)
		}
	}
	if err := s.ownVATID(ctx, in.TaxBody, &d); err != nil {
		return a, err
	}
	a.Billing, a.Language = d, in.Language.stored()
	return a, nil
}

type detailsInput struct {
	SubscriptionInput
	Body DetailsBody
}

// amend needs no key: putting the same details again changes nothing.
func (s *amendments) amend(ctx context.Context, in *detailsInput) (*commandOutput, error) {
	b, err := s.snapshot(ctx, billing.SubscriptionID(in.ID))
	if err != nil {
		return nil, s.answer(err)
	}
	a, err := s.amendment(ctx, in.Body)
	if err == nil {
		to := slices.DeleteFunc(slices.Clone(a.CC), func(cc string) bool { return slices.Contains(b.Order.CC, cc) })
		if b.Subscription.AwaitsTransfer() { // an invoice is mailed anew
			to = append([]string{b.Order.Billing.Email}, a.CC...)
		}
		err = s.mayMail(ctx, to...)
	}
	if err != nil {
		return nil, s.answer(err)
	}
	return s.amended(ctx, billing.ActionAmend, b.Subscription.ID, "/v1/subscriptions/"+in.ID+"/billing-details", CommandInput{amendment: &a})
}

// amended carries an amendment out; one that is made already is as good.
func (s *amendments) amended(ctx context.Context, action billing.Action, id billing.SubscriptionID, path string, in CommandInput) (*commandOutput, error) {
	if in.Key == "" {
		in.Key = commands.NewID("once")
	}
	out, err := s.command(ctx, in, path, id, billing.Command{Action: action}, "")
	var p *Problem
	if !errors.As(err, &p) || p.Code != string(billing.CodeNoChange) {
		return out, err
	}
	o, err := s.mine(ctx, id)
	if err != nil {
		return nil, s.answer(err)
	}
	return &commandOutput{Status: http.StatusOK, Body: commandResult{Subscription: viewSubscription(o)}}, nil
}

// NextDocument is what the next invoice of a subscription comes to.
type NextDocument struct {
	Lines          []Line        `json:"lines"`
	Subtotal       billing.Money `json:"subtotal"`
	Discount       billing.Money `json:"discount"`
	Tax            billing.Money `json:"tax"`
	TaxNote        *string       `json:"tax_note"`
	Total          billing.Money `json:"total"`
	BalanceApplied billing.Money `json:"balance_applied"`
	AmountDue      billing.Money `json:"amount_due"`
}

func (s *amendments) preview(ctx context.Context, in *detailsInput) (*struct{ Body NextDocument }, error) {
	b, err := s.snapshot(ctx, billing.SubscriptionID(in.ID))
	if err != nil {
		return nil, s.answer(err)
	}
	a, err := s.amendment(ctx, in.Body)
	if err != nil {
		return nil, s.answer(err)
	}
	if !b.Subscription.Amendable() {
		return nil, problem(http.StatusConflict, string(billing.CodeNotPossibleNow), "this is not possible in the subscription's present state")
	}
	inv := b.PreviewAmended(a)
	return &struct{ Body NextDocument }{NextDocument{
		viewLines(reader(ctx), inv), inv.Subtotal(), inv.Discount(), inv.Tax(), text(reader(ctx).TaxNote(inv.TaxNote)), inv.Total(),
		billing.Money{Amount: inv.BalanceApplied, Currency: inv.Currency}, inv.AmountDue(),
	}}, nil
}

// handOver is for who pays: the licensee gives no commands.
func (s *amendments) handOver(ctx context.Context, in *struct {
	LicenseInput
	Body ContactBody
}) (*licenseOutput, error) {
	l, err := s.licenses.Store.License(ctx, licensing.LicenseID(in.ID))
	if err != nil {
		return nil, s.answer(err)
	}
	id := billing.SubscriptionID(l.Subscription)
	if _, err = s.mine(ctx, id); err != nil {
		return nil, s.answer(err)
	}
	to, err := contact("licensee", in.Body)
	if err != nil {
		return nil, s.answer(unprefixed(err, "licensee."))
	}
	if to.String() != l.Licensee {
		if err := s.mayMail(ctx, to.Email); err != nil {
			return nil, s.answer(err)
		}
	}
	a, err := s.amendmentFor(ctx, to)
	if err != nil {
		return nil, s.answer(err)
	}
	if _, err := s.amended(ctx, billing.ActionHandOver, id, "/v1/licenses/"+in.ID+"/licensee", CommandInput{amendment: &a}); err != nil {
		return nil, err
	}
	if l, err = s.licenses.Store.License(ctx, l.ID); err != nil {
		return nil, s.answer(err)
	}
	return s.licenses.show(ctx, l)
}

// amendmentFor is the amendment that puts somebody in another's place.
func (s *amendments) amendmentFor(ctx context.Context, to billing.Contact) (billing.Amendment, error) {
	a, err := s.Store.OpenAccount(ctx, to.Email)
	return billing.Amendment{Contact: to, Account: a.ID}, err
}

// transfer moves a subscription to another customer. Who that is has been
// asked for outside of the engine.
func (s *amendments) transfer(ctx context.Context, in *struct {
	CommandInput
	SubscriptionInput
	Body struct {
		Email  string  `json:"email" maxLength:"254" doc:"Of the account that pays from now on; it is opened if there is none."`
		Name   string  `json:"name,omitempty" maxLength:"200" doc:"Whom the next documents are addressed to. Absent: nobody by name."`
		Reason *string `json:"reason,omitempty" maxLength:"500" doc:"For your own records."`
	}
}) (*commandOutput, error) {
	if err := in.check(); err != nil {
		return nil, s.answer(err)
	}
	if _, err := s.mine(ctx, billing.SubscriptionID(in.ID)); err != nil {
		return nil, s.answer(err)
	}
	email, err := emailAddress("email", in.Body.Email)
	if err != nil {
		return nil, s.answer(err)
	}
	name := strings.TrimSpace(in.Body.Name)
	if !printable(name) {
		return nil, invalid("name", "has control characters")
	}
	a, err := s.amendmentFor(ctx, billing.Contact{Name: name, Email: email})
	if err != nil {
		return nil, s.answer(err)
	}
	in.reason, in.amendment = in.Body.Reason, &a
	return s.command(ctx, in.CommandInput, "/v1/operator/subscriptions/"+in.ID+"/transfer", billing.SubscriptionID(in.ID), billing.Command{Action: billing.ActionTransfer}, "")
}

// unprefixed names the field of a problem as the body of its own request does.
func unprefixed(err error, prefix string) error {
	var p *Problem
	if errors.As(err, &p) {
		for i := range p.Errors {
			p.Errors[i].Field = strings.TrimPrefix(p.Errors[i].Field, prefix)
		}
	}
	return err
}
