package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/okviz/licensing/models/mysqltest"
)

// onMySQL starts a system over a server that speaks MySQL's protocol, where
// many write at a time, for one test.
func onMySQL(t *testing.T) *shop {
	t.Helper()
	s, err := open(filepath.Join(t.TempDir(), "data"), mysqltest.URL(t), newOperator(), 0)
	must(t, err)
	t.Cleanup(func() { s.close(t) })
	return s
}

// eve is a subscription a second before its renewal.
type eve struct {
	*shop
	clock, id string
}

func (s *shop) eve(t testing.TB, token string) eve {
	t.Helper()
	e := eve{shop: s, clock: s.clock(t, "2026-04-01T00:00:00Z")}
	e.id = s.buy(t, newCustomer().order(object{"test_clock": e.clock, "payment": card(token)})).Subscription.ID
	s.advance(t, e.clock, "2026-04-30T23:59:59Z")
	return e
}

// moves are what happens to it at the same instant.
var moves = map[string]func(eve) (answer, error){
	"renewal": func(e eve) (answer, error) {
		return e.answered("/v1/operator/test-clocks/"+e.clock+"/advance", newKey(), object{"to": "2026-05-01T00:00:00Z"}, e.asOperator())
	},
	"upgrade": func(e eve) (answer, error) {
		return e.answered("/v1/subscriptions/"+e.id+"/change", newKey(), object{"plan": users("21-50")}, e.asOperator())
	},
	"cancel": func(e eve) (answer, error) {
		return e.answered("/v1/subscriptions/"+e.id+"/cancel", newKey(), object{}, e.asOperator())
	},
	"new card": func(e eve) (answer, error) {
		return e.answered("/v1/subscriptions/"+e.id+"/payment-method", newKey(), object{"token": secret("tok_visa")}, e.asOperator())
	},
}

// ending is how it ended: what each was answered, where the subscription
// stands, what was charged, and what is written down.
func (e eve) ending(t testing.TB, answers map[string]answer) string {
	t.Helper()
	var b strings.Builder
	for _, what := range slices.Sorted(maps.Keys(answers)) {
		fmt.Fprintf(&b, "%s %d %s; ", what, answers[what].status, answers[what].code())
	}
	b.WriteString(e.story(t, e.id))
	for _, inv := range e.invoices(t, e.id) {
		fmt.Fprintf(&b, "; %s %d", inv.Status, inv.Total.Amount)
	}
	for _, v := range e.events(t, e.id) {
		fmt.Fprintf(&b, "; %s %s", v.At, v.Kind)
	}
	e.audit(t, e.id)
	e.wantNotesWithin(t, e.id)
	return b.String()
}

// orders are all orders of some things.
func orders(of []string) [][]string {
	if len(of) < 2 {
		return [][]string{of}
	}
	var all [][]string
	for i, first := range of {
		rest := slices.Delete(slices.Clone(of), i, i+1)
		for _, order := range orders(rest) {
			all = append(all, append([]string{first}, order...))
		}
	}
	return all
}

// What each of the 24 orders comes to, one thing after the other, is what the
// rules allow; all at once must come to one of them.
func TestARenewalAnUpgradeACancelAndANewCardAtOneInstantEndInOneOfTheirOrders(t *testing.T) {
	s := onMySQL(t)
	for _, token := range []string{"tok_visa", "tok_later_declined"} {
		t.Run(token, func(t *testing.T) {
			var mu sync.Mutex
			allowed := map[string]string{} // an ending, with an order that comes to it
			var work sync.WaitGroup
			next := make(chan []string)
			for range 4 {
				work.Go(func() {
					for order := range next {
						e, answers := s.eve(t, token), map[string]answer{}
						for _, what := range order {
							a, err := moves[what](e)
							must(t, err)
							answers[what] = a
						}
						end := e.ending(t, answers)
						mu.Lock()
						allowed[end] = strings.Join(order, ", ")
						mu.Unlock()
					}
				})
			}
			for _, order := range orders(slices.Sorted(maps.Keys(moves))) {
				next <- order
			}
			close(next)
			work.Wait()
			if t.Failed() {
				return
			}
			if len(allowed) < 4 {
				t.Errorf("the orders come to no more than %d endings", len(allowed))
			}
			came := map[string]int{}
			for range 20 {
				e, answers := s.eve(t, token), map[string]answer{}
				begin := make(chan struct{})
				for what, move := range moves {
					work.Go(func() {
						<-begin
						a, err := move(e)
						if err != nil {
							t.Errorf("%s: %v", what, err)
						}
						mu.Lock()
						defer mu.Unlock()
						answers[what] = a
					})
				}
				close(begin)
				work.Wait()
				end := e.ending(t, answers)
				if allowed[end] == "" {
					t.Errorf("%s ended as none of the orders does:\n%s\nallowed:\n%s", e.id, end, strings.Join(slices.Sorted(maps.Keys(allowed)), "\n"))
				}
				came[allowed[end]]++
			}
			fmt.Printf("%s: of %d endings allowed, all at once came to those of %v\n", token, len(allowed), came)
		})
	}
}

// Six subscriptions of one account take from its balance at the same instant,
// and two add to it: what was added is what was taken and what is left.
func TestABalanceThatManySpendAtOnceIsSpentOnce(t *testing.T) {
	s := onMySQL(t)
	who, clock := newCustomer(), s.clock(t, "2026-04-01T00:00:00Z")
	buy := func(tier string) string {
		return s.buy(t, who.order(object{"test_clock": clock, "plan": users(tier)})).Subscription.ID
	}
	to := map[string]string{}
	for range 6 {
		to[buy("1-20")] = "21-50"
	}
	for range 2 {
		to[buy("21-50")] = "1-20"
	}
	var work sync.WaitGroup
	for id, tier := range to {
		work.Go(func() {
			a, err := s.answered("/v1/subscriptions/"+id+"/change", newKey(), object{"plan": users(tier)}, s.asOperator())
			if err != nil || a.status != http.StatusOK {
				t.Error(err, a.status, string(a.body))
			}
		})
	}
	work.Wait()
	// Each downgrade adds 19.80 − 9.90; each upgrade owes as much, of which the
	// balance pays what it has by then, and the card the rest.
	var taken, charged int64
	for id, tier := range to {
		s.audit(t, id)
		s.wantNotesWithin(t, id)
		for _, inv := range s.invoices(t, id)[1:] {
			taken += inv.Applied.Amount
		}
		if tier == "21-50" {
			for _, c := range s.ledger(t, id)[1:] {
				charged += c.Amount.Amount
			}
		}
	}
	var left int64
	for _, m := range s.held(t, who.email) {
		left += m.Amount
	}
	if taken+left != 2*990 || charged+taken != 6*990 {
		t.Errorf("of 19.80 added %d were taken and %d are left; of 59.40 owed %d were charged", taken, left, charged)
	}
}
