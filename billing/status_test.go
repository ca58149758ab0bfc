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
		l.command(Command{Action: ActionPurchase, Request: "req_buy"}, "poor")
		return l
	},
	Trialing: func(t *testing.T) *ledger { return tried(t, "2026-04-01", "visa", offer{}) },
	Active:   func(t *testing.T) *ledger { return bought(t, "2026-04-01", offer{}) },
	PastDue: func(t *testing.T) *ledger {
		l := bought(t, "2026-04-01", offer{})
		l.must(Command{Action: ActionPaymentMethod}, "poor")
		l.to("2026-05-01")
		l.wallet = "visa" // the same card has money again
		return l
	},
	Canceled: func(t *testing.T) *ledger {
		l := bought(t, "2026-04-01", offer{})
		l.must(Command{Action: ActionCancel})
		l.to("2026-05-01")
		return l
	},
	IncompleteExpired: func(t *testing.T) *ledger {
		l := ordered(t, "2026-04-01", offer{})
		l.to("2026-04-02")
		return l
	},
}

var actions = []Action{ActionPaymentMethod, ActionChange, ActionCancel, ActionResume, ActionRenew, ActionMoneyBack}

// The table of docs/rules.md, Commands and states, cell by cell.
func TestCommandsAndStates(t *testing.T) {
	cancelled := func(l *ledger) { l.must(Command{Action: ActionCancel}) }
	type cell struct {
		name   string
		status Status
		action Action
		before func(*ledger)
		then   func(*testing.T, *ledger) // nil: not_possible_now
	}
	period := func(start, end string) Period { return Period{instant(start), instant(end)} }
	april, may := period("2026-04-01", "2026-05-01"), period("2026-05-01", "2026-06-01")
	cells := []cell{
		{"incomplete payment-method stores and charges", Incomplete, ActionPaymentMethod, nil, func(t *testing.T, l *ledger) {
			is(t, "status", l.s().Status, Active)
			is(t, "charged", l.charged(), int64(1000))
			is(t, "card", l.wallet, "new")
		}},
		{"incomplete change", Incomplete, ActionChange, nil, nil},
		{"incomplete cancel ends now", Incomplete, ActionCancel, nil, func(t *testing.T, l *ledger) {
			is(t, "status", l.s().Status, IncompleteExpired)
			is(t, "invoice", l.last().Status, InvoiceVoid)
		}},
		{"incomplete resume", Incomplete, ActionResume, nil, nil},
		{"incomplete renew", Incomplete, ActionRenew, nil, nil},

		{"trialing payment-method stores", Trialing, ActionPaymentMethod, nil, func(t *testing.T, l *ledger) {
			is(t, "status", l.s().Status, Trialing)
			is(t, "charged", l.charged(), int64(0))
			is(t, "card", l.wallet, "new")
		}},
		{"trialing change swaps the plan and keeps the end", Trialing, ActionChange, nil, func(t *testing.T, l *ledger) {
			is(t, "plan", l.s().Plan.ID, large)
			is(t, "period", l.s().Period, april)
			is(t, "charged", l.charged(), int64(0))
		}},
		{"trialing cancel is at the trial's end", Trialing, ActionCancel, nil, func(t *testing.T, l *ledger) {
			is(t, "status", l.s().Status, Trialing)
			l.to("2026-05-01")
			is(t, "status", l.s().Status, Canceled)
			is(t, "charged", l.charged(), int64(0))
		}},
		{"trialing resume", Trialing, ActionResume, cancelled, func(t *testing.T, l *ledger) {
			l.to("2026-05-01")
			is(t, "status", l.s().Status, Active)
		}},
		{"trialing resume of what was not cancelled", Trialing, ActionResume, nil, nil},
		{"trialing renew pays the period from the trial's end", Trialing, ActionRenew, nil, func(t *testing.T, l *ledger) {
			is(t, "status", l.s().Status, Trialing)
			is(t, "ahead", l.s().PrepaidPeriod, may)
			is(t, "charged", l.charged(), int64(1000))
		}},
		{"trialing renew while cancelling", Trialing, ActionRenew, cancelled, nil},

		{"active payment-method stores", Active, ActionPaymentMethod, nil, func(t *testing.T, l *ledger) {
			is(t, "charged", l.charged(), int64(1000))
			is(t, "card", l.wallet, "new")
		}},
		{"active change", Active, ActionChange, nil, func(t *testing.T, l *ledger) {
			is(t, "plan", l.s().Plan.ID, large)
			is(t, "period", l.s().Period, april) // at the first instant all comes back
			is(t, "charged", l.charged(), int64(2000))
		}},
		{"active cancel is at the period's end", Active, ActionCancel, nil, func(t *testing.T, l *ledger) {
			is(t, "status", l.s().Status, Active)
			l.to("2026-05-01")
			is(t, "status", l.s().Status, Canceled)
			is(t, "at", l.s().CanceledAt, instant("2026-05-01"))
		}},
		{"active cancel twice", Active, ActionCancel, cancelled, nil},
		{"active resume", Active, ActionResume, cancelled, func(t *testing.T, l *ledger) {
			l.to("2026-05-01")
			is(t, "period", l.s().Period, may)
		}},
		{"active resume of what was not cancelled", Active, ActionResume, nil, nil},
		{"active renew pays one ahead", Active, ActionRenew, nil, func(t *testing.T, l *ledger) {
			is(t, "period", l.s().Period, april)
			is(t, "ahead", l.s().PrepaidPeriod, may)
			is(t, "charged", l.charged(), int64(2000))
		}},
		{"active renew a second one ahead", Active, ActionRenew, func(l *ledger) { l.must(Command{Action: ActionRenew}) }, nil},
		{"active renew while cancelling", Active, ActionRenew, cancelled, nil},

		{"past_due payment-method stores and charges", PastDue, ActionPaymentMethod, nil, func(t *testing.T, l *ledger) {
			is(t, "status", l.s().Status, Active)
			is(t, "period", l.s().Period, may)
			is(t, "card", l.wallet, "new")
			is(t, "charged", l.charged(), int64(2000))
		}},
		{"past_due change is without credit, from now", PastDue, ActionChange, func(l *ledger) { l.now = l.now.Add(12 * time.Hour) }, func(t *testing.T, l *ledger) {
			is(t, "period", l.s().Period, period("2026-05-01 12:00", "2026-06-01 12:00"))
			is(t, "anchor", l.s().Anchor, instant("2026-05-01 12:00"))
			is(t, "charged", l.charged(), int64(3000))
			is(t, "the unpaid invoice", l.docs[l.order[1]].Status, InvoiceVoid)
			is(t, "dunning", l.s().Dunning, Dunning{})
		}},
		{"past_due cancel is now, and the invoice void", PastDue, ActionCancel, nil, func(t *testing.T, l *ledger) {
			is(t, "status", l.s().Status, Canceled)
			is(t, "at", l.s().CanceledAt, instant("2026-05-01"))
			is(t, "invoice", l.last().Status, InvoiceVoid)
		}},
		{"past_due resume", PastDue, ActionResume, nil, nil},
		{"past_due renew charges what is due", PastDue, ActionRenew, nil, func(t *testing.T, l *ledger) {
			is(t, "period", l.s().Period, may)
			is(t, "anchor", l.s().Anchor, instant("2026-04-01"))
			is(t, "charged", l.charged(), int64(2000))
		}},

		{"canceled payment-method stores", Canceled, ActionPaymentMethod, nil, func(t *testing.T, l *ledger) {
			is(t, "status", l.s().Status, Canceled)
			is(t, "card", l.wallet, "new")
			is(t, "charged", l.charged(), int64(1000))
		}},
		{"incomplete money-back", Incomplete, ActionMoneyBack, nil, nil},
		{"trialing money-back of nothing", Trialing, ActionMoneyBack, nil, nil},
		{"active money-back ends now", Active, ActionMoneyBack, nil, func(t *testing.T, l *ledger) {
			is(t, "status", l.s().Status, Canceled)
			is(t, "reason", l.s().CancelReason, ReasonRefunded)
			is(t, "given back", l.refunded(), int64(1000))
		}},
		{"past_due money-back of a late conversion", PastDue, ActionMoneyBack, func(l *ledger) {
			l.snapshot.Subscription.MoneyBack = MoneyBack{InvoiceID(l.order[0]), instant("2026-05-02")}
		}, func(t *testing.T, l *ledger) {
			is(t, "status", l.s().Status, Canceled)
			is(t, "invoice", l.last().Status, InvoiceVoid)
			is(t, "given back", l.refunded(), int64(1000))
		}},
		{"canceled money-back", Canceled, ActionMoneyBack, nil, nil},
		{"canceled change", Canceled, ActionChange, nil, nil},
		{"canceled cancel", Canceled, ActionCancel, nil, nil},
		{"canceled resume", Canceled, ActionResume, nil, nil},
		{"canceled renew revives", Canceled, ActionRenew, func(l *ledger) { l.to("2026-07-10 09:00") }, func(t *testing.T, l *ledger) {
			is(t, "status", l.s().Status, Active)
			is(t, "period", l.s().Period, period("2026-07-10 09:00", "2026-08-10 09:00"))
		}},
	}
	for _, action := range actions {
		cells = append(cells, cell{"incomplete_expired takes no " + string(action), IncompleteExpired, action, nil, nil})
	}
	covered := map[[2]string]bool{}
	for _, c := range cells {
		covered[[2]string{string(c.status), string(c.action)}] = true
		t.Run(c.name, func(t *testing.T) {
			l := in[c.status](t)
			is(t, "status before", l.s().Status, c.status)
			if c.before != nil {
				c.before(l)
			}
			command := Command{Action: c.action}
			if c.action == ActionChange {
				command.Plan = large
			}
			if c.then == nil {
				is(t, "offered", slices.Contains(l.s().Actions(l.now), c.action), false)
				if c.action == ActionPaymentMethod {
					d := l.onFile().Decide(command, l.now)
					is(t, "refusal", d.Refusal.Code, CodeNotPossibleNow)
					return
				}
				l.refused(command, CodeNotPossibleNow)
				return
			}
			is(t, "offered", slices.Contains(l.s().Actions(l.now), c.action), true)
			card := ""
			if c.action == ActionPaymentMethod {
				card = "new"
			}
			l.must(command, card)
			c.then(t, l)
		})
	}
	if want := len(in) * len(actions); len(covered) != want {
		t.Errorf("%d cells of %d are tested", len(covered), want)
	}
}

func TestTheActionsAreTheButtonsOfTheState(t *testing.T) {
	flagged := func(s Subscription) Subscription { s.CancelAtPeriodEnd = true; return s }
	prepaid := func(s Subscription) Subscription {
		s.PrepaidPeriod = Period{instant("2026-05-01"), instant("2026-06-01")}
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
		want []Action
	}{
		{"incomplete", status(Incomplete), []Action{ActionPaymentMethod, ActionCancel}},
		{"trialing", status(Trialing), []Action{ActionChange, ActionCancel, ActionRenew, ActionPaymentMethod}},
		{"trialing, cancelled", flagged(status(Trialing)), []Action{ActionChange, ActionResume, ActionPaymentMethod}},
		{"trialing, paid ahead", prepaid(status(Trialing)), []Action{ActionChange, ActionCancel, ActionPaymentMethod}},
		{"active", status(Active), []Action{ActionChange, ActionCancel, ActionRenew, ActionPaymentMethod}},
		{"active, just bought", fresh(status(Active)), []Action{ActionChange, ActionCancel, ActionRenew, ActionPaymentMethod, ActionMoneyBack}},
		{"active, cancelled", flagged(status(Active)), []Action{ActionChange, ActionResume, ActionPaymentMethod}},
		{"active, paid ahead", prepaid(status(Active)), []Action{ActionChange, ActionCancel, ActionPaymentMethod}},
		{"past_due", status(PastDue), []Action{ActionChange, ActionCancel, ActionRenew, ActionPaymentMethod}},
		{"canceled", status(Canceled), []Action{ActionRenew, ActionPaymentMethod}},
		{"incomplete_expired", status(IncompleteExpired), []Action{}},
	} {
		t.Run(c.name, func(t *testing.T) { is(t, "actions", c.s.Actions(instant("2026-04-15")), c.want) })
	}
}

func TestAnUnknownCommandIsRefused(t *testing.T) {
	for status, make := range in {
		l := make(t)
		if d := l.onFile().Decide(Command{Action: "give"}, l.now); d.Refusal == nil || d.Refusal.Code != CodeNotPossibleNow {
			t.Errorf("%s: %+v", status, d)
		}
	}
}
