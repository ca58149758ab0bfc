package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// actions are the commands of docs/rules.md's table, with what a customer sends.
var actions = []struct {
	name string
	body object
}{
	{"payment-method", object{"token": secret("tok_visa")}},
	{"change", object{"plan": users("21-50")}},
	{"cancel", object{}},
	{"resume", object{}},
	{"renew", object{}},
}

// story is where a subscription stands and what was asked of its cards, in one
// line.
func (s *shop) story(t testing.TB, id string) string {
	t.Helper()
	sub := s.subscription(t, id)
	text := sub.Status + " " + deref(sub.Plan.Tier)
	if sub.CurrentPeriod != nil && sub.Status != "canceled" {
		text += " until " + sub.CurrentPeriod.End
	}
	if sub.CancelAtPeriodEnd {
		text += ", cancelled"
	}
	if sub.CanceledAt != nil {
		text += ", " + deref(sub.CancelReason) + " at " + *sub.CanceledAt
	}
	text += ", next payment " + deref(sub.NextPaymentAt) + ";"
	for _, c := range s.ledger(t, id) {
		text += fmt.Sprintf(" %s %d", c.Status, c.Amount.Amount)
	}
	return text
}

// cell is what comes of a command: done, declined or refused.
type cell struct {
	status int
	code   string
	story  string // afterwards; empty: as before
}

func works(story string) cell      { return cell{http.StatusOK, "", story} }
func isDeclined(story string) cell { return cell{http.StatusPaymentRequired, "card_declined", story} }

var refused = cell{http.StatusConflict, "not_possible_now", ""}

// The table of commands and states of docs/rules.md, every cell of it. All lives
// begin on 31 January at ten.
func TestEachCommandInEachStateDoesWhatTheTableSays(t *testing.T) {
	const began = "2026-01-31T10:00:00Z"
	type life struct{ id, clock string }
	buy := func(changes object) func(*testing.T) life {
		return func(t *testing.T) life {
			clock := shared.clock(t, began)
			o := newCustomer().order(changes)
			o["test_clock"] = clock
			return life{shared.buy(t, o).Subscription.ID, clock}
		}
	}
	decline := func(t *testing.T) life {
		clock := shared.clock(t, began)
		o := newCustomer().order(object{"payment": card("tok_declined"), "test_clock": clock})
		p := shared.post(t, "/v1/checkout", newKey(), o).wantProblem(t, http.StatusPaymentRequired, "card_declined")
		secret(p.CheckoutToken)
		return life{p.SubscriptionID, clock}
	}
	after := func(begin func(*testing.T) life, more ...func(*testing.T, life)) func(*testing.T) life {
		return func(t *testing.T) life {
			l := begin(t)
			for _, f := range more {
				f(t, l)
			}
			return l
		}
	}
	at := func(to string) func(*testing.T, life) {
		return func(t *testing.T, l life) { shared.advance(t, l.clock, to) }
	}
	do := func(action string) func(*testing.T, life) {
		return func(t *testing.T, l life) { shared.command(t, l.id, action, nil).want(t, http.StatusOK) }
	}
	trial := buy(object{"pay": "trial"}) // with a card
	inFebruary, atTheEnd := at("2026-02-10T10:00:00Z"), at("2026-02-28T10:00:00Z")

	for _, state := range []struct {
		name  string
		make  func(*testing.T) life
		story string
		cells map[string]cell // absent: refused
	}{
		{"incomplete", decline, "incomplete 1-20, next payment null; declined 990", map[string]cell{
			"payment-method": works("active 1-20 until 2026-02-28T10:00:00Z, next payment 2026-02-28T10:00:00Z; declined 990 succeeded 990"),
			"cancel":         works("incomplete_expired 1-20, requested at 2026-01-31T10:00:00Z, next payment null; declined 990"),
		}},
		{"incomplete_expired", after(decline, at("2026-02-01T09:00:00Z")), "incomplete_expired 1-20, next payment null; declined 990", nil},
		{"trialing", after(trial, inFebruary), "trialing 1-20 until 2026-02-28T10:00:00Z, next payment 2026-02-28T10:00:00Z;", map[string]cell{
			"payment-method": works(""),
			"change":         works("trialing 21-50 until 2026-02-28T10:00:00Z, next payment 2026-02-28T10:00:00Z;"),
			"cancel":         works("trialing 1-20 until 2026-02-28T10:00:00Z, cancelled, next payment null;"),
			"renew":          works("trialing 1-20 until 2026-02-28T10:00:00Z, next payment 2026-03-28T10:00:00Z; succeeded 990"),
		}},
		{"trialing and cancelled", after(trial, inFebruary, do("cancel")), "trialing 1-20 until 2026-02-28T10:00:00Z, cancelled, next payment null;", map[string]cell{
			"payment-method": works(""),
			"change":         works("trialing 21-50 until 2026-02-28T10:00:00Z, cancelled, next payment null;"),
			"resume":         works("trialing 1-20 until 2026-02-28T10:00:00Z, next payment 2026-02-28T10:00:00Z;"),
		}},
		{"active", after(buy(nil), inFebruary), "active 1-20 until 2026-02-28T10:00:00Z, next payment 2026-02-28T10:00:00Z; succeeded 990", map[string]cell{
			"payment-method": works(""),
			// 18 of 28 days are left of 9.90: 6.36.
			"change": works("active 21-50 until 2026-03-10T10:00:00Z, next payment 2026-03-10T10:00:00Z; succeeded 990 succeeded 1344"),
			"cancel": works("active 1-20 until 2026-02-28T10:00:00Z, cancelled, next payment null; succeeded 990"),
			"renew":  works("active 1-20 until 2026-02-28T10:00:00Z, next payment 2026-03-31T10:00:00Z; succeeded 990 succeeded 990"),
		}},
		{"active and cancelled", after(buy(nil), inFebruary, do("cancel")), "active 1-20 until 2026-02-28T10:00:00Z, cancelled, next payment null; succeeded 990", map[string]cell{
			"payment-method": works(""),
			"change":         works("active 21-50 until 2026-03-10T10:00:00Z, cancelled, next payment null; succeeded 990 succeeded 1344"),
			"resume":         works("active 1-20 until 2026-02-28T10:00:00Z, next payment 2026-02-28T10:00:00Z; succeeded 990"),
		}},
		{"active and paid ahead", after(buy(nil), inFebruary, do("renew")), "active 1-20 until 2026-02-28T10:00:00Z, next payment 2026-03-31T10:00:00Z; succeeded 990 succeeded 990", map[string]cell{
			"payment-method": works(""),
			// 6.36 of the running period and all of the one ahead.
			"change": works("active 21-50 until 2026-03-10T10:00:00Z, next payment 2026-03-10T10:00:00Z; succeeded 990 succeeded 990 succeeded 354"),
			"cancel": works("active 1-20 until 2026-02-28T10:00:00Z, cancelled, next payment null; succeeded 990 succeeded 990"),
		}},
		{"past_due", after(buy(object{"payment": card("tok_later_declined")}), atTheEnd),
			"past_due 1-20 until 2026-02-28T10:00:00Z, next payment 2026-03-01T10:00:00Z; succeeded 990 declined 990", map[string]cell{
				"payment-method": works("active 1-20 until 2026-03-31T10:00:00Z, next payment 2026-03-31T10:00:00Z; succeeded 990 declined 990 succeeded 990"),
				"change":         isDeclined("past_due 1-20 until 2026-02-28T10:00:00Z, next payment 2026-03-01T10:00:00Z; succeeded 990 declined 990 declined 1980"),
				"cancel":         works("canceled 1-20, requested at 2026-02-28T10:00:00Z, next payment null; succeeded 990 declined 990"),
				"renew":          isDeclined("past_due 1-20 until 2026-02-28T10:00:00Z, next payment 2026-03-01T10:00:00Z; succeeded 990 declined 990 declined 990"),
			}},
		{"canceled", after(buy(nil), do("cancel"), atTheEnd), "canceled 1-20, requested at 2026-02-28T10:00:00Z, next payment null; succeeded 990", map[string]cell{
			"payment-method": works(""),
			"renew":          works("active 1-20 until 2026-03-28T10:00:00Z, next payment 2026-03-28T10:00:00Z; succeeded 990 succeeded 990"),
		}},
	} {
		t.Run(state.name, func(t *testing.T) {
			for _, action := range actions {
				t.Run(action.name, func(t *testing.T) {
					l := state.make(t)
					before := shared.subscription(t, l.id)
					if got := shared.story(t, l.id); got != state.story {
						t.Fatalf("before: %s\nwant:   %s", got, state.story)
					}
					want, possible := state.cells[action.name]
					if !possible {
						want = refused
					}
					if slices.Contains(before.Actions, action.name) != possible {
						t.Errorf("the actions are %q", before.Actions)
					}
					if action.name == "change" { // the preview is refused where the change is
						preview := shared.send(t, http.MethodPost, "/v1/subscriptions/"+l.id+"/change/preview", action.body, shared.asOperator())
						if possible {
							preview.want(t, http.StatusOK)
						} else {
							preview.wantProblem(t, refused.status, refused.code)
						}
					}
					a := shared.command(t, l.id, action.name, action.body)
					if want.code == "" {
						a.want(t, want.status)
					} else {
						a.wantProblem(t, want.status, want.code)
					}
					if want.story == "" {
						want.story = state.story
					}
					if got := shared.story(t, l.id); got != want.story {
						t.Errorf("after:\n%s\nwant:\n%s", got, want.story)
					}
					if want.code != "" {
						if diff := cmp.Diff(before, shared.subscription(t, l.id)); diff != "" {
							t.Errorf("what was refused has changed:\n%s", diff)
						}
					}
					shared.audit(t, l.id)
				})
			}
		})
	}
}
