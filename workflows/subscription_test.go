package workflows_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/okviz/licensing/activities/activitiestest"
	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/workflows"
)

func wantNextRun(l *life, err error) *workflow.ContinueAsNewError {
	l.Helper()
	var next *workflow.ContinueAsNewError
	if !errors.As(err, &next) {
		l.Fatalf("the run did not continue as a new one: %v", err)
	}
	return next
}

func TestPurchasedOn31JanuaryIsRenewedForTwoYearsOnTheLastDays(t *testing.T) {
	l := newLife(t, "2026-01-31 10:00:00")
	buy := l.order(activitiestest.Order{Token: "tok_visa"})
	var bought *answer
	l.lives("2028-02-01 00:00:00", func() { bought = buy() })
	l.wantDone("purchase", bought)
	var want []activitiestest.Charge
	for _, day := range []string{
		"2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31", "2026-06-30", "2026-07-31",
		"2026-08-31", "2026-09-30", "2026-10-31", "2026-11-30", "2026-12-31", "2027-01-31", "2027-02-28",
		"2027-03-31", "2027-04-30", "2027-05-31", "2027-06-30", "2027-07-31", "2027-08-31", "2027-09-30",
		"2027-10-31", "2027-11-30", "2027-12-31", "2028-01-31",
	} {
		want = append(want, charge(day+" 10:00:00", 990))
	}
	l.wantCharged(want...)
	s := l.wantStatus(billing.Active, "")
	if want := instant("2028-02-29 10:00:00"); !s.Period.End.Equal(want) {
		t.Errorf("the period ends %s, want %s", s.Period.End, want)
	}
	receipts := 0
	for _, k := range l.Mailbox.Kinds() {
		if k == billing.NoticeReceipt {
			receipts++
		}
	}
	if receipts != 25 {
		t.Errorf("%d receipts were sent, want 25", receipts)
	}
}

// A yearly subscription wakes on day 335, 365 and 700 by itself; the run ends on
// day 400 all the same.
func TestARunEndsAfter400DaysAndTheNextOneGoesOnWithTheSubscription(t *testing.T) {
	l := newLife(t, "2026-01-01 10:00:00")
	buy := l.order(activitiestest.Order{Token: "tok_visa", Plan: activitiestest.Yearly})
	err := l.run(workflows.Start{ID: l.sub}, func() { buy() })
	next := l.carried(err)
	if got, want := time.Unix(l.now.Load(), 0).UTC(), instant("2027-02-05 10:00:00"); !got.Equal(want) {
		t.Errorf("the run ended at %s, want %s", got, want)
	}
	l.wantCharged(charge("2026-01-01 10:00:00", 9900), charge("2027-01-01 10:00:00", 9900))
	if err := l.run(next, func() { l.stop("2028-01-02 00:00:00") }); !temporal.IsCanceledError(err) {
		t.Errorf("the next run ended by itself: %v", err)
	}
	l.wantCharged(charge("2026-01-01 10:00:00", 9900), charge("2027-01-01 10:00:00", 9900), charge("2028-01-01 10:00:00", 9900))
}

// A command that began a second before day 400 is tried six times, over more
// than half a minute, and another is given meanwhile.
func TestARunThatIsNotIdleAfter400DaysGoesOnUntilItIs(t *testing.T) {
	l := newLife(t, "2026-01-01 00:00:00")
	buy := l.order(activitiestest.Order{Token: "tok_visa", Plan: activitiestest.Yearly})
	faults := l.Break()
	var cancelled, resumed *answer
	err := l.run(workflows.Start{ID: l.sub}, func() {
		buy()
		l.at("2027-02-04 23:59:59", func() {
			faults.Fail(activitiestest.Point{Call: "Snapshot"}, 5)
			cancelled = l.do(billing.ActionCancel)
		})
		l.at("2027-02-05 00:00:20", func() { resumed = l.do(billing.ActionResume) })
	})
	if next := l.carried(err); next.State.CancelAtPeriodEnd {
		t.Error("the next run begins without the last command")
	}
	l.wantDone("cancel", cancelled)
	l.wantDone("resume", resumed)
	if end := time.Unix(l.now.Load(), 0).UTC(); end.Before(instant("2027-02-05 00:00:30")) || end.After(instant("2027-02-05 00:01:00")) {
		t.Errorf("the run ended at %s", end)
	}
	if n := len(l.timers); n > 10 {
		t.Errorf("it set %d timers: %v", n, l.timers)
	}
}

func TestTrialWithoutCardEnds(t *testing.T) {
	l := newLife(t, "2026-01-01 00:00:00")
	try := l.order(activitiestest.Order{Trial: true})
	l.ends("2026-02-01 00:00:00", func() { try() })
	l.wantStatus(billing.Canceled, billing.ReasonTrialEnded)
	l.wantCharged()
	want := []billing.NoticeKind{
		billing.NoticeTrialStarted, billing.NoticeTrialLicense,
		billing.NoticeTrialEnding, billing.NoticeTrialEnding, billing.NoticeEnded,
	}
	got := l.Mailbox.Kinds()
	slices.Sort(want) // those of one event go out in any order
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("emails (-want +got):\n%s", diff)
	}
}

func TestTrialWithCardIsChargedAtItsEndAndRenewedFromThere(t *testing.T) {
	l := newLife(t, "2026-01-01 00:00:00")
	try := l.order(activitiestest.Order{Trial: true})
	var stored *answer
	l.lives("2026-03-01 00:00:01", func() {
		try()
		l.at("2026-01-10 09:00:00", func() { stored = l.update(billing.Command{Action: billing.ActionPaymentMethod}, "tok_visa") })
	})
	l.wantDone("payment_method", stored)
	l.wantStatus(billing.Active, "")
	l.wantCharged(charge("2026-02-01 00:00:00", 990), charge("2026-03-01 00:00:00", 990))
}

// The defect of the best-known template: a cancelled trial was charged at its
// end, many times over.
func TestTrialWithCardThatIsCancelledIsNeverCharged(t *testing.T) {
	for _, c := range []struct {
		name, day string
		cancel    func(l *life)
	}{
		{"by the update, on day 5", "2026-01-06 00:00:00", func(l *life) { l.do(billing.ActionCancel) }},
		{"by the update, on day 20", "2026-01-21 00:00:00", func(l *life) { l.do(billing.ActionCancel) }},
		{"by the signal, on day 20", "2026-01-21 00:00:00", func(l *life) { l.env.SignalWorkflow("cancel", nil) }},
		{"a second before its end", "2026-01-31 23:59:59", func(l *life) { l.do(billing.ActionCancel) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLife(t, "2026-01-01 00:00:00")
			try := l.order(activitiestest.Order{Trial: true, Token: "tok_visa"})
			l.ends("2026-02-01 00:00:00", func() {
				try()
				l.at(c.day, func() { c.cancel(l) })
			})
			s := l.wantStatus(billing.Canceled, billing.ReasonRequested)
			if !s.HasMethod {
				t.Error("no card was stored: this test proves nothing")
			}
			l.wantCharged()

			// Five years on, the run of a stray command finds nothing to charge.
			l.now.Store(instant("2031-02-01 00:00:00").Unix())
			l.ends("2031-02-01 00:00:00", func() {
				l.env.RegisterDelayedCallback(func() { l.env.SignalWorkflow("resume", nil) }, 0)
			})
			l.wantStatus(billing.Canceled, billing.ReasonRequested)
			l.wantCharged()
		})
	}
}

func TestCancelledTrialOnATestClockIsNotChargedInFiveYears(t *testing.T) {
	l := newLife(t, "2026-01-01 00:00:00")
	clock := l.clock("2026-01-01 00:00:00")
	try := l.order(activitiestest.Order{Trial: true, Token: "tok_visa", Clock: clock})
	var cancelled *answer
	l.ends("2026-01-01 03:00:00", func() {
		try()
		l.at("2026-01-01 01:00:00", func() { l.advance("2026-01-06 00:00:00") })
		l.at("2026-01-01 02:00:00", func() { cancelled = l.do(billing.ActionCancel) })
		l.at("2026-01-01 03:00:00", func() { l.advance("2031-01-01 00:00:00") })
	})
	l.wantDone("cancel", cancelled)
	l.wantStatus(billing.Canceled, billing.ReasonRequested)
	l.wantCharged()
}

func TestCancelResumeCancel(t *testing.T) {
	l := newLife(t, "2026-01-01 00:00:00")
	buy := l.order(activitiestest.Order{Token: "tok_visa"})
	var one, again, two, resumedTooOften, three *answer
	l.ends("2026-03-01 00:00:00", func() {
		buy()
		l.at("2026-01-10 00:00:00", func() { one = l.do(billing.ActionCancel) })
		l.at("2026-01-10 00:00:01", func() { again = l.do(billing.ActionCancel) })
		l.at("2026-01-20 00:00:00", func() { two = l.do(billing.ActionResume) })
		l.at("2026-01-20 00:00:01", func() { resumedTooOften = l.do(billing.ActionResume) })
		l.at("2026-02-10 00:00:00", func() { three = l.do(billing.ActionCancel) })
	})
	l.wantDone("cancel", one)
	l.wantRefused("cancel twice", again, billing.CodeNotPossibleNow)
	l.wantDone("resume", two)
	l.wantRefused("resume twice", resumedTooOften, billing.CodeNotPossibleNow)
	l.wantDone("cancel", three)
	l.wantStatus(billing.Canceled, billing.ReasonRequested)
	l.wantCharged(charge("2026-01-01 00:00:00", 990), charge("2026-02-01 00:00:00", 990))
}

// 31 days at 9.90, half of them left: 4.95 back. 31 days at 19.90, half of
// them left: 9.95 back, of which 9.90 pay the smaller plan and 0.05 stay on
// the balance for the renewal.
func TestChangeUpAndDownIsProrated(t *testing.T) {
	l := newLife(t, "2026-01-01 00:00:00")
	buy := l.order(activitiestest.Order{Token: "tok_visa"})
	var up, down *answer
	l.lives("2026-03-01 00:00:01", func() {
		buy()
		l.at("2026-01-16 12:00:00", func() { up = l.change(activitiestest.Bigger) })
		l.at("2026-02-01 00:00:00", func() { down = l.change(activitiestest.Monthly) })
	})
	l.wantDone("up", up)
	l.wantDone("down", down)
	l.wantCharged(
		charge("2026-01-01 00:00:00", 990),
		charge("2026-01-16 12:00:00", 1495),
		charge("2026-03-01 00:00:00", 985))
}

func TestDeclinedChangeLeavesTheSubscriptionAsItWas(t *testing.T) {
	l := newLife(t, "2026-01-01 00:00:00")
	buy := l.order(activitiestest.Order{Token: "tok_later_declined"})
	var before billing.Subscription
	var up *answer
	l.lives("2026-01-17 00:00:00", func() {
		buy()
		l.at("2026-01-16 11:00:00", func() { before = l.State(l, l.sub) })
		l.at("2026-01-16 12:00:00", func() { up = l.change(activitiestest.Bigger) })
	})
	l.wantRefused("up", up, billing.CodeCardDeclined)
	after := l.State(l, l.sub)
	after.Revision, after.Cause = before.Revision, before.Cause
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("the subscription has changed (-before +after):\n%s", diff)
	}
	l.wantCharged(charge("2026-01-01 00:00:00", 990), charge("2026-01-16 12:00:00", -1495))
}

func TestDeclinedRenewalIsTriedOnDays1357AndEndsTheSubscription(t *testing.T) {
	l := newLife(t, "2026-01-01 06:00:00")
	buy := l.order(activitiestest.Order{Token: "tok_later_declined"})
	var status billing.Status
	l.ends("2026-02-08 06:00:00", func() {
		buy()
		l.at("2026-02-08 05:59:59", func() { status = l.State(l, l.sub).Status })
	})
	if status != billing.PastDue {
		t.Errorf("a second before the deadline it is %s, want past_due", status)
	}
	l.wantStatus(billing.Canceled, billing.ReasonPaymentFailed)
	l.wantCharged(
		charge("2026-01-01 06:00:00", 990), charge("2026-02-01 06:00:00", -990),
		charge("2026-02-02 06:00:00", -990), charge("2026-02-04 06:00:00", -990),
		charge("2026-02-06 06:00:00", -990), charge("2026-02-08 06:00:00", -990))
}

func TestNewCardWhilePastDueIsChargedAtOnceAndTheAnchorStays(t *testing.T) {
	l := newLife(t, "2026-01-01 06:00:00")
	buy := l.order(activitiestest.Order{Token: "tok_later_declined"})
	var card *answer
	l.lives("2026-03-02 00:00:00", func() {
		buy()
		l.at("2026-02-03 12:00:00", func() { card = l.update(billing.Command{Action: billing.ActionPaymentMethod}, "tok_visa") })
	})
	l.wantDone("payment_method", card)
	l.wantStatus(billing.Active, "")
	l.wantCharged(
		charge("2026-01-01 06:00:00", 990), charge("2026-02-01 06:00:00", -990), charge("2026-02-02 06:00:00", -990),
		charge("2026-02-03 12:00:00", 990), charge("2026-03-01 06:00:00", 990))
}

func TestUnpaidOrderLapsesAfter23HoursAndARefusedOneAtOnce(t *testing.T) {
	t.Run("declined", func(t *testing.T) {
		l := newLife(t, "2026-01-01 00:00:00")
		buy := l.order(activitiestest.Order{Token: "tok_declined"})
		var bought *answer
		l.ends("2026-01-01 23:00:00", func() { bought = buy() })
		l.wantRefused("purchase", bought, billing.CodeCardDeclined)
		l.wantStatus(billing.IncompleteExpired, "")
		l.wantCharged(charge("2026-01-01 00:00:00", -990))
	})
	t.Run("refused", func(t *testing.T) {
		l := newLife(t, "2026-01-01 00:00:00")
		try := l.order(activitiestest.Order{Trial: true, Product: "no-trial", Plan: "no-trial_users_1-20_monthly"})
		var tried *answer
		l.ends("2026-01-01 00:00:00", func() { tried = try() })
		l.wantRefused("trial", tried, billing.CodeTrialNotOffered)
		l.wantStatus(billing.IncompleteExpired, "")
	})
	t.Run("the organisation has tried already", func(t *testing.T) {
		l := newLife(t, "2026-01-01 00:00:00")
		first := l.order(activitiestest.Order{Trial: true})
		l.lives("2026-01-02 00:00:00", func() { first() })
		second := l.order(activitiestest.Order{Trial: true, Licensee: "somebody.else@customer.example"})
		var tried *answer
		l.ends("2026-01-02 00:00:00", func() { tried = second() })
		l.wantRefused("trial", tried, billing.CodeTrialAlreadyUsed)
	})
}

func TestNewRunRevivesACanceledSubscription(t *testing.T) {
	l := newLife(t, "2026-01-01 00:00:00")
	buy := l.order(activitiestest.Order{Token: "tok_visa"})
	l.ends("2026-02-01 00:00:00", func() {
		buy()
		l.at("2026-01-10 00:00:00", func() { l.do(billing.ActionCancel) })
	})
	ended := l.wantStatus(billing.Canceled, billing.ReasonRequested)

	l.now.Store(instant("2026-06-15 08:00:00").Unix())
	var revived *answer
	l.lives("2026-07-16 00:00:00", func() {
		l.env.RegisterDelayedCallback(func() { revived = l.do(billing.ActionRenew) }, 0)
	})
	l.wantDone("renew", revived)
	s := l.wantStatus(billing.Active, "")
	if s.License != ended.License {
		t.Errorf("the licence is %s, want the same as before, %s", s.License, ended.License)
	}
	l.wantCharged(charge("2026-01-01 00:00:00", 990), charge("2026-06-15 08:00:00", 990), charge("2026-07-15 08:00:00", 990))
}

func TestSignalsDoWhatTheUpdatesDo(t *testing.T) {
	l := newLife(t, "2026-01-01 00:00:00")
	buy := l.order(activitiestest.Order{Token: "tok_visa"})
	status := map[string]billing.Subscription{}
	look := func(when string) { l.at(when, func() { status[when] = l.State(l, l.sub) }) }
	l.ends("2026-02-16 12:00:00", func() {
		buy()
		l.at("2026-01-02 00:00:00", func() { l.env.SignalWorkflow("resume", nil) }) // refused
		look("2026-01-02 00:00:01")
		l.at("2026-01-03 00:00:00", func() {
			// What is not a signal's to say is ignored.
			l.env.SignalWorkflow("cancel", map[string]any{"action": "renew", "request": "req_somebody"})
		})
		look("2026-01-03 00:00:01")
		l.at("2026-01-04 00:00:00", func() { l.env.SignalWorkflow("cancel", nil) }) // refused
		l.at("2026-01-05 00:00:00", func() { l.env.SignalWorkflow("resume", nil) })
		look("2026-01-05 00:00:01")
		l.at("2026-01-16 12:00:00", func() {
			l.env.SignalWorkflow("upgrade", map[string]any{"plan": activitiestest.Bigger})
		})
		look("2026-01-16 12:00:01")
		l.at("2026-01-17 00:00:00", func() { // no_change
			l.env.SignalWorkflow("upgrade", map[string]any{"plan": activitiestest.Bigger, "quantity": 1})
		})
		l.at("2026-01-18 00:00:00", func() { // unknown_plan
			l.env.SignalWorkflow("upgrade", map[string]any{"plan": "calendar-pro_users_7_monthly"})
		})
		l.at("2026-01-19 00:00:00", func() { l.env.SignalWorkflow("cancel", nil) })
	})
	if s := status["2026-01-02 00:00:01"]; s.CancelAtPeriodEnd || s.Status != billing.Active {
		t.Errorf("after a resume of what was not cancelled: %+v", s)
	}
	if s := status["2026-01-03 00:00:01"]; !s.CancelAtPeriodEnd {
		t.Error("the signal did not cancel")
	}
	if s := status["2026-01-05 00:00:01"]; s.CancelAtPeriodEnd {
		t.Error("the signal did not resume")
	}
	if s := status["2026-01-16 12:00:01"]; s.Plan.ID != activitiestest.Bigger {
		t.Errorf("the signal did not upgrade: %s", s.Plan.ID)
	}
	l.wantStatus(billing.Canceled, billing.ReasonRequested)
	l.wantCharged(charge("2026-01-01 00:00:00", 990), charge("2026-01-16 12:00:00", 1495))
}

func TestSignalWithABadPayloadDoesNoHarm(t *testing.T) {
	for name, payload := range map[string]any{
		"a text":            "upgrade me",
		"a number":          7,
		"a list":            []string{activitiestest.Bigger},
		"no plan":           map[string]any{"quantity": 1},
		"plan of no text":   map[string]any{"quantity": 40, "plan": 7, "proration_time": "2026-01-16T11:50:00Z"},
		"negative quantity": map[string]any{"plan": activitiestest.Bigger, "quantity": -1},
		"bytes":             []byte{0xff, 0xfe},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLife(t, "2026-01-01 00:00:00")
			buy := l.order(activitiestest.Order{Token: "tok_visa"})
			l.lives("2026-02-17 00:00:00", func() {
				buy()
				l.at("2026-01-16 11:59:59", func() { l.env.SignalWorkflow("upgrade", payload) })
				// The next one is whole, and nothing of the bad one is left in it.
				l.at("2026-01-16 12:00:00", func() {
					l.env.SignalWorkflow("upgrade", json.RawMessage(`{"plan": "`+activitiestest.Bigger+`"}`))
				})
			})
			l.wantStatus(billing.Active, "")
			l.wantCharged(charge("2026-01-01 00:00:00", 990), charge("2026-01-16 12:00:00", 1495), charge("2026-02-16 12:00:00", 1990))
			changes := slices.DeleteFunc(slices.Clone(l.sums), func(s string) bool { return !strings.HasPrefix(s, "Change: ") })
			if len(changes) != 1 {
				t.Errorf("a change without its shape was asked for: %q", changes)
			}
		})
	}
}

func TestWhatIsDueGoesBeforeACommandOfTheSameInstant(t *testing.T) {
	l := newLife(t, "2026-01-01 00:00:00")
	buy := l.order(activitiestest.Order{Token: "tok_visa"})
	var cancel *answer
	// The callback was there before the workflow's timer, and is called first.
	l.ends("2026-03-01 00:00:00", func() {
		buy()
		l.at("2026-02-01 00:00:00", func() { cancel = l.do(billing.ActionCancel) })
	})
	l.wantDone("cancel", cancel)
	l.wantCharged(charge("2026-01-01 00:00:00", 990), charge("2026-02-01 00:00:00", 990))
}

// After an outage, the first message of the new run meets a step that should
// have been done long ago.
func TestWhatIsOverdueGoesBeforeTheFirstCommand(t *testing.T) {
	l := newLife(t, "2026-01-01 00:00:00")
	buy := l.order(activitiestest.Order{Token: "tok_visa"})
	l.lives("2026-01-20 00:00:00", func() { buy() })
	l.now.Store(instant("2026-02-10 00:00:00").Unix())
	var cancel *answer
	l.ends("2026-03-01 00:00:00", func() {
		l.env.RegisterDelayedCallback(func() { cancel = l.do(billing.ActionCancel) }, 0)
	})
	l.wantDone("cancel", cancel)
	l.wantCharged(charge("2026-01-01 00:00:00", 990), charge("2026-02-10 00:00:00", 990))
}

func TestCommandsAtOnceAreHandledOneAfterTheOther(t *testing.T) {
	l := newLife(t, "2026-01-01 00:00:00")
	buy := l.order(activitiestest.Order{Token: "tok_visa"})
	var first, second, third *answer
	l.lives("2026-01-17 00:00:00", func() {
		buy()
		l.at("2026-01-16 12:00:00", func() {
			first = l.change(activitiestest.Bigger)
			second = l.change(activitiestest.Bigger)
			third = l.change(activitiestest.Yearly)
		})
	})
	l.wantDone("first", first)
	l.wantRefused("second", second, billing.CodeNoChange)
	l.wantDone("third", third)
	// 99.00 less all of the 19.90 that began in the same second. The credit of
	// the first change was taken once.
	l.wantCharged(charge("2026-01-01 00:00:00", 990), charge("2026-01-16 12:00:00", 1495), charge("2026-01-16 12:00:00", 7910))
}

func TestTheSameUpdateTwiceHappensOnce(t *testing.T) {
	l := newLife(t, "2026-01-01 00:00:00")
	buy := l.order(activitiestest.Order{Token: "tok_visa"})
	var c billing.Command
	var first billing.Outcome
	again := &answer{}
	l.lives("2026-01-18 00:00:00", func() {
		buy()
		l.at("2026-01-16 12:00:00", func() {
			c = l.Ask(l, l.sub, billing.Command{Action: billing.ActionChange, Plan: activitiestest.Bigger}, "")
			a := l.send(c)
			l.at("2026-01-16 12:00:00", func() {})
			l.env.RegisterDelayedCallback(func() { first = a.outcome }, time.Minute)
		})
		// Another run would not know the update's id: here another id stands for it.
		l.at("2026-01-17 00:00:00", func() { l.env.UpdateWorkflow("change", "again", again, c) })
	})
	l.wantDone("again", again)
	if diff := cmp.Diff(first, again.outcome); diff != "" || first.Invoice == "" {
		t.Errorf("another answer (-first +again):\n%s", diff)
	}
	l.wantCharged(charge("2026-01-01 00:00:00", 990), charge("2026-01-16 12:00:00", 1495))
}

func TestValidatorRejectsAMalformedChange(t *testing.T) {
	l := newLife(t, "2026-01-01 00:00:00")
	buy := l.order(activitiestest.Order{Token: "tok_visa"})
	answers := map[string]*answer{}
	var before billing.Subscription
	l.lives("2026-01-11 00:00:00", func() {
		buy()
		l.at("2026-01-10 00:00:00", func() {
			before = l.State(l, l.sub)
			for name, c := range map[string]billing.Command{
				"no plan":           {Action: billing.ActionChange, Quantity: 1},
				"negative quantity": {Action: billing.ActionChange, Plan: activitiestest.Bigger, Quantity: -1},
			} {
				answers[name] = l.update(c, "")
			}
		})
	})
	for name, a := range answers {
		if a.rejected == nil || a.done {
			t.Errorf("%s was not rejected", name)
		}
	}
	if diff := cmp.Diff(before, l.State(l, l.sub)); diff != "" {
		t.Errorf("a rejected change has changed something:\n%s", diff)
	}
}
