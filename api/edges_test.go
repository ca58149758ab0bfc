package api_test

import (
	"strings"
	"testing"

	"github.com/okviz/licensing/billing"
)

const (
	oldSecret = "0123456789abcdef0123456789abcdef" // every shop's
	newSecret = "kR7vQ2mZx9TpWb4NcYh6LdFs8GjEa3Uu"
)

// sellsWith changes the secret of the api, worksWith that of the worker, as when
// processes are restarted one after the other.
func (s *shop) sellsWith(secret ...string) {
	s.parts.Secret = billing.Secret(secret)
	s.assemble(s.parts)
}

func (s *shop) worksWith(secret ...string) { s.temporal.steps.Secret = billing.Secret(secret) }

func TestTheSecretIsChangedWithoutAnOutage(t *testing.T) {
	s := newShop(t)
	key := withKey()
	body := order()
	bought := s.ask("POST", "/v1/checkout", body, key).want(201, "")
	token := "Authorization: Bearer " + bought.text("checkout_token")
	path := "/v1/subscriptions/" + bought.text("subscription.id")
	quote := s.ask("POST", "/v1/quotes", quoted(), withKey()).want(201, "").text("id")
	link := "Authorization: Bearer " + s.parts.Secret.QuoteToken(quote)

	for _, step := range []struct {
		name         string
		sells, works []string
	}{
		{"both know the new one", []string{oldSecret, newSecret}, []string{oldSecret, newSecret}},
		{"the api signs with it", []string{newSecret, oldSecret}, []string{oldSecret, newSecret}},
		{"both sign with it", []string{newSecret, oldSecret}, []string{newSecret, oldSecret}},
	} {
		s.sellsWith(step.sells...)
		s.worksWith(step.works...)
		s.ask("GET", path, "", token).want(200, "")
		s.ask("GET", "/v1/quotes/"+quote, "", link).want(200, "")
		if again := s.ask("POST", "/v1/checkout", body, key).want(201, ""); again.text("subscription.id") != bought.text("subscription.id") {
			t.Errorf("%s: a repeated order was placed a second time", step.name)
		}
		s.signIn("ada@contoso.example") // by the link that the worker mails
	}
	fresh := s.buy(`billing.email="carl@contoso.example"`).want(201, "")
	s.sellsWith(newSecret)
	s.ask("GET", path, "", token).want(401, "unauthorized")
	s.ask("GET", "/v1/quotes/"+quote, "", link).want(401, "unauthorized")
	s.ask("GET", "/v1/subscriptions/"+fresh.text("subscription.id"), "", "Authorization: Bearer "+fresh.text("checkout_token")).want(200, "")
}

func TestABrowserThatHasComeByHTTPSDoesSoForAYear(t *testing.T) {
	s := newShop(t)
	for _, path := range []string{"/healthz", "/v1/products", "/v1/none", "/docs"} {
		if got := s.ask("GET", path, "").header.Get("Strict-Transport-Security"); got != "max-age=31536000" {
			t.Errorf("%s: %q", path, got)
		}
	}
	s.parts.PublicURL = "http://127.0.0.1:8080"
	s.assemble(s.parts)
	if got := s.ask("GET", "/healthz", "").header.Get("Strict-Transport-Security"); got != "" {
		t.Errorf("by http: %q", got)
	}
}

func TestNothingNewIsSoldInABlockedCountry(t *testing.T) {
	s := newShop(t)
	quote := s.ask("POST", "/v1/quotes", quoted(), withKey()).want(201, "").text("id")
	const country = "US" // of every order
	s.parts.Policy.BlockedCountries = []string{"KP", country}
	s.assemble(s.parts)
	preview := `{"product":"calendar-pro","plan":{"type":"users","tier":"1-20","cycle":"monthly"},"billing":{"country":"` + country + `"}}`
	s.ask("POST", "/v1/checkout/preview", preview).want(422, "country_not_served")
	s.buy().want(422, "country_not_served")
	s.ask("POST", "/v1/quotes", quoted(), withKey()).want(422, "country_not_served")
	s.ask("POST", "/v1/quotes/"+quote+"/accept", `{"payment":{"method":"card","token":"tok_visa"},"accept_terms":true}`,
		withKey(), "Authorization: Bearer "+s.parts.Secret.QuoteToken(quote)).want(422, "country_not_served")
	s.ask("POST", "/v1/checkout/preview", strings.Replace(preview, `"`+country+`"`, `"FR"`, 1)).want(200, "")
}
