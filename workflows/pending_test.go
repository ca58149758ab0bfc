package workflows_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/testsuite"

	"github.com/okviz/licensing/activities"
	"github.com/okviz/licensing/activities/activitiestest"
	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/payments"
	"github.com/okviz/licensing/workflows"
)

func (l *life) clock(now string) string {
	id, err := l.DB.CreateClock(context.Background(), instant(now))
	if err != nil {
		l.Fatal(err)
	}
	return id
}

// advance moves the subscription's clock as the API does.
func (l *life) advance(to string) *answer {
	if err := l.DB.SetClock(context.Background(), l.State(l, l.sub).TestClock, instant(to)); err != nil {
		l.Fatal(err)
	}
	a := &answer{}
	l.env.UpdateWorkflow(workflows.UpdateAdvance, "", a, workflows.Advance{To: instant(to)})
	return a
}

func TestContinueAsNewCarriesTheState(t *testing.T) {
	l := newLife(t, "2026-01-01 00:00:00")
	buy := l.order(activitiestest.Order{Token: "tok_visa"})
	err := l.run(workflows.Start{ID: l.sub}, func() {
		buy()
		l.at("2026-01-15 00:00:00", func() { l.env.SetContinueAsNewSuggested(true) })
	})
	carried := l.carried(err)
	if diff := cmp.Diff(l.State(t, l.sub), *carried.State); diff != "" {
		t.Errorf("carried state (-row +carried):\n%s", diff)
	}
	// The next run goes on from it, and reads no rows.
	loaded := false
	l.sums, l.upserted = nil, nil
	shown := ""
	if err := l.run(carried, func() {
		l.at("2026-01-16 00:00:00", func() { shown = l.details() })
		l.stop("2026-03-01 00:00:01")
	}); err == nil {
		t.Error("the run ended by itself")
	}
	if !strings.Contains(shown, "Bought until 2026-02-01") {
		t.Errorf("the details do not say what the run before has done:\n%s", shown)
	}
	for _, s := range l.sums {
		loaded = loaded || strings.HasPrefix(s, "Load")
	}
	if loaded {
		t.Error("a run with a carried state has read the rows")
	}
	if len(l.upserted) != 0 {
		t.Errorf("search attributes are carried over and were written again: %d", len(l.upserted))
	}
	l.wantCharged(charge("2026-01-01 00:00:00", 990), charge("2026-02-01 00:00:00", 990), charge("2026-03-01 00:00:00", 990))
}

// Everything arrives in the very moment at which the run may go.
func TestContinueAsNewLosesNoMessageAndRepeatsNone(t *testing.T) {
	for _, c := range []struct {
		name string
		send func(l *life) []*answer
		want func(l *life, s billing.Subscription)
	}{
		{"a signal", func(l *life) []*answer {
			l.env.SignalWorkflow("cancel", nil)
			return nil
		}, func(l *life, s billing.Subscription) {
			if !s.CancelAtPeriodEnd {
				l.Error("the signal was lost")
			}
		}},
		{"two signals in one task", func(l *life) []*answer {
			l.env.SignalWorkflowSkippingWorkflowTask("cancel", nil)
			l.env.SignalWorkflow("upgrade", map[string]any{"plan": activitiestest.Bigger})
			return nil
		}, func(l *life, s billing.Subscription) {
			if !s.CancelAtPeriodEnd || s.Plan.ID != activitiestest.Bigger {
				l.Error("a signal was lost")
			}
		}},
		{"three signals", func(l *life) []*answer {
			l.env.SignalWorkflow("cancel", nil)
			l.env.SignalWorkflow("resume", nil)
			l.env.SignalWorkflow("upgrade", map[string]any{"plan": activitiestest.Bigger})
			return nil
		}, func(l *life, s billing.Subscription) {
			if s.Plan.ID != activitiestest.Bigger {
				l.Error("the upgrade was lost")
			}
		}},
		{"updates", func(l *life) []*answer {
			return []*answer{l.change(activitiestest.Bigger), l.do(billing.ActionCancel)}
		}, func(l *life, s billing.Subscription) {
			if s.Plan.ID != activitiestest.Bigger || !s.CancelAtPeriodEnd {
				l.Error("an update was lost")
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLife(t, "2026-01-01 00:00:00")
			buy := l.order(activitiestest.Order{Token: "tok_visa"})
			var answers []*answer
			err := l.run(workflows.Start{ID: l.sub}, func() {
				buy()
				l.at("2026-01-16 12:00:00", func() {
					// No task comes between the suggestion and the message.
					l.env.RegisterDelayedCallback(func() { l.env.SetContinueAsNewSuggested(true) }, 0)
					answers = c.send(l)
				})
			})
			carried := l.carried(err)
			for _, a := range answers {
				l.wantDone("update", a)
			}
			c.want(l, *carried.State)
			if diff := cmp.Diff(l.State(t, l.sub), *carried.State); diff != "" {
				t.Errorf("carried state (-row +carried):\n%s", diff)
			}
			changed := []activitiestest.Charge{charge("2026-01-01 00:00:00", 990)}
			if carried.State.Plan.ID == activitiestest.Bigger {
				changed = append(changed, charge("2026-01-16 12:00:00", 1495))
			}
			l.wantCharged(changed...)
			// The next run does nothing of it again.
			before := l.State(t, l.sub)
			_ = l.run(carried, func() { l.stop("2026-01-20 00:00:00") })
			if diff := cmp.Diff(before, l.State(t, l.sub)); diff != "" {
				t.Errorf("the next run has done something (-before +after):\n%s", diff)
			}
		})
	}
}

func TestMailServerThatIsAwayDelaysNoRenewal(t *testing.T) {
	l := newLife(t, "2026-01-01 00:00:00")
	buy := l.order(activitiestest.Order{Token: "tok_visa"})
	l.Mailbox.Fail(func(billing.Email) error { return activitiestest.ErrAway })
	l.lives("2026-03-01 00:00:01", func() { buy() })
	l.wantCharged(charge("2026-01-01 00:00:00", 990), charge("2026-02-01 00:00:00", 990), charge("2026-03-01 00:00:00", 990))
	if n := len(l.Mailbox.Emails()); n != 0 {
		t.Fatalf("%d emails went out", n)
	}
	// What is left stays in the outbox: a receipt and a file, three times. The
	// last try of the life may still hold some of them, and give them back.
	l.Mailbox.Fail(nil)
	tick, deadline := time.NewTicker(10*time.Millisecond), time.After(10*time.Second)
	defer tick.Stop()
	for len(l.Mailbox.Emails()) < 6 {
		if err := l.Notify(t.Context(), l.sub); err != nil {
			t.Error(err)
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%d emails were left, want 6", len(l.Mailbox.Emails()))
		}
	}
	if n := len(l.Mailbox.Emails()); n != 6 {
		t.Errorf("%d emails were left, want 6", n)
	}
}

func TestActivityThatFailsFiveTimesChargesOnce(t *testing.T) {
	for _, p := range []activitiestest.Point{
		{Call: "Snapshot"}, {Call: "reserve"}, {Call: "reserve", After: true}, {Call: "Charge"}, {Call: "Charge", After: true},
		{Call: "record"}, {Call: "record", After: true},
	} {
		name := "before " + p.Call
		if p.After {
			name = "after " + p.Call
		}
		t.Run(name, func(t *testing.T) {
			l := newLife(t, "2026-01-01 00:00:00")
			buy := l.order(activitiestest.Order{Token: "tok_visa"})
			faults := l.Break()
			l.lives("2026-02-02 00:00:00", func() {
				buy()
				l.at("2026-01-31 23:00:00", func() { faults.Fail(p, 5) })
			})
			if n := faults.Left(p); p.Call == "Snapshot" && n > 0 {
				t.Fatalf("%d faults have not happened", n)
			}
			l.wantStatus(billing.Active, "")
			// The renewal is that of its instant, whenever the charge got through.
			charges := l.Charged(t, l.sub)
			if len(charges) != 2 || charges[1] != charge("2026-02-01 00:00:00", 990) {
				t.Errorf("charges: %v", charges)
			}
			l.Audit(t, l.sub)
		})
	}
}

// Somebody else has written the row in the meantime: the run reads it and
// goes on from there.
func TestStaleRunReadsTheRowAndGoesOn(t *testing.T) {
	// behind changes the row as an operator's tool would.
	behind := func(l *life) {
		s := l.State(l, l.sub)
		p := billing.Changeset{From: s.Revision}
		s.Revision++
		p.Subscription = s
		if err := l.DB.Post(context.Background(), p); err != nil {
			l.Fatal(err)
		}
	}
	fence := func(l *life) {
		if _, err := l.DB.Fence(context.Background(), l.sub); err != nil {
			l.Fatal(err)
		}
	}
	for _, c := range []struct {
		name   string
		behind func(l *life)
	}{
		{"raised by one", fence},
		{"raised by two", func(l *life) { fence(l); fence(l) }},
		{"written by somebody", behind},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Run("a step", func(t *testing.T) {
				l := newLife(t, "2026-01-01 00:00:00")
				buy := l.order(activitiestest.Order{Token: "tok_visa"})
				l.lives("2026-03-01 00:00:01", func() {
					buy()
					l.at("2026-01-20 00:00:00", func() { c.behind(l) })
				})
				l.wantCharged(charge("2026-01-01 00:00:00", 990), charge("2026-02-01 00:00:00", 990), charge("2026-03-01 00:00:00", 990))
			})
			t.Run("an update", func(t *testing.T) {
				l := newLife(t, "2026-01-01 00:00:00")
				buy := l.order(activitiestest.Order{Token: "tok_visa"})
				var up *answer
				l.lives("2026-01-17 00:00:00", func() {
					buy()
					l.at("2026-01-10 00:00:00", func() { c.behind(l) })
					l.at("2026-01-16 12:00:00", func() { up = l.change(activitiestest.Bigger) })
				})
				l.wantDone("change", up)
				l.wantCharged(charge("2026-01-01 00:00:00", 990), charge("2026-01-16 12:00:00", 1495))
			})
			t.Run("a signal", func(t *testing.T) {
				l := newLife(t, "2026-01-01 00:00:00")
				buy := l.order(activitiestest.Order{Token: "tok_visa"})
				l.ends("2026-02-01 00:00:00", func() {
					buy()
					l.at("2026-01-10 00:00:00", func() { c.behind(l) })
					l.at("2026-01-20 00:00:00", func() { l.env.SignalWorkflow("cancel", nil) })
				})
				l.wantStatus(billing.Canceled, billing.ReasonRequested)
				l.wantCharged(charge("2026-01-01 00:00:00", 990))
			})
		})
	}
	// The zero values of the row count too: nothing is due any more.
	t.Run("ended by somebody", func(t *testing.T) {
		l := newLife(t, "2026-01-01 00:00:00")
		buy := l.order(activitiestest.Order{Token: "tok_visa"})
		l.ends("2026-02-01 00:00:00", func() {
			buy()
			l.at("2026-01-11 00:00:00", func() {
				s := l.State(l, l.sub)
				p := billing.Changeset{From: s.Revision}
				s.Revision++
				s.Status, s.CancelReason, s.CanceledAt, s.Next = billing.Canceled, billing.ReasonOperator, instant("2026-01-11 00:00:00"), billing.Step{}
				p.Subscription = s
				if err := l.DB.Post(context.Background(), p); err != nil {
					l.Fatal(err)
				}
			})
		})
		l.wantStatus(billing.Canceled, billing.ReasonOperator)
		l.wantCharged(charge("2026-01-01 00:00:00", 990))
	})
}

// The details of an old state would stay on the page for months.
func TestReloadedStateIsShown(t *testing.T) {
	l := newLife(t, "2026-01-01 00:00:00")
	buy := l.order(activitiestest.Order{Token: "tok_visa"})
	var shown string
	l.lives("2026-02-02 00:00:00", func() {
		buy()
		l.at("2026-01-10 00:00:00", func() { l.do(billing.ActionCancel) })
		l.at("2026-01-11 00:00:00", func() {
			s := l.State(l, l.sub)
			p := billing.Changeset{From: s.Revision}
			s.Revision += 2
			s.CancelAtPeriodEnd, s.Next = false, billing.Step{Kind: billing.StepRenew, At: s.Period.End}
			p.Subscription = s
			if err := l.DB.Post(context.Background(), p); err != nil {
				l.Fatal(err)
			}
		})
		l.at("2026-01-12 00:00:00", func() { l.do(billing.ActionResume) }) // refused: it is not cancelled any more
		l.at("2026-01-13 00:00:00", func() { shown = l.details() })
	})
	if !strings.Contains(shown, "renews 2026-02-01") {
		t.Errorf("the details are those of the old state:\n%s", shown)
	}
	l.wantCharged(charge("2026-01-01 00:00:00", 990), charge("2026-02-01 00:00:00", 990))
}

func TestTestClockDoesExactlyWhatIsDueAndSetsNoTimers(t *testing.T) {
	l := newLife(t, "2030-05-05 05:05:05") // real time; the clock stands elsewhere
	clock := l.clock("2026-01-31 10:00:00")
	buy := l.order(activitiestest.Order{Token: "tok_visa", Clock: clock})
	var advances []*answer
	l.lives("2031-05-05 00:00:00", func() { // a year of real time does nothing
		buy()
		for at, to := range map[string]string{
			"2030-05-05 06:00:00": "2026-02-28 09:59:59", // nothing yet
			"2030-05-05 07:00:00": "2026-02-28 10:00:00", // including that instant
			"2030-05-05 08:00:00": "2026-02-28 10:00:00", // again: nothing more
			"2030-05-05 09:00:00": "2026-03-31 10:00:00",
			"2030-05-05 10:00:00": "2026-03-01 00:00:00", // never back
		} {
			l.at(at, func() { advances = append(advances, l.advance(to)) })
		}
		l.at("2030-05-05 11:00:00", func() { l.do(billing.ActionCancel) })
	})
	events, err := l.DB.Events(t.Context(), l.sub)
	if err != nil {
		t.Fatal(err)
	}
	if last := events[len(events)-1]; last.Kind != "cancel_scheduled" || !last.At.Equal(instant("2026-03-31 10:00:00")) {
		t.Errorf("the clock went back: the last thing that happened is %s at %s", last.Kind, last.At)
	}
	for _, a := range advances {
		l.wantDone("advance", a)
	}
	l.wantCharged(charge("2026-01-31 10:00:00", 990), charge("2026-02-28 10:00:00", 990), charge("2026-03-31 10:00:00", 990))
	for _, d := range l.timers {
		if d != 10*time.Second { // the patience with the mail server
			t.Errorf("a timer of %s was set on a test clock", d)
		}
	}
	if n := len(l.timers); n > 2 {
		t.Errorf("%d advances waited for mails; two had any", n)
	}
}

// After a jump over months only the running period is charged.
func TestLateTestClockChargesOnlyTheRunningPeriod(t *testing.T) {
	l := newLife(t, "2030-05-05 05:05:05")
	clock := l.clock("2026-01-31 10:00:00")
	buy := l.order(activitiestest.Order{Token: "tok_visa", Clock: clock})
	l.lives("2031-01-01 00:00:00", func() {
		buy()
		l.at("2030-05-05 06:00:00", func() { l.advance("2026-05-10 00:00:00") })
	})
	l.wantCharged(charge("2026-01-31 10:00:00", 990), charge("2026-05-10 00:00:00", 990))
	if s := l.State(t, l.sub); !s.Period.End.Equal(instant("2026-05-31 10:00:00")) {
		t.Errorf("the period ends %s", s.Period.End)
	}
}

func TestAdvanceWaitsForTheMailsButNotForLong(t *testing.T) {
	l := newLife(t, "2026-01-01 00:00:00")
	clock := l.clock("2026-01-01 00:00:00")
	buy := l.order(activitiestest.Order{Token: "tok_visa", Clock: clock})
	var sent, unsent *answer
	var emails int
	l.lives("2026-01-01 09:00:00", func() {
		buy()
		l.at("2026-01-01 01:00:00", func() {
			sent = l.advance("2026-02-01 00:00:00")
			l.env.RegisterDelayedCallback(func() { emails = len(l.Mailbox.Emails()) }, time.Second)
		})
		l.at("2026-01-01 02:00:00", func() {
			l.Mailbox.Fail(func(billing.Email) error { return activitiestest.ErrAway })
			unsent = l.advance("2026-03-01 00:00:00")
		})
		l.at("2026-01-01 02:00:11", func() { l.wantDone("advance without mail server", unsent) })
	})
	l.wantDone("advance", sent)
	if emails != 4 {
		t.Errorf("%d emails were there when the advance returned, want 4", emails)
	}
}

func TestOneTimerOfTheRightLengthAtATime(t *testing.T) {
	l := newLife(t, "2026-01-01 00:00:00")
	buy := l.order(activitiestest.Order{Token: "tok_visa"})
	l.lives("2026-03-01 00:00:01", func() { buy() })
	day := 24 * time.Hour
	want := []time.Duration{23 * time.Hour, 31 * day, 28 * day, 31 * day} // the order's expiry, then the renewals
	// The purchase comes before or after the first timer is set.
	if got := l.timers; !slices.Equal(got, want) && !slices.Equal(got, want[1:]) {
		t.Errorf("timers: %v, want %v", got, want)
	}
}

func TestOperatorsAreNotToldOfAChargeThatWillNotBe(t *testing.T) {
	l := newLife(t, "2026-01-01 00:00:00")
	buy := l.order(activitiestest.Order{Token: "tok_visa"})
	var shown string
	l.lives("2026-01-11 00:00:00", func() {
		buy()
		l.at("2026-01-05 00:00:00", func() { l.do(billing.ActionRenew) })
		l.at("2026-01-10 00:00:00", func() { shown = l.details() })
	})
	for _, want := range []string{
		"Next: enters the period that is paid for on 2026-02-01, nothing is charged.",
		"| paid ahead | until 2026-03-01 00:00:00 UTC |", "| next payment | 2026-03-01 00:00:00 UTC |",
	} {
		if !strings.Contains(shown, want) {
			t.Errorf("the details do not say %q:\n%s", want, shown)
		}
	}
}

func TestOperatorsReadWhatARunWaitsFor(t *testing.T) {
	l := newLife(t, "2026-01-01 00:00:00")
	buy := l.order(activitiestest.Order{Token: "tok_later_declined"})
	shown := map[string]string{}
	l.ends("2026-02-08 00:00:00", func() {
		buy()
		for _, when := range []string{"2026-01-02 00:00:00", "2026-01-12 00:00:00", "2026-01-22 00:00:00", "2026-02-01 12:00:00"} {
			l.at(when, func() { shown[when] = l.details() })
		}
		l.at("2026-01-10 00:00:00", func() { l.do(billing.ActionCancel) })
		l.at("2026-01-20 00:00:00", func() { l.do(billing.ActionResume) })
	})
	for when, want := range map[string]string{
		"2026-01-02 00:00:00": "renews 2026-02-01, charges for 2026-02, price 9.90 USD",
		"2026-01-12 00:00:00": "ends 2026-02-01 00:00:00 UTC, as it was cancelled",
		"2026-01-22 00:00:00": "renews 2026-02-01, charges for 2026-02, price 9.90 USD",
		"2026-02-01 12:00:00": "tries the declined payment again 2026-02-02 00:00:00 UTC",
	} {
		if !strings.Contains(shown[when], want) {
			t.Errorf("%s: details do not say %q:\n%s", when, want, shown[when])
		}
	}
	happened := "\n- 2026-01-01 00:00 customer: Bought until 2026-02-01; 9.90 USD charged.\n- 2026-01-10 00:00 customer: Cancelled; it works until "
	if !strings.Contains(shown["2026-01-12 00:00:00"], happened) {
		t.Errorf("the details do not say what happened:\n%s", shown["2026-01-12 00:00:00"])
	}
	for _, want := range []string{
		"Purchase: asked for: purchase", "renews 2026-02-01, charges for 2026-02, price 9.90 USD", "Renew: renews 2026-02-01, charges for 2026-02, price 9.90 USD",
		"Notify: send the mails", "Load: read the subscription from the database",
	} {
		if !slices.Contains(l.sums, want) {
			t.Errorf("no summary says %q: %q", want, l.sums)
		}
	}
	for _, text := range append(l.sums, shown["2026-01-12 00:00:00"]) {
		for _, personal := range []string{activitiestest.BillingName, activitiestest.LicenseeName, "@", "tok_"} {
			if strings.Contains(text, personal) {
				t.Errorf("%q stands in the Temporal UI: %s", personal, text)
			}
		}
	}
}

func TestSearchAttributesAreWrittenOnlyWhenTheyChange(t *testing.T) {
	l := newLife(t, "2026-01-01 00:00:00")
	buy := l.order(activitiestest.Order{Token: "tok_visa"})
	l.ends("2026-05-16 12:00:00", func() {
		buy()
		l.at("2026-03-10 00:00:00", func() { l.do(billing.ActionCancel) })
		l.at("2026-03-11 00:00:00", func() { l.do(billing.ActionResume) })
		l.at("2026-03-16 12:00:00", func() { l.change(activitiestest.Bigger) })
		l.at("2026-05-01 00:00:00", func() { l.do(billing.ActionCancel) })
	})
	type written struct{ Status, Plan, Product string }
	var got []written
	for _, a := range l.upserted {
		var w written
		w.Status, _ = a.GetKeyword(workflows.AttributeStatus)
		w.Plan, _ = a.GetKeyword(workflows.AttributePlan)
		w.Product, _ = a.GetKeyword(workflows.AttributeProduct)
		got = append(got, w)
	}
	want := []written{
		{Status: "active"},
		{Plan: activitiestest.Bigger},
		{Status: "canceled"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("written (-want +got):\n%s", diff)
	}
}

// A run may be started by somebody who knows an older state, or nothing at all.
func TestSearchAttributesOfTheStartAreSetRight(t *testing.T) {
	l := newLife(t, "2026-01-01 00:00:00")
	buy := l.order(activitiestest.Order{Token: "tok_visa"})
	l.lives("2026-01-02 00:00:00", func() { buy() })
	l.upserted = nil
	l.setup = func(env *testsuite.TestWorkflowEnvironment) {
		older := l.State(l, l.sub)
		older.Status = billing.Incomplete
		if err := env.SetTypedSearchAttributesOnStart(workflows.Attributes(older)); err != nil {
			t.Fatal(err)
		}
	}
	l.lives("2026-01-03 00:00:00", func() {})
	if len(l.upserted) != 1 {
		t.Fatalf("written %d times, want once", len(l.upserted))
	}
	if status, _ := l.upserted[0].GetKeyword(workflows.AttributeStatus); status != "active" {
		t.Errorf("it says %q", status)
	}
}

func TestCancelledRunLeavesTheRowsForTheNextOne(t *testing.T) {
	l := newLife(t, "2026-01-01 00:00:00")
	buy := l.order(activitiestest.Order{Token: "tok_visa"})
	l.lives("2026-01-20 00:00:00", func() { buy() }) // an operator stops the run
	l.lives("2026-03-01 00:00:01", func() {})        // and starts another
	l.wantCharged(charge("2026-01-01 00:00:00", 990), charge("2026-02-01 00:00:00", 990), charge("2026-03-01 00:00:00", 990))
}

// refusing is a gateway that takes no charge of ours.
type refusing struct{ activities.Gateway }

func (refusing) Charge(context.Context, billing.ChargeID, billing.ChargeRequest) (billing.ChargeResult, error) {
	return billing.ChargeResult{}, &payments.Error{Code: payments.CodeRefused}
}

func TestOperatorsReadThatTheGatewayRefusesOurCallsUntilItTakesThem(t *testing.T) {
	l := newLife(t, "2026-01-01 00:00:00")
	buy := l.order(activitiestest.Order{Token: "tok_visa"})
	good, shown := l.Activities.Gateway, map[string]string{}
	l.lives("2026-02-10 00:00:00", func() {
		buy()
		l.at("2026-01-20 00:00:00", func() { l.Activities.Gateway = refusing{good} })
		l.at("2026-02-02 12:00:00", func() { l.Activities.Gateway = good })
		for _, when := range []string{"2026-02-01 12:00:00", "2026-02-05 12:00:00"} {
			l.at(when, func() { shown[when] = l.details() })
		}
	})
	if got := shown["2026-02-01 12:00:00"]; !strings.Contains(got, "| past_due |") || !strings.Contains(got, "| payment | the gateway rejects our calls: refused |") {
		t.Error(got)
	}
	if got := shown["2026-02-05 12:00:00"]; !strings.Contains(got, "| active |") || strings.Contains(got, "refuses") {
		t.Error(got)
	}
	l.wantCharged(charge("2026-01-01 00:00:00", 990), charge("2026-02-04 00:00:00", 990))
}
