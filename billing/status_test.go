package billing

import (
	"slices"
	"testing"
	"time"
)

// in makes a subscription in each state of the table.
var in = map[Status]func(t *testing.T) *ledger{
	Incomplete: func(t *testing.T) *ledger {
		l := ordered(t, "2026-04-01", offer{})
		l.command(Command{Verb: VerbPurchase, Request: "req_buy"}, "poor")
		return l
	},
	Trialing: func(t *testing.T) *ledger { return tried(t, "2026-04-01", "visa", offer{}) },
	Active:   func(t *testing.T) *ledger { return bought(t, "2026-04-01", offer{}) },
	PastDue: func(t *testing.T) *ledger {
		l := bought(t, "2026-04-01", offer{})
		l.must(Command{Verb: VerbPaymentMethod}, "poor")
		l.to("2026-05-01")
		l.wallet = "visa" // the same card has money again
		return l
	},
	Canceled: func(t *testing.T) *ledger {
		l := bought(t, "2026-04-01", offer{})
		l.must(Command{Verb: VerbCancel})
		l.to("2026-05-01")
		return l
	},
	IncompleteExpired: func(t *testing.T) *ledger {
		l := ordered(t, "2026-04-01", offer{})
		l.to("2026-04-02")
		return l
	},
}

var verbs = []Verb{VerbPaymentMethod, VerbChange, VerbCancel, VerbResume, VerbRenew, VerbMoneyBack}

// The table of docs/rules.md, Commands and states, cell by cell.
func TestCommandsAndStates(t *testing.T) {
	cancelled := func(l *ledger) { l.must(Command{Verb: VerbCancel}) }
	type cell struct {
		name   string
		status Status
		verb   Verb
		before func(*ledger)
		then   func(*testing.T, *ledger) // nil: not_possible_now
	}
	period := func(start, end string) Period { return Period{instant(start), instant(end)} }
	april, may := period("2026-04-01", "2026-05-01"), period("2026-05-01", "2026-06-01")
	cells := []cell{
		{"incomplete payment-method stores and charges", Incomplete, VerbPaymentMethod, nil, func(t *testing.T, l *ledger) {
			is(t, "status", l.s().Status, Active)
			is(t, "charged", l.charged(), int64(1000))
			is(t, "card", l.wallet, "new")
		}},
		{"incomplete change", Incomplete, VerbChange, nil, nil},
		{"incomplete cancel ends now", Incomplete, VerbCancel, nil, func(t *testing.T, l *ledger) {
			is(t, "status", l.s().Status, IncompleteExpired)
			is(t, "invoice", l.last().Status, InvoiceVoid)
		}},
		{"incomplete resume", Incomplete, VerbResume, nil, nil},
		{"incomplete renew", Incomplete, VerbRenew, nil, nil},

		{"trialing payment-method stores", Trialing, VerbPaymentMethod, nil, func(t *testing.T, l *ledger) {
			is(t, "status", l.s().Status, Trialing)
			is(t, "charged", l.charged(), int64(0))
			is(t, "card", l.wallet, "new")
		}},
		{"trialing change swaps the plan and keeps the end", Trialing, VerbChange, nil, func(t *testing.T, l *ledger) {
			is(t, "plan", l.s().Plan.ID, large)
			is(t, "period", l.s().Period, april)
			is(t, "charged", l.charged(), int64(0))
		}},
		{"trialing cancel is at the trial's end", Trialing, VerbCancel, nil, func(t *testing.T, l *ledger) {
			is(t, "status", l.s().Status, Trialing)
			l.to("2026-05-01")
			is(t, "status", l.s().Status, Canceled)
			is(t, "charged", l.charged(), int64(0))
		}},
		{"trialing resume", Trialing, VerbResume, cancelled, func(t *testing.T, l *ledger) {
			l.to("2026-05-01")
			is(t, "status", l.s().Status, Active)
		}},
		{"trialing resume of what was not cancelled", Trialing, VerbResume, nil, nil},
		{"trialing renew pays the period from the trial's end", Trialing, VerbRenew, nil, func(t *testing.T, l *ledger) {
			is(t, "status", l.s().Status, Trialing)
			is(t, "ahead", l.s().Ahead, may)
			is(t, "charged", l.charged(), int64(1000))
		}},
		{"trialing renew while cancelling", Trialing, VerbRenew, cancelled, nil},

		{"active payment-method stores", Active, VerbPaymentMethod, nil, func(t *testing.T, l *ledger) {
			is(t, "charged", l.charged(), int64(1000))
			is(t, "card", l.wallet, "new")
		}},
		{"active change", Active, VerbChange, nil, func(t *testing.T, l *ledger) {
			is(t, "plan", l.s().Plan.ID, large)
			is(t, "period", l.s().Period, april) // at the first instant all comes back
			is(t, "charged", l.charged(), int64(2000))
		}},
		{"active cancel is at the period's end", Active, VerbCancel, nil, func(t *testing.T, l *ledger) {
			is(t, "status", l.s().Status, Active)
			l.to("2026-05-01")
			is(t, "status", l.s().Status, Canceled)
			is(t, "at", l.s().CanceledAt, instant("2026-05-01"))
		}},
		{"active cancel twice", Active, VerbCancel, cancelled, nil},
		{"active resume", Active, VerbResume, cancelled, func(t *testing.T, l *ledger) {
			l.to("2026-05-01")
			is(t, "period", l.s().Period, may)
		}},
		{"active resume of what was not cancelled", Active, VerbResume, nil, nil},
		{"active renew pays one ahead", Active, VerbRenew, nil, func(t *testing.T, l *ledger) {
			is(t, "period", l.s().Period, april)
			is(t, "ahead", l.s().Ahead, may)
			is(t, "charged", l.charged(), int64(2000))
		}},
		{"active renew a second one ahead", Active, VerbRenew, func(l *ledger) { l.must(Command{Verb: VerbRenew}) }, nil},
		{"active renew while cancelling", Active, VerbRenew, cancelled, nil},

		{"past_due payment-method stores and charges", PastDue, VerbPaymentMethod, nil, func(t *testing.T, l *ledger) {
			is(t, "status", l.s().Status, Active)
			is(t, "period", l.s().Period, may)
			is(t, "card", l.wallet, "new")
			is(t, "charged", l.charged(), int64(2000))
		}},
		{"past_due change is without credit, from now", PastDue, VerbChange, func(l *ledger) { l.now = l.now.Add(12 * time.Hour) }, func(t *testing.T, l *ledger) {
			is(t, "period", l.s().Period, period("2026-05-01 12:00", "2026-06-01 12:00"))
			is(t, "anchor", l.s().Anchor, instant("2026-05-01 12:00"))
			is(t, "charged", l.charged(), int64(3000))
			is(t, "the unpaid invoice", l.docs[l.order[1]].Status, InvoiceVoid)
			is(t, "dunning", l.s().Dunning, Dunning{})
		}},
		{"past_due cancel is now, and the invoice void", PastDue, VerbCancel, nil, func(t *testing.T, l *ledger) {
			is(t, "status", l.s().Status, Canceled)
			is(t, "at", l.s().CanceledAt, instant("2026-05-01"))
			is(t, "invoice", l.last().Status, InvoiceVoid)
		}},
		{"past_due resume", PastDue, VerbResume, nil, nil},
		{"past_due renew charges what is due", PastDue, VerbRenew, nil, func(t *testing.T, l *ledger) {
			is(t, "period", l.s().Period, may)
			is(t, "anchor", l.s().Anchor, instant("2026-04-01"))
			is(t, "charged", l.charged(), int64(2000))
		}},

		{"canceled payment-method stores", Canceled, VerbPaymentMethod, nil, func(t *testing.T, l *ledger) {
			is(t, "status", l.s().Status, Canceled)
			is(t, "card", l.wallet, "new")
			is(t, "charged", l.charged(), int64(1000))
		}},
		{"incomplete money-back", Incomplete, VerbMoneyBack, nil, nil},
		{"trialing money-back of nothing", Trialing, VerbMoneyBack, nil, nil},
		{"active money-back ends now", Active, VerbMoneyBack, nil, func(t *testing.T, l *ledger) {
			is(t, "status", l.s().Status, Canceled)
			is(t, "reason", l.s().CancelReason, ReasonRefunded)
			is(t, "given back", l.refunded(), int64(1000))
		}},
		{"past_due money-back of a late conversion", PastDue, VerbMoneyBack, func(l *ledger) {
			l.book.Subscription.MoneyBack = MoneyBack{l.order[0], instant("2026-05-02")}
		}, func(t *testing.T, l *ledger) {
			is(t, "status", l.s().Status, Canceled)
			is(t, "invoice", l.last().Status, InvoiceVoid)
			is(t, "given back", l.refunded(), int64(1000))
		}},
		{"canceled money-back", Canceled, VerbMoneyBack, nil, nil},
		{"canceled change", Canceled, VerbChange, nil, nil},
		{"canceled cancel", Canceled, VerbCancel, nil, nil},
		{"canceled resume", Canceled, VerbResume, nil, nil},
		{"canceled renew revives", Canceled, VerbRenew, func(l *ledger) { l.to("2026-07-10 09:00") }, func(t *testing.T, l *ledger) {
			is(t, "status", l.s().Status, Active)
			is(t, "period", l.s().Period, period("2026-07-10 09:00", "2026-08-10 09:00"))
		}},
	}
	for _, verb := range verbs {
		cells = append(cells, cell{"incomplete_expired takes no " + string(verb), IncompleteExpired, verb, nil, nil})
	}
	covered := map[[2]string]bool{}
	for _, c := range cells {
		covered[[2]string{string(c.status), string(c.verb)}] = true
		t.Run(c.name, func(t *testing.T) {
			l := in[c.status](t)
			is(t, "status before", l.s().Status, c.status)
			if c.before != nil {
				c.before(l)
			}
			command := Command{Verb: c.verb}
			if c.verb == VerbChange {
				command.Plan = large
			}
			if c.then == nil {
				is(t, "offered", slices.Contains(l.s().Actions(l.now), c.verb), false)
				if c.verb == VerbPaymentMethod {
					d := l.onFile().Decide(command, l.now)
					is(t, "refusal", d.Refusal.Code, CodeNotPossibleNow)
					return
				}
				l.refused(command, CodeNotPossibleNow)
				return
			}
			is(t, "offered", slices.Contains(l.s().Actions(l.now), c.verb), true)
			card := ""
			if c.verb == VerbPaymentMethod {
				card = "new"
			}
			l.must(command, card)
			c.then(t, l)
		})
	}
	if want := len(in) * len(verbs); len(covered) != want {
		t.Errorf("%d cells of %d are tested", len(covered), want)
	}
}

func TestTheActionsAreTheButtonsOfTheState(t *testing.T) {
	flagged := func(s Subscription) Subscription { s.CancelAtPeriodEnd = true; return s }
	ahead := func(s Subscription) Subscription {
		s.Ahead = Period{instant("2026-05-01"), instant("2026-06-01")}
		return s
	}
	fresh := func(s Subscription) Subscription {
		s.MoneyBack = MoneyBack{"inv_1", instant("2026-04-15")}
		return s
	}
	status := func(s Status) Subscription { return Subscription{Status: s} }
	for _, c := range []struct {
		name string
		s    Subscription
		want []Verb
	}{
		{"incomplete", status(Incomplete), []Verb{VerbPaymentMethod, VerbCancel}},
		{"trialing", status(Trialing), []Verb{VerbChange, VerbCancel, VerbRenew, VerbPaymentMethod}},
		{"trialing, cancelled", flagged(status(Trialing)), []Verb{VerbChange, VerbResume, VerbPaymentMethod}},
		{"trialing, paid ahead", ahead(status(Trialing)), []Verb{VerbChange, VerbCancel, VerbPaymentMethod}},
		{"active", status(Active), []Verb{VerbChange, VerbCancel, VerbRenew, VerbPaymentMethod}},
		{"active, just bought", fresh(status(Active)), []Verb{VerbChange, VerbCancel, VerbRenew, VerbPaymentMethod, VerbMoneyBack}},
		{"active, cancelled", flagged(status(Active)), []Verb{VerbChange, VerbResume, VerbPaymentMethod}},
		{"active, paid ahead", ahead(status(Active)), []Verb{VerbChange, VerbCancel, VerbPaymentMethod}},
		{"past_due", status(PastDue), []Verb{VerbChange, VerbCancel, VerbRenew, VerbPaymentMethod}},
		{"canceled", status(Canceled), []Verb{VerbRenew, VerbPaymentMethod}},
		{"incomplete_expired", status(IncompleteExpired), []Verb{}},
	} {
		t.Run(c.name, func(t *testing.T) { is(t, "actions", c.s.Actions(instant("2026-04-15")), c.want) })
	}
}

func TestAnUnknownCommandIsRefused(t *testing.T) {
	for status, make := range in {
		l := make(t)
		if d := l.onFile().Decide(Command{Verb: "give"}, l.now); d.Refusal == nil || d.Refusal.Code != CodeNotPossibleNow {
			t.Errorf("%s: %+v", status, d)
		}
	}
}
