package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestAPlanIsNamedByItsTierItsPeopleOrItsNode(t *testing.T) {
	for _, c := range []struct {
		name string
		plan object
		tier string
		due  int64
	}{
		{"one designer", object{"type": "users", "cycle": "monthly", "designers": 1, "viewers": 0}, "Single", 250},
		{"10 designers and 40 viewers are 50", object{"type": "users", "cycle": "monthly", "designers": 10, "viewers": 40}, "21-50", 1980},
		{"10 designers and 750 viewers are 760", object{"type": "users", "cycle": "monthly", "designers": 10, "viewers": 750}, "251-1000", 19800},
		{"more than any tier counts", object{"type": "users", "cycle": "monthly", "designers": 1, "viewers": 1000}, "Unlimited", 49500},
		{"an A4 is the node of a P1", object{"type": "capacity", "tier": "A4", "cycle": "monthly"}, "P1 or F64", 29700},
		{"an F128 is the node of a P2", object{"type": "capacity", "tier": "F128", "cycle": "yearly"}, "P2 or F128", 544500},
	} {
		var v struct {
			Plan      plan
			AmountDue money `json:"amount_due"`
		}
		shared.send(t, http.MethodPost, "/v1/checkout/preview", object{
			"product": "calendar-pro", "plan": c.plan, "currency": "USD", "billing": object{"country": "US"},
		}, nil).want(t, http.StatusOK).into(t, &v)
		if deref(v.Plan.Tier) != c.tier || v.AmountDue != usd(c.due) {
			t.Errorf("%s: %s for %v", c.name, deref(v.Plan.Tier), v.AmountDue)
		}
	}
	shared.send(t, http.MethodPost, "/v1/checkout/preview", object{
		"product": "calendar-pro", "plan": object{"type": "capacity", "tier": "EM1", "cycle": "monthly"}, "currency": "USD", "billing": object{"country": "US"},
	}, nil).wantProblem(t, http.StatusUnprocessableEntity, "unknown_plan")
}

func TestYenHaveNoMinorUnit(t *testing.T) {
	clock := shared.clock(t, "2026-04-01T00:00:00Z")
	id := shared.buy(t, newCustomer().order(object{"test_clock": clock, "currency": "JPY"})).Subscription.ID
	shared.advance(t, clock, "2026-04-16T00:00:00Z")
	shared.command(t, id, "change", object{"plan": users("21-50")}).want(t, http.StatusOK) // 2,970 less half of 1,480
	shared.wantCharges(t, id, "2026-04-01T00:00:00Z 1480 JPY succeeded", "2026-04-16T00:00:00Z 2230 JPY succeeded")
}

func TestThreeYearsAreBilledAtOnceAndRemindedOfBeforeTheyEnd(t *testing.T) {
	clock, who := shared.clock(t, "2024-02-29T08:00:00Z"), newCustomer()
	id := shared.buy(t, who.order(object{"test_clock": clock, "plan": object{"type": "users", "tier": "1-20", "cycle": "three_years"}})).Subscription.ID
	shared.advance(t, clock, "2027-02-21T07:59:59Z")
	if got := strings.Join(shared.subjects(t, who.email), "; "); strings.Contains(got, "renews") {
		t.Errorf("reminded too early: %s", got)
	}
	shared.advance(t, clock, "2027-02-21T08:00:00Z")
	eventually(t, listed, "the reminder is mailed", func() bool {
		return strings.Contains(strings.Join(shared.subjects(t, who.email), "; "), "Calendar Pro renews on 28 February 2027")
	})
	shared.advance(t, clock, "2036-02-29T08:00:00Z") // the 29th again, in the next leap year but one of the grid
	shared.wantCharges(t, id, charged("2024-02-29T08:00:00Z", 26730), charged("2027-02-28T08:00:00Z", 26730),
		charged("2030-02-28T08:00:00Z", 26730), charged("2033-02-28T08:00:00Z", 26730), charged("2036-02-29T08:00:00Z", 26730))
}

func TestAProductMayDivideItsPeriodsByDaysAndItsPricesMayContainTheTax(t *testing.T) {
	s := start(t, 0)
	const document = `products: [{id: day-visual, name: Day Visual, proration: day, plans: [
		{type: users, tier: "1-20", covers: 20, cycle: monthly, prices: [{amount: 3000, currency: USD}, {amount: 1220, currency: EUR, tax: inclusive}]},
		{type: users, tier: "21-50", covers: 50, cycle: monthly, prices: [{amount: 6000, currency: USD}]}]}]`
	s.send(t, http.MethodPost, "/v1/operator/catalog", []byte(document), s.asOperator()).want(t, http.StatusOK)
	clock := s.clock(t, "2026-04-01T10:00:00Z")
	id := s.buy(t, newCustomer().order(object{"test_clock": clock, "product": "day-visual"})).Subscription.ID
	s.advance(t, clock, "2026-04-16T18:00:00Z")
	s.command(t, id, "change", object{"plan": users("21-50")}).want(t, http.StatusOK) // 15 of 30 days; by seconds it would be 14.67
	s.wantCharges(t, id, charged("2026-04-01T10:00:00Z", 3000), charged("2026-04-16T18:00:00Z", 4500))

	who := newCustomer()
	o := who.order(object{"product": "day-visual", "currency": "EUR"})
	o["billing"].(object)["country"] = "IT" // 22 % are in it
	inv := s.buy(t, o).Invoice
	if inv.Total.Amount != 1220 || inv.Tax.Amount != 220 || inv.AmountDue.Amount != 1220 {
		t.Errorf("total %v, tax %v, due %v", inv.Total, inv.Tax, inv.AmountDue)
	}
}

func TestAWorkerThatWasDownOverSeveralPeriodsChargesTheOneThatRuns(t *testing.T) {
	data, operator := t.TempDir(), newOperator()
	s := startOn(t, data, operator, 0)
	id := s.buyMetronome(t, newCustomer()) // a period is three seconds
	s.close(t)
	down := time.Now()
	eventually(t, 20*time.Second, "four periods have passed", func() bool { return time.Since(down) > 13*time.Second })
	up := time.Now() // its worker may charge before all of the system is ready
	s = startOn(t, data, operator, 0)
	s.mu.Lock()
	s.subscriptions = append(s.subscriptions, id)
	s.mu.Unlock()
	var after []invoice
	eventually(t, time.Minute, "it is renewed", func() bool {
		after = nil
		for _, inv := range s.invoices(t, id) {
			for _, l := range inv.Lines {
				if inv.Status == "paid" && strings.Contains(l.Description, "not charged") {
					after = append(after, inv)
				}
			}
		}
		return len(after) > 0
	})
	s.command(t, id, "cancel", nil).want(t, http.StatusOK)
	if len(after) != 1 {
		t.Fatalf("%d invoices say that time was not charged", len(after))
	}
	for _, l := range after[0].Lines {
		from, err := time.Parse(time.RFC3339, l.Period.Start)
		must(t, err)
		to, err := time.Parse(time.RFC3339, l.Period.End)
		must(t, err)
		switch l.Amount.Amount {
		case 0:
			if to.Sub(from) < 9*time.Second {
				t.Errorf("only %v were not charged", to.Sub(from))
			}
		case 990:
			if to.Before(up.Truncate(time.Second)) || to.Sub(from) != 3*time.Second {
				t.Errorf("charged %s – %s, up since %s", from, to, up)
			}
		default:
			t.Errorf("a line of %v", l.Amount)
		}
	}
	s.audit(t, id)
}
