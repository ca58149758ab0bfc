package e2e

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type changePreview struct {
	Current       plan   `json:"current"`
	Plan          plan   `json:"plan"`
	Price         money  `json:"price"`
	Credit        money  `json:"credit"`
	Total         money  `json:"total"`
	AmountDue     money  `json:"amount_due"`
	BalanceAfter  money  `json:"balance_after"`
	NewPeriod     period `json:"new_period"`
	ProrationTime string `json:"proration_time"`
}

func TestAnUpgradeInTheMiddleOfAprilCostsWhatThePreviewSaid(t *testing.T) {
	who, clock := newCustomer(), shared.clock(t, "2026-04-01T00:00:00Z")
	c := shared.buy(t, who.order(object{"test_clock": clock}))
	id := c.Subscription.ID
	shared.advance(t, clock, "2026-04-16T00:00:00Z")
	bigger := object{"plan": users("21-50")}
	var p changePreview
	shared.send(t, http.MethodPost, "/v1/subscriptions/"+id+"/change/preview", bigger, shared.asOperator()).want(t, http.StatusOK).into(t, &p)
	// 15 of 30 days are left of 9.90; 19.80 less 4.95.
	want := changePreview{
		Current: p.Current, Plan: p.Plan, Price: usd(1980), Credit: usd(495), Total: usd(1485), AmountDue: usd(1485), BalanceAfter: usd(0),
		NewPeriod: period{"2026-04-16T00:00:00Z", "2026-05-16T00:00:00Z"}, ProrationTime: "2026-04-16T00:00:00Z",
	}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Error(diff)
	}
	if p.Current.ID != "calendar-pro_users_1-20_monthly" || p.Plan.ID != "calendar-pro_users_21-50_monthly" {
		t.Errorf("from %s to %s", p.Current.ID, p.Plan.ID)
	}
	shared.wantCharges(t, id, charged("2026-04-01T00:00:00Z", 990)) // looking costs nothing

	shared.command(t, id, "change", object{"plan": users("21-50"), "expected_amount_due": 1484}).
		wantProblem(t, http.StatusConflict, "amount_changed")
	var changed checkout
	shared.command(t, id, "change", object{"plan": users("21-50"), "proration_time": p.ProrationTime, "expected_amount_due": p.AmountDue.Amount}).
		want(t, http.StatusOK).into(t, &changed)
	shared.wantCharges(t, id, charged("2026-04-01T00:00:00Z", 990), charged("2026-04-16T00:00:00Z", 1485))
	sub := shared.subscription(t, id)
	if sub.Plan.ID != "calendar-pro_users_21-50_monthly" || *sub.CurrentPeriod != p.NewPeriod || deref(sub.LicenseID) != c.License.ID || sub.Status != "active" {
		t.Errorf("%+v", sub)
	}
	v := shared.check(t, c.License.ID)
	if claims := shared.claims(t, deref(v.Token)); v.Code != "ACTIVE" || claims["tier"] != "21-50" || claims["plan"] != "calendar-pro_users_21-50_monthly" {
		t.Errorf("%s %v", v.Code, claims)
	}
	if details := shared.details(t, id); !strings.Contains(details, "renews 2026-05-16, charges for 2026-05, price 19.80 USD") {
		t.Error(details)
	}
	emails := shared.awaitEmails(t, who.licenseeEmail, 2)
	if claims := shared.claims(t, stamped(t, shared.attached(t, emails[1]))); claims["tier"] != "21-50" {
		t.Errorf("the updated file is for %v", claims["tier"])
	}
	if l := shared.awaitEmails(t, who.email, 2)[1]; !strings.Contains(l.Text, "$14.85") || !strings.Contains(l.Text, "$4.95") {
		t.Errorf("%q:\n%s", l.Subject, l.Text)
	}
	shared.command(t, id, "change", bigger).wantProblem(t, http.StatusConflict, "no_change")

	// The new period is the one that renews, at the new price.
	shared.advance(t, clock, "2026-05-16T00:00:00Z")
	shared.wantCharges(t, id, charged("2026-04-01T00:00:00Z", 990), charged("2026-04-16T00:00:00Z", 1485), charged("2026-05-16T00:00:00Z", 1980))
	shared.audit(t, id)
}

func TestChangingStraightBackGivesTheMoneyToTheBalanceWhichPaysTheNextBill(t *testing.T) {
	who, clock := newCustomer(), shared.clock(t, "2026-04-01T00:00:00Z")
	id := shared.buy(t, who.order(object{"test_clock": clock})).Subscription.ID
	shared.advance(t, clock, "2026-04-16T00:00:00Z")
	shared.command(t, id, "change", object{"plan": users("21-50")}).want(t, http.StatusOK)
	// 19.80 come back, less 9.90 for the new month: 9.90 stay, which pay May.
	shared.command(t, id, "change", object{"plan": users("1-20")}).want(t, http.StatusOK)
	shared.advance(t, clock, "2026-05-16T00:00:00Z")
	shared.wantCharges(t, id, charged("2026-04-01T00:00:00Z", 990), charged("2026-04-16T00:00:00Z", 1485))
	told := slices.DeleteFunc(shared.emails(t, who.email), func(l email) bool { return !strings.Contains(l.Subject, "was changed") })
	if len(told) != 2 || !strings.Contains(told[1].Text, "Paid: $0.00") || strings.Contains(told[1].Text, "rial") {
		t.Errorf("of the change that costs nothing, and is in no trial, is told: %+v", told)
	}
	shared.advance(t, clock, "2026-06-16T00:00:00Z")
	shared.wantCharges(t, id, charged("2026-04-01T00:00:00Z", 990), charged("2026-04-16T00:00:00Z", 1485), charged("2026-06-16T00:00:00Z", 990))
	shared.audit(t, id)
}

func TestADeclinedUpgradeChangesNothing(t *testing.T) {
	who, clock := newCustomer(), shared.clock(t, "2026-04-01T00:00:00Z")
	c := shared.buy(t, who.order(object{"test_clock": clock, "payment": card("tok_later_declined")}))
	id := c.Subscription.ID
	shared.advance(t, clock, "2026-04-16T00:00:00Z")
	before, checked := shared.subscription(t, id), shared.check(t, c.License.ID)
	p := shared.command(t, id, "change", object{"plan": users("21-50")}).wantProblem(t, http.StatusPaymentRequired, "card_declined")
	if p.DeclineCode != "generic_decline" {
		t.Errorf("%+v", p)
	}
	if diff := cmp.Diff(before, shared.subscription(t, id)); diff != "" {
		t.Error(diff)
	}
	after := shared.check(t, c.License.ID)
	if diff := cmp.Diff(shared.claims(t, deref(checked.Token)), shared.claims(t, deref(after.Token)), ignoring("jti")); diff != "" {
		t.Error(diff)
	}
	shared.wantCharges(t, id, charged("2026-04-01T00:00:00Z", 990), "2026-04-16T00:00:00Z 1485 USD declined")
	shared.audit(t, id)
	if got := shared.subjects(t, who.licenseeEmail); len(got) > 1 {
		t.Errorf("mails %q", got)
	}
}

func ignoring(key string) cmp.Option {
	return cmp.FilterPath(func(p cmp.Path) bool {
		index, ok := p.Last().(cmp.MapIndex)
		return ok && index.Key().String() == key
	}, cmp.Ignore())
}
