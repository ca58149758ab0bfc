package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// signIn signs in by the link that is mailed, and returns the session as a
// header.
func (s *shop) signIn(t testing.TB, email string) map[string]string {
	t.Helper()
	links := func() (tokens []string) { // the oldest first
		for _, l := range s.emails(t, email) {
			if _, rest, ok := strings.Cut(l.Text, "/login#token="); ok && strings.HasPrefix(l.Subject, "Sign in") {
				tokens = append(tokens, strings.Fields(rest)[0])
			}
		}
		return tokens
	}
	before, now := links(), []string(nil)
	s.send(t, http.MethodPost, "/v1/login", object{"email": email}, nil).want(t, http.StatusAccepted)
	eventually(t, listed, "the link is mailed", func() bool {
		now = links()
		return len(now) > len(before)
	})
	token := now[len(now)-1]
	a := s.send(t, http.MethodPost, "/v1/login/confirm", object{"token": secret(token)}, nil).want(t, http.StatusOK)
	c, err := http.ParseSetCookie(a.header.Get("Set-Cookie"))
	must(t, err)
	return map[string]string{"Cookie": c.Name + "=" + secret(c.Value)}
}

func TestABillingContactSignsInByMailAndTheLicenseeSeesNoPrices(t *testing.T) {
	who := newCustomer()
	c := shared.buy(t, who.order(nil))
	at := "/v1/subscriptions/" + c.Subscription.ID
	payer, licensee, other := shared.signIn(t, who.email), shared.signIn(t, who.licenseeEmail), newCustomer()
	shared.buy(t, other.order(nil))
	guest := shared.signIn(t, other.email)

	var list struct{ Data []subscription }
	shared.send(t, http.MethodGet, "/v1/subscriptions", nil, payer).want(t, http.StatusOK).into(t, &list)
	if len(list.Data) != 1 || list.Data[0].ID != c.Subscription.ID {
		t.Errorf("the billing contact sees %+v", list.Data)
	}
	shared.send(t, http.MethodGet, "/v1/subscriptions", nil, licensee).want(t, http.StatusOK).into(t, &list)
	if len(list.Data) != 0 {
		t.Errorf("the licensee sees %+v", list.Data)
	}
	shared.send(t, http.MethodGet, "/v1/licenses/"+c.License.ID+"/download", nil, licensee).want(t, http.StatusOK)
	shared.send(t, http.MethodGet, "/v1/invoices/"+c.Invoice.ID, nil, licensee).wantProblem(t, http.StatusNotFound, "not_found")
	for _, h := range []map[string]string{licensee, guest} {
		shared.send(t, http.MethodGet, at, nil, h).wantProblem(t, http.StatusNotFound, "not_found")
		h["Idempotency-Key"] = newKey()
		shared.send(t, http.MethodPost, at+"/cancel", object{}, h).wantProblem(t, http.StatusNotFound, "not_found")
	}
	shared.send(t, http.MethodGet, "/v1/licenses/"+c.License.ID, nil, guest).wantProblem(t, http.StatusNotFound, "not_found")
	payer["Idempotency-Key"] = newKey()
	shared.send(t, http.MethodPost, at+"/cancel", object{}, payer).want(t, http.StatusOK)
	payer["Origin"], payer["Sec-Fetch-Site"] = "https://evil.example", "cross-site"
	shared.send(t, http.MethodPost, at+"/resume", object{}, payer).wantProblem(t, http.StatusForbidden, "cross_site")
	if events := shared.events(t, c.Subscription.ID); events[len(events)-1].Actor != "customer" {
		t.Errorf("%+v", events)
	}
	shared.send(t, http.MethodGet, "/v1/me?email="+url.QueryEscape(who.email), nil, shared.asOperator()).want(t, http.StatusOK)
}
