package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/okviz/licensing/backoffice"
)

var movedIn = flag.Int("moved", 40, "how many subscriptions the larger test of import moves in and renews, at most 100000")

// moved is a customer of another system with one subscription, as lines of a file.
func moved(n int, customer, sub object) string {
	tag := fmt.Sprintf("%05d", n)
	c := object{"type": "customer", "id": "c" + tag, "name": secret("Roswitha Birnbaum"), "email": secret("roswitha.birnbaum" + tag + "@kundschaft.example"), "country": "US"}
	s := object{
		"type": "subscription", "id": "s" + tag, "customer": "c" + tag, "product": "calendar-pro", "plan": users("1-20"),
		"price": object{"amount": 800 + n, "currency": "USD"}, "card": object{"customer": "cus_old" + tag, "reference": "tok_visa"},
	}
	var lines string
	for _, o := range []struct{ is, more object }{{c, customer}, {s, sub}} {
		for k, v := range o.more {
			if v == nil {
				delete(o.is, k)
			} else {
				o.is[k] = v
			}
		}
		text, _ := json.Marshal(o.is)
		lines += string(text) + "\n"
	}
	return lines
}

func (s *shop) importFile(t testing.TB, file string, options backoffice.ImportOptions) backoffice.Import {
	t.Helper()
	done, err := s.system.Engine.Office.Import(context.Background(), []byte(file), options, func(int, int) {})
	if err != nil {
		t.Fatalf("%v: %v", err, done.Failed)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range done.Charges {
		if c.Subscription != "" {
			s.subscriptions = append(s.subscriptions, string(c.Subscription))
		}
	}
	return done
}

func TestCustomersOfAnotherSystemAreMovedInAndChargedOnceAtTheirNextBoundary(t *testing.T) {
	t.Parallel()
	s := start(t, 0)
	clock := s.clock(t, "2026-02-10T00:00:00Z")
	yearly := object{"type": "users", "tier": "1-20", "cycle": "yearly"}
	type kind struct {
		name          string
		customer, sub object
		charged       func(n int) []string // until 15 March
		status        string
		end           string
	}
	at := func(at string, amount int) []string { return []string{charged(at, int64(amount))} }
	none := func(int) []string { return nil }
	monthly := object{"anchor": "2025-08-31T10:00:00Z"}
	kinds := []kind{
		{"monthly, counted from 31 August", nil, monthly, func(n int) []string { return at("2026-02-28T10:00:00Z", 800+n) }, "active", "2026-03-31T10:00:00Z"},
		{"yearly", nil, object{"plan": yearly, "period": object{"start": "2025-03-01T00:00:00Z", "end": "2026-03-01T00:00:00Z"}}, func(n int) []string { return at("2026-03-01T00:00:00Z", 800+n) }, "active", "2027-03-01T00:00:00Z"},
		{"trial with a card", nil, object{"trial_end": "2026-02-20T08:00:00Z", "created_at": "2026-01-20T08:00:00Z"}, func(n int) []string { return at("2026-02-20T08:00:00Z", 800+n) }, "active", "2026-03-20T08:00:00Z"},
		{"trial without", nil, object{"trial_end": "2026-02-20T08:00:00Z", "created_at": "2026-01-20T08:00:00Z", "card": nil}, none, "canceled", ""},
		{"cancelled at its end", nil, object{"anchor": "2025-08-31T10:00:00Z", "cancel_at_period_end": true}, none, "canceled", ""},
		{"with a discount of 10 % and 3.00 on the balance", object{"standing_discount": 10, "balances": []object{{"amount": 300, "currency": "USD"}}}, monthly,
			func(n int) []string { return at("2026-02-28T10:00:00Z", 800+n-(800+n+5)/10-300) }, "active", "2026-03-31T10:00:00Z"},
	}
	const each = 5
	var file string
	for i := range each * len(kinds) {
		k := kinds[i%len(kinds)]
		file += moved(i, k.customer, k.sub)
	}
	rehearsed := s.importFile(t, file, backoffice.ImportOptions{Clock: clock, DryRun: true})
	if n := s.rowsOf(t, clock); n != 0 {
		t.Errorf("a dry run has moved %d in", n)
	}
	done := s.importFile(t, file, backoffice.ImportOptions{Clock: clock})
	if done.Customers.New != 30 || done.Subscriptions.New != 30 || len(done.Failed) != 0 || len(done.Charges) != 30 || fmt.Sprint(done.Totals) != fmt.Sprint(rehearsed.Totals) {
		t.Fatalf("%+v, rehearsed %+v", done, rehearsed)
	}
	again := s.importFile(t, file, backoffice.ImportOptions{Clock: clock})
	if again.Customers.Unchanged != 30 || again.Subscriptions.Unchanged != 30 || again.Subscriptions.New+again.Subscriptions.Differing+len(again.Charges) != 0 {
		t.Errorf("again: %+v", again)
	}
	s.advance(t, clock, "2026-03-15T00:00:00Z")
	for _, c := range done.Charges {
		var n int
		_, err := fmt.Sscanf(c.ID, "s%d", &n)
		must(t, err)
		k, id := kinds[n%len(kinds)], string(c.Subscription)
		want := k.charged(n)
		s.wantCharges(t, id, want...)
		if c.At != nil && (len(want) != 1 || want[0] != charged(c.At.Format(time.RFC3339), c.Amount.Amount)) {
			t.Errorf("%s: the report said %s at %s, and %v was charged", k.name, c.Amount, c.At, want)
		}
		sub := s.subscription(t, id)
		if sub.Status != k.status || k.end != "" && sub.CurrentPeriod.End != k.end {
			t.Errorf("%s: %s until %+v", k.name, sub.Status, sub.CurrentPeriod)
		}
		s.audit(t, id)
	}
}

// rowsOf is how many subscriptions live on a clock.
func (s *shop) rowsOf(t testing.TB, clock string) int {
	t.Helper()
	ids, err := s.system.Engine.Store.OnClock(context.Background(), clock)
	must(t, err)
	return len(ids)
}

// With -moved 10000 it takes the better part of an hour on two cores.
func TestManyCustomersAreMovedInAndRenewed(t *testing.T) {
	s := start(t, 0)
	clock := s.clock(t, "2026-02-10T00:00:00Z")
	var file bytes.Buffer
	for n := range *movedIn {
		file.WriteString(moved(n, nil, object{"anchor": fmt.Sprintf("2025-08-%02dT%02d:%02d:00Z", 11+n%15, n%24, n%60)}))
	}
	before, began := peak(os.Getpid()), time.Now()
	done := s.importFile(t, file.String(), backoffice.ImportOptions{Clock: clock})
	took := time.Since(began)
	if done.Subscriptions.New != *movedIn || len(done.Failed) != 0 {
		t.Fatalf("%+v, %v", done.Subscriptions, done.Failed)
	}
	fmt.Printf("%d subscriptions of %d bytes were moved in in %v, %.0f a second; memory from %d to %d MB, with Temporal\n",
		*movedIn, file.Len(), took.Round(time.Second), float64(*movedIn)/took.Seconds(), before, peak(os.Getpid()))
	began = time.Now()
	again := s.importFile(t, file.String(), backoffice.ImportOptions{Clock: clock})
	fmt.Printf("again, with nothing to do, in %v\n", time.Since(began).Round(time.Millisecond))
	if again.Subscriptions.Unchanged != *movedIn {
		t.Errorf("again: %+v", again.Subscriptions)
	}
	began = time.Now()
	ids, err := s.system.Engine.Store.OnClock(context.Background(), clock)
	must(t, err)
	must(t, s.system.Engine.Office.AdvanceClock(context.Background(), clock, time.Date(2026, 2, 26, 0, 0, 0, 0, time.UTC), false))
	fmt.Printf("%d were renewed in %v; memory %d MB\n", len(ids), time.Since(began).Round(time.Second), peak(os.Getpid()))
	for _, c := range done.Charges {
		if got := s.charges(t, string(c.Subscription)); len(got) != 1 || !strings.HasPrefix(got[0], c.At.Format(time.RFC3339)+fmt.Sprintf(" %d ", c.Amount.Amount)) {
			t.Fatalf("%s was charged %v, and the report said %s at %s", c.ID, got, c.Amount, c.At)
		}
	}
}

func TestABoundaryBetweenTheStopOfTheOldSystemAndTheImportIsChargedAtOnce(t *testing.T) {
	t.Parallel()
	s := start(t, 0)
	clock := s.clock(t, "2026-02-10T00:00:00Z")
	stopped := time.Date(2026, 2, 9, 12, 0, 0, 0, time.UTC)
	file := moved(1, nil, object{"anchor": "2025-08-09T20:00:00Z"}) + // its boundary was on the evening of 9 February
		moved(2, nil, object{"anchor": "2025-08-09T10:00:00Z"}) + // and that of this one in the morning: the old system charged it
		moved(3, nil, object{"trial_end": "2026-02-09T20:00:00Z", "created_at": "2026-01-20T08:00:00Z"})
	done := s.importFile(t, file, backoffice.ImportOptions{Clock: clock, AsOf: stopped})
	s.advance(t, clock, "2026-02-11T00:00:00Z")
	for _, c := range done.Charges {
		want, end := []string{charged("2026-02-10T00:00:00Z", c.Amount.Amount)}, "2026-03-09T20:00:00Z"
		if c.ID == "s00002" {
			want, end = nil, "2026-03-09T10:00:00Z"
		}
		s.wantCharges(t, string(c.Subscription), want...)
		if sub := s.subscription(t, string(c.Subscription)); sub.Status != "active" || sub.CurrentPeriod.End != end {
			t.Errorf("%s: %s until %+v", c.ID, sub.Status, sub.CurrentPeriod)
		}
	}
	s.advance(t, clock, "2026-03-10T00:00:00Z")
	for _, c := range done.Charges {
		want := []string{charged("2026-02-10T00:00:00Z", c.Amount.Amount), charged("2026-03-09T20:00:00Z", c.Amount.Amount)}
		if c.ID == "s00002" {
			want = []string{charged("2026-03-09T10:00:00Z", c.Amount.Amount)}
		}
		s.wantCharges(t, string(c.Subscription), want...)
		s.audit(t, string(c.Subscription))
	}
	again := s.importFile(t, file, backoffice.ImportOptions{Clock: clock}) // without the instant, after the periods' ends
	if again.Subscriptions.Unchanged != 3 {
		t.Errorf("again: %+v", again.Subscriptions)
	}
}
