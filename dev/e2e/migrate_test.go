package e2e

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestAPriceIsKeptUntilAnOperatorMovesItsSubscriptionsToTheNewOne(t *testing.T) {
	t.Parallel()
	s := start(t, 0)
	clock := s.clock(t, "2026-01-31T10:00:00Z")
	who := newCustomer()
	id := s.buy(t, who.order(object{"test_clock": clock})).Subscription.ID
	leaving := s.buy(t, newCustomer().order(object{"test_clock": clock})).Subscription.ID
	s.command(t, leaving, "cancel", nil).want(t, 200)

	const document = `products: [{id: calendar-pro, name: Calendar Pro, trial: true, plans: [
		{type: users, tier: "1-20", covers: 20, cycle: monthly, prices: [{amount: 1290, currency: USD}]}]}]`
	changes := func(path string, body any) []string {
		t.Helper()
		var v struct{ Changes []string }
		s.send(t, http.MethodPost, path, body, s.asOperator()).want(t, http.StatusOK).into(t, &v)
		return v.Changes
	}
	price := "~ price calendar-pro_users_1-20_monthly: 9.90 USD → 12.90 USD"
	for _, path := range []string{"/v1/operator/catalog?dry_run=true", "/v1/operator/catalog"} {
		if got := changes(path, []byte(document)); !slices.Contains(got, price) {
			t.Errorf("%s says %q", path, got)
		}
	}
	if got := changes("/v1/operator/catalog", []byte(document)); len(got) != 0 {
		t.Errorf("the same document again says %q", got)
	}
	s.advance(t, clock, "2026-02-28T10:00:00Z") // grandfathered
	s.wantCharges(t, id, charged("2026-01-31T10:00:00Z", 990), charged("2026-02-28T10:00:00Z", 990))
	fresh := s.buy(t, newCustomer().order(object{"test_clock": clock})).Subscription.ID
	s.wantCharges(t, fresh, charged("2026-02-28T10:00:00Z", 1290))

	const migrate = "/v1/operator/catalog/migrate"
	for _, path := range []string{migrate + "?dry_run=true", migrate + "?dry_run=true&plan=calendar-pro_users_1-20_monthly&currency=USD", migrate} {
		got := changes(path, nil)
		if len(got) != 1 || !strings.Contains(got[0], id) || !strings.Contains(got[0], "9.90 USD → 12.90 USD") {
			t.Errorf("%s says %q", path, got)
		}
	}
	if got := changes(migrate+"?currency=EUR", nil); len(got) != 0 {
		t.Errorf("of those paid in euros it says %q", got)
	}
	if got := changes(migrate, nil); len(got) != 0 {
		t.Errorf("moved already, and it says %q", got)
	}
	announced := func() int {
		n := 0
		for _, subject := range s.subjects(t, who.email) {
			if strings.HasPrefix(subject, "A new price for Calendar Pro from 31 March 2026 on") {
				n++
			}
		}
		return n
	}
	eventually(t, listed, "the new price is announced", func() bool { return announced() == 1 })
	s.advance(t, clock, "2026-04-30T10:00:00Z")
	s.wantCharges(t, id, charged("2026-01-31T10:00:00Z", 990), charged("2026-02-28T10:00:00Z", 990),
		charged("2026-03-31T10:00:00Z", 1290), charged("2026-04-30T10:00:00Z", 1290))
	if n := announced(); n != 1 {
		t.Errorf("announced %d times", n)
	}
	s.audit(t, id)
}
