package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestBoughtOn31JanuaryItIsRenewedOnTheLastDaysOfTheMonths(t *testing.T) {
	who, clock := newCustomer(), shared.clock(t, "2026-01-31T10:00:00Z")
	c := shared.buy(t, who.order(object{"test_clock": clock}))
	id := c.Subscription.ID
	if p := c.Subscription.CurrentPeriod; p.Start != "2026-01-31T10:00:00Z" || p.End != "2026-02-28T10:00:00Z" {
		t.Fatalf("period %+v", p)
	}
	want := []string{charged("2026-01-31T10:00:00Z", 990)}
	shared.wantCharges(t, id, want...)
	receipts, files := 1, 1
	shared.awaitEmails(t, who.email, receipts)
	shared.awaitEmails(t, who.licenseeEmail, files)
	for _, renewal := range []struct{ before, at, end string }{
		{"2026-02-28T09:59:59Z", "2026-02-28T10:00:00Z", "2026-03-31T10:00:00Z"},
		{"2026-03-31T09:59:59Z", "2026-03-31T10:00:00Z", "2026-04-30T10:00:00Z"},
		{"2026-04-30T09:59:59Z", "2026-04-30T10:00:00Z", "2026-05-31T10:00:00Z"},
	} {
		shared.advance(t, clock, renewal.before)
		shared.wantCharges(t, id, want...)
		shared.advance(t, clock, renewal.at)
		want = append(want, charged(renewal.at, 990))
		shared.wantCharges(t, id, want...)
		sub := shared.subscription(t, id)
		if sub.Status != "active" || sub.CurrentPeriod.Start != renewal.at || sub.CurrentPeriod.End != renewal.end {
			t.Errorf("%s %+v", sub.Status, sub.CurrentPeriod)
		}
		if v := shared.check(t, c.License.ID); v.Code != "ACTIVE" || v.Now != renewal.at {
			t.Errorf("%+v", v)
		}
		// An advance returns when the mails are out.
		receipts, files = receipts+1, files+1
		paid, updated := shared.emails(t, who.email), shared.emails(t, who.licenseeEmail)
		if len(paid) != receipts || len(updated) != files {
			t.Fatalf("%d receipts and %d files, want %d and %d", len(paid), len(updated), receipts, files)
		}
		if l := paid[receipts-1]; !strings.HasPrefix(l.Subject, "Receipt for Calendar Pro: INV-2026-") || !strings.Contains(l.Text, "$9.90") {
			t.Errorf("%q:\n%s", l.Subject, l.Text)
		}
		l := updated[files-1]
		end, err := time.Parse(time.RFC3339, renewal.end)
		must(t, err)
		claims := shared.claims(t, stamped(t, shared.attached(t, l)))
		if l.Subject != "Updated licence for Calendar Pro" || claims["sub"] != c.License.ID || claims["period_end"] != float64(end.Unix()) {
			t.Errorf("%q with %v", l.Subject, claims)
		}
	}
	shared.audit(t, id)
	var numbers []string
	for _, inv := range shared.invoices(t, id) {
		numbers = append(numbers, deref(inv.Number))
	}
	if len(numbers) != 4 || !slices.IsSorted(numbers) {
		t.Errorf("invoices %v", numbers)
	}
}

func TestAClockStandsStillBetweenAdvances(t *testing.T) {
	clock := shared.clock(t, "2026-01-31T10:00:00Z")
	c := shared.buy(t, newCustomer().order(object{"test_clock": clock}))
	shared.advance(t, clock, "2026-02-01T00:00:00Z")
	if v := shared.check(t, c.License.ID); v.Now != "2026-02-01T00:00:00Z" {
		t.Errorf("now %s", v.Now)
	}
	for _, h := range shared.runs(t, c.Subscription.ID) {
		for _, e := range h.Events {
			if a := e.GetTimerStartedEventAttributes(); a != nil && a.StartToFireTimeout.AsDuration() > time.Minute {
				t.Errorf("a timer of %v was set", a.StartToFireTimeout.AsDuration())
			}
		}
	}
	shared.send(t, http.MethodPost, "/v1/operator/test-clocks/"+clock+"/advance", object{"to": "2026-01-31T23:59:59Z"}, shared.asOperator()).
		wantProblem(t, http.StatusUnprocessableEntity, "invalid")
	o := newCustomer().order(object{"test_clock": clock})
	shared.send(t, http.MethodPost, "/v1/checkout", o, map[string]string{"Idempotency-Key": newKey()}).
		wantProblem(t, http.StatusForbidden, "forbidden")
}

func TestStepsOfSeveralSubscriptionsAreTakenInTheirOrder(t *testing.T) {
	clock := shared.clock(t, "2026-01-10T00:00:00Z")
	first := shared.buy(t, newCustomer().order(object{"test_clock": clock})).Subscription
	shared.advance(t, clock, "2026-01-20T00:00:00Z")
	second := shared.buy(t, newCustomer().order(object{"test_clock": clock})).Subscription
	shared.advance(t, clock, "2026-04-01T00:00:00Z")
	shared.wantCharges(t, first.ID, charged("2026-01-10T00:00:00Z", 990), charged("2026-02-10T00:00:00Z", 990), charged("2026-03-10T00:00:00Z", 990))
	shared.wantCharges(t, second.ID, charged("2026-01-20T00:00:00Z", 990), charged("2026-02-20T00:00:00Z", 990), charged("2026-03-20T00:00:00Z", 990))
	// Numbers are given in the order of the charges.
	numbers := map[string]string{}
	for _, sub := range []string{first.ID, second.ID} {
		paid := map[string]string{}
		for _, inv := range shared.invoices(t, sub) {
			paid[inv.ID] = deref(inv.Number)
		}
		for _, c := range shared.ledger(t, sub) {
			numbers[c.At] = paid[c.Invoice]
		}
	}
	var at []string
	for when := range numbers {
		at = append(at, when)
	}
	slices.Sort(at)
	for i := range at[1:] {
		if numbers[at[i]] >= numbers[at[i+1]] {
			t.Errorf("%s has %s, and %s has %s", at[i], numbers[at[i]], at[i+1], numbers[at[i+1]])
		}
	}
}

func TestTenVirtualYearsOfMonthlyRenewalsAre121Charges(t *testing.T) {
	who, clock := newCustomer(), shared.clock(t, "2026-01-31T10:00:00Z")
	id := shared.buy(t, who.order(object{"test_clock": clock})).Subscription.ID
	start := time.Now()
	shared.advance(t, clock, "2036-01-31T10:00:00Z")
	took := time.Since(start)
	fmt.Printf("ten virtual years of monthly renewals took %v\n", took.Round(10*time.Millisecond))
	if took > time.Minute {
		t.Errorf("it took %v", took)
	}
	// The last days of months, and 29 February in 2028 and 2032.
	days := [12]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}
	var want []string
	for month := range 121 {
		year, day := 2026+month/12, days[month%12]
		if month%12 == 1 && year%4 == 0 {
			day = 29
		}
		want = append(want, charged(fmt.Sprintf("%d-%02d-%02dT10:00:00Z", year, month%12+1, day), 990))
	}
	if len(want) != 121 {
		t.Fatal(len(want))
	}
	shared.wantCharges(t, id, want...)
	shared.audit(t, id)
	if got := len(shared.emails(t, who.email)); got != 121 {
		t.Errorf("%d receipts", got)
	}
	if got := len(shared.emails(t, who.licenseeEmail)); got != 121 {
		t.Errorf("%d files", got)
	}
}

func TestALateRenewalChargesThePeriodThatRunsAndSaysThatTheOthersWereNot(t *testing.T) {
	clock := shared.clock(t, "2026-01-31T10:00:00Z")
	id := shared.buy(t, newCustomer().order(object{"test_clock": clock})).Subscription.ID
	// Due on 28 February, 31 March, 30 April and 31 May; handled on 10 June.
	shared.advanceBy(t, clock, object{"to": "2026-06-10T12:00:00Z", "late": true})
	shared.wantCharges(t, id, charged("2026-01-31T10:00:00Z", 990), charged("2026-06-10T12:00:00Z", 990))
	sub := shared.subscription(t, id)
	if p := sub.CurrentPeriod; sub.Status != "active" || p.Start != "2026-05-31T10:00:00Z" || p.End != "2026-06-30T10:00:00Z" {
		t.Errorf("%s %+v", sub.Status, p)
	}
	invoices := shared.invoices(t, id)
	if len(invoices) != 2 {
		t.Fatalf("%d invoices", len(invoices))
	}
	var got []string
	for _, l := range invoices[1].Lines {
		got = append(got, fmt.Sprintf("%d for %s – %s", l.Amount.Amount, l.Period.Start, l.Period.End))
	}
	slices.Sort(got)
	want := []string{"0 for 2026-02-28T10:00:00Z – 2026-05-31T10:00:00Z", "990 for 2026-05-31T10:00:00Z – 2026-06-30T10:00:00Z"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	shared.advance(t, clock, "2026-06-30T10:00:00Z")
	shared.wantCharges(t, id, charged("2026-01-31T10:00:00Z", 990), charged("2026-06-10T12:00:00Z", 990), charged("2026-06-30T10:00:00Z", 990))
}
