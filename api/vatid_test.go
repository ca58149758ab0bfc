package api_test

import (
	"github.com/okviz/licensing/billing"
	"testing"
)

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
