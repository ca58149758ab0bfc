package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/okviz/licensing/billing"
)

func (s *accounts) profileRoutes(h huma.API) {
	huma.Register(h, route(http.MethodGet, "/v1/me", "me", "The signed-in account and its details", "Account", account(billing.MemberFinance, billing.MemberTechnical)), s.me)
	huma.Register(h, route(http.MethodPatch, "/v1/me", "edit-me", "Change the details for later orders; absent fields stay", "Account", account(billing.MemberFinance)), s.editMe)
	huma.Register(h, route(http.MethodGet, "/v1/payment-methods", "list-payment-methods", "Your stored cards, the newest first", "Account", account(billing.MemberFinance)), s.listCards)
	huma.Register(h, route(http.MethodDelete, "/v1/payment-methods/{id}", "remove-payment-method", "Remove a stored card that no subscription uses", "Account", account(billing.MemberFinance)), s.removeCard)
}

// Me is an account as its owner sees it, with what was written down for later
// orders. Empty: nothing was.
type Me struct {
	ID       string      `json:"id"`
	Email    string      `json:"email"`
	Name     string      `json:"name"`
	Company  string      `json:"company"`
	Country  string      `json:"country"`
	VATID    string      `json:"vat_id"`
	Address  addressBody `json:"address"`
	Language Language    `json:"language" doc:"Of mails about the account, and of later orders that do not say theirs."`
	Licensee *User       `json:"licensee" doc:"Who usually receives the licences; null: the account's owner."`

	SignedInAs  string             `json:"signed_in_as" doc:"Your own address."`
	Role        billing.MemberRole `json:"role" enum:"owner,finance,technical" doc:"Yours in this account."`
	Accounts    []AccountOfYours   `json:"accounts" doc:"All that you may use, your own first."`
	EmailChange *EmailChange       `json:"email_change" doc:"Another address of the account, which is not confirmed by both yet."`
}

// AccountOfYours is an account that who has signed in may use.
type AccountOfYours struct {
	ID      string             `json:"id"`
	Email   string             `json:"email"`
	Company string             `json:"company"`
	Role    billing.MemberRole `json:"role" enum:"owner,finance,technical"`
}

// User is a name with an address.
type User struct {
	Name  string `json:"name" maxLength:"200"`
	Email string `json:"email" maxLength:"254"`
}

// MeBody changes an account's details. An address replaces the earlier one
// whole.
type MeBody struct {
	Name     *string      `json:"name,omitempty" maxLength:"200"`
	Company  *string      `json:"company,omitempty" maxLength:"200"`
	Country  *string      `json:"country,omitempty" maxLength:"2" doc:"ISO 3166-1 alpha-2"`
	VATID    *string      `json:"vat_id,omitempty" maxLength:"20" doc:"In the European Union a well-formed VAT id of the same country."`
	Address  *addressBody `json:"address,omitempty"`
	Language *Language    `json:"language,omitempty"`
	Licensee *User        `json:"licensee,omitempty" doc:"With empty name and e-mail address: the account's owner."`
}

// profiled is the account of a caller with its profile, of which technical members
// see nothing.
func (s *accounts) profiled(ctx context.Context, c caller) (Me, error) {
	var p billing.Profile
	var err error
	if c.member != billing.MemberTechnical {
		if p, err = s.Store.Profile(ctx, c.account.ID); err != nil {
			return Me{}, err
		}
	}
	v := viewMe(c.account, p)
	v.SignedInAs, v.Role, v.Accounts = c.person.Email, c.member, []AccountOfYours{}
	of, err := s.Store.Memberships(ctx, c.person.ID)
	if err != nil {
		return v, err
	}
	for _, m := range of {
		if c.key != "" && m.Account.ID != c.account.ID {
			continue // a key is for one account
		}
		v.Accounts = append(v.Accounts, AccountOfYours{string(m.Account.ID), m.Account.Email, m.Company, m.Role})
	}
	if c.member != billing.MemberOwner {
		return v, nil
	}
	change, err := s.Store.OpenEmailChange(ctx, c.account.ID)
	if err == nil {
		v.EmailChange = viewEmailChange(change)
	} else if errors.Is(err, billing.ErrNotFound) {
		err = nil
	}
	return v, err
}

// as is who an account is shown to: to an operator as to its own address.
func (c caller) as(a billing.Account) caller {
	if c.operator {
		return caller{account: a, person: a, member: billing.MemberOwner}
	}
	return c
}

func viewMe(a billing.Account, p billing.Profile) Me {
	b := p.Billing
	v := Me{
		ID: string(a.ID), Email: a.Email, Name: b.Name, Company: b.Company, Country: b.Country, VATID: b.VATID,
		Address: addressBody{b.Line1, b.Line2, b.City, b.Postal, b.Region}, Language: viewLanguage(p.Language),
	}
	if p.Licensee.Email != "" {
		v.Licensee = &User{p.Licensee.Name, p.Licensee.Email}
	}
	return v
}

func (s *accounts) me(ctx context.Context, in *AccountInput) (*struct{ Body Me }, error) {
	a, err := s.accountOf(ctx, *in)
	if err != nil {
		return nil, s.answer(err)
	}
	v, err := s.profiled(ctx, callerOf(ctx).as(a))
	if err != nil {
		return nil, s.answer(err)
	}
	return &struct{ Body Me }{v}, nil
}

func (s *accounts) editMe(ctx context.Context, in *struct {
	AccountInput
	Body MeBody
}) (*struct{ Body Me }, error) {
	a, err := s.accountOf(ctx, in.AccountInput)
	if err != nil {
		return nil, s.answer(err)
	}
	p, err := s.Store.Profile(ctx, a.ID)
	if err == nil {
		p, err = s.edited(ctx, p, in.Body)
	}
	if err == nil {
		err = s.Store.PutProfile(ctx, a.ID, p)
	}
	if err != nil {
		return nil, s.answer(err)
	}
	v, err := s.profiled(ctx, callerOf(ctx).as(a))
	if err != nil {
		return nil, s.answer(err)
	}
	return &struct{ Body Me }{v}, nil
}

// edited is a profile with what a body changes of it, held to what an order
// would be held to.
func (s *accounts) edited(ctx context.Context, p billing.Profile, b MeBody) (billing.Profile, error) {
	d := &p.Billing
	var wrong error
	put := func(field string, to *string, from string) {
		if from = strings.TrimSpace(from); !printable(from) && wrong == nil {
			wrong = invalid(field, "has characters that cannot be printed")
		}
		*to = from
	}
	for _, f := range []struct {
		field string
		to    *string
		from  *string
	}{{"name", &d.Name, b.Name}, {"company", &d.Company, b.Company}, {"country", &d.Country, b.Country}, {"vat_id", &d.VATID, b.VATID}} {
		if f.from != nil {
			put(f.field, f.to, *f.from)
		}
	}
	if a := b.Address; a != nil {
		put("address.line1", &d.Line1, a.Line1)
		put("address.line2", &d.Line2, a.Line2)
		put("address.city", &d.City, a.City)
		put("address.postal_code", &d.Postal, a.PostalCode)
		put("address.region", &d.Region, a.Region)
	}
	if b.Language != nil {
		p.Language = string(*b.Language)
	}
	if wrong != nil {
		return p, wrong
	}
	if d.Country != "" && !billing.ValidCountry(d.Country) || d.Country == "" && d.VATID != "" {
		return p, invalid("country", "is not a country")
	}
	vatID := d.VATID
	err := s.ownVATID(ctx, TaxBody{Country: d.Country, VATID: &vatID}, d)
	if d.VATCheck = (billing.VATCheck{}); err != nil { // each order asks anew
		return p, err
	}
	if l := b.Licensee; l != nil {
		p.Licensee = billing.Contact{}
		if *l != (User{}) {
			p.Licensee, err = contact("licensee", ContactBody(*l))
		}
	}
	return p, err
}

// StoredCard is a card that subscriptions may be charged to.
type StoredCard struct {
	ID string `json:"id"`
	Card
	CreatedAt     time.Time    `json:"created_at"`
	Subscriptions []PaidByCard `json:"subscriptions" doc:"Ids of live subscriptions charged to this card; it can only be removed when there is none."`
}

// PaidByCard is a subscription that is charged to a card.
type PaidByCard struct {
	ID     string `json:"id"`
	Number int64  `json:"number"`
}

func (s *accounts) listCards(ctx context.Context, in *AccountInput) (*struct{ Body List[StoredCard] }, error) {
	a, err := s.accountOf(ctx, *in)
	if err != nil {
		return nil, s.answer(err)
	}
	cards, err := s.Store.StoredCards(ctx, a.ID)
	if err != nil {
		return nil, s.answer(err)
	}
	out := List[StoredCard]{Data: []StoredCard{}}
	for _, c := range cards {
		v := StoredCard{ID: c.Ref, Card: Card{c.Brand, c.Last4, c.Exp}, CreatedAt: c.CreatedAt.UTC(), Subscriptions: []PaidByCard{}}
		for _, sub := range c.Pays {
			v.Subscriptions = append(v.Subscriptions, PaidByCard{string(sub.ID), sub.Number})
		}
		out.Data = append(out.Data, v)
	}
	return &struct{ Body List[StoredCard] }{out}, nil
}

func (s *accounts) removeCard(ctx context.Context, in *struct {
	AccountInput
	ID string `path:"id" maxLength:"255"`
}) (*struct{}, error) {
	a, err := s.accountOf(ctx, in.AccountInput)
	if err == nil {
		err = s.Store.RemoveCard(ctx, a.ID, in.ID)
	}
	if err != nil {
		return nil, s.answer(err)
	}
	return nil, nil
}
