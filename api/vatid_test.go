package api_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/okviz/licensing/billing"
)

// register is one in place of the member states'.
type register struct {
	asked int
	entry billing.VATEntry
	away  bool
}

func (r *register) Lookup(context.Context, string) (billing.VATEntry, error) {
	r.asked++
	if r.away {
		return billing.VATEntry{}, errors.New("MS_UNAVAILABLE")
	}
	return r.entry, nil
}

func with(r *register, unverified billing.WhenUnverified) func(*parts) {
	return func(p *parts) { p.VATRegister, p.Policy.Unverified = r, unverified }
}

const german = `billing.country="DE"`

// What the register says decides: 9.90 with 19 % in Germany is 1.88 of tax.
func TestTheRegisterOfVATIDsIsAskedAndItsAnswerKeptWithTheOrder(t *testing.T) {
	for name, c := range map[string]struct {
		register   register
		unverified billing.WhenUnverified
		tax        float64
		status     string
		stored     billing.VATCheck
	}{
		"a known id":                             {register{entry: billing.VATEntry{Exists: true, Consultation: "WAPI1", Company: "ACME GmbH"}}, billing.AcceptUnverified, 0, "verified", billing.VATCheck{Status: billing.VATVerified, Consultation: "WAPI1"}},
		"one that it could not be asked about":   {register{away: true}, billing.AcceptUnverified, 0, "unverified", billing.VATCheck{Status: billing.VATUnverified}},
		"the same where the vendor charges then": {register{away: true}, billing.TaxUnverified, 188, "taxed", billing.VATCheck{Status: billing.VATUnverified, Taxed: true}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, with(&c.register, c.unverified))
			at := billing.Instant(time.Now())
			s.now = at
			seen := s.ask("POST", "/v1/checkout/preview", preview("DE", "DE136695976")).want(200, "")
			if seen.at("vat_check.status") != c.status || seen.at("tax.amount") != c.tax || seen.at("vat_check.consultation") != nil {
				t.Errorf("the preview says %v, and a tax of %v", seen.at("vat_check"), seen.at("tax.amount"))
			}
			if company, _ := seen.at("vat_check.company").(string); company != c.register.entry.Company {
				t.Errorf("the preview names %q", company)
			}
			a := s.buy(`currency="EUR"`, german, `billing.vat_id="DE136695976"`).want(201, "")
			if a.at("invoice.tax.amount") != c.tax {
				t.Errorf("taxed with %v, want %v", a.at("invoice.tax.amount"), c.tax)
			}
			b, err := s.store.Snapshot(t.Context(), billing.SubscriptionID(a.text("subscription.id")))
			check(t, err)
			if c.stored.At = at; b.Order.Billing.VATCheck != c.stored {
				t.Errorf("kept with the order: %+v, want %+v", b.Order.Billing.VATCheck, c.stored)
			}
			kept := s.ask("GET", "/v1/subscriptions/"+a.text("subscription.id")+"/billing-details", "", asOperator).want(200, "")
			if kept.at("vat_check.status") != c.status || c.stored.Consultation != "" && kept.at("vat_check.consultation") != c.stored.Consultation {
				t.Errorf("the operator sees %v", kept.at("vat_check"))
			}
			if n := c.register.asked; n != 1 {
				t.Errorf("asked %d times for one id within a moment", n)
			}
		})
	}
}

func TestAVATIDThatNoMemberStateKnowsIsRefusedAtItsField(t *testing.T) {
	r := &register{}
	s := newShop(t, with(r, billing.AcceptUnverified))
	s.now = billing.Instant(time.Now())
	for _, path := range []string{"/v1/checkout/preview", "/v1/checkout"} {
		body := order(`currency="EUR"`, german, `billing.vat_id="DE136695976"`)
		if path == "/v1/checkout/preview" {
			body = preview("DE", "DE136695976")
		}
		a := s.ask("POST", path, body, withKey()).want(422, "invalid_vat_id")
		if field := a.at("errors").([]any)[0].(map[string]any)["field"]; field != "billing.vat_id" {
			t.Errorf("%s speaks of %v", path, field)
		}
	}
	s.now = s.now.Add(time.Hour)
	r.entry.Exists = true // given out since
	s.ask("POST", "/v1/checkout/preview", preview("DE", "DE136695976")).want(200, "")
}

func TestTheRegisterIsNotAskedForIDsWithoutItsFormNorOutsideTheUnionNorInTheSellersCountry(t *testing.T) {
	r := &register{}
	s := newShop(t, with(r, billing.AcceptUnverified))
	s.ask("POST", "/v1/checkout/preview", preview("DE", "DE136695978")).want(422, "invalid_vat_id")
	s.ask("POST", "/v1/checkout/preview", preview("CH", "CHE-107.787.577 IVA")).want(200, "")
	s.ask("POST", "/v1/checkout/preview", preview("DE", "")).want(200, "")
	// Of the seller's country, where the tax is domestic whatever the register says.
	if a := s.ask("POST", "/v1/checkout/preview", preview("IT", "IT00743110157")).want(200, ""); a.at("tax.amount") != 218.0 || a.at("vat_check") != nil {
		t.Errorf("a business in Italy: %s", a.body)
	}
	s.ask("POST", "/v1/checkout/preview", preview("IT", "IT00743110158")).want(422, "invalid_vat_id")
	if n := r.asked; n != 0 {
		t.Errorf("asked %d times", n)
	}
}

// Saving details that an unverified id is among asks again, and counts.
func TestAnIDThatIsVerifiedLaterChangesTheTaxOfTheNextDocuments(t *testing.T) {
	r := &register{away: true}
	s := newShop(t, with(r, billing.TaxUnverified))
	s.now = billing.Instant(time.Now())
	a := s.buy(`currency="EUR"`, german, `billing.vat_id="DE136695976"`).want(201, "")
	r.away, r.entry = false, billing.VATEntry{Exists: true, Consultation: "WAPI2"}
	s.now = s.now.Add(time.Hour)
	at := "/v1/subscriptions/" + a.text("subscription.id") + "/billing-details"
	details := `{"name":"Ada","country":"DE","vat_id":"DE136695976"}`
	s.ask("PUT", at, details, asOperator).want(200, "")
	if next := s.ask("POST", at+"/preview", details, asOperator).want(200, ""); next.at("tax.amount") != 0.0 {
		t.Errorf("the next document's tax is %v", next.at("tax.amount"))
	}
	s.now = s.now.Add(12 * time.Hour) // asked once more, with the same answer
	s.ask("PUT", at, details, asOperator).want(200, "")
	b, err := s.store.Snapshot(t.Context(), billing.SubscriptionID(a.text("subscription.id")))
	check(t, err)
	if n := len(b.Order.Replaced); n != 1 || b.Order.Billing.VATCheck.Consultation != "WAPI2" {
		t.Errorf("%d earlier details, and now %+v", n, b.Order.Billing.VATCheck)
	}
}

func TestAGuestCannotHaveTheRegisterAskedWithoutEnd(t *testing.T) {
	r := &register{entry: billing.VATEntry{Exists: true}}
	s := newShop(t, with(r, billing.AcceptUnverified), func(p *parts) { p.RateLimits = true })
	refused := 0
	for n := range 14 {
		id := fmt.Sprintf("LU%06d%02d", 100_000+n, (100_000+n)%89)
		if a := s.ask("POST", "/v1/checkout/preview", preview("LU", id)); a.status == 429 {
			refused++
		} else {
			a.want(200, "")
		}
	}
	if n := r.asked; n != 10 || refused != 4 {
		t.Errorf("asked %d times, and refused %d", n, refused)
	}
}

func TestAVATIDIsHeldToTheBillingCountry(t *testing.T) {
	s := newShop(t)
	for _, c := range []struct{ name, country, id string }{
		{"a wrong check digit", "DE", "DE136695978"},
		{"an id of another member state", "DE", "ATU13585627"},
		{"a tax number of a country outside", "IT", "CHE-107.787.577 IVA"},
		{"words", "FR", marker},
	} {
		taxes := []string{"billing.country=" + quote(c.country), "billing.vat_id=" + quote(c.id)}
		for _, path := range []string{"/v1/checkout/preview", "/v1/checkout"} {
			body := order(append(taxes, `currency="EUR"`)...)
			if path == "/v1/checkout/preview" {
				body = preview(c.country, c.id)
			}
			a := s.ask("POST", path, body, withKey()).want(422, "invalid_vat_id")
			if field := a.at("errors").([]any)[0].(map[string]any)["field"]; field != "billing.vat_id" {
				t.Errorf("%s: %s speaks of %v", c.name, path, field)
			}
		}
	}
}

func preview(country, vatID string) string {
	return `{"product":"calendar-pro","plan":{"type":"users","tier":"1-20","cycle":"monthly"},"currency":"EUR",
 "billing":{"country":` + quote(country) + `,"vat_id":` + quote(vatID) + `}}`
}

// 9.90 in Italy with 22 %, 2.178; in Germany 19 %, 1.881; the seller is Italian.
func TestReverseChargeIsForAValidVATIDOfAnotherMemberState(t *testing.T) {
	s := newShop(t)
	for _, c := range []struct {
		name, country, id string
		tax               float64
		stored            string
	}{
		{"a person in Germany", "DE", "", 188, ""},
		{"a business in Germany, as it writes its id", "DE", "de 136.695-976", 0, "DE136695976"},
		{"a business in Greece", "GR", "094259216", 0, "EL094259216"},
		{"a business in the seller's country", "IT", "IT 00743110157", 218, "IT00743110157"},
		{"a business in Switzerland, whose number is kept as it is", "CH", "CHE-107.787.577 IVA", 0, "CHE-107.787.577 IVA"},
	} {
		t.Run(c.name, func(t *testing.T) {
			union := c.country != "CH"
			seen := s.ask("POST", "/v1/checkout/preview", preview(c.country, c.id)).want(200, "")
			a := s.buy(`currency="EUR"`, "billing.country="+quote(c.country), "billing.vat_id="+quote(c.id)).want(201, "")
			for name, tax := range map[string]any{"preview": seen.at("tax.amount"), "invoice": a.at("invoice.tax.amount")} {
				if tax != c.tax {
					t.Errorf("tax of the %s is %v, want %v", name, tax, c.tax)
				}
			}
			for name, note := range map[string]any{"preview": seen.at("tax_note"), "invoice": a.at("invoice.tax_note")} {
				if (note != nil) != (union && c.tax == 0) {
					t.Errorf("the %s notes %v", name, note)
				}
			}
			snapshot, err := s.store.Snapshot(t.Context(), billing.SubscriptionID(a.text("subscription.id")))
			check(t, err)
			if got := snapshot.Order.Billing.VATID; got != c.stored {
				t.Errorf("stored as %q, want %q", got, c.stored)
			}
		})
	}
}
